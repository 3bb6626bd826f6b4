"""Tournaments: values by hand, failures that never become numbers, copies, batching, and order against the truth."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.tournaments import NoisyJudge, groups, measure, tau_b
from judgekit import Comparison, InputError, Preference, Sample, Usage
from judgekit.rewards import CompositeReward, Pivot, Reference, RoundRobin, Scheme, Swiss, tournament
from judgekit.rewards.games import strengths, win_rates

ALL: list[Scheme] = [
    Pivot(),
    Reference(),
    RoundRobin(),
    RoundRobin("bradley-terry"),
    Swiss(),
    Swiss(3, "bradley-terry"),
]
NAN = math.nan


class Longer:
    """Prefers the longer text; fails on what holds an X; counts its calls."""

    def __init__(self, probability: bool = False) -> None:
        self.batches: list[list[Comparison]] = []
        self.probability = probability

    def compare(self, comparisons: Sequence[Comparison]) -> list[Preference]:
        self.batches.append(list(comparisons))
        return [self.verdict(it) for it in comparisons]

    def verdict(self, it: Comparison) -> Preference:
        if "X" in it.a + it.b:
            return Preference(None, error="cut off", usage=Usage(calls=1))
        gap = len(it.a) - len(it.b)
        winner = "a" if gap > 0 else "b" if gap < 0 else "tie"
        return Preference(winner, 1 / (1 + math.exp(-gap)) if self.probability else None, usage=Usage(calls=1))


def group(*responses: str, prompt: str = "p", reference: str | None = None) -> list[Sample]:
    return [Sample(prompt, text, reference=reference) for text in responses]


def values(scheme: Scheme, *responses: str, reference: str | None = None) -> list[float | None]:
    [standings] = tournament(Longer(), [group(*responses, reference=reference)], scheme).groups
    return [standing.value for standing in standings]


def test_pivot_by_hand() -> None:
    """Whoever is drawn has 0; longer ones have 1, shorter ones -1, one of the same length 0."""
    texts = ["a", "bb", "cc", "dddd"]
    expected = {
        "a": [0, 1, 1, 1],
        "bb": [-1, 0, 0, 1],
        "cc": [-1, 0, 0, 1],
        "dddd": [-1, -1, -1, 0],
    }
    drawn = [values(Pivot(seed), *texts) for seed in range(40)]

    assert all(found in expected.values() for found in drawn)
    assert {tuple(found) for found in drawn} == {tuple(found) for found in map(tuple, expected.values())}
    assert values(Pivot(3), *texts) == values(Pivot(3), *texts)


def test_reference_by_hand() -> None:
    assert values(Reference(), "a", "bb", "cccc", "ref", reference="ref") == [-1, -1, 1, 0]
    [found] = tournament(Longer(), [group("a", "bb", "ccc")], Reference(), [["rr", "X", "yyy"]]).groups

    assert [s.value for s in found] == [-1, -0.5, 0.5]  # against rr and yyy: -1 -1; 0 -1; +1 0
    assert [(s.comparisons, s.failed) for s in found] == [(2, 1)] * 3


def test_round_robin_by_hand() -> None:
    assert values(RoundRobin(), "a", "bb", "cc", "dddd") == pytest.approx([0, 0.5, 0.5, 1])


def test_a_copy_ties_with_itself_and_asks_nothing() -> None:
    """bb twice: each has one tie and one win over a."""
    judge = Longer()
    found = tournament(judge, [group("bb", "a", "bb")], RoundRobin())

    assert [s.value for s in found.groups[0]] == [0.75, 0, 0.75]
    assert found.comparisons == len(judge.batches[0]) == 1


@pytest.mark.parametrize(
    ("scheme", "tied"), [(Pivot(), 0), (RoundRobin(), 0.5), (RoundRobin("bradley-terry"), 0), (Swiss(), 0.5)]
)
def test_one_text_several_times_is_a_tie_without_a_call(scheme: Scheme, tied: float) -> None:
    judge = Longer()
    found = tournament(judge, [group("same", "same", "same")], scheme)

    assert [s.value for s in found.groups[0]] == pytest.approx([tied] * 3)
    assert judge.batches == []


@pytest.mark.parametrize("scheme", [Pivot(), RoundRobin(), RoundRobin("bradley-terry"), Swiss()])
def test_alone_there_is_no_value(scheme: Scheme) -> None:
    [[found]] = tournament(Longer(), [group("alone")], scheme).groups

    assert (found.value, found.error) == (None, "it was compared with nothing")


@pytest.mark.parametrize("scheme", ALL)
def test_a_failure_is_never_a_number(scheme: Scheme) -> None:
    """Two copies of X tie, but nothing was said of X: no value. The others keep theirs, from what was said."""
    judge = Longer()
    for seed in range(8):
        scheme_ = type(scheme)(**{**vars(scheme), "seed": seed})
        [found] = tournament(judge, [group("a", "X", "bb", "X", "ccc", reference="rr")], scheme_).groups
        x_is_pivot = isinstance(scheme, Pivot) and found[0].value is None

        assert found[1].value is found[3].value is None
        assert found[1].error == "no comparison of it could be judged: cut off"
        assert x_is_pivot == (None in [found[0].value, found[2].value, found[4].value])


def test_a_pivot_of_which_nothing_is_known_has_no_value() -> None:
    everything = [values(Pivot(seed), "X", "a") for seed in range(6)]

    assert everything == [[None, None]] * 6


def test_a_blank_response_is_no_pivot() -> None:
    class Strict(Longer):
        def verdict(self, it: Comparison) -> Preference:
            if it.a.strip() and it.b.strip():
                return super().verdict(it)
            return Preference(None, error="blank")

    for seed in range(10):
        [found] = tournament(Strict(), [group("", "a", " ", "bb")], Pivot(seed)).groups
        assert [s.value is None for s in found] == [True, False, True, False]


def test_failures_are_counted() -> None:
    found = tournament(Longer(), [group("a", "X", "bb"), group("a", "b")], RoundRobin())

    assert (found.comparisons, found.failed, found.usage.calls) == (4, 2, 4)
    assert [(s.comparisons, s.failed) for s in found.groups[0]] == [(1, 1), (0, 2), (1, 1)]
    assert [s.value for s in found.groups[0]] == [0, None, 1]


@pytest.mark.parametrize("scheme", ALL)
def test_one_call_a_round_for_all_groups(scheme: Scheme) -> None:
    judge = Longer()
    all_ = [group(*("a" * (i + 1) for i in range(8)), prompt=f"p{g}", reference="rrr") for g in range(5)]
    found = tournament(judge, all_, scheme)

    assert len(judge.batches) == (3 if isinstance(scheme, Swiss) else 1)
    assert found.comparisons == sum(map(len, judge.batches)) <= 5 * scheme.calls(8)
    if not isinstance(scheme, (Swiss, Reference)):  # one of the responses is the reference
        assert found.comparisons == 5 * scheme.calls(8)


def test_what_it_costs() -> None:
    """n - 1; n; n (n - 1) / 2; 3 rounds of 4, 4 of 8, 2 of 1 but only 3 pairs."""
    assert [s.calls(8) for s in (Pivot(), Reference(), RoundRobin(), Swiss())] == [7, 8, 28, 12]
    assert [Swiss().calls(n) for n in (1, 2, 3, 16)] == [0, 1, 2, 32]


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 9), st.integers(2, 12), st.integers(0, 9))
def test_swiss_never_asks_twice_and_leaves_nobody_out(n: int, rounds: int, seed: int) -> None:
    judge = Longer()
    [found] = tournament(judge, [group(*("a" * (i + 1) for i in range(n)))], Swiss(rounds, seed=seed)).groups
    met = [frozenset((it.a, it.b)) for batch in judge.batches for it in batch]

    assert len(met) == len(set(met)) <= Swiss(rounds).calls(n)
    assert all(standing.comparisons for standing in found)


def test_the_sides_are_a_fair_coin() -> None:
    judge = Longer()
    tournament(judge, [group("a", "bb", prompt=f"p{i}") for i in range(400)], Pivot())

    assert 160 <= sum(it.a == "a" for it in judge.batches[0]) <= 240  # 200 +- 4 standard deviations of 10


@pytest.mark.parametrize("scheme", ALL)
def test_a_group_does_not_hang_on_the_others_nor_on_their_order(scheme: Scheme) -> None:
    judge = NoisyJudge(0.7)
    all_ = [[Sample(s.prompt, s.response, reference="0.5") for s in g] for g in groups(6, 7, 0)]
    together = tournament(judge, all_, scheme).groups
    backwards = tournament(judge, all_[::-1], scheme).groups[::-1]
    alone = [tournament(judge, [g], scheme).groups[0] for g in all_]

    assert together == backwards == alone


def test_soft_takes_the_probabilities() -> None:
    """P(bb over a) = logistic(1) = .7311: pivot +-(2p - 1), round robin p."""
    [found] = tournament(Longer(probability=True), [group("a", "bb")], RoundRobin(soft=True)).groups
    [pivot] = tournament(Longer(probability=True), [group("a", "bb")], Pivot(soft=True)).groups

    assert [s.value for s in found] == pytest.approx([0.26894, 0.73106], abs=1e-5)
    assert sorted(abs(s.value or 0) for s in pivot) == pytest.approx([0, 0.46212], abs=1e-5)
    with pytest.raises(InputError, match="this judge gives no probabilities"):
        tournament(Longer(), [group("a", "bb")], RoundRobin(soft=True))


def test_a_group_without_a_reference_has_no_values_and_the_others_have_theirs() -> None:
    groups = [[Sample("p", "aa", reference="a"), Sample("p", "b", reference="a")], [Sample("q", "c"), Sample("q", "d")]]
    one, other = tournament(Longer(), groups, Reference()).groups

    assert one[0].value == 1 and [standing.value for standing in other] == [None, None]
    assert other[0].error == "its group has no reference"


def test_what_cannot_be() -> None:
    with pytest.raises(InputError, match="different prompts"):
        tournament(Longer(), [[Sample("p", "a"), Sample("q", "b")]], Pivot())
    with pytest.raises(InputError, match="no group has a reference"):
        tournament(Longer(), [group("a", "b")], Reference())
    with pytest.raises(InputError, match="1 groups need as many lists of references, not 2"):
        tournament(Longer(), [group("a", "b")], Reference(), [["x"], ["y"]])
    with pytest.raises(InputError, match="at least 2 rounds"):
        Swiss(1)


@pytest.mark.parametrize("scheme", ALL)
def test_no_group_and_an_empty_group(scheme: Scheme) -> None:
    assert tournament(Longer(), [], scheme).groups == []
    assert tournament(Longer(), [[], group("a", "bb", reference="r")], scheme).groups[0] == []


def test_win_rates_by_hand() -> None:
    points = np.array([[NAN, 1, 0.5], [0, NAN, NAN], [0.5, NAN, NAN]])

    assert win_rates(points) == pytest.approx([0.75, 0, 0.5])


def test_strengths_by_hand() -> None:
    """One win, and half a win against strength 0 each: x = log power of the winner, -x of the loser by symmetry.

    1 + 1/2 = logistic(2x) + logistic(x); at power p: p^2 / (1 + p^2) + p / (1 + p) = 3/2 gives p^3 - p^2 - p - 3 = 0.
    """
    power = np.exp(strengths(np.array([[NAN, 1], [0, NAN]])))

    assert power[0] ** 3 - power[0] ** 2 - power[0] - 3 == pytest.approx(0, abs=1e-6)
    assert power[0] * power[1] == pytest.approx(1)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 8))
def test_strengths_are_those_of_the_logistic_fit(seed: int, n: int) -> None:
    """An independent fit: Newton's method on a design of +1 and -1, the imaginary opponent as a row of its own."""
    from judgekit.training.bradley_terry import fit

    rng = np.random.default_rng(seed)
    points = np.full((n, n), NAN)
    rows, labels = [*np.eye(n)], [0.5] * n
    for i, j in itertools.combinations(range(n), 2):
        if rng.random() < 0.7:
            points[i, j] = rng.choice([0, 0.5, 1])
            points[j, i] = 1 - points[i, j]
            rows.append(np.eye(n)[i] - np.eye(n)[j])
            labels.append(points[i, j])

    assert strengths(points) == pytest.approx(fit(np.array(rows), np.array(labels), 1e-9), abs=1e-4)


def test_tau_is_scipys() -> None:
    stats = pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(0)
    for _ in range(30):
        x, y = rng.random(8), rng.integers(0, 4, 8)
        assert tau_b(x, y) == pytest.approx(stats.kendalltau(x, y).statistic)


def pivot_tau(n: int) -> float:
    """Tau-b of a pivot that is never misjudged, by arithmetic: the pivot with k below it and m = n - 1 - k above.

    Pairs in order: k m + (n - 1), none out of order; tied are those below and those above among themselves.
    """
    total = 0.0
    for k in range(n):
        m, ordered = n - 1 - k, k * (n - 1 - k) + n - 1
        total += ordered / math.sqrt(math.comb(n, 2) * (math.comb(n, 2) - math.comb(k, 2) - math.comb(m, 2)))
    return total / n


def test_a_perfect_judge() -> None:
    assert measure(RoundRobin(), 1.0, 8, 20)[0].value == pytest.approx(1)
    assert measure(RoundRobin("bradley-terry"), 1.0, 8, 20)[0].value == pytest.approx(1)
    assert measure(Pivot(), 1.0, 8, 150)[0].value == pytest.approx(pivot_tau(8), abs=0.03)


def test_a_judge_that_tosses_a_coin_orders_nothing() -> None:
    for scheme in (Pivot(), RoundRobin(), Swiss()):
        found, _ = measure(scheme, 0.5, 8, 100)
        assert found.value == pytest.approx(0, abs=0.12)


def test_more_comparisons_order_better() -> None:
    """The order of the table in docs/pairwise-rewards.md, with differences many times their error."""
    pivot, swiss, everybody = (measure(scheme, 0.75, 8, 150)[0].value for scheme in (Pivot(), Swiss(), RoundRobin()))

    assert pivot + 0.05 < swiss < everybody - 0.05


DOC = Path(__file__).resolve().parents[2] / "docs" / "pairwise-rewards.md"


def test_the_reward_function_of_the_guide_runs(tmp_path: Path) -> None:
    """On rows as TRL gives them: plain and conversational, a group's responses one after the other."""
    [code] = re.findall(r"^```python\n(.*?)^```$", DOC.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)[:1]
    space: dict[str, object] = {"judge": Longer()}
    exec(re.sub(r"^judge = .*$", "", code, flags=re.MULTILINE), space)
    reward = space["reward"]
    assert isinstance(reward, CompositeReward)
    chat = [[{"role": "user", "content": "p"}]]
    turns = [[{"role": "assistant", "content": text}] for text in ("a", "bb")]

    assert reward(prompts=["p"] * 3 + ["q"] * 2, completions=["a", "bb", "ccc", "d", "X"]) == [0, 0.5, 1, None, None]
    assert reward(prompts=chat * 2, completions=turns, trainer_state=None) == [0, 1]
