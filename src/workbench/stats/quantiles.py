"""Quantiles of two arms compared, units independent or in clusters."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from workbench.stats.bounds import clustered_standard_error
from workbench.stats.effects import Effect, effect_of
from workbench.stats.power import Alternative
from workbench.stats.results import Estimate
from workbench.stats.validation import as_groups, as_values, check_confidence_level

__all__ = ["clustered_quantile_interval", "compare_quantiles"]


def compare_quantiles(
    control: ArrayLike,
    treatment: ArrayLike,
    q: float,
    *,
    control_groups: ArrayLike | None = None,
    treatment_groups: ArrayLike | None = None,
    alternative: Alternative = "two-sided",
    confidence_level: float = 0.95,
) -> Effect:
    """Compare a quantile of two arms.

    Parameters
    ----------
    control, treatment
        Values of each arm, shapes (n,) and (m,).
    q
        Which quantile, in (0, 1).
    control_groups, treatment_groups
        Cluster of each value, when values of one unit (page loads of a session, calls of an
        agent) depend on each other; both or neither.
    alternative
        Which departure the test looks for.
    confidence_level
        Nominal coverage.

    Returns
    -------
    Effect
        The standard error of each arm is the distance between its quantiles at q ± z times the
        standard error of a share, over 2z.
        Where an arm has too few values for an interval (the 99th percentile of 50), the bounds
        are infinite, the p-value is NaN and `method` says so.

    Raises
    ------
    ValueError
        If an input has the wrong shape, is empty or not finite, only one arm has groups, or q
        or the level is not in (0, 1).

    References
    ----------
    McKean & Schrader (1984), Communications in Statistics B 13:751-773; with clusters, Deng,
    Knoblich & Lu (2018), KDD, arXiv:1803.06336, section 4: the share below the quantile varies
    between clusters.

    Examples
    --------
    >>> found = compare_quantiles(range(200), range(20, 220), 0.5)
    >>> found.difference, round(found.ci_lower, 1), round(found.ci_upper, 1)
    (20.0, 0.3, 39.7)
    >>> compare_quantiles(range(50), range(50), 0.99).method
    'order statistics, normal: too few values for the quantile 0.99'
    """
    if (control_groups is None) != (treatment_groups is None):
        raise ValueError("groups are given for one arm only; expected both or neither")
    level = check_confidence_level(confidence_level)
    c = _arm(control, q, control_groups, level)
    t = _arm(treatment, q, treatment_groups, level)
    enough = not math.isnan(c.error + t.error)
    var_c, var_t = c.error**2, t.error**2
    return effect_of(
        t.value - c.value,
        var_c + var_t,
        math.inf,
        control=c.value,
        treatment=t.value,
        control_variance=var_c if enough else math.inf,
        control_covariance=-var_c,
        n=(c.n, t.n),
        method="order statistics, normal" + ("" if enough else f": too few values for the "
               f"quantile {q:g}"),
        n_groups=None if c.n_groups is None or t.n_groups is None else c.n_groups + t.n_groups,
        alternative=alternative,
        confidence_level=level,
    )  # fmt: skip


class _Arm(NamedTuple):
    value: float
    error: float
    n: int
    n_groups: int | None


def _arm(values: ArrayLike, q: float, groups: ArrayLike | None, level: float) -> _Arm:
    """Quantile of an arm with its standard error, NaN where there are too few values."""
    array = as_values(values)
    n, q = array.size, check_confidence_level(q, "q")
    value = float(np.quantile(array, q))
    coded = None if groups is None else as_groups(groups, n)
    if coded is None:
        share_error = math.sqrt(q * (1 - q) / n)
    else:
        share_error = clustered_standard_error((array <= value).astype(np.float64), coded)
    n_groups = None if coded is None else coded[1]
    z = float(special.ndtri((1 + level) / 2))
    low, high = q - z * share_error, q + z * share_error
    if not (low * n >= 1 and high * n <= n - 1):
        return _Arm(value, math.nan, n, n_groups)
    ends = np.quantile(array, [low, high], method="weibull")
    return _Arm(value, float(ends[1] - ends[0]) / (2 * z), n, n_groups)


def clustered_quantile_interval(
    values: ArrayLike, q: float, groups: ArrayLike, *, confidence_level: float = 0.95
) -> Estimate:
    """Return a quantile with an interval robust to clusters.

    Parameters
    ----------
    values
        Numbers, shape (n,).
    q
        Which quantile, in (0, 1).
    groups
        Cluster of each value, shape (n,).
    confidence_level
        Nominal coverage.

    Returns
    -------
    Estimate
        The bounds are the order statistics at q ± z times the cluster-robust standard error
        of the share of values at or below the quantile; infinite where they would lie outside
        the data or there is a single cluster.

    Raises
    ------
    ValueError
        If an input has the wrong shape, is empty, missing or not finite, or q or the level is
        not in (0, 1).

    References
    ----------
    Deng, Knoblich & Lu (2018), KDD, arXiv:1803.06336, section 4.

    Examples
    --------
    >>> found = clustered_quantile_interval(range(100), 0.5, [i // 5 for i in range(100)])
    >>> found.n_groups, found.ci_lower < 49.5 < found.ci_upper
    (20, True)
    """
    array = as_values(values)
    codes = as_groups(groups, array.size)
    q = check_confidence_level(q, "q")
    level = check_confidence_level(confidence_level)
    n, ordered = array.size, np.sort(array)
    estimate = float(np.quantile(ordered, q))
    error = clustered_standard_error((array <= estimate).astype(np.float64), codes)
    z = float(special.ndtri((1 + level) / 2))
    lower = _at(ordered, (q - z * error) * n, -math.inf) if not math.isnan(error) else -math.inf
    upper = _at(ordered, (q + z * error) * n + 1, math.inf) if not math.isnan(error) else math.inf
    width = upper - lower
    spread = width / (2 * z) if math.isfinite(width) else math.nan
    method = "order statistics, cluster-robust CR1"
    return Estimate(estimate, lower, upper, spread, n, codes[1], level, method)


def _at(ordered: NDArray[np.float64], rank: float, outside: float) -> float:
    """Order statistic of a rank that counts from 1, rounded outwards."""
    at = math.floor(rank) if outside < 0 else math.ceil(rank)
    return float(ordered[at - 1]) if 1 <= at <= ordered.size else outside
