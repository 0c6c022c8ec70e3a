"""Arms in clusters compared from what each cluster adds up to, without its units.

Least squares and its cluster-robust covariance need only cross-products within clusters. A
database can give them in one pass, whatever the number of units.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.stats.clusters import ClusterRobust, cluster_robust
from workbench.stats.effects import Effect, effect_of
from workbench.stats.power import Alternative
from workbench.stats.validation import as_labels

__all__ = ["compare_cluster_totals"]

Array = NDArray[np.float64]


def compare_cluster_totals(
    groups: ArrayLike,
    treated: ArrayLike,
    products: ArrayLike,
    totals: ArrayLike,
    *,
    n: tuple[int, int],
    kind: ClusterRobust = "CR2",
    alternative: Alternative = "two-sided",
    confidence_level: float = 0.95,
) -> Effect:
    """Compare two arms from the totals of each cluster in each arm.

    Parameters
    ----------
    groups
        Cluster of each cell, shape (m,). A cell is the part of a cluster that is in one arm:
        one or two per cluster.
    treated
        1 for cells of the treatment, 0 for the control, shape (m,).
    products
        Cross-products of (1, covariates) summed over the units of each cell, shape (m, k, k);
        without covariates the number of units, shape (m,). For a ratio, the denominators' total.
    totals
        Products of (1, covariates) with the outcome, shape (m, k); without covariates the
        outcome's total, shape (m,). For a ratio, the numerators' total.
    n
        Units of control and treatment, for the record.
    kind, alternative, confidence_level
        As `compare_clustered`.

    Returns
    -------
    Effect
        The same as `compare_clustered` gives from the units, covariates centred at their mean.

    Raises
    ------
    ValueError
        If shapes do not fit, a number is not finite, a count is negative, or an arm has fewer
        than two clusters with something in them.

    Notes
    -----
    Rows are made whose cross-products are those of the cell: k rows from the eigenvectors of
    `products`. Estimates, scores and leverages depend on nothing else.

    References
    ----------
    See `cluster_robust`; ratios as weighted means: Deng, Knoblich & Lu (2018), KDD,
    arXiv:1803.06336, section 3.

    Examples
    --------
    >>> found = compare_cluster_totals(["a", "b", "c", "d"], [0, 1, 0, 1], [4, 4, 4, 4],
    ...                                [6, 11, 8, 9], n=(8, 8))
    >>> round(found.difference, 3), round(found.standard_error, 3), found.n_groups
    (0.75, 0.354, 4)
    """
    arm = as_labels(treated, "treated")
    names: NDArray[np.object_] = np.asarray(groups)
    inner, outer = _shaped(products, totals, arm.size)
    if names.shape != arm.shape:
        raise ValueError(f"groups has shape {names.shape}; expected {arm.shape}")
    filled = inner[:, 0, 0] > 0
    spread = [len(set(names[filled & side].tolist())) for side in (~arm, arm)]
    if min(spread) < 2:
        raise ValueError(
            f"the arms have units in {spread[0]} and {spread[1]} clusters; expected at least two"
            " each: one cluster cannot show how clusters vary"
        )
    k = outer.shape[1]
    # Covariates centred at the mean of all units, as compare_clustered does.
    mean = inner[:, 0, :].sum(axis=0) / inner[:, 0, 0].sum()
    shift = np.eye(k)
    shift[0, 1:] = -mean[1:]
    inner = shift.T @ inner @ shift
    outer = outer @ shift
    roots, axes = np.linalg.eigh(inner)
    largest = roots.max(axis=1, keepdims=True)
    used = roots > 1e-12 * np.where(largest > 0, largest, 1.0)
    size = np.sqrt(np.where(used, roots, 0.0))
    rows = size[:, :, None] * axes.transpose(0, 2, 1)
    y = np.einsum("mij,mi->mj", axes, outer) / np.where(used, size, 1.0) * used
    keep = used.ravel()
    X, y_rows = rows.reshape(-1, k)[keep], y.ravel()[keep]
    row_arm, row_group = np.repeat(arm, k)[keep], np.repeat(names, k)[keep]
    design = np.column_stack([X[:, 0], X[:, 0] * row_arm, X[:, 1:]])
    fit = cluster_robust(y_rows, design, row_group, kind=kind)
    control, difference = float(fit.estimate[0]), float(fit.estimate[1])
    return effect_of(
        difference,
        float(fit.covariance[1, 1]),
        float(fit.df[1]),
        control=control,
        treatment=control + difference,
        control_variance=float(fit.covariance[0, 0]),
        control_covariance=float(fit.covariance[0, 1]),
        n=n,
        n_groups=fit.n_groups,
        method=f"cluster-robust {kind}, t" + (f", {k - 1} covariate(s)" if k > 1 else ""),
        alternative=alternative,
        confidence_level=confidence_level,
    )


def _shaped(products: ArrayLike, totals: ArrayLike, m: int) -> tuple[Array, Array]:
    inner = np.asarray(products, dtype=np.float64)
    outer = np.asarray(totals, dtype=np.float64)
    if inner.ndim == 1 and outer.ndim == 1:
        inner, outer = inner[:, None, None], outer[:, None]
    k = outer.shape[-1]
    if inner.shape != (m, k, k) or outer.shape != (m, k):
        raise ValueError(
            f"products has shape {inner.shape} and totals {outer.shape}; expected ({m}, k, k) and"
            f" ({m}, k)"
        )
    if not (np.isfinite(inner).all() and np.isfinite(outer).all()):
        raise ValueError("products or totals hold NaN or infinity; expected finite numbers")
    if (inner[:, 0, 0] < 0).any():
        raise ValueError("a count (or denominator) of a cell is negative; expected numbers ≥ 0")
    return inner, outer
