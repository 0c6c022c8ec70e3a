from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from workbench.stats import (
    Moments,
    cluster_power,
    cluster_robust,
    cluster_sample_size,
    compare_clustered,
    compare_means,
    design_effect,
    intraclass_correlation,
    mean_standard_error,
    means_power,
)

Matrix = NDArray[np.float64]
WRONG: Any = "wrong"


def by_the_book(y: Matrix, X: Matrix, groups: Matrix, at: int, power: float) -> tuple[float, float]:
    """CR2 or CR3 and Bell-McCaffrey degrees of freedom with full n × n matrices."""
    n = len(X)
    bread = np.linalg.inv(X.T @ X)
    rest = np.eye(n) - X @ bread @ X.T
    residual = rest @ y
    variance, columns = 0.0, []
    for group in np.unique(groups):
        rows = groups == group
        roots, axes = np.linalg.eigh(rest[np.ix_(rows, rows)])
        scaled = np.where(roots > 1e-9, np.maximum(roots, 1e-9) ** power, 0.0)
        weights = np.zeros(n)
        weights[rows] = (axes * scaled) @ axes.T @ X[rows] @ bread[:, at]
        variance += float(weights @ residual) ** 2
        columns.append(rest @ weights)
    cross = np.array(columns) @ np.array(columns).T
    return float(np.sqrt(variance)), float(np.trace(cross) ** 2 / (cross**2).sum())


def data(seed: int) -> tuple[Matrix, Matrix, Matrix]:
    rng = np.random.default_rng(seed)
    groups = rng.integers(0, 9, 70).astype(float)
    X = np.column_stack([np.ones(70), groups % 3 == 0, rng.normal(size=70)])
    return rng.normal(size=9)[groups.astype(int)] + rng.normal(size=70), X, groups


@pytest.mark.parametrize(("kind", "power"), [("CR2", -0.5), ("CR3", -1.0)])
def test_small_matrices_give_what_large_ones_do(kind: Any, power: float) -> None:
    y, X, groups = data(1)
    found = cluster_robust(y, X, groups, kind=kind)
    np.testing.assert_allclose(found.estimate, np.linalg.lstsq(X, y)[0])
    for at in range(3):
        error, df = by_the_book(y, X, groups, at, power)
        assert found.standard_error[at] == pytest.approx(error)
        if kind == "CR2":
            assert found.df[at] == pytest.approx(df)


def test_a_constant_alone_is_the_clustered_mean() -> None:
    y, _, groups = data(2)
    found = cluster_robust(y, np.ones((70, 1)), groups, kind="CR1")
    assert found.standard_error[0] == pytest.approx(mean_standard_error(y, groups=groups))
    cr0 = cluster_robust(y, np.ones((70, 1)), groups, kind="CR0").standard_error[0]
    assert cr0 == pytest.approx(mean_standard_error(y, groups=groups, small_sample=False))


def test_single_unit_clusters_are_welchs_variance() -> None:
    """With one unit a cluster CR2 is HC2, and HC2 of two arms is Welch's variance."""
    rng = np.random.default_rng(3)
    y, treated = rng.normal(5, 1, size=40), np.arange(40) < 15
    found = compare_clustered(y, treated, np.arange(40))
    welch = compare_means(Moments.of(y[~treated]), Moments.of(y[treated]))
    assert found.difference == pytest.approx(welch.difference)
    assert found.standard_error == pytest.approx(welch.standard_error)
    assert found.lift_standard_error == pytest.approx(welch.lift_standard_error)


def test_covariates_are_centred_and_narrow_the_interval() -> None:
    rng = np.random.default_rng(4)
    groups = np.repeat(np.arange(30), 6)
    x = rng.normal(size=180) + 5
    y = 2 * x + rng.normal(size=180) + rng.normal(size=30)[groups]
    plain = compare_clustered(y, groups % 2, groups)
    adjusted = compare_clustered(y, groups % 2, groups, covariates=x)
    assert adjusted.standard_error < plain.standard_error
    assert adjusted.control == pytest.approx(10, abs=1)
    assert adjusted.n_groups == 30


def test_units_of_measure_do_not_matter() -> None:
    y, X, groups = data(5)
    scaled = X * np.array([1.0, 1.0, 1e-9])
    one, two = cluster_robust(y, X, groups), cluster_robust(y, scaled, groups)
    np.testing.assert_allclose(one.estimate, two.estimate * [1, 1, 1e-9])
    np.testing.assert_allclose(one.df, two.df)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: compare_clustered([1.0, 2.0], [1, 1], [1, 2]), "expected both arms"),
        (lambda: compare_clustered([1.0, 2.0, 3.0], [0, 0, 1], [1, 2, 3]), "2 and 1 clusters"),
        (lambda: compare_clustered([1.0, 2.0], [0, 2], [1, 2]), "labels 0 and 1"),
        (lambda: cluster_robust([1.0, 2.0], [[1.0], [1.0]], ["a", "a"]), "single cluster"),
        (lambda: cluster_robust([1.0, 2.0], [[1.0, 1.0]] * 2, [1, 2]), "not of full rank"),
        (lambda: cluster_robust([1.0, 2.0], [1.0, 1.0], [1, 2]), "X has shape"),
        (lambda: cluster_robust([1.0, 2.0], [[1.0], [np.nan]], [1, 2]), "X holds NaN"),
        (lambda: cluster_robust([1.0, 2.0], [[1.0]] * 2, [1, 2], kind=WRONG), "kind is 'wrong'"),
        (lambda: intraclass_correlation([1.0, 2.0], [1, 2]), "2 units in 2 clusters"),
        (lambda: design_effect(2.0, 10), "icc is 2.0"),
        (lambda: design_effect(0.1, 0.5), "mean_size is 0.5"),
        (lambda: design_effect(0.1, 5, cv_size=-1), "cv_size is -1"),
        (lambda: cluster_power(1, 0.1, 1, icc=0.1, mean_size=5), "n_clusters is 1"),
        (lambda: cluster_sample_size(0.0, 1, icc=0.1, mean_size=5), "the difference is 0.0"),
    ],
)
def test_bad_input_is_refused(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


# ---------------------------------------------------------------- planning


def test_the_intraclass_correlation_is_recovered() -> None:
    rng = np.random.default_rng(6)
    groups = np.repeat(np.arange(400), rng.integers(3, 12, 400))
    values = rng.normal(size=400)[groups] + 2 * rng.normal(size=groups.size)
    found = intraclass_correlation(values, groups)
    assert found.ci_lower < 0.2 < found.ci_upper
    assert found.estimate == pytest.approx(0.2, abs=0.05)
    assert found.ci_upper - found.ci_lower == pytest.approx(4 * found.standard_error, rel=0.15)
    assert np.isnan(intraclass_correlation([1.0, 1.0, 1.0], [1, 1, 2]).estimate)
    assert intraclass_correlation([1.0, 1.0, 2.0, 2.0], [1, 1, 2, 2]).estimate == 1.0


def test_size_and_power_of_clusters_invert_each_other() -> None:
    options: Any = {"icc": 0.08, "mean_size": 12, "cv_size": 0.5, "ratio": 2.0}
    n = cluster_sample_size(0.25, 1.0, power=0.9, **options)
    assert cluster_power(n, 0.25, 1.0, **options) == pytest.approx(0.9)
    without = means_power(n * 12, 0.25, 1.0, ratio=2.0)
    assert without > 0.9


def test_the_design_effect_is_the_variance_of_simulated_means() -> None:
    rng = np.random.default_rng(7)
    sizes = rng.choice([5, 15], size=40)
    groups = np.repeat(np.arange(40), sizes)
    between = rng.normal(size=(4000, 40)) * np.sqrt(0.1)
    values = between[:, groups] + rng.normal(size=(4000, groups.size)) * np.sqrt(0.9)
    observed = values.mean(axis=1).var() * groups.size
    expected = design_effect(0.1, sizes.mean(), cv_size=sizes.std() / sizes.mean())
    assert observed == pytest.approx(expected, rel=0.08)
