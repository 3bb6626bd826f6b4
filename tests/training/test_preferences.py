"""Preference tables as pairs: every form that TRL reads, and every row that cannot be used counted with its reason."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judgekit import InputError, Pair
from judgekit.files import pair_of, pair_row
from judgekit.training import from_preferences


def user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


def bot(text: str) -> dict[str, str]:
    return {"role": "assistant", "content": text}


GOOD = {"prompt": "Say hello.", "chosen": "Hello!", "rejected": "Go away."}


def sides(pair: Pair) -> tuple[Any, str, str]:
    """Prompt, chosen, rejected."""
    it = pair.comparison
    return (it.prompt, it.a, it.b) if pair.label == "a" else (it.prompt, it.b, it.a)


def only(**row: Any) -> Pair:
    [pair] = from_preferences([row]).pairs
    return pair


def test_texts() -> None:
    assert sides(only(**GOOD)) == ("Say hello.", "Hello!", "Go away.")


@pytest.mark.parametrize("prompt", [None, "Hi."])
def test_the_prompt_is_the_turns_that_both_begin_with(prompt: str | None) -> None:
    """The form of UltraFeedback: a prompt that is a text, and the whole dialogue on both sides."""
    row = {"chosen": [user("Hi."), bot("Hello!")], "rejected": [user("Hi."), bot("What?")]}

    assert sides(only(**row, **({} if prompt is None else {"prompt": prompt}))) == ([user("Hi.")], "Hello!", "What?")


def test_several_turns_and_a_system_prompt() -> None:
    start = [{"role": "system", "content": "Be kind."}, user("Hi."), bot("Hello!"), user("Sing.")]

    assert sides(only(chosen=[*start, bot("La.")], rejected=[*start, bot("No.")])) == (start, "La.", "No.")


def test_messages_with_the_prompt_apart() -> None:
    rows = [
        {"prompt": [user("Hi.")], "chosen": [bot("Hello!")], "rejected": [bot("What?")]},
        {"prompt": [user("Hi.")], "chosen": [user("Hi."), bot("Hello!")], "rejected": [user("Hi."), bot("What?")]},
        {"prompt": "Hi.", "chosen": [bot("Hello!")], "rejected": [bot("What?")]},
    ]
    found = [sides(pair) for pair in from_preferences(rows).pairs]

    assert found == [([user("Hi.")], "Hello!", "What?")] * 2 + [("Hi.", "Hello!", "What?")]


def test_a_dialogue_in_one_text() -> None:
    """HH-RLHF. Both responses begin with "I "; a longest common text would have cut that off."""
    start = "\n\nHuman: Hi.\n\nAssistant: Hello!\n\nHuman: Sing.\n\nAssistant:"
    prompt, chosen, rejected = sides(only(chosen=f"{start} I sing.", rejected=f"{start} I will not."))

    assert prompt == "Human: Hi.\n\nAssistant: Hello!\n\nHuman: Sing."
    assert (chosen, rejected) == ("I sing.", "I will not.")


def test_trl_agrees_on_the_prompt() -> None:
    data_utils = pytest.importorskip("trl.data_utils")
    for n in range(1, 5):
        start = [turn for i in range(n) for turn in (user(f"u{i}"), bot(f"b{i}"))][: 2 * n - 1]
        row = {"chosen": [*start, bot("yes")], "rejected": [*start, bot("no")]}
        theirs = data_utils.extract_prompt(row)

        assert sides(only(**row)) == (
            theirs["prompt"],
            theirs["chosen"][0]["content"],
            theirs["rejected"][0]["content"],
        )


def test_keys_that_parquet_fills_with_null_do_no_harm() -> None:
    row = {
        "chosen": [{**user("Hi."), "name": None}, bot("Yes")],
        "rejected": [{**user("Hi."), "name": None}, bot("No")],
    }

    assert sides(only(**row))[0] == [user("Hi.")]


def test_what_is_kept() -> None:
    more = {"margin": "0.5", "subset": "chat", "score_chosen": 4.0, "chosen_model": "x", "other": "gone", "group": "g"}
    pair = only(**GOOD, id=7, **more)

    assert (pair.id, pair.group) == ("7", "g")
    assert pair.comparison.metadata == {"margin": 0.5, "subset": "chat", "score_chosen": 4.0, "chosen_model": "x"}


BAD = {
    "'rejected' is missing; the row has: chosen, prompt": {"prompt": "p", "chosen": "x"},
    "chosen is empty": {**GOOD, "chosen": " "},
    "rejected holds a NUL character": {**GOOD, "rejected": "a\0"},
    "prompt is empty": {**GOOD, "prompt": ""},
    "the same text is chosen and rejected": {**GOOD, "rejected": "Hello!"},
    "'prompt' is missing, and the texts do not share a dialogue up to the last 'Assistant:'": {
        "chosen": "I am",
        "rejected": "I was",
    },
    "'prompt' is missing, and chosen and rejected share no turn to begin with": {
        "chosen": [user("x"), bot("y")],
        "rejected": [user("z"), bot("w")],
    },
    "chosen and rejected must both be texts, or both lists of messages": {**GOOD, "chosen": [bot("x")]},
    "chosen and rejected must differ in one assistant turn, the last one": {
        "chosen": [user("x"), bot("y"), user("z"), bot("w")],
        "rejected": [user("x"), bot("y2"), user("z"), bot("w")],
    },
    "each message must have a role and a content, both texts, and nothing else": {
        "chosen": [{"from": "human", "value": "x"}],
        "rejected": [{"from": "human", "value": "y"}],
    },
    "a list of messages is empty": {"prompt": "p", "chosen": [], "rejected": []},
    "margin is not finite": {**GOOD, "margin": float("inf")},
    "score_chosen is neither a number nor a text": {**GOOD, "score_chosen": [1]},
    "id must be a text or a whole number, not the number 1.5": {**GOOD, "id": 1.5},
}


@pytest.mark.parametrize(("reason", "row"), BAD.items(), ids=range(len(BAD)))
def test_a_row_that_cannot_be_used_is_counted_with_its_reason(reason: str, row: dict[str, Any]) -> None:
    found = from_preferences([row, GOOD, row])

    assert found.left_out == {reason: 2}
    assert [sides(pair) for pair in found.pairs] == [("Say hello.", "Hello!", "Go away.")]


@pytest.mark.parametrize("rows", [[], [{"prompt": "p"}]])
def test_a_table_without_a_pair_is_an_error(rows: list[dict[str, Any]]) -> None:
    with pytest.raises(InputError, match=r"the table gives no pair: (it has no rows|1 x 'chosen' is missing)"):
        from_preferences(rows)


def test_a_doubled_id_gets_a_number() -> None:
    found = from_preferences([{**GOOD, "id": name} for name in ("x", "x", "x#2", "x")])

    assert len({pair.id for pair in found.pairs}) == 4
    assert [pair.id for pair in found.pairs][:2] == ["x", "x#2"]
    assert found.renamed == 3


def test_the_side_hangs_on_the_id_alone_and_is_a_fair_coin() -> None:
    """400 fair coins: 200 +- 4 standard deviations of 10."""
    found = from_preferences([{**GOOD, "id": f"n{i}"} for i in range(400)])
    again = from_preferences([{**GOOD, "id": f"n{i}"} for i in reversed(range(400))])

    assert 160 <= sum(pair.label == "a" for pair in found.pairs) <= 240
    assert {p.id: p.label for p in found.pairs} == {p.id: p.label for p in again.pairs}


@settings(max_examples=50, deadline=None)
@given(st.text(), st.text(), st.text(), st.one_of(st.text(), st.integers(), st.floats(), st.none()))
def test_what_comes_out_can_be_read_back_and_nothing_is_lost(prompt: str, yes: str, no: str, name: Any) -> None:
    row = {"prompt": prompt, "chosen": yes, "rejected": no, "id": name}
    found = from_preferences([row, GOOD])

    assert len(found.pairs) + sum(found.left_out.values()) == 2
    assert [pair_of(pair_row(pair), 1) for pair in found.pairs] == found.pairs
