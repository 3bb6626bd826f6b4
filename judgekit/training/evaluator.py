"""From rated samples to a pointwise judge that writes its reasons: SFT, and GRPO on the distance if it is asked for.

EpisodeBench trains its local evaluators so (SFT on a language model's reviews and scores, re-sampled by the summed
score); its training code and settings are not published.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from judgekit.errors import InputError
from judgekit.files import rated_row
from judgekit.judges.base import digest
from judgekit.models.local import LocalConfig, LocalModel
from judgekit.rubrics.prompt import Questions, texts_of
from judgekit.rubrics.rubric import Rubric
from judgekit.rubrics.writing import nearest_on_menu, write_scores
from judgekit.training.distance import DistanceSettings, refine
from judgekit.training.judge_training import SHOWN, Counts, JudgeTraining
from judgekit.training.questions import Example, Writer
from judgekit.training.recipe import Start
from judgekit.training.resampling import Resample, Resampled, resample
from judgekit.training.weights import Trained
from judgekit.types import Rated


class EvaluatorRecipe(Start):
    """How ``judgekit train evaluator`` makes a judge; the rubric must be pointwise.

    Attributes:
        resample: the shape that the totals of the training rows are given before SFT; the evaluation rows stay as
            they are, and GRPO takes each row once.
        grpo: null: stop after SFT.
    """

    resample: Resample = "none"
    grpo: DistanceSettings | None = None


@dataclass
class EvaluatorTraining(JudgeTraining):
    """A run from rated samples to a judge that scores.

    Attributes:
        rows: rated samples whose criteria are the rubric's (`judgekit.training.rated.read_rated`).
    """

    recipe: EvaluatorRecipe
    rows: Sequence[Rated]

    @cached_property
    def rubric(self) -> Rubric:
        """The rubric; it must score."""
        return pointwise(self.recipe.rubric)

    @cached_property
    def lessons(self) -> list[tuple[Rated, Example]]:
        """The rows that can be learnt from, each with its question and reply.

        Raises:
            InputError: there are none; says why.
        """
        return [(row, lesson) for row, lesson in self._written if isinstance(lesson, Example)]

    @cached_property
    def left_out(self) -> dict[str, int]:
        """How many rows cannot be learnt from, by reason."""
        return dict(Counter(lesson for _, lesson in self._written if isinstance(lesson, str)).most_common())

    @cached_property
    def _written(self) -> list[tuple[Rated, Example | str]]:
        writer = Writer(self.rubric, LocalModel(self.base), self.recipe.seed)
        written = [(row, writer.lesson(row)) for row in self.rows]
        problems = Counter(lesson for _, lesson in written if isinstance(lesson, str))
        reasons = ", ".join(f"{count} with {reason}" for reason, count in problems.most_common())
        kept = len(written) - problems.total()
        if not kept:
            raise InputError(f"no row of {len(written)} can be learnt from{f': {reasons}' if reasons else ''}")
        self.say(f"rows: {kept} of {len(written)} can be learnt from{f' ({reasons})' if reasons else ''}")
        return written

    @cached_property
    def drawn(self) -> Resampled:
        """Which of the lessons SFT sees, after re-sampling by the rubric's total."""
        totals = [self.rubric.total(_known(row)) for row, _ in self.lessons]
        found = resample(totals, self.recipe.resample, self.recipe.seed)
        if self.recipe.resample != "none":
            self.say(
                f"resample: {self.recipe.resample}, {found.distinct} different rows of {len(totals)}, one of them "
                f"{found.most} times; rows by total before {_counts(found.before)}; after {_counts(found.after)}"
            )
        return found

    def save(self) -> Path:
        """Train what is not trained yet, write the finished judge into ``judge/`` and return its judge.yaml."""
        self.begin()
        return (self.grpo if self.recipe.grpo else self.sft).saved(self.folder / "judge")

    # --- parts ------------------------------------------------------------------------------------------------

    def _examples(self) -> tuple[list[Example], Counts]:
        return [self.lessons[i][1] for i in self.drawn.rows], self.left_out

    def _source(self) -> list[Any]:
        return [self.recipe.resample]

    @property
    def _refinement(self) -> DistanceSettings | None:
        return self.recipe.grpo

    def _refine(self, start: LocalConfig, folder: Path) -> tuple[Trained, Counts]:
        rows = [row for row, _ in self.lessons]
        self.say(f"grpo: {len(rows)} rows")
        how: dict[str, Any] = {"lora": self.recipe.lora, "seed": self.recipe.seed, "say": self.say}
        return refine(start, rows, self.rubric, self.recipe.grpo or DistanceSettings(), folder, **how), self.left_out

    @cached_property
    def _data(self) -> str:
        return digest([rated_row(row) for row in self.rows])

    def _texts(self) -> list[str]:
        form, rubric = Questions(self.rubric).form(), self.rubric
        known = [row for row in self.rows if all(row.scores.get(c.id) is not None for c in rubric.criteria)][:SHOWN]
        asked = [message["content"] for row in known for message in form.messages(texts_of(rubric, row.sample))]
        return [*asked, *(write_scores(rubric, self._menu(row), row.reviews, row.rationale) for row in known)]

    def _menu(self, row: Rated) -> dict[str, float]:
        known = _known(row)
        return {c.id: nearest_on_menu(c, known[c.id]) for c in self.rubric.criteria}


def pointwise(name: str) -> Rubric:
    """Return a rubric that scores.

    Raises:
        InputError: it compares.
    """
    rubric = Rubric.load(name)
    if rubric.mode != "pointwise":
        raise InputError(f"the rubric {rubric.id!r} is pairwise; an evaluator learns scores: use a pointwise one")
    return rubric


def _known(row: Rated) -> dict[str, float]:
    return {name: value for name, value in row.scores.items() if value is not None}


def _counts(counts: Mapping[float, int]) -> str:
    return ", ".join(f"{total:g}: {count}" for total, count in counts.items())
