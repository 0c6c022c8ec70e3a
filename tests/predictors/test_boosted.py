from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import parametrize_with_checks

from workbench.errors import PredictorError
from workbench.predictors import BoostedClassifier, fit_in_context, positive_probability


def _quick() -> BoostedClassifier:
    return BoostedClassifier(max_rounds=20, n_jobs=1, min_child_samples=5, n_splits=3)


def _not_applicable(estimator: BoostedClassifier) -> dict[str, str]:
    return {"check_sample_weight_equivalence_on_dense_data": "sample weights are not supported"}


@parametrize_with_checks([_quick()], expected_failed_checks=_not_applicable)
def test_scikit_learn_checks(estimator: Any, check: Any) -> None:
    check(estimator)


def _table(n: int = 1200, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(
        {
            "visits": rng.poisson(3, n).astype(float),
            "source": pd.Categorical(rng.choice(["portal", "referral", "phone"], n)),
            "note": rng.choice(["ready to buy now", "just looking around", "call me later"], n),
        }
    )
    X.loc[::7, "visits"] = np.nan
    log_odds = (
        -2 + 0.4 * X["visits"].fillna(3) + 1.5 * (X["source"] == "referral")
        + 2.0 * X["note"].str.contains("ready")
    )  # fmt: skip
    y = (rng.random(n) < 1 / (1 + np.exp(-log_odds))).astype(int).to_numpy()
    return X, y


def test_numbers_categories_text_and_gaps_are_used_and_probabilities_are_calibrated() -> None:
    X, y = _table(3000)
    model = BoostedClassifier(n_jobs=1).fit(X[:2000], y[:2000])
    p = model.predict_proba(X[2000:])[:, 1]
    assert roc_auc_score(y[2000:], p) > 0.75
    without_text = BoostedClassifier(n_jobs=1, text=False).fit(X[:2000], y[:2000])
    assert roc_auc_score(y[2000:], p) > 0.03 + roc_auc_score(
        y[2000:], without_text.predict_proba(X[2000:])[:, 1]
    )
    shuffled = log_loss(y[2000:], np.full(1000, y.mean()))
    assert log_loss(y[2000:], p) < shuffled
    assert abs(p.mean() - y[2000:].mean()) < 0.04


def test_an_unseen_category_is_a_missing_one() -> None:
    X, y = _table()
    model = _quick().fit(X, y)
    strange = X.head(1).assign(source=pd.Categorical(["billboard"]))
    absent = X.head(1).assign(source=pd.Categorical([None], categories=["portal"]))
    assert model.predict_proba(strange)[0, 1] == model.predict_proba(absent)[0, 1]


def test_single_rows_and_batches_agree() -> None:
    X, y = _table()
    model = _quick().fit(X, y)
    batch = model.predict_proba(X.head(50))
    single = np.vstack([model.predict_proba(X.iloc[[i]]) for i in range(50)])
    np.testing.assert_allclose(single, batch, rtol=1e-12)


def test_the_same_seed_gives_the_same_model() -> None:
    X, y = _table()
    a, b = (_quick().fit(X, y).predict_proba(X) for _ in range(2))
    np.testing.assert_array_equal(a, b)


def test_groups_and_time_reach_the_inner_folds_even_in_a_pipeline() -> None:
    X, y = _table()
    groups = np.arange(len(y)) // 4
    as_of = np.arange(len(y))
    plain = fit_in_context(_quick(), X, y)
    grouped = fit_in_context(_quick(), X, y, groups=groups)
    timed = fit_in_context(_quick(), X, y, groups=groups, as_of=as_of)
    piped = fit_in_context(
        make_pipeline(FunctionTransformer(), _quick()), X, y, groups=groups, as_of=as_of
    )
    margins = {m.calibration_ for m in (plain, grouped, timed)}
    assert len(margins) == 3
    assert piped[-1].calibration_ == timed.calibration_
    np.testing.assert_array_equal(positive_probability(piped, X), positive_probability(timed, X))


def test_column_names_json_dislikes_are_fine() -> None:
    X, y = _table()
    X = X.rename(columns={"visits": 'visits [n], "all": {x}'})
    assert _quick().fit(X, y).predict_proba(X).shape == (len(y), 2)


def test_one_class_is_a_clear_error() -> None:
    X, _ = _table(100)
    with pytest.raises(PredictorError, match=r"y has 1 class\. Expected two classes"):
        _quick().fit(X, np.ones(100, dtype=int))


def test_noise_gets_the_base_rate_not_an_opinion() -> None:
    rng = np.random.default_rng(5)
    X = pd.DataFrame({"a": rng.normal(size=2000)})
    y = (rng.random(2000) < 0.2).astype(int)
    p = BoostedClassifier(n_jobs=1).fit(X, y).predict_proba(X)[:, 1]
    assert p.std() < 0.05
    assert abs(p.mean() - y.mean()) < 0.02


def test_clones_are_independent() -> None:
    X, y = _table()
    model = _quick().fit(X, y)
    assert not hasattr(clone(model), "model_")
