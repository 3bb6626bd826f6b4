"""Turns to learn from and to be measured on: a prompt, the right next episode, and a response to learn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from judgekit.episodes.answer import CLOSED, OPENED
from judgekit.episodes.graph import END, Episode, StoryGraph
from judgekit.episodes.prompt import Exchange, characters, episode_prompt, triggers
from judgekit.episodes.response import EpisodeTurn, parse_response
from judgekit.types import Message


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of an episode.

    Attributes:
        prompt: the chat up to the player's act.
        next_episode: the right one.
        conversation: what the turns share that were played in one go.
        episode: the current one; None where it is not known.
        progress: the number of this turn in its episode, from 1; ``budget``: how many turns the episode should take,
            None where it is not known.
        story: the unit by which data are split and resampled; None where it is not known.
        reference: a response to learn from; None where there is none. ``reasoning``: what is thought before it.
        context: the texts that ``story/episodebench`` shows to a judge: ``background``, ``history``, ``episode``,
            ``progress`` and ``user_input``. Empty for published rows, which have none apart from their prompt.
        metadata: what neither policy nor judge may see, for slicing: ``behaviour`` is the player's label.
    """

    id: str
    prompt: tuple[Message, ...]
    next_episode: str
    conversation: str
    episode: str | None
    progress: int
    budget: int | None
    language: str
    story: str | None = None
    reference: str | None = None
    context: Mapping[str, str] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)
    reasoning: str = ""

    @property
    def reply(self) -> str | None:
        """The reference as a policy writes it: its reasoning, in Qwen3's form, and the response."""
        if self.reference is None or not self.reasoning:
            return self.reference
        return f"{OPENED}\n{self.reasoning}\n{CLOSED}\n\n{self.reference}"

    @property
    def stays(self) -> bool | None:
        """Whether to stay is right; None where the current episode is not known."""
        return None if self.episode is None else self.next_episode == self.episode


@dataclass(frozen=True, slots=True)
class Loaded:
    """Turns, and what could not be used: how often, by reason."""

    turns: tuple[Turn, ...]
    left_out: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, found: Iterable[Turn | str]) -> Loaded:
        """Part turns from the reasons why there are none."""
        listed = list(found)
        reasons = Counter(one for one in listed if isinstance(one, str))
        return cls(tuple(one for one in listed if isinstance(one, Turn)), dict(reasons))


@dataclass(frozen=True, slots=True)
class Act:
    """One exchange as it was recorded: with the label of the player's behaviour, which stays behind in the metadata."""

    action: str
    response: str
    behaviour: str | None = None


@dataclass(frozen=True, slots=True)
class Conversation:
    """A story as it was played, from the start or from the episode named; each response says where it went."""

    id: str
    acts: tuple[Act, ...]
    episode: str = ""


def turns_of(
    graph: StoryGraph, played: Conversation, *, secret: bytes, prompt: str = "", shown: int | None = None
) -> Loaded:
    """Return a turn for each exchange of a conversation, with the recorded step as the right one.

    The progress begins anew in each episode, and so does the history. From a response that is no turn, or that goes
    where the graph has no way, the rest of the conversation is left out: nobody knows in which episode it is.

    Args:
        secret, prompt, shown: as in `judgekit.episodes.prompt.episode_prompt`.

    Raises:
        InputError: the graph has not the episode that the conversation begins in.
    """
    found: list[Turn | str] = []
    for n, step in enumerate(_followed(graph, played), 1):
        if isinstance(step, str):
            found.append(step)
            continue
        chat = episode_prompt(
            graph, step.episode, step.history, step.act.action, secret=secret, prompt=prompt, shown=shown
        )
        found.append(_turn(graph, step, chat, played.id, n))
    return Loaded.of(found)


@dataclass(frozen=True, slots=True)
class _Step:
    episode: Episode
    history: tuple[Exchange, ...]
    act: Act
    right: str


def _followed(graph: StoryGraph, played: Conversation) -> Iterator[_Step | str]:
    """Yield where each exchange stood and where it went, or why it cannot be used."""
    episode = graph.episode(played.episode) if played.episode else graph.start
    history: tuple[Exchange, ...] = ()
    over = ""
    for act in played.acts:
        if over:
            yield over
            continue
        right, problem = _right(episode, act.response)
        if problem:
            over = "after a response that cannot be followed"
            yield problem
            continue
        yield _Step(episode, history, act, right)
        history = (*history, Exchange(act.action, act.response))
        if right == END:
            over = "after the end of the story"
        elif right != episode.id:
            episode, history = graph.episode(right), ()


def _right(episode: Episode, response: str) -> tuple[str, str]:
    """Return where a response goes, and why nobody can follow it there; empty where one can."""
    turn = parse_response(response)
    if isinstance(turn, str):
        return "", f"the response is no turn: {turn}"
    name = turn.next_episode.strip()
    if name in (episode.id, *episode.successors):
        return name, ""
    return name, f"the response goes to {name!r}, where episode {episode.id!r} has no way"


def _turn(graph: StoryGraph, step: _Step, prompt: Iterable[Message], conversation: str, n: int) -> Turn:
    episode, act = step.episode, step.act
    return Turn(
        id=f"{conversation}/{n}",
        prompt=tuple(prompt),
        next_episode=step.right,
        conversation=conversation,
        episode=episode.id,
        progress=len(step.history) + 1,
        budget=episode.budget,
        language=graph.language,
        story=graph.story,
        reference=act.response,
        context=judged_texts(graph, episode, step.history, act.action),
        metadata={} if act.behaviour is None else {"behaviour": act.behaviour},
    )


def judged_texts(graph: StoryGraph, episode: Episode, history: Sequence[Exchange], action: str) -> dict[str, str]:
    """Return what the rubric ``story/episodebench`` shows to a judge beside the response."""
    parts = [episode.id, episode.scene, episode.goal, episode.description]
    return {
        "background": "\n".join(part for part in (graph.background, graph.role) if part),
        "history": told(history) or "-",
        "episode": "\n".join(part for part in (*parts, characters(graph, episode), triggers(graph, episode)) if part),
        "progress": f"current {len(history) + 1}, total {episode.budget}",
        "user_input": action,
    }


def told(history: Sequence[Exchange]) -> str:
    """Write out the turns so far: what the player did, after a mark, and what the story told."""
    return "\n\n".join(f"> {one.action}\n{_story(one.response)}" for one in history)


def _story(response: str) -> str:
    turn = parse_response(response)
    return turn.story if isinstance(turn, EpisodeTurn) else response
