"""What verifiers' own code makes of our reward, as JSON: python of_verifiers.py FOLDER.

Of verifiers (v1) run: how a task loads a plugged reward by its name, and how it scores a trace. Stood in for are
the clients, renderers and sandboxes.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from absent import stand_in
from seen import SEEN

[FOLDER] = sys.argv[1:]
sys.path.append(FOLDER)
stand_in("httpx", "aiohttp", "mcp", "renderers", "prime_sandboxes", "prime_tunnel", "math_verify", "zmq", "msgpack")

import verifiers.v1 as vf  # noqa: E402
from verifiers.v1.configs.task import TaskConfig  # noqa: E402

FILE = Path(__file__).parent / "reward_file.py"
CONFIG = TaskConfig(rewards={"story": {"fn": f"{FILE}:story", "weight": 2.0}})


class Row(vf.TaskData):
    """A row of a taskset, by its own class; a replay of saved traces may not have that class."""

    answer: str = "truth"
    level: int = 3


def scored(data: Any, reply: str) -> dict[str, Any]:
    """Score a trace that ends with a reply; return its rewards with their weights, and what was raised."""
    trace = vf.Trace.model_construct(root_reply=reply, rewards={}, metrics={}, nodes=[])
    try:
        asyncio.run(vf.Task(data, CONFIG).score(trace))
        error = ""
    except Exception as raised:
        error = f"{type(raised).__name__}: {raised}"
    rewards = {name: found and [found.score, found.weight] for name, found in trace.rewards.items()}
    return {"rewards": rewards, "reward": trace.reward, "error": error}


def main() -> None:
    row = Row(prompt="write")
    found = {text: scored(row, text) for text in ("0.7 1", "fail 1", "boom 1")}
    again = scored(vf.WireTaskData(prompt="write", answer="truth", level=3), "0.7 1")
    saw = [[it.prompt, it.completion, it.sample.reference, it.columns["level"]] for it in (SEEN[0], SEEN[-1])]
    print(json.dumps({"task": found, "again": again, "saw": saw}))


if __name__ == "__main__":
    main()
