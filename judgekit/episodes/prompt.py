"""What a policy is asked in one turn of an episode.

The texts are files in ``policy/prompts``; each slot is filled once, and the player's words stand inside a fence, as a
judged text does (see `judgekit.rubrics.template`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from judgekit import content
from judgekit.episodes.graph import END, Episode, StoryGraph
from judgekit.errors import InputError, nearest
from judgekit.rubrics.prompt import CONTROL, nonce_for
from judgekit.rubrics.template import fill
from judgekit.types import Message

PLAYER = "\n=== player ===\n"
SYSTEM = "=== system ===\n"
WORDS = {"en": (" AND ", ": ", "the end"), "zh": (" 且 ", "：", "结束")}


@dataclass(frozen=True, slots=True)
class Exchange:
    """What the player did and what the story answered. How the player behaves is no part of it: no prompt may know."""

    action: str
    response: str


@lru_cache
def form(name: str) -> tuple[str, str]:
    """Return the system section and the player section of a shipped prompt, such as ``episode.en``.

    Raises:
        InputError: there is none of this name.
    """
    known = [path.stem for path in (content.folder("policy") / "prompts").glob("*.txt")]
    if name not in known:
        raise InputError(f"no prompt is called {name!r}{nearest(name, known)}")
    text = (content.folder("policy") / "prompts" / f"{name}.txt").read_text(encoding="utf-8")
    system, _, player = text.removeprefix(SYSTEM).partition(PLAYER)
    return system.strip("\n"), player.strip("\n")


def episode_prompt(
    graph: StoryGraph,
    episode: Episode,
    history: Sequence[Exchange],
    action: str,
    *,
    secret: bytes,
    prompt: str = "",
    shown: int | None = None,
) -> list[Message]:
    """Return the chat that asks for the next turn of an episode: system, the turns so far, the player's act.

    The progress that it shows is that of this very turn: 1 in the first, and ``len(history) + 1`` in general. The
    release shows the last turn's number in all of them, from which a policy reads when the jump is due.

    Args:
        history: the exchanges of this episode, and of no other.
        secret: key of the fence's nonce: the same key makes the same text, and who lacks it cannot close the fence.
        prompt: name of a form in ``policy/prompts``; by default ``episode`` in the story's language.
        shown: how many exchanges are shown, the last ones; all of them by default. The progress counts them all.
    """
    system, player = form(prompt or f"episode.{graph.language}")
    texts = {name: _broken(text) for name, text in _texts(graph, episode, len(history) + 1).items()}
    first = 0 if shown is None else max(0, len(history) - shown)
    said = [(_broken(one.action), _broken(one.response)) for one in history[first:]]
    nonce = nonce_for(secret, json.dumps([texts, said, action], sort_keys=True))
    turns: list[Message] = [{"role": "system", "content": fill(system, {**texts, "nonce": nonce})}]
    for act, response in said:
        turns.append({"role": "user", "content": fill(player, {"action": act, "nonce": nonce})})
        turns.append({"role": "assistant", "content": response})
    return [*turns, {"role": "user", "content": fill(player, {"action": _broken(action), "nonce": nonce})}]


def _broken(text: str) -> str:
    """Return a text in which nothing is a control token of a chat template."""
    return CONTROL.sub(r"\g<0> ", text)


def _texts(graph: StoryGraph, episode: Episode, progress: int) -> dict[str, str]:
    texts = {
        "background": graph.background,
        "role": graph.role,
        "episode": episode.id,
        "scene": episode.scene,
        "goal": episode.goal,
        "description": episode.description,
        "characters": characters(graph, episode),
        "triggers": triggers(graph, episode),
        "budget": str(episode.budget),
        "progress": str(progress),
    }
    return {name: text.strip() or "-" for name, text in texts.items()}


def characters(graph: StoryGraph, episode: Episode) -> str:
    """Write out who takes part, a line each."""
    return "\n".join(f"- {name}{WORDS[graph.language][1]}{who}" for name, who in episode.characters.items())


def triggers(graph: StoryGraph, episode: Episode) -> str:
    """Write out the ways out of an episode, a line each: where one leads, and all that must come true."""
    also, colon, end = WORDS[graph.language]
    return "\n".join(
        f"- {f'{END} ({end})' if one.next_episode == END else one.next_episode}{colon}{also.join(one.conditions)}"
        for one in episode.triggers
    )
