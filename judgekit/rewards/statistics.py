"""What can be seen of a batch of rollouts without reading it: lengths and what they are paid, copies, markers."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from judgekit.rewards.normalize import FLOOR

CJK = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
EMOJI = re.compile("[\U0001f000-\U0001faff\u2600-\u27bf\u2b50\u2b55]")
MARK = re.compile(r"(#{1,6}+\s)|([-*+•]\s|\d{1,3}+[.)]\s)|(```|~~~)")
KINDS = ("headings", "bullets", "bold", "fences", "emoji", "grading")
GRADING = ("score", "rubric", "10/10")
MOST = 50  # markers of one kind in one rollout; more is not counted, so that one rollout cannot move a mean by itself

Groups = Sequence[Sequence[int]]


def words_of(text: str) -> list[str]:
    """Return what stands between spaces, in lower case; of Chinese and Japanese every character."""
    return (text if text.isascii() else CJK.sub(r" \g<0> ", text)).lower().split()


def mean(values: Sequence[float | None]) -> float | None:
    """Return the mean of the values that are known; None where none is."""
    known = [value for value in values if value is not None]
    return math.fsum(known) / len(known) if known else None


def centred(values: Sequence[float | None], groups: Groups) -> list[float | None]:
    """Return each value less the mean of those known in its group; None stays None."""
    found: list[float | None] = [None] * len(values)
    for places in groups:
        center = mean([values[i] for i in places])
        for i in places:
            found[i] = None if (value := values[i]) is None or center is None else value - center
    return found


def within_correlation(x: Sequence[float | None], y: Sequence[float | None], groups: Groups) -> float | None:
    """Return Pearson's r of x and y within groups: sum(dx dy) / sqrt(sum(dx^2) sum(dy^2)), d from the group's mean.

    It is the correlation that a policy is paid for, as advantages are differences within a group. None where x or y
    does not differ within any group (a deviation below 1e-6 is rounding).
    """
    both = [i for i in range(len(x)) if x[i] is not None and y[i] is not None]
    kept = set(both)
    groups = [[i for i in places if i in kept] for places in groups]
    dx, dy = centred(x, groups), centred(y, groups)
    xx, yy = (math.fsum((d[i] or 0.0) ** 2 for i in both) for d in (dx, dy))
    if min(xx, yy) <= FLOOR**2 * len(both):
        return None
    return math.fsum((dx[i] or 0.0) * (dy[i] or 0.0) for i in both) / math.sqrt(xx * yy)


def within_deviation(values: Sequence[float | None], groups: Groups) -> float | None:
    """Return the standard deviation within groups, pooled: sqrt(sum(d^2) / sum(size - 1)); None without two in one."""
    squares = math.fsum(d**2 for d in centred(values, groups) if d is not None)
    free = sum(max(sum(values[i] is not None for i in places) - 1, 0) for places in groups)
    return math.sqrt(squares / free) if free else None


def duplicate_share(texts: Sequence[str], groups: Groups) -> float:
    """Return the share of texts that another one of the group says before them, but for space around them."""
    distinct = sum(len({texts[i].strip() for i in places}) for places in groups)
    return 1 - distinct / len(texts)


def markers(text: str) -> dict[str, int]:
    """Count what dresses up a text, by kind: headings, bullets and numbers at the start of lines, bold spans, code
    fences, emoji, and words of grading ("score", "rubric", "10/10").
    """
    counts = dict.fromkeys(KINDS, 0)
    for line in text.splitlines():
        if found := MARK.match(line.lstrip()):
            counts[KINDS[(found.lastindex or 1) - 1 + (found.lastindex == 3)]] += 1
    counts["bold"] = text.count("**") // 2
    counts["emoji"] = 0 if text.isascii() else len(EMOJI.findall(text))
    lower = text.lower()
    counts["grading"] = sum(lower.count(word) for word in GRADING)
    return counts


def marker_means(texts: Sequence[str]) -> dict[str, float]:
    """Return the mean count of each kind of marker per text, of which no more than 50 are counted."""
    counts = [markers(text) for text in texts]
    return {kind: math.fsum(min(count[kind], MOST) for count in counts) / len(counts) for kind in KINDS}
