"""``scores.jsonl``: what a judge gave each response."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, FiniteFloat

from judgekit.config import Config
from judgekit.episodes import Turn
from judgekit.errors import InputError
from judgekit.files import digest_of, read, score_row
from judgekit.judges import CalibratedJudge, Judge
from judgekit.policy.evaluation.filling import Progress, fill, silent
from judgekit.policy.evaluation.forms import Form, held_to
from judgekit.policy.evaluation.responses import Responded
from judgekit.types import Prompt, Sample

FILE = "scores.jsonl"
Array = NDArray[np.float64]
Scale = tuple[float, float]


class Judged(Config):
    """Who scored, and on which scales.

    Attributes:
        scale: of the score as a whole; ``units``: its unit on [0, 1] is taken, as of a judge without a rubric.
        criteria: of each criterion of the rubric.
    """

    fingerprint: str
    scale: Scale = (0.0, 1.0)
    criteria: dict[str, Scale] = {}
    units: bool = False


@dataclass(frozen=True)
class Scores:
    """Scores of K responses to each prompt.

    Attributes:
        value: shape (prompts, K), NaN where there is none; ``criteria``: the same of each criterion whose scale is
            known.
        reasons: why there is none, of responses that there are: how often, by reason.
    """

    judged: Judged
    value: Array
    criteria: Mapping[str, Array]
    reasons: Mapping[str, int]


def samples_of(responded: Sequence[Responded]) -> list[Sample]:
    """Return what a judge is shown: the responses that there are, without their reasoning, as ``id#1`` to ``id#K``."""
    return [
        Sample(prompt_of(one), text, f"{one.id}#{k}", one.asked.reference, shown_to_judges(one))
        for one in responded
        for k, text in enumerate(one.visible, 1)
        if text is not None
    ]


def prompt_of(one: Responded) -> Prompt:
    """Return the prompt as a judge gets it."""
    return one.asked.prompt if isinstance(one.asked.prompt, str) else list(one.asked.prompt)


def shown_to_judges(one: Responded) -> dict[str, Any]:
    """Return the metadata that a rubric may show; of a turn its context alone: a judge must not see the label."""
    return dict(one.asked.context if isinstance(one.asked, Turn) else one.asked.metadata)


def score_all(
    judge: Judge, responded: Sequence[Responded], path: Path, size: int = 64, progress: Progress = silent
) -> None:
    """Score every response that there is, but for those that the file has already."""

    def rows_of(batch: list[Sample]) -> list[dict[str, Any]]:
        return [score_row(sample, score) for sample, score in zip(batch, judge.score(batch), strict=True)]

    fill(path, ("judge", judge.fingerprint), samples_of(responded), rows_of, size, progress)


def judged_by(judge: Judge) -> Judged:
    """Return who scores and on which scales; those of the criteria of a rubric."""
    asked = judge.judge if isinstance(judge, CalibratedJudge) else judge
    rubric = getattr(asked, "rubric", None)
    if isinstance(judge, CalibratedJudge) or rubric is None:
        return Judged(fingerprint=judge.fingerprint, units=True)
    return Judged(
        fingerprint=judge.fingerprint, scale=rubric.scale, criteria={one.id: one.scale for one in rubric.criteria}
    )


class _Score(Form):
    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)
    id: str
    input: str
    judge: str
    value: FiniteFloat | None
    unit: FiniteFloat | None
    criteria: dict[str, FiniteFloat | None]
    error: str | None


def read_scores(path: Path, responded: Sequence[Responded], judged: Judged) -> Scores:
    """Read the scores of these responses.

    Raises:
        InputError: a row of another judge or of other texts, or one that is missing.
    """
    samples = samples_of(responded)
    found = dict(zip((one.id for one in samples), _rows(path, samples, judged), strict=True))
    shape = len(responded), len(responded[0].responses)
    value = np.full(shape, np.nan)
    criteria = {name: np.full(shape, np.nan) for name in judged.criteria}
    for i, one in enumerate(responded):
        for k in range(shape[1]):
            row = found.get(f"{one.id}#{k + 1}")
            if row is not None and row.value is not None:
                value[i, k] = row.unit if judged.units else row.value
                for name, table in criteria.items():
                    table[i, k] = _number(row.criteria.get(name))
    reasons = [str(row.error) for row in found.values() if row.value is None]
    return Scores(judged, value, criteria, {reason: reasons.count(reason) for reason in dict.fromkeys(reasons)})


def _rows(path: Path, samples: Sequence[Sample], judged: Judged) -> list[_Score]:
    rows = list(read(path, lambda row, line: (line, held_to(_Score, row))))
    if len(rows) != len(samples):
        raise InputError(f"{path}: {len(rows)} scores of {len(samples)} responses; run judgekit policy evaluate again")
    for (line, row), sample in zip(rows, samples, strict=True):
        if row.id != sample.id or row.input != digest_of(sample):
            raise InputError.at(path, line, f"is no score of {sample.id!r} as it stands in the responses")
        if row.judge != judged.fingerprint:
            raise InputError.at(path, line, "was written by another judge than evaluation.json names")
    return [row for _, row in rows]


def _number(value: float | None) -> float:
    return np.nan if value is None else value
