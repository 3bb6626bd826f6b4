"""What a rollout tells, without its JSON."""

from __future__ import annotations

from dataclasses import dataclass

from judgekit.episodes.answer import json_object
from judgekit.episodes.response import parse_response
from judgekit.rewards.rollout import Rollout


def story_text(rollout: Rollout) -> str | None:
    """Return what a rollout tells: its narratives and utterances, a line each; None where its answer is no turn.

    Neither the names of speakers nor what stands around the JSON object count.
    """
    turn = parse_response(rollout.visible)
    return None if isinstance(turn, str) else turn.story


@dataclass(frozen=True)
class JSONText:
    """What the JSON object of a rollout holds under a key, for a channel's ``text``; None where that is no text."""

    key: str

    def __call__(self, rollout: Rollout) -> str | None:
        value = (json_object(rollout.visible) or {}).get(self.key)
        return value if isinstance(value, str) else None
