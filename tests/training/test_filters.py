from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judgekit.errors import InputError
from judgekit.training.chains import Chain, asks, in_order, texts_hash
from judgekit.training.distill import distill
from judgekit.training.filters import Filters, filter_chains, reasoning
from judgekit.types import Usage
from tests.training.teachers import honest, pair, reply, teacher


def chain(
    pair_id: str = "p0",
    order: str = "ab",
    winner: str | None = "a",
    sample: int = 0,
    scores: tuple[float | None, float | None] = (8, 4),
    text: str | None = None,
    first: bool = True,
) -> Chain:
    body = text if text is not None else f"{pair_id} {order} {sample}: a reason of the usual length\nVerdict: A"
    error = None if winner else "unreadable"
    texts = texts_hash(in_order(pair(int(pair_id[1:])).comparison, order))  # type: ignore[arg-type]
    return Chain(pair_id, order, sample, body, winner, scores, error, first, texts, "t", {}, "h", Usage())  # type: ignore[arg-type]


def both(pair_id: str, ab: str | None = "a", ba: str | None = "a", **more: object) -> list[Chain]:
    return [chain(pair_id, "ab", ab, **more), chain(pair_id, "ba", ba, **more)]  # type: ignore[arg-type]


PAIRS = [pair(0, label="a"), pair(1, label="b"), pair(2)]


def test_what_is_right_passes() -> None:
    found = filter_chains(PAIRS, both("p0") + both("p1", "b", "b") + both("p2", "b", "b"), Filters())

    assert len(found.kept) == 6
    assert sum(found.left_out.values()) == 0


@pytest.mark.parametrize(
    ("chains", "reason", "count"),
    [
        (both("p1", None, None), "no readable verdict", 2),
        (both("p2", "a", "b"), "the orders disagree", 2),
        (both("p1", "a", "a"), "against the label", 2),
        (both("p2", "tie", "tie"), "against the label", 0),
        (both("p2", first=False), "verdict before reasons", 2),
        (both("p2", text="p0 ab 0: a reason of  the USUAL length\nVerdict: B"), "the same reasoning again", 2),
    ],
)
def test_each_reason_is_counted_once(chains: list[Chain], reason: str, count: int) -> None:
    found = filter_chains(PAIRS, both("p0") + chains, Filters())

    assert found.left_out[reason] == count
    assert sum(found.left_out.values()) == count
    assert len(found.kept) == 4 - count


def test_an_unusual_length_is_many_deviations_from_the_median() -> None:
    # Nine chains of 41 characters and one of 90: log(90 / 41) = 0.79; the deviation is at least 0.1.
    usual = [chain("p0", "ab", "a", i, text=f"{i}" * 41) for i in range(8)] + both("p2", text="z" * 41)
    odd = chain("p2", "ab", "a", 1, text="y" * 90)

    def left_out(length: float) -> int:
        alone = Filters(both_orders=False, length=length, duplicates=False)
        return filter_chains(PAIRS, [*usual, odd], alone).left_out["unusual length"]

    assert (left_out(7.8), left_out(7.9)) == (1, 0)


def test_one_readable_order_alone_does_not_count_as_agreement() -> None:
    assert filter_chains(PAIRS, both("p0") + both("p2", "a", None), Filters()).left_out == {
        "of another pair, or a held-out one": 0,
        "no readable verdict": 1,
        "the orders disagree": 1,
        "against the label": 0,
        "verdict before reasons": 0,
        "unusual length": 0,
        "the same reasoning again": 0,
    }


def voted(ab: str, ba: str) -> list[Chain]:
    return [chain("p2", order, winner, i) for order, said in (("ab", ab), ("ba", ba)) for i, winner in enumerate(said)]


def test_the_majority_of_each_order_decides_and_the_outvoted_go() -> None:
    votes = voted("aab", "aaa")
    found = filter_chains(PAIRS, both("p0") + votes, Filters())

    assert found.left_out["the orders disagree"] == 1
    assert [c.winner for c in found.kept if c.pair == "p2"] == ["a"] * 5


def test_an_order_that_is_split_agrees_with_nothing() -> None:
    votes = voted("ab", "aa")

    assert filter_chains(PAIRS, both("p0") + votes, Filters()).left_out["the orders disagree"] == 4


def test_the_margin_is_the_difference_of_the_scores() -> None:
    chains = both("p0", scores=(8, 4)) + both("p2", scores=(5, 4)) + both("p1", "b", "b", scores=(None, None))

    found = filter_chains(PAIRS, chains, Filters(margin=2))

    assert found.left_out["margin too small"] == 4
    assert {c.pair for c in found.kept} == {"p0"}


def test_a_filter_that_is_off_leaves_out_nothing() -> None:
    off = Filters(both_orders=False, label=False, length=None, duplicates=False, reasons_first=False)
    chains = both("p0", "b", "a", text="x" * 9000, first=False)

    assert filter_chains(PAIRS, chains, off).kept == chains


def test_reasoning_is_what_stands_beside_the_verdict() -> None:
    assert reasoning(chain(text="Good  story.\nScore A: 4\nScore B: 2\nVerdict: A")) == "good story."
    assert reasoning(chain(text='{"reasons": "x",\n "score_a": 4,\n "verdict": "A"}')) == '{"reasons": "x",'


def test_a_teacher_that_always_answers_a_leaves_nothing_and_is_named() -> None:
    chains = distill(list(asks([pair(i) for i in range(3)])), teacher(reply(9, 1)))

    with pytest.raises(InputError, match=r"no chain is left of 6: 6 the orders disagree; as shown, .* said a 6 times"):
        filter_chains([pair(i) for i in range(3)], chains, Filters())


def test_a_teacher_that_is_never_right_leaves_nothing() -> None:
    with pytest.raises(InputError, match="no chain is left of 2: 2 against the label"):
        filter_chains(PAIRS, both("p1", "a", "a"), Filters())


def test_no_chains_at_all() -> None:
    with pytest.raises(InputError, match="no chain is left of 0: there were none"):
        filter_chains(PAIRS, [], Filters())


def test_chains_of_pairs_that_are_not_here_are_counted() -> None:
    """Such as of the pairs that a run keeps for its evaluation."""
    found = filter_chains(PAIRS, both("p0") + both("p7"), Filters())

    assert {it.pair for it in found.kept} == {"p0"} and found.left_out["of another pair, or a held-out one"] == 2
    with pytest.raises(InputError, match="no chain is left of 2: 2 of another pair, or a held-out one"):
        filter_chains(PAIRS, both("p7"), Filters())


def test_a_chain_about_other_texts_is_refused() -> None:
    """Ids such as line-1 are alike in every file."""
    stranger = replace(PAIRS[0], comparison=replace(PAIRS[0].comparison, a="another story"))
    with pytest.raises(InputError, match="'p0' is about other texts"):
        filter_chains([stranger, *PAIRS[1:]], both("p0"), Filters())


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["p0", "p1", "p2"]),
            st.sampled_from(["ab", "ba"]),
            st.sampled_from(["a", "b", "tie", None]),
            st.booleans(),
            st.text("xyz ", max_size=30),
        ),
        max_size=30,
    )
)
def test_every_chain_is_kept_or_counted_once(rows: list[tuple[str, str, str | None, bool, str]]) -> None:
    sound = both("p0")
    chains = sound + [chain(p, o, w, i, text=t, first=f) for i, (p, o, w, f, t) in enumerate(rows)]
    try:
        found = filter_chains(PAIRS, chains, Filters())
    except InputError:
        return
    assert len(found.kept) + sum(found.left_out.values()) == len(chains)
    assert all(c.winner is not None for c in found.kept)
    assert all(c.winner == "a" for c in found.kept if c.pair == "p0")


def test_honest_chains_pass() -> None:
    pairs = [pair(i, "x" * (3 + i), "x", "a") for i in range(5)]

    assert len(filter_chains(pairs, distill(list(asks(pairs)), teacher(honest)), Filters()).kept) == 10
