"""The whole way from pairs to a judge, on a tiny model: resumed after kills, and refused where it makes no sense."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from judgekit.errors import ConfigError, InputError, ModelError
from judgekit.judges import GenRMJudge, Judge, PairwiseJudge
from judgekit.models.local import LocalConfig, LocalModel
from judgekit.training.chains import in_order
from judgekit.training.genrm import GenRMTraining
from judgekit.training.questions import Writer
from judgekit.training.recipe import Recipe
from judgekit.types import Pair
from tests.training.teachers import RUBRIC, honest, pair, reply, teacher

PAIRS = [pair(i, "x" * (2 + i % 7), "y" * (9 - i % 7), "b" if i % 7 < 4 else "a") for i in range(24) if i % 7 != 3]
SFT = {"max_steps": 4, "per_device_train_batch_size": 4, "learning_rate": 1e-3, "logging_steps": 1, "save_steps": 1}
# The entropy bonus moves the weights even while no sampled verdict can be read.
GRPO = {"max_steps": 3, "per_device_train_batch_size": 8, "num_generations": 4, "max_completion_length": 12,
        "learning_rate": 1e-3, "logging_steps": 1, "save_steps": 1, "entropy_coef": 0.1}  # fmt: skip


@pytest.fixture(scope="module")
def rubric(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(RUBRIC.save(tmp_path_factory.mktemp("rubric")))


@pytest.fixture(scope="module")
def make(rubric: str) -> Callable[..., GenRMTraining]:
    def build(
        folder: Path, pairs: list[Pair] = PAIRS, judge: PairwiseJudge | None = None, **more: Any
    ) -> GenRMTraining:
        parts = {"scratch": {"vocabulary": 320, "context": 1024}} if "model" not in more else {}
        settings: dict[str, Any] = {"sft": {"trl": SFT}, "grpo": {"trl": GRPO}, "decoding": {"max_tokens": 16}}
        recipe = Recipe(rubric=rubric, **parts, **{**settings, **more})
        return GenRMTraining(folder, recipe, pairs, judge or teacher(honest))

    return build


@pytest.fixture(scope="module")
def finished(make: Callable[..., GenRMTraining], tmp_path_factory: pytest.TempPathFactory) -> GenRMTraining:
    training = make(tmp_path_factory.mktemp("run"))
    training.save()
    return training


def weights(folder: Path) -> dict[str, Any]:
    return dict(load_file(folder / "model" / "model.safetensors"))


def equal(one: Path, two: Path) -> bool:
    a, b = weights(one), weights(two)
    return a.keys() == b.keys() and all(a[name].equal(b[name]) for name in a)


def test_the_trained_judge_is_loaded_and_judges(finished: GenRMTraining) -> None:
    judge = Judge.load(finished.folder / "judge")
    preferences = judge.compare([p.comparison for p in PAIRS[:3]])

    assert isinstance(judge, GenRMJudge)
    assert judge.fingerprint == finished.grpo.judge.fingerprint != finished.sft.judge.fingerprint
    assert all(it.usage.calls == 2 and it.usage.output_tokens > 0 for it in preferences)
    assert not equal(finished.folder / "sft", finished.folder / "grpo")


def test_curves_are_kept(finished: GenRMTraining) -> None:
    assert [int(entry["step"]) for entry in finished.sft.curve if "loss" in entry] == [1, 2, 3, 4]
    assert {"reward", "entropy", "rewards/verdict/mean"} <= finished.grpo.curve[0].keys()


def test_a_second_run_finds_everything_done(finished: GenRMTraining, make: Callable[..., GenRMTraining]) -> None:
    judge = teacher(honest)
    said: list[str] = []
    again = make(finished.folder, judge=judge)
    again.say = said.append
    again.save()

    assert judge.model.calls == 0  # type: ignore[attr-defined]
    assert not [line for line in said if "step" in line]
    assert again.grpo.curve == finished.grpo.curve


def test_other_settings_in_the_same_folder_are_refused(
    finished: GenRMTraining, make: Callable[..., GenRMTraining]
) -> None:
    with pytest.raises(InputError, match="sft: was made with other data or settings"):
        make(finished.folder, sft={"trl": {**SFT, "learning_rate": 2e-3}}).save()
    with pytest.raises(InputError, match="data: was made with other data or settings"):
        make(finished.folder, PAIRS[:-1]).save()


def test_a_run_that_was_moved_goes_on_with_its_own_weights(
    finished: GenRMTraining, make: Callable[..., GenRMTraining], tmp_path: Path
) -> None:
    shutil.copytree(finished.folder, tmp_path / "moved")
    moved = make(tmp_path / "moved")

    assert moved.grpo.model.path == str(tmp_path / "moved" / "grpo" / "model")
    judge = Judge.load(moved.save())
    assert judge.model.settings["path"] == str((tmp_path / "moved" / "grpo" / "model").resolve())
    known = judge.fingerprint
    shutil.move(tmp_path / "moved", tmp_path / "again")
    again = Judge.load(tmp_path / "again" / "judge")
    assert again.fingerprint == known and again.compare([PAIRS[0].comparison])


@pytest.mark.parametrize("cut", [True, False])
def test_a_finished_stage_whose_weights_are_gone_is_refused(
    finished: GenRMTraining, make: Callable[..., GenRMTraining], tmp_path: Path, cut: bool
) -> None:
    shutil.copytree(finished.folder, tmp_path / "run")
    weights = tmp_path / "run" / "sft" / "model" / "model.safetensors"
    if cut:
        weights.write_bytes(weights.read_bytes()[:1000])
    else:
        weights.unlink()

    with pytest.raises(InputError, match=rf"model.safetensors: is {'cut short' if cut else 'gone'}; put it back"):
        make(tmp_path / "run").save()


def test_pairs_that_cannot_be_told_apart_are_refused_before_the_teacher_is_asked(
    make: Callable[..., GenRMTraining], tmp_path: Path
) -> None:
    equal = [replace(pair, comparison=replace(pair.comparison, b=pair.comparison.a)) for pair in PAIRS]

    with pytest.raises(InputError, match="have the same text on both sides"):
        make(tmp_path, equal).save()
    assert not list(tmp_path.iterdir())


def test_training_and_judging_show_the_model_the_same_text(finished: GenRMTraining) -> None:
    model = LocalModel(finished.base)
    writer = Writer(finished.rubric, model, finished.recipe.seed)
    asked: list[str] = []
    model.complete = lambda requests, _: iter(  # type: ignore[assignment,method-assign]
        asked.extend(model.text(r.messages) for r in requests) or enumerate(map(_silent, requests))
    )
    GenRMJudge(finished.rubric, model).compare([PAIRS[0].comparison])

    assert asked == [writer.prompt(in_order(PAIRS[0].comparison, order)) for order in ("ab", "ba")]


def _silent(_: object) -> Any:
    from judgekit.models.base import Reply

    return Reply("x")


@pytest.mark.parametrize(("stage", "at"), [("sft", "sft: step 3"), ("grpo", "grpo: step 2")])
def test_a_killed_stage_continues_to_the_same_weights(
    finished: GenRMTraining, make: Callable[..., GenRMTraining], tmp_path: Path, stage: str, at: str
) -> None:
    def killed(text: str) -> None:
        if text.startswith(at):
            raise KeyboardInterrupt

    training = make(tmp_path)
    training.say = killed
    with pytest.raises(KeyboardInterrupt):
        training.save()
    said: list[str] = []
    again = make(tmp_path)
    again.say = said.append
    again.save()

    assert any(line.startswith(f"{stage}: going on from checkpoint-") for line in said)
    assert equal(tmp_path / stage, finished.folder / stage)
    assert equal(tmp_path / "grpo", finished.folder / "grpo")
    # All losses and rewards are those of the run that was not killed.
    for name in ("loss", "reward"):
        curves = [[e[name] for e in getattr(run, stage).curve if name in e] for run in (again, finished)]
        assert curves[0] == pytest.approx(curves[1])


def test_a_checkpoint_cut_short_is_passed_over_aloud(
    make: Callable[..., GenRMTraining], finished: GenRMTraining, tmp_path: Path
) -> None:
    def killed(text: str) -> None:
        if text.startswith("sft: step 4"):
            raise KeyboardInterrupt

    training = make(tmp_path, grpo=None)
    training.say = killed
    with pytest.raises(KeyboardInterrupt):
        training.save()
    newest = max((tmp_path / "sft").glob("checkpoint-*"), key=lambda path: int(path.name.split("-")[1]))
    tensors = newest / "model.safetensors"
    tensors.write_bytes(tensors.read_bytes()[:-100])
    said: list[str] = []
    again = make(tmp_path, grpo=None)
    again.say = said.append
    again.save()

    assert f"sft: {newest.name} is cut short, and is passed over" in said
    assert equal(tmp_path / "sft", finished.folder / "sft")


def test_a_lora_run_trains_one_adapter_through_both_stages(
    make: Callable[..., GenRMTraining], finished: GenRMTraining, tmp_path: Path
) -> None:
    start = {"provider": "local", "path": str(finished.folder / "base")}
    training = make(tmp_path, model=start, lora={"rank": 2, "alpha": 4})
    judge = Judge.load(training.save())

    assert isinstance(judge, GenRMJudge)
    assert training.grpo.model.path == start["path"]
    assert training.grpo.model.adapter == str(tmp_path / "grpo" / "model")
    one, two = (load_file(tmp_path / stage / "model" / "adapter_model.safetensors") for stage in ("sft", "grpo"))
    assert one.keys() == two.keys()
    assert any(not one[name].equal(two[name]) for name in one)
    judge.compare([PAIRS[0].comparison])


@pytest.mark.parametrize("kind", ["entropy", "entropy_reward", "ucas"])
def test_every_shaping_runs_and_counts_its_replies(
    make: Callable[..., GenRMTraining], finished: GenRMTraining, tmp_path: Path, kind: str
) -> None:
    start = LocalConfig(provider="local", path=str(finished.folder / "sft" / "model"))
    shaped = make(
        tmp_path,
        model=start.model_dump(),
        sft={"trl": {**SFT, "max_steps": 1}},
        grpo={"trl": {**GRPO, "max_steps": 1}, "shaping": {"kind": kind}, "reward": {"consistency": 1, "form": 0.1}},
    )
    (step,) = [entry for entry in shaped.grpo.curve if "reward" in entry]
    cells = [step[f"shaping/{sure}_{verdict}"] for sure in ("confident", "uncertain") for verdict in ("right", "wrong")]

    assert sum(cells) == 8
    assert {"shaping/reward_variance", "shaping/advantage_variance_shaped"} <= step.keys()


def test_settings_are_refused_before_the_teacher_is_asked(make: Callable[..., GenRMTraining], tmp_path: Path) -> None:
    for more, message in (
        ({"grpo": {"trl": {**GRPO, "learning_rat": 1.0}}}, "learning_rat.*did you mean 'learning_rate'"),
        ({"grpo": {"trl": {**GRPO, "num_generations": 8}}}, "make it even"),
        ({"sft": {"trl": {"max_steps": "many"}}}, "max_steps"),
        ({"classifier": {"trl": {"nonsense": 1}}, "rivals": ["classifier"]}, "nonsense"),
    ):
        with pytest.raises(ConfigError, match=message):
            make(tmp_path, **more).save()
    assert not list(tmp_path.iterdir())


def test_only_the_first_process_writes_the_judge(finished: GenRMTraining, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("RANK", "1")
    assert finished.sft.saved(tmp_path / "judge") == tmp_path / "judge" / "judge.yaml"
    assert not list(tmp_path.iterdir())


# --- what makes no sense ------------------------------------------------------------------------------------------


def test_a_pointwise_rubric_is_refused(make: Callable[..., GenRMTraining], tmp_path: Path) -> None:
    training = make(tmp_path)
    training.recipe = training.recipe.model_copy(update={"rubric": "story/hanna"})

    with pytest.raises(InputError, match="is pointwise"):
        training.save()


def test_a_teacher_that_always_answers_a_is_named(make: Callable[..., GenRMTraining], tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"42 the orders disagree; as shown, .* said a 42 times"):
        make(tmp_path, judge=teacher(reply(9, 1))).save()


def test_no_teacher_and_no_chains(make: Callable[..., GenRMTraining], tmp_path: Path) -> None:
    training = make(tmp_path)
    training.teacher = None

    with pytest.raises(InputError, match="no teacher"):
        training.save()


def test_pairs_that_cannot_be_trained_on_are_counted(
    make: Callable[..., GenRMTraining], finished: GenRMTraining, tmp_path: Path
) -> None:
    start = LocalConfig(provider="local", path=str(finished.folder / "sft" / "model")).model_dump()
    odd = [pair(90, "same", "same", "a"), pair(91, "x", "yy", None), pair(92, "xx", "y", "tie")]
    odd += [pair(93, "<think>only thoughts</think>", "y", "b")]
    one_step = {"sft": {"trl": {**SFT, "max_steps": 1}}, "grpo": {"trl": {**GRPO, "max_steps": 1}}}
    training = make(tmp_path, [*PAIRS, *odd], model=start, filters={"label": False}, **one_step)

    assert training.grpo.left_out == {
        "the same text on both sides": 1,
        "no label": 1,
        "a tie, which the rubric does not know": 1,
        "response a is empty": 1,
    }


def test_no_label_at_all_is_an_error(
    make: Callable[..., GenRMTraining], finished: GenRMTraining, tmp_path: Path
) -> None:
    start = LocalConfig(provider="local", path=str(finished.folder / "sft" / "model")).model_dump()
    unlabelled = [pair(i, "x" * (2 + i), "y") for i in range(4)]
    training = make(tmp_path, unlabelled, model=start, sft={"trl": {**SFT, "max_steps": 1}})

    with pytest.raises(InputError, match="no pair to refine the judge on: 4 with no label"):
        training.save()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"sft": {"trl": {**SFT, "max_length": 20}}}, "no prompt fits into 20 tokens: the shortest has "),
        (
            {"grpo": {"trl": {**GRPO, "max_completion_length": 1020}}},
            "no prompt leaves room for a reply of 1020",
        ),
    ],
)
def test_prompts_longer_than_the_limit_are_an_error(
    make: Callable[..., GenRMTraining], tmp_path: Path, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        make(tmp_path, **settings).save()


def test_a_tokenizer_without_a_chat_template_is_an_error(
    make: Callable[..., GenRMTraining], finished: GenRMTraining, tmp_path: Path
) -> None:
    import shutil

    shutil.copytree(finished.folder / "base", tmp_path / "bare")
    (tmp_path / "bare" / "chat_template.jinja").unlink()

    with pytest.raises(ModelError, match="the tokenizer has no chat template"):
        make(tmp_path / "run", model={"provider": "local", "path": str(tmp_path / "bare")}).save()
