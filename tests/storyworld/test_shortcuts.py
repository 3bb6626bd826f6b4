"""What looks only at the surface must not find the better story."""

from __future__ import annotations

from collections.abc import Callable
from statistics import mean

import pytest

from judgekit.storyworld import World
from judgekit.types import Pair

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def train() -> list[Pair]:
    return World(seed=1).pairs(4000)


@pytest.fixture(scope="module")
def held_out() -> list[Pair]:
    return World(seed=1).pairs(2000, "test")


def more_wins(pair: Pair, measure: Callable[[str], int]) -> float:
    a, b = measure(pair.comparison.a), measure(pair.comparison.b)
    return 0.5 if a == b else float((a > b) == (pair.label == "a"))


@pytest.mark.parametrize("measure", [len, lambda text: len(text.split()), lambda text: text.count(".")])
def test_length_does_not_tell(train, held_out, measure):
    assert 0.45 <= mean(more_wins(pair, measure) for pair in train + held_out) <= 0.55


def test_length_does_not_tell_in_a_small_set_either():
    """Not half on average alone: the longer story is the better one in every other pair, ties apart."""
    pairs = World(seed=5).pairs(200, "test")
    wins = [more_wins(pair, lambda text: text.count(".") + text.count("!")) for pair in pairs]
    assert set(wins[::2]) <= {0.0, 0.5} and set(wins[1::2]) <= {1.0, 0.5}


def test_neither_position_nor_bait_tells(train, held_out):
    assert 0.45 <= mean(pair.label == "a" for pair in train + held_out) <= 0.55
    assert 0.45 <= mean(more_wins(pair, lambda text: text.count("!")) for pair in train + held_out) <= 0.55


@pytest.mark.parametrize("ngrams", [(1, 1), (1, 2)])
def test_a_bag_of_words_does_not_tell(train, held_out, ngrams):
    """TF-IDF and a logistic Bradley-Terry model on the difference; held-out groups."""
    text = pytest.importorskip("sklearn.feature_extraction.text")
    linear_model = pytest.importorskip("sklearn.linear_model")
    words = text.TfidfVectorizer(ngram_range=ngrams)
    words.fit([text for pair in train for text in (pair.comparison.a, pair.comparison.b)])

    def difference(pairs: list[Pair]):
        a, b = ([getattr(pair.comparison, side) for pair in pairs] for side in ("a", "b"))
        return words.transform(a) - words.transform(b)

    model = linear_model.LogisticRegression(fit_intercept=False, max_iter=1000)
    model.fit(difference(train), [pair.label for pair in train])
    assert {pair.group for pair in train}.isdisjoint(pair.group for pair in held_out)
    assert model.score(difference(held_out), [pair.label for pair in held_out]) <= 0.65
