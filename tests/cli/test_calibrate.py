"""``judgekit calibrate``: a verdict, a report, a profile; an exit code that can guard a CI; a judge run on the spot."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from judgekit.calibration.profile import Profile
from judgekit.judges import Judge
from tests.cli.command import Call

FILES = ("report.html", "study.json", "study.md", "profile.json")
CRITERIA = ("relevance", "coherence", "empathy", "surprise", "engagement", "complexity")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: Call) -> Call:
    """Run the command line in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    return call


def study(**more: Any) -> None:
    """Twelve prompts of three stories, rated by two people on two criteria; a judge's recorded scores."""
    data, wide = Path("data"), {"criteria": list(CRITERIA[:2])}
    data.mkdir(exist_ok=True)
    tables = {
        "items": ["item,prompt_id,prompt,story", *(f"{i},{i // 3},Tell of {i // 3}.,Story {i}." for i in range(36))],
        "people": ["item,rater,relevance,coherence"]
        + [f"{i},{r},{1 + (i + k) % 5},{1 + (2 * i + k) % 5}" for i in range(36) for k, r in enumerate("ab")],
        "judges": ["item,judge,relevance,coherence"] + [f"{i},old,{1 + i % 5},{1 + 2 * i % 5}" for i in range(36)],
    }
    for name, lines in tables.items():
        (data / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    plan = {
        "about": "Small.",
        "scale": {"low": 1, "high": 5, "step": 1},
        "items": {"file": "items.csv", "group": "prompt_id", "prompt": "prompt", "text": "story"},
        "ratings": [
            {"file": "people.csv", "kind": "human", **wide},
            {"file": "judges.csv", "kind": "judge", "rater": "judge", **wide},
        ],
        "judge": "old",
        "draws": 200,
    }
    Path("small.yaml").write_text(json.dumps(plan | more), encoding="utf-8")


def judge(folder: str, *scores: dict[str, int] | str) -> Path:
    """Write a judge that answers by turns with these scores, or texts."""
    replies = [
        text if isinstance(text, str) else json.dumps({c: {"reason": "So.", "score": text.get(c, 3)} for c in CRITERIA})
        for text in scores
    ]
    model = {"provider": "fake", "replies": replies}
    Path(folder).mkdir(exist_ok=True)
    path = Path(folder) / "judge.yaml"
    path.write_text(yaml.safe_dump({"judge": "rubric", "rubric": "story/hanna", "model": model}), encoding="utf-8")
    return path


def test_a_study_that_needs_nothing(run: Call) -> None:
    done = run("calibrate", "storyworld")
    place = Path("calibrated/storyworld")

    assert done.code == 0
    assert sorted(path.name for path in place.iterdir()) == sorted(FILES)
    assert "careful, held against simulated raters" in done.stdout and "SIMULATED" in done.stdout
    assert "gates: 1 of 1 passed" in done.stdout
    assert Profile.load(place / "profile.json").data.simulated
    facts = json.loads((place / "study.json").read_text(encoding="utf-8"))
    assert facts["schema"] == "judgekit.study/1" and "NaN" not in json.dumps(facts)


def test_a_gate_that_fails_is_exit_code_1(run: Call) -> None:
    study(gates={"error": 0.01})
    done = run("calibrate", "small.yaml", "--data", "data", "--out", "out", "--json")

    assert done.code == 1
    assert done.summary["passed"] is False
    assert [gate["passed"] for gate in done.summary["gates"] if gate["name"] == "error"] == [False] * 3
    assert set(done.summary["answers"]["relevance"]) == {"replaceable", "rank", "level", "reward"}
    assert all(Path(path).is_file() for path in done.summary["files"].values())
    shown = run("calibrate", "small.yaml", "--data", "data", "--out", "out")
    assert shown.code == 1
    assert "FAILED relevance: mean absolute error after the map, upper end, at most 0.01; found: " in shown.stdout


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("nothing",), "nothing"),
        (("small.yaml",), "give the folder of its data"),
        (("small.yaml", "--data", "elsewhere"), "elsewhere: no such folder"),
    ],
)
def test_what_is_for_the_user_to_mend_is_exit_code_2(run: Call, arguments: tuple[str, ...], problem: str) -> None:
    study()
    done = run("calibrate", *arguments, "--out", "out")

    assert done.code == 2
    assert problem in done.stderr


def test_a_judge_run_on_the_spot(run: Call) -> None:
    """Its scores become those of the study's judge, the recorded judge stands beside it, the profile is bound to it."""
    study()
    path = judge("mine", {"relevance": 2, "coherence": 4}, {"relevance": 4}, {"coherence": 1}, "I cannot say.")
    done = run("calibrate", "small.yaml", "--data", "data", "--out", "out", "--judge", str(path), "--json")
    facts = json.loads(Path("out/study.json").read_text(encoding="utf-8"))

    assert done.code == 1  # every fourth reply is none: the gate on missing verdicts
    assert facts["judge"] == {"name": "mine", "fingerprint": Judge.load(path).fingerprint}
    assert facts["data"]["judges"] == ["old", "mine"]
    assert [rival["name"] for rival in facts["criteria"]["relevance"]["rivals"]] == ["old"]
    missing = {reason: count for reason, count in facts["data"]["left_out"].items() if reason.startswith("mine, ")}
    assert sum(missing.values()) == 18  # 9 items, two criteria
    assert facts["criteria"]["relevance"]["unscored"]["value"] == pytest.approx(0.25)
    assert facts["criteria"]["relevance"]["items"] == 27
    assert Profile.load("out/profile.json").judge.fingerprint == Judge.load(path).fingerprint
    assert "mine, held against people" in Path("out/report.html").read_text(encoding="utf-8")


def test_a_judge_is_not_asked_twice(run: Call) -> None:
    study()
    path = judge("mine", {"relevance": 2}, {"relevance": 4, "coherence": 5}, {"coherence": 1})
    first = run("calibrate", "small.yaml", "--data", "data", "--out", "out", "--judge", str(path), "--json")
    rows = Path("out/mine.jsonl").read_text(encoding="utf-8")
    second = run("calibrate", "small.yaml", "--data", "data", "--out", "out", "--judge", str(path), "--json")

    assert len(rows.splitlines()) == 36
    assert Path("out/mine.jsonl").read_text(encoding="utf-8") == rows
    assert first.summary == second.summary


@pytest.mark.parametrize(
    ("change", "folder", "problem"),
    [
        ({"items": {"file": "items.csv"}}, "mine", "name the columns 'prompt' and 'text'"),
        ({"scale": {"low": 1, "high": 5, "higher_is_better": False}}, "mine", "turn round the people's scale"),
        ({}, "old", "the ratings have a judge 'old' already"),
        ({"scale": {"low": 1, "high": 3, "step": 1}}, "mine", "off the scale of 1 to 3"),
    ],
)
def test_a_judge_that_cannot_be_run(run: Call, change: dict[str, Any], folder: str, problem: str) -> None:
    study(**change)
    path = judge(folder, {"relevance": 5})
    done = run("calibrate", "small.yaml", "--data", "data", "--out", "out", "--judge", str(path))

    assert done.code == 2
    assert problem in done.stderr


def test_a_judge_of_other_criteria(run: Call) -> None:
    study()
    for name in ("people", "judges"):
        path = Path(f"data/{name}.csv")
        path.write_text(path.read_text(encoding="utf-8").replace("relevance,coherence", "plot,style"), encoding="utf-8")
    plan = yaml.safe_load(Path("small.yaml").read_text(encoding="utf-8"))
    for table in plan["ratings"]:
        table["criteria"] = ["plot", "style"]
    Path("small.yaml").write_text(json.dumps(plan), encoding="utf-8")
    done = run("calibrate", "small.yaml", "--data", "data", "--out", "out", "--judge", str(judge("mine", {})))

    assert done.code == 2
    assert "the judge rates coherence, complexity" in done.stderr and "the study rates plot, style" in done.stderr


def test_an_earlier_profile_is_not_taken_for_this_one(run: Call) -> None:
    """Scores of which the lower is the better have no profile: the old file goes, and the reason stands there."""
    study()
    run("calibrate", "small.yaml", "--data", "data", "--out", "out")
    study(scale={"low": 1, "high": 5, "step": 1, "higher_is_better": False})
    done = run("calibrate", "small.yaml", "--data", "data", "--out", "out")

    assert not Path("out/profile.json").exists()
    assert "profile: none: a profile is of scores where higher is better" in done.stdout
