"""The table of an evaluation: each metric with its interval, clustered by story, and what always staying would get."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from judgekit.calibration import Bootstrap, Estimate, NotEstimableError
from judgekit.calibration.estimate import Array
from judgekit.episodes.measures import JUMP, STAY, UNKNOWN, Item, Value
from judgekit.errors import InputError

BALANCED = "balanced accuracy"
Pairs = Sequence[tuple[Item, Value]]


@dataclass(frozen=True, slots=True)
class Row:
    """One metric over many items.

    Attributes:
        estimate: None where the data do not say; ``reason`` says why.
        left_out: how many items have no value, by reason.
        always_stay: what a policy gets that always stays, on the same items; ``gain``: how much more the metric is,
            item by item. Of accuracies only; where the current episode of some items is not known, both are of the
            others, and their notes say so.
    """

    estimate: Estimate | None
    reason: str = ""
    left_out: Mapping[str, int] = field(default_factory=dict)
    always_stay: Estimate | None = None
    gain: Estimate | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """All metrics of some items.

    Attributes:
        rows: by metric.
        counts: the items' counts, added up, and how many items there are.
    """

    rows: Mapping[str, Row]
    counts: Mapping[str, int]


def metric_table(items: Sequence[Item], bootstrap: Bootstrap | None = None) -> Table:
    """Estimate every metric of the items; ``balanced accuracy`` is the mean of the two recalls.

    Stories are drawn with replacement; items without a known story are drawn by conversation, which a note says. The
    order of the items changes nothing.

    Raises:
        InputError: no items.
    """
    if not items:
        raise InputError("a table needs items; there are none")
    boot, items = bootstrap or Bootstrap(), in_order(items)
    rows = {name: _row(by_metric, boot) for name, by_metric in grouped(items).items()}
    if STAY in rows or JUMP in rows:
        rows[BALANCED] = _balanced(items, boot)
    counts = {"items": len(items)}
    for item in items:
        for name, count in item.counts.items():
            counts[name] = counts.get(name, 0) + count
    return Table(rows, counts)


def metric_tables(
    items: Sequence[Item], by: Literal["language", "behaviour"], bootstrap: Bootstrap | None = None
) -> dict[str | None, Table]:
    """Return a table for each language, or for each behaviour of the player; None is where it is not known.

    Raises:
        InputError: no items, or another name.
    """
    if by not in ("language", "behaviour"):
        raise InputError(f"by={by!r}: choose language or behaviour")
    if not items:
        raise InputError("a table needs items; there are none")
    parts: dict[str | None, list[Item]] = {}
    for item in items:
        parts.setdefault(item.language if by == "language" else item.behaviour, []).append(item)
    return {name: metric_table(parts[name], bootstrap) for name in sorted(parts, key=lambda n: (n is None, n or ""))}


def in_order(items: Sequence[Item]) -> list[Item]:
    """Return the items story by story, so that the draws do not depend on how they came."""
    return sorted(items, key=lambda item: (item.story is None, item.story or "", item.conversation, item.id))


def grouped(items: Sequence[Item]) -> dict[str, Pairs]:
    """Return the items that each metric applies to, with its values there."""
    found: dict[str, list[tuple[Item, Value]]] = {}
    for item in items:
        for name, value in item.values.items():
            found.setdefault(name, []).append((item, value))
    return dict(found)


def units(items: Sequence[Item]) -> list[tuple[str, str]]:
    """Return what is resampled, or flipped whole: the story of each item, or its conversation where none is known."""
    return [("conversation", i.conversation) if i.story is None else ("story", i.story) for i in items]


def noted(found: Estimate, items: Sequence[Item]) -> Estimate:
    """Return an estimate that says where its clusters are no stories."""
    lost = sum(item.story is None for item in items)
    said = f"{lost} of {len(items)} items have no known story and are clustered by conversation"
    return replace(found, note="; ".join(filter(None, [found.note, said]))) if lost else found


def spanned(values: Array, items: Sequence[Item], low: float, high: float, boot: Bootstrap) -> Estimate:
    """Estimate a mean of values between low and high. Where all are equal the interval still says what may be unseen.

    Raises:
        InputError, NotEstimableError: as `Bootstrap.share`.
    """
    width = high - low
    found = boot.share(np.clip((values - low) / width, 0, 1), units(items))
    ends = [None if end is None else low + width * end for end in (found.low, found.high)]
    return noted(replace(found, value=float(values.mean()), low=ends[0], high=ends[1]), items)


def _row(found: Pairs, boot: Bootstrap) -> Row:
    left_out = dict(Counter(value.reason for _, value in found if value.value is None))
    known = [(item, value) for item, value in found if value.value is not None]
    if not known:
        return Row(None, f"no item has a value: {'; '.join(left_out)}", left_out)
    low, high = known[0][1].span
    values = np.array([value.value for _, value in known], dtype=float)
    estimate = spanned(values, [item for item, _ in known], low, high, boot)
    return Row(estimate, "", left_out, *_against_staying(known, boot))


def _against_staying(known: Pairs, boot: Bootstrap) -> tuple[Estimate | None, Estimate | None]:
    both = [(item, value) for item, value in known if value.always_stay is not None]
    if not both:
        return None, None
    items = [item for item, _ in both]
    stays = np.array([value.always_stay for _, value in both], dtype=float)
    values = np.array([value.value for _, value in both], dtype=float)
    lost = len(known) - len(both)
    note = f"{lost} of {len(known)} items left out: their current episode is not known" if lost else ""
    found = spanned(stays, items, 0, 1, boot), spanned(values - stays, items, -1, 1, boot)
    stay, gain = (replace(one, note="; ".join(filter(None, [one.note, note]))) for one in found)
    return stay, gain


def _balanced(items: Sequence[Item], boot: Bootstrap) -> Row:
    """Estimate the mean of the two recalls; always staying gets 1 of one and 0 of the other."""
    applies = [
        (item, name == STAY, value)
        for item in items
        for name, value in item.values.items()
        if name in (STAY, JUMP) and value.reason != UNKNOWN
    ]
    unknown = sum(any(value.reason == UNKNOWN for value in item.values.values()) for item in items)
    lost = Counter(value.reason for _, _, value in applies if value.value is None) + Counter({UNKNOWN: unknown})
    known = [(item, stays, value.value) for item, stays, value in applies if value.value is not None]
    hits, stays = np.array([hit for _, _, hit in known]), np.array([stays for _, stays, _ in known], dtype=bool)
    try:
        found = mean_of_recalls(hits, stays, [item for item, _, _ in known], boot)
    except NotEstimableError as reason:
        return Row(None, str(reason), dict(lost))
    stay = Estimate(0.5, 0.5, 0.5, found.n, found.clusters, "by definition")
    ends = [None if end is None else end - 0.5 for end in (found.low, found.high)]
    return Row(found, "", dict(lost), stay, replace(found, value=found.value - 0.5, low=ends[0], high=ends[1]))


def mean_of_recalls(
    hits: Array, stays: NDArray[np.bool_], items: Sequence[Item], boot: Bootstrap, least: float = 0.0
) -> Estimate:
    """Estimate the mean of hits where to stay is right and of hits where to jump is, each counting half.

    Where no resample differs, the interval still says what may be unseen (as `Bootstrap.share`), of as many stories as
    the rarer of the two is found in.

    Args:
        hits: shape (items,), from ``least`` to 1.

    Raises:
        NotEstimableError: nowhere is to stay right, or nowhere to jump.
    """
    lacking = [name for name, where in ((STAY, stays), (JUMP, ~stays)) if not where.any()]
    if lacking:
        raise NotEstimableError(f"no turn has a value for the {' and none for the '.join(lacking)}")
    rows = np.stack([hits * stays, stays, hits * ~stays, ~stays], axis=1).astype(float)
    clusters = units(items)
    found = boot.of_sums(rows, _mean_recall, clusters)
    if found.low is not None and found.low == found.high:
        of = [{unit for unit, stay in zip(clusters, stays, strict=True) if stay == kind} for kind in (True, False)]
        reach, value = boot.unseen(min(map(len, of))), found.value
        ends = value - reach * (value - least), value + reach * (1 - value)
        note = "every resample has the same value"
        found = replace(found, low=ends[0], high=ends[1], method="Clopper-Pearson", note=note)
    return noted(found, items)


def _mean_recall(sums: Array) -> Array:
    return np.asarray((sums[:, 0] / sums[:, 1] + sums[:, 2] / sums[:, 3]) / 2)
