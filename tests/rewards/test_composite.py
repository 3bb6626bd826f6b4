"""The reward contract: sums by hand, None that stays None, gates, copies, deadlines, processes."""

from __future__ import annotations

import asyncio
import math
import pickle  # noqa: TID251 - trainers send rewards to other processes so
import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from judgekit import InputError
from judgekit.rewards import Channel, CompositeReward, Custom, Gate, Monitor, Rollout, Values
from judgekit.rewards.normalize import advantages, z_scores
from judgekit.rewards.ranks import Ranks
from judgekit.rewards.rollout import rollouts_of
from judgekit.rewards.together import WORKERS


class Recorded(Channel):
    """Gives what is written after the name in a column, and remembers what it was asked."""

    def __init__(self, name: str, *, grouped: bool = False, lowest: float = 0.0) -> None:
        self.name, self.grouped, self.lowest = name, grouped, lowest
        self.seen: list[list[str]] = []

    def __call__(self, rollouts: Sequence[Rollout]) -> list[float | None]:
        self.seen.append([rollout.completion for rollout in rollouts])
        return [rollout.columns[self.name] for rollout in rollouts]


class Meeting(Channel):
    """Gives 1, one rollout a call, to calls that are there at the same time as all others that come to the barrier.

    A call that waits for more than a minute is alone: it breaks the barrier, and raises.
    """

    at_a_time = 1

    def __init__(self, name: str, barrier: threading.Barrier) -> None:
        self.name, self.barrier = name, barrier

    def __call__(self, rollouts: Sequence[Rollout]) -> list[float | None]:
        self.barrier.wait(60)
        return [1.0]


def batch(*groups: Sequence[dict[str, Any]]) -> list[Rollout]:
    return [
        Rollout(f"prompt {g}", f"text {g}.{i}", g, columns)
        for g, group in enumerate(groups)
        for i, columns in enumerate(group)
    ]


def test_z_scores_by_hand() -> None:
    """1 2 3: mean 2, deviation sqrt(2 / 2) = 1."""
    assert z_scores([1, 2, 3]) == [-1, 0, 1]
    assert z_scores([1, None, 3]) == [pytest.approx(-math.sqrt(0.5)), None, pytest.approx(math.sqrt(0.5))]
    assert z_scores([5, None]) == [0, None] and z_scores([None]) == [None] and z_scores([]) == []
    assert z_scores([0.1 + 0.2, 0.3, 0.3]) == [0, 0, 0]


def test_the_sum_of_normalised_channels_by_hand() -> None:
    """Group 0: a 1 2 3 and b 0 0 3 (mean 1, deviation sqrt(3)); group 1 has a 7 7 and b 1 3 (z -+ sqrt(1/2))."""
    rollouts = batch([{"a": 1, "b": 0}, {"a": 2, "b": 0}, {"a": 3, "b": 3}], [{"a": 7, "b": 1}, {"a": 7, "b": 3}])
    found = CompositeReward([Recorded("a"), Recorded("b")], [1.0, 0.5], normalize="group").score(rollouts)
    half = math.sqrt(0.5) / 2

    assert found.parts["a"] == [-1, 0, 1, 0, 0]
    assert found.totals == pytest.approx(
        [-1 - 0.5 / math.sqrt(3), -0.5 / math.sqrt(3), 1 + 1 / math.sqrt(3), -half, half]
    )


def test_a_plain_weighted_sum() -> None:
    reward = CompositeReward([Recorded("a"), Recorded("b")], [2, -1])
    assert reward.score(batch([{"a": 1, "b": 0.5}, {"a": 0, "b": 1}])).totals == [1.5, -1]


def test_a_channel_without_a_value_leaves_the_rollout_without_one_and_the_others_as_if_it_were_not_there() -> None:
    rows: list[dict[str, Any]] = [{"a": 0.7, "b": 1}, {"a": 0.8, "b": 0}, {"a": None, "b": 1}, {"a": 0.75, "b": 1}]
    reward = CompositeReward([Recorded("a"), Recorded("b")], normalize="group")
    found, without = reward.score(batch(rows)), reward.score(batch([row for row in rows if row["a"] is not None]))

    assert found.totals[2] is None and found.unscored == 1 and found.reasons["a"] == {2: "no value"}
    assert [total for total in found.totals if total is not None] == pytest.approx(without.totals)


def test_an_optional_channel_counts_as_the_mean_of_its_group() -> None:
    """Of 1, 3 and nothing the mean is 2, whose z is 0."""
    reward = CompositeReward([Recorded("a"), Recorded("b")], optional=["b"], normalize="group")
    found = reward.score(batch([{"a": 0, "b": 1}, {"a": 0, "b": 3}, {"a": 0, "b": None}], [{"a": 1, "b": None}]))

    assert found.totals == [-1, 1, 0, 0]


def test_what_fails_a_gate_is_not_passed_on_and_gets_the_lowest() -> None:
    judge = Recorded("judge", lowest=-1)
    reward = CompositeReward([judge, Recorded("format")], gates=[Gate("format", 0.4)])
    found = reward.score(
        batch([{"format": 1, "judge": 0.5}, {"format": 0.2, "judge": 9}, {"format": None, "judge": 9}])
    )

    assert judge.seen == [["text 0.0"]]
    assert found.totals == [1.5, -0.8, None]
    assert found.gated == {"format": 2} and found.asked == {"format": 3, "judge": 1}


def test_equal_rollouts_are_valued_once_but_not_by_what_looks_at_the_group() -> None:
    alone, together = Recorded("a"), Recorded("b", grouped=True)
    one = batch([{"a": 1, "b": 1}])[0]
    rollouts = [one, one, replace(one, completion="other"), one, replace(one, columns={"a": 5, "b": 1})]
    found = CompositeReward([alone, together]).score(rollouts)

    assert alone.seen == [["text 0.0", "other", "text 0.0"]] and len(together.seen[0]) == 5
    assert found.values["a"] == [1, 1, 1, 1, 5] and found.copies == {"a": 2, "b": 0}


def test_twins_with_other_long_arrays_are_not_equal() -> None:
    class Sum(Channel):
        name = "sum"

        def __call__(self, rollouts: Sequence[Rollout]) -> list[float | None]:
            return [float(rollout.columns["x"].sum()) for rollout in rollouts]

    rows = np.zeros((3, 2000))
    rows[1, 1000] = 1
    reward = CompositeReward([Sum()])

    assert reward(["p"] * 3, ["a"] * 3, x=rows) == [0, 1, 0]
    assert reward.last is not None and reward.last.asked == {"sum": 2}


def test_channels_wait_at_the_same_time() -> None:
    meet = threading.Barrier(3)
    assert CompositeReward([Meeting(name, meet) for name in "abc"])(["p"], ["x"]) == [3.0]


def test_what_is_late_is_unscored_and_the_rest_is_not() -> None:
    """The call that hangs ends when the test does, so that the reward has not waited for it."""
    ended = threading.Event()

    class Slow(Recorded):
        at_a_time = 1

        def __call__(self, rollouts: Sequence[Rollout]) -> list[float | None]:
            return [float(not rollouts[0].columns["hangs"] or ended.wait(60))]

    found = CompositeReward([Slow("a")], deadline=1).score(batch([{"hangs": False}, {"hangs": True}]))

    assert not ended.is_set() and found.totals == [1.0, None] and "had not ended after" in found.reasons["a"][1]
    ended.set()


def broken(rollouts: Sequence[Rollout]) -> Any:
    raise ConnectionError("no route")


class Wrong(Channel):
    name = "wrong"

    def __init__(self, call: Any) -> None:
        self.call = call

    def __call__(self, rollouts: Sequence[Rollout]) -> Any:
        return self.call(rollouts)


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (broken, "ConnectionError: no route"),
        (lambda r: [1.0], "returned 1 values for 2 rollouts"),
        (lambda r: 1.0, "returned float for 2 rollouts"),
        (lambda r: [math.nan, math.inf], "is not a number between"),
        (lambda r: ["0.5", "1"], "'0.5' is not a number"),
        (lambda r: Values([None, None], {0: "refused", 1: "refused"}), "refused"),
    ],
)
def test_whatever_a_channel_does_training_goes_on(call: Any, reason: str, caplog: pytest.LogCaptureFixture) -> None:
    found = CompositeReward([Wrong(call), Recorded("a")]).score(batch([{"a": 1}, {"a": 2}]))

    assert found.totals == [None, None] and reason in found.reasons["wrong"][0]
    assert "channel wrong: 2 of 2 rollouts have no value" in caplog.text


def test_training_stops_if_told_to() -> None:
    with pytest.raises(ConnectionError, match="no route"):
        CompositeReward([Wrong(broken)], on_error="raise").score(batch([{}]))


def test_the_call_of_a_trainer() -> None:
    logged: dict[str, Any] = {}
    reward = CompositeReward(
        [Custom(lambda r: float(len(r.completion)), "size"), Custom(lambda r: r.columns["x"], "x")]
    )
    chats = [[{"role": "assistant", "content": "four"}], [{"role": "assistant", "content": "sixsix"}]]
    found = reward(
        ["p", "p"],
        chats,
        x=[1.0, None],
        trainer_state=object(),
        log_metric=logged.__setitem__,
        log_extra=logged.__setitem__,
    )

    assert found == [5.0, None] and reward.__name__ == "reward"
    assert (
        logged["reward/size"] == [4.0, 6.0] and logged["reward/unscored"] == 0.5 and logged["reward/x/unscored"] == 0.5
    )
    assert reward([], []) == []


def test_columns_may_be_arrays_of_rows() -> None:
    columns = {"x": np.array([1.5, 2.5]), "table": np.zeros((2, 3)), "one": np.array(3.0), "word": "ab", "map": {1: 2}}
    found = rollouts_of(["p", "p"], ["a", "b"], columns)

    assert [set(rollout.columns) for rollout in found] == [{"x", "table"}] * 2
    assert [rollout.columns["x"] for rollout in found] == [1.5, 2.5]


def test_groups_are_blocks_where_a_size_is_given() -> None:
    reward = CompositeReward([Custom(lambda r: float(r.completion), "x")], normalize="group", group_size=2)
    assert reward(["p"] * 4, ["1", "2", "10", "20"]) == pytest.approx([-math.sqrt(0.5), math.sqrt(0.5)] * 2)


def test_what_looks_at_groups_sees_the_same_blocks() -> None:
    class Sizes(Channel):
        name, grouped = "sizes", True

        def __call__(self, rollouts: Sequence[Rollout]) -> list[float | None]:
            return [float(sum(other.group == rollout.group for other in rollouts)) for rollout in rollouts]

    assert CompositeReward([Sizes()], group_size=2)(["p"] * 4, list("abcd")) == [2, 2, 2, 2]


def test_a_reward_can_be_pickled_and_called_again() -> None:
    reward = CompositeReward([Recorded("a")], normalize="group")
    reward.score(batch([{"a": 1}]))
    copy = pickle.loads(pickle.dumps(reward))

    assert copy.__name__ == "reward" and copy.score(batch([{"a": 1}, {"a": 3}])).totals == pytest.approx(
        [-math.sqrt(0.5), math.sqrt(0.5)]
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"channels": []}, "needs channels"),
        ({"channels": [Recorded("a"), Recorded("a")]}, "a name of its own"),
        ({"channels": [Recorded("a")], "weights": [1, 2]}, "as many finite weights"),
        ({"channels": [Recorded("a")], "weights": [math.nan]}, "as many finite weights"),
        ({"channels": [Recorded("a")], "gates": [Gate("b", 1)]}, "no channel is called b; known: a"),
        ({"channels": [Recorded("a")], "optional": ["c"]}, "no channel is called c"),
        ({"channels": [Recorded("a")], "gates": [Gate("a", 1)], "optional": ["a"]}, "cannot be optional"),
        ({"channels": [Recorded("a")], "normalize": "grp"}, "not 'grp'"),
    ],
)
def test_what_cannot_be_a_reward_is_refused(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        CompositeReward(**arguments)


def test_not_a_prompt_for_each_completion() -> None:
    with pytest.raises(InputError, match="2 completions, but 1 prompts"):
        CompositeReward([Recorded("a")])(["p"], ["x", "y"])


VALUES = st.lists(st.integers(-50, 50).map(lambda n: n / 10), min_size=2, max_size=8)


@given(VALUES, st.randoms())
def test_a_permuted_group_has_permuted_rewards(values: list[float], draw: Any) -> None:
    order = list(range(len(values)))
    draw.shuffle(order)
    reward = CompositeReward([Recorded("a")], normalize="group")
    plain = reward.score(batch([{"a": value} for value in values])).totals
    permuted = reward.score(batch([{"a": values[i]} for i in order])).totals

    assert permuted == pytest.approx([plain[i] for i in order])


@given(VALUES, st.floats(0.01, 1000), st.floats(-10, 10))
def test_normalised_rewards_do_not_depend_on_the_unit(values: list[float], factor: float, shift: float) -> None:
    moved = z_scores([factor * value + shift for value in values])
    assert moved == pytest.approx(z_scores(values), abs=1e-6)


def test_advantages_are_trls() -> None:
    """1, 2, 3 in a group: deviation 1, so -1, 0, 1 over 1.0001; an unscored one 0, and the others as without it."""
    found = advantages([1, 2, None, 3, 5, None], [[0, 1, 2, 3], [4], [5]])
    assert found == pytest.approx([-1 / 1.0001, 0, 0, 1 / 1.0001, 0, 0])


# what hangs, what is cancelled, what is refused


def test_a_channel_that_is_cancelled_keeps_nobody_waiting() -> None:
    def cancelled(rollouts: Sequence[Rollout]) -> list[float]:
        raise asyncio.CancelledError("the loop is gone")

    found = CompositeReward([Wrong(cancelled), Recorded("a")]).score(batch([{"a": 1}, {"a": 2}]))

    assert (
        found.totals == [None, None] and found.reasons["wrong"][0] == "RuntimeError: CancelledError: the loop is gone"
    )


def test_three_judges_asked_one_by_one_wait_as_long_as_one() -> None:
    """All calls of all three are there at the same time, 64 each: 64 threads for all would never meet the others."""
    meet = threading.Barrier(3 * 64)
    reward = CompositeReward([*(Meeting(name, meet) for name in "abc"), Custom(lambda r: 0.5, "form")])

    assert reward(["p"] * 64, [str(i) for i in range(64)]) == [3.5] * 64


def test_what_hangs_takes_no_room_of_others_and_no_more_of_its_own() -> None:
    hung = threading.Event()

    class Hangs(Channel):
        name, at_a_time = "hangs", 1

        def __call__(self, rollouts: Sequence[Rollout]) -> list[float | None]:
            hung.wait(60)
            return [1.0]

    reward = CompositeReward([Hangs(), Custom(lambda r: 0.5, "form")], optional=["hangs"], deadline=1)
    before = threading.active_count()
    for _ in range(3):
        assert reward(["p"] * 80, [str(i) for i in range(80)]) == [0.5] * 80
    assert threading.active_count() - before <= WORKERS + 1
    assert reward.last is not None and "earlier batches" in reward.last.reasons["hangs"][0]
    hung.set()


class Refusing:
    """A system that starts ``more`` threads and no other."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, more: int) -> None:
        self.more, self.start = more, threading.Thread.start
        monkeypatch.setattr(threading.Thread, "start", lambda thread: self(thread))

    def __call__(self, thread: threading.Thread) -> None:
        self.more -= 1
        if self.more < 0:
            raise RuntimeError("can't start new thread")
        self.start(thread)


class Where(Channel):
    """Gives 1, one rollout a call, and remembers in which threads."""

    at_a_time = 1

    def __init__(self, name: str) -> None:
        self.name, self.threads = name, set[threading.Thread]()

    def __call__(self, rollouts: Sequence[Rollout]) -> list[float | None]:
        self.threads.add(threading.current_thread())
        return [1.0]


TEXTS = [str(i) for i in range(8)]


@pytest.mark.parametrize("more", [0, 1, 3])
def test_where_the_system_starts_no_more_threads_the_work_is_done_by_those_there_are(
    more: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    channels = [Where("a"), Where("b")]
    Refusing(monkeypatch, more)

    assert CompositeReward(channels)(["p"] * 8, TEXTS) == [2.0] * 8
    assert f"the system starts {more} of 8 threads for a channel: can't start new thread" in caplog.text
    assert channels[1].threads == {threading.current_thread()}
    assert (channels[0].threads == {threading.current_thread()}) == (more == 0)


def test_with_a_deadline_what_no_thread_waits_for_is_unscored(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the calling thread nothing could end at the deadline; the channel that has a thread is not touched."""
    Refusing(monkeypatch, 1)
    reward = CompositeReward([Where("a"), Where("b")], optional=["b"], deadline=20)

    assert reward(["p"] * 8, TEXTS) == [1.0] * 8
    assert reward.last is not None and "the system starts no thread" in reward.last.reasons["b"][7]
    monkeypatch.undo()
    assert reward(["p"] * 8, TEXTS) == [2.0] * 8


def test_what_a_gate_refuses_never_has_more_than_what_it_lets_pass() -> None:
    reward = CompositeReward(
        [Custom(lambda r: r.columns["form"], "form"), Custom(lambda r: -0.8, "penalty")], gates=[Gate("form", 1.0)]
    )

    assert reward(["p", "p"], ["a", "b"], form=[1.0, 0.0]) == pytest.approx([0.2, -0.8])
    with pytest.raises(InputError, match="weight below 0"):
        CompositeReward([Recorded("form"), Recorded("judge")], [1, -1], gates=[Gate("form", 1.0)])
    with pytest.raises(InputError, match="finite"):
        CompositeReward([Recorded("form"), Recorded("judge")], gates=[Gate("form", math.nan)])


def test_a_missing_optional_value_counts_as_the_mean_of_the_judged_not_of_the_refused() -> None:
    channels = [Custom(lambda r: r.columns["form"], "form"), Custom(lambda r: r.columns["judge"], "judge")]
    reward = CompositeReward(channels, gates=[Gate("form", 1.0)], optional=["judge"])

    assert reward(["p"] * 4, list("abcd"), form=[0.0, 0.0, 1.0, 1.0], judge=[9, 9, 0.8, None]) == [0, 0, 1.8, 1.8]


@pytest.mark.parametrize("value", [np.float32(0.5), np.float64(0.5), np.array(0.5), torch.tensor(0.5)])
def test_numbers_of_arrays_are_numbers(value: Any) -> None:
    assert CompositeReward([Custom(lambda r: value, "x")])(["p"], ["a"]) == [0.5]


def test_of_a_chat_in_parts_the_texts_count() -> None:
    chat = [{"role": "assistant", "content": [{"type": "text", "text": "a b"}, {"type": "image"}, {"text": " c"}]}]

    assert CompositeReward([Custom(lambda r: float(len(r.completion.split())), "words")])(["p"], [chat]) == [3]


def test_twins_in_two_processes_cost_one_call() -> None:
    """Both processes have the same two texts; the first one values them, and the second hears of it."""
    rewards = [CompositeReward([Recorded("a")], group_size=4) for _ in range(2)]
    meet, given = threading.Barrier(2), [None, None]

    class Two(Ranks):
        def gather(self, mine: Any) -> list[Any]:
            given[self.rank] = mine
            meet.wait(10)
            found = list(given)
            meet.wait(10)
            return found

    rows = batch([{"a": 1.0}, {"a": 2.0}])
    found: dict[int, Any] = {}
    threads = [
        threading.Thread(target=lambda k=k: found.update({k: rewards[k].score(rows, Two(k, 2)).totals})) for k in (0, 1)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert found == {0: [1, 2, 1, 2], 1: [1, 2, 1, 2]}
    assert [[len(call) for call in reward.channels["a"].seen] for reward in rewards] == [[2], []]  # type: ignore[attr-defined]


def test_a_channel_may_return_an_array() -> None:
    assert CompositeReward([Wrong(lambda r: np.arange(2.0))])(["p", "p"], ["a", "b"]) == [0, 1]


def test_what_no_mean_can_be_made_of_is_no_value() -> None:
    reward = CompositeReward([Recorded("a")], normalize="group", monitor=Monitor())

    assert reward.score(batch([{"a": 1e200}, {"a": 1}, {"a": 2}])).totals == pytest.approx(
        [None, -(0.5**0.5), 0.5**0.5]
    )
