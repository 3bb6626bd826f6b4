"""The channels of a reward.yaml: one class a kind; relative paths are relative to the file."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from judgekit.config import Config, beside
from judgekit.judges import Judge
from judgekit.judges.load import load_judge
from judgekit.rewards import (
    BlankPenalty,
    Channel,
    CREReward,
    DPPDiversity,
    FormatReward,
    JSONText,
    JudgeReward,
    LengthReward,
    Pivot,
    Reference,
    RepetitionPenalty,
    RequestedLengthReward,
    Rollout,
    RoundRobin,
    Scheme,
    Swiss,
    ThinkingBudgetPenalty,
    TournamentReward,
    TransitionReward,
    story_text,
)
from judgekit.rewards.length import visible


class JSONField(Config):
    """``{key: story}``: the text under a key of the JSON object that a rollout answers with."""

    key: str


Text = Literal["visible", "story"] | JSONField


def _text(text: Text) -> Callable[[Rollout], str | None]:
    if isinstance(text, JSONField):
        return JSONText(text.key)
    return visible if text == "visible" else story_text


class _Channel(Config):
    """What every channel says: ``name`` in logs, the channel's own without it; ``weight`` in the sum."""

    name: str | None = None
    weight: Annotated[float, Field(allow_inf_nan=False)] = 1.0

    def named(self, channel: Channel) -> Channel:
        """Give a channel the name that the file gives it."""
        channel.name = self.name or channel.name
        return channel


class JudgeChannel(_Channel):
    """``channel: judge``; ``judge`` is a judge.yaml or its folder, the rest as in `judgekit.rewards.JudgeReward`."""

    channel: Literal["judge"]
    judge: str
    bound: Literal["value", "lower"] = "value"
    criterion: str | None = None
    scale: tuple[float, float] | None = None
    at_a_time: Annotated[int, Field(ge=1)] | None = None
    text: Text = "visible"

    def build(self, folder: Path) -> Channel:
        how: Any = {"bound": self.bound, "criterion": self.criterion, "scale": self.scale, "at_a_time": self.at_a_time}
        judge = _scoring(folder, self.judge)
        return JudgeReward(judge, text=None if self.text == "visible" else _text(self.text), **how)


class TournamentChannel(_Channel):
    """``channel: tournament``; the schemes of `judgekit.rewards.schemes`."""

    channel: Literal["tournament"]
    judge: str
    scheme: Literal["pivot", "reference", "round-robin", "swiss"] = "pivot"
    rounds: int | None = None
    estimate: Literal["wins", "bradley-terry"] = "wins"
    seed: int = 0
    soft: bool = False

    def build(self, folder: Path) -> Channel:
        schemes: dict[str, Callable[[], Scheme]] = {
            "pivot": lambda: Pivot(self.seed, self.soft),
            "reference": lambda: Reference(self.seed, self.soft),
            "round-robin": lambda: RoundRobin(self.estimate, self.seed, self.soft),
            "swiss": lambda: Swiss(self.rounds, self.estimate, self.seed, self.soft),
        }
        return TournamentReward(_judge(folder, self.judge), schemes[self.scheme]())


class FormatChannel(_Channel):
    """``channel: format``; ``schema``: a JSON schema; EpisodeBench's own form without it."""

    channel: Literal["format"]
    form: Annotated[dict[str, Any] | None, Field(alias="schema")] = None
    variant: Literal["card", "all-or-nothing", "plain-json", "mended"] = "card"

    def build(self, folder: Path) -> Channel:
        return FormatReward(self.form, variant=self.variant)


class TransitionChannel(_Channel):
    """``channel: transition``; ``expected``: a column, or the graph of the story; ``trigger``: a judge.yaml."""

    channel: Literal["transition"]
    expected: str | dict[str, str | list[str]] = "next_episode"
    current: str = "episode"
    trigger: str | None = None
    least: float = 0.5

    def build(self, folder: Path) -> Channel:
        trigger = None if self.trigger is None else _scoring(folder, self.trigger)
        return TransitionReward(self.expected, current=self.current, trigger=trigger, least=self.least)  # type: ignore[arg-type]


class LengthChannel(_Channel):
    """``channel: length``; ``text``: what a reader sees, or the narratives and utterances of an EpisodeBench turn."""

    channel: Literal["length"]
    low: float
    high: float | None
    sigma: float = 10.0
    text: Text = "visible"

    def build(self, folder: Path) -> Channel:
        return LengthReward(self.low, math.inf if self.high is None else self.high, self.sigma, text=_text(self.text))


class RequestedLengthChannel(_Channel):
    """``channel: requested_length``."""

    channel: Literal["requested_length"]

    def build(self, folder: Path) -> Channel:
        return RequestedLengthReward()


class RepetitionChannel(_Channel):
    """``channel: repetition``; ``characters``: count them, not words, as Chinese wants it."""

    channel: Literal["repetition"]
    characters: bool = False

    def build(self, folder: Path) -> Channel:
        return RepetitionPenalty(list) if self.characters else RepetitionPenalty()


class BlankChannel(_Channel):
    """``channel: blank``."""

    channel: Literal["blank"]
    words: int = 150

    def build(self, folder: Path) -> Channel:
        return BlankPenalty(self.words)


class ThinkingChannel(_Channel):
    """``channel: thinking_budget``; ``end``: the id of ``</think>``, else words are counted."""

    channel: Literal["thinking_budget"]
    budget: int = 3072
    each: float = 0.05
    end: int | None = None

    def build(self, folder: Path) -> Channel:
        return ThinkingBudgetPenalty(self.budget, self.each, end=self.end)


class DiversityChannel(_Channel):
    """``channel: diversity``; ``embed``: a sentence-transformers model by name or path, the embedded one without it."""

    channel: Literal["diversity"]
    embed: str | None = None
    kernel: Literal["cosine", "rbf"] = "cosine"
    bandwidth: float | None = None
    eta: float = 0.01
    log: bool = False
    text: Text = "visible"

    def build(self, folder: Path) -> Channel:
        how: Any = {"kernel": self.kernel, "bandwidth": self.bandwidth, "eta": self.eta, "log": self.log}
        embed = None if self.embed is None else beside(folder, self.embed)
        return DPPDiversity(embed=embed, text=_text(self.text), **how)


class CREChannel(_Channel):
    """``channel: cre``."""

    channel: Literal["cre"]
    beta: float = 1.0
    gamma: float = 1.0

    def build(self, folder: Path) -> Channel:
        return CREReward(self.beta, self.gamma)


AnyChannel = Annotated[
    JudgeChannel
    | TournamentChannel
    | FormatChannel
    | TransitionChannel
    | LengthChannel
    | RequestedLengthChannel
    | RepetitionChannel
    | BlankChannel
    | ThinkingChannel
    | DiversityChannel
    | CREChannel,
    Field(discriminator="channel"),
]


def _judge(folder: Path, name: str) -> Judge:
    return load_judge(folder / name)


def _scoring(folder: Path, name: str) -> Judge:
    judge = _judge(folder, name)
    judge.score([])  # one that only compares says so here, and not in a run
    return judge
