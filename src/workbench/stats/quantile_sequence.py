"""Quantiles of two arms compared so that one may look as often as one likes.

The number of values at or below the true quantile is a sum of coin flips of known chance. A mixture
over what other chance it might be bounds that sum at all times together, and the values at the
ranks it allows bound the quantile: nothing is assumed about how the values are distributed.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from workbench.stats.anytime import mixture_ratio
from workbench.stats.bounds import clustered_standard_error
from workbench.stats.validation import as_groups, as_values, check_confidence_level

__all__ = ["QuantileBounds", "quantile_difference_bounds"]

Vector = NDArray[np.float64]
Ranks = Callable[[float], tuple[int, int]]

_MOST_LOG_E = 700.0
_BISECTIONS = 40


class QuantileBounds(NamedTuple):
    """Difference of a quantile between two arms at one look.

    Attributes
    ----------
    difference, ci_lower, ci_upper
        Treatment minus control, with bounds that hold at all looks together; infinite while
        there are too few values.
    lift_lower, lift_upper
        Bounds of the ratio to the control minus 1; infinite where the control may be 0.
    pvalue
        Of no difference, valid at any look.
    """

    difference: float
    ci_lower: float
    ci_upper: float
    lift_lower: float
    lift_upper: float
    pvalue: float


class _Arm(NamedTuple):
    ordered: Vector
    ranks: Ranks

    def bounds(self, log_error: float) -> tuple[float, float]:
        low, high = self.ranks(log_error)
        n = self.ordered.size
        return (
            float(self.ordered[low - 1]) if low >= 1 else -math.inf,
            float(self.ordered[high - 1]) if high <= n else math.inf,
        )


def quantile_difference_bounds(
    control: ArrayLike,
    treatment: ArrayLike,
    q: float,
    *,
    n_opt: float,
    control_groups: ArrayLike | None = None,
    treatment_groups: ArrayLike | None = None,
    confidence_level: float = 0.95,
) -> QuantileBounds:
    """Bound the difference of a quantile of two arms at all looks together.

    Parameters
    ----------
    control, treatment
        Values of each arm seen so far, shapes (n,) and (m,).
    q
        Which quantile, in (0, 1).
    n_opt
        Values in both arms together at which the bounds are to be tightest, chosen beforehand.
    control_groups, treatment_groups
        Cluster of each value, or None.
    confidence_level
        Nominal coverage of all looks together.

    Returns
    -------
    QuantileBounds

    Raises
    ------
    ValueError
        If an input has the wrong shape, is empty or not finite, only one arm has groups, n_opt is
        not > 0, or q or the level is not in (0, 1).

    Notes
    -----
    Each arm gets half of the error, so that the bounds are wider than those of a difference of
    means, by about √2. Without groups they hold for every sample size and distribution, ties
    included; with groups the share below the quantile is taken as normal with its cluster-robust
    error, which holds for large numbers of clusters.

    References
    ----------
    Howard & Ramdas (2022), "Sequential estimation of quantiles with applications to A/B testing
    and best-arm identification", Bernoulli 28:1704-1728, arXiv:1906.09712, section 3, with the
    beta-binomial mixture of Howard et al. (2021), Annals of Statistics 49:1055-1080.

    Examples
    --------
    >>> found = quantile_difference_bounds(range(500), range(120, 620), 0.5, n_opt=1000)
    >>> found.difference, found.ci_lower, found.ci_upper, round(found.pvalue, 4)
    (120.0, 47.0, 193.0, 0.0)
    """
    if (control_groups is None) != (treatment_groups is None):
        raise ValueError("groups are given for one arm only; expected both or neither")
    level = check_confidence_level(confidence_level)
    q = check_confidence_level(q, "q")
    if not 0 < n_opt < math.inf:
        raise ValueError(f"n_opt is {n_opt!r}; expected a finite number > 0")
    best = n_opt / 2, (1 - level) / 2  # of one arm
    c = _arm(control, q, best, control_groups)
    t = _arm(treatment, q, best, treatment_groups)
    log_error = math.log((1 - level) / 2)
    (c_low, c_high), (t_low, t_high) = c.bounds(log_error), t.bounds(log_error)
    lift = (-math.inf, math.inf)
    if c_low > 0:
        lift = t_low / (c_high if t_low > 0 else c_low) - 1, t_high / c_low - 1
    return QuantileBounds(
        float(np.quantile(t.ordered, q) - np.quantile(c.ordered, q)),
        t_low - c_high,
        t_high - c_low,
        *lift,
        _pvalue(c, t),
    )


def _arm(values: ArrayLike, q: float, best: tuple[float, float], groups: ArrayLike | None) -> _Arm:
    array = as_values(values)
    n = array.size
    ordered = np.sort(array)
    n_best, error = best
    ratio = mixture_ratio(error) / n_best
    if groups is None:
        return _Arm(ordered, _binomial_ranks(n, q, 1 / ratio))
    codes = as_groups(groups, n)
    below = (array <= np.quantile(ordered, q)).astype(np.float64)
    share_error = clustered_standard_error(below, codes)
    r = n * ratio

    def ranks(log_error: float) -> tuple[int, int]:
        if math.isnan(share_error):
            return 0, n + 1
        reach = n * share_error * math.sqrt((1 + 1 / r) * (math.log1p(r) - 2 * log_error))
        return math.floor(n * q - reach), math.ceil(n * q + reach) + 1

    return _Arm(ordered, ranks)


def _binomial_ranks(n: int, q: float, concentration: float) -> Ranks:
    """Ranks whose values bound the quantile: how many of n may be at or below it."""
    a, b = concentration * q, concentration * (1 - q)
    start = float(special.betaln(a, b))
    log_q, log_rest = math.log(q), math.log1p(-q)

    def log_e(k: int) -> float:
        mixed = float(special.betaln(a + k, b + n - k)) - start
        return mixed - k * log_q - (n - k) * log_rest

    middle = min(max(round(n * q), 0), n)

    def ranks(log_error: float) -> tuple[int, int]:
        def last_kept(out: int) -> int:
            """Count farthest from the middle, towards `out`, that is not excluded."""
            if log_e(out) < -log_error:
                return out
            kept = middle
            while abs(out - kept) > 1:
                at = (out + kept) // 2
                kept, out = (at, out) if log_e(at) < -log_error else (kept, at)
            return kept

        return last_kept(0), last_kept(n) + 1

    return ranks


def _pvalue(control: _Arm, treatment: _Arm) -> float:
    """Smallest error, both arms' halves together, at which the bounds still exclude 0."""

    def excluded(log_error: float) -> bool:
        (c_low, c_high), (t_low, t_high) = control.bounds(log_error), treatment.bounds(log_error)
        return t_low > c_high or t_high < c_low

    if not excluded(math.log(0.5)):
        return 1.0
    weak, strong = math.log(0.5), -_MOST_LOG_E
    for _ in range(_BISECTIONS):
        middle = (weak + strong) / 2
        weak, strong = (middle, strong) if excluded(middle) else (weak, middle)
    return min(1.0, 2 * math.exp(weak))
