"""Judges: rubric, pairwise, generative, classifier, panel, any with a profile; one file each, one way to call them."""

from judgekit.judges.base import Judge
from judgekit.judges.calibrated import CalibratedJudge, ProfileWarning
from judgekit.judges.classifier import ClassifierJudge
from judgekit.judges.genrm import GenRMJudge
from judgekit.judges.pairwise import PairwiseJudge
from judgekit.judges.panel import PanelJudge
from judgekit.judges.rubric import RubricJudge

__all__ = [
    "CalibratedJudge",
    "ClassifierJudge",
    "GenRMJudge",
    "Judge",
    "PairwiseJudge",
    "PanelJudge",
    "ProfileWarning",
    "RubricJudge",
]
