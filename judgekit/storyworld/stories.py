"""Stories that realise an outline with the flaws that were asked for."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from judgekit.storyworld.dice import Dice
from judgekit.storyworld.flaws import FLAWS, ITEM, MISSING, NAME, ORDER, PLACE, REPETITION, Flaw, quality, rating
from judgekit.storyworld.outlines import Outline
from judgekit.storyworld.words import (
    ASIDES,
    COMING_HOME,
    DEEDS,
    HEROES,
    HOME,
    ITEMS,
    MISHAP,
    PLACES,
    PLAIN_ENDINGS,
    SETTING_OUT,
    SHOWY_ENDINGS,
    THINGS,
    WEATHER,
)
from judgekit.types import Sample

# Room for two steps, two sentences of weather and an ending; and no more deeds than there are things.
SHORTEST: Final = 5
LONGEST: Final = SHORTEST + len(THINGS)


@dataclass(frozen=True, slots=True)
class Story:
    """A text with known truth: the flaws that were planted, in the order of `FLAWS`, and whether its ending is bait."""

    outline: Outline
    text: str
    flaws: tuple[Flaw, ...]
    baited: bool

    @property
    def quality(self) -> float:
        """The true quality, in [0, 1]; bait adds nothing to it."""
        return quality(self.flaws)

    @property
    def truth(self) -> Mapping[str, Any]:
        """What is known about the story, ready for JSON."""
        return {
            "flaws": list(self.flaws),
            "quality": self.quality,
            "rating": rating(self.quality),
            "baited": self.baited,
        }

    def sample(self, name: str) -> Sample:
        """Return the story as a sample with this id, its truth in the metadata."""
        return Sample(self.outline.prompt, self.text, id=name, metadata={"group": self.outline.id, **self.truth})


def tell(outline: Outline, flaws: Collection[Flaw], *, sentences: int, baited: bool, dice: Dice) -> Story:
    """Write a story of exactly this many sentences (`SHORTEST` to `LONGEST`), whatever flaws are planted in it."""
    end = COMING_HOME.replace("{fate}", dice.pick(MISHAP if MISSING in flaws else HOME))
    steps = [end, SETTING_OUT] if ORDER in flaws else [SETTING_OUT, end]
    weather = [dice.pick(WEATHER)] * 2 if REPETITION in flaws else dice.pick_many(WEATHER, 2)
    things = dice.pick_many(THINGS, sentences - SHORTEST)
    deeds = [dice.pick(DEEDS if n else ASIDES).replace("{thing}", thing) for n, thing in enumerate(things)]
    body = _cast([steps[0], weather[0], steps[1], weather[1], *deeds], outline, flaws, dice)
    ending = dice.pick(SHOWY_ENDINGS if baited else PLAIN_ENDINGS)
    return Story(outline, " ".join([*body, ending]), tuple(f for f in FLAWS if f in flaws), baited)


def _cast(body: Sequence[str], outline: Outline, flaws: Collection[Flaw], dice: Dice) -> list[str]:
    """Fill in who, what and where."""
    words = {
        "hero": _other(outline.hero, HEROES, dice) if NAME in flaws else outline.hero,
        "item": _other(outline.item, ITEMS, dice) if ITEM in flaws else outline.item,
        "place": _other(outline.place, PLACES, dice) if PLACE in flaws else outline.place,
    }
    return [sentence.format(**words) for sentence in body]


def _other(word: str, words: Sequence[str], dice: Dice) -> str:
    return dice.pick([w for w in words if w != word])
