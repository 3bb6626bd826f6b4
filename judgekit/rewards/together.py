"""Jobs that wait for something outside, at the same time, and no longer than a deadline."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")
WORKERS = 64


class LateError(Exception):
    """A job had not ended at the deadline."""


def together(jobs: Sequence[Callable[[], T]], deadline: float | None = None) -> list[T | Exception]:
    """Return what each job returned or raised, in their order; `LateError` for what had not ended in time.

    The threads are daemons: a job that hangs forever keeps neither the batch nor the end of the program waiting.

    Args:
        deadline: seconds for all of them.
    """
    if len(jobs) == 1 and deadline is None:
        return [_run(jobs[0])]
    end = None if deadline is None else time.monotonic() + deadline
    waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
    ended: queue.SimpleQueue[tuple[int, T | Exception]] = queue.SimpleQueue()
    for place in range(len(jobs)):
        waiting.put(place)

    def work() -> None:
        while end is None or time.monotonic() < end:
            try:
                place = waiting.get_nowait()
            except queue.Empty:
                return
            ended.put((place, _run(jobs[place])))

    for _ in range(min(len(jobs), WORKERS)):
        threading.Thread(target=work, daemon=True).start()
    found: list[T | Exception] = [LateError(f"it had not ended after {deadline} s") for _ in jobs]
    for _ in jobs:
        try:
            place, result = ended.get(timeout=None if end is None else max(0.0, end - time.monotonic()))
        except queue.Empty:
            break
        found[place] = result
    return found


def _run(job: Callable[[], T]) -> T | Exception:
    try:
        return job()
    except Exception as error:
        return error
