"""From rated samples to a pointwise judge, on a tiny model: the same text in training and in use, and resumed runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from judgekit import Criterion, GenRMJudge, InputError, Judge, Rubric, RubricJudge, Sample
from judgekit.models.base import Reply
from judgekit.models.local import LocalConfig, LocalModel
from judgekit.rubrics.reply import read_scores
from judgekit.training.evaluator import EvaluatorRecipe, EvaluatorTraining
from judgekit.training.questions import Example, Writer
from judgekit.types import Rated

CRITERIA = (Criterion(id="plot", title="Plot", range=(1, 5)), Criterion(id="end", title="End", range=(0, 1)))
SFT = {"max_steps": 3, "per_device_train_batch_size": 2, "learning_rate": 1e-3, "logging_steps": 1, "save_steps": 1}
# The entropy bonus moves the weights even while no sampled reply can be read.
GRPO = {"max_steps": 3, "per_device_train_batch_size": 4, "num_generations": 4, "max_completion_length": 8,
        "learning_rate": 1e-3, "logging_steps": 1, "save_steps": 1, "entropy_coef": 0.1}  # fmt: skip


def rubric(reply: str = "lines") -> Rubric:
    return Rubric(id="x/two", title="Two", criteria=CRITERIA, reply=reply)


def rated(i: int, plot: float | None = 3.0, review: str = "Fine.") -> Rated:
    sample = Sample(f"prompt {i}", f"response {i}", f"r{i}")
    return Rated(sample, {"plot": plot, "end": float(i % 2)}, {"plot": review}, group=f"g{i}")


ROWS = [rated(i, 1.0 + i % 5) for i in range(10)]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(rubric().save(tmp_path_factory.mktemp("rubric")))


@pytest.fixture(scope="module")
def make(home: str) -> Callable[..., EvaluatorTraining]:
    def build(folder: Path, rows: list[Rated] = ROWS, **more: Any) -> EvaluatorTraining:
        parts: dict[str, Any] = {"scratch": {"vocabulary": 320, "context": 768}, "sft": {"trl": SFT}}
        parts |= {"rubric": home, "grpo": {"trl": GRPO}, "decoding": {"max_tokens": 12}}
        return EvaluatorTraining(folder, EvaluatorRecipe(**{**parts, **more}), rows)

    return build


@pytest.fixture(scope="module")
def finished(make: Callable[..., EvaluatorTraining], tmp_path_factory: pytest.TempPathFactory) -> EvaluatorTraining:
    training = make(tmp_path_factory.mktemp("run"))
    training.save()
    return training


def equal(one: Path, two: Path) -> bool:
    a, b = (load_file(folder / "model" / "model.safetensors") for folder in (one, two))
    return a.keys() == b.keys() and all(a[name].equal(b[name]) for name in a)


# --- lessons ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def model(tiny: Path) -> LocalModel:
    return LocalModel(LocalConfig(provider="local", path=str(tiny), device="cpu"))


@pytest.mark.parametrize("reply", ["json", "lines"])
@pytest.mark.parametrize("kind", [GenRMJudge, RubricJudge])
def test_training_and_judging_show_the_model_the_same_text(model: LocalModel, reply: str, kind: Any) -> None:
    row = rated(1)
    lesson = Writer(rubric(reply), model, 3).lesson(row)
    asked: list[str] = []

    def complete(requests: Any, _: Any) -> Any:
        asked.extend(model.text(request.messages) for request in requests)
        return enumerate(Reply("x") for _ in requests)

    served = LocalModel(model.config, secret=model.secret)
    served.complete = complete  # type: ignore[method-assign]
    kind(rubric(reply), served).score([row.sample])

    assert isinstance(lesson, Example)
    assert asked == [lesson.prompt]


@pytest.mark.parametrize("reply", ["json", "lines"])
def test_the_reply_ends_the_turn_and_is_read_as_the_given_scores(model: LocalModel, reply: str) -> None:
    lesson = Writer(rubric(reply), model).lesson(rated(1, 3.4))

    assert isinstance(lesson, Example)
    written = model.reply(model.tokens([lesson.completion])[0], 0)
    assert written.error is None and written.text is not None and written.text + model.turn_end == lesson.completion
    assert read_scores(rubric(reply), written.text).values == {"plot": 3.0, "end": 1.0}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (rated(0, None), "no score for plot"),
        (Rated(Sample("p", " "), {"plot": 3.0, "end": 1.0}), "the response is empty"),
        (rated(0, review="Good.<|im_end|>"), "its reply cannot be read back"),
        (rated(0, review="<think>hm"), "its reply cannot be read back"),
    ],
)
def test_what_cannot_be_learnt_from_says_why(model: LocalModel, row: Rated, reason: str) -> None:
    lesson = Writer(rubric(), model).lesson(row)

    assert isinstance(lesson, str) and reason in lesson


# --- runs -------------------------------------------------------------------------------------------------------


def test_the_trained_judge_is_loaded_and_judges(finished: EvaluatorTraining) -> None:
    judge = Judge.load(finished.folder / "judge")
    scores = judge.score([row.sample for row in ROWS[:2]])

    assert isinstance(judge, GenRMJudge) and judge.rubric.mode == "pointwise"
    assert judge.fingerprint == finished.grpo.judge.fingerprint != finished.sft.judge.fingerprint
    assert all(it.usage.calls == 1 and it.usage.output_tokens > 0 for it in scores)
    assert not equal(finished.folder / "sft", finished.folder / "grpo")
    assert [int(entry["step"]) for entry in finished.sft.curve if "loss" in entry] == [1, 2, 3]
    assert "rewards/distance/mean" in finished.grpo.curve[0]


def test_a_second_run_finds_everything_done(finished: EvaluatorTraining, make: Callable[..., Any]) -> None:
    said: list[str] = []
    again = make(finished.folder)
    again.say = said.append
    again.save()

    assert not [line for line in said if "step" in line]
    assert again.grpo.curve == finished.grpo.curve


@pytest.mark.parametrize("change", [{"resample": "uniform"}, {"sft": {"trl": {**SFT, "learning_rate": 2e-3}}}])
def test_other_settings_in_the_same_folder_are_refused(
    finished: EvaluatorTraining, make: Callable[..., Any], change: dict[str, Any]
) -> None:
    with pytest.raises(InputError, match="sft: was made with other data or settings"):
        make(finished.folder, **change).save()


@pytest.mark.parametrize(("stage", "at"), [("sft", "sft: step 2"), ("grpo", "grpo: step 2")])
def test_a_killed_stage_continues_to_the_same_weights(
    finished: EvaluatorTraining, make: Callable[..., Any], tmp_path: Path, stage: str, at: str
) -> None:
    def kill(text: str) -> None:
        if text.startswith(at):
            raise KeyboardInterrupt

    killed = make(tmp_path)
    killed.say = kill
    with pytest.raises(KeyboardInterrupt):
        killed.save()
    said: list[str] = []
    resumed = make(tmp_path)
    resumed.say = said.append
    resumed.save()

    assert any(f"{stage}: going on from checkpoint-" in line for line in said)
    assert equal(tmp_path / stage, finished.folder / stage)


def test_re_sampled_rows_are_what_sft_sees(make: Callable[..., Any], tmp_path: Path) -> None:
    rows = [rated(i, 1.0) for i in range(0, 16, 2)] + [rated(i, 5.0) for i in (20, 22)] + [rated(24, None)]
    said: list[str] = []
    training = make(tmp_path, rows, resample="uniform", grpo=None)
    training.say = said.append

    # ends are all 0: totals (means of units) 1/2 * 0 and 1/2 * 1, eight and two of them
    assert training.drawn.before == {0.0: 8, 0.5: 2} and training.drawn.after == {0.0: 5, 0.5: 5}
    assert training.left_out == {"no score for plot": 1}
    assert "before 0: 8, 0.5: 2; after 0: 5, 0.5: 5" in said[-1]


def test_what_cannot_be_trained_is_refused(make: Callable[..., Any], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is pairwise; an evaluator learns scores"):
        make(tmp_path / "pairwise", rubric="story/creative_preference").save()
    with pytest.raises(InputError, match="no row of 2 can be learnt from: 2 with no score for plot"):
        make(tmp_path / "bare", [rated(0, None), rated(1, None)]).save()
    with pytest.raises(InputError, match="all 10 rows have the total"):
        make(tmp_path / "same", [rated(2 * i) for i in range(10)], resample="normal").save()


@pytest.mark.parametrize("name", ["evaluator/storyworld", "evaluator/qwen3-8b"])
def test_shipped_recipes(name: str) -> None:
    recipe = EvaluatorRecipe.load(name)

    assert Rubric.load(recipe.rubric).mode == "pointwise"
