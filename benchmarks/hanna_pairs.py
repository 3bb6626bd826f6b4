"""The embedded classifier on real stories, beside the baselines that any reader will ask for, and a human.

HANNA: 96 prompts x 11 systems (one of them people), three raters x six criteria. Pairs are two stories to one prompt
whose mean rating differs by at least 0.5. Two questions:

- seen systems: 10-fold cross-validation over prompts;
- unseen: neither the prompt nor either system of a test pair was trained on, and the human author is left out.

The features were chosen on the even prompts, with all systems in view; the odd prompts are shown apart for that reason.
::

    python -m benchmarks.hanna_pairs --data ../shared/data/hanna --json
"""

from __future__ import annotations

import argparse
import csv
import gzip
import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from judgekit.calibration import Bootstrap, Estimate
from judgekit.judges.base import digest
from judgekit.judges.embedded import standardise
from judgekit.judges.features import VERSION, feature_matrix, feature_names
from judgekit.judges.features.units import words
from judgekit.models.encoder import Encoder
from judgekit.training.bradley_terry import fit
from judgekit.training.classifier import PENALTY, spread
from judgekit.types import Sample

Array = NDArray[np.float64]
Index = NDArray[np.int64]
CRITERIA = ("relevance", "coherence", "empathy", "surprise", "engagement", "complexity")
MARGIN = 9  # of the sum of 18 ratings: 0.5 of their mean, free of rounding
FOLDS, SEED, DRAWS = 10, 0, 2000
# Given which stories and which labelled pairs may be learnt from: score(a) - score(b) for other stories a and b.
Model = Callable[[Index, Index, Index, Index], Array]


@dataclass
class Hanna:
    """The stories and all pairs ``a[i]``, ``b[i]`` of stories to one prompt.

    ``asked`` marks the pairs far enough apart to have a label, ``better`` is 1 where a is better, else 0.
    """

    prompts: list[str]
    texts: list[str]
    prompt: Index
    system: NDArray[np.str_]
    ratings: list[dict[str, int]]  # of each story: sum of the six criteria, by rater
    a: Index
    b: Index
    asked: NDArray[np.bool_]
    better: Array

    @classmethod
    def read(cls, folder: Path) -> Hanna:
        stories = sorted(_table(folder / "stories.csv.gz"), key=lambda row: int(row["story_id"]))
        ratings: list[dict[str, int]] = [{} for _ in stories]
        for row in _table(folder / "human_ratings.csv.gz"):
            ratings[int(row["story_id"])][row["rater"]] = sum(int(row[name]) for name in CRITERIA)
        prompt = np.array([int(row["prompt_id"]) for row in stories])
        total = np.array([sum(by_rater.values()) for by_rater in ratings])
        pairs = [(i, j) for i, j in itertools.combinations(range(len(stories)), 2) if prompt[i] == prompt[j]]
        a, b = np.array(pairs).T
        swap = np.random.default_rng(SEED).random(len(a)) < 0.5  # the order must say nothing
        a, b = np.where(swap, b, a), np.where(swap, a, b)
        gap = total[a] - total[b]
        texts, system = [row["story"] for row in stories], np.array([row["system"] for row in stories])
        prompts = [row["prompt"] for row in stories]
        return cls(prompts, texts, prompt, system, ratings, a, b, np.abs(gap) >= MARGIN, (gap > 0).astype(float))

    @property
    def group(self) -> Index:
        return self.prompt[self.a]

    @property
    def equal_length(self) -> NDArray[np.bool_]:
        """Pairs whose word counts differ by at most a tenth of the longer."""
        n = word_counts(self)
        return np.abs(n[self.a] - n[self.b]) <= 0.1 * np.maximum(n[self.a], n[self.b])


def _table(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def word_counts(data: Hanna) -> Array:
    return np.array([float(len(text.split())) for text in data.texts])


def features(data: Hanna, cache: Path | None) -> Array:
    """Return the features of all stories; encoding them takes minutes, so they can be kept."""
    encoder = Encoder()
    name = f"hanna-{digest([encoder.identity, VERSION, feature_names(), data.texts])}.npy"
    if cache and (cache / name).is_file():
        return np.asarray(np.load(cache / name, allow_pickle=False))
    samples = [Sample(prompt, text) for prompt, text in zip(data.prompts, data.texts, strict=True)]
    matrix = feature_matrix(samples, encoder.encode)
    if cache:
        cache.mkdir(parents=True, exist_ok=True)
        np.save(cache / name, matrix, allow_pickle=False)
    return matrix


# --- models -----------------------------------------------------------------------------------------------------


def linear(data: Hanna, matrix: Array, penalty: float) -> Model:
    """Bradley-Terry on standardised features, as `judgekit train classifier` fits it."""

    def score(stories: Index, train: Index, a: Index, b: Index) -> Array:
        known = matrix[stories]
        x = standardise(matrix, known.mean(0), spread(known))
        weights = fit(x[data.a[train]] - x[data.b[train]], data.better[train], penalty)
        return np.asarray((x[a] - x[b]) @ weights)

    return score


def tfidf(data: Hanna, matrix: Array) -> Model:
    """Bradley-Terry on TF-IDF (words and word pairs, sublinear, in at least 3 stories) beside surface features.

    Fitted in the space that the stories span: exactly the ridge fit on all terms, at a fraction of its cost.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    terms = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, use_idf=False, norm=None).fit_transform(data.texts)
    surface = plain_surface(data, matrix)

    def score(stories: Index, train: Index, a: Index, b: Index) -> Array:
        use = np.unique(np.concatenate([data.a[train], data.b[train], a, b]))
        known = surface[stories]
        z = 0.3 * np.clip((surface[use] - known.mean(0)) / spread(known), -3, 3)
        values, vectors = np.linalg.eigh(_similarity(terms, stories, use) + z @ z.T)
        kept = values > 1e-8
        x = np.zeros((len(data.texts), int(kept.sum())))
        x[use] = vectors[:, kept] * np.sqrt(values[kept])
        weights = fit(x[data.a[train]] - x[data.b[train]], data.better[train], 1.0)
        return np.asarray((x[a] - x[b]) @ weights)

    return score


def _similarity(terms, stories: Index, use: Index) -> Array:
    """Return the cosines of the TF-IDF vectors of some stories; terms and their rarity come from the known ones."""
    from sklearn.preprocessing import normalize

    frequency = np.asarray((terms[stories] > 0).sum(0)).ravel()
    columns = np.flatnonzero(frequency >= 3)
    rarity = np.log((1 + len(stories)) / (1 + frequency[columns])) + 1
    rows = normalize(terms[use][:, columns].multiply(rarity).tocsr())
    return np.asarray((rows @ rows.T).toarray())


def plain_surface(data: Hanna, matrix: Array) -> Array:
    """Return the surface features that one would try first: lengths, variety, rates of the common marks."""
    named = [feature_names().index(name) for name in SURFACE]
    marks = [".", "-–—", '"“”', "'’"]
    rates = [[np.sqrt(sum(map(text.count, m)) / max(len(words(text)), 1)) for m in marks] for text in data.texts]
    return np.hstack([matrix[:, named], np.array(rates)])


def longer(data: Hanna) -> Model:
    """The story with more words wins."""
    n = word_counts(data)
    return lambda _stories, _train, a, b: n[a] - n[b]


# --- protocols: score(a) - score(b) for every pair that may be asked, NaN for the others


def seen(data: Hanna, model: Model) -> Array:
    """Cross-validate over prompts."""
    fold, margin = _folds(), np.full(len(data.a), np.nan)
    for k in range(FOLDS):
        held = fold[data.group] == k
        stories, train = np.flatnonzero(fold[data.prompt] != k), np.flatnonzero(~held & data.asked)
        margin[held] = model(stories, train, data.a[held], data.b[held])
    return margin


def unseen(data: Hanna, model: Model) -> Array:
    """Ask each pair of two machines with both of them, and its prompt, left out of the training."""
    fold, margin = _folds(), np.full(len(data.a), np.nan)
    side_a, side_b = data.system[data.a], data.system[data.b]
    machine = (side_a != "Human") & (side_b != "Human")
    for held in itertools.combinations(sorted(set(data.system) - {"Human"}), 2):
        in_a, in_b = np.isin(side_a, held), np.isin(side_b, held)
        known = ~np.isin(data.system, [*held, "Human"])
        for k in range(FOLDS):
            test = in_a & in_b & (fold[data.group] == k)
            train = np.flatnonzero(~in_a & ~in_b & machine & (fold[data.group] != k) & data.asked)
            stories = np.flatnonzero(known & (fold[data.prompt] != k))
            margin[test] = model(stories, train, data.a[test], data.b[test])
    return margin


def _folds() -> Index:
    fold = np.empty(96, dtype=np.int64)
    fold[np.random.default_rng(SEED).permutation(96)] = np.arange(96) % FOLDS
    return fold


def hits(margin: Array, better: Array) -> Array:
    """Return 1 where the better side was named, 1/2 for a tie, else 0; NaN where nothing was asked."""
    named = np.where(margin == 0, 0.5, (margin > 0) == (better > 0.5))
    return np.where(np.isnan(margin), np.nan, named)


def against_other_raters(data: Hanna, margin: Array) -> tuple[Array, Array, Index]:
    """Hold one rater, and the judge on the very same pairs, against the ratings of the others.

    A pair counts for a rater of both stories where the *other* ratings alone are at least 0.5 apart: were the pairs
    chosen by all ratings, the rater's own among them, any rater would look good, a random one too.

    Returns:
        hits of the raters, hits of the judge, and the prompt of each judgement.
    """
    own, judge, prompt = [], [], []
    for i in np.flatnonzero(~np.isnan(margin)):
        a, b = data.ratings[data.a[i]], data.ratings[data.b[i]]
        for rater in sorted(a.keys() & b.keys()):
            difference = a[rater] - b[rater]
            others = sum(a.values()) - sum(b.values()) - difference
            if abs(others) >= MARGIN * 2 // 3:  # 12 of the 18 ratings
                own.append(0.5 if not difference else float(difference * others > 0))
                judge.append(0.5 if not margin[i] else float(margin[i] * others > 0))
                prompt.append(data.group[i])
    return np.array(own), np.array(judge), np.array(prompt)


# --- report -----------------------------------------------------------------------------------------------------


def estimate(data: Hanna, values: Array, mask: NDArray[np.bool_]) -> Estimate:
    return Bootstrap(DRAWS, seed=SEED).mean(values[mask], data.group[mask])


def report(data: Hanna, name: str, margins: dict[str, Array], part: NDArray[np.bool_]) -> None:
    asked = part & data.asked & ~np.isnan(margins[JUDGE])
    equal = asked & data.equal_length
    right = {model: hits(margin, data.better) for model, margin in margins.items()}
    print(f"\n{name}: {asked.sum()} pairs, {equal.sum()} of equal length")
    print(f"  {'':22}{'accuracy':24}{'equal length':24}judge minus this")
    for model, values in right.items():
        paired = "" if model == JUDGE else str(estimate(data, right[JUDGE] - values, asked))
        print(f"  {model:22}{estimate(data, values, asked)!s:24}{estimate(data, values, equal)!s:24}{paired}")
    human = one_human(data, np.where(part, margins[JUDGE], np.nan))
    print(f"  one rater, held against the others: {human['rater']}; the judge there: {human['judge']}")


def one_human(data: Hanna, margin: Array) -> dict[str, Estimate]:
    """Return the accuracy of single raters, and of the judge on the same pairs, against the other raters."""
    own, judge, prompt = against_other_raters(data, margin)
    return {
        name: Bootstrap(DRAWS, seed=SEED).mean(values, prompt) for name, values in (("rater", own), ("judge", judge))
    }


JUDGE = "embedded classifier"
SURFACE = "log_words sent_len sent_len_sd word_len ttr50 ttr150 commas exclaims questions ellipses digits".split()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/hanna"))
    parser.add_argument("--cache", type=Path, default=Path("runs/cache"), help="folder that keeps the features")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    data = Hanna.read(arguments.data)
    matrix = features(data, arguments.cache)
    systems = np.eye(11)[np.unique(data.system, return_inverse=True)[1]]
    models = {JUDGE: linear(data, matrix, PENALTY), "longer wins": longer(data), "TF-IDF": tfidf(data, matrix)}
    by_seen = {name: seen(data, model) for name, model in models.items()}
    by_seen["generator only"] = seen(data, linear(data, systems, 1.0))
    by_unseen = {name: unseen(data, model) for name, model in models.items()}
    odd, every = data.group % 2 == 1, np.ones(len(data.a), dtype=bool)
    report(data, "Seen systems, unseen prompts", by_seen, every)
    report(data, "Prompts and systems unseen", by_unseen, every)
    report(data, "Prompts and systems unseen, odd prompts alone", by_unseen, odd)
    if arguments.json:
        print(json.dumps(result(data, by_seen, by_unseen)))


def result(data: Hanna, by_seen: dict[str, Array], by_unseen: dict[str, Array]) -> dict[str, object]:
    asked = data.asked & ~np.isnan(by_unseen[JUDGE])
    right = {name: hits(margin, data.better) for name, margin in by_seen.items()}
    right_unseen = {name: hits(margin, data.better) for name, margin in by_unseen.items()}
    whole = estimate(data, right[JUDGE], data.asked)
    human, human_unseen = one_human(data, by_seen[JUDGE]), one_human(data, by_unseen[JUDGE])
    baselines = {name: float(right_unseen[name][asked].mean()) for name in ("longer wins", "TF-IDF")}

    def against(name: str) -> list[float]:
        it = estimate(data, right_unseen[JUDGE] - right_unseen[name], asked)
        return [it.value, it.low, it.high]

    return {
        "accuracy": whole.value,
        "low": whole.low,
        "high": whole.high,
        "longer_wins": float(right["longer wins"][data.asked].mean()),
        "tfidf_bt": float(right["TF-IDF"][data.asked].mean()),
        "equal_length_accuracy": float(right[JUDGE][data.asked & data.equal_length].mean()),
        "generator_only": float(right["generator only"][data.asked].mean()),
        "unseen": {
            "accuracy": float(right_unseen[JUDGE][asked].mean()),
            "longer_wins": baselines["longer wins"],
            "tfidf_bt": baselines["TF-IDF"],
            "difference": against(max(baselines, key=lambda name: baselines[name])),  # to the better baseline
            "difference_longer_wins": against("longer wins"),
            "difference_tfidf_bt": against("TF-IDF"),
            "one_human": human_unseen["rater"].value,
            "judge_against_same": human_unseen["judge"].value,
            "n": int(asked.sum()),
        },
        "one_human": human["rater"].value,
        "judge_against_same": human["judge"].value,
        "n": int(data.asked.sum()),
    }


if __name__ == "__main__":
    main()
