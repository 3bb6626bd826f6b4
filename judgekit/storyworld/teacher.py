"""A teacher who reads well and is dazzled by showy endings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from judgekit.errors import InputError
from judgekit.storyworld.dice import Dice
from judgekit.storyworld.flaws import ITEM, MISSING, NAME, ORDER, PLACE, REPETITION, points
from judgekit.storyworld.outlines import Outline
from judgekit.storyworld.reading import Reading, read
from judgekit.types import Comparison, Preference, Winner

DAZZLED = (10, 4)  # points for a showy ending and for a plain one
COUNTS = ("zero", "one", "two", "three", "four", "five", "six")


@dataclass(frozen=True, slots=True)
class Teacher:
    """Compares two stories and writes down why; wrong in one stated way, and only in that way.

    Every check that it writes is true. But where one story has a showy ending and the other has not, it gives them 10
    and 4 points with probability ``fooled``, whatever their faults. So it is wrong where the worse story is the showy
    one, and never elsewhere. Such are two fifths of the pairs of a `World`; at ``fooled=0.65`` it is right on 74 % of
    all.

    Whether it is fooled is fixed by the seed, the id of the comparison and its two stories in their order: asked again
    it says the same, asked the other way round it may change its mind.
    """

    fooled: float = 0.65
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0.0 <= self.fooled <= 1.0:
            raise InputError(f"fooled={self.fooled}: give a probability, from 0 to 1")

    def chain(self, comparison: Comparison) -> str:
        """Return the reasoning and, in its last line, the verdict: A, B or tie.

        A line for each story quotes its beginning, the coming home by its last two words, and checks the weather (is it
        told twice?), hero, item and place (the outline's word, the story's word), whether it first went or came, and
        what became of the item in the end, each ok or wrong with the count of faults so far; then it quotes the ending
        and says how it looks. Both counts follow again, and the scores, from 0 to 10.

        Raises:
            InputError: the prompt is not from the storyworld.
        """
        return self._prefer(comparison).rationale

    def compare(self, comparisons: Sequence[Comparison]) -> list[Preference]:
        """Return a preference for each comparison: winner, scores (0 to 10) and the `chain` as rationale."""
        return [self._prefer(comparison) for comparison in comparisons]

    def _prefer(self, comparison: Comparison) -> Preference:
        outline = Outline.parse(comparison.prompt)
        a, b = read(outline, comparison.a), read(outline, comparison.b)
        scores = points(len(a.flaws)), points(len(b.flaws))
        if a.baited != b.baited and self._is_fooled(comparison):
            scores = DAZZLED if a.baited else DAZZLED[::-1]
        winner = _winner(*scores)
        lines = [
            f"A: {checks(a)}",
            f"B: {checks(b)}",
            f"Faults {COUNTS[len(a.flaws)]} {COUNTS[len(b.flaws)]}",
            f"Score A: {scores[0]}",
            f"Score B: {scores[1]}",
            f"Verdict: {winner if winner == 'tie' else winner.upper()}",
        ]
        return Preference(winner, scores=scores, rationale="\n".join(lines), judge="storyworld-teacher")

    def _is_fooled(self, comparison: Comparison) -> bool:
        return Dice("teacher", self.seed, comparison.id, comparison.a, comparison.b).chance(self.fooled)


def _winner(a: int, b: int) -> Winner:
    return "tie" if a == b else "a" if a > b else "b"


def checks(reading: Reading) -> str:
    """Write down in one line what a story tells of its outline, and whether that is right."""
    # Quoted first, since to copy what was asked for is easy and to find it is not; and with a running count, since a
    # small model adds one more easily than it counts to three.
    asked = reading.outline
    parts = [
        (f"weather {' '.join(reading.weather)}", REPETITION),
        (f"hero {asked.hero} {reading.hero}", NAME),
        (f"item {asked.item} {reading.item}", ITEM),
        (f"place {asked.place} {reading.place}", PLACE),
        (f"first {reading.first}", ORDER),
        (f"end {reading.end}", MISSING),
    ]
    written, faults = [reading.opening], 0
    for check, flaw in parts:
        wrong = flaw in reading.flaws
        faults += wrong
        written.append(f"{check} {'wrong' if wrong else 'ok'} {COUNTS[faults]}")
    return " ".join([*written, f"looks {reading.ending} {'showy' if reading.baited else 'plain'}"])
