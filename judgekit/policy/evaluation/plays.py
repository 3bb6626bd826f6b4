"""``played.jsonl``: stories of the storyworld that a policy tells to a player, one row a story."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from judgekit.episodes import (
    AbnormalPlayer,
    HackingPlayer,
    Mixture,
    NormalPlayer,
    Played,
    PlayedTurn,
    Player,
    StoryGraph,
    parse_response,
    roll_out,
)
from judgekit.episodes.rollout import Chat
from judgekit.episodes.world import PROMPT, SHOWN
from judgekit.errors import InputError
from judgekit.files import check, digest_of, read
from judgekit.files.rows import Row
from judgekit.judges.base import digest
from judgekit.models import Decoding, Model
from judgekit.policy.asked import WORLD
from judgekit.policy.evaluation.filling import Progress, fill, silent
from judgekit.policy.evaluation.forms import Form, held_to
from judgekit.policy.evaluation.responses import request, sampled
from judgekit.rewards import Rollout

FILE = "played.jsonl"
SECRET: Final = f"storyworld {WORLD.seed}".encode()  # the prompts of plays are as those of the world's turns
PLAYERS: Final = ((0.8, NormalPlayer()), (0.1, AbnormalPlayer()), (0.1, HackingPlayer()))


@dataclass(frozen=True, slots=True)
class _Story:
    """What a row stands for: a graph, as JSON holds it."""

    id: str
    graph: dict[str, Any]


def play(
    model: Model, stories: int, path: Path, decoding: Decoding, size: int = 64, progress: Progress = silent
) -> list[Played]:
    """Let a policy tell so many test stories of the storyworld, but for those that the file has already.

    The player is normal in four turns of five, else abnormal or hacking, and the same for every policy.

    Args:
        size: stories that are told at the same time.

    Raises:
        InputError: fewer than one story, or a file of another policy or of other stories.
    """
    graphs = {graph.story: graph for graph in WORLD.graphs(stories, "test")}
    items = [_Story(name, graph.model_dump(mode="json")) for name, graph in graphs.items()]
    player = Mixture(list[tuple[float, Player]](PLAYERS))
    author = digest({"model": model.identity, "decoding": decoding.model_dump(), "players": "storyworld 8:1:1"})

    def policy(chats: Sequence[Chat]) -> list[str | None]:
        texts = [reply.text for reply in sampled(model, [request(chat) for chat in chats], decoding)]
        return [None if text is None else Rollout("", text).visible for text in texts]

    def rows_of(batch: list[_Story]) -> list[dict[str, Any]]:
        told = [graphs[one.id] for one in batch]
        played = roll_out(policy, told, player, secret=SECRET, prompt=PROMPT, shown=SHOWN)
        return [_row(one, found, author) for one, found in zip(batch, played, strict=True)]

    fill(path, ("policy", author), items, rows_of, size, progress)
    return read_played(path)


def _row(one: _Story, played: Played, author: str) -> dict[str, Any]:
    turns = [{name: value for name, value in asdict(turn).items() if name != "parsed"} for turn in played.turns]
    texts = {"conversation": played.conversation, "turns": turns, "stopped": played.stopped}
    return {"id": one.id, "input": digest_of(one), "policy": author, "graph": one.graph, **texts}


# --- read back -------------------------------------------------------------------------------------------------------


class _PlayedTurn(Form):
    id: str
    prompt: tuple[dict[str, str], ...]
    episode: str
    progress: int
    budget: int
    action: str
    behaviour: str
    response: str
    reason: str
    next_episode: str


class _PlayedStory(Form):
    id: str
    conversation: str
    graph: dict[str, Any]
    turns: tuple[_PlayedTurn, ...]
    stopped: str = ""
    input: str = ""
    policy: str = ""


def read_played(path: str | Path) -> list[Played]:
    """Read stories as they were played.

    Raises:
        InputError: no such file, no rows, a row that cannot be used, or a story that stands twice; names the file and
            the line.
    """
    check(path, _held)
    return list(read(path, lambda row, line: _played(_held(row, line))))


def _held(row: Row, line: int) -> _PlayedStory:
    found = held_to(_PlayedStory, row)
    _graph(found)
    return found


def _graph(row: _PlayedStory) -> StoryGraph:
    try:
        return StoryGraph.model_validate(row.graph)
    except ValueError as problem:
        raise InputError(f"graph: {problem}") from None


def _played(row: _PlayedStory) -> Played:
    return Played(_graph(row), row.conversation, tuple(_turn(turn) for turn in row.turns), row.stopped)


def _turn(turn: _PlayedTurn) -> PlayedTurn:
    parsed = parse_response(turn.response)
    columns = turn.model_dump(exclude={"prompt"})
    return PlayedTurn(**columns, prompt=turn.prompt, parsed=None if isinstance(parsed, str) else parsed)  # type: ignore[arg-type]
