"""Ordered levels and hazards: right on data whose truth is known."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression

from workbench.errors import PredictorError
from workbench.predictors.hazard import DiscreteHazard
from workbench.predictors.ordinal import OrdinalClassifier
from workbench.scorers import auc_at_statistic, concordance_statistic

LEVELS = ["low", "medium", "high", "critical"]


def ordered(n: int, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    hurry = 1.5 * x + rng.logistic(size=n)
    return pd.DataFrame({"x": x}), np.array(LEVELS)[np.digitize(hurry, [-1, 1, 3])]


def test_levels_have_the_probabilities_of_a_proportional_odds_model() -> None:
    X, y = ordered(20_000, 0)
    model = OrdinalClassifier(LogisticRegression(C=1e6), levels=LEVELS).fit(X, y)
    at = pd.DataFrame({"x": [-1.0, 0.0, 2.0]})
    proba = model.predict_proba(at)
    above = 1 / (1 + np.exp(-(1.5 * at["x"].to_numpy()[:, None] - np.array([-1, 1, 3]))))
    edges = np.column_stack([np.ones(3), above, np.zeros(3)])
    np.testing.assert_allclose(proba, edges[:, :-1] - edges[:, 1:], atol=0.02)
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    assert model.predict(at).tolist() == ["low", "medium", "high"]


def test_levels_never_get_a_negative_probability() -> None:
    X, y = ordered(60, 3)
    proba = (
        OrdinalClassifier(LogisticRegression(C=1e9), levels=LEVELS)
        .fit(X, y)
        .predict_proba(pd.DataFrame({"x": np.linspace(-9, 9, 50)}))
    )
    assert (proba >= 0).all()


def test_labels_that_are_no_levels_are_refused() -> None:
    X, y = ordered(60, 3)
    model = OrdinalClassifier(LogisticRegression(), levels=["low", "high"])
    with pytest.raises(PredictorError, match="holds \\['"):
        model.fit(X, y)
    with pytest.raises(PredictorError, match="lacks \\['never'\\]"):
        OrdinalClassifier(LogisticRegression(), levels=[*LEVELS, "never"]).fit(X, y)


def censored(n: int, seed: int) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    event = rng.exponential(60 * np.exp(-0.8 * x))
    seen_for = rng.uniform(0, 200, n)
    return pd.DataFrame({"x": x}), np.minimum(event, seen_for), event <= seen_for


def test_hazards_recover_the_survival_curve_under_censoring() -> None:
    X, time, seen = censored(20_000, 1)
    assert 0.2 < 1 - seen.mean() < 0.6
    model = DiscreteHazard(LogisticRegression(C=1e6), edges_days=tuple(range(10, 130, 10)))
    model = clone(model).fit(X, time, seen)
    at = pd.DataFrame({"x": [-1.0, 0.0, 1.0]})
    rate = np.exp(0.8 * at["x"].to_numpy()) / 60
    for horizon in (20, 40, 90):
        truth = 1 - np.exp(-rate * horizon)
        np.testing.assert_allclose(model.predict_risk(at, horizon_days=horizon), truth, atol=0.02)
    survival = model.predict_survival(at)
    assert (np.diff(survival, axis=1) <= 0).all() and (survival > 0).all()


def test_risks_rank_as_well_as_the_truth() -> None:
    X, time, seen = censored(3000, 2)
    model = DiscreteHazard(LogisticRegression(), edges_days=(15, 30, 60, 90)).fit(X, time, seen)
    risk = model.predict_risk(X, horizon_days=60)
    ones = np.ones(len(X))
    x = X["x"].to_numpy()
    ours = concordance_statistic(time, seen, risk, horizon=120)(ones)[0]
    assert ours == pytest.approx(concordance_statistic(time, seen, x, horizon=120)(ones)[0])
    ours = auc_at_statistic(time, seen, risk, 60)(ones)[0]
    assert ours == pytest.approx(auc_at_statistic(time, seen, x, 60)(ones)[0])


def test_hazards_refuse_what_they_cannot_use() -> None:
    X, time, seen = censored(50, 2)
    model = DiscreteHazard(LogisticRegression(), edges_days=(15, 30))
    with pytest.raises(PredictorError, match="missing, infinite or negative"):
        model.fit(X, -time, seen)
    with pytest.raises(PredictorError, match="observed holds"):
        model.fit(X, time, np.where(seen, "yes", "no"))
    with pytest.raises(PredictorError, match="0 events"):
        model.fit(X, time, np.zeros(50, bool))
    with pytest.raises(PredictorError, match="edges_days"):
        DiscreteHazard(LogisticRegression(), edges_days=(30, 15)).fit(X, time, seen)
    fitted = model.fit(X, time, seen)
    with pytest.raises(PredictorError, match="horizon_days is 31"):
        fitted.predict_risk(X, horizon_days=31)
