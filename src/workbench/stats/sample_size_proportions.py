"""Sample size, power and smallest detectable effect of two proportions.

Planned for the pooled z test, or on the arcsine scale.
"""

import math

from scipy import optimize, special

from workbench.stats.effects import check_alternative
from workbench.stats.power import Alternative
from workbench.stats.sample_size import check_reachable, first_root, positive, t_power
from workbench.stats.validation import check_confidence_level

__all__ = [
    "arcsine_effect_size",
    "arcsine_power",
    "proportions_minimum_detectable",
    "proportions_power",
    "proportions_sample_size",
]


def proportions_power(
    n: float,
    p_control: float,
    p_treatment: float,
    *,
    ratio: float = 1.0,
    margin: float = 0.0,
    alpha: float = 0.05,
    alternative: Alternative = "two-sided",
) -> float:
    """Return the power of the pooled z test of two proportions.

    Parameters
    ----------
    n
        Units of the control.
    p_control, p_treatment
        True proportions, in [0, 1].
    ratio
        Units of the treatment per unit of the control.
    margin
        Non-inferiority margin, on the absolute scale; the null variance is then unpooled.
    alpha
        Type I error rate.
    alternative
        Which departure the test looks for; the far tail of a two-sided test is neglected.

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
    Fleiss, Levin & Paik (2003), Statistical Methods for Rates and Proportions, section 4.2; R's
    `power.prop.test`.

    Examples
    --------
    >>> round(proportions_power(76.7, 0.5, 0.75), 3)
    0.9
    """
    if not n > 0:
        raise ValueError(f"n is {n!r}; expected a number > 0")
    return float(special.ndtr(_proportions_z(
        n, p_control, p_treatment, ratio, margin, alpha, alternative
    )))  # fmt: skip


def proportions_sample_size(
    p_control: float,
    p_treatment: float,
    *,
    ratio: float = 1.0,
    margin: float = 0.0,
    alpha: float = 0.05,
    power: float = 0.8,
    alternative: Alternative = "two-sided",
) -> float:
    """Return how many units the control needs for a comparison of two proportions.

    Parameters
    ----------
    p_control, p_treatment, ratio, margin, alpha, alternative
        As `proportions_power`.
    power
        Wanted.

    Returns
    -------
    float
        Units of the control, not rounded.

    Raises
    ------
    ValueError
        As `proportions_power`, if power is not above the test's level, or if the true difference
        (margin included) does not lie on the side the test looks for.

    References
    ----------
    See `proportions_power`.

    Examples
    --------
    >>> round(proportions_sample_size(0.5, 0.75, power=0.9), 1)
    76.7
    """
    difference = p_treatment - p_control
    check_reachable(difference, margin, alpha, power, alternative)

    def missing(n: float) -> float:
        return power - proportions_power(
            n,
            p_control,
            p_treatment,
            ratio=ratio,
            margin=margin,
            alpha=alpha,
            alternative=alternative,
        )

    return first_root(missing, 1e-6)


def proportions_minimum_detectable(
    n: float,
    p_control: float,
    *,
    ratio: float = 1.0,
    alpha: float = 0.05,
    power: float = 0.8,
    alternative: Alternative = "two-sided",
) -> float:
    """Return the smallest absolute difference of two proportions found with this power.

    Parameters
    ----------
    n, p_control, ratio, alpha, alternative
        As `proportions_power`. A rise is looked for, a fall for alternative "less".
    power
        Wanted.

    Returns
    -------
    float
        Size of the difference, > 0; NaN where even a treatment at 1 (or 0) would not be found.

    Raises
    ------
    ValueError
        As `proportions_sample_size`.

    References
    ----------
    See `proportions_power`.

    Examples
    --------
    >>> round(proportions_minimum_detectable(1000, 0.1), 4)
    0.0407
    """
    check_reachable(
        1.0, 0.0, alpha, power, "greater" if alternative != "two-sided" else alternative
    )
    sign = -1.0 if alternative == "less" else 1.0
    room = p_control if alternative == "less" else 1.0 - p_control

    def missing(size: float) -> float:
        return power - proportions_power(
            n,
            p_control,
            min(max(p_control + sign * size, 0.0), 1.0),
            ratio=ratio,
            alpha=alpha,
            alternative=alternative,
        )

    if room <= 0 or missing(room) > 0:
        return math.nan
    return float(optimize.brentq(missing, 1e-12 * room, room, xtol=1e-12, rtol=1e-12))


def arcsine_effect_size(p_control: float, p_treatment: float) -> float:
    """Return Cohen's h, the difference of two proportions on the arcsine scale.

    Parameters
    ----------
    p_control, p_treatment
        In [0, 1].

    Returns
    -------
    float
        2 arcsin √p_t − 2 arcsin √p_c.

    Raises
    ------
    ValueError
        If a proportion is not in [0, 1].

    References
    ----------
    Cohen (1988), Statistical Power Analysis, section 6.2.

    Examples
    --------
    >>> round(arcsine_effect_size(0.2, 0.3), 4)
    0.232
    """
    first, second = _share(p_control, "p_control"), _share(p_treatment, "p_treatment")
    return 2 * (math.asin(math.sqrt(second)) - math.asin(math.sqrt(first)))


def arcsine_power(
    h: float,
    n_control: float,
    n_treatment: float,
    *,
    alpha: float = 0.05,
    alternative: Alternative = "two-sided",
) -> float:
    """Return the power for two proportions on the arcsine scale.

    Parameters
    ----------
    h
        `arcsine_effect_size`.
    n_control, n_treatment
        Units of each arm, > 0.
    alpha
        Type I error rate.
    alternative
        Which departure the test looks for.

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
    Cohen (1988), section 6.3.

    Examples
    --------
    >>> round(arcsine_power(0.3, 80, 80, alternative="greater"), 4)
    0.5997
    """
    first, second = positive(n_control, "n_control"), positive(n_treatment, "n_treatment")
    alpha = check_confidence_level(alpha, "alpha")
    check_alternative(alternative)
    return t_power(h / math.sqrt(1 / first + 1 / second), math.inf, alpha, alternative)


def _proportions_z(
    n: float,
    p_control: float,
    p_treatment: float,
    ratio: float,
    margin: float,
    alpha: float,
    alternative: Alternative,
) -> float:
    first, second = _share(p_control, "p_control"), _share(p_treatment, "p_treatment")
    ratio = positive(ratio, "ratio")
    alpha = check_confidence_level(alpha, "alpha")
    check_alternative(alternative)
    if not 0 <= margin < 1:
        raise ValueError(f"margin is {margin!r}; expected a number in [0, 1)")
    pooled = (first + ratio * second) / (1 + ratio)
    alternative_variance = first * (1 - first) + second * (1 - second) / ratio
    null_variance = pooled * (1 - pooled) * (1 + 1 / ratio)
    if margin:
        null_variance = alternative_variance
    gap = second - first
    size = {"two-sided": abs(gap), "greater": gap + margin, "less": margin - gap}[alternative]
    tail = alpha / 2 if alternative == "two-sided" else alpha
    reach = -float(special.ndtri(tail))
    shifted = size * math.sqrt(n) - reach * math.sqrt(null_variance)
    if alternative_variance == 0:
        return math.copysign(math.inf, shifted)
    return shifted / math.sqrt(alternative_variance)


def _share(value: float, name: str) -> float:
    if not 0 <= value <= 1:
        raise ValueError(f"{name} is {value!r}; expected a number in [0, 1]")
    return float(value)
