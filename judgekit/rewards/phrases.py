"""How rollouts begin, and the phrases that they share: what a policy takes up when a judge falls for it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from judgekit.rewards.statistics import Groups, words_of

OPENER, GRAM = 2, 4  # words
RARE = 0.05  # share of rollouts; what fewer have is not told apart from what none has
READ = 256  # rollouts of a batch; a share among them is known to 3 %, and time stays bounded
MOST = 1000  # openers or phrases that are told apart
PRIME = np.uint64(0x9E3779B97F4A7C15)

Shares = dict[str, float]
Hashes = NDArray[np.uint64]


def outside(item: NDArray[Any], group: NDArray[Any], sizes: NDArray[Any]) -> NDArray[np.float64]:
    """Return the share of rollouts that have each item, left out the group in which most have it.

    What a prompt asks for stands in all responses to it; a habit of the policy stands in those to other prompts too.
    Of a single group, the share in it.

    Args:
        item, group: of each pair of an item and a rollout that has it; ``sizes``: of the groups.
    """
    shape = int(item.max(initial=-1)) + 1, len(sizes)
    counts = np.bincount(item * shape[1] + group, minlength=shape[0] * shape[1]).reshape(shape)
    if shape[1] == 1:
        return np.asarray(counts[:, 0] / sizes[0])
    top = counts.argmax(axis=1)
    return np.asarray((counts.sum(axis=1) - counts.max(axis=1)) / (sizes.sum() - sizes[top]))


class Reading:
    """What is kept of a text: its first two words, and a hash of each word, another one in every process."""

    def __init__(self, text: str) -> None:
        words = words_of(text)
        self.text, self.opener = text, " ".join(words[:OPENER])
        self.hashes = np.fromiter(map(hash, words), np.int64, len(words)).view(np.uint64)

    def __len__(self) -> int:
        return len(self.hashes)

    def grams(self) -> Hashes:
        """Return a hash of each four words in a row."""
        count = max(len(self) - GRAM + 1, 0)
        found = self.hashes[:count].copy()
        for k in range(1, GRAM):
            found *= PRIME
            found += self.hashes[k : k + count]
        return found


def opener_shares(readings: Sequence[Reading], groups: Groups) -> Shares:
    """Return how many begin with the same two words (`outside` of the group where most do); 5 % at least."""
    names = {opener: k for k, opener in enumerate(dict.fromkeys(one.opener for one in readings))}
    of, sizes = _group_of(groups, len(readings))
    shares = outside(np.array([names[one.opener] for one in readings], dtype=np.int64), of, sizes)
    return _common((name, float(shares[k])) for name, k in names.items() if name)


def phrase_shares(readings: Sequence[Reading], groups: Groups) -> tuple[Shares, float | None]:
    """Return how many rollouts hold the same four words, as `opener_shares`, and how much rollouts repeat themselves.

    The latter is the share of a rollout's 4-grams that stood in it before, 1 - distinct-4 (Li et al. 2016), its mean
    over the rollouts that have any; None where none has.
    """
    grams, bits = [one.grams() for one in readings], np.uint64(len(readings).bit_length())
    owned = np.array([len(some) for some in grams])
    if not owned.any():
        return {}, None
    keys = np.concatenate(grams) << bits
    keys |= np.repeat(np.arange(len(readings), dtype=np.uint64), owned)
    keys.sort()
    pairs = keys[_starts(keys)]
    of = (pairs & ((np.uint64(1) << bits) - np.uint64(1))).astype(np.int64)
    distinct = np.bincount(of, minlength=len(readings))
    found = _often(pairs >> bits, of, groups, len(readings))
    shares = ((_text(readings[i], grams[i], gram, bits), share) for gram, i, share in found if share >= RARE)
    return _common(shares), float(np.mean(1 - distinct[owned > 0] / owned[owned > 0]))


def _starts(ordered: Hashes) -> NDArray[np.int64]:
    """Return where a new value begins."""
    new = np.ones(len(ordered), dtype=np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=new[1:])
    return np.flatnonzero(new)


def _often(grams: Hashes, of: NDArray[np.int64], groups: Groups, n: int) -> Iterable[tuple[np.uint64, int, float]]:
    """Yield the n-grams that several rollouts hold, one of these, and the share of them that do.

    Args:
        grams: in order, each as often as there are rollouts that hold it; ``of``: the rollouts.
    """
    starts = _starts(grams)
    count = np.diff(starts, append=len(grams))
    least = max(2, math.ceil(RARE * n))
    if len(often := np.sort(count[count >= least])[::-1]) > 5 * MOST:
        least = int(often[5 * MOST])
    common = np.flatnonzero(count >= least)[: 10 * MOST]
    item = np.repeat(np.arange(len(common)), count[common])
    places = np.arange(len(item)) + np.repeat(starts[common] - np.cumsum(count[common]) + count[common], count[common])
    group, sizes = _group_of(groups, n)
    shares = outside(item, group[of[places]], sizes) if len(item) else np.zeros(0)
    return zip(grams[starts[common]], of[starts[common]].tolist(), shares.tolist(), strict=True)


def _text(reading: Reading, grams: Hashes, gram: np.uint64, bits: np.uint64) -> str:
    place = int(np.flatnonzero((grams << bits) >> bits == gram)[0])
    return " ".join(words_of(reading.text)[place : place + GRAM])


def _common(shares: Iterable[tuple[str, float]]) -> Shares:
    """Return the most frequent, which are not rare."""
    ordered = sorted(((name, share) for name, share in shares if share >= RARE), key=lambda it: (-it[1], it[0]))
    return dict(ordered[:MOST])


def sample(groups: Groups, n: int) -> tuple[list[int], list[list[int]]]:
    """Return 256 rollouts at even distances, or all where there are no more, and their groups, by place among them."""
    places = [k * n // READ for k in range(READ)] if n > READ else list(range(n))
    among = {place: k for k, place in enumerate(places)}
    kept = [[among[i] for i in group if i in among] for group in groups]
    return places, [group for group in kept if group]


def _group_of(groups: Groups, count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    of = np.zeros(count, dtype=np.int64)
    for k, places in enumerate(groups):
        of[list(places)] = k
    return of, np.array([len(places) for places in groups])
