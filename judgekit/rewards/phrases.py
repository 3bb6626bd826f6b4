"""How rollouts begin, and the phrases that they share: what a policy takes up when a judge falls for it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from judgekit.rewards.statistics import Groups

OPENER, GRAM = 2, 4  # words
RARE = 0.05  # share of rollouts; what fewer have is not told apart from what none has
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


def opener_shares(words: Sequence[Sequence[str]], groups: Groups) -> Shares:
    """Return how many begin with the same two words (`outside` of the group where most do); 5 % at least."""
    openers = [" ".join(some[:OPENER]) for some in words]
    names = {opener: k for k, opener in enumerate(dict.fromkeys(openers))}
    of, sizes = _group_of(groups, len(words))
    shares = outside(np.array([names[opener] for opener in openers], dtype=np.int64), of, sizes)
    return _common((name, float(shares[k])) for name, k in names.items() if name)


def phrase_shares(words: Sequence[Sequence[str]], groups: Groups) -> tuple[Shares, float | None]:
    """Return how many rollouts hold the same four words, as `opener_shares`, and how much rollouts repeat themselves.

    The latter is the share of a rollout's 4-grams that stood in it before, 1 - distinct-4 (Li et al. 2016), its mean
    over the rollouts that have any; None where none has.
    """
    grams, bits = [_grams(some) for some in words], np.uint64(len(words).bit_length())
    owned = np.array([len(some) for some in grams])
    if not owned.any():
        return {}, None
    texts = np.repeat(np.arange(len(words), dtype=np.uint64), owned)
    pairs = _unique(np.sort((np.concatenate(grams) << bits) | texts))
    of = (pairs & ((np.uint64(1) << bits) - np.uint64(1))).astype(np.int64)
    distinct = np.bincount(of, minlength=len(words))
    found = _often(pairs >> bits, of, groups, len(words))
    shares = ((_text(words[i], grams[i], gram, bits), share) for gram, i, share in found if share >= RARE)
    return _common(shares), float(np.mean(1 - distinct[owned > 0] / owned[owned > 0]))


def _grams(words: Sequence[str]) -> Hashes:
    """Return a hash of each 4 words in a row, another one in each process: it never leaves it."""
    hashes = np.fromiter(map(hash, words), np.int64, len(words)).view(np.uint64)
    count = max(len(words) - GRAM + 1, 0)
    grams = hashes[:count].copy()
    for k in range(1, GRAM):
        grams *= PRIME
        grams += hashes[k : k + count]
    return grams


def _unique(ordered: Hashes) -> Hashes:
    return ordered[np.flatnonzero(np.diff(ordered, prepend=ordered[:1] ^ np.uint64(1)))]


def _often(grams: Hashes, of: NDArray[np.int64], groups: Groups, n: int) -> Iterable[tuple[np.uint64, int, float]]:
    """Yield the n-grams that several rollouts hold, one of these, and the share of them that do.

    Args:
        grams: in order, each as often as there are rollouts that hold it; ``of``: the rollouts.
    """
    starts = np.flatnonzero(np.diff(grams, prepend=grams[:1] ^ np.uint64(1)))
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


def _text(words: Sequence[str], grams: Hashes, gram: np.uint64, bits: np.uint64) -> str:
    place = int(np.flatnonzero((grams << bits) >> bits == gram)[0])
    return " ".join(words[place : place + GRAM])


def _common(shares: Iterable[tuple[str, float]]) -> Shares:
    """Return the most frequent, which are not rare."""
    ordered = sorted(((name, share) for name, share in shares if share >= RARE), key=lambda it: (-it[1], it[0]))
    return dict(ordered[:MOST])


def _group_of(groups: Groups, count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    of = np.zeros(count, dtype=np.int64)
    for k, places in enumerate(groups):
        of[list(places)] = k
    return of, np.array([len(places) for places in groups])
