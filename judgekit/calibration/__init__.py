"""Statistics that carry their uncertainty. NumPy arrays in, `Estimate` out; `Bootstrap` says how intervals are made."""

from judgekit.calibration.agreement import krippendorff_alpha
from judgekit.calibration.alt_test import AltTest, Annotator, alt_test
from judgekit.calibration.attenuation import Disattenuated, disattenuated
from judgekit.calibration.binary import BinaryRates, binary_rates
from judgekit.calibration.bootstrap import Bootstrap
from judgekit.calibration.ceilings import LeaveOneOut, leave_one_out, split_half
from judgekit.calibration.comparing import CorrelationDifference, compare_correlations
from judgekit.calibration.correlation import correlation
from judgekit.calibration.estimate import Estimate, NotEstimableError
from judgekit.calibration.pairs import Bin, PairedTest, PairEvaluation, Part, evaluate, paired
from judgekit.calibration.signflip import sign_flip
from judgekit.calibration.slices import by_length, by_value, longer, word_count

__all__ = [
    "AltTest",
    "Annotator",
    "Bin",
    "BinaryRates",
    "Bootstrap",
    "CorrelationDifference",
    "Disattenuated",
    "Estimate",
    "LeaveOneOut",
    "NotEstimableError",
    "PairEvaluation",
    "PairedTest",
    "Part",
    "alt_test",
    "binary_rates",
    "by_length",
    "by_value",
    "compare_correlations",
    "correlation",
    "disattenuated",
    "evaluate",
    "krippendorff_alpha",
    "leave_one_out",
    "longer",
    "paired",
    "sign_flip",
    "split_half",
    "word_count",
]
