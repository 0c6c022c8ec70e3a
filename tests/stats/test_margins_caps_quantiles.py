import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import mstats

from workbench.stats import (
    Moments,
    clustered_quantile_interval,
    compare_means,
    compare_quantiles,
    equivalence_test,
    noninferiority_test,
    quantile_difference_bounds,
    quantile_interval,
    winsorize,
)

WRONG: Any = "wrong"


def effect(gap: float, base: float = 10.0, n: int = 400) -> Any:
    return compare_means(
        Moments.from_summary(n, base, 4.0), Moments.from_summary(n, base + gap, 4.0)
    )


@given(gap=st.floats(-1, 1), margin=st.floats(0.05, 1))
def test_the_claim_the_interval_and_the_p_value_agree(gap: float, margin: float) -> None:
    for better in (True, False):
        found = noninferiority_test(effect(gap), margin, higher_is_better=better)
        assert found.holds == (found.pvalue < found.alpha)
        inside = found.ci_lower > -margin if better else found.ci_upper < margin
        assert found.holds == inside
    both = equivalence_test(effect(gap), margin)
    assert both.holds == (both.pvalue < both.alpha)


def test_directions_mirror() -> None:
    up = noninferiority_test(effect(-0.2), 0.5)
    down = noninferiority_test(effect(0.2), 0.5, higher_is_better=False)
    assert up.pvalue == pytest.approx(down.pvalue)
    assert up.ci_lower == pytest.approx(-down.ci_upper)


def test_a_relative_margin_is_judged_on_the_lift() -> None:
    found = noninferiority_test(effect(-0.1), 0.05, scale="relative")
    assert found.scale == "relative"
    assert found.holds
    assert not noninferiority_test(effect(-0.1), 0.011, scale="relative").holds


def test_nothing_is_claimed_without_a_standard_error() -> None:
    alone = compare_means(Moments.of([1.0]), Moments.of([1.0]))
    found = noninferiority_test(alone, 0.5)
    assert not found.holds
    assert math.isnan(found.pvalue)
    assert not equivalence_test(alone, 0.5).holds


@given(
    seed=st.integers(0, 1000),
    n=st.integers(3, 40),
    limits=st.tuples(st.floats(0, 0.3), st.floats(0, 0.3)),
)
def test_caps_are_scipys(seed: int, n: int, limits: tuple[float, float]) -> None:
    x = np.random.default_rng(seed).permutation(n).astype(float)
    found = winsorize([x], lower=limits[0], upper=limits[1])
    np.testing.assert_array_equal(found.values[0], np.asarray(mstats.winsorize(x, limits)))


def test_caps_are_pooled_and_leave_zeros() -> None:
    control, treatment = np.array([0.0] * 90 + [1.0] * 10), np.array([0.0] * 90 + [9.0] * 10)
    pooled = winsorize([control, treatment], upper=0.25, ignore_zeros=True)
    assert pooled.upper == 9.0
    assert pooled.n_upper == 0
    tighter = winsorize([control, treatment], upper=0.5, ignore_zeros=True)
    assert tighter.upper == 1.0
    assert tighter.values[1].max() == 1.0
    assert tighter.n_upper == 10
    assert (tighter.values[0] == control).all()
    low = winsorize([[0.0, 0.0, 2.0, 3.0, 4.0, 5.0]], lower=0.25, ignore_zeros=True)
    assert low.values[0].tolist() == [0.0, 0.0, 3.0, 3.0, 4.0, 5.0]


def test_quantiles_of_independent_units() -> None:
    rng = np.random.default_rng(1)
    c, t = rng.exponential(size=2000), rng.exponential(size=2500) * 1.2
    found = compare_quantiles(c, t, 0.9)
    one, two = quantile_interval(c, 0.9), quantile_interval(t, 0.9)
    assert found.difference == pytest.approx(two.estimate - one.estimate)
    bounds = math.hypot(one.standard_error, two.standard_error)
    assert found.standard_error == pytest.approx(bounds, rel=0.1)
    # The large-sample error √(q(1 − q)/n) over the density.
    exact = 3 * math.sqrt(1 / 2000 + 1.2**2 / 2500)
    assert found.standard_error == pytest.approx(exact, rel=0.15)
    assert found.ci_lower < 0.2 * math.log(10) < found.ci_upper


def test_too_few_values_bound_nothing() -> None:
    found = compare_quantiles(range(40), range(40), 0.99)
    assert (found.ci_lower, found.ci_upper) == (-math.inf, math.inf)
    assert math.isnan(found.pvalue)
    assert "too few" in found.method


def test_clusters_widen_the_interval_of_a_quantile() -> None:
    rng = np.random.default_rng(2)
    groups = np.repeat(np.arange(80), 10)
    values = rng.normal(size=80)[groups] + 0.3 * rng.normal(size=800)
    clustered = clustered_quantile_interval(values, 0.75, groups)
    naive = quantile_interval(values, 0.75)
    assert clustered.n_groups == 80
    assert clustered.ci_upper - clustered.ci_lower > 2 * (naive.ci_upper - naive.ci_lower)
    alone = clustered_quantile_interval(values, 0.75, np.arange(800))
    assert alone.ci_lower == pytest.approx(naive.ci_lower, abs=0.05)
    one = clustered_quantile_interval([1.0, 2.0, 3.0], 0.5, ["a", "a", "a"])
    assert (one.ci_lower, one.ci_upper) == (-math.inf, math.inf)
    both = compare_quantiles(
        values[:400], values[400:], 0.5, control_groups=groups[:400], treatment_groups=groups[400:]
    )
    assert both.n_groups == 80


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: noninferiority_test(effect(0), 0.0), "margin is 0.0"),
        (lambda: noninferiority_test(effect(0), 1.0, scale=WRONG), "scale is 'wrong'"),
        (lambda: equivalence_test(effect(0), 1.0, alpha=0.0), "alpha is 0.0"),
        (lambda: winsorize([]), "no arms"),
        (lambda: winsorize([[1.0, 2.0]], upper=0.7), "upper is 0.7"),
        (lambda: winsorize([[1.0, 2.0]], lower=0.5, upper=0.5), "would cap all 2"),
        (lambda: winsorize([[0.0, 0.0]], upper=0.1, ignore_zeros=True), "every value is 0"),
        (lambda: winsorize([[1.0], []]), "arm 1 is empty"),
        (lambda: compare_quantiles([1], [2], 0.5, control_groups=[1]), "one arm only"),
        (lambda: compare_quantiles([1], [2], 1.0), "q is 1.0"),
    ],
)
def test_bad_input_is_refused(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


# ---------------------------------------------------------------- quantiles at any look


def test_bounds_at_any_look_are_values_at_ranks_and_need_enough_of_them() -> None:
    values = np.arange(1000.0)
    found = quantile_difference_bounds(values, values + 5, 0.5, n_opt=2000)
    assert found.difference == 5
    assert found.ci_lower - 5 == pytest.approx(-(found.ci_upper - 5), abs=2)
    assert found.pvalue == 1.0
    few = quantile_difference_bounds(values[:4], values[:4], 0.5, n_opt=2000)
    assert (few.ci_lower, few.ci_upper) == (-math.inf, math.inf)
    # Where the control may be 0 there is no bound of the lift.
    assert quantile_difference_bounds(values - 500, values, 0.5, n_opt=2000)[3:5] == (
        -math.inf,
        math.inf,
    )
    wider = quantile_difference_bounds(values, values, 0.5, n_opt=2000, confidence_level=0.99)
    assert wider.ci_upper > quantile_difference_bounds(values, values, 0.5, n_opt=2000).ci_upper


def test_bounds_at_any_look_allow_for_clusters() -> None:
    values = np.repeat(np.arange(100.0), 10)
    group = np.repeat(np.arange(100), 10)
    plain = quantile_difference_bounds(values, values, 0.5, n_opt=2000)
    grouped = quantile_difference_bounds(
        values, values, 0.5, n_opt=2000, control_groups=group, treatment_groups=group
    )
    assert grouped.ci_upper > 1.8 * plain.ci_upper
    one = np.zeros(1000)
    alone = quantile_difference_bounds(
        values, values, 0.5, n_opt=2000, control_groups=one, treatment_groups=one
    )
    assert alone.ci_upper == math.inf
    for options, words in (
        ({"control_groups": group}, "one arm only"),
        ({"n_opt": 0.0}, "n_opt is 0.0"),
        ({"q": 1.0}, "q is"),
    ):
        with pytest.raises(ValueError, match=words):
            quantile_difference_bounds(values, values, **({"q": 0.5, "n_opt": 10.0} | options))
