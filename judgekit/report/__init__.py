"""Reports that open anywhere: one HTML file each."""

from judgekit.report.page import Page

__all__ = ["Page"]
