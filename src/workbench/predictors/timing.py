"""How long a model of one's own takes for a single prediction."""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["sampled_latency", "single_latencies"]

_WARM_UP = 5


def single_latencies(
    estimator: Any, X: pd.DataFrame, positions: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Measure predictions of single rows, as a user meets them, through the whole pipeline.

    Parameters
    ----------
    estimator
        Fitted, with `predict_proba`.
    X : DataFrame of shape (n_samples, n_features)
    positions : ndarray of int
        The rows to measure.

    Returns
    -------
    ndarray of shape (n_samples,)
        Seconds; NaN for rows that were not measured.
    """
    latencies = np.full(len(X), np.nan)
    for position in positions[:_WARM_UP]:
        estimator.predict_proba(X.iloc[[position]])
    for position in positions:
        row = X.iloc[[position]]
        started = time.perf_counter()
        estimator.predict_proba(row)
        latencies[position] = time.perf_counter() - started
    return latencies


def sampled_latency(
    answered: NDArray[np.float64],
    own: Sequence[tuple[Any, NDArray[np.intp]]],
    X: pd.DataFrame,
    sample: int,
    random_state: int,
) -> NDArray[np.float64]:
    """Add the time of models on this machine to that of answers, on a random sample of rows.

    Parameters
    ----------
    answered : ndarray of shape (n_samples,)
        Seconds the answers of Claude took, 0 where it was not asked.
    own : sequence of (fitted estimator, positions)
        Models on this machine, and the rows each took part in.
    X : DataFrame of shape (n_samples, n_features)
    sample
        Rows to measure, at most.
    random_state
        Seed of the sample.

    Returns
    -------
    ndarray of shape (n_samples,)
        Seconds. Rows outside the sample have none, whoever answered them: the time of the
        others alone would be that of a selection. Everything, where no model took part.
    """
    own = [(estimator, rows) for estimator, rows in own if len(rows)]
    if not own:
        return answered
    rng = np.random.default_rng(random_state)
    chosen = rng.choice(len(X), size=min(sample, len(X)), replace=False)
    total = np.full(len(X), np.nan)
    total[chosen] = answered[chosen]
    for estimator, rows in own:
        measured = chosen[np.isin(chosen, rows)]
        total[measured] += single_latencies(estimator, X, measured)[measured]
    return total
