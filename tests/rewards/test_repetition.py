"""POLARIS's penalties by hand, and against its own way of finding what repeats nearby."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judgekit import InputError
from judgekit.rewards import BlankPenalty, CompositeReward, RepetitionPenalty, Rollout, ThinkingBudgetPenalty
from judgekit.rewards.repetition import self_repetition, words_and_signs


def words(count: int, start: int = 0) -> str:
    return " ".join(f"w{i}" for i in range(start, start + count))


def test_no_repetition() -> None:
    assert self_repetition("") == self_repetition("one") == self_repetition(words(500)) == 0


def test_a_phrase_twice_nearby_by_hand() -> None:
    """13 tokens, 10 grams; "a b c d" and "b c d e" stand twice: g = l = 2 / 10.

    0.8 (0.7 (0.2 - 0.08) + 0.3 * 0.2) = 0.8 (0.084 + 0.06) = 0.1152; of one line none repeats.
    """
    assert self_repetition("a b c d e x y a b c d e z") == pytest.approx(0.1152)


def test_upper_case_and_signs() -> None:
    """ "The end." is the, end, . : 8 tokens of "The end. x The END. x" minus none; 5 grams, the last stands twice."""
    assert words_and_signs("The end. x") == ["the", "end", ".", "x"]
    assert self_repetition("The end. x The END. x") == pytest.approx(0.8 * (0.7 * (1 / 5 - 0.08) + 0.3 / 5))


def test_lines_by_hand() -> None:
    """Lines a, b, a, a: two of four repeat, 0.4 * 2 / 4 = 0.2; four tokens are one gram, which stands once."""
    assert self_repetition("a\n  b\n\n a \na\n") == pytest.approx(0.2)


@pytest.mark.parametrize(("between", "near"), [(59, 1), (60, 0)])
def test_the_window_ends_after_63_places(between: int, near: int) -> None:
    """A phrase of 4 tokens, others between, the phrase again: its gram stands 4 + between places later.

    There are 8 + between - 3 grams, one of them a repetition: below the free 8 %, so only the near one counts.
    """
    text = f"a b c d {words(between)} a b c d"
    assert self_repetition(text) == pytest.approx(0.8 * 0.3 * near / (5 + between))


def test_the_worst_case() -> None:
    """All grams and lines but the first repeat: 0.8 (0.7 (1 - 0.08) + 0.3) + 0.4 = 1.1552 in the limit."""
    assert self_repetition("a b c d e\n" * 5000) == pytest.approx(1.1552, abs=1e-3)


def released(text: str) -> float:
    """The formula as its authors' loop runs it: a dictionary from which what is 64 places away is deleted first."""
    tokens = words_and_signs(text)
    grams = [tuple(tokens[i : i + 4]) for i in range(len(tokens) - 3)]
    hits, seen = 0, dict[int, Any]()
    for i, gram in enumerate(grams):
        seen.pop(i - 64, None)
        hits += gram in seen.values()
        seen[i] = gram
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    g, d = (sum(n - 1 for n in Counter(of).values()) / max(1, len(of)) for of in (grams, lines))
    return min(1.5, 0.8 * (0.7 * max(0.0, g - 0.08) + 0.3 * hits / max(1, len(grams))) + 0.4 * d)


@given(st.lists(st.sampled_from(["a", "b", "C", "雨停了", "!", "\n"]), max_size=300))
def test_it_is_what_the_release_computes(parts: list[str]) -> None:
    text = " ".join(parts)
    found = self_repetition(text)

    assert found == pytest.approx(released(text))
    assert 0 <= found <= 1.5


def test_the_channel_is_negative_and_looks_at_what_is_seen() -> None:
    again = "a b c d e\n" * 20
    values = RepetitionPenalty()([Rollout("p", again), Rollout("p", f"<think>{again}</think>{words(50)}")])

    assert values == [-self_repetition(again), 0]
    assert RepetitionPenalty().lowest == -1.5


def test_chinese_repeats_by_characters() -> None:
    text = "雨停了又下雨停了又下雨停了又下"
    assert RepetitionPenalty()([Rollout("p", text)]) == [0]  # one token
    assert (RepetitionPenalty(list)([Rollout("p", text)])[0] or 0) < -0.3


def test_long_texts_are_fast() -> None:
    begin = time.process_time()
    for text in ("a " * 50_000, "!" * 100_000, "\n" * 100_000, "雨" * 100_000, words(15_000), "a\n" * 50_000):
        self_repetition(text)

    assert time.process_time() - begin < 5


@pytest.mark.parametrize(
    ("text", "worth"),
    [
        ("", -1),
        (" \n" * 5000, -1),
        (words(149), -1),
        (words(150), 0),
        (f"<think>{words(500)}</think>", -1),
        (f"<think>{words(500)}", -1),
        (words(150) + " " * 100_000, -1),  # 590 signs of 100,739: less than a tenth can be seen
        ("&nbsp;" * 200, -1),  # what a reader of HTML sees of it is white space
    ],
)
def test_blank(text: str, worth: float) -> None:
    assert BlankPenalty()([Rollout("p", text)]) == [worth]


def test_other_limits_of_blank() -> None:
    assert BlankPenalty(words=2, shown=0)([Rollout("p", "two words"), Rollout("p", "one")]) == [0, -1]
    for bad in ((-1, 0.1), (1, -0.1), (1, 1.1)):
        with pytest.raises(InputError, match="a share in"):
            BlankPenalty(*bad)


def test_thinking_by_ids() -> None:
    """Budget 3, 0.05 each. </think> is 9: 6 ids with it are 3 too many, of 10: -0.05 * 3 / 10."""
    reward = ThinkingBudgetPenalty(3, end=9)
    ids = [
        [1, 2, 3, 4, 5, 9, 6, 7, 8, 8],
        [1, 2, 9, 4],
        [9, 9, 9, 9, 1],  # the last mark ends it: 4, one too many, of 5
        [1, 2, 3, 4, 5],  # no mark
        [],
    ]
    assert reward([Rollout("p", "", "g", {"completion_ids": row}) for row in ids]) == pytest.approx(
        [-0.05 * 3 / 10, 0, -0.05 / 5, 0, 0]
    )


def test_thinking_that_never_ended_is_all_thinking() -> None:
    assert ThinkingBudgetPenalty(3, end=9)([Rollout("p", "<think>x", "g", {"completion_ids": [1] * 5})]) == [
        pytest.approx(-0.05 * 2 / 5)
    ]
    assert ThinkingBudgetPenalty(3)([Rollout("p", f"<think>{words(9)}")]) == [pytest.approx(-0.05 * 7 / 10)]


def test_no_ids_is_no_value() -> None:
    for columns in ({}, {"completion_ids": None}, {"completion_ids": "1 2"}, {"completion_ids": 3}):
        values = ThinkingBudgetPenalty(3, end=9)([Rollout("p", "x", "g", columns)])
        assert values == [None] and "no column 'completion_ids'" in values.reasons[0]


def test_thinking_by_words_and_by_a_counter() -> None:
    """<think> and 8 words and </think> are 10 words, 6 beyond 4; 2 follow: -0.05 * 6 / 12."""
    rollout = Rollout("p", f"<think>{words(8)}</think>two words")

    assert ThinkingBudgetPenalty(4)([rollout]) == [pytest.approx(-0.05 * 6 / 12)]
    assert ThinkingBudgetPenalty(4, 1, count=lambda text: 5)([rollout]) == [pytest.approx(-1 / 10)]
    assert ThinkingBudgetPenalty(10)([rollout]) == [0]
    assert ThinkingBudgetPenalty(0)([Rollout("p", "no thoughts"), Rollout("p", "")]) == [0, 0]


def test_what_cannot_be_a_budget() -> None:
    for bad in ((-1,), (1, -0.1)):
        with pytest.raises(InputError, match="0 or more"):
            ThinkingBudgetPenalty(*bad)


@given(st.integers(0, 50), st.integers(0, 50), st.integers(0, 20))
def test_more_thinking_is_never_better(thinking: int, more: int, budget: int) -> None:
    reward = ThinkingBudgetPenalty(budget)
    short, long = (reward([Rollout("p", f"<think>{words(n)}</think>end")])[0] for n in (thinking, thinking + more))

    assert short is not None and long is not None and reward.lowest is not None
    assert reward.lowest <= long <= short <= 0


def test_positive_weights_make_polaris_reward() -> None:
    """A judge's 0.5 - 1.5 * selfrep - 1.0 * blank."""
    text = "a b c d e\n" * 20
    reward = CompositeReward([RepetitionPenalty(), BlankPenalty()], [1.5, 1.0])

    assert reward.score([Rollout("p", text)]).totals == [pytest.approx(-1.5 * self_repetition(text) - 1)]
