"""``judgekit profile show``, ``diff`` and ``check``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from judgekit import PairwiseJudge, Rubric, RubricJudge
from judgekit.calibration import Linear
from judgekit.calibration.profile import Figure
from judgekit.models import FakeModel
from tests.cli.command import Call
from tests.profiles import LINE, criterion, profile_of

CRITERIA = ("relevance", "coherence", "empathy", "surprise", "engagement", "complexity")
HIGHER = Linear(type="shift", intercept=1.0, slopes=(1.0,), scale=(1.0, 5.0), support=((0.0, 4.0),), n=40)


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    return profile_of(unmapped={"style": "it does not vary"}).save(tmp_path / "profile.json")


def test_show_has_a_table_for_each_criterion(call: Call, profile: Path) -> None:
    outcome = call("profile", "show", profile)
    lines = [line.split() for line in outcome.stdout.splitlines()]

    assert outcome.code == 0
    assert "judge: tiny, without a fingerprint (recorded ratings)" in outcome.stdout
    assert "from 30 items in 10 groups by 3 raters, 1 to 5" in outcome.stdout
    assert "plot: linear map, of 30 labels, from 1 to 5; 90% intervals (split, 30 labels)" in outcome.stdout
    assert "overall: isotonic map of the mean of the criteria" in outcome.stdout
    assert "style: no map: it does not vary" in outcome.stdout
    assert ["item", "0.5", "0.4", "0.6", "30"] in lines
    assert ["3", "2.5", "1.8", "3.2", "2.5", "yes"] in lines


def test_show_json_is_the_profile(call: Call, profile: Path) -> None:
    assert call("profile", "show", profile, "--json").summary == json.loads(profile.read_text())


def test_check(call: Call, profile: Path) -> None:
    sound = call("profile", "check", profile)
    assert sound.code == 0 and "nothing speaks against it" in sound.stdout

    profile.write_text(profile.read_text().replace('"intercept":1.0', '"intercept":1.5'))
    changed = call("profile", "check", profile)
    as_json = call("profile", "check", profile, "--json")

    assert changed.code == as_json.code == 2
    assert "changed the file" in changed.stdout and "plot: the score 3 became 2.5" in changed.stdout
    found = as_json.summary["problems"] + as_json.summary["remarks"]
    assert len(found) == len(changed.stdout.splitlines()) > 2
    assert "changed the file" in call("profile", "show", profile).stdout


def test_check_says_when_it_has_expired(call: Call, tmp_path: Path) -> None:
    outcome = call("profile", "check", profile_of(days=-1).save(tmp_path / "p.json"))

    assert outcome.code == 2 and "expired" in outcome.stdout


def test_check_against_a_judge(call: Call, tmp_path: Path) -> None:
    judge = RubricJudge(Rubric.load("story/hanna"), FakeModel("x"))
    judge.save(tmp_path / "judge")
    criteria = {name: criterion() for name in CRITERIA} | {"overall": criterion("mean")}
    own = profile_of(criteria, fingerprint=judge.fingerprint).save(tmp_path / "own.json")
    other = profile_of(criteria, fingerprint="0" * 16).save(tmp_path / "other.json")
    fewer = profile_of(fingerprint=judge.fingerprint).save(tmp_path / "fewer.json")

    assert call("profile", "check", own, "--judge", tmp_path / "judge").code == 0
    assert f"this one has {judge.fingerprint}" in call("profile", "check", other, "--judge", tmp_path / "judge").stdout
    misfit = call("profile", "check", fewer, "--judge", tmp_path / "judge")
    assert misfit.code == 2 and "'plot', which the judge does not give" in misfit.stdout


def test_check_does_not_stumble_over_the_judges_own_profile(call: Call, tmp_path: Path) -> None:
    """A judge.yaml whose profile is of another judge cannot be loaded; the check says why, and does not fail."""
    path = RubricJudge(Rubric.load("story/hanna"), FakeModel("x")).save(tmp_path)
    path.write_text(path.read_text() + "profile: profile.json\n")
    names = {name: criterion() for name in CRITERIA} | {"overall": criterion("mean")}
    profile = profile_of(names, fingerprint="0" * 16).save(tmp_path / "profile.json")

    outcome = call("profile", "check", profile, "--judge", path)
    assert outcome.code == 2 and len(outcome.stdout.splitlines()) == 1 and "fingerprint" in outcome.stdout


def test_a_judge_that_only_compares(call: Call, tmp_path: Path, profile: Path) -> None:
    path = PairwiseJudge(Rubric.load("story/creative_preference"), FakeModel("x")).save(tmp_path / "pairwise")

    assert "only compares" in call("profile", "check", profile, "--judge", path).stdout


def test_diff_by_hand(call: Call, tmp_path: Path) -> None:
    """1 + .5 x on [1, 5] against 1 + x, held at 5, on [0, 4]: from 0 to 5 they part most at 4, by 5 - 3 = 2."""
    old = profile_of({"plot": criterion(), "style": criterion()} | {"overall": criterion("mean")})
    moved = criterion(fitted=HIGHER).model_copy(update={"quality": {"item": Figure(value=0.7, n=40)}})
    new = profile_of({"plot": moved, "overall": criterion("mean", LINE)}, fingerprint="0" * 16)
    paths = old.save(tmp_path / "old.json"), new.save(tmp_path / "new.json")

    found = call("profile", "diff", *paths, "--json").summary
    text = call("profile", "diff", *paths).stdout

    assert found["facts"]["judge.fingerprint"] == [None, "0" * 16] and "created" not in found["facts"]
    assert (found["only_old"], found["only_new"]) == (["style"], [])
    plot, overall = found["criteria"]["plot"], found["criteria"]["overall"]
    assert plot["map"] == ["linear", "shift"] and plot["quality"] == {"item": [0.5, 0.7]}
    assert (plot["largest_change"], plot["at"]) == (pytest.approx(2), pytest.approx(4))
    assert overall["largest_change"] == 0 and overall["quality"] == {}
    assert "plot: linear, now shift; the human score changes by up to +2 points (at 4)" in text


def test_a_profile_does_not_differ_from_itself(call: Call, profile: Path) -> None:
    assert call("profile", "diff", profile, profile).stdout == "the same profile\n"


def test_a_wrong_file_is_an_error(call: Call, tmp_path: Path) -> None:
    (tmp_path / "p.json").write_text('{"shema": 1}')
    outcome = call("profile", "show", tmp_path / "p.json")

    assert outcome.code == 2 and "did you mean 'schema'" in outcome.stderr
