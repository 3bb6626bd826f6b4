"""What a report rests on: the files that were read, the versions that computed it, the thresholds."""

from __future__ import annotations

import hashlib
from pathlib import Path

from judgekit.calibration.alt_test import PASS
from judgekit.calibration.choice import FOLDS
from judgekit.studies.answers import BEHIND
from judgekit.studies.served import COVERAGE, MARGIN
from judgekit.studies.study import Study

PACKAGES = ("numpy", "scipy", "krippendorff")
BLOCK = 1 << 20


def hashes(study: Study, data: Path | None) -> dict[str, str]:
    """Return the SHA-256 of every file that the study reads."""
    if data is None or study.source != "files":
        return {}
    files = [*([study.items.file] if study.items else []), *(table.file for table in study.ratings)]
    return {name: _sha256(data / name) for name in dict.fromkeys(files)}


def thresholds(study: Study) -> dict[str, float]:
    """Return every threshold that an answer or a gate hangs on, beside the study's gates."""
    return {
        "alt-test: epsilon": study.epsilon,
        "alt-test: winning rate to pass": PASS,
        "rank-safe: rho behind one person, at most": BEHIND,
        "level-safe: margin, share of the scale": MARGIN,
        "intervals for one item: coverage": COVERAGE,
        "map: folds of whole groups": FOLDS,
        "bootstrap: draws": study.draws,
        "bootstrap: confidence": 0.95,
        "seed": study.seed,
    }


def _sha256(path: Path) -> str:
    found = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(BLOCK):
            found.update(block)
    return found.hexdigest()
