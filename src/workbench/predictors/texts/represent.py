"""Texts as numbers: weighted terms and sentence vectors, each computed once a fit."""

from collections.abc import Iterable
from typing import Any, NamedTuple, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import FeatureUnion
from sklearn.utils.validation import check_is_fitted

from workbench.embeddings import Encoder
from workbench.errors import PredictorError
from workbench.features import SentenceFeatures

__all__ = ["TextParts", "TextRepresentation", "TextVectors", "as_texts", "text_terms"]

_MANY = 1_000
_WORD = r"(?u)\b\w+\b"  # words of one letter count: "I", "3"


class TextParts(NamedTuple):
    """Terms and vectors of the same texts."""

    terms: sparse.csr_matrix
    vectors: NDArray[np.float64]

    def take(self, rows: NDArray[Any]) -> "TextParts":
        """Some of the texts."""
        return TextParts(self.terms[rows], self.vectors[rows])


def as_texts(X: Any, *, max_chars: int | None = None) -> list[str]:
    """Check a sequence of texts.

    Parameters
    ----------
    X
        A list, Series or one-dimensional array of str; None counts as an empty text.
    max_chars
        Characters kept of each, its last ones.

    Raises
    ------
    PredictorError
        When it is something else; names the first element that is no text.

    Examples
    --------
    >>> as_texts(["buy a house", None], max_chars=5)
    ['house', '']
    """
    if isinstance(X, str) or getattr(X, "ndim", 1) != 1 or not isinstance(X, Iterable):
        what = f"an array of shape {X.shape}" if hasattr(X, "shape") else type(X).__name__
        raise PredictorError(
            f"found {what}",
            expected="a one-dimensional sequence of texts",
            fix="pass a list or one column",
        )
    texts: list[str] = []
    for position, text in enumerate(X):
        if text is None or text is pd.NA or (isinstance(text, float) and np.isnan(text)):
            text = ""
        if not isinstance(text, str):
            raise PredictorError(
                f"found {type(text).__name__} {str(text)[:40]!r}",
                where=f"text {position}",
                expected="str",
                fix="convert it to text",
            )
        kept = text if max_chars is None else text[-max_chars:]
        # Half a surrogate pair is no character; a question mark in its place keeps the length.
        texts.append(kept.encode(errors="replace").decode())
    return texts


def text_terms(*, min_df: int = 1) -> FeatureUnion:
    """Make a TF-IDF of words and pairs of words, and of 2 to 5 letters within words.

    Parameters
    ----------
    min_df
        In how many texts letters must occur.

    Examples
    --------
    >>> text_terms().fit_transform(["buy a house", "sell it"]).shape[0]
    2
    """
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=_WORD)
    letters = TfidfVectorizer(
        analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True, min_df=min_df
    )
    return FeatureUnion([("words", words), ("letters", letters)])


class TextVectors(TransformerMixin, BaseEstimator):
    """Sentence vectors of texts, zeros for empty ones; nothing is learnt.

    A text longer than the encoder's window is cut into pieces, see `SentenceFeatures`.

    Parameters
    ----------
    encoder
        What embeds; the one shared by the process when None, which remembers 20,000 texts.
    max_chars
        Characters read of a text, its last ones.

    Examples
    --------
    >>> TextVectors().fit().transform(["buy a house", ""]).shape
    (2, 384)
    """

    def __init__(self, *, encoder: Encoder | None = None, max_chars: int = 8_000) -> None:
        self.encoder = encoder
        self.max_chars = max_chars

    def fit(self, X: Any = None, y: object = None) -> Self:
        """Do nothing.

        Parameters
        ----------
        X, y
            Ignored.
        """
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def transform(self, X: Any) -> NDArray[np.float64]:
        """Embed, shape (n_samples, dimension).

        Parameters
        ----------
        X : sequence of str

        Raises
        ------
        PredictorError
            When `X` is no sequence of texts.
        EmbeddingError
            When the optional packages `embeddings` are missing.
        """
        texts = as_texts(X, max_chars=self.max_chars)
        frame = pd.DataFrame({"text": pd.Series(texts, dtype="str")})
        features = SentenceFeatures(["text"], encoder=self.encoder, max_chars=self.max_chars)
        return features.fit(frame).transform(frame)[:, :-1]


class TextRepresentation(TransformerMixin, BaseEstimator):
    """Terms and sentence vectors of texts.

    Parameters
    ----------
    encoder
        What embeds; the one shared by the process when None.
    max_chars
        Characters read of a text, its last ones.

    Attributes
    ----------
    terms_ : FeatureUnion
        Fitted on the training texts; labels play no part in it.

    Examples
    --------
    >>> parts = TextRepresentation().fit_transform(["buy a house", "sell it", ""])
    >>> parts.terms.shape[0], parts.vectors.shape
    (3, (3, 384))
    """

    def __init__(self, *, encoder: Encoder | None = None, max_chars: int = 8_000) -> None:
        self.encoder = encoder
        self.max_chars = max_chars

    def fit(self, X: Any, y: object = None) -> Self:
        """Learn the terms.

        Parameters
        ----------
        X : sequence of str
        y
            Ignored.

        Raises
        ------
        PredictorError
            When `X` holds no texts, or none of them a word.
        """
        texts = as_texts(X, max_chars=self.max_chars)
        terms = text_terms(min_df=2 if len(texts) >= _MANY else 1)
        try:
            self.terms_ = terms.fit(texts)
        except ValueError:
            raise PredictorError(
                "no text has a word", expected="words to learn from", fix="check the texts"
            ) from None
        return self

    def transform(self, X: Any) -> TextParts:
        """Represent texts.

        Parameters
        ----------
        X : sequence of str

        Raises
        ------
        PredictorError
            When `X` is no sequence of texts.
        """
        check_is_fitted(self)
        texts = as_texts(X, max_chars=self.max_chars)
        # scikit-learn's terms of no texts are an error.
        found = self.terms_.transform(texts) if texts else np.zeros((0, 1))
        terms = sparse.csr_matrix(found, dtype=np.float32)
        return TextParts(
            terms, TextVectors(encoder=self.encoder, max_chars=self.max_chars).transform(texts)
        )
