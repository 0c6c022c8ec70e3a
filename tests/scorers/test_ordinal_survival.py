"""Scores of ordered levels and of censored times, against plain computations."""

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.metrics import cohen_kappa_score

from workbench.errors import EvaluationError
from workbench.scorers import (
    ORDINAL_STATISTICS,
    auc_at_statistic,
    censoring_weights,
    concordance_statistic,
    level_score,
    median_level,
)


def ordinal_sample(n: int = 300) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    proba = rng.dirichlet([1.0, 1.0, 0.5, 0.3], n)
    y = np.array([rng.choice(4, p=p) for p in proba])
    return y, proba


def once(name: str, y: np.ndarray, proba: np.ndarray) -> float:
    return float(ORDINAL_STATISTICS[name](y, proba)(np.ones(len(y)))[0])


def test_ordinal_figures_are_those_of_the_libraries() -> None:
    y, proba = ordinal_sample()
    level = median_level(proba)
    kappa = cohen_kappa_score(y, level, weights="quadratic", labels=range(4))
    assert once("quadratic_kappa", y, proba) == pytest.approx(kappa, abs=1e-12)
    assert once("level_error", y, proba) == pytest.approx(np.abs(y - level).mean())
    rho = spearmanr(y, level_score(proba)).statistic
    assert once("rank_correlation", y, proba) == pytest.approx(rho, abs=1e-12)
    cumulative = proba.cumsum(axis=1)[:, :3]
    rps = np.mean([((c - (label <= np.arange(3))) ** 2).mean()
                   for c, label in zip(cumulative, y, strict=True)])  # fmt: skip
    assert once("ranked_probability_score", y, proba) == pytest.approx(rps)
    assert once("level_log_loss", y, proba) == pytest.approx(-np.log(proba[range(300), y]).mean())
    assert once("level_accuracy", y, proba) == pytest.approx((proba.argmax(axis=1) == y).mean())


@pytest.mark.parametrize("name", sorted(ORDINAL_STATISTICS))
def test_ordinal_weights_count_copies(name: str) -> None:
    y, proba = ordinal_sample(80)
    weights = np.random.default_rng(0).integers(0, 4, 80)
    copies = np.repeat(np.arange(80), weights)
    by_weight = ORDINAL_STATISTICS[name](y, proba)(np.stack([weights, np.ones(80)]))
    assert by_weight[0] == pytest.approx(once(name, y[copies], proba[copies]))
    assert by_weight[1] == pytest.approx(once(name, y, proba))


def test_true_labels_score_best() -> None:
    y, _ = ordinal_sample()
    certain = np.eye(4)[y]
    assert once("quadratic_kappa", y, certain) == 1
    assert once("level_error", y, certain) == 0
    assert once("ranked_probability_score", y, certain) == 0


def test_ordinal_refuses_what_is_no_probability() -> None:
    with pytest.raises(EvaluationError, match="no probabilities"):
        ORDINAL_STATISTICS["level_error"]([0, 1], [[0.5, 0.6], [0.5, 0.5]])
    with pytest.raises(EvaluationError, match="no level"):
        ORDINAL_STATISTICS["level_error"]([0, 2], [[0.5, 0.5], [0.5, 0.5]])
    with pytest.raises(EvaluationError, match="shape"):
        ORDINAL_STATISTICS["level_error"]([0, 1], [0.5, 0.5])


def survival_sample(n: int = 120) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(2)
    risk = rng.normal(size=n).round(1)
    event = rng.exponential(np.exp(-risk)) + 0.01
    censored = rng.exponential(1.5, n)
    return np.minimum(event, censored).round(2), event <= censored, risk


def test_concordance_is_the_weighted_share_of_ordered_pairs() -> None:
    time, seen, risk = survival_sample()
    g = censoring_weights(time, seen)
    won = pairs = 0.0
    for i in range(len(time)):
        for j in range(len(time)):
            if seen[i] and time[i] < time[j] and time[i] < 2.0:
                pairs += g[i] ** 2
                won += g[i] ** 2 * ((risk[i] > risk[j]) + 0.5 * (risk[i] == risk[j]))
    found = concordance_statistic(time, seen, risk, horizon=2.0)(np.ones(len(time)))[0]
    assert found == pytest.approx(won / pairs, rel=1e-5)
    assert found > 0.6


def test_censoring_weights_add_up_to_the_sample_without_late_censoring() -> None:
    # Whoever is censored hands its weight to those seen later.
    time, seen = np.array([1, 2, 2, 3, 5.0]), np.array([True, True, False, False, True])
    assert censoring_weights(time, seen).sum() == pytest.approx(5.0)
    assert censoring_weights(time, np.ones(5, bool)).tolist() == [1.0] * 5


def test_time_dependent_auc_recovers_what_censoring_hides() -> None:
    rng = np.random.default_rng(5)
    n = 6000
    risk = rng.normal(size=n)
    event = rng.exponential(np.exp(-risk))
    censored = rng.exponential(2.0, n)
    full = auc_at_statistic(event, np.ones(n, bool), risk, 0.7)(np.ones(n))[0]
    seen = auc_at_statistic(np.minimum(event, censored), event <= censored, risk, 0.7)
    assert seen(np.ones(n))[0] == pytest.approx(full, abs=0.02)


def test_survival_refuses_what_does_not_fit() -> None:
    with pytest.raises(EvaluationError, match="columns of one length"):
        concordance_statistic([1, 2], [True], [1, 2])
    with pytest.raises(EvaluationError, match="missing, infinite or negative"):
        auc_at_statistic([1, -2], [True, True], [1, 2], 1.0)
    with pytest.raises(EvaluationError, match="at most 8,000"):
        concordance_statistic(np.ones(9000), np.ones(9000), np.ones(9000))
