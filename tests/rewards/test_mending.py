"""Broken JSON read for what it probably meant, as the json_repair package reads it, where that is installed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judgekit.rewards.mending import mended

OK = '{"plot_list": [{"narrative": "A b.", "role_dialogue": {}}], "next_episode": "2"}'
READ = {"plot_list": [{"narrative": "A b.", "role_dialogue": {}}], "next_episode": "2"}
CASES: dict[str, Any] = {
    OK: READ,
    f"```json\n{OK}\n```": READ,
    OK + OK: READ,
    f"<think>hm {OK}": READ,
    OK[:-2]: READ,
    OK.replace('"', "'"): READ,
    "{'a': None, 'b': True, 'c': 1.5, 'd': -2}": {"a": None, "b": True, "c": 1.5, "d": -2},
    '{"a": [1, 2,], }': {"a": [1, 2]},
    '{"a": {"b": "c': {"a": {"b": "c"}},
    '{"a": 1} {"b": 2}': [{"a": 1}, {"b": 2}],
}


@pytest.mark.parametrize("text", CASES)
def test_by_hand(text: str) -> None:
    assert mended(text) == CASES[text]


@pytest.mark.parametrize("text", CASES)
def test_json_repair_says_the_same(text: str) -> None:
    package = pytest.importorskip("json_repair")
    assert package.repair_json(text, return_objects=True) == CASES[text]


def test_nothing_to_mend() -> None:
    assert mended("") is None and mended("no braces") is None


@given(st.text(alphabet="{}[]\"':, \\ab1", max_size=60))
def test_it_ends_and_raises_nothing(text: str) -> None:
    mended(text)
