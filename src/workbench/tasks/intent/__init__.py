"""The task of reading what a lead wants: intent, motives, urgency, stage."""

from pathlib import Path

from workbench.data.conversations.corpora import kind_of
from workbench.predictors.readers import answer_model_of
from workbench.tasks.task import Target, Task

__all__ = ["TASK"]

_FIELDS = kind_of("lead_intents").fields

TASK = Task(
    name="intent",
    version=1,
    title="Intent of a lead",
    answer_model=answer_model_of("IntentAnswer", _FIELDS),
    folder=Path(__file__).parent,
    metrics=(
        "primary_intent/macro_f1",
        "primary_intent/accuracy",
        "primary_intent/top_2_accuracy",
        "primary_intent/ece",
        "primary_intent/coverage_at_5",
        "primary_intent/oos_roc_auc",
        "primary_intent/oos_recall_at_5",
        "motivations/micro_f1",
        "motivations/macro_f1",
        "urgency/quadratic_kappa",
        "urgency/level_error",
        "decision_stage/quadratic_kappa",
        "decision_stage/level_error",
    ),
    targets=(Target("primary_intent/accuracy", 0.98, "the platform, for intent analysis"),),
    fields=_FIELDS,
)
