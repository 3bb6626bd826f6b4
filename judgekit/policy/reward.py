"""reward.yaml -> a reward."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from judgekit.config import Config, load
from judgekit.errors import ConfigError, InputError
from judgekit.policy.channels import AnyChannel
from judgekit.rewards import CompositeReward, Gate, Monitor


class GateConfig(Config):
    """A gate: who has less than ``least`` in a channel is not passed on."""

    channel: str
    least: float


class RewardConfig(Config):
    """A reward as its YAML says it; see `judgekit.rewards.CompositeReward`."""

    channels: Annotated[tuple[AnyChannel, ...], Field(min_length=1)]
    normalize: Literal["none", "group", "batch"] = "none"
    gates: tuple[GateConfig, ...] = ()
    optional: tuple[str, ...] = ()
    deadline: Annotated[float, Field(gt=0)] | None = None
    on_error: Literal["unscored", "raise"] = "unscored"
    group_size: Annotated[int, Field(ge=1)] | None = None
    name: str = "reward"


def reward_of(config: RewardConfig, folder: Path, monitor: Monitor | None = None) -> CompositeReward:
    """Open the judges of a reward and return it; relative paths count from the folder."""
    return CompositeReward(**_arguments(config, folder), monitor=monitor)


def _arguments(config: RewardConfig, folder: Path) -> dict[str, Any]:
    names = ("normalize", "optional", "deadline", "on_error", "group_size", "name")
    return {
        "channels": [channel.named(channel.build(folder)) for channel in config.channels],
        "weights": [channel.weight for channel in config.channels],
        "gates": [Gate(gate.channel, gate.least) for gate in config.gates],
        **{name: getattr(config, name) for name in names},
    }


class FileReward(CompositeReward):
    """The reward of a file: sent to another process, it goes as the path, and its judges are opened anew there."""

    def __init__(self, path: Path, config: RewardConfig, monitor: Monitor | None = None) -> None:
        self.path = path.resolve()
        super().__init__(**_arguments(config, path.parent), monitor=monitor)

    def __reduce__(self) -> tuple[Any, ...]:
        return load_reward, (self.path, self.monitor)


def load_reward(path: str | Path, monitor: Monitor | None = None) -> FileReward:
    """Read a reward.yaml (or the folder that holds one) and open its judges.

    Args:
        monitor: sees every batch, as in `judgekit.rewards.CompositeReward`.

    Raises:
        ConfigError: no such file, a malformed one, or channels that are none; names the file and the line.
    """
    path = Path(path) / "reward.yaml" if Path(path).is_dir() else Path(path)
    config = load(path, RewardConfig)
    try:
        return FileReward(path, config, monitor)
    except (InputError, ConfigError) as problem:
        raise type(problem)(str(problem) if str(path) in str(problem) else f"{path}: {problem}") from None
