"""TRL's real trainer on a tiny model: what a reference is given, what it is judged by, and what it moves."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
trl = pytest.importorskip("trl")

from judgekit.errors import ConfigError, InputError  # noqa: E402
from judgekit.models.local import LocalConfig, LocalModel  # noqa: E402
from judgekit.policy import ReferenceInjection  # noqa: E402
from judgekit.training.arguments import arguments, theirs  # noqa: E402
from judgekit.training.weights import load_trainable  # noqa: E402

REFERENCE = "<think>\nplan\n</think>\n\nonce a lamp"
W = 0.4
Make = Callable[..., Any]


def in_turn(*values: float | None) -> Callable[..., list[float | None]]:
    """Give the rewards to the rollouts of a batch in turn, and keep what was judged."""
    judged: list[Any] = []

    def reward(completions: Sequence[Any], completion_ids: Any, **_: Any) -> list[float | None]:
        judged.extend(zip(completions, completion_ids, strict=True))
        return [values[i % len(values)] for i in range(len(completions))]

    reward.judged = judged  # type: ignore[attr-defined]
    return reward


def odd(completion_ids: Sequence[Sequence[int]], **_: Any) -> list[float]:
    return [float(sum(tokens) % 7) for tokens in completion_ids]


def row(reference: Any = REFERENCE, i: int = 0, prompt: str = "<|im_start|>user\nwrite {}<|im_end|>\n") -> Any:
    return {"prompt": prompt.format(i), "human_reference": reference}


@pytest.fixture
def make(tiny: Path, tmp_path: Path) -> Make:
    """Return a maker of trainers: groups of four, from two rows; without ``injection`` it is TRL's own."""
    where = LocalConfig(provider="local", path=str(tiny))

    def make(reward: Any, rows: Sequence[Any], injection: Any = ..., group: int = 4, **more: Any) -> Any:
        from datasets import Dataset

        from judgekit.policy.trainer import InjectingTrainer

        size = group * len(rows)
        how = {"max_steps": 1, "per_device_train_batch_size": size, "num_generations": group, "logging_steps": 1}
        how |= {"max_completion_length": 24, "save_strategy": "no", "learning_rate": 1e-2}
        outside = {name: more.pop(name) for name in ("rollout_func", "tools", "eval_dataset") if name in more}
        settings: Any = {
            "model": load_trainable(where, None),
            "args": arguments(trl.GRPOConfig, how | more, tmp_path, 5, shuffle_dataset=False),
            "train_dataset": Dataset.from_list(list(rows)),
            "processing_class": LocalModel(where).tokenizer,
            "reward_funcs": reward,
            **outside,
        }
        with theirs():
            if injection is None:
                return trl.GRPOTrainer(**settings)
            injection = ReferenceInjection(weight=W, warmup_steps=0) if injection is ... else injection
            return InjectingTrainer(injection=injection, **settings)

    return make


def train(trainer: Any) -> list[dict[str, Any]]:
    with theirs():
        trainer.train()
    return [entry for entry in trainer.state.log_history if "reward" in entry]


def sampled(trainer: Any, step: int = 0) -> Any:
    """Return the scored batch of the trainer's whole dataset, in the order of the rows."""
    trainer.model.train()
    trainer.state.global_step = step
    size, accumulation = trainer.num_generations, trainer.args.gradient_accumulation_steps
    trainer.current_gradient_accumulation_steps = accumulation
    with theirs():
        return trainer._generate_and_score_completions([r for r in trainer.train_dataset for _ in range(size)])


def gradient(trainer: Any, batch: Any) -> Any:
    trainer.model.zero_grad()
    trainer._compute_loss(trainer.model, batch).backward()
    return flat(trainer.model)


def flat(model: Any) -> Any:
    return torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None]).clone()


def by_hand(trainer: Any, batch: Any, weights: Any) -> Any:
    """Return the gradient of ``-sum_i weight_i sum_t log pi(token t of row i)`` by autograd alone, no code of TRL's."""
    ids = torch.cat([batch["prompt_ids"], batch["completion_ids"]], 1)
    seen = torch.cat([batch["prompt_mask"], torch.ones_like(batch["completion_ids"])], 1)
    trainer.model.zero_grad()
    start = batch["prompt_ids"].shape[1]
    logits = trainer.model(input_ids=ids, attention_mask=seen).logits[:, start - 1 : -1]
    logps = logits.log_softmax(-1).gather(-1, batch["completion_ids"][..., None]).squeeze(-1)
    (-(logps * batch["completion_mask"]).sum(1) * weights).sum().backward()
    return flat(trainer.model)


def alone(batch: Any, rows: Any) -> Any:
    """Return the batch with an advantage for these rows only."""
    return {**batch, "advantages": batch["advantages"].where(rows, torch.zeros(()))}


def disturb(trainer: Any) -> None:
    """Move the weights, as the updates do that a batch serves after its first."""
    torch.manual_seed(1)
    with torch.no_grad():
        for weight in trainer.model.parameters():
            weight.add_(0.03 * torch.randn_like(weight))


def test_the_reference_is_the_last_rollout_whole_and_judged_as_any(make: Make) -> None:
    reward = in_turn(1, 2, 3, 5)
    trainer = make(reward, [row(), row(None, 1)])
    batch, tokens = sampled(trainer), trainer.processing_class(REFERENCE)["input_ids"]
    mask = batch["completion_mask"].bool()

    assert batch["completion_ids"][3][mask[3]].tolist() == [*tokens, trainer.processing_class.eos_token_id]
    assert reward.judged[3] == (REFERENCE, [*tokens, trainer.processing_class.eos_token_id])
    assert batch["injected"].tolist() == [False, False, False, True] + 4 * [False]


def test_every_other_rollout_is_what_it_is_without_references(make: Make) -> None:
    ours, plain = sampled(make(odd, [row(), row(i=1)])), sampled(make(odd, [row(), row(i=1)], None))
    for i in (0, 1, 2, 4, 5, 6):
        kept = plain["completion_mask"][i].bool()
        assert ours["completion_ids"][i][ours["completion_mask"][i].bool()].equal(plain["completion_ids"][i][kept])


def test_advantages_by_hand(make: Make) -> None:
    """1, 2, 3: mean 2, deviation 1, so -1, 0, 1 and 0.4 * 3 for the reference, each over 1.0001.

    The plain group has all four: mean 2.75, deviation sqrt((1.75^2 + 0.75^2 + 0.25^2 + 2.25^2) / 3) = 1.7078.
    """
    trainer = make(in_turn(1, 2, 3, 5), [row(), row(None, 1)])
    found = sampled(trainer)["advantages"].tolist()

    assert found[:4] == pytest.approx([-1 / 1.0001, 0, 1 / 1.0001, W * 3 / 1.0001], abs=1e-5)
    assert found[4:] == pytest.approx([(r - 2.75) / (1.7078 + 1e-4) for r in (1, 2, 3, 5)], abs=1e-4)
    assert list(trainer._logs["advantages"]) == pytest.approx(found)
    assert list(trainer._logs["rewards"]["reward"]) == [1, 2, 3, 5, 1, 2, 3, 5]
    assert list(trainer._logs["extra"]["injected"]) == [False, False, False, True] + 4 * [False]


def test_the_policys_advantages_are_those_of_a_group_without_it(make: Make) -> None:
    with_it = sampled(make(in_turn(0.3, 0.9, 0.35, 7), [row()]))["advantages"]
    without = sampled(make(in_turn(0.3, 0.9, 0.35), [row()], None, group=3))["advantages"]

    assert with_it[:3].tolist() == pytest.approx(without.tolist(), abs=1e-6)


def test_the_weight_is_that_of_the_step_and_at_0_the_group_is_plain(make: Make) -> None:
    """w = 0.4 * 3 / 4 = 0.3 at the fourth step; the reference is 3 deviations above the mean."""
    trainer = make(in_turn(1, 2, 3, 5), [row()], ReferenceInjection(weight=W, warmup_steps=4))

    assert not sampled(trainer, 0)["injected"].any()
    assert trainer._metrics["train"]["injection/groups"] == [0]
    assert sampled(trainer, 3)["advantages"][3].item() == pytest.approx(0.3 * 3 / 1.0001)
    assert trainer._metrics["train"]["injection/weight"] == [0, pytest.approx(0.3)]


@pytest.mark.parametrize("settings", [{}, {"loss_type": "grpo", "scale_rewards": "batch"}, {"num_iterations": 2}])
def test_without_references_it_is_trls_trainer_to_the_last_digit(make: Make, settings: Any) -> None:
    rows = [row(None), row(" \n", 1)]
    curves, models = [], []
    for how in (..., None):  # a trainer seeds the sampling when it is made: train each before the next
        trainer = make(odd, rows, how, max_steps=2, **settings)
        curves.append(train(trainer))
        models.append(trainer.model)

    for name in ("loss", "grad_norm", "reward", "reward_std", "entropy", "completions/mean_length"):
        assert [entry[name] for entry in curves[0]] == [entry[name] for entry in curves[1]], name
    assert all(map(torch.equal, models[0].parameters(), models[1].parameters()))
    assert any(entry["grad_norm"] > 0 for entry in curves[0])
    assert curves[0][0]["injection/missing"] == 1 and curves[0][0]["injection/wins"] is None


STALE = [
    {"num_iterations": 2},
    {"num_iterations": 2, "beta": 0.5},
    {"num_iterations": 2, "importance_sampling_level": "sequence"},
    {"num_iterations": 2, "off_policy_mask_threshold": 1e-6},
    {"num_iterations": 2, "entropy_coef": 0.1},
    {"steps_per_generation": 4, "gradient_accumulation_steps": 2},
]


@pytest.mark.parametrize("reference", [5.0, -5.0])
@pytest.mark.parametrize("settings", [{}, *STALE])
def test_the_references_gradient_is_w_times_a_times_grad_log_pi(make: Make, settings: Any, reference: float) -> None:
    """Also after the weights have moved: 1, 2, 3 against 5 or -5 is an advantage of 3 or -7 (over 1.0001)."""
    trainer = make(in_turn(1, 2, 3, reference), [row(), row(i=1)], **settings)
    batch = sampled(trainer)
    if settings:
        disturb(trainer)
    policy = {name: value[~batch["injected"]] if value.dim() else value for name, value in batch.items()}
    tokens, own = batch["completion_mask"].sum(), policy["completion_mask"].sum()
    share = own / tokens if "entropy_coef" in settings else 1.0  # its bonus is a mean over tokens, that of KL a sum
    whole = gradient(trainer, alone(batch, batch["injected"]))
    others = gradient(trainer, alone(policy, policy["injected"])) * share  # what KL and bonus make of the policy's rows
    accumulated = trainer.args.gradient_accumulation_steps / trainer.args.steps_per_generation
    scale = tokens * accumulated  # DAPO's: all tokens of the batch
    expected = by_hand(trainer, batch, batch["injected"] * W * (reference - 2) / 1.0001 / scale)

    assert ("old_per_token_logps" in batch) == bool(settings)
    assert expected.norm() > 0.01
    assert torch.allclose(whole - others, expected, atol=1e-5)


def test_the_policys_rows_keep_their_ratio_and_their_clipping(make: Make) -> None:
    """After the weights have moved, TRL's own loss of these rows is what it is without a reference among them."""
    trainer = make(in_turn(1, 2, 3, 5), [row(), row(i=1)], num_iterations=2)
    plain = make(odd, [row()], None, num_iterations=2)
    batch = sampled(trainer)
    for one in (trainer, plain):
        disturb(one)
        one.model.train()
        one.current_gradient_accumulation_steps = 1
    rows = alone(batch, ~batch["injected"])

    found = gradient(trainer, rows)
    assert torch.allclose(found, gradient(plain, {k: v for k, v in rows.items() if k != "injected"}), atol=1e-7)
    ratio_1 = by_hand(trainer, batch, rows["advantages"] / batch["completion_mask"].sum())
    assert not torch.allclose(found, ratio_1, atol=1e-3)  # that is: here a ratio of 1 would be seen


class VLLM:
    """Stands in for vLLM: tokens and the logprobs of them that the sampler had, which are not the trainer's."""

    def sync_weights(self) -> None:
        pass

    def generate(self, prompts: Any, **_: Any) -> Any:
        ids = [[5 + i, 6, 7 + i] for i in range(len(prompts))]
        return prompts, ids, [[[-2.0] for _ in one] for one in ids], None


@pytest.mark.parametrize("mode", ["token_truncate", "token_mask", "sequence_truncate", "sequence_mask", "off"])
def test_vllms_logprobs_are_not_asked_of_a_reference(make: Make, mode: str) -> None:
    trainer = make(in_turn(1, 2, 3, 5), [row()])
    trainer.use_vllm, trainer.vllm_generation, trainer._last_loaded_step = True, VLLM(), -1
    trainer.vllm_importance_sampling_correction = mode != "off"
    trainer.vllm_importance_sampling_mode = mode
    batch = sampled(trainer)
    if mode != "off":
        ratio = batch["importance_sampling_ratio"]
        assert (ratio[3] == 1).all() and not (ratio[:3] == 1).all()
        disturb(trainer)
    assert batch["sampling_per_token_logps"][3][batch["completion_mask"][3].bool()].isnan().all()

    found = gradient(trainer, alone(batch, batch["injected"]))
    scale = batch["completion_mask"].sum()
    assert torch.allclose(found, by_hand(trainer, batch, batch["injected"] * W * 3 / 1.0001 / scale), atol=1e-5)


def test_a_reference_that_is_too_long_is_counted_and_never_cut(make: Make) -> None:
    """With the end of text a reference of n tokens takes n + 1 places."""
    trainer = make(in_turn(1, 2, 3, 5), [row(), row(REFERENCE + " and", 1), row(None, 2)])
    fits = len(trainer.processing_class(REFERENCE)["input_ids"]) + 1
    trainer = make(in_turn(1, 2, 3, 5), trainer.train_dataset, max_completion_length=fits)

    assert sampled(trainer)["injected"].nonzero().tolist() == [[3]]
    assert trainer.left_out == {"too long": 1, "missing": 1}
    found = {name: trainer._metrics["train"][f"injection/{name}"] for name in ("groups", "too_long", "missing")}
    assert found == {name: [pytest.approx(1 / 3)] for name in ("groups", "too_long", "missing")}


@pytest.mark.parametrize("rewards", [(1, 2, 3, None), (None, None, None, 5)])
def test_a_reference_without_an_advantage_changes_nothing(make: Make, rewards: Any) -> None:
    """The gradient of a batch, KL term included, is that of the same batch without the reference's row."""
    trainer = make(in_turn(*rewards), [row()], beta=0.5)
    batch = sampled(trainer)
    assert batch["advantages"][3] == 0
    assert batch["advantages"][:3].tolist() == pytest.approx([-1, 0, 1] if rewards[0] else [0, 0, 0], abs=1e-3)
    if rewards[0]:
        disturb(trainer)
    rest = {name: value[:3] if value.dim() else value for name, value in batch.items()}
    rest["num_items_in_batch"] = rest["completion_mask"].sum()

    assert torch.allclose(gradient(trainer, batch), gradient(trainer, rest), atol=1e-6)
    assert trainer._metrics["train"]["injection/unscored"] == [1]
    assert math.isnan(trainer._metrics["train"]["injection/reference_minus_policy"][0])


def test_an_unscored_row_of_the_policy_stays_out(make: Make) -> None:
    """1 and 3: mean 2, deviation sqrt(2); a reference of 5 has 0.4 * 3 / 1.4143."""
    found = sampled(make(in_turn(1, None, 3, 5), [row()]))["advantages"].tolist()
    assert found == pytest.approx([-1 / 1.41431, 0, 1 / 1.41431, W * 3 / 1.41431], abs=1e-4)


@pytest.mark.parametrize(
    "settings",
    [
        {"loss_type": "dapo"},
        {
            "loss_type": "grpo",
            "per_device_train_batch_size": 4,
            "steps_per_generation": 4,
            "gradient_accumulation_steps": 2,
        },
        {"loss_type": "dr_grpo", "num_iterations": 2},
        {"loss_type": "cispo", "epsilon_high": 5.0},
        {"loss_type": "sapo", "num_iterations": 2},
    ],
)
def test_the_parts_of_the_loss_add_up(make: Make, settings: Any) -> None:
    curve = train(make(odd, [row(), row(i=1), row(None, 2), row(None, 3)], max_steps=3, **settings))
    assert curve

    for entry in curve:
        parts = [entry["injection/loss_policy"], entry["injection/loss_reference"]]
        assert entry["loss"] == pytest.approx(sum(parts), abs=1e-4)
    assert any(abs(entry["injection/loss_reference"]) > 1e-3 for entry in curve)


def test_what_is_logged_by_hand(make: Make) -> None:
    """Means 2 and 5: the references, 5 and 2, are 3 above and 3 below; one of two wins. TRL's figures are the policy's.

    Deviations are 1 and 1: advantages 0.4 * 3 and -0.4 * 3 (mean 0); mean reward 3.5.
    """
    [entry] = train(make(in_turn(1, 2, 3, 5, 4, 5, 6, 2), [row(), row(i=1)]))
    names = ("reference_minus_policy", "wins", "groups", "missing", "too_long", "unscored", "weight", "advantage")

    assert {name: entry[f"injection/{name}"] for name in names} == {
        "reference_minus_policy": 0, "wins": 0.5, "groups": 1, "missing": 0, "too_long": 0, "unscored": 0,
        "weight": W, "advantage": pytest.approx(0, abs=1e-6),
    }  # fmt: skip
    assert entry["reward"] == 3.5 and entry["rewards/reward/mean"] == 3.5


def test_an_evaluation_has_no_references(make: Make) -> None:
    from datasets import Dataset

    reward = in_turn(1, 2, 3, 5)
    trainer = make(reward, [row()], eval_dataset=Dataset.from_list([row()]), per_device_eval_batch_size=4)
    train(trainer)
    reward.judged.clear()
    with theirs():
        found = trainer.evaluate()

    assert found["eval_reward"] == 2.75
    assert not any("once a lamp" in text for text, _ in reward.judged) and len(reward.judged) == 4
    assert list(trainer._logs["extra"]["injected"]) == 4 * [False]


def test_thinking_that_the_prompt_opens_is_not_opened_twice(make: Make) -> None:
    trainer = make(
        odd, [row(prompt="<|im_start|>assistant\n<think>\n{}"), row(prompt="<|im_start|>assistant\n<think>\n")]
    )
    batch, opening = sampled(trainer), trainer.processing_class.convert_tokens_to_ids("<think>")

    assert batch["completion_ids"][3].tolist().count(opening) == 1  # "...<think>\n0" does not open it
    assert batch["completion_ids"][7].tolist().count(opening) == 0


def test_chats_have_references_too(make: Make) -> None:
    reward = in_turn(1, 2, 3, 5)
    sampled(make(reward, [{"prompt": [{"role": "user", "content": "write"}], "human_reference": REFERENCE}]))

    assert reward.judged[3][0] == [{"role": "assistant", "content": REFERENCE}]


@pytest.mark.filterwarnings("ignore:You are using 'rollout_func'")
@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"multi_objective_aggregation": "normalize_then_sum"}, "normalize_then_sum: weigh channels"),
        ({"top_entropy_quantile": 0.5}, "top_entropy_quantile: it leaves tokens out"),
        ({"group": 2}, "num_generations below 3: one rollout"),
        ({"rollout_func": lambda prompts, trainer: {}}, "a rollout_func: it makes the rollouts"),
    ],
)
def test_what_does_not_go_with_it_is_refused(make: Make, settings: Any, problem: str) -> None:
    with pytest.raises(ConfigError, match=f"reference injection does not go with {problem}"):
        make(odd, [row()], **settings)


def test_a_column_that_is_not_there_or_holds_no_texts_is_named(make: Make) -> None:
    with pytest.raises(InputError, match="no column 'human_refrence' of references; did you mean 'human_reference'"):
        make(odd, [row()], ReferenceInjection(column="human_refrence"))
    with pytest.raises(InputError, match="column 'human_reference': a reference is a text, not list"):
        sampled(make(odd, [row([{"role": "assistant", "content": "x"}])]))
