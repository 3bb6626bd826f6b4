"""The answer that EpisodeBench asks for: what happens, who says what, and which episode comes next."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from judgekit.rewards.answer import json_object
from judgekit.rewards.rollout import Rollout
from judgekit.rewards.schema import fits


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("is blank")
    return text


def _says_something(text: str) -> str:
    if not any(map(str.isalnum, text)):
        raise ValueError("holds no letter")
    return text


Text = Annotated[str, AfterValidator(_not_blank)]


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")


class Line(_Part):
    """What somebody says; it may be no more than an ellipsis."""

    name: Text
    utterance: Text


class Nobody(_Part):
    """``{}``: nobody speaks."""


class Plot(_Part):
    """What happens, and what is said: a line or ``{}`` as in the release's data, or a list of lines as on its card."""

    narrative: Annotated[str, AfterValidator(_says_something)]
    role_dialogue: Line | Nobody | list[Line]


class EpisodeTurn(_Part):
    """One turn of a story: ``plot_list`` and ``next_episode``, and nothing else.

    Stricter than any of the released variants: a plot without words, an unknown key, an id that is a number and a line
    without a speaker or without words are refused. (Of the release's own 33 sample plots one has such an empty line.)
    """

    plot_list: list[Plot] = Field(min_length=1)
    next_episode: Text


def story_text(rollout: Rollout) -> str | None:
    """Return what a rollout tells: its narratives and utterances, a line each; None where its answer is no turn.

    Neither the names of speakers nor what stands around the JSON object count.
    """
    found = json_object(rollout.visible)
    if found is None or not fits(found, EpisodeTurn):
        return None
    parts: list[str] = []
    for plot in found["plot_list"]:
        said = plot["role_dialogue"]
        lines = said if isinstance(said, list) else [said] if said else []
        parts += [plot["narrative"], *(line["utterance"] for line in lines)]
    return "\n".join(parts)
