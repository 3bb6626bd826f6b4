"""Statistics that carry their uncertainty. NumPy arrays in, `Estimate` out; `Bootstrap` says how intervals are made."""

from judgekit.calibration.agreement import krippendorff_alpha
from judgekit.calibration.bootstrap import Bootstrap
from judgekit.calibration.bradley_terry import BradleyTerry, bradley_terry
from judgekit.calibration.correlation import correlation
from judgekit.calibration.estimate import Estimate, NotEstimableError
from judgekit.calibration.pairs import Bin, PairedTest, PairEvaluation, Part, evaluate, paired
from judgekit.calibration.signflip import sign_flip
from judgekit.calibration.slices import by_length, by_value, longer, word_count

__all__ = [
    "Bin",
    "Bootstrap",
    "BradleyTerry",
    "Estimate",
    "NotEstimableError",
    "PairEvaluation",
    "PairedTest",
    "Part",
    "bradley_terry",
    "by_length",
    "by_value",
    "correlation",
    "evaluate",
    "krippendorff_alpha",
    "longer",
    "paired",
    "sign_flip",
    "word_count",
]
