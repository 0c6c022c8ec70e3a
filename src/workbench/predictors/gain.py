"""What the last member of a cascade is expected to gain on a row, learned out of fold."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.model_selection import KFold

from workbench.features import TreeTable
from workbench.predictors.calibrators import log_odds

__all__ = ["GainScore", "expected_gains"]

Vector = NDArray[np.float64]

_FOLDS = 5


@dataclass(frozen=True, eq=False)
class GainScore:
    """Expected gain of asking the last member, from the table and the first answers.

    Parameters
    ----------
    table
        Encodes the rows.
    model
        Regression on encoded rows and log-odds of the first answers.
    """

    table: TreeTable
    model: Any

    @classmethod
    def fitted(cls, readings: Vector, X: pd.DataFrame, gains: Vector) -> "GainScore":
        """Learn from gains on training rows whose members were not fitted on them.

        Parameters
        ----------
        readings : ndarray of shape (n_samples, n_answers)
            Probabilities of the first stage, NaN where there is none.
        X : DataFrame of shape (n_samples, n_features)
        gains : ndarray of shape (n_samples,)
            What the last member gained on each row.
        """
        table = TreeTable().fit(X)
        # Gains are mostly noise: few, small, slow trees.
        model = HistGradientBoostingRegressor(
            learning_rate=0.05,
            max_iter=60,
            max_leaf_nodes=6,
            min_samples_leaf=20,
            l2_regularization=10.0,
            early_stopping=False,
            random_state=0,
        )
        return cls(table, model.fit(_features(table, readings, X), gains))

    def __call__(self, readings: Vector, X: pd.DataFrame) -> Vector:
        """Expected gain on each row; infinite where the first stage gave no answer."""
        gain = self.model.predict(_features(self.table, readings, X)) if len(X) else np.empty(0)
        return np.where(np.isnan(readings).any(axis=1), np.inf, gain)


def expected_gains(readings: Vector, X: pd.DataFrame, gains: Vector) -> Vector:
    """Expected gain on each training row, by a regression that has not seen that row's gain.

    Parameters
    ----------
    readings, X, gains
        As `GainScore.fitted` takes them.

    Returns
    -------
    ndarray of shape (n_samples,)
    """
    expected = np.empty(len(gains))
    for train, test in KFold(_FOLDS, shuffle=True, random_state=0).split(gains):
        part = GainScore.fitted(readings[train], X.iloc[train], gains[train])
        expected[test] = part(readings[test], X.iloc[test])
    return expected


def _features(table: TreeTable, readings: Vector, X: pd.DataFrame) -> Vector:
    first = log_odds(readings)
    return np.hstack([table.transform(X), first, np.abs(first)])
