"""Maps from an out-of-fold margin to calibrated log-odds, each fitted on labels."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from workbench.errors import PredictorError

__all__ = [
    "METHODS",
    "BetaMap",
    "CalibrationMap",
    "IsotonicMap",
    "Method",
    "PlattMap",
    "as_proba",
    "fitted_map",
    "log_odds",
]

Vector = NDArray[np.float64]
Method = Literal["platt", "isotonic", "beta"]
METHODS: tuple[Method, ...] = ("platt", "isotonic", "beta")

# No single answer carries more weight than one in a thousand would.
_CLIP = 1e-3


def log_odds(probability: Vector, clip: float = _CLIP) -> Vector:
    """Log-odds of probabilities that are clipped to [clip, 1 − clip].

    Examples
    --------
    >>> log_odds(np.array([0.5, 1.0])).round(3).tolist()
    [0.0, 6.907]
    """
    return np.asarray(logit(np.clip(probability, clip, 1 - clip)))


@dataclass(frozen=True)
class PlattMap:
    """Logistic calibration (Platt 1999): slope · margin + intercept.

    Examples
    --------
    >>> PlattMap(0.5, -1.0)(np.array([2.0])).tolist()
    [0.0]
    """

    slope: float
    intercept: float

    @classmethod
    def fitted(cls, margins: Vector, labels: NDArray[np.int64]) -> "PlattMap":
        """Fit slope and intercept; a margin that points the wrong way gives the base rate."""
        model = LogisticRegression(C=1e6).fit(margins[:, None], labels)
        slope, intercept = float(model.coef_[0, 0]), float(model.intercept_[0])
        # A negative slope means that nothing was found; reversing the order would be noise.
        if slope <= 0:
            return cls(0.0, float(logit(labels.mean())))
        return cls(slope, intercept)

    def __call__(self, margins: Vector) -> Vector:
        """Calibrated log-odds, shape (n_samples,)."""
        return np.asarray(self.slope * margins + self.intercept)


@dataclass(frozen=True)
class BetaMap:
    """Beta calibration (Kull, Silva Filho & Flach 2017): a · ln p − b · ln(1 − p) + c.

    Corrects margins that are too bold on one side only, which a slope cannot.

    Examples
    --------
    >>> BetaMap(1.0, 1.0, 0.0)(np.array([0.7])).round(6).tolist()
    [0.7]
    """

    a: float
    b: float
    c: float

    @classmethod
    def fitted(cls, margins: Vector, labels: NDArray[np.int64]) -> "BetaMap":
        """Fit by logistic regression; a coefficient below 0 is dropped, as in the paper."""
        features = np.column_stack([-np.logaddexp(0, -margins), np.logaddexp(0, margins)])
        use = np.array([True, True])
        while use.any():
            model = LogisticRegression(C=1e6).fit(features[:, use], labels)
            coefficients = np.zeros(2)
            coefficients[use] = model.coef_[0]
            if (coefficients >= 0).all():
                a, b = coefficients.tolist()
                return cls(a, b, float(model.intercept_[0]))
            use &= coefficients >= 0
        return cls(0.0, 0.0, float(logit(labels.mean())))

    def __call__(self, margins: Vector) -> Vector:
        """Calibrated log-odds, shape (n_samples,)."""
        low, high = np.logaddexp(0, -margins), np.logaddexp(0, margins)
        return np.asarray(self.c - self.a * low + self.b * high)


@dataclass(frozen=True, eq=False)
class IsotonicMap:
    """Isotonic calibration (Zadrozny & Elkan 2002), its steps joined by straight lines.

    No step says 0 or 1 outright: each block's share is shrunk as if it held half an example
    more of either class, or a single row outside would cost an endless log loss.

    Examples
    --------
    >>> IsotonicMap(np.array([0.0, 1.0]), np.array([-1.0, 1.0]))(np.array([0.5, 7.0])).tolist()
    [0.0, 1.0]
    """

    margins: Vector
    heights: Vector

    @classmethod
    def fitted(cls, margins: Vector, labels: NDArray[np.int64]) -> "IsotonicMap":
        """Fit the steps."""
        model = IsotonicRegression().fit(margins, labels)
        level = model.predict(margins)
        _, block, size = np.unique(level, return_inverse=True, return_counts=True)
        ends_low, ends_high = np.full(len(size), np.inf), np.full(len(size), -np.inf)
        np.minimum.at(ends_low, block, margins)
        np.maximum.at(ends_high, block, margins)
        share = np.bincount(block, weights=labels) / size
        height = logit((share * size + 0.5) / (size + 1))
        # Shrinking little blocks more than big ones may break the order by a hair.
        height = np.maximum.accumulate(height)
        at = np.column_stack([ends_low, ends_high]).ravel()
        at, first = np.unique(at, return_index=True)
        return cls(at, np.repeat(height, 2)[first])

    def __call__(self, margins: Vector) -> Vector:
        """Calibrated log-odds, shape (n_samples,)."""
        return np.asarray(np.interp(margins, self.margins, self.heights))


CalibrationMap: TypeAlias = PlattMap | BetaMap | IsotonicMap


def fitted_map(method: str, margins: Vector, labels: NDArray[np.int64]) -> CalibrationMap:
    """Fit the map a method names.

    Parameters
    ----------
    method
        "platt", "isotonic" or "beta".
    margins : ndarray of shape (n_samples,)
        Out-of-fold log-odds.
    labels : ndarray of shape (n_samples,)
        0 or 1.

    Raises
    ------
    PredictorError
        When the method is unknown.

    Examples
    --------
    >>> margins, labels = np.linspace(-2, 2, 400), np.arange(400) // 2 % 2
    >>> abs(float(fitted_map("isotonic", margins, labels)(np.array([0.0]))[0])) < 0.1
    True
    """
    kinds: dict[str, type[PlattMap] | type[BetaMap] | type[IsotonicMap]] = {
        "platt": PlattMap,
        "isotonic": IsotonicMap,
        "beta": BetaMap,
    }
    if method not in kinds:
        raise PredictorError(
            f"no calibration {method!r}", expected=f"one of {', '.join(kinds)}", fix="correct it"
        )
    return kinds[method].fitted(margins, labels)


def as_proba(margins: Vector) -> Vector:
    """Probabilities of both classes, shape (n_samples, 2), from log-odds of the second.

    Examples
    --------
    >>> as_proba(np.array([0.0])).tolist()
    [[0.5, 0.5]]
    """
    return np.column_stack([expit(-margins), expit(margins)])
