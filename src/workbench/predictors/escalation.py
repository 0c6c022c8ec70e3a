"""Scores that say how much a row needs the last member of a cascade, and their thresholds."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from workbench.errors import PredictorError
from workbench.predictors.calibrators import PlattMap, log_odds

__all__ = [
    "ConformalScore",
    "DisagreementScore",
    "UncertaintyScore",
    "escalated",
    "threshold_for_cost",
    "threshold_for_share",
    "threshold_for_value",
]

Vector = NDArray[np.float64]


def escalated(score: Vector, threshold: float) -> NDArray[np.bool_]:
    """Tell which rows are escalated: above the threshold, or without any first answer.

    Parameters
    ----------
    score : ndarray of shape (n_samples,)
        Infinite where the first stage failed or abstained.
    threshold
        The threshold.

    Examples
    --------
    >>> escalated(np.array([0.1, 0.4, np.inf]), np.inf).tolist()
    [False, False, True]
    """
    return np.asarray((score > threshold) | np.isposinf(score))


@dataclass(frozen=True)
class UncertaintyScore:
    """Calibrated chance that the decision at 0.5 is wrong.

    Parameters
    ----------
    slope, intercept
        Of the calibration, on log-odds.
    """

    slope: float
    intercept: float

    @classmethod
    def fitted(cls, readings: Vector, labels: NDArray[np.int64]) -> "UncertaintyScore":
        """Calibrate on out-of-fold answers.

        Parameters
        ----------
        readings : ndarray of shape (n_samples, 1)
            Probabilities, NaN where there is none.
        labels : ndarray of shape (n_samples,)
            0 or 1.

        Raises
        ------
        PredictorError
            When the answers to either class are missing.
        """
        known = np.isfinite(readings[:, 0])
        if len(np.unique(labels[known])) < 2:
            raise PredictorError(
                f"the first member answered {known.sum():,} of {len(labels):,} training rows, and "
                "not both classes",
                expected="answers to calibrate on",
                fix="look at its errors, or raise n_fit",
            )
        fitted = PlattMap.fitted(log_odds(readings[known, 0]), labels[known])
        return cls(fitted.slope, fitted.intercept)

    def __call__(self, readings: Vector, X: pd.DataFrame | None = None) -> Vector:
        """Score each row of `readings`, shape (n_samples, 1)."""
        given = readings[:, 0]
        positive = expit(self.slope * log_odds(given) + self.intercept)
        wrong = np.where(given > 0.5, 1 - positive, positive)
        return np.where(np.isnan(given), np.inf, wrong)


@dataclass(frozen=True)
class DisagreementScore:
    """Largest difference between the probabilities of a row."""

    def __call__(self, readings: Vector, X: pd.DataFrame | None = None) -> Vector:
        """Score each row of `readings`, shape (n_samples, n_answers)."""
        return np.where(np.isnan(readings).any(axis=1), np.inf, np.ptp(readings, axis=1))


@dataclass(frozen=True)
class ConformalScore:
    """Distance from having the predicted label alone in the prediction set; 0 is the edge.

    Parameters
    ----------
    quantiles
        Largest nonconformity, 1 − probability of the label, each label may have in the set.
    """

    quantiles: tuple[float, float]

    @classmethod
    def fitted(
        cls,
        readings: Vector,
        labels: NDArray[np.int64],
        confidence_level: float,
        *,
        label_conditional: bool,
    ) -> "ConformalScore":
        """Take the quantiles from a held-out part, shape (n_samples, 1).

        The k-th smallest nonconformity, k = ⌈(n + 1) · level⌉; infinite when the part is too
        small for k.
        """
        given = readings[:, 0]
        # A row without an answer conforms with nothing: it widens the sets, as it should.
        strange = np.where(np.isnan(given), np.inf, np.where(labels == 1, 1 - given, given))

        def quantile(part: Vector) -> float:
            # Rounded first: (9 + 1) · 0.9 is 9.000000000000002 in binary.
            k = int(np.ceil(round((len(part) + 1) * confidence_level, 9)))
            return float(np.sort(part)[k - 1]) if k <= len(part) else np.inf

        if label_conditional:
            return cls((quantile(strange[labels == 0]), quantile(strange[labels == 1])))
        both = quantile(strange)
        return cls((both, both))

    def __call__(self, readings: Vector, X: pd.DataFrame | None = None) -> Vector:
        """Score each row of `readings`, shape (n_samples, 1)."""
        given = readings[:, 0]
        strange = np.column_stack([given, 1 - given])
        inside = strange <= np.array(self.quantiles)
        predicted = (given > 0.5).astype(np.int64)
        rows = np.arange(len(given))
        single = inside[rows, predicted] & ~inside[rows, 1 - predicted]
        limits = np.array(self.quantiles)
        limit = np.minimum(limits[predicted], 1 - limits[1 - predicted])
        # No finite limit: nothing is certain enough, the least certain first all the same.
        distance = strange[rows, predicted] - np.where(np.isfinite(limit), limit, -1.0)
        tiny = np.finfo(np.float64).tiny
        score = np.where(single, np.minimum(distance, 0.0), np.maximum(distance, tiny))
        return np.where(np.isnan(given), np.inf, score)


def threshold_for_share(score: Vector, max_share: float) -> float:
    """Smallest threshold that escalates at most a share of the rows.

    Parameters
    ----------
    score : ndarray of shape (n_samples,)
    max_share
        From 0 to 1.

    Examples
    --------
    >>> threshold_for_share(np.array([0.1, 0.2, 0.3, 0.4]), 0.5)
    0.2
    """
    falling = np.sort(score)[::-1]
    k = int(np.floor(max_share * len(score) + 1e-9))
    return -np.inf if k >= len(score) else float(falling[k])


def threshold_for_cost(
    score: Vector, first_cost_usd: Vector, last_cost_usd: Vector, max_cost_usd: float
) -> float:
    """Smallest threshold whose mean cost of a row keeps within a limit.

    Parameters
    ----------
    score, first_cost_usd, last_cost_usd : ndarray of shape (n_samples,)
        Scores, and what the first stage and the last member cost each row.
    max_cost_usd
        Limit of the mean cost of a row.

    Raises
    ------
    PredictorError
        When the first stage, with what has to be escalated after it, costs more.

    Examples
    --------
    >>> threshold_for_cost(np.array([0.1, 0.2, 0.3, 0.4]), np.zeros(4), np.ones(4), 0.5)
    0.2
    """
    thresholds, counts = _candidates(score)
    order = np.argsort(-score, kind="stable")
    spent = np.concatenate([[0.0], np.cumsum(last_cost_usd[order])])[counts]
    mean = float(first_cost_usd.mean()) + spent / len(score)
    affordable = np.flatnonzero(mean <= max_cost_usd + 1e-15)
    if not len(affordable):
        raise PredictorError(
            f"asking the first stage alone costs ${1000 * mean[0]:.4g} per 1,000",
            expected=f"at most ${1000 * max_cost_usd:.4g}",
            fix="raise max_cost_per_1000_usd or choose a cheaper first member",
        )
    return float(thresholds[affordable[-1]])


def threshold_for_value(
    score: Vector,
    first_right: Vector,
    last_right: Vector,
    last_cost_usd: Vector,
    usd_per_correct: float,
) -> float:
    """Threshold with the largest mean value of right decisions less cost.

    Parameters
    ----------
    score, first_right, last_right, last_cost_usd : ndarray of shape (n_samples,)
        Scores, whether each stage decides rightly (0 or 1), and what the last member costs.
    usd_per_correct
        What a right decision is worth.

    Examples
    --------
    >>> score, right = np.array([0.1, 0.2, 0.3, 0.4]), np.array([1.0, 1.0, 0.0, 0.0])
    >>> threshold_for_value(score, right, np.ones(4), np.full(4, 0.01), 1.0)
    0.2
    """
    thresholds, counts = _candidates(score)
    order = np.argsort(-score, kind="stable")
    gain = (usd_per_correct * (last_right - first_right) - last_cost_usd)[order]
    total = np.concatenate([[0.0], np.cumsum(gain)])[counts]
    return float(thresholds[int(np.argmax(total))])


def _candidates(score: Vector) -> tuple[Vector, NDArray[np.int64]]:
    """Thresholds that part the rows differently, falling, and how many rows each escalates."""
    values = np.unique(score[np.isfinite(score)])[::-1]
    thresholds = np.concatenate([values, [-np.inf]])
    return thresholds, np.array([int(escalated(score, t).sum()) for t in thresholds])
