"""Training data with its context, and what members say about rows they were not fitted on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone

from workbench.data import safe_folds
from workbench.errors import PredictorError
from workbench.predictors.answers import answering
from workbench.predictors.fitting import fit_in_context, positive_probability

__all__ = ["OutOfFold", "Training", "asked_to_fit", "checked_names"]

Positions = NDArray[np.intp]


@dataclass(frozen=True)
class OutOfFold:
    """What members said about training rows that they were not fitted on.

    Parameters
    ----------
    proba : ndarray of shape (n_samples, n_members)
        Probability of the second class; NaN for rows in no test fold.
    asked : DataFrame
        What was asked of Claude, one row a call; empty without.
    """

    proba: NDArray[np.float64]
    asked: pd.DataFrame

    @property
    def known(self) -> NDArray[np.bool_]:
        """Rows that were predicted; with time the earliest block is not."""
        return np.asarray(~np.isnan(self.proba).any(axis=1))


@dataclass(frozen=True)
class Training:
    """Training data with what belongs together, and when.

    Parameters
    ----------
    X : DataFrame of shape (n_samples, n_features)
    labels : ndarray of shape (n_samples,)
        0 or 1.
    groups, as_of : ndarray of shape (n_samples,), optional
    """

    X: pd.DataFrame
    labels: NDArray[np.int64]
    groups: NDArray[Any] | None
    as_of: NDArray[Any] | None

    def take(self, rows: Positions) -> "Training":
        """Some of the rows."""
        return Training(
            self.X.iloc[rows],
            self.labels[rows],
            None if self.groups is None else np.asarray(self.groups)[rows],
            None if self.as_of is None else np.asarray(self.as_of)[rows],
        )

    def folds(self, n_splits: int, random_state: int) -> list[tuple[Positions, Positions]]:
        """Folds that cut no group and look back in time only; see `safe_folds`."""
        return [
            (train.astype(np.intp), test.astype(np.intp))
            for train, test in safe_folds(
                self.labels,
                groups=self.groups,
                as_of=self.as_of,
                n_splits=n_splits,
                random_state=random_state,
            )
        ]

    def fitted(
        self, members: Sequence[tuple[str, Any]], rows: Positions | None = None
    ) -> list[tuple[str, Any]]:
        """Fit copies of `members`, on some rows or on all."""
        part = self if rows is None else self.take(rows)
        labels, context = part.labels.astype(np.int8), {"groups": part.groups, "as_of": part.as_of}
        return [
            (name, fit_in_context(clone(member), part.X, labels, **context))
            for name, member in members
        ]

    def out_of_fold(
        self, members: Sequence[tuple[str, Any]], *, n_splits: int, random_state: int
    ) -> OutOfFold:
        """Have each member predict each row after being fitted without it.

        A member that asks Claude is asked about each row of a test fold; a failed answer counts
        as the share of positives it was fitted with.
        """
        proba = np.full((len(self.labels), len(members)), np.nan)
        asked: list[pd.DataFrame] = []
        for train, test in self.folds(n_splits, random_state):
            fitted = self.fitted(members, train)
            asked += asked_to_fit(fitted)
            for column, (_, member) in enumerate(fitted):
                rows = self.X.iloc[test]
                if answering(member):
                    answers = member.answer(rows)
                    asked.append(answers)
                    proba[test, column] = answers["proba"].to_numpy(dtype=np.float64)
                else:
                    proba[test, column] = positive_probability(member, rows)
        return OutOfFold(proba, pd.concat(asked) if asked else pd.DataFrame())


def asked_to_fit(members: Sequence[tuple[str, Any]]) -> list[pd.DataFrame]:
    """What members asked of Claude when they were fitted themselves: no cost is lost."""
    found = [getattr(member, "fit_answers_", None) for _, member in members]
    return [frame for frame in found if frame is not None and len(frame)]


def checked_names(estimators: Sequence[tuple[str, Any]], what: str) -> list[str]:
    """Names of an ensemble's members.

    Raises
    ------
    PredictorError
        When there are fewer than two, or two of the same name.
    """
    names = [name for name, _ in estimators]
    if len(names) < 2 or len(set(names)) != len(names):
        raise PredictorError(
            f"{what} of {names}",
            expected="two or more members with distinct names",
            fix="name the members in `estimators`",
        )
    return names
