"""Adjustment beyond CUPED: a slope for each arm (Lin), and strata after the fact."""

from collections.abc import Sequence

import numpy as np

from workbench.stats.comparison import regression_slopes
from workbench.stats.effects import Effect, effect_of, welch_df
from workbench.stats.moments import Moments
from workbench.stats.power import Alternative

__all__ = ["lin_adjusted", "post_stratified"]


def lin_adjusted(
    control: Moments,
    treatment: Moments,
    *,
    alternative: Alternative = "two-sided",
    confidence_level: float = 0.95,
) -> Effect:
    """Compare means adjusted by a regression with its own slopes in each arm.

    Parameters
    ----------
    control, treatment
        Moments of the outcome (first column) and of k ≥ 1 covariates known beforehand.
    alternative
        Which departure the test looks for.
    confidence_level
        Nominal coverage.

    Returns
    -------
    Effect
        Of the population the units are drawn from: where slopes differ between the arms, the
        sampling of the covariates adds to the variance.

    Raises
    ------
    ValueError
        If there is no covariate, the arms have different columns, or an arm has fewer than
        k + 2 units.

    Notes
    -----
    Never less precise than the plain difference in large samples, also where effects vary with
    the covariates and arms are of unequal size, where CUPED's common slope can lose.

    References
    ----------
    Lin (2013), Annals of Applied Statistics 7:295-318; the population term: Negi & Wooldridge
    (2021), Econometric Reviews 40:504-534.

    Examples
    --------
    >>> control = Moments.of([1.0, 2.0, 2.5, 4.5], [1, 2, 3, 4])
    >>> treatment = Moments.of([2.0, 3.5, 4.0, 5.0], [1, 2, 3, 4])
    >>> found = lin_adjusted(control, treatment)
    >>> found.difference, round(found.standard_error, 3)
    (1.125, 0.287)
    """
    k = control.mean.size - 1
    if k < 1 or treatment.mean.size != k + 1:
        raise ValueError(
            f"the arms have {control.mean.size} and {treatment.mean.size} columns; expected the"
            " same: an outcome and at least one covariate"
        )
    if min(control.n, treatment.n) < k + 2:
        raise ValueError(
            f"the arms have {control.n} and {treatment.n} units; expected at least {k + 2} each"
            f" for {k} covariate(s)"
        )
    merged = control + treatment
    centre, spread = merged.mean[1:], merged.covariance[1:, 1:] / merged.n
    slopes, values, variances = [], [], []
    for arm in (control, treatment):
        within, joint = arm.comoment[1:, 1:], arm.comoment[1:, 0]
        slope = regression_slopes(within, joint)
        rest = arm.comoment[0, 0] - 2 * slope @ joint + slope @ within @ slope
        slopes.append(slope)
        values.append(float(arm.mean[0] - slope @ (arm.mean[1:] - centre)))
        variances.append(max(float(rest), 0.0) / (arm.n - 1 - k) / arm.n)
    gap = slopes[1] - slopes[0]
    return effect_of(
        values[1] - values[0],
        variances[0] + variances[1] + float(gap @ spread @ gap),
        welch_df(variances[0], control.n - 1 - k, variances[1], treatment.n - 1 - k),
        control=values[0],
        treatment=values[1],
        control_variance=variances[0] + float(slopes[0] @ spread @ slopes[0]),
        control_covariance=float(gap @ spread @ slopes[0]) - variances[0],
        n=(control.n, treatment.n),
        method=f"Lin's regression adjustment with {k} covariate(s), t",
        alternative=alternative,
        confidence_level=confidence_level,
    )


def post_stratified(
    controls: Sequence[Moments],
    treatments: Sequence[Moments],
    *,
    alternative: Alternative = "two-sided",
    confidence_level: float = 0.95,
) -> Effect:
    """Compare means within strata and weigh the differences by the strata's shares.

    Parameters
    ----------
    controls, treatments
        Moments of the outcome in each stratum, in the same order; strata are known before
        assignment and every one has at least two units of each arm.
    alternative
        Which departure the test looks for.
    confidence_level
        Nominal coverage.

    Returns
    -------
    Effect
        Of the population the units are drawn from: unequal effects of the strata add the
        sampling of their shares.

    Raises
    ------
    ValueError
        If the arms have different strata, there is none, or one has a single unit of an arm.

    References
    ----------
    Miratrix, Sekhon & Yu (2013), JRSS B 75:369-396.

    Examples
    --------
    >>> controls = [Moments.of([1.0, 2.0]), Moments.of([11.0, 12.0])]
    >>> treatments = [Moments.of([2.0, 3.0]), Moments.of([12.0, 13.0])]
    >>> found = post_stratified(controls, treatments)
    >>> found.difference, round(found.standard_error, 3)
    (1.0, 0.5)
    """
    if len(controls) != len(treatments) or not controls:
        raise ValueError(
            f"{len(controls)} and {len(treatments)} strata; expected the same number, at least one"
        )
    for i, (c, t) in enumerate(zip(controls, treatments, strict=True)):
        if min(c.n, t.n) < 2:
            raise ValueError(
                f"stratum {i} has {c.n} and {t.n} units; expected at least 2 of each arm: join"
                " it with another"
            )
    size = np.array([c.n + t.n for c, t in zip(controls, treatments, strict=True)], dtype=float)
    n = float(size.sum())
    weight = size / n
    sides = [
        (
            np.array([m.mean[0] for m in arms]),
            np.array([m.covariance[0, 0] / m.n for m in arms]),
            np.array([m.n - 1.0 for m in arms]),
        )
        for arms in (controls, treatments)
    ]
    (mean_c, var_c, df_c), (mean_t, var_t, df_t) = sides
    gap = mean_t - mean_c
    difference, control = float(weight @ gap), float(weight @ mean_c)
    parts = np.concatenate([weight**2 * var_c, weight**2 * var_t])
    within, own = float(parts.sum()), float(weight**2 @ var_c)
    shares = parts / within if within > 0 else np.zeros_like(parts)
    spread = float(shares**2 @ (1 / np.concatenate([df_c, df_t])))
    return effect_of(
        difference,
        within + float(weight @ (gap - difference) ** 2) / n,
        1 / spread if spread > 0 else float(df_c.sum() + df_t.sum()),
        control=control,
        treatment=float(weight @ mean_t),
        control_variance=own + float(weight @ (mean_c - control) ** 2) / n,
        control_covariance=float(weight @ ((gap - difference) * (mean_c - control))) / n - own,
        n=(int(df_c.sum()) + len(controls), int(df_t.sum()) + len(treatments)),
        method=f"post-stratified over {len(controls)} strata, t",
        alternative=alternative,
        confidence_level=confidence_level,
    )
