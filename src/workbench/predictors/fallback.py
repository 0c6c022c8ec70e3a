"""Let a model on this machine stand in where Claude fails."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from workbench.claude import ClaudeRequest
from workbench.predictors.answers import MemberAnswers, answering, join_answers
from workbench.predictors.binary import BinaryClassifier
from workbench.predictors.checking import checked_frame, checked_labels
from workbench.predictors.stages import declare, joined_complaints, read_stage
from workbench.predictors.timing import sampled_latency
from workbench.predictors.training import Training, asked_to_fit, checked_names

__all__ = ["FallbackClassifier"]


def _any_answers(self: "FallbackClassifier") -> bool:
    return any(answering(member) for _, member in self.estimators)


class FallbackClassifier(BinaryClassifier):
    """Classify with the first member; each next one stands in where those before it failed.

    Failed are answers that never came, were refused, cut off or malformed; an abstention is an
    answer. What was paid for them is kept. Rows that another member answered are declared:
    `degraded` is true, `answered_by` names it, and `member_error` says what went wrong. Give the
    client ``on_outage="errors"``, or an outage raises before anybody can stand in.

    Parameters
    ----------
    estimators : sequence of (str, estimator)
        Two members or more, in the order they are asked; best a model on this machine last.
    latency_sample : int
        Rows whose latency is measured where a model on this machine stood in.
    random_state : int
        Seed of that sample.

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
    members_ : list of (str, fitted estimator)
    prior_ : float
        Share of the second class, given where every member failed.
    fit_answers_ : DataFrame
        What members asked of Claude when they were fitted; empty without.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> members = [("first", DummyClassifier()), ("second", DummyClassifier())]
    >>> FallbackClassifier(members).fit([[0], [1]], [0, 1]).predict_proba([[0]]).tolist()
    [[0.5, 0.5]]
    """

    def __init__(
        self,
        estimators: Sequence[tuple[str, Any]],
        *,
        latency_sample: int = 200,
        random_state: int = 0,
    ) -> None:
        self.estimators = estimators
        self.latency_sample = latency_sample
        self.random_state = random_state

    def fit(
        self,
        X: pd.DataFrame,
        y: ArrayLike,
        groups: NDArray[Any] | None = None,
        as_of: NDArray[Any] | None = None,
    ) -> Self:
        """Fit every member on everything.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
            Two classes.
        groups, as_of : ndarray of shape (n_samples,), optional
            What belongs together, and when; handed to members that care.

        Raises
        ------
        PredictorError
            When there are no two members, or not two classes.
        """
        checked_names(self.estimators, "a fallback")
        frame = checked_frame(self, X, reset=True)
        self.classes_, labels = checked_labels(y, frame)
        self.prior_ = float(labels.mean())
        self.members_ = Training(frame, labels, groups, as_of).fitted(self.estimators)
        asked = asked_to_fit(self.members_)
        self.fit_answers_ = pd.concat(asked) if asked else pd.DataFrame()
        return self

    def predict_proba(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """Probabilities, shape (n_samples, 2)."""
        check_is_fitted(self)
        frame = checked_frame(self, X, reset=False)
        positive = np.full(len(frame), np.nan)
        for member in self.members_:
            rows = np.flatnonzero(np.isnan(positive))
            if len(rows):
                positive[rows] = read_stage([member], frame.iloc[rows]).proba
        positive = np.where(np.isnan(positive), self.prior_, positive)
        return np.column_stack([1 - positive, positive])

    @available_if(_any_answers)
    def answer(self, X: pd.DataFrame, *, repeat: int = 0) -> pd.DataFrame:
        """Predict, with cost, tokens and latency of every member that was asked.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_features)
        repeat
            Which of several independent answers.

        Returns
        -------
        DataFrame
            One row an example, the columns of `workbench.predictors.ANSWER_COLUMNS`.

        Raises
        ------
        ClaudeError
            When the client raises on an outage, or Claude refuses to be asked at all.
        """
        check_is_fitted(self)
        table = checked_frame(self, X, reset=False)
        n = len(table)
        proba, abstained = np.full(n, np.nan), np.zeros(n, dtype=bool)
        answered_by: NDArray[np.object_] = np.full(n, None, dtype=object)
        complaints: list[str | None] = [None] * n
        asked: list[MemberAnswers] = []
        own: list[tuple[Any, NDArray[np.intp]]] = []
        for name, member in self.members_:
            rows = np.flatnonzero(np.isnan(proba))
            stage = read_stage([(name, member)], table.iloc[rows], repeat=repeat)
            asked += [(rows, frame) for frame in stage.frames]
            own += [] if answering(member) else [(member, rows)]
            for row, said in zip(rows, stage.complaints, strict=True):
                complaints[row] = joined_complaints(complaints[row], said)
            if len(rows):
                proba[rows], abstained[rows] = stage.proba, stage.abstained
                answered_by[rows[~np.isnan(stage.proba)]] = name
        frame = join_answers(table.index, asked, proba)
        declare(
            frame,
            proba=proba,
            prior=self.prior_,
            answered_by=answered_by,
            abstained=abstained,
            complaints=complaints,
        )
        frame["repeat"] = repeat
        frame["latency_s"] = sampled_latency(
            frame["latency_s"].to_numpy(), own, table, self.latency_sample, self.random_state
        )
        return frame

    @available_if(_any_answers)
    def requests(self, X: pd.DataFrame, *, repeat: int = 0) -> list[ClaudeRequest]:
        """What `answer` would ask when nothing fails: the first member's requests.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_features)
        repeat
            Which of several independent answers.
        """
        check_is_fitted(self)
        first = self.members_[0][1]
        return list(first.requests(X, repeat=repeat)) if answering(first) else []
