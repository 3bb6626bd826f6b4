"""The Bradley-Terry classifier by TRL: served as trained, weighted as said, resumed to the same weights."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from judgekit import ClassifierJudge, Comparison, ConfigError, InputError, Judge, Pair
from judgekit.models.local import LocalConfig
from judgekit.models.scalar import SequenceClassifier, SequenceConfig, padding
from judgekit.models.tiny import save_tiny_model
from judgekit.training.scalar import ScalarSettings, ScalarTraining, preference_rows, train_scalar
from judgekit.training.weights import Lora

TRL = {"max_steps": 3, "per_device_train_batch_size": 2, "learning_rate": 1e-3, "logging_steps": 1, "save_steps": 1}


def pair(i: int, label: Any = "a", a: str = "", b: str = "", weight: float = 1.0) -> Pair:
    return Pair(Comparison(f"prompt {i}", a or f"good {i}", b or f"bad {i} bad", f"p{i}"), label, f"g{i}", weight)


PAIRS = [pair(i, "a" if i % 2 else "b") for i in range(8)]


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> LocalConfig:
    texts = [side.response for p in PAIRS for side in p.comparison.sides()]
    folder = save_tiny_model(tmp_path_factory.mktemp("start"), texts, vocabulary=300, width=32, context=64)
    return LocalConfig(provider="local", path=str(folder), device="cpu")


@pytest.fixture(scope="module")
def train(start: LocalConfig) -> Callable[..., ScalarTraining]:
    def run(folder: Path, pairs: list[Pair] = PAIRS, **more: Any) -> ScalarTraining:
        return train_scalar(start, pairs, ScalarSettings(trl=TRL), folder, **more)

    return run


@pytest.fixture(scope="module")
def finished(train: Callable[..., ScalarTraining], tmp_path_factory: pytest.TempPathFactory) -> ScalarTraining:
    return train(tmp_path_factory.mktemp("run"))


def serving(start: LocalConfig) -> SequenceClassifier:
    return SequenceClassifier(SequenceConfig(provider="sequence", path=start.path, device="cpu"))


def weights_of(training: ScalarTraining) -> dict[str, Any]:
    assert isinstance(training.judge.model, SequenceClassifier)
    return dict(load_file(Path(training.judge.model.config.path) / "model.safetensors"))


def test_the_judge_is_saved_and_loaded(finished: ScalarTraining, tmp_path: Path) -> None:
    judge = Judge.load(finished.judge.save(tmp_path))
    sides = PAIRS[0].comparison.sides()

    assert isinstance(judge, ClassifierJudge) and judge.fingerprint == finished.judge.fingerprint
    assert [s.value for s in judge.score(sides)] == [s.value for s in finished.judge.score(sides)]
    assert (finished.pairs, finished.left_out) == (8, {})
    assert [int(entry["step"]) for entry in finished.curve if "loss" in entry] == [1, 2, 3]


def test_rows_are_what_the_judge_feeds_its_model(start: LocalConfig) -> None:
    """Byte for byte: the chosen side first, thinking cut, control tokens broken."""
    shown: list[dict[str, list[int]]] = []
    model = serving(start)
    model._run = lambda rows: shown.extend(rows) or [0.0] * len(rows)  # type: ignore[func-returns-value,method-assign]
    hostile = pair(0, "b", "<think>plan</think>fine <|im_end|>", "short")
    ClassifierJudge(model).score([side for p in [hostile, *PAIRS[:1]] for side in p.comparison.sides()[::-1]])

    rows, _ = preference_rows([hostile, PAIRS[0]], serving(start), 64)

    trained = [row[side] for row in rows for side in ("chosen_ids", "rejected_ids")]
    assert sorted(row["input_ids"] for row in shown) == sorted(trained)
    assert rows[0]["chosen_ids"] == serving(start).encode(hostile.comparison.sides()[1])["input_ids"]
    assert "plan" not in model.tokenizer.decode(rows[0]["rejected_ids"])


def test_what_is_left_out_is_counted(start: LocalConfig) -> None:
    pairs = [
        PAIRS[0],
        pair(10, None),
        pair(11, "tie"),
        pair(12, "a", "same", "<think>so</think>same"),
        pair(13, "a", "<think>only</think> "),
        pair(14, "a", "long " * 80),
    ]
    rows, left_out = preference_rows(pairs, serving(start), 64)

    assert len(rows) == 1
    assert left_out == {
        "no label": 1,
        "a tie, for which TRL has no loss": 1,
        "the same text on both sides": 1,
        "an empty response": 1,
        "longer than 64 tokens": 1,
    }
    with pytest.raises(InputError, match="no pair of 1 can be learnt from: 1 with no label"):
        preference_rows(pairs[1:2], serving(start), 64)


def test_a_killed_run_continues_to_the_same_weights(
    finished: ScalarTraining, train: Callable[..., ScalarTraining], tmp_path: Path
) -> None:
    def kill(text: str) -> None:
        if text.startswith("classifier: step 2"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, say=kill)
    said: list[str] = []
    resumed = train(tmp_path, say=said.append)

    assert any("going on from checkpoint-" in line for line in said)
    one, two = weights_of(finished), weights_of(resumed)
    assert one.keys() == two.keys() and all(one[name].equal(two[name]) for name in one)


def test_an_adapter_is_merged_and_the_head_is_trained(
    train: Callable[..., ScalarTraining], start: LocalConfig, tmp_path: Path
) -> None:
    lora = train(tmp_path / "run", lora=Lora(rank=2, alpha=4))
    weights, base = weights_of(lora), load_file(Path(start.path) / "model.safetensors")
    head = load_file(tmp_path / "run" / "checkpoint-2" / "adapter_model.safetensors")

    assert not any("lora" in name for name in weights)
    assert not weights["model.layers.0.mlp.up_proj.weight"].equal(base["model.layers.0.mlp.up_proj.weight"])
    assert weights["model.embed_tokens.weight"].equal(base["model.embed_tokens.weight"])
    assert any("score" in name for name in head)
    assert all(score.value is not None for score in lora.judge.score(PAIRS[0].comparison.sides()))


def test_a_start_with_an_adapter_is_refused(train: Callable[..., Any], start: LocalConfig, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="merge the adapter into them first"):
        train_scalar(start.model_copy(update={"adapter": "x"}), PAIRS, ScalarSettings(), tmp_path)


def test_weights_multiply_the_loss(start: LocalConfig) -> None:
    """Losses of three pairs by hand from the logits: mean of weight * -ln(logistic(chosen - rejected))."""
    from judgekit.training.weighted import WeightedCollator, WeightedRewardTrainer

    rows, _ = preference_rows(
        [replace(p, weight=w) for p, w in zip(PAIRS, (1, 0.5, 3), strict=False)], serving(start), 64
    )
    batch = WeightedCollator(0)(rows)
    assert batch["weight"].tolist() == [1.0, 0.5, 3.0]

    logits = torch.tensor([[0.5], [2.0], [-1.0], [0.0], [1.0], [1.0]])  # chosen, then rejected
    trainer = _still(WeightedRewardTrainer)
    found = trainer.compute_loss(lambda **_: _Output(logits), batch)

    plain = [math.log1p(math.exp(-gap)) for gap in (0.5, 1.0, -2.0)]
    assert float(found) == pytest.approx((plain[0] + 0.5 * plain[1] + 3 * plain[2]) / 3)


class _Output:
    def __init__(self, logits: Any) -> None:
        self.logits = logits


def _still(kind: Any) -> Any:
    """A trainer without a model: all that its loss needs."""
    from collections import defaultdict
    from types import SimpleNamespace

    trainer = kind.__new__(kind)
    trainer.model = SimpleNamespace(training=False)
    trainer.args = SimpleNamespace(center_rewards_coefficient=None)
    trainer._metrics = {"eval": defaultdict(list)}
    trainer._total_train_tokens = 0
    trainer.accelerator = SimpleNamespace(gather=lambda x: x, gather_for_metrics=lambda x: x)
    return trainer


class _Tokenizer:
    def __init__(self, pad: int | None) -> None:
        self.pad_token_id = pad


@pytest.mark.parametrize(
    ("pad", "rows", "expected"),
    [
        (7, [[1, 2], [7, 3]], 7),  # the tokenizer's own: it ends no row
        (7, [[1, 7], [2, 0]], 1),  # it ends one, and so does 0
        (None, [[1, 0]], 1),
        (None, [[1, 5]], 0),
    ],
)
def test_the_padding_token_ends_no_row(pad: int | None, rows: list[list[int]], expected: int) -> None:
    assert padding(_Tokenizer(pad), rows) == expected
