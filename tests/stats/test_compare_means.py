import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from workbench.stats import (
    Moments,
    compare_means,
    compare_ratios,
    covariate_coefficients,
    lin_adjusted,
    post_stratified,
)
from workbench.stats.effects import Effect, tail_pvalue, welch_df

RNG = np.random.default_rng(0)


def arms(seed: int, k: int = 3) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Rows of outcome and covariates for each arm."""
    rng = np.random.default_rng(seed)
    mix = rng.normal(size=(k, k)) + 2 * np.eye(k)
    centre = 8 + rng.uniform(size=(k, 1))
    return mix @ rng.normal(size=(k, 80)) + centre, mix @ rng.normal(size=(k, 60)) + centre + 0.4


@pytest.mark.parametrize("alternative", ["two-sided", "greater", "less"])
def test_welch_is_scipys(alternative: Any) -> None:
    c, t = arms(1, 1)
    found = compare_means(Moments.of(*c), Moments.of(*t), alternative=alternative)
    expected = stats.ttest_ind(t[0], c[0], equal_var=False, alternative=alternative)
    ci = expected.confidence_interval(0.95)
    assert found.statistic == pytest.approx(expected.statistic)
    assert found.df == pytest.approx(expected.df)
    assert found.pvalue == pytest.approx(expected.pvalue)
    assert (found.ci_lower, found.ci_upper) == pytest.approx((ci.low, ci.high))


def test_tiny_p_values_do_not_vanish() -> None:
    found = compare_means(Moments.from_summary(10**6, 0, 1), Moments.from_summary(10**6, 0.05, 1))
    assert 1e-300 < found.pvalue < 1e-250
    assert tail_pvalue(-30.0, math.inf) == pytest.approx(2 * stats.norm.sf(30), rel=1e-9)


@given(base=st.floats(-50, 50).filter(lambda b: abs(b) > 1), gap=st.floats(-5, 5))
def test_the_lift_has_the_sign_of_the_difference(base: float, gap: float) -> None:
    found = compare_means(
        Moments.from_summary(5000, base, 1.0), Moments.from_summary(5000, base + gap, 1.0)
    )
    assert np.sign(found.lift) == np.sign(found.difference)
    assert found.lift == pytest.approx(found.difference / abs(base))
    assert found.lift_ci_lower < found.lift < found.lift_ci_upper


def test_a_baseline_near_zero_bounds_no_lift() -> None:
    near = compare_means(Moments.from_summary(100, 0.05, 1.0), Moments.from_summary(100, 1, 1.0))
    assert near.lift == pytest.approx(19)
    assert (near.lift_ci_lower, near.lift_ci_upper) == (-math.inf, math.inf)
    assert math.isnan(near.lift_standard_error)
    assert near.pvalue < 1e-6
    at = compare_means(Moments.from_summary(100, 0.0, 1.0), Moments.from_summary(100, 1, 1.0))
    assert math.isnan(at.lift)


def test_one_unit_or_no_spread_is_answered() -> None:
    single = compare_means(Moments.of([1.0]), Moments.of([2.0, 3.0]))
    assert math.isnan(single.pvalue)
    assert (single.ci_lower, single.ci_upper) == (-math.inf, math.inf)
    same = compare_means(Moments.of([2.0, 2.0]), Moments.of([2.0, 2.0, 2.0]))
    assert (same.statistic, same.pvalue, same.difference) == (0.0, 1.0, 0.0)
    apart = compare_means(Moments.of([2.0, 2.0]), Moments.of([3.0, 3.0]))
    assert (apart.statistic, apart.pvalue) == (math.inf, 0.0)


def jackknife(figure: Any, c: NDArray[np.float64], t: NDArray[np.float64]) -> tuple[float, float]:
    """Variances of difference and lift by leaving each unit out."""
    totals = np.zeros(2)
    for data, first in ((c, True), (t, False)):
        n = data.shape[1]
        out = []
        for i in range(n):
            rest = np.delete(data, i, axis=1)
            found: Effect = figure(*((rest, t) if first else (c, rest)))
            out.append([found.difference, found.lift])
        totals += (n - 1) / n * ((np.array(out) - np.mean(out, axis=0)) ** 2).sum(axis=0)
    return float(totals[0]), float(totals[1])


FIGURES: dict[str, Any] = {
    "plain": lambda c, t: compare_means(Moments.of(*c), Moments.of(*t)),
    "cuped": lambda c, t: compare_means(
        Moments.of(*c), Moments.of(*t), covariates=2, coefficients=[0.5, -0.3]
    ),
    "ratio": lambda c, t: compare_ratios(Moments.of(*c), Moments.of(*t)),
    "ratio cuped": lambda c, t: compare_ratios(
        Moments.of(*c, *c[::-1]), Moments.of(*t, *t[::-1]), covariates=1, coefficients=[0.4]
    ),
    "lin": lambda c, t: lin_adjusted(Moments.of(*c), Moments.of(*t)),
}


@pytest.mark.parametrize("name", FIGURES)
def test_variances_are_those_of_the_jackknife(name: str) -> None:
    c, t = arms(7)
    figure = FIGURES[name]
    found = figure(c, t)
    difference, lift = jackknife(figure, c, t)
    assert found.standard_error == pytest.approx(math.sqrt(difference), rel=0.05)
    assert found.lift_standard_error == pytest.approx(math.sqrt(lift), rel=0.05)


def test_cuped_takes_the_best_slopes_and_narrows() -> None:
    c, t = arms(3)
    control, treatment = Moments.of(*c), Moments.of(*t)
    slopes = covariate_coefficients([control, treatment])
    both = np.concatenate([c, t], axis=1)
    design = np.column_stack([np.ones(140), *both[1:]])
    np.testing.assert_allclose(slopes, np.linalg.lstsq(design, both[0])[0][1:])
    plain = compare_means(control, treatment)
    adjusted = compare_means(control, treatment, covariates=2)
    assert adjusted.standard_error < plain.standard_error
    given = compare_means(control, treatment, covariates=2, coefficients=slopes)
    assert given.difference == pytest.approx(adjusted.difference)


def test_useless_covariates_change_nothing() -> None:
    c, t = arms(4, 1)
    constant = [Moments.of(*a, np.full(a.shape[1], 3.0)) for a in (c, t)]
    twice = [Moments.of(*a, a[0] * 2 + 1, a[0] * 2 + 1) for a in (c, t)]
    plain = compare_means(Moments.of(*c), Moments.of(*t))
    assert compare_means(*constant, covariates=1).difference == pytest.approx(plain.difference)
    assert compare_means(*twice, covariates=2).standard_error == pytest.approx(0, abs=1e-6)


def test_a_ratio_of_cluster_totals_is_the_clustered_mean() -> None:
    rng = np.random.default_rng(5)
    sizes = rng.integers(1, 9, 60)
    totals = rng.normal(size=60) * sizes
    c, t = Moments.of(totals[:30], sizes[:30]), Moments.of(totals[30:], sizes[30:])
    found = compare_ratios(c, t)
    assert found.control == pytest.approx(totals[:30].sum() / sizes[:30].sum())
    assert found.n_control == 30


def test_lin_is_the_interacted_regression() -> None:
    c, t = arms(6)
    found = lin_adjusted(Moments.of(*c), Moments.of(*t))
    both = np.concatenate([c, t], axis=1)
    arm = np.repeat([0.0, 1.0], [80, 60])
    x = both[1:] - both[1:].mean(axis=1, keepdims=True)
    design = np.column_stack([np.ones(140), arm, *x, *(x * arm)])
    slopes = np.linalg.lstsq(design, both[0])[0]
    assert found.difference == pytest.approx(slopes[1])
    assert found.control == pytest.approx(slopes[0])


def test_post_stratification_removes_an_imbalance() -> None:
    controls = [Moments.from_summary(90, 0.0, 1.0), Moments.from_summary(10, 10.0, 1.0)]
    treatments = [Moments.from_summary(10, 0.5, 1.0), Moments.from_summary(90, 10.5, 1.0)]
    found = post_stratified(controls, treatments)
    assert found.difference == pytest.approx(0.5)
    assert found.standard_error < 0.3
    crude = compare_means(controls[0] + controls[1], treatments[0] + treatments[1])
    assert crude.difference > 8
    one = post_stratified(controls[:1], treatments[:1])
    alone = compare_means(controls[0], treatments[0])
    assert one.standard_error == pytest.approx(alone.standard_error)
    assert one.df == pytest.approx(alone.df)
    assert one.lift_ci_upper == pytest.approx(alone.lift_ci_upper)


def test_degrees_of_freedom_of_no_variance() -> None:
    assert welch_df(0.0, 5, 0.0, 7) == 12
    assert math.isnan(welch_df(1.0, 0, 1.0, 5))
    assert welch_df(1e-200, 9, 1e-200, 9) == pytest.approx(18)


WRONG: Any = "wrong"
ONE, TWO = Moments.of([1.0, 2.0, 3.0]), Moments.of([1.0, 2.0, 4.0], [1.0, 0.0, 1.0])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: compare_means(ONE, TWO), "1 and 2 columns"),
        (lambda: compare_means(ONE, ONE, covariates=1), "at least 2"),
        (lambda: compare_means(TWO, TWO, covariates=1, coefficients=[1, 2]), "expected .1,."),
        (lambda: compare_means(ONE, ONE, confidence_level=1.5), "confidence_level is 1.5"),
        (lambda: compare_means(ONE, ONE, alternative=WRONG), "alternative is 'wrong'"),
        (lambda: compare_ratios(ONE, ONE), "at least 2"),
        (
            lambda: compare_ratios(TWO, Moments.of([1.0, 2.0], [1.0, -1.0])),
            "mean of a denominator is 0",
        ),
        (lambda: lin_adjusted(ONE, ONE), "at least one covariate"),
        (lambda: lin_adjusted(TWO, Moments.of([1.0, 2.0], [0.0, 1.0])), "at least 3 each"),
        (lambda: post_stratified([ONE], []), "1 and 0 strata"),
        (lambda: post_stratified([ONE], [Moments.of([1.0])]), "stratum 0 has 3 and 1 units"),
    ],
)
def test_bad_input_is_refused(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
