"""Outlines: what a story is asked to tell, and which of them are held out."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from functools import cache
from typing import Literal

from judgekit.errors import InputError
from judgekit.storyworld.words import HEROES, ITEMS, PLACES, PROMPT
from judgekit.types import Prompt, prompt_text

Split = Literal["train", "test"]


@dataclass(frozen=True, slots=True)
class Outline:
    """What a story is to tell: the hero goes to the place, finds the item and brings it home."""

    hero: str
    item: str
    place: str

    @classmethod
    def parse(cls, prompt: Prompt) -> Outline:
        """Read the outline back from its prompt.

        Raises:
            InputError: the prompt names no hero, item or place of this world.
        """
        words = re.findall(r"\w++", prompt_text(prompt))
        hero, item, place = (next((w for w in words if w in known), None) for known in (HEROES, ITEMS, PLACES))
        if hero is None or item is None or place is None:
            raise InputError("this prompt is not from the storyworld; take prompts from World.pairs or Outline.prompt")
        return cls(hero, item, place)

    @property
    def id(self) -> str:
        """The combination, such as ``Mia-key-cave``."""
        return f"{self.hero}-{self.item}-{self.place}"

    @property
    def prompt(self) -> str:
        """The outline as a request."""
        return PROMPT.format(hero=self.hero, item=self.item, place=self.place)

    @property
    def split(self) -> Split:
        """Where the combination belongs: about one in five is held out, by a stable hash."""
        return "test" if zlib.crc32(self.id.encode()) % 5 == 0 else "train"


@cache
def outlines(split: Split) -> tuple[Outline, ...]:
    """Return every outline of a split. Each name, item and place is in both splits; no combination is."""
    every = (Outline(hero, item, place) for hero in HEROES for item in ITEMS for place in PLACES)
    return tuple(outline for outline in every if outline.split == split)
