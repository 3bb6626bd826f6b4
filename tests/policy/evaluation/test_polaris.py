"""POLARIS' table by hand: buckets, geometric length ratios, slopes, what is missing; two policies compared."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from judgekit.calibration import Bootstrap, adjust_pvalues, sign_flip_test
from judgekit.errors import InputError
from judgekit.policy.asked import StoryPrompt
from judgekit.policy.evaluation.polaris import BUCKETS, Story, buckets_of, measure_stories, tables
from judgekit.policy.evaluation.scoring import Judged, Scores
from judgekit.policy.evaluation.slopes import bucket, bucket_name, quality_rows, quality_slope
from judgekit.policy.evaluation.story_contrasts import story_contrasts
from tests.policy.evaluation.made import responded

FAST = Bootstrap(draws=200)


def story(name: str, words: int | None, *counts: int | None, group: str = "", prompt: str = "Write."):
    texts = (None if count is None else " ".join(["word"] * count) or "!" for count in counts)
    return responded(StoryPrompt(name, f"{prompt} {name}", words, group or name), *texts)


def scores(*rows: list[float]) -> Scores:
    return Scores(Judged(fingerprint="j", scale=(0, 100)), np.array(rows, dtype=float), {}, {})


def value(table, name: str) -> float:
    return table.rows[name].estimate.value


def test_length_ratios_are_geometric_means_of_prompts() -> None:
    one = [story("a", 10, 5, 5), story("b", 10, 20, 20), story("c", 20, 5, 20)]
    found = tables(measure_stories(one), (10, 20), FAST)

    assert value(found["stories, 1-10 words"], "length ratio") == pytest.approx(1)  # sqrt(1/2 * 2)
    assert value(found["stories, 11-20 words"], "length ratio") == pytest.approx(1 / 2)  # sqrt(1/4 * 1)
    assert value(found["stories"], "length ratio") == pytest.approx((1 / 2 * 2 * 1 / 2) ** (1 / 3))
    low, high = (getattr(found["stories"].rows["length ratio"].estimate, end) for end in ("low", "high"))
    assert 0 < low < (1 / 2) ** (1 / 3) < high


def test_the_slope_of_lengths_by_hand() -> None:
    # log 10 -> log 10 on average, log 20 -> log 10 on average: a slope of 0
    flat = [story("a", 10, 5, 20), story("b", 20, 5, 20), story("c", 20, 10, 10)]
    assert value(tables(measure_stories(flat), (10,), FAST)["stories"], "length slope") == pytest.approx(0, abs=1e-12)
    # 10 -> 10, 20 -> 30: log 3 / log 2
    steep = [story("a", 10, 10), story("b", 20, 30)]
    found = value(tables(measure_stories(steep), (10,), FAST)["stories"], "length slope")
    assert found == pytest.approx(math.log(3) / math.log(2))


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), min_size=3, max_size=8), st.integers(2, 5))
def test_writing_k_times_as_much_multiplies_the_ratio_and_leaves_the_slope(some, k: int) -> None:
    words = [10 * (i % 3 + 1) for i in range(len(some))]
    one = [story(str(i), w, *counts) for i, (w, counts) in enumerate(zip(words, some, strict=True))]
    two = [story(str(i), w, *(k * n for n in counts)) for i, (w, counts) in enumerate(zip(words, some, strict=True))]
    a, b = (tables(measure_stories(it), (10, 20), FAST)["stories"] for it in (one, two))

    assert value(b, "length ratio") == pytest.approx(k * value(a, "length ratio"))
    assert value(b, "length slope") == pytest.approx(value(a, "length slope"), abs=1e-9)


def test_quality_by_bucket_and_its_slope_by_hand() -> None:
    one = [story("a", 5, 5, 5), story("b", 10, 5, 5), story("c", 15, 5, 5), story("d", 25, 5, 5)]
    found = tables(measure_stories(one, scores([90, 80], [70, 80], [50, 50], [40, 50])), (10, 20), FAST)

    assert value(found["stories, 1-10 words"], "quality") == 80  # (85 + 75) / 2
    assert value(found["stories, 21 and more words"], "quality") == 45
    assert value(found["stories"], "quality") == pytest.approx((85 + 75 + 50 + 45) / 4)
    # means 80, 50, 45 at -1, 0, 1: (45 - 80) / 2
    assert value(found["stories"], "quality slope") == pytest.approx(-17.5)


def test_a_fit_over_six_buckets() -> None:
    # (-2.5 * 60 - 1.5 * 57 - .5 * 51 + .5 * 47 + 1.5 * 45 + 2.5 * 42) / 17.5 = -65 / 17.5
    means = [60.0, 57, 51, 47, 45, 42]
    rows = quality_rows([1000 + 2000 * i for i in range(6)], means, BUCKETS)

    assert quality_slope(rows.sum(0)[None])[0] == pytest.approx(-65 / 17.5)


def test_a_bucket_without_stories_counts_for_nothing() -> None:
    rows = quality_rows([1000, 5000], [60.0, 50.0], BUCKETS)

    assert quality_slope(rows.sum(0)[None])[0] == pytest.approx(-10 / 2)  # two buckets apart
    assert math.isnan(quality_slope(rows[:1])[0])


def test_the_end_of_a_bucket_belongs_to_it() -> None:
    assert [bucket(n, BUCKETS) for n in (1, 2000, 2001, 12000, 12001)] == [0, 0, 1, 5, 6]
    assert [bucket_name(n, BUCKETS) for n in (0, 1, 6)] == ["1-2000 words", "2001-4000 words", "12001 and more words"]


def test_polaris_buckets_bring_its_three_ranges() -> None:
    one = [story("a", 3000, 5), story("b", 5000, 5), story("c", 12500, 5)]

    assert list(tables(measure_stories(one), BUCKETS, FAST)) == [
        "stories",
        "stories, 2001-4000 words",
        "stories, 4001-6000 words",
        "stories, 12001 and more words",
        "stories, 1-4000 words",
        "stories, 4001-8000 words",
    ]


def test_what_is_missing_is_counted_with_its_reason() -> None:
    one = [
        story("a", 10, 5, 20),
        story("b", 10, None, None),
        story("c", 10, 0, None),
        story("d", None, 5, 5),
        story("e", None, 10, 10, prompt="Write a story that is 10 words long."),
    ]
    nan = math.nan
    found = tables(measure_stories(one, scores([50, nan], [nan, nan], [nan, nan], [30, 30], [nan, 20])), (10,), FAST)
    rows = found["stories"].rows

    assert rows["length ratio"].left_out == {
        "all responses are missing": 1,
        "no response has words": 1,
        "the prompt asks for no length": 1,
    }
    assert value(found["stories"], "length ratio") == pytest.approx(1)  # a and e
    assert rows["quality"].left_out == {"all scores are missing": 2}
    assert value(found["stories"], "quality") == pytest.approx((50 + 30 + 20) / 3)
    assert rows["length slope"].reason == "the lengths asked for do not differ enough"
    counts = found["stories"].counts
    assert counts == {"items": 5, "responses": 10, "missing": 3, "empty": 1, "cut off": 0, "unscored": 3}
    assert found["stories, 1-10 words"].counts["items"] == 4  # e's prompt says how many


def test_nothing_that_can_be_measured_says_why() -> None:
    [row] = [tables(measure_stories([story("a", None, 5)]), (10,), FAST)["stories"].rows["length ratio"]]

    assert row.estimate is None and row.reason == "no story has a value: the prompt asks for no length"


def test_prompts_of_a_group_are_drawn_together() -> None:
    one = [story(f"{g}{i}", 10, 5 if g < "f" else 20, group=g) for g in "abcdefghij" for i in range(9)]
    whole = tables(measure_stories(one), (10,), FAST)["stories"].rows["length ratio"].estimate
    alone = [replace(it, asked=replace(it.asked, group=it.id)) for it in one]
    apart = tables(measure_stories(alone), (10,), FAST)["stories"].rows["length ratio"].estimate

    assert (whole.clusters, apart.clusters) == (10, 90)
    assert math.log(whole.high / whole.low) > 2 * math.log(apart.high / apart.low)


# --- two policies ----------------------------------------------------------------------------------------------------


def measured(factor: float, quality: float, names: str = "abcdefgh") -> list[Story]:
    one = [story(name, 10 + 10 * (i % 2), int((10 + 10 * (i % 2)) * factor)) for i, name in enumerate(names)]
    return measure_stories(one, scores(*([quality + i] for i in range(len(names)))))


def by_name(contrasts):
    return {contrast.metric: contrast for contrast in contrasts}


def test_two_policies_by_hand() -> None:
    found = story_contrasts(measured(0.5, 40), measured(2, 50), (10, 20), FAST)
    whole = by_name(found["stories"])

    assert list(found) == ["stories", "stories, 1-10 words", "stories, 11-20 words"]
    assert whole["quality"].difference.value == pytest.approx(10)
    assert whole["length ratio"].difference.value == pytest.approx(2 - 1 / 2)
    assert whole["length ratio"].p == sign_flip_test([math.log(4)] * 8).p == pytest.approx(2 / 2**8)
    assert whole["length slope"].difference.value == pytest.approx(0, abs=1e-9)
    assert whole["quality slope"].difference.value == pytest.approx(0, abs=1e-9)
    assert by_name(found["stories, 1-10 words"])["quality"].p == pytest.approx(2 / 2**4)
    assert [c.q for c in found["stories"]] == adjust_pvalues([c.p for c in found["stories"]])
    assert whole["quality"].stars == "*"


def test_the_difference_of_slopes_by_hand() -> None:
    one = measure_stories([story(n, w, w) for n, w in zip("abcdefgh", [10, 40] * 4, strict=True)])  # as asked: 1
    two = measure_stories([story(n, w, 20) for n, w in zip("abcdefgh", [10, 40] * 4, strict=True)])  # always 20: 0
    found = by_name(story_contrasts(one, two, (10,), FAST)["stories"])

    assert found["length slope"].difference.value == pytest.approx(-1)
    assert "quality" not in found and "quality slope" not in found


def test_what_one_of_the_two_lacks_is_left_out_and_counted() -> None:
    one, two = measured(1, 50), measured(2, 50, "abcdefg")
    missing = measure_stories([story("a", 10, 0)], scores([math.nan]))
    found = by_name(story_contrasts(one, [*missing, *two[1:]], (10, 20), FAST)["stories"])

    assert {(c.left_out, c.unpaired) for c in found.values()} == {(1, 1)}  # a has no words and no score; h is alone
    assert found["length ratio"].difference.n == 6


def test_prompts_that_are_not_the_same_are_refused() -> None:
    with pytest.raises(InputError, match="no prompt in common"):
        story_contrasts(measured(1, 50, "ab"), measured(1, 50, "cd"), (10,), FAST)
    with pytest.raises(InputError, match="the prompt 'a' asks for 10 words in one, for 11 in the other"):
        story_contrasts(measure_stories([story("a", 10, 5)]), measure_stories([story("a", 11, 5)]), (10,), FAST)


def test_buckets_hold_each_story_once() -> None:
    one = measure_stories([story(str(i), 1 + 700 * i, 5) for i in range(20)])
    found = buckets_of(one, BUCKETS)

    assert [s.item.id for some in found.values() for s in some] == [str(i) for i in range(20)]
