"""judgekit's figures for recorded judges, beside those that were published of the same verdicts.

LLMBar (Zeng et al. 2024, ICLR; princeton-nlp/LLMBar at 900616b) keeps what its judges said of 885 pairs, each asked
in both orders, and the rates computed from it. Here the same verdicts go through `judgekit.calibration.evaluate`, one
judge on one subset at a time, and one of them through the command line as well. Every published rate must come out.

The published rates count an unreadable reply as a wrong one, two of them as agreement, and (in kappa alone) as a vote
for the second response. judgekit leaves such an order out and says how many are left. Where there are any, the
published figure is worked out from judgekit's and its counts; `published` below says how.
::

    python -m benchmarks.llmbar --data ../shared/data/llmbar --json
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import math
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from judgekit.calibration import Bootstrap, PairEvaluation, evaluate
from judgekit.files import pair_row, preference_row
from judgekit.types import Comparison, Pair, Preference, Winner

SIDES: dict[str, Winner] = {"1": "a", "2": "b"}
FEW = Bootstrap(draws=100)  # only values are compared
RATES = (
    "acc_ab_pct",
    "acc_ba_pct",
    "acc_both_pct",
    "acc_average_pct",
    "positional_agreement_pct",
    "kappa_between_orders",
)
SHOWN = ("LLMBar-Adversarial-Manual", "ChatGPT", "Swap_CoT")  # for the command line; three verdicts cannot be read
Judged = dict[tuple[str, str, str], tuple[list[Pair], list[Preference]]]  # by subset, evaluator, strategy


def table(path: Path) -> list[dict[str, str]]:
    with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def read(folder: Path) -> Judged:
    """Return the pairs of each subset and what each judge said of them."""
    pairs = {(row["subset"], row["idx"]): pair_of(row) for row in table(folder / "instances.csv.gz")}
    found: Judged = defaultdict(lambda: ([], []))
    for row in table(folder / "verdicts.csv.gz"):
        known, preferences = found[row["subset"], row["evaluator"], row["strategy"]]
        known.append(pairs[row["subset"], row["idx"]])
        preferences.append(preference_of(row["winner_ab"], row["winner_ba"]))
    return dict(found)


def pair_of(row: dict[str, str]) -> Pair:
    name = f"{row['subset']}/{row['idx']}"
    comparison = Comparison(row["input"], row["output_1"], row["output_2"], name, {"subset": row["subset"]})
    return Pair(comparison, SIDES[row["label"]])


def preference_of(*winners: str) -> Preference:
    """Return the verdict of a pairwise judge whose two orders said this; empty: the reply could not be read."""
    ab, ba = votes = tuple(SIDES.get(winner) for winner in winners)
    recorded = tuple((vote,) for vote in votes)
    if ab is None or ba is None:
        return Preference(None, error=f"order {'a, b' if ab is None else 'b, a'}: no verdict", votes=recorded)
    return Preference(ab if ab == ba else "tie", votes=recorded)


def published(pairs: Sequence[Pair], preferences: Sequence[Preference], found: PairEvaluation) -> dict[str, float]:
    """Return the published rates, from judgekit's shares and the number of pairs that each rests on."""
    whole = len(pairs) / 100

    def hits(name: str) -> float:
        estimate = getattr(found, name)
        return estimate.value * estimate.n if estimate else math.nan

    neither = sum(not any(vote for order in p.votes for vote in order) for p in preferences)
    kappa = found.kappa
    if found.unscored:
        filled = [as_second(preference) for preference in preferences]
        kappa = evaluate(pairs, filled, bootstrap=FEW).kappa
    average = found.accuracy.value * 100 if found.accuracy and not found.unscored else None
    by_order = (hits("accuracy_ab") + hits("accuracy_ba")) / 2 / whole
    return {
        "acc_ab_pct": hits("accuracy_ab") / whole,
        "acc_ba_pct": hits("accuracy_ba") / whole,
        "acc_both_pct": hits("accuracy_both") / whole,
        "acc_average_pct": by_order if average is None else average,
        "positional_agreement_pct": (hits("agreement") + neither) / whole,
        "kappa_between_orders": kappa.value if kappa else math.nan,
    }


def as_second(preference: Preference) -> Preference:
    return replace(preference, votes=tuple(tuple(vote or "b" for vote in order) for order in preference.votes))


def through_the_command_line(pairs: Sequence[Pair], preferences: Sequence[Preference]) -> dict[str, object]:
    """Return what ``judgekit evaluate`` says of the same verdicts, written to files."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder / "pairs.jsonl", (pair_row(pair) for pair in pairs))
        comparisons = [pair.comparison for pair in pairs]
        write(folder / "verdicts.jsonl", map(preference_row, comparisons, preferences))
        command = [
            sys.executable,
            "-m",
            "judgekit",
            "evaluate",
            "pairs.jsonl",
            "--verdicts",
            "verdicts.jsonl",
            "--json",
        ]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)["judges"][0]


def write(path: Path, rows: Iterable[dict[str, object]]) -> None:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/llmbar"))
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    result = run(arguments.data)
    if arguments.json:
        print(json.dumps(result))


def run(folder: Path) -> dict[str, int]:
    """Compare every row, and one judge through the command line; print what differs."""
    judged = read(folder)
    rows, unlike = compare(folder, judged)
    same = command_line_agrees(*judged[SHOWN])
    print(f"{', '.join(SHOWN)} through `judgekit evaluate`: {'the same figures' if same else 'OTHER FIGURES'}")
    return {"rows": rows, "mismatches": unlike + (not same)}


def compare(folder: Path, judged: Judged) -> tuple[int, int]:
    """Compare every published rate; return the number of rows, and of those where one or more differ."""
    rows, unlike, unread = table(folder / "published.csv"), 0, 0
    for row in rows:
        pairs, preferences = judged[row["subset"], row["evaluator"], row["strategy"]]
        found = evaluate(pairs, preferences, bootstrap=FEW)
        unread += found.unscored > 0
        ours = published(pairs, preferences, found)
        differ = {name: (ours[name], row[name]) for name in RATES if not abs(ours[name] - float(row[name])) < 1e-9}
        if differ or len(pairs) != int(row["n"]):
            unlike += 1
            print(row["subset"], row["evaluator"], row["strategy"], len(pairs), differ)
    print(f"{len(rows)} judges on subsets x {len(RATES)} published rates: {unlike} rows differ.")
    print(f"In {len(rows) - unread} rows every reply can be read, and judgekit's figures are compared as they are.")
    print(f"In {unread} the published ones count an unreadable reply as wrong, two of them as agreement, and in kappa")
    print("as a vote for the second response; there they are worked out from judgekit's figures and counts.")
    return len(rows), unlike


def command_line_agrees(pairs: Sequence[Pair], preferences: Sequence[Preference]) -> bool:
    told = through_the_command_line(pairs, preferences)
    found = evaluate(pairs, preferences)
    names = ("accuracy", "accuracy_ab", "accuracy_ba", "accuracy_both", "agreement", "kappa", "first_shown")
    values = {name: getattr(found, name) for name in names}
    for name, estimate in values.items():
        print(f"  {name:15}{estimate}")
    return all(told[name] and told[name]["value"] == estimate.value for name, estimate in values.items())


if __name__ == "__main__":
    main()
