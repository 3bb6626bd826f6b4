"""Many tests at once: adjusted p values, and the stars of a table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np

from judgekit.errors import InputError

STARS = (0.001, 0.01, 0.05)


def adjust_pvalues(pvalues: Sequence[float | None], method: Literal["bh", "by", "holm"] = "bh") -> list[float | None]:
    """Return p values adjusted for their number.

    ``bh`` bounds the share of false finds among the finds where the tests are independent or rise together (Benjamini
    & Hochberg 1995, JRSS-B 57:289), ``by`` whatever their dependence (Benjamini & Yekutieli 2001, Ann. Stat. 29:1165),
    ``holm`` the chance of any false find (Holm 1979, Scand. J. Stat. 6:65). With p sorted upwards, m of them, rank i:
    bh is the running minimum from above of p m / i, by that times 1 + 1/2 + ... + 1/m, holm the running maximum from
    below of p (m + 1 - i).

    Args:
        pvalues: a test that could not be made is None (or NaN): it stays None and does not count.

    Raises:
        InputError: a p value outside of [0, 1], or an unknown method.
    """
    known = [i for i, p in enumerate(pvalues) if p is not None and not math.isnan(p)]
    p = np.array([pvalues[i] for i in known], dtype=float)
    if ((p < 0) | (p > 1)).any():
        raise InputError(f"p values lie between 0 and 1, not {p[(p < 0) | (p > 1)][0]:g}")
    order = np.argsort(p, kind="stable")
    m, rank = len(p), np.arange(1, len(p) + 1)
    if method == "holm":
        sorted_ = np.maximum.accumulate(p[order] * (m + 1 - rank))
    elif method in ("bh", "by"):
        factor = float((1 / rank).sum()) if method == "by" else 1.0
        sorted_ = np.minimum.accumulate((p[order] * factor * m / rank)[::-1])[::-1]
    else:
        raise InputError(f"method {method!r}; known: bh, by, holm")
    found: list[float | None] = [None] * len(pvalues)
    for place, value in zip(order, np.minimum(sorted_, 1), strict=True):
        found[known[place]] = float(value)
    return found


def stars(p: float | None) -> str:
    """Return ``***`` below .001, ``**`` below .01, ``*`` below .05, else nothing."""
    return "" if p is None else "*" * sum(p < level for level in STARS)
