"""Languages of texts and of parts of messages."""

import pickle
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from tests.predictors.texts.conftest import HOSTILE

from workbench.data.corpora import load_corpus
from workbench.errors import DataError
from workbench.predictors.texts import LanguageIdentifier

pytest.importorskip("lingua")
pytest.importorskip("py3langid")

MODEL = LanguageIdentifier().fit()
SENTENCES = {
    "en": "I would like to see the house on Saturday afternoon.",
    "es": "Me gustaría ver la casa el sábado por la tarde.",
    "fr": "Je voudrais visiter la maison samedi après-midi.",
    "pt": "Gostaria de ver a casa no sábado à tarde, obrigado.",
    "hi": "मैं शनिवार दोपहर को घर देखना चाहता हूँ।",
    "zh": "我想在星期六下午看房子。",
}


@pytest.mark.parametrize("language", SENTENCES)
def test_a_sentence_of_each_language(language: str) -> None:
    proba = MODEL.predict_proba([SENTENCES[language]])
    assert MODEL.classes_[proba.argmax()] == language
    assert proba.max() > 0.9


def test_spans_follow_each_other_and_hold_the_words() -> None:
    text = f"{SENTENCES['en']} {SENTENCES['zh']} {SENTENCES['fr']}"
    spans = MODEL.spans(text)
    assert [s.language for s in spans] == ["en", "zh", "fr"]
    assert text[spans[1].start : spans[1].end] == "我想在星期六下午看房子"
    assert all(a.end <= b.start for a, b in pairwise(spans))


def test_addresses_and_accounts_say_nothing() -> None:
    text = f"@marie https://example.org/house-for-sale {SENTENCES['es']}"
    assert {s.language for s in MODEL.spans(text)} == {"es"}
    assert MODEL.predict([text]).tolist() == ["es"]


def test_no_letters_means_any_language() -> None:
    assert np.allclose(MODEL.predict_proba(["", "123 !!", "🏡"]), 1 / 6)
    assert MODEL.spans("123") == []


def test_hostile_texts_are_answered() -> None:
    assert np.allclose(MODEL.predict_proba(HOSTILE).sum(axis=1), 1)
    for text in HOSTILE:
        MODEL.spans(text)
    assert MODEL.predict([]).shape == (0,)


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=60))
def test_spans_lie_within_the_text(text: str) -> None:
    spans = MODEL.spans(text)
    assert all(0 <= s.start < s.end <= len(text) for s in spans)
    assert all(a.language != b.language for a, b in pairwise(spans))


def test_clones_and_pickles() -> None:
    copy = pickle.loads(pickle.dumps(clone(MODEL).fit(["x"], ["en"])))  # noqa: S301
    assert copy.predict(list(SENTENCES.values())).tolist() == list(SENTENCES)


def test_accuracy_on_published_words() -> None:
    try:
        corpus = load_corpus("langid_lingua", n=600, random_state=2)
    except DataError:
        pytest.skip("the corpus is not on this machine")
    assert corpus.slices is not None
    right = MODEL.predict(corpus.X["text"]) == corpus.y["language"]
    by_length = right.groupby(corpus.slices["length"].to_numpy()).mean()
    assert by_length["sentence"] > 0.98
    assert by_length["single word"] > 0.75
