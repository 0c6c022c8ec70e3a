"""A cascade that learns where its last member gains."""

from typing import Any, Self

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin

from workbench.predictors import CascadeClassifier, GainPolicy, UncertaintyPolicy
from workbench.predictors.answers import ANSWER_COLUMNS
from workbench.predictors.calibrators import log_odds


class First(ClassifierMixin, BaseEstimator):
    """Reads `a`; knows nothing of `b`."""

    def fit(self, X: pd.DataFrame, y: Any) -> Self:
        self.classes_ = np.array([0, 1])
        return self

    def predict_proba(self, X: pd.DataFrame) -> NDArray[np.float64]:
        p = (1 / (1 + np.exp(-X["a"]))).to_numpy()
        return np.column_stack([1 - p, p])


class Expert(First):
    """Knows the truth of one kind of row, and is no better than the first on the others."""

    def predict_proba(self, X: pd.DataFrame) -> NDArray[np.float64]:
        margin = X["a"] + np.where(X["kind"] == "talked", 3 * X["b"], 0)
        p = (1 / (1 + np.exp(-margin))).to_numpy()
        return np.column_stack([1 - p, p])


class PaidExpert(Expert):
    """The same, at a price: what a member that asks somebody else answers."""

    def __init__(self, cost_usd: float = 0.01) -> None:
        self.cost_usd = cost_usd

    def answer(self, X: pd.DataFrame, *, repeat: int = 0) -> pd.DataFrame:
        frame = pd.DataFrame(index=X.index, columns=list(ANSWER_COLUMNS), dtype=object)
        for column in ("latency_s", "queued_s", "ttft_s", "inter_token_s"):
            frame[column] = 0.0
        for column in ANSWER_COLUMNS[ANSWER_COLUMNS.index("attempts") :]:
            if column.endswith("tokens") or column in ("attempts", "calls"):
                frame[column] = 1
        return frame.assign(
            proba=self.predict_proba(X)[:, 1], abstained=False, degraded=False, cached=False,
            cost_usd=self.cost_usd, repeat=repeat, origin="local", started_at="2026-01-01",
        )  # fmt: skip


def _table(n: int = 4000, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(
        {
            "a": rng.normal(size=n),
            "b": rng.normal(size=n),
            "kind": pd.Categorical(rng.choice(["talked", "silent"], n, p=[0.3, 0.7])),
        }
    )
    margin = X["a"] + np.where(X["kind"] == "talked", 3 * X["b"], 0)
    return X, (rng.random(n) < 1 / (1 + np.exp(-margin))).astype(int).to_numpy()


def _loss(model: Any, X: pd.DataFrame, y: np.ndarray) -> float:
    margin = log_odds(model.predict_proba(X)[:, 1])
    return float(np.logaddexp(0, -np.where(y == 1, margin, -margin)).mean())


def _cascade(policy: Any, last: Any = None) -> CascadeClassifier:
    return CascadeClassifier([("first", First()), ("expert", last or Expert())], policy)


def test_learned_gain_finds_the_rows_that_pay_where_uncertainty_does_not() -> None:
    X, y = _table()
    new, truth = _table(seed=1)
    gain = _cascade(GainPolicy(max_share=0.2, n_fit=2000)).fit(X, y)
    unsure = _cascade(UncertaintyPolicy(max_share=0.2, n_fit=2000)).fit(X, y)
    first, every = _loss(First().fit(X, y), new, truth), _loss(Expert().fit(X, y), new, truth)
    gained, by_uncertainty = (first - _loss(c, new, truth) for c in (gain, unsure))
    assert gained > 2 * by_uncertainty
    assert gained > 0.5 * (first - every)
    asked = gain.score_(First().predict_proba(new)[:, 1:], new) > gain.threshold_
    assert asked.mean() == pytest.approx(0.2, abs=0.04)
    assert (new["kind"][asked] == "talked").mean() > 0.95


@pytest.mark.parametrize(
    ("usd_per_correct", "low", "high"), [(0.01, 0.0, 0.02), (0.1, 0.1, 0.33), (100.0, 0.28, 1.0)]
)
def test_it_asks_where_expected_gain_times_value_exceeds_the_price(
    usd_per_correct: float, low: float, high: float
) -> None:
    X, y = _table()
    policy = GainPolicy(usd_per_correct=usd_per_correct, n_fit=2000)
    cascade = _cascade(policy, PaidExpert(cost_usd=0.01)).fit(X, y)
    assert cascade.threshold_ == pytest.approx(0.01 / usd_per_correct)
    new, _ = _table(seed=2)
    answers = cascade.answer(new)
    share = float((answers["answered_by"] == "expert").mean())
    assert low <= share <= high
    expected = answers["escalation_score"].to_numpy()
    asked = (answers["answered_by"] == "expert").to_numpy()
    np.testing.assert_array_equal(asked, expected * usd_per_correct > 0.01)


def test_a_useless_expert_is_hardly_asked() -> None:
    X, y = _table()
    cascade = _cascade(GainPolicy(usd_per_correct=1.0, n_fit=2000), First()).fit(X, y)
    assert cascade.escalation_share_ < 0.05
