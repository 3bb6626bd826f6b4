"""Flaws, outlines, stories and reading them back."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judgekit.errors import InputError
from judgekit.storyworld import (
    FLAWS,
    ITEM,
    MISSING,
    NAME,
    ORDER,
    PLACE,
    REPETITION,
    Outline,
    Story,
    outlines,
    quality,
    rating,
    read,
)
from judgekit.storyworld.dice import Dice
from judgekit.storyworld.stories import LONGEST, SHORTEST, tell
from judgekit.storyworld.words import (
    ASIDES,
    COMING_HOME,
    DEEDS,
    HEROES,
    HOME,
    ITEMS,
    MISHAP,
    PLACES,
    PLAIN_ENDINGS,
    SETTING_OUT,
    SHOWY_ENDINGS,
    THINGS,
    WEATHER,
)

MIA = Outline("Mia", "key", "cave")
CLEAN = "Mia went to the cave for the key alone. Wind blew. Taking the key Mia came home. Rain stopped."
kinds = st.sets(st.sampled_from(FLAWS), max_size=3)


def story(*flaws: str, seed: int = 0, sentences: int = 8, baited: bool = False) -> Story:
    return tell(MIA, flaws, sentences=sentences, baited=baited, dice=Dice(seed))


def sentences_of(text: str) -> list[str]:
    return re.split(r"(?<=[.!]) ", text)


@pytest.mark.parametrize(
    ("flaws", "expected"),
    [((), 1.0), ((NAME,), 0.7), ((REPETITION,), 0.7), ((NAME, ITEM), 0.4), ((ITEM, PLACE, MISSING), 0.1), (FLAWS, 0.0)],
)
def test_quality_by_hand(flaws, expected):
    assert quality(flaws) == expected


def test_rating_by_hand():
    assert [rating(q) for q in (0.0, 0.5, 1.0)] == [1.0, 3.0, 5.0]
    assert rating(0.7) == pytest.approx(3.8)


@pytest.mark.parametrize(
    ("text", "flaws"),
    [
        (CLEAN, ()),
        (CLEAN.replace("Mia", "Eva"), (NAME,)),
        (CLEAN.replace("Mia came", "Eva came"), (NAME,)),
        (CLEAN.replace("key", "lamp"), (ITEM,)),
        (CLEAN.replace("cave", "mill"), (PLACE,)),
        (CLEAN.replace("Taking", "Losing"), (MISSING,)),
        (CLEAN.replace("came home", "slept"), (MISSING,)),
        (CLEAN.replace("Rain stopped", "Wind blew"), (REPETITION,)),
        (CLEAN + " Wind blew.", (REPETITION,)),
        ("Taking the key Mia came home. Mia went to the cave for the key alone.", (ORDER,)),
        ("Losing the key Mia came home. Mia went to the cave for the key alone.", (ORDER, MISSING)),
        (
            "Losing the key Mia came home. Mia went to the cave for the key alone. Taking the key Mia came home.",
            (ORDER,),
        ),
        (CLEAN.replace("Taking the key Mia came home.", "Wind blew, losing the leaf."), (MISSING,)),
        ("", (NAME, ITEM, PLACE, MISSING)),
    ],
)
def test_reading_by_hand(text, flaws):
    assert read(MIA, text).flaws == flaws


def test_reading_says_what_it_found():
    text = "Tom went to the cave for the lamp alone. Wind blew. Losing the lamp Tom came home. Fog cleared."
    reading = read(MIA, f"{text} How glorious!")
    assert (reading.hero, reading.item, reading.place) == ("Tom", "lamp", "cave")
    assert (reading.first, reading.end) == ("went", "Losing")
    assert reading.weather == ("Wind", "Fog")
    assert reading.opening == "Tom went to the cave for the lamp alone. Wind blew. came home. Fog cleared."
    assert not reading.repeated
    assert reading.ending == "How glorious!"
    assert reading.baited
    assert reading.quality == 0.1  # three flaws at 3 points each


def test_reading_is_linear_in_long_texts():
    assert read(MIA, "word " * 200_000).first == "none"


@settings(max_examples=200)
@given(st.integers(), kinds, st.integers(SHORTEST, LONGEST), st.booleans(), st.sampled_from(outlines("train")))
def test_a_story_has_the_planted_flaws_and_no_other(seed, flaws, sentences, baited, outline):
    told = tell(outline, flaws, sentences=sentences, baited=baited, dice=Dice(seed))
    reading = read(outline, told.text)
    assert set(told.flaws) == flaws
    assert reading.flaws == told.flaws
    assert reading.baited == told.baited == baited
    assert len(sentences_of(told.text)) == sentences
    assert told.quality == reading.quality


@pytest.mark.parametrize("seed", range(20))
def test_each_flaw_is_in_the_text(seed):
    def words(*flaws: str) -> set[str]:
        return set(re.findall(r"\w+", story(*flaws, seed=seed).text))

    assert words() & set(HEROES) == {"Mia"}
    assert words() & set(ITEMS) == {"key"}
    assert words() & set(PLACES) == {"cave"}
    assert len(words(NAME) & set(HEROES) - {"Mia"}) == 1
    assert len(words(ITEM) & set(ITEMS)) == len(words(ITEM) & set(ITEMS) - {"key"}) == 1
    assert len(words(PLACE) & set(PLACES)) == len(words(PLACE) & set(PLACES) - {"cave"}) == 1
    told = {flaws: read(MIA, story(*flaws, seed=seed).text) for flaws in ((), (MISSING,), (ORDER,))}
    assert told[()].end in HOME and told[(MISSING,)].end in MISHAP
    assert told[()].first == "went" and told[(ORDER,)].first == "came"
    doubled = sentences_of(story(REPETITION, seed=seed).text)
    assert len(doubled) - len(set(doubled)) == 1


def test_sentences_name_no_hero_item_or_place_of_their_own():
    own = " ".join(
        [SETTING_OUT, COMING_HOME, *HOME, *MISHAP, *DEEDS, *ASIDES, *THINGS, *WEATHER, *PLAIN_ENDINGS, *SHOWY_ENDINGS]
    )
    known = {*HEROES, *ITEMS, *PLACES}
    assert not known & set(re.findall(r"\w+", re.sub(r"\{\w+\}", "", own)))


def test_each_word_has_one_role():
    roles = (HOME, MISHAP, THINGS, ITEMS, PLACES, tuple(HEROES))
    words = [word for role in roles for word in role]
    assert len(words) == len(set(words))


def test_endings_are_equally_long():
    plain, showy = ([len(ending.split()) for ending in endings] for endings in (PLAIN_ENDINGS, SHOWY_ENDINGS))
    assert sum(plain) == sum(showy)


@pytest.mark.parametrize("split", ["train", "test"])
def test_prompts_give_their_outline_back(split):
    for outline in outlines(split):
        assert Outline.parse(outline.prompt) == outline
        assert outline.split == split


def test_a_chat_prompt_is_read_too():
    assert Outline.parse([{"role": "user", "content": MIA.prompt}]) == MIA


def test_a_foreign_prompt_is_refused():
    with pytest.raises(InputError, match="not from the storyworld"):
        Outline.parse("Write about a lighthouse.")


def test_held_out_combinations_are_disjoint_and_made_of_known_words():
    train, test = outlines("train"), outlines("test")
    assert not set(train) & set(test)
    assert len(train) + len(test) == len(HEROES) * len(ITEMS) * len(PLACES)
    assert 0.15 < len(test) / (len(train) + len(test)) < 0.25
    for split in (train, test):
        assert {o.hero for o in split} == set(HEROES)
        assert {o.item for o in split} == set(ITEMS)
        assert {o.place for o in split} == set(PLACES)


def test_bait_does_not_change_the_truth():
    plain, baited = story(NAME), story(NAME, baited=True)
    assert plain.quality == baited.quality == 0.7
    assert baited.text.endswith("!")
    assert plain.text.endswith(".")
