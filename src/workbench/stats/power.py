"""How much data a decision needs."""

import math
from typing import Literal

from scipy import special

from workbench.stats.validation import check_confidence_level, check_count

__all__ = [
    "Alternative",
    "difference_power",
    "minimum_detectable_difference",
    "paired_sample_size",
    "sample_size_to_decide",
]

Alternative = Literal["two-sided", "greater", "less"]
"""Which departures from "no difference" a test looks for."""


def minimum_detectable_difference(
    standard_error: float,
    *,
    alpha: float = 0.05,
    power: float = 0.8,
    alternative: Alternative = "two-sided",
) -> float:
    """Return the true difference that a test with this standard error finds with this power.

    Parameters
    ----------
    standard_error
        Standard error of the difference, ≥ 0.
    alpha
        Type I error rate of the test.
    power
        Probability of finding the difference.
    alternative
        "two-sided" spends alpha on both sides; "greater" and "less" give the same size.

    Returns
    -------
    float
        Size of the difference, ≥ 0, in the unit of `standard_error`.

    Raises
    ------
    ValueError
        If `standard_error` is negative or not finite, `alpha` or `power` is not in (0, 1),
        power is not above the test's level, or `alternative` is unknown.

    References
    ----------
    (z_{1−α/2} + z_{power}) · SE, the far tail of a two-sided test neglected; Bloom (1995),
    Evaluation Review 19:547-556.

    Examples
    --------
    >>> round(minimum_detectable_difference(0.01), 4)
    0.028
    """
    error = _non_negative(standard_error, "standard_error")
    return _multiplier(alpha, power, alternative) * error


def difference_power(
    standard_error: float,
    difference: float,
    *,
    alpha: float = 0.05,
    alternative: Alternative = "two-sided",
) -> float:
    """Return the probability that a test with this standard error finds a true difference.

    Parameters
    ----------
    standard_error
        Standard error of the difference at the planned size, > 0: of a paired comparison
        sd_difference / √n.
    difference
        The true difference, in the same unit.
    alpha
        Type I error rate of the test.
    alternative
        Which departure the test looks for; both tails of a two-sided test count.

    Returns
    -------
    float
        In [0, 1], for a normal statistic.

    Raises
    ------
    ValueError
        If `standard_error` is not a finite number > 0, `difference` not finite, `alpha` not in
        (0, 1), or `alternative` is unknown.

    References
    ----------
    See `minimum_detectable_difference`, which it inverts.

    Examples
    --------
    >>> round(difference_power(0.01, 0.028), 2)
    0.8
    """
    error = _non_negative(standard_error, "standard_error")
    if error == 0 or not math.isfinite(difference):
        raise ValueError(
            f"standard_error is {standard_error!r} and difference {difference!r}; expected a number"
            " > 0 and a number"
        )
    level = check_confidence_level(alpha, "alpha")
    z = difference / error
    if alternative == "two-sided":
        reach = float(special.ndtri(level / 2))
        return float(special.ndtr(reach + z) + special.ndtr(reach - z))
    if alternative not in ("greater", "less"):
        raise ValueError(
            f"alternative is {alternative!r}; expected 'two-sided', 'greater' or 'less'"
        )
    return float(special.ndtr(special.ndtri(level) + (z if alternative == "greater" else -z)))


def paired_sample_size(
    sd_difference: float,
    difference: float,
    *,
    alpha: float = 0.05,
    power: float = 0.8,
    alternative: Alternative = "two-sided",
) -> float:
    """Return how many pairs a paired comparison needs to find a difference.

    Parameters
    ----------
    sd_difference
        Standard deviation of the per-example differences, ≥ 0. When arms answer each example
        several times, that of the means: √(ω² + σ_a²/K_a + σ_b²/K_b).
    difference
        The true difference to find, not 0, in the same unit; its sign does not matter.
    alpha
        Type I error rate of the test.
    power
        Probability of finding the difference.
    alternative
        "two-sided" spends alpha on both sides; "greater" and "less" give the same size.

    Returns
    -------
    float
        Number of pairs, not rounded: take the next whole number.

    Raises
    ------
    ValueError
        If `sd_difference` is negative or not finite, `difference` is 0 or not finite, `alpha`
        or `power` is not in (0, 1), power is not above the test's level, or `alternative` is
        unknown.

    References
    ----------
    Miller (2024), "Adding Error Bars to Evals", arXiv:2411.00640, on power analysis:
    n = (z_{α/2} + z_β)² (ω² + σ_a²/K_a + σ_b²/K_b) / δ².

    Examples
    --------
    >>> round(paired_sample_size(1 / 3, 0.03), 1)
    969.0
    """
    sd = _non_negative(sd_difference, "sd_difference")
    if difference == 0 or not math.isfinite(difference):
        raise ValueError(f"difference is {difference!r}; expected a finite number other than 0")
    root = _multiplier(alpha, power, alternative) * sd / difference
    return root * root


def sample_size_to_decide(n: int, half_width: float, distance: float) -> int | None:
    """Return the n at which an interval would exclude a bound some distance away.

    The estimate is taken to stay where it is and the interval to shrink like 1/√n, so this
    is a forecast for planning, not a promise.

    Parameters
    ----------
    n
        Number of examples now.
    half_width
        Distance from the estimate to the interval's bound on that side now, ≥ 0.
    distance
        Distance from the estimate to the bound to exclude, in the same unit; its sign does
        not matter.

    Returns
    -------
    int | None
        Smallest number of examples whose interval excludes the bound: at most n when today's
        does. None when no number would: the estimate lies on the bound, or the interval is
        unbounded on that side.

    Raises
    ------
    ValueError
        If `n` is not a whole number ≥ 1, `half_width` is negative or NaN, or `distance` is
        not finite.

    Examples
    --------
    >>> sample_size_to_decide(100, half_width=0.04, distance=0.02)
    401
    """
    n = check_count(n, "n")
    if not half_width >= 0:
        raise ValueError(f"half_width is {half_width!r}; expected a number ≥ 0")
    if not math.isfinite(distance):
        raise ValueError(f"distance is {distance!r}; expected a finite number")
    if distance == 0 or math.isinf(half_width):
        return None
    ratio = half_width / distance
    needed = n * (ratio * ratio)
    if math.isinf(needed):
        return None
    # At exactly this size the interval still touches the bound, so one more example.
    return math.floor(needed + 1e-9) + 1


def _multiplier(alpha: float, power: float, alternative: Alternative) -> float:
    """Return (z of the test + z of the power)."""
    alpha = check_confidence_level(alpha, "alpha")
    power = check_confidence_level(power, "power")
    if alternative not in ("two-sided", "greater", "less"):
        raise ValueError(
            f"alternative is {alternative!r}; expected 'two-sided', 'greater' or 'less'"
        )
    tail = alpha / 2 if alternative == "two-sided" else alpha
    if power <= tail:
        raise ValueError(f"power is {power}; expected more than the test's level {tail}")
    return float(special.ndtri(1.0 - tail) + special.ndtri(power))


def _non_negative(value: float, name: str) -> float:
    if not 0 <= value < math.inf:
        raise ValueError(f"{name} is {value!r}; expected a finite number ≥ 0")
    return float(value)
