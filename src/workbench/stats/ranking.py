"""Measures of ranking under many weightings at once: ROC AUC, average precision, lift.

Each measure comes twice: as a plain function, and as a factory that sorts once and returns
a function of the weights alone, which is what a bootstrap calls. Ties are exact: no result
depends on the order of the rows.
"""

from typing import Any, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.stats.ordering import ClassOrder, running_total
from workbench.stats.resampling import Statistic, apply_statistic
from workbench.stats.validation import (
    as_labels,
    as_values,
    as_weights,
    check_same_length,
)

__all__ = [
    "average_precision",
    "average_precision_statistic",
    "lift_at",
    "lift_at_statistic",
    "roc_auc",
    "roc_auc_statistic",
]


def roc_auc_statistic(y: ArrayLike, score: ArrayLike) -> Statistic:
    """Return the ROC AUC as a function of the weights.

    Parameters
    ----------
    y
        Labels 0 and 1, shape (n,).
    score
        Higher means more likely 1, shape (n,).

    Returns
    -------
    Statistic
        Maps weights of shape (n,) or (b, n) to an array of shape (b,), b = 1 for (n,):
        NaN where only one class has weight.

    Raises
    ------
    ValueError
        If an input has the wrong shape, is empty or not finite, or a label is not 0 or 1;
        when called, if weights have the wrong shape, are negative or not finite.

    References
    ----------
    Hanley & McNeil (1982), Radiology 143:29-36: the probability that a positive outscores
    a negative, ties counting one half.

    Examples
    --------
    >>> roc_auc_statistic([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])([[1, 1, 1, 1], [1, 0, 1, 1]])
    array([0.75, 1.  ])
    """
    labels, scores = _checked(y, score)
    order = ClassOrder.of(labels, scores)
    tied = bool(np.any(order.negatives_below != order.negatives_upto))

    def statistic(weights: ArrayLike) -> NDArray[np.float64]:
        w = as_weights(weights, labels.size)
        positive = w[:, order.positive]
        below = running_total(w[:, order.negative])
        wins = _row_dots(positive, below[:, order.negatives_below])
        if tied:
            wins = (wins + _row_dots(positive, below[:, order.negatives_upto])) / 2
        pairs = positive.sum(axis=1, dtype=np.float64) * below[:, -1]
        return _ratio(wins, pairs)

    return statistic


@overload
def roc_auc(y: ArrayLike, score: ArrayLike) -> float: ...
@overload
def roc_auc(
    y: ArrayLike, score: ArrayLike, weights: ArrayLike | None
) -> float | NDArray[np.float64]: ...
def roc_auc(
    y: ArrayLike, score: ArrayLike, weights: ArrayLike | None = None
) -> float | NDArray[np.float64]:
    """Return the area under the ROC curve.

    Parameters
    ----------
    y
        Labels 0 and 1, shape (n,).
    score
        Higher means more likely 1, shape (n,).
    weights
        Weight of each example, shape (n,) or (b, n); 1 each when not given.

    Returns
    -------
    float | NDArray[np.float64]
        In [0, 1], shape (b,) for weights of shape (b, n); NaN where only one class has weight.

    Raises
    ------
    ValueError
        As `roc_auc_statistic`.

    References
    ----------
    See `roc_auc_statistic`.

    Examples
    --------
    >>> roc_auc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    0.75
    """
    return apply_statistic(roc_auc_statistic(y, score), np.size(y), weights)


def average_precision_statistic(y: ArrayLike, score: ArrayLike) -> Statistic:
    """Return average precision as a function of the weights.

    Parameters
    ----------
    y
        Labels 0 and 1, shape (n,).
    score
        Higher means more likely 1, shape (n,).

    Returns
    -------
    Statistic
        Maps weights of shape (n,) or (b, n) to an array of shape (b,), b = 1 for (n,):
        NaN where only one class has weight.

    Raises
    ------
    ValueError
        As `roc_auc_statistic`.

    References
    ----------
    AP = Σ_k (R_k − R_{k−1}) P_k over the distinct thresholds, without interpolation, as
    scikit-learn's `average_precision_score`.

    Examples
    --------
    >>> statistic = average_precision_statistic([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    >>> statistic([[1, 1, 1, 1]]).round(4)
    array([0.8333])
    """
    labels, scores = _checked(y, score)
    order = ClassOrder.of(labels, scores)

    def statistic(weights: ArrayLike) -> NDArray[np.float64]:
        w = as_weights(weights, labels.size)
        positive = w[:, order.positive]
        hits = running_total(positive)
        misses = running_total(w[:, order.negative])
        # What scores at least as high as each positive: its threshold's hits and misses.
        true = hits[:, -1:] - hits[:, order.positives_below]
        flagged = true + (misses[:, -1:] - misses[:, order.negatives_below])
        precision = np.zeros(flagged.shape)
        np.divide(true, flagged, out=precision, where=flagged > 0)
        both = (hits[:, -1] > 0) & (misses[:, -1] > 0)
        return _ratio(_row_dots(positive, precision), np.where(both, hits[:, -1], 0))

    return statistic


@overload
def average_precision(y: ArrayLike, score: ArrayLike) -> float: ...
@overload
def average_precision(
    y: ArrayLike, score: ArrayLike, weights: ArrayLike | None
) -> float | NDArray[np.float64]: ...
def average_precision(
    y: ArrayLike, score: ArrayLike, weights: ArrayLike | None = None
) -> float | NDArray[np.float64]:
    """Return average precision, the area under the precision-recall steps.

    Parameters
    ----------
    y
        Labels 0 and 1, shape (n,).
    score
        Higher means more likely 1, shape (n,).
    weights
        Weight of each example, shape (n,) or (b, n); 1 each when not given.

    Returns
    -------
    float | NDArray[np.float64]
        In [0, 1], shape (b,) for weights of shape (b, n); NaN where only one class has weight.

    Raises
    ------
    ValueError
        As `roc_auc_statistic`.

    References
    ----------
    See `average_precision_statistic`.

    Examples
    --------
    >>> round(average_precision([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]), 4)
    0.8333
    """
    return apply_statistic(average_precision_statistic(y, score), np.size(y), weights)


def lift_at_statistic(y: ArrayLike, score: ArrayLike, fraction: float = 0.1) -> Statistic:
    """Return lift among the top scores as a function of the weights.

    Parameters
    ----------
    y
        Labels 0 and 1, shape (n,).
    score
        Higher means more likely 1, shape (n,).
    fraction
        Share of the total weight that counts as the top, in (0, 1].

    Returns
    -------
    Statistic
        Maps weights of shape (n,) or (b, n) to an array of shape (b,), b = 1 for (n,):
        NaN where only one class has weight.

    Raises
    ------
    ValueError
        As `roc_auc_statistic`, and if `fraction` is not in (0, 1].

    Notes
    -----
    The top holds exactly `fraction` of the weight. Examples tied at the cut enter it in equal
    part, so neither row order nor a fractional count matters: it is the expected lift when
    ties are broken at random.

    Examples
    --------
    >>> lift_at_statistic([1, 0, 0, 0], [0.9, 0.3, 0.2, 0.1], 0.5)([[1, 1, 1, 1]])
    array([2.])
    """
    labels, scores = _checked(y, score)
    if not 0.0 < fraction <= 1.0:
        raise ValueError(f"fraction is {fraction!r}; expected a number in (0, 1]")
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    # Column of the running totals at which each run of equal scores ends.
    ends = np.append(np.flatnonzero(ranked[1:] != ranked[:-1]) + 1, ranked.size)
    hit = labels[order]

    def statistic(weights: ArrayLike) -> NDArray[np.float64]:
        w = as_weights(weights, labels.size)[:, order]
        total = running_total(w)[:, ends]
        hits = running_total(w * hit)[:, ends]
        cut = fraction * total[:, -1].astype(np.float64)
        rows = np.arange(w.shape[0])
        # The run of ties the cut falls into; the clip guards against rounding at the end.
        run = np.minimum((total < cut[:, None]).sum(axis=1), ends.size - 1)
        before = np.maximum(run - 1, 0)
        first = run == 0
        weight_before = np.where(first, 0, total[rows, before])
        hits_before = np.where(first, 0, hits[rows, before])
        share = _ratio(cut - weight_before, total[rows, run] - weight_before)
        top = hits_before + share * (hits[rows, run] - hits_before)
        both = (hits[:, -1] > 0) & (hits[:, -1] < total[:, -1])
        return _ratio(top, np.where(both, fraction * hits[:, -1], 0))

    return statistic


@overload
def lift_at(y: ArrayLike, score: ArrayLike, fraction: float = ...) -> float: ...
@overload
def lift_at(
    y: ArrayLike, score: ArrayLike, fraction: float = ..., *, weights: ArrayLike | None
) -> float | NDArray[np.float64]: ...
@overload
def lift_at(
    y: ArrayLike, score: ArrayLike, fraction: float, weights: ArrayLike | None
) -> float | NDArray[np.float64]: ...
def lift_at(
    y: ArrayLike, score: ArrayLike, fraction: float = 0.1, weights: ArrayLike | None = None
) -> float | NDArray[np.float64]:
    """Return how much richer in positives the top scores are than the whole.

    Parameters
    ----------
    y
        Labels 0 and 1, shape (n,).
    score
        Higher means more likely 1, shape (n,).
    fraction
        Share of the total weight that counts as the top, in (0, 1].
    weights
        Weight of each example, shape (n,) or (b, n); 1 each when not given.

    Returns
    -------
    float | NDArray[np.float64]
        Positive rate among the top over the overall rate, ≥ 0 (1 is no better than chance),
        shape (b,) for weights of shape (b, n); NaN where only one class has weight.

    Raises
    ------
    ValueError
        As `lift_at_statistic`.

    Notes
    -----
    See `lift_at_statistic` for how the cut is shared among ties.

    Examples
    --------
    >>> lift_at([1, 1, 0, 0], [0.5, 0.5, 0.5, 0.1], 0.25)  # a two in three chance, over 1/2
    1.3333333333333333
    """
    return apply_statistic(lift_at_statistic(y, score, fraction), np.size(y), weights)


def _checked(y: ArrayLike, score: ArrayLike) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    labels, scores = as_labels(y), as_values(score, "score")
    check_same_length(y=labels, score=scores)
    return labels, scores


def _row_dots(left: NDArray[Any], right: NDArray[Any]) -> NDArray[np.float64]:
    """Return the dot product of each pair of rows, summed in float64."""
    dots: NDArray[np.float64] = np.einsum("ij,ij->i", left, right, dtype=np.float64)
    return dots


def _ratio(numerator: NDArray[Any], denominator: NDArray[Any]) -> NDArray[np.float64]:
    """Divide, giving NaN without a warning where the denominator is 0."""
    out = np.full(numerator.shape, np.nan)
    np.divide(numerator, denominator, out=out, where=denominator > 0)
    return out
