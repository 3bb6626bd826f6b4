"""One JSON object or none: every way in which JSON can be wrong, and how fast that is seen."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judgekit.episodes.answer import json_object

GOOD = {"plot_list": [{"narrative": "雨停了。 The rain {stopped}.", "role_dialogue": {}}], "next_episode": "2"}
TEXT = json.dumps(GOOD, ensure_ascii=False)


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        json.dumps(GOOD),
        f"```json\n{TEXT}\n```",
        f"Here is the turn:\n{TEXT}\nI hope that it helps.",
        f"\ufeff{TEXT}",
        f"{TEXT} {{ok}}",
        f"{{ok}} {TEXT}",
        f'He said "yes". {TEXT}',
        json.dumps(GOOD, indent=2),
    ],
)
def test_one_object(text: str) -> None:
    assert json_object(text) == GOOD


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no object at all",
        "[1, 2]",
        '"text"',
        TEXT[:-1],  # truncated: the last brace
        TEXT[: len(TEXT) // 2],
        TEXT[:-5],
        TEXT + TEXT,  # twice the same
        TEXT + "{}",
        '{"next_episode": "1"} or rather {"next_episode": "2"}',
        TEXT + "}",
        "{" + TEXT,
        "}" + TEXT,
        '{"a": NaN}',
        '{"a": Infinity}',
        '{"a": -Infinity}',
        '{"a": 1e999}',
        '{"a": 1, "a": 2}',
        '{"a": 1, "a": 1}',
        '{"a": {"b": 1, "b": 2}}',
        "{'a': 1}",
        '{"a": True}',
        '{"a": 1,}',
        '{"a": 01}',
        '{"a": "line\nbreak"}',
        '{"a": "\\ud800"}',
        '{"a": "\ud800"}',
        '{"a": "\\x41"}',
        "{a: 1}",
        '{"a" 1}',
        '{"a": /* why */ 1}',
        '{"a": ' + "1" * 5000 + "}",  # Python reads no int of so many digits
        "\ufeff",
        "\x00",
    ],
)
def test_no_object(text: str) -> None:
    assert json_object(text) is None


HOSTILE = {
    "open": "{" * 100_000,
    "closed": "}" * 100_000,
    "pairs": "{}" * 50_000,
    "no JSON": "{x}" * 33_000,
    "keys": '{"' * 50_000,
    "deep objects": '{"a":' * 20_000 + "1" + "}" * 20_000,
    "deep lists": '{"a":' + "[" * 50_000 + "]" * 50_000 + "}",
    "open string": '{"a":"' + "x" * 100_000,
    "escapes": '{"a":"' + "\\" * 100_000,
    "quotes": '"' * 100_000,
    "prose": "word " * 20_000,
    "truncated": '{"a":[' + '{"b":0},' * 12_000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_is_refused_at_once(text: str) -> None:
    begin = time.process_time()

    assert json_object(text) is None
    assert time.process_time() - begin < 1


def test_a_long_answer_is_read_at_once() -> None:
    long = {"a": "文字 and words. " * 7000}
    begin = time.process_time()

    assert json_object(json.dumps(long)) == long
    assert time.process_time() - begin < 1


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(st.text(), VALUES, max_size=4), st.booleans(), st.sampled_from(["", "So: ", "```json\n"]))
def test_whatever_json_writes_is_read_and_nothing_of_it_is_when_cut(value: object, ascii_: bool, before: str) -> None:
    text = json.dumps(value, ensure_ascii=ascii_)

    assert json_object(before + text) == value
    assert json_object(before + text[:-1]) is None


@given(st.text())
def test_no_text_breaks_it(text: str) -> None:
    found = json_object(text)
    assert found is None or isinstance(found, dict)
