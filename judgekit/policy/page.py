"""The page of a run of policy RL; it is written anew while the run goes on."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from judgekit.policy.watching import COSTS, ROLLOUTS, read_rows
from judgekit.report import Page
from judgekit.rewards.record import read_record

FIRST = ("reward", "reward_std", "shaping/reward_variance", "entropy", "completions/mean_length", "kl", "grad_norm",
         "loss", "learning_rate", "frac_reward_zero_std", "step_time")  # fmt: skip
HIDDEN = ("/unscored", "/gated")  # shown where they are ever above 0
SHOWN = 2  # groups of the newest step
LETTERS = 600


def add_run(page: Page, folder: Path, recipe: Mapping[str, Any], history: Sequence[Mapping[str, Any]]) -> Page:
    """Add what a run has left so far in its folder.

    Args:
        recipe: as JSON can hold it.
        history: what the trainer logged.
    """
    for alarm in _alarms(folder):
        page.loud(alarm)
    page.heading("Curves")
    for name in _figures(history):
        page.curve(name, [(row["step"], row[name]) for row in history if isinstance(row.get(name), (int, float))])
    _rollouts(page, list(read_rows(folder / "grpo" / ROLLOUTS)))
    spent = list(read_rows(folder / "grpo" / COSTS))
    if spent:
        read, wrote = (sum(row[key] for row in spent) for key in ("input_tokens", "output_tokens"))
        page.heading("What the judges cost").text(f"{read} tokens read, {wrote} written.")
    page.heading("Recipe").quote(json.dumps(recipe, indent=1, ensure_ascii=False))
    return page


def _alarms(folder: Path) -> list[str]:
    path = folder / "grpo" / "monitor.jsonl"
    rows = read_record(path) if path.exists() else []
    return [f"Step {row.step}: {alarm.says}" for row in rows for alarm in row.alarms]


def _figures(history: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return what changes, the most telling first, then every channel, then what a monitor and references add."""
    values: dict[str, set[float]] = {}
    for row in history:
        for name, value in row.items():
            if isinstance(value, (int, float)):
                values.setdefault(name, set()).add(value)
    moving = [name for name, seen in values.items() if len(seen) > 1]
    told = ("reward/", "injection/", "shaping/")
    more = [name for name in moving if name.startswith(told) and name not in FIRST and not name.endswith(HIDDEN)]
    failing = [name for name in moving if name.endswith(HIDDEN)]
    return [name for name in FIRST if name in moving] + sorted(more, key=lambda n: ("monitor" in n, n)) + failing


def _rollouts(page: Page, rows: Sequence[Mapping[str, Any]]) -> None:
    if not rows:
        return
    newest = [row for row in rows if row["step"] == rows[-1]["step"]]
    page.heading(f"Rollouts of step {rows[-1]['step']}")
    prompts = list(dict.fromkeys(row["prompt"] for row in newest))[:SHOWN]
    for prompt in prompts:
        page.quote(prompt[-LETTERS:])
        group = [row for row in newest if row["prompt"] == prompt]
        channels = [name for name in group[0] if name not in ("step", "prompt", "completion", "reward", "advantage")]
        heads = ("response", *channels, "reward", "advantage")
        page.table(heads, [(r["completion"][:LETTERS], *(r[n] for n in channels), r["reward"], r["advantage"])
                           for r in group])  # fmt: skip
