"""`judgekit policy train`, killed (SIGKILL) at random moments and started again: what it leaves is what one run leaves.

A tiny model; SFT, GRPO with a judge behind a server of this process, evaluation with stories played. The moments are
drawn from the whole run: so many steps or rows done, and a little more. Compared with a run that was left alone: curves
(but for what a clock says), weights to the last bit, and the lines of every file. The lines of ``costs.jsonl`` are
those of each part of the run, since what is judged again is paid again; the server's own bill is held beside them::

    python -m benchmarks.policy_kills --kills 12 --json
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any

STEPS, SAVED, GROUP = {"sft": 5, "grpo": 6}, 2, 4
RECIPE = """
scratch: {{layers: 1, width: 16, vocabulary: 400, context: 512}}
sft:
  data: {{source: storyworld, limit: 24, faults: {{}}}}
  trl: {{max_steps: {sft}, per_device_train_batch_size: 4, learning_rate: 1.0e-3, logging_steps: 1,
        save_steps: {saved}}}
data: {{source: storyworld, limit: 24}}
reward:
  channels:
    - {{channel: length, low: 2, high: 4}}
    - {{channel: judge, judge: judge.yaml}}
grpo:
  trl: {{max_steps: {grpo}, per_device_train_batch_size: 8, num_generations: {group}, max_completion_length: 12,
        learning_rate: 1.0e-3, logging_steps: 1, save_steps: {saved}, entropy_coef: 0.1}}
evaluation:
  data: {{source: storyworld, split: test, limit: 12}}
  decoding: {{temperature: 1.0, max_tokens: 12}}
  k: 2
  play: 2
  batch: 3
"""
RUBRIC = """
id: kills/one
title: One score
mode: pointwise
reply: json
criteria: [{id: plot, title: Plot, range: [1, 5]}]
"""
JUDGE = """
judge: rubric
rubric: rubric.yaml
model: {{provider: openai, model: kills, base_url: "{url}", attempts: 1}}
"""
ASKED = [f"evaluation/{when}/{name}.jsonl" for when in ("before", "after") for name in ("responses", "played")]
MEASURED = [f"evaluation/{when}/evaluation.json" for when in ("before", "after")]
CLOCK = ("step_time", "train_", "total_flos")
NONCE = re.compile(r"\b[0-9a-f]{16}\b")  # of the fence, another one in each process
TOKENS = 10  # of a call
LATER = 0.5  # seconds; a kill comes up to so long after its moment


class Bill(ThreadingHTTPServer):
    """A judge that scores a text by its checksum, and counts how often it was asked."""

    calls = 0

    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class Answering(BaseHTTPRequestHandler):
    """Answers in the form of OpenAI's servers."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.calls += 1  # type: ignore[attr-defined]
        score = 1 + zlib.crc32(NONCE.sub("", asked["messages"][-1]["content"]).encode()) % 5
        reply = json.dumps({"plot": {"reason": "so", "score": score}})
        choice = {"index": 0, "message": {"role": "assistant", "content": reply}, "finish_reason": "stop"}
        usage = {"prompt_tokens": TOKENS - 3, "completion_tokens": 3, "total_tokens": TOKENS}
        whole = {"id": "c", "object": "chat.completion", "created": 0, "model": "kills"}
        body = json.dumps({**whole, "choices": [choice], "usage": usage}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def judged(folder: Path) -> Iterator[Bill]:
    """Write recipe and judge, and let the judge answer."""
    server = Bill(("127.0.0.1", 0), Answering)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    (folder / "recipe.yaml").write_text(RECIPE.format(**STEPS, saved=SAVED, group=GROUP))
    (folder / "rubric.yaml").write_text(RUBRIC)
    (folder / "judge.yaml").write_text(JUDGE.format(url=server.url()))
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def started(folder: Path, out: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "judgekit", "policy", "train", str(folder / "recipe.yaml"), "--out", str(out)]
    return subprocess.Popen(
        [*command, "--json"], env=os.environ, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )


def finished(folder: Path, out: Path) -> None:
    run = started(folder, out)
    _, said = run.communicate()
    if run.returncode:
        raise SystemExit(f"the run ended with {run.returncode}:\n{said}")


def lines(path: Path) -> list[str]:
    """Return the lines of a file that were written whole."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return [line for line in text.splitlines(keepends=True) if line.endswith("\n")]


def done(out: Path) -> tuple[int, int, int]:
    """Return how many steps of SFT, steps of GRPO, and rows of the evaluation there are."""
    saved = [int(path.name.partition("-")[2]) for path in (out / "sft").glob("checkpoint-*")]
    if (out / "sft" / "model").exists():
        saved.append(STEPS["sft"])
    return (
        max(saved, default=0),
        len(lines(out / "grpo" / "rollouts.jsonl")) // GROUP,
        sum(len(lines(out / n)) for n in ASKED),
    )


def killed(folder: Path, out: Path, moments: Sequence[tuple[int, int, int]], dice: random.Random) -> int:
    """Start the run once for each moment and kill it there; return how many were still at work."""
    count = 0
    for moment in moments:
        run = started(folder, out)
        while done(out) < moment and run.poll() is None:
            time.sleep(0.02)
        time.sleep(dice.uniform(0, LATER))
        run.kill()
        run.communicate()
        count += run.returncode == -9
    return count


def moments(whole: Path, kills: int, dice: random.Random) -> list[tuple[int, int, int]]:
    """Return random moments of a whole run, in order."""
    sft, grpo, rows = done(whole)
    every = [(i, 0, 0) for i in range(0, sft, SAVED)] + [(sft, i, 0) for i in range(grpo)]
    every += [(sft, grpo, i) for i in range(0, rows, 3)]
    return sorted(dice.choices(every, k=kills))


def compared(whole: Path, other: Path) -> dict[str, bool]:
    """Say what is equal."""
    equal = {name: _curve(whole / name) == _curve(other / name) for name in STEPS}
    found = {f"{name} curve": same for name, same in equal.items()}
    for name in STEPS:
        found[f"{name} weights"] = _bytes(whole, other, f"{name}/model/model.safetensors")
    for name in ("grpo/rollouts.jsonl", "grpo/monitor.jsonl", *ASKED, *MEASURED):
        found[name] = _bytes(whole, other, name)
    found["grpo/costs.jsonl"] = in_parts(lines(whole / "grpo" / "costs.jsonl"), lines(other / "grpo" / "costs.jsonl"))
    found["result.json"] = _result(whole) == _result(other)
    return found


def _bytes(whole: Path, other: Path, name: str) -> bool:
    return (whole / name).read_bytes() == (other / name).read_bytes()


def _curve(stage: Path) -> list[dict[str, float]]:
    entries = json.loads((stage / "stage.json").read_text())["result"]["curve"]
    return [{name: value for name, value in entry.items() if not name.startswith(CLOCK)} for entry in entries]


def _result(out: Path) -> dict[str, Any]:
    found = json.loads((out / "result.json").read_text())
    return {name: value for name, value in found.items() if name not in ("model", "policy", "report")}


def in_parts(whole: Sequence[str], other: Sequence[str]) -> bool:
    """Say whether these are the lines of runs that each went on where the one before had come to, or before that.

    Within a part no step is missing and none stands twice.
    """
    rows = {json.loads(line)["step"]: line for line in whole}
    steps = [json.loads(line)["step"] for line in other]
    if not steps:
        return not rows
    sound = all(rows.get(step) == line for step, line in zip(steps, other, strict=True))
    return sound and steps[0] == 1 and steps[-1] == max(rows) and all(b <= a + 1 for a, b in pairwise(steps))


def billed(out: Path) -> int:
    """Return the tokens that ``costs.jsonl`` says."""
    rows = [json.loads(line) for line in lines(out / "grpo" / "costs.jsonl")]
    return sum(row["input_tokens"] + row["output_tokens"] for row in rows)


def measure(folder: Path, at: Sequence[tuple[int, int, int]] | int, seed: int = 0) -> dict[str, Any]:
    """Run once whole, once with kills (at these moments, or at so many random ones), and compare."""
    dice = random.Random(seed)
    whole, other = folder / "whole", folder / "killed"
    with judged(folder) as bill:
        finished(folder, whole)
        if billed(whole) != TOKENS * bill.calls:
            raise SystemExit(f"{billed(whole)} tokens are said, and {TOKENS * bill.calls} were billed")
        chosen = moments(whole, at, dice) if isinstance(at, int) else at
        alone, bill.calls = bill.calls, 0
        count = killed(folder, other, chosen, dice)
        finished(folder, other)
    equal = compared(whole, other)
    return {
        "kills": count,
        "moments": chosen,
        "identical": all(equal.values()),
        "different": [name for name, same in equal.items() if not same],
        "tokens": {"whole": TOKENS * alone, "billed": TOKENS * bill.calls, "said": billed(other)},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="end with one JSON line")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Path(folder), args.kills, args.seed)
    print(json.dumps(found, indent=None if args.json else 2))


if __name__ == "__main__":
    main()
