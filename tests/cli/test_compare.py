"""``judgekit compare``: as ``judgekit score``, for pairs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.command import Call

PAIR = {"prompt": "Write about a lighthouse.", "a": "The lamp went out.", "b": "Dawn came."}
ROWS = 4000
LINES = """\
id: test/pair
title: Which is better
mode: pairwise
ties: true
reply: lines
criteria:
  - id: plot
    title: Plot
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: Call) -> Call:
    """Run ``judgekit compare`` in a folder with a judge."""
    monkeypatch.chdir(tmp_path)
    judge(reply("A"))
    return partial(call, "compare", "pairs.jsonl", "--judge", "judge.yaml", "--out", "out.jsonl", "--json")


def reply(verdict: str, a: int = 5, b: int = 5) -> str:
    return f"Reasons: it reads so.\nScore A: {a}\nScore B: {b}\nVerdict: {verdict}"


def judge(*replies: str, folder: Path = Path(), kind: str = "pairwise", **more: Any) -> None:
    (folder / "rubric.yaml").write_text(LINES)
    model = {"provider": "fake", "replies": list(replies)}
    settings = {"judge": kind, "rubric": "rubric.yaml", "model": model, **more}
    (folder / "judge.yaml").write_text(yaml.safe_dump(settings))


def pairs(n: int, folder: Path = Path(), **changes: Any) -> None:
    rows = ({"id": i, "prompt": f"Prompt {i}.", "a": f"One {i}.", "b": f"Two {i}.", **changes} for i in range(n))
    (folder / "pairs.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))


def rows() -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path("out.jsonl").read_text(encoding="utf-8").splitlines()]


def test_every_pair_gets_its_row(run: Call):
    judge(reply("A", 8, 3), reply("B", 3, 8), reply("tie"))
    pairs(100)

    outcome = run()

    winners = [row["winner"] for row in rows()]
    assert outcome.code == 0
    assert [row["id"] for row in rows()] == [str(i) for i in range(100)]
    assert {"a", "b", "tie"} == set(winners)
    assert outcome.summary == {
        "rows": 100,
        "unscored": 0,
        **{side: winners.count(side) for side in ("a", "b", "tie")},
        "calls_now": 200,  # both orders
        "from_journal_now": 0,
        "reasons": {},
        "out": "out.jsonl",
    }


def test_a_judge_that_prefers_a_place_gives_ties(run: Call):
    """It always says A: in the second order that is the other response."""
    pairs(3)

    run()

    assert [(row["winner"], row["probability"], row["consistent"]) for row in rows()] == [("tie", 0.5, False)] * 3


def test_one_order_is_taken_at_its_word(run: Call):
    judge(reply("A", 8, 3), both_orders=False)
    pairs(1)

    run()

    assert (rows()[0]["winner"], rows()[0]["scores"], rows()[0]["consistent"]) == ("a", [8.0, 3.0], None)


def test_exit_code_1_when_nothing_could_be_judged(run: Call):
    judge("No idea.")
    pairs(3)

    outcome = run()

    assert outcome.code == 1 and outcome.summary["unscored"] == 3
    assert all(row["winner"] is None and row["probability"] is None and row["error"] for row in rows())


@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        ({"prompt": "p", "a": "x", "response": "y"}, "pairs.jsonl:2: 'b' is missing"),
        ({**PAIR, "a": ""}, "pairs.jsonl:2: a is empty"),
        ({**PAIR, "b": ["y"]}, "pairs.jsonl:2: b must be a text, not a list"),
        ({**PAIR, "b": "y\0"}, "pairs.jsonl:2: b holds a NUL character"),
        ({**PAIR, "a": "\udfff"}, "pairs.jsonl:2: a holds a lone surrogate"),
        ({**PAIR, "a": "x" * 10_000_000}, "pairs.jsonl:2: a has 10,000,000 characters"),
        ({**PAIR, "id": 0}, "pairs.jsonl:2: the id '0' stands at line 1 already"),
        ([], "pairs.jsonl:2: must be a JSON object, not a list"),
    ],
)
def test_bad_input_is_refused_and_costs_nothing_that_is_written(run: Call, bad: object, problem: str):
    pairs(1)
    run()
    written = Path("out.jsonl").read_bytes()
    with Path("pairs.jsonl").open("a") as stream:
        stream.write(json.dumps(bad))

    outcome = run()

    assert outcome.code == 2 and outcome.stdout == "" and outcome.stderr.startswith(f"error: {problem}")
    assert Path("out.jsonl").read_bytes() == written


def test_a_misspelt_key_of_the_judge_is_named_with_its_line(run: Call):
    pairs(1)
    judge(reply("A"), both_order=True)
    line = Path("judge.yaml").read_text().split("\n").index("both_order: true") + 1

    outcome = run()

    assert outcome.code == 2
    assert f"judge.yaml:{line}: " in outcome.stderr and "did you mean 'both_orders'?" in outcome.stderr


def test_results_of_another_input_are_refused_and_kept(run: Call):
    pairs(3)
    run()
    written = Path("out.jsonl").read_bytes()
    pairs(3, id="other")

    assert run().code == 2
    assert Path("out.jsonl").read_bytes() == written


def test_swapped_sides_are_another_input(run: Call):
    """Without ids only the texts tell that the first file's winners are not the second's."""
    Path("pairs.jsonl").write_text(json.dumps(PAIR))
    run()
    written = Path("out.jsonl").read_bytes()
    Path("pairs.jsonl").write_text(json.dumps({**PAIR, "a": PAIR["b"], "b": PAIR["a"]}))

    assert run().code == 2
    assert Path("out.jsonl").read_bytes() == written


def test_results_of_score_are_refused(run: Call):
    """A pointwise judge does both under one fingerprint."""
    Path("judge.yaml").write_text(
        yaml.safe_dump(
            {"judge": "rubric", "rubric": "story/hanna", "model": {"provider": "fake", "replies": ["No idea."]}}
        )
    )
    pairs(2, response="A story.")
    arguments = ["score", "pairs.jsonl", "--judge", "judge.yaml", "--out", "out.jsonl"]
    subprocess.run([sys.executable, "-m", "judgekit", *arguments], env=os.environ, capture_output=True, check=False)
    written = Path("out.jsonl").read_bytes()

    outcome = run()

    assert written.count(b"\n") == 2
    assert outcome.code == 2 and "out.jsonl:1" in outcome.stderr
    assert Path("out.jsonl").read_bytes() == written


@pytest.mark.slow
def test_killed_and_resumed_the_file_is_the_same(tmp_path: Path):
    judge(reply("A"), reply("B"), "No idea.", folder=tmp_path)
    pairs(ROWS, tmp_path)

    def command(out: Path) -> list[str]:
        paths = [str(tmp_path / "pairs.jsonl"), "--judge", str(tmp_path / "judge.yaml"), "--out", str(out)]
        return [sys.executable, "-m", "judgekit", "compare", *paths, "--json"]

    whole, out = tmp_path / "whole.jsonl", tmp_path / "out.jsonl"
    subprocess.run(command(whole), env=os.environ, check=True, capture_output=True)
    out.touch()
    for _ in range(2):
        size = out.stat().st_size
        running = subprocess.Popen(command(out), env=os.environ, stdout=subprocess.DEVNULL)
        while out.stat().st_size <= size and running.poll() is None:
            time.sleep(0.01)
        running.kill()

        assert running.wait() == -9, "it ended before it was killed"
        assert whole.read_bytes().startswith(out.read_bytes())

    subprocess.run(command(out), env=os.environ, check=True, capture_output=True)
    assert whole.read_bytes().count(b"\n") == ROWS
    assert out.read_bytes() == whole.read_bytes()
