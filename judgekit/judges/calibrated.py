"""A judge with its profile: the same judge, its scores on the human scale."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

from judgekit.errors import ConfigError, InputError, nearest
from judgekit.judges.base import Judge
from judgekit.judges.classifier import ClassifierJudge
from judgekit.judges.genrm import GenRMJudge
from judgekit.judges.pairwise import PairwiseJudge
from judgekit.judges.panel import PanelJudge
from judgekit.judges.rubric import RubricJudge
from judgekit.types import Preference, Sample, Score, Winner, logistic

if TYPE_CHECKING:
    import numpy as np

    from judgekit.calibration.profile import Applied, Profile

OnProblem = Literal["refuse", "flag"]
MISSING = math.nan


class ProfileWarning(UserWarning):
    """A judge is used with a profile that cannot be relied on, or that was made of simulated raters, say."""


@dataclass
class CalibratedJudge(Judge):
    """Scores as ``judge`` does, then maps value and criteria to the human scale as ``profile`` says.

    A score has its ``interval``, its ``reward``, the judge's own value as ``raw``, and whether that is ``supported``.
    Its criteria are those of the profile; one that no map could be fitted to is None. What is missing stays missing,
    for the judge's reason. Pairs are compared by the reward, which rises even where the map is flat; a classifier's
    probability stays that of its own strengths.

    A profile that was changed, has expired, maps its golden vectors to something else, or is of another fingerprint
    (or of none: then nobody can tell) is a problem: ``refuse`` raises, ``flag`` warns once, when the judge is made,
    keeps the reasons in ``problems``, and marks every score as not supported.

    Raises:
        ConfigError: the profile has a problem, or is of other criteria than the judge gives.
        InputError: the judge only compares, or has a profile already.
    """

    judge: Judge
    profile: Profile
    on_problem: OnProblem = "refuse"
    problems: tuple[str, ...] = field(init=False, default=())

    def __post_init__(self) -> None:
        refuse_misfit(self.judge, self.profile)
        self.problems = tuple(problems(self.judge, self.profile, date.today()))
        for remark in self.profile.remarks():
            warnings.warn(f"the profile of {self.profile.judge.name!r}: {remark}", ProfileWarning, stacklevel=3)
        if not self.problems:
            return
        words = f"the profile of {self.profile.judge.name!r} cannot be relied on: {'; '.join(self.problems)}"
        if self.on_problem == "refuse":
            raise ConfigError(f"{words}. To use it all the same, and have it flagged, say 'profile_problems: flag'")
        warnings.warn(words, ProfileWarning, stacklevel=3)

    @property
    def identity(self) -> dict[str, Any]:
        return {"judge": "calibrated", "of": self.judge.identity, "profile": self.profile.id}

    def score(self, samples: Sequence[Sample]) -> list[Score]:
        scores = self.judge.score(samples)
        applied = {name: it.apply(self._raws(name, scores)) for name, it in self.profile.criteria.items()}
        return [self._calibrated(score, i, applied) for i, score in enumerate(scores)]

    def _raws(self, name: str, scores: Sequence[Score]) -> list[float]:
        """Return what the map of a criterion is put on; NaN where it is missing."""
        match self.profile.criteria[name].of:
            case "value":
                return [MISSING if score.value is None else score.value for score in scores]
            case "mean":
                parts = [self._values(part, scores) for part in self.profile.parts]
                return [math.fsum(values) / len(values) for values in zip(*parts, strict=True)]
            case _:
                return self._values(name, scores)

    def _values(self, name: str, scores: Sequence[Score]) -> list[float]:
        for score in scores:
            if score.value is not None and name not in score.criteria:
                given = nearest(name, score.criteria, "it gives")
                raise ConfigError(f"the profile is of {name!r}, which the judge does not give{given}")
        found = [score.criteria.get(name) for score in scores]
        return [MISSING if value is None else value for value in found]

    def _calibrated(self, score: Score, i: int, applied: dict[str, Applied]) -> Score:
        criteria: dict[str, float | None] = {
            name: _known(applied[name].score[i]) for name, it in self.profile.criteria.items() if it.of == "criterion"
        }
        criteria |= dict.fromkeys(self.profile.unmapped)
        common: dict[str, Any] = {
            "scale": (self.profile.scale.low, self.profile.scale.high),
            "criteria": criteria,
            "raw": score.value,
            "judge": self.fingerprint,
        }
        whole = applied[self.profile.overall]
        value, low, high, reward = (_known(array[i]) for array in (whole.score, whole.low, whole.high, whole.reward))
        if score.value is None or value is None:
            return replace(score, value=None, error=score.error or _unknown(score, self.profile.parts), **common)
        interval = None if low is None or high is None else (low, high)
        supported = bool(whole.supported[i]) and not self.problems
        return replace(score, value=value, interval=interval, reward=reward, supported=supported, **common)

    def _prefer(self, a: Score, b: Score) -> Preference:
        found = super()._prefer(a, b)
        if a.reward is None or b.reward is None:
            return found
        winner: Winner = "a" if a.reward > b.reward else "b" if b.reward > a.reward else "tie"
        if isinstance(self.judge, ClassifierJudge) and a.raw is not None and b.raw is not None:
            return replace(found, winner=winner, probability=logistic(a.raw - b.raw))
        return replace(found, winner=winner)


def problems(judge: Judge, profile: Profile, today: date) -> list[str]:
    """Return, in words, what speaks against this profile for this judge, today."""
    found = profile.check(today)
    wanted = profile.judge.fingerprint
    if wanted is None:
        found.append(
            "it was made from recorded ratings, without the judge's fingerprint; whose it is cannot be checked"
        )
    elif wanted != judge.fingerprint:
        found.append(f"it is of a judge with the fingerprint {wanted}, and this one has {judge.fingerprint}")
    return found


def refuse_misfit(judge: Judge, profile: Profile) -> None:
    """Refuse a judge that the profile cannot be applied to at all; see `CalibratedJudge`."""
    if isinstance(judge, CalibratedJudge):
        raise InputError("the judge has a profile already")
    if _only_compares(judge):
        raise InputError("a profile maps scores, and this judge only compares: leave out the profile")
    given = _criteria(judge)
    needed = profile.parts if given is not None else ()
    for name in needed:
        if name not in (given or ()):
            own = "; where it is the judge's own value, call the criterion 'overall' in the study"
            hint = nearest(name, given, "it gives") if given else own
            raise ConfigError(f"the profile is of {name!r}, which the judge does not give{hint}")


def _only_compares(judge: Judge) -> bool:
    match judge:
        case PairwiseJudge():
            return True
        case GenRMJudge():
            return judge.rubric.mode == "pairwise"
        case PanelJudge():
            return any(_only_compares(member) for member in judge.judges)
        case _:
            return False


def _criteria(judge: Judge) -> tuple[str, ...] | None:
    """Return the criteria that a judge gives; None where only its scores will tell."""
    match judge:
        case RubricJudge() | GenRMJudge():
            return tuple(criterion.id for criterion in judge.rubric.criteria)
        case ClassifierJudge():
            return ()
        case PanelJudge():
            return tuple(f"judge_{i}" for i in range(1, len(judge.judges) + 1))
        case _:
            return None


def _unknown(score: Score, parts: Iterable[str]) -> str:
    missing = [name for name in parts if score.criteria.get(name) is None]
    return f"no value for {', '.join(missing)}"


def _known(value: np.float64) -> float | None:
    return None if math.isnan(value) else float(value)
