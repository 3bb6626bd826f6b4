"""Evaluations as folders: run, resumed, read back, saved; two of them side by side, or what keeps them apart."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from judgekit.calibration import Bootstrap
from judgekit.errors import ConfigError, InputError
from judgekit.judges import PairwiseJudge, RubricJudge
from judgekit.models import Decoding, FakeModel
from judgekit.policy.evaluation import Data, Evaluation, StoryPrompt, compare, evaluate, lacking, load_data
from judgekit.rubrics import Rubric
from judgekit.types import prompt_text
from tests.policy.evaluation.made import says, write_rows

FAST = Bootstrap(draws=200)
WARM = Decoding(temperature=1.0, max_tokens=64)
WORLD = load_data("storyworld", limit=60)
RIGHT = {prompt_text(t.prompt): t.reference for t in WORLD.asked}
STAYS = {prompt_text(t.prompt): says(str(t.episode)) for t in WORLD.asked}
STORIES = Data("tales", tuple(StoryPrompt(str(i), f"Prompt {i}.", 4 + 4 * (i % 2)) for i in range(8)))


def told(replies: dict[str, str], other: str = "nothing") -> FakeModel:
    return FakeModel(lambda request: replies.get(request.identity, other))


def judge(*scores: float) -> RubricJudge:
    names = [one.id for one in Rubric.load("story/hanna").criteria]
    replies = [json.dumps({name: {"reason": "So.", "score": score} for name in names}) for score in scores]
    return RubricJudge(Rubric.load("story/hanna"), FakeModel(replies))


def tales(words: int) -> FakeModel:
    return FakeModel("word " * words)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("evaluations")
    for name, replies in (("stays", STAYS), ("right", RIGHT)):
        found = evaluate(told(replies), WORLD, root / name, decoding=WARM, k=2, play=3)
        found.save(found.tables(FAST))
    return root


def test_a_folder_is_read_as_it_was_made(folders: Path) -> None:
    found = Evaluation.load(folders / "right")
    written = json.loads((folders / "right" / "evaluation.json").read_text())

    assert found.settings.kind == "turns" and found.settings.data == "storyworld" and found.settings.band == (12, 12)
    assert found.tables(FAST)["turns"].rows["acc@1"].estimate.value == 1
    assert written["tables"]["turns"]["rows"]["acc@1"]["estimate"]["value"] == 1
    assert set(written["tables"]) >= {"turns", "turns, behaviour normal", "timing"}
    assert written["counts"]["stories that did not end"]


def test_two_evaluations_side_by_side(folders: Path) -> None:
    stays, right = (Evaluation.load(folders / name) for name in ("stays", "right"))
    lines = {line.metric: line for line in compare(stays, right, FAST)["turns"]}
    share = sum(t.stays for t in WORLD.asked) / len(WORLD.asked)

    assert list(lines)[:3] == ["acc@1", "pass@2", "json@2"] and list(lines)[-4:] == [
        "too fast", "on time", "too slow", "failure",
    ]  # fmt: skip
    acc = lines["acc@1"]
    assert acc.one.value == pytest.approx(share) and acc.two.value == 1
    assert acc.contrast.difference.value == pytest.approx(1 - share)
    assert acc.always_stay.value == pytest.approx(share) and lines["json@2"].always_stay is None
    assert lines["jump recall"].contrast.difference.value == 1
    assert lines["on time"].one.value == lines["on time"].contrast.difference.value == 0
    assert lines["length 12-12@2"].one.value == 0 and lines["length 12-12@2"].two.value == 1


def test_the_same_command_again_makes_nothing_new(folders: Path) -> None:
    model = told(RIGHT)
    before = {path.name: path.read_bytes() for path in (folders / "right").iterdir()}
    evaluate(model, WORLD, folders / "right", decoding=WARM, k=2, play=3)

    assert model.calls == 0
    assert {path.name: path.read_bytes() for path in (folders / "right").iterdir()} == before


def test_a_judge_can_come_later(tmp_path: Path) -> None:
    model, critic = tales(4), judge(2, 4)
    evaluate(model, STORIES, tmp_path, decoding=WARM, k=1, buckets=(4, 8))
    calls = model.calls
    found = evaluate(model, STORIES, tmp_path, decoding=WARM, k=1, judge=critic, buckets=(4, 8))
    tables = found.tables(FAST)
    found.save(tables)

    assert model.calls == calls and critic.model.calls == 8
    assert list(tables) == ["stories", "stories, 1-4 words", "stories, 5-8 words"]
    assert tables["stories, 5-8 words"].rows["length ratio"].estimate.value == pytest.approx(1 / 2)
    quality = tables["stories"].rows["quality"].estimate
    assert 2 <= quality.low <= quality.value <= quality.high <= 4
    assert Evaluation.load(tmp_path).tables(FAST) == tables


def test_stories_side_by_side(tmp_path: Path) -> None:
    for name, words, scores in (("short", 4, (2,)), ("long", 8, (4,))):
        it = evaluate(tales(words), STORIES, tmp_path / name, decoding=WARM, k=1, judge=judge(*scores), buckets=(4, 8))
        it.save(it.tables(FAST))
    pair = [Evaluation.load(tmp_path / name) for name in ("short", "long")]
    with pytest.raises(InputError, match="differ in quality"):  # two judges: each has replies of its own
        compare(*pair, FAST)


def test_what_only_one_has_is_named_and_left_out(tmp_path: Path) -> None:
    critic = judge(3)
    for name, words, asked in (("one", 4, None), ("two", 8, critic)):
        it = evaluate(tales(words), STORIES, tmp_path / name, decoding=WARM, k=1, judge=asked, buckets=(4, 8))
        it.save(it.tables(FAST))
    pair = [Evaluation.load(tmp_path / name) for name in ("one", "two")]
    lines = {line.metric for line in compare(*pair, FAST)["stories"]}

    assert lacking(*pair) == ["quality"] and lines == {"length ratio", "length slope"}


def test_the_responses_of_others_need_no_evaluation(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    rows = [{"id": it.id, "prompt": it.prompt, "responses": ["w " * 6], "columns": {"words": it.words}}
            for it in STORIES.asked]  # fmt: skip
    write_rows(tmp_path / "theirs" / "responses.jsonl", rows)
    ours = evaluate(tales(4), STORIES, tmp_path / "ours", decoding=WARM, k=1, buckets=(4, 8))
    theirs = Evaluation.load(tmp_path / "theirs")
    found = compare(ours, theirs, FAST)

    assert list(found) == ["stories", "stories, 1-4 words", "stories, 5-8 words"]  # in our buckets
    [ratio] = [line for line in found["stories"] if line.metric == "length ratio"]
    assert ratio.two.value / ratio.one.value == pytest.approx(6 / 4)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"k": 3}, "differ in k: 2 and 3"),
        ({"band": (5, 20)}, r"differ in band: \(12.0, 12.0\) and \(5.0, 20.0\)"),
        ({"play": 2}, "differ in timing: 3 and 2"),
    ],
)
def test_evaluations_that_were_made_otherwise_are_refused(
    folders: Path, tmp_path: Path, change: dict[str, Any], problem: str
) -> None:
    how: dict[str, Any] = {"decoding": WARM, "k": 2, "play": 3, **change}
    other = evaluate(told(RIGHT), WORLD, tmp_path, **how)

    with pytest.raises(InputError, match=problem):
        compare(Evaluation.load(folders / "right"), other, FAST)


def test_an_evaluation_that_is_not_finished_says_so(folders: Path, tmp_path: Path) -> None:
    source = folders / "right"
    (tmp_path / "responses.jsonl").write_bytes((source / "responses.jsonl").read_bytes())
    with pytest.raises(InputError, match=r"evaluation\.json: is not there; run judgekit policy evaluate to the end"):
        Evaluation.load(tmp_path)
    (tmp_path / "evaluation.json").write_bytes((source / "evaluation.json").read_bytes())
    with pytest.raises(InputError, match=r"diversity\.jsonl: No such file"):
        Evaluation.load(tmp_path)
    (tmp_path / "diversity.jsonl").write_bytes((source / "diversity.jsonl").read_bytes())
    lines = (source / "played.jsonl").read_bytes().splitlines(keepends=True)
    (tmp_path / "played.jsonl").write_bytes(b"".join(lines[:2]))
    with pytest.raises(InputError, match=r"played\.jsonl: 2 of 3 stories"):
        Evaluation.load(tmp_path)
    (tmp_path / "evaluation.json").write_text('{"settings": {"kind": "turn"}}')
    with pytest.raises(ConfigError, match=r"evaluation\.json: settings\.kind"):
        Evaluation.load(tmp_path)


@pytest.mark.parametrize(
    ("how", "problem"),
    [
        ({"play": 2}, "only the storyworld has a player"),
        ({"band": (9, 3)}, "not from 9 to 3"),
        ({"buckets": (9, 3)}, "the ends of buckets rise, from 1 or more: not 9, 3"),
        ({"buckets": ()}, "the ends of buckets rise, from 1 or more: not none"),
        (
            {"judge": PairwiseJudge(Rubric.load("story/creative_preference"), FakeModel("A"))},
            "it compares two responses",
        ),
    ],
)
def test_settings_that_do_not_go_together_are_told_before_anything_is_asked(
    tmp_path: Path, how: dict[str, Any], problem: str
) -> None:
    model = tales(4)
    with pytest.raises(InputError, match=problem):
        evaluate(model, STORIES, tmp_path, decoding=WARM, k=1, **how)
    assert model.calls == 0 and not list(tmp_path.iterdir())


def test_progress_is_told(tmp_path: Path) -> None:
    from contextlib import contextmanager

    seen: dict[str, list[int]] = {}

    @contextmanager
    def progress(label: str, total: int):
        seen[f"{label} of {total}"] = []
        yield seen[f"{label} of {total}"].append

    evaluate(told(RIGHT), WORLD, tmp_path, decoding=WARM, k=2, play=3, size=25, progress=progress)

    assert seen == {"responses of 60": [25, 50, 60], "played of 3": [3], "diversity of 60": [60]}
