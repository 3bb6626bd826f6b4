"""What a study found, as JSON values: every figure with its interval, or with the reason why there is none."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import date
from typing import Any

import numpy as np

from judgekit.calibration import Conformal
from judgekit.report.versions import versions
from judgekit.studies.analysis import Analysis
from judgekit.studies.answers import lights
from judgekit.studies.criterion import Criterion
from judgekit.studies.crosscheck import CrossCheck
from judgekit.studies.gates import Gate
from judgekit.studies.needed import needed
from judgekit.studies.provenance import PACKAGES, thresholds
from judgekit.studies.unknown import Unknown
from judgekit.studies.verdicts import verdicts

SCHEMA = "judgekit.study/1"
OMITTED = {"predicted", "kept", "adjusted"}  # a number for each item or pair of systems; the data are the user's


def facts(
    analysis: Analysis, gates: Sequence[Gate], check: CrossCheck, inputs: Mapping[str, str], created: date
) -> dict[str, Any]:
    """Return everything. A missing figure is ``{"not_estimable": reason}``; no value is NaN or infinite."""
    study, ratings = analysis.study, analysis.ratings
    return {
        "schema": SCHEMA,
        "created": created.isoformat(),
        "study": study.model_dump(mode="json"),
        "simulated": study.simulated,
        "judge": {"name": study.judge, "fingerprint": analysis.fingerprint},
        "data": {
            "items": len(ratings.items),
            "groups": len(set(ratings.groups)),
            "systems": len(set(ratings.systems)) if ratings.systems else None,
            "raters": list(ratings.raters),
            "judges": list(ratings.judges),
            "criteria": list(ratings.criteria),
            "left_out": dict(ratings.left_out),
            "sha256": dict(inputs),
        },
        "gates": plain(list(gates)),
        "criteria": {name: _criterion(analysis, it) for name, it in analysis.criteria.items()},
        "bias": {"findings": plain(analysis.bias.findings), "not_looked_at": dict(analysis.bias.missing)},
        "open": plain(needed(analysis)),
        "panel": plain(analysis.panel),
        "verdicts": plain(verdicts(study, ratings)),
        "cross_check": {**plain(check), "agrees": check.agrees},
        "thresholds": thresholds(study),
        "versions": versions(PACKAGES),
    }


def _criterion(analysis: Analysis, it: Criterion) -> dict[str, Any]:
    return {"answers": plain(lights(analysis, it)), **plain(it)}


def plain(value: Any) -> Any:
    """Return a value of the analysis as JSON can hold it; what is infinite is the text ``unbounded``."""
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [plain(one) for one in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else "unbounded"
    return _parts(value) if is_dataclass(value) and not isinstance(value, type) else value


def _parts(value: Any) -> Any:
    match value:
        case Unknown():
            return {"not_estimable": value.reason}
        case Conformal():
            return {"type": value.type, "coverage": value.coverage, "labels": value.labels, "groups": value.groups}
    return {part.name: plain(getattr(value, part.name)) for part in fields(value) if part.name not in OMITTED}
