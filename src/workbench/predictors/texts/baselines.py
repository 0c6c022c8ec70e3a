"""What a sceptic tries first on texts."""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from lightgbm import LGBMClassifier
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from workbench.data import AskedField
from workbench.embeddings import Encoder
from workbench.predictors.texts.represent import TextVectors, as_texts, text_terms

__all__ = [
    "KeywordClassifier",
    "boosted_baseline",
    "embedding_baseline",
    "keyword_baseline",
    "tfidf_baseline",
]

_WORD = re.compile(r"[^\W_]+")


class KeywordClassifier(ClassifierMixin, BaseEstimator):
    """Give the label whose own words occur in the text; nothing is learnt.

    Words count less the more labels share them. A text with none gets the first label.

    Parameters
    ----------
    words : mapping of str to str
        What stands for each label: its name and what describes it.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Sorted.

    Examples
    --------
    >>> model = KeywordClassifier({"buy": "buy a home", "sell": "sell a home"}).fit()
    >>> model.predict(["we want to sell"]).tolist()
    ['sell']
    """

    def __init__(self, words: Mapping[str, str]) -> None:
        self.words = words

    def fit(self, X: Any = None, y: Any = None) -> Self:
        """Count the labels' words; texts and labels are ignored.

        Parameters
        ----------
        X, y
            Ignored.
        """
        self.classes_ = np.array(sorted(self.words))
        own = [set(_words(f"{label} {self.words[label]}")) for label in self.classes_]
        shared = Counter(word for words in own for word in words)
        self.worth_ = [{word: 1 / shared[word] ** 2 for word in words} for words in own]
        return self

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Shares of the words found, shape (n_samples, n_classes).

        Parameters
        ----------
        X : sequence of str
        """
        check_is_fitted(self)
        said = [set(_words(text)) for text in as_texts(X)]
        found = np.array([[sum(w[t] for t in words & w.keys()) for w in self.worth_]
                          for words in said]).reshape(len(said), len(self.classes_))  # fmt: skip
        total = found.sum(axis=1, keepdims=True)
        return np.asarray(
            np.where(total > 0, found / np.maximum(total, 1e-12), 1 / len(self.worth_))
        )

    def predict(self, X: Any) -> NDArray[Any]:
        """Labels, shape (n_samples,).

        Parameters
        ----------
        X : sequence of str
        """
        return np.asarray(self.classes_[self.predict_proba(X).argmax(axis=1)])


def _words(text: str) -> list[str]:
    # The first four letters stand for a word in all its forms.
    return [word[:4] for word in _WORD.findall(text.lower())]


def keyword_baseline(field: AskedField) -> KeywordClassifier:
    """Make a classifier of the names and descriptions of a field's labels.

    Parameters
    ----------
    field
        Of kind `label`.

    Examples
    --------
    >>> field = AskedField(name="mood", meaning="Mood", kind="label", values=("good", "bad"))
    >>> keyword_baseline(field).fit().predict(["so bad!"]).tolist()
    ['bad']
    """
    return KeywordClassifier({v: field.descriptions.get(v, "") for v in field.values})


def tfidf_baseline(*, C: float = 10.0, balanced: bool = False, random_state: int = 0) -> Pipeline:
    """Make a logistic regression a label on TF-IDF of words and letters.

    Parameters
    ----------
    C
        Inverse penalty.
    balanced
        Whether texts of a rare label count more, which suits its F1.
    random_state
        Seed.

    Examples
    --------
    >>> tfidf_baseline().fit(["buy it", "sell it"], ["b", "s"]).predict(["to buy"]).tolist()
    ['b']
    """
    weight = "balanced" if balanced else None
    model = LogisticRegression(
        C=C, solver="liblinear", class_weight=weight, random_state=random_state
    )
    return Pipeline([("terms", text_terms()), ("logistic", OneVsRestClassifier(model))])


def embedding_baseline(
    *, encoder: Encoder | None = None, C: float = 10.0, many: bool = False, balanced: bool = False
) -> Pipeline:
    """Make a logistic regression on sentence vectors.

    Parameters
    ----------
    encoder
        What embeds; the one shared by the process when None.
    C
        Inverse penalty.
    many
        Whether a text has several labels.
    balanced
        Whether texts of a rare label count more, which suits its F1.

    Examples
    --------
    >>> embedding_baseline().fit(["buy it", "sell it"], ["b", "s"]).predict(["purchase"]).tolist()
    ['b']
    """
    weight = "balanced" if balanced else None
    model = LogisticRegression(C=C, max_iter=1000, class_weight=weight)
    final = OneVsRestClassifier(model) if many else model
    return Pipeline([("vectors", TextVectors(encoder=encoder)), ("logistic", final)])


def boosted_baseline(*, encoder: Encoder | None = None, random_state: int = 0) -> Pipeline:
    """Make boosted trees on sentence vectors.

    Parameters
    ----------
    encoder
        What embeds; the one shared by the process when None.
    random_state
        Seed.

    Examples
    --------
    >>> boosted_baseline().steps[-1][0]
    'trees'
    """
    trees = LGBMClassifier(
        n_estimators=150, num_leaves=15, learning_rate=0.08, colsample_bytree=0.3, n_jobs=1,
        verbose=-1, random_state=random_state, deterministic=True, force_row_wise=True,
    )  # fmt: skip
    return Pipeline([("vectors", TextVectors(encoder=encoder)), ("trees", trees)])
