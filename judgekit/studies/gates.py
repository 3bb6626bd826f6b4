"""What a study asks of its judge, and whether the judge reaches it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from judgekit.calibration import Estimate
from judgekit.studies.analysis import Analysis
from judgekit.studies.criterion import Criterion
from judgekit.studies.unknown import Unknown


@dataclass(frozen=True)
class Gate:
    """One demand on one criterion.

    Attributes:
        wanted: in words; ``got``: the figure that it is held against, None where there is none.
        passed: what cannot be estimated does not pass; ``reason`` says why it cannot.
    """

    criterion: str
    name: str
    wanted: str
    got: float | None
    passed: bool
    reason: str = ""


def gates(analysis: Analysis) -> tuple[Gate, ...]:
    """Return every gate that the study sets, criterion by criterion."""
    return tuple(gate for criterion in analysis.criteria.values() for gate in _of(criterion, analysis))


def _of(it: Criterion, analysis: Analysis) -> Iterator[Gate]:
    wanted = analysis.study.gates
    lows = {
        "within_group": (wanted.within_group, "correlation within groups, lower end", it.within_group),
        "item": (wanted.item, "correlation over items, lower end", it.item),
        "alpha": (wanted.alpha, "alpha with the mean human, lower end", it.alpha),
    }
    for name, (least, words, found) in lows.items():
        if least is not None:
            yield _least(it.name, name, words, least, found)
    if wanted.ceiling is not None:
        yield _ceiling(it, wanted.ceiling)
    if wanted.alt_test:
        yield _alt_test(it)
    if wanted.error is not None:
        yield _most(it.name, "error", "mean absolute error after the map, upper end", wanted.error, it.after)
    yield _most(it.name, "unscored", "share without a verdict", wanted.unscored, it.unscored, upper=False)


def _least(criterion: str, name: str, words: str, least: float, found: Estimate | Unknown) -> Gate:
    wanted = f"{words}, at least {least:g}"
    if isinstance(found, Unknown):
        return Gate(criterion, name, wanted, None, passed=False, reason=found.reason)
    if found.low is None:
        return Gate(criterion, name, wanted, None, passed=False, reason=found.note)
    return Gate(criterion, name, wanted, found.low, found.low >= least)


def _most(criterion: str, name: str, words: str, most: float, found: Estimate | Unknown, *, upper: bool = True) -> Gate:
    wanted = f"{words}, at most {most:g}"
    if isinstance(found, Unknown):
        return Gate(criterion, name, wanted, None, passed=False, reason=found.reason)
    got = found.high if upper else found.value
    if got is None:
        return Gate(criterion, name, wanted, None, passed=False, reason=found.note)
    return Gate(criterion, name, wanted, got, got <= most)


def _ceiling(it: Criterion, least: float) -> Gate:
    wanted = f"share of the human ceiling, at least {least:g}"
    if isinstance(it.ceiling, Unknown):
        return Gate(it.name, "ceiling", wanted, None, passed=False, reason=it.ceiling.reason)
    human = it.ceiling.human.value
    if human <= 0:
        return Gate(it.name, "ceiling", wanted, None, passed=False, reason="people do not agree with each other")
    share = it.ceiling.judge.value / human
    return Gate(it.name, "ceiling", wanted, share, share >= least)


def _alt_test(it: Criterion) -> Gate:
    wanted = "alt-test: a winning rate of one half or more"
    if isinstance(it.alternative, Unknown):
        return Gate(it.name, "alt_test", wanted, None, passed=False, reason=it.alternative.reason)
    return Gate(it.name, "alt_test", wanted, it.alternative.winning_rate, it.alternative.passed)
