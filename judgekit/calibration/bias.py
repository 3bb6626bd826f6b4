"""The bias audit: every probe that the given columns allow, judged together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from judgekit.calibration import probes
from judgekit.calibration.bootstrap import Bootstrap
from judgekit.calibration.estimate import Array, NotEstimableError
from judgekit.calibration.findings import Finding, judge_together
from judgekit.calibration.halo import halo
from judgekit.calibration.humans import Humans
from judgekit.calibration.partial import partial, slope
from judgekit.calibration.templates import template_sensitivity
from judgekit.calibration.units import Units
from judgekit.errors import InputError, nearest

DEFAULT = Bootstrap()
CRITERIA = "two criteria in judge= and humans="
Probe = Callable[[Units, Bootstrap, float], Finding]
Planned = tuple[str, tuple[str, ...], Probe]
BANDS: Mapping[str, float] = MappingProxyType(
    {
        "position": 0.1,  # the first wins 45 to 55 times in 100
        "length": 0.1,
        "padding": 0.1,
        "self-preference": 0.2,
        "format": 0.2,
        "severity": 0.2,
        "spread": 0.2,  # ratios of about .8 to 1.2
        "slope": 0.2,
        "halo": 0.1,
        "heaping": 0.2,
        "template": 0.1,
    }
)
"""Standardised effects that do no harm. Ours: half of, or all of, what Cohen (1988) calls a small effect."""


@dataclass(frozen=True)
class Audit:
    """What the probes found.

    Attributes:
        findings: with their q-values over all of them, and verdicts.
        missing: the probes that could not be run, by name, and why.
    """

    findings: tuple[Finding, ...]
    missing: Mapping[str, str]

    def __getitem__(self, name: str) -> Finding:
        for finding in self.findings:
            if finding.name == name:
                return finding
        raise InputError(f"there is no finding {name!r}: {self.missing.get(name, 'the audit has no such probe')}")


def audit(
    judge: ArrayLike | None = None,
    humans: ArrayLike | None = None,
    *,
    length: ArrayLike | None = None,
    padded: ArrayLike | None = None,
    own: ArrayLike | None = None,
    formats: Mapping[str, ArrayLike] | None = None,
    round_to: float | None = None,
    templates: ArrayLike | None = None,
    orders: ArrayLike | None = None,
    units: Units = None,
    order_units: Units = None,
    bands: Mapping[str, float] | None = None,
    bootstrap: Bootstrap = DEFAULT,
) -> Audit:
    """Look for every bias of a judge that the columns can show. NaN is missing in all of them.

    Judge and humans are on the same scale. Of several criteria, all probes but halo and heaping take the mean.

    Args:
        judge: shape (items,) or (items, criteria); humans: shape (raters, items) or (raters, items, criteria).
        length: of the text in words or characters, above 0, shape (items,). ``padded``: the judge's scores of the
            same texts made longer but no better, in the shape of ``judge``.
        own: 1 where a model of the judge's family wrote the text, else 0, shape (items,).
        formats: columns of shape (items,): whether there is markdown, how many lists; each is a probe.
        round_to: values that are multiples of this are round, such as 1 on a scale in halves.
        templates: the judge's scores under several wordings of its prompt, shape (templates, items).
        orders: points for a (1, 1/2, 0) where it is shown first and where second, shape (pairs, 2), as
            `votes.by_order` gives them.
        units: the cluster of each item; ``order_units``: of each pair.
        bands: other equivalence bands than `BANDS`, by probe; standardised.

    Raises:
        InputError: columns of different lengths, a length not above 0, bands of unknown probes.
    """
    columns: dict[str, Any] = {
        "judge": _flat(judge, 1),
        "humans": _panel(humans),
        CRITERIA: _criteria(judge, humans),
        "length": _doublings(length),
        "padded": _flat(padded, 1),
        "own": _flat(own, 1),
        "formats": formats,
        "round_to": round_to,
        "templates": templates,
        "orders": orders,
    }
    plan = _plan(columns, judge, humans)
    return _run(plan, columns, lambda name: order_units if name == "position" else units, bootstrap, bands or {})


def _run(
    plan: list[Planned],
    columns: Mapping[str, Any],
    units: Callable[[str], Units],
    bootstrap: Bootstrap,
    bands: Mapping[str, float],
) -> Audit:
    for name in set(bands) - set(BANDS):
        raise InputError(f"there is no probe {name!r}{nearest(name, BANDS)}")
    wide = {**BANDS, **bands}
    findings, missing = [], {}
    for name, needs, probe in plan:
        lacking = [need if need == CRITERIA else f"{need}=" for need in needs if columns[need] is None]
        if lacking:
            missing[name] = f"it needs {' and '.join(lacking)}"
            continue
        try:
            findings.append(probe(units(name), bootstrap, wide[name.split(":")[0]]))
        except NotEstimableError as error:
            missing[name] = str(error)
    return Audit(judge_together(findings), missing)


def _plan(c: Mapping[str, Any], judge: Any, humans: Any) -> list[Planned]:
    """Return the probes: name, the columns it needs, and how to run it."""
    both = ("judge", "humans")

    def given_quality(name: str, column: Any, unit: str) -> Probe:
        return lambda units, how, band: partial(
            name, c["judge"], c["humans"], np.asarray(column, dtype=float), units, how, band, unit
        )

    formats: list[Planned] = [
        (f"format: {name}", both, given_quality(f"format: {name}", column, "points for one more"))
        for name, column in (c["formats"] or {}).items()
    ]
    return [
        ("position", ("orders",), lambda *how: probes.position(c["orders"], *how)),
        ("length", (*both, "length"), given_quality("length", c["length"], "points for twice the length")),
        ("padding", ("judge", "padded"), lambda *how: probes.padding(c["judge"], c["padded"], *how)),
        ("self-preference", (*both, "own"), given_quality("self-preference", c["own"], "points for its own family")),
        *(formats or [("format", (*both, "formats"), given_quality("format", None, ""))]),
        ("severity", both, lambda *how: probes.severity(c["judge"], c["humans"], *how)),
        ("spread", both, lambda *how: probes.spread(c["judge"], c["humans"], *how)),
        ("slope", both, lambda *how: slope(c["judge"], c["humans"], *how)),
        ("halo", (CRITERIA,), lambda *how: halo(judge, humans, *how)),
        ("heaping", (*both, "round_to"), lambda *how: probes.heaping(judge, humans, c["round_to"], *how)),
        ("template", ("templates",), lambda *how: template_sensitivity(c["templates"], *how)),
    ]


def _criteria(judge: ArrayLike | None, humans: ArrayLike | None) -> Array | None:
    if judge is None or humans is None or np.ndim(judge) != 2 or np.ndim(humans) != 3:
        return None
    scores = np.asarray(judge, dtype=float)
    return scores if scores.shape[1] > 1 else None


def _panel(humans: ArrayLike | None) -> Humans | None:
    flat = _flat(humans, 2)
    return None if flat is None or np.isnan(flat).all() else Humans.of(flat)


def _flat(values: ArrayLike | None, axes: int) -> Array | None:
    """Return values with the mean taken over the criteria, which are the axis beyond the first ones, if any."""
    if values is None:
        return None
    array = np.asarray(values, dtype=float)
    if array.ndim not in (axes, axes + 1) or np.isinf(array).any():
        raise InputError(
            f"a column of shape {array.shape} needs {axes} axes, or one more for criteria, and no infinity"
        )
    return array if array.ndim == axes else np.asarray(array.mean(-1))


def _doublings(length: ArrayLike | None) -> Array | None:
    if length is None:
        return None
    array = np.asarray(length, dtype=float)
    if (array <= 0).any():
        raise InputError("a length is not above 0")
    return np.asarray(np.log2(array))
