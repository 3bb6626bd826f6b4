"""Statistics that carry their uncertainty. NumPy arrays in, `Estimate` out; the random generator is an argument."""

from judgekit.calibration.estimate import Estimate, cluster_bootstrap, cluster_statistic, share
from judgekit.calibration.pairs import Bin, PairedTest, PairEvaluation, Part, evaluate, paired
from judgekit.calibration.signflip import sign_flip
from judgekit.calibration.slices import by_length, by_value, longer, word_count

__all__ = [
    "Bin",
    "Estimate",
    "PairEvaluation",
    "PairedTest",
    "Part",
    "by_length",
    "by_value",
    "cluster_bootstrap",
    "cluster_statistic",
    "evaluate",
    "longer",
    "paired",
    "share",
    "sign_flip",
    "word_count",
]
