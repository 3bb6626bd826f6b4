"""What the encoder sees: how a text moves, how it answers its prompt, where it lies on a few fixed axes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from judgekit.judges.features.surface import content_words, share
from judgekit.judges.features.units import Array, chunks, clauses, ends_only, sentences, words

Encode = Callable[[list[str]], Array]

# Directions in the encoder's space, first text minus second. The mean over chunks says where a story lies on an
# axis, the spread over sentences how far it travels along it.
AXES = {
    "nonsense": (
        "Random, disconnected words that make no sense together.",
        "A clear story in which each event follows from the last.",
    ),
    "grief": ("She wept, her heart breaking with love and loss.", "The committee reviewed the report."),
    "twist": (
        "But then he realised the shocking truth: everything had been a lie.",
        "Nothing unusual happened that day.",
    ),
    "danger": ("They ran for their lives as the monster closed in.", "They sat quietly and rested."),
    "goal": ("He had a plan, and he would do whatever it took.", "He did not know what to do."),
    "scene": ("Moonlight fell over the old stone streets of the quiet city.", "He thought about it."),
    "thought": ("I wondered what my life had really meant.", "The car turned left at the corner."),
    "ending": ("And so, at last, it was over, and they went home.", "It all began on a cold morning."),
    "humour": ("He laughed so hard at the absurd joke that he spilled his drink.", "He was silent and grim."),
    "talk": ("“What do you mean?” she asked. “You know,” he replied.", "The valley stretched for miles."),
    "confusion": (
        "I don't know what this is, I don't know what to say, I don't know.",
        "She explained exactly what had happened.",
    ),
}
ECHO = 0.85  # cosine from which two sentences say the same


@dataclass(frozen=True)
class Units:
    """A prompt and a response, with the parts that are encoded: prompt, its clauses, sentences, chunks."""

    prompt: str
    response: str
    clauses: list[str]
    sentences: list[str]
    chunks: list[str]

    @classmethod
    def of(cls, prompt: str, response: str) -> Units:
        """Cut the texts."""
        return cls(
            prompt, response, clauses(prompt), ends_only(sentences(response)) or [response[:500]], chunks(response)
        )

    @property
    def texts(self) -> list[str]:
        """Everything that is encoded, in order."""
        return [self.prompt, *self.clauses, *self.sentences, *self.chunks]


def coherence(units: Units, vectors: Array, axes: Array) -> dict[str, float]:
    """Return the coherence features.

    Args:
        vectors: unit vectors of ``units.texts``, shape (texts, width).
        axes: differences of the two ends of each axis, shape (axes, width).
    """
    sizes = (1, len(units.clauses), len(units.sentences))
    prompt, asked, sents, parts = np.split(vectors, np.cumsum(sizes))
    found = {
        **_flow(sents, parts),
        **_relevance(prompt[0], sents, parts),
        **_answered(asked, sents, parts),
        **_along(axes, sents, parts),
        "prompt_words": _shared_words(units.prompt, units.response),
    }
    return {name: float(value) for name, value in found.items()}


def unit(vectors: Array) -> Array:
    """Return the vectors at length 1; a zero vector stays zero."""
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(norms, 1e-9))


def _flow(sents: Array, parts: Array) -> dict[str, float]:
    """How the text moves: to the next sentence or chunk, between distant ones, around its centre."""
    near, far = _neighbours(sents)
    next_chunk, far_chunk = _neighbours(parts)
    n = len(parts)
    every = (next_chunk.sum() + far_chunk.sum() * (n > 2)) / max(n * (n - 1) / 2, 1)
    twin = (sents @ sents.T - 2 * np.eye(len(sents))).max(1)
    return {
        "sent_next_mean": near.mean(),
        "sent_next_sd": near.std(),
        "sent_far_mean": far.mean(),
        "sent_far_sd": far.std(),
        "sent_echo": (twin > ECHO).mean(),
        "sent_out": (sents @ unit(sents.mean(0))).min(),
        "chunk_next_mean": next_chunk.mean(),
        "chunk_far_mean": far_chunk.mean(),
        "chunk_far_min": far_chunk.min(),
        "chunk_order": next_chunk.mean() - every,
    }


def _neighbours(vectors: Array) -> tuple[Array, Array]:
    """Return the cosines of adjacent units and of units two or more apart; 0 where there are none."""
    cosines = vectors @ vectors.T
    near, far = np.diag(cosines, 1), cosines[np.triu_indices(len(vectors), 2)]
    return (near if near.size else np.zeros(1)), (far if far.size else np.zeros(1))


def _relevance(prompt: Array, sents: Array, parts: Array) -> dict[str, float]:
    by_sentence, by_chunk = sents @ prompt, parts @ prompt
    return {
        "prompt_all": unit(parts.mean(0)) @ prompt,
        "prompt_chunk_mean": by_chunk.mean(),
        "prompt_chunk_min": by_chunk.min(),
        "prompt_chunk_max": by_chunk.max(),
        "prompt_sent_mean": by_sentence.mean(),
        "prompt_sent_max": by_sentence.max(),
        "prompt_sent_sd": by_sentence.std(),
        "prompt_first": by_chunk[0],
        "prompt_last": by_chunk[-1],
    }


def _answered(asked: Array, sents: Array, parts: Array) -> dict[str, float]:
    """Hold each clause of the prompt against the place in the response that answers it best."""
    by_chunk, by_sentence = (asked @ parts.T).max(1), (asked @ sents.T).max(1)
    return {
        "clause_mean": by_chunk.mean(),
        "clause_min": by_chunk.min(),
        "clause_sent_mean": by_sentence.mean(),
        "clause_sent_min": by_sentence.min(),
    }


def _along(axes: Array, sents: Array, parts: Array) -> dict[str, float]:
    where, travelled = axes @ parts.mean(0), (sents @ axes.T).std(0)
    at = {f"at_{name}": value for name, value in zip(AXES, where, strict=True)}
    return {**at, **{f"range_{name}": value for name, value in zip(AXES, travelled, strict=True)}}


def _shared_words(prompt: str, response: str) -> float:
    asked, used = (content_words([word.lower() for word in words(text)]) for text in (prompt, response))
    return share(len(asked & used), len(asked))
