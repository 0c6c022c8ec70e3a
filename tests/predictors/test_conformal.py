from typing import Any

import numpy as np
import pandas as pd
import pytest
from crepes import ConformalClassifier as Reference
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.utils.estimator_checks import parametrize_with_checks

from workbench.errors import PredictorError
from workbench.predictors import ConformalClassifier, coverage_by_slice


@parametrize_with_checks(
    [ConformalClassifier(LogisticRegression())],
    expected_failed_checks=lambda _: {
        "check_sample_weight_equivalence_on_dense_data": "sample weights are not supported",
    },
)
def test_scikit_learn_checks(estimator: Any, check: Any) -> None:
    check(estimator)


def _draw(n: int, rng: np.random.Generator) -> tuple[pd.DataFrame, np.ndarray]:
    """Rare positives, one part of the rows much harder than the other."""
    part = rng.choice(["easy", "hard"], n, p=[0.7, 0.3])
    signal = rng.normal(size=n)
    steep = np.where(part == "easy", 4.0, 0.7)
    y = (rng.random(n) < 1 / (1 + np.exp(-steep * signal + 1.5))).astype(int)
    return pd.DataFrame({"signal": signal, "part": pd.Categorical(part)}), y


class OnSignal(LogisticRegression):
    """Does not know that some rows are harder."""

    def fit(self, X: pd.DataFrame, y: Any) -> Any:
        return super().fit(X[["signal"]], y)

    def predict_proba(self, X: pd.DataFrame) -> Any:
        return super().predict_proba(X[["signal"]])


@pytest.mark.parametrize("method", ["split", "cross"])
def test_coverage_holds_in_every_class_and_slice(method: Any) -> None:
    tables = []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        X, y = _draw(4000, rng)
        new, truth = _draw(4000, rng)
        model = ConformalClassifier(OnSignal(), method=method, bins="part").fit(X, y)
        sets = model.predict_set(new, 0.9)
        found = coverage_by_slice(sets, truth, new[["part"]], classes=model.classes_)
        tables.append(found.to_frame())
    mean = pd.concat(tables).groupby(["slice", "value"])[["n", "coverage"]].mean()
    assert (mean["n"] >= 500).all()
    assert mean["coverage"].between(0.88, 0.92).all(), mean


def test_marginal_sets_miss_the_rare_class_and_the_hard_part() -> None:
    rng = np.random.default_rng(0)
    X, y = _draw(8000, rng)
    new, truth = _draw(8000, rng)
    model = ConformalClassifier(OnSignal(), class_conditional=False).fit(X, y)
    found = coverage_by_slice(
        model.predict_set(new, 0.9), truth, new[["part"]], classes=model.classes_
    )
    rows = found.to_frame().set_index("value")["coverage"]
    assert rows["all"] == pytest.approx(0.9, abs=0.02)
    assert rows["1"] < 0.8
    assert rows["hard"] < 0.85
    assert {"1", "hard"} <= set(found.below()["value"])
    assert "Prediction sets at 90%" in found._repr_html_()


def test_p_values_are_those_of_crepes() -> None:
    rng = np.random.default_rng(1)
    X, y = _draw(1000, rng)
    fitted = OnSignal().fit(X[:500], y[:500])
    model = ConformalClassifier(fitted, method="prefit").fit(X[500:], y[500:])
    proba = fitted.predict_proba(X)
    held, labels = proba[500:], y[500:]
    for label in (0, 1):
        reference = Reference().fit(1 - held[labels == label, label])
        expected = reference.predict_p(1 - proba[:, [label]], smoothing=False)
        np.testing.assert_allclose(model.predict_p(X)[:, [label]], expected)


def test_ordered_classes_give_sets_without_holes() -> None:
    rng = np.random.default_rng(2)
    signal = rng.normal(size=3000)
    # Both ends look alike in what is seen: sets of the lowest and highest class alone.
    X = pd.DataFrame({"seen": np.abs(signal) + 0.3 * rng.normal(size=3000)})
    y = np.digitize(signal, [-0.7, 0.7])
    forest = RandomForestClassifier(50, min_samples_leaf=20, random_state=0)
    holes = {}
    for ordered in (False, True):
        model = ConformalClassifier(forest, ordered=ordered).fit(X[:2000], y[:2000])
        sets = model.predict_set(X[2000:], 0.9)
        holes[ordered] = (sets[:, 0] & ~sets[:, 1] & sets[:, 2]).mean()
        found = coverage_by_slice(sets, y[2000:], classes=model.classes_)
        assert found.to_frame()["coverage"].min() > 0.85
    assert holes[False] > 0.2
    assert holes[True] == 0


def test_two_label_sets_are_the_ones_to_defer() -> None:
    rng = np.random.default_rng(4)
    X, y = _draw(4000, rng)
    new, truth = _draw(4000, rng)
    model = ConformalClassifier(OnSignal()).fit(X, y)
    deferred, sets = model.deferred(new, 0.8), model.predict_set(new, 0.8)
    np.testing.assert_array_equal(deferred, sets.sum(axis=1) != 1)
    right = model.predict(new) == truth
    assert right[~deferred].mean() > right[deferred].mean() + 0.1


def test_groups_count_once_and_time_runs_forwards() -> None:
    X, y = _draw(800, np.random.default_rng(5))
    groups = np.arange(800) // 4
    alone = ConformalClassifier(OnSignal()).fit(X, y)
    grouped = ConformalClassifier(OnSignal()).fit(X, y, groups=groups)
    assert alone.n_calibration_ == 200
    assert grouped.n_calibration_ == 50
    timed = ConformalClassifier(OnSignal(), method="cross").fit(X, y, as_of=np.arange(800))
    assert timed.n_calibration_ < 800


def test_a_value_of_the_bins_never_seen_is_left_open() -> None:
    X, y = _draw(800, np.random.default_rng(6))
    model = ConformalClassifier(OnSignal(), bins="part").fit(X, y)
    strange = X.head(3).assign(part=pd.Categorical(["odd"] * 3))
    assert model.predict_set(strange, 0.9).all()
    assert model.deferred(strange, 0.9).all()


def test_wrong_use_is_a_clear_error() -> None:
    X, y = _draw(200, np.random.default_rng(7))
    with pytest.raises(PredictorError, match="method is 'jackknife'"):
        unknown: Any = "jackknife"
        ConformalClassifier(OnSignal(), method=unknown).fit(X, y)
    with pytest.raises(PredictorError, match="'region' is no column"):
        ConformalClassifier(OnSignal(), bins="region").fit(X, y)
    with pytest.raises(PredictorError, match="confidence_level is 90"):
        ConformalClassifier(OnSignal()).fit(X, y).predict_set(X, 90)
    with pytest.raises(PredictorError, match="as many rows everywhere"):
        coverage_by_slice(np.ones((3, 2), dtype=bool), [0, 1], classes=[0, 1])
    with pytest.raises(PredictorError, match="not among the classes"):
        coverage_by_slice(np.ones((2, 2), dtype=bool), [0, 5], classes=[0, 1])
