"""The family of tasks that qualify a lead: what is answered already, and what to ask next."""

from pathlib import Path

from workbench.data.conversations.corpora import kind_of
from workbench.predictors.readers import answer_model_of
from workbench.tasks.qualification.rules import question_rules
from workbench.tasks.task import Target, Task

__all__ = ["TASKS_OF_QUALIFICATION"]

_FIELDS = {asked.name: asked for asked in kind_of("qualification_sheets").fields}
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
        readers={"rules": question_rules},
    )


TASKS_OF_QUALIFICATION = (
    _task(
        "qualification_assessment",
        "How much of a lead's qualification is answered",
        ("answered", "completeness", "missing_critical"),
        (
            "answered/micro_f1",
            "answered/macro_f1",
            "answered/exact_match",
            "completeness/absolute_error",
            "missing_critical/micro_f1",
        ),
        (Target("answered/micro_f1", 0.98, "the platform, for qualification accuracy"),),
    ),
    _task(
        "next_question",
        "The question to ask next",
        ("next_question",),
        ("next_question/ndcg_at_3", "next_question/best_at_1", "next_question/precision_at_1"),
    ),
)
"""What is answered, and what to ask next."""
