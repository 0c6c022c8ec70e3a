"""Watching a model after it was promoted: drift, calibration, alerts, fairness."""

from workbench.monitoring.alert_spec import AlertSpec, read_alert_spec
from workbench.monitoring.alerts import Alert, AlertReport, check_alerts, judge_alerts
from workbench.monitoring.calibration import CalibrationFit, calibration_fit
from workbench.monitoring.course import (
    CalibrationCourse,
    DriftCourse,
    calibration_over_time,
    drift_over_time,
)
from workbench.monitoring.drift import ColumnDrift, DriftReport, drift
from workbench.monitoring.vectors import VectorDrift, vector_drift

__all__ = [
    "Alert",
    "AlertReport",
    "AlertSpec",
    "CalibrationCourse",
    "CalibrationFit",
    "ColumnDrift",
    "DriftCourse",
    "DriftReport",
    "VectorDrift",
    "calibration_fit",
    "calibration_over_time",
    "check_alerts",
    "drift",
    "drift_over_time",
    "judge_alerts",
    "read_alert_spec",
    "vector_drift",
]
