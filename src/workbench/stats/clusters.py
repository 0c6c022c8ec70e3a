"""Regression and comparison of arms with errors that hang together within clusters."""

import math
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.stats.effects import Effect, effect_of
from workbench.stats.power import Alternative
from workbench.stats.validation import as_groups, as_labels, as_values, check_same_length

__all__ = ["ClusterRobust", "Coefficients", "cluster_robust", "compare_clustered"]

ClusterRobust = Literal["CR0", "CR1", "CR1S", "CR2", "CR3"]
"""Kind of cluster-robust covariance.

CR0 is the plain sandwich, CR1 multiplies it by G/(G − 1), CR1S also by (n − 1)/(n − k) (as Stata
and statsmodels), CR2 is unbiased under independent errors, CR3 approximates the jackknife.
"""

Matrix = NDArray[np.float64]


class Coefficients(NamedTuple):
    """Least-squares coefficients with a cluster-robust covariance.

    Attributes
    ----------
    estimate
        Shape (k,).
    covariance
        Shape (k, k).
    standard_error
        Shape (k,).
    df
        Degrees of freedom of t, shape (k,): Bell and McCaffrey's for CR2, else clusters − 1.
    n, n_groups
        Rows and clusters (the fewer, of two ways).
    method
        Kind of covariance.
    """

    estimate: Matrix
    covariance: Matrix
    standard_error: Matrix
    df: Matrix
    n: int
    n_groups: int
    method: str


def cluster_robust(
    y: ArrayLike,
    X: ArrayLike,
    groups: ArrayLike,
    *,
    second_groups: ArrayLike | None = None,
    kind: ClusterRobust = "CR2",
) -> Coefficients:
    """Fit least squares with a covariance robust to one or two ways of clustering.

    Parameters
    ----------
    y
        Outcome, shape (n,).
    X
        Design with its constant, shape (n, k), of full rank.
    groups
        Cluster of each row, shape (n,).
    second_groups
        A second, crossed clustering, shape (n,): the covariances of both are added, and that of
        their intersections (CR0) is taken off.
    kind
        Kind of covariance.

    Returns
    -------
    Coefficients

    Raises
    ------
    ValueError
        If shapes differ, values are not finite, the design is not of full rank, there is a
        single cluster, or the kind is unknown.

    Notes
    -----
    Everything but a pass over the rows happens on k × k matrices of each cluster, so clusters
    may be large. A cluster that alone determines a coefficient adds nothing to CR2 or CR3 in that
    direction (generalised inverse), as in clubSandwich.

    References
    ----------
    Bell & McCaffrey (2002), Survey Methodology 28:169-181; Imbens & Kolesár (2016), Review of
    Economics and Statistics 98:701-712; Pustejovsky & Tipton (2018), JBES 36:672-683; two ways:
    Cameron, Gelbach & Miller (2011), JBES 29:238-249.

    Examples
    --------
    >>> y, x = [1.0, 2.0, 2.0, 4.0, 5.0, 5.0], [0, 1, 2, 3, 4, 5]
    >>> X = np.column_stack([np.ones(6), x])
    >>> found = cluster_robust(y, X, ["a", "a", "b", "b", "c", "c"])
    >>> found.estimate.round(3).tolist(), found.n_groups
    ([0.952, 0.886], 3)
    """
    outcome, white, back = _design(y, X)
    if kind not in ("CR0", "CR1", "CR1S", "CR2", "CR3"):
        raise ValueError(f"kind is {kind!r}; expected 'CR0', 'CR1', 'CR1S', 'CR2' or 'CR3'")
    n = len(outcome)
    fitted = white.T @ outcome
    residual = outcome - white @ fitted
    codes, n_groups = as_groups(groups, n)
    covariance, df = _one_way(white, residual, back, codes, n_groups, kind)
    if second_groups is not None:
        others, n_others = as_groups(second_groups, n)
        second, second_df = _one_way(white, residual, back, others, n_others, kind)
        _, both = np.unique(codes * n_others + others, return_inverse=True)
        n_both = int(both.max()) + 1
        shared, _ = _one_way(white, residual, back, both, n_both, "CR0")
        covariance, df = covariance + second - shared, np.minimum(df, second_df)
        n_groups = min(n_groups, n_others)
    error = np.sqrt(np.maximum(np.diagonal(covariance), 0.0))
    return Coefficients(back @ fitted, covariance, error, df, n, n_groups, kind)


def compare_clustered(
    y: ArrayLike,
    treated: ArrayLike,
    groups: ArrayLike,
    *,
    covariates: ArrayLike | None = None,
    kind: ClusterRobust = "CR2",
    alternative: Alternative = "two-sided",
    confidence_level: float = 0.95,
) -> Effect:
    """Compare two arms whose units come in clusters, randomised by cluster or within them.

    Parameters
    ----------
    y
        Outcome, shape (n,).
    treated
        1 for units of the treatment, 0 for the control, shape (n,).
    groups
        Cluster of each unit (agent, brokerage, job ad), shape (n,).
    covariates
        Known beforehand, shape (n, k); they are centred, so the arms' figures are means at the
        average unit.
    kind
        Kind of covariance. CR2 with its own degrees of freedom holds its level with a dozen
        clusters, or where treated clusters are few; CR1 needs about 40.
    alternative
        Which departure the test looks for.
    confidence_level
        Nominal coverage.

    Returns
    -------
    Effect

    Raises
    ------
    ValueError
        If an arm has units in fewer than two clusters, shapes differ, or values are not finite.

    References
    ----------
    See `cluster_robust`.

    Examples
    --------
    >>> agents = [i // 4 for i in range(32)]
    >>> treated = [agent % 2 for agent in agents]
    >>> y = [agent % 3 + t + i % 4 for i, (agent, t) in enumerate(zip(agents, treated))]
    >>> found = compare_clustered(y, treated, agents)
    >>> round(found.difference, 3), round(found.standard_error, 3), round(found.df, 2)
    (1.25, 0.629, 6.0)
    """
    outcome, arm = as_values(y, "y"), as_labels(treated, "treated")
    n = check_same_length(y=outcome, treated=arm)
    n_treatment = int(arm.sum())
    if n_treatment in (0, n):
        raise ValueError(f"treated holds {n_treatment} of {n} units; expected both arms")
    codes, _ = as_groups(groups, n)
    spread = len(np.unique(codes[~arm])), len(np.unique(codes[arm]))
    if min(spread) < 2:
        raise ValueError(
            f"the arms have units in {spread[0]} and {spread[1]} clusters; expected at least two"
            " each: one cluster cannot show how clusters vary"
        )
    columns = [1.0 - arm, arm.astype(np.float64)]
    if covariates is not None:
        extra = np.asarray(covariates, dtype=np.float64)
        extra = extra[:, None] if extra.ndim == 1 else extra
        columns += list((extra - extra.mean(axis=0)).T)
    # A mean of each arm, then the treatment's effect: the same fit in two coordinates.
    shift = np.eye(len(columns))
    shift[1, 0] = 1.0
    design = np.column_stack(columns) @ shift
    fit = cluster_robust(outcome, design, groups, kind=kind)
    control, difference = float(fit.estimate[0]), float(fit.estimate[1])
    return effect_of(
        difference,
        float(fit.covariance[1, 1]),
        float(fit.df[1]),
        control=control,
        treatment=control + difference,
        control_variance=float(fit.covariance[0, 0]),
        control_covariance=float(fit.covariance[0, 1]),
        n=(n - n_treatment, n_treatment),
        n_groups=fit.n_groups,
        method=f"cluster-robust {kind}, t",
        alternative=alternative,
        confidence_level=confidence_level,
    )


def _design(y: ArrayLike, X: ArrayLike) -> tuple[Matrix, Matrix, Matrix]:
    """Check the data; return them with orthonormal columns Z = XW, and W, so that WW' = (X'X)⁻¹."""
    outcome = as_values(y, "y")
    design = np.asarray(X, dtype=np.float64)
    if design.ndim != 2 or len(design) != outcome.size:
        raise ValueError(f"X has shape {design.shape}; expected ({outcome.size}, k)")
    if not np.isfinite(design).all():
        raise ValueError("X holds NaN or infinity; expected finite numbers")
    # Columns of length 1, so that units of measure cost no digits.
    size = np.sqrt((design**2).sum(axis=0))
    scaled = design / np.where(size > 0, size, 1.0)
    roots, axes = np.linalg.eigh(scaled.T @ scaled)
    if roots.min() < 1e-12 * max(roots.max(), 1e-300):
        raise ValueError("X is not of full rank; expected no column that follows from others")
    turn = axes / np.sqrt(roots)
    return outcome, scaled @ turn, turn / size[:, None]


def _one_way(
    white: Matrix,
    residual: Matrix,
    back: Matrix,
    codes: NDArray[np.intp],
    n_groups: int,
    kind: str,
) -> tuple[Matrix, Matrix]:
    """Covariance and degrees of freedom of one way of clustering."""
    n, k = white.shape
    if n_groups < 2:
        raise ValueError("there is a single cluster; expected at least two")
    scores = np.stack(
        [np.bincount(codes, column * residual, minlength=n_groups) for column in white.T], axis=1
    )
    if kind in ("CR0", "CR1", "CR1S"):
        factor = 1.0 if kind == "CR0" else n_groups / (n_groups - 1)
        factor *= (n - 1) / (n - k) if kind == "CR1S" and n > k else 1.0
        influence = scores @ back.T
        return factor * influence.T @ influence, np.full(k, n_groups - 1.0)
    # The hat matrix of a cluster is ZZ', and (I − ZZ')^p Z = Z (I − Z'Z)^p: k × k suffices.
    leverage = np.empty((n_groups, k, k))
    for i in range(k):
        for j in range(i + 1):
            product = np.bincount(codes, white[:, i] * white[:, j], minlength=n_groups)
            leverage[:, i, j] = leverage[:, j, i] = product
    values, axes = np.linalg.eigh(leverage)
    left = np.maximum(1.0 - values, 0.0)
    power = -0.5 if kind == "CR2" else -1.0
    factors = np.where(left > 1e-9, np.maximum(left, 1e-9) ** power, 0.0)
    correct = (axes * factors[:, None, :]) @ axes.transpose(0, 2, 1)
    influence = np.einsum("il,glm,gm->gi", back, correct, scores, optimize=True)
    covariance = influence.T @ influence
    if kind == "CR3":
        return covariance, np.full(k, n_groups - 1.0)
    return covariance, _satterthwaite(leverage, correct, back)


def _satterthwaite(leverage: Matrix, correct: Matrix, back: Matrix) -> Matrix:
    """Bell and McCaffrey's degrees of freedom of each coefficient, in O(G k²)."""
    df = np.empty(len(back))
    for at in range(len(back)):
        # The G × G matrix of the variances is diag(d) − BB'; its traces need no more than these.
        weight = correct @ back[at]
        b = np.einsum("gij,gj->gi", leverage, weight)
        d = np.einsum("gi,gi->g", weight, b)
        cross = b.T @ b
        trace = float(d.sum() - np.trace(cross))
        squares = float(d @ d - 2 * d @ np.einsum("gi,gi->g", b, b) + (cross**2).sum())
        df[at] = trace**2 / squares if squares > 0 else math.nan
    return df
