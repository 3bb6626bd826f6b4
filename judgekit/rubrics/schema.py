"""The JSON schema of a reply, for servers that enforce one: the subset that all providers share.

Every field is required, nothing else is allowed, and menus are enums; reasons come before scores.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from judgekit.rubrics.rubric import Criterion, Rubric

TEXT = {"type": "string"}


def reply_schema(rubric: Rubric, criterion: Criterion | None = None) -> dict[str, Any] | None:
    """Return the schema of the reply to one question; None where replies are lines."""
    if rubric.reply == "lines":
        return None
    if rubric.mode == "pairwise":
        return _pairwise(rubric)
    if criterion is not None:
        return _criterion(criterion)
    return _object({c.id: _criterion(c) for c in rubric.criteria})


def _criterion(criterion: Criterion) -> dict[str, Any]:
    quote = {"quote": TEXT} if criterion.quote_from is not None else {}
    return _object({"reason": TEXT, **quote, "score": {"enum": _values(criterion)}})


def _values(criterion: Criterion) -> list[Any]:
    if any(isinstance(key, str) for key in criterion.anchors):
        return list(criterion.menu)
    return [int(value) if value.is_integer() else value for value in criterion.menu.values()]


def _pairwise(rubric: Rubric) -> dict[str, Any]:
    low, high = rubric.scores
    score = {"type": "integer", "enum": list(range(low, high + 1))}
    verdicts = ["A", "B", "tie"] if rubric.ties else ["A", "B"]
    return _object(
        {
            "reasons": _object({c.id: TEXT for c in rubric.criteria}),
            "score_a": score,
            "score_b": score,
            "verdict": {"type": "string", "enum": verdicts},
        }
    )


def _object(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }
