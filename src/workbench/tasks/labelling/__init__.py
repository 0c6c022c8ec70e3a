"""The task of reading whatever a corpus is labelled with: its fields become the questions."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from workbench.data import AskedField, Corpus, FieldKind
from workbench.predictors.readers import answer_model_of
from workbench.tasks.task import Task

__all__ = ["TASK", "labelling_task", "usual_metrics"]

_ANY = AskedField(name="label", meaning="What the text is", kind="text")
"""Stands for the fields until a corpus says what they are."""

_FEW = 3
_USUAL: Mapping[FieldKind, tuple[str, ...]] = MappingProxyType(
    {
        "label": ("accuracy", "macro_f1", "top_3_accuracy", "ece", "coverage_at_5"),
        "labels": ("micro_f1", "macro_f1", "exact_match"),
        "level": ("quadratic_kappa", "level_error", "accuracy"),
        "number": ("absolute_error",),
        "slots": (
            "slot_f1",
            "slot_precision",
            "slot_recall",
            "joint_accuracy",
            "hallucinated_rate",
        ),
        "ranking": ("ndcg_at_3", "best_at_1"),
        "text": (),
    }
)  # fmt: skip

TASK = Task(
    name="labelling",
    version=1,
    title="Labelling of a corpus",
    answer_model=answer_model_of("Labelling", [_ANY]),
    folder=Path(__file__).parent,
    metrics=(),
    fields=(_ANY,),
)


def usual_metrics(fields: tuple[AskedField, ...]) -> tuple[str, ...]:
    """Metrics a reader of a report expects of fields of these kinds.

    Parameters
    ----------
    fields
        What is asked.

    Examples
    --------
    >>> usual_metrics((AskedField(name="size", meaning="Size", kind="number"),))
    ('size/absolute_error',)
    """
    names: list[str] = []
    for asked in fields:
        # Among three values one of the three likeliest is always right.
        few = len(asked.values) <= _FEW
        names += [
            f"{asked.name}/{score}"
            for score in _USUAL[asked.kind]
            if not (few and score == "top_3_accuracy")
        ]
        if asked.catch_all is not None and asked.kind == "label":
            names += [f"{asked.name}/oos_roc_auc", f"{asked.name}/oos_recall_at_5"]
        if asked.parents:
            names.append(f"{asked.name}/hierarchical_f1")
    return tuple(names)


def labelling_task(corpus: Corpus) -> Task:
    """Make the task of reading a corpus: its fields are what is asked.

    Parameters
    ----------
    corpus
        One of the catalogue's, or your own.

    Returns
    -------
    Task
        With prompts, readers and metrics for those fields.
    """
    return replace(
        TASK,
        title=f"Labelling: {corpus.title}",
        answer_model=answer_model_of("Labelling", corpus.fields),
        metrics=usual_metrics(corpus.fields),
        fields=corpus.fields,
    )
