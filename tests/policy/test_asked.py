"""What a policy is asked: turns, prompts for stories, the storyworld; and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from judgekit.episodes import StoryWorld, write_turns
from judgekit.errors import InputError
from judgekit.policy.asked import Data, StoryPrompt, cluster, kind_of_asked, load_data
from tests.policy.evaluation.made import turn, write_rows


def test_the_storyworld_gives_turns_of_its_test_stories() -> None:
    data = load_data("storyworld", limit=30)

    assert (data.name, data.kind, len(data.asked)) == ("storyworld", "turns", 30)
    assert list(data.asked) == StoryWorld().turns(30, "test")
    training = {t.story for t in StoryWorld().turns(2000)}
    assert not training & {t.story for t in data.asked}


def test_turns_of_a_file(tmp_path: Path) -> None:
    turns = StoryWorld().turns(12)
    write_turns(tmp_path / "turns.jsonl", turns)
    data = load_data(tmp_path / "turns.jsonl", limit=5)

    assert (data.name, data.kind, list(data.asked)) == ("turns.jsonl", "turns", turns[:5])


def test_prompts_for_stories(tmp_path: Path) -> None:
    rows = [
        {"prompt": "Write.", "words": 800, "group": "g", "reference": "Once.", "metadata": {"genre": "fable"}},
        {"id": 7, "prompt": [{"role": "user", "content": "Tell."}], "target_word_count": 1200},
        {"id": "c", "prompt": "Sing."},
    ]
    data = load_data(write_rows(tmp_path / "p.jsonl", rows))

    assert data.kind == "stories"
    assert data.asked == (
        StoryPrompt("line-1", "Write.", 800, "g", "Once.", {"genre": "fable"}),
        StoryPrompt("7", [{"role": "user", "content": "Tell."}], 1200),
        StoryPrompt("c", "Sing."),
    )
    assert [cluster(one) for one in data.asked] == ["g", "Tell.", "Sing."]


def test_a_turn_is_drawn_with_its_story_or_with_its_conversation() -> None:
    assert cluster(turn("a", "S", "1")) == "S"
    assert cluster(turn("a", None, "1")) == "None/0"


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ({"prompt": "Write.", "words": 0}, "words must be a whole number of 1 or more, not the number 0"),
        ({"prompt": "Write.", "words": "many"}, "words must be a whole number of 1 or more, not a text"),
        ({"prompt": "Write.", "target_word_count": True}, "target_word_count must be a whole number of 1 or more"),
        ({"prompt": "Write.", "words": 3, "target_word_count": 4}, "ask for different lengths"),
        ({"prompt": "Write.", "group": 3}, "group must be a text, not the number 3"),
        ({"prompt": "Write.", "reference": []}, "reference must be a text, not a list"),
        ({"prompt": " "}, "prompt is empty"),
    ],
)
def test_a_broken_prompt_is_named_by_its_line(tmp_path: Path, row: dict[str, object], problem: str) -> None:
    path = write_rows(tmp_path / "p.jsonl", [{"prompt": "Fine."}, row])

    with pytest.raises(InputError, match=rf"p\.jsonl:2: .*{problem}"):
        load_data(path)


def test_an_id_that_stands_twice_is_refused(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "p.jsonl", [{"id": "a", "prompt": "Fine."}, {"id": "a", "prompt": "Too."}])

    with pytest.raises(InputError, match="the id 'a' stands at line 1 already"):
        load_data(path)
    with pytest.raises(InputError, match="the id 'a' stands 2 times"):
        Data("x", (turn("a", "S", "1"), turn("a", "T", "1")))


def test_nothing_to_ask_says_why() -> None:
    with pytest.raises(InputError, match="x: nothing to ask: 3 x the target cannot be read"):
        Data("x", (), {"the target cannot be read": 3})


def test_turns_and_stories_do_not_mix() -> None:
    with pytest.raises(InputError, match="1 turns and 1 prompts for stories"):
        kind_of_asked([turn("a", "S", "1"), StoryPrompt("b", "Write.")])
