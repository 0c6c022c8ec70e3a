"""What an arm would ask, fitting included, before anything is asked."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone

from workbench.claude import ClaudeRequest
from workbench.predictors.answers import answering
from workbench.predictors.calibrated import CalibratedClassifier
from workbench.predictors.cascade import CascadeClassifier
from workbench.predictors.ensemble import OutOfFoldEnsemble
from workbench.predictors.fallback import FallbackClassifier
from workbench.predictors.policy import ConformalPolicy
from workbench.predictors.signalled import SignalledClassifier
from workbench.predictors.training import Training

__all__ = ["planned_requests"]


def planned_requests(
    estimator: Any,
    X: pd.DataFrame,
    y: NDArray[np.int8],
    X_new: pd.DataFrame,
    *,
    groups: NDArray[Any] | None = None,
    as_of: NDArray[Any] | None = None,
    n_repeats: int = 1,
) -> list[ClaudeRequest]:
    """List what `estimator` would ask to be fitted on `X` and to answer about `X_new`.

    A stack or blend asks each member once about every training row, and so do calibration and
    signals. A cascade asks about the rows its threshold is fitted on; of the new rows its last
    member is asked about the share the policy allows, about those that a model on this machine
    defers, or else about all.

    Parameters
    ----------
    estimator
        Any arm, not fitted.
    X, y, groups, as_of
        The training part, as `fit` takes it.
    X_new : DataFrame of shape (n_new, n_features)
        The rows to answer.
    n_repeats
        Independent answers a row.

    Returns
    -------
    list of ClaudeRequest
        Empty for a model on this machine.

    Raises
    ------
    PredictorError, DataError
        When the estimator cannot be fitted.
    """
    if not answering(estimator):
        return []
    training = Training(X, np.asarray(y, dtype=np.int64), groups, as_of)

    def plan(member: Any, rows: pd.DataFrame, repeats: int = n_repeats) -> list[ClaudeRequest]:
        return planned_requests(member, X, y, rows, groups=groups, as_of=as_of, n_repeats=repeats)

    if isinstance(estimator, OutOfFoldEnsemble):
        members = [member for _, member in estimator.estimators]
        about = [r for m in members for r in plan(m, X_new)]
        return about + [r for m in members for r in plan(m, X, 1)]
    if isinstance(estimator, CalibratedClassifier):
        return plan(estimator.estimator, X_new) + plan(estimator.estimator, X, 1)
    if isinstance(estimator, SignalledClassifier):
        # Fitting it would ask.
        about = [r for n in range(n_repeats) for r in estimator.requests(X_new, repeat=n)]
        return about + estimator.requests(X)
    if isinstance(estimator, FallbackClassifier):
        return plan(estimator.estimators[0][1], X_new)
    if isinstance(estimator, CascadeClassifier):
        return _cascade(estimator, training, X_new, n_repeats, plan)
    [(_, fitted)] = training.fitted([("", estimator)])
    return [r for repeat in range(n_repeats) for r in fitted.requests(X_new, repeat=repeat)]


def _cascade(
    cascade: CascadeClassifier, training: Training, X_new: pd.DataFrame, n_repeats: int, plan: Any
) -> list[ClaudeRequest]:
    context = {"groups": training.groups, "as_of": training.as_of}
    to_fit = cascade.fit_requests(training.X, training.labels, **context)
    first = [member for _, member in cascade.estimators[:-1]]
    policy = cascade.policy
    if isinstance(policy, ConformalPolicy) and not any(map(answering, first)):
        fitted = clone(cascade).fit(training.X, training.labels, **context)
        about = [r for n in range(n_repeats) for r in fitted.requests(X_new, repeat=n)]
        return to_fit + about
    share = 1.0
    if not isinstance(policy, ConformalPolicy) and policy.max_share is not None:
        share = policy.max_share
    order = np.random.default_rng(cascade.random_state).permutation(len(X_new))
    rows = np.sort(order[: int(np.ceil(share * len(X_new)))])
    about = [r for member in first for r in plan(member, X_new, n_repeats * policy.n_first_answers)]
    return to_fit + about + list(plan(cascade.estimators[-1][1], X_new.iloc[rows]))
