"""Ordered levels, by asking of each level whether the answer lies above it."""

from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils.validation import check_is_fitted

from workbench.errors import PredictorError
from workbench.predictors.checking import checked_frame
from workbench.predictors.fitting import fit_in_context, positive_probability

__all__ = ["OrdinalClassifier"]


class OrdinalClassifier(ClassifierMixin, BaseEstimator):
    """One two-class model a threshold: is the level above it? (Frank and Hall 2001).

    The thresholds' probabilities are made to fall from level to level, so that every level's own
    probability is 0 or more.

    Parameters
    ----------
    estimator
        A two-class classifier with `predict_proba`; cloned for each threshold.
    levels : sequence of str, optional
        The levels from lowest to highest; by default those of `y`: in their order where it is
        an ordered categorical, else sorted.

    Attributes
    ----------
    classes_ : ndarray of shape (n_levels,)
        The levels, lowest first.
    estimators_ : list of estimators
        One a threshold.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> X = pd.DataFrame({"n": [0.0, 1.0, 2.0, 3.0] * 20})
    >>> y = ["low", "low", "medium", "high"] * 20
    >>> model = OrdinalClassifier(LogisticRegression(), levels=["low", "medium", "high"]).fit(X, y)
    >>> model.predict(pd.DataFrame({"n": [0.0, 3.0]})).tolist()
    ['low', 'high']
    """

    def __init__(self, estimator: Any, *, levels: list[str] | None = None) -> None:
        self.estimator = estimator
        self.levels = levels

    def fit(
        self,
        X: pd.DataFrame,
        y: ArrayLike,
        groups: NDArray[Any] | None = None,
        as_of: NDArray[Any] | None = None,
    ) -> Self:
        """Fit a model a threshold.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
            Levels.
        groups, as_of : ndarray of shape (n_samples,), optional
            What belongs together, and when; handed to models that take them.

        Raises
        ------
        PredictorError
            When `y` holds a value that is no level, or a level never occurs.
        """
        frame = checked_frame(self, X, reset=True)
        given = np.asarray(y)
        ordered = pd.Series(y).dtype
        if self.levels is not None:
            self.classes_ = np.asarray(self.levels)
        elif isinstance(ordered, pd.CategoricalDtype) and ordered.ordered:
            self.classes_ = np.asarray(ordered.categories)
        else:
            self.classes_ = np.unique(given)
        code = {level: k for k, level in enumerate(self.classes_.tolist())}
        strange = [v for v in dict.fromkeys(given.tolist()) if v not in code]
        absent = [level for level in code if level not in set(given.tolist())]
        if strange or absent or len(code) < 2:
            raise PredictorError(
                f"y holds {strange!r} and lacks {absent!r}",
                expected=f"each of the levels {list(code)}, two or more, and no other value",
                fix="correct the levels or the labels",
            )
        codes = np.array([code[v] for v in given.tolist()])
        self.estimators_ = [
            fit_in_context(
                clone(self.estimator),
                frame,
                (codes > threshold).astype(np.int8),
                groups=groups,
                as_of=as_of,
            )
            for threshold in range(len(code) - 1)
        ]
        return self

    def predict_proba(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """Probability of each level, shape (n_samples, n_levels)."""
        check_is_fitted(self)
        frame = checked_frame(self, X, reset=False)
        above = np.column_stack([positive_probability(m, frame) for m in self.estimators_])
        above = np.minimum.accumulate(above, axis=1)
        edges = np.column_stack([np.ones(len(above)), above, np.zeros(len(above))])
        return np.asarray(edges[:, :-1] - edges[:, 1:])

    def predict(self, X: pd.DataFrame) -> NDArray[Any]:
        """Level at which half of the probability is reached, shape (n_samples,)."""
        below = np.cumsum(self.predict_proba(X), axis=1)[:, :-1] < 0.5
        return np.asarray(self.classes_[below.sum(axis=1)])
