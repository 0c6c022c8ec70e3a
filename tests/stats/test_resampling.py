import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import ArrayLike, NDArray

from workbench.stats import (
    bootstrap,
    bootstrap_difference,
    mean_statistic,
    resample_weights,
    roc_auc_statistic,
)


def drawn(n: int, n_resamples: int, **options: Any) -> NDArray[np.int32]:
    return np.concatenate(list(resample_weights(n, n_resamples, **options)))


@given(n=st.integers(1, 60), batch_size=st.integers(1, 30), n_groups=st.none() | st.just(7))
def test_the_seed_decides_the_weights_whatever_the_batches(
    n: int, batch_size: int, n_groups: int | None
) -> None:
    groups = None if n_groups is None else np.arange(n) % n_groups
    batches = list(resample_weights(n, 25, groups=groups, random_state=5, batch_size=batch_size))
    assert all(len(batch) <= batch_size for batch in batches)
    assert np.array_equal(np.concatenate(batches), drawn(n, 25, groups=groups, random_state=5))


@pytest.mark.parametrize("n", [10_001, 40_000])
def test_the_seed_decides_the_weights_of_long_rows_too(n: int) -> None:
    assert np.array_equal(drawn(n, 9, batch_size=2), drawn(n, 9, batch_size=9))


def test_each_resample_draws_as_many_rows_as_there_are() -> None:
    weights = drawn(37, 200)
    assert weights.shape == (200, 37)
    assert (weights.sum(axis=1) == 37).all()
    assert not np.array_equal(weights, drawn(37, 200, random_state=1))


def test_multiplicities_follow_the_multinomial() -> None:
    weights = drawn(50, 20_000).astype(float)
    # Each is binomial(50, 1/50); rows are negatively correlated by 1/(n - 1).
    assert weights.mean(axis=0) == pytest.approx(np.ones(50), abs=5 * math.sqrt(0.98 / 20_000))
    assert weights.var() == pytest.approx(0.98, rel=0.01)
    assert np.corrcoef(weights[:, 0], weights[:, 1])[0, 1] == pytest.approx(-1 / 49, abs=0.035)


def test_whole_groups_are_drawn() -> None:
    groups = np.array(["a", "b", "a", "c", "b", "a"])
    weights = drawn(6, 300, groups=groups)
    for name in "abc":
        of_group = weights[:, groups == name]
        assert (of_group == of_group[:, :1]).all()
    one_row_each = weights[:, [0, 1, 3]]
    assert (one_row_each.sum(axis=1) == 3).all()


def test_the_names_of_groups_do_not_matter() -> None:
    first = drawn(4, 20, groups=["x", "a", "x", "b"])
    assert np.array_equal(first, drawn(4, 20, groups=[1, 2, 1, 3]))


def test_batches_stay_small_for_long_data() -> None:
    sizes = [batch.nbytes for batch in resample_weights(300_000, 7)]
    assert max(sizes) <= 4_000_000
    assert len(sizes) == 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n": 0}, "n is 0"),
        ({"n_resamples": 0}, "n_resamples is 0"),
        ({"random_state": -1}, "random_state is -1; expected a whole number ≥ 0"),
        ({"batch_size": 0}, "batch_size is 0"),
        ({"groups": ["a"]}, "groups has shape"),
    ],
)
def test_bad_requests_are_refused_before_anything_is_drawn(
    options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        resample_weights(**({"n": 3, "n_resamples": 2} | options))


def test_the_bootstrap_estimate_is_the_figure_on_the_data() -> None:
    values = np.random.default_rng(0).normal(size=80)
    result = bootstrap(mean_statistic(values), 80, n_resamples=4000, random_state=3)
    assert result.estimate == pytest.approx(values.mean())
    plug_in = values.std() / math.sqrt(80)
    assert result.standard_error == pytest.approx(plug_in, rel=0.05)
    assert result.ci_lower == pytest.approx(values.mean() - 1.96 * plug_in, abs=0.2 * plug_in)
    assert result == bootstrap(mean_statistic(values), 80, n_resamples=4000, random_state=3)


def test_the_clustered_bootstrap_has_the_clustered_error() -> None:
    groups = np.repeat(np.arange(40), 5)
    values = np.random.default_rng(1).normal(size=40)[groups]
    result = bootstrap(mean_statistic(values), 200, groups=groups, n_resamples=4000)
    assert result.standard_error == pytest.approx(values.std() / math.sqrt(40), rel=0.05)
    assert result.n_groups == 40


@given(shift=st.floats(-0.5, 0.5), seed=st.integers(0, 50))
def test_the_pvalue_is_small_exactly_when_the_interval_excludes_0(shift: float, seed: int) -> None:
    values = np.random.default_rng(seed).normal(size=25)
    a, b = mean_statistic(values + shift), mean_statistic(np.zeros(25))
    for level in (0.9, 0.95):
        result = bootstrap_difference(
            a, b, 25, n_resamples=217, random_state=seed, confidence_level=level
        )
        excludes = result.ci_lower > 0 or result.ci_upper < 0
        assert excludes == (result.pvalue <= 1 - level + 1e-12)


@given(seed=st.integers(0, 1000))
def test_the_difference_is_antisymmetric(seed: int) -> None:
    rng = np.random.default_rng(seed)
    y = np.append(rng.integers(0, 2, 40), [0, 0, 0, 0, 0, 1, 1, 1, 1, 1])
    a, b = (roc_auc_statistic(y, rng.normal(size=50) + y) for _ in range(2))
    one = bootstrap_difference(a, b, 50, n_resamples=99)
    other = bootstrap_difference(b, a, 50, n_resamples=99)
    assert one.difference == -other.difference
    assert (one.ci_lower, one.ci_upper) == (-other.ci_upper, -other.ci_lower)
    assert one.pvalue == other.pvalue


def test_equal_arms_have_no_difference() -> None:
    statistic = mean_statistic(np.random.default_rng(0).normal(size=30))
    result = bootstrap_difference(statistic, statistic, 30)
    assert (result.difference, result.ci_lower, result.ci_upper, result.pvalue) == (0, 0, 0, 1)
    assert math.isnan(result.statistic)


def test_the_pvalue_is_never_0() -> None:
    a, b = mean_statistic(np.ones(30)), mean_statistic(np.zeros(30))
    assert bootstrap_difference(a, b, 30, n_resamples=199).pvalue == pytest.approx(2 / 200)


def test_pairing_uses_the_same_resamples_for_both() -> None:
    values = np.random.default_rng(0).normal(size=60)
    shifted = bootstrap_difference(mean_statistic(values + 0.25), mean_statistic(values), 60)
    assert shifted.standard_error == pytest.approx(0.0, abs=1e-12)


def test_resamples_without_a_class_are_dropped_and_counted() -> None:
    y = np.array([1] * 4 + [0] * 40)
    result = bootstrap(roc_auc_statistic(y, np.arange(44)[::-1] % 9), 44, n_resamples=2000)
    assert result.method.startswith("bootstrap percentile (2000 resamples), ")
    dropped = int(result.method.split()[-3])
    # (1 - 4/44)^44 = 1.5 %: binomial, ± 5 standard deviations.
    assert 30 - 28 <= dropped <= 30 + 28


def test_a_class_too_rare_to_resample_is_refused() -> None:
    statistic = roc_auc_statistic([1] + [0] * 40, np.arange(41))
    with pytest.raises(ValueError, match=r"bootstrap replicates are undefined; .* class too rare"):
        bootstrap(statistic, 41)


def test_a_figure_undefined_on_the_data_is_refused() -> None:
    statistic = roc_auc_statistic([0] * 9, np.arange(9))
    with pytest.raises(ValueError, match="the estimate is nan"):
        bootstrap(statistic, 9)
    with pytest.raises(ValueError, match="the difference is nan"):
        bootstrap_difference(statistic, statistic, 9)


def test_a_statistic_of_another_shape_is_refused() -> None:
    def keeps_all(weights: ArrayLike) -> NDArray[np.float64]:
        return np.asarray(weights, dtype=np.float64)

    with pytest.raises(ValueError, match=r"statistic gave shape \(1, 5\) .* expected \(1,\)"):
        bootstrap(keeps_all, 5)


def test_weights_of_0_leave_a_mean_undefined() -> None:
    assert np.isnan(mean_statistic([1.0, 2.0])([[0, 0], [0, 1]])).tolist() == [True, False]
