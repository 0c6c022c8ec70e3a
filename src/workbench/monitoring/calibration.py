"""Calibration of probabilities against what happened: in the large, and its slope."""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq

from workbench.errors import DataError
from workbench.stats import Estimate
from workbench.stats.bounds import normal_quantile

__all__ = ["CalibrationFit", "calibration_fit"]

_CLIP = 1e-6
_ROUNDS, _TOLERANCE = 50, 1e-10
_LARGEST = 30.0


class CalibrationFit(NamedTuple):
    """How probabilities must be changed to fit what happened.

    Attributes
    ----------
    intercept
        Calibration in the large: log-odds to add to every probability; 0 is right, above 0 they
        are too low.
    slope
        What to multiply log-odds by; 1 is right, below 1 they are too extreme.
    """

    intercept: Estimate
    slope: Estimate


def calibration_fit(
    y: ArrayLike,
    probability: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    confidence_level: float = 0.95,
) -> CalibrationFit:
    """Fit calibration in the large and the calibration slope by logistic regression.

    Parameters
    ----------
    y
        Outcomes 0 and 1, shape (n,).
    probability
        Predicted probabilities, shape (n,); clipped to [1e-6, 1 − 1e-6].
    groups
        Group of each row: errors are then robust to what rows of a group share.
    confidence_level
        Nominal coverage of each interval.

    Returns
    -------
    CalibrationFit
        Sandwich standard errors. Bounds are infinite where all outcomes are alike or the
        probabilities do not differ (slope), since nothing can be fitted.

    Raises
    ------
    DataError
        When shapes differ, an outcome is not 0 or 1, or a probability lies outside [0, 1].

    References
    ----------
    Cox (1958), Biometrika 45:562-565; Van Calster et al. (2016), Journal of Clinical
    Epidemiology 74:167-176 (weak calibration); errors: Liang & Zeger (1986), Biometrika 73:13-22.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> p = rng.uniform(0.1, 0.9, 4000)
    >>> found = calibration_fit(rng.random(4000) < p, p)
    >>> found.intercept.ci_lower < 0 < found.intercept.ci_upper, found.slope.ci_lower < 1
    (True, True)
    """
    labels, p = np.asarray(y, np.float64), np.asarray(probability, np.float64)
    if labels.shape != p.shape or labels.ndim != 1 or not labels.size:
        raise DataError(
            f"outcomes of shape {labels.shape} and probabilities of shape {p.shape}",
            expected="one dimension, equally long, not empty", fix="pass one of each a row",
        )  # fmt: skip
    if not np.isin(labels, (0, 1)).all() or not ((p >= 0) & (p <= 1)).all():
        raise DataError(
            "an outcome is not 0 or 1, or a probability lies outside 0 to 1",
            expected="known outcomes and probabilities", fix="leave such rows out",
        )  # fmt: skip
    codes = None if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
    clipped = np.clip(p, _CLIP, 1 - _CLIP)
    logit = np.log(clipped / (1 - clipped))
    ones = np.ones((len(p), 1))
    intercept = _fit(labels, ones, logit, codes)
    n_groups = None if codes is None else int(codes.max()) + 1
    level = confidence_level

    def estimate(value: float, error: float) -> Estimate:
        half = normal_quantile(level) * error if math.isfinite(error) else math.inf
        low, high = (value - half, value + half) if math.isfinite(value) else (-math.inf, math.inf)
        return Estimate(value, low, high, error, len(p), n_groups, level, "logistic, sandwich")

    nothing = estimate(math.nan, math.nan)
    if intercept is None:
        if labels.min() == labels.max():
            return CalibrationFit(_one_sided(labels[0], logit, level, n_groups), nothing)
        return CalibrationFit(nothing, nothing)
    both = None if np.ptp(logit) < 1e-9 else _fit(
        labels, np.column_stack([ones[:, 0], logit]), np.zeros_like(logit), codes
    )  # fmt: skip
    slope = nothing if both is None else estimate(float(both[0][1]), float(both[1][1]))
    return CalibrationFit(estimate(float(intercept[0][0]), float(intercept[1][0])), slope)


def _one_sided(
    outcome: float, logit: NDArray[np.float64], level: float, n_groups: int | None
) -> Estimate:
    """Bound of the intercept where one outcome never came: the exact likelihood of that."""
    sign = 1.0 if outcome == 0 else -1.0
    target = math.log((1 - level) / 2)

    def surplus(shift: float) -> float:
        # How likely the rows are as they came, were every log-odds moved by the shift.
        return float(-np.logaddexp(0.0, sign * (logit + sign * shift)).sum()) - target

    low, high = -60.0, 60.0
    edge = brentq(surplus, low, high) if surplus(low) > 0 > surplus(high) else math.inf
    bound = sign * edge
    ends = (-math.inf, bound) if outcome == 0 else (bound, math.inf)
    nan = math.nan
    return Estimate(nan, *ends, nan, len(logit), n_groups, level, "exact, one outcome only")


def _fit(
    y: NDArray[np.float64],
    X: NDArray[np.float64],
    offset: NDArray[np.float64],
    codes: NDArray[Any] | None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Coefficients and sandwich errors by Newton's method; None where there are none."""
    if y.min() == y.max():
        return None
    beta = np.zeros(X.shape[1])
    for _ in range(_ROUNDS):
        mean = 1 / (1 + np.exp(-np.clip(offset + X @ beta, -_LARGEST, _LARGEST)))
        bread = X.T @ (X * (mean * (1 - mean))[:, None])
        if not np.linalg.cond(bread) < 1e12:
            return None
        step = np.linalg.solve(bread, X.T @ (y - mean))
        step = np.clip(step, -2.0, 2.0)  # a long first step would overshoot where slopes are steep
        beta = beta + step
        if np.abs(step).max() < _TOLERANCE:
            break
    else:
        return None  # outcomes that a threshold separates have no finite fit
    scores = X * (y - mean)[:, None]
    n_units = len(y)
    if codes is not None:
        n_units = int(codes.max()) + 1
        scores = np.stack([np.bincount(codes, s, minlength=n_units) for s in scores.T], axis=1)
    inverse = np.linalg.inv(bread)
    covariance = inverse @ (scores.T @ scores) @ inverse * n_units / max(n_units - 1, 1)
    return beta, np.sqrt(np.diagonal(covariance))
