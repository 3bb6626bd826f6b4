"""Turns from and to the column layouts in which EpisodeBench is published.

``story_generation_rl`` has a row for each turn: ``prompt``, ``system_prompt``, ``conversation_history``,
``user_input``, ``target_response``, ``judge_system_prompt``, ``turn_index``, ``total_turns``, ``language`` and
``extra_info``. ``story_generation_sft`` has one for each episode: ``system``, ``conversations``, ``generate_system``
and ``judge_prompt``. Lists and dicts may stand as Python or JSON text. Rows for judges: `judgekit.episodes.judged`.

A prompt is taken as published, but for two faults: the player's words lose the label of the behaviour, and the
progress becomes that of the row's own turn. The published texts have no fence.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from judgekit.episodes.cells import literal
from judgekit.episodes.data import Turn
from judgekit.episodes.progress import PROGRESS, own_progress
from judgekit.episodes.response import EpisodeTurn, as_turn, parse_response, spelled
from judgekit.files.rows import Row
from judgekit.types import Message

TOTAL = re.compile(
    r"^#### (?:(?:Overall|Total) (?:Chapter|Episode) Design Progress|Episode Total Progress|章节设计总进度)[:：]?"
    r"[ \t]*+\n[ \t]*+(\d{1,6})[ \t]*+$",
    re.MULTILINE,
)
ROLES = {"user": "user", "human": "user", "assistant": "assistant", "gpt": "assistant", "system": "system"}
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def rl_turn(row: Row, name: str) -> Turn | str:
    """Build the turn of a ``story_generation_rl`` row, or say why there is none."""
    given = _chat(row.get("prompt"))
    if isinstance(given, str):
        return f"prompt: {given}"
    extra = _cell(row.get("extra_info"))
    known: Mapping[str, Any] = extra if isinstance(extra, Mapping) else {}
    story = spelled(known.get("story_id"))
    behaviour = _player(row.get("user_input"))[1] or _player(given[-1]["content"])[1]
    conversation = str(known.get("conversation") or f"{name}")
    return _turn(
        given, row.get("target_response"), name, conversation, story, behaviour, spelled(known.get("episode_id"))
    )


def sft_turns(row: Row, name: str) -> list[Turn | str]:
    """Build a turn for each answer of a ``story_generation_sft`` row, or say why there is none."""
    talk = _chat(row.get("conversations"))
    if isinstance(talk, str):
        return [f"conversations: {talk}"]
    system: list[Message] = [{"role": "system", "content": str(row.get("system") or row.get("generate_system") or "")}]
    answers = [i for i, message in enumerate(talk) if message["role"] == "assistant"]
    return [
        _turn([*system, *talk[:i]], talk[i]["content"], f"{name}/{n}", name, None, _player(talk[i - 1]["content"])[1])
        for n, i in enumerate(answers, 1)
    ]


def _turn(
    given: Sequence[Message],
    target: Any,
    name: str,
    conversation: str,
    story: str | None,
    behaviour: str | None,
    episode: str | None = None,
) -> Turn | str:
    if given[-1]["role"] != "user":
        return "the prompt does not end with the player"
    right = _next(target)
    if right is None:
        return "the target names no next episode"
    progress = sum(message["role"] == "user" for message in given)
    prompt = _mended(given, progress)
    system = "\n".join(message["content"] for message in prompt if message["role"] == "system")
    total = TOTAL.search(system)
    return Turn(
        id=name,
        prompt=tuple(prompt),
        next_episode=right,
        conversation=conversation,
        episode=episode or _current(given),
        progress=progress,
        budget=int(total[1]) if total else None,
        language="zh" if len(CHINESE.findall(system)) * 4 > len(system) else "en",
        story=story,
        reference=_reference(target),
        metadata={} if behaviour is None else {"behaviour": behaviour},
    )


def _mended(given: Sequence[Message], progress: int) -> list[Message]:
    """Return the prompt with its own progress, where it shows any, and without the labels of the player."""
    plain: list[Message] = [
        {"role": m["role"], "content": _player(m["content"])[0] if m["role"] == "user" else m["content"]} for m in given
    ]
    shown = any(PROGRESS.search(message["content"]) for message in plain if message["role"] == "system")
    return own_progress(plain, progress) if shown else plain


def _chat(value: Any) -> list[Message] | str:
    """Return a chat of either spelling (role and content, from and value), or why it is none."""
    found = _cell(value)
    if not isinstance(found, list) or not found:
        return "holds no list of messages"
    chat: list[Message] = []
    for one in found:
        who = one.get("role", one.get("from")) if isinstance(one, Mapping) else None
        if who not in ROLES:
            return f"a message is of nobody known: {who!r:.40}"
        said = one.get("content", one.get("value"))
        chat.append({"role": ROLES[who], "content": said if isinstance(said, str) else str(said)})
    return chat


def _cell(value: Any) -> Any:
    return literal(value) if isinstance(value, str) else value


def _player(value: Any) -> tuple[str, str | None]:
    """Return what the player did and, apart from it, the label; a text that is no such pair is the act itself."""
    found = _cell(value)
    if isinstance(found, Mapping) and "action" in found:
        return str(found["action"]), None if found.get("type") is None else str(found["type"])
    return str(value), None


def _object(target: Any) -> Any:
    """Return the object of a response: JSON or Python as it stands, or the one that its text holds."""
    found = _cell(target)
    if isinstance(found, Mapping) or not isinstance(target, str):
        return found
    turn = parse_response(target)
    return turn.model_dump() if isinstance(turn, EpisodeTurn) else None


def _next(target: Any) -> str | None:
    found = _object(target)
    return spelled(found.get("next_episode")) if isinstance(found, Mapping) else None


def _current(given: Sequence[Message]) -> str | None:
    """Return the episode that the story was left in: the last answer's next one; None in a first turn."""
    answers = [message["content"] for message in given if message["role"] == "assistant"]
    return _next(answers[-1]) if answers else None


def _reference(target: Any) -> str | None:
    """Return the target as the prompt asks for it, fenced JSON; None where it is not of the form."""
    found = _object(target)
    turn = as_turn(found) if isinstance(found, Mapping) else "no object"
    return None if isinstance(turn, str) else fenced(turn)


def fenced(turn: EpisodeTurn) -> str:
    """Write a turn as the prompt asks for it: one JSON object in a fence."""
    return f"```json\n{json.dumps(turn.model_dump(), ensure_ascii=False)}\n```"


def rl_rows(turns: Sequence[Turn], split: str = "train") -> Iterator[Row]:
    """Yield turns that have a reference as rows of ``story_generation_rl``; we have no prompt for its judge.

    ``extra_info`` has two keys more than the published one, ``episode_id`` and ``conversation``.
    """
    totals = _totals(turns)
    for i, turn in enumerate(turn for turn in turns if turn.reference is not None):
        place = {"turn_index": turn.progress - 1, "total_turns": totals[_play(turn)]}
        player = {"type": turn.metadata.get("behaviour"), "action": turn.prompt[-1]["content"]}
        yield {
            "prompt": list(turn.prompt),
            "system_prompt": turn.prompt[0]["content"],
            "conversation_history": list(turn.prompt[1:-1]),
            "user_input": str(player),
            "target_response": turn.reference,
            "judge_system_prompt": None,
            **place,
            "language": turn.language,
            "extra_info": {
                "index": i,
                "split": split,
                "story_id": turn.story,
                **place,
                "episode_id": turn.episode,
                "conversation": turn.conversation,
            },
        }


def sft_rows(turns: Sequence[Turn]) -> Iterator[Row]:
    """Yield episodes whose last turn has a reference as rows of ``story_generation_sft``.

    As published, the one system message holds the progress of the last turn: `sft_turns` puts each turn's own in.
    """
    last = {_play(turn): turn for turn in sorted(turns, key=lambda turn: turn.progress)}
    for turn in last.values():
        if turn.reference is not None:
            talk = [*turn.prompt[1:], {"role": "assistant", "content": turn.reference}]
            system = turn.prompt[0]["content"]
            conversations = [{"from": message["role"], "value": message["content"]} for message in talk]
            yield {"system": system, "conversations": conversations, "generate_system": system, "judge_prompt": None}


def _play(turn: Turn) -> tuple[str, str | None]:
    return turn.conversation, turn.episode


def _totals(turns: Iterable[Turn]) -> dict[tuple[str, str | None], int]:
    totals: dict[tuple[str, str | None], int] = {}
    for turn in turns:
        totals[_play(turn)] = max(turn.progress, totals.get(_play(turn), 0))
    return totals
