"""Scores of probabilities of several labels."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.errors import EvaluationError
from workbench.scorers.probability import ERROR_PROBABILITY
from workbench.scorers.weighted import ProbaRows, check_pairs
from workbench.stats import Statistic, expected_calibration_error_statistic, mean_statistic

__all__ = ["label_brier", "label_log_loss", "top_label_ece"]

Matrix = NDArray[np.float64]

_TINY = 1e-15


def _proba_rows(
    truth: Sequence[str], proba: ProbaRows, classes: Sequence[str]
) -> tuple[NDArray[np.int64], Matrix]:
    n, k = check_pairs(truth, proba), len(classes)
    position = {label: i for i, label in enumerate(classes)}
    unknown = sorted(set(truth) - set(position))
    if unknown or k < 2 or len(position) != k:
        raise EvaluationError(
            f"true labels {unknown} are none of the {k} classes",
            expected="two classes or more, each named once, and every true label among them",
            fix="name the classes in the order of the columns",
        )
    y = np.array([position[t] for t in truth], dtype=np.int64)
    rows = np.zeros((n, k))
    for i, row in enumerate(proba):
        if row is None:
            # A failed answer is scored as one that was sure of something else.
            rows[i, y[i]] = ERROR_PROBABILITY
            rows[i, (y[i] + 1) % k] = 1 - ERROR_PROBABILITY
        else:
            rows[i] = _checked_row(row, k, i)
    return y, rows


def _checked_row(row: ArrayLike, k: int, example: int) -> Matrix:
    p = np.asarray(row, dtype=np.float64)
    if p.shape != (k,) or not (p >= 0).all() or abs(p.sum() - 1) > 1e-6:
        raise EvaluationError(
            f"probabilities of shape {p.shape} that add up to {p.sum():.6g}",
            where=f"example {example}",
            expected=f"{k} numbers from 0 that add up to 1",
            fix="mend the predictor's predict_proba, or pass None where there is no answer",
        )
    return p


def label_log_loss(truth: Sequence[str], proba: ProbaRows, *, classes: Sequence[str]) -> Statistic:
    """Mean negative log-probability of the true label.

    Parameters
    ----------
    truth
        One label an example.
    proba
        One row of probabilities an example, in the order of `classes`; None is scored as a
        chance of one in a hundred for what is true.
    classes
        Label of each column.

    Returns
    -------
    Statistic

    Raises
    ------
    EvaluationError
        When lengths differ, a label is unknown or a row is no distribution.

    Examples
    --------
    >>> label_log_loss(["a"], [[0.5, 0.5]], classes="ab")([1]).round(3).tolist()
    [0.693]
    """
    y, p = _proba_rows(truth, proba, classes)
    return mean_statistic(-np.log(np.maximum(p[np.arange(len(y)), y], _TINY)))


def label_brier(truth: Sequence[str], proba: ProbaRows, *, classes: Sequence[str]) -> Statistic:
    """Mean squared distance of the probabilities from what is true, summed over labels (0 to 2).

    Parameters
    ----------
    truth, proba, classes
        As for `label_log_loss`.

    Returns
    -------
    Statistic

    Raises
    ------
    EvaluationError
        As `label_log_loss`.

    References
    ----------
    Brier (1950), Monthly Weather Review 78:1-3.

    Examples
    --------
    >>> label_brier(["a"], [[0.5, 0.5]], classes="ab")([1]).tolist()
    [0.5]
    """
    y, p = _proba_rows(truth, proba, classes)
    return mean_statistic(((p - np.eye(p.shape[1])[y]) ** 2).sum(axis=1))


def top_label_ece(
    truth: Sequence[str],
    proba: ProbaRows,
    *,
    classes: Sequence[str],
    n_bins: int = 15,
) -> Statistic:
    """Mean distance between confidence in the top label and how often it is right.

    Parameters
    ----------
    truth, proba, classes
        As for `label_log_loss`. Of labels tied at the top the first is taken.
    n_bins
        Bins of equal size.

    Returns
    -------
    Statistic

    Raises
    ------
    EvaluationError
        As `label_log_loss`.

    Notes
    -----
    A mean of absolute values: noise alone makes it positive, and a bootstrap adds that noise once
    more. Compare arms on the same examples; do not read a single value as proof of miscalibration.

    References
    ----------
    Guo, Pleiss, Sun & Weinberger (2017), ICML; see `expected_calibration_error_statistic`.

    Examples
    --------
    >>> top_label_ece(["a", "b"], [[0.75, 0.25]] * 2, classes="ab")([1, 1]).tolist()
    [0.25]
    """
    y, p = _proba_rows(truth, proba, classes)
    right = (p.argmax(axis=1) == y).astype(np.int8)
    return expected_calibration_error_statistic(
        right, np.minimum(p.max(axis=1), 1.0), n_bins=n_bins
    )
