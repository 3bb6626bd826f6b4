"""``judgekit score``: from a file to a file, with bad input refused, and resumed after anything that can stop it."""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from tests.cli.command import Call, Outcome

SAMPLE = {"prompt": "Write about a lighthouse.", "response": "The lamp went out."}
CRITERIA = ("relevance", "coherence", "empathy", "surprise", "engagement", "complexity")
ROWS = 20_000
KILLS = 5

# A small rubric: thousands of rows a second, where the shipped ones spend most of the time on their long prompts.
RUBRIC = """\
id: test/one
title: One criterion
reply: lines
criteria:
  - id: plot
    title: Plot
    range: [1, 5]
"""
# A child's own peak: pytest's must not be counted, which a process started by it inherits at first.
PEAK = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[1:])
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(peak / (2**20 if sys.platform == "darwin" else 2**10))
sys.exit(code)
"""
SMALL_DISK = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv.pop(1)),) * 2)
from judgekit.cli import main
main()
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: Call) -> Call:
    """Run the command line in a folder with a judge."""
    monkeypatch.chdir(tmp_path)
    judge()
    return call


def score(run: Call, *more: str) -> Outcome:
    return run("score", "samples.jsonl", "--judge", "judge.yaml", "--out", "scores.jsonl", "--json", *more)


def reply(value: object) -> str:
    return json.dumps({name: {"reason": "It says so.", "score": value} for name in CRITERIA})


def judge(replies: tuple[str, ...] = (reply(3), reply(4), reply(2)), path: str = "judge.yaml", **more: Any) -> None:
    model = {"provider": "fake", "replies": list(replies)}
    Path(path).write_text(yaml.safe_dump({"judge": "rubric", "rubric": "story/hanna", "model": model, **more}))


def samples(n: int, path: str | Path = "samples.jsonl", **changes: Any) -> None:
    rows = ({"id": f"s{i}", "prompt": f"Prompt {i}.", "response": f"Story {i}. " * 80, **changes} for i in range(n))
    Path(path).write_text("".join(f"{json.dumps(row)}\n" for row in rows))


def rows(path: str | Path = "scores.jsonl") -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]


# --- from end to end ----------------------------------------------------------------------------------------------


def test_every_sample_gets_its_row(run: Call):
    samples(150)

    outcome = score(run)

    values = [row["value"] for row in rows()]
    assert outcome.code == 0
    assert [row["id"] for row in rows()] == [f"s{i}" for i in range(150)]
    assert set(values) == {2.0, 3.0, 4.0}
    assert rows()[0]["criteria"] == dict.fromkeys(CRITERIA, values[0])
    assert rows()[0]["unit"] == (values[0] - 1) / 4
    assert {row["judge"] for row in rows()} == {rows()[0]["judge"]} and len(rows()[0]["judge"]) == 16
    assert outcome.summary == {
        "rows": 150,
        "unscored": 0,
        "mean": pytest.approx(sum(values) / 150),
        "calls_now": 150,
        "from_journal_now": 0,
        "reasons": {},
        "out": "scores.jsonl",
    }


def test_json_is_one_line_on_stdout_and_the_table_stays_off_it(run: Call):
    samples(2)

    assert score(run).stdout.count("\n") == 1
    table = run("score", "samples.jsonl", "--judge", "judge.yaml", "--out", "scores.jsonl")
    assert table.stdout == "" and "calls now" in table.stderr


def test_the_batch_size_changes_nothing(run: Call):
    samples(30)
    score(run)
    first = Path("scores.jsonl").read_bytes()
    Path("scores.jsonl").unlink()

    score(run, "--batch", "1")

    assert Path("scores.jsonl").read_bytes() == first


def test_what_cannot_be_read_is_a_row_without_a_value(run: Call):
    judge((reply(3), "No idea."))
    samples(40)

    outcome = score(run)

    missing = [row for row in rows() if row["value"] is None]
    assert outcome.code == 0 and 0 < len(missing) < 40
    assert outcome.summary["unscored"] == len(missing) and outcome.summary["mean"] == 3.0
    assert all("no verdict" in row["error"] and row["unit"] is None for row in missing)


@pytest.mark.parametrize("value", [None, float("nan"), float("inf"), 10**400, 6, True, "3 or 4", "\ud800"])
def test_exit_code_1_when_nothing_could_be_judged(run: Call, value: object):
    judge((reply(value),))
    samples(3)

    outcome = score(run)

    assert outcome.code == 1
    assert outcome.summary["unscored"] == 3 and outcome.summary["mean"] is None
    assert all(row["value"] is None and row["error"] for row in rows())


def test_a_chat_a_reference_and_lines_without_ids_are_fine(run: Call):
    chat = [{"role": "user", "content": "A story, please."}]
    Path("samples.jsonl").write_text(f"\n{json.dumps({**SAMPLE, 'prompt': chat, 'reference': 'Better.'})}")

    assert score(run).code == 0
    assert rows()[0]["id"] == "line-2"


# --- bad input ----------------------------------------------------------------------------------------------------


def sample(**changes: Any) -> bytes:
    return json.dumps({**SAMPLE, **changes}).encode()


BAD_INPUT = {
    "broken line": (b'{"prompt": "p"', "samples.jsonl:2: not JSON"),
    "list": (b"[]", "samples.jsonl:2: must be a JSON object, not a list"),
    "not UTF-8": (b'{"prompt": "\xe9"}', "samples.jsonl:2: not UTF-8 at byte 12"),
    "too deep": (b"[" * 100_000, "samples.jsonl:2: nested too deeply"),
    "misspelt key": (b'{"prompt": "p", "respnse": "r"}', "samples.jsonl:2: 'response' is missing; did you mean 'resp"),
    "wrong type": (sample(response=3), "samples.jsonl:2: response must be a text, not the number 3"),
    "empty prompt": (sample(prompt=""), "samples.jsonl:2: prompt is empty"),
    "empty response": (sample(response="\n"), "samples.jsonl:2: response is empty"),
    "surrogate": (sample(response="\ud800"), "samples.jsonl:2: response holds a lone surrogate"),
    "NUL": (sample(response="a\0"), "samples.jsonl:2: response holds a NUL character"),
    "NaN": (sample(metadata={"x": float("nan")}), "samples.jsonl:2: not JSON: NaN is not a JSON number"),
    "10 MB": (sample(response="x" * 10_000_000), "samples.jsonl:2: response has 10,000,000 characters"),
    "doubled id": (sample(id="s0"), "samples.jsonl:2: the id 's0' stands at line 1 already"),
}


@pytest.mark.parametrize(("bad", "problem"), BAD_INPUT.values(), ids=BAD_INPUT)
def test_bad_input_is_refused_before_anything_is_spent(run: Call, bad: bytes, problem: str):
    samples(1)
    with Path("samples.jsonl").open("ab") as stream:
        stream.write(bad)

    outcome = score(run)

    assert outcome.code == 2 and outcome.stdout == ""
    assert outcome.stderr.startswith(f"error: {problem}") and len(outcome.stderr.splitlines()) == 1
    assert not Path("scores.jsonl").exists() or not rows()


@pytest.mark.parametrize("bad", [raw for raw, _ in BAD_INPUT.values()], ids=BAD_INPUT)
def test_bad_input_costs_nothing_that_is_written(run: Call, bad: bytes):
    samples(1)
    score(run)
    written = Path("scores.jsonl").read_bytes()
    with Path("samples.jsonl").open("ab") as stream:
        stream.write(bad)

    assert score(run).code == 2
    assert Path("scores.jsonl").read_bytes() == written


@pytest.mark.parametrize(("content", "problem"), [("", "has no rows"), (None, "No such file or directory")])
def test_no_rows_and_no_file(run: Call, content: str | None, problem: str):
    if content is not None:
        Path("samples.jsonl").write_text(content)

    outcome = score(run)

    assert outcome.code == 2 and outcome.stderr.startswith("error: samples.jsonl: ") and problem in outcome.stderr


@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        ("samples.jsonl", ".", "Is a directory"),
        ("scores.jsonl", ".", "Is a directory"),
        ("scores.jsonl", "none/scores.jsonl", "none/scores.jsonl: No such file or directory"),
        ("judge.yaml", "none.yaml", "none.yaml: No such file or directory"),
    ],
)
def test_a_path_that_cannot_be_used(run: Call, key: str, value: str, problem: str):
    samples(1)
    paths = {"samples.jsonl": "samples.jsonl", "judge.yaml": "judge.yaml", "scores.jsonl": "scores.jsonl", key: value}

    outcome = run("score", paths["samples.jsonl"], "--judge", paths["judge.yaml"], "--out", paths["scores.jsonl"])

    assert outcome.code == 2 and problem in outcome.stderr


@pytest.mark.parametrize("arguments", [["--batch", "0"], ["--bach", "8"]])
def test_a_wrong_option(run: Call, arguments: list[str]):
    samples(1)

    assert score(run, *arguments).code == 2
    assert not Path("scores.jsonl").exists()


GOOD_JUDGE = """\
judge: rubric
rubric: story/hanna
model:
  provider: fake
  replies: ["x"]
"""
BAD_JUDGES = {
    "key": ("rubric: ", "rubrik: ", r"judge.yaml:2: .*unknown key 'rubrik'; did you mean 'rubric'\?"),
    "section": ("model:", "modle:", r"judge.yaml:3: .*unknown key 'modle'; did you mean 'model'\?"),
    "inner key": ("replies:", "repllies:", r"judge.yaml:5: .*unknown key 'repllies'; did you mean 'replies'\?"),
    "more": ("model:", "smaples: 2\nmodel:", r"judge.yaml:3: .*unknown key 'smaples'; did you mean 'samples'\?"),
    "kind": ("judge: rubric", "judge: rubrik", r"judge.yaml:1: .*'rubrik'.*'rubric'"),
    "provider": ("fake", "fakee", r"judge.yaml:[34]: .*'fakee'.*'fake'"),
    "rubric": ("story/hanna", "story/hana", r"'story/hana'; did you mean 'story/hanna'\?"),
    "value": ("model:", "samples: 0\nmodel:", r"judge.yaml:3: samples: .*greater than or equal to 1"),
    "pairwise rubric": ("story/hanna", "story/creative_preference", r"judge.yaml: .*pairwise"),
    "no replies": ('["x"]', "[]", r"judge.yaml:5: model.replies: .*at least 1"),
    "tag": ("rubric: ", "rubric: !!python/name:os.system ", r"judge.yaml:2: YAML tags are not accepted"),
    "no YAML": ("model:", "model: {", r"judge.yaml:.*not YAML"),
}


@pytest.mark.parametrize(("old", "new", "problem"), BAD_JUDGES.values(), ids=BAD_JUDGES)
def test_a_bad_judge_is_refused_with_its_line(run: Call, old: str, new: str, problem: str):
    samples(1)
    Path("judge.yaml").write_text(GOOD_JUDGE.replace(old, new))

    outcome = score(run)

    assert outcome.code == 2
    assert re.search(problem, outcome.stderr), outcome.stderr
    assert not Path("scores.jsonl").exists()


def test_a_pairwise_judge_has_no_score(run: Call):
    samples(1)
    Path("judge.yaml").write_text(
        GOOD_JUDGE.replace("judge: rubric", "judge: pairwise").replace("story/hanna", "story/creative_preference")
    )

    outcome = score(run)

    assert outcome.code == 2 and "compares" in outcome.stderr


@pytest.mark.skipif(not Path("/dev/stdin").exists(), reason="this system has no /dev/stdin")
def test_a_pipe_is_judged_whole_or_refused(run: Call):
    """The input is read twice, to check it and to judge it; the second time a pipe is empty."""
    arguments = ["score", "/dev/stdin", "--judge", "judge.yaml", "--out", "scores.jsonl"]
    told = subprocess.run(
        [sys.executable, "-m", "judgekit", *arguments], input=sample(), env=os.environ, capture_output=True, check=False
    )

    assert (told.returncode == 0 and len(rows()) == 1) or (told.returncode == 2 and b"/dev/stdin" in told.stderr)


# --- what is in the way of the results ----------------------------------------------------------------------------


def test_the_input_is_never_taken_for_the_results(run: Call):
    samples(3)
    path = Path("samples.jsonl")
    path.write_bytes(theirs := path.read_bytes().rstrip(b"\n"))

    outcome = run("score", "samples.jsonl", "--judge", "judge.yaml", "--out", "samples.jsonl")

    assert outcome.code == 2
    assert path.read_bytes() == theirs


def test_another_judges_results_are_refused_and_kept(run: Call):
    samples(3)
    score(run)
    written = Path("scores.jsonl").read_bytes()
    judge((reply(5),))

    outcome = score(run)

    assert outcome.code == 2 and outcome.stderr.startswith("error: scores.jsonl:1: was written by another judge")
    assert Path("scores.jsonl").read_bytes() == written


def test_another_inputs_results_are_refused_and_kept(run: Call):
    samples(3)
    score(run)
    written = Path("scores.jsonl").read_bytes()
    samples(3, id="other")

    outcome = score(run)

    assert outcome.code == 2
    assert Path("scores.jsonl").read_bytes() == written


def test_another_input_without_ids_is_refused_too(run: Call):
    """Line numbers are no names: the first file's scores must not pass for the second's."""
    Path("samples.jsonl").write_bytes(sample(response="The first story."))
    score(run)
    written = Path("scores.jsonl").read_bytes()
    Path("samples.jsonl").write_bytes(sample(response="Quite another story."))

    outcome = score(run)

    assert outcome.code == 2 and "scores.jsonl:1" in outcome.stderr
    assert Path("scores.jsonl").read_bytes() == written


def test_results_of_compare_are_refused(run: Call):
    """A pointwise judge does both under one fingerprint."""
    Path("pairs.jsonl").write_text(json.dumps({"id": "s0", "prompt": "p", "a": "x", "b": "y"}) + "\n")
    assert run("compare", "pairs.jsonl", "--judge", "judge.yaml", "--out", "scores.jsonl").code == 0
    written = Path("scores.jsonl").read_bytes()
    samples(2)

    outcome = score(run)

    assert outcome.code == 2 and "scores.jsonl:1" in outcome.stderr
    assert Path("scores.jsonl").read_bytes() == written


# --- stopped and resumed ------------------------------------------------------------------------------------------


def command(folder: Path, out: str = "scores.jsonl", source: str = "samples.jsonl") -> list[str]:
    paths = [str(folder / name) for name in (source, "judge.yaml", out)]
    return ["score", paths[0], "--judge", paths[1], "--out", paths[2], "--json"]


def process(folder: Path, *prefix: str, **names: str) -> subprocess.CompletedProcess[str]:
    prefix = prefix or (sys.executable, "-m", "judgekit")
    return subprocess.run(
        [*prefix, *command(folder, **names)], env=os.environ, capture_output=True, text=True, check=False
    )


@pytest.mark.skipif(sys.platform == "win32", reason="no limits on file sizes there")
def test_a_full_disk_is_a_message_and_the_run_can_go_on(run: Call, tmp_path: Path):
    samples(20)
    score(run)
    whole = Path("scores.jsonl").read_bytes()
    Path("scores.jsonl").write_bytes(b"")

    # A limit on the size of files stands in for the disk's.
    stopped = process(tmp_path, sys.executable, "-c", SMALL_DISK, "3000")

    assert stopped.returncode == 2
    assert "scores.jsonl: File too large" in stopped.stderr and "run the same command again" in stopped.stderr
    assert "Traceback" not in stopped.stderr
    assert Path("scores.jsonl").read_bytes() == whole[:3000]
    assert score(run).code == 0
    assert Path("scores.jsonl").read_bytes() == whole


def test_the_process_says_it_as_the_function_does(run: Call, tmp_path: Path):
    Path("samples.jsonl").write_text("nope")

    told = process(tmp_path)

    assert (told.returncode, told.stdout) == (2, "")
    assert told.stderr.startswith(f"error: {tmp_path}/samples.jsonl:1: not JSON") and "Traceback" not in told.stderr


class Finished(NamedTuple):
    folder: Path
    content: bytes
    peak: float


def measured(folder: Path, **names: str) -> float:
    """Run to the end in a process of its own; return its peak memory in MiB."""
    done = process(folder, sys.executable, "-c", PEAK, sys.executable, "-m", "judgekit", **names)
    assert done.returncode == 0, done.stderr
    return float(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """20,000 samples scored without a break."""
    folder = tmp_path_factory.mktemp("long")
    (folder / "rubric.yaml").write_text(RUBRIC)
    replies = ["Reasons: dull.\nplot: 2", "Reasons: fine.\nplot: 4", "No idea."]
    settings = {"judge": "rubric", "rubric": "rubric.yaml", "model": {"provider": "fake", "replies": replies}}
    (folder / "judge.yaml").write_text(yaml.safe_dump(settings))
    samples(ROWS, folder / "samples.jsonl")
    samples(ROWS // 10, folder / "few.jsonl")
    peak = measured(folder, out="whole.jsonl")
    return Finished(folder, (folder / "whole.jsonl").read_bytes(), peak)


@pytest.mark.slow
def test_memory_does_not_grow_with_rows(finished: Finished):
    few = measured(finished.folder, source="few.jsonl", out="few.out.jsonl")

    assert finished.content.count(b"\n") == ROWS
    assert finished.peak - few < 10  # MiB; the samples alone are 20


@pytest.mark.slow
def test_killed_at_random_points_and_resumed_the_file_is_the_same(finished: Finished):
    out = finished.folder / "scores.jsonl"
    out.touch()
    dice = random.Random(0)
    for _ in range(KILLS):
        size = out.stat().st_size
        running = subprocess.Popen(
            [sys.executable, "-m", "judgekit", *command(finished.folder)], env=os.environ, stdout=subprocess.DEVNULL
        )
        while out.stat().st_size <= size and running.poll() is None:  # it cuts a half line first, and so may shrink
            time.sleep(0.01)
        time.sleep(dice.uniform(0, 0.4))
        running.kill()

        assert running.wait() == -9, "it ended before it was killed"
        assert out.stat().st_size > 0
        assert finished.content.startswith(out.read_bytes())

    assert process(finished.folder).returncode == 0
    assert out.read_bytes() == finished.content
