"""Several labels a text: thresholds, rare labels, hostile texts."""

import pickle

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.metrics import f1_score
from tests.predictors.texts.conftest import HOSTILE, HashedEncoder

from workbench.errors import PredictorError
from workbench.predictors.texts import TextTagger
from workbench.predictors.texts.tagger import _best_threshold

Topics = tuple[list[str], NDArray[np.int64]]


@pytest.fixture(scope="module")
def fitted(topics: Topics, encoder: HashedEncoder) -> TextTagger:
    texts, truth = topics
    return TextTagger(encoder=encoder, n_splits=3).fit(texts[:100], truth[:100])


def test_learns_every_label(fitted: TextTagger, topics: Topics) -> None:
    texts, truth = topics
    given = fitted.predict(texts[100:])
    assert given.shape == (50, 3)
    assert f1_score(truth[100:], given, average="macro") > 0.85
    proba = fitted.predict_proba(texts[100:])
    assert ((proba >= 0) & (proba <= 1)).all()


def test_one_threshold_for_all_when_micro(topics: Topics, encoder: HashedEncoder) -> None:
    model = TextTagger(encoder=encoder, n_splits=2, thresholds="micro").fit(*topics)
    assert len(set(model.thresholds_)) == 1


def test_labels_never_or_always_seen(topics: Topics, encoder: HashedEncoder) -> None:
    texts, truth = topics
    wide = np.column_stack([truth, np.zeros(len(truth)), np.ones(len(truth))])
    model = TextTagger(encoder=encoder, n_splits=2).fit(texts, wide)
    given = model.predict(texts)
    assert not given[:, 3].any()
    assert given[:, 4].all()


def test_label_of_one_text(topics: Topics, encoder: HashedEncoder) -> None:
    texts, truth = topics
    rare = np.zeros((len(truth), 1), dtype=int)
    rare[0] = 1
    model = TextTagger(encoder=encoder, n_splits=3).fit(texts, np.hstack([truth, rare]))
    assert np.isfinite(model.predict_proba(texts)).all()


def test_hostile_texts_are_answered(fitted: TextTagger) -> None:
    assert np.isfinite(fitted.predict_proba(HOSTILE)).all()
    assert fitted.predict([]).shape == (0, 3)


def test_is_deterministic_cloned_and_pickled(fitted: TextTagger, topics: Topics) -> None:
    texts, truth = topics
    again = clone(fitted).fit(texts[:100], truth[:100])
    assert np.array_equal(again.predict_proba(texts), fitted.predict_proba(texts))
    copy = pickle.loads(pickle.dumps(fitted))  # noqa: S301
    assert np.array_equal(copy.predict(texts), fitted.predict(texts))


def test_threshold_is_the_best_of_all() -> None:
    rng = np.random.default_rng(0)
    proba = rng.random(200)
    truth = (rng.random(200) < proba**2).astype(int)
    best = f1_score(truth, proba >= _best_threshold(proba, truth))
    every = [f1_score(truth, proba >= cut) for cut in np.unique(proba)]
    assert best == pytest.approx(max(every))


@pytest.mark.parametrize(
    ("y", "told"),
    [
        (np.zeros(2), r"labels of shape \(2,\)"),
        (np.zeros((3, 2)), r"2 texts and labels of shape \(3, 2\)"),
        (np.array([[2], [0]]), "labels other than 0 and 1"),
    ],
)
def test_bad_labels_are_one_clear_error(y: NDArray[np.int64], told: str) -> None:
    with pytest.raises(PredictorError, match=told):
        TextTagger().fit(["a b", "c d"], y)
    with pytest.raises(PredictorError, match="thresholds is 'all'"):
        TextTagger(thresholds="all").fit(["a b"], [[1]])  # type: ignore[arg-type]
