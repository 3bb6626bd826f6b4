"""What is in a file of pairs, and what training on it would trip over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from judgekit.calibration import Bootstrap, Estimate
from judgekit.types import Pair, Winner, prompt_text

LABELS: tuple[Winner | None, ...] = ("a", "b", "tie", None)


@dataclass(frozen=True)
class Description:
    """Counts of a set of pairs.

    Attributes:
        labels: a, b, tie, null -> pairs.
        empty: pairs with a blank prompt or response; ``equal``: with the same text on both sides.
        duplicates: pairs beyond the first with the same prompt and the same two texts, in either order.
        contradictions: how many such two texts have more than one verdict.
        longer_chosen: share of the pairs with a better side in which that side is the longer one (characters), with
            its interval; pairs of equal length are left out. None with fewer than two groups.
        problems: what a training would trip over, in words.
    """

    rows: int
    groups: int
    labels: dict[str, int]
    empty: int
    equal: int
    duplicates: int
    contradictions: int
    longer_chosen: Estimate | None
    problems: list[str]


def describe(pairs: Sequence[Pair], seed: int = 0) -> Description:
    """Count what is in a set of pairs; ``seed`` is that of the interval's resampling."""
    labels = Counter(pair.label for pair in pairs)
    verdicts: dict[Hashable, set[str]] = {}
    for pair in pairs:
        verdicts.setdefault(_texts(pair), set()).update(_verdict(pair))
    groups = len({pair.cluster for pair in pairs})
    counts = {
        "empty": sum(not all(map(str.strip, _parts(pair))) for pair in pairs),
        "equal": sum(pair.comparison.a == pair.comparison.b for pair in pairs),
        "duplicates": len(pairs) - len(verdicts),
        "contradictions": sum(len(told) > 1 for told in verdicts.values()),
    }
    named: dict[str, int] = {label or "null": labels[label] for label in LABELS}
    problems = _problems(named, groups, counts)
    return Description(len(pairs), groups, named, **counts, longer_chosen=_longer(pairs, seed), problems=problems)


def _problems(labels: dict[str, int], groups: int, counts: dict[str, int]) -> list[str]:
    a, b = labels["a"], labels["b"]
    one_side = f"the label is {'a' if a else 'b'!r} in all {a + b}: a judge would learn the side; shuffle the sides"
    found = {
        "no pair says which side is better": not a + b,
        one_side: a + b > 1 and not (a and b),
        "all pairs are of one group (prompt): nothing can be held out": groups == 1,
        f"{counts['empty']} with a blank prompt or response": counts["empty"],
        f"{counts['equal']} with the same text on both sides": counts["equal"],
        f"{counts['contradictions']} times the same two texts have more than one verdict": counts["contradictions"],
    }
    return [problem for problem, there in found.items() if there]


def _parts(pair: Pair) -> tuple[str, str, str]:
    return prompt_text(pair.comparison.prompt), pair.comparison.a, pair.comparison.b


def _texts(pair: Pair) -> Hashable:
    prompt, a, b = _parts(pair)
    return prompt, min(a, b), max(a, b)


def _verdict(pair: Pair) -> set[str]:
    """Return what a pair says of its two texts, whichever order they stand in; nothing without a label."""
    sides = {"a": pair.comparison.a, "b": pair.comparison.b}
    if pair.label is None or sides["a"] == sides["b"]:
        return set()
    return {f"better: {sides[pair.label]}" if pair.label in sides else "tie"}


def _longer(pairs: Sequence[Pair], seed: int) -> Estimate | None:
    hits, clusters = [], []
    for pair in pairs:
        a, b = len(pair.comparison.a), len(pair.comparison.b)
        if pair.label in ("a", "b") and a != b:
            hits.append(float((a > b) == (pair.label == "a")))
            clusters.append(pair.cluster)
    return Bootstrap(seed=seed).share(hits, clusters) if len(set(clusters)) > 1 else None
