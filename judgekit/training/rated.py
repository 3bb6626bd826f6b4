"""Rated samples for one rubric: read from a file, checked against its criteria."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from judgekit.episodes.judged import Unusable, is_published, published_of
from judgekit.errors import InputError, nearest
from judgekit.files import check, rated_of, read
from judgekit.files.rows import Row
from judgekit.rubrics.rubric import Rubric
from judgekit.types import Rated


def read_rated(path: Path, rubric: Rubric) -> tuple[list[Rated], dict[str, int]]:
    """Read ``ratings.jsonl``, or EpisodeBench's published rows; count those of the latter that cannot be used.

    Raises:
        InputError: a row of ours that cannot be used, or that does not fit the rubric; names the file and the line. Or
            no row can be used.
    """

    def build(row: Row, line: int) -> Rated | Unusable:
        found = published_of(row, line, rubric.language) if is_published(row) else rated_of(row, line)
        return found if isinstance(found, Unusable) else fitting(rubric, found)

    check(path, build)
    rows = list(read(path, build))
    left_out = dict(Counter(row.reason for row in rows if isinstance(row, Unusable)).most_common())
    usable = [row for row in rows if isinstance(row, Rated)]
    if not usable:
        reasons = ", ".join(f"{count} with {reason}" for reason, count in left_out.items())
        raise InputError(f"{path}: none of the {len(rows)} rows can be used: {reasons}")
    return usable, left_out


def fitting(rubric: Rubric, rated: Rated) -> Rated:
    """Return the row as it is.

    Raises:
        InputError: it scores a criterion that the rubric does not have, or outside the criterion's scale.
    """
    scales: Mapping[str, tuple[float, float]] = {c.id: c.scale for c in rubric.criteria}
    for name, value in rated.scores.items():
        if name not in scales:
            raise InputError(f"{rubric.id} has no criterion {name!r}{nearest(name, scales)}")
        low, high = scales[name]
        if value is not None and not low <= value <= high:
            raise InputError(f"the score of {name} is {value:g}; its scale goes from {low:g} to {high:g}")
    if unknown := [name for name in rated.reviews if name not in scales]:
        raise InputError(f"a review of {unknown[0]!r}: {rubric.id} has no such criterion{nearest(unknown[0], scales)}")
    return rated
