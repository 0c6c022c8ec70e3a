"""Closed-form intervals and paired tests for ROC AUC (DeLong)."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from workbench.stats.bounds import normal_quantile, standardised, wilson_bounds
from workbench.stats.results import Difference, Estimate
from workbench.stats.validation import (
    as_labels,
    as_values,
    check_confidence_level,
    check_same_length,
)

__all__ = ["compare_roc_auc", "roc_auc_interval"]


def roc_auc_interval(y: ArrayLike, score: ArrayLike, *, confidence_level: float = 0.95) -> Estimate:
    """Return the ROC AUC with its DeLong interval.

    Parameters
    ----------
    y
        Labels 0 and 1, both present, shape (n,); examples independent.
    score
        Higher means more likely 1, shape (n,).
    confidence_level
        Nominal coverage.

    Returns
    -------
    Estimate
        In [0, 1], to which the interval is clipped. With a single example of one class there
        is no variance: the interval is [0, 1] and the standard error NaN.

    Raises
    ------
    ValueError
        If an input has the wrong shape, is empty or not finite, a label is not 0 or 1, a
        class is absent, or `confidence_level` is not in (0, 1).

    Notes
    -----
    When the classes are perfectly separated DeLong's variance is 0, as if nothing were left
    to doubt. The bound then comes from what remains certain: min(m, k) disjoint pairs of a
    positive and a negative, each ordered rightly with probability AUC and independently of
    the others, so Wilson's bound for min(m, k) successes in as many trials; `method` says so.

    References
    ----------
    DeLong, DeLong & Clarke-Pearson (1988), Biometrics 44:837-845; Sun & Xu (2014), IEEE
    Signal Processing Letters 21:1389-1393, for the O(n log n) form by midranks.

    Examples
    --------
    >>> result = roc_auc_interval([0, 0, 0, 1, 1, 1], [1, 2, 4, 3, 5, 6])
    >>> round(result.estimate, 3), round(result.ci_lower, 3), round(result.ci_upper, 3)
    (0.889, 0.581, 1.0)
    """
    labels, scores = as_labels(y), as_values(score, "score")
    n = check_same_length(y=labels, score=scores)
    level = check_confidence_level(confidence_level)
    m = _count_positives(labels)
    placements = _placements(labels, scores)
    auc = float(placements[labels].mean())
    error = _standard_error(placements, labels)
    if auc in (0.0, 1.0) and error == 0.0:
        pairs = min(m, n - m)
        ends = wilson_bounds(np.array(auc * pairs), np.array(float(pairs)), level)
        method = f"delong; perfect separation: wilson on {pairs} disjoint pairs"
        return Estimate(auc, float(ends[0]), float(ends[1]), 0.0, n, None, level, method)
    half = math.inf if math.isnan(error) else normal_quantile(level) * error
    lower, upper = max(auc - half, 0.0), min(auc + half, 1.0)
    return Estimate(auc, lower, upper, error, n, None, level, "delong")


def compare_roc_auc(
    y: ArrayLike, score_a: ArrayLike, score_b: ArrayLike, *, confidence_level: float = 0.95
) -> Difference:
    """Return the difference of two correlated ROC AUCs, a − b, by paired DeLong.

    Parameters
    ----------
    y
        Labels 0 and 1, both present, shape (n,); examples independent.
    score_a, score_b
        Scores of the same examples, higher means more likely 1, shape (n,).
    confidence_level
        Nominal coverage.

    Returns
    -------
    Difference
        In [-1, 1], to which the interval is clipped; `statistic` is z. Scores that rank every
        pair alike give difference 0, z 0 and p-value 1. With a single example of one class
        there is no variance: the interval is [-1, 1], standard error, z and p-value NaN.

    Raises
    ------
    ValueError
        As `roc_auc_interval`.

    Notes
    -----
    When both scores separate the classes perfectly, the difference and its variance are 0 and
    the interval is a point: the sample cannot tell them apart, which does not make them equal.

    References
    ----------
    See `roc_auc_interval`.

    Examples
    --------
    >>> y = [0, 0, 0, 0, 1, 1, 1, 1]
    >>> result = compare_roc_auc(y, [1, 2, 3, 5, 4, 6, 7, 8], [2, 1, 6, 5, 4, 3, 8, 7])
    >>> result.difference, round(result.pvalue, 3)
    (0.1875, 0.268)
    """
    labels = as_labels(y)
    a, b = as_values(score_a, "score_a"), as_values(score_b, "score_b")
    n = check_same_length(y=labels, score_a=a, score_b=b)
    level = check_confidence_level(confidence_level)
    _count_positives(labels)
    # Taking the difference first makes the variance of equal rankings exactly 0.
    placements = _placements(labels, a) - _placements(labels, b)
    difference = float(placements[labels].mean())
    error = _standard_error(placements, labels)
    half = math.inf if math.isnan(error) else normal_quantile(level) * error
    z = standardised(difference, error)
    return Difference(
        difference=difference,
        ci_lower=max(difference - half, -1.0),
        ci_upper=min(difference + half, 1.0),
        standard_error=error,
        statistic=z,
        pvalue=2.0 * float(special.ndtr(-abs(z))),
        n=n,
        n_groups=None,
        confidence_level=level,
        method="paired delong",
    )


def _count_positives(labels: NDArray[np.bool_]) -> int:
    m = int(labels.sum())
    if m in (0, labels.size):
        raise ValueError(f"y holds {m} positives among {labels.size} labels; expected both classes")
    return m


def _placements(labels: NDArray[np.bool_], score: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return for each example the share of the other class that it is ordered rightly with.

    These are DeLong's structural components: V10 at the positives, V01 at the negatives.
    Each is a difference of midranks divided by the size of the other class.
    """
    order = np.argsort(score, kind="stable")
    ranked, positive = score[order], labels[order]
    starts = np.flatnonzero(np.append(True, ranked[1:] != ranked[:-1]))
    run = np.cumsum(np.append(False, ranked[1:] != ranked[:-1]))
    tied_positives = np.add.reduceat(positive, starts, dtype=np.int64)
    tied = np.diff(np.append(starts, ranked.size))
    twice_positives = 2 * np.cumsum(tied_positives) - tied_positives
    tied_negatives = tied - tied_positives
    twice_negatives = 2 * np.cumsum(tied_negatives) - tied_negatives
    m, k = int(labels.sum()), int(labels.size - labels.sum())
    placements = np.empty(score.size)
    placements[order] = np.where(
        positive, twice_negatives[run] / (2 * k), 1.0 - twice_positives[run] / (2 * m)
    )
    return placements


def _standard_error(placements: NDArray[np.float64], labels: NDArray[np.bool_]) -> float:
    """Return √(var(V10)/m + var(V01)/k), NaN when a class has one example."""
    positives, negatives = placements[labels], placements[~labels]
    if min(positives.size, negatives.size) == 1:
        return math.nan
    return math.sqrt(
        float(positives.var(ddof=1)) / positives.size
        + float(negatives.var(ddof=1)) / negatives.size
    )
