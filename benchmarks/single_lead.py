"""Latency of one prediction in process, from a mapping of values to a probability.

The telco table's ensemble and its boosted member score rows that are given as mappings, one after
another on one thread, encoding included; beside them `predict_proba` on a one-row DataFrame.
"""

import gc
import time
from typing import Any

import numpy as np

import workbench as wb
from benchmarks.figure import CaseError, Figure, result
from workbench.predictors import BoostedClassifier, OnlineScorer, tabular_ensemble
from workbench.predictors.timing import single_latencies

__all__ = ["main"]

_ROWS, _WARM_UP, _FRAMES = 5000, 200, 300
_P50_MS, _P99_MS = 1.0, 5.0


def _figures(name: str, estimator: Any, train: wb.Dataset, test: wb.Dataset) -> list[Figure]:
    fitted = estimator.fit(train.X, train.y.to_numpy())
    scorer = OnlineScorer(fitted)
    rows = np.random.default_rng(0).choice(len(test), _ROWS)
    records = test.X.iloc[rows].to_dict("records")
    for record in records[:_WARM_UP]:
        scorer.score(record)
    times = np.empty(_ROWS)
    said = np.empty(_ROWS)
    gc.collect()
    for at, record in enumerate(records):
        started = time.perf_counter()
        said[at] = scorer.score(record)
        times[at] = time.perf_counter() - started
    batch = fitted.predict_proba(test.X.iloc[rows])[:, 1]
    p50, p99 = 1000 * np.percentile(times, [50, 99])
    spread = (1000 * float(times.min()), 1000 * float(times.max()))
    frames = single_latencies(fitted, test.X, rows[:_FRAMES])
    return [
        Figure(f"{name}: OnlineScorer, p50", float(p50), _ROWS, "ms", spread, "min to max",
               at_most=_P50_MS),
        Figure(f"{name}: OnlineScorer, p99", float(p99), _ROWS, "ms", spread, "min to max",
               at_most=_P99_MS),
        Figure(f"{name}: largest difference from predict_proba on the batch",
               float(np.abs(said - batch).max()), _ROWS, at_most=1e-12),
        Figure(f"{name}: predict_proba on a one-row DataFrame, p50",
               1000 * float(np.nanmedian(frames)), _FRAMES, "ms"),
    ]  # fmt: skip


def main() -> dict[str, Any]:
    """Fit on 70 % of the table and score rows of the rest."""
    try:
        dataset = wb.load_dataset("telco_churn", settings=wb.Settings.from_env())
    except wb.WorkbenchError as error:
        raise CaseError(str(error)) from None
    train, test = (dataset.take(part) for part in wb.Split("random", 0.3, 42).apply(dataset))
    arms = {"BoostedClassifier": BoostedClassifier(), "tabular_ensemble": tabular_ensemble()}
    figures = [f for name, arm in arms.items() for f in _figures(name, arm, train, test)]
    return result(figures, columns=len(dataset.X.columns))
