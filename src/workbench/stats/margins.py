"""Non-inferiority and equivalence: tests against a margin instead of against zero."""

import math
from typing import Literal, NamedTuple

from scipy import special

from workbench.stats.bounds import standardised
from workbench.stats.effects import Effect, tail_pvalue
from workbench.stats.validation import check_confidence_level

__all__ = ["MarginTest", "equivalence_test", "noninferiority_test"]


class MarginTest(NamedTuple):
    """A test of an effect against a margin.

    Attributes
    ----------
    holds
        Whether the claim (non-inferior, equivalent) is shown at the level asked for.
    pvalue
        Of the claim's opposite; small speaks for the claim.
    margin
        The margin, > 0.
    ci_lower, ci_upper
        The interval that lies within the margin exactly when `holds`; one side is infinite for
        non-inferiority.
    scale
        "absolute" or "relative".
    alpha
        Type I error rate.
    """

    holds: bool
    pvalue: float
    margin: float
    ci_lower: float
    ci_upper: float
    scale: str
    alpha: float


def noninferiority_test(
    effect: Effect,
    margin: float,
    *,
    higher_is_better: bool = True,
    scale: Literal["absolute", "relative"] = "absolute",
    alpha: float = 0.025,
) -> MarginTest:
    """Test whether the treatment is worse than the control by less than a margin.

    Parameters
    ----------
    effect
        A comparison of the two arms.
    margin
        Largest loss that is acceptable, > 0: in the unit of the figure, or as a share of the
        control for scale "relative" (0.01 for 1 %).
    higher_is_better
        Direction of the figure.
    scale
        Whether the margin is absolute or relative to the control.
    alpha
        One-sided type I error rate; 0.025 corresponds to a two-sided 95 % interval.

    Returns
    -------
    MarginTest
        Not shown, with p-value NaN, where the effect has no standard error.

    Raises
    ------
    ValueError
        If the margin is not a finite number > 0, alpha not in (0, 1), or the scale unknown.

    Notes
    -----
    For proportions near 0 or 1 prefer `compare_proportions` with ``null_difference=-margin``.

    References
    ----------
    ICH E9 (1998), section 3.3.2; Wellek (2010), Testing Statistical Hypotheses of Equivalence
    and Noninferiority, chapter 1.

    Examples
    --------
    >>> from workbench.stats.comparison import compare_means
    >>> from workbench.stats.moments import Moments
    >>> effect = compare_means(Moments.from_summary(400, 10.0, 4.0),
    ...                        Moments.from_summary(400, 9.9, 4.0))
    >>> found = noninferiority_test(effect, 0.5)
    >>> found.holds, round(found.pvalue, 4), round(found.ci_lower, 3)
    (True, 0.0024, -0.378)
    """
    centre, error, margin = _scaled(effect, margin, scale)
    alpha = check_confidence_level(alpha, "alpha")
    reach = _reach(effect.df, alpha)
    if higher_is_better:
        pvalue = tail_pvalue(standardised(centre + margin, error), effect.df, "greater")
        low, high = _less(centre, reach * error), math.inf
        holds = low > -margin
    else:
        pvalue = tail_pvalue(standardised(centre - margin, error), effect.df, "less")
        low, high = -math.inf, -_less(-centre, reach * error)
        holds = high < margin
    return MarginTest(holds, pvalue, margin, low, high, scale, alpha)


def equivalence_test(
    effect: Effect,
    margin: float,
    *,
    scale: Literal["absolute", "relative"] = "absolute",
    alpha: float = 0.05,
) -> MarginTest:
    """Test whether two arms differ by less than a margin in either direction (TOST).

    Parameters
    ----------
    effect
        A comparison of the two arms.
    margin
        Largest difference that does not matter, > 0; a share of the control for "relative".
    scale
        Whether the margin is absolute or relative to the control.
    alpha
        Type I error rate of each of the two one-sided tests, and of both together.

    Returns
    -------
    MarginTest
        Its interval has the level 1 − 2 alpha.

    Raises
    ------
    ValueError
        As `noninferiority_test`.

    References
    ----------
    Schuirmann (1987), Journal of Pharmacokinetics and Biopharmaceutics 15:657-680.

    Examples
    --------
    >>> from workbench.stats.comparison import compare_means
    >>> from workbench.stats.moments import Moments
    >>> effect = compare_means(Moments.from_summary(400, 10.0, 4.0),
    ...                        Moments.from_summary(400, 10.1, 4.0))
    >>> equivalence_test(effect, 0.5).holds, equivalence_test(effect, 0.2).holds
    (True, False)
    """
    centre, error, margin = _scaled(effect, margin, scale)
    alpha = check_confidence_level(alpha, "alpha")
    below = tail_pvalue(standardised(centre + margin, error), effect.df, "greater")
    above = tail_pvalue(standardised(centre - margin, error), effect.df, "less")
    half = _reach(effect.df, alpha) * error
    low, high = _less(centre, half), -_less(-centre, half)
    holds = low > -margin and high < margin
    return MarginTest(holds, max(below, above), margin, low, high, scale, alpha)


def _scaled(effect: Effect, margin: float, scale: str) -> tuple[float, float, float]:
    if not 0 < margin < math.inf:
        raise ValueError(f"margin is {margin!r}; expected a finite number > 0")
    if scale == "absolute":
        return effect.difference, effect.standard_error, float(margin)
    if scale == "relative":
        return effect.lift, effect.lift_standard_error, float(margin)
    raise ValueError(f"scale is {scale!r}; expected 'absolute' or 'relative'")


def _reach(df: float, alpha: float) -> float:
    if math.isnan(df):
        return math.nan
    return -float(special.ndtri(alpha) if math.isinf(df) else special.stdtrit(df, alpha))


def _less(centre: float, half: float) -> float:
    return -math.inf if math.isnan(half) or math.isnan(centre) else centre - half
