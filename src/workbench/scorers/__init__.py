"""Scorers: metrics and the functions that compute them."""

from workbench.scorers.metrics import METRICS, Metric, metric
from workbench.scorers.probability import (
    ERROR_PROBABILITY,
    EXAMPLE_SCORES,
    STATISTICS,
    penalise_errors,
)

__all__ = [
    "ERROR_PROBABILITY",
    "EXAMPLE_SCORES",
    "METRICS",
    "STATISTICS",
    "Metric",
    "metric",
    "penalise_errors",
]
