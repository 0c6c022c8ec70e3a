"""The interval of the calibration error must cover where the plain bootstrap does not."""

import numpy as np
import pytest

from workbench.stats import (
    Estimate,
    calibration_error_interval,
    expected_calibration_error_statistic,
    resample_weights,
)


def estimate(rng: np.random.Generator, n: int, stretch: float, copies: int = 1) -> Estimate:
    """Judge probabilities that are off by a factor; every example stands `copies` times."""
    p = rng.beta(1, 5, n)
    y = (rng.random(n) < np.clip(p * stretch, 0, 1)).astype(int)
    p, y, groups = (np.tile(a, copies) for a in (p, y, np.arange(n)))
    statistic = expected_calibration_error_statistic(y, p)
    grouped = groups if copies > 1 else None
    weights = resample_weights(len(p), 200, groups=grouped, random_state=1)
    boot = np.concatenate([statistic(w) for w in weights])
    return calibration_error_interval(y, p, boot, groups=grouped)


def true_error(stretch: float) -> float:
    p = np.random.default_rng(0).beta(1, 5, 300_000)
    return float(np.mean(np.abs(np.clip(p * stretch, 0, 1) - p)))


# Coverage over 300 runs was 94 %, 88 % and 94 %; the plain percentile interval's was 0 %, 52 %
# and 91 %. The bounds are three binomial standard errors of 120 runs below.
@pytest.mark.parametrize(("stretch", "least"), [(1.0, 0.87), (1.2, 0.79), (0.5, 0.87)])
def test_intervals_cover(stretch: float, least: float) -> None:
    rng, truth = np.random.default_rng(11), true_error(stretch)
    found = [estimate(rng, 1500, stretch) for _ in range(120)]
    assert np.mean([e.ci_lower - 1e-9 <= truth <= e.ci_upper for e in found]) >= least


def test_the_correction_takes_most_of_the_bias_off() -> None:
    rng = np.random.default_rng(5)
    found = np.mean([estimate(rng, 1500, 1.2).estimate for _ in range(40)])
    assert found == pytest.approx(true_error(1.2), abs=0.004)


def test_copies_of_examples_do_not_make_the_interval_narrower() -> None:
    alone = estimate(np.random.default_rng(3), 800, 1.3)
    tripled = estimate(np.random.default_rng(3), 800, 1.3, copies=3)
    width = alone.ci_upper - alone.ci_lower
    assert tripled.ci_upper - tripled.ci_lower == pytest.approx(width, rel=0.25)
    assert tripled.n_groups == 800


def test_the_interval_holds_its_estimate_and_stays_above_zero() -> None:
    rng = np.random.default_rng(7)
    for stretch in (1.0, 1.1, 0.4):
        found = estimate(rng, 300, stretch)
        assert 0 <= found.ci_lower <= found.estimate <= found.ci_upper


def test_certain_predictions_that_fail_are_not_calibrated() -> None:
    y, p = np.array([1, 0, 1, 1] * 50), np.array([0.0, 0.0, 1.0, 1.0] * 50)
    statistic = expected_calibration_error_statistic(y, p)
    boot = np.concatenate([statistic(w) for w in resample_weights(200, 200, random_state=0)])
    assert calibration_error_interval(y, p, boot).ci_lower > 0
