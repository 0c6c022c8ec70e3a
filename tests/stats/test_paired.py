import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar

from workbench.stats import mcnemar, mean_interval, paired_difference


def test_without_groups_it_is_the_paired_t_test() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=25), rng.normal(0.3, size=25)
    result = paired_difference(a, b, confidence_level=0.9)
    expected = stats.ttest_rel(a, b)
    interval = expected.confidence_interval(0.9)
    assert (result.statistic, result.pvalue) == pytest.approx(
        (expected.statistic, expected.pvalue), rel=1e-12
    )
    assert (result.ci_lower, result.ci_upper) == pytest.approx(tuple(interval), rel=1e-12)


def test_with_groups_it_is_the_clustered_mean_of_the_differences() -> None:
    rng = np.random.default_rng(1)
    a, b, groups = rng.normal(size=30), rng.normal(size=30), rng.integers(0, 8, 30)
    result, mean = paired_difference(a, b, groups=groups), mean_interval(a - b, groups=groups)
    assert (result.ci_lower, result.ci_upper) == pytest.approx((mean.ci_lower, mean.ci_upper))
    assert result.n_groups == mean.n_groups
    p = 2 * stats.t.sf(abs(mean.estimate / mean.standard_error), len(set(groups.tolist())) - 1)
    assert result.pvalue == pytest.approx(p)


@given(seed=st.integers(0, 1000), group_size=st.none() | st.just(3))
def test_the_difference_is_antisymmetric(seed: int, group_size: int | None) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=20), rng.normal(size=20)
    groups = None if group_size is None else np.arange(20) // group_size
    one, other = paired_difference(a, b, groups=groups), paired_difference(b, a, groups=groups)
    assert one.difference == -other.difference
    assert (one.ci_lower, one.ci_upper) == (-other.ci_upper, -other.ci_lower)
    assert (one.statistic, one.pvalue) == (-other.statistic, other.pvalue)


def test_equal_arms_do_not_differ() -> None:
    result = paired_difference([1, 0, 1], [1, 0, 1])
    assert result[:6] == (0.0, 0.0, 0.0, 0.0, 0.0, 1.0)


def test_a_constant_difference_is_certain() -> None:
    result = paired_difference([3, 2, 4], [2, 1, 3])
    assert (result.difference, result.ci_lower, result.statistic) == (1.0, 1.0, math.inf)
    assert result.pvalue == 0.0


@pytest.mark.parametrize(("a", "b", "groups"), [([1], [0], None), ([1, 0], [0, 0], ["x", "x"])])
def test_a_single_unit_bounds_nothing(a: list[int], b: list[int], groups: list[str] | None) -> None:
    result = paired_difference(a, b, groups=groups)
    assert (result.ci_lower, result.ci_upper) == (-math.inf, math.inf)
    assert math.isnan(result.pvalue)
    assert math.isnan(result.standard_error)


def test_arms_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="lengths differ: a has 2, b has 3; expected one value"):
        paired_difference([1, 2], [1, 2, 3])


@given(b=st.integers(0, 60), c=st.integers(0, 60))
def test_exact_mcnemar_agrees_with_statsmodels(b: int, c: int) -> None:
    expected = statsmodels_mcnemar([[0, b], [c, 0]], exact=True).pvalue if b + c else 1.0
    assert mcnemar(b, c).pvalue == pytest.approx(expected, rel=1e-9)
    assert mcnemar(b, c) == mcnemar(c, b)._replace(b=b, c=c)


@given(b=st.integers(0, 60), c=st.integers(0, 60))
def test_mid_p_takes_the_observed_point_once(b: int, c: int) -> None:
    point = stats.binom.pmf(b, b + c, 0.5)
    result = mcnemar(b, c, exact=False)
    when_equal = 1.0 if b == 0 else 1.0 - point / 2
    expected = when_equal if b == c else mcnemar(b, c).pvalue - point
    assert result.pvalue == pytest.approx(expected, rel=1e-7, abs=1e-15)
    assert result.method == "mcnemar mid-p"


def test_negative_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="c is -1; expected a whole number ≥ 0"):
        mcnemar(1, -1)
