import math
from typing import Any

import numpy as np
import pytest
from scipy import stats

from workbench.stats import compare_proportions, noninferiority_test, proportions_chi_square

WRONG: Any = "wrong"
KINDS: list[Any] = ["miettinen-nurminen", "newcombe", "wald", "agresti-caffo"]


def test_the_score_interval_and_its_test_never_disagree() -> None:
    rng = np.random.default_rng(0)
    for _ in range(60):
        n_c, n_t = (int(n) for n in rng.integers(1, 60, 2))
        c, t = (int(rng.integers(0, n_c + 1)), n_c), (int(rng.integers(0, n_t + 1)), n_t)
        found = compare_proportions(c, t)
        for bound in (found.ci_lower, found.ci_upper):
            if -1 < bound < 1:
                at = compare_proportions(c, t, null_difference=bound)
                assert at.pvalue == pytest.approx(0.05, abs=1e-6)
        assert found.ci_lower <= found.difference <= found.ci_upper
        assert (found.pvalue < 0.05) == (found.ci_lower > 0 or found.ci_upper < 0)


def test_arms_swapped_mirror_each_other() -> None:
    for kind in KINDS:
        one = compare_proportions((3, 40), (9, 25), interval=kind)
        two = compare_proportions((9, 25), (3, 40), interval=kind)
        assert one.ci_lower == pytest.approx(-two.ci_upper)
        assert one.pvalue == pytest.approx(two.pvalue)


def test_non_inferiority_is_the_score_test_at_the_margin() -> None:
    """Checked against the constrained maximum of the likelihood, found by brute force."""
    (x_c, n_c), (x_t, n_t), margin = (60, 100), (58, 110), 0.1
    p = np.linspace(margin + 1e-9, 1 - 1e-9, 2_000_001)
    q = p - margin
    log_likelihood = (
        x_c * np.log(p) + (n_c - x_c) * np.log1p(-p) + x_t * np.log(q) + (n_t - x_t) * np.log1p(-q)
    )
    best = p[np.argmax(log_likelihood)]
    variance = best * (1 - best) / n_c + (best - margin) * (1 - best + margin) / n_t
    variance *= (n_c + n_t) / (n_c + n_t - 1)
    z = (x_t / n_t - x_c / n_c + margin) / math.sqrt(variance)
    found = compare_proportions(
        (x_c, n_c), (x_t, n_t), null_difference=-margin, alternative="greater"
    )
    assert found.statistic == pytest.approx(z, abs=1e-5)
    assert found.pvalue == pytest.approx(stats.norm.sf(z), abs=1e-6)
    assert found.ci_upper == math.inf


def test_one_sided_bounds_are_those_of_the_wider_interval() -> None:
    one = compare_proportions((10, 100), (20, 100), alternative="greater", confidence_level=0.95)
    two = compare_proportions((10, 100), (20, 100), confidence_level=0.9)
    assert one.ci_lower == pytest.approx(two.ci_lower)


@pytest.mark.parametrize("counts", [((0, 20), (0, 30)), ((20, 20), (30, 30))])
def test_arms_without_variation_are_answered(counts: Any) -> None:
    found = compare_proportions(*counts)
    assert (found.statistic, found.pvalue) == (0.0, 1.0)
    assert -1 < found.ci_lower < 0 < found.ci_upper < 1


def test_opposite_extremes() -> None:
    found = compare_proportions((0, 20), (20, 20))
    assert found.pvalue < 1e-8
    assert 0.6 < found.ci_lower < found.ci_upper == 1.0
    assert math.isnan(found.lift)


def test_chi_square_of_two_is_z_squared() -> None:
    z = compare_proportions((12, 99), (5, 83), interval="newcombe").statistic
    assert proportions_chi_square([12, 5], [99, 83]).statistic == pytest.approx(z**2)
    assert proportions_chi_square([0, 0], [5, 6]).pvalue == 1.0


def test_a_margin_on_wald_and_on_score_agree_in_large_samples() -> None:
    found = compare_proportions((5000, 10_000), (4950, 10_000), interval="wald")
    score = compare_proportions(
        (5000, 10_000), (4950, 10_000), null_difference=-0.02, alternative="greater"
    )
    wald = noninferiority_test(found, 0.02)
    assert wald.holds
    assert wald.pvalue == pytest.approx(score.pvalue, rel=0.01)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: compare_proportions((1, 0), (1, 2)), "trials of control is 0"),
        (lambda: compare_proportions((3, 2), (1, 2)), "control has 3 successes of 2"),
        (lambda: compare_proportions((1, 2), (-1, 2)), "successes of treatment is -1"),
        (lambda: compare_proportions((1, 2), (1, 2), null_difference=1.0), "null_difference"),
        (lambda: compare_proportions((1, 2), (1, 2), interval=WRONG), "interval is 'wrong'"),
        (lambda: proportions_chi_square([1], [2]), "two arms"),
        (lambda: proportions_chi_square([3, 1], [2, 2]), "out of range"),
    ],
)
def test_bad_input_is_refused(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
