"""Stories played turn by turn by a policy and a player, until the end or until an episode takes too long."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from judgekit.episodes.graph import END, Episode, StoryGraph
from judgekit.episodes.players import Move, Player, Scene
from judgekit.episodes.prompt import Exchange, episode_prompt
from judgekit.episodes.response import EpisodeTurn, parse_response
from judgekit.errors import InputError
from judgekit.types import Message

Chat = list[Message]
Policy = Callable[[Sequence[Chat]], Sequence[str | None]]


@dataclass(frozen=True, slots=True)
class PlayedTurn:
    """One turn as it was played.

    Attributes:
        progress: its number in this stay in the episode, from 1.
        behaviour: the player's; nothing that policy or judge is shown holds it.
        parsed: the response as a turn; None where it is none, and ``reason`` says why.
        next_episode: where the story went. It stays where the response is no turn, or goes where the episode has no way
            (``reason`` says that too).
    """

    id: str
    prompt: tuple[Message, ...]
    episode: str
    progress: int
    budget: int
    action: str
    behaviour: str
    response: str
    parsed: EpisodeTurn | None
    reason: str
    next_episode: str


@dataclass(frozen=True, slots=True)
class Visit:
    """One stay in an episode: how many turns it took, and whether the story left it.

    Attributes:
        behaviour: what the player did in it, each kind once, as ``hacking + normal``.
    """

    episode: str
    turns: int
    budget: int
    left: bool
    behaviour: str


@dataclass(frozen=True, slots=True)
class Played:
    """A story as it was played.

    Attributes:
        conversation: its id: the story's name and the number of the play.
        stopped: why it did not reach the end; empty where it did.
    """

    graph: StoryGraph
    conversation: str
    turns: tuple[PlayedTurn, ...]
    stopped: str = ""

    @property
    def visits(self) -> tuple[Visit, ...]:
        """The stays in episodes, in order."""
        starts = [i for i, turn in enumerate(self.turns) if turn.progress == 1]
        return tuple(_visit(self.turns[a:b]) for a, b in pairwise([*starts, len(self.turns)]))

    @property
    def problems(self) -> dict[str, int]:
        """Why responses were not followed, and how often."""
        return dict(Counter(turn.reason for turn in self.turns if turn.reason))


def _visit(turns: Sequence[PlayedTurn]) -> Visit:
    last = turns[-1]
    behaviour = " + ".join(sorted({turn.behaviour for turn in turns}))
    return Visit(last.episode, len(turns), last.budget, last.next_episode != last.episode, behaviour)


def longest(budget: int) -> int:
    """Return how many turns an episode may take: 150 % of its budget, in whole turns."""
    return 3 * budget // 2


@dataclass
class _Game:
    """A play that goes on."""

    graph: StoryGraph
    play: int
    episode: Episode
    history: tuple[Exchange, ...] = ()
    turns: list[PlayedTurn] = field(default_factory=list)
    stopped: str = ""
    over: bool = False

    @property
    def conversation(self) -> str:
        return f"{self.graph.story}/{self.play}"

    @property
    def scene(self) -> Scene:
        return Scene(self.graph, self.episode, self.history, self.conversation, self.play, len(self.turns) + 1)

    @property
    def played(self) -> Played:
        return Played(self.graph, self.conversation, tuple(self.turns), self.stopped)

    def stop(self, reason: str) -> None:
        self.stopped, self.over = reason, True

    def add(self, prompt: Chat, move: Move, response: str) -> None:
        """Take in what the policy answered, and go where it says, if there is a way."""
        turn = _turn(self, prompt, move, response)
        self.turns.append(turn)
        if turn.next_episode == END:
            self.over = True
        elif turn.next_episode != self.episode.id:
            self.episode, self.history = self.graph.episode(turn.next_episode), ()
        else:
            self.history = (*self.history, Exchange(turn.action, response))
        if not self.over:
            self._stop_where_too_long()

    def _stop_where_too_long(self) -> None:
        if len(self.history) >= longest(self.episode.budget):
            self.stop(f"episode {self.episode.id!r} took 150 % of its budget")
        elif len(self.turns) >= sum(longest(episode.budget) for episode in self.graph.episodes):
            self.stop("the story took 150 % of all budgets")  # it went round


def _turn(game: _Game, prompt: Chat, move: Move, response: str) -> PlayedTurn:
    episode, parsed = game.episode, parse_response(response)
    after, reason = episode.id, ""
    if isinstance(parsed, str):
        reason = f"the response is no turn: {parsed}"
    elif parsed.next_episode.strip() in (episode.id, *episode.successors):
        after = parsed.next_episode.strip()
    else:
        reason = "the response goes where the episode has no way"
    return PlayedTurn(
        id=f"{game.conversation}/{len(game.turns) + 1}",
        prompt=tuple(prompt),
        episode=episode.id,
        progress=len(game.history) + 1,
        budget=episode.budget,
        action=str(move.action),
        behaviour=move.behaviour,
        response=response,
        parsed=None if isinstance(parsed, str) else parsed,
        reason=reason,
        next_episode=after,
    )


def roll_out(
    policy: Policy,
    graphs: Sequence[StoryGraph],
    player: Player,
    *,
    secret: bytes,
    plays: int = 1,
    prompt: str = "",
    shown: int | None = None,
) -> list[Played]:
    """Let a policy tell stories to a player; all that still go on take their turns together, one batch for each turn.

    A story goes where the response says, right or wrong, if a trigger of the episode leads there; else it stays, with
    the reason, and the response stands in the history as it was written. It ends at the end, or where an episode took
    150 % of its budget, or (where a story goes round) all of it 150 % of all budgets. Where the player does not act or
    the policy does not answer, it is cut off there, which is nobody's failure.

    Args:
        policy: chats -> what a reader sees of each response, without its reasoning; None for no answer.
        plays: how often each story is played.
        secret, prompt, shown: as in `judgekit.episodes.prompt.episode_prompt`.

    Raises:
        InputError: no stories, two of one name, no plays, or not one answer or move for each story.
    """
    if not graphs or plays < 1 or len({graph.story for graph in graphs}) != len(graphs):
        raise InputError(f"{len(graphs)} stories, {plays} plays: give at least one, each story under its own name")
    games = [_Game(graph, play, graph.start) for graph in graphs for play in range(plays)]
    while going := [game for game in games if not game.over]:
        moves = player([game.scene for game in going])
        _one_each("moves of the player", len(moves), len(going))
        asked: list[tuple[_Game, Move, Chat]] = []
        for game, move in zip(going, moves, strict=True):
            if move.action is None:
                game.stop(move.error)
            else:
                asked.append((game, move, _chat(game, move.action, secret, prompt, shown)))
        _answer(policy, asked)
    return [game.played for game in games]


def _chat(game: _Game, action: str, secret: bytes, prompt: str, shown: int | None) -> Chat:
    return episode_prompt(game.graph, game.episode, game.history, action, secret=secret, prompt=prompt, shown=shown)


def _answer(policy: Policy, asked: Sequence[tuple[_Game, Move, Chat]]) -> None:
    responses = policy([chat for *_, chat in asked]) if asked else []
    _one_each("answers of the policy", len(responses), len(asked))
    for (game, move, chat), response in zip(asked, responses, strict=True):
        if response is None:
            game.stop("the policy gave no answer")
        else:
            game.add(chat, move, response)


def _one_each(what: str, found: int, wanted: int) -> None:
    if found != wanted:
        raise InputError(f"{found} {what} for {wanted} stories: one for each")
