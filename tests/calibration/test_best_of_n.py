"""Best of n: by hand, and against every subset."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest

from judgekit import InputError
from judgekit.calibration import Bootstrap, best_of_n_regret


def test_by_hand() -> None:
    """Of {1, 2, 3} the judge takes human 1 from every pair that holds it (2 of 3), else 2: 4/3; the best: 8/3."""
    found = best_of_n_regret([3, 2, 1] * 2, [1, 2, 3] * 2, [0, 0, 0, 1, 1, 1])

    assert [row.n for row in found] == [1, 2, 3]
    assert [row.regret.value for row in found] == pytest.approx([0, 4 / 3, 2])
    assert (found[1].judge.value, found[1].best.value, found[1].random.value) == pytest.approx((4 / 3, 8 / 3, 2))


def test_every_subset_says_the_same() -> None:
    rng = np.random.default_rng(0)
    sizes = [2, 4, 6, 6]
    groups = np.repeat(np.arange(4), sizes)
    judge, human = rng.integers(0, 4, 18).astype(float), rng.integers(1, 6, 18).astype(float)
    found = best_of_n_regret(judge, human, groups, bootstrap=Bootstrap(100))
    for row in found:
        regrets = []
        for group in range(4):
            own = np.flatnonzero(groups == group)
            subsets = [np.array(s) for s in combinations(own, row.n)]
            taken = [human[s][judge[s] == judge[s].max()].mean() for s in subsets]
            if subsets:
                regrets.append(np.mean([human[s].max() for s in subsets]) - np.mean(taken))
        assert row.regret.value == pytest.approx(np.mean(regrets))
        assert ("fewer than" in row.regret.note) == (row.n > 2)


def test_large_groups_and_missing_items() -> None:
    judge = np.arange(2000.0)
    human = judge.copy()
    human[::7] = math.nan
    found = best_of_n_regret(judge, human, np.arange(2000) % 2)

    assert len(found) == 857
    assert max(abs(row.regret.value) for row in found[::50]) < 1e-6


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (([1], [1, 2], [0]), "one shape"),
        (([math.nan], [1], [0]), "no item has both"),
    ],
)
def test_what_cannot_be_taken_is_refused(arguments: tuple, says: str) -> None:
    with pytest.raises(InputError, match=says):
        best_of_n_regret(*arguments)
    with pytest.raises(InputError, match="two units"):
        best_of_n_regret([1, 2], [1, 2], [0, 0], units=[0, 1])
