"""The same job on many parts, on all processors."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Callable, Sequence
from typing import TypeVar

Part, Found = TypeVar("Part"), TypeVar("Found")


def spread(job: Callable[[Part], Found], parts: Sequence[Part]) -> list[Found]:
    """Return what the job makes of each part; forked processes share them where the system forks safely (Linux).

    What the job raises is raised here. Elsewhere a new process would import everything again, for longer than the job.
    """
    workers = min(len(parts), len(os.sched_getaffinity(0)) if sys.platform == "linux" else 1)
    if workers < 2:
        return [job(part) for part in parts]
    with multiprocessing.get_context("fork").Pool(workers) as pool:
        return pool.map(job, parts, chunksize=1)
