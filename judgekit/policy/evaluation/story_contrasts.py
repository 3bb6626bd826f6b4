"""Two policies on the same prompts for stories: quality, lengths and slopes, all tests adjusted together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from judgekit.calibration import Bootstrap, NotEstimableError, sign_flip_test
from judgekit.calibration.bootstrap import Statistic
from judgekit.calibration.concordance import slope_of_sums
from judgekit.calibration.estimate import Array
from judgekit.episodes.contrasts import Contrast, compare_systems
from judgekit.episodes.metrics import units
from judgekit.errors import InputError
from judgekit.policy.evaluation.contrasts import adjusted
from judgekit.policy.evaluation.polaris import (
    LENGTH_SLOPE,
    QUALITY_SLOPE,
    RATIO,
    STORIES,
    Story,
    buckets_of,
    length_sums,
    quality_sums,
)
from judgekit.policy.evaluation.slopes import quality_slope

Two = tuple[Story, Story]
Part = Callable[[Sequence[Story]], Array]


def story_contrasts(
    one: Sequence[Story], two: Sequence[Story], ends: Sequence[int], bootstrap: Bootstrap | None = None
) -> dict[str, list[Contrast]]:
    """Compare two policies on the prompts that both have, the second less the first: all stories, and each bucket.

    Quality and length go through sign flips of whole groups (of the length, the log ratio is flipped; the difference is
    that of the geometric means). Slopes have the p of the interval of their difference, from drawing groups.

    Raises:
        InputError: an id that stands twice, nothing in common, or a prompt that asks for another length in both.
    """
    boot, pairs = bootstrap or Bootstrap(), _paired(one, two)
    alone = len(one) + len(two) - 2 * len(pairs)
    found = {STORIES: adjusted([*_contrasts(pairs, alone, boot), *_slopes(pairs, ends, alone, boot)])}
    second = {story.item.id: story for _, story in pairs}
    for name, some in buckets_of([story for story, _ in pairs], ends).items():
        inside = [(story, second[story.item.id]) for story in some]
        found[f"{STORIES}, {name}"] = adjusted(_contrasts(inside, 0, boot))
    return found


def _paired(one: Sequence[Story], two: Sequence[Story]) -> list[Two]:
    second = {story.item.id: story for story in two}
    pairs = [(story, second[story.item.id]) for story in one if story.item.id in second]
    if not pairs:
        raise InputError("the two policies have no prompt in common; evaluate them on the same data")
    for a, b in pairs:
        if a.words != b.words:
            raise InputError(f"the prompt {a.item.id!r} asks for {a.words} words in one, for {b.words} in the other")
    return pairs


def _contrasts(pairs: Sequence[Two], alone: int, boot: Bootstrap) -> list[Contrast]:
    quality = compare_systems([a.item for a, _ in pairs], [b.item for _, b in pairs], boot)
    return [*(replace(found, unpaired=alone) for found in quality), _ratio(pairs, alone, boot)]


def _ratio(pairs: Sequence[Two], alone: int, boot: Bootstrap) -> Contrast:
    known = [(a, b) for a, b in pairs if a.logs and b.logs]
    contrast = Contrast(RATIO, None, None, None, "", "", len(pairs) - len(known), alone)
    clusters = units([a.item for a, _ in known])
    if len(set(clusters)) < 2:
        return replace(contrast, reason=f"{len(set(clusters))} groups have a length of both; the test needs two")
    rows = np.array([[1.0, a.ratio or 0.0, b.ratio or 0.0] for a, b in known])
    gap = boot.of_sums(rows, _gap, clusters)
    test = sign_flip_test(rows[:, 2] - rows[:, 1], clusters)
    return replace(contrast, difference=gap, p=test.p, test=f"sign flip by group, {test.method}")


def _gap(sums: Array) -> Array:
    n, one, two = sums.T
    return np.asarray(np.exp(two / n) - np.exp(one / n))


def _slopes(pairs: Sequence[Two], ends: Sequence[int], alone: int, boot: Bootstrap) -> list[Contrast]:
    written = [(a, b) for a, b in pairs if a.logs and b.logs]
    found = [_slope(LENGTH_SLOPE, written, length_sums, slope_of_sums, boot)]
    if any(a.item.values for a, _ in pairs):
        judged = [(a, b) for a, b in pairs if a.words is not None and None not in (a.quality, b.quality)]
        found.append(_slope(QUALITY_SLOPE, judged, lambda some: quality_sums(some, ends), quality_slope, boot))
    return [replace(one, unpaired=alone, left_out=len(pairs) - one.left_out) for one in found]


def _slope(name: str, known: Sequence[Two], sums_of: Part, slope: Statistic, boot: Bootstrap) -> Contrast:
    """Compare slopes on the same stories; ``left_out`` is here how many they are."""
    contrast = Contrast(name, None, None, None, "", "", len(known), 0)
    rows = np.concatenate([sums_of([pair[i] for pair in known]) for i in (0, 1)], axis=1)
    if not len(rows):
        return replace(contrast, reason="no prompt has a value of both")
    half = rows.shape[1] // 2

    def gap(sums: Array) -> Array:
        return slope(sums[:, half:]) - slope(sums[:, :half])

    found = boot.resampled_sums(rows, gap, units([a.item for a, _ in known]))
    try:
        return replace(contrast, difference=found.estimate(), p=found.p(), test="bootstrap by group")
    except NotEstimableError:
        return replace(contrast, reason="the lengths asked for do not differ enough")
