"""Every study of the project loads; where the data are, it is read and gives its figures."""

from __future__ import annotations

import csv
import gzip
import os
from pathlib import Path

import numpy as np
import pytest

from judgekit import content
from judgekit.calibration import Bootstrap, Estimate, alt_test, correlation
from judgekit.studies.analysis import analyse, mean
from judgekit.studies.study import Study
from judgekit.studies.table import Ratings, read_ratings
from judgekit.studies.verdicts import verdicts

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("JUDGEKIT_DATA", "absent"))
FOLDERS = {"hanna": "hanna", "alttest": "alttest_dev", "ttcw": "ttcw", "llmbar": "llmbar"}
SHIPPED = [name.removesuffix("/study") for name in content.names("calibration", "*/study.yaml")]
QUICK = Bootstrap(draws=100)
DIMENSIONS = ("plot", "guidance", "narration", "characters", "transition")
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="JUDGEKIT_DATA names no folder")


def test_all_are_here() -> None:
    assert SHIPPED == ["alttest", "episodebench", "hanna", "llmbar", "storyworld", "ttcw"]


@pytest.mark.parametrize("name", SHIPPED)
def test_it_loads_and_has_a_page(name: str) -> None:
    study = Study.load(name)
    page = (ROOT / "calibration" / name / "README.md").read_text(encoding="utf-8")

    assert study.about and f"judgekit calibrate {name}" in page
    assert study.simulated == ("simulated" in study.about)
    assert name in (ROOT / "calibration" / "README.md").read_text(encoding="utf-8")


def read(name: str) -> tuple[Study, Ratings]:
    study = Study.load(name).model_copy(update={"draws": 100})
    return study, read_ratings(study, DATA / FOLDERS[name])


@needs_data
@pytest.mark.parametrize("name", sorted(FOLDERS))
def test_it_is_read(name: str) -> None:
    """Items, groups, people and judges as the data's own notes count them."""
    study, found = read(name)
    counted = (len(found.items), len(set(found.groups)), len(found.raters), len(found.judges))
    stated = {"hanna": (1056, 96, 22, 20), "alttest": (711, 711, 10, 6), "ttcw": (672, 48, 11, 7)}

    assert counted == {**stated, "llmbar": (419, 419, 5, 6)}[name]
    assert study.judge in found.judges


@needs_data
@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(FOLDERS))
def test_it_runs(name: str) -> None:
    study, found = read(name)
    analysis = analyse(study, found)

    assert [sheet.name for sheet in found.sheets()] == list(analysis.criteria)
    for criterion in analysis.criteria.values():
        assert 0.95 * len(found.items) <= criterion.items <= len(found.items)
        assert isinstance(criterion.item, Estimate) and -1 <= criterion.item.value <= 1


@needs_data
def test_the_published_alt_test_comes_out_of_the_study() -> None:
    """Winning rate and advantage probability of all six judges, to the two digits that are printed."""
    study, found = read("alttest")
    with (DATA / "alttest_dev" / "published.csv").open(encoding="utf-8") as stream:
        rows = [row for row in csv.DictReader(stream) if row["dataset"] == "cebab_stars"]
    assert {row["judge"] for row in rows} == set(found.judges)
    for row in rows:
        judge = mean(found.judges[row["judge"]]["cebab_stars"])
        got = alt_test(judge, found.human["cebab_stars"], study.epsilon, "neg_rmse", bootstrap=QUICK)

        assert got.winning_rate == float(row["winning_rate"])
        assert got.advantage.value == pytest.approx(float(row["advantage_prob"]), abs=0.005)


@needs_data
def test_the_published_rates_of_ttcw_come_out_of_the_study() -> None:
    """Five rates of seven judges by the paper's convention; ours differ where a verdict is missing."""
    found = {it.judge: it for it in verdicts(*read("ttcw"))}
    names = {"balanced_accuracy": "balanced_accuracy", "precision": "precision", "recall": "recall", "f1": "f1"}
    with (DATA / "ttcw" / "published_llm.csv").open(encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            it = found[row["judge"]]
            assert it.published and it.published.rates
            for field, column in {**names, "correlation": "corr"}.items():
                estimate = getattr(it.published.rates, field)
                assert estimate.value == pytest.approx(float(row[column]), abs=0.0051)
            assert it.missing == 672 - int(row["n_found"])
            assert (it.ours == it.published) == (it.missing == 0)


@needs_data
def test_the_published_accuracies_of_llmbar_come_out_of_the_study() -> None:
    """The mean over the five subsets, weighted by their pairs, of the published accuracy in each order."""
    found = {(it.judge, it.criterion): it for it in verdicts(*read("llmbar"))}
    hits: dict[tuple[str, str], float] = {}
    with (DATA / "llmbar" / "published.csv").open(encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            if row["strategy"] == "CoT" and row["subset"].startswith("LLMBar"):
                for order, column in (("a, b", "acc_ab_pct"), ("b, a", "acc_ba_pct")):
                    key = row["evaluator"], f"asked {order}"
                    hits[key] = hits.get(key, 0) + float(row[column]) * int(row["n"]) / 100
    assert len(hits) == 12
    for key, count in hits.items():
        published = found[key].published
        assert published and published.accuracy
        assert published.accuracy.value * 419 == pytest.approx(count)


@needs_data
def test_hanna_is_read_as_it_is() -> None:
    """One cell of each table, looked up by hand in the files."""
    _, found = read("hanna")
    with gzip.open(DATA / "hanna" / "human_ratings.csv.gz", "rt", encoding="utf-8") as stream:
        row = next(csv.DictReader(stream))
    at = found.raters.index(row["rater"]), found.items.index(row["story_id"])

    assert found.human["empathy"][at] == float(row["empathy"])
    assert found.words is not None and found.systems is not None and len(set(found.systems)) == 11


def episodebench(folder: Path, turns: int = 300) -> Path:
    """Write 300 rated turns in the layout that the study reads: 30 stories, 3 models, 3 people, 2 judges."""
    rng = np.random.default_rng(0)
    quality = rng.normal(3, 0.8, (turns, 5))

    def line(i: int, who: str, noise: float) -> str:
        scores = np.clip(np.round((quality[i] + rng.normal(0, noise, 5)) * 2) / 2, 0, 5)
        scores[4] = 5 * (scores[4] >= 3)  # a transition is right or wrong
        return f"t{i},{who}," + ",".join(f"{score:g}" for score in scores) + "\n"

    heads = ",".join(DIMENSIONS)
    items = "".join(f"t{i},s{i % 30},m{i % 3},a turn of {i} words\n" for i in range(turns))
    people = "".join(line(i, f"h{k}", 0.5) for i in range(turns) for k in range(3))
    judges = "".join(line(i, name, e) for i in range(turns) for name, e in (("Qwen3-8B-normal", 0.4), ("other", 1.0)))
    (folder / "items.csv").write_text(f"item,story_id,model,response\n{items}")
    (folder / "human_ratings.csv").write_text(f"item,rater,{heads}\n{people}")
    (folder / "judge_ratings.csv").write_text(f"item,judge,{heads}\n{judges}")
    return folder


def test_episodebench_is_read_from_a_folder_of_its_layout(tmp_path: Path) -> None:
    study = Study.load("episodebench")
    found = read_ratings(study, episodebench(tmp_path))
    judge = np.stack([mean(found.judges[study.judge][name]) for name in found.criteria], axis=1)
    human = np.stack([mean(found.human[name]) for name in found.criteria], axis=1)
    cell = correlation(judge, human, level="cell", groups=found.groups, bootstrap=QUICK)

    assert found.criteria == DIMENSIONS
    assert (len(found.items), len(set(found.groups)), len(found.raters), len(set(found.systems or ()))) == (
        300,
        30,
        3,
        3,
    )
    assert cell.n == 1500 and cell.value > 0.6
