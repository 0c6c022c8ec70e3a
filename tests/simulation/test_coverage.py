"""Intervals must cover the truth as often as they say, tests must err no more than they say.

Every study is seeded. The bounds on a simulated rate are those within which a binomial with
the nominal rate falls with probability 99.9 %.
"""

import math
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from workbench.stats import (
    Difference,
    Estimate,
    bootstrap,
    bootstrap_difference,
    compare_roc_auc,
    mcnemar,
    mean_interval,
    mean_statistic,
    paired_difference,
    paired_sample_size,
    proportion_interval,
    quantile_interval,
    reliability_curve,
    roc_auc_interval,
    roc_auc_statistic,
)

Generator = np.random.Generator


def covers(result: Estimate | Difference, truth: float) -> bool:
    return result.ci_lower <= truth <= result.ci_upper


def rate(study: Callable[[Generator], bool], n_studies: int, seed: int) -> float:
    rng = np.random.default_rng(seed)
    return sum(study(rng) for _ in range(n_studies)) / n_studies


def assert_rate(observed: float, nominal: float, n_studies: int) -> None:
    low, high = (k / n_studies for k in stats.binom.interval(0.999, n_studies, nominal))
    assert low <= observed <= high, f"rate {observed}, nominal {nominal}: [{low}, {high}]"


def clustered(
    rng: Generator, n_groups: int, size: int
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Values around 0 whose group explains half of their variance."""
    groups = np.repeat(np.arange(n_groups), size)
    return rng.normal(size=n_groups)[groups] + rng.normal(size=groups.size), groups


def binormal(
    rng: Generator, n: int, shift: float
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Labels and two scores, correlated given the label, of the same AUC Φ(shift/√2)."""
    y = (np.arange(n) < n // 3).astype(np.int64)
    shared = rng.normal(size=n)
    a, b = (shift * y + math.sqrt(0.5) * (shared + rng.normal(size=n)) for _ in range(2))
    return y, a, b


@pytest.mark.parametrize("level", [0.8, 0.95])
def test_mean_interval(level: float) -> None:
    def study(rng: Generator) -> bool:
        return covers(mean_interval(rng.normal(3, 2, 8), confidence_level=level), 3.0)

    assert_rate(rate(study, 4000, 1), level, 4000)


def test_clustered_data_need_the_clustered_interval() -> None:
    rng, n_studies = np.random.default_rng(2), 2000
    robust = naive = 0
    for _ in range(n_studies):
        values, groups = clustered(rng, 25, 8)
        robust += covers(mean_interval(values, groups=groups), 0.0)
        naive += covers(mean_interval(values), 0.0)
    assert_rate(robust / n_studies, 0.95, n_studies)
    # The design effect is 1 + 7 · 0.5 = 4.5, so the naive interval reaches 1.96/√4.5 errors.
    honest = stats.norm.cdf(1.96 / math.sqrt(4.5)) * 2 - 1
    assert naive / n_studies == pytest.approx(honest, abs=0.04)
    assert naive / n_studies < 0.7


@pytest.mark.parametrize("n", [10, 20, 50, 200])
def test_proportion_interval_by_enumeration(n: int) -> None:
    """Wilson coverage oscillates with the true share; its mean over all shares is nominal."""
    counts = np.arange(n + 1)
    results = [proportion_interval(k, n) for k in range(n + 1)]
    coverage = np.array(
        [
            stats.binom.pmf(counts, n, p) @ [covers(r, p) for r in results]
            for p in (np.arange(400) + 0.5) / 400
        ]
    )
    assert coverage.mean() == pytest.approx(0.95, abs=0.005)
    assert coverage[20:-20].min() > 0.89


@pytest.mark.parametrize(("n", "q"), [(60, 0.5), (200, 0.9), (120, 0.99)])
def test_quantile_interval(n: int, q: float) -> None:
    truth = -math.log1p(-q)

    def study(rng: Generator) -> bool:
        return covers(quantile_interval(rng.exponential(size=n), q), truth)

    ranks = quantile_interval(np.arange(1.0, n + 1), q)
    above = stats.binom.cdf(min(ranks.ci_upper, n + 1) - 1, n, q)
    exact = above - stats.binom.cdf(ranks.ci_lower - 1, n, q)
    assert exact >= 0.95
    assert_rate(rate(study, 3000, 3), float(exact), 3000)


def test_bootstrap_interval() -> None:
    def study(rng: Generator) -> bool:
        values = rng.normal(size=150)
        seed = int(rng.integers(2**31))
        return covers(bootstrap(mean_statistic(values), 150, n_resamples=399, random_state=seed), 0)

    assert_rate(rate(study, 1500, 4), 0.95, 1500)


def test_clustered_bootstrap_interval() -> None:
    rng, n_studies = np.random.default_rng(5), 1000
    robust = naive = 0
    for i in range(n_studies):
        values, groups = clustered(rng, 80, 4)
        mean = mean_statistic(values)
        by_group = bootstrap(mean, 320, groups=groups, n_resamples=399, random_state=i)
        robust += covers(by_group, 0.0)
        naive += covers(bootstrap(mean, 320, n_resamples=199, random_state=i), 0.0)
    assert_rate(robust / n_studies, 0.95, n_studies)
    assert naive / n_studies < 0.85


def test_roc_auc_interval() -> None:
    truth = float(stats.norm.cdf(1 / math.sqrt(2)))

    def study(rng: Generator) -> bool:
        y, score, _ = binormal(rng, 240, 1.0)
        return covers(roc_auc_interval(y, score), truth)

    assert_rate(rate(study, 3000, 6), 0.95, 3000)


def test_the_bound_under_perfect_separation_holds() -> None:
    """A sample that separates perfectly does not prove an AUC of 1."""
    truth = float(stats.norm.cdf(3 / math.sqrt(2)))

    rng = np.random.default_rng(7)
    samples = [binormal(rng, 36, 3.0)[:2] for _ in range(1000)]
    results = [roc_auc_interval(y, score) for y, score in samples]
    perfect = [result for result in results if result.estimate == 1.0]
    assert len(perfect) > 100
    assert all(covers(result, truth) for result in perfect)


def test_compare_roc_auc_covers_and_errs_as_it_says() -> None:
    rng, n_studies = np.random.default_rng(8), 3000
    results = []
    for _ in range(n_studies):
        y, a, b = binormal(rng, 240, 1.0)
        results.append(compare_roc_auc(y, a, b))
    assert_rate(sum(covers(r, 0.0) for r in results) / n_studies, 0.95, n_studies)
    for alpha in (0.05, 0.2):
        assert_rate(sum(r.pvalue <= alpha for r in results) / n_studies, alpha, n_studies)


def test_compare_roc_auc_covers_a_difference() -> None:
    truth = float(stats.norm.cdf(1 / math.sqrt(2)) - stats.norm.cdf(0.6 / math.sqrt(2)))

    def study(rng: Generator) -> bool:
        y, a, b = binormal(rng, 240, 1.0)
        return covers(compare_roc_auc(y, a, b - 0.4 * y), truth)

    assert_rate(rate(study, 2000, 9), 0.95, 2000)


def test_bootstrap_difference_errs_as_it_says() -> None:
    def study(rng: Generator) -> bool:
        y, a, b = binormal(rng, 240, 1.0)
        seed = int(rng.integers(2**31))
        result = bootstrap_difference(
            roc_auc_statistic(y, a),
            roc_auc_statistic(y, b),
            240,
            n_resamples=399,
            random_state=seed,
        )
        return result.pvalue <= 0.05

    assert_rate(rate(study, 1000, 10), 0.05, 1000)


def test_paired_difference_of_clustered_pairs() -> None:
    rng, n_studies = np.random.default_rng(11), 2000
    robust = naive = 0
    for _ in range(n_studies):
        gap, groups = clustered(rng, 25, 6)
        easy = rng.normal(size=gap.size)
        robust += paired_difference(easy + gap, easy, groups=groups).pvalue <= 0.05
        naive += paired_difference(easy + gap, easy).pvalue <= 0.05
    assert_rate(robust / n_studies, 0.05, n_studies)
    assert naive / n_studies > 0.2


@pytest.mark.parametrize(("n", "disagree"), [(30, 0.3), (50, 0.2), (200, 0.1), (100, 0.5)])
def test_mcnemar_by_enumeration(n: int, disagree: float) -> None:
    """Of n examples some disagree, each either way: neither test errs more than it says."""
    exact = mid = 0.0
    for k in range(n + 1):
        weight = stats.binom.pmf(k, n, disagree) * stats.binom.pmf(np.arange(k + 1), k, 0.5)
        exact += weight @ [mcnemar(b, k - b).pvalue <= 0.05 for b in range(k + 1)]
        mid += weight @ [mcnemar(b, k - b, exact=False).pvalue <= 0.05 for b in range(k + 1)]
    assert exact < mid <= 0.05
    assert mid > 0.04


def test_reliability_curve_bins_cover() -> None:
    rng, n_studies = np.random.default_rng(12), 400
    hits = []
    for _ in range(n_studies):
        p = np.repeat([0.2, 0.4, 0.6, 0.8], 100)
        curve = reliability_curve((rng.uniform(size=400) < p).astype(int), p, n_bins=4)
        hits += ((curve.ci_lower <= [0.2, 0.4, 0.6, 0.8]) & (curve.ci_upper >= p[::100])).tolist()
    results = [proportion_interval(k, 100) for k in range(101)]
    exact = np.mean(
        [
            stats.binom.pmf(np.arange(101), 100, p) @ [covers(r, p) for r in results]
            for p in (0.2, 0.4, 0.6, 0.8)
        ]
    )
    assert_rate(float(np.mean(hits)), float(exact), len(hits))


def test_the_sample_size_gives_the_power() -> None:
    n = math.ceil(paired_sample_size(0.5, 0.08))

    def study(rng: Generator) -> bool:
        result = paired_difference(rng.normal(0.08, 0.5, n), np.zeros(n))
        return result.pvalue <= 0.05

    assert_rate(rate(study, 2000, 13), 0.8, 2000)
