"""Stories that realise an outline with the flaws that were asked for."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Any, Final

from judgekit.storyworld.dice import Dice
from judgekit.storyworld.flaws import FLAWS, ITEM, MISSING, NAME, ORDER, PLACE, REPETITION, Flaw, quality, rating
from judgekit.storyworld.outlines import Outline
from judgekit.storyworld.words import (
    ADJECTIVES,
    ANIMALS,
    ASIDES,
    COLOUR,
    FIND,
    HEROES,
    HOME,
    ITEMS,
    PLACES,
    PLAIN_ENDINGS,
    SHOWY_ENDINGS,
    STEPS,
    Step,
)
from judgekit.types import Sample

# Room for three steps, a repetition and an ending; and no more filling than there are colour sentences.
SHORTEST: Final = 5
LONGEST: Final = len(COLOUR)


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
    steps = [dice.pick(STEPS[step]) for step in _steps(flaws, dice)]
    doubled = int(REPETITION in flaws)
    filling = _filling(sentences - 1 - doubled - len(steps), len(steps), dice)
    at = [0, *sorted(dice.pick_many(range(1, len(steps) + len(filling)), len(steps) - 1))]
    body = _cast(_weave(steps, filling, at), dice.pick(at), outline, flaws, dice)
    if doubled:
        again = dice.between(0, len(body) - 1)
        body.insert(again, body[again])
    ending = dice.pick(SHOWY_ENDINGS if baited else PLAIN_ENDINGS)
    return Story(outline, " ".join([*body, ending]), tuple(f for f in FLAWS if f in flaws), baited)


def _steps(flaws: Collection[Flaw], dice: Dice) -> tuple[Step, ...]:
    lost = dice.pick((FIND, HOME)) if MISSING in flaws else None
    steps = tuple(step for step in STEPS if step != lost)
    return dice.pick([p for p in permutations(steps) if p != steps]) if ORDER in flaws else steps


def _filling(room: int, steps: int, dice: Dice) -> list[str]:
    """Return the sentences between the steps; with the asides among them, two or three name the item in any story."""
    asides = min(room, dice.between(2, 3) - (steps - 1))
    filling = dice.pick_many(ASIDES, asides) + dice.pick_many(COLOUR, room - asides)
    return dice.pick_many(filling, room)


def _weave(steps: Sequence[str], filling: Sequence[str], at: Collection[int]) -> list[str]:
    """Put the steps at these positions, in order, and the filling around them."""
    step, rest = iter(steps), iter(filling)
    return [next(step) if i in at else next(rest) for i in range(len(steps) + len(filling))]


def _cast(body: Sequence[str], takeover: int, outline: Outline, flaws: Collection[Flaw], dice: Dice) -> list[str]:
    """Fill in who, what and where; a wrong hero comes in at the takeover and stays."""
    # A hero with the same pronoun, so that the colour sentences do not give the change away.
    same_pronoun = [hero for hero in HEROES if HEROES[hero] == HEROES[outline.hero]]
    later_hero = _other(outline.hero, same_pronoun, dice) if NAME in flaws else outline.hero
    item = _other(outline.item, ITEMS, dice) if ITEM in flaws else outline.item
    place = _other(outline.place, PLACES, dice) if PLACE in flaws else outline.place
    return [
        template.format(
            hero=outline.hero if i < takeover else later_hero,
            pronoun=HEROES[outline.hero],
            item=item,
            place=place,
            adjective=dice.pick(ADJECTIVES),
            animal=dice.pick(ANIMALS),
        )
        for i, template in enumerate(body)
    ]


def _other(word: str, words: Sequence[str], dice: Dice) -> str:
    return dice.pick([w for w in words if w != word])
