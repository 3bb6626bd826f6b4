"""Two systems on the same turns: how much they differ, and whether that could be chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from judgekit.calibration import (
    Bootstrap,
    Estimate,
    NotEstimableError,
    adjust_pvalues,
    mcnemar_test,
    sign_flip_test,
    stars,
)
from judgekit.calibration.estimate import Array
from judgekit.episodes.measures import JUMP, STAY, Item, Value
from judgekit.episodes.metrics import BALANCED, in_order, mean_of_recalls, spanned, units
from judgekit.errors import InputError


class Both(NamedTuple):
    """One metric of one item, of two systems."""

    item: Item
    one: Value
    two: Value

    @property
    def known(self) -> bool:
        return self.one.value is not None and self.two.value is not None

    @property
    def gain(self) -> float:
        return float(self.two.value or 0) - float(self.one.value or 0)  # asked only where both are known


@dataclass(frozen=True, slots=True)
class Contrast:
    """One metric of two systems, the second less the first.

    Attributes:
        difference: over the items that have a value of both; None where there is none, and ``reason`` says why.
        p: two-sided, of "there is no difference"; ``q``: adjusted for all tests of the table; ``stars``: of q.
        test: how p was found.
        left_out: items that have a value of one or of none; with ``unpaired``, which only one system has at all.
    """

    metric: str
    difference: Estimate | None
    p: float | None
    q: float | None
    stars: str
    test: str
    left_out: int
    unpaired: int
    reason: str = ""


def compare_systems(one: Sequence[Item], two: Sequence[Item], bootstrap: Bootstrap | None = None) -> list[Contrast]:
    """Compare two systems on the items that both have, by id, metric by metric.

    The stories' sums of differences are flipped (`sign_flip_test`) for shares and scores; what is right or wrong goes
    through the clustered test of McNemar. The p values are adjusted together by Benjamini & Hochberg (1995); the stars
    are of the adjusted ones: * .05, ** .01, *** .001.

    Raises:
        InputError: an id that stands twice, nothing in common, or an item that is not the same in both: its story, or
            the metrics that apply.
    """
    boot, first, second = bootstrap or Bootstrap(), _by_id(one), _by_id(two)
    shared = [item.id for item in in_order(one) if item.id in second]
    if not shared:
        raise InputError("the two systems have no item in common; measure them on the same turns")
    unpaired = len(first) + len(second) - 2 * len(shared)
    found = [
        _contrast(name, both, unpaired, boot) for name, both in _paired([(first[i], second[i]) for i in shared]).items()
    ]
    adjusted = adjust_pvalues([contrast.p for contrast in found])
    return [replace(c, q=q, stars=stars(q)) for c, q in zip(found, adjusted, strict=True)]


def _by_id(items: Sequence[Item]) -> dict[str, Item]:
    found = {item.id: item for item in items}
    if len(found) != len(items):
        raise InputError(f"{len(items) - len(found)} of {len(items)} items have the id of another: give each its own")
    return found


def _paired(shared: Sequence[tuple[Item, Item]]) -> dict[str, list[Both]]:
    found: dict[str, list[Both]] = {}
    for a, b in shared:
        if a.story != b.story or a.values.keys() != b.values.keys():
            raise InputError(f"the item {a.id!r} is not the same in both systems: another story, or other metrics")
        for name, value in a.values.items():
            found.setdefault(name, []).append(Both(a, value, b.values[name]))
    if STAY in found and JUMP in found:
        found[BALANCED] = found[STAY] + [pair for pair in found[JUMP] if STAY not in pair.item.values]
    return found


def _contrast(name: str, both: Sequence[Both], unpaired: int, boot: Bootstrap) -> Contrast:
    known = [pair for pair in both if pair.known]
    contrast = Contrast(name, None, None, None, "", "", len(both) - len(known), unpaired)
    if not known:
        return replace(contrast, reason="no item has a value of both systems")
    try:
        difference, effects = _difference(name, known, boot)
        contrast = replace(contrast, difference=difference)
        p, test = _test(known, effects, hit=known[0].one.hit and name != BALANCED)
    except NotEstimableError as reason:
        return replace(contrast, reason=str(reason))
    return replace(contrast, p=p, test=test)


def _difference(name: str, known: Sequence[Both], boot: Bootstrap) -> tuple[Estimate, Array]:
    """Return the difference, and what each item adds to it: numbers whose mean it is."""
    items = [pair.item for pair in known]
    gains = np.array([pair.gain for pair in known])
    if name != BALANCED:
        low, high = known[0].one.span
        return spanned(gains, items, low - high, high - low, boot), gains
    stays = np.array([STAY in item.values for item in items])
    found = mean_of_recalls(gains, stays, items, boot, least=-1.0)
    return found, gains * len(gains) / (2 * np.where(stays, stays.sum(), (~stays).sum()))


def _test(known: Sequence[Both], effects: Array, hit: bool) -> tuple[float, str]:
    clusters = units([pair.item for pair in known])
    if len(set(clusters)) < 2:
        raise NotEstimableError("all items are of one story; the test needs two")
    if hit:
        one, two = [pair.one.value for pair in known], [pair.two.value for pair in known]
        return mcnemar_test(np.array(one, dtype=float), np.array(two, dtype=float), clusters).p, "McNemar, clustered"
    found = sign_flip_test(effects, clusters)
    return found.p, f"sign flip by story, {found.method}"
