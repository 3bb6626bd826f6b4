"""What every training of a judge that writes has in common: a start, SFT, GRPO, and the finished judge."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any, ClassVar, Literal

from judgekit.errors import ConfigError, require
from judgekit.judges import GenRMJudge
from judgekit.judges.asking import rubric_identity
from judgekit.judges.load import movable
from judgekit.models.local import LocalConfig, LocalModel
from judgekit.rubrics.rubric import Rubric
from judgekit.training.arguments import arguments, named
from judgekit.training.distance import DistanceSettings
from judgekit.training.grpo import GRPOSettings, prompts_needed
from judgekit.training.questions import Example, fence_key
from judgekit.training.recipe import Start
from judgekit.training.sft import sft
from judgekit.training.stages import Run, is_first, trained_stage
from judgekit.training.start import base_model, origin
from judgekit.training.weights import Trained

Say = Callable[[str], None]
Counts = dict[str, int]
SHOWN = 1000  # pairs or rows that a tokenizer from scratch is trained on


@dataclass(frozen=True)
class Stage:
    """What came of one stage of training.

    Attributes:
        model: its weights after it.
        load: makes a judge with them.
        curve: what the trainer logged, step by step.
        left_out: items that were not trained on, by reason.
    """

    model: LocalConfig
    load: Callable[[], GenRMJudge]
    curve: list[dict[str, float]]
    left_out: Counts

    @property
    def judge(self) -> GenRMJudge:
        """A new judge each time, so that its weights leave memory when it goes."""
        return self.load()

    def saved(self, folder: Path) -> Path:
        """Write the judge into a folder of the run, by the first process alone, and return its judge.yaml."""
        return movable(self.judge.save(folder), folder.parent) if is_first() else folder / "judge.yaml"


@dataclass
class JudgeTraining(ABC):
    """One run in one folder. Each part is made when it is asked for, and once: a second run finds it there.

    Attributes:
        block: how many tasks of GRPO belong into one batch.
    """

    block: ClassVar[int] = 1

    folder: Path
    recipe: Start
    say: Say = field(default=lambda _: None, kw_only=True)

    @cached_property
    @abstractmethod
    def rubric(self) -> Rubric:
        """What the judge goes by."""

    @abstractmethod
    def _texts(self) -> list[str]:
        """Return what a tokenizer from scratch is trained on: questions, with no mark on their fences, and replies."""

    @cached_property
    @abstractmethod
    def _data(self) -> str:
        """The hash of what is learnt from."""

    @abstractmethod
    def _examples(self) -> tuple[Sequence[Example], Counts]:
        """Return what SFT learns from, and what was left out of it."""

    @abstractmethod
    def _source(self) -> list[Any]:
        """Return what decides, beside the data, which examples SFT sees."""

    @property
    @abstractmethod
    def _refinement(self) -> GRPOSettings | DistanceSettings | None:
        """The settings of GRPO, if there is to be any."""

    @abstractmethod
    def _refine(self, start: LocalConfig, folder: Path) -> tuple[Trained, Counts]:
        """Refine these weights; return what came of it, and what could not be learnt from."""

    def check(self) -> None:
        """Refuse what a stage would refuse, before the first one begins.

        Raises:
            ConfigError: an unknown field of TRL's, a value of the wrong type, a batch that tears pairs apart.
            ModelError: the model to start from has no chat template, or is not there.
            InputError: the rubric is of the other kind.
        """
        trl, seed = require("trl", "train"), self.recipe.seed
        with named("sft"):
            arguments(trl.SFTConfig, self.recipe.sft.trl, self.folder, seed)
        if self._refinement:
            with named("grpo"):
                config = arguments(trl.GRPOConfig, self._refinement.trl, self.folder, seed)
                prompts_needed(config, self.block, self.block)
        _ = self.rubric
        if self.recipe.model:
            _ = LocalModel(self.recipe.model).turn_end

    def begin(self) -> None:
        """Check, and take the folder for a run on these data.

        Raises:
            InputError: it holds one on other data; else as `check`.
        """
        self.check()
        self.run.alone("data", self._data, lambda _: {})

    @cached_property
    def run(self) -> Run:
        """The folder and its stages."""
        return Run(self.folder)

    @cached_property
    def base(self) -> LocalConfig:
        """The model that training starts from."""
        return base_model(self.run, self.recipe, self._texts, self._data)

    @property
    def untrained(self) -> GenRMJudge:
        """The model before training, as a judge; a new one each time."""
        return self._judge(self.base)

    @cached_property
    def sft(self) -> Stage:
        """The judge that has learnt to write as it was shown."""
        recipe = self.recipe

        def train(folder: Path) -> tuple[Trained, Counts]:
            examples, left_out = self._examples()
            self.say(f"sft: {len(examples)} examples")
            how: dict[str, Any] = {"lora": recipe.lora, "seed": recipe.seed, "say": self.say}
            return sft(self.base, examples, recipe.sft, folder, **how), left_out

        key = [recipe.sft.model_dump(), *self._source()]  # before the base: chains of other data are found first
        return self._stage("sft", self.base, key, train)

    @cached_property
    def grpo(self) -> Stage:
        """The judge that has then learnt from its own replies which of them were right, or nearly so.

        Raises:
            InputError: there is nothing to learn from.
            ConfigError: the recipe has no GRPO.
        """
        if not self._refinement:
            raise ConfigError("the recipe has no 'grpo': it ends after SFT")
        start = self.sft.model
        return self._stage("grpo", start, [self._refinement.model_dump()], lambda folder: self._refine(start, folder))

    def _stage(
        self,
        name: Literal["sft", "grpo"],
        start: LocalConfig,
        key: list[Any],
        train: Callable[[Path], tuple[Trained, Counts]],
    ) -> Stage:
        key = [*key, *origin(start, self.recipe, rubric_identity(self.rubric)), self._data]
        model, curve, left_out = trained_stage(self.run, name, key, train, self.say)
        return Stage(model, partial(self._judge, model), curve, left_out)

    def _judge(self, config: LocalConfig) -> GenRMJudge:
        model = LocalModel(config, secret=fence_key(self.recipe.seed))
        return GenRMJudge(self.rubric, model, decoding=self.recipe.decoding)
