"""The public names are pinned: adding or losing one is a decision, not an accident."""

from __future__ import annotations

import judgekit

NAMES = """
ClassifierJudge ComparativeJudge Comparison ConfigError Criterion GenRMJudge InputError JournalError Judge JudgekitError
Message MissingExtraError ModelError Pair PairwiseJudge PanelJudge PointwiseJudge Preference Rubric RubricError
RubricJudge Sample Score Usage
""".split()


def test_public_names() -> None:
    assert sorted(judgekit.__all__) == sorted(NAMES)


def test_every_public_name_is_there() -> None:
    for name in NAMES:
        assert getattr(judgekit, name).__doc__, name


def test_an_unknown_name_is_an_attribute_error() -> None:
    assert not hasattr(judgekit, "Grader")
