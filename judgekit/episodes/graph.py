"""The graph of a story: episodes, what leads from one to the next, and how many turns each may take."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails

from judgekit.config import Config, problem
from judgekit.episodes.response import Text, spelled
from judgekit.errors import InputError, nearest

END = "-1"
BUDGET = 10  # turns; the card's T
Problem = tuple[str, tuple[str | int, ...]]  # what to do, and where


def _id(value: Any) -> Any:
    return spelled(value) or value


Id = Annotated[Text, BeforeValidator(_id)]


class Trigger(Config):
    """A way out of an episode: it fires when all of its conditions hold."""

    conditions: tuple[Text, ...]
    next_episode: Id


class Episode(Config):
    """One episode of a story.

    Attributes:
        characters: who takes part, by name.
        triggers: the ways out; until one of them fires, the story stays.
        budget: how many turns the episode should take, the one that leaves it included.
    """

    id: Id
    goal: str
    scene: str
    description: str = ""
    characters: Mapping[str, str] = Field(default_factory=dict)
    triggers: tuple[Trigger, ...]
    budget: Annotated[int, Field(strict=True)] = BUDGET

    @property
    def successors(self) -> tuple[str, ...]:
        """The episodes that its triggers lead to, each once; ``"-1"`` is the end."""
        return tuple(dict.fromkeys(trigger.next_episode for trigger in self.triggers))


class StoryGraph(Config):
    """G = (E, T, B) of EpisodeBench: episodes, triggers, budgets. The first episode is the start.

    Attributes:
        story: its name; the unit by which data are split and resampled.
        role: whom the player plays.

    Raises:
        ConfigError: (when loaded) a story that cannot be played; one line for each problem says what to do: an id that
            stands twice or is ``"-1"``, a trigger to nowhere or without a condition, an episode without triggers, out
            of reach or from which no path leads to the end, a budget below 1.
    """

    story: Text
    language: Literal["en", "zh"] = "en"
    background: str
    role: str = ""
    episodes: Annotated[tuple[Episode, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _playable(self) -> Self:
        found = problems(self.episodes)
        if found:
            raise ValidationError.from_exception_data(
                "StoryGraph",
                [InitErrorDetails(type=problem(what), loc=("episodes", *place), input=None) for what, place in found],
            )
        return self

    @cached_property
    def _by_id(self) -> dict[str, Episode]:
        return {episode.id: episode for episode in self.episodes}

    @property
    def start(self) -> Episode:
        """The episode that the story begins with."""
        return self.episodes[0]

    def episode(self, name: str) -> Episode:
        """Return an episode by its id.

        Raises:
            InputError: there is none; names the nearest.
        """
        if name not in self._by_id:
            raise InputError(f"the story {self.story!r} has no episode {name!r}{nearest(name, self._by_id)}")
        return self._by_id[name]


def problems(episodes: Sequence[Episode]) -> list[Problem]:
    """Return all that keeps a story from being played, in the order of its episodes."""
    first: dict[str, int] = {}
    for i, episode in enumerate(episodes):
        first.setdefault(episode.id, i)
    found = [fault for i, episode in enumerate(episodes) for fault in _own(i, episode, first)]
    found += [fault for i, episode in enumerate(episodes) for fault in _dangling(i, episode, first)]
    return sorted([*found, *_unreachable(episodes, first), *_trapped(episodes, first)], key=lambda p: int(p[1][0]))


def _own(i: int, episode: Episode, first: Mapping[str, int]) -> Iterable[Problem]:
    """Yield what is wrong with an episode by itself."""
    if episode.id == END:
        yield f"{END!r} is the end of a story and no episode: give it another id", (i, "id")
    elif first[episode.id] != i:
        yield f"the id {episode.id!r} stands twice: give each episode its own", (i, "id")
    if not episode.triggers:
        yield f"the episode {episode.id!r} has no triggers: add one; to the end it leads to {END!r}", (i, "triggers")
    for n, trigger in enumerate(episode.triggers):
        if not trigger.conditions:
            yield "a trigger without conditions: say when it fires", (i, "triggers", n, "conditions")
    if episode.budget < 1:
        yield f"the budget is {episode.budget}: an episode takes a turn at least; give 1 or more", (i, "budget")


def _dangling(i: int, episode: Episode, first: Mapping[str, int]) -> Iterable[Problem]:
    for n, trigger in enumerate(episode.triggers):
        name, place = trigger.next_episode, (i, "triggers", n, "next_episode")
        if name == episode.id:
            yield f"{name!r} leads to itself: to stay needs no trigger; remove it", place
        elif name != END and name not in first:
            yield f"there is no episode {name!r}{nearest(name, {*first, END})}", place


def _unreachable(episodes: Sequence[Episode], first: Mapping[str, int]) -> Iterable[Problem]:
    reached = _closure([episodes[0].id], {name: episodes[i].successors for name, i in first.items()})
    for name, i in first.items():
        if name not in reached:
            yield f"no path from the start leads to {name!r}: let a trigger lead there, or remove it", (i, "id")


def _trapped(episodes: Sequence[Episode], first: Mapping[str, int]) -> Iterable[Problem]:
    """Yield the episodes that never reach the end; another fault of their triggers is told alone."""
    before: dict[str, list[str]] = {}
    for name, i in first.items():
        for after in episodes[i].successors:
            before.setdefault(after, []).append(name)
    mended = [name for name, i in first.items() if not episodes[i].triggers]
    mended += [name for name in before if name not in first and name != END]
    ends = _closure([END, *mended], before)
    trapped = [name for name in first if name not in ends]
    if trapped:
        names = ", ".join(map(repr, trapped))
        yield f"no path leads to the end from {names}: let a trigger there lead to {END!r} or out", (first[trapped[0]],)


def _closure(start: Iterable[str], steps: Mapping[str, Iterable[str]]) -> set[str]:
    """Return all that can be reached in any number of steps."""
    found, todo = set(start), list(start)
    while todo:
        new = set(steps.get(todo.pop(), ())) - found
        found |= new
        todo += new
    return found
