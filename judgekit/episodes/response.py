"""The answer that EpisodeBench asks for: what happens, who says what, and which episode comes next."""

from __future__ import annotations

import json
from numbers import Integral
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from judgekit.episodes.answer import json_object


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

    @property
    def lines(self) -> list[Line]:
        """What is said, in whichever form it was written."""
        said = self.role_dialogue
        return said if isinstance(said, list) else [said] if isinstance(said, Line) else []


class EpisodeTurn(_Part):
    """One turn of a story: ``plot_list`` and ``next_episode``, and nothing else.

    Stricter than any of the released variants: a plot without words, an unknown key, an id that is a number and a line
    without a speaker or without words are refused. (Of the release's own 33 sample plots one has such an empty line.)
    """

    plot_list: list[Plot] = Field(min_length=1)
    next_episode: Text

    @property
    def story(self) -> str:
        """What the turn tells: its narratives and utterances, a line each; not the names of speakers."""
        return "\n".join(
            text for plot in self.plot_list for text in (plot.narrative, *(x.utterance for x in plot.lines))
        )


def parse_response(text: str) -> EpisodeTurn | str:
    """Return the turn that an answer holds, or why it holds none; its reasoning must have been taken off.

    What counts as one object is said by `judgekit.episodes.answer.json_object`.
    """
    found = json_object(text)
    return "the answer holds no JSON object, or more than one" if found is None else as_turn(found)


def as_turn(found: Any) -> EpisodeTurn | str:
    """Return a JSON value as a turn, or why it is none."""
    try:
        return EpisodeTurn.model_validate_json(json.dumps(found), strict=True)
    except ValidationError as refused:
        first = refused.errors(include_url=False)[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg'].removeprefix('Value error, ')}".removeprefix(": ")


def spelled(value: Any) -> str | None:
    """Return an episode's id as text; None for what is no id.

    Ids are names. An int is the name that its decimal digits spell, since data sets store such names as numbers: 2 is
    "2", and neither "02" nor 2.0 nor true.
    """
    if isinstance(value, Integral) and not isinstance(value, bool):
        return str(int(value))
    return (value.strip() or None) if isinstance(value, str) else None
