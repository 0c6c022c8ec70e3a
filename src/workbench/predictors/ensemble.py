"""What a stack and a blend share: members predict out of fold, a combiner learns from that."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from workbench.predictors.answers import answering, combine_answers
from workbench.predictors.binary import BinaryClassifier
from workbench.predictors.calibrators import as_proba, log_odds
from workbench.predictors.checking import checked_frame, checked_labels
from workbench.predictors.fitting import positive_probability
from workbench.predictors.training import Training, asked_to_fit, checked_names

__all__ = ["OutOfFoldEnsemble"]


def _any_answers(self: "OutOfFoldEnsemble") -> bool:
    return any(answering(member) for _, member in self.estimators)


class OutOfFoldEnsemble(BinaryClassifier):
    """Combine members by what they said about rows they were not fitted on.

    The folds respect groups and time, and so do the members' own inner folds; a member that
    asks Claude is asked about each training row once. The members are then fitted on
    everything. Subclasses say how margins (log-odds) are combined.
    """

    _what = "an ensemble"

    estimators: Sequence[tuple[str, Any]]
    n_splits: int
    random_state: int

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        members = [get_tags(member) for _, member in self.estimators]
        tags.input_tags.allow_nan = all(member.input_tags.allow_nan for member in members)
        return tags

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
            Two classes.
        groups, as_of : ndarray of shape (n_samples,), optional
            What belongs together, and when; the folds respect both.

        Raises
        ------
        PredictorError
            When there are no two members, or not two classes.
        DataError
            When the folds cannot hold both classes.
        """
        checked_names(self.estimators, self._what)
        frame = checked_frame(self, X, reset=True)
        self.classes_, labels = checked_labels(y, frame)
        training = Training(frame, labels, groups, as_of)
        out = training.out_of_fold(
            self.estimators, n_splits=self.n_splits, random_state=self.random_state
        )
        self.n_out_of_fold_ = int(out.known.sum())
        self._fit_combiner(log_odds(out.proba[out.known]), labels[out.known])
        fitted = training.fitted(self.estimators)
        self.members_ = [member for _, member in fitted]
        asked = [out.asked, *asked_to_fit(fitted)] if len(out.asked) else asked_to_fit(fitted)
        self.fit_answers_ = pd.concat(asked) if asked else out.asked
        return self

    @abstractmethod
    def _fit_combiner(self, margins: NDArray[np.float64], labels: NDArray[np.int64]) -> None:
        """Learn from out-of-fold margins, shape (n_samples, n_members)."""

    @abstractmethod
    def combine(self, margins: NDArray[np.float64]) -> NDArray[np.float64]:
        """Log-odds of the ensemble, shape (n_samples,), from its members' margins.

        Parameters
        ----------
        margins : ndarray of shape (n_samples, n_members)
            Log-odds of each member, clipped as `member_margins` does.
        """

    def member_margins(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """Log-odds of each member, shape (n_samples, n_members)."""
        check_is_fitted(self)
        frame = checked_frame(self, X, reset=False)
        said = [positive_probability(member, frame) for member in self.members_]
        return log_odds(np.column_stack(said))

    def decision_function(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """Log-odds of the second class, shape (n_samples,)."""
        return self.combine(self.member_margins(X))

    def predict_proba(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """Probabilities, shape (n_samples, 2)."""
        return as_proba(self.decision_function(X))

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
        frame = checked_frame(self, X, reset=False)
        frames, said = [], []
        for member in self.members_:
            if answering(member):
                frames.append(member.answer(frame, repeat=repeat))
                said.append(frames[-1]["proba"].to_numpy(dtype=np.float64))
            else:
                said.append(positive_probability(member, frame))
        margins = self.combine(log_odds(np.column_stack(said)))
        return combine_answers(frames, as_proba(margins)[:, 1])
