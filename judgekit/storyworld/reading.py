"""Reading a story back: what it tells, and so which flaws it has. The known truth for any text, in any order."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Final

from judgekit.storyworld.flaws import ITEM, MISSING, NAME, ORDER, PLACE, REPETITION, Flaw, quality
from judgekit.storyworld.outlines import Outline
from judgekit.storyworld.words import GO, HEROES, HOME, ITEMS, PLACES, SHOWY_ENDINGS, TOLD, WEATHER

NOTHING: Final = "none"

_SLOT: Final = re.compile(r"\{\w+\}")
_TOLD: Final = "|".join(f"({verb}) {_SLOT.sub('[a-z]+', told)}[.]" for verb, told in TOLD.items())
_STEP: Final = re.compile(rf"\w+ (?:{_TOLD})")
QUOTED: Final = 4  # sentences at the beginning of a story that a reader quotes


@dataclass(frozen=True)
class Reading:
    """What a text tells of an outline.

    Attributes:
        hero, item, place: the first word that differs from the outline's, else the outline's, else ``"none"``.
        steps: the verbs of its steps, and of mishaps, in the order in which they are told.
        weather: the weather that is told of, in order.
        opening: its first sentences, as they stand.
        repeated: whether a sentence comes twice in a row.
        baited: whether a showy sentence ends the text.
    """

    outline: Outline
    hero: str
    item: str
    place: str
    steps: tuple[str, ...]
    weather: tuple[str, ...]
    opening: str
    repeated: bool
    baited: bool

    @cached_property
    def flaws(self) -> tuple[Flaw, ...]:
        """The flaws of the text, in the order of `FLAWS`."""
        found: dict[Flaw, bool] = {
            NAME: self.hero != self.outline.hero,
            ITEM: self.item != self.outline.item,
            PLACE: self.place != self.outline.place,
            ORDER: self.steps[:1] not in ((), (GO,)),
            MISSING: HOME not in self.steps,
            REPETITION: self.repeated,
        }
        return tuple(flaw for flaw, present in found.items() if present)

    @property
    def quality(self) -> float:
        """The true quality, in [0, 1]."""
        return quality(self.flaws)


def read(outline: Outline, text: str) -> Reading:
    """Read any text against an outline. Only the sentences of `judgekit.storyworld.words` bring an item home."""
    sentences = [sentence.strip() for sentence in re.findall(r"[^.!?]++[.!?]?", text)]
    words = re.findall(r"\w++", text)
    return Reading(
        outline,
        hero=_told(outline.hero, words, HEROES),
        item=_told(outline.item, words, ITEMS),
        place=_told(outline.place, words, PLACES),
        steps=tuple(told[told.lastindex or 0] for told in map(_STEP.fullmatch, sentences) if told),
        weather=tuple(sentence.split()[1] for sentence in sentences if sentence in WEATHER),
        opening=" ".join(sentences[:QUOTED]),
        repeated=any(sentence == following for sentence, following in pairwise(sentences)),
        baited=bool(sentences) and sentences[-1] in SHOWY_ENDINGS,
    )


def _told(asked: str, words: Sequence[str], known: Collection[str]) -> str:
    others = [word for word in words if word in known and word != asked]
    return (others or [word for word in words if word == asked] or [NOTHING])[0]
