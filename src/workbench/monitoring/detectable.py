"""The smallest change that a threshold lets through with a stated chance: by formula."""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import special

from workbench.monitoring.coding import CodedColumn

__all__ = ["minimum_mean_change", "minimum_mean_shift", "minimum_rate_change"]

_MOST_SD = 20.0
_STEPS = 24
# The distribution function is taken as straight between this many quantiles: its own noise would
# otherwise pass for distance.
_KNOTS = 21


def minimum_mean_shift(
    column: CodedColumn,
    reference: NDArray[np.float64],
    current: NDArray[np.float64],
    threshold: float,
    *,
    inflation: float,
    power: float,
) -> float:
    """Smallest shift of a number's mean that the Kolmogorov-Smirnov distance shows.

    Values with few ties are moved as a whole, F(x − δ). Values with many (counts, whole months)
    are weighted by exp(θx), which moves their mean and keeps their support; for a normal column
    the two are the same. The distance found exceeds its own at the point where the functions are
    farthest apart, so the power is at least the one stated.

    Parameters
    ----------
    column
        The column.
    reference, current
        Counts of its cells as observed.
    threshold
        Distance that alarms.
    inflation
        Design effect: variance of the counts over that of independent rows.
    power
        Chance with which the shift is seen.

    Returns
    -------
    float
        In standard deviations of the reference; infinite where no shift up to 20 is seen.
    """
    n0, n1 = float(reference.sum()), float(current.sum())
    missing = column.n_cells > 0 and bool(np.isnan(column.centres[0]))
    gone = float(reference[0]) / n0 if missing else 0.0
    z = float(special.ndtri(power))

    def seen(before: NDArray[np.float64], after: NDArray[np.float64]) -> bool:
        gap = (1 - gone) * np.abs(before - after)
        at = int(np.argmax(gap))
        p, q = gone + (1 - gone) * before[at], gone + (1 - gone) * after[at]
        error = math.sqrt(inflation * (p * (1 - p) / n0 + q * (1 - q) / n1))
        return bool(gap[at] - z * error >= threshold)

    if column.reference.size > 1:
        sd = float(np.std(column.reference))
        heights = np.linspace(0, 1, _KNOTS)
        knots = np.quantile(column.reference, heights)
        points = np.sort(np.concatenate([knots, column.edges]))
        before = np.interp(points, knots, heights)
        return _smallest(lambda d: seen(before, np.interp(points - d * sd, knots, heights)))
    counts, centres = (
        (reference[1:], column.centres[1:]) if missing else (reference, column.centres)
    )
    if np.count_nonzero(counts) < 2:
        return math.inf
    share = counts / counts.sum()
    mean = float(share @ centres)
    sd = math.sqrt(float(share @ (centres - mean) ** 2))
    scaled = (centres - mean) / sd
    before = np.cumsum(share)

    def tilted(theta: float) -> NDArray[np.float64]:
        with np.errstate(divide="ignore"):
            logs = np.log(share) + theta * scaled
        weights = np.exp(logs - logs.max())
        return np.asarray(weights / weights.sum())

    def shifts(sign: float) -> float:
        theta = _smallest(lambda t: seen(before, np.cumsum(tilted(sign * t))))
        return math.inf if math.isinf(theta) else abs(float(tilted(sign * theta) @ scaled))

    # Upward or downward, whichever is harder to see.
    return max(shifts(1.0), shifts(-1.0))


def minimum_rate_change(
    reference: NDArray[np.float64],
    current: NDArray[np.float64],
    threshold: float,
    *,
    inflation: float,
    power: float,
) -> float:
    """Smallest change of any one category's share that chi-square shows, the others giving alike.

    Parameters
    ----------
    reference, current
        Counts of the categories as observed.
    threshold, inflation, power
        As for `minimum_mean_shift`.

    Returns
    -------
    float
        As a share; of the category that is hardest to see, the one nearest one half. Infinite
        where not even its doubling to all or nothing is seen.

    References
    ----------
    Noncentral chi-square with λ = δ² / (p(1 − p)(1/n0 + 1/n1)); Cohen (1988), Statistical Power
    Analysis for the Behavioral Sciences, chapter 7.
    """
    n0, n1 = float(reference.sum()), float(current.sum())
    df = int(np.count_nonzero(reference + current)) - 1
    if df < 1:
        return math.inf
    noncentrality = float(special.chndtrinc(threshold / inflation, df, 1 - power))
    share = (reference / n0)[np.argmin(np.abs(reference / n0 - 0.5))]
    toward = 1.0 if share < 0.5 else -1.0

    def seen(change: float) -> bool:
        middle = share + toward * change * n1 / (n0 + n1)
        spread = inflation * middle * (1 - middle) * (1 / n0 + 1 / n1)
        return bool(change**2 >= noncentrality * spread)

    found = _smallest(seen, 1.0)
    return found if found <= max(share, 1 - share) else math.inf


def minimum_mean_change(
    standard_error: float, threshold: float, *, inflation: float, power: float
) -> float:
    """Smallest change of a mean that its squared t shows.

    Parameters
    ----------
    standard_error
        Of the difference of the two means, rows taken as independent.
    threshold
        Squared t that alarms.
    inflation, power
        As for `minimum_mean_shift`.

    Returns
    -------
    float
        In the unit of the standard error.
    """
    reach = math.sqrt(threshold) + math.sqrt(inflation) * float(special.ndtri(power))
    return reach * standard_error


def _smallest(seen: Callable[[float], bool], most: float = _MOST_SD) -> float:
    """Bisect for the smallest size that is seen."""
    low, high = 0.0, most
    if not seen(high):
        return math.inf
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if seen(middle) else (middle, high)
    return high
