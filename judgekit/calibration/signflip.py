"""The sign-flip test: could these differences as well have had the other sign?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from judgekit.calibration.estimate import Array, Clusters, NotEstimableError, number, one_of
from judgekit.errors import InputError

Ints = NDArray[np.int64]
Method = Literal["auto", "exact", "saddlepoint", "monte_carlo"]
FEW = 30  # clusters up to which all 2 ** clusters signs are tried
ADDITIONS = 1 << 29  # that a distribution on a lattice may take
COSTLY = 32  # what a point of a characteristic function costs, in additions
HEAVY = 0.25  # of the sum of squares: the share of a cluster that the saddlepoint cannot smooth over
CELLS = 1 << 22  # numbers held at a time: bounds memory, changes nothing in the result


@dataclass(frozen=True, slots=True)
class SignFlip:
    """What the sign-flip test says.

    Attributes:
        p: two-sided, of "the mean difference is 0".
        statistic: the mean difference.
        method: how p was computed.
        n: how many differences; ``clusters``: in how many groups that were flipped whole.
    """

    p: float
    statistic: float
    method: str
    n: int
    clusters: int


def sign_flip_test(
    differences: ArrayLike,
    clusters: Clusters | None = None,
    method: Method = "auto",
    *,
    draws: int = 9999,
    seed: int = 0,
) -> SignFlip:
    """Test "the mean difference is 0" by flipping the signs of whole clusters; two-sided.

    If neither of two judges is better, a cluster's sum of differences is as likely to have the other sign (Fisher 1935,
    The Design of Experiments, section 21): p is the share of all combinations of signs whose sum is as far from 0.

    ``exact`` is that share itself. At most 30 clusters are enumerated, as the sums of two halves (Horowitz & Sahni
    1974, J. ACM 21:277). If all cluster sums are multiples of one step, their distribution is added up on that lattice,
    or for very many of them taken from its characteristic function by one inverse FFT. ``saddlepoint`` is the formula
    of Lugannani & Rice (1980, Adv. Appl. Prob. 12:475), here as in Robinson (1982, JRSS-B 44:91), for sums without a
    step; the signs of single clusters that outweigh the others are tried. ``monte_carlo`` draws signs: p = (1 + as
    extreme) / (1 + draws) (Phipson & Smyth 2010, Stat. Appl. Genet. Mol. Biol. 9:39). ``auto`` is exact where that can
    be, else the saddlepoint; the result says which.

    Args:
        differences: shape (items,), finite; clusters: the group of each; without it every item is its own.
        draws, seed: of ``monte_carlo``.

    Raises:
        InputError: no items, a difference that is not finite, not a cluster for each item, an unknown method.
        NotEstimableError: exact was asked for, but there are more than 30 clusters and no step that serves.
    """
    one_of("method", method, get_args(Method))
    values = np.asarray(differences, dtype=float)
    names = np.arange(len(values)) if clusters is None else clusters
    if values.ndim != 1 or not len(values) or len(values) != len(names) or not np.isfinite(values).all():
        raise InputError(f"the test needs finite differences with a cluster each, not {values.shape} and {len(names)}")
    if draws < 1:
        raise InputError(f"{draws} draws: ask for at least 1")
    found = np.bincount(number(names), values)
    sizes = np.abs(found)
    sizes = np.sort(sizes[sizes > 1e-12 * sizes.max()])
    observed = abs(float(found.sum())) - 1e-9 * float(sizes.sum())  # what rounding may take from an equal sum
    if observed <= 0:
        p, how = 1.0, "exact, no difference"
    else:
        p, how = _tail(sizes, observed, method, draws, np.random.default_rng(seed))
    return SignFlip(p, float(values.mean()), how, len(values), len(found))


def _tail(sizes: Array, observed: float, method: Method, draws: int, rng: np.random.Generator) -> tuple[float, str]:
    """Return the chance that the sum of the sizes under random signs is ``observed`` from 0, and how it was found."""
    if method == "monte_carlo":
        return _drawn(sizes, observed, draws, rng), f"Monte Carlo, {draws} draws"
    if method in ("auto", "exact"):
        k = len(sizes)
        if (steps := lattice(sizes, k << k // 2 if k <= FEW else ADDITIONS)) is not None:
            return _on_lattice(steps, observed * steps.sum() / sizes.sum()), "exact, on a lattice"
        if k <= FEW:
            return _enumerated(sizes, observed), "exact, all signs"
        if method == "exact":
            raise NotEstimableError(
                f"{len(sizes)} clusters are too many to try all signs, and their sums have no step in common that "
                "serves; ask for saddlepoint or monte_carlo"
            )
    return min(1.0, 2 * _beyond(sizes, observed)), "saddlepoint"


def _enumerated(sizes: Array, observed: float) -> float:
    """Return the share of all signs: the sums of one half of the sizes, each with those of the other that suffice."""
    one, two = _all_sums(sizes[::2]), np.sort(_all_sums(sizes[1::2]))
    enough = len(two) - np.searchsorted(two, observed - one)
    return 2 * float(enough.sum()) / (len(one) * len(two))


def _all_sums(sizes: Array) -> Array:
    sums = np.zeros(1)
    for size in sizes:
        sums = np.concatenate([sums - size, sums + size])
    return sums


def lattice(sizes: Array, most: int) -> Array | None:
    """Return sizes above 0 as whole multiples of their largest common step; None if that takes too many additions.

    Euclid's algorithm on all of them at once. Each remainder carries the rounding of the step that it is left by, as
    often as that goes; what is no larger is taken for 0.
    """
    distinct = np.unique(sizes)
    largest = float(distinct[-1])
    step, noise = float(distinct[0]), 1e-13 * largest
    while step > 4 * noise and sizes.sum() / step <= most:
        counts = np.round(distinct / step)
        fit = float(distinct @ counts / (counts @ counts))
        if np.abs(distinct - fit * counts).max() <= 1e-9 * largest:
            steps = np.round(sizes / fit)
            work = float(steps.sum()) * min(len(sizes), COSTLY * len(distinct))
            return steps if work <= most else None
        rest = np.abs(distinct - step * counts)
        noise = noise * float(counts.max()) + 1e-13 * largest
        rest = rest[rest > 2 * noise]
        step = float(rest.min()) if len(rest) else 0.0
    return None


def _on_lattice(steps: Array, observed: float) -> float:
    """Return the two-sided tail of a sum of whole numbers under random signs.

    The sum is 2 y - total, where y adds up those that keep their sign; it suffices from ``least`` on.
    """
    kinds, times = np.unique(steps.astype(np.int64), return_counts=True)
    total = int(kinds @ times)
    least = math.ceil((observed + total) / 2)
    tail = _inverted if COSTLY * len(kinds) < len(steps) else _added
    return min(1.0, 2 * tail(kinds, times, least))


def _added(kinds: Ints, times: Ints, least: int) -> float:
    """Return P(y >= least) by convolution; all terms are above 0, so that the smallest chance keeps its digits."""
    chances = np.zeros(int(kinds @ times) + 1)
    chances[0], end = 1.0, 1
    flips = np.repeat(kinds, times).tolist()
    for i, size in enumerate(flips):
        chances[size : size + end] += chances[:end]
        end += size
        if i % 512 == 511:  # halved together, before they grow too large
            chances[:end] *= 0.5**512
    return float(chances[least:].sum()) * 0.5 ** (len(flips) % 512)


def _inverted(kinds: Ints, times: Ints, least: int) -> float:
    """Return P(y >= least) by one inverse FFT.

    It is first tilted so that its mean is at ``least``: there the rounding of the FFT is small beside it.
    """
    total = int(kinds @ times)
    tilt = _saddle(kinds.astype(np.float64), min(2.0 * least - total, 0.999 * total), times)
    keep = 1 / (1 + np.exp(-2 * tilt * kinds))
    length = 1 << total.bit_length()
    turns = np.exp(-2j * np.pi / length * np.arange(length))
    frequency = np.arange(length // 2 + 1)
    shape = np.ones(len(frequency), dtype=complex)
    for size, count, q in zip(kinds.tolist(), times.tolist(), keep.tolist(), strict=True):
        shape *= (1 - q + q * turns[size * frequency & (length - 1)]) ** count
    tilted = np.maximum(np.fft.irfft(shape, length)[least : total + 1], 0)
    weight = _log_cosh(tilt * kinds.astype(np.float64)) @ times - tilt * (2.0 * np.arange(least, total + 1) - total)
    return float(tilted @ np.exp(weight))


def _beyond(sizes: Array, x: float, tries: int = 8) -> float:
    """Return P(sum >= x) by the saddlepoint, given both signs of the largest sizes where they outweigh the others."""
    if x < 0:
        return 1 - _beyond(sizes, -x, tries)
    total, square = float(sizes.sum()), float(sizes @ sizes)
    if x > total:
        return 0.0
    if tries and len(sizes) > 2 * tries and sizes[-1] ** 2 > HEAVY * square:
        rest, last = sizes[:-1], float(sizes[-1])
        return (_beyond(rest, x - last, tries - 1) + _beyond(rest, x + last, tries - 1)) / 2
    if x < 1e-4 * math.sqrt(square):  # where the formula is 0 / 0; the density at 0 is near enough the normal one
        return 0.5 - x / math.sqrt(2 * math.pi * square)
    t = _saddle(sizes, min(x, (1 - 1e-6) * total))
    w = math.sqrt(2 * (t * x - float(_log_cosh(t * sizes).sum())))
    u = t * math.sqrt(float((sizes**2 * (1 - np.tanh(t * sizes) ** 2)).sum()))
    return 0.5 * math.erfc(w / math.sqrt(2)) + math.exp(-(w**2) / 2) / math.sqrt(2 * math.pi) * (1 / u - 1 / w)


def _saddle(sizes: Array, x: float, times: Ints | float = 1.0) -> float:
    """Return the t at which the tilted mean, the sum of size * tanh(t * size), is x.

    Newton's method from the left: the mean is concave in t, so that no step goes too far.
    """
    t = x / float((sizes**2 * times).sum())
    for _ in range(200):
        slope = np.tanh(t * sizes)
        step = (x - float((times * sizes * slope).sum())) / float((times * sizes**2 * (1 - slope**2)).sum())
        t += step
        if abs(step) <= 1e-12 * t:
            break
    return t


def _log_cosh(values: Array) -> Array:
    return np.asarray(np.logaddexp(values, -values) - math.log(2))


def _drawn(sizes: Array, observed: float, draws: int, rng: np.random.Generator) -> float:
    """Return p from random signs; of n equal sizes, which are flipped together, a binomial number keeps its sign."""
    kinds, times = np.unique(sizes, return_counts=True)
    extreme, step = 0, max(1, CELLS // len(kinds))
    for start in range(0, draws, step):
        kept = rng.binomial(times, 0.5, size=(min(step, draws - start), len(times)))
        extreme += int((np.abs(((2 * kept - times) * kinds).sum(1)) >= observed).sum())
    return (1 + extreme) / (1 + draws)
