"""Two policies on the same turns and in the same stories: differences by hand, tests, one adjustment for all."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from judgekit.calibration import Bootstrap, adjust_pvalues, sign_flip_test
from judgekit.episodes import Episode, Played, PlayedTurn, StoryGraph, Trigger
from judgekit.episodes.measures import TIMING, measure_timing
from judgekit.episodes.metrics import metric_table
from judgekit.errors import InputError
from judgekit.policy.evaluation.contrasts import _effects as effects_of
from judgekit.policy.evaluation.contrasts import timing_contrasts, turn_contrasts
from judgekit.policy.evaluation.episodebench import turn_items
from tests.policy.evaluation.made import responded, says, turn

FAST = Bootstrap(draws=200)
FAST_, ON_TIME, SLOW, FAILED = (5, True), (9, True), (12, True), (15, False)  # turns of a budget of 10, and left or not
CUT = (3, False)


def played(story: str, *stays: tuple[int, bool]) -> Played:
    episode = Episode(id="1", goal="g", scene="s", triggers=(Trigger(conditions=("x",), next_episode="-1"),))
    graph = StoryGraph(story=story, background="b", episodes=(episode,))
    turns = []
    for i, (count, left) in enumerate(stays):
        for n in range(1, count + 1):
            after = f"e{i + 1}" if left and n == count else f"e{i}"
            turns.append(PlayedTurn("t", (), f"e{i}", n, 10, "a", "normal", "r", None, "", after))
    return Played(graph, f"{story}/0", tuple(turns), "cut" if stays[-1] is CUT else "")


def by_name(contrasts):
    return {contrast.metric: contrast for contrast in contrasts}


def test_timing_by_hand() -> None:
    one = [played("A", ON_TIME, FAST_), played("B", FAILED)]
    two = [played("A", ON_TIME), played("B", ON_TIME, ON_TIME)]
    found = by_name(timing_contrasts(one, two, FAST))

    assert list(found) == list(TIMING)
    assert found["on time"].difference.value == pytest.approx(3 / 3 - 1 / 3)
    assert found["too fast"].difference.value == pytest.approx(0 / 3 - 1 / 3)
    assert found["too slow"].difference.value == 0
    assert found["failure"].difference.value == pytest.approx(-1 / 3)
    # With r = 4/6, A adds (1 - 2/3)/3 - (1 - 4/3)/3 = 2/9 and B (2 - 4/3)/3 - (0 - 2/3)/3 = 4/9; of the four
    # combinations of their signs two have a sum of 6/9 or more.
    assert found["on time"].p == sign_flip_test([2 / 9, 4 / 9]).p == 0.5
    assert (found["on time"].difference.clusters, found["on time"].difference.n) == (2, 6)


def test_a_policy_that_comes_further_by_hand() -> None:
    one = [played("A", SLOW), played("B", FAILED), played("C", ON_TIME)]
    two = [played("A", ON_TIME, ON_TIME, SLOW), played("B", ON_TIME), played("C", SLOW)]
    found = by_name(timing_contrasts(one, two, FAST))["on time"]

    assert found.difference.value == pytest.approx(3 / 5 - 1 / 3)
    # r = 4/8; of the second n = 5, of the first 3: A (2 - 3/2)/5 - (0 - 1/2)/3, B (1 - 1/2)/5 + (1/2)/3, C as B, less
    effects = [0.5 / 5 + 0.5 / 3, 0.5 / 5 + 0.5 / 3, -0.5 / 5 - 0.5 / 3]
    assert sum(effects) == pytest.approx(3 / 5 - 1 / 3)
    assert found.p == sign_flip_test(effects).p == 1  # of eight sums all are as far from 0: 1 or 3 times the same
    found = by_name(timing_contrasts([*one[:2], played("C", SLOW)], [*two[:2], played("C", ON_TIME, ON_TIME)], FAST))
    # r = 5/9; of the second n = 6, of the first 3
    effects = [(2 - 5 / 3) / 6 + 5 / 27, (1 - 5 / 9) / 6 + 5 / 27, (2 - 10 / 9) / 6 + 5 / 27]
    assert found["on time"].p == sign_flip_test(effects).p == 1 / 4


@given(st.lists(st.tuples(*[st.integers(0, 4)] * 4), min_size=2, max_size=6))
def test_what_the_stories_add_is_the_difference(stories: list[tuple[int, ...]]) -> None:
    rows = np.array([[h1, h1 + m1 + 1, h2, h2 + m2 + 1] for h1, m1, h2, m2 in stories], dtype=float)
    h1, n1, h2, n2 = rows.sum(0)

    assert effects_of(rows).sum() == pytest.approx(h2 / n2 - h1 / n1)
    assert effects_of(rows[:, [2, 3, 0, 1]]) == pytest.approx(-effects_of(rows))


def test_timing_is_the_difference_of_the_tables() -> None:
    stays = (FAST_, ON_TIME, SLOW, FAILED)
    one = [played(f"s{i}", *[ON_TIME] * (i % 3), stays[i % 4]) for i in range(20)]
    two = [played(f"s{i}", stays[(i * 7) % 4]) for i in range(20)]
    rows = [metric_table(measure_timing(some), FAST).rows for some in (one, two)]

    for name, contrast in by_name(timing_contrasts(one, two, FAST)).items():
        gap = rows[1][name].estimate.value - rows[0][name].estimate.value
        assert contrast.difference.value == pytest.approx(gap)
        assert contrast.difference.low <= gap <= contrast.difference.high


def test_all_stories_failed_before_and_none_after() -> None:
    one, two = [played(f"s{i}", FAILED) for i in range(12)], [played(f"s{i}", ON_TIME) for i in range(12)]
    found = by_name(timing_contrasts(one, two, FAST))["on time"]

    assert found.difference.value == 1 and found.p == pytest.approx(2 / 2**12)
    # every resample is alike: of a kind of story that is not among 12, the share may be 1 - .025 ** (1 / 12)
    assert found.difference.low == pytest.approx(1 - 2 * (1 - 0.025 ** (1 / 12))) and found.difference.high == 1


@given(st.lists(st.tuples(st.sampled_from(range(4)), st.sampled_from(range(4))), min_size=2, max_size=8))
def test_exchanging_the_two_turns_every_sign(stays: list[tuple[int, int]]) -> None:
    kinds = (FAST_, ON_TIME, SLOW, FAILED)
    one = [played(f"s{i}", kinds[a]) for i, (a, _) in enumerate(stays)]
    two = [played(f"s{i}", kinds[b], ON_TIME) if kinds[b][1] else played(f"s{i}", kinds[b])
           for i, (_, b) in enumerate(stays)]  # fmt: skip
    there, back = timing_contrasts(one, two, FAST), timing_contrasts(two, one, FAST)

    for a, b in zip(there, back, strict=True):
        assert a.difference.value == pytest.approx(-b.difference.value) and a.p == pytest.approx(b.p)


def test_a_story_that_was_cut_off_is_left_out_and_counted() -> None:
    one = [played("A", ON_TIME), played("B", ON_TIME), played("C", CUT)]
    two = [played("A", SLOW), played("B", ON_TIME), played("C", SLOW)]
    found = by_name(timing_contrasts(one, two, FAST))["on time"]

    assert found.left_out == 1 and found.difference.value == pytest.approx(1 / 2 - 2 / 2)
    lone = by_name(timing_contrasts(one[1:], two[1:], FAST))["on time"]
    assert lone.difference is None and lone.reason == "1 stories were timed of both; the test needs two"


def test_stories_that_only_one_has_played_are_refused() -> None:
    with pytest.raises(InputError, match="have not played the same stories"):
        timing_contrasts([played("A", ON_TIME)], [played("B", ON_TIME)], FAST)
    assert timing_contrasts([], [], FAST) == []


def system(right: set[int]):
    """Ten stories of a stay and a jump each, the languages in turn; a jump is told where its story is in the set."""
    found = []
    for s in range(10):
        language = "en" if s % 2 else "zh"
        found.append(responded(turn(f"{s}a", f"S{s}", "1", language=language), says("1")))
        found.append(responded(turn(f"{s}b", f"S{s}", "2", language=language), says("2" if s in right else "1")))
    return turn_items(found, (1, 9))


def test_all_tests_of_a_table_are_adjusted_together() -> None:
    stories = ["A", "B"]
    games = [played(s, FAILED) for s in stories], [played(s, ON_TIME) for s in stories]
    found = turn_contrasts(system({0}), system(set(range(9))), games, FAST)
    whole = by_name(found["turns"])

    assert whole["acc@1"].difference.value == pytest.approx((8 * 1) / 20)
    assert whole["jump recall"].difference.value == pytest.approx(8 / 10)
    assert whole["acc@1"].stars == "*" and whole["on time"].p == 0.5
    assert [c.q for c in found["turns"]] == adjust_pvalues([c.p for c in found["turns"]])
    alone = by_name(turn_contrasts(system({0}), system(set(range(9))), bootstrap=FAST)["turns"])
    assert whole["acc@1"].p == alone["acc@1"].p and "on time" not in alone


def test_parts_are_compared_apart() -> None:
    found = turn_contrasts(system({0}), system(set(range(9))), bootstrap=FAST)

    assert list(found) == ["turns", "turns, language en", "turns, language zh"]
    zh = by_name(found["turns, language zh"])  # stories 0, 2, 4, 6, 8, of which 0 was right before
    assert zh["acc@1"].difference.value == pytest.approx(4 / 10)
