"""Recorded verdicts: the rows of ``judgekit compare``, or those of another judge, back as preferences."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from judgekit.errors import InputError, nearest
from judgekit.files.reading import read
from judgekit.files.rows import Row, digest_of, kind_of
from judgekit.types import Comparison, Preference, Votes

WINNERS = ("a", "b", "tie", None)


def recorded(path: str | Path, comparisons: Sequence[Comparison]) -> tuple[list[Preference], int]:
    """Read the verdict on each comparison, by its id.

    A row needs ``id`` and ``winner`` (a, b, tie or null), and may have ``probability``, ``scores``, ``consistent``,
    ``votes``, ``error`` and ``judge``, as ``judgekit compare`` writes them. A comparison without a row has no verdict.

    Returns:
        One preference for each comparison, and the number of rows that belong to none of them.

    Raises:
        InputError: a row that cannot be used, was written for another text, or stands twice; or no row fits at all.
    """
    place = {comparison.id: i for i, comparison in enumerate(comparisons)}
    found: list[Preference | None] = [None] * len(comparisons)
    others = 0

    def take(row: Row, line: int) -> int:
        """Put one row where it belongs; return 1 if that is nowhere."""
        identity, preference = str(_field(row, "id")), _preference(row)
        if identity not in place:
            return 1
        i = place[identity]
        if found[i] is not None:
            raise InputError(f"the id {identity!r} has a row already")
        if "input" in row and row["input"] != digest_of(comparisons[i]):
            raise InputError(
                f"the verdict on {identity!r} was written for other texts or metadata; judge the pairs again, or take "
                "'input' out of the row if it is still true"
            )
        found[i] = preference
        return 0

    others = sum(read(path, take))
    if comparisons and all(preference is None for preference in found):
        raise InputError(f"{path}: has no verdict on any of the pairs; its rows need their ids")
    missing = Preference(None, error="no recorded verdict")
    return [preference or missing for preference in found], others


def _preference(row: Row) -> Preference:
    winner, error = _field(row, "winner"), row.get("error")
    if winner not in WINNERS:
        raise InputError(f"winner is {winner!r}; it must be 'a', 'b', 'tie' or null")
    if error is not None and not isinstance(error, str):
        raise InputError(f"error must be a text or null, not {kind_of(error)}")
    if winner is not None and error:
        raise InputError(f"winner is {winner!r}, and yet there is an error; one of the two must be null")
    probability, scores = _number(row, "probability"), row.get("scores") or [None, None]
    if probability is not None and not 0 <= probability <= 1:
        raise InputError(f"probability is {probability}; it must be between 0 and 1: P(a is better)")
    if not isinstance(scores, list) or len(scores) != 2:
        raise InputError("scores must be a list of two: what a and b got")
    a, b = (_number({"scores": score}, "scores") for score in scores)
    reason = None if winner else error or "no reason recorded"
    judge, votes = str(row.get("judge", "")), _votes(row)
    return Preference(winner, probability, (a, b), _consistent(row), error=reason, judge=judge, votes=votes)


def _consistent(row: Row) -> bool | None:
    value = row.get("consistent")
    if value is not None and not isinstance(value, bool):
        raise InputError(f"consistent must be true, false or null, not {kind_of(value)}")
    return value


def _votes(row: Row) -> Votes:
    orders = row.get("votes") or []
    if not isinstance(orders, list) or len(orders) > 2 or not all(isinstance(order, list) for order in orders):
        raise InputError("votes must be a list of one or two lists: the order a, b first")
    for vote in (vote for order in orders for vote in order):
        if vote not in WINNERS:
            raise InputError(f"a vote is {vote!r}; it must be 'a', 'b', 'tie' or null")
    return tuple(tuple(order) for order in orders)


def _field(row: Row, name: str) -> Any:
    if name not in row:
        raise InputError(f"{name!r} is missing{nearest(name, row, 'the row has') if row else ''}")
    return row[name]


def _number(row: Row, name: str) -> float | None:
    value = row.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise InputError(f"{name} must hold numbers or null, not {kind_of(value)}")
    return float(value)
