"""How long a story can be: the shortest and the longest way through its graph."""

from __future__ import annotations

import graphlib
import heapq
from collections.abc import Callable

from judgekit.episodes.graph import END, Episode, StoryGraph

Cost = Callable[[Episode], int]


def span(graph: StoryGraph, cost: Cost) -> tuple[int, int | None]:
    """Return the least and the largest sum of a positive cost over the episodes of a path from the start to the end.

    The largest is None where the story can go round, for then there is none.
    """
    return _least(graph, cost), _largest(graph, cost)


def _least(graph: StoryGraph, cost: Cost) -> int:
    """Dijkstra's algorithm; a checked graph has a path to its end."""
    done: set[str] = set()
    open_ = [(0, graph.start.id)]
    while True:
        total, name = heapq.heappop(open_)
        if name == END:
            return total
        if name not in done:
            done.add(name)
            episode = graph.episode(name)
            for after in episode.successors:
                heapq.heappush(open_, (total + cost(episode), after))


def _largest(graph: StoryGraph, cost: Cost) -> int | None:
    steps = {episode.id: episode.successors for episode in graph.episodes}
    try:
        order = list(graphlib.TopologicalSorter(steps).static_order())  # each episode behind its successors
    except graphlib.CycleError:
        return None
    best = {END: 0}
    for name in order:
        if name != END:
            best[name] = cost(graph.episode(name)) + max(best[after] for after in steps[name])
    return best[graph.start.id]
