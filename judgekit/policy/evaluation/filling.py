"""A file of results, filled batch by batch; what is there already is not made again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from judgekit.files import Results
from judgekit.files.rows import HasId

Item = TypeVar("Item", bound=HasId)
Progress = Callable[[str, int], AbstractContextManager[Callable[[int], None]]]


@contextmanager
def silent(label: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show no progress."""
    yield lambda done: None


def fill(
    path: Path,
    author: tuple[str, str],
    items: Sequence[Item],
    rows_of: Callable[[list[Item]], Sequence[dict[str, Any]]],
    size: int,
    progress: Progress = silent,
) -> None:
    """Write a row for each item, or for those that have none yet.

    Args:
        author: what a row calls who wrote it, and the fingerprint of that: ``("judge", "8f...")``.
        rows_of: a row for each item of a batch, in order; each begins with ``id``.
        size: items in a batch, which is what a kill can lose.

    Raises:
        InputError: the file holds what another one wrote, or of other items.
    """
    by, fingerprint = author
    with Results(path, fingerprint, by) as results, progress(path.stem, len(items)) as show:
        remaining = results.remaining(items)
        while batch := list(islice(remaining, size)):
            results.write(rows_of(batch))
            show(results.done)
