"""Reports that open anywhere: one HTML file each, with their plots."""

from judgekit.report.named import forest, heat_map
from judgekit.report.page import Answered, Page
from judgekit.report.plots import bland_altman, coverage, histogram_pair, reliability, steps

__all__ = [
    "Answered",
    "Page",
    "bland_altman",
    "coverage",
    "forest",
    "heat_map",
    "histogram_pair",
    "reliability",
    "steps",
]
