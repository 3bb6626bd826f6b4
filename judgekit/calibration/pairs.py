"""What a judge of pairs is worth: its preferences held against the labels that people gave."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from judgekit.calibration.bootstrap import Bootstrap, Statistic
from judgekit.calibration.estimate import Estimate, number
from judgekit.calibration.signflip import sign_flip_test
from judgekit.calibration.votes import POINTS, by_order, curve
from judgekit.errors import InputError
from judgekit.types import Pair, Preference, Votes

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
LABELLED = "no pair with a label (a or b) has a verdict"
ORDERS = "no pair has votes in both orders"
SURE = np.array([0.6, 0.7, 0.8, 0.9])  # where the bins of a stated probability meet
NOISE_DRAWS = 200
DEFAULT = Bootstrap()


@dataclass(frozen=True, slots=True)
class Bin:
    """The pairs for which a judge stated something between ``low`` and ``high``, ``stated`` on average."""

    low: float
    high: float
    stated: float
    accuracy: Estimate | None
    pairs: int


@dataclass(frozen=True, slots=True)
class Part:
    """Some of the pairs: accuracy on the ``pairs`` of them that have a label (a or b) and a verdict."""

    accuracy: Estimate | None
    pairs: int
    unscored: int


@dataclass(frozen=True)
class PairEvaluation:
    """A judge's preferences against the labels of pairs. An estimate that cannot be made is None.

    ``missing`` says why, by the name of the figure (``slices NAME``, ``by_votes 3``). A pair counts where it has what
    the figure needs; how many do is the estimate's ``n``.

    Attributes:
        pairs: how many; ``labelled`` a or b, ``tie_labels``, ``unlabelled``: accuracy is of the labelled ones.
        unscored: pairs without a verdict, whatever their label; ``reasons`` counts why.
        accuracy: how often the verdict is the label; a tie counts half.
        accuracy_ab: the same of the order a, b alone: the majority of its votes; ``accuracy_ba``: of b, a.
        accuracy_both: right in both orders, of the pairs read in both.
        agreement: the same verdict in both orders; ``kappa``: the same, beyond chance (Cohen 1960).
        first_shown: how often the side shown first wins, over both orders of each pair; one half is no bias.
        slices: accuracy in parts of the pairs.
        by_votes: accuracy by the number of votes an order.
        by_margin: accuracy by the difference of the two scores.
        by_probability: accuracy by the probability that the judge gives its winner.
        ece: expected calibration error, the mean distance in `by_probability` between stated and true (Guo et al.
            2017, ICML), which noise alone puts above 0: ``ece_by_chance`` is its mean for a judge without error.
    """

    pairs: int
    labelled: int
    tie_labels: int
    unlabelled: int
    unscored: int
    reasons: Mapping[str, int]
    accuracy: Estimate | None
    unscored_share: Estimate | None
    accuracy_ab: Estimate | None
    accuracy_ba: Estimate | None
    accuracy_both: Estimate | None
    agreement: Estimate | None
    kappa: Estimate | None
    first_shown: Estimate | None
    slices: Mapping[str, Part]
    by_votes: Mapping[int, Estimate | None]
    by_margin: tuple[Bin, ...]
    by_probability: tuple[Bin, ...]
    ece: Estimate | None
    ece_by_chance: float | None
    missing: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class PairedTest:
    """Two judges on the pairs that both gave a verdict on.

    Attributes:
        difference: accuracy of the second minus accuracy of the first; None where it cannot be estimated.
        p: of "there is no difference", by `sign_flip_test`.
        pairs: how many labelled pairs both judged; ``left_out``: how many one of them, or both, did not.
    """

    difference: Estimate | None
    p: float | None
    pairs: int
    left_out: int


def evaluate(
    pairs: Sequence[Pair],
    preferences: Sequence[Preference],
    slices: Mapping[str, Mask] | None = None,
    *,
    bootstrap: Bootstrap = DEFAULT,
) -> PairEvaluation:
    """Hold a judge's preferences against the labels of pairs; every interval resamples whole groups.

    Args:
        preferences: one for each pair, in order.
        slices: parts to look at apart, each a mask of shape (pairs,).

    Raises:
        InputError: the preferences are not as many as the pairs, or a mask is not as long.
    """
    sheet = _Sheet.of(pairs, preferences, bootstrap)
    votes = [preference.votes for preference in preferences]
    orders = by_order(votes)
    ab, ba = orders.T
    right, right_ab, right_ba = sheet.hits(sheet.said), sheet.hits(ab), sheet.hits(ba)
    stated = _stated(sheet, preferences)
    ece, by_chance = _ece(sheet, right, stated)
    labels = Counter(pair.label for pair in pairs)
    return PairEvaluation(
        pairs=len(pairs),
        labelled=labels["a"] + labels["b"],
        tie_labels=labels["tie"],
        unlabelled=labels[None],
        unscored=int(np.isnan(sheet.said).sum()),
        reasons=dict(Counter(p.error for p in preferences if p.error).most_common()),
        accuracy=sheet.share("accuracy", right, LABELLED),
        unscored_share=sheet.share("unscored_share", np.isnan(sheet.said) * 1.0, "there are no pairs"),
        accuracy_ab=sheet.share("accuracy_ab", right_ab, "no labelled pair has votes in the order a, b"),
        accuracy_ba=sheet.share("accuracy_ba", right_ba, "no labelled pair has votes in the order b, a"),
        accuracy_both=sheet.share(
            "accuracy_both", _where_known(right_ab, right_ba, (right_ab == 1) & (right_ba == 1)), ORDERS
        ),
        agreement=sheet.share("agreement", _where_known(ab, ba, ab == ba), ORDERS),
        kappa=sheet.kappa(ab, ba),
        first_shown=sheet.share("first_shown", (ab + 1 - ba) / 2, ORDERS),
        by_votes=_by_votes(sheet, votes),
        by_margin=_by_margin(sheet, right, preferences),
        by_probability=_bins(sheet, "by_probability", right, stated, SURE),
        ece=ece,
        ece_by_chance=by_chance,
        slices={name: sheet.slice(name, right, mask) for name, mask in (slices or {}).items()},
        missing=sheet.missing,
    )


def paired(
    pairs: Sequence[Pair],
    one: Sequence[Preference],
    two: Sequence[Preference],
    *,
    bootstrap: Bootstrap = DEFAULT,
) -> PairedTest:
    """Compare two judges on the labelled pairs that both gave a verdict on.

    Raises:
        InputError: the preferences of a judge are not as many as the pairs.
    """
    first, second = _Sheet.of(pairs, one, bootstrap), _Sheet.of(pairs, two, bootstrap)
    gain = second.hits(second.said) - first.hits(first.said)
    both = ~np.isnan(gain)
    labelled = sum(pair.label in ("a", "b") for pair in pairs)
    counts = int(both.sum()), int(labelled - both.sum())
    difference = first.share("difference", gain, LABELLED, least=-1.0)
    p = sign_flip_test(gain[both], first.clusters[both]).p if difference else None
    return PairedTest(difference, p, *counts)


@dataclass
class _Sheet:
    """The pairs as columns: ``truth`` and ``said`` are points for a (1, 1/2 for a tie, 0; NaN for neither)."""

    clusters: NDArray[np.int64]
    truth: Array
    said: Array
    bootstrap: Bootstrap
    missing: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, pairs: Sequence[Pair], preferences: Sequence[Preference], bootstrap: Bootstrap) -> Self:
        if len(pairs) != len(preferences):
            raise InputError(f"{len(pairs)} pairs, but {len(preferences)} preferences")
        truth = np.array([POINTS[pair.label] for pair in pairs], dtype=float)
        said = np.array([POINTS[preference.winner] for preference in preferences], dtype=float)
        return cls(number(pair.cluster for pair in pairs), truth, said, bootstrap)

    def hits(self, points: Array) -> Array:
        """Return 1 where points for a are right, 0 where wrong, 1/2 for a tie; NaN without a verdict or a label."""
        return np.where(self.truth == 0.5, math.nan, np.where(self.truth == 1, points, self.truth + 1 - points))

    def share(
        self, name: str, hits: Array, why: str, least: float = 0.0, weights: Array | None = None
    ) -> Estimate | None:
        """Estimate the mean of the hits that are not NaN, or note why not."""
        asked = ~np.isnan(hits)
        clusters = self._clusters(name, asked, why)
        if clusters is None:
            return None
        heavy = None if weights is None else weights[asked]
        return self.bootstrap.share(hits[asked], clusters, heavy, least)

    def statistic(self, name: str, asked: Mask, why: str, columns: Array, of: Statistic) -> Estimate | None:
        """Estimate a statistic of the sums of columns, one row for each pair that was asked, or note why not."""
        clusters = self._clusters(name, asked, why)
        if clusters is None:
            return None
        return self.bootstrap.of_sums(columns, of, clusters)

    def slice(self, name: str, right: Array, mask: Mask) -> Part:
        """Estimate the accuracy in a part of the pairs."""
        if mask.shape != right.shape:
            raise InputError(f"the slice {name!r} has the shape {mask.shape}, but there are {len(right)} pairs")
        there = np.where(mask, right, math.nan)
        counts = int((~np.isnan(there)).sum()), int(np.isnan(self.said[mask]).sum())
        return Part(self.share(f"slices {name}", there, LABELLED), *counts)

    def kappa(self, ab: Array, ba: Array) -> Estimate | None:
        """Estimate Cohen's kappa of the two orders over a, b and tie."""
        asked = ~np.isnan(ab + ba)
        cells = (6 * ab[asked] + 2 * ba[asked]).astype(np.int64)
        if len(cells) and np.ptp(cells) == 0:
            self.missing["kappa"] = "all pairs have the same verdicts; it needs some that differ"
            return None
        columns = np.eye(9)[cells]
        found = self.statistic("kappa", asked, ORDERS, columns, _kappa)
        if found is None or found.value < 1:
            return found
        chance = _chance(columns.sum(0)[None])[0]
        low = max(-1.0, 1 - self.bootstrap.unseen(found.clusters) / (1 - chance))
        return replace(found, low=low, method="Clopper-Pearson")

    def _clusters(self, name: str, asked: Mask, why: str) -> NDArray[np.int64] | None:
        """Return the groups of the pairs that were asked; None, and a note why, where they are too few."""
        clusters = self.clusters[asked]
        if len(clusters) and np.ptp(clusters):
            return clusters
        self.missing[name] = "all pairs are of one group; an interval needs two" if len(clusters) else why
        return None


def _where_known(one: Array, two: Array, hit: Mask) -> Array:
    return np.where(np.isnan(one + two), math.nan, hit)


def _chance(cells: Array) -> Array:
    """Return the agreement by chance in tables of shape (any, 9)."""
    tables = cells.reshape(-1, 3, 3)
    return np.asarray((tables.sum(1) * tables.sum(2)).sum(1) / cells.sum(1) ** 2)


def _kappa(cells: Array) -> Array:
    """Return (agreement - chance) / (1 - chance); 0 in a draw where every verdict is the same, which shows nothing."""
    chance = _chance(cells)
    agreement = cells[:, [0, 4, 8]].sum(1) / cells.sum(1)
    certain = chance > 1 - 1e-12
    return np.where(certain, 0.0, (agreement - chance) / np.where(certain, 1.0, 1 - chance))


def _by_votes(sheet: _Sheet, votes: Sequence[Votes]) -> dict[int, Estimate | None]:
    """Return the accuracy of a majority of fewer votes: the mean over all subsets of those that there are."""
    asked = np.array([bool(pair) for pair in votes], dtype=bool)
    found = {}
    for size, (points, read) in curve([pair for pair in votes if pair]).items():
        said, weight = np.full((2, len(votes)), math.nan)
        said[asked], weight[asked] = np.where(read > 1e-12, points / np.maximum(read, 1e-12), math.nan), read
        right = np.clip(np.round(sheet.hits(said), 12), 0, 1)
        found[size] = sheet.share(f"by_votes {size}", right, LABELLED, weights=weight)
    return found


def _by_margin(sheet: _Sheet, right: Array, preferences: Sequence[Preference]) -> tuple[Bin, ...]:
    """Return accuracy by |score of a - score of b|: each value apart where there are few, else in quarters."""
    margin = np.array([_margin(*preference.scores) for preference in preferences], dtype=float)
    known = margin[~np.isnan(margin + right)]
    values = np.unique(np.round(known, 9))
    edges = (values[1:] + values[:-1]) / 2 if len(values) <= 6 else np.unique(np.quantile(known, [0.25, 0.5, 0.75]))
    return _bins(sheet, "by_margin", right, margin, edges)


def _margin(a: float | None, b: float | None) -> float:
    return math.nan if a is None or b is None else abs(a - b)


def _stated(sheet: _Sheet, preferences: Sequence[Preference]) -> Array:
    """Return the probability that the judge gives its winner, one half for a tie; NaN where it gives none."""
    p = np.array([math.nan if it.probability is None else it.probability for it in preferences], dtype=float)
    return np.where(sheet.said == 0.5, 0.5 + 0 * p, np.where(sheet.said == 1, p, 1 - p))


def _ece(sheet: _Sheet, right: Array, stated: Array) -> tuple[Estimate | None, float | None]:
    """Return the expected calibration error, and what of it is chance."""
    asked = ~np.isnan(stated + right)
    hit, sure = right[asked], stated[asked]
    place = np.searchsorted(SURE, sure, side="right")
    columns = np.zeros((len(sure), len(SURE) + 2))
    columns[np.arange(len(sure)), place] = hit - sure
    columns[:, -1] = 1
    ece = sheet.statistic("ece", asked, "no labelled pair has a verdict with a probability", columns, _distance)
    return ece, _noise(sure, hit == 0.5, place, np.random.default_rng(sheet.bootstrap.seed)) if ece else None


def _distance(sums: Array) -> Array:
    return np.asarray(np.abs(sums[:, :-1]).sum(1) / sums[:, -1])


def _noise(sure: Array, tie: Mask, place: NDArray[np.int64], rng: np.random.Generator) -> float:
    """Return the mean calibration error of a judge that is right exactly as often as it says."""
    total = 0.0
    for _ in range(NOISE_DRAWS):
        miss = np.where(tie, 0.0, (rng.random(len(sure)) < sure) - sure)
        total += float(np.abs(np.bincount(place, miss, len(SURE) + 1)).sum())
    return total / NOISE_DRAWS / len(sure)


def _bins(sheet: _Sheet, name: str, right: Array, stated: Array, edges: Array) -> tuple[Bin, ...]:
    asked = ~np.isnan(stated + right)
    place = np.searchsorted(edges, stated, side="right")
    bins = []
    for i in range(len(edges) + 1):
        part = asked & (place == i)
        if part.any():
            low, high, mean = (float(f(stated[part])) for f in (np.min, np.max, np.mean))
            accuracy = sheet.share(f"{name} {low:.3g}", np.where(part, right, math.nan), LABELLED)
            bins.append(Bin(low, high, mean, accuracy, int(part.sum())))
    return tuple(bins)
