"""Statistics that carry their uncertainty. NumPy arrays in, `Estimate` out; `Bootstrap` says how intervals are made."""

from judgekit.calibration.agreement import krippendorff_alpha
from judgekit.calibration.bootstrap import Bootstrap
from judgekit.calibration.concordance import BlandAltman, bland_altman, concordance, kendall_w
from judgekit.calibration.correlation import correlation
from judgekit.calibration.estimate import Estimate, NotEstimableError
from judgekit.calibration.icc import icc
from judgekit.calibration.kappa import cohen_kappa, fleiss_kappa, gwet_ac
from judgekit.calibration.pairs import Bin, PairedTest, PairEvaluation, Part, evaluate, paired
from judgekit.calibration.signflip import sign_flip
from judgekit.calibration.slices import by_length, by_value, longer, word_count

__all__ = [
    "Bin",
    "BlandAltman",
    "Bootstrap",
    "Estimate",
    "NotEstimableError",
    "PairEvaluation",
    "PairedTest",
    "Part",
    "bland_altman",
    "by_length",
    "by_value",
    "cohen_kappa",
    "concordance",
    "correlation",
    "evaluate",
    "fleiss_kappa",
    "gwet_ac",
    "icc",
    "kendall_w",
    "krippendorff_alpha",
    "longer",
    "paired",
    "sign_flip",
    "word_count",
]
