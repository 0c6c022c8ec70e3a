"""Tasks: one small folder per capability, all of one shape."""

import difflib
from collections.abc import Mapping
from types import MappingProxyType

from workbench.data import Corpus
from workbench.errors import SpecError
from workbench.tasks.behaviour import TASKS_OF_HEADS
from workbench.tasks.catalogue import (
    corpus_names,
    corpus_title,
    load_corpus,
    load_dataset,
    open_catalogue,
)
from workbench.tasks.coaching import TASKS_OF_COACHING
from workbench.tasks.intent import TASK as _INTENT
from workbench.tasks.labelling import TASK as _LABELLING
from workbench.tasks.labelling import labelling_task
from workbench.tasks.language_detection import TASK as _LANGUAGE_DETECTION
from workbench.tasks.lead_conversion import TASK as _LEAD_CONVERSION
from workbench.tasks.objections import TASKS_OF_OBJECTIONS
from workbench.tasks.preferences import TASK as _PREFERENCES
from workbench.tasks.qualification import TASKS_OF_QUALIFICATION
from workbench.tasks.semantic_analysis import TASK as _SEMANTIC_ANALYSIS
from workbench.tasks.task import Target, Task

__all__ = [
    "TASKS",
    "Target",
    "Task",
    "corpus_names",
    "corpus_title",
    "labelling_task",
    "load_corpus",
    "load_dataset",
    "load_task",
    "open_catalogue",
    "task_for",
]

TASKS: Mapping[str, Task] = MappingProxyType(
    {
        task.name: task
        for task in (
            _LEAD_CONVERSION,
            *TASKS_OF_HEADS,
            _INTENT,
            _PREFERENCES,
            _SEMANTIC_ANALYSIS,
            *TASKS_OF_QUALIFICATION,
            *TASKS_OF_OBJECTIONS,
            *TASKS_OF_COACHING,
            _LANGUAGE_DETECTION,
            _LABELLING,
        )
    }
)


def load_task(name: str) -> Task:
    """Find a task by name.

    Parameters
    ----------
    name
        One of `TASKS`.

    Raises
    ------
    SpecError
        When there is no such task.

    Examples
    --------
    >>> load_task("lead_conversion").metrics[0]
    'roc_auc'
    """
    if name in TASKS:
        return TASKS[name]
    near = difflib.get_close_matches(name, TASKS, n=1)
    raise SpecError(
        f"no task {name!r}",
        expected=f"one of {sorted(TASKS)}",
        fix=f"use {near[0]!r}" if near else "name one of them",
    )


def task_for(name: str, corpus: Corpus) -> Task:
    """Find a task by name; the one that reads whatever a corpus is labelled with is made for it.

    Parameters
    ----------
    name
        One of `TASKS`.
    corpus
        What will be read.

    Raises
    ------
    SpecError
        When there is no such task.
    """
    task = load_task(name)
    return labelling_task(corpus) if task is _LABELLING else task
