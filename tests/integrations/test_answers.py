"""What stands in for a missing reward, by hand; and what no adapter takes."""

from __future__ import annotations

import asyncio
import math
import statistics
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judgekit import InputError
from judgekit.integrations.answers import (
    UnscoredError,
    figures,
    in_thread,
    never_raises,
    one_process,
    reason,
    single,
    single_rollouts,
    with_group_means,
)
from judgekit.rewards import Rollout
from judgekit.rewards.ranks import Ranks
from tests.integrations.rewards import needy, plain


def test_the_mean_of_the_group_by_hand() -> None:
    """The first group: 1, 2 and one that is missing, (1 + 2) / 2 = 1.5; the second has nothing; the third is whole."""
    totals = [1.0, None, 2.0, None, None, 7.0]
    assert with_group_means(totals, [[0, 1, 2], [3, 4], [5]], 0.25) == [1.0, 1.5, 2.0, 0.25, 0.25, 7.0]
    assert with_group_means([], [], 1.0) == []


@given(st.lists(st.floats(-5, 5), min_size=2, max_size=8), st.integers(1, 4))
def test_the_stand_in_has_no_advantage_and_moves_the_mean_of_no_other(known: list[float], missing: int) -> None:
    filled = with_group_means([*known, *[None] * missing], [list(range(len(known) + missing))], 99.0)

    assert statistics.fmean(filled) == pytest.approx(statistics.fmean(known), abs=1e-9)
    assert filled[-1] == pytest.approx(statistics.fmean(filled), abs=1e-9)
    shrunk = math.sqrt((len(known) - 1) / (len(known) + missing - 1))
    assert statistics.stdev(filled) == pytest.approx(statistics.stdev(known) * shrunk, abs=1e-9)


def test_figures_have_the_same_keys_whatever_failed() -> None:
    found = plain().score([Rollout("p", "0.7 1"), Rollout("p", "fail 1"), Rollout("p", "0.2 fail")])
    rows = [figures(found, i) for i in range(3)]

    assert rows[0] == {"judge": 0.7, "format": 1.0, "unscored": 0.0}
    assert math.isnan(rows[1]["judge"]) and rows[1]["unscored"] == rows[2]["unscored"] == 1.0
    assert len({tuple(row) for row in rows}) == 1
    assert [reason(found, i) for i in range(3)] == ["", "judge: no verdict", "format: no verdict"]


def test_one_rollout() -> None:
    assert single(plain(), Rollout("p", "0.7 1"), None)[0] == 1.2
    assert single(plain(), Rollout("p", "fail 1"), 0.4)[0] == 0.4
    with pytest.raises(UnscoredError, match="judge: no verdict"):
        single(plain(), Rollout("p", "fail 1"), None)


@pytest.mark.parametrize(("i", "words"), list(enumerate(["above needs", "z-score", "z-score", "optional"])))
def test_what_needs_the_group_is_refused(i: int, words: str) -> None:
    with pytest.raises(InputError, match=f"verl gives a reward one rollout at a time, but.*{words}"):
        single_rollouts(needy()[i], "verl")


def test_other_refusals(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="use on_error='unscored'"):
        never_raises(plain(on_error="raise"), "x", "scores 0")
    one_process()
    monkeypatch.setattr(Ranks, "current", classmethod(lambda cls: cls(1, 2)))
    with pytest.raises(InputError, match="among 2 processes: use the synchronous form"):
        one_process()


def test_many_can_wait_at_the_same_time() -> None:
    """An event loop's own threads are about as many as cores: there the 60 would not meet."""
    meet = threading.Barrier(60)

    async def all_() -> list[int]:
        return await asyncio.gather(*(in_thread(meet.wait, 60) for _ in range(60)))

    assert sorted(asyncio.run(all_())) == list(range(60))
