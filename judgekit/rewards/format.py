"""The form of an answer as a channel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, get_args

from judgekit.episodes.answer import json_object
from judgekit.episodes.response import EpisodeTurn
from judgekit.errors import InputError
from judgekit.rewards.channel import Channel, Values
from judgekit.rewards.published import all_or_nothing, mended_json, plain_json
from judgekit.rewards.rollout import Rollout
from judgekit.rewards.schema import Schema, checked_schema, fits

Variant = Literal["card", "all-or-nothing", "plain-json", "mended"]
RELEASED: dict[str, Callable[[str], float]] = {
    "all-or-nothing": all_or_nothing,
    "plain-json": plain_json,
    "mended": mended_json,
}


class FormatReward(Channel):
    """R_fmt of EpisodeBench: 0.4 where what a reader sees holds one parseable JSON object, 0.6 more where it is valid.

    What counts as one object is said by `judgekit.episodes.answer.json_object`. Every text has a value: what cannot be
    read is worth 0, and that is known.

    Args:
        schema: what is valid: a pydantic model, or a JSON schema as a dict (the keywords of
            `judgekit.rewards.schema.CHECKS`; another one is an error).
        variant: ``card`` is the formula above, from the model card. The others are what the released training code
            has, for comparison, each with EpisodeBench's own form and its own faults: ``all-or-nothing`` (0.15 for a
            fence + 0.25 + 0.60, and 0 for whatever falls short; Python literals pass), ``plain-json`` (0.2 + 0.3 + 0.5,
            reasoning not taken off), ``mended`` (0.15 + 0.25 + 0.60 for whatever can be mended; the one that the
            released models were trained with). ``{"plot_list": [1], "next_episode": "2"}`` in a fence is worth 1 to the
            last two.

    Raises:
        InputError: a schema that cannot be checked, one for a released variant, or an unknown variant.
    """

    def __init__(self, schema: Schema | None = None, *, variant: Variant = "card", name: str = "format") -> None:
        if variant not in get_args(Variant):
            raise InputError(f"the variants of a format reward are {', '.join(get_args(Variant))}, not {variant!r}")
        if schema is not None and variant != "card":
            raise InputError(f"the variant {variant!r} has a form of its own: leave the schema out, or use 'card'")
        self.schema: Schema = checked_schema(EpisodeTurn if schema is None else schema)
        self.variant, self.name = variant, name

    def __call__(self, rollouts: Sequence[Rollout]) -> Values:
        return Values([self._value(rollout) for rollout in rollouts])

    def _value(self, rollout: Rollout) -> float:
        if self.variant in RELEASED:
            return RELEASED[self.variant](rollout.completion)
        found = json_object(rollout.visible)
        return 0.0 if found is None else 1.0 if fits(found, self.schema) else 0.4
