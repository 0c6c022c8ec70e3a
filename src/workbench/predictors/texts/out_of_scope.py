"""None of the labels: how unlike anything seen in training a text is."""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils.validation import check_is_fitted

from workbench.errors import PredictorError
from workbench.predictors.texts.classifier import TextClassifier
from workbench.predictors.texts.folding import fold_numbers
from workbench.predictors.texts.represent import TextParts, as_texts

__all__ = ["OutOfScope"]

_NEIGHBOURS = 5
_SHRINKAGE = 0.3
_TINY = 1e-12

Scores = NDArray[np.float64]


class _Shape:
    """Where the training texts of each label are in the space of sentence vectors."""

    def __init__(self, vectors: Scores, codes: NDArray[np.int64]) -> None:
        self.vectors = vectors.astype(np.float32)
        self.means = np.stack([vectors[codes == code].mean(axis=0) for code in np.unique(codes)])
        spread = vectors - self.means[codes]
        covariance = spread.T @ spread / len(vectors)
        d = vectors.shape[1]
        covariance += (_SHRINKAGE * np.trace(covariance) / d + _TINY) * np.eye(d)
        self.half = np.linalg.cholesky(np.linalg.inv(covariance))
        self.moved = self.means @ self.half

    def nearness(self, vectors: Scores) -> Scores:
        """Mahalanobis distance to the nearest mean, negated; mean cosine to the neighbours."""
        moved = vectors @ self.half
        squares = (moved**2).sum(axis=1)[:, None] + (self.moved**2).sum(axis=1)
        distance = (squares - 2 * moved @ self.moved.T).min(axis=1)
        k = min(_NEIGHBOURS, len(self.vectors))
        cosine = np.empty(len(vectors))
        for start in range(0, len(vectors), 256):
            like = vectors[start : start + 256].astype(np.float32) @ self.vectors.T
            cosine[start : start + 256] = np.partition(like, -k, axis=1)[:, -k:].mean(axis=1)
        return np.column_stack([-np.sqrt(np.maximum(distance, 0)), cosine])


class OutOfScope(ClassifierMixin, BaseEstimator):
    """Classify texts, or say that none of the labels fits.

    Three signs that a text is of no label seen in training are added up, each standardised on
    texts its model has not seen: the entropy of the classifier's probabilities, the Mahalanobis
    distance to the nearest label's mean, and how unlike the nearest training texts are. Texts above
    a threshold get the label `catch_all`. The threshold rejects a chosen share of texts in scope.
    Training texts of `catch_all` are left out: what is out of scope is anything, and the few
    examples of it are not.

    Parameters
    ----------
    classifier
        A `TextClassifier`; one with its defaults when None.
    catch_all
        The label of what is out of scope.
    rejected
        Share of texts in scope to reject.
    n_splits
        Folds for standardising and threshold.
    random_state
        Seed of the folds.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Sorted, `catch_all` among them.
    threshold_ : float
        Scores above it are out of scope.
    classifier_ : TextClassifier
        Fitted on what is in scope.

    References
    ----------
    Lee et al. (2018), arXiv 1807.03888, for the distance; Sun et al. (2022), arXiv 2204.06507, for
    the neighbours.

    Examples
    --------
    >>> texts = ["buy a house", "want to buy", "sell my flat", "we must sell"] * 5
    >>> model = OutOfScope(TextClassifier(n_splits=2), catch_all="other", n_splits=2)
    >>> model = model.fit(texts, ["buy", "buy", "sell", "sell"] * 5)
    >>> model.predict(["buy a house", "The cat sat on the mat."]).tolist()
    ['buy', 'other']
    """

    def __init__(
        self,
        classifier: TextClassifier | None = None,
        *,
        catch_all: str = "other",
        rejected: float = 0.05,
        n_splits: int = 3,
        random_state: int = 0,
    ) -> None:
        self.classifier = classifier
        self.catch_all = catch_all
        self.rejected = rejected
        self.n_splits = n_splits
        self.random_state = random_state

    def fit(self, X: Any, y: Any, groups: Any = None) -> Self:
        """Fit the classifier, the shape of what is in scope, and the threshold.

        Parameters
        ----------
        X : sequence of str
        y : sequence of shape (n_samples,)
            Labels.
        groups : sequence of shape (n_samples,), optional
            Which texts belong together.

        Raises
        ------
        PredictorError
            When `rejected` is no share, or fewer than two labels are in scope.
        """
        if not 0 < self.rejected < 1:
            raise PredictorError(f"rejected is {self.rejected}", expected="between 0 and 1")
        labels = np.asarray(y)
        inside = np.flatnonzero(labels != self.catch_all)
        every = as_texts(X)
        texts = [every[i] for i in inside]
        kept = labels[inside]
        if len(np.unique(kept)) < 2:
            raise PredictorError(
                f"the labels in scope are {np.unique(kept).tolist()}",
                expected="two or more",
                fix="add texts of other labels",
            )
        given = None if groups is None else np.asarray(groups)[inside]
        self.classifier_: TextClassifier = clone(self.classifier or TextClassifier())
        self.classifier_.fit(texts, kept, given)
        self.classes_ = np.unique([*self.classifier_.classes_, self.catch_all])
        parts = self.classifier_.representation_.transform(texts)
        codes = np.searchsorted(self.classifier_.classes_, kept)
        folds = fold_numbers(codes, given, self.n_splits, self.random_state)
        signs = self._signs_out_of_fold(parts, codes, folds)
        self.center_, self.scale_ = signs.mean(axis=0), signs.std(axis=0) + _TINY
        self.shape_ = _Shape(parts.vectors, codes)
        strange = -((signs - self.center_) / self.scale_).sum(axis=1)
        self.threshold_ = float(np.quantile(strange, 1 - self.rejected))
        return self

    def _signs_out_of_fold(
        self, parts: TextParts, codes: NDArray[np.int64], folds: NDArray[np.int64]
    ) -> Scores:
        signs = np.zeros((len(codes), 3))
        for fold in np.unique(folds):
            fit, ask = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
            seen, again = np.unique(codes[fit], return_inverse=True)
            if len(seen) < 2:
                fit, again = np.arange(len(codes)), codes
            shape = _Shape(parts.vectors[fit], again)
            scores = self.classifier_.score_refitted(parts.take(fit), codes[fit], parts.take(ask))
            signs[ask] = np.column_stack([_certainty(scores), shape.nearness(parts.vectors[ask])])
        return signs

    def score_samples(self, X: Any) -> Scores:
        """How strange each text is, shape (n_samples,): higher is further out of scope.

        Parameters
        ----------
        X : sequence of str
        """
        check_is_fitted(self)
        return self._strange(self.classifier_.representation_.transform(X))[0]

    def _strange(self, parts: TextParts) -> tuple[Scores, Scores]:
        scores = self.classifier_.score_parts(parts)
        if not len(scores):
            return np.zeros(0), scores
        signs = np.column_stack([_certainty(scores), self.shape_.nearness(parts.vectors)])
        return -((signs - self.center_) / self.scale_).sum(axis=1), scores

    def predict_proba(self, X: Any) -> Scores:
        """Probabilities of `classes_`: that of `catch_all` rises with strangeness.

        It is one half at the threshold; the others share the rest as the classifier says.

        Parameters
        ----------
        X : sequence of str
        """
        check_is_fitted(self)
        strange, scores = self._strange(self.classifier_.representation_.transform(X))
        outside = 1 / (1 + np.exp(-np.clip(strange - self.threshold_, -50, 50)))
        proba = np.zeros((len(strange), len(self.classes_)))
        proba[:, np.searchsorted(self.classes_, self.classifier_.classes_)] = (
            softmax(scores, axis=1) * (1 - outside)[:, None]
        )
        proba[:, np.searchsorted(self.classes_, self.catch_all)] = outside
        return proba

    def predict(self, X: Any) -> NDArray[Any]:
        """Labels, `catch_all` above the threshold, shape (n_samples,).

        Parameters
        ----------
        X : sequence of str
        """
        check_is_fitted(self)
        strange, scores = self._strange(self.classifier_.representation_.transform(X))
        labels = self.classifier_.classes_[scores.argmax(axis=1)].astype(self.classes_.dtype)
        return np.where(strange > self.threshold_, self.catch_all, labels)


def _certainty(scores: Scores) -> Scores:
    """Entropy of the probabilities, negated."""
    proba = softmax(scores, axis=1)
    return np.asarray((proba * np.log(proba + _TINY)).sum(axis=1))
