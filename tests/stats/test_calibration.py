import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import brier_score_loss, log_loss

from workbench.stats import (
    brier_decomposition,
    brier_scores,
    expected_calibration_error,
    expected_calibration_error_statistic,
    log_losses,
    proportion_interval,
    reliability_curve,
)


def sample(seed: int, *, n: int = 97, digits: int = 1) -> tuple[NDArray[Any], NDArray[Any]]:
    rng = np.random.default_rng(seed)
    p = rng.uniform(size=n).round(digits)
    return (rng.uniform(size=n) < p).astype(int), p


def test_per_example_losses_average_to_the_known_scores() -> None:
    y, p = sample(0, digits=3)
    assert brier_scores(y, p).mean() == pytest.approx(brier_score_loss(y, p))
    assert log_losses(y, p).mean() == pytest.approx(log_loss(y, p))


def test_certain_and_wrong_costs_a_bounded_loss() -> None:
    losses = log_losses([0, 1, 0, 1], [1.0, 0.0, 0.0, 1.0], eps=1e-6)
    assert losses.tolist() == pytest.approx([6 * math.log(10)] * 2 + [1e-6] * 2, rel=1e-5)
    assert np.isfinite(log_losses([0, 1], [1.0, 0.0])).all()


def test_an_eps_outside_its_range_is_refused() -> None:
    with pytest.raises(ValueError, match=r"eps is 0; expected a number in \(0, 0.5\)"):
        log_losses([0], [0.5], eps=0)


@given(seed=st.integers(0, 5000), n_bins=st.integers(1, 40), digits=st.integers(1, 3))
def test_the_brier_parts_add_up(seed: int, n_bins: int, digits: int) -> None:
    y, p = sample(seed, digits=digits)
    parts = brier_decomposition(y, p, n_bins=n_bins)
    total = parts.reliability - parts.resolution + parts.uncertainty + parts.within_bin
    assert total == pytest.approx(parts.brier, abs=1e-12)
    assert parts.brier == pytest.approx(brier_scores(y, p).mean())
    assert min(parts.reliability, parts.resolution, parts.uncertainty) >= 0.0


def test_a_bin_per_probability_leaves_nothing_within() -> None:
    y, p = sample(1)
    assert brier_decomposition(y, p, n_bins=200).within_bin == pytest.approx(0.0, abs=1e-15)


def test_the_base_rate_has_neither_reliability_nor_resolution() -> None:
    parts = brier_decomposition([0, 0, 0, 1], [0.25] * 4)
    assert parts == pytest.approx((0.1875, 0.0, 0.0, 0.1875, 0.0))


@given(seed=st.integers(0, 5000), n_bins=st.integers(1, 40))
def test_bins_are_of_equal_size_and_never_split_a_probability(seed: int, n_bins: int) -> None:
    y, p = sample(seed)
    curve = reliability_curve(y, p, n_bins=n_bins)
    assert curve.count.sum() == len(y)
    assert len(curve.count) <= min(n_bins, len(np.unique(p)))
    assert (np.diff(curve.mean_predicted) > 0).all()
    distinct = np.random.default_rng(seed).permutation(np.linspace(0, 1, 97))
    even = reliability_curve(y, distinct, n_bins=n_bins)
    assert len(even.count) == n_bins
    assert np.ptp(even.count) <= 1


def test_each_bin_has_its_wilson_interval() -> None:
    y, p = sample(3, n=400, digits=2)
    curve = reliability_curve(y, p, n_bins=7, confidence_level=0.9)
    for share, count, lower, upper in zip(
        curve.fraction_positive, curve.count, curve.ci_lower, curve.ci_upper, strict=True
    ):
        expected = proportion_interval(round(share * count), int(count), confidence_level=0.9)
        assert (lower, upper) == pytest.approx((expected.ci_lower, expected.ci_upper))


@given(seed=st.integers(0, 5000))
def test_the_calibration_error_is_the_mean_gap_over_the_bins(seed: int) -> None:
    y, p = sample(seed)
    curve = reliability_curve(y, p, n_bins=15)
    gap = np.abs(curve.mean_predicted - curve.fraction_positive)
    expected = float(np.average(gap, weights=curve.count))
    assert expected_calibration_error(y, p) == pytest.approx(expected)
    shuffled = np.random.default_rng(seed).permutation(len(y))
    assert expected_calibration_error(y[shuffled], p[shuffled]) == pytest.approx(expected)


def test_weights_count_rows_in_bins_that_stay() -> None:
    y, p = sample(5)
    counts = np.random.default_rng(6).integers(0, 3, (4, len(y)))
    together = expected_calibration_error(y, p, n_bins=1, weights=counts)
    alone = [abs(np.repeat(y, c).mean() - np.repeat(p, c).mean()) for c in counts]
    np.testing.assert_allclose(together, alone)
    doubled = expected_calibration_error(y, p, weights=np.full(len(y), 2.0))
    assert doubled == pytest.approx(expected_calibration_error(y, p))


def test_no_weight_leaves_the_calibration_error_undefined() -> None:
    statistic = expected_calibration_error_statistic([0, 1], [0.2, 0.9])
    assert np.isnan(statistic([[0, 0], [1, 1]])).tolist() == [True, False]


def test_perfect_and_worst_calibration() -> None:
    assert expected_calibration_error([0, 1], [0.0, 1.0]) == 0.0
    assert expected_calibration_error([1, 0], [0.0, 1.0]) == 1.0


def test_inputs_are_refused() -> None:
    with pytest.raises(ValueError, match="lengths differ: y has 2, probability has 1"):
        brier_scores([0, 1], [0.5])
    with pytest.raises(ValueError, match=r"probability is 1.5 at position 1; expected values in"):
        expected_calibration_error([0, 1], [0.5, 1.5])
    with pytest.raises(ValueError, match="n_bins is 0; expected a whole number ≥ 1"):
        reliability_curve([0, 1], [0.5, 0.5], n_bins=0)
