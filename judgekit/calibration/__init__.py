"""Statistics that carry their uncertainty. NumPy arrays in, `Estimate` out; `Bootstrap` says how intervals are made."""

from judgekit.calibration.agreement import krippendorff_alpha
from judgekit.calibration.best_of_n import BestOfN, best_of_n_regret
from judgekit.calibration.bootstrap import Bootstrap
from judgekit.calibration.bradley_terry import BradleyTerry, bradley_terry
from judgekit.calibration.correlation import correlation
from judgekit.calibration.elo import Elo, elo
from judgekit.calibration.estimate import Estimate, NotEstimableError
from judgekit.calibration.length_controlled import LengthControlled, length_controlled_win_rate
from judgekit.calibration.orders import TwoOrders, eq_bench, polaris
from judgekit.calibration.pairs import Bin, PairedTest, PairEvaluation, Part, evaluate, paired
from judgekit.calibration.signflip import sign_flip
from judgekit.calibration.slices import by_length, by_value, longer, word_count
from judgekit.calibration.soft_pairwise import soft_pairwise_accuracy
from judgekit.calibration.ties import TieCalibration, fit_epsilon, pairwise_accuracy, tie_calibration

__all__ = [
    "BestOfN",
    "Bin",
    "Bootstrap",
    "BradleyTerry",
    "Elo",
    "Estimate",
    "LengthControlled",
    "NotEstimableError",
    "PairEvaluation",
    "PairedTest",
    "Part",
    "TieCalibration",
    "TwoOrders",
    "best_of_n_regret",
    "bradley_terry",
    "by_length",
    "by_value",
    "correlation",
    "elo",
    "eq_bench",
    "evaluate",
    "fit_epsilon",
    "krippendorff_alpha",
    "length_controlled_win_rate",
    "longer",
    "paired",
    "pairwise_accuracy",
    "polaris",
    "sign_flip",
    "soft_pairwise_accuracy",
    "tie_calibration",
    "word_count",
]
