"""Judges as channels: what becomes of a score, of a missing one, of a tournament."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from judgekit import InputError
from judgekit.rewards import (
    CompositeReward,
    Custom,
    Gate,
    JSONText,
    JudgeReward,
    Pivot,
    Reference,
    Rollout,
    RoundRobin,
    TournamentReward,
)
from judgekit.types import Comparison, Preference, Sample, Score


class Scores:
    """Answers with the scores given, one after the other, and remembers what it read."""

    def __init__(self, *scores: Score) -> None:
        self.scores, self.read = scores, list[Sample]()

    def score(self, samples: Sequence[Sample]) -> list[Score]:
        self.read += samples
        return list(self.scores[: len(samples)])


class Longer:
    """Prefers the longer text; says nothing of texts that hold a question mark."""

    def compare(self, comparisons: Sequence[Comparison]) -> list[Preference]:
        return [self._one(it) for it in comparisons]

    def _one(self, it: Comparison) -> Preference:
        if "?" in it.a + it.b:
            return Preference(None, error="unreadable")
        return Preference("tie" if len(it.a) == len(it.b) else "a" if len(it.a) > len(it.b) else "b")


def rollouts(*texts: str, **columns: Any) -> list[Rollout]:
    return [Rollout("p", text, "g", columns) for text in texts]


def test_a_score_is_on_the_unit_scale_and_a_missing_one_has_its_reason() -> None:
    judge = Scores(Score(3, (1, 5)), Score(None, (1, 5), error="no verdict in the reply"))
    found = JudgeReward(judge)(rollouts("<think>hm</think>\nThe story.", "<think>never ended"))

    assert found == [0.5, None] and found.reasons == {1: "no verdict in the reply"}
    assert [sample.response for sample in judge.read] == ["The story.", ""]


def test_the_profiles_reward_and_the_lower_end_of_its_interval() -> None:
    """On a scale of 1 to 5 a reward of 4.2 is .8, an interval from 2 on .25."""
    mapped = Score(4, (1, 5), reward=4.2, interval=(2, 5))

    assert JudgeReward(Scores(mapped))(rollouts("x")) == [pytest.approx(0.8)]
    assert JudgeReward(Scores(mapped), bound="lower")(rollouts("x")) == [0.25]
    plain = JudgeReward(Scores(Score(4, (1, 5))), bound="lower")(rollouts("x"))
    assert plain == [None] and "its profile gives one" in plain.reasons[0]


def test_one_criterion_on_its_own_scale() -> None:
    judge = Scores(Score(9, (0, 10), {"plot": 2.0, "style": None}))
    assert JudgeReward(judge, criterion="plot", scale=(0, 4))(rollouts("x")) == [0.5]
    missing = JudgeReward(judge, criterion="style", scale=(0, 4))(rollouts("x"))
    assert missing == [None] and missing.reasons == {0: "the judge gave no style"}
    for wrong in ({"criterion": "plot"}, {"bound": "upper"}, {"criterion": "p", "scale": (0, 1), "bound": "lower"}):
        with pytest.raises(InputError, match="a judge's bound is value or lower"):
            JudgeReward(judge, **wrong)  # type: ignore[arg-type]


def test_a_judge_sees_the_reference_and_the_columns() -> None:
    judge = Scores(Score(1.0))
    JudgeReward(judge)(rollouts("x", reference="a model answer", genre="noir"))

    assert judge.read[0].reference == "a model answer" and judge.read[0].metadata == {"genre": "noir"}


def test_a_tournament_in_every_group() -> None:
    """Round-robin among 1, 2 and 3 letters: 0, 1/2 and 1 of the points; a lone response has met nobody."""
    reward = TournamentReward(Longer(), RoundRobin())
    found = reward([*rollouts("a", "bb", "ccc"), Rollout("q", "alone", "h")])

    assert found == [0, 0.5, 1, None] and found.reasons == {3: "it was compared with nothing"}
    assert (reward.comparisons, reward.failed) == (3, 0)


def test_a_failed_comparison_is_no_loss() -> None:
    reward = TournamentReward(Longer(), RoundRobin())
    found = reward(rollouts("a", "bb", "?"))

    assert found == [0, 1, None] and "unreadable" in found.reasons[2] and reward.failed == 2


def test_the_lowest_value_of_a_scheme_is_what_a_gate_leaves() -> None:
    gate, long = Gate("long", 2), Custom(lambda rollout: float(len(rollout.completion)), "long")
    for scheme, lowest in ((Pivot(), -1), (Reference(), -1), (RoundRobin(), 0)):
        reward = CompositeReward([TournamentReward(Longer(), scheme), long], gates=[gate])
        assert reward.score(rollouts("a", "bb", "ccc", reference="dddd")).values["tournament"][0] == lowest
    with pytest.raises(InputError, match="tournament has no lowest value"):
        CompositeReward([TournamentReward(Longer(), RoundRobin("bradley-terry")), long], gates=[gate])


def test_a_judge_may_read_one_field() -> None:
    """The judge sees the story alone; where there is none it is not asked, and the value is 0."""

    class Words:
        def score(self, samples: Sequence[Sample]) -> list[Score]:
            return [Score(len(sample.response.split()) / 10) for sample in samples]

    reward = CompositeReward([JudgeReward(Words(), text=JSONText("story"))])

    assert reward(["p"] * 3, ['{"story": "a b c"}', "no object", '{"story": 3}']) == [0.3, 0, 0]


class Words:
    """Gives a tenth of the number of words, and remembers what it read."""

    def __init__(self) -> None:
        self.read: list[str] = []

    def score(self, samples: Sequence[Sample]) -> list[Score]:
        self.read += [sample.response for sample in samples]
        assert all("completion_ids" not in sample.metadata for sample in samples)
        return [Score(len(sample.response.split()) / 10) for sample in samples]


def test_what_a_judge_cannot_tell_apart_is_one_call() -> None:
    """Equal texts as TRL has them, one ended by token 2 and one cut; other reasoning; and what is not the same."""
    judge = Words()
    reward = CompositeReward([JudgeReward(judge), Custom(lambda r: len(r.columns["completion_ids"]) / 1, "tokens")])
    texts = ["a b", "a b", "<think>hm</think>\na b", "a b", "a b c"]
    found = reward(
        ["p"] * 5, texts, completion_ids=[[7, 2], [7], [9, 7], [7], [8]], reference=["r", "r", "r", "s", "r"]
    )

    assert judge.read == ["a b", "a b", "a b c"]  # to the references r, s and r
    assert found == [2.2, 1.2, 2.2, 1.2, 1.3]
    assert reward.last is not None and reward.last.copies == {"judge": 2, "tokens": 0}


def test_a_text_that_is_none_is_not_the_empty_one() -> None:
    judge = Words()
    channel = JudgeReward(judge, text=lambda rollout: None if rollout.completion == "none" else "")
    assert CompositeReward([channel])(["p"] * 3, ["none", "", "x"]) == [0, 0, 0] and judge.read == [""]


def test_a_text_that_cannot_be_found_is_an_error_of_the_call() -> None:
    channel = JudgeReward(Words(), text=lambda rollout: rollout.columns["story"], at_a_time=1)
    reward = CompositeReward([channel])

    assert reward(["p"] * 2, ["a", "b"], story=["one two", "three"]) == [0.2, 0.1]
    assert reward(["p"] * 2, ["a", "b"]) == [None, None]
    assert reward.last is not None and "KeyError" in reward.last.reasons["judge"][0]
