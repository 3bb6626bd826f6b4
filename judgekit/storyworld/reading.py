"""Reading a story back: what it tells, and so which flaws it has. The known truth for any text, in any order."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Final

from judgekit.storyworld.flaws import ITEM, MISSING, NAME, PLACE, REPETITION, Flaw, quality
from judgekit.storyworld.outlines import Outline
from judgekit.storyworld.words import HEROES, HOME, ITEMS, MISHAPS, PLACES, SHOWY_ENDINGS, TOLD, WEATHER

NOTHING: Final = "none"

_SLOT: Final = re.compile(r"\{\w+\}")
_ENDS: Final = re.compile(
    r"\w+ (?:" + "|".join(f"({verb}) {_SLOT.sub('[a-z]+', TOLD[verb])}[.]" for verb in (*HOME, *MISHAPS)) + ")"
)


@dataclass(frozen=True)
class Reading:
    """What a text tells of an outline.

    Attributes:
        hero, item, place: the first word that differs from the outline's, else the outline's, else ``"none"``.
        end: the verb with which the item is first brought home or mishandled, else ``"none"``.
        weather: the weather that is told of, sorted.
        repeated: whether a sentence comes twice in a row.
        baited: whether a showy sentence ends the text.
    """

    outline: Outline
    hero: str
    item: str
    place: str
    end: str
    weather: tuple[str, ...]
    repeated: bool
    baited: bool

    @cached_property
    def flaws(self) -> tuple[Flaw, ...]:
        """The flaws of the text, in the order of `FLAWS`."""
        found: dict[Flaw, bool] = {
            NAME: self.hero != self.outline.hero,
            ITEM: self.item != self.outline.item,
            PLACE: self.place != self.outline.place,
            MISSING: self.end not in HOME,
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
        end=next((told[told.lastindex or 0] for told in map(_ENDS.fullmatch, sentences) if told), NOTHING),
        weather=tuple(sorted(sentence.split()[1] for sentence in sentences if sentence in WEATHER)),
        repeated=any(sentence == following for sentence, following in pairwise(sentences)),
        baited=bool(sentences) and sentences[-1] in SHOWY_ENDINGS,
    )


def _told(asked: str, words: Sequence[str], known: Collection[str]) -> str:
    others = [word for word in words if word in known and word != asked]
    return (others or [word for word in words if word == asked] or [NOTHING])[0]
