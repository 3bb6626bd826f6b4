"""``judgekit distill``: a teacher's reasoning about pairs, in both orders, with what it costs shown beforehand."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from judgekit.types import Usage

if TYPE_CHECKING:
    from judgekit.training.chains import Chain
    from judgekit.training.distill import Price

TeacherFile = Annotated[Path, typer.Option("--teacher", help="judge.yaml of a pairwise judge, or its folder.")]
FEW = 20  # chains from which on one verdict for all says something of the teacher
Prices = Annotated[
    tuple[float, float] | None,
    typer.Option("--price", metavar="IN OUT", help="US dollars for a million tokens, in and out: costs are shown."),
]


def distill(
    pairs: Annotated[Path, typer.Argument(help="JSONL: prompt, a, b, label (a, b, tie, null); id, group if you like.")],
    teacher: TeacherFile,
    out: Annotated[Path, typer.Option("--out", help="JSONL file for the chains; an unfinished one is resumed.")],
    samples: Annotated[int, typer.Option("--samples", min=1, help="Chains for each order of each pair.")] = 1,
    price: Prices = None,
    json: Annotated[bool, typer.Option("--json", help="Print the summary as one JSON line on stdout.")] = False,
) -> None:
    """Let a teacher explain every pair in both orders. A chain that failed is kept with its reason.

    With a ``journal`` in the teacher's judge.yaml no answer is paid twice: delete the output and run again to ask anew
    only what failed.
    """
    from judgekit.cli.show import console, progress, summary
    from judgekit.files import check, pair_of, read, read_rows
    from judgekit.judges import Judge
    from judgekit.training.chains import asks
    from judgekit.training.distill import Price, as_teacher, forecast, write_chains

    check(pairs, pair_of)
    judge = as_teacher(Judge.load(teacher), samples)
    given = list(read(pairs, pair_of))
    total, cost = 2 * samples * len(given), Price(*price) if price else None
    done = sum(1 for _ in read_rows(out)) if out.is_file() else 0
    if done:
        console.print(f"{out}: {done} of {total} chains are there")
    console.print(_forecast(forecast(asks(given, samples), max(0, total - done), judge), cost))
    with progress(pairs.name, total) as (bar, task):

        def seen(done: int, used: Usage) -> None:
            spent = f", ${cost.of(used):.2f}" if cost else ""
            bar.update(task, completed=done, description=f"{pairs.name} ({used.output_tokens} tokens out{spent})")

        chains = write_chains(given, judge, out, samples=samples, seen=seen)
    summary({**_facts(chains, cost), "out": str(out)}, as_json=json)
    shown = {chain.shown for chain in chains if chain.shown}
    if len(shown) == 1 and len(chains) >= FEW:
        console.print(
            f"as shown, the verdict is always {shown.pop()!r}: this teacher does not look; no chain will pass"
        )
    if all(chain.winner is None for chain in chains):
        raise typer.Exit(1)


def _forecast(usage: Usage, price: Price | None) -> str:
    text = (
        f"{usage.calls} questions to ask: about {usage.input_tokens:,} tokens in, at most {usage.output_tokens:,} out"
    )
    if price is None:
        return f"{text} (--price IN OUT shows what that costs)"
    return f"{text}; about ${price.of(Usage(0, 0, usage.input_tokens, 0)):.2f} to at most ${price.of(usage):.2f}"


def _facts(chains: list[Chain], price: Price | None) -> dict[str, object]:
    used = sum((chain.usage for chain in chains), Usage())
    said = Counter(chain.shown or "none" for chain in chains)
    errors = Counter(chain.error for chain in chains if chain.error)
    return {
        "chains": len(chains),
        "verdicts as shown": {name: said[name] for name in ("a", "b", "tie", "none") if said[name]},
        "unreadable": dict(errors.most_common(5)),
        "calls": used.calls,
        "from_journal": used.cached,
        "input_tokens": used.input_tokens,
        "output_tokens": used.output_tokens,
        **({"cost_usd": round(price.of(used), 4)} if price else {}),
    }
