"""The same job on many parts, on all processors."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from judgekit.errors import InputError

Part = TypeVar("Part")
Found = TypeVar("Found")


def spread(job: Callable[[Part], Found], parts: Sequence[Part]) -> list[Found]:
    """Return what the job makes of each part; forked processes share them where the system forks safely (Linux).

    What the job raises is raised here. Elsewhere a new process would import everything again, for longer than the job.

    Raises:
        InputError: the system ended a process, most likely for want of memory.
    """
    workers = min(len(parts), len(os.sched_getaffinity(0)) if sys.platform == "linux" else 1)
    if workers < 2:
        return [job(part) for part in parts]
    with ProcessPoolExecutor(workers, multiprocessing.get_context("fork")) as pool:
        try:
            return list(pool.map(job, parts))
        except BrokenProcessPool:
            raise InputError("a process was ended from outside, as happens where memory runs out") from None
