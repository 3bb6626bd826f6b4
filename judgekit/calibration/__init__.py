"""Statistics that carry their uncertainty. NumPy arrays in, `Estimate` out; `Bootstrap` says how intervals are made."""

from judgekit.calibration.agreement import krippendorff_alpha
from judgekit.calibration.bootstrap import Bootstrap
from judgekit.calibration.bradley_terry import BradleyTerry, bradley_terry
from judgekit.calibration.correlation import correlation
from judgekit.calibration.elo import Elo, elo
from judgekit.calibration.estimate import Estimate, NotEstimableError
from judgekit.calibration.orders import TwoOrders, eq_bench, polaris
from judgekit.calibration.pairs import Bin, PairedTest, PairEvaluation, Part, evaluate, paired
from judgekit.calibration.signflip import sign_flip
from judgekit.calibration.slices import by_length, by_value, longer, word_count
from judgekit.calibration.ties import TieCalibration, fit_epsilon, pairwise_accuracy, tie_calibration

__all__ = [
    "Bin",
    "Bootstrap",
    "BradleyTerry",
    "Elo",
    "Estimate",
    "NotEstimableError",
    "PairEvaluation",
    "PairedTest",
    "Part",
    "TieCalibration",
    "TwoOrders",
    "bradley_terry",
    "by_length",
    "by_value",
    "correlation",
    "elo",
    "eq_bench",
    "evaluate",
    "fit_epsilon",
    "krippendorff_alpha",
    "longer",
    "paired",
    "pairwise_accuracy",
    "polaris",
    "sign_flip",
    "tie_calibration",
    "word_count",
]
