from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.exceptions import NotFittedError

from workbench.errors import PredictorError
from workbench.predictors import (
    AdditiveClassifier,
    BlendedClassifier,
    BoostedClassifier,
    CalibratedClassifier,
    OnlineScorer,
    StackedClassifier,
    logistic_baseline,
)


def _members() -> list[tuple[str, Any]]:
    boosted = BoostedClassifier(max_rounds=40, n_splits=3, min_child_samples=5)
    return [("trees", boosted), ("curves", AdditiveClassifier(n_splits=3))]


def _table(n: int = 600) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(0)
    X = pd.DataFrame(
        {
            "visits": rng.poisson(3, n).astype(float),
            "budget": np.exp(rng.normal(12, 1, n)),
            "returning": rng.random(n) < 0.3,
            "source": pd.Categorical(rng.choice(["portal", "referral", "phone"], n)),
            "note": rng.choice(["ready to buy now", "just looking", "call me", ""], n),
        }
    )
    X.loc[::7, "visits"] = np.nan
    X.loc[::11, "source"] = None
    margin = 0.8 * X["visits"].fillna(3) + 1.5 * (X["source"] == "referral") - 3
    return X, (rng.random(n) < 1 / (1 + np.exp(-margin))).astype(int).to_numpy()


@pytest.mark.parametrize(
    "estimator",
    [
        _members()[0][1],
        _members()[1][1],
        BlendedClassifier(_members(), n_splits=3),
        BlendedClassifier(_members(), calibration="isotonic", n_splits=3),
        StackedClassifier(_members(), n_splits=3),
        CalibratedClassifier(_members()[0][1], method="beta", n_splits=3),
    ],
    ids=["boosted", "additive", "blend", "isotonic blend", "stack", "calibrated"],
)
def test_a_row_alone_scores_as_in_a_batch(estimator: Any) -> None:
    X, y = _table()
    fitted = estimator.fit(X[:400], y[:400])
    scorer = OnlineScorer(fitted)
    new = X[400:]
    alone = [scorer.score(row) for row in new.to_dict("records")]
    np.testing.assert_allclose(alone, fitted.predict_proba(new)[:, 1], rtol=0, atol=1e-12)


FITTED = BlendedClassifier(_members(), n_splits=3).fit(*_table())
SCORER = OnlineScorer(FITTED)


@given(
    visits=st.one_of(st.none(), st.floats(-10, 1e9)),
    budget=st.floats(allow_nan=True, allow_infinity=False),
    source=st.sampled_from(["portal", "phone", "pigeon", None]),
)
def test_any_row_scores_as_in_a_batch(visits: Any, budget: float, source: Any) -> None:
    row = {
        "visits": visits, "budget": budget, "returning": True, "source": source, "note": "call me",
    }  # fmt: skip
    frame = pd.DataFrame([row]).assign(
        visits=np.array([np.nan if visits is None else visits]), source=pd.Categorical([source])
    )
    assert SCORER.score(row) == pytest.approx(FITTED.predict_proba(frame)[0, 1], abs=1e-12)


def test_missing_values_and_other_keys() -> None:
    X, _ = _table()
    row = X.iloc[0].to_dict()
    gap = SCORER.score(row | {"visits": np.nan})
    assert SCORER.score(row | {"visits": None}) == gap
    assert SCORER.score(row | {"visits": pd.NA}) == gap
    assert SCORER.score(row | {"visits": None, "agent": "somebody"}) == gap
    assert SCORER.log_odds(row) == pytest.approx(
        np.log(SCORER.score(row) / (1 - SCORER.score(row)))
    )


def test_wrong_rows_are_clear_errors_that_repeat_nothing() -> None:
    X, _ = _table()
    row = X.iloc[0].to_dict()
    with pytest.raises(PredictorError, match="the row has no 'budget'"):
        SCORER.score({k: v for k, v in row.items() if k != "budget"})
    with pytest.raises(PredictorError, match="'budget' is a str that is no number") as raised:
        SCORER.score(row | {"budget": "call Ann"})
    assert "Ann" not in str(raised.value)


def test_what_is_not_fast_enough_or_not_fitted_is_refused() -> None:
    X, y = _table()
    with pytest.raises(PredictorError, match="Pipeline cannot score rows online"):
        OnlineScorer(logistic_baseline().fit(X, y))
    with pytest.raises(NotFittedError):
        OnlineScorer(BoostedClassifier())
