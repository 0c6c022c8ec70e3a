"""Two or more proportions from their counts."""

import math
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from workbench.stats.bounds import wilson_bounds
from workbench.stats.effects import Effect, check_alternative, effect_of, tail_pvalue
from workbench.stats.power import Alternative
from workbench.stats.validation import as_values, check_confidence_level, check_count

__all__ = ["ChiSquare", "ProportionInterval", "compare_proportions", "proportions_chi_square"]

ProportionInterval = Literal["miettinen-nurminen", "newcombe", "wald", "agresti-caffo"]
"""How the interval of a difference of two proportions is made."""


class ChiSquare(NamedTuple):
    """A chi-square test.

    Attributes
    ----------
    statistic
        The statistic.
    df
        Degrees of freedom.
    pvalue
        Upper tail.
    """

    statistic: float
    df: int
    pvalue: float


def compare_proportions(
    control: tuple[int, int],
    treatment: tuple[int, int],
    *,
    null_difference: float = 0.0,
    interval: ProportionInterval = "miettinen-nurminen",
    alternative: Alternative = "two-sided",
    confidence_level: float = 0.95,
) -> Effect:
    """Compare two independent proportions by a score test.

    Parameters
    ----------
    control, treatment
        Successes and trials of each arm.
    null_difference
        Difference treatment − control under the null hypothesis: 0, or −margin for a test of
        non-inferiority (with alternative "greater").
    interval
        "miettinen-nurminen" inverts the test itself, so p-value and interval never disagree.
        For "newcombe" (hybrid Wilson), "wald" and "agresti-caffo" the test is the pooled z
        (Farrington-Manning's where the null difference is not 0).
    alternative
        Which departure from the null difference the test looks for.
    confidence_level
        Nominal coverage.

    Returns
    -------
    Effect
        `standard_error` is the unpooled √(p_t(1−p_t)/n_t + p_c(1−p_c)/n_c), from which the
        interval is only made for "wald"; `lift` has its delta-method interval.

    Raises
    ------
    ValueError
        If counts are not whole with 0 ≤ successes ≤ trials, the null difference is not in
        (−1, 1), or a name is unknown.

    References
    ----------
    Miettinen & Nurminen (1985), Statistics in Medicine 4:213-226; Farrington & Manning (1990),
    ibid. 9:1447-1454; Newcombe (1998), ibid. 17:873-890, method 10; Agresti & Caffo (2000), The
    American Statistician 54:280-288. statsmodels 0.15.0's score test is not used: for a null
    difference other than 0 it puts the successes where the trials belong.

    Examples
    --------
    >>> found = compare_proportions((1, 34), (7, 34))
    >>> round(found.ci_lower, 4), round(found.ci_upper, 4), round(found.pvalue, 4)
    (0.027, 0.3453, 0.025)
    """
    (x_c, n_c), (x_t, n_t) = _checked(control, "control"), _checked(treatment, "treatment")
    level = check_confidence_level(confidence_level)
    check_alternative(alternative)
    if not -1 < null_difference < 1:
        raise ValueError(f"null_difference is {null_difference!r}; expected a number in (-1, 1)")
    if interval not in ("miettinen-nurminen", "newcombe", "wald", "agresti-caffo"):
        raise ValueError(
            f"interval is {interval!r}; expected 'miettinen-nurminen', 'newcombe', 'wald' or"
            " 'agresti-caffo'"
        )
    corrected = interval == "miettinen-nurminen"
    z = _score(np.array(null_difference), x_c, n_c, x_t, n_t, corrected=corrected)
    p_c, p_t = x_c / n_c, x_t / n_t
    var_c, var_t = p_c * (1 - p_c) / n_c, p_t * (1 - p_t) / n_t
    found = effect_of(
        p_t - p_c,
        var_c + var_t,
        math.inf,
        control=p_c,
        treatment=p_t,
        control_variance=var_c,
        control_covariance=-var_c,
        n=(n_c, n_t),
        method=f"score test, {interval} interval",
        alternative=alternative,
        confidence_level=level,
    )
    # A one-sided interval is one side of the two-sided one of the level 2·level − 1.
    spread = level if alternative == "two-sided" else 2 * level - 1
    low, high = _interval(interval, x_c, n_c, x_t, n_t, spread)
    statistic = float(z)
    return found._replace(
        statistic=statistic,
        pvalue=tail_pvalue(statistic, math.inf, alternative),
        ci_lower=-math.inf if alternative == "less" else low,
        ci_upper=math.inf if alternative == "greater" else high,
    )


def proportions_chi_square(successes: ArrayLike, n: ArrayLike) -> ChiSquare:
    """Test whether several proportions are equal.

    Parameters
    ----------
    successes
        Successes of each arm, shape (k,), k ≥ 2.
    n
        Trials of each arm, shape (k,).

    Returns
    -------
    ChiSquare
        With p-value 1 when every trial, or none, succeeded.

    Raises
    ------
    ValueError
        If shapes differ, there are fewer than two arms, or a count is out of range.

    References
    ----------
    Pearson's chi-square without continuity correction; Fleiss (1981), Statistical Methods for
    Rates and Proportions, chapter 9.

    Examples
    --------
    >>> found = proportions_chi_square([83, 90, 129, 70], [86, 93, 136, 82])
    >>> round(found.statistic, 3), found.df, round(found.pvalue, 4)
    (12.6, 3, 0.0056)
    """
    hits, trials = as_values(successes, "successes"), as_values(n, "n")
    if hits.shape != trials.shape or hits.size < 2:
        raise ValueError(
            f"successes has shape {hits.shape} and n {trials.shape}; expected the same, two arms"
            " or more"
        )
    if (hits < 0).any() or (hits > trials).any() or (trials < 1).any():
        raise ValueError("counts are out of range; expected 0 ≤ successes ≤ n and n ≥ 1")
    pooled = hits.sum() / trials.sum()
    if pooled in (0.0, 1.0):
        return ChiSquare(0.0, hits.size - 1, 1.0)
    gaps = (hits - trials * pooled) ** 2 / (trials * pooled * (1 - pooled))
    statistic = float(gaps.sum())
    return ChiSquare(statistic, hits.size - 1, float(special.chdtrc(hits.size - 1, statistic)))


def _checked(counts: tuple[int, int], name: str) -> tuple[int, int]:
    successes, trials = counts
    trials = check_count(trials, f"trials of {name}")
    successes = check_count(successes, f"successes of {name}", minimum=0)
    if successes > trials:
        raise ValueError(f"{name} has {successes} successes of {trials}; expected at most {trials}")
    return successes, trials


def _restricted(
    difference: NDArray[np.float64], x_c: int, n_c: int, x_t: int, n_t: int
) -> NDArray[np.float64]:
    """Maximum-likelihood share of the control when the treatment's is larger by `difference`.

    The cubic's root in closed form (Farrington & Manning 1990, appendix).
    """
    n = n_c + n_t
    d = difference
    a = np.full_like(d, float(n))
    b = (n_t + 2 * n_c) * d - n - x_c - x_t
    c = (n_c * d - n - 2 * x_c) * d + x_c + x_t
    e = x_c * d * (1 - d)
    q = (b / (3 * a)) ** 3 - b * c / (6 * a**2) + e / (2 * a)
    p = np.copysign(np.sqrt(np.maximum((b / (3 * a)) ** 2 - c / (3 * a), 0.0)), q)
    ratio = np.divide(q, p**3, out=np.ones_like(q), where=p != 0)
    angle = (np.pi + np.arccos(np.clip(ratio, -1.0, 1.0))) / 3
    share = 2 * p * np.cos(angle) - b / (3 * a)
    return np.asarray(np.clip(share, np.maximum(0.0, -d), np.minimum(1.0, 1.0 - d)))


def _score(
    difference: NDArray[np.float64], x_c: int, n_c: int, x_t: int, n_t: int, *, corrected: bool
) -> NDArray[np.float64]:
    """Score statistic of each null difference."""
    share_c = _restricted(np.asarray(difference, dtype=np.float64), x_c, n_c, x_t, n_t)
    share_t = np.clip(share_c + difference, 0.0, 1.0)
    variance = share_c * (1 - share_c) / n_c + share_t * (1 - share_t) / n_t
    if corrected:
        variance = variance * (n_c + n_t) / (n_c + n_t - 1)
    gap = x_t / n_t - x_c / n_c - difference
    known = variance > 1e-300
    z = np.where(np.abs(gap) < 1e-15, 0.0, np.copysign(np.inf, gap))
    return np.asarray(np.divide(gap, np.sqrt(variance), out=z, where=known))


def _interval(
    kind: ProportionInterval, x_c: int, n_c: int, x_t: int, n_t: int, level: float
) -> tuple[float, float]:
    if level <= 0:
        return math.nan, math.nan
    z = float(special.ndtri((1 + level) / 2))
    if kind == "miettinen-nurminen":
        return _score_bound(x_c, n_c, x_t, n_t, z), -_score_bound(x_t, n_t, x_c, n_c, z)
    if kind == "newcombe":
        lower, upper = wilson_bounds(
            np.array([float(x_c), float(x_t)]), np.array([float(n_c), float(n_t)]), level
        )
        p_c, p_t = x_c / n_c, x_t / n_t
        below = math.hypot(p_t - lower[1], upper[0] - p_c)
        return p_t - p_c - below, p_t - p_c + math.hypot(upper[1] - p_t, p_c - lower[0])
    extra = 1 if kind == "agresti-caffo" else 0
    p_c, p_t = (x_c + extra) / (n_c + 2 * extra), (x_t + extra) / (n_t + 2 * extra)
    error = math.sqrt(p_c * (1 - p_c) / (n_c + 2 * extra) + p_t * (1 - p_t) / (n_t + 2 * extra))
    return max(p_t - p_c - z * error, -1.0), min(p_t - p_c + z * error, 1.0)


def _score_bound(x_c: int, n_c: int, x_t: int, n_t: int, z: float) -> float:
    """Smallest difference the score test does not reject, by bisection."""
    rejected, kept = -1.0, x_t / n_t - x_c / n_c
    for _ in range(60):
        middle = (rejected + kept) / 2
        if float(_score(np.array(middle), x_c, n_c, x_t, n_t, corrected=True)) > z:
            rejected = middle
        else:
            kept = middle
    return kept if kept > -1 + 1e-12 else -1.0
