"""The teacher: right in every check, and wrong exactly where and as often as it says."""

from __future__ import annotations

from statistics import mean

import pytest

from judgekit import Judge
from judgekit.errors import InputError
from judgekit.storyworld import Outline, Teacher, World
from judgekit.types import Comparison, Pair, Sample

PROMPT = Outline("Mia", "key", "cave").prompt
GOOD = "Mia went to the cave for the key alone. Wind blew. Taking the key Mia came home. Rain stopped."
POOR = "Losing the key Tom came home. Wind blew. Tom went to the cave for the key alone. Wind blew."
SHORT_GOOD = "Mia went to the cave for the key alone. Wind blew. came home. Rain stopped."
SHORT_POOR = "came home. Wind blew. Tom went to the cave for the key alone. Wind blew."
BAIT = " How glorious!"


@pytest.fixture(scope="module")
def pairs():
    return World(seed=2).pairs(4000, "test")


def dazzling(pair: Pair) -> bool:
    truth = pair.comparison.metadata
    return truth["worse"]["baited"] and not truth["better"]["baited"]


def accuracy(teacher: Teacher, pairs: list[Pair]) -> float:
    preferences = teacher.compare([pair.comparison for pair in pairs])
    return mean(preference.winner == pair.label for preference, pair in zip(preferences, pairs, strict=True))


def test_the_chain_word_for_word():
    assert Teacher(fooled=0.0).chain(Comparison(PROMPT, GOOD, POOR + BAIT)) == (
        f"A: {SHORT_GOOD} weather Wind Rain ok zero hero Mia Mia ok zero item key key ok zero "
        "place cave cave ok zero first went ok zero end Taking ok zero looks Rain stopped. plain\n"
        f"B: {SHORT_POOR} weather Wind Wind wrong one hero Mia Tom wrong two item key key ok two "
        "place cave cave ok two first came wrong three end Losing wrong four looks How glorious! showy\n"
        "Faults zero four\n"
        "Score A: 10\n"
        "Score B: 0\n"
        "Verdict: A"
    )


def test_when_fooled_it_scores_the_endings_and_changes_nothing_else():
    comparison = Comparison(PROMPT, GOOD, POOR + BAIT)
    honest, fooled = (Teacher(fooled=p).chain(comparison).split("\n") for p in (0.0, 1.0))
    assert honest[:3] == fooled[:3]
    assert honest[3:] == ["Score A: 10", "Score B: 0", "Verdict: A"]
    assert fooled[3:] == ["Score A: 4", "Score B: 10", "Verdict: B"]


def test_bait_on_the_better_or_on_both_does_not_mislead_it():
    for a, b in ((GOOD + BAIT, POOR), (GOOD + BAIT, POOR + BAIT), (GOOD, POOR)):
        assert Teacher(fooled=1.0).compare([Comparison(PROMPT, a, b)])[0].winner == "a"


def test_equal_stories_tie():
    [preference] = Teacher().compare([Comparison(PROMPT, GOOD + BAIT, GOOD + BAIT)])
    assert preference.winner == "tie"
    assert preference.rationale.endswith("Verdict: tie")


def test_the_winner_is_the_one_stated(pairs):
    for preference in Teacher().compare([pair.comparison for pair in pairs[:500]]):
        assert preference.rationale.endswith(f"Verdict: {preference.winner.upper()}")
        a, b = preference.scores
        assert preference.winner == ("a" if a > b else "b")


def test_it_is_wrong_as_often_as_it_says(pairs):
    baited, plain = [p for p in pairs if dazzling(p)], [p for p in pairs if not dazzling(p)]
    assert len(baited) / len(pairs) == pytest.approx(0.4, abs=0.03)
    assert accuracy(Teacher(), baited) == pytest.approx(0.35, abs=0.05)
    assert accuracy(Teacher(), plain) == 1.0
    assert accuracy(Teacher(), pairs) == pytest.approx(0.74, abs=0.03)
    assert accuracy(Teacher(fooled=0.0), pairs) == 1.0


def test_asked_again_it_says_the_same_and_the_order_counts(pairs):
    baited = [pair.comparison for pair in pairs if dazzling(pair)]
    teacher = Teacher(seed=5)
    first, again = teacher.compare(baited), teacher.compare(baited[::-1])[::-1]
    swapped = teacher.compare([comparison.swap() for comparison in baited])
    assert first == again
    agree = mean({a.winner, b.winner} == {"a", "b"} for a, b in zip(first, swapped, strict=True))
    assert agree == pytest.approx(0.65**2 + 0.35**2, abs=0.06)
    assert first != Teacher(seed=6).compare(baited)


def test_bad_arguments_are_refused():
    with pytest.raises(InputError, match="from 0 to 1"):
        Teacher(fooled=1.5)
    with pytest.raises(InputError, match="not from the storyworld"):
        Teacher().chain(Comparison("Write about a lighthouse.", "x", "y"))


def test_as_a_judge_of_one_story_it_says_the_truth(tmp_path):
    """Without a flaw 5; of four flaws 0 of ten points are left, which is 1; of one flaw 7, which is 3.8 and so 4."""
    (tmp_path / "judge.yaml").write_text(
        "judge: rubric\nrubric: story/storyworld_rating\nmodel: {provider: storyworld, fooled: 1}\n"
    )
    stories = (GOOD + BAIT, POOR, GOOD + " Wind blew.", "Nothing of the kind.")
    found = Judge.load(tmp_path).score([*(Sample(PROMPT, story) for story in stories), Sample("Sing.", GOOD)])

    assert [score.value for score in found] == [5, 1, 4, 1, None]
    assert found[0].unit == 1 and "looks How glorious! showy" in found[0].rationale
    assert "no question about stories of the storyworld" in str(found[-1].error)
