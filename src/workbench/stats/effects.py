"""What a comparison of two arms comes to, and the one rule that makes it."""

import math
from typing import Any, NamedTuple

from scipy import special

from workbench.stats.bounds import standardised
from workbench.stats.power import Alternative
from workbench.stats.validation import check_confidence_level

__all__ = ["Effect", "effect_of", "tail_pvalue", "welch_df"]


class Effect(NamedTuple):
    """A difference treatment − control with its interval and test, and the lift beside it.

    The test of the absolute difference decides. The lift, difference / |control|, has the sign
    of the difference whatever the sign of the baseline, and its own delta-method interval for
    the reader; it has no p-value, so the two scales cannot contradict each other.

    Attributes
    ----------
    difference
        Figure of the treatment minus figure of the control.
    ci_lower, ci_upper
        Bounds of its confidence interval; infinite where data or a one-sided alternative give
        none.
    standard_error
        Of the difference; NaN where a single unit leaves it unknown.
    statistic
        The difference (less the null difference) in standard errors.
    df
        Degrees of freedom of t; infinite for a normal statistic.
    pvalue
        Of no difference (or of the null difference), for `alternative`.
    alternative
        "two-sided", "greater" or "less".
    control, treatment
        Figure of each arm, after adjustment where there is one.
    lift, lift_ci_lower, lift_ci_upper, lift_standard_error
        Relative difference. Where the baseline is too close to 0 to divide by (within its own
        interval), the bounds are infinite and the standard error NaN; at exactly 0 the lift is
        NaN too.
    n_control, n_treatment
        Units in each arm.
    n_groups
        Clusters behind the uncertainty; None when units are independent.
    confidence_level
        Nominal coverage.
    method
        How it was made.
    """

    difference: float
    ci_lower: float
    ci_upper: float
    standard_error: float
    statistic: float
    df: float
    pvalue: float
    alternative: Alternative
    control: float
    treatment: float
    lift: float
    lift_ci_lower: float
    lift_ci_upper: float
    lift_standard_error: float
    n_control: int
    n_treatment: int
    n_groups: int | None
    confidence_level: float
    method: str

    def as_dict(self) -> dict[str, Any]:
        """Return the fields by name."""
        return self._asdict()


class _Lift(NamedTuple):
    lift: float
    lower: float
    upper: float
    standard_error: float


def effect_of(
    difference: float,
    variance: float,
    df: float,
    *,
    control: float,
    treatment: float,
    control_variance: float,
    control_covariance: float,
    n: tuple[int, int],
    method: str,
    n_groups: int | None = None,
    alternative: Alternative = "two-sided",
    confidence_level: float = 0.95,
) -> Effect:
    """Turn a difference and its variance into an `Effect`: the one rule all comparisons share.

    Parameters
    ----------
    difference, variance
        Treatment minus control and its squared standard error, NaN when unknown.
    df
        Degrees of freedom of t, `math.inf` for the normal.
    control, treatment
        Figure of each arm.
    control_variance, control_covariance
        Variance of the control's figure, and its covariance with the difference.
    n
        Units of control and treatment.
    method
        How it was made.
    n_groups
        Clusters, if any.
    alternative
        Which departure the test looks for; a one-sided one leaves the other bound infinite.
    confidence_level
        Nominal coverage.

    Returns
    -------
    Effect

    Raises
    ------
    ValueError
        If the level is not in (0, 1) or the alternative is unknown.

    References
    ----------
    Delta method for the ratio: Deng, Knoblich & Lu (2018), KDD, arXiv:1803.06336, equation 4.

    Examples
    --------
    >>> found = effect_of(0.5, 0.04, math.inf, control=-2.0, treatment=-1.5,
    ...     control_variance=0.02, control_covariance=-0.02, n=(50, 50), method="by hand")
    >>> found.lift, round(found.pvalue, 4)
    (0.25, 0.0124)
    """
    level = check_confidence_level(confidence_level)
    error = math.sqrt(variance) if variance >= 0 else math.nan
    statistic = standardised(difference, error)
    reach = _quantile(df, level, alternative)
    low, high = _bounds(difference, error, reach, alternative)
    lift = _lift(
        difference, variance, control, control_variance, control_covariance, reach, alternative
    )
    return Effect(
        difference, low, high, error, statistic, df, tail_pvalue(statistic, df, alternative),
        alternative, control, treatment, lift.lift, lift.lower, lift.upper, lift.standard_error,
        n[0], n[1], n_groups, level, method,
    )  # fmt: skip


def tail_pvalue(statistic: float, df: float, alternative: Alternative = "two-sided") -> float:
    """Return the p-value of a t statistic (normal for infinite df), from the far tail.

    Parameters
    ----------
    statistic
        The statistic; NaN gives NaN.
    df
        Degrees of freedom, > 0 or infinite.
    alternative
        "two-sided", "greater" or "less".

    Returns
    -------
    float
        In [0, 1]; tails are computed directly, so tiny p-values do not vanish into 0.

    Raises
    ------
    ValueError
        If the alternative is unknown.

    Examples
    --------
    >>> tail_pvalue(-30.0, math.inf) > 0, round(tail_pvalue(2.0, 10.0, "greater"), 4)
    (True, 0.0367)
    """
    check_alternative(alternative)
    if math.isnan(statistic) or math.isnan(df):
        return math.nan
    if alternative == "two-sided":
        return min(1.0, 2.0 * _lower_tail(-abs(statistic), df))
    return _lower_tail(-statistic if alternative == "greater" else statistic, df)


def welch_df(first: float, df_first: float, second: float, df_second: float) -> float:
    """Return the Welch-Satterthwaite degrees of freedom of a sum of two variances.

    Parameters
    ----------
    first, second
        The two variances of means, ≥ 0.
    df_first, df_second
        Their degrees of freedom.

    Returns
    -------
    float
        The sum of the two when both variances are 0; NaN when a variance is unknown.

    References
    ----------
    Welch (1947), Biometrika 34:28-35; Satterthwaite (1946), Biometrics Bulletin 2:110-114.

    Examples
    --------
    >>> welch_df(1.0, 9, 1.0, 9)
    18.0
    """
    if not (df_first > 0 and df_second > 0):
        return math.nan
    total = first + second
    if total == 0:
        return float(df_first + df_second)
    # Shares, not variances: their squares must not underflow.
    a, b = first / total, second / total
    return 1.0 / (a * a / df_first + b * b / df_second)


def check_alternative(alternative: str) -> None:
    """Refuse an unknown alternative with a `ValueError`."""
    if alternative not in ("two-sided", "greater", "less"):
        raise ValueError(
            f"alternative is {alternative!r}; expected 'two-sided', 'greater' or 'less'"
        )


def _lower_tail(x: float, df: float) -> float:
    if math.isinf(x):
        return 0.0 if x < 0 else 1.0
    return float(special.ndtr(x) if math.isinf(df) else special.stdtr(df, x))


def _quantile(df: float, level: float, alternative: Alternative) -> float:
    if math.isnan(df):
        return math.inf
    tail = (1 + level) / 2 if alternative == "two-sided" else level
    return float(special.ndtri(tail) if math.isinf(df) else special.stdtrit(df, tail))


def _bounds(
    centre: float, error: float, reach: float, alternative: Alternative
) -> tuple[float, float]:
    half = math.inf if math.isnan(error) or math.isinf(reach) else reach * error
    low = -math.inf if alternative == "less" or math.isinf(half) else centre - half
    high = math.inf if alternative == "greater" or math.isinf(half) else centre + half
    return low, high


def _lift(
    difference: float,
    variance: float,
    control: float,
    control_variance: float,
    control_covariance: float,
    reach: float,
    alternative: Alternative,
) -> _Lift:
    if control == 0:
        return _Lift(math.nan, -math.inf, math.inf, math.nan)
    size = abs(control)
    lift = difference / size
    # A baseline within its own interval of 0 has no known sign, and a ratio to it no bounds.
    if not size > reach * math.sqrt(max(control_variance, 0.0)):
        return _Lift(lift, -math.inf, math.inf, math.nan)
    signed = difference / control
    inner = variance - 2 * signed * control_covariance + signed**2 * control_variance
    error = math.sqrt(max(inner, 0.0)) / size if not math.isnan(inner) else math.nan
    return _Lift(lift, *_bounds(lift, error, reach, alternative), error)
