"""Words and characters of any language, and the value of a length."""

from __future__ import annotations

import json
import math
import time
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judgekit import InputError
from judgekit.rewards import LengthReward, Rollout, effective_length, story_text
from judgekit.rewards.published import count_tokens


@pytest.mark.parametrize(
    ("text", "length", "published"),
    [
        ("", 0, 0),
        ("The rain stopped.", 3, 3),
        ("don't stop", 2, 3),
        ("It’s the ’90s, rock'n'roll", 4, 7),  # It's, the, 90s, rock'n'roll
        ("Élan vital", 2, 2),
        ("naïve Čapek", 2, 3),  # na, ve, apek: "ï" and "Č" divide
        ("20:30, 3.14", 2, 4),
        ("1,000 words at 20：30", 4, 6),
        ("well-known snake_case e.g. 50%", 7, 7),
        ("雨停了。", 3, 3),
        ("我在20:30到了Paris，don't wait！", 8, 10),  # 我 在 20:30 到 了 Paris don't wait
        ("𠮷野家", 3, 2),
        ("㐂 鿿 々 〇 \uf900", 5, 0),
        ("かなカナー・ﾊﾞ", 6, 0),  # か な カ ナ ー ﾊﾞ, the dot divides
        ("한국어 ㅋㅋ", 5, 0),
        ("T恤衫 iPhone15", 4, 4),
        ("1,2,3", 1, 3),
        ("１２：３０", 1, 0),
        ("हिन्दी भाषा", 2, 0),
        ("Привет, мир!", 2, 0),
        ("😀 ... —— \u200b \ufeff", 0, 0),
        ("zero\u200bwidth soft\u00adhyphen", 2, 4),
        ("\n\t  ", 0, 0),
    ],
)
def test_by_hand(text: str, length: int, published: int) -> None:
    assert effective_length(text) == length
    assert count_tokens(text) == published


def test_every_han_kana_and_hangul_character_is_1() -> None:
    regex = pytest.importorskip("regex")
    script = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}]")
    assigned = [chr(code) for code in range(0x2E80, 0x34000) if unicodedata.category(chr(code))[0] in "LN"]
    found = [char for char in assigned if script.match(char) and not "\uff9e" <= char <= "\uff9f"]

    assert len(found) > 90_000
    assert [char for char in found if effective_length(char + char) != 2] == []
    assert all(effective_length(chr(code) * 2) == 2 for code in range(0xAC00, 0xD7A4, 7))


def test_how_accents_and_syllables_are_encoded_makes_no_difference() -> None:
    for text in ("Élan vital naïve", "한국어 문장", "が ぱ ガ"):
        assert effective_length(unicodedata.normalize("NFD", text)) == effective_length(text)


@given(st.lists(st.sampled_from(["rain", "don't", "Élan", "3.14", "雨", "か", "한"])))
def test_a_length_is_the_sum_of_its_parts(parts: list[str]) -> None:
    assert effective_length(" ".join(parts)) == len(parts)
    assert effective_length("，".join(parts)) == len(parts)


@given(st.text(), st.text())
def test_a_space_adds_nothing(a: str, b: str) -> None:
    assert effective_length(f"{a} {b}") == effective_length(a) + effective_length(b)


@pytest.mark.parametrize("part", ["a'", "1.", "雨", "e\u0301\u0316", "''", "word ", "1:", "\u0301\u0316"])
def test_long_texts_are_fast(part: str) -> None:
    begin = time.process_time()
    effective_length(part * (100_000 // len(part)))

    assert time.process_time() - begin < 1


def value(reward: LengthReward, text: str) -> float | None:
    return reward([Rollout("p", text)])[0]


@pytest.mark.parametrize(
    ("words", "worth"),
    [
        (80, 1),
        (90, 1),
        (100, 1),
        (70, math.exp(-0.5)),  # one sigma short: exp(-((70 - 80) / 10)^2 / 2)
        (110, math.exp(-0.5)),
        (120, math.exp(-2)),  # two: exp(-4 / 2)
        (0, math.exp(-32)),  # eight: exp(-64 / 2)
    ],
)
def test_the_value_by_hand(words: int, worth: float) -> None:
    assert value(LengthReward(80, 100), "word " * words) == pytest.approx(worth)
    assert value(LengthReward(80, 100), "雨" * words) == pytest.approx(worth)


def test_reasoning_does_not_count() -> None:
    assert value(LengthReward(1, 2), "<think>so many words here</think>two words") == 1
    assert value(LengthReward(1, 2), "<think>two words") == pytest.approx(math.exp(-0.005))


def test_the_story_of_a_turn_alone_counts() -> None:
    """Two narratives of 3 and an utterance of 2 are 8; the speaker and the prose around are nothing."""
    plots = [
        {"narrative": "The rain stopped.", "role_dialogue": {"name": "Ana the Bold", "utterance": "At last!"}},
        {"narrative": "雨停了。", "role_dialogue": {}},
    ]
    text = "Here it is: " + json.dumps({"plot_list": plots, "next_episode": "2"})

    assert value(LengthReward(8, 8, 0.1, text=story_text), text) == 1
    assert value(LengthReward(0, 99, text=story_text), text[:-1]) == 0


def test_another_way_to_count() -> None:
    assert value(LengthReward(3, 3, length=count_tokens), "don't stop") == 1
    assert value(LengthReward(10, 10, length=len), "don't stop") == 1


def test_no_upper_end_and_a_tiny_sigma() -> None:
    assert value(LengthReward(1, math.inf), "word " * 10_000) == 1
    assert value(LengthReward(10, 20, 1e-300), "word") == 0


@pytest.mark.parametrize("given_", [(5, 4), (-1, 4), (1, 2, 0), (1, 2, -1), (math.nan, 2), (1, 2, math.nan)])
def test_what_cannot_be_a_length(given_: Any) -> None:
    with pytest.raises(InputError, match="0 <= low <= high and a sigma above 0"):
        LengthReward(*given_)


@given(st.integers(0, 300), st.integers(0, 300))
def test_nearer_is_never_worse(a: int, b: int) -> None:
    reward = LengthReward(80, 100)
    near, far = sorted((a, b), key=lambda n: max(80 - n, n - 100, 0))

    assert (value(reward, "w " * near) or 0) >= (value(reward, "w " * far) or 0)
