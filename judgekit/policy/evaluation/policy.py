"""The policy that is evaluated: a model whose cut-off replies count as what they are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from judgekit.config import beside_all, load
from judgekit.judges.load import PATHS, LanguageModel
from judgekit.models import LocalConfig, LocalModel, Model, Reply


@dataclass(frozen=True, slots=True)
class CutReply(Reply):
    """What was written of a reply that did not end in time."""


class LocalPolicy(LocalModel):
    """A local model that gives a reply also where it was cut off.

    To a judge such a reply is no reply. Of a policy it is what a reader would have got: to leave it out would flatter
    one that never ends.
    """

    def reply(self, tokens: list[int], prompt_length: int) -> Reply:
        found = super().reply(tokens, prompt_length)
        if found.error is None:
            return found
        return CutReply(self.tokenizer.decode(tokens, skip_special_tokens=False), usage=found.usage)


def open_policy(path: str) -> Model:
    """Open a folder of weights (or a hub id), or a YAML file with the settings of a model: ``model:`` of a judge.yaml.

    A model behind a server gives no reply where it was cut off; that is then a missing one, and counted.

    Raises:
        ConfigError: the YAML file is none of a model.
        ModelError: it cannot be loaded.
    """
    config: Any = LocalConfig(provider="local", path=path)
    if Path(path).suffix in (".yaml", ".yml"):
        config = beside_all(Path(path).parent, load(path, cast(Any, LanguageModel)), *PATHS)
    model: Model = LocalPolicy(config) if isinstance(config, LocalConfig) else config.build()
    return model
