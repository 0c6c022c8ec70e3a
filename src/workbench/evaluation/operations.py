"""What an arm costs, how long it takes and how often it fails."""

import numpy as np
import pandas as pd

from workbench.stats import Estimate, mean_interval, proportion_interval, quantile_interval

__all__ = ["OPERATIONS", "operate"]

_QUANTILES = {"latency_p50_s": 0.5, "latency_p95_s": 0.95, "latency_p99_s": 0.99}
OPERATIONS = (*_QUANTILES, "cost_per_1000_usd", "error_rate", "abstain_rate")


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
        For latencies `n` counts the predictions whose latency was measured; a bound the
        sample is too small for is infinite.
    """
    if name in _QUANTILES:
        latency = records["latency_s"].dropna().to_numpy(dtype=np.float64)
        if len(latency) == 0:
            nan = float("nan")
            return Estimate(nan, nan, nan, nan, 0, None, confidence_level, "not measured")
        return quantile_interval(latency, _QUANTILES[name], confidence_level=confidence_level)
    if name == "cost_per_1000_usd":
        cost = 1000 * records["cost_usd"].to_numpy(dtype=np.float64)
        groups = records["group"].to_numpy() if records["group"].notna().any() else None
        return mean_interval(cost, groups=groups, confidence_level=confidence_level)
    flag = records["error"].notna() if name == "error_rate" else records["abstained"].astype(bool)
    return proportion_interval(int(flag.sum()), len(flag), confidence_level=confidence_level)
