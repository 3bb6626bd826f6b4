"""The embedded classifier: a linear Bradley-Terry head on what a small sentence encoder and plain counting see.

It runs anywhere in milliseconds and explains itself: each feature has a name and a weight.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from judgekit.config import Config
from judgekit.errors import ConfigError, require
from judgekit.judges.base import digest
from judgekit.judges.features import VERSION, feature_matrix, feature_names
from judgekit.models.encoder import Encoder
from judgekit.types import Sample

FILE = "classifier.safetensors"
CLIP = 4.0


def standardise(
    features: NDArray[np.float64], centre: NDArray[np.float64], scale: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return (features - centre) / scale, clipped at 4: one outlying feature must not outvote all the others."""
    return np.clip((features - centre) / scale, -CLIP, CLIP)


def _features() -> str:
    return json.dumps([VERSION, *feature_names()])


class EmbeddedConfig(Config):
    """``provider: embedded`` in a judge.yaml: the file that training wrote, and the encoder it was trained with."""

    provider: Literal["embedded"]
    path: str
    encoder: str | None = None

    def build(self) -> EmbeddedClassifier:
        return EmbeddedClassifier.load(Path(self.path), Encoder(self.encoder))


@dataclass
class EmbeddedClassifier:
    """Strength = weights . standardised features, in logits; 0 is about the mean of the training responses.

    Attributes:
        weights, centre, scale: one number a feature, shape (features,).
    """

    weights: NDArray[np.float64]
    centre: NDArray[np.float64]
    scale: NDArray[np.float64]
    encoder: Encoder

    @property
    def identity(self) -> dict[str, Any]:
        """Provider, encoder and head."""
        head = digest([part.tolist() for part in (self.weights, self.centre, self.scale)])
        return {
            "provider": "embedded",
            "encoder": self.encoder.identity,
            "features": _features(),
            "head": head,
        }

    def strengths(self, samples: Sequence[Sample]) -> list[float | str]:
        """Return one strength a sample."""
        if not samples:
            return []
        features = standardise(feature_matrix(samples, self.encoder.encode), self.centre, self.scale)
        return list((features @ self.weights).tolist())

    def save(self, folder: Path) -> dict[str, Any]:
        """Write the head as safetensors; return the ``model:`` entry of a judge.yaml."""
        numpy_io = require("safetensors.numpy", "embed")
        tensors = {"weights": self.weights, "centre": self.centre, "scale": self.scale}
        about = {"features": _features(), "encoder": self.encoder.identity}
        (folder / FILE).write_bytes(numpy_io.save(tensors, metadata=about))
        encoder = {"encoder": str(Path(self.encoder.path).resolve())} if self.encoder.path else {}
        return {"provider": "embedded", "path": FILE, **encoder}

    @classmethod
    def load(cls, path: Path, encoder: Encoder) -> EmbeddedClassifier:
        """Read a head.

        Raises:
            ConfigError: missing or broken file, or one written for other features or another encoder.
        """
        safetensors = require("safetensors", "embed")
        try:
            with safetensors.safe_open(path, "numpy") as file:
                about, parts = file.metadata() or {}, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (OSError, safetensors.SafetensorError) as problem:
            raise ConfigError(f"{path}: no classifier can be read from it: {problem}") from None
        for what, mine in (("features", _features()), ("encoder", encoder.identity)):
            if about.get(what) != mine:
                raise ConfigError(f"{path}: was trained with other {what}; train it again with this version")
        return cls(parts["weights"], parts["centre"], parts["scale"], encoder)
