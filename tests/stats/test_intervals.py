import math
from typing import Any

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from workbench.stats import (
    mean_interval,
    mean_standard_error,
    percentile_interval,
    proportion_interval,
    quantile_interval,
)


def test_the_mean_interval_is_the_one_sample_t_interval() -> None:
    values = np.random.default_rng(1).gamma(2.0, size=37)
    result = mean_interval(values, confidence_level=0.9)
    expected = stats.ttest_1samp(values, 0.0).confidence_interval(0.9)
    assert (result.ci_lower, result.ci_upper) == pytest.approx(tuple(expected), rel=1e-12)
    assert result.standard_error == pytest.approx(stats.sem(values), rel=1e-12)
    assert (result.n, result.n_groups) == (37, None)


def test_the_clustered_error_is_that_of_a_constant_regression() -> None:
    rng = np.random.default_rng(2)
    groups = rng.integers(0, 12, 80)
    values = rng.normal(size=80) + rng.normal(size=12)[groups]
    n_groups = len(np.unique(groups))
    fit = sm.OLS(values, np.ones(80)).fit(
        cov_type="cluster", cov_kwds={"groups": groups, "use_correction": False}
    )
    cr0 = float(fit.bse[0])
    assert mean_standard_error(values, groups=groups, small_sample=False) == pytest.approx(cr0)
    result = mean_interval(values, groups=groups)
    cr1 = cr0 * math.sqrt(n_groups / (n_groups - 1))
    half = stats.t.ppf(0.975, n_groups - 1) * cr1
    assert result.standard_error == pytest.approx(cr1)
    assert result.ci_upper - result.estimate == pytest.approx(half)
    assert result.n_groups == n_groups


def test_every_value_a_group_of_its_own_is_no_clustering() -> None:
    values = [3.0, 1.0, 4.0, 1.5]
    alone, grouped = mean_interval(values), mean_interval(values, groups=[1, 2, 3, 4])
    assert grouped.ci_lower == pytest.approx(alone.ci_lower)


@pytest.mark.parametrize("arguments", [{"values": [4.0]}, {"values": [4.0, 5.0], "groups": "aa"}])
def test_one_value_or_one_group_bounds_nothing(arguments: dict[str, Any]) -> None:
    groups = arguments.get("groups")
    result = mean_interval(arguments["values"], groups=None if groups is None else list(groups))
    assert (result.ci_lower, result.ci_upper) == (-math.inf, math.inf)
    assert math.isnan(result.standard_error)


@given(n=st.integers(1, 400), share=st.floats(0, 1), level=st.sampled_from([0.8, 0.95, 0.99]))
def test_the_proportion_interval_agrees_with_statsmodels(
    n: int, share: float, level: float
) -> None:
    successes = round(n * share)
    result = proportion_interval(successes, n, confidence_level=level)
    expected = proportion_confint(successes, n, alpha=1 - level, method="wilson")
    assert (result.ci_lower, result.ci_upper) == pytest.approx(expected, abs=1e-12)
    assert 0.0 <= result.ci_lower <= result.estimate <= result.ci_upper <= 1.0


def test_the_ends_of_a_proportion_are_exact() -> None:
    assert proportion_interval(0, 7).ci_lower == 0.0
    assert proportion_interval(7, 7).ci_upper == 1.0


def test_more_successes_than_trials_are_refused() -> None:
    with pytest.raises(ValueError, match="successes is 5 of n = 3; expected at most n"):
        proportion_interval(5, 3)


@given(n=st.integers(1, 300), q=st.floats(0.01, 0.99), level=st.sampled_from([0.5, 0.9, 0.95]))
def test_quantile_bounds_are_the_tightest_with_each_tail_covered(
    n: int, q: float, level: float
) -> None:
    result = quantile_interval(np.arange(1, n + 1), q, confidence_level=level)
    tail = (1 - level) / 2
    low = 0 if math.isinf(result.ci_lower) else int(result.ci_lower)
    high = n + 1 if math.isinf(result.ci_upper) else int(result.ci_upper)
    # The quantile lies below x_(low) when fewer than low values lie below it.
    assert stats.binom.cdf(low - 1, n, q) <= tail + 1e-12
    assert stats.binom.sf(high - 1, n, q) <= tail + 1e-12
    assert stats.binom.cdf(low, n, q) > tail - 1e-12
    assert stats.binom.sf(high - 2, n, q) > tail - 1e-12


def test_a_far_quantile_of_few_values_has_no_bound_on_its_side() -> None:
    latency_s = np.random.default_rng(0).exponential(size=50)
    result = quantile_interval(latency_s, 0.99)
    assert result.ci_upper == math.inf
    assert math.isfinite(result.ci_lower)
    assert math.isnan(result.standard_error)
    assert quantile_interval(latency_s, 0.01).ci_lower == -math.inf
    # 1 - 0.99^n ≥ 0.975 first at n = 368.
    assert quantile_interval(np.arange(367.0), 0.99).ci_upper == math.inf
    assert quantile_interval(np.arange(368.0), 0.99).ci_upper == 367.0


def test_the_quantile_does_not_depend_on_the_order_of_the_values() -> None:
    values = np.random.default_rng(3).normal(size=60)
    assert quantile_interval(values, 0.25) == quantile_interval(values[::-1], 0.25)


@pytest.mark.parametrize(
    ("level", "expected"), [(0.95, (25.0, 975.0)), (0.9, (50.0, 950.0)), (0.5, (250.0, 750.0))]
)
def test_percentile_bounds_are_order_statistics(
    level: float, expected: tuple[float, float]
) -> None:
    replicates = np.random.default_rng(0).permutation(np.arange(1.0, 1000.0))
    result = percentile_interval(1.0, replicates, n=3, confidence_level=level)
    assert (result.ci_lower, result.ci_upper) == expected


def test_undefined_replicates_are_dropped_and_counted() -> None:
    replicates = np.append(np.arange(1.0, 1000.0), [np.nan] * 20)
    result = percentile_interval(500.0, replicates, n=9, n_groups=4, method="by hand")
    assert (result.ci_lower, result.ci_upper) == (25.0, 975.0)
    assert result.method == "by hand, 20 undefined dropped"
    assert (result.n, result.n_groups) == (9, 4)


def test_too_many_undefined_replicates_are_refused() -> None:
    with pytest.raises(ValueError, match="6 of 100 bootstrap replicates are undefined"):
        percentile_interval(0.0, [np.nan] * 6 + [1.0] * 94, n=9)


def test_too_few_replicates_for_the_level_are_refused() -> None:
    with pytest.raises(ValueError, match=r"38 bootstrap replicates .* expected at least 39"):
        percentile_interval(0.0, np.arange(38.0), n=9)
    assert percentile_interval(0.0, np.arange(39.0), n=9).ci_lower == 0.0


def test_an_undefined_estimate_is_refused() -> None:
    with pytest.raises(ValueError, match="the estimate is nan; expected a figure defined"):
        percentile_interval(math.nan, np.arange(100.0), n=9)


def test_an_estimate_reads_as_a_row() -> None:
    row = proportion_interval(8, 10).as_dict()
    assert list(row) == [
        "estimate", "ci_lower", "ci_upper", "standard_error",
        "n", "n_groups", "confidence_level", "method",
    ]  # fmt: skip
