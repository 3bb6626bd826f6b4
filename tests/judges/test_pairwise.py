"""The pairwise judge: both orders, votes, and what is done when they part."""

from __future__ import annotations

import json

import pytest

from judgekit import Comparison, GenRMJudge, InputError, PairwiseJudge, Rubric, Sample
from judgekit.models import Decoding, FakeModel, Reply, Request

RUBRIC = Rubric.load("story/creative_preference")
WARM = Decoding(temperature=1.0)


def said(verdict: str, a: int, b: int) -> str:
    return json.dumps({"reasons": {}, "score_a": a, "score_b": b, "verdict": verdict})


def first_shown(request: Request, text: str) -> bool:
    content = request.messages[1]["content"]
    return content.index(text) < content.index("plain")


def honest(request: Request) -> str:
    """Prefer the brilliant one wherever it stands."""
    return said("A", 8, 3) if first_shown(request, "brilliant") else said("B", 3, 8)


PAIR = Comparison("p", "brilliant", "plain")


def test_both_orders_are_asked_and_put_right() -> None:
    model = FakeModel(honest)
    [preference] = PairwiseJudge(RUBRIC, model).compare([PAIR])
    [swapped] = PairwiseJudge(RUBRIC, model).compare([PAIR.swap()])

    assert (preference.winner, preference.probability, preference.consistent) == ("a", 1.0, True)
    assert preference.scores == (8.0, 3.0)
    assert preference.usage.calls == 2
    assert (swapped.winner, swapped.probability, swapped.scores) == ("b", 0.0, (3.0, 8.0))


def test_a_judge_that_always_says_a_has_no_preference() -> None:
    [preference] = PairwiseJudge(RUBRIC, FakeModel(said("A", 7, 4))).compare([PAIR])

    assert (preference.winner, preference.probability, preference.consistent) == ("tie", 0.5, False)
    assert preference.scores == (5.5, 5.5)


def test_one_order_alone_if_asked_for() -> None:
    [preference] = PairwiseJudge(RUBRIC, FakeModel(said("A", 7, 4)), both_orders=False).compare([PAIR])

    assert (preference.winner, preference.consistent, preference.usage.calls) == ("a", None, 1)


def test_an_order_that_cannot_be_read_leaves_no_verdict() -> None:
    """One order alone would bring its position bias along."""
    model = FakeModel(lambda request: honest(request) if first_shown(request, "brilliant") else "no idea")
    [preference] = PairwiseJudge(RUBRIC, model).compare([PAIR])

    assert preference.winner is None
    assert preference.error == "order b, a: no verdict in the reply"
    assert preference.usage.calls == 2


def test_an_empty_side_is_not_sent() -> None:
    model = FakeModel(honest)
    empty, whole = PairwiseJudge(RUBRIC, model).compare([Comparison("p", "", "plain"), PAIR])

    assert (empty.winner, empty.error) == (None, "response a is empty")
    assert whole.winner == "a"
    assert model.calls == 2


def votes(*by_order: list[str | Reply]) -> FakeModel:
    """The k-th reply of an order to its k-th draw."""
    return FakeModel(lambda request: by_order[0 if first_shown(request, "brilliant") else 1][request.draw])


def test_the_probability_is_the_share_of_votes_over_both_orders() -> None:
    # order a, b: 2 of 3 for a; order b, a: 1 of 3 for a (it stands second there): (2/3 + 1/3) / 2 = 1/2
    model = votes(
        [said("A", 6, 4), said("A", 6, 4), said("B", 4, 6)], [said("A", 6, 4), said("A", 6, 4), said("B", 4, 6)]
    )
    [preference] = GenRMJudge(RUBRIC, model, samples=3, decoding=WARM).compare([PAIR])

    assert preference.probability == pytest.approx(0.5)
    assert (preference.winner, preference.consistent) == ("tie", False)


def test_majority_and_mean_can_differ() -> None:
    # two narrow wins for a, one broad loss: votes 2:1 for a, mean scores 5.33 : 6.33 for b
    one = [said("A", 6, 5), said("A", 6, 5), said("B", 4, 9)]
    other = [said("B", 5, 6), said("B", 5, 6), said("A", 9, 4)]
    by_vote = {
        vote: GenRMJudge(RUBRIC, votes(one, other), samples=3, vote=vote, decoding=WARM).compare([PAIR])[0]
        for vote in ("majority", "mean")
    }

    assert by_vote["majority"].winner == "a"
    assert by_vote["majority"].probability == pytest.approx(2 / 3)
    assert by_vote["mean"].winner == "b"
    assert by_vote["mean"].probability == 0.0
    assert by_vote["mean"].scores == pytest.approx((16 / 3, 19 / 3))


def test_every_vote_is_kept_by_order_as_a_winner_of_this_comparison() -> None:
    one = [said("A", 6, 5), said("B", 4, 6), Reply(None, "refused")]
    other = [said("B", 5, 6), said("A", 6, 5), said("B", 4, 6)]  # of b, a: B is the one that stands first here
    for judge in (GenRMJudge, PairwiseJudge):
        [found] = judge(RUBRIC, votes(one, other), samples=3, decoding=WARM).compare([PAIR])
        [swapped] = judge(RUBRIC, votes(one, other), samples=3, decoding=WARM).compare([PAIR.swap()])

        assert found.votes == (("a", "b", None), ("a", "b", "a"))
        assert found.winner == "a"  # (1/2 + 2/3) / 2
        assert (swapped.winner, swapped.votes) == ("b", (("b", "a", "b"), ("b", "a", None)))


def test_votes_are_kept_where_there_is_no_verdict() -> None:
    model = FakeModel(lambda request: honest(request) if first_shown(request, "brilliant") else "no idea")
    [unread] = PairwiseJudge(RUBRIC, model).compare([PAIR])
    [alone] = PairwiseJudge(RUBRIC, model, both_orders=False).compare([PAIR])
    [unasked] = PairwiseJudge(RUBRIC, model).compare([Comparison("p", "", "plain")])

    assert (unread.winner, unread.votes) == (None, (("a",), (None,)))
    assert (alone.votes, unasked.votes) == ((("a",),), ())


def test_half_of_an_order_unread_is_no_verdict() -> None:
    model = votes([said("A", 6, 5), Reply(None, "refused")], [said("B", 5, 6), said("B", 5, 6)])
    [preference] = GenRMJudge(RUBRIC, model, samples=2, decoding=WARM).compare([PAIR])

    assert (preference.winner, preference.error) == (None, "order a, b: refused")


def test_a_pairwise_judge_has_no_score() -> None:
    for judge in (PairwiseJudge(RUBRIC, FakeModel("x")), GenRMJudge(RUBRIC, FakeModel("x"))):
        with pytest.raises(InputError, match="compares"):
            judge.score([Sample("p", "r")])


def test_settings_that_make_no_sense_are_refused() -> None:
    with pytest.raises(InputError, match="temperature"):
        PairwiseJudge(RUBRIC, FakeModel("x"), samples=2)
    with pytest.raises(InputError, match="use a rubric judge"):
        PairwiseJudge(Rubric.load("story/hanna"), FakeModel("x"))
