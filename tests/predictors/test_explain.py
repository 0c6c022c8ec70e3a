from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier

from workbench.errors import PredictorError
from workbench.predictors import (
    AdditiveClassifier,
    BlendedClassifier,
    BoostedClassifier,
    CalibratedClassifier,
    CascadeClassifier,
    StackedClassifier,
    UncertaintyPolicy,
    explain,
    logistic_baseline,
)
from workbench.predictors.explain import BASELINE, CALIBRATION


def _boosted(**parameters: Any) -> BoostedClassifier:
    return BoostedClassifier(max_rounds=30, n_splits=3, min_child_samples=5, **parameters)


def _table(n: int = 700) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(0)
    X = pd.DataFrame(
        {
            "visits": rng.poisson(3, n).astype(float),
            "idle": rng.normal(size=n),
            "source": pd.Categorical(rng.choice(["portal", "referral", "phone"], n)),
            "note": rng.choice(["ready to buy now", "just looking around", "call me"], n),
        },
        index=[f"lead {i}" for i in range(n)],
    )
    X.iloc[::9, 0] = np.nan
    margin = 0.8 * X["visits"].fillna(3) + 1.5 * (X["source"] == "referral") - 3
    margin = margin + 1.5 * X["note"].str.contains("ready")
    return X, (rng.random(n) < 1 / (1 + np.exp(-margin))).astype(int).to_numpy()


def _members() -> list[tuple[str, Any]]:
    return [("trees", _boosted()), ("curves", AdditiveClassifier(n_splits=3))]


ESTIMATORS = {
    "boosted": _boosted(),
    "additive": AdditiveClassifier(n_splits=3),
    "logistic": logistic_baseline(),
    "blend": BlendedClassifier([*_members(), ("line", logistic_baseline())], n_splits=3),
    "stack": StackedClassifier(_members(), n_splits=3),
    "isotonic blend": BlendedClassifier(_members(), calibration="isotonic", n_splits=3),
    "calibrated": CalibratedClassifier(_boosted(), n_splits=3),
    "beta calibrated stack": CalibratedClassifier(
        StackedClassifier(_members(), n_splits=3), method="beta", n_splits=3
    ),
}


@pytest.mark.parametrize("name", ESTIMATORS)
def test_contributions_add_up_to_the_estimators_own_log_odds(name: str) -> None:
    X, y = _table()
    fitted = ESTIMATORS[name].fit(X[:500], y[:500])
    new = X[500:]
    found = explain(fitted, new)
    total = found.contributions.sum(axis=1)
    np.testing.assert_allclose(total, found.log_odds, rtol=0, atol=1e-12)
    np.testing.assert_allclose(found.proba, fitted.predict_proba(new)[:, 1], atol=1e-12)
    assert {"visits", "idle", "source", "text", BASELINE} <= set(found.contributions.columns)
    assert (CALIBRATION in found.contributions) == ("isotonic" in name or "beta" in name)
    mattered = list(found.importance().drop(CALIBRATION, errors="ignore").index)
    assert mattered.index("visits") < mattered.index("idle")


def test_a_background_moves_the_baseline_only() -> None:
    X, y = _table()
    fitted = _boosted().fit(X, y)
    plain, compared = explain(fitted, X[:50]), explain(fitted, X[:50], background=X)
    np.testing.assert_allclose(
        compared.contributions.sum(axis=1), plain.contributions.sum(axis=1), atol=1e-10
    )
    over_all = explain(fitted, X, background=X).contributions.drop(columns=[BASELINE])
    np.testing.assert_allclose(over_all.mean(), 0, atol=1e-10)


def test_a_member_without_terms_is_one_term() -> None:
    X, y = _table()
    numbers = X[["visits", "idle"]].fillna(3)
    blend = BlendedClassifier(
        [("forest", RandomForestClassifier(20, random_state=0)), ("curves", AdditiveClassifier())]
    ).fit(numbers, y)
    found = explain(blend, numbers[:20])
    assert set(found.contributions.columns) >= {"forest", "visits", "idle", BASELINE}
    np.testing.assert_allclose(
        found.contributions.sum(axis=1), blend.decision_function(numbers[:20]), atol=1e-12
    )


def test_what_a_reader_sees() -> None:
    X, y = _table()
    found = explain(_boosted().fit(X, y), X[:5])
    tidy = found.to_frame()
    assert list(tidy.columns) == ["example_id", "column", "value", "contribution"]
    first = tidy[tidy["example_id"] == "lead 0"]
    assert first["contribution"].abs().is_monotonic_decreasing
    html = found._repr_html_()
    assert "lead 0: probability" in html
    assert "and 2 more rows" in html
    # What a lead wrote is not repeated.
    assert not any(note in html for note in X["note"].unique())


@pytest.mark.parametrize(
    "estimator",
    [
        DummyClassifier(),
        CascadeClassifier(_members(), UncertaintyPolicy(max_share=0.5)),
    ],
)
def test_what_cannot_be_explained_says_so(estimator: Any) -> None:
    X, y = _table(300)
    with pytest.raises(PredictorError, match="offers no additive explanation"):
        explain(estimator.fit(X, y), X)
