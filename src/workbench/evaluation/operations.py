"""What an arm costs, how long it takes and how often it fails."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from workbench.scorers import EXAMPLE_SCORES, penalise_errors
from workbench.stats import Estimate, mean_interval, proportion_interval, quantile_interval

__all__ = ["OPERATIONS", "QUANTILES", "RATES", "flags", "operate", "right", "seconds"]

QUANTILES = {
    "latency_p50_s": ("latency_s", 0.5),
    "latency_p95_s": ("latency_s", 0.95),
    "latency_p99_s": ("latency_s", 0.99),
    "ttft_p50_s": ("ttft_s", 0.5),
    "ttft_p95_s": ("ttft_s", 0.95),
}
RATES = ("error_rate", "abstain_rate", "retry_rate")
OPERATIONS = (*QUANTILES, "cost_per_1000_usd", "cost_per_correct_usd", *RATES)


def operate(records: pd.DataFrame, name: str, confidence_level: float = 0.95) -> Estimate:
    """Measure one arm's records by one operational metric.

    Parameters
    ----------
    records : DataFrame
        The records of one arm.
    name
        One of `OPERATIONS`.
    confidence_level
        Of the interval.

    Returns
    -------
    Estimate
        `n` counts the predictions that were measured: those with a latency, those streamed,
        those that asked somebody. A bound the sample is too small for is infinite. The cost of
        a right decision is a ratio of sums, every cost over the number right, by the delta
        method; infinite where nothing was right.
    """
    if name in QUANTILES:
        measured = seconds(records, name)
        if len(measured) == 0:
            return _not_measured(confidence_level)
        return quantile_interval(measured, QUANTILES[name][1], confidence_level=confidence_level)
    if name == "cost_per_1000_usd":
        cost = 1000 * records["cost_usd"].to_numpy(dtype=np.float64)
        return mean_interval(cost, groups=_groups(records), confidence_level=confidence_level)
    if name == "cost_per_correct_usd":
        return _cost_per_correct(records, confidence_level)
    flagged = flags(records, name)
    if len(flagged) == 0:
        return _not_measured(confidence_level)
    found = proportion_interval(int(flagged.sum()), len(flagged), confidence_level=confidence_level)
    if records["repeat"].max() == 0:
        return found
    # Answers to the same question again are no new examples: bounds are those of as many.
    n = int(records["example_id"].nunique())
    share = found.estimate * n
    low, high = (
        proportion_interval(int(k), n, confidence_level=confidence_level)
        for k in (np.floor(share), np.ceil(share - 1e-9))
    )
    return found._replace(ci_lower=low.ci_lower, ci_upper=high.ci_upper, n=n)


def seconds(records: pd.DataFrame, name: str) -> NDArray[np.float64]:
    """Measured times behind a quantile, shape (n_measured,)."""
    column = QUANTILES[name][0]
    if column not in records:
        return np.empty(0)
    return np.asarray(records[column].dropna(), dtype=np.float64)


def flags(records: pd.DataFrame, name: str) -> NDArray[np.bool_]:
    """Tell which predictions a rate counts, of those it is about."""
    if name == "error_rate":
        return np.asarray(records["error"].notna(), dtype=bool)
    if name == "abstain_rate":
        return np.asarray(records["abstained"], dtype=bool)
    if "attempts" not in records:
        return np.empty(0, dtype=bool)
    # Several members' answers are several attempts without any retry.
    calls = records.get("calls", 1)
    asked = records["attempts"] > 0
    return np.asarray((records["attempts"] > calls)[asked], dtype=bool)


def right(records: pd.DataFrame) -> NDArray[np.float64]:
    """Whether each decision at 0.5, or each reading, is right, 0 or 1; a failed answer never is."""
    if "right" in records:
        return np.asarray(records["right"], dtype=np.float64)
    y = records["y"].to_numpy(dtype=np.int8)
    proba = penalise_errors(
        y, records["proba"].to_numpy(dtype=np.float64), records["error"].notna().to_numpy()
    )
    return EXAMPLE_SCORES["accuracy"](y, proba)


def _cost_per_correct(records: pd.DataFrame, confidence_level: float) -> Estimate:
    cost = records["cost_usd"].to_numpy(dtype=np.float64)
    correct = right(records)
    share = float(correct.mean())
    if share == 0:
        inf, nan = float("inf"), float("nan")
        return Estimate(inf, 0.0, inf, nan, len(cost), None, confidence_level, "none was right")
    ratio = float(cost.mean()) / share
    # The delta method as a mean: the ratio plus each row's part in its first-order error.
    found = mean_interval(
        ratio + (cost - ratio * correct) / share,
        groups=_clusters(records),
        confidence_level=confidence_level,
    )
    return found._replace(ci_lower=max(0.0, found.ci_lower), method=f"ratio, {found.method}")


def _groups(records: pd.DataFrame) -> NDArray[Any] | None:
    return np.asarray(records["group"]) if records["group"].notna().any() else None


def _clusters(records: pd.DataFrame) -> NDArray[Any] | None:
    """Groups, or examples where answers to them are repeated."""
    groups = _groups(records)
    if groups is None and records["repeat"].max() > 0:
        return np.asarray(records["example_id"])
    return groups


def _not_measured(confidence_level: float) -> Estimate:
    nan = float("nan")
    return Estimate(nan, nan, nan, nan, 0, None, confidence_level, "not measured")
