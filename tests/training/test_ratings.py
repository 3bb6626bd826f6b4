"""Ratings as pairs: means by hand, margins on their edge, caps, and counts that others have published."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path
from typing import Any

import pytest

from judgekit import InputError, Pair, Sample
from judgekit.training import from_ratings

HANNA = Path(__file__).resolve().parents[3] / "shared" / "data" / "hanna"
SAMPLES = [
    Sample("p", "text x", "x"),
    Sample("p", "text y", "y"),
    Sample("p", "text z", "z"),
    Sample("q", "text w", "w"),
]


def rate(item: str, *scores: float, criterion: str = "", **more: Any) -> list[dict[str, Any]]:
    named = {"criterion": criterion} if criterion else {}
    return [{"item": item, "rater": f"r{i}", "score": score, **named, **more} for i, score in enumerate(scores)]


def told(pair: Pair) -> tuple[str, str, float]:
    it = pair.comparison
    chosen, rejected = (it.a, it.b) if pair.label == "a" else (it.b, it.a)
    return chosen, rejected, it.metadata["margin"]


def test_means_over_raters_by_hand() -> None:
    """x: (1 + 2 + 3) / 3 = 2; y: (3 + 4) / 2 = 3.5; z: 2, as x. w answers another prompt."""
    found = from_ratings([*rate("x", 1, 2, 3), *rate("y", 3, 4), *rate("z", 2), *rate("w", 5)], SAMPLES)

    assert [told(pair) for pair in found.pairs] == [("text y", "text x", 1.5), ("text y", "text z", 1.5)]
    assert found.left_out == {"pairs: too close in score, or one text twice": 1}
    assert found.pairs[0].comparison.metadata == {"margin": 1.5, "chosen_score": 3.5, "rejected_score": 2.0}


def test_criteria_count_alike_however_many_rated_them() -> None:
    """x: ((1 + 1 + 1) / 3 + 5) / 2 = 3; y: (2 + 3) / 2 = 2.5."""
    rows = [*rate("x", 1, 1, 1, criterion="c"), *rate("x", 5, criterion="d")]
    rows += [*rate("y", 2, criterion="c"), *rate("y", 3, criterion="d")]

    assert [told(p) for p in from_ratings(rows, SAMPLES[:2]).pairs] == [("text x", "text y", 0.5)]
    assert [told(p) for p in from_ratings(rows, SAMPLES[:2], criterion="c").pairs] == [("text y", "text x", 1.0)]


def test_a_margin_is_reached_by_what_is_meant_to_reach_it() -> None:
    """(1 + 1 + 2) / 3 and (1 + 2 + 2) / 3 lie a third apart, in floating point a little less or more."""
    rows = [*rate("x", 1, 1, 2), *rate("y", 1, 2, 2)]

    assert len(from_ratings(rows, SAMPLES[:2], margin=1 / 3).pairs) == 1
    with pytest.raises(InputError, match="no pair: 1 x pairs: too close in score"):
        from_ratings(rows, SAMPLES[:2], margin=0.334)


def test_a_wide_table_with_its_own_names() -> None:
    rows = [
        {"Prompt": "p", "Story": "one", "Mark": "4", "system": "A"},
        {"Prompt": "p", "Story": "two", "Mark": "1", "system": "B"},
        {"Prompt": "p", "Story": "two", "Mark": "2", "system": "B"},
        {"Prompt": "p", "Story": "three", "Mark": "high"},
        {"Prompt": "p", "Story": "four"},
    ]
    found = from_ratings(rows, columns=("Prompt", "Story", "Mark"))

    assert [told(pair) for pair in found.pairs] == [("one", "two", 2.5)]
    assert found.pairs[0].comparison.metadata["chosen_model"] == "A"
    assert found.left_out == {
        "rating without a finite score": 1,
        "'Mark' is missing; the row has: Prompt, Story": 1,
    }


def test_what_cannot_be_used_is_counted() -> None:
    rows = [*rate("x", 1), *rate("y", 2), *rate("who", 3), *rate("x", float("nan")), *rate("x", True), *rate("y", 5)]
    rows += [*rate("x", 1, criterion="c"), {"item": "z"}]
    found = from_ratings(rows, SAMPLES, criterion="")

    assert [told(pair) for pair in found.pairs] == [("text y", "text x", 1.0)]
    assert found.left_out == {
        "rating of an item that is no sample": 1,
        "rating without a finite score": 3,
        "rating by a rater who has rated that already": 1,
        "sample without a rating": 2,
    }


def test_a_sample_that_lacks_a_criterion_is_left_out() -> None:
    rows = [*rate("x", 1), *rate("y", 2), *rate("z", 9, criterion="other")]
    with pytest.raises(InputError, match="2 x sample without a rating for 'other'; 1 x sample without a rating; 1 x"):
        from_ratings(rows, SAMPLES)


def test_groups_keep_apart_and_travel_along() -> None:
    rows = [*rate("x", 1, group="g"), *rate("y", 2, group="g"), *rate("z", 3, group="h")]
    [pair] = from_ratings(rows, SAMPLES).pairs

    assert (pair.group, told(pair)) == ("g", ("text y", "text x", 1.0))


def test_an_item_in_two_groups_is_an_error() -> None:
    with pytest.raises(InputError, match="the item 'x' has two values for 'group': 'g' and 'h'"):
        from_ratings([*rate("x", 1, group="g"), {"item": "x", "score": 2, "rater": "z", "group": "h"}], SAMPLES)


def test_an_unknown_criterion_is_an_error() -> None:
    with pytest.raises(InputError, match="no rating has the criterion 'coherense'; did you mean 'coherence'"):
        from_ratings(rate("x", 1, criterion="coherence"), SAMPLES, criterion="coherense")


@pytest.mark.parametrize("setting", [{"margin": -1}, {"margin": float("nan")}, {"margin": float("inf")}, {"most": 0}])
def test_settings_that_cannot_be(setting: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="a margin is 0 or more and a cap at least 1"):
        from_ratings(rate("x", 1), SAMPLES, **setting)


def many(prompts: int) -> list[dict[str, Any]]:
    return [
        {"prompt": f"p{i}", "response": f"t{i}{j}", "score": j, "id": f"{i}-{j}"}
        for i in range(prompts)
        for j in range(7)
    ]


def test_the_cap_holds_for_each_prompt_and_does_not_hang_on_the_others() -> None:
    """7 responses, all different: 21 pairs a prompt, of which 5 are kept."""
    capped = from_ratings(many(3), most=5, seed=1)
    first = from_ratings(many(1), most=5, seed=1)
    other = from_ratings(many(1), most=5, seed=2)
    everything = {pair.id for pair in from_ratings(many(3)).pairs}

    assert len(everything) == 63
    assert capped.left_out == {"pairs: more than the most of one prompt": 48}
    assert [pair.id for pair in capped.pairs][:5] == [pair.id for pair in first.pairs]
    assert {pair.id for pair in first.pairs} != {pair.id for pair in other.pairs}
    assert len({pair.id for pair in capped.pairs} & everything) == 15


def test_a_draw_favours_no_pair() -> None:
    """5 of 21 in 400 draws: each pair about 95 times, standard deviation sqrt(400 * 5/21 * 16/21) = 8.5."""
    times: dict[str, int] = {}
    for seed in range(400):
        for pair in from_ratings(many(1), most=5, seed=seed).pairs:
            times[pair.id] = times.get(pair.id, 0) + 1

    assert len(times) == 21
    assert all(55 < count < 135 for count in times.values())


@pytest.mark.skipif(not HANNA.is_dir(), reason="the HANNA ratings are not beside this checkout")
@pytest.mark.parametrize(("margin", "count"), [(0, 5145), (0.5, 3050), (1, 1439)])
def test_hanna_gives_the_pairs_that_exact_arithmetic_gives(margin: float, count: int) -> None:
    """Counted from the integer sums of the 18 ratings of each story."""
    with gzip.open(HANNA / "stories.csv.gz", "rt", encoding="utf-8", newline="") as stream:
        samples = [Sample(row["prompt"], row["story"], row["story_id"]) for row in csv.DictReader(stream)]
    with gzip.open(HANNA / "human_ratings.csv.gz", "rt", encoding="utf-8", newline="") as stream:
        rows = [
            {"item": row["story_id"], "rater": row["rater"], "criterion": name, "score": row[name]}
            for row in csv.DictReader(stream)
            for name in ("relevance", "coherence", "empathy", "surprise", "engagement", "complexity")
        ]
    found = from_ratings(rows, samples, margin=margin)

    assert len(found.pairs) + found.left_out.get("pairs: too close in score, or one text twice", 0) == 5280
    assert len(found.pairs) == count
