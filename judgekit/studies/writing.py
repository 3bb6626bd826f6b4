"""The files that a study leaves: the report, its figures, its tables, and the profile."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from judgekit.errors import InputError
from judgekit.studies.analysis import Analysis
from judgekit.studies.crosscheck import CrossCheck
from judgekit.studies.facts import facts
from judgekit.studies.gates import Gate
from judgekit.studies.profiles import profile
from judgekit.studies.provenance import hashes
from judgekit.studies.report import page
from judgekit.studies.summary import markdown


def write(
    analysis: Analysis, results: Sequence[Gate], check: CrossCheck, data: Path | None, out: Path
) -> dict[str, str]:
    """Write everything into a folder; return the path of each file, or why it is not there.

    Args:
        data: where the study's tables are; None where they were made on the spot.
    """
    inputs, today = hashes(analysis.study, data), date.today()
    found = facts(analysis, results, check, inputs, today)
    (out / "study.json").write_text(f"{json.dumps(found, allow_nan=False, indent=1)}\n", encoding="utf-8")
    (out / "study.md").write_text(markdown(analysis, results, check, today), encoding="utf-8")
    report = page(analysis, results, check, inputs).save(out / "report.html")
    return {
        "report": str(report),
        "figures": str(out / "study.json"),
        "table": str(out / "study.md"),
        "profile": _profile(analysis, out / "profile.json"),
    }


def _profile(analysis: Analysis, path: Path) -> str:
    try:
        made = profile(analysis, fingerprint=analysis.fingerprint)
    except InputError as reason:
        path.unlink(missing_ok=True)  # an earlier run's would be taken for this one's
        return f"none: {reason}"
    return str(made.save(path))
