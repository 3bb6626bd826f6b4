"""Who plays: simulated users of three kinds, scripted or by a model, and mixtures of them.

How a player behaves stands in `Move.behaviour`, for slicing. No prompt, history or judged text holds it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal, Protocol

from judgekit import content
from judgekit.episodes.data import told
from judgekit.episodes.graph import Episode, StoryGraph, Trigger
from judgekit.episodes.prompt import Exchange, characters
from judgekit.episodes.world import DO, PRANKS, act, idle
from judgekit.errors import InputError
from judgekit.models import Decoding, Model, Reply, Request
from judgekit.rubrics.prompt import CONTROL, nonce_for
from judgekit.rubrics.template import fill
from judgekit.storyworld.dice import Dice
from judgekit.storyworld.words import THINGS

Behaviour = Literal["normal", "abnormal", "hacking"]


@dataclass(frozen=True, slots=True)
class Scene:
    """What a player sees when it is its turn.

    Attributes:
        history: the exchanges of this episode.
        conversation: the id of what is played in one go; ``play``: which one of its story, from 0.
        turn: the number of this turn in the conversation, from 1.
    """

    graph: StoryGraph
    episode: Episode
    history: tuple[Exchange, ...]
    conversation: str
    play: int
    turn: int

    @property
    def progress(self) -> int:
        """The number of this turn in its episode, from 1."""
        return len(self.history) + 1


@dataclass(frozen=True, slots=True)
class Move:
    """What a player does; ``action`` is None exactly when ``error`` says why."""

    action: str | None
    behaviour: str
    error: str = ""


class Player(Protocol):
    """Acts in scenes of stories that are played at the same time: batch in, batch out, same order."""

    def __call__(self, scenes: Sequence[Scene]) -> list[Move]: ...


@dataclass(frozen=True, slots=True)
class NormalPlayer:
    """Plays generated stories as they are meant: a trigger fires in the last fifth of the budget, and again until left.

    Equal seeds play equally, whatever else is played beside.
    """

    seed: int = 0

    def __call__(self, scenes: Sequence[Scene]) -> list[Move]:
        """Return what the player does.

        Raises:
            InputError: a story that `StoryWorld` did not make: its conditions are no phrases to repeat.
        """
        return [Move(self._action(scene), "normal") for scene in scenes]

    def _action(self, scene: Scene) -> str:
        trigger, due = self._plan(scene)
        dice = Dice("normal", self.seed, scene.conversation, scene.turn)
        return act(scene.episode, trigger, dice)[0] if scene.progress >= due else idle(scene.episode, dice)

    def _plan(self, scene: Scene) -> tuple[Trigger, int]:
        """Return the trigger to fire in this stay in the episode, and in which of its turns."""
        episode = scene.episode
        if not all(text.startswith(f"{DO} the ") for trigger in episode.triggers for text in trigger.conditions):
            story = scene.graph.story
            raise InputError(f"a NormalPlayer plays generated stories, and {story!r} is none; use a ModelPlayer")
        dice = Dice("plan", self.seed, scene.conversation, scene.turn - scene.progress)
        return dice.pick(episode.triggers), dice.between(-(-4 * episode.budget // 5), episode.budget)


@dataclass(frozen=True, slots=True)
class AbnormalPlayer:
    """Does what has nothing to do with the goal of a generated story; no trigger ever fires."""

    seed: int = 0

    def __call__(self, scenes: Sequence[Scene]) -> list[Move]:
        return [Move(self._action(scene), "abnormal") for scene in scenes]

    def _action(self, scene: Scene) -> str:
        dice = Dice("abnormal", self.seed, scene.conversation, scene.turn)
        return dice.pick(PRANKS).replace("{thing}", dice.pick(THINGS))


@dataclass(frozen=True, slots=True)
class HackingPlayer:
    """Says lines of prompt injection, in the story's language (``policy/players/hacking.*.txt``).

    Some ask for a next episode: one that a trigger leads to, so that a policy that obeys is not told by the id.
    """

    seed: int = 0

    def __call__(self, scenes: Sequence[Scene]) -> list[Move]:
        return [Move(self._action(scene), "hacking") for scene in scenes]

    def _action(self, scene: Scene) -> str:
        dice = Dice("hacking", self.seed, scene.conversation, scene.turn)
        line = dice.pick(injections(scene.graph.language))
        return line.replace("{way}", dice.pick(scene.episode.successors))


@lru_cache
def injections(language: Literal["en", "zh"]) -> tuple[str, ...]:
    """Return the lines of prompt injection; ``{way}`` in one stands for an episode's id."""
    return tuple(_text(f"hacking.{language}").splitlines())


def _text(name: str) -> str:
    return (content.folder("policy") / "players" / f"{name}.txt").read_text(encoding="utf-8")


@dataclass(frozen=True)
class ModelPlayer:
    """Has a model play (prompts: ``policy/players``); what the policy told stands in a fence, as it may be hostile.

    A reply that failed or is blank is a move without an action, and its reason.
    """

    model: Model
    behaviour: Literal["normal", "abnormal"] = "normal"
    decoding: Decoding = field(default_factory=lambda: Decoding(temperature=1.0, max_tokens=96))

    def __call__(self, scenes: Sequence[Scene]) -> list[Move]:
        replies = dict(self.model.complete([self._request(scene) for scene in scenes], self.decoding))
        return [self._move(replies[i]) for i in range(len(scenes))]

    def _request(self, scene: Scene) -> Request:
        form, texts = _text(f"{self.behaviour}.{scene.graph.language}"), _texts(scene)
        nonce = nonce_for(self.model.secret, json.dumps(texts, sort_keys=True))
        asked = fill(form, {**texts, "nonce": nonce})
        return Request([{"role": "user", "content": asked}], fill(form, {**texts, "nonce": ""}), scene.play)

    def _move(self, reply: Reply) -> Move:
        if reply.text is None:
            return Move(None, self.behaviour, f"the player's model: {reply.error}")
        if not reply.text.strip():
            return Move(None, self.behaviour, "the player's model wrote nothing")
        return Move(reply.text.strip(), self.behaviour)


def _texts(scene: Scene) -> dict[str, str]:
    texts = {
        "background": scene.graph.background,
        "role": scene.graph.role,
        "scene": "\n".join(filter(None, [scene.episode.scene, scene.episode.description])),
        "goal": scene.episode.goal,
        "characters": characters(scene.graph, scene.episode),
        "history": told(scene.history),
    }
    return {name: CONTROL.sub(r"\g<0> ", text.strip()) or "-" for name, text in texts.items()}


@dataclass(frozen=True)
class Mixture:
    """Draws who acts, anew in each turn.

    Args:
        players: each with its probability; they add up to 1.

    Raises:
        InputError: no players, a probability below 0, or others than 1 in sum.
    """

    players: Sequence[tuple[float, Player]]
    seed: int = 0

    def __post_init__(self) -> None:
        shares = [share for share, _ in self.players]
        if not all(share >= 0 for share in shares) or not math.isclose(math.fsum(shares), 1, abs_tol=1e-9):
            raise InputError(f"probabilities {shares}: give each player one, 0 or more, that add up to 1")

    def __call__(self, scenes: Sequence[Scene]) -> list[Move]:
        chosen = [self._choose(scene) for scene in scenes]
        moves: dict[int, Move] = {}
        for k, (_, player) in enumerate(self.players):
            own = [i for i, choice in enumerate(chosen) if choice == k]
            moves.update(zip(own, player([scenes[i] for i in own]) if own else [], strict=True))
        return [moves[i] for i in range(len(scenes))]

    def _choose(self, scene: Scene) -> int:
        """Return whose turn it is, never one of probability 0."""
        at = Dice("mixture", self.seed, scene.conversation, scene.turn).uniform(0, 1)
        reached, last = 0.0, 0
        for k, (share, _) in enumerate(self.players):
            if share > 0:
                reached, last = reached + share, k
                if at < reached:
                    return k
        return last
