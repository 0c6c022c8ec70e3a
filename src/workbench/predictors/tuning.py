"""Fit a cascade's threshold on answers to rows that its members were not fitted on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone

from workbench.data import safe_folds
from workbench.predictors.escalation import (
    ConformalScore,
    DisagreementScore,
    UncertaintyScore,
    escalated,
    threshold_for_cost,
    threshold_for_share,
    threshold_for_value,
)
from workbench.predictors.fitting import fit_in_context
from workbench.predictors.policy import ConformalPolicy, DisagreementPolicy, UncertaintyPolicy
from workbench.predictors.stages import Stage

__all__ = ["Learned", "Training", "Tuned", "learn"]

Positions = NDArray[np.intp]
Score = Callable[[NDArray[np.float64]], NDArray[np.float64]]


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

    def fitted(
        self, members: Sequence[tuple[str, Any]], rows: Positions | None = None
    ) -> list[tuple[str, Any]]:
        """Fit copies of `members`, on some rows or on all."""
        at = np.arange(len(self.labels)) if rows is None else rows
        return [
            (
                name,
                fit_in_context(
                    clone(member),
                    self.X.iloc[at],
                    self.labels[at].astype(np.int8),
                    groups=None if self.groups is None else self.groups[at],
                    as_of=None if self.as_of is None else self.as_of[at],
                ),
            )
            for name, member in members
        ]

    def parts(
        self,
        policy: UncertaintyPolicy | DisagreementPolicy | ConformalPolicy,
        *,
        n_splits: int,
        random_state: int,
    ) -> list[tuple[Positions, Positions]]:
        """Rows to fit members on and rows to fit the threshold on, disjoint in each pair.

        For a conformal policy a single pair, whose second part is a quarter of the rows (the
        latest, where time counts), one row of each group.
        """
        if not policy.learns:
            return []
        conformal = isinstance(policy, ConformalPolicy)
        folds: list[tuple[Positions, Positions]] = [
            (np.asarray(train, dtype=np.intp), np.asarray(rows, dtype=np.intp))
            for train, rows in safe_folds(
                self.labels,
                groups=self.groups,
                as_of=self.as_of,
                n_splits=4 if conformal else n_splits,
                random_state=random_state,
            )
        ]
        rng = np.random.default_rng(random_state)
        if conformal:
            train, rows = folds[-1]
            rows = rng.permutation(rows)
            if self.groups is not None:
                _, first = np.unique(self.groups[rows], return_index=True)
                rows = rng.permutation(rows[first])
            return [(train, np.sort(rows[: policy.n_fit]))]
        known = rng.permutation(np.concatenate([rows for _, rows in folds]))
        chosen = set(known[: policy.n_fit].tolist())
        pairs = [(train, np.array([r for r in rows if r in chosen])) for train, rows in folds]
        return [(train, rows.astype(np.intp)) for train, rows in pairs if len(rows)]


class Tuned(NamedTuple):
    """What the stages said about rows their members were not fitted on.

    Attributes
    ----------
    first, last
        The stages; `last` is None where the policy does not need it.
    labels
        0 or 1, shape (n_samples,).
    """

    first: Stage
    last: Stage | None
    labels: NDArray[np.int64]


class Learned(NamedTuple):
    """A fitted policy.

    Attributes
    ----------
    score
        From first answers, shape (n_samples, n_answers), to scores, shape (n_samples,).
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


def learn(
    policy: UncertaintyPolicy | DisagreementPolicy | ConformalPolicy, tuned: Sequence[Tuned]
) -> Learned:
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
    score: Score = DisagreementScore()
    if isinstance(policy, ConformalPolicy):
        score = ConformalScore.fitted(
            readings,
            labels,
            policy.confidence_level,
            label_conditional=policy.label_conditional,
        )
        threshold = 0.0
    else:
        if isinstance(policy, UncertaintyPolicy):
            score = UncertaintyScore.fitted(readings, labels)
        # Scores lie between 0 and 1: beyond them is everything, or nothing that was answered.
        threshold = float(np.clip(_threshold(policy, score(readings), tuned), -1.0, 1.0))
    share = float(escalated(score(readings), threshold).mean())
    return Learned(score, threshold, share, len(labels))


def _threshold(
    policy: UncertaintyPolicy | DisagreementPolicy,
    score: NDArray[np.float64],
    tuned: Sequence[Tuned],
) -> float:
    if policy.threshold is not None:
        return policy.threshold
    if policy.max_share is not None:
        return threshold_for_share(score, policy.max_share)
    last = [part.last for part in tuned if part.last is not None]
    last_cost = np.concatenate([stage.cost_usd for stage in last])
    if policy.max_cost_per_1000_usd is not None:
        first_cost = np.concatenate([part.first.cost_usd for part in tuned])
        limit = policy.max_cost_per_1000_usd / 1000
        return threshold_for_cost(score, first_cost, last_cost, limit)
    labels = np.concatenate([part.labels for part in tuned])
    return threshold_for_value(
        score,
        _right(np.concatenate([part.first.proba for part in tuned]), labels),
        _right(np.concatenate([stage.proba for stage in last]), labels),
        last_cost,
        float(policy.usd_per_correct or 0.0),
    )


def _right(proba: NDArray[np.float64], labels: NDArray[np.int64]) -> NDArray[np.float64]:
    # A failed answer is never right.
    return np.asarray(~np.isnan(proba) & ((proba > 0.5) == (labels == 1)), dtype=np.float64)
