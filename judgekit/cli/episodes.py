"""``judgekit episodes``: what a story's graph is like, and a picture of it."""

from __future__ import annotations

import json as json_
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from judgekit.episodes.graph import StoryGraph

app = typer.Typer(help="Check and draw the graphs of interactive stories.", no_args_is_help=True)
Graph = Annotated[Path, typer.Argument(help="A graph: YAML or JSON, or a published record.")]


@app.command()
def check(graph: Graph, json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Check a graph: all of its problems at once, each with its line; of a sound one its size and lengths."""
    from judgekit.episodes.records import load_graphs

    for found in load_graphs(graph):
        facts = _facts(found)
        print(json_.dumps(facts, ensure_ascii=False) if json else _sentence(graph, facts))


@app.command()
def draw(
    graph: Graph,
    out: Annotated[Path, typer.Option("--out", help="Where the SVG goes; a file that is there is replaced.")],
) -> None:
    """Draw a graph as one SVG file that needs nothing else."""
    from judgekit.episodes.drawing import draw as picture
    from judgekit.episodes.records import load_graph

    out.write_text(picture(load_graph(graph)), encoding="utf-8")
    print(f"{out}: drawn")


def _facts(graph: StoryGraph) -> dict[str, Any]:
    from judgekit.episodes.paths import span

    budgets = [episode.budget for episode in graph.episodes]
    return {
        "story": graph.story,
        "language": graph.language,
        "episodes": len(graph.episodes),
        "triggers": sum(len(episode.triggers) for episode in graph.episodes),
        "path_episodes": span(graph, lambda episode: 1),
        "path_turns": span(graph, lambda episode: episode.budget),
        "budget": (min(budgets), max(budgets)),
    }


def _sentence(path: Path, facts: dict[str, Any]) -> str:
    return (
        f"{path}: {facts['story']} ({facts['language']}), {facts['episodes']} episodes, {facts['triggers']} triggers; "
        f"to the end {_range(facts['path_episodes'])} episodes, {_range(facts['path_turns'])} turns; "
        f"budget {_range(facts['budget'])}; no problems"
    )


def _range(span: tuple[int, int | None]) -> str:
    low, high = span
    return f"{low} or more (it can go round)" if high is None else f"{low}" if low == high else f"{low} to {high}"
