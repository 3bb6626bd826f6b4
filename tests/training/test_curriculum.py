"""The order in which SFT sees its examples: the shortest first, then passes over all, batches of like length."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("trl")

from pydantic import ValidationError

from judgekit.training.sft import curriculum


def config(**facts: float) -> SimpleNamespace:
    ours = {"train_batch_size": 2, "gradient_accumulation_steps": 1, "world_size": 1, "max_steps": -1}
    return SimpleNamespace(**{**ours, "num_train_epochs": 1.0, **facts})


def test_by_hand():
    lengths = [9, 1, 8, 2, 7, 3, 6, 4]
    order = curriculum(lengths, 0.5, config(max_steps=6), 0)
    assert len(order) == 12
    assert sorted(order[:4]) == [1, 3, 5, 7]  # the four shortest
    assert sorted(order[4:]) == list(range(8))
    assert {frozenset(order[i : i + 2]) for i in range(4, 12, 2)} == {
        frozenset(pair) for pair in ((1, 3), (5, 7), (6, 4), (2, 0))
    }


@given(
    st.lists(st.integers(1, 99), min_size=1, max_size=60), st.floats(0.01, 0.99), st.integers(1, 9), st.integers(1, 40)
)
def test_any_data(lengths, short, batch, steps):
    order = curriculum(lengths, short, config(train_batch_size=batch, max_steps=steps), 3)
    assert len(order) == steps * batch
    assert set(order) <= set(range(len(lengths)))
    assert order == curriculum(lengths, short, config(train_batch_size=batch, max_steps=steps), 3)


def test_epochs_say_how_many_rows_are_seen():
    assert len(curriculum([3, 1, 2, 5], 0.5, config(num_train_epochs=3.0), 0)) == 12


def test_not_with_packing():
    from judgekit.training.sft import SFTSettings

    with pytest.raises(ValidationError, match="short_first"):
        SFTSettings(short_first=0.2, trl={"packing": True})
