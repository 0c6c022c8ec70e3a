"""Confidence intervals for means, proportions and quantiles, and what a result looks like.

Where data cannot bound a figure on one side, the bound is infinite. An infinite bound
never satisfies a rule about that bound, which is what a reader would conclude too.
"""

import math
from bisect import bisect_left, bisect_right

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from workbench.stats.bounds import (
    clustered_standard_error,
    drop_undefined,
    normal_quantile,
    percentile_bounds,
    t_half_width,
    wilson_bounds,
)
from workbench.stats.results import Difference, Estimate
from workbench.stats.validation import as_groups, as_values, check_confidence_level, check_count

__all__ = [
    "Difference",
    "Estimate",
    "mean_interval",
    "mean_standard_error",
    "percentile_interval",
    "proportion_interval",
    "quantile_interval",
]


def mean_standard_error(
    values: ArrayLike, *, groups: ArrayLike | None = None, small_sample: bool = True
) -> float:
    """Return the standard error of a mean, robust to clusters when groups are given.

    sqrt(c · Σ_g (Σ_{i in g} (x_i − x̄))²) / n with c = G / (G − 1), called CR1, or c = 1,
    called CR0. Without groups every value is a group of its own and the formula is the
    familiar s / √n.

    Parameters
    ----------
    values
        Numbers, shape (n,).
    groups
        Group of each value, shape (n,): values of one group may depend on each other.
    small_sample
        Whether to apply the factor G / (G − 1).

    Returns
    -------
    float
        The standard error; NaN when there is a single group (or value) and `small_sample`.

    Raises
    ------
    ValueError
        If an input has the wrong shape, is empty, missing or not finite.

    References
    ----------
    Liang & Zeger (1986), Biometrika 73:13-22; for evaluations, as CR0: Miller (2024), "Adding
    Error Bars to Evals", arXiv:2411.00640.

    Examples
    --------
    >>> round(mean_standard_error(range(20), groups=[i % 4 for i in range(20)]), 4)
    0.6455
    """
    array = as_values(values)
    codes = None if groups is None else as_groups(groups, array.size)
    return clustered_standard_error(array, codes, small_sample=small_sample)


def mean_interval(
    values: ArrayLike, *, groups: ArrayLike | None = None, confidence_level: float = 0.95
) -> Estimate:
    """Return a mean with its t interval, robust to clusters when groups are given.

    With groups, the standard error is CR1 (see `mean_standard_error`) and t has G − 1
    degrees of freedom. Below about 20 groups of very unequal size the interval is somewhat
    too short. For shares near 0 or 1 without groups, prefer `proportion_interval`.

    Parameters
    ----------
    values
        Numbers, shape (n,).
    groups
        Group of each value, shape (n,).
    confidence_level
        Nominal coverage.

    Returns
    -------
    Estimate
        In the unit of `values`. A single value or a single group says nothing about spread:
        the bounds are then infinite and the standard error NaN.

    Raises
    ------
    ValueError
        If an input has the wrong shape, is empty, missing or not finite, or
        `confidence_level` is not in (0, 1).

    Examples
    --------
    >>> result = mean_interval([1.0, 2.0, 3.0, 4.0])
    >>> round(result.estimate, 3), round(result.ci_lower, 3), round(result.ci_upper, 3)
    (2.5, 0.446, 4.554)
    """
    array = as_values(values)
    level = check_confidence_level(confidence_level)
    coded = None if groups is None else as_groups(groups, array.size)
    mean = float(array.mean())
    error = clustered_standard_error(array, coded)
    n_groups = None if coded is None else coded[1]
    half = t_half_width(error, (n_groups or array.size) - 1, level)
    method = "t" if groups is None else "t, cluster-robust CR1"
    return Estimate(mean, mean - half, mean + half, error, array.size, n_groups, level, method)


def proportion_interval(successes: int, n: int, *, confidence_level: float = 0.95) -> Estimate:
    """Return a proportion with its Wilson score interval.

    Parameters
    ----------
    successes
        How many of the `n` independent trials succeeded.
    n
        Number of trials, ≥ 1.
    confidence_level
        Nominal coverage.

    Returns
    -------
    Estimate
        In [0, 1]. The standard error is the plug-in √(p(1 − p)/n), which is 0 at 0 and 1;
        the interval does not use it.

    Raises
    ------
    ValueError
        If the counts are not whole numbers with 0 ≤ successes ≤ n and n ≥ 1, or
        `confidence_level` is not in (0, 1).

    References
    ----------
    See `wilson_bounds`.

    Examples
    --------
    >>> result = proportion_interval(81, 263)
    >>> round(result.ci_lower, 4), round(result.ci_upper, 4)
    (0.2553, 0.3662)
    """
    n = check_count(n, "n")
    successes = check_count(successes, "successes", minimum=0)
    level = check_confidence_level(confidence_level)
    if successes > n:
        raise ValueError(f"successes is {successes} of n = {n}; expected at most n")
    lower, upper = wilson_bounds(np.array(float(successes)), np.array(float(n)), level)
    share = successes / n
    error = math.sqrt(share * (1 - share) / n)
    return Estimate(share, float(lower), float(upper), error, n, None, level, "wilson")


def quantile_interval(values: ArrayLike, q: float, *, confidence_level: float = 0.95) -> Estimate:
    """Return a sample quantile with a distribution-free interval.

    The bounds are order statistics x_(l) and x_(u) with the largest l and smallest u such
    that each side is missed with probability at most (1 − level)/2 whatever the
    distribution; coverage is therefore at least nominal. Values must be independent.

    Parameters
    ----------
    values
        Numbers, shape (n,).
    q
        Which quantile, in (0, 1): 0.5 is the median.
    confidence_level
        Nominal coverage.

    Returns
    -------
    Estimate
        In the unit of `values`. Where no order statistic is extreme enough, the bound is
        infinite: the 99th percentile of 50 values has no upper bound (ci_upper is inf). The
        standard error is the interval's length over 2z, NaN when a bound is infinite.

    Raises
    ------
    ValueError
        If `values` has the wrong shape, is empty or not finite, or `q` or
        `confidence_level` is not in (0, 1).

    References
    ----------
    David & Nagaraja (2003), Order Statistics, section 7.1. The estimate interpolates as
    Hyndman & Fan (1996), type 7, like numpy.

    Examples
    --------
    >>> result = quantile_interval(range(1, 101), 0.5)
    >>> result.estimate, result.ci_lower, result.ci_upper
    (50.5, 40.0, 61.0)
    >>> quantile_interval(range(50), 0.99).ci_upper
    inf
    """
    array = np.sort(as_values(values))
    q = check_confidence_level(q, "q")
    level = check_confidence_level(confidence_level)
    n = array.size
    tail = (1 - level) / 2
    # P(fewer than l values lie below the quantile) ≤ tail, and likewise P(at least u) ≤ tail.
    low = bisect_right(range(n + 1), tail, key=lambda k: float(special.bdtr(k, n, q)))
    high = 1 + bisect_left(range(n + 1), -tail, key=lambda k: -float(special.bdtrc(k, n, q)))
    lower = float(array[low - 1]) if low >= 1 else -math.inf
    upper = float(array[high - 1]) if high <= n else math.inf
    width = upper - lower
    error = width / (2 * normal_quantile(level)) if math.isfinite(width) else math.nan
    estimate = float(np.quantile(array, q))
    return Estimate(estimate, lower, upper, error, n, None, level, "order statistics")


def percentile_interval(
    estimate: float,
    replicates: ArrayLike,
    *,
    n: int,
    n_groups: int | None = None,
    confidence_level: float = 0.95,
    method: str = "bootstrap",
) -> Estimate:
    """Return an estimate with the percentile interval of its bootstrap replicates.

    Parameters
    ----------
    estimate
        The figure on the data themselves.
    replicates
        The figure on each resample, shape (B,). NaN, where a resample leaves the figure
        undefined, is dropped, counted in `method`, and refused above 5 %.
    n
        Number of examples behind the figure.
    n_groups
        Number of groups that were resampled, None for single examples.
    confidence_level
        Nominal coverage.
    method
        How the replicates were made.

    Returns
    -------
    Estimate
        In the unit of the figure; the standard error is that of the replicates.

    Raises
    ------
    ValueError
        If `estimate` is not finite, more than 5 % of the replicates are undefined, there are
        too few for the level, or `confidence_level` is not in (0, 1).

    References
    ----------
    See `percentile_bounds`.

    Examples
    --------
    >>> result = percentile_interval(500.0, range(1, 1000), n=80)
    >>> result.ci_lower, result.ci_upper
    (25.0, 975.0)
    """
    level = check_confidence_level(confidence_level)
    if not math.isfinite(estimate):
        raise ValueError(f"the estimate is {estimate}; expected a figure defined on the data")
    defined, note = drop_undefined(np.asarray(replicates, dtype=np.float64))
    lower, upper = percentile_bounds(defined, level)
    error = float(np.std(defined, ddof=1))
    return Estimate(float(estimate), lower, upper, error, n, n_groups, level, method + note)
