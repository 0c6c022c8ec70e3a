import math
from typing import Any

import numpy as np
import pytest
from scipy import integrate, stats

from workbench.stats import (
    SequentialRule,
    asymptotic_confidence_sequence,
    betting_confidence_sequence,
    betting_log_capital,
    binomial_confidence_sequence,
    e_benjamini_hochberg,
    evalues_from_pvalues,
    merge_evalues,
    mixture_ratio,
    msprt,
    normal_mixture_boundary,
    predictable_variance,
    running_sequence,
)


def test_the_e_value_is_the_mixture_of_likelihood_ratios() -> None:
    estimate, error, tau, null = 0.3, 0.12, 0.2, 0.05

    def integrand(effect: float) -> float:
        ratio = stats.norm.pdf(estimate, effect, error) / stats.norm.pdf(estimate, null, error)
        return float(ratio * stats.norm.pdf(effect, null, tau))

    expected = integrate.quad(integrand, -3, 3)[0]
    found = msprt(estimate, error, tau=tau, null=null)
    assert float(np.exp(found.log_e_value)) == pytest.approx(expected)


def test_bounds_are_the_values_the_evidence_excludes() -> None:
    sequence = asymptotic_confidence_sequence(0.2, 0.05, 900, n_opt=500)
    for bound in (float(sequence.ci_lower), float(sequence.ci_upper)):
        at = asymptotic_confidence_sequence(0.2, 0.05, 900, n_opt=500, null=bound)
        assert float(at.log_e_value) == pytest.approx(math.log(20))
        assert float(at.pvalue) == pytest.approx(0.05)
    proportion = binomial_confidence_sequence(30, 100)
    for bound in (float(proportion.ci_lower), float(proportion.ci_upper)):
        at = binomial_confidence_sequence(30, 100, null=bound)
        assert float(at.pvalue) == pytest.approx(0.05, rel=1e-6)


def test_a_sequence_is_tightest_about_its_chosen_size() -> None:
    n = 1000.0
    widths = {
        opt: float(asymptotic_confidence_sequence(0, 1, n, n_opt=opt).ci_upper)
        for opt in (100, 700, 1000, 1500, 10_000)
    }
    assert widths[1000] < min(widths[100], widths[10_000])
    assert widths[1000] == pytest.approx(min(widths.values()), rel=1e-3)
    assert 1.96 < widths[1000] < 3.2


def test_unknown_and_zero_errors_are_answered() -> None:
    found = msprt([0.5, 0.5, 0.0], [math.nan, 0.0, 0.0], tau=1.0)
    assert found.ci_lower.tolist() == [-math.inf, 0.5, 0.0]
    assert found.pvalue.tolist() == [1.0, 0.0, 1.0]


def test_running_bounds_only_tighten() -> None:
    rng = np.random.default_rng(0)
    n = np.arange(100, 2000, 50)
    means = np.cumsum(rng.normal(0.1, 1, 2000))[n - 1] / n
    plain = asymptotic_confidence_sequence(means, 1 / np.sqrt(n), n, n_opt=500)
    found = running_sequence(plain)
    assert (np.diff(found.ci_lower) >= 0).all()
    assert (np.diff(found.ci_upper) <= 0).all()
    assert found.pvalue[-1] == plain.pvalue.min()


def test_one_side_is_lower_than_two() -> None:
    v = [10.0, 100.0, 1000.0]
    one = normal_mixture_boundary(v, v_opt=100, two_sided=False)
    assert (one < normal_mixture_boundary(v, v_opt=100)).all()


@pytest.mark.parametrize("prior", [(0.5, 0.5), (5.0, 45.0)])
def test_the_beta_mixture_bounds_by_definition(prior: tuple[float, float]) -> None:
    found = binomial_confidence_sequence([0, 3, 40], [10, 40, 40], prior=prior)
    assert found.ci_lower[0] == 0.0
    assert found.ci_upper[2] == 1.0

    def log_e(p: float) -> float:
        mixture = integrate.quad(
            lambda q: stats.beta.pdf(q, *prior) * q**3 * (1 - q) ** 37 / (p**3 * (1 - p) ** 37),
            0,
            1,
        )[0]
        return math.log(mixture)

    assert log_e(float(found.ci_upper[1])) == pytest.approx(math.log(20), abs=1e-4)


def test_betting_bounds_hold_what_a_gambler_excludes() -> None:
    x = np.random.default_rng(1).beta(2, 5, 600)
    found = betting_confidence_sequence(x, n_grid=400)
    t = np.arange(1, 601)
    stake = np.sqrt(2 * math.log(40) / (predictable_variance(x) * t * np.log1p(t)))
    for m in (0.2, 0.25, 0.3):
        capital = betting_log_capital(x, stake, null=m, bounds=(0, 1), upward=True)
        excluded = capital.max() >= math.log(40)
        assert excluded == (found.ci_lower[-1] >= m)
    assert (np.diff(found.ci_lower) >= 0).all()
    assert found.ci_lower[-1] < x.mean() < found.ci_upper[-1]


def test_betting_scales_with_the_bounds_and_beats_hoeffding() -> None:
    x = np.random.default_rng(2).uniform(0.45, 0.55, 500)
    unit = betting_confidence_sequence(x)
    scaled = betting_confidence_sequence(200 * x - 100, bounds=(-100, 100))
    np.testing.assert_allclose(scaled.ci_upper, 200 * unit.ci_upper - 100, atol=1e-6)
    hoeffding = math.sqrt(math.log(2 / 0.05) / 1000)
    assert unit.ci_upper[-1] - unit.ci_lower[-1] < hoeffding


def test_mixing_gambles_is_fair() -> None:
    """The expected capital under the null is 1: checked over all outcomes of few coin flips."""
    outcomes = (np.arange(2**10)[:, None] >> np.arange(10) & 1).astype(float)
    rule = SequentialRule(0.2, limits=(-1.0, 1.0))
    evidence = rule.evidence(2 * outcomes - 1)
    for side in (evidence.promote, evidence.reject):
        np.testing.assert_allclose(np.exp(side).mean(axis=0), 1.0)
    up = np.exp(evidence.futile)
    weights = np.prod(np.where(outcomes == 1, 0.6, 0.4), axis=1)
    np.testing.assert_allclose(weights @ up, 1.0)


@pytest.mark.parametrize("limits", [(-1.0, 1.0), None])
def test_the_rule_and_its_interval_agree(limits: Any) -> None:
    rng = np.random.default_rng(3)
    gains = rng.choice([-1.0, 0.0, 1.0], size=900, p=[0.12, 0.6, 0.28])
    rule = SequentialRule(0.1, limits=limits, first_look=50)
    looks = np.arange(25, 901, 25)
    lower, upper = rule.interval(gains, looks)
    evidence = rule.evidence(gains)
    promoted = np.maximum.accumulate(evidence.promote)[looks - 1] >= rule.threshold
    assert promoted.any()
    assert not promoted.all()
    at_looks = np.maximum.accumulate(evidence.promote[looks - 1]) >= rule.threshold
    assert ((lower > 0) == at_looks).all()
    assert (np.diff(lower) >= 0).all()
    assert (np.diff(upper) <= 0).all()
    assert lower[-1] < gains.mean() < upper[-1]


def test_a_bound_shifts_the_rule() -> None:
    gains = np.random.default_rng(4).normal(0.2, 0.1, 300).clip(-1, 1)
    plain, shifted = SequentialRule(0.1), SequentialRule(0.1, bound=0.2)
    assert plain.evidence(gains).promote[-1] > plain.threshold
    assert shifted.evidence(gains).promote[-1] < shifted.threshold
    assert plain.fixed_n(0.5) == pytest.approx(196.2, abs=0.1)


def test_e_values_merge_and_select() -> None:
    assert merge_evalues([0.0, math.inf]) == math.inf
    assert e_benjamini_hochberg([math.nan, 19.0, 21.0]).tolist() == [False, False, False]
    assert e_benjamini_hochberg([math.nan, 41.0, 1.0]).tolist() == [False, True, False]
    assert e_benjamini_hochberg([20.0] * 5).tolist() == [True] * 5
    assert e_benjamini_hochberg([math.nan]).tolist() == [False]


def test_calibrated_p_values_have_mean_one() -> None:
    """Under the null p is uniform; with u = −ln p the mean is ∫ e(e^{−u}) e^{−u} du."""

    def integrand(u: float) -> float:
        return float(evalues_from_pvalues(math.exp(-u))) * math.exp(-u)

    total = integrate.quad(integrand, 0, 600, limit=400)[0]
    # Beyond u the rest is 1/u, for the calibrator falls off like 1/(p ln² p).
    assert total + 1 / 600 == pytest.approx(1.0, abs=1e-4)
    assert evalues_from_pvalues([0.0, 1.0, math.nan])[:2].tolist() == [math.inf, 0.5]
    near = evalues_from_pvalues([1 - 2e-4, 1 - 5e-5])
    assert near[0] == pytest.approx(near[1], abs=1e-4)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: asymptotic_confidence_sequence(0, 1, 0, n_opt=5), "n reaches down to 0"),
        (lambda: asymptotic_confidence_sequence(0, 1, 5, n_opt=0), "n_opt is 0"),
        (lambda: msprt(0, -1, tau=1), "standard_error reaches down to -1"),
        (lambda: msprt(0, 1, tau=0), "tau is 0"),
        (lambda: normal_mixture_boundary(0, v_opt=1), "v and v_opt"),
        (lambda: normal_mixture_boundary(1, v_opt=1, alpha=0.6, two_sided=False), "less than 0.5"),
        (lambda: mixture_ratio(0), "alpha is 0"),
        (lambda: binomial_confidence_sequence(5, 4), "out of range"),
        (lambda: binomial_confidence_sequence(1, 4, prior=(0, 1)), "prior is"),
        (lambda: betting_confidence_sequence([0.5, 1.5]), "within .0.0, 1.0."),
        (lambda: betting_confidence_sequence([0.5], bounds=(1, 0)), "bounds are"),
        (lambda: betting_confidence_sequence([0.5], null=2.0), "null is 2.0"),
        (
            lambda: betting_log_capital([0.5], 0.1, null=1.0, bounds=(0, 1), upward=True),
            "null is 1.0",
        ),
        (lambda: merge_evalues([]), "evalues are"),
        (lambda: merge_evalues([-1.0]), "numbers ≥ 0"),
        (lambda: evalues_from_pvalues([1.1]), "outside"),
        (lambda: SequentialRule(0.0), "minimum_effect is 0.0"),
        (lambda: SequentialRule(0.5, bound=0.6), "limits are"),
        (lambda: SequentialRule(0.5, alpha=0), "alpha is 0"),
        (lambda: SequentialRule(0.5, first_look=1), "first_look is 1"),
        (lambda: SequentialRule(0.1).evidence([2.0]), "within"),
        (lambda: SequentialRule(0.1).evidence([]), "empty"),
        (lambda: SequentialRule(0.1).interval([0.1], [2]), "expected 1"),
    ],
)
def test_bad_input_is_refused(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
