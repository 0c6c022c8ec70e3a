"""Classifying texts: what scikit-learn asks of estimators, hostile texts, and what is learnt."""

import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import GridSearchCV, cross_val_score
from tests.predictors.texts.conftest import FILLER, HOSTILE, HashedEncoder, message

from workbench.data import AskedField
from workbench.embeddings import SentenceEncoder
from workbench.errors import PredictorError
from workbench.predictors.texts import (
    OutOfScope,
    TextClassifier,
    as_texts,
    boosted_baseline,
    embedding_baseline,
    keyword_baseline,
    tfidf_baseline,
)
from workbench.predictors.texts.folding import fold_numbers

Intents = tuple[list[str], list[str]]


@pytest.fixture(scope="module")
def fitted(intents: Intents, encoder: HashedEncoder) -> TextClassifier:
    return TextClassifier(encoder=encoder, n_splits=3).fit(*intents)


def fresh(n: int, seed: int = 9) -> Intents:
    rng = np.random.default_rng(seed)
    labels = [str(label) for label in rng.choice(["buy", "sell", "tour"], n)]
    return [message(rng, label) for label in labels], labels


def test_learns_and_is_calibrated(fitted: TextClassifier) -> None:
    texts, labels = fresh(200)
    proba = fitted.predict_proba(texts)
    assert (fitted.predict(texts) == labels).mean() > 0.95
    assert np.allclose(proba.sum(axis=1), 1)
    assert log_loss(labels, proba) < 0.25
    assert fitted.C_[0] in fitted.terms_C


@pytest.mark.parametrize("kind", [list, pd.Series, np.array, tuple])
def test_takes_any_sequence_of_texts(fitted: TextClassifier, kind: Any) -> None:
    texts, _ = fresh(5)
    assert fitted.predict(kind(texts)).tolist() == fitted.predict(texts).tolist()


def test_is_deterministic_and_survives_cloning_and_pickling(
    fitted: TextClassifier, intents: Intents
) -> None:
    texts, _ = fresh(20)
    told = fitted.predict_proba(texts)
    assert np.array_equal(clone(fitted).fit(*intents).predict_proba(texts), told)
    assert np.array_equal(pickle.loads(pickle.dumps(fitted)).predict_proba(texts), told)  # noqa: S301
    assert clone(fitted).get_params()["n_splits"] == 3


def test_copies_share_a_sentence_encoder() -> None:
    encoder = SentenceEncoder(memory=5)
    assert clone(TextClassifier(encoder=encoder)).encoder is encoder


def test_vectors_are_computed_once_a_fit(intents: Intents) -> None:
    encoder = HashedEncoder()
    TextClassifier(encoder=encoder).fit(*intents)
    assert encoder.encoded == len(intents[0])


def test_hostile_texts_are_answered(fitted: TextClassifier) -> None:
    proba = fitted.predict_proba(HOSTILE)
    assert np.isfinite(proba).all()
    assert set(fitted.predict(HOSTILE)) <= {"buy", "sell", "tour"}
    assert fitted.predict([]).shape == (0,)
    assert fitted.predict_proba([]).shape == (0, 3)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.text(max_size=40), min_size=1, max_size=4))
def test_order_of_texts_changes_nothing(texts: list[str]) -> None:
    proba = _MODEL.predict_proba(texts)
    assert np.allclose(_MODEL.predict_proba(texts[::-1]), proba[::-1])


_MODEL = TextClassifier(encoder=HashedEncoder(), n_splits=2)


@pytest.fixture(autouse=True, scope="module")
def _fit_once() -> None:
    _MODEL.fit(*fresh(30))


@pytest.mark.parametrize(
    ("X", "told"),
    [
        ("one text", "found str"),
        (np.zeros((2, 2)), r"an array of shape \(2, 2\)"),
        (["a", 3], "text 1: found int '3'"),
        (pd.DataFrame({"text": ["a"]}), "one-dimensional"),
    ],
)
def test_no_texts_is_one_clear_error(fitted: TextClassifier, X: Any, told: str) -> None:
    with pytest.raises(PredictorError, match=told):
        fitted.predict(X)


def test_bad_training_data_is_one_clear_error(encoder: HashedEncoder) -> None:
    model = TextClassifier(encoder=encoder)
    with pytest.raises(PredictorError, match=r"2 texts and labels of shape \(1,\)"):
        model.fit(["a b", "c d"], ["x"])
    with pytest.raises(PredictorError, match="no text has a word"):
        model.fit(["", " "], ["x", "y"])
    with pytest.raises(NotFittedError):
        TextClassifier().predict(["a"])


@pytest.mark.parametrize("labels", [["x"] * 6, ["x", "y"] * 3, ["x", "y", "z", "x", "x", "x"]])
def test_few_and_rare_labels(labels: list[str], encoder: HashedEncoder) -> None:
    texts, _ = fresh(6)
    model = TextClassifier(encoder=encoder, n_splits=3).fit(texts, labels)
    assert model.predict_proba(texts).shape == (6, len(set(labels)))
    assert set(model.predict(texts)) <= set(labels)


def test_missing_texts_count_as_empty() -> None:
    assert as_texts(pd.Series(["a", None, np.nan, pd.NA], dtype=object)) == ["a", "", "", ""]


def test_groups_are_never_parted() -> None:
    groups = np.repeat(np.arange(10), 3)
    folds = fold_numbers(np.zeros(30, dtype=int), groups, 4, 0)
    assert all(len(set(folds[groups == g])) == 1 for g in range(10))
    assert len(set(folds)) == 4


def test_works_in_a_grid(intents: Intents, encoder: HashedEncoder) -> None:
    grid = GridSearchCV(
        TextClassifier(encoder=encoder, n_splits=2, vectors_C=(3.0,)),
        {"terms_C": [(0.1,), (0.5,)]},
        cv=2,
    )
    assert grid.fit(*intents).best_score_ > 0.9


def test_more_labels_than_folds_leave_no_nan(encoder: HashedEncoder) -> None:
    texts = [f"word{i} other{i % 3}" for i in range(40)]
    labels = [str(i % 20) for i in range(40)]
    model = TextClassifier(encoder=encoder, n_splits=2).fit(texts, labels)
    assert np.isfinite(model.predict_proba(texts)).all()


@pytest.mark.parametrize("make", [tfidf_baseline, embedding_baseline, boosted_baseline])
def test_baselines_learn(make: Any, intents: Intents, encoder: HashedEncoder) -> None:
    model = make() if make is tfidf_baseline else make(encoder=encoder)
    scores: NDArray[np.float64] = cross_val_score(model, *intents, cv=2)
    assert scores.mean() > 0.6


def test_keywords_need_no_training() -> None:
    field = AskedField(
        name="intent",
        meaning="Intent",
        kind="label",
        values=("buy", "sell"),
        descriptions={"buy": "purchase a home", "sell": "list a home"},
    )
    model = keyword_baseline(field).fit()
    assert model.predict(["purchasing soon", "we are selling"]).tolist() == ["buy", "sell"]
    assert model.predict_proba(["nothing", *HOSTILE])[0].tolist() == [0.5, 0.5]
    assert model.predict([]).shape == (0,)


@pytest.fixture(scope="module")
def scoped(intents: Intents, encoder: HashedEncoder) -> OutOfScope:
    texts, labels = intents
    model = OutOfScope(TextClassifier(encoder=encoder, n_splits=2), catch_all="none", rejected=0.1)
    return model.fit([*texts, "la di da"], [*labels, "none"])


def strangers(n: int) -> list[str]:
    rng = np.random.default_rng(5)
    words = ["recipe", "flour", "oven", "football", "goal", "weather", "rain", "guitar", "song"]
    return [" ".join([*rng.choice(words, 3), *rng.choice(FILLER, 3)]) for _ in range(n)]


def test_out_of_scope_is_stranger(scoped: OutOfScope) -> None:
    texts, _ = fresh(100)
    score = scoped.score_samples([*texts, *strangers(100)])
    assert roc_auc_score([0] * 100 + [1] * 100, score) > 0.9
    assert (scoped.predict(strangers(100)) == "none").mean() > 0.5


def test_rejected_share_holds_on_new_texts(scoped: OutOfScope) -> None:
    texts, labels = fresh(300, seed=4)
    given = scoped.predict(texts)
    assert 0.02 < (given == "none").mean() < 0.25
    kept = given != "none"
    assert (given[kept] == np.array(labels)[kept]).mean() > 0.95


def test_out_of_scope_probabilities_agree_with_labels(scoped: OutOfScope) -> None:
    texts = [*fresh(50)[0], *strangers(50), *HOSTILE]
    proba = scoped.predict_proba(texts)
    assert np.allclose(proba.sum(axis=1), 1)
    outside = proba[:, scoped.classes_.tolist().index("none")]
    assert np.array_equal(outside > 0.5, scoped.predict(texts) == "none")
    copy = pickle.loads(pickle.dumps(scoped))  # noqa: S301
    assert np.array_equal(copy.predict_proba(texts), proba)


def test_out_of_scope_needs_two_labels_and_a_share(encoder: HashedEncoder) -> None:
    with pytest.raises(PredictorError, match="rejected is 0"):
        OutOfScope(rejected=0).fit(["a b"], ["x"])
    with pytest.raises(PredictorError, match="two or more"):
        OutOfScope(TextClassifier(encoder=encoder)).fit(["a b", "c d"], ["x", "other"])
