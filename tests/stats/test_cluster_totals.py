"""Clusters' totals give what their units give."""

import numpy as np
import pytest

from workbench.stats import ClusterRobust, compare_cluster_totals, compare_clustered, compare_ratios
from workbench.stats.moments import Moments


def units(*, within: bool, seed: int = 3) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    groups = rng.integers(0, 12, 300)
    treated = rng.integers(0, 2, 300) if within else groups % 2
    x = rng.normal(5, 2, (300, 2))
    y = 3 + 0.4 * treated + x @ [0.5, -0.2] + rng.normal(size=12)[groups] + rng.normal(size=300)
    return y, treated, groups, x


def cells(
    y: np.ndarray, treated: np.ndarray, groups: np.ndarray, X: np.ndarray
) -> tuple[np.ndarray, ...]:
    keys = sorted(set(zip(groups.tolist(), treated.tolist(), strict=True)))
    inside = [(groups == g) & (treated == t) for g, t in keys]
    return (
        np.array([g for g, _ in keys]),
        np.array([t for _, t in keys]),
        np.stack([X[i].T @ X[i] for i in inside]),
        np.stack([X[i].T @ y[i] for i in inside]),
    )


@pytest.mark.parametrize("within", ["within", "between"])
@pytest.mark.parametrize("kind", ["CR1", "CR2", "CR3"])
@pytest.mark.parametrize("covariates", [0, 2])
def test_totals_give_what_units_give(within: str, kind: ClusterRobust, covariates: int) -> None:
    y, treated, groups, x = units(within=within == "within")
    X = np.column_stack([np.ones(len(y)), x[:, :covariates]])
    n = (int((treated == 0).sum()), int(treated.sum()))
    found = compare_cluster_totals(*cells(y, treated, groups, X), n=n, kind=kind)
    wanted = compare_clustered(y, treated, groups, covariates=x if covariates else None, kind=kind)
    for name in ("difference", "standard_error", "df", "pvalue", "control", "lift", "ci_lower"):
        assert getattr(found, name) == pytest.approx(getattr(wanted, name), rel=1e-9)
    assert (found.n_control, found.n_treatment, found.n_groups) == (*n, wanted.n_groups)


def test_a_ratio_of_clusters_is_the_delta_method_with_cr1() -> None:
    rng = np.random.default_rng(5)
    den = rng.integers(1, 9, 400).astype(float)
    num = rng.poisson(2 * den).astype(float)
    treated = np.arange(400) % 2
    found = compare_cluster_totals(np.arange(400), treated, den, num, n=(200, 200), kind="CR1")
    arms = [Moments.of(num[treated == a], den[treated == a]) for a in (0, 1)]
    wanted = compare_ratios(*arms)
    assert found.difference == pytest.approx(wanted.difference, rel=1e-12)
    assert found.standard_error == pytest.approx(wanted.standard_error, rel=2e-3)


def test_one_cluster_in_an_arm_is_refused() -> None:
    with pytest.raises(ValueError, match="1 and 2 clusters; expected at least two"):
        compare_cluster_totals(["a", "b", "c"], [0, 1, 1], [1, 2, 3], [1, 1, 1], n=(1, 5))


def test_empty_cells_count_for_nothing() -> None:
    args = (["a", "b", "c", "d"], [0, 1, 0, 1], [4.0, 4.0, 4.0, 4.0], [6.0, 11.0, 8.0, 9.0])
    more = ([*args[0], "e"], [*args[1], 1], [*args[2], 0.0], [*args[3], 0.0])
    assert compare_cluster_totals(*args, n=(8, 8)) == compare_cluster_totals(*more, n=(8, 8))
