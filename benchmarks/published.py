"""judgekit's figures beside published ones, from the same data: alt-test, TTCW, HANNA.

- ``alttest`` (Calderon, Reichart & Dror 2025, ACL; nitaytech/AltTest at 18428b1): the winning rates and advantage
  probabilities of the authors' notebook, as printed.
- ``ttcw`` (Chakrabarty et al. 2024, CHI; salesforce/creativity_eval at fced0ab): the authors' table of seven judges, as
  printed. It counts a missing verdict as No; where one is missing, judgekit's own figure, without the item, is beside.
- ``hanna`` (Chhun et al. 2022, COLING; dig-team/hanna-benchmark-asg, branch coling at bf4a171): 36 intraclass
  correlations, of raters in the authors' columns, and 9 correlations of BLEU, to all printed digits. Those take BLEU as
  the authors have it: where their ``hanna_metric_scores_llm.csv`` lies in the folder it is read; without it BLEU comes
  from ``auto_metrics.csv.gz``, whose six decimals tie stories that differ, and five figures are off from the sixth
  decimal on. Such a row differs and counts so; its reason stands beside it, where moving each BLEU by less than half
  of its last decimal reaches the published figure.
::

    python -m benchmarks.published --data ../shared/data --json
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from judgekit.calibration import Bootstrap, alt_test, binary_rates, correlation, icc

FEW = Bootstrap(draws=100)  # only values are compared
PRINTED = 12  # digits that count of a figure printed in full
RATES = {name: name for name in ("balanced_accuracy", "precision", "recall", "f1")} | {"corr": "correlation"}
LEVELS = {"overall": "item", "system": "system", "story": "within_group"}
COLUMNS = ("W01", "W02", "W03")  # the raters that HANNA's authors give a column each
DECIMALS = 6  # of the BLEU in auto_metrics.csv.gz
ROUNDED = f"BLEU is here to {DECIMALS} decimals, and the published figure is within what that rounding moves"
Rows = list[dict[str, str]]
csv.field_size_limit(1 << 24)  # a cell of HANNA's own table holds a list of all stories


@dataclass(frozen=True)
class Row:
    """One published figure. ``digits`` are printed; ``ours`` is judgekit's where the paper has another convention.

    ``reason`` says why the data at hand cannot give the figure; the row differs all the same.
    """

    name: str
    got: float
    published: float
    digits: int
    ours: float | None = None
    reason: str = ""

    @property
    def same(self) -> bool:
        return round(abs(self.got - self.published), 13) <= 0.5 * 10**-self.digits + 1e-12

    def __str__(self) -> str:
        ours = "" if self.ours is None else f"   a missing verdict left out: {self.ours:.4f}"
        mark = "" if self.same else f"   DIFFERS: {self.reason or 'no known reason'}"
        shown = f"{self.got:.6g}  {self.published:.6g}  {self.got - self.published:+.1e}"
        return f"{self.name:68}{shown}{ours}{mark}"


def table(path: Path) -> Rows:
    with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def alttest(folder: Path) -> Iterator[Row]:
    """The winning rate and the advantage probability of 36 judges."""
    values: dict[str, dict[str, dict[str, dict[str, str]]]] = defaultdict(
        lambda: defaultdict(lambda: defaultdict(dict))
    )
    for row in table(folder / "annotations.csv.gz"):
        values[row["dataset"]][row["kind"]][row["rater"]][row["item"]] = row["value"]
    for row in table(folder / "published.csv"):
        people, judges = (values[row["dataset"]][kind] for kind in ("human", "llm"))
        items = list(dict.fromkeys(item for by in people.values() for item in by))
        raters = [people[rater] for rater in people]
        arrays = [[by.get(item) for item in items] for by in [judges[row["judge"]], *raters]]
        if row["score_fn"] == "neg_rmse":
            arrays = [[float("nan") if value is None else float(value) for value in series] for series in arrays]
        score = "neg_rmse" if row["score_fn"] == "neg_rmse" else "accuracy"
        found = alt_test(arrays[0], arrays[1:], float(row["epsilon"]), score, bootstrap=FEW)
        name = f"alttest {row['dataset']} {row['judge']}"
        yield Row(f"{name} winning rate", found.winning_rate, float(row["winning_rate"]), 2)
        yield Row(f"{name} advantage probability", found.advantage.value, float(row["advantage_prob"]), 2)


def ttcw(folder: Path) -> Iterator[Row]:
    """Five rates of seven judges, against the majority of three experts, with a missing verdict as No."""
    experts: dict[tuple[str, str], list[int]] = defaultdict(list)
    for row in table(folder / "expert_verdicts.csv.gz"):
        experts[row["story_id"], row["test"]].append(int(row["verdict"]))
    verdicts = {
        (r["judge"], r["story_id"], r["test"]): float(r["verdict"]) for r in table(folder / "llm_verdicts.csv.gz")
    }
    stories = {story for _, story, _ in verdicts}
    cells = [cell for cell in experts if cell[0] in stories]
    truth = [float(np.mean(experts[cell]) > 0.5) for cell in cells]
    for row in table(folder / "published_llm.csv"):
        said = [verdicts.get((row["judge"], *cell), float("nan")) for cell in cells]
        units = [story for story, _ in cells]
        as_no, ours = (binary_rates(said, truth, missing=how, units=units, bootstrap=FEW) for how in ("no", "left out"))
        for name, field in RATES.items():
            own = getattr(ours, field).value if ours.missing else None
            yield Row(f"ttcw {row['judge']} {name}", getattr(as_no, field).value, float(row[name]), 2, own)


def hanna(folder: Path) -> Iterator[Row]:
    """Six intraclass correlations of each of six criteria, and BLEU with the mean human relevance at three levels."""
    published = table(folder / "published.csv")
    ratings = table(folder / "human_ratings.csv.gz")
    iccs = [row for row in published if row["what"].startswith("icc")]
    yield from icc_rows(iccs, ratings)
    yield from bleu_rows(folder, [row for row in published if row not in iccs], ratings)


def icc_rows(published: Rows, ratings: Rows) -> Iterator[Row]:
    """The intraclass correlations of three raters, of which six digits are printed."""
    ordered = columns(ratings)
    for row in published:
        marks = [[float(rating[row["criterion"]] or "nan") for rating in story] for story in ordered]
        value = float(row["published"])
        digits = 5 - int(np.floor(np.log10(abs(value))))
        found = icc(np.transpose(marks), row["stat"], bootstrap=FEW)
        yield Row(f"hanna {row['criterion']} {row['stat']}", found.value, value, digits)


def columns(ratings: Rows) -> list[Rows]:
    """Return the three ratings of each story by column: of `COLUMNS` in their own, of others in the gaps, as listed."""
    stories: dict[str, Rows] = defaultdict(list)
    for row in ratings:
        stories[row["story_id"]].append(row)
    ordered = []
    for rows in stories.values():
        fixed = {row["rater"]: row for row in rows if row["rater"] in COLUMNS}
        others = (row for row in rows if row["rater"] not in COLUMNS)
        ordered.append([fixed[name] if name in fixed else next(others) for name in COLUMNS])
    return ordered


def bleu_rows(folder: Path, published: Rows, ratings: Rows) -> Iterator[Row]:
    """BLEU with the mean human relevance, the stories of people left out."""
    stories = [row for row in table(folder / "stories.csv.gz") if row["system"] != "Human"]
    groups, systems = ([story[field] for story in stories] for field in ("prompt_id", "system"))
    human: dict[str, list[float]] = defaultdict(list)
    for row in ratings:
        human[row["story_id"]].append(float(row["relevance"]))
    given = np.array([np.mean(human[story["story_id"]]) for story in stories])
    scores, whole = bleu(folder, stories)
    lean = (given - given.mean()) / np.abs(given - given.mean()).max()

    def value(x: np.ndarray, row: dict[str, str]) -> float:
        return correlation(x, given, row["stat"], level_of(row), groups=groups, systems=systems, bootstrap=FEW).value

    for row in published:
        digits = min(len(row["published"].split(".")[1]), PRINTED)
        name = f"hanna BLEU {level_of(row)} {row['stat']}"
        found = Row(name, value(scores, row), float(row["published"]), digits)
        if not (found.same or whole):
            # With and against the human, by a little less than the rounding may have taken off: the ties break as well.
            low, high = (value(scores + side * 0.499 * 10**-DECIMALS * lean, row) for side in (-1, 1))
            found = replace(found, reason=ROUNDED if low <= found.published <= high else "")
        yield found


def level_of(row: dict[str, str]) -> str:
    return LEVELS[row["what"].split("_mean_")[1].split("_")[0]]


def bleu(folder: Path, stories: Rows) -> tuple[np.ndarray, bool]:
    """Return the BLEU of each story, and whether it is unrounded, from the authors' file, which lists it by system."""
    whole = folder / "hanna_metric_scores_llm.csv"
    if not whole.is_file():
        known = {row["story_id"]: float(row["BLEU"]) for row in table(folder / "auto_metrics.csv.gz")}
        return np.array([known[story["story_id"]] for story in stories]), False
    name = next(field for field in table(whole)[0] if field.startswith("BLEU"))
    by_system = {row["Model"]: iter(json.loads(row[name])) for row in table(whole)}
    return np.array([next(by_system[story["system"]]) for story in stories]), True


STUDIES = {"alttest": ("alttest_dev", alttest), "ttcw": ("ttcw", ttcw), "hanna": ("hanna", hanna)}


def run(data: Path, studies: Iterable[str] = STUDIES) -> list[Row]:
    """Print every figure beside the published one; return the rows."""
    print(f"{'figure':68}got  published  difference")
    rows = []
    for study in studies:
        folder, figures = STUDIES[study]
        for row in figures(data / folder):
            rows.append(row)
            print(row)
    unlike = [row for row in rows if not row.same]
    known = sum(bool(row.reason) for row in unlike)
    print(f"{len(rows)} published figures, {len(unlike)} differ{f', {known} for a known reason' if known else ''}.")
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("JUDGEKIT_DATA", "../shared/data")))
    parser.add_argument("--json", action="store_true", help="end with one JSON line")
    arguments = parser.parse_args()
    rows = run(arguments.data)
    if arguments.json:
        print(json.dumps({"rows": len(rows), "mismatches": sum(not row.same for row in rows)}))


if __name__ == "__main__":
    main()
