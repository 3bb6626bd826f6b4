"""100,000 rows through `judgekit score`: memory that does not grow, kills at random points, an identical file.

The judge is a fake model under ``story/hanna``, so that all the time is judgekit's own::

    python -m benchmarks.score_stream --json
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CRITERIA = ("relevance", "coherence", "empathy", "surprise", "engagement", "complexity")
# A child's own peak: it must not be this process's, which a child inherits until it has started its program.
PEAK = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[1:])
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(peak / (2**20 if sys.platform == "darwin" else 2**10))
sys.exit(code)
"""


def prepare(folder: Path, rows: int) -> None:
    """Write a judge and two inputs: all the rows, and a tenth of them."""
    replies = [json.dumps({c: {"reason": "It reads so.", "score": score} for c in CRITERIA}) for score in (2, 3, 5)]
    model = {"provider": "fake", "replies": [*replies, "No idea."]}
    judge = {"judge": "rubric", "rubric": "story/hanna", "model": model}
    (folder / "judge.yaml").write_text(json.dumps(judge))  # JSON is YAML
    for name, count in (("samples.jsonl", rows), ("few.jsonl", rows // 10)):
        with (folder / name).open("w") as stream:
            for i in range(count):
                row = {"id": f"sample-{i}", "prompt": f"Write story {i}.", "response": f"Story {i}. " * 100}
                stream.write(f"{json.dumps(row)}\n")


def command(folder: Path, source: str, out: str) -> list[str]:
    where = [str(folder / source), "--judge", str(folder / "judge.yaml"), "--out", str(folder / out)]
    return [sys.executable, "-m", "judgekit", "score", *where, "--json"]


def uninterrupted(folder: Path, source: str, out: str) -> tuple[float, float]:
    """Score a file in one go; return the peak memory in MiB and the seconds."""
    start = time.perf_counter()
    run = subprocess.run(
        [sys.executable, "-c", PEAK, *command(folder, source, out)],
        env=os.environ,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return float(run.stdout.splitlines()[-1]), time.perf_counter() - start


def killed(folder: Path, kills: int, seconds: float, dice: random.Random) -> int:
    """Kill runs at random points and resume each; return how many were killed at work."""
    out = folder / "killed.jsonl"
    out.touch()
    done = 0
    for _ in range(kills):
        size = out.stat().st_size
        run = subprocess.Popen(command(folder, "samples.jsonl", out.name), env=os.environ, stdout=subprocess.DEVNULL)
        while out.stat().st_size <= size and run.poll() is None:
            time.sleep(0.01)
        time.sleep(dice.uniform(0, 0.9 * seconds / kills))
        run.kill()
        done += run.wait() == -9
    subprocess.run(command(folder, "samples.jsonl", out.name), env=os.environ, stdout=subprocess.DEVNULL, check=True)
    return done


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder, arguments.rows)
        few, _ = uninterrupted(folder, "few.jsonl", "few.scores.jsonl")
        peak, seconds = uninterrupted(folder, "samples.jsonl", "whole.jsonl")
        kills = killed(folder, arguments.kills, seconds, random.Random(arguments.seed))
        whole = (folder / "whole.jsonl").read_bytes()
        identical = whole == (folder / "killed.jsonl").read_bytes() and whole.count(b"\n") == arguments.rows
    result = {
        "rows": arguments.rows,
        "rows_per_second": arguments.rows / seconds,
        "memory_growth_mb": peak - few,
        "kills": kills,
        "identical": identical,
    }
    print(f"peak memory: {few:.0f} MiB for {arguments.rows // 10:,} rows, {peak:.0f} MiB for {arguments.rows:,}")
    print(f"{result['rows_per_second']:.0f} rows a second; the same file after {kills} kills: {identical}")
    if arguments.json:
        print(json.dumps(result))


if __name__ == "__main__":
    main()
