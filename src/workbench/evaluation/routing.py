"""Ways to choose the rows a strong model is asked about, and what each comes to."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from workbench.stats import mean_interval

__all__ = ["STEPS", "CurvePoint", "Routes", "calls_needed", "gain_recovered", "route_curve"]

Vector = NDArray[np.float64]

STEPS = 20


class CurvePoint(NamedTuple):
    """A way to route, at one share.

    Attributes
    ----------
    router
        "cascade", "random", "length" or "oracle"; "last" for the last member alone.
    share
        Share of rows the last member is asked about.
    threshold
        Of the router's score; NaN at random.
    cost_per_1000_usd
        Cost of 1,000 predictions.
    estimate, ci_lower, ci_upper
        Quality with its pointwise interval; at random, over the draw too.
    """

    router: str
    share: float
    threshold: float
    cost_per_1000_usd: float
    estimate: float
    ci_lower: float
    ci_upper: float


@dataclass(frozen=True)
class Routes:
    """What each row would come to at either end, in the metric and in dollars."""

    first: Vector
    last: Vector
    first_cost: Vector
    last_cost: Vector
    groups: NDArray[Any] | None
    level: float

    def at(self, router: str, score: Vector, threshold: float) -> CurvePoint:
        """Ask the last member above a threshold of a router's score."""
        chosen = score > threshold
        first_cost = self.first_cost if router == "cascade" else self.first_cost * ~chosen
        return self._point(
            router,
            float(chosen.mean()),
            threshold,
            np.where(chosen, self.last, self.first),
            first_cost + self.last_cost * chosen,
        )

    def at_random(self, share: float) -> CurvePoint:
        """Ask the last member about a share of the rows, the first stage about the others."""
        gain = self.last - self.first
        cost = (1 - share) * self.first_cost + share * self.last_cost
        point = self._point("random", share, np.nan, self.first + share * gain, cost)
        # Beside the examples' own spread, the draw's: it is independent of everything.
        half = point.ci_upper - point.estimate
        of_draw = share * (1 - share) * float(np.mean(gain**2)) / len(gain)
        half = float(np.hypot(half, _reach(self.level) * np.sqrt(of_draw)))
        return point._replace(ci_lower=point.estimate - half, ci_upper=point.estimate + half)

    def last_only(self) -> CurvePoint:
        """Ask the last member about everything, and nobody else."""
        return self._point("last", 1.0, np.nan, self.last, self.last_cost)

    def random_share(self, cost_usd: float) -> float:
        """Share of the rows that can go to the last member at random for a mean cost."""
        low, high = float(self.first_cost.mean()), float(self.last_cost.mean())
        return float(np.clip((cost_usd - low) / (high - low), 0, 1)) if high > low else 1.0

    def affordable(self, router: str, score: Vector, cost_usd: float) -> CurvePoint:
        """Escalate as far down a router's score as a mean cost allows."""
        order = np.argsort(-score, kind="stable")
        ends = np.flatnonzero(np.append(np.diff(score[order]) != 0, True))
        extra = np.cumsum((self.last_cost - self.first_cost)[order])[ends] / len(score)
        within = np.flatnonzero(float(self.first_cost.mean()) + extra <= cost_usd * (1 + 1e-9))
        if not len(within):
            return self.at(router, score, np.inf)
        k = int(ends[within[-1]]) + 1
        falling = score[order]
        return self.at(router, score, float(falling[k]) if k < len(score) else -np.inf)

    def _point(
        self, router: str, share: float, threshold: float, quality: Vector, cost: Vector
    ) -> CurvePoint:
        found = mean_interval(quality, groups=self.groups, confidence_level=self.level)
        return CurvePoint(
            router,
            share,
            threshold,
            1000 * float(cost.mean()),
            found.estimate,
            found.ci_lower,
            found.ci_upper,
        )


def route_curve(rows: Routes, router: str, score: Vector) -> list[CurvePoint]:
    """Points at about every twentieth share; rows of equal score go together."""
    values = np.unique(score)[::-1]
    thresholds = np.concatenate([values, [-np.inf]])
    falling = np.sort(score)[::-1]
    shares = np.searchsorted(-falling, -thresholds, side="left") / len(score)
    wanted = {int(np.abs(shares - step / STEPS).argmin()) for step in range(STEPS + 1)}
    return [rows.at(router, score, float(thresholds[i])) for i in sorted(wanted)]


def gain_recovered(score: Vector, gains: Vector, weights: Vector) -> Vector:
    """Area under recovered gain against share, for each row of resampling weights."""
    order = np.argsort(-score, kind="stable")
    starts = np.flatnonzero(np.append(True, np.diff(score[order]) != 0))
    # Within a tie the rows are escalated in random order: the curve is straight there.
    calls = np.add.reduceat(weights[:, order], starts, axis=1)
    won = np.add.reduceat(weights[:, order] * gains[order], starts, axis=1)
    after = np.cumsum(won, axis=1)
    area = ((after - won / 2) * calls).sum(axis=1) / weights.sum(axis=1)
    total = after[:, -1]
    return np.asarray(area / np.where(total > 0, total, np.nan))


def calls_needed(score: Vector, gains: Vector, share: float) -> float:
    """Smallest share of rows, by falling score, that recovers a share of the gain."""
    order = np.argsort(-score, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(score[order]) != 0, True))
    enough = np.cumsum(gains[order])[ends] >= share * gains.sum() - 1e-12
    return float((ends[np.flatnonzero(enough)[0]] + 1) / len(gains))


def _reach(level: float) -> float:
    return float(ndtri((1 + level) / 2))
