"""EpisodeBench's published rows, in their layout and with texts of our own."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from judgekit import InputError, Rubric
from judgekit.episodes.judged import CRITERIA, HEADINGS, Unusable, is_published, judged_row, published_of
from judgekit.episodes.tables import read_judged, write_judged
from judgekit.training.rated import read_rated
from judgekit.types import Rated

TURN = '{"plot_list": [{"narrative": "The ferry leaves.", "role_dialogue": {}}], "next_episode": "7"}'
PLAYER = "{'type': 'abnormal', 'action': 'I jump overboard'}"
SCORES = {name: {"review": f"about {name}", "score": 5 if name == "transition" else 3.5} for name in CRITERIA}


def prompt(language: str = "en", player: str = PLAYER, leave_out: str = "") -> str:
    """A judge's prompt as it is published: mentions of the headings first, then the sections."""
    title, history, chapter, total, now, triggers, form, user, story = HEADINGS[language]
    texts = [
        (title, "\nThe Ferry\n\n### Style:\ncalm"),
        (history, "\nNothing yet"),
        (chapter, "\n### Chapter ID:\n6\n\n### Goal:\nboard"),
        (total, "\n10"),
        (now, "\n4"),
        (triggers, "\n- paid -> 7"),
        (form, ":\n```json\n{}\n```\n\n\nNow score:"),
        (user, f" {player}\n"),
        (story, f" {TURN}"),
    ]
    sections = "\n\n".join(f"{heading}{text}" for heading, text in texts if heading != leave_out)
    return f"# Role\nMind `{total}` and `{now}`.\n\n## Setting:\n{sections}\n"


def row(**change: Any) -> dict[str, Any]:
    reply = change.pop("reply", str({**SCORES, "quality": 19.0}))
    asked = change.pop("prompt", prompt())
    return {
        "system": [{"from": "user", "value": asked}],
        "conversations": [{"from": "assistant", "value": reply}],
        "score_sum": 19.0,
        "data_source": "reward_train_data_v1",
        "language": "en",
        **change,
    }


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_text_goes_to_its_slot(language: str) -> None:
    found = published_of(row(prompt=prompt(language)), 4, language)

    assert isinstance(found, Rated)
    assert found.sample.response == TURN
    assert found.sample.metadata == {
        "background": "The Ferry\n\n### Style:\ncalm",
        "history": "Nothing yet",
        "episode": "### Chapter ID:\n6\n\n### Goal:\nboard\n\n- paid -> 7",
        "progress": "current 4, total 10",
        "user_input": "I jump overboard",  # the action, without the label of the behaviour
    }
    assert found.scores == {"plot": 3.5, "guidance": 3.5, "narration": 3.5, "characters": 3.5, "transition": 5.0}
    assert found.reviews["characters"] == "about characters"
    assert (found.id, found.group, found.source) == ("line-4", "The Ferry", "machine")


def test_the_slots_are_those_of_our_rubric() -> None:
    rubric = Rubric.load("story/episodebench")
    found = published_of(row(), 1, "en")

    assert isinstance(found, Rated)
    assert {c.id for c in rubric.criteria} == set(found.scores)
    assert {f"metadata.{name}" for name in found.sample.metadata} | {"response"} <= rubric.template.slots | {"response"}
    assert rubric.total({name: value or 0 for name, value in found.scores.items()}) == 19  # score_sum


@pytest.mark.parametrize("reply", [SCORES, json.dumps(SCORES), str(SCORES)])
def test_scores_as_an_object_as_json_and_as_python_writes_them(reply: Any) -> None:
    found = published_of(row(reply=reply), 1, "en")

    assert isinstance(found, Rated) and found.scores["plot"] == 3.5


def test_a_player_without_a_label() -> None:
    found = published_of(row(prompt=prompt(player="I wait.")), 1, "en")

    assert isinstance(found, Rated) and found.sample.prompt == "I wait."


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"prompt": prompt("zh")}, "the row is in 'zh', not 'en'"),
        ({"prompt": "Judge this."}, "no published prompt in system"),
        ({"prompt": prompt(leave_out="## Output Format")}, "the prompt has no '## Output Format'"),
        ({"system": None}, "system holds no text"),
        ({"reply": "Good story!"}, "the scores cannot be read"),
        ({"reply": "__import__('os').getcwd()"}, "the scores cannot be read"),
        ({"reply": {**SCORES, "plot": {"review": "x"}}}, "no score for plot"),
        ({"reply": {**SCORES, "plot": {"score": 7}}}, "no score for plot"),
        ({"reply": {**SCORES, "plot": {"score": True}}}, "no score for plot"),
        ({"score_sum": 20.0}, "score_sum is not the sum of the scores"),
        ({"score_sum": "19"}, "score_sum is not the sum of the scores"),
        ({"score_sum": None}, "score_sum is not the sum of the scores"),
    ],
)
def test_what_cannot_be_used_says_why(change: dict[str, Any], reason: str) -> None:
    assert published_of(row(**change), 1, "en") == Unusable("line-1", reason)


def test_a_file_of_them(tmp_path: Path) -> None:
    path = tmp_path / "train.jsonl"
    rows = [row(), row(prompt=prompt("zh")), row(reply="?"), row(prompt=prompt("zh"))]
    path.write_text("".join(f"{json.dumps(r)}\n" for r in rows))

    found, left_out = read_rated(path, Rubric.load("story/episodebench"))

    assert [r.id for r in found] == ["line-1"]
    assert left_out == {"the row is in 'zh', not 'en'": 2, "the scores cannot be read": 1}
    assert len(read_rated(path, Rubric.load("story/episodebench_zh"))[0]) == 2


def test_published_rows_do_not_fit_another_rubric(tmp_path: Path) -> None:
    path = tmp_path / "train.jsonl"
    path.write_text(json.dumps(row()))

    with pytest.raises(InputError, match=r"train.jsonl:1: story/hanna has no criterion 'plot'"):
        read_rated(path, Rubric.load("story/hanna"))


def test_ours_are_told_apart() -> None:
    assert is_published(row())
    assert not is_published({"prompt": "p", "response": "r", "scores": {}, "system": "x"})


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_rated_sample_is_written_as_it_was_published(tmp_path: Path, language: str) -> None:
    given = published_of(row(prompt=prompt(language)), 1, language)
    assert isinstance(given, Rated)

    assert write_judged(tmp_path / "rows.jsonl", [given], language) == 1
    assert read_judged(tmp_path / "rows.jsonl", language) == ([given], {})
    assert judged_row(given, language)["score_sum"] == 4 * 3.5 + 5


def test_what_the_layout_cannot_hold_is_refused() -> None:
    given = published_of(row(), 1, "en")
    assert isinstance(given, Rated)
    broken = replace(given.sample, metadata={**given.sample.metadata, "history": "x\n## Current Chapter:\ny"})
    bare = replace(given.sample, metadata={"progress": "current 1, total 2"})

    with pytest.raises(InputError, match="'line-1' cannot be written in this layout"):
        judged_row(replace(given, sample=broken), "en")
    with pytest.raises(InputError, match="lacks plot, background, history, episode, user_input"):
        judged_row(replace(given, sample=bare, scores={**given.scores, "plot": None}), "en")
