import math
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import cohens_kappa

from workbench.stats import (
    cohen_kappa,
    judge_corrected_proportion,
    krippendorff_alpha,
    mean_interval,
    prediction_powered_mean,
)

WRONG: Any = "wrong"
MISSING: Any = [1, None]
APART: Any = [[1, math.nan], [math.nan, 2]]


@pytest.mark.parametrize("weights", ["none", "linear", "quadratic"])
def test_kappa_is_that_of_others(weights: Any) -> None:
    rng = np.random.default_rng(0)
    a = rng.integers(0, 4, 150)
    b = np.where(rng.random(150) < 0.6, a, rng.integers(0, 4, 150))
    found = cohen_kappa(a, b, weights=weights)
    wanted = None if weights == "none" else weights
    assert found.estimate == pytest.approx(cohen_kappa_score(a, b, weights=wanted))
    table = np.zeros((4, 4))
    np.add.at(table, (a, b), 1)
    other = cohens_kappa(table, wt=wanted) if wanted else cohens_kappa(table)
    assert found.standard_error == pytest.approx(other.std_kappa)


def test_kappa_at_its_ends() -> None:
    assert cohen_kappa(["a", "b"], ["a", "b"]).estimate == 1.0
    assert cohen_kappa([0, 1], [1, 0]).estimate == -1.0
    same = cohen_kappa([1, 1, 1], [1, 1, 1])
    assert math.isnan(same.estimate)
    assert (same.ci_lower, same.ci_upper) == (-1.0, 1.0)
    # Categories nobody used still say how far apart the others are.
    plain = cohen_kappa([1, 1, 5, 5], [1, 5, 5, 1], weights="linear", categories=[1, 2, 3, 4, 5])
    assert plain.estimate == pytest.approx(0.0)


def alpha_by_pairs(ratings: Any, level: str) -> float:
    """Krippendorff's alpha from its definition: pairs within units over pairs at large."""
    table = np.array(ratings, dtype=float)
    units = [u[~np.isnan(u)] for u in table.T]
    units = [u for u in units if u.size > 1]
    pooled = np.concatenate(units)
    values, counts = np.unique(pooled, return_counts=True)
    rank = dict(zip(values, np.cumsum(counts) - counts / 2, strict=True))

    def distance(x: float, y: float) -> float:
        if level == "nominal":
            return float(x != y)
        return float((rank[x] - rank[y]) ** 2 if level == "ordinal" else (x - y) ** 2)

    observed = sum(
        2 * sum(distance(x, y) for x, y in combinations(u, 2)) / (u.size - 1) for u in units
    )
    expected = 2 * sum(distance(x, y) for x, y in combinations(pooled, 2)) / (pooled.size - 1)
    return float(1 - observed / expected)


@pytest.mark.parametrize("level", ["nominal", "ordinal", "interval"])
def test_alpha_is_its_definition(level: Any) -> None:
    rng = np.random.default_rng(1)
    truth = rng.integers(1, 6, 40)
    ratings = np.clip(truth + rng.integers(-1, 2, (4, 40)), 1, 5).astype(float)
    ratings[rng.random((4, 40)) < 0.3] = np.nan
    found = krippendorff_alpha(ratings, level=level, n_resamples=500)
    assert found.estimate == pytest.approx(alpha_by_pairs(ratings, level))
    assert found.ci_lower < found.estimate < found.ci_upper
    shifted = krippendorff_alpha(ratings * 10 + 1e6, level=level, n_resamples=100)
    assert shifted.estimate == pytest.approx(found.estimate, abs=1e-8)


def test_alpha_at_its_ends() -> None:
    perfect = krippendorff_alpha([[1, 2, 1, 2, 2, 1] * 4] * 3, n_resamples=100)
    assert (perfect.estimate, perfect.ci_lower) == (1.0, 1.0)
    same = krippendorff_alpha([[1, 1], [1, 1]])
    assert math.isnan(same.estimate)
    rng = np.random.default_rng(2)
    groups = np.repeat(np.arange(20), 5)
    ratings = rng.integers(0, 2, (2, 20))[:, groups].astype(float)
    by_unit = krippendorff_alpha(ratings)
    by_group = krippendorff_alpha(ratings, groups=groups)
    assert by_group.n_groups == 20
    assert by_group.standard_error > 1.5 * by_unit.standard_error


def test_a_perfect_judge_needs_no_correction() -> None:
    found = judge_corrected_proportion((300, 1000), (5000, 5000), (5000, 5000))
    assert found.estimate == pytest.approx(0.3)
    assert found.ci_upper - found.ci_lower == pytest.approx(0.0568, abs=0.001)


def test_little_calibration_leaves_everything_open() -> None:
    found = judge_corrected_proportion((50, 100), (2, 3), (2, 3))
    assert (found.ci_lower, found.ci_upper) == (0.0, 1.0)
    clipped = judge_corrected_proportion((18, 100), (80, 100), (90, 100))
    assert (clipped.estimate, clipped.ci_lower) == (0.0, 0.0)
    assert 0 < clipped.ci_upper < 0.2
    contradicted = judge_corrected_proportion((2, 100), (80, 100), (90, 100))
    assert contradicted.ci_upper == 0.0
    assert "do not fit" in contradicted.method


def test_predictions_narrow_and_worthless_ones_do_no_harm() -> None:
    rng = np.random.default_rng(3)
    y = rng.normal(2, 1, 5000)
    good, noise = y + rng.normal(0.5, 0.3, 5000), rng.normal(7, 3, 5000)
    labels = mean_interval(y[:200])
    better = prediction_powered_mean(y[:200], good[:200], good[200:])
    assert better.standard_error < 0.45 * labels.standard_error
    worthless = prediction_powered_mean(y[:200], noise[:200], noise[200:])
    assert worthless.standard_error < 1.01 * labels.standard_error
    trusted = prediction_powered_mean(y[:200], noise[:200], noise[200:], tuned=False)
    assert trusted.standard_error > 2 * labels.standard_error
    constant = prediction_powered_mean(y[:200], np.ones(200), np.ones(300))
    assert constant.estimate == pytest.approx(labels.estimate)
    groups = np.arange(200) // 10
    clustered = prediction_powered_mean(
        y[:200], good[:200], good[200:], groups=groups, unlabelled_groups=np.arange(4800) // 10
    )
    assert clustered.n_groups == 20


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: cohen_kappa([1, 2], [1]), "ratings have shapes"),
        (lambda: cohen_kappa([1, 2], [1, 3], categories=[1, 2]), "rating 3 is not among"),
        (lambda: cohen_kappa(MISSING, [1, 1]), "missing at position 1"),
        (lambda: cohen_kappa([1, 2], [1, 2], weights=WRONG), "weights is 'wrong'"),
        (lambda: krippendorff_alpha([1, 2]), "expected .raters, units."),
        (lambda: krippendorff_alpha(APART), "no unit has two ratings"),
        (lambda: krippendorff_alpha([[1.0, math.inf], [1.0, 2.0]]), "infinity"),
        (lambda: krippendorff_alpha([[1, 2], [1, 2]], level=WRONG), "level is 'wrong'"),
        (lambda: judge_corrected_proportion((1, 2), (1, 2), (1, 2)), "no better than chance"),
        (lambda: judge_corrected_proportion((3, 2), (1, 2), (2, 2)), "judged is 3 of 2"),
        (lambda: prediction_powered_mean([1.0], [1.0], [1.0, 2.0]), "1 labels and 2"),
        (lambda: prediction_powered_mean([1.0, 2.0], [1.0], [1.0, 2.0]), "lengths differ"),
    ],
)
def test_bad_input_is_refused(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
