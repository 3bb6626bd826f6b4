"""EpisodeBench's table: quality, control, length, diversity and timing; by language and by the player's behaviour."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final, Literal

import numpy as np

from judgekit.calibration import Bootstrap
from judgekit.episodes import EpisodeTurn, Played, Turn, parse_response
from judgekit.episodes.measures import (
    JUMP,
    STAY,
    TOTAL,
    Answered,
    Item,
    Value,
    measure_scores,
    measure_timing,
    measure_turns,
)
from judgekit.episodes.metrics import BALANCED, Table, metric_table, metric_tables
from judgekit.policy.evaluation.responses import Responded
from judgekit.policy.evaluation.scoring import Scale, Scores
from judgekit.rewards import effective_length

Band = tuple[float, float]
BAND: Final = (80.0, 100.0)  # the released reward's, in effective length
QUALITY: Final = "quality"
PARTS: Final[tuple[Literal["language", "behaviour"], ...]] = ("language", "behaviour")
TURNS, TIMING = "turns", "timing"
ORDER: Final = ("acc@", "pass@", "json@", STAY, JUMP, BALANCED, "length ", "diversity@")


def turn_items(
    responded: Sequence[Responded], band: Band, scores: Scores | None = None, diversity: Sequence[Value] | None = None
) -> list[Item]:
    """Measure everything that is measured on a turn.

    `judgekit.episodes.measures.measure_turns` has the control. ``length LOW-HIGH@K`` is the share of the responses
    whose effective length (`judgekit.rewards.effective_length`, of what the turn tells) lies in the band; an invalid
    one has none. ``diversity@K`` is `judgekit.policy.evaluation.diversity`. The quality is that of each criterion of
    the rubric and of their mean, ``total``, where they have one scale (EpisodeBench's have); else ``quality``, the
    score as a whole.
    """
    turns = [one.asked for one in responded if isinstance(one.asked, Turn)]
    found = measure_turns([Answered(turn, one.visible) for turn, one in zip(turns, responded, strict=True)])
    k = len(responded[0].responses)
    name = f"length {band[0]:g}-{band[1]:g}@{k}"
    found = [_with(item, {name: _in_band(one, band)}, _cut(one)) for item, one in zip(found, responded, strict=True)]
    if diversity is not None:
        found = [_with(i, {f"diversity@{k}": value}) for i, value in zip(found, diversity, strict=True)]
    if scores is not None:
        quality = _quality(turns, scores)
        counts = [{"scores": one.counts["scores"], "unscored": one.counts["missing"]} for one in quality]
        found = [_with(i, q.values, c) for i, q, c in zip(found, quality, counts, strict=True)]
    return found


def _with(item: Item, values: Mapping[str, Value], counts: Mapping[str, int] | None = None) -> Item:
    return replace(item, values={**item.values, **values}, counts={**item.counts, **(counts or {})})


def _cut(one: Responded) -> dict[str, int]:
    return {"cut off": sum(one.cut)}


def _in_band(one: Responded, band: Band) -> Value:
    parsed = [parse_response(text) for text in one.visible if text is not None]
    inside = [isinstance(turn, EpisodeTurn) and band[0] <= effective_length(turn.story) <= band[1] for turn in parsed]
    return Value(float(np.mean(inside))) if inside else Value(None, "all rollouts are missing")


def _quality(turns: Sequence[Turn], scores: Scores) -> list[Item]:
    scales: set[Scale] = set(scores.judged.criteria.values())
    if len(scales) == 1:
        return measure_scores(turns, scores.criteria, scales.pop())
    whole = measure_scores(turns, {QUALITY: scores.value}, scores.judged.scale)
    return [replace(one, values={n: v for n, v in one.values.items() if not n.startswith(TOTAL)}) for one in whole]


def tables(items: Sequence[Item], played: Sequence[Played], bootstrap: Bootstrap | None = None) -> dict[str, Table]:
    """Return the table of all turns, and of each language and behaviour; and the same of the timing, if played."""
    found = _by_part(TURNS, items, bootstrap)
    timed = measure_timing(played)
    return {**found, **_by_part(TIMING, timed, bootstrap)} if timed else found


def _by_part(name: str, items: Sequence[Item], bootstrap: Bootstrap | None) -> dict[str, Table]:
    found = {name: metric_table(items, bootstrap)}
    for by in PARTS:
        parts = metric_tables(items, by, bootstrap)
        if len(parts) > 1:
            found |= {f"{name}, {by} {part or 'not known'}": table for part, table in parts.items()}
    return found


def ordered(names: Iterable[str]) -> list[str]:
    """Return metrics in the order of the table: control, length, diversity, then quality and timing as they come."""
    return sorted(names, key=lambda name: next((i for i, begin in enumerate(ORDER) if name.startswith(begin)), 99))
