"""Sample size, power and smallest detectable effect of two means, planned for Welch's t.

Ratios, adjusted means and clusters are planned the same way with a standard deviation of their
own (see `means_power`).
"""

import math
from collections.abc import Callable

from scipy import optimize, special

from workbench.stats.effects import check_alternative
from workbench.stats.power import Alternative
from workbench.stats.validation import check_confidence_level

__all__ = ["means_minimum_detectable", "means_power", "means_sample_size"]


def means_power(
    n: float,
    difference: float,
    sd: float,
    *,
    ratio: float = 1.0,
    sd_treatment: float | None = None,
    margin: float = 0.0,
    df: float | None = None,
    alpha: float = 0.05,
    alternative: Alternative = "two-sided",
) -> float:
    """Return the power of a comparison of two means (or ratios, or adjusted means).

    Parameters
    ----------
    n
        Units of the control, ≥ 2.
    difference
        True difference treatment − control; for "less" a negative one.
    sd
        Standard deviation per unit. For a ratio the root of `ratio_variance`; with covariates
        that explain a share R² of the variance, times √(1 − R²); with clusters, times
        the root of `design_effect`.
    ratio
        Units of the treatment per unit of the control.
    sd_treatment
        Standard deviation in the treatment, if it differs.
    margin
        Distance the test gives away: the non-inferiority margin (with alternative "greater", for
        a figure that should be high), 0 for superiority.
    df
        Degrees of freedom of t; by default Welch's for independent units, `math.inf` for the
        normal.
    alpha
        Type I error rate.
    alternative
        Which departure the test looks for. A two-sided test's power counts both tails.

    Returns
    -------
    float
        In [0, 1].

    Raises
    ------
    ValueError
        If a number is out of range or the alternative unknown.

    References
    ----------
    Cohen (1988), Statistical Power Analysis, chapter 2; noncentral t as R's `power.t.test`
    (strict).

    Examples
    --------
    >>> round(means_power(20, 1.0, 1.0), 4)
    0.869
    """
    if not n >= 2:
        raise ValueError(f"n is {n!r}; expected a number ≥ 2")
    first = positive(sd, "sd")
    second = first if sd_treatment is None else positive(sd_treatment, "sd_treatment")
    ratio = positive(ratio, "ratio")
    alpha = check_confidence_level(alpha, "alpha")
    check_alternative(alternative)
    if not 0 <= margin < math.inf:
        raise ValueError(f"margin is {margin!r}; expected a finite number ≥ 0")
    shift = -margin if alternative == "less" else margin
    var_c, var_t = first**2 / n, second**2 / (n * ratio)
    if df is None:
        df_t = max(n * ratio - 1, 1e-9)
        df = (var_c + var_t) ** 2 / (var_c**2 / (n - 1) + var_t**2 / df_t)
    return t_power((difference + shift) / math.sqrt(var_c + var_t), df, alpha, alternative)


def means_sample_size(
    difference: float,
    sd: float,
    *,
    ratio: float = 1.0,
    sd_treatment: float | None = None,
    margin: float = 0.0,
    df: float | None = None,
    alpha: float = 0.05,
    power: float = 0.8,
    alternative: Alternative = "two-sided",
) -> float:
    """Return how many units the control needs for a comparison of two means.

    Parameters
    ----------
    difference, sd, ratio, sd_treatment, margin, df, alpha, alternative
        As `means_power`.
    power
        Wanted.

    Returns
    -------
    float
        Units of the control, not rounded: take the next whole number; the treatment needs
        `ratio` times as many.

    Raises
    ------
    ValueError
        As `means_power`, if power is not above the test's level, or if the true difference
        (margin included) does not lie on the side the test looks for.

    References
    ----------
    See `means_power`.

    Examples
    --------
    >>> round(means_sample_size(1.0, 1.0, power=0.9), 3)
    22.021
    """
    check_reachable(difference, margin, alpha, power, alternative)

    def missing(n: float) -> float:
        return power - means_power(
            n,
            difference,
            sd,
            ratio=ratio,
            sd_treatment=sd_treatment,
            margin=margin,
            df=df,
            alpha=alpha,
            alternative=alternative,
        )

    return first_root(missing, max(2.0, 2.0 / ratio))


def means_minimum_detectable(
    n: float,
    sd: float,
    *,
    ratio: float = 1.0,
    sd_treatment: float | None = None,
    df: float | None = None,
    alpha: float = 0.05,
    power: float = 0.8,
    alternative: Alternative = "two-sided",
) -> float:
    """Return the smallest true difference of two means that is found with this power.

    Parameters
    ----------
    n, sd, ratio, sd_treatment, df, alpha, alternative
        As `means_power`.
    power
        Wanted.

    Returns
    -------
    float
        Size of the difference, > 0.

    Raises
    ------
    ValueError
        As `means_power`, and if power is not above the test's level.

    References
    ----------
    See `means_power`.

    Examples
    --------
    >>> round(means_minimum_detectable(100, 1.0), 4)
    0.3981
    """
    check_reachable(
        1.0, 0.0, alpha, power, "greater" if alternative != "two-sided" else alternative
    )

    def missing(size: float) -> float:
        signed = -size if alternative == "less" else size
        return power - means_power(
            n,
            signed,
            sd,
            ratio=ratio,
            sd_treatment=sd_treatment,
            df=df,
            alpha=alpha,
            alternative=alternative,
        )

    return first_root(missing, 1e-12 * sd)


def t_power(shift: float, df: float, alpha: float, alternative: Alternative) -> float:
    if alternative == "less":
        return t_power(-shift, df, alpha, "greater")
    tail = alpha / 2 if alternative == "two-sided" else alpha
    if math.isinf(df) or df > 1e7:
        reach = -float(special.ndtri(tail))
        near, far = special.ndtr(shift - reach), special.ndtr(-shift - reach)
    else:
        reach = -float(special.stdtrit(df, tail))
        # The noncentral t runs out of its series far from the centre, where the answer is known.
        near, far = (
            (1.0 if s > 0 else 0.0) if abs(s) > 36 else _beyond(df, s, reach)
            for s in (shift, -shift)
        )
    return float(near + (far if alternative == "two-sided" else 0.0))


def _beyond(df: float, shift: float, reach: float) -> float:
    """Chance that a noncentral t exceeds `reach`."""
    below = float(special.nctdtr(df, shift, reach))
    # Its series fails here and there far in a tail, with many degrees of freedom: the normal
    # distribution is close enough there.
    return float(special.ndtr(shift - reach)) if math.isnan(below) else 1.0 - below


def check_reachable(
    difference: float, margin: float, alpha: float, power: float, alternative: Alternative
) -> None:
    check_alternative(alternative)
    power = check_confidence_level(power, "power")
    alpha = check_confidence_level(alpha, "alpha")
    tail = alpha / 2 if alternative == "two-sided" else alpha
    if power <= tail:
        raise ValueError(f"power is {power}; expected more than the test's level {tail}")
    toward = {
        "two-sided": abs(difference),
        "greater": difference + margin,
        "less": margin - difference,
    }[alternative]
    if not (toward > 0 and math.isfinite(toward)):
        raise ValueError(
            f"the difference is {difference!r} (margin {margin!r}); expected one that the test,"
            f" {alternative}, can find"
        )


def first_root(missing: Callable[[float], float], low: float) -> float:
    """Where a falling function crosses 0, from `low` upwards; `low` if it is already below."""
    if missing(low) <= 0:
        return low
    high = 2 * low
    while missing(high) > 0:
        if high > 1e18:
            raise ValueError("no finite size reaches the power; expected a larger difference")
        high *= 2
    return float(optimize.brentq(missing, high / 2, high, xtol=1e-12, rtol=1e-12))


def positive(value: float, name: str) -> float:
    if not 0 < value < math.inf:
        raise ValueError(f"{name} is {value!r}; expected a finite number > 0")
    return float(value)
