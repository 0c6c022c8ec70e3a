"""The winner's curse: an effect that is reported because it was significant is too large."""

import math
from collections.abc import Callable
from typing import NamedTuple

from scipy import optimize, special

from workbench.stats.validation import check_confidence_level

__all__ = ["SelectionCorrected", "selection_corrected"]

# A bound this many standard errors away is as good as none.
_FAR = 60.0


class SelectionCorrected(NamedTuple):
    """An effect corrected for having passed a significance test.

    Attributes
    ----------
    estimate
        Conditional maximum-likelihood estimate.
    ci_lower, ci_upper
        Bounds that hold among the effects that pass the test.
    shrinkage
        Corrected over reported estimate; 1 where nothing was selected.
    confidence_level
        Nominal coverage.
    """

    estimate: float
    ci_lower: float
    ci_upper: float
    shrinkage: float
    confidence_level: float


def selection_corrected(
    estimate: float,
    standard_error: float,
    critical: float,
    *,
    confidence_level: float = 0.95,
) -> SelectionCorrected:
    """Correct an effect for being reported only because its z passed a threshold.

    Parameters
    ----------
    estimate, standard_error
        The effect as measured, its error > 0; taken as normal.
    critical
        |z| from which on an effect counts as found, ≥ 0: 1.96 for a plain test at 5 %.
    confidence_level
        Nominal coverage.

    Returns
    -------
    SelectionCorrected
        The plain estimate and interval where |z| is below `critical`: nothing was selected.

    Raises
    ------
    ValueError
        If the error is not a finite number > 0, the estimate is not finite, `critical` is
        negative, or the level is not in (0, 1).

    References
    ----------
    Zhong & Prentice (2008), Biostatistics 9:621-634: conditional likelihood given |z| > c, and
    the interval that inverts the conditional distribution.

    Examples
    --------
    >>> found = selection_corrected(2.2, 1.0, 1.96)
    >>> round(found.estimate, 2), round(found.ci_lower, 2), round(found.ci_upper, 2)
    (0.64, -0.62, 3.74)
    """
    level = check_confidence_level(confidence_level)
    if not (0 < standard_error < math.inf and math.isfinite(estimate)):
        raise ValueError(
            f"the estimate is {estimate!r} ± {standard_error!r}; expected finite numbers, the"
            " error > 0"
        )
    if not 0 <= critical < math.inf:
        raise ValueError(f"critical is {critical!r}; expected a finite number ≥ 0")
    z = abs(estimate) / standard_error
    tail = (1 - level) / 2
    if z < critical or critical == 0:
        half = -float(special.ndtri(tail)) * standard_error
        return SelectionCorrected(estimate, estimate - half, estimate + half, 1.0, level)

    def excess(mean: float) -> float:
        return mean + _pull(mean, critical) - z

    def beyond(mean: float, share: float) -> float:
        return _log_survival(z, mean, critical) - math.log(share)

    # The mean of the conditional distribution rises with the true one, from 0 at 0.
    centre = float(optimize.brentq(excess, 0.0, z)) if excess(0.0) < 0 else 0.0
    low = _crossing(lambda mean: beyond(mean, tail), z)
    high = _crossing(lambda mean: beyond(mean, 1 - tail), z)
    sign = math.copysign(standard_error, estimate)
    ends = sorted((sign * low, sign * high))
    return SelectionCorrected(sign * centre, ends[0], ends[1], centre / z, level)


def _passing(mean: float, critical: float) -> float:
    """Log probability of passing the test."""
    up, down = special.log_ndtr(mean - critical), special.log_ndtr(-mean - critical)
    return float(max(up, down) + math.log1p(math.exp(-abs(up - down))))


def _pull(mean: float, critical: float) -> float:
    """How far selection moves the expected z away from its true mean."""
    norm = _passing(mean, critical) + 0.5 * math.log(2 * math.pi)
    up = math.exp(-0.5 * (critical - mean) ** 2 - norm)
    down = math.exp(-0.5 * (critical + mean) ** 2 - norm)
    return up - down


def _log_survival(z: float, mean: float, critical: float) -> float:
    return float(special.log_ndtr(mean - z)) - _passing(mean, critical)


def _crossing(rising: Callable[[float], float], z: float) -> float:
    """Where a rising function of the true mean crosses 0; infinite where it is too far out."""
    low, high = z - 2.0, z + 2.0
    while rising(low) > 0:
        if z - low > _FAR:
            return -math.inf
        low -= z - low
    while rising(high) < 0:
        high += 2.0
    return float(optimize.brentq(rising, low, high))
