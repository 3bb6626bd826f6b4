"""One line of a data file and the value that it stands for, both ways."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any, Literal, Protocol

from judgekit.errors import InputError, nearest
from judgekit.types import Comparison, Pair, Preference, Prompt, Sample, Score

MAX_CHARS = 2_000_000  # of one text; no judge reads more
MAX_DEPTH = 50  # of metadata
Row = Mapping[str, Any]


class HasId(Protocol):
    """What a row stands for: a sample, a comparison, a pair, a question to a teacher (all of them dataclasses)."""

    @property
    def id(self) -> str: ...


def sample_of(row: Row, line: int) -> Sample:
    """Build a sample from ``{"prompt", "response", "id"?, "reference"?, "metadata"?}``.

    Raises:
        InputError: a field is missing, of the wrong type, empty, or holds what cannot be judged.
    """
    reference = None if row.get("reference") is None else _text(row, "reference")
    return Sample(prompt_of(row), _text(row, "response"), id_of(row, line), reference, metadata_of(row))


def comparison_of(row: Row, line: int) -> Comparison:
    """Build a comparison from ``{"prompt", "a", "b", "id"?, "metadata"?}``."""
    return Comparison(prompt_of(row), _text(row, "a"), _text(row, "b"), id_of(row, line), metadata_of(row))


def pair_of(row: Row, line: int) -> Pair:
    """Build a pair: a comparison with ``"label"`` (a, b, tie or null), and ``"group"``, ``"weight"`` and ``"source"``
    (human or machine) where there are any.
    """
    comparison = comparison_of(row, line)
    group = row.get("group", "")
    if not isinstance(group, str):
        raise InputError(f"group must be a text, not {kind_of(group)}")
    if "label" not in row:
        raise InputError(f"'label' is missing{nearest('label', row, 'the row has')}; where it is not known, write null")
    label = row["label"]
    if label not in ("a", "b", "tie", None):
        raise InputError(f"label is {label!r}; it must be 'a', 'b', 'tie' or null")
    return Pair(comparison, label, group, _weight(row), _source(row))


def _weight(row: Row) -> float:
    weight = row.get("weight", 1.0)
    if isinstance(weight, bool) or not isinstance(weight, (int, float)) or not 0 < weight < math.inf:
        raise InputError(f"weight is {weight!r}; it must be a number above 0")
    return float(weight)


def _source(row: Row) -> Literal["human", "machine"]:
    match row.get("source", "human"):
        case "human":
            return "human"
        case "machine":
            return "machine"
        case other:
            raise InputError(f"source is {other!r}; it must be 'human' or 'machine'")


def prompt_of(row: Row) -> Prompt:
    """Return the prompt of a row: a text or a chat."""
    prompt = row.get("prompt")
    if not isinstance(prompt, list):
        return _text(row, "prompt")
    if not prompt:
        raise InputError("prompt is an empty list")
    for turn in prompt:
        if not isinstance(turn, dict) or set(turn) != {"role", "content"}:
            raise InputError('each turn of a prompt must be {"role": ..., "content": ...}')
        _text(turn, "role"), _text(turn, "content")
    return prompt


def _text(row: Row, name: str) -> str:
    if name not in row:
        raise InputError(f"{name!r} is missing{nearest(name, row, 'the row has') if row else ''}")
    text = row[name]
    if not isinstance(text, str):
        raise InputError(f"{name} must be a text, not {kind_of(text)}")
    if not text.strip():
        raise InputError(f"{name} is empty")
    if len(text) > MAX_CHARS:
        raise InputError(f"{name} has {len(text):,} characters; the limit is {MAX_CHARS:,}")
    _judgeable(name, text)
    return text


def _judgeable(name: str, text: str) -> None:
    if "\0" in text:
        raise InputError(f"{name} holds a NUL character")
    try:
        text.encode()
    except UnicodeEncodeError as problem:
        raise InputError(f"{name} holds a lone surrogate at character {problem.start}") from None


def id_of(row: Row, line: int) -> str:
    """Return the id of a row; ``line-N`` where it has none."""
    name = row.get("id", "")
    if isinstance(name, bool) or not isinstance(name, (str, int)):
        raise InputError(f"id must be a text or a whole number, not {kind_of(name)}")
    _judgeable("id", str(name))
    return str(name) if name != "" else f"line-{line}"


def metadata_of(row: Row) -> dict[str, Any]:
    """Return the metadata of a row; empty where it has none."""
    metadata = row.get("metadata")
    if metadata is None:
        return {}
    if not isinstance(metadata, dict):
        raise InputError(f"metadata must be an object, not {kind_of(metadata)}")
    for text in _texts(metadata, MAX_DEPTH):
        _judgeable("metadata", text)
    return metadata


def _texts(value: Any, depth: int) -> Iterator[str]:
    """Yield every text inside a JSON value, keys included."""
    if not depth:
        raise InputError(f"metadata is nested more than {MAX_DEPTH} deep")
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _texts(item, depth - 1)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item, depth - 1)


def kind_of(value: object) -> str:
    """Say in words what a JSON value is."""
    names = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return names.get(type(value), f"the number {value}")


def pair_row(pair: Pair) -> dict[str, Any]:
    """Return the line of ``pairs.jsonl`` that `pair_of` reads."""
    it = pair.comparison
    sides = {"id": it.id, "prompt": it.prompt, "a": it.a, "b": it.b}
    trust = {"weight": pair.weight, "source": pair.source}
    return {**sides, "label": pair.label, "group": pair.group, **trust, "metadata": dict(it.metadata)}


def digest_of(item: Any) -> str:
    """Return a hash of everything in an item (a dataclass), and of its kind: by it a resumed run knows its rows."""
    return hashlib.sha256(json.dumps([type(item).__name__, asdict(item)]).encode()).hexdigest()[:16]


def score_row(sample: Sample, score: Score) -> dict[str, Any]:
    """Return the output row of one sample."""
    return {
        "id": sample.id,
        "input": digest_of(sample),
        "value": score.value,
        "unit": score.unit,
        "criteria": dict(score.criteria),
        "error": _sound(score.error),
        "spread": score.spread,
        "raw": score.raw,
        "interval": score.interval and list(score.interval),
        "reward": score.reward,
        "supported": score.supported,
        "rationale": _sound(score.rationale),
        "usage": asdict(score.usage),
        "judge": score.judge,
    }


def preference_row(comparison: Comparison, preference: Preference) -> dict[str, Any]:
    """Return the output row of one comparison."""
    return {
        "id": comparison.id,
        "input": digest_of(comparison),
        "winner": preference.winner,
        "probability": preference.probability,
        "scores": list(preference.scores),
        "consistent": preference.consistent,
        "votes": [list(order) for order in preference.votes],
        "error": _sound(preference.error),
        "rationale": _sound(preference.rationale),
        "usage": asdict(preference.usage),
        "judge": preference.judge,
    }


def _sound(text: str | None) -> str | None:
    """Replace what a model may have written but a UTF-8 file cannot hold."""
    return text and text.encode("utf-8", "replace").decode("utf-8")
