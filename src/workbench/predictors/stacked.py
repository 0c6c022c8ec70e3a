"""An ensemble whose combiner has only ever seen out-of-fold predictions."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from workbench.predictors.ensemble import OutOfFoldEnsemble

__all__ = ["StackedClassifier"]


class StackedClassifier(OutOfFoldEnsemble):
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
    >>> import pandas as pd
    >>> from sklearn.dummy import DummyClassifier
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> X, y = pd.DataFrame({"n": range(40)}), np.arange(40) % 4 // 2
    >>> members = [("tree", DecisionTreeClassifier()), ("prior", DummyClassifier())]
    >>> StackedClassifier(members).fit(X, y).predict_proba(X).shape
    (40, 2)
    """

    _what = "a stack"

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

    def _fit_combiner(self, margins: NDArray[np.float64], labels: NDArray[np.int64]) -> None:
        self.final_ = LogisticRegression(C=self.C).fit(margins, labels)

    def combine(self, margins: NDArray[np.float64]) -> NDArray[np.float64]:
        """Log-odds of the stack, shape (n_samples,), from its members' margins.

        Parameters
        ----------
        margins : ndarray of shape (n_samples, n_members)
        """
        return np.asarray(self.final_.decision_function(margins), dtype=np.float64)
