"""The family of coaching tasks: what to suggest to an agent, and how to say it."""

from pathlib import Path

from workbench.predictors.readers import answer_model_of
from workbench.tasks.coaching.moments import FIELDS
from workbench.tasks.coaching.rules import english_reader, template_reader
from workbench.tasks.task import Target, Task

__all__ = ["TASKS_OF_COACHING"]

_FIELDS = {asked.name: asked for asked in FIELDS}
_FOLDER = Path(__file__).parent
_SUGGESTED = ("suggestion/ndcg_at_3", "suggestion/best_at_1", "suggestion/precision_at_1")


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
        readers={"templates": template_reader, "english": english_reader},
    )


TASKS_OF_COACHING = (
    _task(
        "real_time_coaching",
        "Real-time coaching of agents",
        ("urgency_level", "objection_detected", "suggestion"),
        (
            *_SUGGESTED,
            "objection_detected/macro_f1",
            "objection_detected/accuracy",
            "urgency_level/quadratic_kappa",
            "urgency_level/level_error",
        ),
        (
            Target("objection_detected/accuracy", 0.917, "the platform, for objections"),
            Target("latency_p50_s", 0.045, "the platform, for a real-time answer"),
        ),
    ),
    _task(
        "role_experience_coaching",
        "Coaching that fits role and experience",
        ("suggestion", "advice"),
        (
            *_SUGGESTED,
            "advice/grade_kept",
            "advice/reading_grade",
            "advice/length_kept",
            "advice/numbers_faithful",
            "advice/wording_clean",
        ),
        (Target("suggestion/best_at_1", 0.95, "the platform, for coaching by role"),),
    ),
    _task(
        "vertical_coaching",
        "Coaching that knows the vertical",
        ("suggestion", "advice"),
        (
            "advice/terms_covered",
            *_SUGGESTED,
            "advice/length_kept",
            "advice/numbers_faithful",
            "advice/wording_clean",
        ),
    ),
    _task(
        "multilingual_coaching",
        "Coaching in the agent's language",
        ("suggestion", "advice"),
        (
            "advice/language_kept",
            *_SUGGESTED,
            "advice/numbers_faithful",
            "advice/length_kept",
            "advice/terms_covered",
        ),
        (Target("advice/language_kept", 0.95, "the platform, in six languages"),),
    ),
)
"""In real time; by role and experience; by vertical; by language."""
