"""Evaluate readers: fit, read, record."""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone

from workbench.data import Corpus
from workbench.errors import EvaluationError
from workbench.evaluation.readings.arm_info import reader_info
from workbench.evaluation.readings.evaluation import ReadingEvaluation, ReadingInfo
from workbench.evaluation.readings.figures import check_metrics, grid_of
from workbench.evaluation.readings.records import reading_records
from workbench.evaluation.revision import git_revision, library_versions
from workbench.evaluation.scores import resamples_needed
from workbench.predictors.readers import BlendedReader
from workbench.scorers import right_answers
from workbench.tasks import Task

__all__ = ["evaluate_readings"]


def evaluate_readings(
    task: Task,
    arms: Mapping[str, Any],
    corpus: Corpus,
    *,
    train: Sequence[str] = ("train", "validation"),
    test: Sequence[str] = ("test",),
    baseline: str | None = None,
    metrics: Sequence[str] | None = None,
    n_repeats: int = 1,
    latency_sample: int = 200,
    n_resamples: int = 1000,
    confidence_level: float = 0.95,
    random_state: int = 0,
    on_progress: Callable[[str], None] | None = None,
) -> ReadingEvaluation:
    """Fit every reader on some parts of a corpus and have it read another.

    Parameters
    ----------
    task
        What is asked; has fields.
    arms
        Readers by name; cloned before they are fitted.
    corpus
        Texts and what is true of them.
    train, test
        Parts to learn from and to judge on.
    baseline
        Arm the others are compared with; the first by default.
    metrics
        ``<field>/<metric>``, the primary one first; the task's own by default.
    n_repeats
        Independent answers an example, for arms that ask Claude.
    latency_sample
        Test rows on which the latency of single readings by this machine's models is measured.
    n_resamples, confidence_level
        Of the bootstrap and the intervals.
    random_state
        Seed of the bootstrap and of the latency sample.
    on_progress
        Told a sentence before each step.

    Returns
    -------
    ReadingEvaluation

    Raises
    ------
    EvaluationError
        When the task has no fields, the corpus does not know one of them, an arm is no reader, or
        a figure is out of range; before anything is asked.
    DataError
        When a part is empty, or train and test share one.
    ClaudeError
        When Claude cannot be asked; answers that arrived stay stored.
    """
    names = tuple(task.metrics if metrics is None else _several(metrics, "metrics"))
    train, test = _several(train, "train"), _several(test, "test")
    against = _checked(task, arms, corpus, names, baseline, train, test)
    _check_numbers(len(arms), n_repeats, n_resamples, confidence_level, random_state)
    known = set(corpus.part)
    learnt = corpus.of(*[part for part in train if part in known] or train)
    judged = corpus.of(*test)
    fits = _Fits(learnt, [asked.name for asked in task.fields])
    infos, parts = [], []
    for name, reader in arms.items():
        if on_progress:
            on_progress(f"fitting {name} on {len(learnt):,} texts")
        started = time.perf_counter()
        fitted = fits.of(reader)
        fit_s = time.perf_counter() - started
        if on_progress:
            on_progress(f"reading {len(judged):,} texts with {name}")
        rows = reading_records(
            fitted,
            judged,
            name,
            task.fields,
            n_repeats=n_repeats,
            latency_sample=latency_sample,
            random_state=random_state,
        )
        primary = next(asked for asked in task.fields if names[0].startswith(f"{asked.name}/"))
        rows["right"] = _right(rows, name, primary)
        infos.append(reader_info(name, fitted, rows, fit_s))
        parts.append(rows)
    info = _info(
        task,
        corpus,
        learnt,
        judged,
        metrics=names,
        baseline=against,
        n_repeats=n_repeats,
        n_resamples=n_resamples,
        confidence_level=confidence_level,
        random_state=random_state,
    )
    records = pd.concat(parts, ignore_index=True)
    return ReadingEvaluation(info, tuple(infos), records, judged)


def _several(given: Sequence[str], name: str) -> tuple[str, ...]:
    """Names, each a text: one text alone would be read letter by letter."""
    if isinstance(given, str):
        raise EvaluationError(
            f"{name} is the text {given!r}", expected="a list of names", fix=f"write [{given!r}]"
        )
    return tuple(given)


class _Fits:
    """Readers fitted on the training texts, each once: a blend takes its members as they are."""

    def __init__(self, learnt: Corpus, fields: Sequence[str]) -> None:
        self._learnt, self._fields = learnt, list(fields)
        self._groups = None if learnt.groups is None else learnt.groups.to_numpy()
        self._done: dict[int, Any] = {}

    def of(self, reader: Any) -> Any:
        """Give the fitted clone of a reader."""
        if id(reader) not in self._done:
            made = clone(reader)
            if isinstance(reader, BlendedReader):
                members = [(name, self.of(member)) for name, member in reader.readers]
                self._done[id(reader)] = made.joined(members)
            else:
                y = self._learnt.y[self._fields]
                self._done[id(reader)] = made.fit(self._learnt.X, y, self._groups)
        return self._done[id(reader)]


def _info(
    task: Task,
    corpus: Corpus,
    learnt: Corpus,
    judged: Corpus,
    *,
    metrics: tuple[str, ...],
    baseline: str,
    n_repeats: int,
    n_resamples: int,
    confidence_level: float,
    random_state: int,
) -> ReadingInfo:
    return ReadingInfo(
        task=task.name,
        task_version=task.version,
        task_title=task.title,
        fields=tuple(task.fields),
        metrics=metrics,
        dataset=corpus.name,
        dataset_title=corpus.title,
        dataset_version=corpus.version,
        dataset_digest=corpus.digest,
        dataset_kind=corpus.origin_kind,
        licence=corpus.licence,
        split=f"parts of the corpus: learnt from {' and '.join(sorted(set(learnt.part)))}, "
        f"judged on {' and '.join(sorted(set(judged.part)))}",
        n_train=len(learnt),
        n_test=len(judged),
        n_duplicates=int(judged.X["text"].isin(set(learnt.X["text"])).sum()),
        baseline=baseline,
        n_repeats=n_repeats,
        n_resamples=n_resamples,
        confidence_level=confidence_level,
        random_state=random_state,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        git_revision=git_revision(),
        versions=library_versions(),
        notes=corpus.notes,
    )


def _right(rows: pd.DataFrame, arm: str, primary: Any) -> Any:
    grid = grid_of(rows, [arm], [primary])
    found = pd.Series(right_answers(grid.answers[arm, primary.name]), index=grid.rows.index)
    return found.reindex(rows.index).fillna(0.0).to_numpy(dtype=np.float64)


def _checked(
    task: Task,
    arms: Mapping[str, Any],
    corpus: Corpus,
    metrics: Sequence[str],
    baseline: str | None,
    train: Sequence[str],
    test: Sequence[str],
) -> str:
    if not task.fields:
        raise EvaluationError(
            f"task {task.name!r} asks for a probability, not for fields",
            expected="a task with fields",
            fix="use workbench.evaluate with a data set",
        )
    missing = [asked.name for asked in task.fields if asked.name not in corpus.y]
    if missing:
        raise EvaluationError(
            f"corpus {corpus.name!r} does not know the fields {missing}",
            expected=f"the fields of task {task.name!r}",
            fix="take a corpus made for the task, or a task made for the corpus",
        )
    if not arms or (baseline is not None and baseline not in arms):
        raise EvaluationError(
            f"{len(arms)} arms and the baseline {baseline!r}",
            expected="at least one arm, and a baseline that is one of them",
            fix="name the arms",
        )
    for name, reader in arms.items():
        if not all(callable(getattr(reader, verb, None)) for verb in ("fit", "read")):
            raise EvaluationError(
                f"arm {name!r} is a {type(reader).__name__}",
                expected="a reader with fit and read",
                fix="wrap a scikit-learn estimator in workbench.FieldReader",
            )
    if not metrics:
        raise EvaluationError("no metrics", expected="at least one", fix="name them")
    check_metrics(metrics, task.fields)
    both = sorted(set(train) & set(test))
    if both:
        raise EvaluationError(
            f"part {both[0]!r} is both learnt from and judged on",
            expected="parts that do not overlap",
            fix="take it out of train",
        )
    return baseline or next(iter(arms))


def _check_numbers(
    n_arms: int, n_repeats: int, n_resamples: int, confidence_level: float, random_state: int
) -> None:
    if not 0.5 <= confidence_level < 1:
        raise EvaluationError(
            f"confidence_level is {confidence_level}",
            expected="a number from 0.5 to below 1, such as 0.95",
            fix="correct it",
        )
    needed = max(100, resamples_needed(n_arms, confidence_level))
    for label, value, least in (
        ("n_repeats", n_repeats, 1),
        ("n_resamples", n_resamples, needed),
        ("random_state", random_state, 0),
    ):
        if value < least:
            raise EvaluationError(
                f"{label} is {value}", expected=f"{least} or more", fix="raise it"
            )
