"""A policy trained from a recipe on a tiny model: resumed after kills, paused at a cap, refused where it must be."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("trl")

from safetensors.torch import load_file

from judgekit.errors import ConfigError, InputError
from judgekit.policy.evaluation import open_policy
from judgekit.policy.page import add_run
from judgekit.policy.recipe import PolicyRecipe
from judgekit.policy.source import chat
from judgekit.policy.training import PolicyTraining
from judgekit.policy.watching import PausedError, read_rows
from judgekit.report import Page
from judgekit.rewards.channel import Channel, Values
from judgekit.rewards.rollout import Rollout
from judgekit.types import Usage

SFT = {"max_steps": 3, "per_device_train_batch_size": 4, "learning_rate": 1e-3, "logging_steps": 1, "save_steps": 1}
# The entropy bonus moves the weights even while every rollout has the same reward.
GRPO = {"max_steps": 4, "per_device_train_batch_size": 8, "num_generations": 4, "max_completion_length": 12,
        "learning_rate": 1e-3, "logging_steps": 1, "save_steps": 1, "entropy_coef": 0.1, "save_total_limit": 9,
        "scale_rewards": "none"}  # fmt: skip
WORLD = {"source": "storyworld", "limit": 24}
CHANNELS = [{"channel": "format"}, {"channel": "length", "low": 2, "high": 4}]
Make = Callable[..., PolicyTraining]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def build(folder: Path | None = None, **more: Any) -> PolicyTraining:
        settings: dict[str, Any] = {
            "scratch": {"vocabulary": 400, "context": 512},
            "sft": {"data": {**WORLD, "faults": {}}, "trl": SFT},
            "data": WORLD,
            "reward": {"channels": CHANNELS},
            "grpo": {"trl": GRPO},
        }
        return PolicyTraining(folder or tmp_path / "run", PolicyRecipe.model_validate(settings | more), tmp_path)

    return build


def weights(folder: Path) -> dict[str, Any]:
    return dict(load_file(folder / "model" / "model.safetensors"))


def same(one: Path, two: Path) -> bool:
    first, second = weights(one), weights(two)
    return first.keys() == second.keys() and all(first[name].equal(second[name]) for name in first)


class Costly(Channel):
    """Ten tokens for each rollout."""

    name = "costly"

    def __call__(self, rollouts: Sequence[Rollout]) -> Values:
        return Values(
            [float(len(rollout.completion)) for rollout in rollouts],
            usage=Usage(input_tokens=9 * len(rollouts), output_tokens=1),
        )


def test_a_run_leaves_its_files(make: Make) -> None:
    training = make()
    training.check()
    stage = training.grpo

    rows = list(read_rows(training.folder / "grpo" / "rollouts.jsonl"))
    assert [row["step"] for row in rows] == [1] * 4 + [2] * 4 + [3] * 4 + [4] * 4
    for row in rows:
        assert row["reward"] == pytest.approx(row["format"] + row["length"])
        assert row["advantage"] is not None and row["prompt"] and "completion" in row
    steps = [entry["step"] for entry in stage.curve if "reward" in entry]
    assert steps == [1, 2, 3, 4] and all("shaping/reward_variance" in e for e in stage.curve if "reward" in e)
    assert len((training.folder / "grpo" / "monitor.jsonl").read_text().splitlines()) == 4
    assert Path(stage.model.path).is_dir() and not same(training.folder / "sft", training.folder / "grpo")


def test_a_prompt_is_one_text_in_sft_rl_and_use(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    from judgekit.training.trainer import ShapingTrainer

    seen: list[list[int]] = []
    whole = ShapingTrainer._generate_single_turn

    def spy(self: Any, prompt_ids: Any, *args: Any, **kwargs: Any) -> Any:
        seen.extend(map(list, prompt_ids))
        return whole(self, prompt_ids, *args, **kwargs)

    monkeypatch.setattr(ShapingTrainer, "_generate_single_turn", spy)
    for thinking in (False, True):
        seen.clear()
        training = make(scratch={"vocabulary": 400, "context": 512, "thinking": thinking})
        training.folder = training.folder.with_name(f"thinks-{thinking}")
        model = open_policy(str(training.save()))
        texts = [model.text(chat(one)) for one in training.data.asked]
        assert texts[0].endswith("assistant\n" if thinking else "</think>\n\n")
        learnt = [example.prompt for example in training._examples()]
        assert set(learnt) <= set(texts) and {tuple(ids) for ids in seen} <= set(map(tuple, model.tokens(texts)))


def test_a_finished_run_is_not_done_again(make: Make) -> None:
    first = make().grpo
    said: list[str] = []
    again = make()
    again.say = said.append

    assert again.grpo == first and said == ["sft: done before", "grpo: done before"]


def test_a_killed_run_ends_where_a_whole_one_does(make: Make, tmp_path: Path) -> None:
    whole, cut = make(tmp_path / "whole"), make(tmp_path / "cut")
    _ = whole.grpo
    shutil.copytree(whole.folder, cut.folder)
    for name in ("stage.json", "curve.json", "model", "checkpoint-3", "checkpoint-4"):  # killed in step 3
        path = cut.folder / "grpo" / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    (cut.folder / "grpo" / "stage.json").write_text(
        json.dumps({**json.loads((whole.folder / "grpo" / "stage.json").read_text()), "result": None})
    )
    with (cut.folder / "grpo" / "rollouts.jsonl").open("a") as stream:
        stream.write('{"step": 5, "half')
    resumed = cut.grpo

    assert same(whole.folder / "grpo", cut.folder / "grpo")
    quick = ("step_time", "train_", "total_flos")  # what a clock says
    curves = [
        [{k: v for k, v in entry.items() if not k.startswith(quick)} for entry in one]
        for one in (whole.grpo.curve, resumed.curve)
    ]
    assert curves[0] == curves[1]
    files = [(folder / "grpo" / "rollouts.jsonl").read_text() for folder in (whole.folder, cut.folder)]
    assert files[0] == files[1]


def test_other_settings_are_another_run(make: Make) -> None:
    _ = make().grpo
    with pytest.raises(InputError, match="other data or settings"):
        _ = make(reward={"channels": CHANNELS[:1]}).grpo


def test_a_run_pauses_where_the_judges_tokens_are_spent_and_goes_on(make: Make, tmp_path: Path) -> None:
    def costly(folder: str, cap: int | None) -> PolicyTraining:
        training = make(tmp_path / folder, judge_tokens=cap)
        training.reward.channels = {"costly": Costly()}
        training.reward.lanes["costly"] = training.reward.lanes["format"]
        training.reward.weights = {"costly": 1.0}
        return training

    whole = costly("whole", None)
    _ = whole.grpo
    spent = [row["input_tokens"] + row["output_tokens"] for row in read_rows(whole.folder / "grpo" / "costs.jsonl")]
    assert len(spent) == 4 and all(0 < tokens <= 80 for tokens in spent)  # at most 8 rollouts of ten tokens

    with pytest.raises(PausedError, match="pauses at step 2; raise judge_tokens"):
        _ = costly("capped", spent[0] + spent[1]).grpo
    with pytest.raises(PausedError, match="pauses at step 3"):
        _ = costly("capped", spent[0] + spent[1] + 1).grpo  # what was spent before counts
    _ = costly("capped", None).grpo
    assert same(whole.folder / "grpo", tmp_path / "capped" / "grpo")


def test_references_are_injected(make: Make) -> None:
    stage = make(grpo={"trl": {**GRPO, "max_completion_length": 80}, "references": {"warmup_steps": 0}}).grpo

    assert [entry["injection/groups"] for entry in stage.curve if "reward" in entry] == [1.0] * 4


def test_rows_without_a_reference_have_plain_groups_and_are_counted(make: Make, tmp_path: Path) -> None:
    rows = [
        {"prompt": f"Tell {i}.", "human_reference": "<think>\nx\n</think>\n\na b c" if i % 2 else None}
        for i in range(8)
    ]
    (tmp_path / "prompts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    stage = make(
        data={"source": str(tmp_path / "prompts.jsonl")},
        grpo={"trl": {**GRPO, "max_completion_length": 40}, "references": {"warmup_steps": 0}},
    ).grpo

    assert stage.left_out["groups without a reference: missing"] > 0
    shares = [entry["injection/groups"] for entry in stage.curve if "reward" in entry]
    assert 0 < sum(shares) < 4


@pytest.mark.parametrize(
    ("more", "error", "message"),
    [
        ({"grpo": {"trl": {"max_stepz": 3}}}, ConfigError, "grpo: trl.max_stepz is no field"),
        ({"sft": {"data": WORLD, "trl": {"max_steps": "x"}}}, ConfigError, "sft: trl.max_steps"),
        ({"data": {"source": "nowhere.jsonl"}}, InputError, "nowhere.jsonl"),
        ({"reward": {"channels": [{"channel": "judge", "judge": "none.yaml"}]}}, ConfigError, "none.yaml"),
        ({"data": {"source": "storyworld", "split": "dev"}}, InputError, "choose one of train, test"),
    ],
)
def test_refusals_before_anything_is_trained(make: Make, more: Any, error: type[Exception], message: str) -> None:
    training = make(**more)
    with pytest.raises(error, match=message):
        training.check()
    assert not training.folder.exists()


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (
            {"reward": {"channels": CHANNELS, "normalize": "group"}, "grpo": {"references": {}}},
            "leave normalize at none",
        ),
        ({"scratch": None}, "either 'model'"),
        ({"data": {"source": "a.jsonl", "faults": {}}}, "for the source 'storyworld' alone"),
        ({"rollouts": -1}, "greater than or equal to 0"),
    ],
)
def test_recipes_that_make_no_sense(make: Make, more: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make(**more)


def test_a_dead_judge_moves_nothing_and_loses_nothing(make: Make) -> None:
    class Down(Channel):
        name = "down"

        def __call__(self, rollouts: Sequence[Rollout]) -> list[float | None]:
            raise ConnectionError("nobody is there")

    training = make(grpo={"trl": {**GRPO, "entropy_coef": 0.0}})
    training.reward.channels = {"down": Down()}
    training.reward.lanes["down"] = training.reward.lanes["format"]
    training.reward.weights = {"down": 1.0}
    stage = training.grpo

    assert same(training.folder / "sft", training.folder / "grpo")
    assert [entry["reward/unscored"] for entry in stage.curve if "loss" in entry] == [1.0] * 4
    assert all(row["reward"] is None for row in read_rows(training.folder / "grpo" / "rollouts.jsonl"))


def test_the_page_shows_what_there_is(make: Make) -> None:
    training = make()
    stage = training.grpo
    page = add_run(Page("a run"), training.folder, training.recipe.model_dump(mode="json"), stage.curve)
    text = "".join(page.parts)

    assert "Rollouts of step 4" in text and "entropy" in text and "&quot;storyworld&quot;" in text
    empty = add_run(Page("a run"), training.folder / "nothing", {}, [])
    assert "Curves" in "".join(empty.parts)
