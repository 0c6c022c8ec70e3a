"""Scores of risks where some have not been observed to the end (censoring)."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.errors import EvaluationError
from workbench.stats import Statistic, roc_auc_statistic

__all__ = ["auc_at_statistic", "censoring_weights", "concordance_statistic"]

_MOST_ROWS = 8000


def _checked(
    time: ArrayLike, observed: ArrayLike, risk: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.float64]]:
    t, r = np.asarray(time, dtype=np.float64), np.asarray(risk, dtype=np.float64)
    seen = np.asarray(observed, dtype=bool)
    if not t.shape == seen.shape == r.shape or t.ndim != 1 or not len(t):
        raise EvaluationError(
            f"times {t.shape}, observed {seen.shape} and risks {r.shape}",
            expected="three columns of one length",
            fix="pass one of each a row",
        )
    if not (np.isfinite(t).all() and np.isfinite(r).all() and (t >= 0).all()):
        raise EvaluationError(
            "a time or risk is missing, infinite or negative",
            expected="finite numbers, times from 0",
            fix="leave such rows out",
        )
    return t, seen, r


def censoring_weights(time: ArrayLike, observed: ArrayLike) -> NDArray[np.float64]:
    """How many rows each observed one stands for: one over the chance not to be censored before.

    Parameters
    ----------
    time : array-like of shape (n,)
        Until the event or until last seen.
    observed : array-like of shape (n,)
        Whether the event was seen.

    Returns
    -------
    ndarray of shape (n,)
        ``1 / G(t-)`` with Kaplan and Meier's G of the censoring times; 0 for censored rows.

    Examples
    --------
    >>> censoring_weights([1, 2, 3, 4], [True, False, True, True]).round(3).tolist()
    [1.0, 0.0, 1.5, 1.5]
    """
    t, seen, _ = _checked(time, observed, np.zeros(len(np.asarray(time))))
    times, codes = np.unique(t, return_inverse=True)
    censored = np.bincount(codes, weights=~seen, minlength=len(times))
    happened = np.bincount(codes, weights=seen, minlength=len(times))
    at_risk = len(t) - np.r_[0, np.cumsum(censored + happened)[:-1]]
    # Of a moment, events come before censorings.
    left = at_risk - happened
    stay = 1 - np.divide(censored, left, out=np.zeros_like(left), where=left > 0)
    before = np.r_[1.0, np.cumprod(stay)[:-1]][codes]
    return np.where(seen, 1 / np.where(before > 0, before, 1.0), 0.0)


def concordance_statistic(
    time: ArrayLike, observed: ArrayLike, risk: ArrayLike, *, horizon: float | None = None
) -> Statistic:
    """Uno's concordance as a function of weights: how often the higher risk is the earlier event.

    Parameters
    ----------
    time, observed, risk : array-like of shape (n,)
        Time until the event or last seen, whether it was seen, predicted risk (higher is sooner).
    horizon
        Only events before it count; all when None.

    Returns
    -------
    Statistic
        Ties in risk count one half; NaN where no pair can be ordered.

    Raises
    ------
    EvaluationError
        When the columns do not fit, or there are more than 8,000 rows (pairs are held in memory).

    References
    ----------
    Uno, Cai, Pencina, D'Agostino & Wei (2011), Statistics in Medicine 30:1105-1117, eq. 6.

    Examples
    --------
    >>> statistic = concordance_statistic([1, 2, 3], [True, True, False], [0.9, 0.5, 0.1])
    >>> statistic([1, 1, 1]).tolist()
    [1.0]
    """
    t, seen, r = _checked(time, observed, risk)
    if len(t) > _MOST_ROWS:
        raise EvaluationError(
            f"concordance of {len(t):,} rows",
            expected=f"at most {_MOST_ROWS:,}",
            fix="score a random sample of them",
        )
    event = seen & (t < (np.inf if horizon is None else horizon))
    weight = (censoring_weights(t, seen) ** 2)[event].astype(np.float32)
    comparable = (t[event][:, None] < t).astype(np.float32) * weight[:, None]
    ahead = np.where(r[event][:, None] > r, 1.0, np.where(r[event][:, None] == r, 0.5, 0.0))
    concordant = comparable * ahead.astype(np.float32)

    def statistic(weights: ArrayLike) -> NDArray[np.float64]:
        w = np.atleast_2d(np.asarray(weights, dtype=np.float32))
        own = w[:, event]
        won = (own @ concordant * w).sum(axis=1, dtype=np.float64)
        pairs = (own @ comparable * w).sum(axis=1, dtype=np.float64)
        return np.where(pairs > 0, won / np.where(pairs > 0, pairs, 1.0), np.nan)

    return statistic


def auc_at_statistic(
    time: ArrayLike, observed: ArrayLike, risk: ArrayLike, horizon: float
) -> Statistic:
    """Time-dependent ROC AUC (cumulative cases, dynamic controls) as a function of weights.

    Parameters
    ----------
    time, observed, risk : array-like of shape (n,)
        As for `concordance_statistic`.
    horizon
        Who had the event up to here is a case, who was seen beyond it without one a control; who
        was censored before counts through those observed like it (inverse probability weights).

    Raises
    ------
    EvaluationError
        When the columns do not fit.

    References
    ----------
    Hung & Chiang (2010), Scandinavian Journal of Statistics 37:664-679; Blanche, Dartigues &
    Jacqmin-Gadda (2013), Statistics in Medicine 32:5381-5397, eq. 3.

    Examples
    --------
    >>> statistic = auc_at_statistic([1, 5, 9, 2], [True, True, False, False], [3, 2, 1, 9], 4)
    >>> statistic([1, 1, 1, 1]).tolist()
    [1.0]
    """
    t, seen, r = _checked(time, observed, risk)
    case = seen & (t <= horizon)
    known = case | (t > horizon)
    importance = np.where(case, censoring_weights(t, seen), 1.0)[known]
    rank = roc_auc_statistic(case[known].astype(np.int8), r[known])

    def statistic(weights: ArrayLike) -> NDArray[np.float64]:
        return rank(np.atleast_2d(np.asarray(weights, dtype=np.float64))[:, known] * importance)

    return statistic
