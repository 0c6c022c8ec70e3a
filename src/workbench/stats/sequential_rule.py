"""A stopping rule for paired comparisons that ask for more examples only while they matter.

Two gamblers bet on every paired difference: one that the new arm is better than asked for, one
that it is worse. A third bets that it is not better by as much as would be worth having. The
first to get rich decides. Nobody can get rich against the truth except with the error rate,
whenever one stops, so the rule may be applied after every example.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from workbench.stats.betting import betting_log_capital, predictable_variance
from workbench.stats.power import paired_sample_size
from workbench.stats.validation import check_confidence_level

__all__ = ["SequentialEvidence", "SequentialRule"]

Vector = NDArray[np.float64]

# Stakes for an effect of the planned size, and for one three times as large.
_MULTIPLES, _WEIGHTS = (1.0, 3.0), (0.85, 0.15)
_MAX_SHARE, _PRIOR_WEIGHT = 0.75, 0.25
_BISECTIONS = 24


class SequentialEvidence(NamedTuple):
    """Evidence after each unit, as logarithms of e-values, shape (..., n).

    Attributes
    ----------
    promote
        Against "the gain is at most the bound".
    reject
        Against "the gain is at least the bound".
    futile
        Against "the gain is at least the bound plus the minimum effect".
    """

    promote: Vector
    reject: Vector
    futile: Vector


@dataclass(frozen=True, slots=True)
class SequentialRule:
    """When to stop asking, and what to conclude: fixed before the first answer.

    Parameters
    ----------
    minimum_effect
        Smallest gain (arm minus baseline, oriented so that positive is better) worth finding,
        > 0, in the unit of the scores. The rule is quickest for gains of one to four times it.
    bound
        Gain to exceed; 0 for "better at all".
    limits
        Smallest and largest difference a pair can show: (-1, 1) for accuracy or the Brier score.
        Then the error rates hold exactly for independent units. None for unbounded scores
        (log loss, cost): then asymptotically, from `first_look` on.
    alpha
        Two-sided type I error rate: the chance of promoting or rejecting an arm whose gain
        equals the bound. Divide it by the number of arms when several are judged.
    power
        Half of 1 − power is the chance of giving up an arm that has the minimum effect.
    first_look
        Units before which unbounded scores decide nothing.

    Raises
    ------
    ValueError
        If a number is out of range, or bound and effect do not lie within the limits.

    References
    ----------
    Bets: Waudby-Smith & Ramdas (2024), JRSS B 86:1-27; stakes of the Kelly kind for a planned
    effect, as in Wald's test: Wald (1945), Annals of Mathematical Statistics 16:117-186;
    unbounded scores: see `asymptotic_confidence_sequence`.

    Examples
    --------
    >>> rule = SequentialRule(minimum_effect=0.1)
    >>> gains = np.random.default_rng(0).choice([-1, 0, 1], size=400, p=[0.1, 0.6, 0.3])
    >>> evidence = rule.evidence(gains)
    >>> int(np.argmax(evidence.promote >= rule.threshold))
    90
    """

    minimum_effect: float
    bound: float = 0.0
    limits: tuple[float, float] | None = (-1.0, 1.0)
    alpha: float = 0.05
    power: float = 0.8
    first_look: int = 100

    def __post_init__(self) -> None:
        """Check the rule."""
        check_confidence_level(self.alpha, "alpha")
        check_confidence_level(self.power, "power")
        if not 0 < self.minimum_effect < math.inf or not math.isfinite(self.bound):
            raise ValueError(
                f"minimum_effect is {self.minimum_effect!r} and bound {self.bound!r}; expected a"
                " number > 0 and a number"
            )
        if self.limits is not None:
            low, high = self.limits
            if not -math.inf < low < self.bound < self.bound + self.minimum_effect < high:
                raise ValueError(
                    f"limits are {self.limits}; expected the bound {self.bound} and the gain"
                    f" {self.bound + self.minimum_effect} within them"
                )
        if self.first_look < 2:
            raise ValueError(f"first_look is {self.first_look}; expected at least 2")

    @property
    def threshold(self) -> float:
        """Log evidence at which an arm is promoted or rejected."""
        return math.log(2 / self.alpha)

    @property
    def futility_threshold(self) -> float:
        """Log evidence at which an arm is given up."""
        return -math.log((1 - self.power) / 2)

    def evidence(self, gains: ArrayLike) -> SequentialEvidence:
        """Weigh the gains seen so far.

        Parameters
        ----------
        gains
            Paired differences in the order observed, shape (..., n); of clusters, their means.

        Returns
        -------
        SequentialEvidence

        Raises
        ------
        ValueError
            If a gain is not finite or outside the limits.
        """
        x = self._checked(gains)
        target = self.bound + self.minimum_effect
        weigh = self._betting(x) if self.limits is not None else self._asymptotic(x)
        return SequentialEvidence(weigh(self.bound, 1), weigh(self.bound, -1), weigh(target, -1))

    def interval(self, gains: ArrayLike, looks: ArrayLike) -> tuple[Vector, Vector]:
        """Return the confidence sequence that goes with the rule.

        Parameters
        ----------
        gains
            Paired differences in the order observed, shape (n,).
        looks
            Rising numbers of units at which bounds are wanted, shape (k,).

        Returns
        -------
        tuple[NDArray[np.float64], NDArray[np.float64]]
            Lower and upper bounds of the gain, each of shape (k,), running. All looks together
            cover with 1 − alpha; the lower bound exceeds `bound` exactly when the evidence
            promotes.

        Raises
        ------
        ValueError
            As `evidence`, and if a look is not within 1 … n.
        """
        x = self._checked(gains)
        at = np.asarray(looks, dtype=np.intp)
        if x.ndim != 1 or at.ndim != 1 or (at < 1).any() or (at > x.size).any():
            raise ValueError(f"gains have shape {x.shape} and looks are {at}; expected 1 … n")
        low, high = self.limits if self.limits is not None else (-math.inf, math.inf)
        lower, upper = np.full(at.size, low), np.full(at.size, high)
        for i, n in enumerate(at):
            # Wide limits when there are none: evidence there is overwhelming or there is none.
            part = x[:n]
            span = 100 * float(np.ptp(part)) + 1e-9
            outer = (low, high) if self.limits else (part.mean() - span, part.mean() + span)
            weigh = self._betting(part) if self.limits is not None else self._asymptotic(part)
            for bounds, side, edge in ((lower, 1, outer[0]), (upper, -1, outer[1])):
                before = bounds[i - 1] if i else bounds[0]
                start = before if math.isfinite(before) else edge
                bounds[i] = self._excluded(weigh, float(start), float(before), part, side)
        return lower, upper

    def fixed_n(self, sd: float) -> float:
        """Return how many pairs the fixed design of the same alpha and power asks for.

        Parameters
        ----------
        sd
            Standard deviation of the paired differences.
        """
        return paired_sample_size(sd, self.minimum_effect, alpha=self.alpha, power=self.power)

    def _checked(self, gains: ArrayLike) -> Vector:
        x = np.asarray(gains, dtype=np.float64)
        if x.size == 0 or not np.isfinite(x).all():
            raise ValueError("gains are empty or not finite; expected one or more numbers")
        if self.limits is not None and (x.min() < self.limits[0] or x.max() > self.limits[1]):
            raise ValueError(
                f"gains reach from {x.min()} to {x.max()}; expected them within {self.limits}"
            )
        return x

    def _betting(self, x: Vector) -> Callable[[float, int], Vector]:
        low, high = self.limits if self.limits is not None else (-1.0, 1.0)
        width = high - low
        variance = predictable_variance((x - low) / width, prior_weight=_PRIOR_WEIGHT) * width**2
        stake = self.minimum_effect / variance

        def weigh(null: float, side: int) -> Vector:
            if not low < null < high:
                return np.full(x.shape, -np.inf)
            parts = [
                math.log(weight)
                + betting_log_capital(
                    x,
                    multiple * stake,
                    null=null,
                    bounds=(low, high),
                    upward=side > 0,
                    max_share=_MAX_SHARE,
                )
                for multiple, weight in zip(_MULTIPLES, _WEIGHTS, strict=True)
            ]
            return np.asarray(np.logaddexp(*parts))

        return weigh

    def _asymptotic(self, x: Vector) -> Callable[[float, int], Vector]:
        t = np.arange(1, x.shape[-1] + 1)
        # Shifted by the first value, so that the squares keep their digits.
        gap = x - x[..., :1]
        mean = np.cumsum(gap, axis=-1) / t
        squares = np.maximum(np.cumsum(gap**2, axis=-1) - t * mean**2, 0.0)
        variance = squares / np.maximum(t - 1, 1) / t
        usable = (t >= self.first_look) & (variance > 0)
        variance = np.where(usable, variance, 1.0)
        ratio = self.minimum_effect**2 / variance
        mean = mean + x[..., :1]

        def weigh(null: float, side: int) -> Vector:
            # Likelihood ratios mixed over a half-normal of the planned effect's size.
            z = (mean - null) / np.sqrt(variance) * np.sqrt(ratio / (1 + ratio))
            log_e = math.log(2) + special.log_ndtr(side * z) + 0.5 * (z**2 - np.log1p(ratio))
            return np.where(usable, log_e, 0.0)

        return weigh

    def _excluded(
        self,
        weigh: Callable[[float, int], Vector],
        start: float,
        before: float,
        part: Vector,
        side: int,
    ) -> float:
        """Farthest gain that the evidence excludes, beginning from what it already did."""

        def refuted(null: float) -> bool:
            return bool(weigh(null, side)[-1] >= self.threshold)

        nudge = 1e-9 * (1 + abs(start)) * side
        if not refuted(start + nudge):
            return before
        out, kept = start + nudge, float(part.mean())
        for _ in range(_BISECTIONS):
            middle = (out + kept) / 2
            out, kept = (middle, kept) if refuted(middle) else (out, middle)
        return out
