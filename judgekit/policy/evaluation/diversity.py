"""``diversity.jsonl``: how far apart the K responses to one prompt are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from pydantic import FiniteFloat

from judgekit.episodes import parse_response
from judgekit.episodes.measures import Value
from judgekit.errors import InputError
from judgekit.files import digest_of, read
from judgekit.models.encoder import Encoder
from judgekit.policy.evaluation.filling import Progress, fill, silent
from judgekit.policy.evaluation.forms import Form, held_to
from judgekit.policy.evaluation.responses import Responded
from judgekit.rewards.embedding import Embedder, Embedding, home

FILE = "diversity.jsonl"
SPAN: Final = (0.0, 2.0)
FEW: Final = "fewer than two valid responses"


@dataclass(frozen=True, slots=True)
class _Stories:
    """What a row stands for: what each valid response to a prompt tells."""

    id: str
    texts: tuple[str, ...]


def mean_distance(vectors: Any) -> float:
    """Return the mean of 1 - cosine over all pairs of two or more vectors, shape (texts, width): 0 for copies.

    The mean pairwise distance of sentence embeddings (one of those that Tevet & Berant 2021, EACL, "Evaluating the
    Evaluation of Diversity in Natural Language Generation", compare). Unlike a determinant or a Vendi score it does not
    grow with the number of texts, so that a policy whose responses are more often valid is not called more diverse for
    that.
    """
    found = np.asarray(vectors.cpu() if home(vectors) is not np else vectors)
    unit = found / np.linalg.norm(found, axis=1, keepdims=True)
    n = len(unit)
    return max(0.0, float(1 - (np.square(unit.sum(0)).sum() - n) / (n * (n - 1))))  # of copies, but for rounding


def measure_all(
    responded: Sequence[Responded], path: Path, embed: Embedder | None = None, progress: Progress = silent
) -> None:
    """Measure the diversity of the valid responses to each turn, but for those that the file has already.

    Args:
        embed: texts to vectors; the installed MiniLM without it.
    """
    embedding = Embedding(embed)

    def rows_of(batch: list[_Stories]) -> list[dict[str, Any]]:
        texts = list(dict.fromkeys(text for one in batch for text in one.texts))
        place = {text: i for i, text in enumerate(texts)}
        vectors = embedding(texts) if texts else None
        return [_row(one, vectors, [place[text] for text in one.texts], encoder(embed)) for one in batch]

    fill(path, ("encoder", encoder(embed)), [_stories(one) for one in responded], rows_of, 64, progress)


def encoder(embed: Embedder | None = None) -> str:
    """Return what identifies the encoder: of the installed one a hash of its weights."""
    return Encoder().identity if embed is None else getattr(embed, "__qualname__", type(embed).__qualname__)


def _stories(one: Responded) -> _Stories:
    parsed = [parse_response(text) for text in one.visible if text is not None]
    return _Stories(one.id, tuple(turn.story for turn in parsed if not isinstance(turn, str)))


def _row(one: _Stories, vectors: Any, places: list[int], name: str) -> dict[str, Any]:
    value = mean_distance(vectors[places]) if len(places) > 1 else None
    return {"id": one.id, "input": digest_of(one), "encoder": name, "valid": len(places), "distance": value}


class _Row(Form):
    id: str
    input: str
    encoder: str
    valid: int
    distance: FiniteFloat | None


def read_diversity(path: Path, responded: Sequence[Responded], name: str) -> list[Value]:
    """Read the diversity of these responses.

    Raises:
        InputError: a row of another encoder or of other texts, or one that is missing.
    """
    rows = list(read(path, lambda row, line: (line, held_to(_Row, row))))
    if len(rows) != len(responded):
        raise InputError(f"{path}: {len(rows)} rows for {len(responded)} prompts; run judgekit policy evaluate again")
    for (line, row), one in zip(rows, responded, strict=True):
        if row.input != digest_of(_stories(one)) or row.encoder != name:
            raise InputError.at(path, line, f"is not of the responses to {one.id!r}, or of another encoder")
    return [Value(row.distance, "" if row.distance is not None else FEW, span=SPAN) for _, row in rows]
