"""How EpisodeBench's released code scores a format and counts a length, faults included: to compare with, not to use.

Every function is given all that the policy wrote. Regular expressions of the release that take quadratic time are
written out here.
"""

from __future__ import annotations

import ast
import json
import re
from typing import Any

from judgekit.rewards.mending import mended

FENCE, END = "```json", "```"
COUNTED = re.compile(r"[\u4e00-\u9fa5]|[a-zA-Z0-9]+")
UNREADABLE = (ValueError, TypeError, SyntaxError, RecursionError, MemoryError)


def count_tokens(text: str) -> int:
    """Return the length as ``story_generation_len_new.py`` counts it: characters of U+4E00-9FA5, and runs of a-zA-Z0-9.

    "don't stop" is 3, "Élan vital" 2 ("lan", "vital"), "20:30, 3.14" 4, kana and rare characters nothing.
    """
    return len(COUNTED.findall(text))


def all_or_nothing(completion: str) -> float:
    """Score as ``mask`` and ``no_mask`` do: 0.15 for a fence and 0.25 + 0.60 for the whole form; else nothing at all.

    Python's literals are tried first, then JSON. An id that is a number is refused; an empty story is not.
    """
    text = without_thinking(completion).strip()
    fenced = FENCE in text and text.count(END) >= 2
    body = (_fenced(text) if fenced else None) or text[text.find("{") : text.rfind("}") + 1]
    found = _literal(body) if "{" in text else None
    return (0.15 if fenced else 0.0) + 0.25 + 0.60 if _whole(found) else 0.0


def plain_json(completion: str) -> float:
    """Score as ``with_pred`` does: 0.2 for a fence, 0.3 for JSON of any kind, 0.5 for the two keys and any list.

    Reasoning is not taken off, so that JSON after it has to be fenced.
    """
    found, read = _json(_fenced(completion) or completion)
    return (0.2 if FENCE in completion else 0.0) + (0.3 if read else 0.0) + (0.5 if _keys(found) else 0.0)


def mended_json(completion: str) -> float:
    """Score as ``len_new`` does: 0.15 for a fence, 0.25 for whatever can be mended to an object, 0.60 for its two keys.

    The list must hold something, no matter what. A broken answer is worth as much as a whole one.
    """
    fenced = FENCE in completion and completion.count(END) >= 2
    found = mended(without_thinking(completion))
    return (
        (0.15 if fenced else 0.0)
        + (0.25 if isinstance(found, dict) else 0.0)
        + (0.60 if _keys(found) and found["plot_list"] else 0.0)
    )


def without_thinking(text: str) -> str:
    """Return a text without its ``<think>...</think>``; what is never ended stays."""
    parts: list[str] = []
    while (start := text.find("<think>")) >= 0 and (end := text.find("</think>", start)) >= 0:
        parts.append(text[:start])
        text = text[end + len("</think>") :]
    return "".join([*parts, text])


def _fenced(text: str) -> str | None:
    start = text.find(FENCE)
    end = text.find(END, start + len(FENCE))
    return text[start + len(FENCE) : end].strip() if start >= 0 and end >= 0 else None


def _literal(body: str) -> Any:
    try:
        return ast.literal_eval(body)
    except UNREADABLE:
        return _json(body)[0]


def _json(body: str) -> tuple[Any, bool]:
    try:
        return json.loads(body.strip()), True
    except UNREADABLE:
        return None, False


def _keys(found: Any) -> bool:
    return isinstance(found, dict) and "next_episode" in found and isinstance(found.get("plot_list"), list)


def _whole(found: Any) -> bool:
    return (
        _keys(found)
        and bool(found["plot_list"])
        and all(map(_plot, found["plot_list"]))
        and isinstance(found["next_episode"], str)
    )


def _plot(plot: Any) -> bool:
    if not isinstance(plot, dict) or not isinstance(plot.get("narrative"), str):
        return False
    said = plot.get("role_dialogue")
    return isinstance(said, dict) and (not said or all(isinstance(said.get(key), str) for key in ("name", "utterance")))
