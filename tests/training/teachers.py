"""Scripted teachers and the pairs that they explain."""

from __future__ import annotations

import json
from collections.abc import Callable

from judgekit.judges import PairwiseJudge
from judgekit.models.base import Decoding, Request
from judgekit.models.fake import FakeModel
from judgekit.rubrics.rubric import Criterion, Rubric
from judgekit.rubrics.template import Template
from judgekit.types import Comparison, Pair

# A prompt of few words, so that the tiny models of the tests read little.
SHORT = Template("{{criteria}}", "{{nonce}}\n{{prompt}}\nA: {{a}}\nB: {{b}}\n{{nonce}}", "{{format}}")
RUBRIC = Rubric(
    id="plain",
    title="Plain",
    mode="pairwise",
    scores=(0, 10),
    reply="lines",
    criteria=(Criterion(id="good", title="Good", description="Which is better."),),
).with_template(SHORT)


def reply(a: int, b: int, reasons: str = "One is better.") -> str:
    winner = "A" if a > b else "B"
    return f"Reasons: {reasons}\nScore A: {a}\nScore B: {b}\nVerdict: {winner}"


def honest(request: Request) -> str:
    """The longer response is the better one, whatever the order."""
    texts = json.loads(request.identity)[1]
    a, b = len(texts["a"]), len(texts["b"])
    return reply(min(a, 10), min(b, 10), f"{texts['a']} against {texts['b']}")


def teacher(script: str | Callable[[Request], str], temperature: float = 0.0) -> PairwiseJudge:
    return PairwiseJudge(RUBRIC, FakeModel(script), decoding=Decoding(temperature=temperature))


def pair(i: int, a: str = "xxxx", b: str = "xx", label: str | None = None) -> Pair:
    return Pair(Comparison(f"prompt {i}", a, b, f"p{i}"), label, f"g{i}")  # type: ignore[arg-type]
