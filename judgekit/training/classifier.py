"""Trains the embedded classifier on preference pairs, and says how well it does on prompts it has not seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from judgekit.calibration.bootstrap import Bootstrap
from judgekit.calibration.estimate import Estimate
from judgekit.errors import InputError
from judgekit.judges.classifier import ClassifierJudge
from judgekit.judges.embedded import EmbeddedClassifier, standardise
from judgekit.judges.features import feature_matrix
from judgekit.models.encoder import Encoder
from judgekit.training.bradley_terry import Array, fit
from judgekit.types import Pair

LABELS = {"a": 1.0, "tie": 0.5, "b": 0.0}
FOLDS = 10
PENALTY = 150.0


@dataclass(frozen=True)
class ClassifierTraining:
    """A trained classifier and what is known of it.

    Attributes:
        accuracy: share of untied pairs won by the higher strength, by cross-validation over groups; None where there
            are too few groups for it.
        pairs: how many pairs it was trained on; ``left_out`` counts the others by reason.
    """

    judge: ClassifierJudge
    accuracy: Estimate | None
    pairs: int
    left_out: dict[str, int]


def train_classifier(
    pairs: Sequence[Pair], *, encoder: Encoder | None = None, penalty: float = PENALTY, seed: int = 0
) -> ClassifierTraining:
    """Fit the embedded classifier; a pair counts as much as its weight says.

    Args:
        penalty: ridge on the weights of standardised features.

    Raises:
        InputError: no usable pair, or only one kind of text.
    """
    encoder = encoder or Encoder()
    usable, left_out = _usable(pairs)
    samples = [side for pair in usable for side in pair.comparison.sides()]
    features = feature_matrix(samples, encoder.encode)
    labels = np.array([LABELS[str(pair.label)] for pair in usable])
    counts = np.array([pair.weight for pair in usable])
    accuracy = _cross_validate(features, labels, counts, [pair.cluster for pair in usable], penalty, seed)
    model = EmbeddedClassifier(*_fit(features, labels, counts, penalty), encoder)
    return ClassifierTraining(ClassifierJudge(model), accuracy, len(usable), left_out)


def _fit(features: Array, labels: Array, counts: Array, penalty: float) -> tuple[Array, Array, Array]:
    """Return weights, centre and scale; rows 2i and 2i + 1 are the two sides of pair i."""
    centre, scale = features.mean(0), spread(features)
    standard = standardise(features, centre, scale)
    return fit(standard[::2] - standard[1::2], labels, penalty, counts), centre, scale


def _usable(pairs: Sequence[Pair]) -> tuple[list[Pair], dict[str, int]]:
    usable, left_out = [], Counter[str]()
    for pair in pairs:
        if pair.label is None:
            left_out["no label"] += 1
        elif pair.comparison.a == pair.comparison.b:
            left_out["the same text on both sides"] += 1
        else:
            usable.append(pair)
    if not any(pair.label != "tie" for pair in usable):
        reasons = ", ".join(f"{count} with {reason}" for reason, count in left_out.items())
        raise InputError(f"no pair says which side is better, of {len(pairs)}{f' ({reasons})' if reasons else ''}")
    return usable, dict(left_out)


def spread(features: Array) -> Array:
    """Return the standard deviation of each feature; 1 for one that never varies."""
    deviation: Array = features.std(0)
    return np.where(deviation > 1e-9, deviation, 1.0)


def folds(groups: Sequence[str], count: int, seed: int) -> NDArray[np.int64]:
    """Deal whole groups into ``count`` folds of nearly equal numbers of groups; shape (items,)."""
    names = sorted(set(groups))
    order = np.random.default_rng(seed).permutation(len(names))
    fold = {names[i]: place % count for place, i in enumerate(order)}
    return np.array([fold[group] for group in groups])


def _cross_validate(
    features: Array, labels: Array, counts: Array, groups: list[str], penalty: float, seed: int
) -> Estimate | None:
    count = min(FOLDS, len(set(groups)))
    untied = labels != 0.5
    if count < 2 or len({g for g, u in zip(groups, untied, strict=True) if u}) < 2:
        return None
    fold = folds(groups, count, seed)
    right: Array = np.zeros(len(labels))
    for k in range(count):
        held = fold == k
        sides = np.repeat(held, 2)
        weights, centre, scale = _fit(features[~sides], labels[~held], counts[~held], penalty)
        strengths = standardise(features[sides], centre, scale) @ weights
        margin = strengths[::2] - strengths[1::2]
        right[held] = np.where(margin == 0, 0.5, (margin > 0) == (labels[held] > 0.5))
    clusters = [group for group, keep in zip(groups, untied, strict=True) if keep]
    return Bootstrap(seed=seed).share(right[untied], clusters)
