"""Fit a cascade's threshold on answers to rows that its members were not fitted on."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import log_expit

from workbench.predictors.calibrators import log_odds
from workbench.predictors.escalation import (
    ConformalScore,
    DisagreementScore,
    UncertaintyScore,
    escalated,
    threshold_for_cost,
    threshold_for_share,
    threshold_for_value,
)
from workbench.predictors.gain import GainScore, expected_gains
from workbench.predictors.policy import (
    ConformalPolicy,
    DisagreementPolicy,
    GainPolicy,
    UncertaintyPolicy,
)
from workbench.predictors.stages import Stage
from workbench.predictors.training import Training

__all__ = ["AnyPolicy", "Learned", "Tuned", "fitting_parts", "learn"]

Positions = NDArray[np.intp]
Score = Callable[[NDArray[np.float64], pd.DataFrame], NDArray[np.float64]]
AnyPolicy = UncertaintyPolicy | DisagreementPolicy | ConformalPolicy | GainPolicy


def fitting_parts(
    training: Training, policy: AnyPolicy, *, n_splits: int, random_state: int
) -> list[tuple[Positions, Positions]]:
    """Rows to fit members on and rows to fit the threshold on, disjoint in each pair.

    For a conformal policy a single pair, whose second part is a quarter of the rows (the
    latest, where time counts), one row of each group.

    Parameters
    ----------
    training
        The training data.
    policy
        What is wanted.
    n_splits
        Folds.
    random_state
        Seed of the folds and of the rows that are asked about.

    Raises
    ------
    DataError
        When the folds cannot hold both classes.
    """
    if not policy.learns:
        return []
    rng = np.random.default_rng(random_state)
    if isinstance(policy, ConformalPolicy):
        train, rows = training.folds(4, random_state)[-1]
        rows = rng.permutation(rows)
        if training.groups is not None:
            _, first = np.unique(training.groups[rows], return_index=True)
            rows = rng.permutation(rows[first])
        return [(train, np.sort(rows[: policy.n_fit]))]
    folds = training.folds(n_splits, random_state)
    known = rng.permutation(np.concatenate([rows for _, rows in folds]))
    chosen = known[: policy.n_fit]
    pairs = [(train, rows[np.isin(rows, chosen)]) for train, rows in folds]
    return [(train, rows) for train, rows in pairs if len(rows)]


class Tuned(NamedTuple):
    """What the stages said about rows their members were not fitted on.

    Attributes
    ----------
    first, last
        The stages; `last` is None where the policy does not need it.
    labels
        0 or 1, shape (n_samples,).
    X
        The rows.
    """

    first: Stage
    last: Stage | None
    labels: NDArray[np.int64]
    X: pd.DataFrame


class Learned(NamedTuple):
    """A fitted policy.

    Attributes
    ----------
    score
        From first answers, shape (n_samples, n_answers), and rows to scores, shape (n_samples,).
    threshold
        Rows with a larger score are escalated.
    share
        Share it escalated of the rows it was fitted on; NaN without.
    n_fit
        Number of those rows.
    """

    score: Score
    threshold: float
    share: float
    n_fit: int


def learn(policy: AnyPolicy, tuned: Sequence[Tuned]) -> Learned:
    """Fit score and threshold.

    Parameters
    ----------
    policy
        What is wanted.
    tuned
        The answers; none for a policy that learns nothing.

    Raises
    ------
    PredictorError
        When there is nothing to calibrate on, or the goal cannot be met.
    """
    if not tuned:
        threshold = None if isinstance(policy, ConformalPolicy) else policy.threshold
        return Learned(DisagreementScore(), float(threshold or 0.0), float("nan"), 0)
    readings = np.concatenate([part.first.judged for part in tuned])
    labels = np.concatenate([part.labels for part in tuned])
    X = pd.concat([part.X for part in tuned])
    score: Score = DisagreementScore()
    # Scores of most policies lie between 0 and 1: beyond them is everything, or nothing.
    widest = 1.0
    if isinstance(policy, GainPolicy):
        gains = _gains(policy, labels, tuned)
        score = GainScore.fitted(readings, X, gains)
        # A score of rows the gain was learned from would look too sure of itself.
        scores = expected_gains(readings, X, gains)
        widest = 100.0
    elif isinstance(policy, ConformalPolicy):
        score = ConformalScore.fitted(
            readings,
            labels,
            policy.confidence_level,
            label_conditional=policy.label_conditional,
        )
        scores = score(readings, X)
        return Learned(score, 0.0, float(escalated(scores, 0.0).mean()), len(labels))
    else:
        if isinstance(policy, UncertaintyPolicy):
            score = UncertaintyScore.fitted(readings, labels)
        scores = score(readings, X)
    threshold = float(np.clip(_threshold(policy, scores, tuned), -widest, widest))
    return Learned(score, threshold, float(escalated(scores, threshold).mean()), len(labels))


def _threshold(
    policy: UncertaintyPolicy | DisagreementPolicy | GainPolicy,
    score: NDArray[np.float64],
    tuned: Sequence[Tuned],
) -> float:
    if policy.threshold is not None:
        return policy.threshold
    if policy.max_share is not None:
        return threshold_for_share(score, policy.max_share)
    last = _last(tuned)
    last_cost = np.concatenate([stage.cost_usd for stage in last])
    if policy.max_cost_per_1000_usd is not None:
        first_cost = np.concatenate([part.first.cost_usd for part in tuned])
        limit = policy.max_cost_per_1000_usd / 1000
        return threshold_for_cost(score, first_cost, last_cost, limit)
    value = float(policy.usd_per_correct or 0.0)
    if isinstance(policy, GainPolicy):
        # Expected gain × value > price.
        return float(last_cost.mean()) / value
    labels = np.concatenate([part.labels for part in tuned])
    return threshold_for_value(
        score,
        _right(np.concatenate([part.first.proba for part in tuned]), labels),
        _right(np.concatenate([stage.proba for stage in last]), labels),
        last_cost,
        value,
    )


def _gains(
    policy: GainPolicy, labels: NDArray[np.int64], tuned: Sequence[Tuned]
) -> NDArray[np.float64]:
    """What the last member gained on each row: right decisions, or nats of log loss."""
    first = np.concatenate([part.first.proba for part in tuned])
    last = np.concatenate([stage.proba for stage in _last(tuned)])
    if policy.gain == "accuracy":
        return _right(last, labels) - _right(first, labels)
    losses = [
        -log_expit(np.where(labels == 1, 1, -1) * log_odds(np.where(np.isnan(p), 0.5, p)))
        for p in (first, last)
    ]
    return np.asarray(losses[0] - losses[1])


def _last(tuned: Sequence[Tuned]) -> list[Stage]:
    return [part.last for part in tuned if part.last is not None]


def _right(proba: NDArray[np.float64], labels: NDArray[np.int64]) -> NDArray[np.float64]:
    # A failed answer is never right.
    return np.asarray(~np.isnan(proba) & ((proba > 0.5) == (labels == 1)), dtype=np.float64)
