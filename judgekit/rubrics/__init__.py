"""Rubrics: criteria and prompts as data, and the strict reading of a judge's reply."""

from judgekit.rubrics.prompt import render, texts_of
from judgekit.rubrics.reply import PairVerdict, Verdict, read_preference, read_scores
from judgekit.rubrics.rubric import Criterion, Gate, Rubric

__all__ = [
    "Criterion",
    "Gate",
    "PairVerdict",
    "Rubric",
    "Verdict",
    "read_preference",
    "read_scores",
    "render",
    "texts_of",
]
