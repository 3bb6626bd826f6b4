"""Distillation: any pairwise judge as a teacher, both orders, every reply kept (RLCS, arXiv 2601.07149, section 4)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from judgekit.errors import InputError
from judgekit.files import Results, read
from judgekit.judges import GenRMJudge, Judge, PairwiseJudge
from judgekit.judges.asking import Case, replies
from judgekit.models.base import Reply
from judgekit.rubrics.prompt import Questions
from judgekit.rubrics.reply import PairVerdict, read_preference
from judgekit.training.chains import Ask, Chain, asks, chain_of, chain_row, texts_hash
from judgekit.types import SWAPPED, Pair, Usage

Teacher = PairwiseJudge | GenRMJudge
BATCH = 64
SAMPLED = 100  # questions that are written out to forecast the tokens of all


def as_teacher(judge: Judge, samples: int = 1) -> Teacher:
    """Return a judge that can teach.

    Raises:
        InputError: it writes no reasons about pairs, or several samples would all be equal.
    """
    if not isinstance(judge, Teacher) or judge.rubric.mode != "pairwise":
        raise InputError("a teacher is a pairwise judge that writes its reasons: 'judge: pairwise' or 'judge: genrm'")
    if samples > 1 and judge.decoding.temperature == 0:
        raise InputError("several samples need a teacher whose temperature is above 0: they would all be equal")
    return judge


def distill(asked: Sequence[Ask], teacher: Teacher) -> list[Chain]:
    """Return the teacher's chain for each question, in their order. What could not be read is kept, with its reason."""
    questions = Questions(teacher.rubric)
    cases = [Case.of(questions, teacher.model, ask.comparison) for ask in asked]
    requests = [case.request(draw=ask.sample) for case, ask in zip(cases, asked, strict=True) if not case.problem]
    answers = iter(replies(teacher.model, requests, teacher.decoding))
    identities = iter(requests)
    chains = []
    for ask, case in zip(asked, cases, strict=True):
        if case.problem:
            chains.append(_chain(ask, teacher, Reply(None, case.problem), ""))
        else:
            chains.append(_chain(ask, teacher, next(answers), next(identities).identity))
    return chains


def _chain(ask: Ask, teacher: Teacher, reply: Reply, identity: str) -> Chain:
    read = PairVerdict(None, error=reply.error)
    if reply.text is not None:
        read = read_preference(teacher.rubric, reply.text)
    winner, scores = read.winner, read.scores
    if winner and ask.order == "ba":
        winner, scores = SWAPPED[winner], (scores[1], scores[0])
    return Chain(
        ask.pair,
        ask.order,
        ask.sample,
        reply.text,
        winner,
        scores,
        read.error,
        read.reasons_first,
        texts_hash(ask.comparison),
        teacher.fingerprint,
        teacher.model.identity,
        hashlib.sha256(identity.encode()).hexdigest()[:16],
        reply.usage,
    )


@dataclass(frozen=True, slots=True)
class Price:
    """What a model costs, in US dollars for a million tokens."""

    input: float
    output: float

    def of(self, usage: Usage) -> float:
        """Return what this usage cost."""
        return (usage.input_tokens * self.input + usage.output_tokens * self.output) / 1e6


def forecast(asked: Iterable[Ask], calls: int, teacher: Teacher) -> Usage:
    """Return what ``calls`` questions will use: input tokens are estimated, output tokens are the most there can be.

    The estimate takes a token for four ASCII characters and for every other character, over the first questions.
    """
    questions = Questions(teacher.rubric)
    first = [Case.of(questions, teacher.model, ask.comparison).request() for ask in islice(asked, SAMPLED)]
    texts = [message["content"] for request in first for message in request.messages]
    tokens = sum(1 + sum(0.25 if character.isascii() else 1.0 for character in text) for text in texts)
    return Usage(calls, 0, round(tokens / max(1, len(first)) * calls), calls * teacher.decoding.max_tokens)


def write_chains(
    pairs: Sequence[Pair],
    teacher: Teacher,
    path: Path,
    *,
    samples: int = 1,
    seen: Callable[[int, Usage], None] = lambda *_: None,
) -> list[Chain]:
    """Distil every pair into ``chains.jsonl``, going on where a killed run stopped, and return all its chains.

    Args:
        seen: called after every batch with the rows written so far and what this run has used.
    """
    as_teacher(teacher, samples)
    used = Usage()
    with Results(path, teacher.fingerprint) as results:
        remaining = results.remaining(asks(pairs, samples))
        while batch := list(islice(remaining, BATCH)):
            chains = distill(batch, teacher)
            results.write(chain_row(ask, chain) for ask, chain in zip(batch, chains, strict=True))
            used = sum((chain.usage for chain in chains), used)
            seen(results.done, used)
    return read_chains(path)


def read_chains(path: Path) -> list[Chain]:
    """Read ``chains.jsonl``."""
    return list(read(path, chain_of))
