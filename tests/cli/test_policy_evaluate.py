"""``judgekit policy evaluate`` and ``compare``: a tiny model from end to end, and what is refused."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml

from tests.cli.command import Call

PAIR = {"reasons": {}, "score_a": 8, "score_b": 3, "verdict": "A"}
REPLIES = [json.dumps(PAIR), json.dumps({**PAIR, "score_a": 3, "score_b": 8, "verdict": "B"})]


def quality(path: Path) -> Path:
    names = ("relevance", "coherence", "empathy", "surprise", "engagement", "complexity")
    replies = [json.dumps({name: {"reason": "So.", "score": n} for name in names}) for n in (2, 4)]
    model = {"provider": "fake", "replies": replies}
    path.write_text(yaml.safe_dump({"judge": "rubric", "rubric": "story/hanna", "model": model}))
    return path


def pairwise(path: Path, **more: object) -> Path:
    model = {"provider": "fake", "replies": REPLIES}
    path.write_text(
        yaml.safe_dump({"judge": "pairwise", "rubric": "story/creative_preference", "model": model, **more})
    )
    return path


def prompts(path: Path, n: int = 6) -> Path:
    rows = [{"id": str(i), "prompt": f"Write about {i} in {5 + 5 * (i % 2)} words."} for i in range(n)]
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


class Reader(HTMLParser):
    """Fails on tags that are not closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in ("meta", "circle", "line", "rect", "path"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self.open and self.open[-1] == tag:
            self.open.pop()


@pytest.mark.slow
def test_turns_from_end_to_end(tiny: Path, tmp_path: Path, call: Call) -> None:
    how = ("--data", "storyworld", "--limit", "24", "--k", "2", "--play", "2", "--max-tokens", "12")
    outcomes = [
        call("policy", "evaluate", tiny, *how, "--seed", str(seed), "--out", tmp_path / f"run{seed}") for seed in (0, 1)
    ]

    assert [one.code for one in outcomes] == [0, 0]
    assert re.search(r"turns: 24 items, 48 rollouts, 0 missing, 48 invalid, \d\d cut off", outcomes[0].stdout)
    assert re.search(r"acc@1 +0 ", outcomes[0].stdout) and "always stay" in outcomes[0].stdout
    assert re.search(r"failure +1 ", outcomes[0].stdout)
    assert "diversity@2: 24 without a value: fewer than two valid responses" in outcomes[0].stdout
    assert {path.name for path in (tmp_path / "run0").iterdir()} == {
        "responses.jsonl", "played.jsonl", "diversity.jsonl", "evaluation.json",
    }  # fmt: skip
    again = call("policy", "evaluate", tiny, *how, "--seed", "0", "--out", tmp_path / "run0", "--json").summary
    assert again["tables"]["turns"]["counts"]["cut off"] >= 40
    other = call("policy", "evaluate", tiny, *how, "--seed", "9", "--out", tmp_path / "run0")
    assert other.code == 2 and "responses.jsonl:1: was written by another policy" in other.stderr

    out = tmp_path / "compared"
    outcome = call("policy", "compare", tmp_path / "run0", tmp_path / "run1", "--out", out)
    assert outcome.code == 0 and "run1 against run0" in outcome.stdout
    facts = json.loads((out / "comparison.json").read_text())
    lines = {line["metric"]: line for line in facts["against"][0]["tables"]["turns"]}
    assert lines["acc@1"]["contrast"]["p"] == 1 and lines["diversity@2"]["contrast"]["difference"] is None
    page = (out / "report.html").read_text()
    assert not Reader(page).open and "run1 against run0" in page and "<svg" in page and "<script" not in page


@pytest.mark.slow
def test_stories_from_end_to_end(tiny: Path, tmp_path: Path, call: Call) -> None:
    data, critic = prompts(tmp_path / "prompts.jsonl"), quality(tmp_path / "judge.yaml")
    for seed in (0, 1, 2):
        how = ("--data", data, "--max-tokens", "10", "--bucket", "5", "--bucket", "10", "--seed", str(seed))
        outcome = call("policy", "evaluate", tiny, *how, "--judge", critic, "--out", tmp_path / f"run{seed}")
        assert outcome.code == 0
        for name in ("stories", "1-5 words", "6-10 words", "quality", "length ratio", "length slope"):
            assert name in outcome.stdout
    runs = [tmp_path / f"run{seed}" for seed in (0, 1, 2)]
    out = tmp_path / "compared"
    outcome = call("policy", "compare", *runs, "--judge", pairwise(tmp_path / "pairs.yaml"), "--out", out, "--json")

    facts = outcome.summary
    assert [one["name"] for one in facts["against"]] == ["run1", "run2"]
    rows = facts["against"][0]["head_to_head"]["rows"]
    shares = [rows[name]["estimate"]["value"] for name in ("won", "tied", "lost", "order disagreement")]
    assert sum(shares) == pytest.approx(1) and facts["against"][0]["head_to_head"]["comparisons"] == 6
    assert set(facts["elo"]) == {"run0", "run1", "run2"}
    assert sum(one["value"] for one in facts["elo"].values()) == pytest.approx(3000)
    assert {path.name for path in out.glob("*.jsonl")} == {f"verdicts-{i}.jsonl" for i in ("1-2", "1-3", "2-3")}
    shown = call("policy", "compare", *runs, "--judge", tmp_path / "pairs.yaml", "--out", out).stdout
    assert "run2 before the judge" in shown and "order disagreement" in shown and "Elo" in shown
    assert "win rate" in (out / "report.html").read_text()


@pytest.mark.slow
def test_a_killed_run_comes_to_the_same_responses(tiny: Path, tmp_path: Path, call: Call) -> None:
    data = prompts(tmp_path / "prompts.jsonl", 8)
    command = ["policy", "evaluate", str(tiny), "--data", str(data), "--k", "2", "--max-tokens", "20", "--batch", "2"]
    path = tmp_path / "killed" / "responses.jsonl"
    killed = [sys.executable, "-m", "judgekit", *command, "--out", str(path.parent)]
    process = subprocess.Popen(killed, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None and not (path.exists() and path.read_bytes().count(b"\n") >= 2):
        time.sleep(0.005)
    process.kill()
    process.wait()
    kept = path.read_bytes()
    assert kept.count(b"\n") >= 2
    assert call(*command, "--out", path.parent).code == call(*command, "--out", tmp_path / "whole").code == 0

    assert path.read_bytes() == (tmp_path / "whole" / "responses.jsonl").read_bytes()
    assert path.read_bytes().startswith(kept[: kept.rindex(b"\n")])


def test_what_is_refused(tiny: Path, tmp_path: Path, call: Call) -> None:
    data = prompts(tmp_path / "prompts.jsonl")
    where = ("--data", data, "--out", tmp_path / "out")

    for arguments, problem in (
        (("policy", "evaluate", tmp_path / "none", *where), "none: there is no such folder"),
        (("policy", "evaluate", tiny, "--data", tmp_path / "none.jsonl", "--out", tmp_path), "No such file"),
        (("policy", "evaluate", tiny, *where, "--play", "2"), "only the storyworld has a player"),
        (("policy", "evaluate", tiny, *where, "--k", "2", "--temperature", "0"), "2 responses at temperature 0"),
        (("policy", "evaluate", tiny, *where, "--judge", pairwise(tmp_path / "p.yaml")), "it compares two responses"),
        (("policy", "compare", tmp_path), "two folders or more"),
        (("policy", "compare", tmp_path, tmp_path, "--judge", "x.yaml"), "--judge needs --out"),
        (("policy", "compare", tmp_path, tmp_path), "responses.jsonl: No such file"),
    ):
        outcome = call(*arguments)
        assert outcome.code == 2 and problem in outcome.stderr, outcome.stderr
        assert "Traceback" not in outcome.stderr


def test_a_policy_from_a_file(tmp_path: Path, call: Call) -> None:
    (tmp_path / "policy.yaml").write_text(yaml.safe_dump({"provider": "fake", "replies": ["a story"]}))
    data = prompts(tmp_path / "prompts.jsonl")
    assert call("policy", "evaluate", tmp_path / "policy.yaml", "--data", data, "--out", tmp_path / "a").code == 0


def test_not_one_response_is_exit_code_1(tiny: Path, tmp_path: Path, call: Call) -> None:
    (tmp_path / "long.jsonl").write_text(json.dumps({"prompt": "word " * 9000}) + "\n")
    outcome = call("policy", "evaluate", tiny, "--data", tmp_path / "long.jsonl", "--out", tmp_path / "b")

    assert outcome.code == 1
    assert re.search(r"no response: 1 x the prompt has \d+ tokens; the model has room for \d+", outcome.stdout)


def test_not_one_verdict_is_exit_code_1(tmp_path: Path, call: Call) -> None:
    data = prompts(tmp_path / "prompts.jsonl")
    for name in ("one", "two"):
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump({"provider": "fake", "replies": [f"a story of {name}"]}))
        call("policy", "evaluate", tmp_path / f"{name}.yaml", "--data", data, "--out", tmp_path / name)
    judge = yaml.safe_load(pairwise(tmp_path / "pairs.yaml").read_text())
    judge["model"]["replies"] = ["no idea"]
    (tmp_path / "pairs.yaml").write_text(yaml.safe_dump(judge))
    (tmp_path / "judge.yaml").write_text(yaml.safe_dump({**judge, "judge": "rubric", "rubric": "story/hanna"}))
    scored = ("--data", data, "--out", tmp_path / "one", "--judge", tmp_path / "judge.yaml")

    compared = call("policy", "compare", tmp_path / "one", tmp_path / "two", "--judge", tmp_path / "pairs.yaml",
                    "--out", tmp_path / "c")  # fmt: skip
    assert compared.code == 1 and "unscored: 6 x order a, b: no verdict in the reply" in compared.stdout
    found = call("policy", "evaluate", tmp_path / "one.yaml", *scored)
    assert found.code == 1 and "no score: 6 x" in found.stdout


def test_the_page_tells_the_truth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: Call) -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "policy-evaluation.md").read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    [block] = re.findall(r"^```python\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    *code, last = block.strip().splitlines()
    names: dict[str, object] = {}
    exec("\n".join(code), names)
    expression, _, said = last.partition("  # ")
    assert eval(expression, names) == eval(said)
    helps = "".join(call("policy", command, "--help").stdout for command in ("evaluate", "compare"))
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", page)) <= set(re.findall(r"--[a-z][a-z-]+", helps))
