"""Reasoning chains: what a teacher wrote about pairs, in both orders, with all that says where it comes from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from judgekit.errors import InputError
from judgekit.files import digest_of
from judgekit.types import SWAPPED, Comparison, Pair, Usage, Winner, prompt_text

Order = Literal["ab", "ba"]
ORDERS: tuple[Order, Order] = ("ab", "ba")


@dataclass(frozen=True, slots=True)
class Ask:
    """One question to a teacher: a pair in one order, asked for the n-th time."""

    pair: str
    order: Order
    sample: int
    comparison: Comparison

    @property
    def id(self) -> str:
        """The name of the question, unique where the pairs' ids are."""
        return f"{self.pair}/{self.order}/{self.sample}"


@dataclass(frozen=True, slots=True)
class Chain:
    """A teacher's reply to an `Ask`.

    Attributes:
        text: the reply as written; None exactly when the model gave none.
        winner: its verdict in terms of the pair's own a and b; None when there is none, and then ``error`` says why.
        scores: for the pair's own a and b.
        reasons_first: whether the reasons stood before the verdict.
        teacher: fingerprint of the judge; ``model``: the identity of its model.
        texts: hash of the prompt and the two responses as they were shown, by which a chain knows its pair.
        prompt_hash: hash of the rubric's question together with the texts.
    """

    pair: str
    order: Order
    sample: int
    text: str | None
    winner: Winner | None
    scores: tuple[float | None, float | None]
    error: str | None
    reasons_first: bool
    texts: str
    teacher: str
    model: Mapping[str, Any]
    prompt_hash: str
    usage: Usage = Usage()

    @property
    def shown(self) -> Winner | None:
        """The verdict in terms of A and B as they were shown."""
        return SWAPPED[self.winner] if self.winner and self.order == "ba" else self.winner


def asks(pairs: Sequence[Pair], samples: int = 1) -> Iterator[Ask]:
    """Yield every question: each pair in both orders, ``samples`` times, pair by pair."""
    for pair in pairs:
        for order in ORDERS:
            shown = in_order(pair.comparison, order)
            for sample in range(samples):
                yield Ask(pair.id, order, sample, shown)


def in_order(comparison: Comparison, order: Order) -> Comparison:
    """Return the comparison as it is shown in this order."""
    return comparison.swap() if order == "ba" else comparison


def texts_hash(comparison: Comparison) -> str:
    """Return a hash of what is compared, whatever its id and metadata."""
    return digest_of(Comparison(prompt_text(comparison.prompt), comparison.a, comparison.b))


def chain_row(ask: Ask, chain: Chain) -> dict[str, Any]:
    """Return the line of ``chains.jsonl`` that `chain_of` reads; ``judge`` is the teacher's fingerprint."""
    row = asdict(chain)
    return {"id": ask.id, "input": digest_of(ask), "judge": row.pop("teacher"), **row}


def chain_of(row: Mapping[str, Any], line: int) -> Chain:
    """Build a chain from its row.

    Raises:
        InputError: the row was not written by ``judgekit distill``.
    """
    try:
        names = ("pair", "order", "sample", "text", "winner", "error", "reasons_first", "texts", "model", "prompt_hash")
        a, b = row["scores"]
        fields = {name: row[name] for name in names}
        chain = Chain(**fields, scores=(a, b), teacher=row["judge"], usage=Usage(**row["usage"]))
    except (KeyError, TypeError, ValueError) as problem:
        raise InputError(f"line {line} is no chain ({problem}); chains are written by 'judgekit distill'") from None
    if chain.order not in ORDERS or (chain.winner is None) == (chain.error is None):
        raise InputError(f"line {line} is no chain: it needs an order (ab or ba), and a winner or an error")
    return chain
