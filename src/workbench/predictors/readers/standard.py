"""Readers anybody would try first, made for whatever fields a task has."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.utils.validation import check_is_fitted

from workbench.data import AskedField, FieldKind
from workbench.features import linear_table
from workbench.predictors.readers.field_reader import FieldReader
from workbench.predictors.texts.baselines import keyword_baseline

__all__ = [
    "RelevanceRanker",
    "constant_reader",
    "keyword_reader",
    "reader_of_kinds",
    "tfidf_reader",
]


class RelevanceRanker(RegressorMixin, BaseEstimator):
    """Rank candidates by the relevance a regression foresees for each.

    Parameters
    ----------
    regressor : estimator, optional
        Predicts several numbers at once; without one, every text gets the candidates in the order
        of their mean relevance in training.

    Attributes
    ----------
    candidates_ : tuple of str
        In the order first seen.
    mean_ : ndarray of shape (n_candidates,)
        Mean relevance in training.

    Examples
    --------
    >>> import pandas as pd
    >>> truth = np.array([{"call": 1.0, "mail": 0.0}, {"call": 0.5, "mail": 0.2}], dtype=object)
    >>> X = pd.DataFrame({"text": ["a", "b"]})
    >>> RelevanceRanker().fit(X, truth).predict(X).tolist()
    [('call', 'mail'), ('call', 'mail')]
    """

    def __init__(self, regressor: Any = None) -> None:
        self.regressor = regressor

    def fit(self, X: Any, y: NDArray[Any]) -> Self:
        """Learn the relevance of each candidate.

        Parameters
        ----------
        X
            What the regressor reads.
        y : ndarray of dict, shape (n_samples,)
            Relevance by candidate.
        """
        self.candidates_ = tuple(dict.fromkeys(name for worth in y for name in worth))
        worths = np.array([[worth.get(c, 0.0) for c in self.candidates_] for worth in y])
        self.mean_ = worths.mean(axis=0)
        self.regressor_ = None if self.regressor is None else self.regressor.fit(X, worths)
        return self

    def predict(self, X: Any) -> NDArray[Any]:
        """Candidates of each row, best first, shape (n_samples,) of tuples."""
        check_is_fitted(self)
        n = len(X)
        if self.regressor_ is None:
            worths = np.tile(self.mean_, (n, 1))
        else:
            worths = np.asarray(self.regressor_.predict(X)).reshape(n, -1)
        ranked = np.empty(n, dtype=object)
        for i, row in enumerate(worths):
            order = np.argsort(-row, kind="stable")
            ranked[i] = tuple(self.candidates_[j] for j in order)
        return ranked


class _NoSlots(ClassifierMixin, BaseEstimator):
    """Say of every text that it mentions nothing."""

    def fit(self, X: Any, y: Any) -> Self:
        self.fitted_ = True
        return self

    def predict(self, X: Any) -> NDArray[Any]:
        held = np.empty(len(X), dtype=object)
        held[:] = [{} for _ in range(len(X))]
        return held


def reader_of_kinds(
    fields: Sequence[AskedField], makers: Mapping[FieldKind, Callable[[], Any]]
) -> FieldReader:
    """Make a reader with an estimator a field, by the fields' kinds; all read the whole table.

    Parameters
    ----------
    fields
        What is asked; kinds without a maker stay unanswered.
    makers
        By kind.
    """
    made = {f.name: makers[f.kind]() for f in fields if f.kind in makers}
    return FieldReader(fields, made, column=None)


def constant_reader(fields: Sequence[AskedField]) -> FieldReader:
    """Say the same of every text: the most frequent value, the median, the usual order, nothing.

    Parameters
    ----------
    fields
        What is asked; texts are left unwritten.

    Examples
    --------
    >>> import pandas as pd
    >>> asked = AskedField(name="mood", meaning="Mood", kind="label", values=("good", "bad"))
    >>> X = pd.DataFrame({"text": ["a", "b", "c"]})
    >>> y = pd.DataFrame({"mood": ["bad", "bad", "good"]}, dtype=object)
    >>> constant_reader([asked]).fit(X, y).read(X).values["mood"].tolist()
    ['bad', 'bad', 'bad']
    """
    return reader_of_kinds(
        fields,
        {
            "label": lambda: DummyClassifier(strategy="prior"),
            "level": lambda: DummyClassifier(strategy="prior"),
            "labels": lambda: OneVsRestClassifier(DummyClassifier(strategy="prior")),
            "number": lambda: DummyRegressor(strategy="median"),
            "slots": _NoSlots,
            "ranking": RelevanceRanker,
        },
    )


def tfidf_reader(
    fields: Sequence[AskedField], *, C: float = 10.0, random_state: int = 0
) -> FieldReader:
    """Read words and word pairs, and the other columns, with linear models.

    Slots are left unanswered: they need more than one weight a word.

    Parameters
    ----------
    fields
        What is asked.
    C
        Inverse strength of regularisation of the classifiers.
    random_state
        Seed of the solver.

    Examples
    --------
    >>> import pandas as pd
    >>> asked = AskedField(name="mood", meaning="Mood", kind="label", values=("good", "bad"))
    >>> X = pd.DataFrame({"text": ["so good", "so bad", "good day", "bad day"] * 3})
    >>> y = pd.DataFrame({"mood": ["good", "bad"] * 6}, dtype=object)
    >>> tfidf_reader([asked]).fit(X, y).read(X).values["mood"].tolist()[:2]
    ['good', 'bad']
    """

    def linear() -> Any:
        return LogisticRegression(C=C, max_iter=2000, random_state=random_state)

    return reader_of_kinds(
        fields,
        {
            "label": lambda: make_pipeline(linear_table(), linear()),
            "level": lambda: make_pipeline(linear_table(), linear()),
            "labels": lambda: make_pipeline(linear_table(), OneVsRestClassifier(linear())),
            "number": lambda: make_pipeline(linear_table(), Ridge(alpha=1.0)),
            "ranking": lambda: RelevanceRanker(make_pipeline(linear_table(), Ridge(alpha=3.0))),
        },
    )


class _KeywordTags(BaseEstimator):
    """Every label that has more than an equal share of the words found; none without any."""

    def __init__(self, keywords: Any, values: Sequence[str]) -> None:
        self.keywords = keywords
        self.values = values

    def fit(self, X: Any, y: Any) -> Self:
        self.keywords_ = self.keywords.fit()
        return self

    def shares(self, X: Any) -> NDArray[np.float64]:
        """Shares of the words found, columns in the order of the field's values."""
        place = [list(self.keywords_.classes_).index(value) for value in self.values]
        return np.asarray(self.keywords_.predict_proba(X))[:, place]

    def predict(self, X: Any) -> NDArray[Any]:
        return (self.shares(X) > 1 / len(self.values) + 1e-9).astype(np.int8)


class _KeywordRanks(_KeywordTags):
    """The candidates whose words were found, most first."""

    def predict(self, X: Any) -> NDArray[Any]:
        ranked = np.empty(len(X), dtype=object)
        for i, row in enumerate(self.shares(X)):
            order = np.argsort(-row, kind="stable")
            ranked[i] = tuple(self.values[j] for j in order if row[j] > 1 / len(row) + 1e-9)
        return ranked


def keyword_reader(fields: Sequence[AskedField]) -> FieldReader:
    """Look for the words of the values' names and descriptions; learns nothing.

    Parameters
    ----------
    fields
        What is asked; numbers, slots and texts are left unanswered.

    Examples
    --------
    >>> import pandas as pd
    >>> asked = AskedField(name="wish", meaning="Wish", kind="label", values=("garden", "pool"))
    >>> X = pd.DataFrame({"text": ["a pool, please", "gardens are fun"]})
    >>> y = pd.DataFrame({"wish": ["pool", "garden"]}, dtype=object)
    >>> keyword_reader([asked]).fit(X, y).read(X).values["wish"].tolist()
    ['pool', 'garden']
    """
    made: dict[str, Any] = {}
    for asked in fields:
        if asked.kind in ("label", "level"):
            made[asked.name] = keyword_baseline(asked)
        elif asked.kind in ("labels", "ranking"):
            kind = _KeywordTags if asked.kind == "labels" else _KeywordRanks
            made[asked.name] = kind(keyword_baseline(asked), asked.values)
    return FieldReader(fields, made)
