"""Scores of probabilities of ordered levels."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.errors import EvaluationError
from workbench.stats import Statistic, mean_statistic

__all__ = ["ORDINAL_STATISTICS", "level_score", "median_level"]

_TINY = 1e-15


def _checked(y: ArrayLike, proba: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    levels, p = np.asarray(y), np.asarray(proba, dtype=np.float64)
    if p.ndim != 2 or levels.shape != p.shape[:1] or p.shape[1] < 2:
        raise EvaluationError(
            f"labels of shape {levels.shape} and probabilities of shape {p.shape}",
            expected="(n,) and (n, n_levels)",
            fix="pass one row of probabilities a label",
        )
    off = ~((p >= 0).all(axis=1) & (np.abs(p.sum(axis=1) - 1) < 1e-6))
    if off.any() or not np.isin(levels, np.arange(p.shape[1])).all():
        raise EvaluationError(
            f"{int(off.sum()):,} rows are no probabilities, or a label is no level",
            expected=f"labels 0 to {p.shape[1] - 1}, rows that add up to 1",
            fix="mend the predictor's predict_proba",
        )
    return levels.astype(np.int64), p


def median_level(proba: ArrayLike) -> NDArray[np.int64]:
    """Level at which the cumulative probability passes one half: least absolute error.

    Parameters
    ----------
    proba : array-like of shape (n, n_levels)

    Returns
    -------
    ndarray of shape (n,)

    Examples
    --------
    >>> median_level([[0.4, 0.3, 0.3], [0.6, 0.2, 0.2]]).tolist()
    [1, 0]
    """
    below = np.cumsum(np.asarray(proba, dtype=np.float64), axis=1)[:, :-1] < 0.5
    return np.asarray(below.sum(axis=1), dtype=np.int64)


def level_score(proba: ArrayLike) -> NDArray[np.float64]:
    """Expected level on a scale from 0 to 100.

    Parameters
    ----------
    proba : array-like of shape (n, n_levels)

    Returns
    -------
    ndarray of shape (n,)

    Examples
    --------
    >>> level_score([[0.0, 0.0, 1.0], [0.5, 0.5, 0.0]]).tolist()
    [100.0, 25.0]
    """
    p = np.asarray(proba, dtype=np.float64)
    return np.asarray(p @ np.arange(p.shape[1]) * (100.0 / (p.shape[1] - 1)))


def _accuracy(y: NDArray[np.int64], p: NDArray[np.float64]) -> Statistic:
    return mean_statistic((p.argmax(axis=1) == y).astype(np.float64))


def _log_loss(y: NDArray[np.int64], p: NDArray[np.float64]) -> Statistic:
    return mean_statistic(-np.log(np.maximum(p[np.arange(len(y)), y], _TINY)))


def _absolute_error(y: NDArray[np.int64], p: NDArray[np.float64]) -> Statistic:
    return mean_statistic(np.abs(median_level(p) - y).astype(np.float64))


def _ranked_probability(y: NDArray[np.int64], p: NDArray[np.float64]) -> Statistic:
    cumulative = np.cumsum(p, axis=1)[:, :-1]
    happened = y[:, None] <= np.arange(p.shape[1] - 1)
    return mean_statistic(((cumulative - happened) ** 2).mean(axis=1))


def _quadratic_kappa(y: NDArray[np.int64], p: NDArray[np.float64]) -> Statistic:
    k = p.shape[1]
    cell = np.zeros((len(y), k * k))
    cell[np.arange(len(y)), y * k + median_level(p)] = 1.0
    distance = (np.arange(k)[:, None] - np.arange(k)) ** 2 / (k - 1) ** 2

    def statistic(weights: ArrayLike) -> NDArray[np.float64]:
        w = np.atleast_2d(np.asarray(weights, dtype=np.float64))
        table = (w @ cell).reshape(-1, k, k)
        n = table.sum(axis=(1, 2))
        chance = table.sum(axis=2)[:, :, None] * table.sum(axis=1)[:, None, :] / n[:, None, None]
        expected = (chance * distance).sum(axis=(1, 2))
        seen = (table * distance).sum(axis=(1, 2))
        undefined = expected == 0
        found = 1 - seen / np.where(undefined, 1.0, expected)
        return np.where(undefined, np.nan, found)

    return statistic


def _rank_correlation(y: NDArray[np.int64], p: NDArray[np.float64]) -> Statistic:
    values = (y.astype(np.float64), level_score(p))
    sorters = [np.unique(v, return_inverse=True)[1] for v in values]

    def ranks(w: NDArray[np.float64], codes: NDArray[np.int64]) -> NDArray[np.float64]:
        # Weighted mid-ranks: what copies of the rows would get.
        mass = np.zeros((len(w), int(codes.max()) + 1))
        np.add.at(mass.T, codes, w.T)
        upto = np.cumsum(mass, axis=1)
        return np.asarray((upto - mass / 2)[:, codes])

    def statistic(weights: ArrayLike) -> NDArray[np.float64]:
        w = np.atleast_2d(np.asarray(weights, dtype=np.float64))
        share = w / w.sum(axis=1, keepdims=True)
        a, b = (ranks(w, codes) for codes in sorters)
        a = a - (share * a).sum(axis=1, keepdims=True)
        b = b - (share * b).sum(axis=1, keepdims=True)
        spread = (share * a * a).sum(axis=1) * (share * b * b).sum(axis=1)
        undefined = spread <= 0
        found = (share * a * b).sum(axis=1) / np.sqrt(np.where(undefined, 1.0, spread))
        return np.where(undefined, np.nan, found)

    return statistic


def _of(
    make: Callable[[NDArray[np.int64], NDArray[np.float64]], Statistic],
) -> Callable[[ArrayLike, ArrayLike], Statistic]:
    def statistic(y: ArrayLike, proba: ArrayLike) -> Statistic:
        return make(*_checked(y, proba))

    return statistic


ORDINAL_STATISTICS = {
    "quadratic_kappa": _of(_quadratic_kappa),
    "level_error": _of(_absolute_error),
    "rank_correlation": _of(_rank_correlation),
    "ranked_probability_score": _of(_ranked_probability),
    "level_log_loss": _of(_log_loss),
    "level_accuracy": _of(_accuracy),
}
"""Figures of ordered levels as functions of resampling weights, from labels 0 … k−1 of shape (n,)
and probabilities of shape (n, k): kappa with quadratic weights (Cohen 1968), mean distance in
levels, Spearman's correlation, ranked probability score (Epstein 1969), log loss, accuracy."""
