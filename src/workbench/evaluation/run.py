"""Evaluate arms: fit, predict, record."""

import dataclasses
import math
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Literal

import numpy as np
import pandas as pd
from sklearn.base import clone

from workbench.data import Dataset, Split
from workbench.errors import EvaluationError
from workbench.evaluation.arm_info import arm_info
from workbench.evaluation.evaluation import Evaluation, RunInfo
from workbench.evaluation.records import records_of
from workbench.evaluation.revision import git_revision, library_versions
from workbench.evaluation.scores import ScoreTable, resamples_needed
from workbench.evaluation.sequential import sequential_records, sequential_rule
from workbench.evaluation.sequential_result import SequentialResult
from workbench.evaluation.truth import truth_of
from workbench.predictors import (
    BlendedClassifier,
    CalibratedClassifier,
    CascadeClassifier,
    ClaudeSignals,
    FallbackClassifier,
    StackedClassifier,
    answering,
    fit_in_context,
)
from workbench.scorers import EXAMPLE_SCORES, STATISTICS
from workbench.stats import SequentialRule
from workbench.tasks import Task

__all__ = ["evaluate"]

_COMPOSITES = (StackedClassifier, BlendedClassifier, CascadeClassifier, FallbackClassifier)


def evaluate(
    task: Task,
    arms: Mapping[str, Any],
    dataset: Dataset,
    *,
    split: Split | None = None,
    baseline: str | None = None,
    n_repeats: int = 1,
    latency_sample: int = 1000,
    n_resamples: int = 1000,
    confidence_level: float = 0.95,
    random_state: int = 0,
    stop_when: Literal["decided"] | None = None,
    stop_metric: str = "brier",
    minimum_effect: float | None = None,
    stop_bound: float = 0.0,
    batch_size: int = 50,
    on_progress: Callable[[str], None] | None = None,
) -> Evaluation:
    """Fit every arm on the training part and record its predictions on the test part.

    Parameters
    ----------
    task
        What is asked and how it is judged.
    arms : mapping of str to estimator
        Scikit-learn classifiers with `predict_proba`; those that ask Claude also offer
        `answer`. They are cloned, not changed.
    dataset
        The examples. Groups never cross the split.
    split
        How to cut the data; 30 % at random by default.
    baseline
        Arm the others are compared with; the first by default.
    n_repeats
        Independent answers an example, for arms that ask Claude.
    latency_sample
        Test rows on which a model's single-prediction latency is measured.
    n_resamples
        Of the bootstrap.
    confidence_level
        Of intervals.
    random_state
        Seed of the bootstrap, of the latency sample, and of the order in which examples are
        asked about where asking can stop.
    stop_when
        ``decided`` to ask about the test part batch by batch and to stop as soon as an
        anytime-valid test decides every arm; None to ask about all of it. See `SequentialRule`.
    stop_metric, minimum_effect, stop_bound, batch_size
        What decides (accuracy, brier or log_loss), the smallest gain over the baseline worth
        finding in its unit, the gain to exceed, and the examples between two looks.
    on_progress
        Told a sentence before each step.

    Returns
    -------
    Evaluation

    Raises
    ------
    EvaluationError
        When there are no arms, the baseline is not one of them, an arm is no classifier or
        hides one that asks Claude, a figure is out of range, or the stopping rule is
        incomplete; before anything is asked.
    DataError
        When the data cannot be split.
    ClaudeError
        When Claude cannot be asked; answers that arrived stay stored.
    """
    baseline = _checked(arms, baseline, n_repeats, n_resamples, confidence_level)
    rule = _stop_rule(
        stop_when, stop_metric, minimum_effect, stop_bound, len(arms) - 1, 1 - confidence_level
    )
    split = split or Split(kind="random", test_fraction=0.3, random_state=random_state)
    positions = split.apply(dataset)
    train, test = dataset.take(positions.train), dataset.take(positions.test)
    fitted, fit_s = _fit(arms, train, timed=split.kind == "time", on_progress=on_progress)
    options = {
        "n_repeats": n_repeats,
        "latency_sample": latency_sample,
        "random_state": random_state,
    }
    results: dict[str, SequentialResult] = {}
    if rule is not None:
        found = sequential_records(
            fitted,
            test,
            baseline=baseline,
            metric_name=stop_metric,
            rule=rule,
            batch_size=batch_size,
            on_progress=on_progress,
            **options,
        )
        test, results = test.take(found.positions), found.results
        parts = {name: found.records[found.records["arm"] == name] for name in fitted}
    else:
        parts = _record(fitted, test, options, on_progress)
    infos = tuple(arm_info(name, fitted[name], parts[name], fit_s[name]) for name in arms)
    stand_ins = {arm.name for arm in infos if arm.simulated}
    results = {n: dataclasses.replace(r, simulated=n in stand_ins) for n, r in results.items()}
    info = _run_info(
        task,
        dataset,
        split,
        train,
        test,
        n_test_available=None if rule is None else len(positions.test),
        n_train_groups_removed=len(dataset) - len(train) - len(positions.test),
        stop_metric=None if rule is None else stop_metric,
        baseline=baseline,
        n_repeats=n_repeats,
        n_resamples=n_resamples,
        confidence_level=confidence_level,
        random_state=random_state,
    )
    return Evaluation(info, infos, pd.concat(parts.values(), ignore_index=True), results)


def _stop_rule(
    stop_when: str | None,
    stop_metric: str,
    minimum_effect: float | None,
    bound: float,
    n_arms: int,
    alpha: float,
) -> SequentialRule | None:
    if stop_when is None:
        return None
    if stop_when != "decided" or minimum_effect is None or n_arms < 1:
        raise EvaluationError(
            f"stop_when is {stop_when!r} with minimum_effect {minimum_effect!r} and {n_arms} arms "
            "beside the baseline",
            expected="'decided', the smallest gain worth finding, and an arm beside the baseline",
            fix="say with minimum_effect which gain would matter, in the unit of stop_metric",
        )
    return sequential_rule(stop_metric, minimum_effect, bound=bound, n_arms=n_arms, alpha=alpha)


def _fit(
    arms: Mapping[str, Any],
    train: Dataset,
    *,
    timed: bool,
    on_progress: Callable[[str], None] | None,
) -> tuple[dict[str, Any], dict[str, float]]:
    fitted: dict[str, Any] = {}
    fit_s: dict[str, float] = {}
    for name, estimator in arms.items():
        if on_progress:
            on_progress(f"fitting {name} on {len(train):,} examples")
        started = time.perf_counter()
        fitted[name] = fit_in_context(
            clone(estimator),
            train.X,
            train.y.to_numpy(),
            groups=None if train.groups is None else train.groups.to_numpy(),
            # A random split says that order does not matter; only a time split hands it on.
            as_of=train.as_of.to_numpy() if timed and train.as_of is not None else None,
        )
        fit_s[name] = time.perf_counter() - started
    return fitted, fit_s


def _record(
    fitted: Mapping[str, Any],
    test: Dataset,
    options: Mapping[str, int],
    on_progress: Callable[[str], None] | None,
) -> dict[str, pd.DataFrame]:
    parts: dict[str, pd.DataFrame] = {}
    for name, estimator in fitted.items():
        if on_progress:
            on_progress(f"predicting {len(test):,} examples with {name}")
        parts[name] = records_of(estimator, test, name, **options)
    return parts


def _run_info(
    task: Task, dataset: Dataset, split: Split, train: Dataset, test: Dataset, **chosen: Any
) -> RunInfo:
    return RunInfo(
        task=task.name,
        task_version=task.version,
        dataset=dataset.name,
        dataset_title=dataset.card.title,
        dataset_version=dataset.version,
        dataset_digest=dataset.digest,
        dataset_kind=dataset.origin_kind,
        licence=dataset.card.licence,
        leaks_allowed=tuple(sorted(set(dataset.card.leaks) & set(dataset.X.columns))),
        split=_describe(split, grouped=dataset.groups is not None),
        n_train=len(train),
        n_test=len(test),
        n_duplicates=_duplicates(train, test),
        train_base_rate=train.base_rate,
        test_base_rate=test.base_rate,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        git_revision=git_revision(),
        versions=library_versions(),
        ceiling=_ceiling(test),
        **chosen,
    )


def _checked(
    arms: Mapping[str, Any],
    baseline: str | None,
    n_repeats: int,
    n_resamples: int,
    confidence_level: float,
) -> str:
    if not arms:
        raise EvaluationError("no arms", expected="at least one", fix="name the arms")
    for name, estimator in arms.items():
        predicts = hasattr(estimator, "predict_proba") or answering(estimator)
        if not hasattr(estimator, "fit") or not predicts or isinstance(estimator, ClaudeSignals):
            raise EvaluationError(
                f"arm {name!r} is a {type(estimator).__name__}",
                expected="a scikit-learn classifier with fit and predict_proba",
                fix="wrap it, e.g. in sklearn.calibration.CalibratedClassifierCV",
            )
        if _hides_claude(estimator):
            raise EvaluationError(
                f"arm {name!r} asks Claude from inside a {type(estimator).__name__}, where its "
                "costs and the origin of its answers would be lost",
                expected="a ClaudeClassifier, or a stack, cascade or fallback of such, itself",
                fix="prepare the columns beforehand and make the Claude predictor the arm",
            )
    if baseline is not None and baseline not in arms:
        raise EvaluationError(
            f"the baseline {baseline!r} is no arm",
            expected=f"one of {list(arms)}",
            fix="name one of the arms",
        )
    if not 0.5 <= confidence_level < 1:
        raise EvaluationError(
            f"confidence_level is {confidence_level}",
            expected="a number from 0.5 to below 1, such as 0.95",
            fix="correct it",
        )
    # Before anything is asked: too few resamples would fail only when all is answered.
    resamples = max(100, resamples_needed(len(arms), confidence_level))
    for label, value, low in (("n_repeats", n_repeats, 1), ("n_resamples", n_resamples, resamples)):
        if value < low:
            raise EvaluationError(f"{label} is {value}", expected=f"{low} or more", fix="raise it")
    return baseline or next(iter(arms))


def _hides_claude(estimator: Any) -> bool:
    if isinstance(estimator, _COMPOSITES):
        return any(_hides_claude(member) for _, member in estimator.estimators)
    if isinstance(estimator, CalibratedClassifier):
        return _hides_claude(estimator.estimator)
    if answering(estimator) or not hasattr(estimator, "get_params"):
        return False
    return any(answering(part) for part in estimator.get_params().values())


def _describe(split: Split, *, grouped: bool) -> str:
    share = f"{split.test_fraction:.0%}"
    return {
        "random": f"{share} as test at random, stratified{', whole groups' if grouped else ''} "
        f"(seed {split.random_state})",
        "group": f"{share} of the groups as test (seed {split.random_state})",
        "time": f"the last {share} by date as test",
    }[split.kind]


def _duplicates(train: Dataset, test: Dataset) -> int:
    hashes = [pd.util.hash_pandas_object(part.X, index=False).to_numpy() for part in (train, test)]
    return int(np.isin(hashes[1], hashes[0]).sum())


def _ceiling(test: Dataset) -> dict[str, float] | None:
    known = truth_of(test)
    if known is None:
        return None
    truth = known.to_numpy(dtype=np.float64)
    groups = None if test.groups is None else test.groups.to_numpy()
    table = ScoreTable(test.y.to_numpy(dtype=np.int8), groups, {"truth": truth}, len(test), 200, 0)
    found = {n: table.estimate("truth", n).estimate for n in (*STATISTICS, *EXAMPLE_SCORES)}
    return {name: value for name, value in found.items() if math.isfinite(value)}
