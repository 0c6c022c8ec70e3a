"""Planning with clusters: intraclass correlation, design effect, and how many clusters."""

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from workbench.stats.power import Alternative
from workbench.stats.results import Estimate
from workbench.stats.sample_size import check_reachable, first_root, means_power
from workbench.stats.validation import as_groups, as_values, check_confidence_level

__all__ = [
    "cluster_power",
    "cluster_sample_size",
    "design_effect",
    "intraclass_correlation",
]


def intraclass_correlation(
    values: ArrayLike, groups: ArrayLike, *, confidence_level: float = 0.95
) -> Estimate:
    """Return the intraclass correlation: the share of variance that lies between clusters.

    Parameters
    ----------
    values
        Outcome of each unit, shape (n,).
    groups
        Cluster of each unit, shape (n,): at least two, and one with two units.
    confidence_level
        Nominal coverage; exact for normal values in clusters of equal size.

    Returns
    -------
    Estimate
        At most 1; slightly negative values mean none. NaN when nothing varies.

    Raises
    ------
    ValueError
        If shapes differ, values are not finite, or there are too few clusters or units.

    References
    ----------
    Donner (1986), International Statistical Review 54:67-82: the ANOVA estimator; its F
    interval: Searle (1971), Linear Models, section 9.9, with the average size for unequal ones.

    Examples
    --------
    >>> found = intraclass_correlation([1, 2, 1, 5, 6, 5, 9, 8, 9], list("aaabbbccc"))
    >>> round(found.estimate, 3), found.n_groups
    (0.976, 3)
    """
    array = as_values(values)
    codes, n_groups = as_groups(groups, array.size)
    level = check_confidence_level(confidence_level)
    n, size = array.size, np.bincount(codes)
    if n_groups < 2 or n == n_groups:
        raise ValueError(
            f"{n} units in {n_groups} clusters; expected at least two clusters, one with two units"
        )
    means = np.bincount(codes, array) / size
    between = float(size @ (means - array.mean()) ** 2) / (n_groups - 1)
    within = float(((array - means[codes]) ** 2).sum()) / (n - n_groups)
    usual = (n - float(size @ size) / n) / (n_groups - 1)
    total = between + (usual - 1) * within
    if total <= 0:
        return Estimate(math.nan, -math.inf, 1.0, math.nan, n, n_groups, level, "ANOVA, F")
    estimate = (between - within) / total
    ratio = between / within if within > 0 else math.inf
    tail = (1 - level) / 2
    degrees = (n_groups - 1, n - n_groups)
    bounds = [
        (f - 1) / (f + usual - 1) if math.isfinite(f) else 1.0
        for f in (
            ratio / float(special.fdtri(*degrees, 1 - tail)),
            ratio / float(special.fdtri(*degrees, tail)),
        )
    ]
    # Smith's (1957) large-sample standard error, for clusters of the usual size.
    error = (
        (1 - estimate)
        * (1 + (usual - 1) * estimate)
        * math.sqrt(2 / (usual * (usual - 1) * (n_groups - 1)))
        if usual > 1
        else math.nan
    )
    return Estimate(estimate, bounds[0], bounds[1], error, n, n_groups, level, "ANOVA, F")


def design_effect(icc: float, mean_size: float, *, cv_size: float = 0.0) -> float:
    """Return by how much clusters inflate the variance of a mean.

    Parameters
    ----------
    icc
        Intraclass correlation, in [-1, 1].
    mean_size
        Mean number of units of a cluster, ≥ 1.
    cv_size
        Standard deviation of the sizes over their mean, ≥ 0.

    Returns
    -------
    float
        1 + ((cv² + 1) m − 1) ICC, and not below 0.

    Raises
    ------
    ValueError
        If a number is out of range.

    References
    ----------
    Kish (1965), Survey Sampling, section 5.4; unequal sizes: Eldridge, Ashby & Kerry (2006),
    International Journal of Epidemiology 35:1292-1300.

    Examples
    --------
    >>> round(design_effect(0.05, 20), 2), round(design_effect(0.05, 20, cv_size=0.6), 2)
    (1.95, 2.31)
    """
    if not -1 <= icc <= 1:
        raise ValueError(f"icc is {icc!r}; expected a number in [-1, 1]")
    if not 1 <= mean_size < math.inf:
        raise ValueError(f"mean_size is {mean_size!r}; expected a finite number ≥ 1")
    if not 0 <= cv_size < math.inf:
        raise ValueError(f"cv_size is {cv_size!r}; expected a finite number ≥ 0")
    return max(1.0 + ((cv_size**2 + 1.0) * mean_size - 1.0) * icc, 0.0)


def cluster_power(
    n_clusters: float,
    difference: float,
    sd: float,
    *,
    icc: float,
    mean_size: float,
    cv_size: float = 0.0,
    ratio: float = 1.0,
    margin: float = 0.0,
    alpha: float = 0.05,
    alternative: Alternative = "two-sided",
) -> float:
    """Return the power of a comparison of two arms of whole clusters.

    Parameters
    ----------
    n_clusters
        Clusters of the control, ≥ 2.
    difference, sd, margin, alpha, alternative
        As `means_power`; `sd` is that of units over all clusters. For proportions
        √(p(1 − p)).
    icc, mean_size, cv_size
        As `design_effect`.
    ratio
        Clusters of the treatment per cluster of the control.

    Returns
    -------
    float
        In [0, 1], for t with one degree of freedom a cluster, less two.

    Raises
    ------
    ValueError
        If a number is out of range or the alternative unknown.

    References
    ----------
    Donner & Klar (2000), Design and Analysis of Cluster Randomization Trials, chapter 5.

    Examples
    --------
    >>> round(cluster_power(20, 0.3, 1.0, icc=0.05, mean_size=25), 3)
    0.876
    """
    if not n_clusters >= 2:
        raise ValueError(f"n_clusters is {n_clusters!r}; expected a number ≥ 2")
    inflated = sd * math.sqrt(design_effect(icc, mean_size, cv_size=cv_size))
    return means_power(
        n_clusters * mean_size,
        difference,
        inflated,
        ratio=ratio,
        margin=margin,
        df=max(n_clusters * (1 + ratio) - 2, 1.0),
        alpha=alpha,
        alternative=alternative,
    )


def cluster_sample_size(
    difference: float,
    sd: float,
    *,
    icc: float,
    mean_size: float,
    cv_size: float = 0.0,
    ratio: float = 1.0,
    margin: float = 0.0,
    alpha: float = 0.05,
    power: float = 0.8,
    alternative: Alternative = "two-sided",
) -> float:
    """Return how many clusters the control needs.

    Parameters
    ----------
    difference, sd, icc, mean_size, cv_size, ratio, margin, alpha, alternative
        As `cluster_power`.
    power
        Wanted.

    Returns
    -------
    float
        Clusters of the control, not rounded: take the next whole number.

    Raises
    ------
    ValueError
        As `cluster_power`, if power is not above the test's level, or if the true difference
        does not lie on the side the test looks for.

    References
    ----------
    See `cluster_power`.

    Examples
    --------
    >>> round(cluster_sample_size(0.3, 1.0, icc=0.05, mean_size=25), 1)
    16.4
    """
    check_reachable(difference, margin, alpha, power, alternative)

    def missing(n_clusters: float) -> float:
        return power - cluster_power(
            n_clusters,
            difference,
            sd,
            icc=icc,
            mean_size=mean_size,
            cv_size=cv_size,
            ratio=ratio,
            margin=margin,
            alpha=alpha,
            alternative=alternative,
        )

    return first_root(missing, 2.0)
