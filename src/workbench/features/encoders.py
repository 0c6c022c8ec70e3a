"""Tables to design matrices, one way for linear models and one for trees."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_matrix
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from workbench.features.columns import category_columns, numeric_columns, text_columns

__all__ = ["TextScore", "TreeTable", "join_text", "linear_table"]


def join_text(X: pd.DataFrame) -> NDArray[np.object_]:
    """Join the columns of each row into one text; missing values are empty.

    Parameters
    ----------
    X : DataFrame of shape (n_samples, n_text_columns)

    Returns
    -------
    ndarray of shape (n_samples,)

    Examples
    --------
    >>> join_text(pd.DataFrame({"a": ["x", None], "b": ["y", "z"]})).tolist()
    ['x y', ' z']
    """
    columns = [X[c].fillna("").astype(str).tolist() for c in X.columns]
    return np.array([" ".join(parts) for parts in zip(*columns, strict=True)], dtype=object)


class _Words(TfidfVectorizer):
    """TF-IDF of words and word pairs; one column of zeros where no word stands in three texts."""

    def __init__(self) -> None:
        super().__init__(
            ngram_range=(1, 2),
            min_df=3,
            max_features=20_000,
            sublinear_tf=True,
            strip_accents="unicode",
        )

    def fit(self, raw_documents: Any, y: object = None) -> Self:
        """Count words."""
        self.fit_transform(raw_documents)
        return self

    def fit_transform(self, raw_documents: Any, y: object = None) -> Any:
        """Count words, and weigh them."""
        texts = list(raw_documents)
        self.wordless_ = False
        try:
            return super().fit_transform(texts)
        except ValueError:
            # scikit-learn's way to say that no word is left.
            self.wordless_ = True
            return self.transform(texts)

    def transform(self, raw_documents: Any) -> Any:
        """Weigh words."""
        if self.wordless_:
            return csr_matrix((len(list(raw_documents)), 1), dtype=np.float64)
        return super().transform(raw_documents)


def linear_table(*, text: bool = True) -> ColumnTransformer:
    """Encode a table for a linear model.

    Numbers are imputed with the median, flagged where missing and scaled; categories are
    one-hot encoded, a missing value being a category; free text becomes TF-IDF of words and
    word pairs.

    Parameters
    ----------
    text
        Whether free text is read at all.

    Examples
    --------
    >>> X = pd.DataFrame({"n": [1.0, 2.0, None] * 9, "kind": pd.Categorical(["a", "b", "a"] * 9)})
    >>> linear_table().fit_transform(X).shape
    (27, 4)
    """
    numbers = make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler())
    categories = OneHotEncoder(handle_unknown="ignore", min_frequency=5)
    words = make_pipeline(FunctionTransformer(join_text, validate=False), _Words())
    return ColumnTransformer(
        [
            ("numbers", numbers, numeric_columns),
            ("categories", categories, category_columns),
            ("text", words if text else "drop", text_columns),
        ]
    )


class TextScore(TransformerMixin, BaseEstimator):
    """Turn free text into one number: the log-odds a linear model reads in its words.

    Boosted trees find little in thousands of word counts, and much in one good score. On
    training rows the score must be out of fold, or it would repeat the labels: use
    `fit_out_of_fold` there and `transform` elsewhere.

    Parameters
    ----------
    C
        Inverse strength of the L2 penalty.

    Attributes
    ----------
    columns_ : list
        The text columns.
    vectorizer_ : TfidfVectorizer
        Of words and word pairs.
    model_ : LogisticRegression

    Examples
    --------
    >>> X = pd.DataFrame({"note": ["ready to buy", "just looking"] * 8})
    >>> bool(TextScore().fit(X, [1, 0] * 8).transform(X)[0, 0] > 0)
    True
    """

    def __init__(self, *, C: float = 1.0) -> None:
        self.C = C

    def fit(self, X: pd.DataFrame, y: ArrayLike) -> Self:
        """Learn which words speak for the second class.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_features)
            Its text columns are read.
        y : array-like of shape (n_samples,)
            0 or 1.
        """
        self.fit_out_of_fold(X, y, [])
        return self

    def fit_out_of_fold(
        self,
        X: pd.DataFrame,
        y: ArrayLike,
        folds: Sequence[tuple[NDArray[np.int64], NDArray[np.int64]]],
    ) -> NDArray[np.float64]:
        """Fit, and score each row by a model that has not seen its label.

        Words are counted once, over all rows; what they speak for is learned fold by fold.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
            0 or 1.
        folds
            Positions of training and test rows.

        Returns
        -------
        ndarray of shape (n_samples, 1)
            NaN for rows in no test fold.
        """
        labels = np.asarray(y)
        self.columns_ = text_columns(X)
        self.vectorizer_ = _Words()
        terms = self.vectorizer_.fit_transform(join_text(X[self.columns_]))
        scores = np.full((len(labels), 1), np.nan)
        for train, test in folds:
            model = LogisticRegression(C=self.C, max_iter=2000).fit(terms[train], labels[train])
            scores[test, 0] = model.decision_function(terms[test])
        self.model_ = LogisticRegression(C=self.C, max_iter=2000).fit(terms, labels)
        return scores

    def transform(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """Score texts, shape (n_samples, 1)."""
        terms = self.vectorizer_.transform(join_text(X[self.columns_]))
        return np.asarray(self.model_.decision_function(terms), dtype=np.float64)[:, None]


class TreeTable(TransformerMixin, BaseEstimator):
    """Encode the numbers and categories of a table for boosted trees; free text is left out.

    The result is a plain array of numbers and category codes: a single row is encoded in a
    fraction of a millisecond, where a DataFrame would take several.

    Attributes
    ----------
    categories_ : dict
        The levels of each categorical column seen in `fit`; others become missing.
    categorical_positions_ : list of int
        Columns of the result that hold category codes.

    Examples
    --------
    >>> X = pd.DataFrame({"n": [1, 2], "kind": pd.Categorical(["a", None])})
    >>> TreeTable().fit_transform(X).tolist()
    [[1.0, 0.0], [2.0, nan]]
    """

    def fit(self, X: pd.DataFrame, y: object = None) -> Self:
        """Learn the levels.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_features)
        y
            Ignored.
        """
        self.numeric_ = numeric_columns(X)
        self.categories_ = {c: X[c].cat.categories for c in category_columns(X)}
        first = len(self.numeric_)
        self.categorical_positions_ = list(range(first, first + len(self.categories_)))
        return self

    def transform(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """Encode rows.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_features_out)
            Missing values, and categories not seen in `fit`, are NaN.
        """
        columns = [X[c].to_numpy(dtype=np.float64, na_value=np.nan) for c in self.numeric_]
        for column, levels in self.categories_.items():
            codes = _codes(X[column], levels).astype(np.float64)
            codes[codes < 0] = np.nan
            columns.append(codes)
        return np.column_stack(columns) if columns else np.empty((len(X), 0))


def _codes(column: "pd.Series[Any]", levels: pd.Index) -> NDArray[Any]:
    if isinstance(column.dtype, pd.CategoricalDtype) and column.cat.categories.equals(levels):
        return np.asarray(column.cat.codes)
    return np.asarray(levels.get_indexer(column.astype(object)))
