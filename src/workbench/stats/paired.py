"""Paired comparisons of two arms on the same examples."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from workbench.stats.bounds import clustered_standard_error, standardised, t_half_width
from workbench.stats.results import Difference
from workbench.stats.validation import (
    as_groups,
    as_values,
    check_confidence_level,
    check_count,
    check_same_length,
)

__all__ = ["McNemar", "mcnemar", "paired_difference"]


class McNemar(NamedTuple):
    """McNemar's test of two arms that are right or wrong on the same examples.

    Attributes
    ----------
    b
        Examples only the first arm got right.
    c
        Examples only the second arm got right.
    pvalue
        Two-sided p-value.
    method
        "mcnemar exact" or "mcnemar mid-p".

    Examples
    --------
    >>> McNemar(1, 11, 0.006, "mcnemar exact").b
    1
    """

    b: int
    c: int
    pvalue: float
    method: str


def paired_difference(
    a: ArrayLike,
    b: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    confidence_level: float = 0.95,
) -> Difference:
    """Return the mean difference a − b on the same examples, with its t interval and test.

    Parameters
    ----------
    a, b
        A figure per example and arm (1 for right, a loss, a cost), shape (n,).
    groups
        Group of each pair, shape (n,): the standard error is then cluster-robust (CR1) and t
        has G − 1 degrees of freedom.
    confidence_level
        Nominal coverage.

    Returns
    -------
    Difference
        In the unit of `a`; `statistic` is t. Equal arms give difference 0, t 0 and p-value 1.
        A constant difference other than 0 has no spread: t is infinite and the p-value 0. A
        single pair or group says nothing about spread: the bounds are infinite, standard
        error, t and p-value NaN.

    Raises
    ------
    ValueError
        If an input has the wrong shape, is empty, missing or not finite, or
        `confidence_level` is not in (0, 1).

    References
    ----------
    Student (1908), Biometrika 6:1-25; clustered: Miller (2024), "Adding Error Bars to
    Evals", arXiv:2411.00640, and see `mean_standard_error`.

    Examples
    --------
    >>> result = paired_difference([1, 1, 0, 1, 1, 1], [0, 1, 0, 1, 0, 0])
    >>> result.difference, round(result.ci_lower, 3), round(result.pvalue, 3)
    (0.5, -0.075, 0.076)
    """
    first, second = as_values(a, "a"), as_values(b, "b")
    n = check_same_length(a=first, b=second)
    level = check_confidence_level(confidence_level)
    coded = None if groups is None else as_groups(groups, n)
    values = first - second
    difference = float(np.mean(values))
    error = clustered_standard_error(values, coded)
    n_groups = None if coded is None else coded[1]
    df = (n_groups or n) - 1
    half = t_half_width(error, df, level)
    t = standardised(difference, error)
    return Difference(
        difference=difference,
        ci_lower=difference - half,
        ci_upper=difference + half,
        standard_error=error,
        statistic=t,
        pvalue=math.nan if math.isnan(t) else 2.0 * float(special.stdtr(df, -abs(t))),
        n=n,
        n_groups=n_groups,
        confidence_level=level,
        method="paired t" if groups is None else "paired t, cluster-robust CR1",
    )


def mcnemar(b: int, c: int, *, exact: bool = True) -> McNemar:
    """Test whether two arms are right equally often, from the examples they disagree on.

    Parameters
    ----------
    b
        Examples only the first arm got right.
    c
        Examples only the second arm got right.
    exact
        Whether to give the exact conditional p-value, which errs less often than it says. The
        mid-p value (False) comes closer to its level; given very few disagreements it can
        exceed it (at 5 %, 7 % of the time when there are 8).

    Returns
    -------
    McNemar
        With p-value 1 when the arms never disagree.

    Raises
    ------
    ValueError
        If a count is not a whole number ≥ 0.

    References
    ----------
    McNemar (1947), Psychometrika 12:153-157; mid-p: Fagerland, Lydersen & Laake (2013), BMC
    Medical Research Methodology 13:91.

    Examples
    --------
    >>> round(mcnemar(1, 11).pvalue, 6), round(mcnemar(1, 11, exact=False).pvalue, 6)
    (0.006348, 0.003418)
    """
    b, c = check_count(b, "b", minimum=0), check_count(c, "c", minimum=0)
    method = "mcnemar exact" if exact else "mcnemar mid-p"
    n, fewer = b + c, min(b, c)
    if n == 0:
        return McNemar(b, c, 1.0, method)
    tail = float(special.bdtr(fewer, n, 0.5))
    pvalue = min(1.0, 2.0 * tail)
    if not exact:
        point = tail - (float(special.bdtr(fewer - 1, n, 0.5)) if fewer > 0 else 0.0)
        pvalue = 1.0 - point / 2 if b == c else pvalue - point
    return McNemar(b, c, pvalue, method)
