"""A second judge, who is not paid by: what it says of a small sample of the rollouts."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from judgekit.errors import InputError
from judgekit.rewards.rollout import Rollout
from judgekit.rewards.statistics import Groups
from judgekit.rewards.together import Lane, together
from judgekit.types import ComparativeJudge, Comparison, PointwiseJudge, Usage, prompt_text

LOG = logging.getLogger("judgekit.rewards")
SAME = 1e-9


@dataclass(frozen=True)
class Held:
    """What the hold-out judge said of one batch.

    Attributes:
        disagreement: the share of pairs that it orders otherwise than the reward, a tie of its own as half; None
            without a verdict on any.
        score: the mean of its scores, on [0, 1]; None where it gives none.
        asked: verdicts asked for; ``failed``: those that did not come.
    """

    disagreement: float | None = None
    score: float | None = None
    asked: int = 0
    failed: int = 0
    usage: Usage = Usage()


class HoldOut:
    """A judge who is asked about pairs of rollouts of one group that the reward tells apart.

    Each rollout is drawn by a hash of the seed, the step, its prompt and its text, with probability share / 2, and
    with it the one of its group, of another reward, whose hash is lowest: a run that is repeated asks the same. Thus a
    pointwise judge scores about that share of all rollouts, and a comparative one compares half as many pairs. A judge
    that raises, or has not answered after ``deadline`` seconds, has failed on all that it was asked; the reason is
    logged.

    Raises:
        InputError: the share is not above 0 and at most 1; the judge neither scores nor compares.
    """

    def __init__(
        self, judge: PointwiseJudge | ComparativeJudge, share: float = 0.02, seed: int = 0, deadline: float = 60.0
    ) -> None:
        if not 0 < share <= 1 or not (hasattr(judge, "score") or hasattr(judge, "compare")):
            raise InputError(f"a hold-out needs a judge that scores or compares, and a share in (0, 1], not {share}")
        self.judge: Any = judge
        self.share, self.seed, self.deadline = share, seed, deadline
        self.lane = Lane()

    def __call__(self, step: int, rollouts: Sequence[Rollout], totals: Sequence[float | None], groups: Groups) -> Held:
        pairs = self.pairs(step, rollouts, totals, groups)
        if not pairs:
            return Held()
        signs = [1 if (totals[i] or 0.0) > (totals[j] or 0.0) else -1 for i, j in pairs]
        return (self._scored if hasattr(self.judge, "score") else self._compared)(rollouts, pairs, signs)

    def pairs(
        self, step: int, rollouts: Sequence[Rollout], totals: Sequence[float | None], groups: Groups
    ) -> list[tuple[int, int]]:
        """Return the places of the pairs that are drawn."""
        drawn: dict[tuple[float, float], tuple[int, int]] = {}
        for places in groups:
            known = [i for i in places if totals[i] is not None]
            if len({totals[i] for i in known}) < 2:
                continue
            at = {i: self._hash(step, rollouts[i]) for i in known}
            for i in known:
                others = [j for j in known if abs((totals[i] or 0.0) - (totals[j] or 0.0)) > SAME]
                if at[i] < self.share / 2 and others:
                    j = min(others, key=lambda k: (at[k], k))
                    drawn.setdefault((min(at[i], at[j]), max(at[i], at[j])), (i, j))
        return list(drawn.values())

    def _hash(self, step: int, rollout: Rollout) -> float:
        text = "\0".join((str(self.seed), str(step), prompt_text(rollout.prompt), rollout.completion))
        digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        return int.from_bytes(digest, "big") / 2.0**64

    def _scored(self, rollouts: Sequence[Rollout], pairs: Sequence[tuple[int, int]], signs: Sequence[int]) -> Held:
        places = list(dict.fromkeys(i for pair in pairs for i in pair))
        scores = self._asked(self.judge.score, [rollouts[i].sample for i in places])
        unit = {i: score.unit for i, score in zip(places, scores, strict=False)}
        known = [value for value in unit.values() if value is not None]
        gaps = [
            None if (a := unit.get(i)) is None or (b := unit.get(j)) is None else sign * (a - b)
            for (i, j), sign in zip(pairs, signs, strict=True)
        ]
        mean = sum(known) / len(known) if known else None
        return Held(_against(gaps), mean, len(places), len(places) - len(known), _usage(scores))

    def _compared(self, rollouts: Sequence[Rollout], pairs: Sequence[tuple[int, int]], signs: Sequence[int]) -> Held:
        asked = [Comparison(rollouts[i].prompt, rollouts[i].visible, rollouts[j].visible) for i, j in pairs]
        found = self._asked(self.judge.compare, asked)
        worth = {"a": 1, "b": -1, "tie": 0}
        gaps = [None if it.winner is None else sign * worth[it.winner] for it, sign in zip(found, signs, strict=False)]
        failed = len(asked) - sum(gap is not None for gap in gaps)
        return Held(_against(gaps), None, len(asked), failed, _usage(found))

    def _asked(self, ask: Any, items: Sequence[Any]) -> list[Any]:
        ((found,),) = together([(self.lane, [lambda: list(ask(items))])], self.deadline)
        if isinstance(found, Exception):
            LOG.warning("the hold-out judge failed on %d items: %s: %s", len(items), type(found).__name__, found)
            return []
        if len(found) != len(items):
            LOG.warning("the hold-out judge gave %d verdicts on %d items: none is used", len(found), len(items))
            return []
        return found


def _against(gaps: Sequence[float | None]) -> float | None:
    """Return the share of the known that are below 0, 0 itself as half."""
    known = [gap for gap in gaps if gap is not None]
    return sum(0.5 if abs(gap) <= SAME else float(gap < 0) for gap in known) / len(known) if known else None


def _usage(verdicts: Sequence[Any]) -> Usage:
    return sum((verdict.usage for verdict in verdicts), Usage())
