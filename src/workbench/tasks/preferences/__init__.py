"""The task of reading what a lead wants of a property: a sheet of slots."""

from pathlib import Path

from workbench.data.conversations.corpora import kind_of
from workbench.predictors.readers import answer_model_of
from workbench.tasks.preferences.rules import rule_reader
from workbench.tasks.task import Task

__all__ = ["TASK"]

_FIELDS = kind_of("lead_preferences").fields

TASK = Task(
    name="preferences",
    version=1,
    title="Preferences of a lead",
    answer_model=answer_model_of("PreferencesAnswer", _FIELDS),
    folder=Path(__file__).parent,
    metrics=(
        "preferences/slot_f1",
        "preferences/slot_precision",
        "preferences/slot_recall",
        "preferences/joint_accuracy",
        "preferences/hallucinated_rate",
        "preferences/slot_abstain_rate",
        "preferences/evidence_found",
    ),
    fields=_FIELDS,
    readers={"rules": rule_reader},
)
