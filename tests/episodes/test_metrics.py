"""The metrics of EpisodeBench by hand, their baselines, what is missing and what is wrong, and two systems compared."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judgekit.calibration import Bootstrap, adjust_pvalues, mcnemar_test, sign_flip_test
from judgekit.episodes import StoryWorld, Turn
from judgekit.episodes.contrasts import compare_systems
from judgekit.episodes.measures import UNKNOWN, Answered, Item, Value, measure_scores, measure_turns
from judgekit.episodes.metrics import metric_table, metric_tables
from judgekit.errors import InputError

FAST = Bootstrap(draws=200)


def turn(name: str, story: str | None, right: str, episode: str | None = "1", **more: object) -> Turn:
    metadata = {"behaviour": more["behaviour"]} if "behaviour" in more else {}
    language = str(more.get("language", "en"))
    return Turn(name, (), right, f"{story}/0", episode, 1, 5, language, story, metadata=metadata)


def says(episode: str) -> str:
    return json.dumps({"plot_list": [{"narrative": "It rains.", "role_dialogue": {}}], "next_episode": episode})


# story A: stay, stay, jump to 2; story B: stay, jump to 2. Episode 1 throughout.
ANSWERED = [
    Answered(turn("a1", "A", "1", behaviour="normal"), (says("1"), says("1"))),
    Answered(turn("a2", "A", "1", behaviour="hacking"), (says("2"), says(" 1 "))),
    Answered(turn("a3", "A", "2", behaviour="normal"), ("no JSON", says("2"))),
    Answered(turn("b1", "B", "1", behaviour="normal", language="zh"), (says("1"), "{")),
    Answered(turn("b2", "B", "2", behaviour="hacking", language="zh"), (says("2"), None)),
]


def values(rows, name):
    return rows[name].estimate.value


def test_each_metric_by_hand() -> None:
    table = metric_table(measure_turns(ANSWERED), FAST)

    assert values(table.rows, "acc@1") == 3 / 5  # a1, b1, b2
    assert values(table.rows, "pass@2") == 4 / 4  # a1, a2, a3, b1; not b2, of which one rollout is missing
    assert values(table.rows, "json@2") == pytest.approx((1 + 1 + 1 / 2 + 1 / 2 + 1) / 5)
    assert values(table.rows, "stay recall") == pytest.approx(2 / 3)  # a1 and b1 of a1, a2, b1
    assert values(table.rows, "jump recall") == 1 / 2  # b2 of a3, b2
    assert values(table.rows, "balanced accuracy") == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert table.counts == {"items": 5, "rollouts": 10, "missing": 1, "invalid": 2}
    assert table.rows["pass@2"].left_out == {"not all rollouts are there": 1}
    assert all(row.estimate.clusters == 2 for row in table.rows.values())


def test_always_staying_stands_beside_every_accuracy() -> None:
    rows = metric_table(measure_turns(ANSWERED), FAST).rows

    assert rows["acc@1"].always_stay.value == 3 / 5  # a1, a2, b1
    assert rows["acc@1"].gain.value == 0  # (0 - 1) for a2, (1 - 0) for b2
    assert rows["pass@2"].always_stay.value == 3 / 4  # of the four that pass@2 is of
    assert rows["pass@2"].gain.value == 1 / 4
    assert rows["balanced accuracy"].always_stay.value == 1 / 2
    assert rows["balanced accuracy"].gain.value == pytest.approx(7 / 12 - 1 / 2)
    assert rows["json@2"].always_stay is None


@given(st.integers(0, 50), st.integers(1, 3))
@settings(max_examples=10, deadline=None)
def test_a_policy_that_always_stays_gets_exactly_the_baseline(seed: int, k: int) -> None:
    turns = StoryWorld(seed).turns(80)
    rows = metric_table(measure_turns([Answered(t, (says(str(t.episode)),) * k) for t in turns]), FAST).rows

    for name in ("acc@1", f"pass@{k}"):
        assert rows[name].estimate == rows[name].always_stay
        assert rows[name].gain.value == 0
    assert values(rows, "acc@1") == np.mean([t.stays for t in turns])
    assert values(rows, "balanced accuracy") == 0.5
    assert (values(rows, "stay recall"), values(rows, "jump recall")) == (1, 0)


@given(st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_the_order_of_the_stories_changes_nothing(seed: int) -> None:
    shuffled = random.Random(seed).sample(ANSWERED, len(ANSWERED))
    items, others = measure_turns(ANSWERED), measure_turns(shuffled)

    assert metric_table(items, FAST) == metric_table(others, FAST)
    ten = system({0, 3, 4, 8, 9})
    assert metric_table(random.Random(seed).sample(ten, len(ten)), FAST) == metric_table(ten, FAST)
    stays = measure_turns([replace(a, responses=(says("1"),) * 2) for a in ANSWERED])
    assert compare_systems(items, stays, FAST) == compare_systems(others, stays, FAST)


def test_renaming_the_stories_changes_nothing() -> None:
    answered = [Answered(replace(a.turn, story=f"x{a.turn.story}"), a.responses) for a in ANSWERED]

    assert metric_table(measure_turns(answered), FAST) == metric_table(measure_turns(ANSWERED), FAST)


def test_a_story_is_drawn_whole() -> None:
    right, wrong = (says("1"),), (says("2"),)
    whole = [
        Answered(turn(f"{s}{i}", s, "1"), right if s in "abcdef" else wrong) for s in "abcdefghijkl" for i in range(9)
    ]
    alone = [replace(a, turn=replace(a.turn, story=a.turn.id)) for a in whole]
    one, two = (metric_table(measure_turns(some), FAST).rows["acc@1"].estimate for some in (whole, alone))

    assert (one.value, one.clusters, two.clusters) == (0.5, 12, 108)
    assert one.high - one.low > 2 * (two.high - two.low)  # 9 turns of a story say as much as one: sqrt(9) times


def test_by_language_and_by_behaviour() -> None:
    items = measure_turns(ANSWERED)
    languages, behaviours = metric_tables(items, "language", FAST), metric_tables(items, "behaviour", FAST)

    assert list(languages) == ["en", "zh"] and list(behaviours) == ["hacking", "normal"]
    assert values(languages["en"].rows, "acc@1") == pytest.approx(1 / 3)
    assert values(languages["zh"].rows, "acc@1") == 1
    assert values(behaviours["hacking"].rows, "acc@1") == 1 / 2
    assert values(behaviours["normal"].rows, "acc@1") == pytest.approx(2 / 3)
    assert "no interval" in languages["zh"].rows["acc@1"].estimate.note  # one story


def test_a_behaviour_that_is_not_known_has_its_own_table() -> None:
    assert list(metric_tables(measure_turns([Answered(turn("a", "A", "1"), (says("1"),))]), "behaviour", FAST)) == [
        None
    ]


def test_a_first_rollout_that_is_missing_is_not_wrong() -> None:
    answered = [Answered(turn("a", "A", "1"), (None, says("1"))), Answered(turn("b", "B", "1"), (says("1"), says("2")))]
    rows = metric_table(measure_turns(answered), FAST).rows

    assert values(rows, "acc@1") == 1 and rows["acc@1"].estimate.n == 1
    assert rows["acc@1"].left_out == {"the first rollout is missing": 1}
    assert values(rows, "json@2") == 1


def test_a_policy_that_never_writes_json_is_wrong_and_counted() -> None:
    table = metric_table(measure_turns([replace(a, responses=("Once.", "Twice.")) for a in ANSWERED]), FAST)

    assert values(table.rows, "acc@1") == values(table.rows, "pass@2") == values(table.rows, "json@2") == 0
    assert table.rows["acc@1"].estimate.high > 0  # two stories do not say that it never will
    assert table.counts["invalid"] == 10


def test_what_nobody_answered_is_none_with_its_reason() -> None:
    rows = metric_table(measure_turns([replace(a, responses=(None, None)) for a in ANSWERED]), FAST).rows

    assert all(row.estimate is None and row.reason for row in rows.values())
    assert rows["acc@1"].reason == "no item has a value: the first rollout is missing"
    assert rows["balanced accuracy"].left_out == {"the first rollout is missing": 5}


def test_without_jumps_there_is_no_balanced_accuracy() -> None:
    row = metric_table(measure_turns([ANSWERED[0], ANSWERED[3]]), FAST).rows["balanced accuracy"]

    assert (row.estimate, row.reason) == (None, "no turn has a value for the jump recall")


def test_equal_recalls_everywhere_are_no_certainty() -> None:
    answered = [Answered(turn(f"{s}{right}", s, right), (says("1"),)) for s in "ABCD" for right in "12"]
    found = metric_table(measure_turns(answered), FAST).rows["balanced accuracy"].estimate
    unseen = 1 - 0.025 ** (1 / 4)  # Clopper & Pearson (1934), four stories

    assert (found.low, found.high) == pytest.approx((0.5 - unseen / 2, 0.5 + unseen / 2))


def test_turns_whose_episode_is_not_known_have_no_baseline() -> None:
    answered = [*ANSWERED, Answered(turn("c", "C", "1", None), (says("1"), says("1")))]
    rows = metric_table(measure_turns(answered), FAST).rows

    assert values(rows, "acc@1") == 4 / 6
    assert rows["acc@1"].always_stay.value == 3 / 5
    assert rows["acc@1"].gain.note.endswith("1 of 6 items left out: their current episode is not known")
    assert rows["stay recall"].left_out == rows["balanced accuracy"].left_out == {UNKNOWN: 1}


def test_turns_without_a_story_are_clustered_by_conversation_and_say_so() -> None:
    answered = [Answered(replace(a.turn, story=None), a.responses) for a in ANSWERED]
    found = metric_table(measure_turns(answered), FAST).rows["acc@1"].estimate

    assert found.clusters == 2 and "5 of 5 items have no known story" in found.note


@pytest.mark.parametrize(
    ("answered", "message"),
    [
        ([], "rollouts for each turn: none"),
        ([Answered(turn("a", "A", "1"), ())], "None for a missing one"),
        ([ANSWERED[0], Answered(turn("a", "A", "1"), (says("1"),))], r"rollouts for each turn: \[1, 2\]"),
    ],
)
def test_uneven_rollouts_are_refused(answered, message: str) -> None:
    with pytest.raises(InputError, match=message):
        measure_turns(answered)


def test_a_table_of_nothing_and_an_unknown_slice_are_refused() -> None:
    with pytest.raises(InputError, match="a table needs items"):
        metric_table([])
    with pytest.raises(InputError, match="a table needs items"):
        metric_tables([], "language")
    with pytest.raises(InputError, match="choose language or behaviour"):
        metric_tables(measure_turns(ANSWERED), "story")  # type: ignore[arg-type]


def test_scores_by_hand() -> None:
    turns = [a.turn for a in ANSWERED[:3]]
    scores = {"plot": [[4, 2], [None, 3], [5, 5]], "guidance": np.array([[2, 4], [1, 1], [np.nan, np.nan]])}
    table = metric_table(measure_scores(turns, scores), FAST)

    assert values(table.rows, "plot rollout@1") == (4 + 5) / 2
    assert values(table.rows, "plot avg@2") == pytest.approx((3 + 3 + 5) / 3)
    assert values(table.rows, "guidance avg@2") == (3 + 1) / 2
    assert values(table.rows, "total rollout@1") == 3  # of the first turn alone: (4 + 2) / 2
    assert values(table.rows, "total avg@2") == (3 + 2) / 2  # ((4 + 2) / 2 + (2 + 4) / 2) / 2, and (3 + 1) / 2
    assert table.rows["total avg@2"].left_out == {"all scores are missing": 1}
    assert table.counts == {"items": 3, "scores": 12, "missing": 3}


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        ({}, "give turns and dimensions"),
        ({"total": [[1]]}, "none called 'total'"),
        ({"plot": [[1], [2]]}, r"each dimension needs \(1, K\)"),
        ({"plot": [[1]], "guidance": [[1, 2]]}, r"each dimension needs \(1, K\)"),
        ({"plot": [1]}, r"the shape \(1,\)"),
        ({"plot": [["good"]]}, "no table of numbers"),
        ({"plot": [[1, 2], [1]]}, "no table of numbers"),
        ({"plot": [[6]]}, "the score 6, which is not on the scale 0 to 5"),
        ({"plot": [[float("inf")]]}, "the score inf"),
    ],
)
def test_scores_that_cannot_be_are_refused(scores, message: str) -> None:
    with pytest.raises(InputError, match=message):
        measure_scores([ANSWERED[0].turn], scores)


def system(flips: set[int], k: int = 1) -> list[Item]:
    """Ten stories of a stay and a jump each; all right, but where flipped."""
    turns = [turn(f"{s}{right}", f"s{s}", right) for s in range(10) for right in "12"]
    return measure_turns([Answered(t, (says("3" if i in flips else t.next_episode),) * k) for i, t in enumerate(turns)])


def test_two_systems_by_hand() -> None:
    found = {c.metric: c for c in compare_systems(system({0, 1, 2, 4, 6}), system({1}), FAST)}
    clusters = np.repeat(range(10), 2)
    one, two = (np.array([i not in wrong for i in range(20)], dtype=float) for wrong in ({0, 1, 2, 4, 6}, {1}))

    assert found["acc@1"].difference.value == pytest.approx(4 / 20)
    assert found["acc@1"].p == mcnemar_test(one, two, clusters).p
    assert found["stay recall"].difference.value == pytest.approx(4 / 10)
    assert found["jump recall"].difference.value == 0 and found["jump recall"].p == 1
    assert found["balanced accuracy"].difference.value == pytest.approx((4 / 10 + 0) / 2)
    assert found["balanced accuracy"].p == 2 / 2**4  # four stories of one sign
    contrasts = list(found.values())
    assert [c.q for c in contrasts] == adjust_pvalues([c.p for c in contrasts])


def test_balanced_accuracy_weighs_the_rarer_jumps_up() -> None:
    turns = [turn(f"{s}{i}", f"s{s}", "2" if i == 3 else "1") for s in range(8) for i in range(4)]

    def system(wrong: set[str]) -> list[Item]:
        return measure_turns([Answered(t, (says("3" if t.id in wrong else t.next_episode),)) for t in turns])

    lost_jumps, lost_stays = {f"{s}3" for s in range(6)}, {f"{s}{i}" for s in range(3) for i in range(2)}
    [found] = [c for c in compare_systems(system(lost_jumps), system(lost_stays), FAST) if c.metric[:3] == "bal"]

    assert found.difference.value == pytest.approx((6 / 8 - 6 / 24) / 2)
    # a jump weighs 32 / (2 * 8) = 2, a stay 32 / (2 * 24) = 2 / 3: six stories gain, three of them 2 - 4 / 3
    assert found.p == 2 / 2**6
    assert found.test.startswith("sign flip")


def test_a_turn_whose_episode_is_not_known_is_left_out_once() -> None:
    items = [*system({0}), *measure_turns([Answered(turn("c", "C", "1", None), (says("1"),))])]
    found = {c.metric: c.left_out for c in compare_systems(items, items, FAST)}

    assert (found["acc@1"], found["stay recall"], found["balanced accuracy"]) == (0, 1, 1)


def test_scores_are_compared_by_flipping_stories() -> None:
    turns = [turn(f"{s}{i}", f"s{s}", "1") for s in range(8) for i in range(2)]
    one, two = np.full((16, 1), 3.0), np.full((16, 1), 3.0) + np.repeat([1, 1, 1, 0.5, 1, 1, 0.5, -0.5], 2)[:, None]
    found = compare_systems(measure_scores(turns, {"plot": one}), measure_scores(turns, {"plot": two}), FAST)
    expected = sign_flip_test((two - one).ravel(), np.repeat(range(8), 2))

    assert [c.metric for c in found] == ["plot rollout@1", "plot avg@1", "total rollout@1", "total avg@1"]
    assert found[0].p == expected.p and found[0].test == f"sign flip by story, {expected.method}"
    assert found[0].difference.value == pytest.approx(5.5 / 8)
    assert found[0].q == pytest.approx(expected.p)  # four equal p values: p 4 / 4
    assert found[0].stars == "*"


def test_a_system_does_not_differ_from_itself() -> None:
    for contrast in compare_systems(system({3}), system({3}), FAST):
        assert (contrast.difference.value, contrast.p, contrast.stars) == (0, 1, "")


def test_what_one_system_lacks_is_counted() -> None:
    one, two = system({0}), system({1})
    two[5] = replace(two[5], values={**two[5].values, "acc@1": Value(None, "lost")})
    found = {c.metric: c for c in compare_systems(one[1:], two[:-1], FAST)}

    assert found["acc@1"].unpaired == 2 and found["acc@1"].left_out == 1
    assert found["acc@1"].difference.n == 17 and found["json@1"].difference.n == 18


def test_one_story_is_no_test() -> None:
    for contrast in compare_systems(system(set())[:2], system({0})[:2], FAST):
        assert (contrast.p, contrast.q, contrast.stars) == (None, None, "")
        assert contrast.reason == "all items are of one story; the test needs two"
        assert contrast.difference is not None


def test_nothing_to_compare_is_none_with_its_reason() -> None:
    missing = measure_turns([replace(a, responses=(None, None)) for a in ANSWERED])
    found = compare_systems(measure_turns(ANSWERED), missing, FAST)

    assert {(c.difference, c.p, c.reason) for c in found} == {(None, None, "no item has a value of both systems")}


def test_systems_that_cannot_be_compared_are_refused() -> None:
    one = system(set())
    with pytest.raises(InputError, match="no item in common"):
        compare_systems(one[:2], one[2:])
    with pytest.raises(InputError, match="1 of 3 items have the id of another"):
        compare_systems([one[0], one[1], one[0]], one)
    with pytest.raises(InputError, match="not the same in both systems"):
        compare_systems(one, system(set(), k=2))
