"""Policies, turns and judges for the tests of evaluations."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from judgekit.episodes import Turn
from judgekit.models import FakeModel, Request
from judgekit.policy.asked import StoryPrompt
from judgekit.policy.evaluation.responses import Responded


def says(episode: str, narrative: str = "It rains.") -> str:
    return json.dumps({"plot_list": [{"narrative": narrative, "role_dialogue": {}}], "next_episode": episode})


def turn(name: str, story: str | None, right: str, episode: str | None = "1", **more: Any) -> Turn:
    prompt = ({"role": "user", "content": f"Act {name}."},)
    metadata = {"behaviour": more["behaviour"]} if "behaviour" in more else {}
    context = dict.fromkeys(("background", "history", "episode", "progress", "user_input"), f"of {name}")
    return Turn(
        name, prompt, right, f"{story}/0", episode, 1, 5, more.get("language", "en"), story, None, context, metadata
    )


def responded(asked: Turn | StoryPrompt, *texts: str | None, cut: Sequence[bool] = ()) -> Responded:
    errors = tuple(None if text is not None else "the model is down" for text in texts)
    return Responded(asked, texts, errors, tuple(cut) or (False,) * len(texts))


def policy(replies: Mapping[str, Sequence[str]], asked: list[Request] | None = None) -> FakeModel:
    """A policy that gives the k-th of its replies to what it is asked; what it was asked is noted."""

    def reply(request: Request) -> str:
        if asked is not None:
            asked.append(request)
        return replies[request.identity][request.draw]

    return FakeModel(reply)


def write_rows(path: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


def read_rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
