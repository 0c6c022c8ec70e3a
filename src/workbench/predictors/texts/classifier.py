"""One of several labels of a text: terms and meaning pooled, weights chosen out of fold."""

import warnings
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC
from sklearn.utils.validation import check_is_fitted

from workbench.embeddings import Encoder
from workbench.errors import PredictorError
from workbench.predictors.texts.folding import class_scores, fold_numbers, out_of_fold
from workbench.predictors.texts.represent import TextParts, TextRepresentation, as_texts

__all__ = ["TextClassifier"]

_MOST_FITTED = 5_000  # examples are plenty for two weights

Scores = NDArray[np.float64]


class TextClassifier(ClassifierMixin, BaseEstimator):
    """Classify texts by their terms and by their meaning.

    One linear model reads TF-IDF of words and letters, another sentence vectors; the logarithm of
    their pooled probability is a weighted sum of their scores. Strengths of the penalties and the
    two weights minimise the log loss of out-of-fold scores of the training texts, so the
    probabilities are calibrated.

    Parameters
    ----------
    encoder
        What embeds; the one shared by the process when None, which remembers 20,000 texts.
    terms_C, vectors_C
        Inverse penalties to choose from, for either model.
    n_splits
        Folds.
    max_chars
        Characters read of a text, its last ones.
    random_state
        Seed of the folds.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Sorted.
    weights_ : ndarray of shape (2,)
        Of the scores of terms and of vectors.
    C_ : tuple of float
        The chosen penalties of terms and vectors.

    References
    ----------
    Genest & Zidek (1986), Statistical Science 1:114-135, for the pool; Crammer & Singer's problem
    is not needed: one-versus-rest suffices, Rifkin & Klautau (2004), JMLR 5:101-141.

    Examples
    --------
    >>> texts = ["buy a house", "want to buy", "sell my flat", "we must sell"] * 3
    >>> model = TextClassifier(n_splits=2).fit(texts, ["buy", "buy", "sell", "sell"] * 3)
    >>> model.predict(["I would like to buy", "selling"]).tolist()
    ['buy', 'sell']
    """

    def __init__(
        self,
        *,
        encoder: Encoder | None = None,
        terms_C: Sequence[float] = (0.1, 0.5),
        vectors_C: Sequence[float] = (3.0, 30.0),
        n_splits: int = 3,
        max_chars: int = 8_000,
        random_state: int = 0,
    ) -> None:
        self.encoder = encoder
        self.terms_C = terms_C
        self.vectors_C = vectors_C
        self.n_splits = n_splits
        self.max_chars = max_chars
        self.random_state = random_state

    def fit(self, X: Any, y: Any, groups: Any = None) -> Self:
        """Fit both models, and their penalties and weights out of fold.

        Parameters
        ----------
        X : sequence of str
        y : sequence of shape (n_samples,)
            Labels.
        groups : sequence of shape (n_samples,), optional
            Which texts belong together: no fold parts them.

        Raises
        ------
        PredictorError
            When there are no texts, no words, or not a label a text.
        """
        texts = as_texts(X)
        labels = np.asarray(y)
        if not texts or labels.shape != (len(texts),):
            raise PredictorError(
                f"{len(texts)} texts and labels of shape {labels.shape}",
                expected="one label a text, and at least one",
                fix="pass sequences of one length",
            )
        self.classes_, codes = np.unique(labels, return_inverse=True)
        self.representation_ = TextRepresentation(
            encoder=self.encoder, max_chars=self.max_chars
        ).fit(texts)
        parts = self.representation_.transform(texts)
        folds = fold_numbers(codes, groups, self.n_splits, self.random_state)
        if len(self.classes_) == 1 or len(np.unique(folds)) < 2:
            self.C_ = (self.terms_C[0], self.vectors_C[0])
            self.weights_ = np.ones(2)
        else:
            self._choose(parts, codes, folds)
        self.models_ = self._fitted(parts, codes)
        return self

    def _choose(self, parts: TextParts, codes: NDArray[np.int64], folds: NDArray[np.int64]) -> None:
        scores, chosen = [], []
        for member, penalties in enumerate((self.terms_C, self.vectors_C)):
            best: tuple[float, float, Scores] | None = None
            for C in penalties:
                found = self._out_of_fold(parts, codes, folds, member, C)
                loss = _pooled([found], codes, self.random_state)[0]
                if best is None or loss < best[0]:
                    best = (loss, C, found)
            if best is None:
                raise PredictorError("no penalty to choose", expected="at least one C a model")
            chosen.append(best[1])
            scores.append(best[2])
        self.C_ = (chosen[0], chosen[1])
        self.weights_ = _pooled(scores, codes, self.random_state)[1]

    def _out_of_fold(
        self,
        parts: TextParts,
        codes: NDArray[np.int64],
        folds: NDArray[np.int64],
        member: int,
        C: float,
    ) -> Scores:
        def score(fit: NDArray[np.intp], ask: NDArray[np.intp]) -> Scores:
            if len(np.unique(codes[fit])) < 2:
                return np.zeros((len(ask), len(self.classes_)))
            model = self._fit_member(member, parts[member][fit], codes[fit], C)
            return class_scores(model, parts[member][ask], len(self.classes_))

        return out_of_fold(folds, len(self.classes_), score)

    def _fitted(self, parts: TextParts, codes: NDArray[np.int64]) -> list[Any]:
        if len(self.classes_) == 1:
            return []
        return [self._fit_member(m, parts[m], codes, C) for m, C in enumerate(self.C_)]

    def _fit_member(self, member: int, X: Any, codes: NDArray[np.int64], C: float) -> Any:
        model = (
            LinearSVC(C=C, random_state=self.random_state)
            if member == 0
            else LogisticRegression(C=C, max_iter=300)
        )
        with warnings.catch_warnings():
            # A few more iterations change no figure; the pool is fitted on what was reached.
            warnings.simplefilter("ignore", ConvergenceWarning)
            return model.fit(X, codes)

    def decision_function(self, X: Any) -> Scores:
        """Logarithm of the pooled probabilities up to a constant a row, (n_samples, n_classes).

        Parameters
        ----------
        X : sequence of str
        """
        check_is_fitted(self)
        return self.score_parts(self.representation_.transform(X))

    def score_parts(self, parts: TextParts) -> Scores:
        """Give `decision_function` of texts that are represented already.

        Parameters
        ----------
        parts
            By `representation_`.
        """
        return self._pool(self.models_, parts)

    def score_refitted(self, fit: TextParts, codes: NDArray[np.int64], ask: TextParts) -> Scores:
        """Score texts by models fitted anew on others, with the penalties and weights of this one.

        Parameters
        ----------
        fit, codes
            Texts to fit on, and the positions of their labels in `classes_`.
        ask
            Texts to score.
        """
        return self._pool(self._fitted(fit, codes), ask)

    def _pool(self, models: Sequence[Any], parts: TextParts) -> Scores:
        scores = np.zeros((parts.terms.shape[0], len(self.classes_)))
        if not len(scores):
            return scores
        for weight, model, part in zip(self.weights_, models, parts, strict=False):
            scores += weight * class_scores(model, part, len(self.classes_))
        return scores

    def predict_proba(self, X: Any) -> Scores:
        """Probabilities of `classes_`, shape (n_samples, n_classes).

        Parameters
        ----------
        X : sequence of str
        """
        return np.asarray(softmax(self.decision_function(X), axis=1), dtype=np.float64)

    def predict(self, X: Any) -> NDArray[Any]:
        """Most probable labels, shape (n_samples,).

        Parameters
        ----------
        X : sequence of str
        """
        best = self.decision_function(X).argmax(axis=1)
        return np.asarray(self.classes_[best])


def _pooled(
    scores: Sequence[Scores], codes: NDArray[np.int64], random_state: int
) -> tuple[float, NDArray[np.float64]]:
    """Least log loss of a weighted sum of scores, and the weights; none is negative."""
    rows = np.arange(len(codes))
    if len(rows) > _MOST_FITTED:
        rng = np.random.default_rng(random_state)
        rows = rng.choice(rows, _MOST_FITTED, replace=False)
    stacked = np.stack([s[rows] for s in scores])
    truth = codes[rows]
    at = np.arange(len(rows))

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        logs = log_softmax(np.tensordot(weights, stacked, axes=1), axis=1)
        # The gradient: what the pool expects of each member's score less what came true.
        expected = np.einsum("ij,kij->k", np.exp(logs), stacked)
        came = stacked[:, at, truth].sum(axis=1)
        return -float(logs[at, truth].mean()), (expected - came) / len(at)

    start = np.ones(len(scores)) / len(scores)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(0.0, 100.0)] * len(scores))
    return float(found.fun), np.asarray(found.x, dtype=np.float64)
