"""The values refuse what could be mistaken for a verdict."""

from __future__ import annotations

import math

import pytest

from judgekit import Comparison, Preference, Sample, Score, Usage
from judgekit.errors import InputError, MissingExtraError, nearest, require
from judgekit.types import logistic, prompt_text


@pytest.mark.parametrize("kwargs", [{"value": None}, {"value": 0.5, "error": "x"}, {"value": None, "error": ""}])
def test_a_score_is_a_value_or_a_reason(kwargs: dict) -> None:
    with pytest.raises(ValueError, match="exclude each other"):
        Score(**kwargs)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1.5, -0.1])
def test_a_score_is_finite_and_on_its_scale(value: float) -> None:
    with pytest.raises(ValueError, match=r"scale|verdict"):
        Score(value)


def test_a_preference_is_a_winner_or_a_reason() -> None:
    with pytest.raises(ValueError, match="exclude each other"):
        Preference(None)
    with pytest.raises(ValueError, match="scale"):
        Preference("a", probability=1.2)


def test_unit_maps_the_scale_to_zero_and_one() -> None:
    # (4 - 1) / (5 - 1) = 3/4; (-159 - -159) / 267 = 0; logistic(0) = 1/2
    assert Score(4.0, (1.0, 5.0)).unit == 0.75
    assert Score(-159.0, (-159.0, 108.0)).unit == 0.0
    assert Score(0.0, None).unit == 0.5
    assert Score(None, error="why").unit is None


def test_logistic_does_not_overflow() -> None:
    assert logistic(1000.0) == 1.0
    assert logistic(-1000.0) == 0.0
    assert logistic(math.log(3)) == pytest.approx(0.75)


def test_swap_swaps_the_responses_alone() -> None:
    comparison = Comparison("p", "x", "y", id="1", metadata={"k": 1})

    assert comparison.swap() == Comparison("p", "y", "x", id="1", metadata={"k": 1})
    assert comparison.swap().swap() == comparison


def test_sides() -> None:
    assert Comparison("p", "x", "y", id="1").sides() == (Sample("p", "x", id="1"), Sample("p", "y", id="1"))


def test_usage_adds_up() -> None:
    assert Usage(1, 2, 3, 4) + Usage(10, 20, 30, 40) == Usage(11, 22, 33, 44)


def test_a_chat_prompt_becomes_one_text() -> None:
    chat = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"}]

    assert prompt_text(chat) == "system:\nBe brief.\n\nuser:\nHello"
    assert prompt_text(chat[1:]) == "Hello"


def test_nearest_names_one_or_lists_all() -> None:
    assert nearest("coherance", ["coherence", "empathy"]) == "; did you mean 'coherence'?"
    assert nearest("zzz", ["b", "a"]) == "; known: a, b"


def test_a_missing_extra_names_its_command() -> None:
    with pytest.raises(MissingExtraError, match=r"pip install 'judgekit-rl\[serve\]'"):
        require("no_such_package_anywhere", "serve")


def test_a_broken_package_is_not_called_missing(tmp_path, monkeypatch) -> None:
    (tmp_path / "broken_package.py").write_text("import something_it_needs")
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(ModuleNotFoundError, match="something_it_needs") as caught:
        require("broken_package", "serve")
    assert not isinstance(caught.value, MissingExtraError)


def test_an_input_error_is_a_value_error() -> None:
    assert str(InputError.at("f.jsonl", 3, "empty")) == "f.jsonl:3: empty"
    assert issubclass(InputError, ValueError)
