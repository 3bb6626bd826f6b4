"""POLARIS' table: quality by the length that was asked for, and how far the lengths follow what was asked."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from judgekit.calibration import Bootstrap, Estimate, NotEstimableError
from judgekit.calibration.bootstrap import Statistic
from judgekit.calibration.concordance import slope_of_sums
from judgekit.calibration.estimate import Array
from judgekit.episodes.measures import Item, Value
from judgekit.episodes.metrics import Row, Table, metric_table, units
from judgekit.policy.asked import StoryPrompt, cluster
from judgekit.policy.evaluation.responses import Responded
from judgekit.policy.evaluation.scoring import Scale, Scores
from judgekit.policy.evaluation.slopes import bucket, bucket_name, length_rows, quality_rows, quality_slope
from judgekit.rewards.requested import count_words, requested_words
from judgekit.types import prompt_text

# POLARIS has six buckets from 1,000 to 12,000 words and does not say where they meet; equal ones are our reading.
BUCKETS: Final = (2000, 4000, 6000, 8000, 10000, 12000)
RANGES: Final = (4000, 8000, 12000)  # in distribution, near, far: of which the card gives means
STORIES: Final = "stories"
QUALITY, RATIO, LENGTH_SLOPE, QUALITY_SLOPE = "quality", "length ratio", "length slope", "quality slope"
EMPTY: Final = "no response has words"
NOT_JUDGED: Final = "not judged"


@dataclass(frozen=True, slots=True)
class Story:
    """What was measured on one prompt.

    Attributes:
        item: its quality, if it was judged, and its counts.
        words: how many were asked for; None where that is not known, and ``reason`` says why.
        logs: log of written over requested words, of each response that has words.
    """

    item: Item
    words: int | None
    reason: str
    logs: tuple[float, ...]

    @property
    def ratio(self) -> float | None:
        """The mean of the logs."""
        return float(np.mean(self.logs)) if self.logs else None

    @property
    def quality(self) -> float | None:
        """The mean score of its responses."""
        return self.item.values[QUALITY].value if QUALITY in self.item.values else None


def measure_stories(responded: Sequence[Responded], scores: Scores | None = None) -> list[Story]:
    """Measure stories; what the row says was asked for counts before what the prompt says."""
    prompts = [one.asked for one in responded if isinstance(one.asked, StoryPrompt)]
    found = [_story(prompt, one) for prompt, one in zip(prompts, responded, strict=True)]
    if scores is None:
        return found
    return [_judged(story, row, scores.judged.scale) for story, row in zip(found, scores.value, strict=True)]


def _story(prompt: StoryPrompt, one: Responded) -> Story:
    asked = prompt.words or requested_words(prompt_text(prompt.prompt))
    counts = [count_words(text) for text in one.visible if text is not None]
    written = [count for count in counts if count]
    told = {
        "responses": len(one.responses),
        "missing": len(one.responses) - len(counts),
        "empty": len(counts) - len(written),
        "cut off": sum(one.cut),
    }
    item = Item(one.id, cluster(prompt), one.id, "", None, {}, told)
    if isinstance(asked, str):
        return Story(item, None, asked, ())
    reason = "" if written else EMPTY if counts else "all responses are missing"
    return Story(item, asked, reason, tuple(math.log(count / asked) for count in written))


def _judged(story: Story, row: Array, scale: Scale) -> Story:
    """Return a story with its quality; ``unscored`` counts the responses that have no score."""
    item, known = story.item, row[~np.isnan(row)]
    value = Value(float(known.mean()), span=scale) if len(known) else Value(None, "all scores are missing", span=scale)
    unscored = item.counts["responses"] - item.counts["missing"] - len(known)
    return replace(story, item=replace(item, values={QUALITY: value}, counts={**item.counts, "unscored": unscored}))


def buckets_of(stories: Sequence[Story], ends: Sequence[int]) -> dict[str, list[Story]]:
    """Return the stories by the words asked for, in buckets up to and including these ends; empty ones are left out."""
    found: dict[int, list[Story]] = {}
    for story in stories:
        if story.words is not None:
            found.setdefault(bucket(story.words, ends), []).append(story)
    return {bucket_name(number, ends): found[number] for number in sorted(found)}


def tables(stories: Sequence[Story], ends: Sequence[int], bootstrap: Bootstrap | None = None) -> dict[str, Table]:
    """Return the table of all stories and of each bucket; with POLARIS' buckets, of its three ranges too.

    ``length ratio`` is the geometric mean of written over requested words. ``length slope`` is that of log written on
    log requested words: 1 where stories grow as they should. ``quality slope`` is that of the buckets' mean quality on
    their number: what a bucket costs.
    """
    boot = bootstrap or Bootstrap()
    found = {STORIES: _with_slopes(_table(stories, boot), stories, ends, boot)}
    parts = buckets_of(stories, ends)
    if tuple(ends) == BUCKETS:
        parts |= buckets_of(stories, RANGES)
    return found | {f"{STORIES}, {name}": _table(some, boot) for name, some in parts.items()}


def _table(stories: Sequence[Story], boot: Bootstrap) -> Table:
    table = metric_table([story.item for story in stories], boot)
    return replace(table, rows={**table.rows, RATIO: _ratio(stories, boot)})


def _ratio(stories: Sequence[Story], boot: Bootstrap) -> Row:
    left_out = dict(Counter(story.reason for story in stories if story.ratio is None))
    known = [(story.item, story.ratio) for story in stories if story.ratio is not None]
    if not known:
        return Row(None, f"no story has a value: {'; '.join(left_out)}", left_out)
    found = boot.mean([ratio for _, ratio in known], units([item for item, _ in known]))
    return Row(exponential(found), "", left_out)


def exponential(found: Estimate) -> Estimate:
    """Return the geometric mean of the mean of logarithms."""
    low, high = (None if end is None else math.exp(end) for end in (found.low, found.high))
    return replace(found, value=math.exp(found.value), low=low, high=high)


def _with_slopes(table: Table, stories: Sequence[Story], ends: Sequence[int], boot: Bootstrap) -> Table:
    rows = dict(table.rows)
    written = [story for story in stories if story.logs]
    unknown = Counter(story.reason for story in stories if not story.logs)
    rows[LENGTH_SLOPE] = _slope(written, length_sums(written), slope_of_sums, unknown, boot)
    if QUALITY in rows:
        judged = [story for story in stories if story.words is not None and story.quality is not None]
        lost = [story for story in stories if story.words is None or story.quality is None]
        unknown = Counter(story.reason or NOT_JUDGED for story in lost)
        rows[QUALITY_SLOPE] = _slope(judged, quality_sums(judged, ends), quality_slope, unknown, boot)
    return replace(table, rows=rows)


def length_sums(stories: Sequence[Story]) -> Array:
    """Return what each story adds to the slope of its lengths."""
    return length_rows([story.words or 0 for story in stories], [story.logs for story in stories])


def quality_sums(stories: Sequence[Story], ends: Sequence[int]) -> Array:
    """Return what each story adds to the slope of quality."""
    return quality_rows([story.words or 0 for story in stories], [story.quality or 0.0 for story in stories], ends)


def _slope(known: Sequence[Story], sums: Array, slope: Statistic, unknown: Mapping[str, int], boot: Bootstrap) -> Row:
    if not known:
        return Row(None, f"no story has a value: {'; '.join(unknown)}", dict(unknown))
    try:
        return Row(boot.of_sums(sums, slope, units([story.item for story in known])), "", dict(unknown))
    except NotEstimableError:
        return Row(None, "the lengths asked for do not differ enough", dict(unknown))
