"""The family of tasks about objections: what they are, what is behind them, how to answer."""

from pathlib import Path

from workbench.data.conversations.corpora import kind_of
from workbench.predictors.readers import answer_model_of
from workbench.tasks.objections.rules import pattern_reader, strategy_table
from workbench.tasks.task import Target, Task

__all__ = ["TASKS_OF_OBJECTIONS"]

_FIELDS = {asked.name: asked for asked in kind_of("objections").fields}
_FOLDER = Path(__file__).parent


def _task(
    name: str,
    title: str,
    asked: tuple[str, ...],
    metrics: tuple[str, ...],
    targets: tuple[Target, ...] = (),
) -> Task:
    fields = tuple(_FIELDS[field] for field in asked)
    return Task(
        name=name,
        version=1,
        title=title,
        answer_model=answer_model_of(f"{name.title().replace('_', '')}Answer", fields),
        folder=_FOLDER,
        metrics=metrics,
        targets=targets,
        fields=fields,
        readers={"patterns": pattern_reader, "table": strategy_table},
    )


TASKS_OF_OBJECTIONS = (
    _task(
        "objection_analysis",
        "Objections: what and how much",
        ("types", "family", "severity"),
        (
            "types/micro_f1",
            "types/macro_f1",
            "types/exact_match",
            "family/micro_f1",
            "severity/quadratic_kappa",
            "severity/level_error",
        ),
        (Target("types/exact_match", 0.917, "the platform, for objections"),),
    ),
    _task(
        "objection_root_cause",
        "What is behind an objection",
        ("root_cause",),
        (
            "root_cause/macro_f1",
            "root_cause/accuracy",
            "root_cause/top_2_accuracy",
            "root_cause/ece",
            "root_cause/evidence_found",
        ),
    ),
    _task(
        "objection_strategy",
        "How to answer an objection",
        ("strategy",),
        ("strategy/ndcg_at_3", "strategy/best_at_1", "strategy/precision_at_1"),
    ),
)
"""What is objected to, what is behind it, how to answer."""
