"""Preference tables of other projects as pairs: chosen and rejected, as TRL and RewardBench write them."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from judgekit.errors import InputError, nearest
from judgekit.files import pair_of, sample_of
from judgekit.types import Message, Pair, Prompt

KEPT = ("margin", "subset", "source", "chosen_model", "rejected_model")  # and what is named after a score
TURN = "\n\nAssistant:"  # the end of the prompt where a whole dialogue is one text (Bai et al. 2022, HH-RLHF)


@dataclass(frozen=True)
class Imported:
    """Pairs, and what became of the rest of the table.

    Attributes:
        left_out: how many rows (or pairs, where it says so) could not be used, by reason.
        renamed: pairs whose id stood in the table before; they carry it with a number behind.
    """

    pairs: list[Pair]
    left_out: dict[str, int]
    renamed: int = 0


def from_preferences(rows: Iterable[Mapping[str, Any]]) -> Imported:
    """Build a pair from each row with ``chosen`` and ``rejected``.

    Both are texts, or both are lists of messages. A prompt that stands in no column of its own is the turns that both
    lists begin with (the rule of TRL's ``extract_prompt``; it wins over a ``prompt`` that is a mere text), or, of two
    texts, all up to the last ``Assistant:`` that they share. A longest common text is not taken for the prompt, as
    TRL does: it would cut off what both responses begin with. What is left must be one assistant turn on each side.

    A hash of the id decides which side is ``a``, so that the label says nothing of the order. Kept are ``id``,
    ``group`` and, as metadata, ``margin``, ``subset``, ``source``, ``chosen_model``, ``rejected_model`` and every
    column with ``score`` in its name.

    Raises:
        InputError: no row can be used; says why.
    """
    pairs, left_out, names = [], Counter[str](), Names()
    for number, row in enumerate(rows, 1):
        try:
            prompt, chosen, rejected = _parts(row)
            metadata = {name: plain(name, row[name]) for name in row if name in KEPT or "score" in name}
            identity = row.get("id", f"row-{number}")
            pairs.append(labelled(names, identity, prompt, chosen, rejected, row.get("group", ""), metadata))
        except InputError as problem:
            left_out[str(problem)] += 1
    return imported(pairs, left_out, names)


class Names:
    """The ids given so far: none is given twice."""

    def __init__(self) -> None:
        self._times: dict[str, int] = {}
        self.renamed = 0

    def new(self, name: str) -> str:
        """Return a name that was not given before: this one, or this one with a number."""
        self._times[name] = self._times.get(name, 0) + 1
        if self._times[name] == 1:
            return name
        self.renamed += 1
        other = f"{name}#{self._times[name]}"
        while other in self._times:
            other += "'"
        self._times[other] = 1
        return other


def labelled(
    names: Names, identity: object, prompt: Prompt, chosen: str, rejected: str, group: str, metadata: Mapping[str, Any]
) -> Pair:
    """Build a pair; a hash of its id decides the sides.

    Raises:
        InputError: a text that no judge could read, or the same one twice.
    """
    for side, text in (("chosen", chosen), ("rejected", rejected)):
        try:
            sample_of({"prompt": "-", "response": text}, 0)
        except InputError as problem:
            raise InputError(str(problem).replace("response", side, 1)) from None
    if chosen == rejected:
        raise InputError("the same text is chosen and rejected")
    row = {"id": identity, "prompt": prompt, "a": chosen, "b": rejected, "label": "a", "group": group}
    sound = pair_of({**row, "metadata": dict(metadata)}, 0)  # before its name is taken
    name = names.new(sound.id)
    if chosen_first(name):
        return pair_of({**row, "id": name, "metadata": dict(metadata)}, 0)
    return pair_of({**row, "id": name, "a": rejected, "b": chosen, "label": "b", "metadata": dict(metadata)}, 0)


def chosen_first(identity: str) -> bool:
    """Return whether the chosen response of the pair with this id is ``a``: a fair coin that always falls alike."""
    return hashlib.sha256(identity.encode()).digest()[0] % 2 == 0


def imported(pairs: list[Pair], left_out: Counter[str], names: Names) -> Imported:
    """Wrap up; no pair at all is an error."""
    if not pairs:
        reasons = "; ".join(f"{count} x {reason}" for reason, count in left_out.most_common(5))
        raise InputError(f"the table gives no pair: {reasons or 'it has no rows'}")
    return Imported(pairs, dict(+left_out), names.renamed)  # + takes off what was counted zero times


def plain(name: str, value: Any) -> str | int | float | bool:
    """Return a value for the metadata; the texts of a CSV file become numbers where a number is meant.

    Raises:
        InputError: neither a number nor a text, or infinite.
    """
    if isinstance(value, str) and (name == "margin" or "score" in name):
        try:
            value = float(value)
        except ValueError:
            return str(value)
    if not isinstance(value, (str, int, float)):
        raise InputError(f"{name} is neither a number nor a text")
    if isinstance(value, float) and not math.isfinite(value):
        raise InputError(f"{name} is not finite")
    return value


def _parts(row: Mapping[str, Any]) -> tuple[Prompt, str, str]:
    """Return prompt, chosen and rejected."""
    for name in ("chosen", "rejected"):
        if name not in row:
            raise InputError(f"{name!r} is missing{nearest(name, row, 'the row has') if row else ''}")
    prompt, chosen, rejected = row.get("prompt"), row["chosen"], row["rejected"]
    if isinstance(chosen, str) and isinstance(rejected, str):
        return (prompt, chosen, rejected) if prompt is not None else _cut_text(chosen, rejected)
    if not isinstance(chosen, list) or not isinstance(rejected, list):
        raise InputError("chosen and rejected must both be texts, or both lists of messages")
    return _cut_turns(prompt, _turns(chosen), _turns(rejected))


def _cut_text(chosen: str, rejected: str) -> tuple[str, str, str]:
    end = chosen.rfind(TURN) + len(TURN)
    if end < len(TURN) or chosen[:end] != rejected[:end]:
        raise InputError("'prompt' is missing, and the texts do not share a dialogue up to the last 'Assistant:'")
    return chosen[: end - len(TURN)].strip(), chosen[end:].strip(), rejected[end:].strip()


def _cut_turns(prompt: object, chosen: list[Message], rejected: list[Message]) -> tuple[Prompt, str, str]:
    shared = _shared(chosen, rejected)
    turns: Prompt
    if isinstance(prompt, list):
        turns = _turns(prompt)
        shared = len(turns) if chosen[: len(turns)] == turns == rejected[: len(turns)] else 0
    elif shared:
        turns = chosen[:shared]
    elif isinstance(prompt, str):
        turns = prompt
    else:
        raise InputError("'prompt' is missing, and chosen and rejected share no turn to begin with")
    return turns, _only(chosen[shared:]), _only(rejected[shared:])


def _shared(chosen: Sequence[Message], rejected: Sequence[Message]) -> int:
    """Return how many leading turns are the same; the last turn of a side is never one of them."""
    most = min(len(chosen), len(rejected)) - 1
    return next((i for i in range(most) if chosen[i] != rejected[i]), most)


def _only(turns: Sequence[Message]) -> str:
    if len(turns) != 1 or turns[0]["role"] != "assistant":
        raise InputError("chosen and rejected must differ in one assistant turn, the last one")
    return turns[0]["content"]


def _turns(value: Sequence[Any]) -> list[Message]:
    turns: list[Message] = []
    for turn in value:
        # A Parquet file gives every turn all the keys that any turn has.
        known = {key: v for key, v in turn.items() if v is not None} if isinstance(turn, Mapping) else {}
        if set(known) != {"role", "content"} or not all(isinstance(v, str) for v in known.values()):
            raise InputError("each message must have a role and a content, both texts, and nothing else")
        turns.append({"role": known["role"], "content": known["content"]})
    if not turns:
        raise InputError("a list of messages is empty")
    return turns
