"""An ensemble whose combiner has only ever seen out-of-fold predictions."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import logit
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.linear_model import LogisticRegression
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from workbench.data import safe_folds
from workbench.errors import PredictorError
from workbench.predictors.answers import answering, combine_answers
from workbench.predictors.fitting import fit_in_context, positive_probability

__all__ = ["StackedClassifier"]

# Probabilities of exactly 0 or 1 carry no more weight than one in a thousand.
_CLIP = 1e-3


def _any_answers(self: "StackedClassifier") -> bool:
    return any(answering(member) for _, member in self.estimators)


class StackedClassifier(ClassifierMixin, BaseEstimator):
    """Combine classifiers by a logistic regression on their out-of-fold log-odds.

    Stacking (Wolpert 1992) on log-odds instead of probabilities keeps the combination
    calibrated. The folds respect groups and time; the members are then fitted on
    everything.

    Parameters
    ----------
    estimators : sequence of (str, estimator)
        The members; any classifier with `predict_proba`.
    C
        Inverse strength of the combiner's L2 penalty.
    n_splits
        Folds.
    random_state
        Seed of the folds.

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
    members_ : list of fitted estimators
    final_ : LogisticRegression
        One coefficient a member.
    n_out_of_fold_ : int
        Rows the combiner was fitted on.
    fit_answers_ : DataFrame
        What was asked of Claude to fit the combiner, one row a call; empty without.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> X, y = pd.DataFrame({"n": range(40)}), np.arange(40) % 4 // 2
    >>> members = [("tree", DecisionTreeClassifier()), ("prior", DummyClassifier())]
    >>> StackedClassifier(members).fit(X, y).predict_proba(X).shape
    (40, 2)
    """

    def __init__(
        self,
        estimators: Sequence[tuple[str, Any]],
        *,
        C: float = 1.0,
        n_splits: int = 5,
        random_state: int = 0,
    ) -> None:
        self.estimators = estimators
        self.C = C
        self.n_splits = n_splits
        self.random_state = random_state

    def fit(
        self,
        X: pd.DataFrame,
        y: ArrayLike,
        groups: NDArray[Any] | None = None,
        as_of: NDArray[Any] | None = None,
    ) -> Self:
        """Fit the members and their combiner.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
            0 or 1.
        groups, as_of : ndarray of shape (n_samples,), optional
            What belongs together, and when; the folds respect both.

        Raises
        ------
        PredictorError
            When there are no two members, or `y` is not 0 and 1.
        DataError
            When the folds cannot hold both classes.
        """
        names = [name for name, _ in self.estimators]
        if len(names) < 2 or len(set(names)) != len(names):
            raise PredictorError(
                f"a stack of {names}",
                expected="two or more members with distinct names",
                fix="name the members in `estimators`",
            )
        labels = np.asarray(y)
        self.classes_ = np.unique(labels)
        if self.classes_.tolist() != [0, 1]:
            raise PredictorError(
                f"y has the classes {self.classes_.tolist()}",
                expected="0 and 1",
                fix="encode the labels",
            )
        folds = safe_folds(
            labels,
            groups=groups,
            as_of=as_of,
            n_splits=self.n_splits,
            random_state=self.random_state,
        )
        margins = np.full((len(labels), len(names)), np.nan)
        asked = []
        for train, test in folds:
            for column, (_, member) in enumerate(self.estimators):
                fitted = fit_in_context(
                    clone(member),
                    X.iloc[train],
                    labels[train],
                    groups=None if groups is None else groups[train],
                    as_of=None if as_of is None else as_of[train],
                )
                if answering(fitted):
                    answers = fitted.answer(X.iloc[test])
                    asked.append(answers)
                    probability = answers["proba"].to_numpy()
                else:
                    probability = positive_probability(fitted, X.iloc[test])
                margins[test, column] = _log_odds(probability)
        known = ~np.isnan(margins).any(axis=1)
        self.n_out_of_fold_ = int(known.sum())
        self.fit_answers_ = pd.concat(asked) if asked else pd.DataFrame()
        self.final_ = LogisticRegression(C=self.C).fit(margins[known], labels[known])
        self.members_ = [
            fit_in_context(clone(member), X, labels, groups=groups, as_of=as_of)
            for _, member in self.estimators
        ]
        return self

    def _combine(self, probabilities: list[NDArray[np.float64]]) -> NDArray[np.float64]:
        margins = np.column_stack([_log_odds(p) for p in probabilities])
        return np.asarray(self.final_.predict_proba(margins), dtype=np.float64)

    def predict_proba(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """Probabilities, shape (n_samples, 2)."""
        check_is_fitted(self)
        return self._combine([positive_probability(member, X) for member in self.members_])

    def predict(self, X: pd.DataFrame) -> NDArray[Any]:
        """More probable class, shape (n_samples,)."""
        return np.asarray(self.classes_[self.predict_proba(X).argmax(axis=1)])

    @available_if(_any_answers)
    def answer(self, X: pd.DataFrame, *, repeat: int = 0) -> pd.DataFrame:
        """Predict with the cost, tokens and latency of the members that ask Claude.

        A member's failed answer does not fail the ensemble: it counts as the share of
        positives, and the row says so in `degraded`.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_features)
        repeat
            Which of several independent answers.

        Returns
        -------
        DataFrame
            One row an example, the columns of `workbench.predictors.ANSWER_COLUMNS`.
        """
        check_is_fitted(self)
        frames, probabilities = [], []
        for member in self.members_:
            if answering(member):
                frames.append(member.answer(X, repeat=repeat))
                probabilities.append(frames[-1]["proba"].to_numpy())
            else:
                probabilities.append(positive_probability(member, X))
        return combine_answers(frames, self._combine(probabilities)[:, 1])


def _log_odds(probability: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(logit(np.clip(probability, _CLIP, 1 - _CLIP)))
