import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from workbench.stats import compare_roc_auc, proportion_interval, roc_auc, roc_auc_interval


def sample(seed: int, n: int = 60) -> tuple[NDArray[np.int64], ...]:
    rng = np.random.default_rng(seed)
    y = np.append([0, 0, 1, 1], rng.integers(0, 2, n - 4))
    return y, *(np.round(2 * (rng.normal(size=n) + y)) for _ in range(2))


def delong_by_pairs(y: NDArray[np.int64], *scores: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the covariance of the AUCs straight from the definition, over all pairs."""
    v10, v01 = [], []
    for score in scores:
        gap = score[y == 1][:, None] - score[y == 0][None, :]
        psi = (gap > 0) + 0.5 * (gap == 0)
        v10.append(psi.mean(axis=1))
        v01.append(psi.mean(axis=0))
    m, k = int((y == 1).sum()), int((y == 0).sum())
    covariance: NDArray[np.float64] = np.cov(v10) / m + np.cov(v01) / k
    return covariance


@given(seed=st.integers(0, 10_000))
def test_the_variance_is_that_of_the_definition(seed: int) -> None:
    y, a, b = sample(seed)
    covariance = delong_by_pairs(y, a, b)
    first = roc_auc_interval(y, a)
    assert first.estimate == pytest.approx(roc_auc(y, a))
    assert first.standard_error**2 == pytest.approx(covariance[0, 0])
    variance = covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]
    assert compare_roc_auc(y, a, b).standard_error ** 2 == pytest.approx(variance)


@given(seed=st.integers(0, 10_000))
def test_order_transform_and_sign_do_what_they_should(seed: int) -> None:
    y, a, b = sample(seed)
    result = compare_roc_auc(y, a, b)
    shuffled = np.random.default_rng(seed).permutation(len(y))
    moved = compare_roc_auc(y[shuffled], np.exp(a[shuffled]), 3 * b[shuffled] + 1)
    assert moved[:6] == pytest.approx(result[:6], abs=1e-12)
    swapped = compare_roc_auc(y, b, a)
    assert swapped.difference == pytest.approx(-result.difference, abs=1e-15)
    assert (swapped.ci_lower, swapped.ci_upper) == pytest.approx(
        (-result.ci_upper, -result.ci_lower)
    )
    assert swapped.pvalue == pytest.approx(result.pvalue)
    flipped = roc_auc_interval(1 - y, a)
    assert flipped.estimate == pytest.approx(1 - roc_auc_interval(y, a).estimate)
    assert flipped.standard_error == pytest.approx(roc_auc_interval(y, a).standard_error)


def test_identical_scores_do_not_differ() -> None:
    y, a, _ = sample(1)
    result = compare_roc_auc(y, a, 2 * a + 3)
    assert result[:6] == (0.0, 0.0, 0.0, 0.0, 0.0, 1.0)


def test_perfect_separation_keeps_doubt() -> None:
    y, score = [0] * 30 + [1] * 8, np.arange(38.0)
    result = roc_auc_interval(y, score)
    assert (result.estimate, result.ci_upper, result.standard_error) == (1.0, 1.0, 0.0)
    assert result.ci_lower == pytest.approx(proportion_interval(8, 8).ci_lower)
    assert result.method == "delong; perfect separation: wilson on 8 disjoint pairs"
    inverted = roc_auc_interval(y, -score)
    assert (inverted.ci_lower, inverted.ci_upper) == pytest.approx((0.0, 1.0 - result.ci_lower))


def test_a_constant_score_is_a_coin() -> None:
    result = roc_auc_interval([0, 1, 0, 1], np.zeros(4))
    assert (result.estimate, result.ci_lower, result.ci_upper) == (0.5, 0.5, 0.5)


def test_a_difference_without_variance_is_certain() -> None:
    y = [0, 0, 1, 1]
    result = compare_roc_auc(y, [1, 2, 3, 4], np.zeros(4))
    assert (result.difference, result.statistic, result.pvalue) == (0.5, math.inf, 0.0)


def test_one_example_of_a_class_bounds_nothing() -> None:
    y = [0, 0, 0, 1]
    alone = roc_auc_interval(y, [1, 2, 4, 3])
    assert (alone.ci_lower, alone.ci_upper) == (0.0, 1.0)
    assert math.isnan(alone.standard_error)
    pair = compare_roc_auc(y, [1, 2, 4, 3], [1, 2, 3, 4])
    assert (pair.ci_lower, pair.ci_upper) == (-1.0, 1.0)
    assert math.isnan(pair.pvalue)


def test_the_interval_is_clipped() -> None:
    y, score = [0] * 5 + [1] * 5, [1, 2, 3, 4, 6, 5, 7, 8, 9, 10]
    result = roc_auc_interval(y, score)
    assert result.ci_upper == 1.0
    assert result.estimate + 1.96 * result.standard_error > 1.0


def test_an_absent_class_is_refused() -> None:
    with pytest.raises(ValueError, match="y holds 0 positives among 3 labels; expected both"):
        roc_auc_interval([0, 0, 0], [1, 2, 3])
    with pytest.raises(ValueError, match="y holds 3 positives among 3 labels; expected both"):
        compare_roc_auc([1, 1, 1], [1, 2, 3], [1, 2, 3])


def test_scores_of_another_length_are_refused() -> None:
    with pytest.raises(ValueError, match="lengths differ: y has 2, score_a has 2, score_b has 3"):
        compare_roc_auc([0, 1], [1, 2], [1, 2, 3])
