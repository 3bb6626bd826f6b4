"""The interactive-story task of EpisodeBench: graphs of episodes, prompts, answers, data, and a world to play in.

A `StoryGraph` says which episodes there are, what leads from one to the next and how many turns each may take. In each
turn a policy is asked by `episode_prompt` and answers with an `EpisodeTurn`. A `Turn` is what it learns from and is
measured on: from played stories (`turns_of`), from published tables (`read_turns`) or from the `StoryWorld`.
"""

from __future__ import annotations

from judgekit.episodes.data import Act, Conversation, Loaded, Turn, judged_texts, turns_of
from judgekit.episodes.drawing import draw
from judgekit.episodes.graph import END, Episode, StoryGraph, Trigger
from judgekit.episodes.paths import span
from judgekit.episodes.progress import own_progress
from judgekit.episodes.prompt import Exchange, episode_prompt
from judgekit.episodes.records import graph_of, load_graph, load_graphs
from judgekit.episodes.response import EpisodeTurn, parse_response
from judgekit.episodes.tables import read_judged, read_turns, write_judged, write_turns
from judgekit.episodes.world import StoryWorld, right_episode

__all__ = [
    "END",
    "Act",
    "Conversation",
    "Episode",
    "EpisodeTurn",
    "Exchange",
    "Loaded",
    "StoryGraph",
    "StoryWorld",
    "Trigger",
    "Turn",
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
    "span",
    "turns_of",
    "write_judged",
    "write_turns",
]
