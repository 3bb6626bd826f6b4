"""The trainer against TRL's own: the same where nothing is asked of it, and only what is asked where something is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from judgekit.errors import ConfigError
from judgekit.models.local import LocalConfig, LocalModel
from judgekit.training.arguments import arguments, theirs
from judgekit.training.grpo import GRPOSettings, block_order, grpo, prompts_needed
from judgekit.training.questions import Task
from judgekit.training.shaping import entropy_weights
from judgekit.training.weights import load_trainable

TRL = {"max_steps": 2, "per_device_train_batch_size": 8, "num_generations": 4, "max_completion_length": 8,
       "learning_rate": 1e-2, "logging_steps": 1, "save_strategy": "no", "loss_type": "grpo"}  # fmt: skip


def odd(completion_ids: Sequence[Sequence[int]], **_: Any) -> list[float]:
    return [1.0 if sum(tokens) % 2 else -1.0 for tokens in completion_ids]


@pytest.fixture(scope="module")
def start(tiny: Path) -> LocalConfig:
    return LocalConfig(provider="local", path=str(tiny))


def tasks(weight: float = 1.0) -> list[Task]:
    return [Task(f"<|im_start|>user\nprompt {i}<|im_end|>\n", {"label": "a", "weight": weight}) for i in range(6)]


@pytest.fixture
def advantages(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the trainer hands to the loss, step by step, with the rewards and right verdicts it came from."""
    from judgekit.training.trainer import JudgeTrainer

    seen: list[Any] = []
    whole = JudgeTrainer._generate_and_score_completions

    def spy(self: Any, inputs: Any) -> Any:
        output = whole(self, inputs)
        seen.append((output["advantages"].clone(), self._totals.clone(), self._verdicts.clone(), output))
        return output

    monkeypatch.setattr(JudgeTrainer, "_generate_and_score_completions", spy)
    return seen


def run(start: LocalConfig, folder: Path, weight: float = 1.0, **settings: Any) -> list[dict[str, float]]:
    how = GRPOSettings(trl=TRL, **settings)
    return grpo(start, tasks(weight), ([odd], [1.0]), how, folder, seed=5).curve


def test_with_nothing_asked_it_is_trls_trainer(start: LocalConfig, tmp_path: Path) -> None:
    import trl
    from datasets import Dataset

    model = LocalModel(start)
    config = arguments(trl.GRPOConfig, TRL, tmp_path, 5, shuffle_dataset=False, reward_weights=[1.0])
    rows = Dataset.from_list([{"prompt": task.prompt, **task.facts} for task in tasks()])
    with theirs():
        plain = trl.GRPOTrainer(
            model=load_trainable(start, None),
            args=config,
            train_dataset=rows.select(block_order(3, 2, 6, 5)),
            processing_class=model.tokenizer,
            reward_funcs=[odd],
        )
        plain.train()
    theirs_ = [entry for entry in plain.state.log_history if "loss" in entry]
    ours = [entry for entry in run(start, tmp_path / "ours") if "loss" in entry]

    for name in ("loss", "reward", "grad_norm", "entropy"):
        assert [entry[name] for entry in ours] == pytest.approx([float(entry[name]) for entry in theirs_], abs=1e-6)
    assert any(entry["grad_norm"] > 0 for entry in ours)


def test_a_pairs_weight_multiplies_its_advantages(start: LocalConfig, tmp_path: Path, advantages: list[Any]) -> None:
    run(start, tmp_path / "one")
    run(start, tmp_path / "three", weight=3.0)
    plain, tripled = advantages[0], advantages[2]

    assert plain[1].equal(tripled[1])  # the first step samples the same replies
    assert tripled[0].tolist() == pytest.approx((3 * plain[0]).tolist())


@pytest.mark.parametrize("kind", ["entropy", "entropy_reward", "ucas"])
def test_shaping_is_what_its_formula_says(start: LocalConfig, tmp_path: Path, advantages: list[Any], kind: str) -> None:
    import torch

    run(start, tmp_path, shaping={"kind": kind})
    shaped, rewards, right, output = advantages[0]
    grouped = rewards.view(-1, 4)
    plain = ((grouped - grouped.mean(1, keepdim=True)) / (grouped.std(1, keepdim=True) + 1e-4)).view(-1)
    logits = _logits(start, output)
    mask = output["completion_mask"]
    chances = logits.softmax(-1)
    entropy = (-(chances * chances.log()).sum(-1) * mask).sum(1) / mask.sum(1)
    weights = entropy_weights(entropy, right, 0.5, 1.5)

    if kind == "entropy":
        assert shaped.tolist() == pytest.approx((plain * weights).tolist(), abs=1e-4)
    elif kind == "entropy_reward":
        again = (rewards * weights).view(-1, 4)
        expected = (again - again.mean(1, keepdim=True)) / (again.std(1, keepdim=True) + 1e-4)
        assert shaped.tolist() == pytest.approx(expected.view(-1).tolist(), abs=1e-3)
    else:
        certainty = ((torch.logsumexp(logits, -1) - logits.mean(-1)) * mask).sum(1).view(-1, 4)
        z = ((certainty - certainty.mean(1, keepdim=True)) / (certainty.std(1, keepdim=True) + 1e-6)).view(-1)
        first = plain * torch.where(plain > 0, torch.exp(-0.25 * z), torch.exp(0.35 * z))
        written = logits.gather(-1, output["completion_ids"][..., None]).squeeze(-1)
        inside = written[mask.bool()]
        place = (written - inside.min()) / (inside.max() - inside.min() + 1e-6)
        expected = (first[:, None] - 0.05 * place) * mask
        expected = torch.where(first[:, None] > 0, expected.clamp(min=0), expected)
        assert shaped.shape == mask.shape
        assert torch.allclose(shaped, expected, atol=1e-4)


def _logits(start: LocalConfig, output: Any) -> Any:
    """Return the logits at every written token, before any step was taken."""
    import torch

    ids = torch.cat([output["prompt_ids"], output["completion_ids"]], 1)
    mask = torch.cat([output["prompt_mask"], output["completion_mask"]], 1)
    with torch.no_grad():
        whole = LocalModel(start).model(input_ids=ids, attention_mask=mask).logits
    return whole[:, output["prompt_ids"].shape[1] - 1 : -1]


def test_as_many_prompts_as_trl_will_ask_for() -> None:
    """By hand, batches of 16 / 4 = 4 prompts.

    4 steps of 8 micro-batches are 32; each batch of replies serves 1, 8 or 16 of them, so 32, 4 or 2 batches, and one
    to spare; and an epoch over 10 prompts is 3 batches, the last one not whole.
    """

    def config(**more: Any) -> Any:
        how = {"generation_batch_size": 16, "num_generations": 4, "gradient_accumulation_steps": 8}
        return SimpleNamespace(**{**how, "max_steps": 4, "num_iterations": 1, "num_train_epochs": 1.0, **more})

    assert prompts_needed(config(steps_per_generation=1), 64, 2) == 33 * 4
    assert prompts_needed(config(steps_per_generation=8), 64, 2) == 5 * 4
    assert prompts_needed(config(steps_per_generation=8, num_iterations=2), 64, 2) == 3 * 4
    assert prompts_needed(config(max_steps=-1), 10, 2) == 12
    with pytest.raises(ConfigError, match="make it even"):
        prompts_needed(config(max_steps=-1, generation_batch_size=12), 10, 2)


def test_both_orders_stand_in_one_batch_in_every_pass() -> None:
    order = block_order(5, 2, 30, seed=1)

    assert len(order) == 30
    assert all(first % 2 == 0 and second == first + 1 for first, second in zip(order[::2], order[1::2], strict=True))
    for start in (0, 10, 20):
        assert sorted(order[start : start + 10]) == list(range(10))
    assert order[:10] != order[10:20]


def test_a_batch_that_would_tear_pairs_apart_is_refused(start: LocalConfig, tmp_path: Path) -> None:
    settings = GRPOSettings(trl={**TRL, "per_device_train_batch_size": 12})

    with pytest.raises(ConfigError, match="both orders of a pair must stand in one: make it even"):
        grpo(start, tasks(), ([odd], [1.0]), settings, tmp_path)


def test_a_beginning_of_text_is_not_doubled(start: LocalConfig, tmp_path: Path, advantages: list[Any]) -> None:
    run(start, tmp_path)
    ids = advantages[0][3]["prompt_ids"][0].tolist()

    assert ids == LocalModel(start).tokens([tasks()[block_order(3, 2, 2, 5)[0]].prompt])[0]
