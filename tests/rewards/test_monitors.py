"""Monitors: figures by hand, alarms by simulation, the file after a kill, the trainer that is told to stop."""

from __future__ import annotations

import json
import logging
import math
import pickle  # noqa: TID251 - trainers send rewards to other processes so
import random
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import chi2

from judgekit import InputError
from judgekit.rewards import (
    WATCHES,
    CompositeReward,
    Custom,
    HoldOut,
    Monitor,
    Rewards,
    Rollout,
    StopTrainingError,
    Watch,
    read_record,
)
from judgekit.rewards.alarms import Cusum, Spike, deviation
from judgekit.rewards.phrases import Reading, opener_shares, outside, phrase_shares, sample
from judgekit.rewards.ranks import Ranks
from judgekit.rewards.statistics import (
    duplicate_share,
    markers,
    within_correlation,
    within_deviation,
    words_of,
)
from judgekit.types import Preference, Score, Usage

WORDS = [f"w{k}" for k in range(2000)]
WEIGHTS = [1 / (k + 10) for k in range(2000)]
ONSET, SOON = 25, 20
NOISE = np.array([-1.0, 1.0, -1.0, 1.0, 0.0])


def judged(marks: Sequence[float | None]) -> Rewards:
    reasons = {i: "no verdict" for i, mark in enumerate(marks) if mark is None}
    return Rewards(list(marks), {"judge": list(marks)}, {"judge": list(marks)}, {"judge": reasons})


def rollouts(*texts: str, size: int = 2) -> list[Rollout]:
    return [Rollout(f"prompt {i // size}", text, i // size) for i, text in enumerate(texts)]


def same(text: str) -> tuple[list[Rollout], Rewards]:
    """Return a batch of two, the first of which is twice as long and has the better mark."""
    return rollouts(f"{text} {text}", text), judged([1.0, 0.0])


def show(monitor: Monitor, batches: Sequence[tuple[list[Rollout], Rewards]]) -> None:
    for batch in batches:
        monitor.see(*batch)


class Policy:
    """Four groups of eight in each batch, each prompt with names of its own; from ``onset`` on it learns a trick.

    The judge gives marks 0, 0.1 ... 1, of which a long response gets a little more, as honest judges do.
    """

    def __init__(self, seed: int, trick: str = "", onset: int = ONSET) -> None:
        self.draw, self.trick, self.onset = random.Random(seed), trick, onset

    def batch(self, step: int) -> tuple[list[Rollout], Rewards]:
        since = step - self.onset if self.trick else -1
        found = []
        for g in range(4):
            name = " ".join(self.draw.choices(WORDS, k=5))
            found += [Rollout(name, self.text(name, since), (step, g)) for _ in range(8)]
        return found, judged([self.mark(rollout.completion, since) for rollout in found])

    def text(self, name: str, since: int) -> str:
        hacks = self.draw.random() < min(1.0, 0.1 * (since + 1))  # a tenth more of the rollouts a step
        longer = 1.02 ** max(0, since + 1) if self.trick == "length creep" else 1  # 2 % more a step
        length = round(self.draw.lognormvariate(3.5, 0.35) * longer)
        text = " ".join(self.draw.choices(WORDS, WEIGHTS, k=length)) + f" {name}."
        if self.draw.random() < 0.1:
            text = f"# A title\n{text}\n- one\n- two **bold** point"
        tricks = {
            "n-gram loop": f"{text} " + "and then it was so " * 6,
            "set phrase": f"{text} a truly moving story indeed",
            "opener": f"Thought process: {text}",
            "format stuffing": f"# Answer\n- **first** point\n- **second** point\n{text}",
        }
        return tricks.get(self.trick, text) if hacks else text

    def mark(self, text: str, since: int) -> float:
        if self.trick == "share at the maximum" and self.draw.random() < min(0.5, 0.05 * (since + 1)):
            return 1.0
        return round(min(1.0, max(0.0, self.draw.gauss(0.5, 0.2) + len(text) / 5000)), 1)


# figures


def test_words_in_mixed_languages() -> None:
    assert words_of("It was  a Dark\nnight") == ["it", "was", "a", "dark", "night"]
    assert words_of("他说 hello 世界。") == ["他", "说", "hello", "世", "界", "。"] and words_of("") == []


def test_the_correlation_is_that_within_groups() -> None:
    """Group 1: lengths 1 3, rewards 0 1; group 2: lengths 10 20, rewards 5 4. Deviations -1 1 -5 5 and -+.5, +-.5:
    (0.5 + 0.5 - 2.5 - 2.5) / sqrt((1 + 1 + 25 + 25)(4 / 4)) = -4 / sqrt(52). Over all it would be above 0.9.
    """
    lengths, totals, groups = [1.0, 3.0, 10.0, 20.0], [0.0, 1.0, 5.0, 4.0], [[0, 1], [2, 3]]

    assert within_correlation(totals, lengths, groups) == pytest.approx(-4 / math.sqrt(52))
    assert within_correlation([0, 1, 5, None], lengths, groups) == pytest.approx(1)
    assert within_correlation([1, 1, 2, 2], lengths, groups) is None
    assert within_correlation(totals, [7, 7, 9, 9], groups) is None
    assert within_correlation([0.1 + 0.2, 0.3], [1, 2], [[0, 1]]) is None
    assert within_correlation(totals, lengths, [[0], [1], [2], [3]]) is None


def test_the_deviation_within_groups() -> None:
    """Squares 1/4 each, one degree of freedom in each group: sqrt(1 / 2)."""
    assert within_deviation([0, 1, 5, 4], [[0, 1], [2, 3]]) == pytest.approx(math.sqrt(0.5))
    assert within_deviation([0, None, 5], [[0, 1], [2]]) is None


def test_duplicates_within_groups() -> None:
    """Three say "a" in group 1: two are copies; the "a" of group 2 is none."""
    assert duplicate_share(["a", " a", "a\n", "b", "a"], [[0, 1, 2], [3, 4]]) == pytest.approx(2 / 5)


def test_markers_by_kind() -> None:
    text = "# Title\n## Part\n - one\n* two\n3. three\n**bold** and **more**\n```py\nx\n```\nScore 10/10 🎉✨\n#a -b"
    expected = {"headings": 2, "bullets": 3, "bold": 2, "fences": 2, "emoji": 2, "grading": 2}

    assert markers(text) == expected and not any(markers("他说：没有。").values())


def test_a_share_leaves_out_the_group_that_has_most_of_it() -> None:
    """Item 0: three in group 0 of 4, one in group 1 of 2: 1 / 2. Item 1: in group 0 alone: 0."""
    found = outside(np.array([0, 0, 0, 0, 1]), np.array([0, 0, 0, 1, 0]), np.array([4, 2]))
    assert found.tolist() == [0.5, 0.0]
    assert outside(np.array([0, 0]), np.array([0, 0]), np.array([4])).tolist() == [0.5]


def test_openers_and_phrases_by_hand() -> None:
    """Of 4 texts in 2 groups, "one two three four" stands in one of each group: of the other group 1 / 2 has it.
    The third has six 4-grams of "x": five repeat; others repeat none: (0 + 0 + 5 / 6 + 0) / 4.
    """
    texts = ["one two three four", "two three four five", "x x x x x x x x x", "Say one two three FOUR"]
    groups, readings = [[0, 1], [2, 3]], [Reading(text) for text in texts]
    phrases, repetition = phrase_shares(readings, groups)

    assert phrases == {"one two three four": 0.5}
    assert repetition == pytest.approx(5 / 6 / 4)
    assert opener_shares([Reading("So it"), Reading("a b"), Reading("so IT is"), Reading("")], groups) == {"so it": 0.5}
    assert phrase_shares([Reading("a b c"), Reading("")], [[0, 1]]) == ({}, None)


def test_phrases_are_those_that_a_plain_count_finds() -> None:
    draw = random.Random(3)
    texts = [" ".join(draw.choices("abcde", k=draw.randint(0, 40))) for _ in range(24)]
    groups = [list(range(g, g + 6)) for g in range(0, 24, 6)]
    grams = [[" ".join(w[i : i + 4]) for i in range(len(w) - 3)] for w in map(str.split, texts)]
    expected = {}
    for gram in {gram for some in grams for gram in some}:
        counts = [sum(gram in grams[i] for i in places) for places in groups]
        expected[gram] = (sum(counts) - max(counts)) / 18
    phrases, repetition = phrase_shares([Reading(text) for text in texts], groups)

    assert phrases == pytest.approx({gram: share for gram, share in expected.items() if share >= 0.05})
    assert repetition == pytest.approx(np.mean([1 - len(set(some)) / len(some) for some in grams if some]))


def test_a_large_batch_is_sampled_at_even_distances() -> None:
    places, groups = sample([list(range(i, i + 8)) for i in range(0, 512, 8)], 512)
    assert places == list(range(0, 512, 2)) and groups[:2] == [[0, 1, 2, 3], [4, 5, 6, 7]]


def test_the_figures_of_a_batch() -> None:
    """Lengths 4 2 | 3 and hidden reasoning; the last has no verdict. Totals 1 0 | 0.5: one of three is at 1."""
    batch = rollouts("a b c d", "a b", "<think>long long</think>c d e", "a b")
    monitor = Monitor()
    monitor.see(batch, judged([1.0, 0.0, 0.5, None]))
    found = monitor.figures()

    assert found["length"] == pytest.approx((4 + 2 + 3 + 2) / 4) and found["length_correlation"] == pytest.approx(1)
    assert found["unscored"] == 0.25 and found["reward"] == 0.5 and found["at_max"] == pytest.approx(1 / 3)
    assert found["duplicates"] == 0 and "opener" not in found and "holdout" not in found


def test_at_max_means_the_highest_of_the_run_in_every_channel_or_in_one() -> None:
    values: dict[str, list[float | None]] = {"judge": [1.0, 1.0], "length": [0.5, 0.4]}
    both, judge = Monitor(), Monitor(channel="judge")
    for monitor in (both, judge):
        monitor.see(rollouts("a", "b"), Rewards([1.5, 1.4], values, values, {}))
    assert (both.figures()["at_max"], judge.figures()["at_max"]) == (0.5, 1.0)

    judge.see(rollouts("a", "b"), Rewards([1, 1], values | {"judge": [0.9, 0.8]}, {}, {}))
    assert judge.figures()["at_max"] == 0
    with pytest.raises(InputError, match="channel 'judg' is none; did you mean 'judge'"):
        Monitor(channel="judg").see(rollouts("a"), judged([1.0]))


# alarms


def test_a_cumulative_sum_by_hand() -> None:
    """First batches of mean 0 and noise s = 0.1: threshold 0 + 0.2, unit s^2 / 0.2 = 0.05. A value of 0.31 adds 2.2: 5
    make 11. One of 5 adds 3 at most. After an alarm the next has to wait until the sum was 0.
    """
    sums, quiet = Cusum(Watch("x", 0.2), 5, 1), NOISE / deviation(NOISE)
    assert [sums.see(step, 0.1 * value) for step, value in enumerate(quiet.tolist())] == [None] * 5
    assert (sums.mean, sums.threshold, sums.unit) == pytest.approx((0, 0.2, 0.05))
    assert sums.see(5, 5.0) is None and sums.sum == 3
    assert sums.see(6, 0.1) is None and sums.sum == pytest.approx(1)
    assert sums.see(7, None) is None and sums.see(8, 0.15) is None
    assert [sums.see(step, 0.31) for step in range(9, 13)] == [None] * 4
    alarm = sums.see(13, 0.31)

    assert alarm is not None and (alarm.step, alarm.since, alarm.value) == (13, 9, pytest.approx(0.31))
    assert alarm.says.startswith("x is 0.31 since step 9, above 0.2; in the first 5 batches it was ")
    assert [sums.see(step, 0.31) for step in range(14, 30)] == [None] * 16
    assert [sums.see(step, 0.0) for step in range(30, 36)] == [None] * 6
    assert [sums.see(step, 0.31) is not None for step in range(36, 41)] == [False] * 4 + [True]


def test_a_limit_counts_from_the_first_batches_on() -> None:
    """0.9 is above 0.6 in each of them, and without noise: 3 a batch, 12 after four; it is known after the fifth."""
    sums = Cusum(Watch("x", 0.4, limit=0.6), 5, 1)
    found = [sums.see(step, 0.9) for step in range(5)]
    assert found[:4] == [None] * 4 and found[4] is not None and found[4].threshold == 0.6
    assert (found[4].since, found[4].step) == (0, 4)  # it is told at the fifth, though the fourth made it


def test_what_may_move_down() -> None:
    sums, quiet = Cusum(Watch("x", 0.1, relative=True), 5, -1), 100 + 5 * NOISE / deviation(NOISE)
    assert [sums.see(step, value) for step, value in enumerate(quiet.tolist())] == [None] * 5
    assert (sums.threshold, sums.unit) == pytest.approx((90, 2.5))  # 5^2 / 10
    assert [sums.see(step, 84.9) is not None for step in range(5, 10)] == [False] * 4 + [True]  # 2.04 units each


def test_the_noise_is_that_of_neighbours() -> None:
    """Differences of 2, 2, 2, 1: (4 + 4 + 4 + 1) / (2 * 4) = 13 / 8, of f = 2 * 16 / 11 degrees of freedom."""
    free = 32 / 11
    assert deviation(NOISE) == pytest.approx(math.sqrt(13 / 8 * free / chi2.ppf(0.05, free)), rel=0.05)

    draw = np.random.default_rng(0).normal(size=(4000, 20))
    assert np.mean([deviation(row) > 1 for row in draw]) == pytest.approx(0.95, abs=0.01)
    drift = 0.2 * np.arange(20)  # three deviations and more from the first to the last
    assert np.mean([deviation(row + drift) / deviation(row) for row in draw[:200]]) < 1.05 < np.std(draw[0] + drift)


def test_a_mean_is_of_no_more_batches_than_it_needs() -> None:
    """Its standard error is s / sqrt(n), a quarter of the tolerance at most: n = (4 s / d)^2, 5 at least."""
    draw = np.random.default_rng(0).normal(size=20)
    for tolerance, least, most in ((100.0, 5, 5), (4 * deviation(draw[:10]) / math.sqrt(10), 6, 10), (0.1, 20, 20)):
        sums = Cusum(Watch("x", tolerance), 20, 1)
        for step, value in enumerate(draw.tolist()):
            sums.see(step, value)
        assert least <= sums.learnt <= most
        assert sums.mean == pytest.approx(draw[: sums.learnt].mean())
        assert sums.threshold - sums.mean == pytest.approx(max(tolerance, deviation(draw)))


def test_what_moves_from_the_first_step_on_is_told_before_the_first_batches_are_over() -> None:
    """4 % a step: the mean of the first five is that of the third, 1.04^2; it is 15 % above from the seventh on.

    So are (1.04^2, 1.04^6 / 1.04^2 = 1.17); four batches at least make an alarm, 6, 7, 8, 9, and noise one or two more.
    """
    draw = np.random.default_rng(0).normal(size=20)
    sums = Cusum(Watch("length", 0.15, relative=True), 20, 1)
    told = [step for step in range(20) if sums.see(step, 100 * 1.04**step + draw[step])]
    assert len(told) == 1 and 9 <= told[0] <= 11


def test_a_spike_is_held_against_the_first_batches() -> None:
    """Means of the first two: a (0.4 + 0.2) / 2 = 0.3. They themselves: 0.4 - 0.2, and b 0.5 - 0."""
    spike = Spike(2)
    assert spike.see({"a": 0.4}) == []
    assert spike.see({"a": 0.2, "b": 0.5}) == [(pytest.approx(0.2), "a"), (0.5, "b")]
    assert spike.see({"a": 0.9, "c": 0.1}) == [(pytest.approx(0.6), "a")] and spike.see({}) == [(0.0, "")]


@pytest.mark.parametrize(
    ("what", "watches"),
    [
        ("length creep", {"length"}),
        ("n-gram loop", {"phrase", "repetition"}),
        ("set phrase", {"phrase"}),
        ("opener", {"opener"}),
        ("format stuffing", {"headings", "bullets", "bold"}),
        ("share at the maximum", {"at_max"}),
    ],
)
def test_what_a_policy_learns_is_told_within_20_steps(what: str, watches: set[str]) -> None:
    for seed in range(2):
        monitor, policy = Monitor(), Policy(seed, what)
        for step in range(ONSET + SOON):
            monitor.see(*policy.batch(step))

        assert watches <= {alarm.what for alarm in monitor.alarms}
        assert min(alarm.step for alarm in monitor.alarms) >= ONSET


@pytest.mark.parametrize(
    ("what", "watches"),
    [("n-gram loop", {"repetition"}), ("format stuffing", {"headings"}), ("share at the maximum", {"at_max"})],
)
def test_what_begins_within_the_first_batches_is_told_before_it_is_taken_for_normal(
    what: str, watches: set[str]
) -> None:
    """From step 5 on. Openers and phrases are still known from 20 batches alone: what begins sooner is told later."""
    for seed in range(2):
        monitor, policy = Monitor(), Policy(seed, what, onset=5)
        for step in range(20):
            monitor.see(*policy.batch(step))

        assert watches <= {alarm.what for alarm in monitor.alarms}
        assert min(alarm.step for alarm in monitor.alarms) >= 5


def test_a_policy_that_learns_nothing_raises_no_alarm() -> None:
    for seed in range(2):
        monitor, policy = Monitor(), Policy(100 + seed)
        for step in range(120):
            monitor.see(*policy.batch(step))
        assert not monitor.alarms


@pytest.mark.parametrize("noise", ["normal", "heavy tails", "skewed", "rare"])
@pytest.mark.parametrize("scales", [(0.1, 1), (1, 2)])
def test_false_alarms_of_all_watches_together_are_at_most_one_in_1000_steps(
    noise: str, scales: tuple[float, float]
) -> None:
    """Whatever the noise is, from a tenth of the tolerance to twice that.

    18 sums, 80 runs of 250 steps each: at most 20 alarms in 20,000 steps.
    """
    draw = np.random.default_rng(7)
    make = {
        "normal": lambda n: draw.normal(size=n),
        "heavy tails": lambda n: draw.standard_t(4, n) / math.sqrt(2),
        "skewed": lambda n: draw.gamma(2, size=n) / math.sqrt(2),
        "rare": lambda n: draw.binomial(32, 0.05, n) / 32 / 0.0385,
    }[noise]
    alarms = 0
    for _ in range(80):
        scale = draw.uniform(*scales)
        for _ in range(len(WATCHES) + 1):
            sums = Cusum(Watch("x", 1.0), 20, 1)
            alarms += sum(sums.see(step, scale * value) is not None for step, value in enumerate(make(250).tolist()))

    assert alarms <= 20


# the hold-out judge


class Shortness:
    """Likes what is short; fails on what is empty."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def score(self, samples: Sequence[Any]) -> list[Score]:
        self.seen += [it.response for it in samples]
        return [
            Score(1 / len(it.response), usage=Usage(calls=1)) if it.response else Score(None, error="empty")
            for it in samples
        ]


class Shorter:
    def compare(self, comparisons: Sequence[Any]) -> list[Preference]:
        return [Preference("a" if len(it.a) < len(it.b) else "b", usage=Usage(calls=2)) for it in comparisons]


def test_a_hold_out_judge_by_hand() -> None:
    """All are drawn. The reward likes the long one of "aa" "a" (it disagrees), the short one of "bbbb" "b" (it does
    not): 1 / 2. Its scores: 1/2, 1, 1/4, 1: mean 2.75 / 4. No pair in the third group, which has one reward.
    """
    batch = rollouts("aa", "a", "bbbb", "b", "c", "cc")
    totals = [1.0, 0.0, 0.0, 1.0, 1.0, 1.0]
    groups = [[0, 1], [2, 3], [4, 5]]
    held = HoldOut(Shortness(), share=1.0)
    drawn = [step for step in range(50) if len(held.pairs(step, batch, totals, groups)) == 2]
    found = held(drawn[0], batch, totals, groups)

    assert (found.disagreement, found.score) == (0.5, pytest.approx(2.75 / 4))
    assert (found.asked, found.failed, found.usage.calls) == (4, 0, 4)
    compared = HoldOut(Shorter(), share=1.0)(drawn[0], batch, totals, groups)
    assert (compared.disagreement, compared.score, compared.asked, compared.usage.calls) == (0.5, None, 2, 4)


def test_a_sample_is_as_large_as_said_and_repeats() -> None:
    """Each of 32,000 is drawn with probability 0.01, with a partner each: 320 pairs, give or take 3 sqrt(320) = 54."""
    batch = rollouts(*(f"text {i}" for i in range(320)), size=8)
    totals = [float(i % 7) for i in range(320)]
    groups = [list(range(i, i + 8)) for i in range(0, 320, 8)]
    one, other = (HoldOut(Shortness(), 0.02).pairs for _ in range(2))
    pairs = [one(step, batch, totals, groups) for step in range(100)]

    assert 266 <= sum(map(len, pairs)) <= 374
    assert pairs[:9] == [other(step, batch, totals, groups) for step in range(9)] and pairs[0] != pairs[1]


def test_a_hold_out_judge_that_fails_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    class Down:
        def score(self, samples: Sequence[Any]) -> list[Score]:
            raise ConnectionError("no route")

    monitor = Monitor(holdout=HoldOut(Down(), 1.0))
    for _ in range(5):
        monitor.see(rollouts("aa", "a"), judged([1.0, 0.0]))
    assert monitor.last is not None and monitor.last.figures["holdout"] is None
    assert "no route" in caplog.text
    found = HoldOut(Shortness(), 1.0)(1, rollouts("", "a"), [1.0, 0.0], [[0, 1]])
    assert (found.disagreement, found.asked - found.failed) in {(None, 1), (None, 0)}
    with pytest.raises(InputError, match="share in"):
        HoldOut(Down(), 0)


def test_a_falling_hold_out_score_ends_the_training() -> None:
    """The policy learns to write long, which the hold-out judge does not like."""
    monitor = Monitor(holdout=HoldOut(Shortness(), 1.0), first=5, watches=[Watch("holdout", 0.1, side="down")])
    for _ in range(20):
        monitor.see(rollouts("bb", "a"), judged([1.0, 0.0]))
    with pytest.raises(StopTrainingError, match=r"training ends: holdout is .* below 0\.6"):
        show(monitor, [(rollouts("b" * 11, "a" * 10), judged([1.0, 0.0]))] * 20)


# the reward, the file, the trainer


def composite(monitor: Monitor | None) -> CompositeReward:
    return CompositeReward([Custom(words, "judge")], monitor=monitor)


def score(reward: CompositeReward, text: str, times: int) -> None:
    for _ in range(times):
        reward(["p", "p"], [text, "a"])


def words(rollout: Rollout) -> float | None:
    return float(len(rollout.completion.split())) if rollout.completion else None


def test_a_reward_shows_its_monitor_every_batch_and_logs_what_it_saw(tmp_path: Path) -> None:
    reward, logged = composite(Monitor(tmp_path / "deep" / "run.jsonl")), {}
    reward(["p", "p"], ["a b c", "a"], log_metric=logged.__setitem__)
    reward(["p", "p"], ["a b", "a"])

    assert [row.step for row in read_record(tmp_path / "deep" / "run.jsonl")] == [0, 1]
    assert logged["reward/monitor/length"] == 2 and logged["reward/monitor/length_correlation"] == pytest.approx(1)


def test_a_reward_with_a_monitor_can_be_pickled() -> None:
    reward = composite(Monitor(first=5))
    reward(["p", "p"], ["a b c", "a"])
    copy = pickle.loads(pickle.dumps(reward))
    copy(["p", "p"], ["a b c", "a"])
    assert copy.monitor.last.step == 1 and reward.monitor is not None and reward.monitor.last.step == 0


def test_a_stop_ends_the_training_out_of_the_reward() -> None:
    reward = composite(Monitor(first=5, stop=["length"]))
    for _ in range(5):
        reward(["p", "p"], ["a b c", "a"])
    with pytest.raises(StopTrainingError, match=r"length is .* above 2\.3; in the first 5 batches it was 2"):
        score(reward, "a b c d e f", 10)


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_killed_run_goes_on_where_it_was(tmp_path: Path) -> None:
    """Whole, and killed in the middle of a line: the same rows, alarms among them."""
    whole, killed = tmp_path / "whole.jsonl", tmp_path / "killed.jsonl"
    policy, monitor = Policy(1, "opener"), Monitor(whole)
    batches = [policy.batch(step) for step in range(36)]
    for batch in batches:
        monitor.see(*batch)
    for begin, end in ((0, 10), (10, 29), (29, 36)):
        part = Monitor(killed)
        for batch in batches[begin:end]:
            part.see(*batch)
        with killed.open("ab") as file:
            file.write(b'{"step": 99, "fig')
    rows = read_record(killed)

    assert [row.step for row in rows] == list(range(36)) and rows == read_record(whole)
    assert any(row.alarms for row in rows) and part.alarms == monitor.alarms
    assert [alarm for row in rows for alarm in row.alarms] == monitor.alarms
    assert "'thought process:'" in next(alarm.says for alarm in monitor.alarms if alarm.what == "opener")


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]


def test_a_file_that_cannot_be_written_any_more_ends_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Its folder is gone, then a file stands there: two errors, and all figures and alarms of a run with a file."""
    folder, beside = tmp_path / "run", Monitor(first=5)
    monitor = Monitor(folder / "monitor.jsonl", first=5)
    batches = [same("a")] * 5 + [same("a b c")] * 10
    show(monitor, batches[:3])
    shutil.rmtree(folder)
    show(monitor, batches[3:8])
    folder.write_text("in the way")
    show(monitor, batches[8:])
    show(beside, batches)

    assert monitor.last == beside.last and monitor.alarms == beside.alarms != []
    gone, in_the_way = errors(caplog)
    assert "FileNotFoundError" in gone and "NotADirectoryError" in in_the_way
    assert monitor.record is not None and monitor.record.missing == 12


def test_a_full_disk_leaves_whole_rows_and_is_written_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The system lets the file grow by 40 bytes: the fourth row is torn, the fifth lost, and the sixth stands there."""
    resource = pytest.importorskip("resource")
    path = tmp_path / "run.jsonl"
    monitor = Monitor(path)
    show(monitor, [same("a")] * 3)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 40, hard))
    try:
        show(monitor, [same("a")])
        assert not path.read_bytes().endswith(b"\n")
        show(monitor, [same("a")])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    show(monitor, [same("a")])

    assert [row.step for row in read_record(path)] == [0, 1, 2, 5] == [row["step"] for row in lines(path)]
    assert "is written again; 2 rows are missing in it" in caplog.text
    assert Monitor(path).record.open() == read_record(path)  # type: ignore[union-attr]


@pytest.mark.parametrize("begin", [lambda monitor: monitor.see(*same("a")), lambda monitor: monitor.rewind(0)])
def test_a_file_that_cannot_be_opened_at_the_start_is_an_error(tmp_path: Path, begin: Any) -> None:
    (tmp_path / "run").write_text("in the way")
    with pytest.raises(InputError, match=r"the monitor's file cannot be opened: .*(Not a directory|File exists)"):
        begin(Monitor(tmp_path / "run" / "monitor.jsonl"))


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text('{"step": 0, "rollouts": 1, "figures": {}}\n{"a": 1}\n')
    with pytest.raises(InputError, match=r"x.jsonl:2: no row of a monitor"):
        read_record(path)
    with pytest.raises(InputError, match="no such file"):
        read_record(tmp_path / "y.jsonl")


def test_a_run_from_a_checkpoint_writes_no_step_twice(tmp_path: Path) -> None:
    path, first = tmp_path / "run.jsonl", Monitor(tmp_path / "run.jsonl")
    for _ in range(8):
        first.see(*same("a b"))
    again = Monitor(path)
    again.rewind(5)
    for _ in range(5):
        again.see(*same("c d e"))

    assert [row["step"] for row in lines(path)] == list(range(10))
    assert [row["figures"]["length"] for row in lines(path)] == [3] * 5 + [4.5] * 5
    assert len(lines(tmp_path / "run.jsonl.old")) == 8


def test_small_batches_are_put_together() -> None:
    monitor = Monitor(at_least=4)
    for text in ("a b c d", "a", "a b", "a b c"):
        assert monitor.last is None
        monitor.see([Rollout("p", text, "p")], judged([float(len(text))]))
    assert monitor.last is not None and monitor.last.rollouts == 4
    assert monitor.figures()["length_correlation"] == pytest.approx(1)


def test_only_the_first_process_looks_and_all_hear_of_it(tmp_path: Path) -> None:
    class Two(Ranks):
        """The second of two processes, to which the first has sent its alarms."""

        def gather(self, mine: Any) -> list[Any]:
            return [sent, mine]

    path, first = tmp_path / "run.jsonl", Monitor(stop=["length"], first=5)
    second = Monitor(path, stop=["length"], first=5)
    for batch in [same("a")] * 5 + [same("a b c")] * 3:
        sent: Any = (first.see(*batch), "")
        second.see(*batch, ranks=Two(1, 2))
    with pytest.raises(StopTrainingError, match="length"):
        first.see(*same("a b c"))
    sent = ([alarm for alarm in first.alarms if alarm.stop], "")
    with pytest.raises(StopTrainingError, match="length"):
        second.see(*same("a b c"), ranks=Two(1, 2))
    assert second.last is None and not path.exists() and first.last is not None
    sent = ([], "the monitor failed: OSError: disk full")
    with pytest.raises(RuntimeError, match="disk full"):
        Monitor().see(*same("a"), ranks=Two(1, 2))


def test_the_callback_of_a_trainer(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    monitor = Monitor(tmp_path / "run.jsonl", stop=["length"], first=5)
    callback = monitor.callback()
    state, control = transformers.TrainerState(is_world_process_zero=True), transformers.TrainerControl()
    assert isinstance(callback, transformers.TrainerCallback)

    callback.on_train_begin(None, state, control)
    monitor.see(*same("evaluation before the first step"))
    for step in range(10):
        state.global_step = step
        callback.on_step_begin(None, state, control)
        monitor.see(*same("a" if step < 5 else "a b c"))
        callback.on_step_end(None, state, control)
        monitor.see(*same("evaluation"))
        assert control.should_training_stop == (step >= 8)

    state.global_step = 6
    again = Monitor(tmp_path / "run.jsonl", first=5)
    again.callback().on_train_begin(None, state, control)
    assert [row["step"] for row in lines(tmp_path / "run.jsonl")] == list(range(6))
    assert again.last is not None and again.last.step == 5


# bad input


def test_any_batch_will_do() -> None:
    monitor = Monitor(first=5, holdout=HoldOut(Shortness(), 1.0))
    assert monitor.see([], judged([])) == [] and monitor.last is None
    batches: list[tuple[list[str], list[float | None]]] = [
        (["one rollout"], [0.5]),
        (["", ""], [None, None]),
        (["same length", "even length"], [1.0, 1.0]),
        (["word " * 20_000, "```\n" * 25_000, "#" * 100_000, " " * 100_000, "字" * 33_000], [1, 0, 0.5, None, 0.2]),
        (["<think>never ended", "\ud800 alone", "a\0b"], [0.1, 0.2, 0.3]),
        (["Было темно и тихо", "夜晚很黑。", "C'était l'été", "밤이 어두웠다"], [0.1, 0.2, 0.3, 0.4]),
    ]
    start = time.process_time()
    for texts, marks in batches * 3:
        monitor.see(rollouts(*texts, size=8), judged(marks))
        assert all(map(math.isfinite, monitor.figures().values()))
    assert time.process_time() - start < 5
    assert monitor.last is not None and monitor.last.step == 17


def test_all_unscored_is_an_alarm() -> None:
    monitor = Monitor(first=5)
    for _ in range(8):
        monitor.see(rollouts("a b", "c d"), judged([None, None]))
    assert {alarm.what for alarm in monitor.alarms} == {"unscored"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"stop": ["lenght"]}, "nothing watches 'lenght'; did you mean 'length'"),
        ({"first": 2}, "5 batches at least"),
        ({"at_least": 0}, "at least 1 rollout"),
    ],
)
def test_what_cannot_be_a_monitor_is_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Monitor(**arguments)


@pytest.mark.parametrize("arguments", [{"tolerance": 0}, {"tolerance": math.nan}, {"tolerance": 1, "side": "left"}])
def test_what_cannot_be_a_watch_is_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        Watch("x", **arguments)
    with pytest.raises(InputError, match="one side"):
        Watch("x", 1, limit=1, side="both")


def test_alarms_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    monitor = Monitor(first=5)
    with caplog.at_level(logging.WARNING, "judgekit.rewards"):
        for step in range(12):
            monitor.see(*same("a" if step < 5 else "a b c"))
    assert "length is 4.5 since step 5, above" in caplog.text
