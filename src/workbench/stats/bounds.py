"""The formulas behind the intervals, on inputs that have been checked."""

import math

import numpy as np
from numpy.typing import NDArray
from scipy import special

__all__ = [
    "MAX_UNDEFINED_SHARE",
    "clustered_standard_error",
    "drop_undefined",
    "normal_quantile",
    "percentile_bounds",
    "standardised",
    "t_half_width",
    "wilson_bounds",
]

MAX_UNDEFINED_SHARE = 0.05
"""Share of bootstrap replicates that may be NaN before an interval is refused."""


def clustered_standard_error(
    values: NDArray[np.float64],
    groups: tuple[NDArray[np.intp], int] | None,
    *,
    small_sample: bool = True,
) -> float:
    """Return the standard error of a mean of checked values.

    Parameters
    ----------
    values
        Finite numbers, shape (n,).
    groups
        Group codes, shape (n,), and the number of groups; None for independent values.
    small_sample
        Whether to apply the factor G / (G − 1).

    Returns
    -------
    float
        The standard error; NaN when there is a single group and `small_sample`.

    Examples
    --------
    >>> round(clustered_standard_error(np.arange(4.0), None), 4)
    0.6455
    """
    residuals = values - values.mean()
    n_groups = values.size
    if groups is not None:
        codes, n_groups = groups
        residuals = np.bincount(codes, weights=residuals, minlength=n_groups)
    if small_sample and n_groups == 1:
        return math.nan
    factor = n_groups / (n_groups - 1) if small_sample else 1.0
    return math.sqrt(factor * float(residuals @ residuals)) / values.size


def standardised(difference: float, standard_error: float) -> float:
    """Return a difference in standard errors, without a warning where there are none.

    Parameters
    ----------
    difference
        The difference.
    standard_error
        Its standard error, ≥ 0 or NaN.

    Returns
    -------
    float
        0 for 0/0, infinite for a difference without error, NaN for an unknown error.

    Examples
    --------
    >>> standardised(0.2, 0.1), standardised(0.0, 0.0), standardised(-1.0, 0.0)
    (2.0, 0.0, -inf)
    """
    if difference == 0.0 and standard_error == 0.0:
        return 0.0
    if standard_error == 0.0:
        return math.copysign(math.inf, difference)
    return difference / standard_error


def t_half_width(standard_error: float, df: int, confidence_level: float) -> float:
    """Return the half-width of a t interval, infinite without degrees of freedom.

    Parameters
    ----------
    standard_error
        Standard error of the estimate; unused when `df` is 0.
    df
        Degrees of freedom.
    confidence_level
        Nominal coverage, already checked.

    Returns
    -------
    float
        Half the length of the interval.

    Examples
    --------
    >>> round(t_half_width(1.0, 9, 0.95), 3)
    2.262
    """
    if df < 1:
        return math.inf
    return float(special.stdtrit(df, (1 + confidence_level) / 2)) * standard_error


def normal_quantile(confidence_level: float) -> float:
    """Return how many standard errors a two-sided normal interval reaches to each side.

    Parameters
    ----------
    confidence_level
        Nominal coverage, already checked.

    Returns
    -------
    float
        1.96 for 95 %.

    Examples
    --------
    >>> round(normal_quantile(0.95), 3)
    1.96
    """
    return float(special.ndtri((1 + confidence_level) / 2))


def wilson_bounds(
    successes: NDArray[np.float64], n: NDArray[np.float64], confidence_level: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return Wilson score bounds for many proportions at once.

    Parameters
    ----------
    successes
        Successes, 0 ≤ successes ≤ n, any shape.
    n
        Trials, > 0, same shape.
    confidence_level
        Nominal coverage, already checked.

    Returns
    -------
    tuple[NDArray[np.float64], NDArray[np.float64]]
        Lower and upper bounds in [0, 1], same shape.

    References
    ----------
    Wilson (1927), JASA 22:209-212; Newcombe (1998), Statistics in Medicine 17:857-872,
    method 3.

    Examples
    --------
    >>> lower, upper = wilson_bounds(np.array([0.0, 10.0]), np.array([10.0, 10.0]), 0.95)
    >>> lower.round(3).tolist(), upper.round(3).tolist()
    ([0.0, 0.722], [0.278, 1.0])
    """
    z2 = normal_quantile(confidence_level) ** 2
    share = successes / n
    centre = (successes + z2 / 2) / (n + z2)
    half = np.sqrt(z2 * (n * share * (1 - share) + z2 / 4)) / (n + z2)
    # At the ends the bound is exactly 0 or 1; rounding must not leave a rest.
    lower = np.where(successes == 0, 0.0, np.maximum(centre - half, 0.0))
    upper = np.where(successes == n, 1.0, np.minimum(centre + half, 1.0))
    return lower, upper


def percentile_bounds(
    replicates: NDArray[np.float64], confidence_level: float
) -> tuple[float, float]:
    """Return the percentile bounds of bootstrap replicates as order statistics.

    With B replicates and l = ⌊(B + 1)(1 − level)/2⌋ the bounds are the l-th smallest and
    the l-th largest. So the interval excludes 0 exactly when the p-value of
    `bootstrap_difference` is at most 1 − level.

    Parameters
    ----------
    replicates
        Finite replicates, shape (B,).
    confidence_level
        Nominal coverage, already checked.

    Returns
    -------
    tuple[float, float]
        Lower and upper bound.

    Raises
    ------
    ValueError
        If there are too few replicates to reach so far into the tails.

    References
    ----------
    Davison & Hinkley (1997), Bootstrap Methods and their Application, chapter 5.

    Examples
    --------
    >>> percentile_bounds(np.arange(1.0, 1000.0), 0.95)
    (25.0, 975.0)
    """
    tail = (1 - confidence_level) / 2
    # The addend undoes the rounding of 1 - 0.9 to just below 0.1.
    rank = math.floor((replicates.size + 1) * tail + 1e-9)
    if rank < 1:
        raise ValueError(
            f"{replicates.size} bootstrap replicates at confidence level {confidence_level};"
            f" expected at least {math.ceil(1 / tail - 1e-9) - 1}"
        )
    ordered = np.partition(replicates, (rank - 1, replicates.size - rank))
    return float(ordered[rank - 1]), float(ordered[replicates.size - rank])


def drop_undefined(replicates: NDArray[np.float64]) -> tuple[NDArray[np.float64], str]:
    """Return the defined replicates and a note on how many were dropped.

    Parameters
    ----------
    replicates
        Replicates, shape (B,), NaN where undefined.

    Returns
    -------
    tuple[NDArray[np.float64], str]
        The finite replicates, and ", k undefined dropped" or "".

    Raises
    ------
    ValueError
        If there are none, or more than `MAX_UNDEFINED_SHARE` of them are not finite.

    Examples
    --------
    >>> drop_undefined(np.array([1.0] * 99 + [np.nan]))[1]
    ', 1 undefined dropped'
    """
    if replicates.ndim != 1 or replicates.size == 0:
        raise ValueError(f"replicates has shape {replicates.shape}; expected (B,) with B ≥ 1")
    defined = replicates[np.isfinite(replicates)]
    dropped = replicates.size - defined.size
    if dropped > MAX_UNDEFINED_SHARE * replicates.size:
        raise ValueError(
            f"{dropped} of {replicates.size} bootstrap replicates are undefined; expected at"
            f" most {MAX_UNDEFINED_SHARE:.0%}: the data are too few or one class too rare"
        )
    return defined, f", {dropped} undefined dropped" if dropped else ""
