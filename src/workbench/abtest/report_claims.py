"""The conversion rates that are claimed for the five strategies, and what it takes to test them."""

import itertools
import math
from types import MappingProxyType
from typing import NamedTuple

from workbench.stats import proportions_sample_size

__all__ = ["CLAIMED_RATES", "ClaimTest", "claim_tests"]

CLAIMED_RATES = MappingProxyType(
    {
        "assertive": 0.912,
        "empathetic": 0.843,
        "analytical": 0.785,
        "consultative": 0.768,
        "relationship": 0.694,
    }
)
"""Claimed shares of leads that convert, from the highest down; no sample sizes are given."""


class ClaimTest(NamedTuple):
    """What it takes to tell two claimed rates apart.

    Attributes
    ----------
    better, worse
        The strategies, by claim.
    difference
        Claimed difference.
    n_per_arm
        Leads of each of the two arms for a two-sided test at 5 % with power 80 %.
    n_corrected
        The same when all pairs are compared (Bonferroni).
    """

    better: str
    worse: str
    difference: float
    n_per_arm: int
    n_corrected: int


def claim_tests(*, alpha: float = 0.05, power: float = 0.8) -> tuple[ClaimTest, ...]:
    """Say for every pair of strategies how many leads would test its claimed order.

    Parameters
    ----------
    alpha
        Two-sided error rate.
    power
        Wanted if the claim is right.

    Examples
    --------
    >>> found = {(t.better, t.worse): t for t in claim_tests()}
    >>> found["assertive", "empathetic"].n_per_arm, found["analytical", "consultative"].n_corrected
    (354, 15988)
    """
    pairs = list(itertools.combinations(CLAIMED_RATES, 2))
    out = []
    for better, worse in pairs:
        p = CLAIMED_RATES[better], CLAIMED_RATES[worse]
        plain, corrected = (
            math.ceil(proportions_sample_size(p[1], p[0], alpha=level, power=power))
            for level in (alpha, alpha / len(pairs))
        )
        out.append(ClaimTest(better, worse, p[0] - p[1], plain, corrected))
    return tuple(out)
