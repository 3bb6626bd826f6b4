"""Statistics that carry their uncertainty. NumPy arrays in, `Estimate` out; `Bootstrap` says how intervals are made."""

from judgekit.calibration.agreement import krippendorff_alpha
from judgekit.calibration.alt_test import AltTest, Annotator, alt_test
from judgekit.calibration.attenuation import Disattenuated, disattenuated
from judgekit.calibration.binary import BinaryRates, binary_rates
from judgekit.calibration.bootstrap import Bootstrap
from judgekit.calibration.ceilings import LeaveOneOut, leave_one_out, split_half
from judgekit.calibration.choice import Candidate, Choice, choose
from judgekit.calibration.comparing import CorrelationDifference, compare_correlations
from judgekit.calibration.conformal import Conformal, conformal, split_conformal
from judgekit.calibration.correlation import correlation
from judgekit.calibration.dawid_skene import DawidSkene, dawid_skene
from judgekit.calibration.escalate import Escalation, escalate
from judgekit.calibration.estimate import Estimate, NotEstimableError
from judgekit.calibration.fitting import fit
from judgekit.calibration.maps import Curve, Linear, Logistic, Ordinal, Reward, from_dict, reward_map
from judgekit.calibration.pairs import Bin, PairedTest, PairEvaluation, Part, evaluate, paired
from judgekit.calibration.panel import Panel, effective_judges, error_correlation, fit_panel, judge_worth
from judgekit.calibration.signflip import sign_flip
from judgekit.calibration.slices import by_length, by_value, longer, word_count

__all__ = [
    "AltTest",
    "Annotator",
    "Bin",
    "BinaryRates",
    "Bootstrap",
    "Candidate",
    "Choice",
    "Conformal",
    "CorrelationDifference",
    "Curve",
    "DawidSkene",
    "Disattenuated",
    "Escalation",
    "Estimate",
    "LeaveOneOut",
    "Linear",
    "Logistic",
    "NotEstimableError",
    "Ordinal",
    "PairEvaluation",
    "PairedTest",
    "Panel",
    "Part",
    "Reward",
    "alt_test",
    "binary_rates",
    "by_length",
    "by_value",
    "choose",
    "compare_correlations",
    "conformal",
    "correlation",
    "dawid_skene",
    "disattenuated",
    "effective_judges",
    "error_correlation",
    "escalate",
    "evaluate",
    "fit",
    "fit_panel",
    "from_dict",
    "judge_worth",
    "krippendorff_alpha",
    "leave_one_out",
    "longer",
    "paired",
    "reward_map",
    "sign_flip",
    "split_conformal",
    "split_half",
    "word_count",
]
