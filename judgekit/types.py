"""The values that every room of judgekit passes around, and the protocols that a judge can keep.

A missing verdict is a value: ``Score(value=None, error="...")``. It is never 0, never a tie, never the middle of
the scale, and the constructors below refuse anything that could be mistaken for one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol, TypedDict

Winner = Literal["a", "b", "tie"]
SWAPPED: dict[Winner, Winner] = {"a": "b", "b": "a", "tie": "tie"}
Votes = tuple[tuple[Winner | None, ...], ...]


class Message(TypedDict):
    """One turn of a chat, as every trainer and provider writes it."""

    role: str
    content: str


Prompt = str | Sequence[Message]


def prompt_text(prompt: Prompt) -> str:
    """Return a prompt as one text: itself, or the turns of a chat, each under its role."""
    if isinstance(prompt, str):
        return prompt
    if len(prompt) == 1:
        return prompt[0]["content"]
    return "\n\n".join(f"{turn['role']}:\n{turn['content']}" for turn in prompt)


@dataclass(frozen=True, slots=True)
class Sample:
    """One response to judge.

    ``reference`` is a model answer that a rubric may show to the judge; ``metadata`` is whatever else its prompt
    names (``{{metadata.history}}``).
    """

    prompt: Prompt
    response: str
    id: str = ""
    reference: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two responses to one prompt; which is better is the question."""

    prompt: Prompt
    a: str
    b: str
    id: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def swap(self) -> Comparison:
        """Return the same question with the responses in the other order."""
        return replace(self, a=self.b, b=self.a)

    def sides(self) -> tuple[Sample, Sample]:
        """Return the two responses as samples, ``a`` first."""
        a = Sample(self.prompt, self.a, id=self.id, metadata=self.metadata)
        return a, replace(a, response=self.b)


@dataclass(frozen=True, slots=True)
class Pair:
    """A comparison and what people said of it: one line of ``pairs.jsonl``.

    Attributes:
        label: the better response; None where it is not known.
        group: the prompt or story that pairs share; the unit that is split and resampled. Empty: the prompt itself.
        weight: how much the label counts in training, above 0.
        source: who gave the label; one of a machine counts as less, and is never mistaken for a person's.
    """

    comparison: Comparison
    label: Winner | None = None
    group: str = ""
    weight: float = 1.0
    source: Literal["human", "machine"] = "human"

    @property
    def id(self) -> str:
        """The comparison's id."""
        return self.comparison.id

    @property
    def cluster(self) -> str:
        """The group, or the prompt where no group is given."""
        return self.group or prompt_text(self.comparison.prompt)


@dataclass(frozen=True, slots=True)
class Rated:
    """A sample and the scores it was given: one line of ``ratings.jsonl``.

    Attributes:
        scores: by criterion, on the criterion's own scale; the mean where several rated it, None where nobody did.
        reviews: the reasons, by criterion; ``rationale``: reasons for the whole.
        group: the prompt or story that rows share; the unit that is split and resampled. Empty: the prompt itself.
        source: who gave the scores; neither a machine nor a simulated rater is ever mistaken for a person.
    """

    sample: Sample
    scores: Mapping[str, float | None]
    reviews: Mapping[str, str] = field(default_factory=dict)
    rationale: str = ""
    group: str = ""
    source: Literal["human", "machine", "simulated"] = "human"

    @property
    def id(self) -> str:
        """The sample's id."""
        return self.sample.id

    @property
    def cluster(self) -> str:
        """The group, or the prompt where no group is given."""
        return self.group or prompt_text(self.sample.prompt)


@dataclass(frozen=True, slots=True)
class Usage:
    """What judging cost: model calls and tokens. Calls answered from the journal are counted apart."""

    calls: int = 0
    cached: int = 0
    input_tokens: int = 0
    output_tokens: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.calls + other.calls,
            self.cached + other.cached,
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
        )


@dataclass(frozen=True, slots=True)
class Score:
    """What a judge makes of one sample.

    Attributes:
        value: the score on ``scale``; None when there is no verdict, and then ``error`` says why.
        scale: lowest and highest possible value; None for an unbounded score (a Bradley-Terry strength, in logits).
        criteria: a value for each criterion, on the criterion's own scale; None where that one is missing.
        rationale: the judge's reasons, as it wrote them.
        spread: standard deviation over the k samples of one judge (ddof 1) or over the members of a panel; on the
            judge's own scale, also where a profile maps the value.
        interval: calibrated interval for the human score (from a calibration profile).
        reward: calibrated reward, strictly increasing in what the judge gave (from a calibration profile): the value is
            flat where the map is, the reward never.
        raw: the judge's own value, where a profile has mapped it to ``value``.
        supported: whether the profile vouches for the value: False where the judge's own lies beyond those that the map
            was fitted on, or where the profile has a problem and was to be flagged; None without a profile.
        judge: fingerprint of the judge.
    """

    value: float | None
    scale: tuple[float, float] | None = (0.0, 1.0)
    criteria: Mapping[str, float | None] = field(default_factory=dict)
    rationale: str = ""
    error: str | None = None
    spread: float | None = None
    interval: tuple[float, float] | None = None
    reward: float | None = None
    usage: Usage = Usage()
    judge: str = ""
    raw: float | None = None
    supported: bool | None = None

    def __post_init__(self) -> None:
        _verdict_or_reason(self.value, self.error)
        if self.value is not None:
            _finite_and_within(self.value, self.scale)

    @property
    def unit(self) -> float | None:
        """The value on [0, 1]: linear on a bounded scale, the logistic function of an unbounded one."""
        if self.value is None:
            return None
        if self.scale is None:
            return logistic(self.value)
        low, high = self.scale
        return (self.value - low) / (high - low)


@dataclass(frozen=True, slots=True)
class Preference:
    """What a judge makes of one comparison.

    Attributes:
        winner: the better response or a tie; None when there is no verdict, and then ``error`` says why.
        probability: P(a is better), a tie counting half.
        scores: what the judge gave to a and to b, on its own scale.
        consistent: whether both orders (or all members of a panel) gave the same winner; None when only one was asked.
        votes: what each reply said, by order (a, b first, then b, a), as a winner of this comparison whatever the order
            it was asked in; None for a reply that could not be read. Empty where nothing was asked in an order: a judge
            that scores each side, a panel.
    """

    winner: Winner | None
    probability: float | None = None
    scores: tuple[float | None, float | None] = (None, None)
    consistent: bool | None = None
    rationale: str = ""
    error: str | None = None
    usage: Usage = Usage()
    judge: str = ""
    votes: Votes = ()

    def __post_init__(self) -> None:
        _verdict_or_reason(self.winner, self.error)
        if self.probability is not None:
            _finite_and_within(self.probability, (0.0, 1.0))


class PointwiseJudge(Protocol):
    """Scores samples: batch in, batch out, same order."""

    def score(self, samples: Sequence[Sample]) -> list[Score]: ...


class ComparativeJudge(Protocol):
    """Compares pairs of responses: batch in, batch out, same order."""

    def compare(self, comparisons: Sequence[Comparison]) -> list[Preference]: ...


def logistic(x: float) -> float:
    """Return 1 / (1 + exp(-x)) without overflow."""
    return 1.0 / (1.0 + math.exp(-x)) if x >= 0 else math.exp(x) / (1.0 + math.exp(x))


def _verdict_or_reason(verdict: object, error: str | None) -> None:
    if (verdict is None) != bool(error):
        raise ValueError("a verdict and an error exclude each other, and one of the two is needed")


def _finite_and_within(value: float, scale: tuple[float, float] | None) -> None:
    if not math.isfinite(value):
        raise ValueError(f"{value} is not a verdict; give value=None and an error")
    if scale is not None and not scale[0] - 1e-9 <= value <= scale[1] + 1e-9:
        raise ValueError(f"{value} is outside the scale {scale}")
