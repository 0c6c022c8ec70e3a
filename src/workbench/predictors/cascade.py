"""Ask a cheap member first, and a strong one only where a policy says that it is needed."""

from collections.abc import Sequence
from typing import Any, NamedTuple, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from workbench.claude import ClaudeRequest
from workbench.errors import PredictorError
from workbench.predictors.answers import answering, join_answers
from workbench.predictors.binary import BinaryClassifier
from workbench.predictors.checking import checked_frame, checked_labels
from workbench.predictors.escalation import escalated
from workbench.predictors.policy import ConformalPolicy
from workbench.predictors.stages import Stage, declare, joined_complaints, read_stage
from workbench.predictors.thresholds import AnyPolicy, Tuned, fitting_parts, learn
from workbench.predictors.timing import sampled_latency
from workbench.predictors.training import Training, asked_to_fit

__all__ = ["CascadeClassifier"]


def _any_answers(self: "CascadeClassifier") -> bool:
    return any(answering(member) for _, member in self.estimators)


class _Walk(NamedTuple):
    """One pass over rows: what each stage said, and the rows that were escalated."""

    first: Stage
    last: Stage
    score: NDArray[np.float64]
    rows: NDArray[np.intp]

    @property
    def by_last(self) -> NDArray[np.bool_]:
        """Of the escalated rows, those the last member did answer."""
        return ~np.isnan(self.last.proba)

    @property
    def proba(self) -> NDArray[np.float64]:
        """Probabilities, NaN where every member failed."""
        found = self.first.proba.copy()
        found[self.rows[self.by_last]] = self.last.proba[self.by_last]
        return found


class CascadeClassifier(BinaryClassifier):
    """Classify with the first member, and with the last one where the policy escalates.

    Each row's probability is that of the member which answered it. A first answer that failed
    or abstained is escalated; where the last one fails, the first stands, and the row says so in
    `degraded`. Thresholds are fitted on answers to training rows by members that were not fitted
    on those rows; the folds respect groups and time. The members are then fitted on everything,
    but for the first member of a conformal cascade, which must not know the part held out.

    Parameters
    ----------
    estimators : sequence of (str, estimator)
        The first member and the last: any classifier with `predict_proba`, or one that asks
        Claude. Three for disagreement between members: the first two are always asked.
    policy : UncertaintyPolicy, DisagreementPolicy, ConformalPolicy or GainPolicy
        When the last member is asked.
    n_splits : int
        Folds for fitting the threshold.
    latency_sample : int
        Rows whose latency is measured where a model on this machine takes part.
    random_state : int
        Seed of the folds and of the rows that are asked about.

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
    members_ : list of (str, fitted estimator)
    score_ : callable
        From first answers and rows to scores.
    threshold_ : float
        Rows with a larger score are escalated.
    escalation_share_ : float
        Share that the threshold escalated of the training rows it was fitted on; NaN when it
        was given and nothing was asked to fit it.
    n_fit_ : int
        Number of those rows.
    prior_ : float
        Share of the second class, given where every member failed.
    fit_answers_ : DataFrame
        What was asked of Claude to fit, one row a call; empty without.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from workbench.predictors import UncertaintyPolicy
    >>> rng = np.random.default_rng(0)
    >>> X = pd.DataFrame(rng.normal(size=(400, 2)), columns=["a", "b"])
    >>> y = (X["a"] * X["b"] > 0).astype(int)
    >>> members = [("line", LogisticRegression()), ("tree", DecisionTreeClassifier(max_depth=5))]
    >>> cascade = CascadeClassifier(members, UncertaintyPolicy(max_share=0.5)).fit(X, y)
    >>> cascade.escalation_share_
    0.5
    """

    def __init__(
        self,
        estimators: Sequence[tuple[str, Any]],
        policy: AnyPolicy,
        *,
        n_splits: int = 5,
        latency_sample: int = 200,
        random_state: int = 0,
    ) -> None:
        self.estimators = estimators
        self.policy = policy
        self.n_splits = n_splits
        self.latency_sample = latency_sample
        self.random_state = random_state

    def fit(
        self,
        X: pd.DataFrame,
        y: ArrayLike,
        groups: NDArray[Any] | None = None,
        as_of: NDArray[Any] | None = None,
    ) -> Self:
        """Fit the threshold, and the members.

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
            When the members do not fit the policy, there are not two classes, or the policy's
            goal cannot be met.
        DataError
            When the folds cannot hold both classes.
        ClaudeError
            When Claude cannot be asked; answers that arrived stay stored.
        """
        self._check_members()
        frame = checked_frame(self, X, reset=True)
        self.classes_, labels = checked_labels(y, frame)
        self.prior_ = float(labels.mean())
        training = Training(frame, labels, groups, as_of)
        first, last = list(self.estimators[:-1]), list(self.estimators[-1:])
        asked: list[pd.DataFrame] = []
        tuned: list[Tuned] = []
        fitted: list[tuple[str, Any]] = []
        for train, rows in self._parts(training):
            fitted = training.fitted(first, train)
            late = training.fitted(last, train) if self.policy.asks_last_to_fit else []
            part = frame.iloc[rows]
            early = read_stage(fitted, part, n_answers=self.policy.n_first_answers)
            final = read_stage(late, part) if late else None
            tuned.append(Tuned(early, final, labels[rows], part))
            asked += [*early.frames, *(final.frames if final else [])]
            asked += asked_to_fit(fitted + late)
        if not isinstance(self.policy, ConformalPolicy):
            fitted = training.fitted(first)
            asked += asked_to_fit(fitted)
        strong = training.fitted(last)
        asked += asked_to_fit(strong)
        self.members_ = fitted + strong
        self.score_, self.threshold_, self.escalation_share_, self.n_fit_ = learn(
            self.policy, tuned
        )
        self.fit_answers_ = pd.concat(asked) if asked else pd.DataFrame()
        return self

    def _check_members(self) -> None:
        names = [name for name, _ in self.estimators]
        wanted = self.policy.n_members
        if len(names) != wanted or len(set(names)) != wanted:
            raise PredictorError(
                f"a cascade by {self.policy.kind} of {names}",
                expected=f"{wanted} members with distinct names",
                fix="name the members in `estimators`",
            )
        if self.policy.n_first_answers > 1 and not answering(self.estimators[0][1]):
            raise PredictorError(
                f"{names[0]!r} is a model on this machine, whose answers to a row never differ",
                expected="a first member that asks Claude, or disagreement between members",
                fix="set `between: members`, or choose another policy",
            )

    def _parts(self, training: Training) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
        return fitting_parts(
            training, self.policy, n_splits=self.n_splits, random_state=self.random_state
        )

    def _walk(self, X: pd.DataFrame, repeat: int = 0) -> _Walk:
        first = read_stage(
            self.members_[:-1], X, repeat=repeat, n_answers=self.policy.n_first_answers
        )
        score = self.score_(first.judged, X)
        rows = np.flatnonzero(escalated(score, self.threshold_))
        # Only what is escalated is asked: that is the saving.
        return _Walk(
            first, read_stage(self.members_[-1:], X.iloc[rows], repeat=repeat), score, rows
        )

    def predict_proba(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """Probabilities, shape (n_samples, 2)."""
        check_is_fitted(self)
        positive = self._walk(checked_frame(self, X, reset=False)).proba
        positive = np.where(np.isnan(positive), self.prior_, positive)
        return np.column_stack([1 - positive, positive])

    @available_if(_any_answers)
    def answer(self, X: pd.DataFrame, *, repeat: int = 0) -> pd.DataFrame:
        """Predict, with the cost, tokens and latency of the members that were asked.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_features)
        repeat
            Which of several independent answers.

        Returns
        -------
        DataFrame
            One row an example, the columns of `workbench.predictors.ANSWER_COLUMNS`. Where a
            model on this machine takes part, `latency_s` is measured on a random sample of rows
            and missing for the others, escalated or not, so that the sample stays one.

        Raises
        ------
        ClaudeError
            When Claude cannot be asked; answers that arrived stay stored.
        """
        check_is_fitted(self)
        table = checked_frame(self, X, reset=False)
        walk = self._walk(table, repeat)
        everyone = np.arange(len(table))
        asked = [(everyone, frame) for frame in walk.first.frames]
        asked += [(walk.rows, frame) for frame in walk.last.frames]
        frame = join_answers(table.index, asked, walk.proba)
        self._declare(frame, walk)
        frame["repeat"] = repeat
        own = [(member, everyone) for _, member in self.members_[:-1] if not answering(member)]
        own += [(member, walk.rows) for _, member in self.members_[-1:] if not answering(member)]
        frame["latency_s"] = sampled_latency(
            frame["latency_s"].to_numpy(), own, table, self.latency_sample, self.random_state
        )
        return frame

    def _declare(self, frame: pd.DataFrame, walk: _Walk) -> None:
        """Write who answered each row, what went wrong, and what the first stage said."""
        names = [name for name, _ in self.estimators]
        answered_last = walk.rows[walk.by_last]
        answered_by: NDArray[np.object_] = np.full(len(frame), None, dtype=object)
        answered_by[:] = " + ".join(names[:-1])
        answered_by[answered_last] = names[-1]
        abstained = walk.first.abstained
        abstained[answered_last] = walk.last.abstained[walk.by_last]
        complaints = list(walk.first.complaints)
        for row, said in zip(walk.rows, walk.last.complaints, strict=True):
            complaints[row] = joined_complaints(complaints[row], said)
        declare(
            frame,
            proba=walk.proba,
            prior=self.prior_,
            answered_by=answered_by,
            abstained=abstained,
            complaints=complaints,
        )
        frame["escalation_score"] = walk.score
        frame["first_proba"] = walk.first.proba
        frame["first_cost_usd"] = walk.first.cost_usd

    @available_if(_any_answers)
    def requests(self, X: pd.DataFrame, *, repeat: int = 0) -> list[ClaudeRequest]:
        """What `answer` would ask, for pricing it beforehand; nothing is asked.

        Where the first stage asks nobody, the rows to escalate are known. Else the share that
        was escalated when the threshold was fitted is taken of the rows, at random; all of them
        when no share is known.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_features)
        repeat
            Which of several independent answers.
        """
        check_is_fitted(self)
        found: list[ClaudeRequest] = []
        n_answers = self.policy.n_first_answers
        for _, member in self.members_[:-1]:
            for number in range(n_answers if answering(member) else 0):
                found += member.requests(X, repeat=repeat * n_answers + number)
        last = self.members_[-1][1]
        if not answering(last):
            return found
        if found:
            share = 1.0 if np.isnan(self.escalation_share_) else self.escalation_share_
            order = np.random.default_rng(self.random_state).permutation(len(X))
            rows = np.sort(order[: int(np.ceil(share * len(X)))])
        else:
            first = read_stage(self.members_[:-1], X, repeat=repeat)
            rows = np.flatnonzero(escalated(self.score_(first.judged, X), self.threshold_))
        return found + list(last.requests(X.iloc[rows], repeat=repeat))

    def fit_requests(
        self,
        X: pd.DataFrame,
        y: ArrayLike,
        groups: NDArray[Any] | None = None,
        as_of: NDArray[Any] | None = None,
    ) -> list[ClaudeRequest]:
        """What `fit` would ask to fit the threshold; nothing is asked.

        Parameters
        ----------
        X, y, groups, as_of
            As `fit` takes them.

        Raises
        ------
        PredictorError, DataError
            As `fit` does.
        """
        self._check_members()
        training = Training(X, checked_labels(y, X)[1], groups, as_of)
        first = [member for member in self.estimators[:-1] if answering(member[1])]
        last = [member for member in self.estimators[-1:] if answering(member[1])]
        found: list[ClaudeRequest] = []
        for train, rows in self._parts(training):
            for _, member in training.fitted(first, train):
                for repeat in range(self.policy.n_first_answers):
                    found += member.requests(X.iloc[rows], repeat=repeat)
            if self.policy.asks_last_to_fit:
                for _, member in training.fitted(last, train):
                    found += member.requests(X.iloc[rows])
        return found
