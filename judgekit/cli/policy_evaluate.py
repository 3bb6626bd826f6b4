"""``judgekit policy evaluate`` and ``compare``: a policy's responses, measured; two policies, side by side."""

from __future__ import annotations

import json as json_
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from judgekit.cli.judging import Json

if TYPE_CHECKING:
    from collections.abc import Callable

TURN_K, STORY_K = 7, 1  # EpisodeBench's, POLARIS'
Judge = Annotated[Path | None, typer.Option("--judge", help="judge.yaml, or the folder that holds it.")]


def evaluate(
    model: Annotated[str, typer.Argument(help="Folder of weights, or a YAML file: model: of a judge.yaml.")],
    data: Annotated[str, typer.Option("--data", help="storyworld, turns (file or hub), or JSONL of prompts.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for everything; an unfinished one is resumed.")],
    judge: Judge = None,
    k: Annotated[int | None, typer.Option("--k", min=1, help="Responses to each prompt; 7 to turns, else 1.")] = None,
    play: Annotated[int, typer.Option("--play", min=0, help="Stories of the storyworld to be played.")] = 0,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="The first so many prompts only.")] = None,
    split: Annotated[str, typer.Option("--split", help="Of a data set of the hub.")] = "test",
    temperature: Annotated[float, typer.Option("--temperature", min=0, max=5)] = 0.7,
    top_p: Annotated[float, typer.Option("--top-p", min=0.01, max=1)] = 0.95,
    max_tokens: Annotated[int, typer.Option("--max-tokens", min=1, help="New tokens of a response.")] = 1024,
    seed: Annotated[int, typer.Option("--seed")] = 0,
    band: Annotated[
        tuple[float, float] | None, typer.Option("--length", help="Least and most words of a turn: 80 100.")
    ] = None,
    batch: Annotated[int, typer.Option("--batch", min=1, help="Prompts in a batch, which a kill can lose.")] = 16,
    json: Json = False,
) -> None:
    """Let a policy respond, judge and measure the responses, and show the tables.

    Exit codes: 0 done, 1 not one response, 2 something for you to mend.
    """
    from judgekit.cli import policy_tables
    from judgekit.judges import Judge as AnyJudge
    from judgekit.models import Decoding
    from judgekit.policy.evaluation import evaluate as run
    from judgekit.policy.evaluation import load_data, open_policy

    asked = load_data(data, split, limit)
    found = run(
        open_policy(model),
        asked,
        out,
        decoding=Decoding(temperature=temperature, top_p=top_p, max_tokens=max_tokens, seed=seed),
        k=k or (TURN_K if asked.kind == "turns" else STORY_K),
        judge=AnyJudge.load(judge) if judge else None,
        play=play,
        band=band,
        size=batch,
        progress=progress_bar,
    )
    tables = found.tables()
    path = found.save(tables)
    if json:
        print(path.read_text(encoding="utf-8"), end="")
    else:
        policy_tables.show_evaluation(found, tables)
    if all(text is None for one in found.responded for text in one.responses):
        raise typer.Exit(1)


def compare(
    one: Annotated[Path, typer.Argument(help="Folder of an evaluation: the base.")],
    two: Annotated[Path, typer.Argument(help="Folder of another one, of the same data.")],
    out: Annotated[Path | None, typer.Option("--out", help="Folder for comparison.json and report.html.")] = None,
    json: Json = False,
) -> None:
    """Show two evaluations side by side: differences, the second less the first, with intervals and adjusted p."""
    from judgekit.cli import policy_tables
    from judgekit.files import writable
    from judgekit.policy.evaluation import Evaluation
    from judgekit.policy.evaluation import compare as held

    pair = Evaluation.load(one), Evaluation.load(two)
    found = held(*pair)
    facts = policy_tables.comparison_facts(pair, found)
    if out is not None:
        writable(out)
        text = json_.dumps(facts, ensure_ascii=False, indent=1, allow_nan=False)
        (out / "comparison.json").write_text(f"{text}\n", encoding="utf-8")
        policy_tables.comparison_page(pair, found).save(out / "report.html")
    if json:
        print(json_.dumps(facts, allow_nan=False))
    else:
        policy_tables.show_comparison(pair, found, out)


@contextmanager
def progress_bar(label: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show a bar on stderr while something is done."""
    from judgekit.cli.show import progress

    with progress(label, total) as (bar, task):
        yield lambda done: bar.update(task, completed=done)
