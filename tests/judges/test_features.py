"""The features: hand-computed values, finite for any text, and no slower than the text is long."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judgekit import Sample
from judgekit.judges.features import coherence, feature_matrix, feature_names, surface
from judgekit.judges.features.coherence import AXES, Units
from judgekit.judges.features.units import chunks, clauses, sentences, words


def spread_out(texts: list[str]) -> np.ndarray:
    """A cheap encoder: letters counted, so that equal texts have equal vectors."""
    return np.array([[1.0 + text.lower().count(c) for c in "abcdefghijklmnopqrstuvwxyz"] for text in texts])


def test_words_and_sentences() -> None:
    assert words("Don't stop, café 42!") == ["Don't", "stop", "café", "42"]
    assert words("他走了 ok") == ["他", "走", "了", "ok"]
    assert sentences('He said "Go!" Then he left.') == ['He said "Go!"', "Then he left."]
    assert sentences("他走了。她笑了！") == ["他走了。", "她笑了！"]
    assert [len(words(s)) for s in sentences("a " * 130)] == [60, 60, 10]


def test_chunks_join_a_stub_to_the_piece_before() -> None:
    assert [len(words(c)) for c in chunks("a " * 110)] == [50, 60]
    assert [len(words(c)) for c in chunks("a " * 130)] == [50, 50, 30]


def test_clauses_need_three_words() -> None:
    assert clauses("Stop. You wake up alone, in a cave") == ["You wake up alone", "in a cave"]
    assert clauses("Go!") == ["Go!"]


def test_surface_by_hand() -> None:
    found = surface("Stop, stop! I see an elephant. Do you?")

    # words: stop stop i see an elephant do you = 8; sentences of 2, 4, 2 words
    assert found["log_words"] == math.log(9)
    assert found["sat_words"] == 8 / 208
    assert found["log_content"] == math.log(1 + 3)  # stop, see, elephant
    assert found["sent_len"] == pytest.approx(math.log(1 + 8 / 3))
    assert found["sent_len_sd"] == pytest.approx(math.log(1 + math.sqrt((4 / 9 + 16 / 9 + 4 / 9) / 3)))
    assert found["ttr50"] == 7 / 8
    assert found["long_words"] == 1 / 8
    assert found["top_word"] == 2 / 8
    assert (found["first"], found["second"], found["third"]) == (1 / 8, 1 / 8, 0)
    assert found["commas"] == math.sqrt(1 / 8)
    assert found["questions"] == found["exclaims"] == math.sqrt(1 / 8)


def test_repetition_by_hand() -> None:
    found = surface("A b. A b. A b.")

    assert found["rep2"] == pytest.approx(1 - 2 / 5)  # (a b) (b a) (a b) (b a) (a b)
    assert found["same_sents"] == pytest.approx(1 - 1 / 3)


def test_coherence_by_hand() -> None:
    """Two sentences at a right angle, one chunk between them, the prompt along the first."""
    units = Units("prompt", "x. y.", ["clause"], ["x.", "y."], ["x. y."])
    half = math.sqrt(0.5)
    vectors = np.array([[1, 0], [0, 1], [1, 0], [0, 1], [half, half]])
    found = coherence(units, vectors, np.zeros((len(AXES), 2)))

    assert found["sent_next_mean"] == 0
    assert found["sent_out"] == pytest.approx(half)  # both are 45 degrees off their mean
    assert found["prompt_all"] == pytest.approx(half)
    assert (found["prompt_sent_max"], found["prompt_sent_mean"], found["prompt_sent_sd"]) == (1, 0.5, 0.5)
    assert found["clause_sent_mean"] == 1
    assert found["sent_echo"] == 0


def test_an_echo_is_a_sentence_said_twice() -> None:
    units = Units.of("p", "The sun rose. Zyx qq! The sun rose.")
    found = coherence(units, feature_vectors(units), np.zeros((len(AXES), 26)))

    assert found["sent_echo"] == pytest.approx(2 / 3)


def feature_vectors(units: Units) -> np.ndarray:
    vectors = spread_out(units.texts)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=200), st.text(max_size=400))
def test_every_feature_is_finite_for_any_text(prompt: str, response: str) -> None:
    matrix = feature_matrix([Sample(prompt, response)], spread_out)

    assert matrix.shape == (1, len(feature_names()))
    assert np.isfinite(matrix).all()


def test_lone_surrogates_do_no_harm() -> None:
    assert np.isfinite(feature_matrix([Sample("\ud800", "x \udfff y")], spread_out)).all()


def test_a_sample_does_not_depend_on_its_neighbours() -> None:
    samples = [Sample(f"prompt {i % 3} of these", f"{'Some words here. ' * (i + 1)}") for i in range(70)]
    together = feature_matrix(samples, spread_out)

    assert np.allclose(together[[0, 35, 69]], feature_matrix([samples[i] for i in (0, 35, 69)], spread_out))


@pytest.mark.parametrize("piece", ["word ", "a", '"', "“", ". ", "\n", "'", "a'", "。", "```", "1.", " "])
def test_time_grows_with_the_text(piece: str) -> None:
    start = time.process_time()
    feature_matrix([Sample("a prompt of four words", piece * (100_000 // len(piece)))], spread_out)

    assert time.process_time() - start < 3
