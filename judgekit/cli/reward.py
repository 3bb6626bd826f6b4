"""``judgekit reward``: what a reward makes of recorded rollouts, before a run is built on it."""

from __future__ import annotations

import json as json_
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from judgekit.cli.judging import Json

if TYPE_CHECKING:
    from judgekit.rewards import Rewards, Rollout

app = typer.Typer(help="Try a reward on recorded rollouts.", no_args_is_help=True)


@app.callback()
def _only() -> None:
    """Try a reward on recorded rollouts."""


@app.command()
def check(
    reward: Annotated[Path, typer.Argument(help="reward.yaml, or the folder that holds it.")],
    rollouts: Annotated[
        Path, typer.Option("--rollouts", help="JSONL: prompt, completion; group and whatever a channel reads.")
    ],
    json: Json = False,
) -> None:
    """Show every channel's value, what is added up, the reward and the advantage of each rollout.

    The advantage is GRPO's, (r - mean) / (deviation + 1e-4) in the group; r - mean where the reward itself normalises.

    Exit codes: 0 done, 1 not one rollout has a reward, 2 something for you to mend.
    """
    from judgekit.errors import InputError
    from judgekit.files import read_rows
    from judgekit.policy import load_reward
    from judgekit.rewards.normalize import advantages

    used = load_reward(reward)
    batch = [_rollout(row, line, rollouts) for line, row in read_rows(rollouts)]
    if not batch:
        raise InputError(f"{rollouts}: no rollouts")
    found = used.score(batch)
    gains = advantages(found.totals, found.groups, scaled=used.normalize == "none")
    if json:
        print(json_.dumps(_facts(found, gains), allow_nan=False))
    else:
        _show(batch, found, gains)
    if found.unscored == len(batch):
        raise typer.Exit(1)


def _rollout(row: dict[str, Any], line: int, path: Path) -> Rollout:
    from judgekit.errors import InputError
    from judgekit.rewards.rollout import Rollout, text_of
    from judgekit.types import prompt_text

    prompt: Any = row.get("prompt")
    completion: Any = row.get("completion", row.get("response"))
    if not _is_text(prompt) or not _is_text(completion):
        raise InputError.at(
            path, line, "a rollout has a 'prompt' and a 'completion', each a text or a list of messages"
        )
    if not isinstance(group := row.get("group", ""), str | int):
        raise InputError.at(path, line, f"a group is a name or a number, not {group!r:.60}")
    columns = {name: value for name, value in row.items() if name not in ("prompt", "completion", "response", "group")}
    return Rollout(prompt, text_of(completion), row.get("group", prompt_text(prompt)), columns)


def _is_text(value: Any) -> bool:
    """Return whether a value is a text, or messages that have a role and a text."""
    keys = ("role", "content")
    messages = value if isinstance(value, list) else []
    whole = all(isinstance(turn, dict) and all(isinstance(turn.get(key), str) for key in keys) for turn in messages)
    return isinstance(value, str) or (isinstance(value, list) and bool(value) and whole)


def _facts(found: Rewards, gains: list[float]) -> dict[str, Any]:
    return {
        "rewards": found.totals,
        "advantages": gains,
        "channels": found.values,
        "parts": found.parts,
        "reasons": {name: {str(i): why for i, why in some.items()} for name, some in found.reasons.items()},
        "groups": found.groups,
        "unscored": found.unscored,
        "gated": found.gated,
        "copies": found.copies,
        "asked": found.asked,
    }


def _show(batch: list[Rollout], found: Rewards, gains: list[float]) -> None:
    from judgekit.cli.show import rows

    names = list(found.values)
    group = {i: k for k, places in enumerate(found.groups) for i in places}
    heads = [head for name in names for head in (name, "adds")]
    rows(
        ("", "group", *heads, "reward", "advantage", "begins"),
        [
            (
                i,
                group[i],
                *(_number(some[name][i]) for name in names for some in (found.values, found.parts)),
                _number(found.totals[i]),
                _number(gains[i]),
                rollout.visible[:24].replace("\n", " "),
            )
            for i, rollout in enumerate(batch)
        ],
    )
    for name in names:
        for i, why in found.reasons[name].items():
            print(f"  {name} has no value for rollout {i}: {why}")
    for name, values in found.values.items():
        if len(batch) > 1 and len(set(values)) == 1 and values[0] is not None:
            print(f"  {name} is {values[0]:.3f} for all: does it read what these rollouts hold?")
    for name, count in found.gated.items():
        print(f"  the gate {name} kept {count} of {len(batch)} from the other channels")
    print(f"  {found.unscored} of {len(batch)} rollouts have no reward")


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
