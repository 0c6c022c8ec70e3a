"""Scorers: metrics and the functions that compute them."""

from workbench.scorers.metrics import METRICS, Metric, metric
from workbench.scorers.ordinal import ORDINAL_STATISTICS, level_score, median_level
from workbench.scorers.probability import (
    ERROR_PROBABILITY,
    EXAMPLE_SCORES,
    STATISTICS,
    penalise_errors,
)
from workbench.scorers.survival import (
    auc_at_statistic,
    censoring_weights,
    concordance_statistic,
)

__all__ = [
    "ERROR_PROBABILITY",
    "EXAMPLE_SCORES",
    "METRICS",
    "ORDINAL_STATISTICS",
    "STATISTICS",
    "Metric",
    "auc_at_statistic",
    "censoring_weights",
    "concordance_statistic",
    "level_score",
    "median_level",
    "metric",
    "penalise_errors",
]
