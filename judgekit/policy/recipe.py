"""A recipe of policy RL: everything that decides how a policy is trained, in one YAML."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from judgekit import content
from judgekit.config import Config, beside, beside_all, load
from judgekit.models import Decoding
from judgekit.policy.injection import ReferenceInjection
from judgekit.policy.reward import RewardConfig
from judgekit.policy.source import Source
from judgekit.training.arguments import Arguments
from judgekit.training.recipe import Beginning
from judgekit.training.sft import SFTSettings
from judgekit.training.shaping import Shaping


class Imitation(SFTSettings):
    """SFT before the RL: on the replies of ``data``, reasoning included."""

    data: Source


class RL(Config):
    """GRPO.

    Attributes:
        references: texts by people in the groups; see `judgekit.policy.injection`.
        trl: any field of TRL's ``GRPOConfig`` under its own name: group size, KL, clipping, lengths, sampling, vLLM.
    """

    shaping: Shaping = Shaping()
    references: ReferenceInjection | None = None
    trl: Arguments = {}


class HeldOut(Config):
    """A second judge who is asked about a small share of the rollouts; see `judgekit.rewards.HoldOut`."""

    judge: str
    share: Annotated[float, Field(gt=0, le=1)] = 0.02


class Watching(Config):
    """The monitor of the reward; see `judgekit.rewards.Monitor`."""

    first: Annotated[int, Field(ge=5)] = 20
    stop: tuple[str, ...] = ("holdout",)
    channel: str | None = None
    holdout: HeldOut | None = None


class Asking(Config):
    """What the policy is asked before and after; see `judgekit.policy.evaluation.evaluate`.

    Attributes:
        k: responses to each prompt.
        play: how many stories of the storyworld are played, of that data alone.
        length: fewest and most words of a turn.
        judge: scores each response.
    """

    data: Source
    decoding: Decoding = Decoding(temperature=0.7, top_p=0.95)
    k: Annotated[int, Field(ge=1)] = 1
    play: Annotated[int, Field(ge=0)] = 0
    length: tuple[float, float] | None = None
    judge: str | None = None
    batch: Annotated[int, Field(ge=1)] = 16


class PolicyRecipe(Beginning):
    """How ``judgekit policy train`` trains a policy.

    Attributes:
        sft: null: begin with GRPO.
        data: the prompts of the rollouts.
        reward: a reward.yaml's content.
        judge_tokens: how many tokens the judges of the reward may read and write in all. Where they are spent, the run
            ends with a checkpoint; with a higher number it goes on there.
        rollouts: how many groups of each step are kept in ``rollouts.jsonl``.
    """

    sft: Imitation | None = None
    data: Source
    reward: RewardConfig
    grpo: RL = RL()
    monitor: Watching | None = Watching()
    judge_tokens: Annotated[int, Field(ge=1)] | None = None
    rollouts: Annotated[int, Field(ge=0)] = 1
    evaluation: Asking | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.grpo.references and self.reward.normalize != "none":
            raise ValueError(
                "with references leave normalize at none: a group's mean is that of the policy's own rollouts alone"
            )
        return self

    @classmethod
    def load(cls, name: str | Path) -> tuple[Self, Path]:
        """Read a recipe by its name (``storyworld-episodes``), its path, or its folder; return it and its folder.

        Paths in it count from the file.

        Raises:
            ConfigError: no such recipe, or a malformed one; names the file, the line and the nearest known name.
        """
        path = content.find("policy", str(name) if Path(name).suffix == ".yaml" else f"{name}/recipe")
        recipe = load(path, cls)
        return recipe._beside(path.parent), path.parent

    def _beside(self, home: Path) -> Self:
        changed: dict[str, Any] = {"data": self.data.beside(home)}
        if self.model:
            changed["model"] = beside_all(home, self.model, "path", "adapter")
        if self.sft:
            changed["sft"] = self.sft.model_copy(update={"data": self.sft.data.beside(home)})
        if self.evaluation:
            asked: dict[str, Any] = {"data": self.evaluation.data.beside(home)}
            if self.evaluation.judge:
                asked["judge"] = beside(home, self.evaluation.judge)
            changed["evaluation"] = self.evaluation.model_copy(update=asked)
        if self.monitor and self.monitor.holdout:
            held = beside_all(home, self.monitor.holdout, "judge")
            changed["monitor"] = self.monitor.model_copy(update={"holdout": held})
        return self.model_copy(update=changed)
