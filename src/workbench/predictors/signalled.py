"""A classifier that reads its table and what Claude reads in the text, as one arm."""

from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from workbench.claude import ClaudeRequest
from workbench.errors import PredictorError
from workbench.predictors.answers import ANSWER_COLUMNS, answering
from workbench.predictors.binary import BinaryClassifier
from workbench.predictors.checking import checked_frame, checked_labels
from workbench.predictors.fitting import fit_in_context, positive_probability
from workbench.predictors.signals import ClaudeSignals

__all__ = ["SignalledClassifier"]


class SignalledClassifier(BinaryClassifier):
    """Give a classifier Claude's signals of each row as further columns, and keep their cost.

    The columns of `X` stay; `signal_...` columns are added. Signals need no label and no other
    row, so one extraction serves every fold; a stored answer is not asked again. Where a signal
    is missing (failed, abstained, no text) the classifier predicts without it: the row is
    degraded when the answer failed, never lost.

    Parameters
    ----------
    estimator
        Any classifier with `predict_proba` that accepts missing values, such as
        `BoostedClassifier`; it must not ask Claude itself.
    signals : ClaudeSignals
        What is read.

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
    estimator_ : fitted estimator
    signals_ : ClaudeSignals
        Fitted.
    fit_answers_ : DataFrame
        What was asked of Claude to fit it, one row an example with text.

    Examples
    --------
    An arm beside the same model without signals; `dataset` and `client` are yours::

        signals = behaviour_signals(dataset, client=client)
        arms = {"fields": BoostedClassifier(),
                "signals": SignalledClassifier(BoostedClassifier(), signals)}
        evaluate(task, arms, dataset, baseline="fields")
    """

    _allow_nan = True

    def __init__(self, estimator: Any, signals: ClaudeSignals) -> None:
        self.estimator = estimator
        self.signals = signals

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = get_tags(self.estimator).input_tags.allow_nan
        return tags

    def fit(
        self,
        X: pd.DataFrame,
        y: ArrayLike,
        groups: NDArray[Any] | None = None,
        as_of: NDArray[Any] | None = None,
    ) -> Self:
        """Ask about each training row once, and fit the classifier on all columns.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
            Two classes.
        groups, as_of : ndarray of shape (n_samples,), optional
            What belongs together, and when; handed to the classifier.

        Raises
        ------
        PredictorError
            When there are not two classes, `X` is no DataFrame or has a column of a signal's
            name, or the classifier asks Claude itself.
        ClaudeError
            When Claude cannot be asked.
        """
        parts = {"": self.estimator}
        if hasattr(self.estimator, "get_params"):
            parts |= self.estimator.get_params()
        hidden = [type(part).__name__ for part in parts.values() if answering(part)]
        if hidden:
            raise PredictorError(
                f"the estimator asks Claude itself, through a {hidden[0]}, whose costs would be "
                "lost",
                expected="a classifier of this machine",
                fix="stack it with the other predictor instead",
            )
        self.signals_ = clone(self.signals).fit(X)
        frame = checked_frame(self, X, reset=True)
        self.classes_, labels = checked_labels(y, frame)
        taken = sorted(set(self.signals_.get_feature_names_out()) & set(map(str, frame.columns)))
        if taken:
            raise PredictorError(
                f"X has a column {taken[0]!r} already",
                expected="no column of a signal's name",
                fix="rename it",
            )
        read = self.signals_.extract(frame)
        self.fit_answers_ = read.answers[read.answers["calls"] > 0]
        self.estimator_ = fit_in_context(
            clone(self.estimator),
            self._joined(frame, read.judgements),
            labels.astype(np.int8),
            groups=groups,
            as_of=as_of,
        )
        return self

    def _joined(self, X: pd.DataFrame, judgements: pd.DataFrame) -> pd.DataFrame:
        columns = pd.DataFrame(
            self.signals_.columns(judgements),
            index=X.index,
            columns=self.signals_.get_feature_names_out(),
        )
        return pd.concat([X, columns], axis=1)

    def requests(self, X: pd.DataFrame, *, repeat: int = 0) -> list[ClaudeRequest]:
        """What `answer` would ask, and what `fit` would ask about its rows; for pricing.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_features)
        repeat
            Which of several independent answers.
        """
        signals: ClaudeSignals = clone(self.signals).fit(X)
        return signals.requests(X, repeat=repeat)

    def answer(self, X: pd.DataFrame, *, repeat: int = 0) -> pd.DataFrame:
        """Predict with the cost, tokens and latency of what was asked of Claude.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_features)
        repeat
            Which of several independent answers.

        Returns
        -------
        DataFrame
            One row an example, the columns of `workbench.predictors.ANSWER_COLUMNS`. A failed
            answer makes the row `degraded`, its kind stands in `member_error`; the prediction
            then rests on the other columns. An abstention is Claude's, not the row's.

        Raises
        ------
        ClaudeError
            When Claude cannot be asked.
        """
        check_is_fitted(self)
        frame = checked_frame(self, X, reset=False)
        read = self.signals_.extract(frame, repeat=repeat)
        proba = positive_probability(self.estimator_, self._joined(frame, read.judgements))
        failed = read.answers["error"].notna()
        return read.answers.assign(
            proba=proba,
            abstained=False,
            degraded=failed,
            member_error=read.answers["error"],
            error=None,
        )[list(ANSWER_COLUMNS)]

    def predict_proba(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """Probabilities, shape (n_samples, 2); see `answer`."""
        positive = self.answer(X)["proba"].to_numpy(dtype=np.float64)
        return np.column_stack([1 - positive, positive])
