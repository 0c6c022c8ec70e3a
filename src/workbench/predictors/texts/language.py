"""Which language a text is in, and where it changes within a message."""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from workbench.features.languages import (
    LANGUAGES,
    MAX_CHARS,
    LanguageSpan,
    language_probabilities,
    language_spans,
)
from workbench.predictors.texts.represent import as_texts

__all__ = ["LanguageIdentifier", "LanguageSpan"]

Scores = NDArray[np.float64]


class LanguageIdentifier(ClassifierMixin, BaseEstimator):
    """Tell English, Spanish, French, Hindi, Portuguese and Chinese apart.

    The script tells Hindi and Chinese. For Latin letters the log probabilities of two published
    models are added: lingua's letters, which know short texts best, and py3langid's, which know
    long ones best; the second counts a tenth for each word of the text, up to ten. These weights
    were chosen on tweets cut into words, pairs of words and sentences. Hindi in Latin letters is
    not recognised. A text without letters gets every language alike.

    Needs the optional packages `languages`; nothing is learnt from training data.

    Attributes
    ----------
    classes_ : ndarray of str, shape (6,)
        "en", "es", "fr", "hi", "pt", "zh".

    References
    ----------
    Lui & Baldwin (2012), langid.py, ACL 2012 system demonstrations 25-30; Stahl, lingua.

    Examples
    --------
    >>> identifier = LanguageIdentifier().fit()
    >>> identifier.predict(["Where is the house?", "¿Dónde está la casa?", "房子在哪里？"]).tolist()
    ['en', 'es', 'zh']
    >>> [s.language for s in identifier.spans("Hello, I am interested. मुझे घर देखना है")]
    ['en', 'hi']
    """

    def fit(self, X: Any = None, y: Any = None) -> Self:
        """Set the classes; nothing is learnt.

        Parameters
        ----------
        X, y
            Ignored.
        """
        self.classes_ = np.array(LANGUAGES)
        return self

    def predict_proba(self, X: Any) -> Scores:
        """Probabilities of `classes_`, shape (n_samples, 6).

        Parameters
        ----------
        X : sequence of str

        Raises
        ------
        PredictorError
            When `X` is no sequence of texts.
        FeatureError
            When the optional packages are missing.
        """
        check_is_fitted(self)
        texts = as_texts(X, max_chars=MAX_CHARS)
        if not texts:
            return np.zeros((0, len(LANGUAGES)))
        return np.vstack([language_probabilities(text) for text in texts])

    def predict(self, X: Any) -> NDArray[Any]:
        """Most probable languages, shape (n_samples,).

        Parameters
        ----------
        X : sequence of str
        """
        return np.asarray(self.classes_[self.predict_proba(X).argmax(axis=1)])

    def spans(self, text: str) -> list[LanguageSpan]:
        """Cut a message where its language changes.

        Scripts tell Hindi and Chinese; a run of words in Latin letters is cut where the words'
        own probabilities outweigh the cost of changing (Viterbi).

        Parameters
        ----------
        text
            A message; its first 2,000 characters are read.

        Returns
        -------
        list of LanguageSpan
            In order, from the first letter of a run to its last; none without letters.

        Raises
        ------
        PredictorError
            When it is no text.
        FeatureError
            When the optional packages are missing.
        """
        check_is_fitted(self)
        (read,) = as_texts([text])
        return language_spans(read)
