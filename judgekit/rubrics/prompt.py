"""Rubric + texts -> chat: what is cut, neutralised and fenced before a judge sees it."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from judgekit.rubrics.rubric import Criterion, Rubric
from judgekit.rubrics.schema import reply_schema
from judgekit.rubrics.template import fill
from judgekit.types import Comparison, Message, Sample, prompt_text

# What a chat template or a reasoning parser could take for its own: a space after the first character breaks it.
CONTROL = re.compile(
    r"<(?=[|｜]|/?(?:think|thinking|s|bos|eos|pad|unk|sop|eop|tool_call|tool_response|SPECIAL_\d{1,4})>|</?SYS>>"
    r"|/?(?:start|end)_of_turn>|/?(?:start|end)_header_id>|extra_id_\d{1,4}>|/?seed:\w{1,16}>)"
    r"|\[(?=\||/?(?:INST|THINK|SYSTEM_PROMPT|TOOL_CALLS|TOOL_RESULTS|AVAILABLE_TOOLS)\])|\](?=~b\]|~!b\[)|◁(?=/?think▷)"
)
SENTENCE_GAP = re.compile(r"(?<=[.!?。！？])\s+|\n+")
LENGTH_REQUEST = re.compile(r"\bwords? long\b", re.IGNORECASE)
LONG_MENU = 12


def texts_of(rubric: Rubric, item: Sample | Comparison) -> dict[str, str]:
    """Return the judged texts by slot, cut as the rubric asks, with control tokens broken."""
    fields = {"prompt": prompt_text(item.prompt)}
    if isinstance(item, Sample):
        fields |= {"response": item.response}
        if item.reference is not None:
            fields["reference"] = item.reference
    else:
        fields |= {"a": item.a, "b": item.b}
    for slot in rubric.template.slots:
        name = slot.removeprefix("metadata.")
        if name != slot and name in item.metadata:
            fields[slot] = _plain(item.metadata[name])
    return {slot: CONTROL.sub(r"\g<0> ", _cut(rubric, slot, text)) for slot, text in fields.items()}


@dataclass(frozen=True)
class Form:
    """One question of a rubric: what does not change from item to item.

    Attributes:
        system, user: the two messages with their slots open.
        ours: what fills the rubric's own slots. They are filled together with the judged texts, in one pass: a slot
            that stands in any of them stays text.
        schema: JSON schema of the reply; None where none applies.
    """

    system: str
    user: str
    ours: Mapping[str, str]
    schema: Mapping[str, Any] | None

    def messages(self, texts: Mapping[str, str], nonce: str = "") -> list[Message]:
        """Return the chat, with the texts inside the fence."""
        values = {**texts, **self.ours, "nonce": nonce}
        return [
            {"role": "system", "content": fill(self.system, values)},
            {"role": "user", "content": fill(self.user, values)},
        ]

    @cached_property
    def digest(self) -> str:
        """Hash of the question: with the texts, the identity under which a journal keeps its answer."""
        return hashlib.sha256(json.dumps([self.system, self.user, self.ours], sort_keys=True).encode()).hexdigest()


@dataclass
class Questions:
    """The questions that a rubric can ask, each made once."""

    rubric: Rubric
    _forms: dict[tuple[str, bool], Form] = field(default_factory=dict)

    def form(self, criterion: Criterion | None = None, *, value: bool = False) -> Form:
        """Return the question about one criterion, or about all of them in one reply.

        Args:
            value: ask for the bare value of the criterion, to be read off as probabilities.
        """
        key = (criterion.id if criterion else "", value)
        if key not in self._forms:
            self._forms[key] = self._make(criterion, value=value)
        return self._forms[key]

    def _make(self, criterion: Criterion | None, *, value: bool) -> Form:
        template = self.rubric.template
        ask = template.ask if criterion is None else template.ask_value if value else template.ask_one
        ours = {
            "criteria": "\n\n".join(describe(c) for c in self.rubric.criteria),
            "criterion": headline(criterion) if criterion else "",
            "format": reply_form(self.rubric, criterion),
        }
        # The question stands last, so that all questions about one text share their beginning.
        user = f"{template.material}\n\n{ask}"
        schema = None if value else reply_schema(self.rubric, criterion)
        return Form(template.system, user, ours, schema)


def render(rubric: Rubric, texts: Mapping[str, str], criterion: Criterion | None = None, **how: Any) -> list[Message]:
    """Return the chat that puts one question to a judge; ``how``: ``value`` and ``nonce``, as in `Form`."""
    form = Questions(rubric).form(criterion, value=how.get("value", False))
    return form.messages(texts, how.get("nonce", ""))


def nonce_for(secret: bytes, question: str) -> str:
    """Return the fence's nonce: unpredictable to whoever wrote the text, the same when a run is resumed."""
    return hmac.new(secret, question.encode(), hashlib.sha256).hexdigest()[:16]


def describe(criterion: Criterion) -> str:
    """Write out a criterion for the rubric: its headline, description, anchors from best to worst."""
    text = f"{headline(criterion)}: {criterion.description.strip()}"
    for key, anchor in reversed(criterion.anchors.items()):
        label = key if isinstance(key, str) else f"{key:g}"
        text += f"\n  {label} = {anchor.strip()}"
    return text


def headline(criterion: Criterion) -> str:
    """Name a criterion: id, title, menu. A question needs no more, since the rubric has already said the rest."""
    menu = f" [{menu_form(criterion)}]" if criterion.menu else ""
    return f"{criterion.id} ({criterion.title}){menu}"


def menu_form(criterion: Criterion) -> str:
    """Write out a menu: ``0|1|2``, or ``0..20`` where it is long."""
    labels = list(criterion.menu)
    if len(labels) > LONG_MENU and criterion.step == 1:
        return f"{labels[0]}..{labels[-1]}"
    return "|".join(labels)


def reply_form(rubric: Rubric, criterion: Criterion | None = None) -> str:
    """Write out the reply that `judgekit.rubrics.reply` reads: reasons first, then the verdict."""
    if rubric.mode == "pairwise":
        return _pairwise_form(rubric)
    if rubric.reply == "lines":
        asked = {"Score": criterion} if criterion else {c.id: c for c in rubric.criteria}
        return "\n".join(["Reasons: ...", *(f"{name}: <{menu_form(c)}>" for name, c in asked.items())])
    return _json_form(_criterion_form(criterion) if criterion else {c.id: _criterion_form(c) for c in rubric.criteria})


def _pairwise_form(rubric: Rubric) -> str:
    low, high = rubric.scores
    verdict = "A|B|tie" if rubric.ties else "A|B"
    if rubric.reply == "lines":
        return f"Reasons: ...\nScore A: <{low}..{high}>\nScore B: <{low}..{high}>\nVerdict: <{verdict}>"
    reasons = {c.id: "..." for c in rubric.criteria}
    scores = {f"score_{side}": f"<{low}..{high}>" for side in "ab"}
    return _json_form({"reasons": reasons, **scores, "verdict": f"<{verdict}>"})


def _criterion_form(criterion: Criterion) -> dict[str, str]:
    quote = {"quote": "..."} if criterion.quote_from is not None else {}
    return {"reason": "...", **quote, "score": f"<{menu_form(criterion)}>"}


def _json_form(form: Mapping[str, Any]) -> str:
    return json.dumps(form, indent=1)


def _cut(rubric: Rubric, slot: str, text: str) -> str:
    if slot == "prompt" and "length_request" in rubric.strip:
        return without_length_request(text)
    if slot in {"response", "a", "b"} and "thinking" in rubric.strip:
        return without_thinking(text)
    return text


def without_thinking(text: str) -> str:
    """Return what stands after the last ``</think>``; a text without one is returned whole (POLARIS does the same)."""
    return text.rpartition("</think>")[2].strip() if "</think>" in text else text


def without_length_request(prompt: str) -> str:
    """Cut the last sentence that says "words long", so that the judge does not grade length (POLARIS)."""
    starts = [0, *(gap.end() for gap in SENTENCE_GAP.finditer(prompt))]
    for start, end in reversed(list(zip(starts, [*starts[1:], len(prompt)], strict=True))):
        if LENGTH_REQUEST.search(prompt, start, end):
            return (prompt[:start] + prompt[end:]).strip()
    return prompt


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
