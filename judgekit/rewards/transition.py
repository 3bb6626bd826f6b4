"""The step to the next episode as a channel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from judgekit.episodes.answer import json_object
from judgekit.episodes.response import EpisodeTurn, spelled
from judgekit.errors import InputError
from judgekit.rewards.channel import Channel, Values
from judgekit.rewards.episode import story_text
from judgekit.rewards.rollout import TOKENS, Rollout
from judgekit.rewards.schema import Schema, checked_schema, fits
from judgekit.types import PointwiseJudge, Score

Id = str | int
Graph = Mapping[Id, Id | Sequence[Id]]
Steps = dict[str, frozenset[str]]


class _UnknownError(Exception):
    """The right episode is not known; the message is the reason."""


class TransitionReward(Channel):
    """R_acc of EpisodeBench: 1 where a valid answer names the right next episode, else 0.

    Ids are names: they are compared as text, without the space around them. An int is the name that its decimal digits
    spell, since data sets store such names as numbers: 2 is "2", and neither "02" nor 2.0 nor true.

    Args:
        expected: the column that holds the right next episode; or the graph of the story, which maps an episode to its
            successor or successors, each of them right.
        current: with a graph, the column that holds the current episode. To stay is right only where the graph says so
            (``{"1": ["1", "2"]}``), for a graph does not know whether the triggers have fired.
        trigger: with a graph, a pointwise judge that knows: it is shown the story that was told (not the claimed next
            episode) and the columns of the row as metadata. Where its score on [0, 1] is at least ``least`` the
            successors are right, else to stay is. It is not asked where the claim is neither. EpisodeBench's release
            takes the recorded label instead, whatever the new text tells.
        schema: what is a valid answer, as in `FormatReward`; ``key``: where the next episode stands in it.

    The value is None where the right episode is not known: no such column, nothing in it, an episode that the graph
    lacks, a judge without a verdict.

    Raises:
        InputError: a graph that is empty or has other things than ids, or a trigger without a graph.
    """

    def __init__(
        self,
        expected: str | Graph = "next_episode",
        *,
        current: str = "episode",
        trigger: PointwiseJudge | None = None,
        least: float = 0.5,
        schema: Schema = EpisodeTurn,
        key: str = "next_episode",
        name: str = "transition",
    ) -> None:
        if trigger is not None and isinstance(expected, str):
            raise InputError("a trigger needs the graph of the story: it decides whether to stay or to go on")
        self.graph = None if isinstance(expected, str) else _steps(expected)
        self.column = expected if isinstance(expected, str) else current
        self.trigger, self.least = trigger, least
        self.schema, self.key, self.name = checked_schema(schema), key, name

    def __call__(self, rollouts: Sequence[Rollout]) -> Values:
        verdicts = self._verdicts(rollouts)
        values = Values()
        for i, rollout in enumerate(rollouts):
            try:
                values.append(float(self._claim(rollout) in self._right(rollout, verdicts.get(i))))
            except _UnknownError as reason:
                values.append(None)
                values.reasons[i] = str(reason)
        return values

    def looks_at(self, rollout: Rollout) -> tuple[str | None, Mapping[str, Any]]:
        """Return the answer without the reasoning, and all columns but the tokens."""
        return rollout.visible, {name: value for name, value in rollout.columns.items() if name != TOKENS}

    def _claim(self, rollout: Rollout) -> str | None:
        """Return the episode that a valid answer names."""
        found = json_object(rollout.visible)
        return None if found is None or not fits(found, self.schema) else spelled(found.get(self.key))

    def _right(self, rollout: Rollout, verdict: Score | None) -> frozenset[str]:
        """Return the episodes that are right; without a verdict of the trigger's judge, as if it had fired."""
        episode = self._episode(rollout)
        if self.graph is None:
            return frozenset([episode])
        if verdict is None:
            return self.graph[episode]
        if verdict.unit is None:
            raise _UnknownError(f"the trigger's judge: {verdict.error}")
        return self.graph[episode] if verdict.unit >= self.least else frozenset([episode])

    def _episode(self, rollout: Rollout) -> str:
        """Return the episode that the column holds."""
        if self.column not in rollout.columns:
            raise _UnknownError(f"the row has no column {self.column!r}")
        held = rollout.columns[self.column]
        episode = spelled(held)
        if episode is None:
            raise _UnknownError(f"column {self.column!r} holds no episode but {held!r:.60}")
        if self.graph is not None and episode not in self.graph:
            raise _UnknownError(f"the graph has no episode {episode!r:.60}")
        return episode

    def _verdicts(self, rollouts: Sequence[Rollout]) -> dict[int, Score]:
        """Return the judge's verdicts on those rollouts that could be right, by place."""
        if self.trigger is None:
            return {}
        asked = [i for i, rollout in enumerate(rollouts) if self._open(rollout)]
        samples = [replace(rollouts[i].sample, response=story_text(rollouts[i]) or rollouts[i].visible) for i in asked]
        return dict(zip(asked, self.trigger.score(samples), strict=True)) if asked else {}

    def _open(self, rollout: Rollout) -> bool:
        """Return whether the claim is to stay or to go on."""
        try:
            return self._claim(rollout) in self._right(rollout, None) | {self._episode(rollout)}
        except _UnknownError:
            return False  # said again, with its reason, where the values are made


def _steps(graph: Graph) -> Steps:
    if not isinstance(graph, Mapping) or not graph:
        raise InputError("a graph maps each episode to its successor or successors; this one is empty or no mapping")
    found: Steps = {}
    for episode, after in graph.items():
        steps = [after] if isinstance(after, str) or not isinstance(after, Sequence) else list(after)
        ids = [spelled(one) for one in (episode, *steps)]
        if None in ids or spelled(episode) in found:
            raise InputError(f"the graph's {episode!r}: {after!r:.60} needs ids, texts or ints, each episode once")
        found[str(ids[0])] = frozenset(map(str, ids[1:]))
    return found
