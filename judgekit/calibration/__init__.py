"""Statistics that carry their uncertainty. NumPy arrays in, `Estimate` out; `Bootstrap` says how intervals are made."""

from judgekit.calibration.agreement import (
    krippendorff_alpha,
)
from judgekit.calibration.alt_test import (
    AltTest,
    Annotator,
    alt_test,
)
from judgekit.calibration.attenuation import (
    Disattenuated,
    disattenuated,
)
from judgekit.calibration.best_of_n import (
    BestOfN,
    best_of_n_regret,
)
from judgekit.calibration.bias import (
    Audit,
    audit,
)
from judgekit.calibration.binary import (
    BinaryRates,
    binary_rates,
)
from judgekit.calibration.bootstrap import (
    Bootstrap,
)
from judgekit.calibration.bradley_terry import (
    BradleyTerry,
    bradley_terry,
)
from judgekit.calibration.ceilings import (
    LeaveOneOut,
    leave_one_out,
    split_half,
)
from judgekit.calibration.choice import (
    Candidate,
    Choice,
    choose,
)
from judgekit.calibration.comparing import (
    CorrelationDifference,
    compare_correlations,
)
from judgekit.calibration.concordance import (
    BlandAltman,
    bland_altman,
    concordance,
    kendall_w,
)
from judgekit.calibration.conformal import (
    Conformal,
    conformal,
    split_conformal,
)
from judgekit.calibration.corrected import (
    Corrected,
    corrected_mean,
)
from judgekit.calibration.correlation import (
    correlation,
)
from judgekit.calibration.dawid_skene import (
    DawidSkene,
    dawid_skene,
)
from judgekit.calibration.drift import (
    Drift,
)
from judgekit.calibration.elo import (
    Elo,
    elo,
)
from judgekit.calibration.equivalence import (
    Equivalence,
    equivalence_test,
)
from judgekit.calibration.escalate import (
    Escalation,
    escalate,
)
from judgekit.calibration.estimate import (
    Estimate,
    NotEstimableError,
)
from judgekit.calibration.findings import (
    Finding,
    judge_together,
)
from judgekit.calibration.fitting import (
    fit,
)
from judgekit.calibration.icc import (
    icc,
)
from judgekit.calibration.kappa import (
    cohen_kappa,
    fleiss_kappa,
    gwet_ac,
)
from judgekit.calibration.length_controlled import (
    LengthControlled,
    length_controlled_win_rate,
)
from judgekit.calibration.maps import (
    Curve,
    Linear,
    Logistic,
    Ordinal,
    Reward,
    from_dict,
    reward_map,
)
from judgekit.calibration.mcnemar import (
    McNemar,
    mcnemar_test,
)
from judgekit.calibration.multiple import (
    adjust_pvalues,
    stars,
)
from judgekit.calibration.orders import (
    TwoOrders,
    eq_bench,
    polaris,
)
from judgekit.calibration.pairs import (
    Bin,
    PairedTest,
    PairEvaluation,
    Part,
    evaluate,
    paired,
)
from judgekit.calibration.panel import (
    Panel,
    effective_judges,
    error_correlation,
    fit_panel,
    judge_worth,
)
from judgekit.calibration.planning import (
    Plan,
    design_effect,
    detectable_correlation,
    detectable_mean,
    detectable_rate,
    difference_sd,
    labels_for_alpha,
    labels_for_correlation,
    labels_for_mean,
    labels_for_rate,
    rate_difference_sd,
)
from judgekit.calibration.rates import (
    labels_mean,
    ppi_mean,
)
from judgekit.calibration.reliability import (
    Components,
    flip_rate,
    retest_icc,
    variance_components,
)
from judgekit.calibration.rogan_gladen import (
    rogan_gladen,
)
from judgekit.calibration.signflip import (
    SignFlip,
    sign_flip_test,
)
from judgekit.calibration.simulate import (
    Simulated,
    World,
    simulate,
)
from judgekit.calibration.slices import (
    by_length,
    by_value,
    longer,
    word_count,
)
from judgekit.calibration.soft_pairwise import (
    soft_pairwise_accuracy,
)
from judgekit.calibration.standings import (
    Standings,
    standings,
)
from judgekit.calibration.ties import (
    TieCalibration,
    fit_epsilon,
    pairwise_accuracy,
    tie_calibration,
)
from judgekit.calibration.units import (
    Crossed,
)

__all__ = [
    "AltTest",
    "Annotator",
    "Audit",
    "BestOfN",
    "Bin",
    "BinaryRates",
    "BlandAltman",
    "Bootstrap",
    "BradleyTerry",
    "Candidate",
    "Choice",
    "Components",
    "Conformal",
    "Corrected",
    "CorrelationDifference",
    "Crossed",
    "Curve",
    "DawidSkene",
    "Disattenuated",
    "Drift",
    "Elo",
    "Equivalence",
    "Escalation",
    "Estimate",
    "Finding",
    "LeaveOneOut",
    "LengthControlled",
    "Linear",
    "Logistic",
    "McNemar",
    "NotEstimableError",
    "Ordinal",
    "PairEvaluation",
    "PairedTest",
    "Panel",
    "Part",
    "Plan",
    "Reward",
    "SignFlip",
    "Simulated",
    "Standings",
    "TieCalibration",
    "TwoOrders",
    "World",
    "adjust_pvalues",
    "alt_test",
    "audit",
    "best_of_n_regret",
    "binary_rates",
    "bland_altman",
    "bradley_terry",
    "by_length",
    "by_value",
    "choose",
    "cohen_kappa",
    "compare_correlations",
    "concordance",
    "conformal",
    "corrected_mean",
    "correlation",
    "dawid_skene",
    "design_effect",
    "detectable_correlation",
    "detectable_mean",
    "detectable_rate",
    "difference_sd",
    "disattenuated",
    "effective_judges",
    "elo",
    "eq_bench",
    "equivalence_test",
    "error_correlation",
    "escalate",
    "evaluate",
    "fit",
    "fit_epsilon",
    "fit_panel",
    "fleiss_kappa",
    "flip_rate",
    "from_dict",
    "gwet_ac",
    "icc",
    "judge_together",
    "judge_worth",
    "kendall_w",
    "krippendorff_alpha",
    "labels_for_alpha",
    "labels_for_correlation",
    "labels_for_mean",
    "labels_for_rate",
    "labels_mean",
    "leave_one_out",
    "length_controlled_win_rate",
    "longer",
    "mcnemar_test",
    "paired",
    "pairwise_accuracy",
    "polaris",
    "ppi_mean",
    "rate_difference_sd",
    "retest_icc",
    "reward_map",
    "rogan_gladen",
    "sign_flip_test",
    "simulate",
    "soft_pairwise_accuracy",
    "split_conformal",
    "split_half",
    "standings",
    "stars",
    "tie_calibration",
    "variance_components",
    "word_count",
]
