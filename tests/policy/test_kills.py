"""A real ``judgekit policy train``, killed in SFT, in GRPO and in the evaluation, and started again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("trl")
pytest.importorskip("openai")

from benchmarks import policy_kills


@pytest.mark.slow
def test_a_run_killed_three_times_leaves_what_a_whole_one_leaves(tmp_path: Path) -> None:
    sft, grpo = policy_kills.STEPS.values()
    found = policy_kills.measure(tmp_path, [(2, 0, 0), (sft, 3, 0), (sft, grpo, 9)])

    assert found["kills"] == 3
    assert found["different"] == []
    rollouts = [json.loads(line) for line in policy_kills.lines(tmp_path / "killed" / "grpo" / "rollouts.jsonl")]
    assert [row["step"] for row in rollouts] == [step for step in range(1, grpo + 1) for _ in range(policy_kills.GROUP)]
    tokens = found["tokens"]
    a_step = tokens["whole"] / grpo
    assert tokens["whole"] <= tokens["said"] <= tokens["billed"] <= tokens["said"] + 2 * a_step


def row(step: int, tokens: int = 10) -> str:
    return json.dumps({"step": step, "input_tokens": tokens, "output_tokens": 1}) + "\n"


@pytest.mark.parametrize(
    ("steps", "sound"),
    [
        ([1, 2, 3, 4], True),
        ([1, 2, 3, 3, 4], True),  # killed in step 4, the checkpoint is of step 2
        ([1, 2, 1, 2, 3, 4], True),
        ([1, 3, 4], False),  # lost
        ([2, 3, 4], False),
        ([1, 2, 3], False),
        ([1, 2, 4, 3, 4], False),
        ([], False),
    ],
)
def test_what_counts_as_the_lines_of_parts(steps: list[int], sound: bool) -> None:
    assert policy_kills.in_parts([row(i) for i in range(1, 5)], [row(i) for i in steps]) is sound
    assert not policy_kills.in_parts([row(i) for i in range(1, 5)], [row(i, 11) for i in steps])
