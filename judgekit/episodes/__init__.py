"""The interactive-story task of EpisodeBench: graphs of episodes, prompts, answers, data, a world, players, metrics.

A `StoryGraph` says which episodes there are, what leads from one to the next and how many turns each may take. In each
turn a policy is asked by `episode_prompt` and answers with an `EpisodeTurn`. A `Turn` is what it learns from and is
measured on: from played stories (`turns_of`), from published tables (`read_turns`) or from the `StoryWorld`. `roll_out`
lets a policy and a `Player` play stories. What came of it is said by `judgekit.episodes.metrics` and
`judgekit.episodes.contrasts`, which bring the statistics along and so are imported for themselves.
"""

from __future__ import annotations

from judgekit.episodes.data import Act, Conversation, Loaded, Turn, judged_texts, turns_of
from judgekit.episodes.drawing import draw
from judgekit.episodes.graph import END, Episode, StoryGraph, Trigger
from judgekit.episodes.paths import span
from judgekit.episodes.players import (
    AbnormalPlayer,
    HackingPlayer,
    Mixture,
    ModelPlayer,
    Move,
    NormalPlayer,
    Player,
    Scene,
)
from judgekit.episodes.progress import own_progress
from judgekit.episodes.prompt import Exchange, episode_prompt
from judgekit.episodes.records import graph_of, load_graph, load_graphs
from judgekit.episodes.response import EpisodeTurn, parse_response
from judgekit.episodes.rollout import Played, PlayedTurn, Visit, roll_out
from judgekit.episodes.tables import read_judged, read_turns, write_judged, write_turns
from judgekit.episodes.world import StoryWorld, right_episode

__all__ = [
    "END",
    "AbnormalPlayer",
    "Act",
    "Conversation",
    "Episode",
    "EpisodeTurn",
    "Exchange",
    "HackingPlayer",
    "Loaded",
    "Mixture",
    "ModelPlayer",
    "Move",
    "NormalPlayer",
    "Played",
    "PlayedTurn",
    "Player",
    "Scene",
    "StoryGraph",
    "StoryWorld",
    "Trigger",
    "Turn",
    "Visit",
    "draw",
    "episode_prompt",
    "graph_of",
    "judged_texts",
    "load_graph",
    "load_graphs",
    "own_progress",
    "parse_response",
    "read_judged",
    "read_turns",
    "right_episode",
    "roll_out",
    "span",
    "turns_of",
    "write_judged",
    "write_turns",
]
