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
Band = Annotated[tuple[float, float] | None, typer.Option("--length", help="Fewest and most words of a turn.")]
Buckets = Annotated[
    list[int] | None, typer.Option("--bucket", help="Upper end of a length asked for, 2000 say; again for more.")
]
Responses = Annotated[int | None, typer.Option("--k", min=1, help="Responses to each prompt; 7 to turns, else 1.")]
Stories = Annotated[int, typer.Option("--play", min=0, help="Stories of the storyworld to be played.")]
Limit = Annotated[int | None, typer.Option("--limit", min=1, help="The first so many prompts only.")]
Temperature = Annotated[float, typer.Option("--temperature", min=0, max=5, help="Of the responses.")]
TopP = Annotated[float, typer.Option("--top-p", min=0.01, max=1, help="Likeliest tokens that are sampled from.")]
Tokens = Annotated[int, typer.Option("--max-tokens", min=1, help="Most new tokens of a response.")]
Size = Annotated[int, typer.Option("--batch", min=1, help="Prompts in a batch, which a kill can lose.")]


def evaluate(
    model: Annotated[str, typer.Argument(help="Folder of weights, or a YAML file: model: of a judge.yaml.")],
    data: Annotated[str, typer.Option("--data", help="storyworld, turns (file or hub), or JSONL of prompts.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for everything; an unfinished one is resumed.")],
    judge: Judge = None,
    k: Responses = None,
    play: Stories = 0,
    limit: Limit = None,
    split: Annotated[str, typer.Option("--split", help="Of a data set of the hub.")] = "test",
    temperature: Temperature = 0.7,
    top_p: TopP = 0.95,
    max_tokens: Tokens = 1024,
    seed: Annotated[int, typer.Option("--seed", help="Of the responses.")] = 0,
    band: Band = None,
    bucket: Buckets = None,
    batch: Size = 16,
    json: Json = False,
) -> None:
    """Let a policy respond, judge and measure the responses, and show the tables.

    Exit codes: 0 done, 1 not one response or not one score, 2 something for you to mend.
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
        buckets=bucket or None,
        size=batch,
        progress=progress_bar,
    )
    tables = found.tables()
    path = found.save(tables)
    if json:
        print(json_.dumps(json_.loads(path.read_text(encoding="utf-8")), ensure_ascii=False))
    else:
        policy_tables.show_evaluation(found, tables)
    if found.empty:
        raise typer.Exit(1)


def compare(
    folders: Annotated[
        list[Path], typer.Argument(help="Folders of evaluations of the same data; the first: the base.")
    ],
    judge: Judge = None,
    out: Annotated[Path | None, typer.Option("--out", help="Folder for verdicts, JSON and report.html.")] = None,
    json: Json = False,
) -> None:
    """Show evaluations side by side: each one less the first, with intervals and adjusted p.

    With a judge that compares, also how often it prefers each one to the first; with three or more, their Elo.

    Exit codes: 0 done, 1 not one verdict, 2 something for you to mend.
    """
    from judgekit.cli.policy_report import Report
    from judgekit.errors import InputError
    from judgekit.files import writable
    from judgekit.policy.evaluation import Evaluation

    if len(folders) < 2:
        raise InputError("a comparison needs two folders or more")
    if judge is not None and out is None:
        raise InputError("--judge needs --out: the folder that keeps its verdicts")
    if out is not None:
        writable(out)
    report = Report.of([Evaluation.load(folder) for folder in folders], judge, out, progress_bar)
    if out is not None:
        text = json_.dumps(report.facts, ensure_ascii=False, indent=1, allow_nan=False)
        (out / "comparison.json").write_text(f"{text}\n", encoding="utf-8")
        report.page.save(out / "report.html")
    if json:
        print(json_.dumps(report.facts, allow_nan=False))
    else:
        report.show()
        if out is not None:
            print(f"report: {out / 'report.html'}")
    if not report.judged:
        raise typer.Exit(1)


@contextmanager
def progress_bar(label: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show a bar on stderr while something is done."""
    from judgekit.cli.show import progress

    with progress(label, total) as (bar, task):
        yield lambda done: bar.update(task, completed=done)
