from __future__ import annotations

import json
from pathlib import Path

import pytest

from judgekit.errors import InputError
from judgekit.files import Results
from judgekit.judges import PanelJudge, RubricJudge
from judgekit.models.base import Decoding, Reply
from judgekit.models.fake import FakeModel
from judgekit.rubrics.rubric import Rubric
from judgekit.training.chains import Ask, asks, chain_of, chain_row
from judgekit.training.distill import Price, as_teacher, distill, forecast, read_chains, write_chains
from judgekit.types import Usage
from tests.training.teachers import RUBRIC, honest, pair, reply, teacher


def test_every_pair_is_asked_in_both_orders_and_k_times() -> None:
    asked = list(asks([pair(0), pair(1)], samples=2))

    assert [ask.id for ask in asked[:4]] == ["p0/ab/0", "p0/ab/1", "p0/ba/0", "p0/ba/1"]
    assert (asked[0].comparison.a, asked[2].comparison.a) == ("xxxx", "xx")
    assert len({ask.id for ask in asked}) == 8


def test_a_chain_names_the_winner_by_the_pairs_own_sides() -> None:
    ab, ba = distill(list(asks([pair(0)])), teacher(honest))

    assert (ab.winner, ba.winner) == ("a", "a")
    assert (ab.shown, ba.shown) == ("a", "b")
    assert (ab.scores, ba.scores) == ((4, 2), (4, 2))
    assert ab.prompt_hash != ba.prompt_hash  # the texts stand in another order
    assert ab.teacher == teacher(honest).fingerprint


def test_what_cannot_be_read_is_kept_with_its_reason() -> None:
    (chain, _) = distill(list(asks([pair(0)])), teacher("no verdict at all"))

    assert chain.text == "no verdict at all"
    assert chain.winner is None
    assert chain.error


def test_a_model_that_fails_leaves_a_chain_without_text() -> None:
    (chain, _) = distill(list(asks([pair(0)])), teacher(lambda _: Reply(None, "the server is down")))  # type: ignore[arg-type,return-value]

    assert (chain.text, chain.winner, chain.error) == (None, None, "the server is down")


def test_an_empty_side_is_not_asked_about() -> None:
    judge = teacher(honest)
    (chain, _) = distill(list(asks([pair(0, a="<think>only thoughts</think>")])), judge)

    assert chain.error == "response a is empty"
    assert judge.model.calls == 0  # type: ignore[attr-defined]


def test_a_row_is_read_back_as_the_same_chain() -> None:
    ask = next(iter(asks([pair(0)])))
    (chain,) = distill([ask], teacher(honest))

    assert chain_of(json.loads(json.dumps(chain_row(ask, chain))), 1) == chain


@pytest.mark.parametrize(
    "change", [{"order": "xy"}, {"winner": None}, {"usage": {"x": 2}}, {"scores": None}, {"scores": [1, 2, 3]}]
)
def test_a_row_of_something_else_is_refused(change: dict[str, object]) -> None:
    ask = next(iter(asks([pair(0)])))
    (chain,) = distill([ask], teacher(honest))

    with pytest.raises(InputError, match="line 3 is no chain"):
        chain_of(chain_row(ask, chain) | change, 3)


def test_a_killed_run_goes_on_and_asks_nothing_twice(tmp_path: Path) -> None:
    pairs = [pair(i) for i in range(50)]
    whole = write_chains(pairs, teacher(honest), tmp_path / "whole.jsonl")
    lines = (tmp_path / "whole.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "half.jsonl").write_text("".join(lines[:30]) + lines[30][:40])
    judge = teacher(honest)

    assert write_chains(pairs, judge, tmp_path / "half.jsonl") == whole
    assert (tmp_path / "half.jsonl").read_text() == (tmp_path / "whole.jsonl").read_text()
    assert judge.model.calls == 70  # type: ignore[attr-defined]


def test_other_pairs_under_the_same_ids_are_refused(tmp_path: Path) -> None:
    write_chains([pair(0)], teacher(honest), tmp_path / "chains.jsonl")

    with pytest.raises(InputError, match="another text under the same id"):
        write_chains([pair(0, a="y" * 7)], teacher(honest), tmp_path / "chains.jsonl")


def test_the_run_says_what_it_has_used(tmp_path: Path) -> None:
    seen: list[tuple[int, Usage]] = []
    pairs = [pair(i) for i in range(40)]
    write_chains(pairs, teacher(honest), tmp_path / "c.jsonl", seen=lambda *now: seen.append(now))

    assert [(done, used.calls) for done, used in seen] == [(64, 64), (80, 80)]


def test_samples_are_drawn_apart(tmp_path: Path) -> None:
    draws = teacher(lambda request: reply(9, request.draw), temperature=1.0)
    chains = write_chains([pair(0)], draws, tmp_path / "c.jsonl", samples=3)

    assert [chain.scores[1] for chain in chains if chain.order == "ab"] == [0, 1, 2]


def test_equal_samples_are_refused() -> None:
    with pytest.raises(InputError, match="temperature is above 0"):
        as_teacher(teacher(honest), samples=2)


def test_a_teacher_must_write_about_pairs() -> None:
    pointwise = RubricJudge(Rubric.load("story/hanna"), FakeModel("x"))
    for judge in (pointwise, PanelJudge([teacher(honest)])):
        with pytest.raises(InputError, match="a teacher is a pairwise judge"):
            as_teacher(judge)


def test_the_forecast_counts_characters() -> None:
    judge = teacher(honest)
    judge.decoding = Decoding(max_tokens=100)
    ask = next(iter(asks([pair(0)])))
    usage = forecast([ask], 1000, judge)
    bare = forecast([Ask("p", "ab", 0, pair(0, a="x").comparison)], 1000, judge)

    assert (usage.calls, usage.output_tokens) == (1000, 100_000)
    assert usage.input_tokens - bare.input_tokens == 750  # three more ASCII characters are 3/4 of a token, 1000 times


def test_a_price_is_for_a_million_tokens() -> None:
    assert Price(1.25, 10.0).of(Usage(1, 0, 400_000, 30_000)) == pytest.approx(0.5 + 0.3)


def test_results_and_chains_share_one_file_form(tmp_path: Path) -> None:
    write_chains([pair(0)], teacher(honest), tmp_path / "c.jsonl")
    with Results(tmp_path / "c.jsonl", teacher(honest).fingerprint) as results:
        assert list(results.remaining(asks([pair(0)]))) == []
    assert len(read_chains(tmp_path / "c.jsonl")) == 2
    assert RUBRIC.mode == "pairwise"
