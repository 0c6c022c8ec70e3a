"""Comparisons of two arms must cover, reject and find as often as they say.

Every study is seeded. Bounds on a rate are those within which a binomial with the nominal rate
falls with probability 99.9 %, widened only where a method is known to be approximate.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats

from workbench.stats import (
    Moments,
    bootstrap_bca,
    cluster_power,
    cluster_sample_size,
    compare_clustered,
    compare_means,
    compare_proportions,
    compare_quantiles,
    compare_ratios,
    corrected_resampled_t,
    judge_corrected_proportion,
    lin_adjusted,
    mean_interval,
    mean_statistic,
    means_power,
    means_sample_size,
    post_stratified,
    prediction_powered_mean,
    proportions_sample_size,
    sample_ratio_test,
    sign_flip_pvalue,
)

Generator = np.random.Generator


def rates(study: Callable[[Generator], tuple[bool, ...]], n: int, seed: int) -> list[float]:
    rng = np.random.default_rng(seed)
    return [float(x) for x in np.mean([study(rng) for _ in range(n)], axis=0)]


def assert_rate(observed: float, nominal: float, n: int, slack: float = 0.0) -> None:
    low, high = (k / n for k in stats.binom.interval(0.999, n, nominal))
    assert low - slack <= observed <= high + slack, f"{observed}, nominal {nominal}"


def covers(found: Any, truth: float) -> bool:
    return bool(found.ci_lower <= truth <= found.ci_upper)


def covers_lift(found: Any, truth: float) -> bool:
    return bool(found.lift_ci_lower <= truth <= found.lift_ci_upper)


def test_welch_and_its_lift() -> None:
    """Unequal sizes and spreads, base 2 and effect 0.3; also with a negative base."""

    def study(rng: Generator) -> tuple[bool, ...]:
        c, t = Moments.of(rng.normal(2, 1, 60)), Moments.of(rng.normal(2.3, 2, 90))
        down = compare_means(Moments.of(rng.normal(-2, 1, 60)), Moments.of(rng.normal(-1.7, 2, 90)))
        found = compare_means(c, t)
        return covers(found, 0.3), covers_lift(found, 0.15), covers_lift(down, 0.15)

    for observed in rates(study, 4000, 1):
        assert_rate(observed, 0.95, 4000)


def test_cuped_lin_and_strata_cover_an_effect_that_varies() -> None:
    """Skewed outcomes, unequal arms, an effect that grows with the covariate (mean 0.4)."""

    def study(rng: Generator) -> tuple[bool, ...]:
        x = rng.exponential(size=400)
        arm = rng.permutation(400) < 120
        y = 1 + x + rng.normal(size=400) + arm * (0.4 + 0.5 * (x - 1))
        c, t = (Moments.of(y[s], x[s]) for s in (~arm, arm))
        stratum = np.digitize(x, [0.3, 0.7, 1.4])
        strata = [[Moments.of(y[s & (stratum == k)]) for k in range(4)] for s in (~arm, arm)]
        cuped = compare_means(c, t, covariates=1)
        return (
            covers(cuped, 0.4),
            covers(lin_adjusted(c, t), 0.4),
            covers(post_stratified(*strata), 0.4),
            covers_lift(cuped, 0.2),
            cuped.standard_error < compare_means(c, t).standard_error,
        )

    found = rates(study, 3000, 2)
    for observed in found[:4]:
        assert_rate(observed, 0.95, 3000, slack=0.006)
    assert found[4] > 0.99


def test_ratios_by_the_delta_method() -> None:
    def study(rng: Generator) -> tuple[bool, ...]:
        arms = []
        for rate in (0.3, 0.36):
            sessions = rng.geometric(0.3, 500)
            quality = rng.beta(3, 3 / rate - 3, 500)
            arms.append(Moments.of(rng.binomial(sessions, quality), sessions))
        found = compare_ratios(*arms)
        return covers(found, 0.06), covers_lift(found, 0.2)

    for observed in rates(study, 3000, 3):
        assert_rate(observed, 0.95, 3000)


@pytest.mark.parametrize("truth", [(0.02, 0.05), (0.5, 0.5), (0.9, 0.97)])
def test_the_score_interval_by_enumeration(truth: tuple[float, float]) -> None:
    """All pairs of counts of 25 and 35 trials."""
    n_c, n_t = 25, 35
    p_c, p_t = truth
    coverage, rejected = 0.0, 0.0
    for x_c in range(n_c + 1):
        for x_t in range(n_t + 1):
            mass = stats.binom.pmf(x_c, n_c, p_c) * stats.binom.pmf(x_t, n_t, p_t)
            if mass < 1e-5:
                continue
            found = compare_proportions((x_c, n_c), (x_t, n_t))
            coverage += mass * covers(found, p_t - p_c)
            rejected += mass * (found.pvalue <= 0.05)
    assert 0.93 <= coverage <= 0.985
    if p_c == p_t:
        assert rejected <= 0.055


def test_quantiles_cover() -> None:
    truth = 0.2 * math.log(10)

    def study(rng: Generator) -> tuple[bool, ...]:
        c, t = rng.exponential(size=400), 1.2 * rng.exponential(size=300)
        return (covers(compare_quantiles(c, t, 0.9), truth),)

    assert_rate(rates(study, 2000, 4)[0], 0.95, 2000, slack=0.01)


def test_few_clusters_need_cr2_and_naive_errors_fail() -> None:
    """Ten clusters, four of them treated, of sizes 5 to 30, intraclass correlation 0.1."""

    def study(rng: Generator) -> tuple[bool, ...]:
        groups = np.repeat(np.arange(10), rng.integers(5, 31, 10))
        y = 0.33 * rng.normal(size=10)[groups] + rng.normal(size=groups.size)
        treated = groups < 4
        naive = compare_means(Moments.of(y[~treated]), Moments.of(y[treated]))
        return (
            covers(compare_clustered(y, treated, groups), 0.0),
            covers(compare_clustered(y, treated, groups, kind="CR1"), 0.0),
            covers(naive, 0.0),
        )

    cr2, cr1, naive = rates(study, 2000, 5)
    assert_rate(cr2, 0.95, 2000, slack=0.005)
    assert cr1 < cr2
    assert naive < 0.8


def test_planned_power_is_had() -> None:
    """Means, proportions and clusters of unequal size: 80 % within two points."""
    n_mean = math.ceil(means_sample_size(0.4, 1.0, sd_treatment=1.5, ratio=1.5))
    n_share = math.ceil(proportions_sample_size(0.2, 0.3))
    n_cluster = math.ceil(cluster_sample_size(0.35, 1.0, icc=0.1, mean_size=10, cv_size=0.5))
    planned = (
        means_power(n_mean, 0.4, 1.0, sd_treatment=1.5, ratio=1.5),
        0.8,
        cluster_power(n_cluster, 0.35, 1.0, icc=0.1, mean_size=10, cv_size=0.5),
    )

    def study(rng: Generator) -> tuple[bool, ...]:
        means = compare_means(
            Moments.of(rng.normal(0, 1, n_mean)),
            Moments.of(rng.normal(0.4, 1.5, round(1.5 * n_mean))),
        )
        shares = compare_proportions(
            (int(rng.binomial(n_share, 0.2)), n_share),
            (int(rng.binomial(n_share, 0.3)), n_share),
            interval="wald",
        )
        sizes = rng.choice([5, 15], 2 * n_cluster)
        groups = np.repeat(np.arange(2 * n_cluster), sizes)
        treated = groups >= n_cluster
        between = math.sqrt(0.1) * rng.normal(size=2 * n_cluster)[groups]
        y = between + math.sqrt(0.9) * rng.normal(size=groups.size) + 0.35 * treated
        clustered = compare_clustered(y, treated, groups)
        return means.pvalue <= 0.05, shares.pvalue <= 0.05, clustered.pvalue <= 0.05

    found = rates(study, 4000, 6)
    # Two points, and two standard errors of the simulation.
    for observed, power in zip(found, planned, strict=True):
        assert observed == pytest.approx(power, abs=0.02 + 0.0126)


def test_sample_ratio_alarms_come_at_their_rate() -> None:
    rng = np.random.default_rng(7)
    counts = rng.multinomial(3000, [0.5, 0.3, 0.2], 6000)
    pvalues = np.array([sample_ratio_test(c, [5, 3, 2]).pvalue for c in counts])
    for alpha in (0.05, 0.01):
        assert_rate(float((pvalues <= alpha).mean()), alpha, 6000)
    skewed = rng.multinomial(20_000, [0.525, 0.475], 300)
    found = np.mean([sample_ratio_test(c, [1, 1]).pvalue < 0.001 for c in skewed])
    assert found > 0.99


def test_bca_covers_a_skewed_mean_better_than_t() -> None:
    truth = math.exp(0.5)

    def study(rng: Generator) -> tuple[bool, ...]:
        values = rng.lognormal(size=50)
        bca = bootstrap_bca(mean_statistic(values), 50, n_resamples=999)
        return covers(bca, truth), covers(mean_interval(values), truth)

    bca, t = rates(study, 800, 8)
    assert bca > t - 0.01
    assert bca > 0.86


def test_sign_flips_err_as_they_say() -> None:
    def study(rng: Generator) -> tuple[bool, ...]:
        d = rng.standard_t(2, 40)
        return (
            sign_flip_pvalue(d, n_resamples=199, random_state=int(rng.integers(10**6))) <= 0.05,
        )

    assert_rate(rates(study, 3000, 9)[0], 0.05, 3000)


def test_the_corrected_resampled_t_holds_its_level_and_the_naive_does_not() -> None:
    """Ten random splits of one data set: their overlap makes the plain t test err."""

    def study(rng: Generator) -> tuple[bool, ...]:
        values = rng.normal(size=200)
        splits = [rng.permutation(200) for _ in range(10)]
        d = [values[p[:40]].mean() for p in splits]
        corrected = corrected_resampled_t(d, n_train=160, n_test=40)
        naive = corrected_resampled_t(d, n_train=10**9, n_test=1)
        return corrected.pvalue <= 0.05, naive.pvalue <= 0.05

    corrected, naive = rates(study, 2000, 10)
    assert corrected <= 0.065
    assert naive > 0.2


def test_the_judge_is_corrected_and_taken_at_its_word_it_errs() -> None:
    def study(rng: Generator) -> tuple[bool, ...]:
        right = int(rng.binomial(1000, 0.5))
        said = int(rng.binomial(right, 0.9) + rng.binomial(1000 - right, 0.25))
        spec, sens = int(rng.binomial(100, 0.75)), int(rng.binomial(100, 0.9))
        found = judge_corrected_proportion((said, 1000), (spec, 100), (sens, 100))
        naive = mean_interval(np.repeat([1.0, 0.0], [said, 1000 - said]))
        return covers(found, 0.5), covers(naive, 0.5)

    corrected, naive = rates(study, 3000, 11)
    assert_rate(corrected, 0.95, 3000, slack=0.01)
    assert naive < 0.02


def test_prediction_powered_means_cover() -> None:
    def study(rng: Generator) -> tuple[bool, ...]:
        p = rng.beta(2, 2, 1200)
        y = (rng.random(1200) < p).astype(float)
        guess = np.clip(p + 0.1, 0, 1)
        found = prediction_powered_mean(y[:150], guess[:150], guess[150:])
        plain = mean_interval(y[:150])
        return covers(found, 0.5), found.standard_error < plain.standard_error

    covered, narrower = rates(study, 3000, 12)
    assert_rate(covered, 0.95, 3000, slack=0.005)
    assert narrower > 0.95
