"""judge.yaml -> judge -> folder -> the same judge; and what a wrong file says."""

from __future__ import annotations

from pathlib import Path

import pytest

from judgekit import (
    ClassifierJudge,
    ConfigError,
    GenRMJudge,
    Judge,
    PairwiseJudge,
    PanelJudge,
    Rubric,
    RubricJudge,
    Sample,
)
from judgekit.content import names
from judgekit.errors import InputError
from judgekit.models import (
    Decoding,
    FakeModel,
    Journal,
    JournaledModel,
    LocalConfig,
    LocalModel,
    OpenAIConfig,
    OpenAIModel,
)

POINTWISE, PAIRWISE = Rubric.load("story/hanna"), Rubric.load("story/creative_preference")
WARM = Decoding(temperature=0.7, seed=3)
JUDGES = {
    "rubric": RubricJudge(POINTWISE, FakeModel("x"), ask="each"),
    "sampled": RubricJudge(POINTWISE, FakeModel(["x", "y"]), samples=3, vote="majority", decoding=WARM),
    "pairwise": PairwiseJudge(PAIRWISE, FakeModel("x"), both_orders=False),
    "genrm": GenRMJudge(PAIRWISE, FakeModel("x"), samples=5, vote="mean", decoding=WARM),
    "panel": PanelJudge(
        [RubricJudge(POINTWISE, FakeModel("x")), RubricJudge(POINTWISE, FakeModel("y"))], "weighted", [2.0, 1.0]
    ),
    "openai": RubricJudge(POINTWISE, OpenAIModel(OpenAIConfig(provider="openai", model="m", base_url="http://[::1]/"))),
}


@pytest.mark.parametrize("judge", JUDGES.values(), ids=JUDGES)
def test_a_saved_judge_is_loaded_as_the_same_judge(judge: Judge, tmp_path: Path) -> None:
    loaded = Judge.load(judge.save(tmp_path / "judge"))

    assert type(loaded) is type(judge)
    assert loaded.identity == judge.identity
    assert Judge.load(tmp_path / "judge").fingerprint == judge.fingerprint


@pytest.mark.parametrize("name", names("rubrics", "*/*.yaml"))
def test_every_rubric_travels_with_its_judge(name: str, tmp_path: Path) -> None:
    rubric = Rubric.load(name)
    kind = RubricJudge if rubric.mode == "pointwise" else PairwiseJudge
    judge = kind(rubric, FakeModel("x"))

    assert Judge.load(judge.save(tmp_path)).fingerprint == judge.fingerprint


def test_a_saved_folder_can_be_moved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    JUDGES["panel"].save(tmp_path / "here")
    (tmp_path / "here").rename(tmp_path / "there")
    monkeypatch.chdir(tmp_path)

    assert Judge.load("there").fingerprint == JUDGES["panel"].fingerprint


def test_a_local_model_is_found_again(tiny: Path, tmp_path: Path) -> None:
    model = LocalModel(LocalConfig(provider="local", path=str(tiny)))
    judge = RubricJudge(POINTWISE, model, ask="expected")
    loaded = Judge.load(judge.save(tmp_path))
    loaded.model.secret = model.secret  # another fence would be another prompt
    [mine], [theirs] = (j.score([Sample("p", "A short story.")]) for j in (judge, loaded))

    assert mine.value == pytest.approx(theirs.value, abs=1e-6)
    assert mine.judge == theirs.judge


def test_a_journal_belongs_to_the_file(tmp_path: Path) -> None:
    judge = RubricJudge(POINTWISE, JournaledModel(FakeModel("x"), Journal(tmp_path / "calls.sqlite")))
    loaded = Judge.load(judge.save(tmp_path / "judge"))
    loaded.score([Sample("p", "r")])

    assert loaded.fingerprint == judge.fingerprint
    assert len(Journal(tmp_path / "calls.sqlite")) == 1


def test_a_read_out_is_answered_from_the_journal_alone(tiny: Path, tmp_path: Path) -> None:
    model = JournaledModel(LocalModel(LocalConfig(provider="local", path=str(tiny))), Journal(tmp_path / "calls"))
    judge = RubricJudge(POINTWISE, model, ask="expected")
    first, second = (judge.score([Sample("p", "A short story.")])[0] for _ in range(2))

    assert second.value == first.value
    assert (second.usage.calls, second.usage.cached) == (0, 6)


def test_relative_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    POINTWISE.save(tmp_path)
    (tmp_path / "judge.yaml").write_text(
        "judge: rubric\nrubric: rubric.yaml\njournal: calls.sqlite\nmodel: {provider: fake, replies: [x]}\n"
    )
    Judge.load(tmp_path / "judge.yaml")

    assert (tmp_path / "calls.sqlite").is_file()


def test_no_key_is_ever_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary")
    JUDGES["openai"].save(tmp_path)

    assert "sk-canary" not in "".join(path.read_text() for path in tmp_path.iterdir())


GOOD = """judge: rubric
rubric: story/hanna
model:
  provider: fake
  replies: [x]
decoding:
  temperature: 0
"""


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("judge: rubric", "judge: rubrik", ["judge.yaml:1", "'rubric'"]),
        ("judge: rubric\n", "", ["judge.yaml:1", "judge"]),
        ("rubric: story", "rubrik: story", ["judge.yaml:2", "unknown key 'rubrik'; did you mean 'rubric'?"]),
        ("story/hanna", "story/hana", ["did you mean 'story/hanna'?"]),
        ("provider: fake", "provider: fakes", ["judge.yaml:", "'fake'"]),
        ("replies: [x]", "replys: [x]", ["judge.yaml:5", "did you mean 'replies'?"]),
        ("replies: [x]", "replies: 3", ["judge.yaml:5", "replies"]),
        ("temperature: 0", "temperature: hot", ["judge.yaml:7", "temperature"]),
        ("temperature: 0", "temprature: 0", ["judge.yaml:7", "did you mean 'temperature'?"]),
        ("temperature: 0", "temperature: -1", ["judge.yaml:7", "greater than or equal to 0"]),
        ("decoding:", "samples: 2\ndecoding:", ["judge.yaml", "temperature above 0"]),
        ("story/hanna", "story/creative_preference", ["judge.yaml", "use a pairwise judge"]),
        ("replies: [x]", "replies: !!python/name:os.system []", ["judge.yaml:5", "tags"]),
    ],
)
def test_a_wrong_file_names_the_line_and_the_nearest_name(old: str, new: str, says: list[str], tmp_path: Path) -> None:
    (tmp_path / "judge.yaml").write_text(GOOD.replace(old, new))

    with pytest.raises(ConfigError) as caught:
        Judge.load(tmp_path / "judge.yaml")
    for words in says:
        assert words in str(caught.value)


def test_a_missing_file_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        Judge.load(tmp_path / "judge.yaml")


def test_what_has_no_file_form_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no file form"):
        RubricJudge(POINTWISE, FakeModel(lambda _: "x")).save(tmp_path)


def test_a_classifier_needs_a_file_that_training_wrote(tmp_path: Path) -> None:
    (tmp_path / "judge.yaml").write_text("judge: classifier\nmodel: {provider: embedded, path: head.safetensors}\n")
    (tmp_path / "head.safetensors").write_bytes(b"not safetensors")

    with pytest.raises(ConfigError, match="no classifier can be read"):
        Judge.load(tmp_path)
    assert ClassifierJudge
