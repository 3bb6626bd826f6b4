"""From a recipe to a policy: SFT on replies, GRPO on rewards, in one folder that a killed run goes on in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from judgekit.errors import InputError, require
from judgekit.judges.base import digest
from judgekit.judges.load import load_judge
from judgekit.models.local import LocalConfig, LocalModel
from judgekit.policy.asked import Data
from judgekit.policy.evaluation.run import check
from judgekit.policy.grpo import Watched, column_of, grpo
from judgekit.policy.recipe import PolicyRecipe
from judgekit.policy.reward import reward_of
from judgekit.policy.source import chat, reply, row
from judgekit.rewards import CompositeReward, HoldOut, Monitor
from judgekit.training.arguments import arguments, named
from judgekit.training.grpo import prompts_needed
from judgekit.training.questions import Example
from judgekit.training.sft import sft
from judgekit.training.stages import Run, trained_stage
from judgekit.training.start import base_model, origin
from judgekit.training.weights import Trained

Say = Callable[[str], None]
SHOWN = 2000  # prompts that a tokenizer from scratch is trained on


@dataclass(frozen=True)
class Stage:
    """What came of one stage: its weights, what the trainer logged, and how many items were left out, by reason."""

    model: LocalConfig
    curve: list[dict[str, float]]
    left_out: dict[str, int]


@dataclass
class PolicyTraining:
    """One run in one folder. Each part is made when it is asked for, and once: a second run finds it there.

    Attributes:
        home: the folder of the recipe, from which the paths of its reward count.
        show: is given the state of GRPO's trainer now and then.
    """

    folder: Path
    recipe: PolicyRecipe
    home: Path
    say: Say = field(default=lambda _: None, kw_only=True)
    show: Callable[[Any], None] = field(default=lambda _: None, kw_only=True)

    def check(self) -> None:
        """Refuse what a stage would refuse, before the first one begins.

        Raises:
            ConfigError: an unknown field of TRL's, a value of the wrong type, a judge that is none.
            InputError: there is nothing to ask, or nothing to learn from.
        """
        trl, seed = require("trl", "train"), self.recipe.seed
        if self.recipe.sft:
            with named("sft"):
                arguments(trl.SFTConfig, self.recipe.sft.trl, self.folder, seed)
            if not any(reply(one) for one in self._taught.asked):
                raise InputError(f"sft: {self._taught.name} has no replies to learn from")
        with named("grpo"):
            prompts_needed(arguments(trl.GRPOConfig, self.recipe.grpo.trl, self.folder, seed), 1, 1)
        _ = [row(one, column_of(self.recipe.grpo)) for one in self.data.asked], self.reward
        if how := self.recipe.evaluation:
            check(how.data.load(), load_judge(Path(how.judge)) if how.judge else None, how.play, how.length)
        if self.recipe.model:
            _ = LocalModel(self.recipe.model).turn_end

    @cached_property
    def run(self) -> Run:
        """The folder and its stages."""
        return Run(self.folder)

    @cached_property
    def data(self) -> Data:
        """The prompts of the rollouts."""
        return self.recipe.data.load()

    @cached_property
    def _taught(self) -> Data:
        return self.recipe.sft.data.load() if self.recipe.sft else self.data

    @cached_property
    def monitor(self) -> Monitor | None:
        """What looks on; its file is ``grpo/monitor.jsonl``."""
        if (how := self.recipe.monitor) is None:
            return None
        held = how.holdout and HoldOut(load_judge(Path(how.holdout.judge)), how.holdout.share, self.recipe.seed)
        path = self.folder / "grpo" / "monitor.jsonl"
        return Monitor(path, stop=how.stop, first=how.first, holdout=held or None, channel=how.channel)

    @cached_property
    def reward(self) -> CompositeReward:
        """The reward, its judges opened."""
        return reward_of(self.recipe.reward, self.home, self.monitor)

    @cached_property
    def base(self) -> LocalConfig:
        """The model that training starts from."""
        return base_model(self.run, self.recipe, self._texts, self._hash(self._taught))

    @cached_property
    def sft(self) -> Stage | None:
        """The policy that has learnt to reply as it was shown; None where the recipe has no SFT."""
        if (how := self.recipe.sft) is None:
            return None

        def train(folder: Path) -> tuple[Trained, dict[str, int]]:
            examples = self._examples()
            self.say(f"sft: {len(examples)} examples")
            unused = len(self._taught.asked) - len(examples)
            trained = sft(self.base, examples, how, folder, lora=self.recipe.lora, seed=self.recipe.seed, say=self.say)
            return trained, {"without a reply": unused} if unused else {}

        settings = how.model_dump(exclude={"data"})
        return self._stage("sft", self.base, [settings, self._hash(self._taught)], train)

    @cached_property
    def grpo(self) -> Stage:
        """The policy that has then learnt from the rewards of its rollouts.

        Raises:
            PausedError: the judges' tokens are spent; the run goes on from its checkpoint where more are allowed.
        """
        start = self.sft.model if self.sft else self.base
        settings = [self.recipe.grpo.model_dump(), self.recipe.reward.model_dump(), self._judges()]

        def train(folder: Path) -> tuple[Trained, dict[str, int]]:
            how = Watched(self.reward, self.monitor, self.recipe.judge_tokens, self.recipe.rollouts, self.show)
            about: dict[str, Any] = {"lora": self.recipe.lora, "seed": self.recipe.seed, "say": self.say}
            return grpo(start, self.data.asked, how, self.recipe.grpo, folder, **about), dict(self.data.left_out)

        return self._stage("grpo", start, [*settings, self._hash(self.data)], train)

    def save(self) -> Path:
        """Train what is not trained yet; write the settings of the policy, as a model, to ``policy.yaml``."""
        settings = self.run.movable(self.grpo.model.model_dump(exclude_defaults=True))
        path = self.folder / "policy.yaml"
        path.write_text(yaml.safe_dump(settings, sort_keys=False, allow_unicode=True), encoding="utf-8")
        return path

    # --- parts ------------------------------------------------------------------------------------------------

    def _stage(
        self,
        name: str,
        start: LocalConfig,
        key: list[Any],
        train: Callable[[Path], tuple[Trained, dict[str, int]]],
    ) -> Stage:
        return Stage(*trained_stage(self.run, name, [*key, *origin(start, self.recipe)], train, self.say))

    def _examples(self) -> list[Example]:
        model = LocalModel(self.base)
        asked = [(one, text) for one in self._taught.asked if (text := reply(one))]
        return [Example(model.text(chat(one)), text + model.turn_end) for one, text in asked]

    def _judges(self) -> list[str]:
        """Return the fingerprints of the reward's judges: with another judge it is another run."""
        judges = [getattr(one, name, None) for one in self.reward.channels.values() for name in ("judge", "trigger")]
        return [judge.fingerprint for judge in judges if judge is not None]

    def _texts(self) -> list[str]:
        shown = self._taught.asked[:SHOWN]
        asked = [message["content"] for one in shown for message in chat(one)]
        return [*asked, *(text for one in shown if (text := reply(one)))]

    @staticmethod
    def _hash(data: Data) -> str:
        return digest([[one.id, chat(one), reply(one)] for one in data.asked])
