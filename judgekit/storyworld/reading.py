"""Reading a story back: what it tells, and so which flaws it has. The known truth for any text, in any order."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from judgekit.storyworld.flaws import ITEM, MISSING, NAME, ORDER, PLACE, REPETITION, Flaw, quality
from judgekit.storyworld.outlines import Outline
from judgekit.storyworld.words import HEROES, ITEMS, PLACES, SHOWY_ENDINGS, STEPS, Step

NOTHING: Final = "none"


def _pattern(template: str) -> str:
    return r"\w+".join(re.escape(part) for part in re.split(r"\{\w+\}", template))


_STEP_PATTERNS: Final = {step: re.compile("|".join(map(_pattern, STEPS[step]))) for step in STEPS}


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text tells of an outline.

    Attributes:
        hero, item, place: the first word that differs from the outline's, else the outline's, else ``"none"``.
        steps: the steps in the order in which they are first told.
        repeated: the last word of the first sentence that comes again, else ``"none"``.
        baited: whether a showy sentence ends the text.
    """

    outline: Outline
    hero: str
    item: str
    place: str
    steps: tuple[Step, ...]
    repeated: str
    baited: bool

    @property
    def flaws(self) -> tuple[Flaw, ...]:
        """The flaws of the text, in the order of `FLAWS`."""
        found: dict[Flaw, bool] = {
            NAME: self.hero != self.outline.hero,
            ITEM: self.item != self.outline.item,
            PLACE: self.place != self.outline.place,
            ORDER: list(self.steps) != [step for step in STEPS if step in self.steps],
            MISSING: len(self.steps) < len(STEPS),
            REPETITION: self.repeated != NOTHING,
        }
        return tuple(flaw for flaw, present in found.items() if present)

    @property
    def quality(self) -> float:
        """The true quality, in [0, 1]."""
        return quality(self.flaws)


def read(outline: Outline, text: str) -> Reading:
    """Read any text against an outline. A step counts as told only in the sentences of `judgekit.storyworld.words`."""
    sentences = [sentence.strip() for sentence in re.findall(r"[^.!?]++[.!?]?", text)]
    words = re.findall(r"\w++", text)
    return Reading(
        outline,
        hero=_told(outline.hero, words, HEROES),
        item=_told(outline.item, words, ITEMS),
        place=_told(outline.place, words, PLACES),
        steps=_steps_told(sentences),
        repeated=_repeated(sentences),
        baited=bool(sentences) and sentences[-1] in SHOWY_ENDINGS,
    )


def _told(asked: str, words: Sequence[str], known: Collection[str]) -> str:
    others = [word for word in words if word in known and word != asked]
    return (others or [word for word in words if word == asked] or [NOTHING])[0]


def _steps_told(sentences: Sequence[str]) -> tuple[Step, ...]:
    told = [step for sentence in sentences for step in STEPS if _STEP_PATTERNS[step].fullmatch(sentence)]
    return tuple(dict.fromkeys(told))


def _repeated(sentences: Sequence[str]) -> str:
    seen: set[str] = set()
    for sentence in sentences:
        if sentence in seen:
            return sentence.rstrip(".!?").rpartition(" ")[2]
        seen.add(sentence)
    return NOTHING
