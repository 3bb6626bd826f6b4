"""Two evaluations side by side: each metric of both, their difference, and whether it could be chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from judgekit.calibration import Bootstrap, Estimate
from judgekit.episodes.contrasts import Contrast
from judgekit.episodes.metrics import Row, Table
from judgekit.errors import InputError
from judgekit.policy.evaluation.contrasts import turn_contrasts
from judgekit.policy.evaluation.episodebench import QUALITY, TIMING, TURNS, ordered
from judgekit.policy.evaluation.folder import Evaluation
from judgekit.policy.evaluation.story_contrasts import story_contrasts

Tables = Mapping[str, Table]


@dataclass(frozen=True, slots=True)
class Line:
    """One metric of two policies: each over all items with a value of its own, ``contrast`` over those of both.

    ``always_stay``: what a policy gets that always stays, of the items of the first; of accuracies alone.
    """

    metric: str
    one: Estimate | None
    two: Estimate | None
    contrast: Contrast
    always_stay: Estimate | None = None


def compare(one: Evaluation, two: Evaluation, bootstrap: Bootstrap | None = None) -> dict[str, list[Line]]:
    """Compare two evaluations, the second less the first; the tests of a table are adjusted together.

    What one of the two lacks altogether (a judge, played stories, diversity) is left out of both: `lacking` names it.

    Raises:
        InputError: they were not made in the same way, or of other items.
    """
    one, two = _alike(one, two)
    tables = one.tables(bootstrap), two.tables(bootstrap)
    if one.settings.kind == "stories":
        found = story_contrasts(one.stories, two.stories, one.settings.buckets, bootstrap)
    else:
        found = turn_contrasts(one.items, two.items, (one.played, two.played), bootstrap)
    return {name: _lines(name, contrasts, tables) for name, contrasts in found.items()}


def is_quality(metric: str) -> bool:
    """Return whether a metric is a judge's score, on the judge's scale, and no share or ratio."""
    return metric.startswith(QUALITY) or " avg@" in metric or metric.endswith(" rollout@1")


def lacking(one: Evaluation, two: Evaluation) -> list[str]:
    """Return what only one of two evaluations has, and so cannot be compared."""
    first, second = (_parts(it) for it in (one, two))
    return [name for name in first if (first[name] is None) != (second[name] is None)]


def _parts(it: Evaluation) -> dict[str, object]:
    stories = it.settings.stories or None
    return {"quality": it.settings.judge, "diversity": it.settings.encoder, "timing": stories}


def _alike(one: Evaluation, two: Evaluation) -> tuple[Evaluation, Evaluation]:
    """Return the two without what only one of them has."""
    one, two = _measured_as(one, two), _measured_as(two, one)
    for name in ("kind", *(("k", "band") if one.settings.kind == "turns" else ("buckets",))):
        _same(name, one, two, getattr(one.settings, name), getattr(two.settings, name))
    lost = lacking(one, two)
    for name, value in _parts(one).items():
        if name not in lost:
            _same(name, one, two, value, _parts(two)[name])
    fields: dict[str, tuple[str, Any]] = {"quality": ("scores", None), "diversity": ("diversity", None)}
    fields["timing"] = ("played", ())
    nothing = dict(fields[name] for name in lost)
    return replace(one, **nothing), replace(two, **nothing)


def _measured_as(it: Evaluation, other: Evaluation) -> Evaluation:
    """Return an evaluation with the other's band and buckets where its responses are somebody else's, without any."""
    if it.responded[0].policy or not other.responded[0].policy:
        return it
    update = {"band": other.settings.band, "buckets": other.settings.buckets}
    return replace(it, settings=it.settings.model_copy(update=update))


def _same(name: str, one: Evaluation, two: Evaluation, first: object, second: object) -> None:
    if first != second:
        found = " and ".join(str(getattr(value, "fingerprint", value)) for value in (first, second))
        raise InputError(f"{one.folder} and {two.folder} differ in {name}: {found}; evaluate both alike")


def _lines(name: str, contrasts: Sequence[Contrast], tables: tuple[Tables, Tables]) -> list[Line]:
    found = {it.metric: it for it in contrasts}
    return [_line(found[metric], *(_row(some, name, metric) for some in tables)) for metric in ordered(found)]


def _line(contrast: Contrast, one: Row | None, two: Row | None) -> Line:
    first, second = (None if row is None else row.estimate for row in (one, two))
    return Line(contrast.metric, first, second, contrast, None if one is None else one.always_stay)


def _row(tables: Tables, name: str, metric: str) -> Row | None:
    """Return a metric of a table; the timing of all stories stands among all turns."""
    for place in (name, *([TIMING] if name == TURNS else [])):
        if place in tables and metric in tables[place].rows:
            return tables[place].rows[metric]
    return None
