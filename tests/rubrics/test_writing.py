"""Replies that are written for learning: the reader must find in them just what was put in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judgekit import Criterion, Rubric
from judgekit.rubrics.prompt import reply_form
from judgekit.rubrics.reply import read_scores
from judgekit.rubrics.writing import nearest_on_menu, write_scores

POINTWISE = ["story/episodebench", "story/episodebench_zh", "story/hanna", "story/ttcw", "story/storyworld_rating"]
RUBRICS = {name: Rubric.load(name) for name in POINTWISE}
PLAIN = st.text(st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="<>[]|◁{}"), max_size=60)


def two(reply: str) -> Rubric:
    criteria = (
        Criterion(id="plot", title="Plot", range=(0, 5), step=0.5),
        Criterion(id="end", title="End", range=(1, 3)),
    )
    return Rubric(id="x/two", title="Two", criteria=criteria, reply=reply)


def test_json_by_hand() -> None:
    reply = write_scores(two("json"), {"plot": 3.5, "end": 2.0}, {"plot": 'It "holds".'}, "Short.")

    assert reply == (
        'Short.\n{\n "plot": {\n  "reason": "It \\"holds\\".",\n  "score": 3.5\n },\n'
        ' "end": {\n  "reason": "",\n  "score": 2\n }\n}'
    )


def test_lines_by_hand() -> None:
    reply = write_scores(two("lines"), {"plot": 3.5, "end": 2.0}, {"plot": "It\nholds.", "end": "Flat."}, "Short.")

    assert reply == "Reasons: Short. Plot: It holds. End: Flat.\nplot: 3.5\nend: 2"


def test_one_criterion_needs_no_title_before_its_review() -> None:
    rubric = Rubric(id="x/one", title="One", criteria=(Criterion(id="q", title="Q", range=(1, 5)),), reply="lines")

    assert write_scores(rubric, {"q": 4.0}, {"q": "Fine."}) == "Reasons: Fine.\nq: 4"


@pytest.mark.parametrize("name", POINTWISE)
def test_the_layout_is_the_one_that_the_judge_is_shown(name: str) -> None:
    """The form and the reply differ in what stands for <...> and for the reasons, and in nothing else."""
    rubric = RUBRICS[name]
    lowest = {c.id: c.scale[0] for c in rubric.criteria}
    reply = write_scores(rubric, lowest, {c.id: "..." for c in rubric.criteria})

    shape = [line.partition(":")[0] for line in reply_form(rubric).splitlines()]
    assert [line.partition(":")[0] for line in reply.splitlines()] == shape


@pytest.mark.parametrize("name", POINTWISE)
@given(data=st.data())
def test_what_is_written_is_read(name: str, data: st.DataObject) -> None:
    rubric = RUBRICS[name]
    values = {c.id: data.draw(st.sampled_from(list(c.menu.values()))) for c in rubric.criteria}
    reviews = {c.id: data.draw(PLAIN) for c in rubric.criteria}

    found = read_scores(rubric, write_scores(rubric, values, reviews, data.draw(PLAIN)))

    assert found.error is None
    assert found.values == values
    assert found.reasons_first


@pytest.mark.parametrize("name", ["story/hanna", "story/storyworld_rating"])
@given(review=st.text(max_size=80), rationale=st.text(max_size=80))
def test_hostile_reasons_never_change_a_score(name: str, review: str, rationale: str) -> None:
    rubric = RUBRICS[name]
    values = {c.id: 2.0 for c in rubric.criteria}

    found = read_scores(rubric, write_scores(rubric, values, {c.id: review for c in rubric.criteria}, rationale))

    assert found.error is not None or found.values == values


@pytest.mark.parametrize(
    ("value", "expected"),
    [(3.0, 3.0), (3.1, 3.0), (3.25, 3.0), (3.26, 3.5), (9.0, 5.0), (-1.0, 0.0)],  # 3.25 is halfway: the lower
)
def test_nearest_on_menu(value: float, expected: float) -> None:
    assert nearest_on_menu(two("json").criteria[0], value) == expected
