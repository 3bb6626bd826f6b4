"""What every judge is: batch in, batch out, a fingerprint, a file to load from and save to."""

from __future__ import annotations

import hashlib
import json
import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from judgekit.errors import InputError
from judgekit.types import Comparison, Preference, Sample, Score, Winner, logistic


class Judge(ABC):
    """Scores samples or compares pairs, or both. A pointwise judge compares by scoring both sides.

    One calling style: lists in, lists out, same order, synchronous. An item that cannot be judged comes back with
    its reason in ``error``; an exception means that the call as a whole was wrong.
    """

    @staticmethod
    def load(path: str | Path) -> Judge:
        """Read a judge from its ``judge.yaml``, or from the folder that `save` wrote.

        Raises:
            ConfigError: unknown key, wrong value, missing file; names the file, the line and the nearest known name.
        """
        from judgekit.judges.load import load_judge  # the loader knows every kind of judge; a judge knows none

        return load_judge(path)

    def save(self, folder: str | Path) -> Path:
        """Write ``judge.yaml`` and what belongs to it into ``folder``, such that `load` gives the same judge.

        Returns:
            The path of the judge.yaml.
        """
        from judgekit.judges.load import save_judge

        return save_judge(self, folder)

    @property
    @abstractmethod
    def identity(self) -> dict[str, Any]:
        """What decides the verdicts: model, revision, rubric, prompt, decoding."""

    @cached_property
    def fingerprint(self) -> str:
        """Hash of the identity, 16 hexadecimal digits."""
        return digest(self.identity)

    def score(self, samples: Sequence[Sample]) -> list[Score]:
        """Score every sample.

        Raises:
            InputError: this judge only compares.
        """
        raise InputError("this judge's rubric is pairwise: it compares two responses, and has no score for one")

    def compare(self, comparisons: Sequence[Comparison]) -> list[Preference]:
        """Compare every pair; here by the scores of both sides, which no order can bias."""
        sides = [side for comparison in comparisons for side in comparison.sides()]
        scores = self.score(sides)
        return [self._prefer(a, b) for a, b in zip(scores[::2], scores[1::2], strict=True)]

    def _prefer(self, a: Score, b: Score) -> Preference:
        usage, judge = a.usage + b.usage, self.fingerprint
        if a.value is None or b.value is None:
            error = "; ".join(f"{name}: {side.error}" for name, side in (("a", a), ("b", b)) if side.error)
            return Preference(None, scores=(a.value, b.value), error=error, usage=usage, judge=judge)
        winner: Winner = "a" if a.value > b.value else "b" if b.value > a.value else "tie"
        probability = logistic(a.value - b.value) if a.scale is None else None
        return Preference(winner, probability, (a.value, b.value), None, usage=usage, judge=judge)


POINTS: dict[Winner, float] = {"a": 1.0, "tie": 0.5, "b": 0.0}


def winner_of(probability: float) -> Winner:
    """Return the side that a probability that a is better means; one half is a tie."""
    return "tie" if math.isclose(probability, 0.5, abs_tol=1e-9) else "a" if probability > 0.5 else "b"


def digest(identity: Any) -> str:
    """Return 16 hexadecimal digits that stand for a JSON value."""
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:16]
