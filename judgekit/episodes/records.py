"""Graphs from files: our own form, and the record that EpisodeBench's stories are published in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from judgekit.config import load, load_json
from judgekit.episodes.graph import BUDGET, StoryGraph
from judgekit.errors import ConfigError
from judgekit.files import read_rows

AND = re.compile(r"<TRIGGER_CONDITION>|<condition>")


def load_graph(path: str | Path, budget: int = BUDGET) -> StoryGraph:
    """Read the one graph of a file (see `load_graphs`).

    Raises:
        ConfigError: the file has several or none, or as `load_graphs`.
    """
    found = load_graphs(path, budget)
    if len(found) != 1:
        raise ConfigError(f"{path}: {len(found)} graphs; give a file with one")
    return found[0]


def load_graphs(path: str | Path, budget: int = BUDGET) -> list[StoryGraph]:
    """Read graphs: one from YAML or JSON, one a line from JSONL; from JSON and JSONL also the published record.

    Args:
        budget: of each episode of a published record, which has none. (The release drew it from 5 to 10 in every run.)

    Raises:
        ConfigError: the file cannot be read, or a graph cannot be played; one line for each problem.
        InputError: a JSONL file that cannot be read.
    """
    kind = Path(path).suffix.lower()
    if kind in {".yaml", ".yml"}:
        return [load(path, StoryGraph)]
    if kind == ".json":
        record = load_json(path, dict[str, Any])
        return [graph_of(record, f"{path}", budget)] if "Episodes" in record else [load_json(path, StoryGraph)]
    if kind == ".jsonl":
        return [graph_of(row, f"{path}:{line}", budget) for line, row in read_rows(path)]
    raise ConfigError(f"{path}: a graph is read from .yaml, .json or .jsonl, not from {kind or 'a bare name'!r}")


def graph_of(record: Mapping[str, Any], where: str = "graph", budget: int = BUDGET) -> StoryGraph:
    """Build a graph from its own form, or from the published record with ``Settings`` and ``Episodes``.

    Raises:
        ConfigError: one line for each problem, with its place behind ``where``.
    """
    try:
        return StoryGraph.model_validate(_published(record, budget) if "Episodes" in record else dict(record))
    except ValidationError as refused:
        faults = refused.errors(include_url=False)
        lines = (f"{where}: {'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in faults)
        raise ConfigError("\n".join(lines)) from None


def _published(record: Mapping[str, Any], budget: int) -> dict[str, Any]:
    """Return the published record in our own form; what is amiss in it is found when that is validated."""
    settings, episodes = record.get("Settings"), record["Episodes"]
    story: Mapping[str, Any] = settings if isinstance(settings, Mapping) else {}
    info = story.get("story_info")
    chinese = isinstance(info, Mapping) and info.get("language") == "中文"
    return {
        "story": story.get("story_name") or story.get("story_id"),
        "language": "zh" if chinese else "en",
        "background": _background(story),
        "role": str(story.get("leading_role") or ""),
        "episodes": [_episode(one, budget) for one in episodes] if isinstance(episodes, list) else episodes,
    }


def _background(story: Mapping[str, Any]) -> str:
    style, people = story.get("story_style"), story.get("story_chars")
    parts = [", ".join(map(str, style)) if isinstance(style, list) else style, story.get("story_desc")]
    parts += [story.get("story_goal")]
    parts += [f"{name}: {who}" for name, who in people.items()] if isinstance(people, Mapping) else []
    return "\n".join(str(part) for part in parts if part)


def _episode(one: Any, budget: int) -> Any:
    if not isinstance(one, Mapping):
        return one
    people, triggers = one.get("episode_chars"), one.get("triggers")
    return {
        "id": one.get("episode_id"),
        "goal": one.get("episode_goal"),
        "scene": one.get("episode_scene"),
        "description": one.get("episode_desc") or "",
        "characters": {str(k): str(v) for k, v in people.items()} if isinstance(people, Mapping) else {},
        "triggers": [_trigger(t) for t in triggers] if isinstance(triggers, list) else triggers,
        "budget": budget,
    }


def _trigger(one: Any) -> Any:
    if not isinstance(one, Mapping) or not isinstance(one.get("condition"), str):
        return one
    conditions = [part.strip() for part in AND.split(one["condition"]) if part.strip()]
    return {"conditions": conditions, "next_episode": one.get("next_episode")}
