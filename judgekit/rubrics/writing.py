"""Scores and reasons -> the reply that `judgekit.rubrics.reply` reads: what a model that is taught to judge learns."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from judgekit.rubrics.rubric import Criterion, Rubric


def write_scores(
    rubric: Rubric, values: Mapping[str, float], reviews: Mapping[str, str] | None = None, rationale: str = ""
) -> str:
    """Write the reply to a pointwise question about all criteria, in the rubric's form: reasons, then scores.

    As JSON, each review stands before its score and the rationale before the object; as lines, both make up the one
    line of reasons. What an author's text may do to the reply is not checked: read it back (`read_scores`).

    Args:
        values: for every criterion, on its menu (`nearest_on_menu`).
        reviews: by criterion; an empty one where there is none.
    """
    reviews = reviews or {}
    if rubric.reply == "lines":
        reasons = " ".join(" ".join([rationale, *_told(rubric, reviews)]).split())
        return "\n".join([f"Reasons: {reasons}", *(f"{c.id}: {_label(c, values[c.id])}" for c in rubric.criteria)])
    entries = {c.id: {"reason": reviews.get(c.id, ""), "score": _value(c, values[c.id])} for c in rubric.criteria}
    reply = json.dumps(entries, indent=1, ensure_ascii=False)
    return f"{rationale.strip()}\n{reply}" if rationale.strip() else reply


def nearest_on_menu(criterion: Criterion, value: float) -> float:
    """Return the value on the menu that is nearest, the lower of two equally near: a mean of raters may lie between."""
    return min(criterion.menu.values(), key=lambda known: (round(abs(known - value), 9), known))


def _told(rubric: Rubric, reviews: Mapping[str, str]) -> list[str]:
    """Return the reviews, each under its criterion's title where there are several criteria."""
    told = [criterion for criterion in rubric.criteria if reviews.get(criterion.id)]
    return [reviews[c.id] if len(rubric.criteria) == 1 else f"{c.title}: {reviews[c.id]}" for c in told]


def _label(criterion: Criterion, value: float) -> str:
    return next(label for label, known in criterion.menu.items() if known == value)


def _value(criterion: Criterion, value: float) -> Any:
    if any(isinstance(key, str) for key in criterion.anchors):
        return _label(criterion, value)
    return int(value) if value.is_integer() else value
