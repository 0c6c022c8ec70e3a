"""Intervals, paired tests, resampling, calibration and power, on plain arrays.

Every figure comes with its interval and the number of examples and groups behind it.
"""

from workbench.stats.calibration import (
    BrierDecomposition,
    ReliabilityCurve,
    brier_decomposition,
    brier_scores,
    expected_calibration_error,
    expected_calibration_error_statistic,
    log_losses,
    reliability_curve,
)
from workbench.stats.calibration_interval import calibration_error_interval
from workbench.stats.delong import compare_roc_auc, roc_auc_interval
from workbench.stats.intervals import (
    mean_interval,
    mean_standard_error,
    percentile_interval,
    proportion_interval,
    quantile_interval,
)
from workbench.stats.multiplicity import (
    Adjustment,
    adjust_pvalues,
    simultaneous_confidence_level,
)
from workbench.stats.paired import McNemar, mcnemar, paired_difference
from workbench.stats.power import (
    Alternative,
    minimum_detectable_difference,
    paired_sample_size,
    sample_size_to_decide,
)
from workbench.stats.ranking import (
    average_precision,
    average_precision_statistic,
    lift_at,
    lift_at_statistic,
    roc_auc,
    roc_auc_statistic,
)
from workbench.stats.resampling import (
    Statistic,
    bootstrap,
    bootstrap_difference,
    mean_statistic,
    resample_weights,
)
from workbench.stats.results import Difference, Estimate

__all__ = [
    "Adjustment",
    "Alternative",
    "BrierDecomposition",
    "Difference",
    "Estimate",
    "McNemar",
    "ReliabilityCurve",
    "Statistic",
    "adjust_pvalues",
    "average_precision",
    "average_precision_statistic",
    "bootstrap",
    "bootstrap_difference",
    "brier_decomposition",
    "brier_scores",
    "calibration_error_interval",
    "compare_roc_auc",
    "expected_calibration_error",
    "expected_calibration_error_statistic",
    "lift_at",
    "lift_at_statistic",
    "log_losses",
    "mcnemar",
    "mean_interval",
    "mean_standard_error",
    "mean_statistic",
    "minimum_detectable_difference",
    "paired_difference",
    "paired_sample_size",
    "percentile_interval",
    "proportion_interval",
    "quantile_interval",
    "reliability_curve",
    "resample_weights",
    "roc_auc",
    "roc_auc_interval",
    "roc_auc_statistic",
    "sample_size_to_decide",
    "simultaneous_confidence_level",
]
