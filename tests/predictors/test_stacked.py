from typing import Any, Self

import numpy as np
import pandas as pd
import pytest
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from workbench.errors import PredictorError
from workbench.predictors import StackedClassifier, answering


class Memorizer(ClassifierMixin, BaseEstimator):
    """Knows every training label by heart and nothing else."""

    def fit(self, X: pd.DataFrame, y: ArrayLike) -> Self:
        self.classes_ = np.array([0, 1])
        self.known_ = dict(zip(X["id"], np.asarray(y), strict=True))
        return self

    def predict_proba(self, X: pd.DataFrame) -> NDArray[np.float64]:
        p = np.array([self.known_.get(i, 0.5) for i in X["id"]], dtype=float)
        return np.column_stack([1 - p, p])


class OnlySignal(ClassifierMixin, BaseEstimator):
    def fit(self, X: pd.DataFrame, y: ArrayLike) -> Self:
        self.classes_ = np.array([0, 1])
        self.model_ = LogisticRegression().fit(X[["signal"]], y)
        return self

    def predict_proba(self, X: pd.DataFrame) -> Any:
        return self.model_.predict_proba(X[["signal"]])


@pytest.fixture
def table() -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(1)
    X = pd.DataFrame({"id": np.arange(800), "signal": rng.normal(size=800)})
    y = (rng.random(800) < 1 / (1 + np.exp(-1.5 * X["signal"]))).astype(int).to_numpy()
    return X, y


def test_a_member_that_memorises_gets_no_weight(table: tuple[pd.DataFrame, np.ndarray]) -> None:
    X, y = table
    stack = StackedClassifier([("memory", Memorizer()), ("signal", OnlySignal())])
    fitted = stack.fit(X[:500], y[:500])
    weight = dict(zip(("memory", "signal"), fitted.final_.coef_[0], strict=True))
    assert abs(weight["memory"]) < 1e-9
    assert weight["signal"] > 0.5
    # Fitted on in-sample predictions the stack would be no better than a coin here.
    assert roc_auc_score(y[500:], fitted.predict_proba(X[500:])[:, 1]) > 0.75


def test_the_earliest_block_is_not_predicted_when_time_counts(
    table: tuple[pd.DataFrame, np.ndarray],
) -> None:
    X, y = table
    stack = StackedClassifier([("signal", OnlySignal()), ("prior", DummyClassifier())])
    assert stack.fit(X, y).n_out_of_fold_ == 800
    assert stack.fit(X, y, as_of=np.arange(800)).n_out_of_fold_ < 800


def test_a_stack_of_models_asks_nothing(table: tuple[pd.DataFrame, np.ndarray]) -> None:
    stack = StackedClassifier([("signal", OnlySignal()), ("prior", DummyClassifier())])
    assert not answering(stack)
    assert stack.fit(*table).fit_answers_.empty


@pytest.mark.parametrize("names", [["one"], ["same", "same"], []])
def test_members_need_two_distinct_names(
    names: list[str], table: tuple[pd.DataFrame, np.ndarray]
) -> None:
    with pytest.raises(PredictorError, match="two or more members with distinct names"):
        StackedClassifier([(n, OnlySignal()) for n in names]).fit(*table)


def test_labels_may_be_any_two_classes(table: tuple[pd.DataFrame, np.ndarray]) -> None:
    X, y = table
    words = np.where(y == 1, "yes", "no")
    stack = StackedClassifier([("a", OnlySignal()), ("b", OnlySignal())])
    named, plain = stack.fit(X, words).predict(X), stack.fit(X, y).predict(X)
    np.testing.assert_array_equal(named == "yes", plain == 1)


def test_three_classes_are_a_clear_error(table: tuple[pd.DataFrame, np.ndarray]) -> None:
    X, _ = table
    with pytest.raises(PredictorError, match="y has 3 classes"):
        StackedClassifier([("a", OnlySignal()), ("b", OnlySignal())]).fit(X, np.arange(800) % 3)
