"""Parts of a set of pairs to look at apart, and the baseline that any judge has to beat: the longer response wins."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from judgekit.types import Comparison, Pair, Preference, Winner

Mask = NDArray[np.bool_]
CJK = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")


def word_count(text: str) -> int:
    """Return the number of words: what stands between spaces; of Chinese and Japanese every character."""
    if text.isascii():
        return len(text.split())
    spaced, characters = CJK.subn(" ", text)
    return len(spaced.split()) + characters


def longer(comparisons: Iterable[Comparison]) -> list[Preference]:
    """Prefer the response with more words, as a judge that cannot read would."""
    return [_longer(word_count(c.a) - word_count(c.b)) for c in comparisons]


def _longer(gap: int) -> Preference:
    winner: Winner = "a" if gap > 0 else "b" if gap < 0 else "tie"
    return Preference(winner, judge="longer wins")


def by_length(pairs: Sequence[Pair]) -> dict[str, Mask]:
    """Return the pairs by the gap between their word counts, in thirds, and by whether the longer side is right."""
    gap = np.array([word_count(pair.comparison.a) - word_count(pair.comparison.b) for pair in pairs])
    better = np.array([{"a": 1, "b": -1}.get(pair.label or "", 0) for pair in pairs])
    masks = {"longer side right": better * gap > 0, "longer side wrong": better * gap < 0}
    size = np.abs(gap)
    thirds = np.searchsorted(np.unique(np.quantile(size, [1 / 3, 2 / 3])), size) if len(size) else size
    for third in np.unique(thirds):
        part = thirds == third
        low, high = size[part].min(), size[part].max()
        masks[f"length gap {low}-{high} words" if low < high else f"length gap {low} words"] = part
    return masks


def by_value(name: str, values: Sequence[str]) -> dict[str, Mask]:
    """Return the pairs by the value that each has: ``name = value`` -> where."""
    of = np.array(values)
    return {f"{name} = {value}": of == value for value in sorted(set(values))}
