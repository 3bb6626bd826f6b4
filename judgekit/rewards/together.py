"""Jobs that wait for something outside, at the same time, and no longer than a deadline."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

T = TypeVar("T")
WORKERS = 64
LOG = logging.getLogger("judgekit.rewards")


class LateError(Exception):
    """A job had not ended at the deadline."""


class Lane:
    """Who does the jobs of one kind: up to 64 threads. One that hangs takes its place in later batches, and no other's.

    The threads are daemons: a job that hangs forever keeps neither the batch nor the end of the program waiting.
    """

    def __init__(self) -> None:
        self.threads: list[threading.Thread] = []

    def __getstate__(self) -> dict[str, Any]:
        return {"threads": []}

    def start(self, work: Callable[[], None], jobs: int) -> int:
        """Start as many threads as there are jobs and places, or as the system allows; return how many."""
        self.threads = [thread for thread in self.threads if thread.is_alive()]
        places = min(jobs, WORKERS - len(self.threads))
        for started in range(places):
            thread = threading.Thread(target=work, daemon=True)
            try:
                thread.start()
            except RuntimeError as error:  # too many threads, or no memory for one more
                LOG.warning("the system starts %d of %d threads for a channel: %s", started, places, error)
                return started
            self.threads.append(thread)
        return places

    @property
    def full(self) -> bool:
        """Whether as many threads as can be have not come back yet."""
        return len(self.threads) == WORKERS


def together(
    lanes: Sequence[tuple[Lane, Sequence[Callable[[], T]]]], deadline: float | None = None
) -> list[list[T | Exception]]:
    """Return what each job of each lane returned or raised, in their order; `LateError` for what had not ended in time.

    A lane for which the system starts no thread has its jobs done here, after all others were started. Not so with a
    deadline, which nobody could keep then: they are late at once.

    Args:
        deadline: seconds for all of them.
    """
    if deadline is None and sum(len(jobs) for _, jobs in lanes) == 1:
        return [[_run(job) for job in jobs] for _, jobs in lanes]
    end = None if deadline is None else time.monotonic() + deadline
    ended: queue.SimpleQueue[tuple[int, int, T | Exception]] = queue.SimpleQueue()
    found: list[list[T | Exception]] = []
    here: list[int] = []
    left = 0
    for at, (lane, jobs) in enumerate(lanes):
        why = f"it had not ended after {deadline} s"
        if not jobs or lane.start(_worker(at, jobs, ended, end), len(jobs)):
            left += len(jobs)
        elif lane.full:
            why = f"{WORKERS} calls of earlier batches have not ended yet"
        elif deadline is None:
            here.append(at)
        else:
            why = "the system starts no thread that could wait for it until the deadline"
        found.append([LateError(why) for _ in jobs])
    for at in here:
        found[at] = [_run(job) for job in lanes[at][1]]
    for _ in range(left):
        try:
            at, place, result = ended.get(timeout=None if end is None else max(0.0, end - time.monotonic()))
        except queue.Empty:
            break
        found[at][place] = result
    return found


def _worker(
    at: int,
    jobs: Sequence[Callable[[], T]],
    ended: queue.SimpleQueue[tuple[int, int, T | Exception]],
    end: float | None,
) -> Callable[[], None]:
    """Return what each thread of a lane does: the next job, until none is left or it is too late."""
    waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
    for place in range(len(jobs)):
        waiting.put(place)

    def work() -> None:
        while end is None or time.monotonic() < end:
            try:
                place = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                result = _run(jobs[place])
            except BaseException as error:  # a cancelled task, an exit: whoever waits for this job must be told
                result = RuntimeError(f"{type(error).__name__}: {error}")
            ended.put((at, place, result))

    return work


def _run(job: Callable[[], T]) -> T | Exception:
    try:
        return job()
    except Exception as error:
        return error
