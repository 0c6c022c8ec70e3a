from typing import Any, Self

import numpy as np
import pandas as pd
import pytest
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.utils.estimator_checks import parametrize_with_checks

from workbench.errors import PredictorError
from workbench.predictors import (
    BlendedClassifier,
    CalibratedClassifier,
    StackedClassifier,
    tabular_ensemble,
)
from workbench.predictors.calibrators import fitted_map


def _pair() -> list[tuple[str, Any]]:
    return [("line", LogisticRegression()), ("loose", LogisticRegression(C=100.0))]


def _not_applicable(estimator: Any) -> dict[str, str]:
    return {
        "check_sample_weight_equivalence_on_dense_data": "sample weights are not supported",
    }


@parametrize_with_checks(
    [
        BlendedClassifier(_pair(), n_splits=3),
        StackedClassifier(_pair(), n_splits=3),
        CalibratedClassifier(LogisticRegression(), n_splits=3),
    ],
    expected_failed_checks=_not_applicable,
)
def test_scikit_learn_checks(estimator: Any, check: Any) -> None:
    check(estimator)


class Reader(ClassifierMixin, BaseEstimator):
    """Reads one column; `bold` times its log-odds, `memory` of its training labels."""

    def __init__(self, column: str = "a", bold: float = 1.0, *, memory: bool = False) -> None:
        self.column, self.bold, self.memory = column, bold, memory

    def fit(self, X: pd.DataFrame, y: ArrayLike, groups: Any = None, as_of: Any = None) -> Self:
        self.classes_ = np.array([0, 1])
        self.model_ = LogisticRegression().fit(X[[self.column]], y)
        self.known_ = dict(zip(X.index, np.asarray(y), strict=True))
        self.groups_, self.as_of_ = groups, as_of
        return self

    def predict_proba(self, X: pd.DataFrame) -> NDArray[np.float64]:
        p = 1 / (1 + np.exp(-self.bold * self.model_.decision_function(X[[self.column]])))
        if self.memory:
            p = np.array([self.known_.get(i, 0.5) for i in X.index], dtype=float)
        return np.column_stack([1 - p, p])


def _table(n: int = 3000, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(rng.normal(size=(n, 3)), columns=["a", "b", "noise"])
    y = (rng.random(n) < 1 / (1 + np.exp(-1.2 * X["a"] - 1.2 * X["b"]))).astype(int).to_numpy()
    return X, y


def _loss(model: Any, X: pd.DataFrame, y: np.ndarray) -> float:
    return float(log_loss(y, model.predict_proba(X)))


@pytest.mark.parametrize("calibration", ["platt", "isotonic", "beta", None])
def test_weights_are_a_mean_and_a_member_that_memorises_gets_none(calibration: Any) -> None:
    X, y = _table()
    members = [("a", Reader("a")), ("b", Reader("b")), ("memory", Reader("noise", memory=True))]
    blend = BlendedClassifier(members, calibration=calibration).fit(X[:2000], y[:2000])
    assert (blend.weights_ >= 0).all()
    assert blend.weights_.sum() == pytest.approx(1)
    assert blend.weights_[0] == pytest.approx(blend.weights_[1], abs=0.15)
    # It says one half of every row it does not know: of no consequence once the pool is
    # calibrated; without, it is the shrinking that the two others' mean does not need.
    assert blend.weights_[2] < 1e-3 or calibration is not None
    best = min(_loss(Reader(c).fit(X[:2000], y[:2000]), X[2000:], y[2000:]) for c in "ab")
    assert _loss(blend, X[2000:], y[2000:]) < best - 0.02


def test_the_memoriser_does_not_move_the_blend() -> None:
    X, y = _table()
    honest = [("a", Reader("a")), ("b", Reader("b"))]
    with_memory = [*honest, ("memory", Reader("noise", memory=True))]
    plain, fooled = (BlendedClassifier(m).fit(X[:2000], y[:2000]) for m in (honest, with_memory))
    new = X[2000:]
    np.testing.assert_allclose(fooled.predict_proba(new), plain.predict_proba(new), atol=2e-3)


def test_noise_gets_no_weight_and_equal_weights_are_equal() -> None:
    X, y = _table()
    members = [("a", Reader("a")), ("noise", Reader("noise", bold=30.0))]
    assert BlendedClassifier(members).fit(X, y).weights_[1] < 0.02
    assert BlendedClassifier(members, weights="equal").fit(X, y).weights_.tolist() == [0.5, 0.5]


def test_groups_and_time_reach_the_members_and_the_folds() -> None:
    X, y = _table(600)
    members = [("a", Reader("a")), ("b", Reader("b"))]
    groups, as_of = np.arange(600) // 3, np.arange(600)
    blend = BlendedClassifier(members).fit(X, y, groups=groups, as_of=as_of)
    assert blend.n_out_of_fold_ < 600
    assert blend.members_[0].groups_ is not None
    assert blend.members_[0].as_of_ is not None


@pytest.mark.parametrize("method", ["platt", "isotonic", "beta"])
def test_calibration_undoes_boldness(method: Any) -> None:
    X, y = _table(4000)
    bold = Reader("a", bold=4.0)
    raw = _loss(bold.fit(X[:2500], y[:2500]), X[2500:], y[2500:])
    model = CalibratedClassifier(bold, method=method).fit(X[:2500], y[:2500])
    right = _loss(Reader("a").fit(X[:2500], y[:2500]), X[2500:], y[2500:])
    assert raw > right + 0.1
    assert _loss(model, X[2500:], y[2500:]) == pytest.approx(right, abs=0.012)


@pytest.mark.parametrize("method", ["platt", "isotonic", "beta"])
def test_maps_rise_and_noise_gets_the_base_rate(method: str) -> None:
    rng = np.random.default_rng(1)
    margins = rng.normal(size=3000)
    labels = (rng.random(3000) < 1 / (1 + np.exp(-2 * margins + 1))).astype(np.int64)
    grid = np.linspace(-4, 4, 200)
    assert (np.diff(fitted_map(method, margins, labels)(grid)) >= -1e-12).all()
    unrelated = (rng.random(3000) < 0.2).astype(np.int64)
    flat = 1 / (1 + np.exp(-fitted_map(method, margins, unrelated)(margins)))
    assert abs(flat.mean() - unrelated.mean()) < 0.01


def wrong(value: Any) -> Any:
    """Hide from the type checker what it would rightly refuse."""
    return value


def test_unknown_choices_are_clear_errors() -> None:
    X, y = _table(200)
    with pytest.raises(PredictorError, match="no calibration 'temperature'"):
        CalibratedClassifier(Reader(), method=wrong("temperature")).fit(X, y)
    with pytest.raises(PredictorError, match="weights are 'best'"):
        BlendedClassifier(_pair(), weights=wrong("best")).fit(X, y)
    with pytest.raises(PredictorError, match="two or more members"):
        BlendedClassifier([("one", DummyClassifier())]).fit(X, y)


def test_the_ensemble_is_at_least_about_as_good_as_its_best_member() -> None:
    rng = np.random.default_rng(3)
    X = pd.DataFrame(rng.normal(size=(1500, 3)), columns=list("abc"))
    y = (rng.random(1500) < 1 / (1 + np.exp(-2 * X["a"] * (X["b"] > 0)))).astype(int).to_numpy()
    ensemble = tabular_ensemble(n_splits=3).fit(X[:1000], y[:1000])
    losses = [_loss(m, X[1000:], y[1000:]) for m in ensemble.members_]
    assert _loss(ensemble, X[1000:], y[1000:]) < min(losses) + 0.01
