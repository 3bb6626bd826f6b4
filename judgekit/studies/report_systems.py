"""The part of a report about what wrote the items, by people's scores and by the judge's."""

from __future__ import annotations

from judgekit.calibration import Estimate
from judgekit.calibration.standings import LEAST
from judgekit.report import Page
from judgekit.studies.analysis import Analysis
from judgekit.studies.systems import Systems, mean_of, rank_of
from judgekit.studies.unknown import Unknown
from judgekit.studies.words import MISSING, Notes, told

NAMED = 5  # systems that are named of those left out
MOST = 40  # systems in the table; the report's JSON has all


def add(made: Page, analysis: Analysis) -> None:
    """Add where the systems stand, and whether the judge would have told them apart as people do."""
    made.heading("What wrote the items")
    _decisions(made, analysis)
    name, it = list(analysis.criteria.items())[-1]
    if not isinstance(it.systems, Unknown):
        _standings(made, name, it.systems, analysis.study.judge)


def _decisions(made: Page, analysis: Analysis) -> None:
    notes = Notes(list(analysis.criteria))
    rows = []
    for name, it in analysis.criteria.items():
        if isinstance(it.systems, Unknown):
            rows.append((name, notes.cell(name, "systems", it.systems), *[MISSING] * 5))
            continue
        found = it.systems
        soft = notes.cell(name, "soft pairwise accuracy", found.soft)
        rows.append((name, soft, *map(str, (found.pairs, found.apart, found.same, found.opposite, found.alone))))
    heads = ("soft pairwise accuracy", "pairs of systems", "people tell apart")
    made.table(("criterion", *heads, "the judge too", "the judge the other way", "only the judge"), rows)
    made.notes(notes.lines())
    made.text(
        "Told apart: Student's t of the difference of the mean scores, groups left out in turn; q < .05 after "
        "Benjamini and Hochberg over all pairs. Soft pairwise accuracy: how near the judge's p values come to "
        "people's.",
        soft=True,
    )


def _standings(made: Page, name: str, found: Systems, judge: str) -> None:
    notes = Notes([str(system) for system in found.people.names])
    rows = [
        (
            str(system),
            found.people.means[k].n,
            notes.cell(str(system), "people's mean", found.people.means[k]),
            _rank(found.people.ranks[k]),
            told(mean_of(found.judge, system)),
            _rank(rank_of(found.judge, system)),
        )
        for k, system in enumerate(found.people.names[:MOST])
    ]
    made.table((f"system, {name}", "items", "people's mean", "rank", f"mean of {judge}", "rank"), rows)
    made.notes(notes.lines())
    if lost := list(found.people.left_out):
        some = ", ".join(map(str, lost[:NAMED])) + (", ..." if len(lost) > NAMED else "")
        made.text(
            f"Left out, for their items lie in fewer than {LEAST} groups: {len(lost)} systems ({some}).", soft=True
        )
    if len(found.people.names) > MOST:
        made.text(f"The {MOST} highest of {len(found.people.names)} systems.", soft=True)
    made.text(
        "On the items that both have scored, the judge as it is. Each rank in brackets holds with 95 %, all of them "
        "together less often. To mend a mean by a judge who scored many more items than people did, see "
        "corrected_mean in judgekit.calibration: it has to know how the rated items were chosen.",
        soft=True,
    )


def _rank(found: Estimate) -> str:
    return f"{found.value:.0f} [{found.low:.0f}, {found.high:.0f}]"
