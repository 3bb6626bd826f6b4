"""A judge with its profile: values by hand, what is missing, what cannot be relied on, files there and back."""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from judgekit import (
    ClassifierJudge,
    Comparison,
    ConfigError,
    GenRMJudge,
    InputError,
    Judge,
    PairwiseJudge,
    PanelJudge,
    Rubric,
    RubricJudge,
    Sample,
)
from judgekit.calibration.profile import Data, GateResult, Profile
from judgekit.files import score_row
from judgekit.judges import CalibratedJudge, ProfileWarning
from judgekit.models import Decoding, FakeModel
from judgekit.types import logistic
from tests.profiles import FLAT, LINE, criterion, profile_of

RUBRIC = """\
id: test/two
title: Two criteria
criteria:
  - {id: plot, title: Plot, range: [1, 5]}
  - {id: style, title: Style, range: [1, 5]}
"""
PAIRWISE = Rubric.load("story/creative_preference")


class Strengths:
    """A scalar model whose strength is the number that the response says."""

    identity = {"provider": "numbers"}

    def strengths(self, samples: Sequence[Sample]) -> list[float | str]:
        return [float(sample.response) for sample in samples]


def numbers(question: Any) -> str:
    """Reply with the two scores that the response names: "2 4" is plot 2, style 4; a dash is left out."""
    text = question.messages[-1]["content"]
    plot, style = text[text.index("SCORES ") + 7 :].split()[:2]
    found = {"plot": plot, "style": style}
    return json.dumps({name: {"reason": "so", "score": int(value)} for name, value in found.items() if value != "-"})


@pytest.fixture
def rubric(tmp_path: Path) -> Rubric:
    (tmp_path / "two.yaml").write_text(RUBRIC)
    return Rubric.load(tmp_path / "two.yaml")


@pytest.fixture
def plain(rubric: Rubric) -> RubricJudge:
    return RubricJudge(rubric, FakeModel(numbers))


def fits(judge: Judge, **changes: Any) -> Profile:
    criteria = {"plot": criterion(), "style": criterion(), "overall": criterion("mean", FLAT)}
    return profile_of(criteria, **{"fingerprint": judge.fingerprint, **changes})


def said(*scores: str) -> list[Sample]:
    return [Sample("Write.", f"SCORES {text} end") for text in scores]


def test_values_by_hand(plain: RubricJudge) -> None:
    """Plot 2 and style 5: 1 + .5 * 2 = 2 and 3.5. Their mean 3.5 lies on the flat of the map: 3, and .7 about it."""
    judge = CalibratedJudge(plain, fits(plain))
    [score] = judge.score(said("2 5"))

    assert score.value == 3 and score.raw == 3.5 and score.scale == (1, 5) and score.unit == 0.5
    assert score.criteria == {"plot": 2, "style": 3.5}
    assert score.interval == pytest.approx((2.3, 3.7))
    assert score.supported is True and score.judge == judge.fingerprint != plain.fingerprint
    assert score.rationale and score.usage.calls == 1


def test_the_batch_changes_nothing(plain: RubricJudge) -> None:
    judge = CalibratedJudge(plain, fits(plain))
    samples = said("1 1", "2 5", "5 5", "4 1")

    assert judge.score(samples) == [judge.score([sample])[0] for sample in samples]
    assert judge.score([]) == []


def test_what_is_missing_stays_missing_for_its_reason(plain: RubricJudge) -> None:
    judge = CalibratedJudge(plain, fits(plain))
    one, empty = judge.score([*said("2 -"), Sample("Write.", " ")])
    [own] = plain.score(said("2 -"))

    assert one.value is None and one.error == own.error and one.criteria == {"plot": 2, "style": None}
    assert one.interval is one.reward is one.raw is one.supported is None
    assert empty.value is None and empty.error == "the response is empty"
    assert empty.criteria == {"plot": None, "style": None}


def test_a_criterion_without_a_map_is_none_and_counts_in_the_mean(plain: RubricJudge) -> None:
    two = {"plot": criterion(), "overall": criterion("mean", LINE)}
    profile = profile_of(two, fingerprint=plain.fingerprint, unmapped={"style": "it does not vary"})
    [score] = CalibratedJudge(plain, profile).score(said("2 4"))

    assert score.criteria == {"plot": 2, "style": None}
    assert score.value == 1 + 0.5 * 3


def test_an_isotonic_step_does_not_tie(plain: RubricJudge) -> None:
    """Means of 2.5 and 3.5 both map to 3; the reward tells them apart."""
    judge = CalibratedJudge(plain, fits(plain))
    low, high, same = (sample.response for sample in said("2 3", "3 4", "4 3"))
    up, down, tie = judge.compare([Comparison("Write.", *pair) for pair in ((low, high), (high, low), (high, same))])

    assert up.scores == (3, 3) and (up.winner, down.winner, tie.winner) == ("b", "a", "tie")
    assert up.judge == judge.fingerprint and up.usage.calls == 2
    [missing] = judge.compare([Comparison("Write.", low, "SCORES 2 - end")])
    assert missing.winner is None and "b:" in str(missing.error)


def test_a_classifier_is_mapped_from_its_own_value() -> None:
    """Strength 3 is 2.5; 7 lies beyond the support of 1 to 5, and the line at 4.5."""
    plain = ClassifierJudge(Strengths())
    profile = profile_of({"overall": criterion("value")}, fingerprint=plain.fingerprint)
    judge = CalibratedJudge(plain, profile)
    inside, beyond = judge.score([Sample("p", "3"), Sample("p", "7")])

    assert (inside.value, inside.raw, inside.supported, inside.criteria) == (2.5, 3, True, {})
    assert (beyond.value, beyond.raw, beyond.supported) == (4.5, 7, False)
    [preference] = judge.compare([Comparison("p", "40", "30")])
    assert preference.scores == (5, 5) and preference.winner == "a"
    assert preference.probability == pytest.approx(logistic(10))


def test_one_criterion_gives_the_value_too(plain: RubricJudge) -> None:
    [score] = CalibratedJudge(plain, profile_of({"style": criterion()}, fingerprint=plain.fingerprint)).score(
        said("2 5")
    )

    assert score.criteria == {"style": 3.5} and score.value == 3.5 and score.raw == 3.5


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"fingerprint": "0123456789abcdef"}, "fingerprint 0123456789abcdef, and this one has"),
        ({"fingerprint": None}, "without the judge's fingerprint"),
        ({"days": -1}, "expired"),
        ({"id": "sha256:0"}, "changed the file"),
    ],
)
def test_what_cannot_be_relied_on_is_refused_or_flagged(plain: RubricJudge, changes: Any, says: str) -> None:
    profile = fits(plain, **{key: value for key, value in changes.items() if key != "id"})
    profile = profile.model_copy(update={key: value for key, value in changes.items() if key == "id"})

    with pytest.raises(ConfigError, match=says):
        CalibratedJudge(plain, profile)
    with pytest.warns(ProfileWarning, match=says) as caught:
        judge = CalibratedJudge(plain, profile, "flag")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        [score] = judge.score(said("2 5"))

    assert len(caught) == 1 and len(judge.problems) == 1
    assert score.value == 3 and score.supported is False


def test_a_golden_vector_that_fails_is_refused(plain: RubricJudge) -> None:
    sound = criterion()
    wrong = sound.golden[2].model_copy(update={"score": 2.6})
    bent = sound.model_copy(update={"golden": (*sound.golden[:2], wrong)})
    profile = profile_of({"plot": bent}, fingerprint=plain.fingerprint)

    assert profile.id == profile.digest()
    with pytest.raises(ConfigError, match=r"plot: the score 3 became 2\.6 .* and becomes 2\.5"):
        CalibratedJudge(plain, profile)


@pytest.mark.parametrize(
    "judge",
    [
        PairwiseJudge(PAIRWISE, FakeModel("x")),
        GenRMJudge(PAIRWISE, FakeModel("x")),
        PanelJudge([PairwiseJudge(PAIRWISE, FakeModel("x"))]),
    ],
)
def test_a_judge_that_only_compares_has_nothing_to_map(judge: Judge) -> None:
    with pytest.raises(InputError, match="only compares"):
        CalibratedJudge(judge, fits(judge))


def test_a_profile_of_other_criteria_is_refused(plain: RubricJudge) -> None:
    names = {"plott": criterion(), "style": criterion(), "overall": criterion("mean")}
    with pytest.raises(ConfigError, match="'plott', which the judge does not give; did you mean 'plot'"):
        CalibratedJudge(plain, profile_of(names, fingerprint=plain.fingerprint), "flag")
    with pytest.raises(ConfigError, match="call the criterion 'overall'"):
        CalibratedJudge(ClassifierJudge(Strengths()), profile_of({"plot": criterion()}), "flag")


def test_one_profile_is_enough(plain: RubricJudge) -> None:
    judge = CalibratedJudge(plain, fits(plain))
    with pytest.raises(InputError, match="already"):
        CalibratedJudge(judge, fits(judge))


def test_the_profile_is_part_of_the_identity(plain: RubricJudge) -> None:
    one, other = (CalibratedJudge(plain, fits(plain, days=days)) for days in (30, 31))

    assert one.identity["profile"] == one.profile.id and one.identity["of"] == plain.identity
    assert one.fingerprint != other.fingerprint


def test_a_panel_takes_calibrated_members(plain: RubricJudge) -> None:
    panel = PanelJudge([CalibratedJudge(plain, fits(plain)), CalibratedJudge(plain, fits(plain))])
    [score] = panel.score(said("2 5"))

    assert score.value == 3 and score.scale == (1, 5)


def saved(judge: Judge, folder: Path) -> Path:
    return CalibratedJudge(judge, fits(judge)).save(folder)


KINDS: dict[str, Callable[[Rubric], Judge]] = {
    "rubric": lambda rubric: RubricJudge(rubric, FakeModel("x")),
    "genrm": lambda rubric: GenRMJudge(rubric, FakeModel("x"), samples=3, decoding=Decoding(temperature=0.7)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_saved_judge_is_loaded_with_its_profile(kind: str, rubric: Rubric, tmp_path: Path) -> None:
    judge = CalibratedJudge(KINDS[kind](rubric), fits(KINDS[kind](rubric)))
    loaded = Judge.load(judge.save(tmp_path / "judge"))
    (tmp_path / "judge").rename(tmp_path / "moved")

    assert isinstance(loaded, CalibratedJudge) and loaded.profile == judge.profile
    assert loaded.fingerprint == judge.fingerprint == Judge.load(tmp_path / "moved").fingerprint


def test_a_panel_with_a_profile_there_and_back(rubric: Rubric, tmp_path: Path) -> None:
    panel = PanelJudge([RubricJudge(rubric, FakeModel("x")), RubricJudge(rubric, FakeModel("y"))])
    profile = profile_of({"overall": criterion("value")}, fingerprint=panel.fingerprint)
    judge = CalibratedJudge(panel, profile)

    assert Judge.load(judge.save(tmp_path / "judge")).fingerprint == judge.fingerprint


def test_flagging_is_saved_too(rubric: Rubric, tmp_path: Path) -> None:
    judge = RubricJudge(rubric, FakeModel("x"))
    with pytest.warns(ProfileWarning):
        flagged = CalibratedJudge(judge, fits(judge, fingerprint=None), "flag")
    with pytest.warns(ProfileWarning):
        loaded = Judge.load(flagged.save(tmp_path / "judge"))

    assert isinstance(loaded, CalibratedJudge) and loaded.on_problem == "flag"


def edit(path: Path, **changes: Any) -> Path:
    data = yaml.safe_load(path.read_text()) | changes
    path.write_text(yaml.safe_dump({key: value for key, value in data.items() if value is not None}, sort_keys=False))
    return path


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"profile": "other.json"}, "other.json: No such file"),
        ({"profile_problems": "ignore"}, "profile_problems"),
        ({"profile": None}, "there is no 'profile'"),
        ({"profile": None, "profile_problems": None, "profil": "p.json"}, "did you mean 'profile'"),
        ({"samples": 2, "decoding": {"temperature": 1}}, "profile.json: the profile of 'tiny' cannot be relied on"),
    ],
)
def test_a_wrong_judge_yaml(changes: Any, says: str, rubric: Rubric, tmp_path: Path) -> None:
    path = edit(saved(RubricJudge(rubric, FakeModel("x")), tmp_path / "judge"), **changes)

    with pytest.raises(ConfigError, match=says):
        Judge.load(path)


def test_a_pairwise_judge_yaml_with_a_profile_says_that_it_cannot(tmp_path: Path) -> None:
    path = PairwiseJudge(PAIRWISE, FakeModel("x")).save(tmp_path)
    profile_of().save(tmp_path / "profile.json")

    with pytest.raises(ConfigError, match="only compares"):
        Judge.load(edit(path, profile="profile.json", profile_problems="flag"))


def test_the_row_of_a_calibrated_score(plain: RubricJudge) -> None:
    judge = CalibratedJudge(plain, fits(plain))
    [sample] = said("2 5")
    row = score_row(sample, judge.score([sample])[0])
    bare = score_row(sample, plain.score([sample])[0])

    assert (row["value"], row["raw"], row["supported"]) == (3, 3.5, True)
    assert row["interval"] == pytest.approx([2.3, 3.7]) and math.isfinite(row["reward"])
    assert (bare["raw"], bare["interval"], bare["reward"], bare["supported"]) == (None,) * 4


def test_a_profile_of_simulated_raters_or_failed_gates_says_so(plain: RubricJudge) -> None:
    gate = GateResult(criterion="plot", name="item", wanted="rho, at least 0.9", got=0.2, passed=False)
    data = Data(items=30, groups=10, raters=3, sha256="00", simulated=True)

    with pytest.warns(ProfileWarning) as told:
        CalibratedJudge(plain, fits(plain, gates=(gate,), data=data))
    words = [str(warning.message) for warning in told]
    assert len(words) == 2 and "simulated" in words[0] and "failed (plot: rho, at least 0.9)" in words[1]
