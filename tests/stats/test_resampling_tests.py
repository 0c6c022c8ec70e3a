import math
from typing import Any

import numpy as np
import pytest
from scipy import stats

from workbench.stats import (
    bootstrap,
    bootstrap_bca,
    corrected_resampled_t,
    five_by_two_t,
    mean_statistic,
    paired_difference,
    sign_flip_pvalue,
)

WRONG: Any = "wrong"


def test_bca_is_scipys() -> None:
    values = np.random.default_rng(0).lognormal(size=80)
    found = bootstrap_bca(mean_statistic(values), 80, n_resamples=20_000)
    other = stats.bootstrap(
        (values,), np.mean, n_resamples=20_000, method="BCa", rng=np.random.default_rng(1)
    ).confidence_interval
    width = other.high - other.low
    assert found.ci_lower == pytest.approx(other.low, abs=0.04 * width)
    assert found.ci_upper == pytest.approx(other.high, abs=0.04 * width)
    percentile = bootstrap(mean_statistic(values), 80, n_resamples=20_000)
    assert found.ci_upper > percentile.ci_upper


def test_bca_by_cluster_is_bca_of_the_cluster_means() -> None:
    rng = np.random.default_rng(2)
    groups = np.repeat(np.arange(40), 5)
    values = rng.exponential(size=40)[groups]
    by_group = bootstrap_bca(mean_statistic(values), 200, groups=groups, n_resamples=4000)
    of_means = bootstrap_bca(mean_statistic(values[::5]), 40, n_resamples=4000)
    assert by_group.ci_lower == pytest.approx(of_means.ci_lower)
    assert by_group.n_groups == 40


def test_bca_where_nothing_varies_or_too_little_is_there() -> None:
    same = bootstrap_bca(mean_statistic([2.0] * 9), 9)
    assert (same.ci_lower, same.ci_upper) == (2.0, 2.0)
    values = np.random.default_rng(3).lognormal(size=30)
    few = bootstrap_bca(mean_statistic(values), 30, n_resamples=50)
    assert few.ci_upper == math.inf
    assert "beyond" in few.method
    assert math.isfinite(bootstrap_bca(mean_statistic(values), 30, n_resamples=5000).ci_upper)
    with pytest.raises(ValueError, match="the figure is nan"):
        bootstrap_bca(lambda w: np.full(len(np.atleast_2d(w)), np.nan), 5)

    def last_needed(weights: Any) -> Any:
        w = np.atleast_2d(np.asarray(weights, dtype=float))
        left_out = (w[:, -1] == 0) & (w.sum(axis=1) == 4)
        return np.where(left_out, np.nan, w @ np.arange(5.0))

    with pytest.raises(ValueError, match="undefined when a unit is left out"):
        bootstrap_bca(last_needed, 5)


def test_flips_of_few_units_are_all_gone_through() -> None:
    assert sign_flip_pvalue([1.0, 2.0, 3.0], alternative="greater") == 1 / 8
    assert sign_flip_pvalue([1.0, 2.0, 3.0], alternative="less") == 1.0
    assert sign_flip_pvalue([1.0, -1.0]) == 1.0
    assert sign_flip_pvalue([0.0, 0.0]) == 1.0
    d = np.random.default_rng(4).normal(0.5, 1, 12)
    other = stats.permutation_test((d,), np.sum, permutation_type="samples", n_resamples=10_000)
    assert sign_flip_pvalue(d) == pytest.approx(other.pvalue)


def test_flips_of_many_units_come_near_the_t_test() -> None:
    d = np.random.default_rng(5).normal(0.15, 1, 300)
    t = paired_difference(d, np.zeros(300)).pvalue
    assert sign_flip_pvalue(d, n_resamples=20_000) == pytest.approx(t, rel=0.15)
    assert sign_flip_pvalue(d) == sign_flip_pvalue(d)
    assert sign_flip_pvalue(np.ones(40)) == 1 / 10_000


def test_groups_flip_together() -> None:
    values, groups = [1.0] * 12, [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]
    assert sign_flip_pvalue(values, groups=groups) == 2 / 16


def test_the_correction_widens_the_t_test() -> None:
    d = np.random.default_rng(6).normal(0.1, 0.3, 100)
    corrected = corrected_resampled_t(d, n_train=90, n_test=10)
    naive = paired_difference(d, np.zeros(100))
    factor = math.sqrt((1 / 100 + 10 / 90) * 100)
    assert corrected.standard_error == pytest.approx(factor * naive.standard_error)
    assert corrected.pvalue > naive.pvalue


def test_five_by_two_is_mlxtends_formula() -> None:
    d = np.random.default_rng(7).normal(0.02, 0.02, (5, 2))
    variance = np.mean([((p - p.mean()) ** 2).sum() for p in d])
    t = d[0, 0] / math.sqrt(variance)
    found = five_by_two_t(d)
    assert found.statistic == pytest.approx(t)
    assert found.pvalue == pytest.approx(2 * stats.t.sf(abs(t), 5))
    assert five_by_two_t(np.zeros((5, 2))).pvalue == 1.0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: corrected_resampled_t([0.1], n_train=9, n_test=1), "1 split"),
        (lambda: corrected_resampled_t([0.1, 0.2], n_train=0, n_test=1), "n_train is 0"),
        (lambda: five_by_two_t([[0.1, 0.2]]), "expected .5, 2."),
        (lambda: sign_flip_pvalue([]), "differences is empty"),
        (lambda: sign_flip_pvalue([0.1], alternative=WRONG), "alternative is 'wrong'"),
        (lambda: sign_flip_pvalue([0.1], n_resamples=0), "n_resamples is 0"),
    ],
)
def test_bad_input_is_refused(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
