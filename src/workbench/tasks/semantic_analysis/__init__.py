"""The composite task: intent, motives, urgency, stage and preferences in one answer."""

from collections.abc import Sequence
from pathlib import Path

from workbench.data import AskedField
from workbench.data.conversations.corpora import kind_of
from workbench.predictors.readers import RuleReader, answer_model_of
from workbench.tasks.preferences.rules import rule_reader
from workbench.tasks.task import Target, Task

__all__ = ["TASK"]

_FIELDS = (*kind_of("lead_intents").fields, *kind_of("lead_preferences").fields)


def _rules(fields: Sequence[AskedField]) -> RuleReader:
    """Preferences by patterns; the rest is left unanswered."""
    return rule_reader(fields)


TASK = Task(
    name="semantic_analysis",
    version=1,
    title="Semantic analysis of a conversation",
    answer_model=answer_model_of("SemanticAnalysisAnswer", _FIELDS),
    folder=Path(__file__).parent,
    metrics=(
        "primary_intent/accuracy",
        "primary_intent/macro_f1",
        "primary_intent/ece",
        "motivations/micro_f1",
        "urgency/quadratic_kappa",
        "decision_stage/quadratic_kappa",
        "preferences/slot_f1",
        "preferences/hallucinated_rate",
        "preferences/joint_accuracy",
    ),
    targets=(Target("latency_p50_s", 0.125, "the platform, for semantic analysis"),),
    fields=_FIELDS,
    readers={"rules": _rules},
)
