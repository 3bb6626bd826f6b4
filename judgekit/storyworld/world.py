"""Any number of labelled pairs, samples and ratings from one seed."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, get_args

from judgekit.errors import InputError
from judgekit.storyworld.dice import Dice
from judgekit.storyworld.flaws import FLAWS
from judgekit.storyworld.outlines import Outline, Split, outlines
from judgekit.storyworld.raters import Rating, rate, simulated_raters
from judgekit.storyworld.stories import LONGEST, SHORTEST, Story, tell
from judgekit.types import Comparison, Pair, Sample, Winner

# How many flaws: a worse story has one to three, the better one fewer; of ten samples four are clean.
WORSE_FLAWS: Final = (1, 1, 1, 2, 3)
SAMPLE_FLAWS: Final = (0, 0, 0, 0, 1, 1, 1, 2, 2, 3)
# Where a showy ending stands, in twentieths: mostly in one story alone, and nearly as often in the better one, so that
# bait by itself does not give the answer away.
BAIT: Final = ("worse",) * 8 + ("better",) * 7 + ("both",) * 2 + ("none",) * 3
SAMPLE_BAITED: Final = 0.5


@dataclass(frozen=True, slots=True)
class World:
    """A story world; equal seeds and lengths give equal data, and the first k of n items do not depend on n.

    Attributes:
        seed: any whole number.
        sentences: fewest and most sentences of a story; each length is equally likely, whatever the quality.

    Raises:
        InputError: a length outside `SHORTEST` to `LONGEST`, or the wrong way round.
    """

    seed: int = 0
    sentences: tuple[int, int] = (5, 16)

    def __post_init__(self) -> None:
        low, high = self.sentences
        if not SHORTEST <= low <= high <= LONGEST:
            raise InputError(
                f"sentences={self.sentences}: give (low, high) with {SHORTEST} <= low <= high <= {LONGEST}"
            )

    def pairs(self, n: int, split: Split = "train") -> list[Pair]:
        """Return n pairs whose worse story has more flaws than the better one; each label is equally likely.

        ``metadata`` has the `Story.truth` of the ``better`` and of the ``worse`` story: by quality and not by side, so
        that it still holds after ``Comparison.swap``. For slicing it also has ``flaw``, the only one that tells the
        two apart (else ``several``), and ``bait``: where a showy ending stands (``worse``, ``better``, ``both``,
        ``none``).
        """
        _check(n, split)
        return [self._pair(split, i) for i in range(n)]

    def samples(self, n: int, split: Split = "train") -> list[Sample]:
        """Return n single stories with none to three flaws, their truth in the metadata."""
        _check(n, split)
        return [self._sample(split, i) for i in range(n)]

    def grouped(self, n: int, each: int, split: Split = "train") -> list[Sample]:
        """Return ``each`` stories of each of n outlines, outline by outline: those that `samples` completes first.

        Raises:
            InputError: the split has fewer outlines.
        """
        _check(min(n, each), split)
        if n > len(outlines(split)):
            raise InputError(f"n={n}: the split {split!r} has {len(outlines(split))} outlines")
        found: dict[str, list[Sample]] = {}
        complete: list[list[Sample]] = []
        samples = (self._sample(split, i) for i in itertools.count())
        while len(complete) < n:
            sample = next(samples)
            group = found.setdefault(str(sample.metadata["group"]), [])
            group.append(sample)
            if len(group) == each:
                complete.append(group[:])
        return [sample for group in complete for sample in group]

    def ratings(self, samples: Sequence[Sample], raters: int = 3) -> list[Rating]:
        """Return the rows of ``ratings.csv`` by this many simulated raters: each rates every sample, 1 to 5."""
        return rate(samples, simulated_raters(raters, self.seed))

    def _pair(self, split: Split, i: int) -> Pair:
        dice = Dice("pair", self.seed, split, i)
        outline = dice.pick(outlines(split))
        flaws = dice.pick(WORSE_FLAWS)
        bait = dice.pick(BAIT)
        # The longer story is the better one in every other pair: half of any number of pairs, not on average alone.
        lengths = sorted((self._sentences(dice), self._sentences(dice)), reverse=i % 2 == 0)
        worse = self._story(outline, flaws, lengths[0], dice, baited=bait in {"worse", "both"})
        better = self._story(outline, dice.between(0, flaws - 1), lengths[1], dice, baited=bait in {"better", "both"})
        a, b, label = _seat(better, worse, dice)
        slices = {"flaw": _flaw(better, worse), "bait": bait}
        truth = {"better": better.truth, "worse": worse.truth, **slices}
        return Pair(Comparison(outline.prompt, a, b, f"{split}-{self.seed}-{i}", truth), label, outline.id)

    def _sample(self, split: Split, i: int) -> Sample:
        dice = Dice("sample", self.seed, split, i)
        flaws = dice.pick(SAMPLE_FLAWS)
        outline, sentences = dice.pick(outlines(split)), self._sentences(dice)
        story = self._story(outline, flaws, sentences, dice, baited=dice.chance(SAMPLE_BAITED))
        return story.sample(f"{split}-{self.seed}-{i}")

    def _sentences(self, dice: Dice) -> int:
        return dice.between(*self.sentences)

    def _story(self, outline: Outline, flaws: int, sentences: int, dice: Dice, *, baited: bool) -> Story:
        kinds = dice.pick_many(FLAWS, flaws)
        return tell(outline, kinds, sentences=sentences, baited=baited, dice=dice)


def _flaw(better: Story, worse: Story) -> str:
    return worse.flaws[0] if len(worse.flaws) == 1 and not better.flaws else "several"


def _seat(better: Story, worse: Story, dice: Dice) -> tuple[str, str, Winner]:
    if dice.chance(0.5):
        return better.text, worse.text, "a"
    return worse.text, better.text, "b"


def _check(n: int, split: str) -> None:
    if n < 1:
        raise InputError(f"n={n}: ask for at least one item")
    if split not in get_args(Split):
        raise InputError(f"split={split!r}: choose one of {', '.join(get_args(Split))}")
