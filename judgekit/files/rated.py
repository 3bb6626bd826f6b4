"""Rated samples as rows of ``ratings.jsonl``, both ways."""

from __future__ import annotations

import math
from typing import Any, Literal

from judgekit.errors import InputError, nearest
from judgekit.files.rows import Row, kind_of, sample_of
from judgekit.types import Rated


def rated_of(row: Row, line: int) -> Rated:
    """Build a rated sample: a sample with ``"scores"`` (criterion: number or null), and where there are any
    ``"reviews"`` (criterion: text), ``"rationale"``, ``"group"`` and ``"source"`` (human, machine or simulated).

    Raises:
        InputError: a field is missing, of the wrong type, or holds what cannot be a score.
    """
    scores = {name: _score(name, value) for name, value in _object(row, "scores").items()}
    if not scores:
        raise InputError("scores is empty; it must give a number, or null, for each criterion")
    reviews = {name: _text(f"the review of {name}", text) for name, text in _object(row, "reviews", {}).items()}
    rationale, group = _text("rationale", row.get("rationale", "")), _text("group", row.get("group", ""))
    return Rated(sample_of(row, line), scores, reviews, rationale, group, _source(row))


def rated_row(rated: Rated) -> dict[str, Any]:
    """Return the line of ``ratings.jsonl`` that `rated_of` reads."""
    it = rated.sample
    texts = {"id": it.id, "prompt": it.prompt, "response": it.response, "reference": it.reference}
    given = {"scores": dict(rated.scores), "reviews": dict(rated.reviews), "rationale": rated.rationale}
    return {**texts, **given, "group": rated.group, "source": rated.source, "metadata": dict(it.metadata)}


def _object(row: Row, name: str, default: dict[str, Any] | None = None) -> dict[str, Any]:
    if name not in row and default is None:
        raise InputError(f"{name!r} is missing{nearest(name, row, 'the row has') if row else ''}")
    found = row.get(name, default)
    if not isinstance(found, dict):
        raise InputError(f"{name} must be an object (criterion: value), not {kind_of(found)}")
    return found


def _score(name: str, value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise InputError(f"the score of {name} is {value!r}; it must be a number, or null where there is none")
    return float(value)


def _text(name: str, text: object) -> str:
    if not isinstance(text, str):
        raise InputError(f"{name} must be a text, not {kind_of(text)}")
    return text


def _source(row: Row) -> Literal["human", "machine", "simulated"]:
    match row.get("source", "human"):
        case "human":
            return "human"
        case "machine":
            return "machine"
        case "simulated":
            return "simulated"
        case other:
            raise InputError(f"source is {other!r}; it must be 'human', 'machine' or 'simulated'")
