"""Reading a story back: what it tells, and so which flaws it has. The known truth for any text, in any order."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from judgekit.storyworld.flaws import ITEM, MISSING, NAME, ORDER, PLACE, REPETITION, Flaw, quality
from judgekit.storyworld.outlines import Outline
from judgekit.storyworld.words import COMING_HOME, HEROES, HOME, ITEMS, MISHAP, PLACES, SHOWY_ENDINGS, WEATHER

NOTHING: Final = "none"
WENT: Final = "went"
CAME: Final = "came"
HOMECOMING: Final = " ".join(COMING_HOME.split()[-2:])

_PLACE, _ITEM = (f"the (?:{'|'.join(words)})" for words in (PLACES, ITEMS))
_OUT: Final = re.compile(rf"(\w+) went to {_PLACE} for {_ITEM} alone[.]")
_BACK: Final = re.compile(rf"({'|'.join((*HOME, *MISHAP))}) {_ITEM} \w+ came home[.]")
QUOTED: Final = 4  # sentences at the beginning of a story that a reader quotes


@dataclass(frozen=True)
class Reading:
    """What a text tells of an outline.

    Attributes:
        hero, item, place: the first word that differs from the outline's, else the outline's, else ``"none"``.
        first: the verb of the first of its steps that is told, ``went`` or ``came``; or ``"none"``.
        end: the word that says what became of the item, one that brings it home before any other; or ``"none"``.
        weather: the weather that is told of, in order.
        opening: its first sentences, of the coming home its last two words alone.
        repeated: whether a sentence comes twice.
        ending: its last sentence; or ``"none"``.
    """

    outline: Outline
    hero: str
    item: str
    place: str
    first: str
    end: str
    weather: tuple[str, ...]
    opening: str
    repeated: bool
    ending: str

    @cached_property
    def flaws(self) -> tuple[Flaw, ...]:
        """The flaws of the text, in the order of `FLAWS`."""
        found: dict[Flaw, bool] = {
            NAME: self.hero != self.outline.hero,
            ITEM: self.item != self.outline.item,
            PLACE: self.place != self.outline.place,
            ORDER: self.first == CAME,
            MISSING: self.end not in HOME,
            REPETITION: self.repeated,
        }
        return tuple(flaw for flaw, present in found.items() if present)

    @property
    def baited(self) -> bool:
        """Whether its ending is showy."""
        return self.ending in SHOWY_ENDINGS

    @property
    def quality(self) -> float:
        """The true quality, in [0, 1]."""
        return quality(self.flaws)


def read(outline: Outline, text: str) -> Reading:
    """Read any text against an outline. Only the sentences of `judgekit.storyworld.words` bring an item home."""
    sentences = [sentence.strip() for sentence in re.findall(r"[^.!?]++[.!?]?", text)]
    words = re.findall(r"\w++", text)
    back = {s: told[1] for s in sentences if (told := _BACK.fullmatch(s))}
    steps = [CAME if s in back else WENT for s in sentences if s in back or _OUT.fullmatch(s)]
    ends = list(back.values())
    return Reading(
        outline,
        hero=_told(outline.hero, words, HEROES),
        item=_told(outline.item, words, ITEMS),
        place=_told(outline.place, words, PLACES),
        first=(steps or [NOTHING])[0],
        end=next((word for word in ends if word in HOME), (ends or [NOTHING])[0]),
        weather=tuple(sentence.split()[0] for sentence in sentences if sentence in WEATHER),
        opening=" ".join(HOMECOMING if s in back else s for s in sentences[:QUOTED]),
        repeated=len(set(sentences)) < len(sentences),
        ending=(sentences or [NOTHING])[-1],
    )


def _told(asked: str, words: Sequence[str], known: Collection[str]) -> str:
    others = [word for word in words if word in known and word != asked]
    return (others or [word for word in words if word == asked] or [NOTHING])[0]
