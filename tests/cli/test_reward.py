"""``judgekit reward check``: a reward on recorded rollouts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.command import Call

REWARD = "normalize: group\nchannels: [{channel: length, low: 2, high: 3}, {channel: blank, words: 1}]\n"
ROWS = [
    {"prompt": "p", "completion": "one two"},
    {"prompt": "p", "response": "one two three four five six seven eight nine ten"},
    {"prompt": [{"role": "user", "content": "q"}], "completion": [{"role": "assistant", "content": "one two"}]},
]


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    (tmp_path / "reward.yaml").write_text(REWARD, encoding="utf-8")
    rows = tmp_path / "rollouts.jsonl"
    rows.write_text("".join(json.dumps(row) + "\n" for row in ROWS), encoding="utf-8")
    return tmp_path / "reward.yaml", rows


def test_every_channel_is_shown(call: Call, files: tuple[Path, Path]) -> None:
    """Two of one prompt: lengths 2 and 10 of at most 3, z -+ sqrt(1/2), and no trainer scales them again."""
    told = call("reward", "check", files[0], "--rollouts", files[1], "--json")

    assert told.code == 0 and told.summary["groups"] == [[0, 1], [2]]
    assert told.summary["rewards"] == pytest.approx([0.5**0.5, -(0.5**0.5), 0])
    assert told.summary["advantages"] == pytest.approx([0.5**0.5, -(0.5**0.5), 0])
    shown = call("reward", "check", files[0], "--rollouts", files[1]).stdout
    assert "length" in shown and "0.707" in shown and "0 of 3 rollouts have no reward" in shown


def test_what_is_for_the_user_to_mend(call: Call, files: tuple[Path, Path]) -> None:
    files[1].write_text('{"prompt": "p"}\n', encoding="utf-8")
    refused = call("reward", "check", files[0], "--rollouts", files[1])

    assert refused.code == 2 and "rollouts.jsonl:1: a rollout has a 'prompt' and a 'completion'" in refused.stderr


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"prompt": ["x"], "completion": "a"}, "a 'prompt' and a 'completion'"),
        ({"prompt": "p", "completion": ["a"]}, "a 'prompt' and a 'completion'"),
        ({"prompt": "p", "completion": []}, "a 'prompt' and a 'completion'"),
        ({"prompt": "p", "completion": "a", "group": [1]}, "a group is a name or a number"),
    ],
)
def test_rows_that_are_none(call: Call, files: tuple[Path, Path], row: dict[str, object], says: str) -> None:
    files[1].write_text(json.dumps(row) + "\n", encoding="utf-8")
    refused = call("reward", "check", files[0], "--rollouts", files[1])

    assert refused.code == 2 and "rollouts.jsonl:1" in refused.stderr and says in refused.stderr


def test_a_plain_sum_is_scaled_and_a_constant_channel_is_named(call: Call, tmp_path: Path) -> None:
    """1 and 0 of a group: -+.5 over sqrt(.5) + 1e-4."""
    (tmp_path / "reward.yaml").write_text(
        "channels: [{channel: length, low: 2, high: 3, sigma: 0.01}, {channel: format}]\n", encoding="utf-8"
    )
    rows = [{"prompt": "p", "completion": text} for text in ("a b", "a")]
    (tmp_path / "r.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    gain = 0.5 / (0.5**0.5 + 1e-4)
    told = call("reward", "check", tmp_path, "--rollouts", tmp_path / "r.jsonl", "--json")

    assert told.summary["advantages"] == pytest.approx([gain, -gain])
    shown = call("reward", "check", tmp_path, "--rollouts", tmp_path / "r.jsonl").stdout
    assert "format is 0.000 for all: does it read what these rollouts hold?" in shown
    (tmp_path / "r.jsonl").write_text("", encoding="utf-8")
    empty = call("reward", "check", tmp_path, "--rollouts", tmp_path / "r.jsonl")
    assert empty.code == 2 and "no rollouts" in empty.stderr


def test_groups_are_those_of_the_reward(call: Call, tmp_path: Path) -> None:
    """Blocks of two: 1 and 0 twice; of a prompt's four the z-scores would be -+.866."""
    (tmp_path / "reward.yaml").write_text(
        "group_size: 2\nnormalize: group\nchannels: [{channel: length, low: 2, high: 3, sigma: 0.01}]\n",
        encoding="utf-8",
    )
    rows = [{"prompt": "p", "completion": "a b" if i % 2 else "a"} for i in range(4)]
    (tmp_path / "r.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    told = call("reward", "check", tmp_path, "--rollouts", tmp_path / "r.jsonl", "--json")

    assert told.summary["groups"] == [[0, 1], [2, 3]]
    assert told.summary["advantages"] == pytest.approx([-(0.5**0.5), 0.5**0.5] * 2)


def test_without_one_reward_the_exit_code_says_so(call: Call, tmp_path: Path) -> None:
    (tmp_path / "reward.yaml").write_text("channels: [{channel: transition}]\n", encoding="utf-8")
    (tmp_path / "r.jsonl").write_text('{"prompt": "p", "completion": "x"}\n', encoding="utf-8")
    told = call("reward", "check", tmp_path, "--rollouts", tmp_path / "r.jsonl")

    assert told.code == 1 and "1 of 1 rollouts have no reward" in told.stdout
