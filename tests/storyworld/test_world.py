"""Pairs, samples and ratings: deterministic, balanced, and with the shares that are stated."""

from __future__ import annotations

import json
import re
import zlib
from statistics import correlation, mean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judgekit.errors import InputError
from judgekit.files import pair_row
from judgekit.storyworld import FLAWS, Outline, Rater, World, quality, rate, read, simulated_raters
from judgekit.types import Sample


def length(text: str) -> int:
    return len(text.split())


@pytest.fixture(scope="module")
def pairs():
    return World(seed=1).pairs(4000)


@pytest.fixture(scope="module")
def samples():
    return World(seed=1).samples(4000)


def crc(rows: list) -> int:
    return zlib.crc32(json.dumps(rows, sort_keys=True).encode())


def test_golden_text():
    first = World(seed=0).pairs(1)[0]
    assert first.comparison.id == "train-0-0"
    assert first.comparison.prompt == "Tell how Zoe fetched the coin from the harbor one day."
    assert first.comparison.a == (
        "Zoe went to the harbor for the coin alone. Sun shone. Breaking the coin Zoe came home. Thunder grew. "
        "Sun shone, bringing the berry. Zoe held the feather. Zoe found the spoon. Zoe saw the pear. Zoe held the nut. "
        "How glorious!"
    )


def test_golden_checksums():
    world = World(seed=0)
    assert crc([pair_row(pair) for pair in world.pairs(50)]) == 2610793831
    assert crc(world.ratings(world.samples(50, "test"))) == 2504736356


def test_items_do_not_depend_on_how_many_are_asked_for():
    assert World(seed=3).pairs(20)[:5] == World(seed=3).pairs(5)
    assert World(seed=3).samples(20, "test")[:5] == World(seed=3).samples(5, "test")


def test_seeds_differ():
    assert World(seed=1).pairs(5) != World(seed=2).pairs(5)


@settings(max_examples=50, deadline=None)
@given(st.integers(), st.sampled_from(["train", "test"]), st.integers(5, 14), st.integers(0, 7))
def test_any_seed_works(seed, split, low, more):
    for pair in World(seed, (low, low + more)).pairs(5, split):
        it, outline = pair.comparison, Outline.parse(pair.comparison.prompt)
        quality_a, quality_b = read(outline, it.a).quality, read(outline, it.b).quality
        assert pair.label == ("a" if quality_a > quality_b else "b")
        assert quality_a != quality_b
        assert outline.split == split
        assert outline.id == pair.group


def test_each_flaw_kind_is_in_a_tenth_of_the_pairs_and_sometimes_the_only_one(pairs):
    worse = [pair.comparison.metadata["worse"]["flaws"] for pair in pairs]
    for flaw in FLAWS:
        assert mean(flaw in flaws for flaws in worse) >= 0.2
        assert mean(flaws == [flaw] for flaws in worse) >= 0.08


def test_pairs_are_graded(pairs):
    flaws = [tuple(len(pair.comparison.metadata[of]["flaws"]) for of in ("worse", "better")) for pair in pairs]
    assert set(flaws) == {(1, 0), (2, 0), (2, 1), (3, 0), (3, 1), (3, 2)}
    assert all(flaws.count(kind) / len(flaws) > 0.05 for kind in set(flaws))


def test_the_worse_story_has_more_flaws_and_the_metadata_is_true(pairs):
    for pair in pairs:
        it, (better, worse) = pair.comparison, (pair.comparison.metadata[role] for role in ("better", "worse"))
        texts = (it.a, it.b) if pair.label == "a" else (it.b, it.a)
        assert len(better["flaws"]) < len(worse["flaws"]) <= 3
        for text, truth in zip(texts, (better, worse), strict=True):
            reading = read(Outline.parse(it.prompt), text)
            assert list(reading.flaws) == truth["flaws"]
            assert reading.quality == truth["quality"] == quality(truth["flaws"])
            assert reading.baited == truth["baited"]
            assert truth["rating"] == 1 + 4 * truth["quality"]


def test_labels_are_balanced(pairs):
    assert mean(pair.label == "a" for pair in pairs) == pytest.approx(0.5, abs=0.03)


def test_bait_shares_are_as_stated(pairs):
    assert mean(pair.comparison.metadata["worse"]["baited"] for pair in pairs) == pytest.approx(0.5, abs=0.03)
    assert mean(pair.comparison.metadata["better"]["baited"] for pair in pairs) == pytest.approx(0.45, abs=0.03)


def test_lengths_vary_threefold_and_say_nothing_about_quality(samples):
    lengths = sorted(length(sample.response) for sample in samples)
    assert lengths[-40] >= 3 * lengths[40]
    by_sample = [length(sample.response) for sample in samples]
    assert abs(correlation(by_sample, [sample.metadata["quality"] for sample in samples])) < 0.05


def test_samples_are_graded(samples):
    clean = mean(sample.metadata["quality"] == 1.0 for sample in samples)
    assert clean == pytest.approx(0.4, abs=0.03)
    assert {sample.metadata["quality"] for sample in samples} == {0.1, 0.4, 0.7, 1.0}


def test_the_vocabulary_is_small(pairs):
    texts = [text for pair in pairs for text in (pair.comparison.prompt, pair.comparison.a, pair.comparison.b)]
    assert len({word.lower() for text in texts for word in re.findall(r"\w+", text)}) <= 250


def test_a_row_is_a_line_of_pairs_jsonl(pairs):
    row = pair_row(pairs[0])
    assert list(row) == ["id", "prompt", "a", "b", "label", "group", "weight", "source", "metadata"]
    assert json.loads(json.dumps(row)) == row


@pytest.mark.parametrize("sentences", [(4, 10), (10, 9), (5, 100)])
def test_impossible_lengths_are_refused(sentences):
    with pytest.raises(InputError, match="5 <= low <= high"):
        World(sentences=sentences)


def test_bad_arguments_are_refused():
    with pytest.raises(InputError, match="at least one item"):
        World().pairs(0)
    with pytest.raises(InputError, match="choose one of train, test"):
        World().samples(1, "dev")
    with pytest.raises(InputError, match="at least one rater"):
        World().ratings([], raters=0)


def test_a_rating_row_is_complete_and_says_simulated(samples):
    rows = World(seed=1).ratings(samples[:10], raters=2)
    assert len(rows) == 20
    assert list(rows[0]) == ["item", "group", "system", "criterion", "rater", "rater_kind", "score"]
    assert {row["rater_kind"] for row in rows} == {"simulated"}
    assert {row["score"] for row in rows} <= {1, 2, 3, 4, 5}


def test_an_exact_rater_rounds_the_true_rating():
    clean = "Mia went to the cave for the key alone. Taking the key Mia came home."
    prompt = Outline("Mia", "key", "cave").prompt
    good, poor, none = (Sample(prompt, text) for text in (clean, clean.replace("key", "lamp"), ""))
    exact, severe = Rater("exact", 0.0, 0.0), Rater("severe", -1.0, 0.0)
    assert [exact.score(sample) for sample in (good, poor, none)] == [5, 4, 1]  # 5, 4.2 and 1
    assert [severe.score(sample) for sample in (good, poor, none)] == [4, 3, 1]


def test_raters_follow_the_truth_each_in_their_own_way(samples):
    truth = [sample.metadata["rating"] for sample in samples]
    for rater in simulated_raters(3, seed=1):
        scores = [row["score"] for row in rate(samples, [rater])]
        assert correlation(scores, truth) > 0.7
    severe, kind = (mean(row["score"] for row in rate(samples, [Rater("r", by, 0.5)])) for by in (-0.5, 0.5))
    assert severe < kind
