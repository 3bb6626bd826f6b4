"""A recipe: everything that decides how a model is trained, in one YAML."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from judgekit import content
from judgekit.config import Config, beside_all, load
from judgekit.models.base import Decoding
from judgekit.models.local import LocalConfig
from judgekit.training.filters import Filters
from judgekit.training.grpo import GRPOSettings
from judgekit.training.scalar import ScalarSettings
from judgekit.training.sft import SFTSettings
from judgekit.training.weights import Lora

Rival = Literal["teacher", "zero_shot", "classifier"]


class Scratch(Config):
    """A Qwen3 of this shape with random weights, and a tokenizer trained on the pairs: for tests and demonstrations.

    It knows no language; what it learns, it learns from what it is shown and from rewards alone.

    Attributes:
        thinking: whether its replies begin with reasoning.
    """

    layers: Annotated[int, Field(ge=1)] = 2
    width: Annotated[int, Field(ge=16)] = 64
    vocabulary: Annotated[int, Field(ge=300)] = 1024
    context: Annotated[int, Field(ge=16)] = 2048
    thinking: bool = False


class Beginning(Config):
    """What every training starts from.

    Attributes:
        model: what to start from; or ``scratch``, one of the two.
        lora: train an adapter instead of all weights.
    """

    model: LocalConfig | None = None
    scratch: Scratch | None = None
    lora: Lora | None = None
    seed: int = 0

    @model_validator(mode="after")
    def _one_start(self) -> Self:
        if (self.model is None) == (self.scratch is None):
            raise ValueError("give either 'model' (what to start from) or 'scratch' (a model with random weights)")
        if self.scratch and self.lora:
            raise ValueError("a model from scratch has nothing to adapt; leave out 'lora'")
        return self


class Start(Beginning):
    """What every recipe of a judge that writes has.

    Attributes:
        rubric: its prompt is what the judge will see, in training and in use.
        held_out: share of the groups kept for the evaluation where no test data are given.
        decoding: how the finished judge writes.
    """

    rubric: str
    sft: SFTSettings = SFTSettings()
    held_out: Annotated[float, Field(gt=0, lt=1)] = 0.1
    decoding: Decoding = Decoding()

    @classmethod
    def load(cls, name: str | Path) -> Self:
        """Read a recipe by its name (``genrm/storyworld``) or its path; paths in it count from the file.

        Raises:
            ConfigError: no such recipe, or a malformed one; names the file, the line and the nearest known name.
        """
        path = content.find("training", str(name))
        recipe = beside_all(path.parent, load(path, cls), "rubric")
        if recipe.model is None:
            return recipe
        return recipe.model_copy(update={"model": beside_all(path.parent, recipe.model, "path", "adapter")})


class Recipe(Start):
    """How ``judgekit train genrm`` makes a judge; the rubric must be pairwise.

    Attributes:
        samples: chains that the teacher writes for each order of each pair.
        grpo: null: stop after SFT.
        rivals: what the trained judge is compared with on the test pairs, beside "the longer one wins": the teacher,
            who is then asked about them as well; the model before training; a Bradley-Terry classifier from the same
            start and the same labels, trained as ``classifier`` says.
    """

    samples: Annotated[int, Field(ge=1)] = 1
    filters: Filters = Filters()
    grpo: GRPOSettings | None = GRPOSettings()
    classifier: ScalarSettings = ScalarSettings()
    rivals: tuple[Rival, ...] = ()
