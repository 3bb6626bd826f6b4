"""Leaks between splits: against brute force, on templates, on near copies; and that nothing else is called one."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judgekit import Comparison, InputError, Pair
from judgekit.training import leaks, shared_responses
from judgekit.training.leaks import GRAM, normalised, shingles

PROMPT = "Write a story about a lighthouse keeper who finds a letter in a bottle on the beach after a storm"


def pairs(prompts: list[str], mark: str = "t") -> list[Pair]:
    return [Pair(Comparison(text, f"{mark}{i} a", f"{mark}{i} b", f"{mark}{i}"), "a") for i, text in enumerate(prompts)]


def jaccard(a: str, b: str) -> float:
    """By definition, on Python sets of Python texts."""
    x, y = ({t[i : i + GRAM] for i in range(max(1, len(t) - GRAM + 1))} for t in (normalised(a), normalised(b)))
    return len(x & y) / len(x | y)


def test_shingles_by_hand() -> None:
    """abcdefg has abcde, bcdef, cdefg; aaaaaaa has aaaaa alone; ab is shorter than a shingle."""
    assert [len(shingles(text)) for text in ("abcdefg", "aaaaaaa", "ab")] == [3, 1, 1]
    assert len(set(shingles("abcdefg")) & set(shingles("xbcdefx"))) == 1


def test_similarity_by_hand() -> None:
    """abcdefghij: 6 shingles; abcdefghiX: 6; the first 5 are shared: 5 / 7."""
    [found] = leaks(pairs(["abcdefghij"], "x"), pairs(["abcdefghix"]), 5 / 7)

    assert found == ("x0", "t0", pytest.approx(5 / 7))
    assert leaks(pairs(["abcdefghij"]), pairs(["abcdefghix"]), 5 / 7 + 1e-6) == []


@pytest.mark.parametrize(
    ("other", "leaks_"),
    [
        (PROMPT, True),
        (f"  {PROMPT.upper()}!! ", True),
        (PROMPT.replace("a storm", "storms"), True),
        (
            PROMPT.replace("a letter in a bottle on the beach after a storm", "that the lamp has gone out for good"),
            False,
        ),
        ("Tell me about the French revolution.", False),
    ],
)
def test_near_copies(other: str, leaks_: bool) -> None:
    assert bool(leaks(pairs([PROMPT, "Something else entirely."]), pairs([other]))) == leaks_


def test_a_chat_and_a_chinese_prompt() -> None:
    chinese = "写一个关于灯塔看守人的故事，他在暴风雨后的海滩上发现了一个漂流瓶"
    chat = [{"role": "user", "content": PROMPT}]
    train = [Pair(Comparison(chat, "a", "b", "chat"), "a"), Pair(Comparison(chinese, "a", "b", "zh"), "a")]

    assert [found[0] for found in leaks(train, pairs([PROMPT, chinese.replace("，", "")]))] == ["chat", "zh"]


LETTERS = st.lists(st.text("ab ", min_size=1, max_size=25), min_size=1, max_size=12)


@settings(max_examples=150, deadline=None)
@given(LETTERS, LETTERS, st.sampled_from([0.2, 0.5, 0.8, 1.0]))
def test_exactly_those_that_brute_force_finds(train: list[str], test: list[str], threshold: float) -> None:
    """Few letters make many near copies; so few prompts have no template."""
    found = leaks(pairs(train, "x"), pairs(test), threshold)
    best = [max(jaccard(a, b) for a in train) for b in test]

    assert [leak.test for leak in found] == [f"t{i}" for i, top in enumerate(best) if top >= threshold - 1e-12]
    for leak in found:
        assert leak.similarity == pytest.approx(jaccard(train[int(leak.train[1:])], test[int(leak.test[1:])]))


def words(rng: random.Random, n: int) -> str:
    return " ".join("".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=rng.randint(2, 9))) for _ in range(n))


def test_a_template_is_no_leak_and_what_stands_in_it_is() -> None:
    """300 letters of template before 60 of their own: alike by .8, and yet all different but the last."""
    rng = random.Random(0)
    template = words(rng, 50)
    prompts = [f"{template} {words(rng, 10)}" for _ in range(400)]
    copy = prompts[7][:-3]

    assert jaccard(prompts[0], prompts[1]) > 0.6
    assert [tuple(leak[:2]) for leak in leaks(pairs(prompts[:300]), pairs([*prompts[300:], copy]), 0.6)] == [
        ("t7", "t100")
    ]


def test_copies_of_one_prompt_are_each_found() -> None:
    assert len(leaks(pairs([PROMPT] * 50), pairs([PROMPT] * 70))) == 70


def test_nothing_against_nothing() -> None:
    assert leaks([], pairs([PROMPT])) == leaks(pairs([PROMPT]), []) == []


@pytest.mark.parametrize("threshold", [0, -1, 1.1, float("nan")])
def test_a_threshold_that_cannot_be(threshold: float) -> None:
    with pytest.raises(InputError, match="the threshold is a similarity"):
        leaks([], [], threshold)


def test_time_grows_with_the_prompts_and_not_with_their_product() -> None:
    """2,000 x 500 prompts of 250 letters: brute force makes a million comparisons, some 20 us each."""
    rng = random.Random(1)
    train = [words(rng, 40) for _ in range(2000)]
    start = time.process_time()
    found = leaks(pairs(train), pairs([*(words(rng, 40) for _ in range(490)), *train[:10]]))

    assert len(found) == 10
    assert time.process_time() - start < 8


def test_responses_that_stand_on_both_sides() -> None:
    train = [Pair(Comparison("p", "The lamp.", "Dawn!", "x"), "a"), Pair(Comparison("q", "the LAMP", "Sea", "y"), "a")]
    test = [Pair(Comparison("r", "New.", "the lamp", "t"), "b"), Pair(Comparison("s", "New.", "Fresh", "u"), "b")]

    assert shared_responses(train, test) == [("x", "t")]
