from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
import pytest
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin

from workbench.claude import ClaudeClient
from workbench.data import Dataset, Split
from workbench.evaluation import Decision, evaluate, read_spec
from workbench.evaluation.truth import truth_of
from workbench.predictors import BoostedClassifier, logistic_baseline, prior_baseline
from workbench.tasks import Task

Load = Callable[[str, int], Dataset]


class Known(ClassifierMixin, BaseEstimator):
    """Predicts what it was told, example by example."""

    def __init__(self, probability: pd.Series) -> None:
        self.probability = probability

    def fit(self, X: pd.DataFrame, y: ArrayLike) -> Self:
        self.classes_ = np.array([0, 1])
        return self

    def predict_proba(self, X: pd.DataFrame) -> NDArray[np.float64]:
        p = self.probability.loc[X.index].to_numpy(dtype=np.float64)
        return np.column_stack([1 - p, p])


def test_the_label_scored_against_itself_is_perfect(task: Task, name: str, load: Load) -> None:
    dataset = load(name, 400)
    arms = {"label": Known(dataset.y.astype(float)), "prior": prior_baseline()}
    result = evaluate(task, arms, dataset, latency_sample=1, n_resamples=100)
    found = {name: result.estimate("label", name).estimate for name in task.metrics}
    assert found["roc_auc"] == 1.0
    assert found["average_precision"] == 1.0
    assert found["accuracy"] == 1.0
    assert found["log_loss"] == pytest.approx(0.0, abs=1e-6)
    assert found["brier"] == pytest.approx(0.0, abs=1e-12)
    assert found["ece"] == pytest.approx(0.0, abs=1e-6)


def test_nothing_beats_the_true_probabilities(
    task: Task, names: list[str], client: ClaudeClient, load: Load
) -> None:
    generated = [d for d in (load(name, 1200) for name in names) if d.card.generator]
    for dataset in generated:
        arms: dict[str, Any] = {
            "oracle": Known(truth_of(dataset)),
            "prior": prior_baseline(),
            "logistic": logistic_baseline(),
            "boosted": BoostedClassifier(max_rounds=30, n_splits=3, n_jobs=1),
        }
        arms |= {p: task.claude(p, dataset, client=client) for p in task.prompts}
        result = evaluate(task, arms, dataset, latency_sample=1, n_resamples=250)
        for figure, sign in (("roc_auc", 1), ("log_loss", -1), ("brier", -1)):
            measured = {arm: sign * result.estimate(arm, figure).estimate for arm in arms}
            assert max(measured, key=lambda arm: measured[arm]) == "oracle", figure
            assert result.info.ceiling is not None
            assert sign * measured["oracle"] == pytest.approx(result.info.ceiling[figure])


def test_a_constant_fails_the_gate(task: Task, spec_path: Path, load: Load) -> None:
    spec = read_spec(spec_path)
    dataset = load(spec.dataset.name, 2000)
    arms = {"constant": prior_baseline(), "baseline": logistic_baseline(text=False)}
    result = evaluate(task, arms, dataset, baseline="baseline", latency_sample=200, n_resamples=200)
    verdict = spec.gate().judge(result)
    assert not verdict.passed
    assert verdict.arm("constant").decision is Decision.REJECT


def test_no_group_crosses_a_split(name: str, kind: Any, load: Load) -> None:
    dataset = load(name, 1000)
    parts = Split(kind, test_fraction=0.3, random_state=2).apply(dataset)
    assert not set(parts.train) & set(parts.test)
    if dataset.groups is not None:
        sides = [set(dataset.groups.iloc[part]) for part in parts]
        assert not sides[0] & sides[1]
    if kind == "time" and dataset.as_of is not None:
        assert dataset.as_of.iloc[parts.train].max() < dataset.as_of.iloc[parts.test].min()
