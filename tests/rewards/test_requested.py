"""How many words a prompt asks for, and POLARIS's bands."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judgekit.rewards import CompositeReward, RequestedLengthReward, Rollout
from judgekit.rewards.requested import count_words, requested_words


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("Your story should be approximately 800 words long.", 800),
        ("It should be 1,000 words long.", 1000),
        ("Write 12,500 Words Long prose.", 12500),
        ("Write about 800 words.", 800),
        ("Write a story of 1,000 words", 1000),
        ("Write an 800-word story.", 800),
        ("~800 words, please", 800),
        ("The letter has 50 words. The story should be 900 words long.", 900),
        ("About 800 words. Again: 800 words.", 800),
        ("Use 2 heroes and write 500 words.", 500),
    ],
)
def test_what_is_asked(prompt: str, words: int) -> None:
    assert requested_words(prompt) == words


@pytest.mark.parametrize(
    ("prompt", "reason"),
    [
        ("Write a story.", "no length"),
        ("", "no length"),
        ("Write in your own words.", "no length"),
        ("Write 800 wordsmiths.", "no length"),
        ("Write 3.5 words.", "no length"),
        ("Write 500-800 words.", "range"),
        ("Write 500 to 800 words.", "range"),
        ("between 500 and 800 words", "range"),
        ("between 500 words and 800 words long", "range"),
        ("at least 500 words", "range"),
        ("no more than 500 words long", "range"),
        ("up to 500 words", "range"),
        ("500 words or less", "range"),
        ("500 words at most", "range"),
        ("Write 500 words. No, 600 words.", "different lengths: 500, 600 words"),
        ("Write 0 words.", "0 words"),
    ],
)
def test_what_is_not_asked(prompt: str, reason: str) -> None:
    found = requested_words(prompt)
    assert isinstance(found, str) and reason in found


def value(asked: int, written: int) -> float | None:
    return RequestedLengthReward()([Rollout(f"A story, {asked} words long.", "word " * written)])[0]


@pytest.mark.parametrize(
    ("asked", "written", "worth"),
    [
        (1000, 650, 0),  # lo = max(150, 350) = 350: from 650
        (1000, 1600, 0),  # up = max(250, 600) = 600: to 1600
        (1000, 325, -0.5),  # 1 - 325 / 650
        (1000, 0, -1),
        (1000, 2000, -0.25),  # 2000 / 1600 - 1
        (1000, 9999, -1),  # 9999 / 1600 - 1 = 5.2, at most 1
        (4000, 3400, 0),  # lo = 0.15 * 4000 = 600
        (4000, 5000, 0),  # up = 0.25 * 4000 = 1000
        (4000, 1700, -0.5),
        (12000, 11000, 0),  # lo = min(1800, 1000)
        (12000, 13500, 0),  # up = min(3000, 1500)
        (12000, 5500, -0.5),
        (300, 0, 0),  # 300 - 350 is below nothing
        (300, 1350, -0.5),  # 1350 / 900 - 1
        (3333, 2834, 0),  # 0.15 * 3333 = 499.95, cut to 499
        (3333, 2833, -1 / 2834),
    ],
)
def test_the_bands_by_hand(asked: int, written: int, worth: float) -> None:
    assert value(asked, written) == pytest.approx(worth)


def test_no_length_asked_is_no_value() -> None:
    values = RequestedLengthReward()([Rollout("A story.", "word"), Rollout("800 words", "word " * 800)])

    assert values == [None, 0] and values.reasons == {0: "the prompt asks for no length"}


def test_a_chat_and_an_optional_channel() -> None:
    prompt = [{"role": "user", "content": "A story of about 800 words."}]
    reward = CompositeReward([RequestedLengthReward()], [0.8], optional=["requested_length"])

    assert reward.score([Rollout(prompt, "", "a"), Rollout("Hi.", "", "b")]).totals == [-0.8, 0]  # type: ignore[arg-type]


def test_words_as_polaris_counts_them() -> None:
    assert count_words("don't stop, 3.14 雨停了 a_b &eacute;t&eacute; &amp;") == 8  # don t stop 3 14 雨停了 a_b été
    assert count_words("&#" + "1" * 5000 + ";") == 1  # Python reads no number of 5000 digits
    assert count_words("") == 0


def test_long_prompts_are_fast() -> None:
    begin = time.process_time()
    for part in ("1,", "1 ", "100,000,", "5 words ", " ", "9-", "at least "):
        requested_words(part * (100_000 // len(part)))

    assert time.process_time() - begin < 3


@given(st.integers(1, 20_000), st.integers(0, 3000))
def test_a_penalty_is_within_its_bounds_and_what_was_asked_costs_nothing(asked: int, written: int) -> None:
    found = value(asked, written)
    assert found is not None and -1 <= found <= 0
    if written == asked:
        assert found == 0
