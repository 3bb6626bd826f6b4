"""The tables of a study that needs no files: stories of the storyworld, and raters and judges who are simulated.

They are made in memory, as rows like those of a file, so that such a study is read, checked and reported as any other.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from judgekit.errors import InputError, nearest
from judgekit.storyworld import Outline, Rater, World, rate, simulated_raters

OUTLINES, EACH = 60, 5  # 300 stories
JUDGES = (
    Rater("careful", shift=0.3, noise=0.5),
    Rater("severe", shift=-1.0, noise=0.7),
    Rater("dazzled", shift=0.0, noise=0.5, dazzled=1.5),
)


def generated(table: str, seed: int) -> list[dict[str, Any]]:
    """Return the rows of ``stories`` (item, group, text), ``raters`` or ``judges`` (both: item, rater, quality).

    Three simulated raters with a severity and a noise of their own; three simulated judges, one of whom is taken in by
    showy endings.

    Raises:
        InputError: another name.
    """
    made = _tables(seed)
    if table not in made:
        raise InputError(f"the storyworld has no table {table!r}{nearest(table, made)}")
    return made[table]


@cache
def _tables(seed: int) -> dict[str, list[dict[str, Any]]]:
    samples = World(seed).grouped(OUTLINES, EACH, "test")

    def scores(raters: list[Rater]) -> list[dict[str, Any]]:
        return [{"item": r["item"], "rater": r["rater"], "quality": r["score"]} for r in rate(samples, raters)]

    stories = [{"item": s.id, "group": Outline.parse(s.prompt).id, "text": s.response} for s in samples]
    return {"stories": stories, "raters": scores(simulated_raters(3, seed)), "judges": scores(list(JUDGES))}
