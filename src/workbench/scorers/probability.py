"""Score probabilities of a binary outcome."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.stats import (
    average_precision_statistic,
    brier_scores,
    expected_calibration_error_statistic,
    lift_at_statistic,
    log_losses,
    roc_auc_statistic,
)

__all__ = ["ERROR_PROBABILITY", "EXAMPLE_SCORES", "STATISTICS", "penalise_errors"]

ERROR_PROBABILITY = 0.01
"""A failed answer is scored as if it had given what happened a chance of one in a hundred."""

Statistic = Callable[[NDArray[Any]], NDArray[np.float64]]


def _right(y: NDArray[np.int8], probability: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray((probability > 0.5) == (y == 1), dtype=np.float64)


# Metrics that are the mean of one score an example.
EXAMPLE_SCORES: Mapping[
    str, Callable[[NDArray[np.int8], NDArray[np.float64]], NDArray[np.float64]]
] = MappingProxyType({"log_loss": log_losses, "brier": brier_scores, "accuracy": _right})


def _share_of(
    part: NDArray[np.bool_], whole: NDArray[np.bool_]
) -> Callable[[NDArray[Any]], NDArray[np.float64]]:
    columns = np.column_stack([part & whole, whole]).astype(np.float64)

    def statistic(weights: NDArray[Any]) -> NDArray[np.float64]:
        found, of = (np.atleast_2d(weights).astype(np.float64) @ columns).T
        return np.where(of > 0, found / np.where(of > 0, of, 1.0), np.nan)

    return statistic


def _precision(y: NDArray[np.int8], probability: NDArray[np.float64]) -> Statistic:
    return _share_of(y == 1, probability > 0.5)


def _recall(y: NDArray[np.int8], probability: NDArray[np.float64]) -> Statistic:
    return _share_of(probability > 0.5, y == 1)


# Metrics of the whole ranking or of a part of it, as functions of resampling weights.
STATISTICS: Mapping[str, Callable[[NDArray[np.int8], NDArray[np.float64]], Statistic]] = (
    MappingProxyType(
        {
            "roc_auc": roc_auc_statistic,
            "average_precision": average_precision_statistic,
            "ece": expected_calibration_error_statistic,
            "lift_at_10": lift_at_statistic,
            "precision": _precision,
            "recall": _recall,
        }
    )
)


def penalise_errors(
    y: NDArray[np.int8], probability: NDArray[np.float64], failed: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Replace the probability of failed answers by one that is wrong.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        0 or 1.
    probability : ndarray of shape (n_samples,)
    failed : ndarray of shape (n_samples,)

    Returns
    -------
    ndarray of shape (n_samples,)

    Examples
    --------
    >>> penalise_errors(np.array([1, 0]), np.array([0.9, 0.2]), np.array([True, False])).tolist()
    [0.01, 0.2]
    """
    wrong = np.where(y == 1, ERROR_PROBABILITY, 1 - ERROR_PROBABILITY)
    return np.where(failed, wrong, probability)
