"""The task of judging whether a lead converts."""

from pathlib import Path

from workbench.tasks.lead_conversion.schema import LeadConversionAnswer
from workbench.tasks.task import Target, Task

__all__ = ["TASK"]

TASK = Task(
    name="lead_conversion",
    version=1,
    title="Lead conversion",
    answer_model=LeadConversionAnswer,
    folder=Path(__file__).parent,
    metrics=(
        "roc_auc",
        "average_precision",
        "log_loss",
        "brier",
        "ece",
        "accuracy",
        "lift_at_10",
    ),
    targets=(
        Target("accuracy", 0.98, "the platform, for Claude and machine learning together"),
        Target("accuracy", 0.95, "the platform, for machine learning alone"),
        Target("latency_p50_s", 0.045, "the platform, for a real-time answer"),
    ),
)
