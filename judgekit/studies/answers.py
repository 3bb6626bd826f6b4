"""Four questions about each criterion, answered by the figures: may the judge stand in for people, and for what?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from judgekit.calibration import AltTest, Equivalence, Estimate
from judgekit.studies.analysis import Analysis
from judgekit.studies.criterion import Criterion
from judgekit.studies.unknown import Unknown
from judgekit.studies.words import shown, told

Answer = Literal["yes", "with its map", "no", "open", "not estimable"]
BEHIND = 0.1  # of a correlation: so much behind one person a judge may be and still rank as people do
QUESTIONS = {
    "replaceable": "Replaceable?",
    "rank": "Rank-safe?",
    "level": "Level-safe?",
    "reward": "RL-safe?",
}


@dataclass(frozen=True)
class Light:
    """One answer.

    Attributes:
        answer: ``with its map``: not as the scores are, but as the profile serves them; ``open``: too few data to say.
        sentence: what the figures say.
    """

    answer: Answer
    sentence: str


def lights(analysis: Analysis, it: Criterion) -> dict[str, Light]:
    """Answer the four `QUESTIONS` for one criterion."""
    return {
        "replaceable": _replaceable(it, analysis.study.epsilon),
        "rank": _rank(it),
        "level": _level(it),
        "reward": _reward(it),
    }


def _replaceable(it: Criterion, epsilon: float) -> Light:
    """Yes: the alt-test is passed, and not merely as a score that is the same for every item would pass it."""
    raw = it.alternative
    after: AltTest | Unknown = it.served if isinstance(it.served, Unknown) else it.served.alternative
    if isinstance(raw, Unknown) and isinstance(after, Unknown):
        return Light("not estimable", f"The alt-test cannot be run: {raw.reason}.")
    parts = []
    if not isinstance(raw, Unknown):
        parts.append(f"as it is, the judge {_won(raw)} (alt-test, epsilon {epsilon:g})")
    if not isinstance(after, Unknown):
        parts.append(f"with its map, on groups that the map did not see and in steps of the scale, it {_won(after)}")
    if not isinstance(it.constant, Unknown):
        parts.append(f"one score for every item, the best, {_won(it.constant)}")
    if _better(raw, it.constant):
        answer: Answer = "yes"
    elif _better(after, it.constant):
        answer = "with its map"
    else:
        answer = "open" if any(not isinstance(test, Unknown) and test.passed for test in (raw, after)) else "no"
        if answer == "open":
            parts.append("so passing it says nothing for this judge")
    words = "; ".join(parts)
    return Light(answer, f"{words[0].upper()}{words[1:]}.")


def _better(test: AltTest | Unknown, constant: AltTest | Unknown) -> bool:
    """Return whether the test is passed; where a constant passes it too, surely better than by that."""
    if isinstance(test, Unknown) or not test.passed:
        return False
    if isinstance(constant, Unknown) or not constant.passed:
        return True
    return test.advantage.low is not None and test.advantage.low > constant.advantage.value


def _won(test: AltTest) -> str:
    won, of = sum(one.won for one in test.annotators), len(test.annotators)
    return f"takes the place of {won} of {of} raters, as near to the others as they are in {_share(test)}"


def _share(test: AltTest) -> str:
    found = test.advantage
    ends = "" if found.low is None or found.high is None else f" [{100 * found.low:.0f}, {100 * found.high:.0f}]"
    return f"{100 * found.value:.0f} %{ends} of cases"


def _rank(it: Criterion) -> Light:
    """Yes: rho is above 0 where it matters, and at most `BEHIND` below that of one person; no: surely not."""
    level, found = ranking(it)
    if isinstance(found, Unknown):
        return Light("not estimable", f"The judge's ranks cannot be held against people's: {found.reason}.")
    words = f"Rho {level} is {told(found)}"
    if isinstance(it.ceiling, Unknown):
        answer: Answer = "no" if found.high is not None and found.high <= 0 else "open"
        return Light(answer, f"{words}; what one person would reach is not known: {it.ceiling.reason}.")
    behind = it.ceiling.difference
    words += (
        f"; against the same other raters, there too, the judge has {told(it.ceiling.judge)}, one person "
        f"{told(it.ceiling.human)}, a difference of {told(behind)}"
    )
    return Light(_ranks(found, behind), f"{words}.")


def _ranks(found: Estimate, behind: Estimate) -> Answer:
    if found.low is None or found.high is None or behind.low is None or behind.high is None:
        return "open"
    if found.low > 0 and behind.low >= -BEHIND:
        return "yes"
    return "no" if found.high <= 0 or behind.high < -BEHIND else "open"


def _level(it: Criterion) -> Light:
    after: Equivalence | Unknown = it.served if isinstance(it.served, Unknown) else it.served.level
    if isinstance(it.level, Unknown) and isinstance(after, Unknown):
        return Light("not estimable", f"The judge's level cannot be held against people's: {it.level.reason}.")
    parts = [
        f"{when} the mean is off by {told(found.difference)}"
        for when, found in (("as it is,", it.level), ("with its map", after))
        if not isinstance(found, Unknown)
    ]
    margin = next(found.high for found in (it.level, after) if not isinstance(found, Unknown))
    words = f"{'; '.join(parts)} points (90 % intervals; up to {shown(margin)} counts as right)."
    return Light(_levels(it.level, after), words[0].upper() + words[1:])


def _levels(raw: Equivalence | Unknown, after: Equivalence | Unknown) -> Answer:
    found = [None if isinstance(one, Unknown) else one.verdict for one in (raw, after)]
    if found[0] == "inside":
        return "yes"
    if found[1] == "inside":
        return "with its map"
    return "no" if "outside" in found and "undecided" not in found else "open"


def _reward(it: Criterion) -> Light:
    """Yes: length surely does not pay, and the ranks that a reward lives on are surely more than nothing."""
    if isinstance(it.length, Unknown):
        return Light("not estimable", f"Whether length pays is not known: {it.length.reason}.")
    finding = it.length
    level, ranks = ranking(it)
    words = (
        f"Twice the length at the same quality moves the judge by {told(finding.points)} points, "
        f"{told(finding.effect)} standardised (up to {finding.band:g} counts as none)"
    )
    answers: dict[str | None, Answer] = {"innocent": "yes", "biased": "no"}
    answer = answers.get(finding.verdict, "open")
    if isinstance(ranks, Unknown):
        return Light("no" if answer == "no" else "open", f"{words}; and its ranks are not known: {ranks.reason}.")
    if ranks.high is not None and ranks.high <= 0:
        return Light("no", f"{words}; and {level} its rho is {told(ranks)}.")
    if answer == "yes" and (ranks.low is None or ranks.low <= 0):
        return Light("open", f"{words}; but {level} its rho, {told(ranks)}, may be nothing.")
    return Light(answer, f"{words}.")


def ranking(it: Criterion) -> tuple[str, Estimate | Unknown]:
    """Return the correlation that rewards live on: within groups, or over items where no item shares its group."""
    if isinstance(it.within_group, Unknown) and not it.grouped:
        return "over items", it.item
    return "within groups", it.within_group
