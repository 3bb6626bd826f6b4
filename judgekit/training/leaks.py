"""What test pairs have in common with training pairs: prompts that are nearly the same, responses that are the same."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from judgekit.errors import InputError
from judgekit.types import Pair, prompt_text

Hashes = NDArray[np.uint64]
GRAM = 5  # characters in a shingle
COMMON = 0.1, 20  # a shingle in more than this share of the prompts, and in more than so many, is a template's
BUCKETS = 24  # bits; the table that counts shingles has 2^24 places, 64 MiB
BASE, MIX = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9)  # odd, bits well spread (splitmix64)


class Leak(NamedTuple):
    """A test pair whose prompt is found among the training prompts, and one of those."""

    train: str
    test: str
    similarity: float


def leaks(train: Sequence[Pair], test: Sequence[Pair], threshold: float = 0.8) -> list[Leak]:
    """Return the test pairs whose prompt is nearly one of the training prompts, in the order of the test pairs.

    Prompts are compared without case, punctuation and spacing (NFKC). Their similarity is the Jaccard index of their
    sets of 5-character shingles (64-bit hashes); equal texts have 1. Shingles that stand in more than a tenth of all
    different prompts, and in more than 20, do not count: they belong to a template or to the language, and sharing that
    is no leak. (They are counted in 2^24 places, so that one shingle in some ten thousand may be dropped for another's
    sake.)

    Nothing is left to chance beyond that: every test pair with a similarity of ``threshold`` or more is found. The
    training pair named with it is one that reaches the threshold, often but not always the nearest. Two sets with that
    Jaccard index must share some of the ``n - ceil(threshold n) + 1`` rarest shingles of each (prefix filter:
    Chaudhuri et al. 2006; Bayardo et al. 2007); only sets that do are compared. Memory: some 12 bytes for each of
    these shingles of the training prompts, that is 2 to 3 bytes a character at .8, and 64 MiB.

    Raises:
        InputError: a threshold outside (0, 1].
    """
    if not 0 < threshold <= 1:
        raise InputError(f"the threshold is a similarity above 0 and up to 1, not {threshold}")
    known = _first_ids((normalised(prompt_text(pair.comparison.prompt)), pair.id) for pair in train)
    asked = [(normalised(prompt_text(pair.comparison.prompt)), pair.id) for pair in test]
    index = _Index(list(known), {text for text, _ in asked} - known.keys(), threshold)
    found = []
    for text, name in asked:
        near, similarity = (text, 1.0) if text in known else index.near(text)
        if near is not None:
            found.append(Leak(known[near], name, similarity))
    return found


def shared_responses(train: Sequence[Pair], test: Sequence[Pair]) -> list[tuple[str, str]]:
    """Return ``(train id, test id)`` for each test pair with a response that stands in a training pair, word for word.

    Case, punctuation and spacing do not count. The training pair is the first that has it.
    """
    known = _first_ids((normalised(text), pair.id) for pair in train for text in _responses(pair))
    found = []
    for pair in test:
        hit = next((known[text] for text in map(normalised, _responses(pair)) if text in known), None)
        if hit is not None:
            found.append((hit, pair.id))
    return found


def normalised(text: str) -> str:
    """Return the letters, marks and digits of a text, without case (NFKC); a text that has none stays."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return plain.translate(_KEPT) or plain


class _Kept(dict[int, int | None]):
    """A table for ``str.translate`` that fills itself: letters, marks and digits stay, all else goes."""

    def __missing__(self, code: int) -> int | None:
        self[code] = code if unicodedata.category(chr(code))[0] in "LMN" else None
        return self[code]


_KEPT = _Kept()


def _responses(pair: Pair) -> tuple[str, str]:
    return pair.comparison.a, pair.comparison.b


def _first_ids(named: Iterable[tuple[str, str]]) -> dict[str, str]:
    first: dict[str, str] = {}
    for text, name in named:
        first.setdefault(text, name)
    return first


class _Index:
    """The rarest shingles of the training prompts, sorted, with the prompts that hold them."""

    def __init__(self, train: Sequence[str], test: Iterable[str], threshold: float) -> None:
        self._train, self._threshold = train, threshold
        self._counts = np.zeros(1 << BUCKETS, np.int32)
        texts = [*train, *test]
        for text in texts:
            np.add.at(self._counts, _bucket(shingles(text)), 1)
        self._most = max(COMMON[0] * len(texts), COMMON[1])
        self._set = lru_cache(maxsize=4096)(lambda i: self._counting(train[i]))
        sets = [self._rarest_first(text) for text in train]
        self._sizes = np.array([size for _, size in sets], np.int64)
        hashes = np.concatenate([np.zeros(0, np.uint64), *(prefix for prefix, _ in sets)])
        owners = np.repeat(np.arange(len(train), dtype=np.int32), [len(prefix) for prefix, _ in sets])
        order = np.argsort(hashes, kind="stable")
        self._hashes, self._owners = hashes[order], owners[order]

    @lru_cache(maxsize=4096)  # noqa: B019 - test prompts repeat, and the index does not outlive the search
    def near(self, text: str) -> tuple[str | None, float]:
        """Return a training prompt that reaches the threshold, if there is one, and its similarity to the text."""
        prefix, size = self._rarest_first(text)
        own = self._counting(text)
        for i in self._candidates(prefix, size):
            both = len(np.intersect1d(own, self._set(int(i)), assume_unique=True))
            similarity = both / (size + int(self._sizes[i]) - both)
            if similarity >= self._threshold - 1e-12:
                return self._train[i], similarity
        return None, 0.0

    def _candidates(self, prefix: Hashes, size: int) -> NDArray[np.int64]:
        """Return the prompts that can reach the threshold, those with most of the prefix first.

        With J >= t the sets share at least ``t / (1 + t) (n + m)`` shingles. Of these, all but the ones in both
        prefixes stand behind one of the prefixes, where there is room for ``ceil(t max(n, m)) - 1``.
        """
        starts, ends = (np.searchsorted(self._hashes, prefix, side) for side in ("left", "right"))
        owners = [self._owners[start:end] for start, end in zip(starts, ends, strict=True) if end > start]
        if not owners:
            return np.zeros(0, np.int64)
        shared = np.bincount(np.concatenate(owners), minlength=len(self._train))
        t = self._threshold
        needed = t / (1 + t) * (size + self._sizes) - np.ceil(t * np.maximum(size, self._sizes) - 1e-9) + 1
        found = np.flatnonzero(shared >= np.maximum(needed - 1e-9, 1))
        return found[np.argsort(-shared[found], kind="stable")]

    def _counting(self, text: str) -> Hashes:
        """Return the shingles of a text that count, ascending."""
        all_ = shingles(text)
        return all_[self._counts[_bucket(all_)] <= self._most]

    def _rarest_first(self, text: str) -> tuple[Hashes, int]:
        """Return the prefix of a text's shingles, the rarest first, and how many count at all."""
        counting = self._counting(text)
        size = len(counting)
        order = np.argsort(self._counts[_bucket(counting)], kind="stable")  # equal counts: by hash, alike in all texts
        return counting[order[: size - math.ceil(self._threshold * size - 1e-9) + 1]], size


def shingles(text: str) -> Hashes:
    """Return the hashes of a text's 5-character shingles, ascending, each once; a shorter text is one shingle."""
    codes = np.frombuffer(text.ljust(GRAM, "\0").encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)
    last = len(codes) - GRAM + 1
    hashes: Hashes = codes[:last]
    for i in range(1, GRAM):
        hashes = hashes * BASE + codes[i : last + i]  # modulo 2^64
    hashes = (hashes ^ (hashes >> np.uint64(30))) * MIX
    return np.unique(hashes ^ (hashes >> np.uint64(27)))


def _bucket(hashes: Hashes) -> NDArray[np.int64]:
    return (hashes >> np.uint64(64 - BUCKETS)).astype(np.int64)
