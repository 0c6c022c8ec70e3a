"""Whether predicted probabilities mean what they say."""

from dataclasses import dataclass
from typing import NamedTuple, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.stats.bounds import wilson_bounds
from workbench.stats.resampling import Statistic, apply_statistic
from workbench.stats.validation import (
    as_labels,
    as_probabilities,
    as_weights,
    check_confidence_level,
    check_count,
    check_same_length,
)

__all__ = [
    "BrierDecomposition",
    "ReliabilityCurve",
    "brier_decomposition",
    "brier_scores",
    "expected_calibration_error",
    "expected_calibration_error_statistic",
    "log_losses",
    "reliability_curve",
]


class BrierDecomposition(NamedTuple):
    """Parts of the Brier score: brier = reliability − resolution + uncertainty + within_bin.

    Attributes
    ----------
    brier
        Mean squared error of the probabilities, in [0, 1]; lower is better.
    reliability
        Miscalibration of the bins; lower is better.
    resolution
        How far the bins' positive rates lie from the base rate; higher is better.
    uncertainty
        Variance of the labels, a property of the data alone.
    within_bin
        What binning leaves over: the variance of the predictions inside bins minus twice
        their covariance with the labels. 0 when each bin holds one probability.

    Examples
    --------
    >>> BrierDecomposition(0.25, 0.0, 0.0, 0.25, 0.0).uncertainty
    0.25
    """

    brier: float
    reliability: float
    resolution: float
    uncertainty: float
    within_bin: float


@dataclass(frozen=True, eq=False)
class ReliabilityCurve:
    """Predicted against observed frequency in bins of equal size.

    Attributes
    ----------
    mean_predicted
        Mean probability of each bin, ascending, shape (k,).
    fraction_positive
        Share of positives in each bin, shape (k,).
    ci_lower, ci_upper
        Wilson bounds of that share, shape (k,).
    count
        Examples in each bin, shape (k,).

    Examples
    --------
    >>> reliability_curve([0, 1], [0.2, 0.8], n_bins=2).count.tolist()
    [1, 1]
    """

    mean_predicted: NDArray[np.float64]
    fraction_positive: NDArray[np.float64]
    ci_lower: NDArray[np.float64]
    ci_upper: NDArray[np.float64]
    count: NDArray[np.intp]


def expected_calibration_error_statistic(
    y: ArrayLike, probability: ArrayLike, *, n_bins: int = 15
) -> Statistic:
    """Return the expected calibration error as a function of the weights.

    The bins come from the unweighted data once and stay the same for all weights.

    Parameters
    ----------
    y
        Labels 0 and 1, shape (n,).
    probability
        Predicted probability of label 1, in [0, 1], shape (n,).
    n_bins
        How many bins of equal size to aim at. Equal probabilities always share a bin, so
        there may be fewer, and of unequal size.

    Returns
    -------
    Statistic
        Maps weights of shape (n,) or (b, n) to an array of shape (b,), b = 1 for (n,):
        NaN where the weights are all 0.

    Raises
    ------
    ValueError
        If an input has the wrong shape, is empty or not finite, a label is not 0 or 1, a
        probability lies outside [0, 1], or `n_bins` is not a whole number ≥ 1; when called,
        if weights have the wrong shape, are negative or not finite.

    Notes
    -----
    The error is an average of absolute values, so noise alone makes it positive. A bootstrap
    adds that noise once more: its replicates lie above the estimate, and the percentile
    interval of a well calibrated model does not reach 0. Compare arms with it, at the same n;
    do not read a single value as proof of miscalibration.

    References
    ----------
    Naeini, Cooper & Hauskrecht (2015), AAAI; with bins of equal size: Nguyen & O'Connor
    (2015), EMNLP.

    Examples
    --------
    >>> statistic = expected_calibration_error_statistic([0, 1], [0.25, 0.5], n_bins=2)
    >>> statistic([[1, 1], [1, 0]])
    array([0.375, 0.25 ])
    """
    labels, p = checked_pairs(y, probability)
    bins = equal_size_bins(p, n_bins)
    order = np.argsort(bins, kind="stable")
    starts = np.searchsorted(bins[order], np.arange(bins.max() + 1))
    gap = (labels - p)[order]

    def statistic(weights: ArrayLike) -> NDArray[np.float64]:
        w = as_weights(weights, labels.size)
        error = np.abs(np.add.reduceat(w[:, order] * gap, starts, axis=1)).sum(axis=1)
        total = w.sum(axis=1, dtype=np.float64)
        out = np.full(total.shape, np.nan)
        np.divide(error, total, out=out, where=total > 0)
        return out

    return statistic


@overload
def expected_calibration_error(
    y: ArrayLike, probability: ArrayLike, *, n_bins: int = ...
) -> float: ...
@overload
def expected_calibration_error(
    y: ArrayLike, probability: ArrayLike, *, n_bins: int = ..., weights: ArrayLike | None
) -> float | NDArray[np.float64]: ...
def expected_calibration_error(
    y: ArrayLike,
    probability: ArrayLike,
    *,
    n_bins: int = 15,
    weights: ArrayLike | None = None,
) -> float | NDArray[np.float64]:
    """Return the mean gap between predicted and observed frequency over bins of equal size.

    Parameters
    ----------
    y
        Labels 0 and 1, shape (n,).
    probability
        Predicted probability of label 1, in [0, 1], shape (n,).
    n_bins
        How many bins of equal size to aim at.
    weights
        Weight of each example, shape (n,) or (b, n); 1 each when not given.

    Returns
    -------
    float | NDArray[np.float64]
        In [0, 1], shape (b,) for weights of shape (b, n); NaN where the weights are all 0.

    Raises
    ------
    ValueError
        As `expected_calibration_error_statistic`.

    Notes
    -----
    Biased upwards: see `expected_calibration_error_statistic`.

    Examples
    --------
    >>> expected_calibration_error([0, 1, 0, 1], [0.25, 0.25, 0.5, 0.5])
    0.125
    """
    statistic = expected_calibration_error_statistic(y, probability, n_bins=n_bins)
    return apply_statistic(statistic, np.size(y), weights)


def brier_scores(y: ArrayLike, probability: ArrayLike) -> NDArray[np.float64]:
    """Return each example's squared error.

    Parameters
    ----------
    y
        Labels 0 and 1, shape (n,).
    probability
        Predicted probability of label 1, in [0, 1], shape (n,).

    Returns
    -------
    NDArray[np.float64]
        Shape (n,), in [0, 1]; their mean is the Brier score.

    Raises
    ------
    ValueError
        If an input has the wrong shape, is empty or not finite, a label is not 0 or 1, or a
        probability lies outside [0, 1].

    References
    ----------
    Brier (1950), Monthly Weather Review 78:1-3, halved as is usual for two classes.

    Examples
    --------
    >>> brier_scores([0, 1], [0.5, 0.5])
    array([0.25, 0.25])
    """
    labels, p = checked_pairs(y, probability)
    return (p - labels) ** 2


def log_losses(y: ArrayLike, probability: ArrayLike, *, eps: float = 1e-15) -> NDArray[np.float64]:
    """Return each example's negative log-likelihood, in nats.

    Parameters
    ----------
    y
        Labels 0 and 1, shape (n,).
    probability
        Predicted probability of label 1, in [0, 1], shape (n,).
    eps
        Probabilities are clipped to [eps, 1 − eps], which bounds the loss by −ln(eps).

    Returns
    -------
    NDArray[np.float64]
        Shape (n,), ≥ 0; their mean is the log loss.

    Raises
    ------
    ValueError
        If an input has the wrong shape, is empty or not finite, a label is not 0 or 1, a
        probability lies outside [0, 1], or `eps` is not in (0, 0.5).

    Examples
    --------
    >>> log_losses([0, 1], [0.5, 0.5]).round(4)
    array([0.6931, 0.6931])
    """
    labels, p = checked_pairs(y, probability)
    if not 0.0 < eps < 0.5:
        raise ValueError(f"eps is {eps!r}; expected a number in (0, 0.5)")
    likelihood: NDArray[np.float64] = np.where(labels, p, 1.0 - p)
    return -np.log(np.clip(likelihood, eps, 1.0 - eps))


def brier_decomposition(
    y: ArrayLike, probability: ArrayLike, *, n_bins: int = 10
) -> BrierDecomposition:
    """Split the Brier score into reliability, resolution, uncertainty and within-bin rest.

    Parameters
    ----------
    y
        Labels 0 and 1, shape (n,).
    probability
        Predicted probability of label 1, in [0, 1], shape (n,).
    n_bins
        How many bins of equal size to aim at.

    Returns
    -------
    BrierDecomposition
        The parts add up to the score exactly, up to rounding.

    Raises
    ------
    ValueError
        If an input has the wrong shape, is empty or not finite, a label is not 0 or 1, a
        probability lies outside [0, 1], or `n_bins` is not a whole number ≥ 1.

    References
    ----------
    Murphy (1973), Journal of Applied Meteorology 12:595-600; the within-bin terms: Stephenson,
    Coelho & Jolliffe (2008), Weather and Forecasting 23:752-757.

    Examples
    --------
    >>> parts = brier_decomposition([0, 1, 0, 1], [0.25, 0.25, 0.5, 0.5])
    >>> parts.brier, parts.reliability, parts.resolution, parts.uncertainty, parts.within_bin
    (0.28125, 0.03125, 0.0, 0.25, 0.0)
    """
    labels, p = checked_pairs(y, probability)
    bins = equal_size_bins(p, n_bins)
    count = np.bincount(bins)
    predicted = np.bincount(bins, weights=p) / count
    observed = np.bincount(bins, weights=labels) / count
    base = float(labels.mean())
    spread, residual = p - predicted[bins], labels - observed[bins]
    return BrierDecomposition(
        brier=float(np.mean((p - labels) ** 2)),
        reliability=float(count @ (predicted - observed) ** 2) / labels.size,
        resolution=float(count @ (observed - base) ** 2) / labels.size,
        uncertainty=base * (1.0 - base),
        within_bin=float(np.mean(spread**2 - 2.0 * spread * residual)),
    )


def reliability_curve(
    y: ArrayLike, probability: ArrayLike, *, n_bins: int = 10, confidence_level: float = 0.95
) -> ReliabilityCurve:
    """Return observed against predicted frequency in bins of equal size.

    Parameters
    ----------
    y
        Labels 0 and 1, shape (n,).
    probability
        Predicted probability of label 1, in [0, 1], shape (n,).
    n_bins
        How many bins of equal size to aim at; equal probabilities always share a bin.
    confidence_level
        Nominal coverage of each bin's interval, taken alone.

    Returns
    -------
    ReliabilityCurve
        One entry per bin, by ascending probability.

    Raises
    ------
    ValueError
        If an input has the wrong shape, is empty or not finite, a label is not 0 or 1, a
        probability lies outside [0, 1], `n_bins` is not a whole number ≥ 1, or
        `confidence_level` is not in (0, 1).

    Examples
    --------
    >>> curve = reliability_curve([0, 0, 1, 1], [0.1, 0.1, 0.9, 0.9], n_bins=2)
    >>> curve.mean_predicted.tolist(), curve.fraction_positive.tolist()
    ([0.1, 0.9], [0.0, 1.0])
    """
    labels, p = checked_pairs(y, probability)
    level = check_confidence_level(confidence_level)
    bins = equal_size_bins(p, n_bins)
    count: NDArray[np.intp] = np.bincount(bins).astype(np.intp)
    positives = np.bincount(bins, weights=labels).astype(np.float64)
    lower, upper = wilson_bounds(positives, count.astype(np.float64), level)
    return ReliabilityCurve(
        mean_predicted=np.bincount(bins, weights=p) / count,
        fraction_positive=positives / count,
        ci_lower=lower,
        ci_upper=upper,
        count=count,
    )


def checked_pairs(
    y: ArrayLike, probability: ArrayLike
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    labels, p = as_labels(y), as_probabilities(probability)
    check_same_length(y=labels, probability=p)
    return labels, p


def equal_size_bins(probability: NDArray[np.float64], n_bins: int) -> NDArray[np.intp]:
    """Return each example's bin, 0 … k - 1 without gaps, by the midrank of its probability."""
    n_bins = check_count(n_bins, "n_bins")
    _, distinct, count = np.unique(probability, return_inverse=True, return_counts=True)
    twice_midrank = 2 * np.cumsum(count) - count
    aimed = n_bins * twice_midrank // (2 * probability.size)
    _, gapless = np.unique(aimed, return_inverse=True)
    bins: NDArray[np.intp] = gapless[distinct]
    return bins
