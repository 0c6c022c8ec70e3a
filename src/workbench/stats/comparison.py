"""Two arms compared from their moments: means and ratios, plain or adjusted by covariates (CUPED).

Nothing here needs the rows: `Moments` of each arm suffice, so one pass over any number of units,
in memory or in a database, is enough.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.stats.effects import Effect, effect_of, welch_df
from workbench.stats.moments import Moments, merge_moments
from workbench.stats.power import Alternative

__all__ = ["compare_means", "compare_ratios", "covariate_coefficients", "ratio_variance"]

Vector: TypeAlias = NDArray[np.float64]
# A figure of the column means, with its gradient.
_Figure: TypeAlias = Callable[[Vector], tuple[float, Vector]]


def compare_means(
    control: Moments,
    treatment: Moments,
    *,
    covariates: int = 0,
    coefficients: ArrayLike | None = None,
    alternative: Alternative = "two-sided",
    confidence_level: float = 0.95,
) -> Effect:
    """Compare the means of two arms by Welch's t, adjusted by covariates if wanted (CUPED).

    Parameters
    ----------
    control, treatment
        Moments of the outcome (first column) and of the covariates (the next ones), which must
        have been known before the experiment could influence them.
    covariates
        How many of the next columns adjust the outcome; 0 for the plain comparison.
    coefficients
        Slopes of the covariates, shape (covariates,); by default those of both arms together.
        Give common ones (see `covariate_coefficients`) when there are more than two arms.
    alternative
        Which departure the test looks for.
    confidence_level
        Nominal coverage.

    Returns
    -------
    Effect
        `control` and `treatment` are the (adjusted) means. A constant outcome gives t 0 or ±∞;
        an arm of one unit leaves the bounds infinite and the p-value NaN.

    Raises
    ------
    ValueError
        If the arms have different columns or too few for the covariates.

    References
    ----------
    Welch (1947), Biometrika 34:28-35; CUPED: Deng, Xu, Kohavi & Walker (2013), WSDM, 123-132.

    Examples
    --------
    >>> found = compare_means(Moments.of([1.0, 2.0, 3.0]), Moments.of([2.0, 4.0, 6.0]))
    >>> found.difference, found.lift, round(found.pvalue, 4)
    (2.0, 1.0, 0.2209)
    """
    _check_columns(control, treatment, 1 + covariates)
    return _compare(
        control,
        treatment,
        _mean_of(0),
        [_mean_of(1 + i) for i in range(covariates)],
        coefficients,
        "welch t" if covariates == 0 else f"welch t, CUPED with {covariates} covariate(s)",
        alternative,
        confidence_level,
    )


def compare_ratios(
    control: Moments,
    treatment: Moments,
    *,
    covariates: int = 0,
    coefficients: ArrayLike | None = None,
    alternative: Alternative = "two-sided",
    confidence_level: float = 0.95,
) -> Effect:
    """Compare ratios of means (orders per session, say) by the delta method.

    The unit of the moments is the unit that was randomised; numerator and denominator are its
    totals. With clusters as units and (sum, size) as columns this is the mean over members with
    a cluster-robust standard error.

    Parameters
    ----------
    control, treatment
        Moments of numerator and denominator (first two columns), then of numerator and
        denominator of each covariate ratio.
    covariates
        How many covariate ratios (pairs of columns) adjust the outcome.
    coefficients
        Slopes of the covariates, shape (covariates,); by default those of both arms together.
    alternative
        Which departure the test looks for.
    confidence_level
        Nominal coverage.

    Returns
    -------
    Effect

    Raises
    ------
    ValueError
        If the arms have different columns or too few, or the mean of a denominator is 0.

    References
    ----------
    Deng, Knoblich & Lu (2018), "Applying the Delta Method in Metric Analytics", KDD,
    arXiv:1803.06336.

    Examples
    --------
    >>> orders, sessions = [1, 0, 2, 1], [2, 1, 4, 3]
    >>> control = Moments.of(orders, sessions)
    >>> round(compare_ratios(control, Moments.of([2, 1, 2, 2], sessions)).lift, 4)
    0.75
    """
    _check_columns(control, treatment, 2 + 2 * covariates)
    return _compare(
        control,
        treatment,
        _ratio_of(0, 1),
        [_ratio_of(2 + 2 * i, 3 + 2 * i) for i in range(covariates)],
        coefficients,
        "delta method, welch t"
        if covariates == 0
        else f"delta method, welch t, CUPED with {covariates} covariate(s)",
        alternative,
        confidence_level,
    )


def covariate_coefficients(arms: Sequence[Moments], *, ratios: bool = False) -> Vector:
    """Return the slopes of the outcome on its covariates over all arms together.

    Parameters
    ----------
    arms
        Moments of every arm: outcome and covariates as `compare_means` takes them, or pairs of
        columns as `compare_ratios` does.
    ratios
        Whether columns are pairs of numerator and denominator.

    Returns
    -------
    NDArray[np.float64]
        Shape (covariates,); 0 for a covariate that does not vary.

    Raises
    ------
    ValueError
        If there are no arms or they have different columns.

    References
    ----------
    Deng, Xu, Kohavi & Walker (2013), equation 4: the slopes that minimise the variance.

    Examples
    --------
    >>> covariate_coefficients([Moments.of([1, 2, 3], [2, 4, 6])]).tolist()
    [0.5]
    """
    merged = merge_moments(arms)
    k = merged.mean.size
    if ratios:
        figures = [_ratio_of(i, i + 1) for i in range(0, k, 2)]
    else:
        figures = [_mean_of(i) for i in range(k)]
    return _slopes(merged, figures[0], figures[1:])


def ratio_variance(moments: Moments) -> float:
    """Return the delta-method variance of a ratio of means for a single unit.

    Parameters
    ----------
    moments
        Of numerator and denominator.

    Returns
    -------
    float
        Divide by n for the squared standard error of the ratio; its root is the `sd` to plan
        sample sizes with.

    Raises
    ------
    ValueError
        If there are fewer than two columns or the mean denominator is 0.

    References
    ----------
    See `compare_ratios`.

    Examples
    --------
    >>> round(ratio_variance(Moments.of([1, 0, 2, 1], [2, 1, 4, 3])), 4)
    0.0213
    """
    _check_columns(moments, moments, 2)
    _, gradient = _ratio_of(0, 1)(moments.mean)
    return float(gradient @ moments.covariance @ gradient)


class _Adjusted(NamedTuple):
    value: float
    gradient: Vector  # of the outcome less its covariates, by the arm's own means
    common: Vector  # of the covariates at the merged means, which both arms share


def _compare(
    control: Moments,
    treatment: Moments,
    outcome: _Figure,
    covariates: list[_Figure],
    coefficients: ArrayLike | None,
    method: str,
    alternative: Alternative,
    level: float,
) -> Effect:
    merged = control + treatment
    if coefficients is None:
        slopes = _slopes(merged, outcome, covariates)
    else:
        slopes = np.array(coefficients, dtype=np.float64, ndmin=1)
        if slopes.shape != (len(covariates),):
            raise ValueError(
                f"coefficients has shape {slopes.shape}; expected ({len(covariates)},)"
            )
    c = _adjust(control, merged, outcome, covariates, slopes)
    t = _adjust(treatment, merged, outcome, covariates, slopes)
    # The merged means cancel in the difference but not in the baseline of the lift.
    share_c, share_t = control.n / merged.n, treatment.n / merged.n
    base_c, base_t = c.gradient + share_c * c.common, share_t * c.common
    cov_c, cov_t = control.covariance / control.n, treatment.covariance / treatment.n
    var_c, var_t = float(c.gradient @ cov_c @ c.gradient), float(t.gradient @ cov_t @ t.gradient)
    return effect_of(
        t.value - c.value,
        var_c + var_t,
        welch_df(var_c, control.n - 1, var_t, treatment.n - 1),
        control=c.value,
        treatment=t.value,
        control_variance=float(base_c @ cov_c @ base_c + base_t @ cov_t @ base_t),
        control_covariance=float(t.gradient @ cov_t @ base_t - c.gradient @ cov_c @ base_c),
        n=(control.n, treatment.n),
        method=method,
        alternative=alternative,
        confidence_level=level,
    )


def _adjust(
    arm: Moments, merged: Moments, outcome: _Figure, covariates: list[_Figure], slopes: Vector
) -> _Adjusted:
    value, gradient = outcome(arm.mean)
    gradient, common = gradient.copy(), np.zeros_like(gradient)
    for slope, figure in zip(slopes, covariates, strict=True):
        own, own_gradient = figure(arm.mean)
        shared, shared_gradient = figure(merged.mean)
        value -= float(slope) * (own - shared)
        gradient -= slope * own_gradient
        common += slope * shared_gradient
    return _Adjusted(value, gradient, common)


def _slopes(merged: Moments, outcome: _Figure, covariates: list[_Figure]) -> Vector:
    if not covariates:
        return np.zeros(0)
    _, gradient = outcome(merged.mean)
    directions = np.stack([figure(merged.mean)[1] for figure in covariates])
    spread = directions @ merged.comoment @ directions.T
    joint = directions @ merged.comoment @ gradient
    return regression_slopes(spread, joint)


def regression_slopes(spread: Vector, joint: Vector) -> Vector:
    """Solve for slopes on the scale of correlations; constant or redundant covariates get 0."""
    size = np.sqrt(np.diagonal(spread))
    scale = np.where(size > 0, size, 1.0)
    scaled = np.linalg.lstsq(spread / np.outer(scale, scale), joint / scale, rcond=1e-12)[0]
    return np.asarray(scaled / scale, dtype=np.float64)


def _mean_of(column: int) -> _Figure:
    def figure(mean: Vector) -> tuple[float, Vector]:
        return float(mean[column]), _unit(mean.size, column)

    return figure


def _ratio_of(numerator: int, denominator: int) -> _Figure:
    def figure(mean: Vector) -> tuple[float, Vector]:
        below = float(mean[denominator])
        if below == 0:
            raise ValueError("the mean of a denominator is 0; expected units with something in it")
        ratio = float(mean[numerator]) / below
        gradient = _unit(mean.size, numerator) - ratio * _unit(mean.size, denominator)
        return ratio, gradient / below

    return figure


def _unit(size: int, at: int) -> Vector:
    out = np.zeros(size)
    out[at] = 1.0
    return out


def _check_columns(control: Moments, treatment: Moments, needed: int) -> None:
    found = (control.mean.size, treatment.mean.size)
    if found[0] != found[1] or found[0] < needed:
        raise ValueError(
            f"the arms have moments of {found[0]} and {found[1]} columns; expected the same, at"
            f" least {needed}"
        )
