"""Data files: rows, reading them, and results that survive a kill."""

from judgekit.files.rated import rated_of, rated_row
from judgekit.files.reading import check, read, read_rows
from judgekit.files.results import Results, writable
from judgekit.files.rows import (
    comparison_of,
    digest_of,
    pair_of,
    pair_row,
    preference_row,
    sample_of,
    score_row,
)
from judgekit.files.tables import read_table, write_new
from judgekit.files.verdicts import recorded

__all__ = [
    "Results",
    "check",
    "comparison_of",
    "digest_of",
    "pair_of",
    "pair_row",
    "preference_row",
    "rated_of",
    "rated_row",
    "read",
    "read_rows",
    "read_table",
    "recorded",
    "sample_of",
    "score_row",
    "writable",
    "write_new",
]
