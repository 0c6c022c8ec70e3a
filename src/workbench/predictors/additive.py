"""A generalised additive model: one curve a number, one height a category, and their sum."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.utils.validation import check_is_fitted

from workbench.data import safe_folds
from workbench.predictors.binary import BinaryClassifier
from workbench.predictors.calibrators import as_proba
from workbench.predictors.checking import checked_frame, checked_labels
from workbench.predictors.table import EncodedTable

__all__ = ["AdditiveClassifier", "Curve"]

Vector = NDArray[np.float64]

# A level seen less often has no height of its own.
_FEW = 5


@dataclass(frozen=True, eq=False)
class Curve:
    """What one column adds to the log-odds; 0 on average over the training rows.

    Parameters
    ----------
    knots : ndarray of shape (n_knots,)
        Ascending values of a number, or the codes of a category.
    heights : ndarray of shape (n_knots,)
        Log-odds at the knots; straight lines between them, constant beyond.
    missing
        Log-odds where the value is missing.
    category
        Whether the knots are codes: then there is nothing between them.

    Examples
    --------
    >>> curve = Curve(np.array([0.0, 2.0]), np.array([-1.0, 1.0]), 0.0, category=False)
    >>> curve(np.array([1.0, 9.0, np.nan])).tolist()
    [0.0, 1.0, 0.0]
    """

    knots: Vector
    heights: Vector
    missing: float
    category: bool

    def __call__(self, values: Vector) -> Vector:
        """Log-odds of each value, shape (n_samples,)."""
        absent = np.isnan(values)
        if self.category:
            found = self.heights[np.where(absent, 0, values).astype(np.intp)]
        else:
            found = np.interp(np.where(absent, self.knots[0], values), self.knots, self.heights)
        return np.where(absent, self.missing, found)

    def shifted(self, by: float) -> "Curve":
        """The same curve, `by` higher."""
        return Curve(self.knots, self.heights + by, self.missing + by, self.category)


@dataclass(frozen=True, eq=False)
class _Basis:
    """Columns of the design that make up one curve: ramps between knots, or levels."""

    knots: Vector
    category: bool
    has_missing: bool

    @classmethod
    def of(cls, values: Vector, n_knots: int, n_levels: int | None) -> "_Basis":
        known = values[~np.isnan(values)]
        has_missing = len(known) < len(values)
        if n_levels is not None:
            return cls(np.arange(n_levels, dtype=np.float64), True, has_missing)
        if not len(known):
            return cls(np.zeros(1), False, has_missing)
        # Quantiles of the distinct-most values: half the visits may be zero.
        knots = np.unique(np.quantile(known, np.linspace(0, 1, n_knots)))
        if len(knots) <= n_knots // 2:
            knots = np.unique(
                np.concatenate([knots, np.quantile(np.unique(known), np.linspace(0, 1, n_knots))])
            )
        return cls(knots, False, has_missing)

    def design(self, values: Vector) -> Vector:
        absent = np.isnan(values)
        if self.category:
            hits = values[:, None] == self.knots[None, :]
            columns = np.where(hits.sum(axis=0) >= _FEW, hits, False).astype(np.float64)
        else:
            filled = np.where(absent, np.median(self.knots), values)
            widths = np.diff(self.knots)
            columns = np.clip((filled[:, None] - self.knots[:-1]) / widths, 0.0, 1.0)
        flags = [absent.astype(np.float64)[:, None]] if self.has_missing else []
        return np.hstack([columns, *flags])

    def curve(self, coefficients: Vector) -> Curve:
        steps = coefficients[:-1] if self.has_missing else coefficients
        flag = float(coefficients[-1]) if self.has_missing else 0.0
        if self.category:
            return Curve(self.knots, steps, flag, category=True)
        heights = np.concatenate([[0.0], np.cumsum(steps)])
        # A value missing only where it never was in training counts as a middling one.
        middle = float(np.interp(np.median(self.knots), self.knots, heights))
        return Curve(self.knots, heights, middle + flag, category=False)


class AdditiveClassifier(BinaryClassifier):
    """Logistic regression on curves: a generalised additive model (Hastie & Tibshirani 1986).

    Each number enters as a piecewise linear curve between knots at its quantiles, whose steps
    carry an L2 penalty; each category as one height a level; a missing value as a height of
    its own; free text as one out-of-fold score. The penalty's strength is chosen by log loss on
    folds that respect groups and time. What each column adds is exact and can be drawn, and a
    single row is scored in microseconds.

    Parameters
    ----------
    n_knots
        Knots of a number's curve, at most.
    Cs
        Inverse strengths of the penalty to choose from.
    n_splits
        Folds.
    text
        Whether free text is read.
    random_state
        Seed of the folds.

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
    C_ : float
        The chosen strength.
    curves_ : list of Curve
        One a column of `encoded_.names_`.
    intercept_ : float
        Log-odds of an average row.
    encoded_ : EncodedTable

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = pd.DataFrame({"age": rng.uniform(20, 80, 900)})
    >>> y = (rng.random(900) < np.where(abs(X["age"] - 50) < 15, 0.8, 0.1)).astype(int)
    >>> model = AdditiveClassifier().fit(X, y)
    >>> model.predict(pd.DataFrame({"age": [25, 50, 75]})).tolist()
    [0, 1, 0]
    """

    _allow_nan = True

    def __init__(
        self,
        *,
        n_knots: int = 12,
        Cs: Sequence[float] = (0.1, 0.3, 1.0),
        n_splits: int = 5,
        text: bool = True,
        random_state: int = 0,
    ) -> None:
        self.n_knots = n_knots
        self.Cs = Cs
        self.n_splits = n_splits
        self.text = text
        self.random_state = random_state

    def fit(
        self,
        X: pd.DataFrame,
        y: ArrayLike,
        groups: NDArray[Any] | None = None,
        as_of: NDArray[Any] | None = None,
    ) -> Self:
        """Fit the curves.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
            Two classes.
        groups, as_of : ndarray of shape (n_samples,), optional
            What belongs together, and when; the folds respect both.

        Raises
        ------
        PredictorError
            When `y` does not have two classes.
        DataError
            When the folds cannot hold both classes.
        """
        frame = checked_frame(self, X, reset=True)
        self.classes_, labels = checked_labels(y, frame)
        folds = safe_folds(
            labels,
            groups=groups,
            as_of=as_of,
            n_splits=self.n_splits,
            random_state=self.random_state,
        )
        self.encoded_ = EncodedTable()
        matrix = self.encoded_.fit_out_of_fold(frame, labels, folds, text=self.text)
        levels = [len(c) for c in self.encoded_.table_.categories_.values()]
        n_numbers = len(self.encoded_.table_.numeric_)
        counts = [None] * n_numbers + levels + [None] * (self.encoded_.text_ is not None)
        bases = [
            _Basis.of(column, self.n_knots, count)
            for column, count in zip(matrix.T, counts, strict=True)
        ]
        parts = [basis.design(column) for basis, column in zip(bases, matrix.T, strict=True)]
        design = np.hstack([*parts, np.zeros((len(labels), 1))])
        self.C_ = self._chosen_strength(design, labels, folds)
        model = _logistic(self.C_).fit(design, labels)
        self.intercept_ = float(model.intercept_[0])
        self.curves_ = []
        ends = np.cumsum([part.shape[1] for part in parts])
        for basis, column, end, part in zip(bases, matrix.T, ends, parts, strict=True):
            curve = basis.curve(model.coef_[0, end - part.shape[1] : end])
            mean = float(curve(column).mean())
            self.curves_.append(curve.shifted(-mean))
            self.intercept_ += mean
        return self

    def _chosen_strength(
        self, design: Vector, labels: NDArray[np.int64], folds: Sequence[tuple[Any, Any]]
    ) -> float:
        if len(self.Cs) == 1:
            return float(self.Cs[0])
        losses = []
        for C in self.Cs:
            parts = [
                log_loss(
                    labels[test],
                    _logistic(C).fit(design[train], labels[train]).predict_proba(design[test]),
                    labels=[0, 1],
                )
                for train, test in folds
            ]
            losses.append(float(np.mean(parts)))
        return float(self.Cs[int(np.argmin(losses))])

    def contributions(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """What each encoded column adds to the log-odds, shape (n_samples, n_columns + 1).

        The last column is what an average row starts from.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_features)
        """
        check_is_fitted(self)
        matrix = self.encoded_.transform(checked_frame(self, X, reset=False))
        start = np.full(len(matrix), self.intercept_)
        return np.column_stack([*self._added(matrix), start])

    def decision_function(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """Log-odds of the second class, shape (n_samples,)."""
        check_is_fitted(self)
        return self.score_encoded(self.encoded_.transform(checked_frame(self, X, reset=False)))

    def score_encoded(self, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        """Log-odds, shape (n_samples,), of rows that are encoded already.

        Parameters
        ----------
        matrix : ndarray of shape (n_samples, n_columns)
            Rows as `encoded_` makes them.
        """
        total = np.full(len(matrix), self.intercept_)
        # One column after the other, so that a row alone adds up as it does in a batch.
        for added in self._added(matrix):
            total += added
        return total

    def _added(self, matrix: NDArray[np.float64]) -> list[NDArray[np.float64]]:
        return [curve(column) for curve, column in zip(self.curves_, matrix.T, strict=True)]

    def predict_proba(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """Probabilities, shape (n_samples, 2)."""
        return as_proba(self.decision_function(X))


def _logistic(C: float) -> LogisticRegression:
    return LogisticRegression(C=C, solver="newton-cholesky", max_iter=200)
