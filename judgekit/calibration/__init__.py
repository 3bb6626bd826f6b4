"""Statistics that carry their uncertainty. NumPy arrays in, `Estimate` out; `Bootstrap` says how intervals are made."""

from judgekit.calibration.agreement import krippendorff_alpha
from judgekit.calibration.bootstrap import Bootstrap
from judgekit.calibration.concordance import BlandAltman, bland_altman, concordance, kendall_w
from judgekit.calibration.corrected import Corrected, corrected_mean
from judgekit.calibration.correlation import correlation
from judgekit.calibration.equivalence import Equivalence, equivalence_test
from judgekit.calibration.estimate import Estimate, NotEstimableError
from judgekit.calibration.icc import icc
from judgekit.calibration.kappa import cohen_kappa, fleiss_kappa, gwet_ac
from judgekit.calibration.mcnemar import McNemar, mcnemar_test
from judgekit.calibration.multiple import adjust_pvalues, stars
from judgekit.calibration.pairs import Bin, PairedTest, PairEvaluation, Part, evaluate, paired
from judgekit.calibration.rates import labels_mean, ppi_mean
from judgekit.calibration.rogan_gladen import rogan_gladen
from judgekit.calibration.signflip import SignFlip, sign_flip_test
from judgekit.calibration.slices import by_length, by_value, longer, word_count

__all__ = [
    "Bin",
    "BlandAltman",
    "Bootstrap",
    "Corrected",
    "Equivalence",
    "Estimate",
    "McNemar",
    "NotEstimableError",
    "PairEvaluation",
    "PairedTest",
    "Part",
    "SignFlip",
    "adjust_pvalues",
    "bland_altman",
    "by_length",
    "by_value",
    "cohen_kappa",
    "concordance",
    "corrected_mean",
    "correlation",
    "equivalence_test",
    "evaluate",
    "fleiss_kappa",
    "gwet_ac",
    "icc",
    "kendall_w",
    "krippendorff_alpha",
    "labels_mean",
    "longer",
    "mcnemar_test",
    "paired",
    "ppi_mean",
    "rogan_gladen",
    "sign_flip_test",
    "stars",
    "word_count",
]
