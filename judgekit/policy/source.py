"""Where a policy's prompts come from, and what a trainer is given of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Self, cast

from pydantic import Field, model_validator

from judgekit.config import Config, beside
from judgekit.episodes import StoryWorld, Turn
from judgekit.errors import InputError
from judgekit.policy.asked import STORIES, STORYWORLD, Asked, Data, load_data, story_prompts
from judgekit.types import Message

Share = Annotated[float, Field(ge=0, le=1)]
# What TRL gives a reward function beside the columns.
TRAINERS = frozenset(
    "prompts completion completions completion_ids trainer_state log_extra log_metric environments image images".split()
)


class Faults(Config):
    """Shares of the storyworld's replies with a fault; see `judgekit.episodes.StoryWorld.examples`."""

    broken: Share = 0.25
    wrong: Share = 0.3
    long: Share = 0.5


class Source(Config):
    """Turns of episodes, or prompts for stories; see `judgekit.policy.asked.load_data`.

    Attributes:
        source: ``storyworld``, ``storyworld-stories``, a file, or a data set of the hub.
        limit: the first so many only.
        faults: of the storyworld's replies: what is to be learnt from first, and mended by RL.
        flawed: the same for ``storyworld-stories``: the share of stories with a flaw or two, of any length.
    """

    source: str
    split: str = "train"
    limit: Annotated[int, Field(ge=1)] | None = None
    faults: Faults | None = None
    flawed: Share | None = None

    @model_validator(mode="after")
    def _of_the_world(self) -> Self:
        if self.faults and self.source != STORYWORLD:
            raise ValueError(f"faults are made for the source {STORYWORLD!r} alone")
        if self.flawed is not None and self.source != STORIES:
            raise ValueError(f"flawed stories are told by the source {STORIES!r} alone")
        return self

    def beside(self, home: Path) -> Self:
        """Return it with its file taken from where the recipe lies."""
        return self.model_copy(update={"source": beside(home, self.source)})

    def load(self) -> Data:
        """Read it.

        Raises:
            InputError: it cannot be read, or holds nothing.
        """
        found = load_data(self.source, self.split, self.limit)
        if self.flawed is not None:
            return Data(found.name, tuple(story_prompts(len(found.asked), cast(Any, self.split), self.flawed)))
        if self.faults is None:
            return found
        told = StoryWorld().examples(len(found.asked), "test" if self.split == "test" else "train", **dict(self.faults))
        return Data(found.name, tuple(told))


def chat(one: Asked) -> list[Message]:
    """Return the prompt as messages."""
    return [{"role": "user", "content": one.prompt}] if isinstance(one.prompt, str) else list(one.prompt)


def reply(one: Asked) -> str | None:
    """Return a whole reply to learn or to inject, reasoning included; None where there is none."""
    return one.reply if isinstance(one, Turn) else one.human_reference


def row(one: Asked, column: str) -> dict[str, Any]:
    """Return the trainer's row of a prompt: what channels and judges read, and under ``column`` the reply.

    Raises:
        InputError: the metadata of a prompt has a key that the row or the trainer has already.
    """
    own = {"prompt": chat(one), "id": one.id, column: reply(one)}
    if isinstance(one, Turn):
        return {**own, "next_episode": one.next_episode, "episode": one.episode, "story": one.story, **one.context}
    own["reference"] = one.reference
    if taken := one.metadata.keys() & (own.keys() | TRAINERS):
        raise InputError(f"{one.id}: metadata cannot have {', '.join(sorted(taken))}: so another column is called")
    return {**own, **one.metadata}


def table(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return rows that all have every column, None where they had it not: of a table the first row says which."""
    columns = dict.fromkeys(name for one in rows for name in one)
    return [{**columns, **one} for one in rows]
