"""The family of tasks that foresee what a lead does next: one task a head."""

from workbench.tasks.behaviour.heads import FOLDER, Head, read_heads
from workbench.tasks.behaviour.schema import BehaviourAnswer
from workbench.tasks.task import Target, Task

__all__ = ["TASKS_OF_HEADS", "Head", "read_heads"]


def _task(head: Head) -> Task:
    return Task(
        name=head.name,
        version=1,
        title=head.title,
        answer_model=BehaviourAnswer,
        folder=FOLDER,
        metrics=(
            "roc_auc",
            "average_precision",
            "log_loss",
            "brier",
            "ece",
            "accuracy",
            "precision",
            "recall",
            "lift_at_10",
        ),
        targets=tuple(
            Target(metric, value, "the platform, for machine learning and Claude together")
            for metric, value in head.claims
        ),
    )


TASKS_OF_HEADS = tuple(_task(head) for head in read_heads())
"""One task a row of `heads.yaml`."""
