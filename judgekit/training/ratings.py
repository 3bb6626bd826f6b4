"""Ratings as pairs: of two responses to one prompt, the one with the higher mean is chosen."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from judgekit.errors import InputError, nearest
from judgekit.files import sample_of
from judgekit.training.preferences import Imported, Names, imported, labelled
from judgekit.types import Pair, Prompt, Sample, prompt_text

ROUNDING = 1e-9  # means of whole numbers may lie this far from the margin that they are meant to reach
UNSCORED = "rating without a finite score"


@dataclass
class Item:
    """One response with all its ratings: criterion -> scores."""

    id: str
    prompt: Prompt
    response: str
    group: str = ""
    system: str = ""
    scores: dict[str, list[float]] = field(default_factory=dict)


def from_ratings(
    rows: Iterable[Mapping[str, Any]],
    samples: Iterable[Sample] | None = None,
    *,
    columns: tuple[str, str, str] = ("prompt", "response", "score"),
    criterion: str | None = None,
    margin: float = 0.0,
    most: int | None = None,
    seed: int = 0,
) -> Imported:
    """Build pairs of responses to one prompt whose mean scores lie apart.

    A response's score is the mean over its raters, criterion by criterion, then over the criteria, each counting
    alike. Pairs are made within a group and a prompt. Their metadata holds ``margin`` (the difference), the two scores,
    and the two systems as ``chosen_model`` and ``rejected_model``; a hash of the id decides which side is ``a``.

    Args:
        rows: with ``samples``: ratings in long form, ``item`` (a sample's id), ``score``, and ``criterion``,
            ``rater``, ``group``, ``system`` if you like. Without: a wide table, one rating of one text in each row;
            rows with the same prompt and response are ratings of one response.
        columns: what a wide table calls prompt, response and score.
        criterion: the only one to count; all by default.
        margin: least difference, on the ratings' own scale; 0 takes every difference.
        most: pairs kept of one prompt, drawn at random with ``seed``; each prompt's draw depends on it alone.

    Raises:
        InputError: a margin or a cap that cannot be, an unknown criterion, an item in two groups, no pair at all.
    """
    if not 0 <= margin < math.inf or (most is not None and most < 1):
        raise InputError(f"a margin is 0 or more and a cap at least 1, not {margin} and {most}")
    left_out, names = Counter[str](), Names()
    items = _wide(rows, columns, left_out) if samples is None else _long(rows, samples, left_out)
    means = _means(items, criterion, left_out)
    prompts: dict[tuple[str, str], list[Item]] = {}
    for item in items:
        if item.id in means:
            prompts.setdefault((item.group, prompt_text(item.prompt)), []).append(item)
    pairs = []
    for key, members in prompts.items():
        scores = np.array([means[item.id] for item in members])
        for i, j in _chosen(members, scores, margin, most, _rng(seed, key), left_out):
            pairs.append(_pair(members[i], members[j], scores[i] - scores[j], means, names))
    return imported(pairs, left_out, names)


def _long(rows: Iterable[Mapping[str, Any]], samples: Iterable[Sample], left_out: Counter[str]) -> list[Item]:
    items = {sample.id: Item(sample.id, sample.prompt, sample.response) for sample in samples}
    seen = set()
    for row in rows:
        item, score = items.get(str(row.get("item", ""))), _score(row.get("score"))
        rating = (row.get("item"), row.get("criterion"), row.get("rater"))
        if item is None or score is None:
            left_out["rating of an item that is no sample" if item is None else UNSCORED] += 1
        elif "rater" in row and rating in seen:
            left_out["rating by a rater who has rated that already"] += 1
        else:
            seen.add(rating)
            _place(item, row)
            item.scores.setdefault(str(row.get("criterion", "")), []).append(score)
    left_out.update("sample without a rating" for item in items.values() if not item.scores)
    return [item for item in items.values() if item.scores]


def _wide(rows: Iterable[Mapping[str, Any]], columns: Sequence[str], left_out: Counter[str]) -> list[Item]:
    items: dict[tuple[str, ...], Item] = {}
    names = Names()
    for number, row in enumerate(rows, 1):
        try:
            sample, score = _wide_row(row, columns, number)
        except InputError as problem:
            left_out[str(problem)] += 1
            continue
        group, system = str(row.get("group", "")), str(row.get("system", ""))
        key = (group, system, prompt_text(sample.prompt), sample.response)
        if key not in items:
            items[key] = Item(names.new(sample.id), sample.prompt, sample.response, group, system)
        items[key].scores.setdefault(str(row.get("criterion", "")), []).append(score)
    return list(items.values())


def _wide_row(row: Mapping[str, Any], columns: Sequence[str], number: int) -> tuple[Sample, float]:
    for name in columns:
        if name not in row:
            raise InputError(f"{name!r} is missing{nearest(name, row, 'the row has') if row else ''}")
    prompt, response, score = (row[name] for name in columns)
    value = _score(score)
    if value is None:
        raise InputError(UNSCORED)
    return sample_of({"prompt": prompt, "response": response, "id": row.get("id", f"row-{number}")}, number), value


def _place(item: Item, row: Mapping[str, Any]) -> None:
    """Note the group and the system of an item; both may stand in some of its rows only."""
    for name in ("group", "system"):
        told, known = str(row.get(name, "")), getattr(item, name)
        if told and known and told != known:
            raise InputError(f"the item {item.id!r} has two values for {name!r}: {known!r} and {told!r}")
        setattr(item, name, told or known)


def _score(value: Any) -> float | None:
    try:
        score = float(value)
    except (TypeError, ValueError):
        return None
    return score if math.isfinite(score) and not isinstance(value, bool) else None


def _means(items: Sequence[Item], criterion: str | None, left_out: Counter[str]) -> dict[str, float]:
    """Return the mean of each item that has all criteria, by its id."""
    known = sorted({name for item in items for name in item.scores})
    if criterion is not None and criterion not in known:
        raise InputError(f"no rating has the criterion {criterion!r}{nearest(criterion, known)}")
    wanted = known if criterion is None else [criterion]
    means = {}
    for item in items:
        if lacking := [name for name in wanted if name not in item.scores]:
            left_out[f"sample without a rating for {lacking[0]!r}"] += 1
        else:
            means[item.id] = fmean(fmean(item.scores[name]) for name in wanted)
    return means


def _chosen(
    items: Sequence[Item],
    scores: NDArray[np.float64],
    margin: float,
    most: int | None,
    rng: np.random.Generator,
    left_out: Counter[str],
) -> Iterator[tuple[int, int]]:
    """Yield (better, worse) for the pairs far enough apart, or for a draw of them.

    Row by row, since all pairs of one prompt with ten thousand essays would not fit into memory at once.
    """
    texts = np.unique([item.response for item in items], return_inverse=True)[1]

    def apart(i: int) -> NDArray[np.int64]:
        later = slice(i + 1, None)
        far = np.abs(scores[later] - scores[i]) >= max(margin - ROUNDING, ROUNDING)
        return np.flatnonzero(far & (texts[later] != texts[i])) + i + 1

    ends = list(accumulate(len(apart(i)) for i in range(len(items))))
    total = ends[-1]
    kept = total if most is None else min(most, total)
    left_out["pairs: too close in score, or one text twice"] += len(items) * (len(items) - 1) // 2 - total
    left_out["pairs: more than the most of one prompt"] += total - kept
    drawn = np.arange(total) if kept == total else np.sort(rng.choice(total, kept, replace=False, shuffle=False))
    for i, end in enumerate(ends):
        start = end - len(others := apart(i))
        for j in others[drawn[slice(*np.searchsorted(drawn, (start, end)))] - start]:
            yield (i, int(j)) if scores[i] > scores[j] else (int(j), i)


def _rng(seed: int, key: tuple[str, str]) -> np.random.Generator:
    mark = hashlib.sha256("\0".join((str(seed), *key)).encode()).digest()
    return np.random.default_rng(int.from_bytes(mark[:8]))


def _pair(chosen: Item, rejected: Item, margin: float, means: Mapping[str, float], names: Names) -> Pair:
    metadata: dict[str, Any] = {"margin": round(float(margin), 9)}
    metadata |= {"chosen_score": means[chosen.id], "rejected_score": means[rejected.id]}
    if chosen.system and rejected.system:
        metadata |= {"chosen_model": chosen.system, "rejected_model": rejected.system}
    identity = " | ".join(sorted((chosen.id, rejected.id)))
    return labelled(names, identity, chosen.prompt, chosen.response, rejected.response, chosen.group, metadata)
