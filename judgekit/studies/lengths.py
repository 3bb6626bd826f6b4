"""Whether the length of a text moves the judge, criterion by criterion: what a policy would learn first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from judgekit.calibration import Bootstrap, Finding
from judgekit.calibration.bias import BANDS
from judgekit.calibration.findings import judge_together
from judgekit.calibration.humans import Humans
from judgekit.calibration.partial import partial
from judgekit.studies.criterion import Criterion
from judgekit.studies.unknown import Unknown, attempt

Array = NDArray[np.float64]


def length_effect(
    judge: Array, people: Array, words: Array | None, groups: NDArray[np.int64], bootstrap: Bootstrap
) -> Finding | Unknown:
    """Return what twice the length does to the judge's score where the people's is the same.

    Args:
        judge: shape (items,); people: (raters, items); words: the length of each text, (items,).
    """
    if words is None:
        return Unknown("the length of the texts is not known: name their column as 'text' of the study's items")
    doublings = np.log2(words)
    band = BANDS["length"]

    def effect() -> Finding:
        humans = Humans.of(people)
        return partial("length", judge, humans, doublings, groups, bootstrap, band, "points for twice the length")

    return attempt(effect)


def together(criteria: Mapping[str, Criterion]) -> dict[str, Criterion]:
    """Return the criteria with the q values and verdicts of their length effects."""
    found = [it.length for it in criteria.values() if not isinstance(it.length, Unknown)]
    judged = iter(judge_together(found))
    return {
        name: it if isinstance(it.length, Unknown) else replace(it, length=next(judged))
        for name, it in criteria.items()
    }
