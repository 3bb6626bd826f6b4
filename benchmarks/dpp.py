"""Diversity by one factorisation a group, against a determinant for each rollout, one by one and in batches.

All three read the same kernels of 64 groups of 16 vectors, some of them copies, in float64; building the kernels is
nobody's part of the time. Each round times all three, in processor time, and its ratios are of that round, so that who
else uses the machine matters little; the ratios told are the medians of the rounds. Give every library one thread::

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python -m benchmarks.dpp --json
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from judgekit.rewards.diversity import ETA, contributions, schur

Array = NDArray[np.float64]
WIDTH = 384


def vectors(groups: int, size: int, seed: int = 0) -> Array:
    """Return groups of unit vectors as like as texts to one prompt (cosine about .7), the last a copy of the first."""
    rng = np.random.default_rng(seed)
    rows = 1.5 * rng.normal(size=(groups, 1, WIDTH)) + rng.normal(size=(groups, size, WIDTH))
    rows[:, -1] = rows[:, 0]
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def kernels_of(rows: Array) -> Array:
    return rows @ rows.swapaxes(-1, -2)


def others(size: int) -> NDArray[np.intp]:
    """Return for each i all places but i, (size, size - 1)."""
    return np.array([[j for j in range(size) if j != i] for i in range(size)])


def loop(kernels: Array, eta: float = ETA) -> Array:
    """det L / det L_-i, a determinant at a time."""
    size = kernels.shape[-1]
    whole, kept = kernels + eta * np.eye(size), others(size)
    found = np.empty(kernels.shape[:2])
    for row, one in zip(found, whole, strict=True):
        top = np.linalg.det(one)
        for i in range(size):
            row[i] = top / np.linalg.det(one[kept[i][:, None], kept[i]])
    return found


def batched(kernels: Array, eta: float = ETA) -> Array:
    """det L / det L_-i, the determinants of all minors of all groups in one call."""
    size = kernels.shape[-1]
    whole, kept = kernels + eta * np.eye(size), others(size)
    return np.linalg.det(whole)[:, None] / np.linalg.det(whole[:, kept[:, :, None], kept[:, None, :]])


def took(call: Callable[[], object], times: int) -> float:
    """Return the processor time of one call, in seconds."""
    start = time.process_time()
    for _ in range(times):
        call()
    return (time.process_time() - start) / times


def compared(groups: int, size: int, rounds: int) -> dict[str, float]:
    """Return seconds a batch of each, ratios, and by how much the values differ at most."""
    kernels = kernels_of(vectors(groups, size))
    ways = {"loop": loop, "batched": batched, "ours": schur}
    values = {name: way(kernels) for name, way in ways.items()}  # the first call of each warms it up
    times = {"loop": 1, "batched": 3, "ours": 20}
    runs = [{name: took(lambda w=way: w(kernels), times[name]) for name, way in ways.items()} for _ in range(rounds)]
    return {
        **{f"{name}_s": statistics.median(run[name] for run in runs) for name in ways},
        **{f"ratio_{name}": statistics.median(run[name] / run["ours"] for run in runs) for name in ("loop", "batched")},
        "max_abs_difference": max(float(abs(values[name] - values["ours"]).max()) for name in ("loop", "batched")),
    }


def growth(rounds: int) -> None:
    """Print what a group costs, by its size; fewer groups where they are large, for the minors have to fit."""
    print("\ngroup size   microseconds a group: ours   batched determinants   loop")
    cost = {}
    for size in (4, 8, 16, 32, 64, 128):
        groups = min(64, max(1, (32 // size) ** 3))
        found = compared(groups, size, rounds)
        cost[size] = [found[f"{name}_s"] / groups * 1e6 for name in ("ours", "batched", "loop")]
        print("{:10d} {:29.1f} {:22.1f} {:6.0f}".format(size, *cost[size]))
    powers = [math.log2(b / a) / 2 for a, b in zip(cost[32], cost[128], strict=True)]
    print("from 32 to 128 as size to the power of {:.1f}, {:.1f}, {:.1f}".format(*powers))


def on_gpu(rounds: int, device: str = "cuda") -> None:
    """Print what 64 groups cost from their vectors on, kernels included, with numpy and on a GPU, in wall time."""
    import torch

    print(f"\ngroup size   milliseconds for 64 groups, kernels included: numpy   {device}")
    for size in (4, 16, 64, 128):
        rows = vectors(64, size)
        there = torch.from_numpy(rows).to(device)
        far = abs(contributions(there).cpu().numpy() - contributions(rows)).max()
        here_s, there_s = waited(lambda r=rows: contributions(r), rounds), waited(lambda t=there: told(t), rounds)
        print(f"{size:10d} {here_s * 1e3:54.2f} {there_s * 1e3:6.2f}   (they differ by {far:.0e})")


def told(rows: Any) -> list[list[float]]:
    """Values as the channel needs them: back from the device, so that nothing is still under way."""
    found: list[list[float]] = contributions(rows).tolist()
    return found


def waited(call: Callable[[], object], rounds: int) -> float:
    def one() -> float:
        start = time.perf_counter()
        call()
        return time.perf_counter() - start

    return statistics.median(one() for _ in range(rounds))


def gpu_at_hand() -> bool:
    try:
        import torch
    except ImportError:
        return False
    return torch.cuda.is_available()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="end with one JSON line")
    parser.add_argument("--groups", type=int, default=64)
    parser.add_argument("--size", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=11)
    arguments = parser.parse_args()
    found = compared(arguments.groups, arguments.size, arguments.rounds)
    ours, minors, single = (found[f"{name}_s"] * 1e3 for name in ("ours", "batched", "loop"))
    print(f"{arguments.groups} groups of {arguments.size}, eta {ETA}, milliseconds of processor time:")
    print(f"one factorisation {ours:.2f}; batched determinants {minors:.2f}; a loop of determinants {single:.1f}")
    print(
        f"{found['ratio_batched']:.1f} and {found['ratio_loop']:.1f} times; equal to {found['max_abs_difference']:.0e}"
    )
    growth(3)
    if gpu_at_hand():
        on_gpu(arguments.rounds)
    else:
        print("\nno GPU at hand")
    if arguments.json:
        print(json.dumps({name: found[name] for name in ("ratio_loop", "ratio_batched", "max_abs_difference")}))


if __name__ == "__main__":
    main()
