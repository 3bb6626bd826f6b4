"""The rubric judge and the pointwise GenRM: what becomes a score, what stays unscored, and with which numbers."""

from __future__ import annotations

import json
import statistics

import pytest

from judgekit import Criterion, GenRMJudge, InputError, Rubric, RubricJudge, Sample, Usage
from judgekit.models import Decoding, FakeModel, Reply, Request

RUBRIC = Rubric(
    id="test/two",
    title="Two",
    criteria=(Criterion(id="plot", title="Plot", range=(1, 5)), Criterion(id="style", title="Style", range=(1, 5))),
    weights={"plot": 3},
)
WARM = Decoding(temperature=1.0)


def said(plot: object, style: object) -> str:
    return json.dumps({"plot": {"reason": "r", "score": plot}, "style": {"reason": "r", "score": style}})


def draws(*replies: str | Reply) -> FakeModel:
    """A model that gives the k-th reply to the k-th draw."""
    return FakeModel(lambda request: replies[request.draw])


def test_a_score_is_the_weighted_mean() -> None:
    [score] = RubricJudge(RUBRIC, FakeModel(said(5, 1))).score([Sample("p", "a story")])

    assert score.value == (3 * 5 + 1 * 1) / 4
    assert score.criteria == {"plot": 5.0, "style": 1.0}
    assert score.scale == (1.0, 5.0)
    assert score.usage == Usage(calls=1)
    assert score.judge == RubricJudge(RUBRIC, FakeModel(said(5, 1))).fingerprint


def test_one_missing_criterion_leaves_the_whole_unscored() -> None:
    [score] = RubricJudge(RUBRIC, FakeModel(said(5, 9))).score([Sample("p", "a story")])

    assert score.value is None
    assert score.criteria == {"plot": 5.0, "style": None}
    assert score.error == "style: the value is not on the menu"


def test_the_order_is_kept_around_what_cannot_be_judged() -> None:
    model = FakeModel(lambda request: said(int(request.messages[1]["content"].split("story")[1][0]), 1))
    scores = RubricJudge(RUBRIC, model).score([Sample("p", t) for t in ("story1", " ", "story3", "<think>x</think>")])

    assert [s.value for s in scores] == [1.0, None, 2.5, None]
    assert scores[1].error == scores[3].error == "the response is empty"
    assert model.calls == 2


def test_no_samples_no_calls() -> None:
    model = FakeModel(said(1, 1))

    assert RubricJudge(RUBRIC, model).score([]) == []
    assert model.calls == 0


def test_each_criterion_in_a_reply_of_its_own() -> None:
    def script(request: Request) -> str:
        return json.dumps({"reason": "r", "score": 4 if "plot (Plot)" in request.messages[1]["content"] else 2})

    model = FakeModel(script)
    [score] = RubricJudge(RUBRIC, model, ask="each").score([Sample("p", "a story")])

    assert score.criteria == {"plot": 4.0, "style": 2.0}
    assert model.calls == score.usage.calls == 2


def test_samples_are_averaged_and_their_spread_reported() -> None:
    judge = RubricJudge(RUBRIC, draws(said(1, 1), said(5, 5), said(3, 3)), samples=3, decoding=WARM)
    [score] = judge.score([Sample("p", "a story")])

    assert score.value == 3
    assert score.spread == statistics.stdev([1, 5, 3]) == 2
    assert score.usage.calls == 3


@pytest.mark.parametrize(
    ("replies", "value"),
    [
        ([said(2, 2), said(4, 4), "nothing"], 3),  # two of three were read: their mean
        ([said(2, 2), "nothing", "nothing"], None),
        ([said(2, 2), "nothing"], None),  # half is not more than half
        ([said(2, 2), Reply(None, "refused")], None),
    ],
)
def test_more_than_half_of_the_samples_must_be_read(replies: list[str | Reply], value: float | None) -> None:
    [score] = RubricJudge(RUBRIC, draws(*replies), samples=len(replies), decoding=WARM).score([Sample("p", "s")])

    assert score.value == value
    assert (score.error is None) == (value is not None)


def test_a_majority_of_samples_takes_the_most_frequent_value() -> None:
    judge = GenRMJudge(RUBRIC, draws(said(5, 1), said(5, 2), said(1, 3)), samples=3, decoding=WARM)
    [score] = judge.score([Sample("p", "a story")])

    # plot: 5 twice; style: 1, 2 and 3 once each, so their mean
    assert score.criteria == {"plot": 5.0, "style": 2.0}
    assert score.value == (3 * 5 + 2) / 4
    assert score.judge == judge.fingerprint


def test_gates_act_on_each_sample() -> None:
    """bonus is capped at 0 where negative > positive: totals 4 + 2 = 6 and 1 - 3 + 0 = -2, mean 2."""
    criteria = (
        Criterion(id="good", title="G", range=(0, 4)),
        Criterion(id="bad", title="B", range=(0, 4), polarity="negative"),
        Criterion(id="bonus", title="X", range=(0, 2), polarity="bonus"),
    )
    gates = [{"criterion": "bonus", "cap": 0, "when": "negative > 1 * positive"}]
    rubric = Rubric(id="t", title="T", criteria=criteria, aggregation="sum", gates=gates)

    def said(*scores: int) -> str:
        return json.dumps({c.id: {"reason": "r", "score": s} for c, s in zip(criteria, scores, strict=True)})

    [score] = RubricJudge(rubric, draws(said(4, 0, 2), said(1, 3, 2)), samples=2, decoding=WARM).score(
        [Sample("p", "s")]
    )

    assert score.value == 2


@pytest.mark.parametrize(
    "settings",
    [
        {"samples": 0},
        {"samples": 2},
        {"samples": 2, "ask": "expected", "decoding": WARM},
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: dict) -> None:
    with pytest.raises(InputError, match="samples"):
        RubricJudge(RUBRIC, FakeModel("x"), **settings)


def test_a_pairwise_rubric_is_refused() -> None:
    with pytest.raises(InputError, match="use a pairwise judge"):
        RubricJudge(Rubric.load("story/creative_preference"), FakeModel("x"))


def test_a_pointwise_judge_compares_by_scoring_both_sides() -> None:
    from judgekit import Comparison

    model = FakeModel(lambda request: said(*([5, 5] if "better" in request.messages[1]["content"] else [2, 2])))
    ahead, even, missing = RubricJudge(RUBRIC, model).compare(
        [Comparison("p", "better", "x"), Comparison("p", "x", "y"), Comparison("p", "x", " ")]
    )

    assert (ahead.winner, ahead.scores) == ("a", (5.0, 2.0))
    assert even.winner == "tie"
    assert missing.winner is None
    assert missing.error == "b: the response is empty"


def test_what_decides_the_verdicts_decides_the_fingerprint() -> None:
    base = RubricJudge(RUBRIC, FakeModel("x"))
    others = [
        RubricJudge(RUBRIC.model_copy(update={"weights": {}}), FakeModel("x")),
        RubricJudge(RUBRIC, FakeModel("y")),
        RubricJudge(RUBRIC, FakeModel("x"), ask="each"),
        RubricJudge(RUBRIC, FakeModel("x"), decoding=WARM),
        GenRMJudge(RUBRIC, FakeModel("x")),
    ]

    assert base.fingerprint == RubricJudge(RUBRIC, FakeModel("x")).fingerprint
    assert len({base.fingerprint, *(judge.fingerprint for judge in others)}) == 6
