"""EpisodeBench's table by hand: control, length, diversity, quality, timing; scores and distances read back."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from judgekit.calibration import Bootstrap
from judgekit.episodes.measures import Value
from judgekit.errors import InputError
from judgekit.judges import ClassifierJudge, RubricJudge
from judgekit.models import FakeModel
from judgekit.policy.evaluation import diversity
from judgekit.policy.evaluation.episodebench import ordered, tables, turn_items
from judgekit.policy.evaluation.scoring import Judged, Scores, judged_by, read_scores, samples_of, score_all
from judgekit.rubrics import Rubric
from tests.policy.evaluation.made import read_rows, responded, says, turn, write_rows

FAST = Bootstrap(draws=200)
SCALE = (0.0, 5.0)
# Story A: stay, jump to 2; story B: stay. Words told: "It rains." is 2, "It rains and rains." is 4.
FOUR = "It rains and rains."
ANSWERED = [
    responded(turn("a1", "A", "1", behaviour="normal"), says("1", FOUR), says("2"), says("1", FOUR)),
    responded(turn("a2", "A", "2", behaviour="hacking"), "no JSON", None, says("2", FOUR), cut=(True, False, False)),
    responded(turn("b1", "B", "1", behaviour="normal", language="zh"), says("2"), says("2"), None),
]


def values(rows: Any, name: str) -> float:
    return rows[name].estimate.value


def test_control_length_and_counts_by_hand() -> None:
    found = tables(turn_items(ANSWERED, (3, 5)), [], FAST)
    rows = found["turns"].rows

    assert values(rows, "acc@1") == pytest.approx(1 / 3)  # a1; a2 is no JSON, b1 jumps
    assert values(rows, "pass@3") == 1  # of a1 alone: of the others a rollout is missing
    assert values(rows, "json@3") == pytest.approx((3 / 3 + 1 / 2 + 2 / 2) / 3)
    assert values(rows, "length 3-5@3") == pytest.approx((2 / 3 + 1 / 2 + 0 / 2) / 3)
    assert (values(rows, "stay recall"), values(rows, "jump recall")) == (1 / 2, 0)
    assert rows["acc@1"].always_stay.value == pytest.approx(2 / 3)
    assert found["turns"].counts == {"items": 3, "rollouts": 9, "missing": 2, "invalid": 1, "cut off": 1}


def test_parts_stand_apart() -> None:
    found = tables(turn_items(ANSWERED, (3, 5)), [], FAST)

    assert list(found)[1:] == [
        "turns, language en",
        "turns, language zh",
        "turns, behaviour hacking",
        "turns, behaviour normal",
    ]
    assert values(found["turns, language zh"].rows, "acc@1") == 0
    assert values(found["turns, behaviour normal"].rows, "acc@1") == 1 / 2


def test_the_ends_of_the_band_belong_to_it() -> None:
    [item] = turn_items(ANSWERED[:1], (2, 2))
    assert item.values["length 2-2@3"].value == pytest.approx(1 / 3)
    [item] = turn_items(ANSWERED[:1], (2, 4))
    assert item.values["length 2-4@3"].value == 1


def test_metrics_stand_in_order() -> None:
    names = ["total avg@3", "balanced accuracy", "diversity@3", "length 3-5@3", "json@3", "acc@1"]

    assert ordered(names) == ["acc@1", "json@3", "balanced accuracy", "length 3-5@3", "diversity@3", "total avg@3"]


# --- quality ---------------------------------------------------------------------------------------------------------

RUBRIC = """\
id: test/two
title: Two criteria
aggregation: sum
criteria:
  - {id: plot, title: Plot, range: [0, 5]}
  - {id: voice, title: Voice, range: [0, 5]}
"""


@pytest.fixture
def rubric(tmp_path: Path) -> Rubric:
    (tmp_path / "rubric.yaml").write_text(RUBRIC)
    return Rubric.load(tmp_path / "rubric.yaml")


def judge(rubric: Rubric, *replies: str) -> RubricJudge:
    told = iter(replies)
    return RubricJudge(rubric, FakeModel(lambda request: next(told)))


def gave(plot: int, voice: int) -> str:
    return json.dumps({"plot": {"reason": "So.", "score": plot}, "voice": {"reason": "So.", "score": voice}})


def scores(plot: list[list[float]], voice: list[list[float]]) -> Scores:
    both = np.array(plot), np.array(voice)
    judged = Judged(fingerprint="j", scale=(0, 10), criteria={"plot": SCALE, "voice": SCALE})
    return Scores(judged, both[0] + both[1], {"plot": both[0], "voice": both[1]}, {})


def test_quality_by_hand() -> None:
    none = math.nan
    given = scores([[5, 4, 3], [none, none, 1], [2, 2, none]], [[3, 4, 5], [none, none, 3], [none, 4, none]])
    rows = tables(turn_items(ANSWERED, (3, 5), given), [], FAST)["turns"].rows

    assert values(rows, "plot rollout@1") == (5 + 2) / 2  # of a2 the first is missing
    assert values(rows, "plot avg@3") == pytest.approx((4 + 1 + 2) / 3)
    assert values(rows, "voice avg@3") == pytest.approx((4 + 3 + 4) / 3)
    assert values(rows, "total rollout@1") == 4  # (5 + 3) / 2 of a1; b1 has no voice
    assert values(rows, "total avg@3") == pytest.approx(((4 + 4 + 4) / 3 + 2 + 3) / 3)


def test_criteria_of_different_scales_are_one_quality() -> None:
    given = scores([[5.0, 4, 3]], [[3.0, 4, 5]])
    mixed = replace(given, judged=given.judged.model_copy(update={"criteria": {"plot": SCALE, "voice": (0, 9)}}))
    [item] = turn_items(ANSWERED[:1], (3, 5), mixed)

    assert {name for name in item.values if "@" in name and "quality" in name} == {"quality rollout@1", "quality avg@3"}
    assert item.values["quality avg@3"] == Value(8, span=(0, 10))


def test_scores_are_written_read_and_not_asked_twice(tmp_path: Path, rubric: Rubric) -> None:
    asked = judge(rubric, *(gave(5, 3), gave(4, 4), gave(3, 5), "no score", gave(1, 3), gave(2, 2), gave(2, 4)))
    path = tmp_path / "scores.jsonl"
    score_all(asked, ANSWERED, path, size=2)
    score_all(asked, ANSWERED, path, size=2)  # the replies are used up: asking again would raise
    found = read_scores(path, ANSWERED, judged_by(asked))

    assert [row["id"] for row in read_rows(path)] == ["a1#1", "a1#2", "a1#3", "a2#1", "a2#3", "b1#1", "b1#2"]
    none = math.nan
    np.testing.assert_array_equal(found.value, [[8, 8, 8], [none, none, 4], [4, 6, none]])
    np.testing.assert_array_equal(found.criteria["plot"], [[5, 4, 3], [none, none, 1], [2, 2, none]])
    assert sum(found.reasons.values()) == 1
    assert found.judged.criteria == {"plot": SCALE, "voice": SCALE}


def test_a_judge_sees_the_turn_and_never_the_label(rubric: Rubric) -> None:
    shown = samples_of(ANSWERED)

    assert len(shown) == 7
    assert all(set(one.metadata) == {"background", "history", "episode", "progress", "user_input"} for one in shown)
    assert "hacking" not in json.dumps([one.metadata for one in shown])


def test_scores_of_something_else_are_refused(tmp_path: Path, rubric: Rubric) -> None:
    asked, path = judge(rubric, *[gave(1, 1)] * 7), tmp_path / "scores.jsonl"
    score_all(asked, ANSWERED, path)
    judged, rows = judged_by(asked), read_rows(path)

    with pytest.raises(InputError, match=r"scores\.jsonl: 7 scores of 3 responses"):
        read_scores(path, ANSWERED[:1], judged)
    with pytest.raises(InputError, match=r"scores\.jsonl:1: was written by another judge"):
        read_scores(path, ANSWERED, judged.model_copy(update={"fingerprint": "other"}))
    other = [responded(ANSWERED[0].asked, says("1"), *ANSWERED[0].responses[1:]), *ANSWERED[1:]]
    with pytest.raises(InputError, match=r"scores\.jsonl:1: is no score of 'a1#1' as it stands"):
        read_scores(path, other, judged)
    write_rows(path, [*rows[:2], {**rows[2], "value": "high"}, *rows[3:]])
    with pytest.raises(InputError, match=r"scores\.jsonl:3: value: Input should be a valid number"):
        read_scores(path, ANSWERED, judged)


def test_a_judge_without_a_rubric_scores_on_the_unit() -> None:
    found = judged_by(ClassifierJudge(_Strength()))

    assert (found.scale, found.criteria, found.units) == ((0, 1), {}, True)


class _Strength:
    identity = {"provider": "test"}


# --- diversity -------------------------------------------------------------------------------------------------------


def test_mean_distance_by_hand() -> None:
    right, up = [2.0, 0.0], [0.0, 3.0]  # cosine 0, whatever their length

    assert diversity.mean_distance(np.array([right, up])) == 1
    assert diversity.mean_distance(np.array([right, right, up])) == pytest.approx((0 + 1 + 1) / 3)
    assert diversity.mean_distance(np.array([right, right])) == 0
    assert diversity.mean_distance(np.array([right, [-1.0, 0.0]])) == 2
    diagonal = [1.0, 1.0]
    assert diversity.mean_distance(np.array([right, diagonal])) == pytest.approx(1 - math.sqrt(0.5))


def embed(texts: Any) -> Any:
    """Texts of two words are one direction, all others another."""
    return [[1.0, 0.0] if len(text.split()) == 2 else [0.0, 1.0] for text in texts]


def test_diversity_is_of_the_valid_responses(tmp_path: Path) -> None:
    path = tmp_path / "diversity.jsonl"
    diversity.measure_all(ANSWERED, path, embed)
    found = diversity.read_diversity(path, ANSWERED, diversity.encoder(embed))

    assert found == [
        Value(pytest.approx(2 / 3), span=(0, 2)),  # 4, 2 and 4 words: of three pairs two are apart
        Value(None, "fewer than two valid responses", span=(0, 2)),
        Value(0, span=(0, 2)),
    ]
    rows = tables(turn_items(ANSWERED, (3, 5), diversity=found), [], FAST)["turns"].rows
    assert values(rows, "diversity@3") == pytest.approx(1 / 3)
    assert rows["diversity@3"].left_out == {"fewer than two valid responses": 1}


def test_more_valid_responses_are_no_more_diverse() -> None:
    two, six = np.eye(2), np.eye(6)

    assert diversity.mean_distance(two) == diversity.mean_distance(six) == 1


def test_diversity_of_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "diversity.jsonl"
    diversity.measure_all(ANSWERED, path, embed)

    with pytest.raises(InputError, match=r"diversity\.jsonl: 3 rows for 2 prompts"):
        diversity.read_diversity(path, ANSWERED[:2], "embed")
    with pytest.raises(InputError, match=r"diversity\.jsonl:1: is not of the responses to 'a1', or of another encoder"):
        diversity.read_diversity(path, ANSWERED, "other")


def test_the_installed_encoder_tells_copies_from_stories(tmp_path: Path) -> None:
    told = ["The lighthouse keeper counts the ships.", "A dog steals bread at the market.", "Rain falls on the moor."]
    alike = responded(turn("a", "A", "1"), *[says("1", told[0])] * 3)
    apart = responded(turn("b", "B", "1"), *(says("1", text) for text in told))
    path = tmp_path / "diversity.jsonl"
    diversity.measure_all([alike, apart], path)
    same, other = diversity.read_diversity(path, [alike, apart], diversity.encoder())

    assert same.value == pytest.approx(0, abs=1e-6) and other.value is not None and other.value > 0.5
