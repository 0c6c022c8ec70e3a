"""The winner's curse, censored times, and effects that differ."""

import math

import numpy as np
import pytest
from scipy import special
from statsmodels.duration.survfunc import SurvfuncRight, survdiff

from workbench.stats import (
    compare_restricted_means,
    heterogeneity_test,
    log_rank_test,
    restricted_mean,
    selection_corrected,
)

# ---------------------------------------------------------------- the winner's curse


@pytest.mark.parametrize("true", [0.5, 2.0])
def test_among_the_significant_the_correction_covers_and_is_less_biased(true: float) -> None:
    rng = np.random.default_rng(11)
    drawn = rng.normal(true, 1, 40_000)
    found = [selection_corrected(z, 1.0, 1.96) for z in drawn[np.abs(drawn) >= 1.96][:1500]]
    covered = np.mean([f.ci_lower <= true <= f.ci_upper for f in found])
    assert 0.935 <= covered <= 0.965
    naive = np.mean([f.estimate / f.shrinkage for f in found if f.shrinkage > 0])
    assert abs(np.mean([f.estimate for f in found]) - true) < abs(naive - true)


def test_a_clear_effect_is_left_alone_and_an_unselected_one_too() -> None:
    clear = selection_corrected(-9.0, 1.0, 1.96)
    assert clear.estimate == pytest.approx(-9.0, abs=1e-6)
    assert (clear.ci_lower, clear.ci_upper) == pytest.approx((-10.96, -7.04), abs=0.01)
    z = -float(special.ndtri(0.025))
    assert selection_corrected(1.0, 1.0, 1.96)[:4] == pytest.approx((1.0, 1 - z, 1 + z, 1.0))


def test_mirrored_effects_have_mirrored_corrections() -> None:
    up, down = selection_corrected(2.4, 1.0, 1.96), selection_corrected(-2.4, 1.0, 1.96)
    assert (up.estimate, up.ci_lower) == pytest.approx((-down.estimate, -down.ci_upper))
    assert 0 < up.shrinkage < 1


@pytest.mark.parametrize(("arguments", "message"), [
    ((1.0, 0.0, 1.96), "the error > 0"), ((math.nan, 1.0, 1.96), "finite"),
    ((1.0, 1.0, -1.0), "critical is -1.0"),
])  # fmt: skip
def test_selection_refuses(arguments: tuple[float, float, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        selection_corrected(*arguments)


# ---------------------------------------------------------------- times


def survival_data(seed: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    group = np.arange(400) % 2
    time, limit = rng.exponential(5 + 2 * group).round(1) + 0.1, rng.uniform(2, 15, 400).round(1)
    return np.minimum(time, limit), (time <= limit).astype(int), group


def test_the_curve_is_that_of_statsmodels() -> None:
    time, event, _ = survival_data()
    curve = SurvfuncRight(time, event)
    steps = np.diff(np.concatenate([[0], curve.surv_times[curve.surv_times < 8], [8]]))
    wanted = steps @ np.concatenate([[1], curve.surv_prob[curve.surv_times < 8]])
    assert restricted_mean(time, event, 8)[0] == pytest.approx(wanted, rel=1e-12)


def test_log_rank_is_that_of_statsmodels() -> None:
    time, event, group = survival_data()
    statistic, pvalue = survdiff(time, event, group)
    found = log_rank_test(*((time[group == g], event[group == g]) for g in (0, 1)))
    assert (found.statistic, found.pvalue) == pytest.approx((statistic, pvalue), rel=1e-10)


def test_without_censoring_it_is_the_plain_mean() -> None:
    time = np.random.default_rng(2).exponential(3, 500)
    mean, error, variance, n, _ = restricted_mean(time, np.ones(500), 4)
    assert variance == pytest.approx(np.minimum(time, 4).var())
    assert n == 500
    assert mean == pytest.approx(np.minimum(time, 4).mean())
    assert error == pytest.approx(np.minimum(time, 4).std() / math.sqrt(500), rel=1e-9)


def test_the_interval_of_a_difference_covers() -> None:
    rng = np.random.default_rng(4)
    # E[min(T, 6)] of an exponential with mean m is m(1 − e^(−6/m)).
    true = 5 * (1 - math.exp(-6 / 5)) - 4 * (1 - math.exp(-6 / 4))
    covered = 0
    for _ in range(400):
        arms = []
        for mean in (4.0, 5.0):
            time, limit = rng.exponential(mean, 150), rng.uniform(4, 12, 150)
            arms.append((np.minimum(time, limit), time <= limit))
        found = compare_restricted_means(arms[0], arms[1], 6.0)
        covered += found.ci_lower <= true <= found.ci_upper
    assert 0.925 <= covered / 400 <= 0.975


def test_each_unit_its_own_cluster_is_greenwoods_error() -> None:
    rng = np.random.default_rng(3)
    wait, limit = rng.exponential(4, 900), rng.uniform(3, 12, 900)
    time, event = np.minimum(wait, limit), wait <= limit
    plain = restricted_mean(time, event, 6)
    robust = restricted_mean(time, event, 6, groups=np.arange(900))
    assert robust.mean == plain.mean
    assert robust.standard_error == pytest.approx(plain.standard_error, rel=0.01)
    assert math.isnan(restricted_mean(time, event, 6, groups=np.zeros(900)).standard_error)


def test_the_clustered_error_is_the_spread_of_the_means() -> None:
    rng = np.random.default_rng(4)
    group = np.repeat(np.arange(60), 12)
    means, errors = [], []
    for _ in range(200):
        wait = rng.exponential(4 * np.exp(rng.normal(0, 0.5, 60))[group])
        limit = rng.uniform(5, 12, group.size)
        found = restricted_mean(np.minimum(wait, limit), wait <= limit, 6, groups=group)
        means.append(found.mean)
        errors.append(found.standard_error)
    # The standard deviation of 200 means is known to about 5 %.
    assert np.mean(errors) == pytest.approx(np.std(means, ddof=1), rel=0.15)
    with pytest.raises(ValueError, match="one arm only"):
        compare_restricted_means(
            (wait, np.ones(720)), (wait, np.ones(720)), 6, control_groups=group
        )


def test_a_curve_that_does_not_reach_the_horizon_is_refused() -> None:
    with pytest.raises(ValueError, match="take a shorter one"):
        restricted_mean([1, 2, 3], [1, 1, 0], 5)
    assert restricted_mean([1, 2, 3], [1, 1, 1], 5)[0] == 2.0


def test_nothing_happened() -> None:
    found = log_rank_test(([1, 2], [0, 0]), ([1, 2], [0, 0]))
    assert (found.pvalue, found.statistic) == (1.0, 0.0)
    assert restricted_mean([5, 5], [0, 0], 5)[:2] == (5.0, 0.0)


# ---------------------------------------------------------------- effects that differ


def test_two_groups_are_the_z_test_of_their_difference() -> None:
    z = (0.4 - 0.1) / math.hypot(0.1, 0.2)
    found = heterogeneity_test([0.1, 0.4], [0.1, 0.2])
    assert found.pvalue == pytest.approx(2 * special.ndtr(-z), rel=1e-12)


def test_equal_effects_are_rejected_at_the_level() -> None:
    rng = np.random.default_rng(9)
    error = np.array([0.1, 0.3, 0.2, 1.0])
    p = [heterogeneity_test(rng.normal(0.5, error), error).pvalue for _ in range(2000)]
    assert 0.04 <= np.mean(np.array(p) < 0.05) <= 0.06


def test_an_error_of_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="expected numbers > 0"):
        heterogeneity_test([0.1, 0.4], [0.1, 0.0])
