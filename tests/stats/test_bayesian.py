import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from workbench.stats import (
    compare_beta,
    compare_normal,
    normal_expected_losses,
    normal_posterior,
    probability_best_beta,
    probability_best_normal,
)


@given(mean=st.floats(-5, 5), sd=st.floats(1e-3, 5))
def test_losses_differ_by_the_mean_and_are_expectations(mean: float, sd: float) -> None:
    control, treatment = normal_expected_losses(mean, sd)
    assert control - treatment == pytest.approx(mean, abs=1e-12)
    z = mean / sd
    expected = mean * stats.norm.cdf(z) + sd * stats.norm.pdf(z)
    assert control == pytest.approx(expected, rel=1e-9, abs=1e-14)


def test_far_tails_keep_their_digits() -> None:
    """E[max(−δ, 0)] ≈ sd φ(z)/z² far out, where the textbook formula cancels to nothing."""
    small = normal_expected_losses(20.0, 1.0)[1]
    assert small == pytest.approx(stats.norm.pdf(20) / 400 * (1 - 3 / 400), rel=1e-3)
    assert normal_expected_losses(-2.0, 0.0) == (0.0, 2.0)


def test_the_chance_to_win_is_that_of_small_counts() -> None:
    """Beta(2, 3) against Beta(3, 2): integrated by hand."""
    found = compare_beta((1, 3), (2, 3))
    expected = integrate.quad(lambda x: stats.beta.pdf(x, 3, 2) * stats.beta.cdf(x, 2, 3), 0, 1)[0]
    assert found.chance_to_win == pytest.approx(expected, abs=1e-9)
    loss = integrate.dblquad(
        lambda c, t: max(c - t, 0) * stats.beta.pdf(c, 2, 3) * stats.beta.pdf(t, 3, 2), 0, 1, 0, 1
    )[0]
    assert found.loss_treatment == pytest.approx(loss, abs=1e-6)
    assert found.loss_control - found.loss_treatment == pytest.approx(found.difference)


def test_beta_comparisons_are_those_of_a_sample() -> None:
    rng = np.random.default_rng(0)
    control, treatment = rng.beta(13, 89, 400_000), rng.beta(22, 80, 400_000)
    found = compare_beta((12, 100), (21, 100))
    assert found.chance_to_win == pytest.approx((treatment > control).mean(), abs=0.002)
    assert (found.ci_lower, found.ci_upper) == pytest.approx(
        np.quantile(treatment - control, [0.025, 0.975]), abs=0.001
    )
    assert found.standard_deviation == pytest.approx((treatment - control).std(), rel=0.01)


def test_large_counts_are_nearly_normal() -> None:
    found = compare_beta((50_000, 10**6), (50_500, 10**6))
    error = math.sqrt(0.05 * 0.95 / 1e6 + 0.0505 * 0.9495 / 1e6)
    normal = compare_normal(0.0005, error)
    assert found.chance_to_win == pytest.approx(normal.chance_to_win, abs=1e-4)
    assert found.loss_treatment == pytest.approx(normal.loss_treatment, rel=0.02)


def test_the_best_of_many() -> None:
    assert probability_best_normal([1.0] * 4, [0.3] * 4) == pytest.approx([0.25] * 4)
    assert probability_best_beta([(5, 50)] * 3) == pytest.approx([1 / 3] * 3)
    pair = probability_best_normal([0.0, 1.0], [1.0, 2.0])
    assert pair[1] == pytest.approx(stats.norm.cdf(1 / math.sqrt(5)), abs=1e-9)
    arms = [(30, 300), (45, 310), (40, 290)]
    draws = np.random.default_rng(1).beta(
        [a + 1 for a, _ in arms], [n - a + 1 for a, n in arms], (200_000, 3)
    )
    best = np.bincount(draws.argmax(axis=1)) / 200_000
    assert probability_best_beta(arms) == pytest.approx(best, abs=0.004)
    assert probability_best_beta([(1, 2)]).tolist() == [1.0]


@given(estimate=st.floats(-3, 3), error=st.floats(0.01, 3), prior=st.floats(0.01, 3))
def test_a_prior_shrinks(estimate: float, error: float, prior: float) -> None:
    mean, sd = normal_posterior(estimate, error, prior_mean=0.0, prior_sd=prior)
    assert abs(mean) <= abs(estimate)
    assert sd <= min(error, prior) * (1 + 1e-12)
    assert 1 / sd**2 == pytest.approx(1 / error**2 + 1 / prior**2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: normal_posterior(math.nan, 1, prior_mean=0, prior_sd=1), "estimate is nan"),
        (lambda: normal_posterior(0, 0, prior_mean=0, prior_sd=1), "standard_error is 0"),
        (lambda: normal_expected_losses(0, -1), "sd -1"),
        (lambda: compare_beta((3, 2), (1, 2)), "control has 3 successes of 2"),
        (lambda: compare_beta((1, 2), (1, 2), prior=(0, 1)), "prior is"),
        (lambda: probability_best_normal([1], [1, 2]), "differ in length"),
        (lambda: probability_best_beta([]), "no arms"),
    ],
)
def test_bad_input_is_refused(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
