"""Any of several labels of a text, with a threshold a label chosen out of fold."""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.utils.validation import check_is_fitted

from workbench.embeddings import Encoder
from workbench.errors import PredictorError
from workbench.predictors.texts.folding import fold_numbers, out_of_fold
from workbench.predictors.texts.represent import TextParts, TextRepresentation, as_texts

__all__ = ["TextTagger"]

_STEPS = 200
_SURE = 12.0  # log-odds of a label that was always seen
_MOST_FITTED = 200_000  # pairs of text and label are plenty for three numbers

Scores = NDArray[np.float64]
Codes = NDArray[np.int64]


class _Lines(NamedTuple):
    """Logistic regressions of all labels on one representation."""

    weights: Scores
    intercepts: Scores


class TextTagger(BaseEstimator):
    """Give texts any number of labels by their terms and by their meaning.

    For each label, one logistic regression reads TF-IDF of words and letters and another sentence
    vectors; their log-odds are pooled with two weights and an intercept that minimise the log loss
    out of fold. Thresholds maximise F1 of the same out-of-fold probabilities: one a label for the
    mean of the labels' F1 ("macro"), or one for all together ("micro").

    Parameters
    ----------
    encoder
        What embeds; the one shared by the process when None, which remembers 20,000 texts.
    terms_C, vectors_C
        Inverse penalties of the two models.
    thresholds
        "macro" or "micro".
    n_splits
        Folds.
    max_chars
        Characters read of a text, its last ones.
    random_state
        Seed of the folds.

    Attributes
    ----------
    n_labels_ : int
    weights_ : ndarray of shape (3,)
        Of terms, of vectors, and the intercept.
    thresholds_ : ndarray of shape (n_labels,)

    References
    ----------
    Lipton, Elkan & Naryanaswamy (2014), arXiv 1402.1892, for thresholds that maximise F1.

    Examples
    --------
    >>> texts = ["a house with a pool", "a house by the sea", "a pool by the sea", "a house"] * 3
    >>> truth = np.array([[1, 0], [0, 1], [1, 1], [0, 0]] * 3)
    >>> model = TextTagger(n_splits=2).fit(texts, truth)
    >>> model.predict(["with pool and sea", "a house"]).tolist()
    [[1, 1], [0, 0]]
    """

    def __init__(
        self,
        *,
        encoder: Encoder | None = None,
        terms_C: float = 10.0,
        vectors_C: float = 30.0,
        thresholds: Literal["macro", "micro"] = "macro",
        n_splits: int = 5,
        max_chars: int = 8_000,
        random_state: int = 0,
    ) -> None:
        self.encoder = encoder
        self.terms_C = terms_C
        self.vectors_C = vectors_C
        self.thresholds = thresholds
        self.n_splits = n_splits
        self.max_chars = max_chars
        self.random_state = random_state

    def fit(self, X: Any, y: Any, groups: Any = None) -> Self:
        """Fit the models, and weights and thresholds out of fold.

        Parameters
        ----------
        X : sequence of str
        y : array of shape (n_samples, n_labels)
            0 or 1.
        groups : sequence of shape (n_samples,), optional
            Which texts belong together: no fold parts them.

        Raises
        ------
        PredictorError
            When there are no texts, no words, or not a row of 0 and 1 a text.
        """
        if self.thresholds not in ("macro", "micro"):
            raise PredictorError(
                f"thresholds is {self.thresholds!r}", expected="'macro' or 'micro'"
            )
        texts = as_texts(X)
        truth = np.asarray(y)
        if not texts or truth.ndim != 2 or len(truth) != len(texts) or not truth.shape[1]:
            raise PredictorError(
                f"{len(texts)} texts and labels of shape {truth.shape}",
                expected="a row of 0 and 1 a text, and at least one text and label",
                fix="pass one column a label",
            )
        if not np.isin(truth, (0, 1)).all():
            raise PredictorError("labels other than 0 and 1", expected="0 or 1")
        truth = truth.astype(np.int64)
        self.n_labels_ = truth.shape[1]
        self.representation_ = TextRepresentation(
            encoder=self.encoder, max_chars=self.max_chars
        ).fit(texts)
        parts = self.representation_.transform(texts)
        # Folds deal the rarest label of each text evenly: the common ones are anyway.
        rarest = np.where(truth.any(axis=1), _rarest(truth), -1)
        folds = fold_numbers(rarest, groups, self.n_splits, self.random_state)
        self.weights_ = np.array([0.5, 0.5, 0.0])
        self.thresholds_ = np.full(self.n_labels_, 0.5)
        if len(np.unique(folds)) > 1:
            self._choose(parts, truth, folds)
        self.models_ = self._fit_models(parts, truth)
        return self

    def _choose(self, parts: TextParts, truth: Codes, folds: Codes) -> None:
        def score(fit: NDArray[np.intp], ask: NDArray[np.intp]) -> Scores:
            models = self._fit_models(parts.take(fit), truth[fit])
            return np.hstack(_log_odds(models, parts.take(ask)))

        found = out_of_fold(folds, 2 * self.n_labels_, score)
        terms, vectors = found[:, : self.n_labels_], found[:, self.n_labels_ :]
        self.weights_ = _pooled(terms, vectors, truth, self.random_state)
        proba = expit(self._pool([terms, vectors]))
        if self.thresholds == "micro":
            self.thresholds_[:] = _best_threshold(proba.ravel(), truth.ravel())
        else:
            for label in range(self.n_labels_):
                if truth[:, label].any():
                    self.thresholds_[label] = _best_threshold(proba[:, label], truth[:, label])

    def _fit_models(self, parts: TextParts, truth: Codes) -> list[_Lines]:
        return [
            _fitted_terms(parts.terms, truth, self.terms_C, self.random_state),
            _fitted_vectors(parts.vectors, truth, self.vectors_C),
        ]

    def _pool(self, log_odds: Sequence[Scores]) -> Scores:
        terms, vectors = log_odds
        return np.asarray(self.weights_[0] * terms + self.weights_[1] * vectors + self.weights_[2])

    def predict_proba(self, X: Any) -> Scores:
        """Probability of each label, shape (n_samples, n_labels).

        Parameters
        ----------
        X : sequence of str
        """
        check_is_fitted(self)
        parts = self.representation_.transform(X)
        if not parts.terms.shape[0]:
            return np.zeros((0, self.n_labels_))
        return np.asarray(expit(self._pool(_log_odds(self.models_, parts))), dtype=np.float64)

    def predict(self, X: Any) -> Codes:
        """Labels whose probability reaches their threshold, 0 or 1, (n_samples, n_labels).

        Parameters
        ----------
        X : sequence of str
        """
        return (self.predict_proba(X) >= self.thresholds_).astype(np.int64)


def _rarest(truth: Codes) -> Codes:
    counts = np.where(truth > 0, truth.sum(axis=0), len(truth) + 1)
    return np.asarray(counts.argmin(axis=1))


def _fitted_terms(X: Any, truth: Codes, C: float, random_state: int) -> _Lines:
    """A logistic regression a label on sparse terms."""
    weights = np.zeros((X.shape[1], truth.shape[1]))
    intercepts = _base_odds(truth)
    for label in np.flatnonzero(np.abs(intercepts) < _SURE):
        # An intercept that is penalised like a weight must be cheap, or rare labels get too likely.
        model = LogisticRegression(
            C=C, solver="liblinear", intercept_scaling=10.0, random_state=random_state
        ).fit(X, truth[:, label])
        weights[:, label], intercepts[label] = model.coef_[0], model.intercept_[0]
    return _Lines(weights, intercepts)


def _fitted_vectors(X: Scores, truth: Codes, C: float) -> _Lines:
    """The same on dense vectors, for all labels at once: a step costs two products of matrices."""
    intercepts = _base_odds(truth)
    varying = np.abs(intercepts) < _SURE
    rows, target = X.astype(np.float32), truth[:, varying].astype(np.float32)
    shape = (X.shape[1] + 1, target.shape[1])

    def loss(flat: Scores) -> tuple[float, Scores]:
        w = flat.reshape(shape)
        odds = rows @ w[:-1].astype(np.float32) + w[-1].astype(np.float32)
        miss = expit(odds) - target
        value = C * (np.logaddexp(0, odds) - target * odds).sum(dtype=np.float64)
        gradient = np.vstack([C * (rows.T @ miss) + w[:-1], C * miss.sum(axis=0)[None]])
        return float(value + 0.5 * (w[:-1] ** 2).sum()), gradient.ravel().astype(np.float64)

    weights = np.zeros((X.shape[1], truth.shape[1]))
    if varying.any():
        start = np.zeros(shape)
        start[-1] = intercepts[varying]
        # Stopping early changes no figure: the pool is fitted on what was reached.
        found = minimize(
            loss, start.ravel(), jac=True, method="L-BFGS-B", options={"maxiter": _STEPS}
        ).x.reshape(shape)
        weights[:, varying], intercepts[varying] = found[:-1], found[-1]
    return _Lines(weights, intercepts)


def _base_odds(truth: Codes) -> Scores:
    """Log-odds of each label's share, bounded where a label never changes."""
    share = truth.mean(axis=0)
    with np.errstate(divide="ignore"):
        return np.asarray(np.clip(np.log(share) - np.log1p(-share), -_SURE, _SURE))


def _log_odds(models: Sequence[_Lines], parts: TextParts) -> list[Scores]:
    return [
        np.asarray(part @ lines.weights + lines.intercepts)
        for lines, part in zip(models, parts, strict=True)
    ]


def _pooled(terms: Scores, vectors: Scores, truth: Codes, random_state: int) -> Scores:
    """Weights of the members, none of them negative, and an intercept, of least log loss."""
    columns = np.column_stack([terms.ravel(), vectors.ravel()])
    target = truth.ravel()
    if len(target) > _MOST_FITTED:
        rng = np.random.default_rng(random_state)
        rows = rng.choice(len(target), _MOST_FITTED, replace=False)
        columns, target = columns[rows], target[rows]

    def loss(w: Scores) -> tuple[float, Scores]:
        odds = columns @ w[:2] + w[2]
        miss = expit(odds) - target
        gradient = np.append(miss @ columns, miss.sum()) / len(target)
        return float((np.logaddexp(0, odds) - target * odds).mean()), gradient

    bounds = [(0.0, 10.0), (0.0, 10.0), (-5.0, 5.0)]
    found = minimize(loss, np.array([0.5, 0.5, 0.0]), jac=True, method="L-BFGS-B", bounds=bounds)
    return np.asarray(found.x, dtype=np.float64)


def _best_threshold(proba: Scores, truth: Codes) -> float:
    """Midpoint between the probabilities where F1 is highest; the lowest given is kept."""
    order = np.argsort(-proba, kind="stable")
    right = np.cumsum(truth[order])
    f1 = 2 * right / (np.arange(1, len(order) + 1) + truth.sum())
    best = int(f1.argmax())
    following = proba[order[best + 1]] if best + 1 < len(order) else 0.0
    return float((proba[order[best]] + following) / 2)
