from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score
from sklearn.utils.estimator_checks import parametrize_with_checks

from workbench.errors import PredictorError
from workbench.predictors import AdditiveClassifier, fit_in_context, logistic_baseline
from workbench.predictors.additive import Curve


def _not_applicable(estimator: Any) -> dict[str, str]:
    return {"check_sample_weight_equivalence_on_dense_data": "sample weights are not supported"}


@parametrize_with_checks(
    [AdditiveClassifier(Cs=(1.0,), n_splits=3)], expected_failed_checks=_not_applicable
)
def test_scikit_learn_checks(estimator: Any, check: Any) -> None:
    check(estimator)


def table(n: int = 2000, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    """Curves, a category, gaps that mean something, and a text."""
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(
        {
            "age": rng.uniform(20, 80, n),
            "visits": rng.poisson(2, n).astype(float),
            "returning": rng.random(n) < 0.4,
            "source": pd.Categorical(rng.choice(["portal", "referral", "phone"], n)),
            "note": rng.choice(["ready to buy now", "just looking around", "call me"], n),
        }
    )
    margin = (
        3 * np.cos(X["age"] / 10) + 0.4 * X["visits"] + 1.2 * (X["source"] == "referral")
        + 1.5 * X["note"].str.contains("ready") - 2
    )  # fmt: skip
    gap = rng.random(n) < 0.2
    X.loc[gap, "visits"] = np.nan
    margin = margin + 1.0 * gap
    y = (rng.random(n) < 1 / (1 + np.exp(-margin))).astype(int).to_numpy()
    return X, y


def test_curves_find_what_a_straight_line_cannot() -> None:
    X, y = table(4000)
    curved = AdditiveClassifier().fit(X[:2500], y[:2500])
    line = logistic_baseline().fit(X[:2500], y[:2500])
    found, straight = (
        roc_auc_score(y[2500:], m.predict_proba(X[2500:])[:, 1]) for m in (curved, line)
    )
    assert found > straight + 0.04
    age = curved.curves_[curved.encoded_.names_.index("age")]
    # cos(age / 10) is lowest at 31, highest at 63.
    low, high = age(np.array([31.0, 63.0]))
    assert high - low > 3


def test_a_category_not_seen_counts_as_missing_and_a_gap_has_a_height() -> None:
    X, y = table()
    model = AdditiveClassifier().fit(X, y)
    row = X.iloc[[0]]
    strange, absent = row.copy(), row.copy()
    strange["source"] = pd.Categorical(["pigeon"])
    absent["source"] = pd.Categorical([None], categories=["portal", "referral", "phone"])
    assert model.predict_proba(strange)[0, 1] == model.predict_proba(absent)[0, 1]
    visits = model.curves_[model.encoded_.names_.index("visits")]
    assert visits(np.array([np.nan]))[0] > visits(np.array([1.0]))[0]


def test_contributions_are_centred_and_add_up() -> None:
    X, y = table()
    model = AdditiveClassifier(text=False).fit(X, y)
    added = model.contributions(X)
    np.testing.assert_allclose(added.sum(axis=1), model.decision_function(X), atol=1e-10)
    np.testing.assert_allclose(added[:, :-1].mean(axis=0), 0, atol=1e-10)


def test_groups_and_time_reach_the_folds() -> None:
    X, y = table(600)
    plain = fit_in_context(AdditiveClassifier(), X, y)
    timed = fit_in_context(AdditiveClassifier(), X, y, as_of=np.arange(600))
    # The text score is out of fold: other folds, other curves.
    assert plain.intercept_ != timed.intercept_


def test_one_class_is_a_clear_error() -> None:
    X, _ = table(100)
    with pytest.raises(PredictorError, match=r"y has 1 class\. Expected two classes"):
        AdditiveClassifier().fit(X, np.zeros(100, dtype=int))


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20), st.floats(-1e7, 1e7))
def test_a_curve_stays_between_its_heights(heights: list[float], value: float) -> None:
    curve = Curve(np.arange(len(heights), dtype=float), np.array(heights), 0.0, category=False)
    found = curve(np.array([value]))[0]
    assert min(heights) - 1e-6 <= found <= max(heights) + 1e-6
