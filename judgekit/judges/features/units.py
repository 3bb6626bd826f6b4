"""Texts cut into words, sentences, chunks and clauses. Every pattern takes linear time, whatever the text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
T = TypeVar("T")

# CJK has no spaces: every ideograph or kana counts as one word. Hangul is spaced and needs no special case.
CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
WORD = re.compile(rf"[{CJK}]|[^\W_{CJK}]+(?:['’][^\W_{CJK}]+)*")
STOP = re.compile(r"(?<=[.!?…])[\"'”’)\]]*+\s++|(?<=[。！？])[”’」』）]*+|\n++")
CLAUSE = re.compile(r"[.,;:!?\n。，；：！？、]++")

SENTENCE_WORDS, CHUNK_WORDS, MOST_UNITS, MOST_CLAUSES = 60, 50, 128, 32


def clean(text: str) -> str:
    """Replace lone surrogates, on which a tokenizer would fail."""
    return text.encode("utf-8", "replace").decode("utf-8")


def words(text: str) -> list[str]:
    """Return the words of a text."""
    return WORD.findall(text)


def sentences(text: str) -> list[str]:
    """Split at stops; a run without any is cut every 60 words, so that one unit stays short."""
    ends = [stop.end() for stop in STOP.finditer(text)] + [len(text)]
    parts = [text[a:b].strip() for a, b in zip([0, *ends[:-1]], ends, strict=True)]
    return [piece for part in parts if WORD.search(part) for piece in _cut(part, SENTENCE_WORDS)]


def chunks(text: str) -> list[str]:
    """Cut into pieces of 50 words; a stub at the end joins the piece before, lest it look like a change of topic."""
    parts = _cut(text, CHUNK_WORDS)
    if len(parts) > 1 and len(words(parts[-1])) < CHUNK_WORDS // 2:
        parts[-2:] = [f"{parts[-2]} {parts[-1]}"]
    return ends_only(parts)


def clauses(prompt: str) -> list[str]:
    """Return the clauses of a prompt that have at least three words, or its beginning."""
    parts = [part.strip() for part in CLAUSE.split(prompt) if len(words(part)) >= 3]
    return parts[:MOST_CLAUSES] or [prompt[:500]]


def ends_only(units: list[T]) -> list[T]:
    """Keep the opening and the ending of a very long text, so that the encoder's cost stays bounded."""
    half = MOST_UNITS // 2
    return units if len(units) <= MOST_UNITS else units[:half] + units[-half:]


def windows(items: Sequence[T], size: int) -> list[Sequence[T]]:
    """Return the whole windows of a size (or the one short text), so that a mean over them ignores length."""
    return [items[i : i + size] for i in range(0, max(len(items) - size, 0) + 1, size)]


def _cut(text: str, size: int) -> list[str]:
    starts = [word.start() for word in WORD.finditer(text)][::size] or [0]
    starts[0] = 0
    return [text[a:b].strip() for a, b in zip(starts, [*starts[1:], len(text)], strict=True)]
