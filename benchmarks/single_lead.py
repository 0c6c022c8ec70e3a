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
from workbench.features import FEATURES, history_of
from workbench.predictors import BoostedClassifier, OnlineScorer, tabular_ensemble
from workbench.predictors.lead_scorer import LeadScorer
from workbench.predictors.timing import single_latencies
from workbench.tasks.behaviour import read_heads
from workbench.tasks.behaviour.data import behaviour_rows, brokerage_for

__all__ = ["main"]

_ROWS, _WARM_UP, _FRAMES = 5000, 200, 300
_LEADS, _TURNS = 300, 10
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


def _whole_pipeline() -> list[Figure]:
    """Features from a history in memory, boosted trees, calibration; explanations on request."""
    head = next(head for head in read_heads() if head.name == "churn_risk")
    dataset = wb.load_dataset(head.dataset, n_rows=2000, random_state=6)
    fields = dataset.X.drop(columns="conversation")
    model = BoostedClassifier().fit(fields, dataset.y.to_numpy())
    rows = behaviour_rows(head, 2000, random_state=6).head(_LEADS)
    batch = model.predict_proba(fields.loc[rows["snapshot_id"]])[:, 1]
    crm, _ = brokerage_for(head, 2000, 6)
    frames = {n: crm.frame(n) for n in ("events", "messages", "appointments", "documents")}
    leads = crm.frame("leads").set_index("lead_id", drop=False)
    tables = {name: crm.table(name) for name in crm.names}
    scorer = LeadScorer(FEATURES, model)
    cases = []
    for row in rows.itertuples():
        history = history_of(frames, row.lead_id)
        context = FEATURES.context(tables, row.as_of)
        cases.append((history, row.as_of, leads.loc[row.lead_id].to_dict(), context))
    times, said, explained = [], [], []
    gc.collect()
    for repeat in range(_TURNS):
        for history, as_of, lead, context in cases:
            started = time.perf_counter()
            probability = scorer.score(history, as_of, lead=lead, context=context)
            times.append(time.perf_counter() - started)
            if repeat == 0:
                said.append(probability)
    for history, as_of, lead, context in cases[:50]:
        started = time.perf_counter()
        scorer.explain(history, as_of, lead=lead, context=context)
        explained.append(time.perf_counter() - started)
    p50, p99 = 1000 * np.percentile(times[_WARM_UP:], [50, 99])
    events = [len(history["events"]) for history, *_ in cases]
    return [
        Figure("whole pipeline from a history, p50", float(p50), len(times), "ms", at_most=_P50_MS),
        Figure("whole pipeline from a history, p99", float(p99), len(times), "ms", at_most=_P99_MS),
        Figure("  events a history, median", float(np.median(events)), len(events)),
        Figure("  events a history, most", float(max(events)), len(events)),
        Figure("  largest difference from the batch", float(np.abs(np.array(said) - batch).max()),
               len(said), at_most=1e-12),
        Figure("  the same with an explanation, p50", 1000 * float(np.median(explained)),
               len(explained), "ms"),
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
    figures += _whole_pipeline()
    return result(figures, columns=len(dataset.X.columns))
