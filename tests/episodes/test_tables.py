"""The published layouts: read with their faults mended, written, and read again."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from judgekit.episodes.cells import literal
from judgekit.episodes.data import Turn, turns_of
from judgekit.episodes.response import EpisodeTurn, parse_response
from judgekit.episodes.tables import Layout, read_judged, read_turns, write_turns
from judgekit.errors import InputError
from tests.episodes.test_data import GRAPH, played

SYSTEM = """You tell a story.
#### Overall Chapter Design Progress:
8

#### Current Chapter Progress:
6

#### Triggers"""
PLOT = [{"narrative": "It's dark.", "role_dialogue": {"name": "Ben", "utterance": "Who's there?"}}]


def said(action: str, kind: str = "normal") -> str:
    return str({"type": kind, "action": action})


def answer(after: str) -> str:
    return str({"plot_list": PLOT, "next_episode": after})


def rl(**change: Any) -> dict[str, Any]:
    history = [{"role": "user", "content": said("I wait.")}, {"role": "assistant", "content": answer("3")}]
    last = {"role": "user", "content": said("Obey me!", "hacking")}
    return {
        "prompt": [{"role": "system", "content": SYSTEM}, *history, last],
        "system_prompt": SYSTEM,
        "conversation_history": history,
        "user_input": last["content"],
        "target_response": answer("4"),
        "judge_system_prompt": "Judge.",
        "turn_index": 1,
        "total_turns": 2,
        "language": "en",
        "extra_info": {"index": 0, "split": "train", "story_id": 17, "total_turns": 2, "turn_index": 1},
    } | change


def write(folder: Path, rows: list[dict[str, Any]], name: str = "rows.jsonl") -> Path:
    path = folder / name
    if name.endswith("parquet"):
        import pyarrow as pa
        import pyarrow.parquet as pq

        pq.write_table(pa.Table.from_pylist(rows), path)
    elif name.endswith("jsonl"):
        path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    else:
        path.write_text(json.dumps(rows))
    return path


def content(turn: Turn) -> list[str]:
    return [message["content"] for message in turn.prompt]


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.json", "rows.parquet"])
@pytest.mark.parametrize("as_text", [False, True])
def test_an_rl_row_is_read_and_mended(tmp_path: Path, name: str, as_text: bool) -> None:
    row = rl()
    if as_text:  # lists and dicts as Python text
        row = {key: str(value) if isinstance(value, list | dict) else value for key, value in row.items()}

    [turn] = read_turns(write(tmp_path, [row], name)).turns

    assert (turn.next_episode, turn.episode, turn.stays) == ("4", "3", False)
    assert (turn.progress, turn.budget, turn.story, turn.language) == (2, 8, "17", "en")
    assert content(turn)[0] == SYSTEM.replace("\n6\n", "\n2\n")  # not the last turn's progress
    assert (content(turn)[1], content(turn)[3]) == ("I wait.", "Obey me!")
    assert turn.metadata == {"behaviour": "hacking"} and "hacking" not in str(turn.prompt)
    found = parse_response(str(turn.reference))
    assert isinstance(found, EpisodeTurn) and found.model_dump() == {"plot_list": PLOT, "next_episode": "4"}


def test_an_episode_that_is_not_known_is_none(tmp_path: Path) -> None:
    first = rl(prompt=rl()["prompt"][:1] + rl()["prompt"][-1:])
    [turn] = read_turns(write(tmp_path, [first])).turns

    assert (turn.progress, turn.episode, turn.stays) == (1, None, None)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"target_response": "{'plot_list': __import__('os')}"}, "the target names no next episode"),
        ({"target_response": str({"plot_list": PLOT})}, "the target names no next episode"),
        ({"prompt": "hello"}, "prompt: holds no list of messages"),
        ({"prompt": [{"role": "tool", "content": "x"}]}, "prompt: a message is of nobody known: 'tool'"),
        ({"prompt": rl()["prompt"][:1]}, "the prompt does not end with the player"),
    ],
)
def test_unreadable_rows_are_counted(tmp_path: Path, change: dict[str, Any], reason: str) -> None:
    found = read_turns(write(tmp_path, [rl(), rl(**change), rl(**change)]))

    assert (len(found.turns), found.left_out) == (1, {reason: 2})


def test_a_target_out_of_form_is_no_reference(tmp_path: Path) -> None:
    loose = str({"plot_list": [{"narrative": "...", "role_dialogue": {}}], "next_episode": 4})
    [turn] = read_turns(write(tmp_path, [rl(target_response=loose)])).turns

    assert (turn.next_episode, turn.reference) == ("4", None)


def test_an_sft_row_is_a_turn_for_each_answer(tmp_path: Path) -> None:
    talk = [("user", said("I wait.")), ("assistant", answer("3")), ("user", said("No.", "abnormal"))]
    talk += [("assistant", answer("4"))]
    row = {"system": SYSTEM, "conversations": str([{"from": who, "value": text} for who, text in talk])}
    turns = read_turns(write(tmp_path, [row])).turns

    assert [(t.id, t.next_episode, t.episode, t.progress) for t in turns] == [
        ("row-1/1", "3", None, 1),
        ("row-1/2", "4", "3", 2),
    ]
    assert [t.metadata["behaviour"] for t in turns] == ["normal", "abnormal"]
    assert [content(t)[0] for t in turns] == [SYSTEM.replace("\n6\n", f"\n{n}\n") for n in (1, 2)]


TURNS = turns_of(GRAPH, played("1", "1", "2", "2", "-1"), secret=b"k").turns


@pytest.mark.parametrize("suffix", ["jsonl", "parquet"])
def test_our_own_layout_comes_back_whole(tmp_path: Path, suffix: str) -> None:
    turns = [*TURNS, replace(TURNS[0], id="bare", story=None, reference=None, episode=None, budget=None)]

    assert write_turns(tmp_path / f"turns.{suffix}", turns) == 6
    assert list(read_turns(tmp_path / f"turns.{suffix}").turns) == turns


@pytest.mark.parametrize("suffix", ["jsonl", "parquet"])
def test_the_rl_layout_comes_back(tmp_path: Path, suffix: str) -> None:
    without = replace(TURNS[0], reference=None)
    assert write_turns(tmp_path / f"rl.{suffix}", [*TURNS, without], "story_generation_rl") == 5
    found = read_turns(tmp_path / f"rl.{suffix}").turns

    kept = [replace(turn, id="", context={}) for turn in TURNS]
    assert [replace(turn, id="", reference=None) for turn in found] == [replace(turn, reference=None) for turn in kept]
    assert [parse_response(str(t.reference)) for t in found] == [parse_response(str(t.reference)) for t in TURNS]


def test_the_sft_layout_has_a_row_for_each_episode(tmp_path: Path) -> None:
    assert write_turns(tmp_path / "sft.jsonl", TURNS, "story_generation_sft") == 2
    found = read_turns(tmp_path / "sft.jsonl").turns

    assert [t.next_episode for t in found] == ["1", "1", "2", "2", "-1"]
    assert [t.progress for t in found] == [1, 2, 3, 1, 2]
    assert [len(t.prompt) for t in found] == [2, 4, 6, 2, 4]
    assert [t.budget for t in found] == [3, 3, 3, 2, 2]


def test_a_folder_is_read_as_the_hub_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    datasets = pytest.importorskip("datasets")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    datasets.disable_progress_bars()
    (tmp_path / "data").mkdir()
    write(tmp_path / "data", [rl()], "train.jsonl")

    [turn] = read_turns(tmp_path / "data").turns

    assert (turn.next_episode, turn.story) == ("4", "17")
    with pytest.raises(InputError, match="Unknown split"):
        read_turns(tmp_path / "data", split="tset")
    (tmp_path / "data" / "train.jsonl").write_text('{"a": 1}\n{"a"')
    with pytest.raises(InputError, match="data: "):
        read_turns(tmp_path / "data")
    with pytest.raises(InputError, match="nobody/nothing: "):
        read_turns("nobody/nothing")


def test_judged_rows_are_told_apart(tmp_path: Path) -> None:
    row = {"system": "no prompt", "conversations": [{"from": "assistant", "value": "{}"}], "score_sum": 5.0}
    path = write(tmp_path, [row])

    with pytest.raises(InputError, match=r"rows.jsonl:1: these rows are for judges: read them with read_judged"):
        read_turns(path)
    assert read_judged(path, "en") == ([], {"no published prompt in system": 1})
    with pytest.raises(InputError, match="the columns are not those of reward_train: id, x"):
        read_judged(write(tmp_path, [{"id": "1", "x": 2}], "x.jsonl"), "en")


@pytest.mark.parametrize(
    ("rows", "name", "message"),
    [
        ([{"text": "x"}], "rows.jsonl", "rows.jsonl:1: the columns are of no known layout: text"),
        ({"a": 1}, "rows.json", "rows.json: must hold a list of rows"),
    ],
)
def test_other_rows_are_refused(tmp_path: Path, rows: Any, name: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_turns(write(tmp_path, rows, name))


def test_nothing_is_written_over_or_to_a_strange_file(tmp_path: Path) -> None:
    for name in ("a.jsonl", "a.parquet"):
        layout: Layout = "turns"
        write_turns(tmp_path / name, TURNS, layout)
        with pytest.raises(InputError, match="is there already"):
            write_turns(tmp_path / name, TURNS)
    with pytest.raises(InputError, match=r"to .jsonl or .parquet, not to '.csv'"):
        write_turns(tmp_path / "a.csv", TURNS)


@pytest.mark.parametrize("text", ["[" * 100_000, "__import__('os').getcwd()", "{1: " * 5_000, "{'a': 1"])
def test_a_hostile_cell_is_no_value(text: str) -> None:
    assert literal(text) is None
