"""The part of a report about what would settle the questions that it leaves open."""

from __future__ import annotations

from judgekit.report import Page
from judgekit.studies.analysis import Analysis
from judgekit.studies.answers import QUESTIONS
from judgekit.studies.needed import needed


def add(made: Page, analysis: Analysis) -> None:
    """Add how many groups of labels each open answer would take."""
    found = needed(analysis)
    if not found:
        return
    made.heading("What the open questions would take")
    rows = [
        (
            one.criterion,
            QUESTIONS[one.question],
            one.groups,
            one.why if one.wanted is None else one.wanted,
        )
        for one in found
    ]
    made.table(("criterion", "open", "groups now", "groups that would settle it"), rows)
    made.text(
        "In all, if the figures stay where they are: an interval narrows with the root of the number of groups. Of "
        "several ways to settle it the cheapest. A plan, not a promise; to plan a new study see "
        "labels_for_correlation and its like in judgekit.calibration.",
        soft=True,
    )
