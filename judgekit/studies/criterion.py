"""What a study finds on one criterion."""

from __future__ import annotations

from dataclasses import dataclass

from judgekit.calibration import (
    AltTest,
    BlandAltman,
    Choice,
    Conformal,
    CorrelationDifference,
    Equivalence,
    Estimate,
    Finding,
    LeaveOneOut,
)
from judgekit.studies.doubt import Kept
from judgekit.studies.served import Band, Served
from judgekit.studies.systems import Systems
from judgekit.studies.unknown import Unknown


@dataclass(frozen=True)
class Rival:
    """Another judge beside the one in question, on the items that both have scored.

    Attributes:
        correlation: its Spearman's rho within groups, or over items where no item shares its group.
        test: the paired test of the judge against it; ``q``: its p after Benjamini & Hochberg, over all of them.
    """

    name: str
    correlation: Estimate | Unknown
    test: CorrelationDifference | Unknown
    q: float | None = None


@dataclass(frozen=True)
class Criterion:
    """One criterion.

    Attributes:
        grouped: whether items share groups; else an item is its own.
        items: with a score of the judge and of a person; ``unscored``: share of rated items without one of the judge.
        people: Krippendorff's alpha among the raters; ``ac``: Gwet's (AC1 of a nominal scale, else AC2); ``icc``: ICC2,
            of one rater; ``reliability``: of their mean, from split halves.
        item, within_group, system: Spearman's rho of the judge with the mean rating.
        kendall: tau-b, within groups where ``grouped``, else over items; ``pairwise``: the share of pairs of items, of
            one group where ``grouped``, that the judge orders as the mean rating does, ties calibrated (acc_eq).
        alpha: Krippendorff's alpha of the judge with the mean rating, at the interval level.
        concordance: Lin's, of the same two.
        ceiling: people and the judge against the same references, at the level of ``within_group`` where ``grouped``.
        alternative: the alt-test; ``constant``: that of no judge, but one score for every item: the mean rating, or of
            the two steps of the scale beside it the better one. Where raters are noisy a score in the middle is often
            nearer to the others than a rater is.
        limits: Bland and Altman's, judge less people, before any map.
        before, after: mean absolute error on the human scale, of the score as it is and of the map on held-out groups.
        choice: the map; ``band``: where its refits run; ``interval``: for the human score of one item; ``served``: what
            the mapped scores are worth.
        level: whether the mean score, as it is, is that of people.
        length: whether the length of the text moves the judge and not the people.
        retest: the reliability of one judgment, where the judge has scored items several times; ``flips``: how often
            two judgments of one item differ.
        escalation: what is kept of the judge where its least sure items go to people.
        systems: what wrote the items, by people and by the judge.
    """

    name: str
    grouped: bool
    items: int
    unscored: Estimate | Unknown
    people: Estimate | Unknown
    ac: Estimate | Unknown
    icc: Estimate | Unknown
    reliability: Estimate | Unknown
    item: Estimate | Unknown
    within_group: Estimate | Unknown
    system: Estimate | Unknown
    kendall: Estimate | Unknown
    pairwise: Estimate | Unknown
    alpha: Estimate | Unknown
    concordance: Estimate | Unknown
    ceiling: LeaveOneOut | Unknown
    alternative: AltTest | Unknown
    constant: AltTest | Unknown
    limits: BlandAltman | Unknown
    before: Estimate | Unknown
    after: Estimate | Unknown
    choice: Choice | Unknown
    band: Band | Unknown
    interval: Conformal | Unknown
    served: Served | Unknown
    level: Equivalence | Unknown
    length: Finding | Unknown
    retest: Estimate | Unknown
    flips: Estimate | Unknown
    escalation: Kept | Unknown
    systems: Systems | Unknown
    rivals: tuple[Rival, ...]
