"""Confidence sequences for bounded values without any approximation, by betting.

A gambler stakes part of a growing capital on each value lying above (or below) a hypothetical
mean. If the hypothesis is true the game is fair, and the capital exceeds 1/alpha with
probability at most alpha, ever. Means at which some gambler got rich are excluded.
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from workbench.stats.anytime import ConfidenceSequence
from workbench.stats.validation import as_values, check_confidence_level, check_count

__all__ = [
    "betting_confidence_sequence",
    "betting_log_capital",
    "binomial_confidence_sequence",
    "predictable_variance",
]

Vector = NDArray[np.float64]

# Stakes stay below this share of what would risk the whole capital.
_MAX_STAKE = 0.5
_BLOCK = 1_000_000


def betting_confidence_sequence(
    values: ArrayLike,
    *,
    bounds: tuple[float, float] = (0.0, 1.0),
    null: float | None = None,
    n_grid: int = 1000,
    confidence_level: float = 0.95,
) -> ConfidenceSequence:
    """Return a confidence sequence for the mean of bounded values, by hedged capital.

    Parameters
    ----------
    values
        Independent values in the order observed, shape (n,), within `bounds`.
    bounds
        Smallest and largest value possible, known beforehand.
    null
        Value the e-value speaks against; the middle of the bounds by default.
    n_grid
        Candidate means; the bounds are rounded outwards to them.
    confidence_level
        Nominal coverage; it holds at every n, whatever the distribution.

    Returns
    -------
    ConfidenceSequence
        Shape (n,), bounds running (they never widen).

    Raises
    ------
    ValueError
        If a value lies outside the bounds, they are not in order, or a number is out of range.

    References
    ----------
    Waudby-Smith & Ramdas (2024), "Estimating means of bounded random variables by betting",
    JRSS B 86:1-27, arXiv:2010.09686: hedged capital, predictable plug-in bets, truncated at 1/2.

    Examples
    --------
    >>> x = np.random.default_rng(0).beta(10, 30, 1000)
    >>> found = betting_confidence_sequence(x)
    >>> round(float(found.ci_lower[-1]), 3), round(float(found.ci_upper[-1]), 3)
    (0.247, 0.259)
    """
    low, high = _checked_bounds(bounds)
    x = _scaled(values, low, high)
    level = check_confidence_level(confidence_level)
    n_grid = check_count(n_grid, "n_grid", minimum=10)
    middle = 0.5 if null is None else (null - low) / (high - low)
    if not 0 < middle < 1:
        raise ValueError(f"null is {null!r}; expected a number within the bounds {bounds}")
    n, alpha = x.size, 1 - level
    t = np.arange(1, n + 1)
    stake = np.sqrt(2 * math.log(2 / alpha) / (predictable_variance(x) * t * np.log1p(t)))
    grid = np.arange(1, n_grid) / n_grid
    # Capital of betting upwards falls with the candidate mean, of betting downwards it rises.
    up = _log_capital(x, grid, stake, alpha, upward=True)
    down = _log_capital(x, grid, stake, alpha, upward=False)
    lower, upper = up / n_grid, 1.0 - down / n_grid
    on_null = [
        betting_log_capital(x, stake, null=middle, bounds=(0.0, 1.0), upward=side)
        for side in (True, False)
    ]
    log_e = np.logaddexp(*on_null) - math.log(2)
    return ConfidenceSequence(
        low + (high - low) * np.cumsum(x) / t,
        low + (high - low) * np.maximum.accumulate(lower),
        low + (high - low) * np.minimum.accumulate(upper),
        log_e,
        np.minimum.accumulate(np.exp(-np.maximum(log_e, 0.0))),
        level,
        "betting (hedged capital)",
    )


def betting_log_capital(
    values: ArrayLike,
    stake: ArrayLike,
    *,
    null: float,
    bounds: tuple[float, float],
    upward: bool,
    max_share: float = _MAX_STAKE,
) -> Vector:
    """Return the log capital of betting against a mean, after each value.

    Parameters
    ----------
    values
        Values within `bounds`, shape (..., n), in the order observed.
    stake
        Amount staked per unit of value, ≥ 0, shape that broadcasts to `values`; each may only
        depend on earlier values.
    null
        The mean that would make the game fair, strictly within the bounds.
    bounds
        Smallest and largest value possible.
    upward
        Whether the gambler expects the mean to lie above the null.
    max_share
        Stakes are cut to this share, below 1, of what could lose everything.

    Returns
    -------
    NDArray[np.float64]
        Shape (..., n). Its exponential is an e-process for "the mean is at most (upward), or
        at least (downward) the null".

    Raises
    ------
    ValueError
        If the null is not strictly within the bounds or the share not in (0, 1).

    References
    ----------
    See `betting_confidence_sequence`.

    Examples
    --------
    >>> betting_log_capital([1.0, 1.0], 0.5, null=0.0, bounds=(-1.0, 1.0), upward=True).round(3)
    array([0.405, 0.811])
    """
    low, high = _checked_bounds(bounds)
    if not low < null < high:
        raise ValueError(f"null is {null!r}; expected a number within the bounds {bounds}")
    x = np.asarray(values, dtype=np.float64)
    most = check_confidence_level(max_share, "max_share") / (
        (null - low) if upward else (high - null)
    )
    bet = np.minimum(np.asarray(stake, dtype=np.float64), most)
    return np.asarray(np.cumsum(np.log1p((bet if upward else -bet) * (x - null)), axis=-1))


def predictable_variance(values: ArrayLike, *, prior_weight: float = 1.0) -> Vector:
    """Return for each value the variance as estimated from the earlier ones.

    Parameters
    ----------
    values
        Shape (..., n), in [0, 1], in the order observed.
    prior_weight
        How many values the prior guess counts as, > 0: mean 1/2 and variance 1/4, the largest
        possible.

    Returns
    -------
    NDArray[np.float64]
        Shape (..., n), > 0.

    References
    ----------
    Waudby-Smith & Ramdas (2024), section on predictable plug-in bets.

    Examples
    --------
    >>> predictable_variance([0.0, 1.0, 0.0]).round(3).tolist()
    [0.25, 0.156, 0.188]
    """
    x = np.asarray(values, dtype=np.float64)
    t = np.arange(1, x.shape[-1] + 1)
    mean = (0.5 * prior_weight + np.cumsum(x, axis=-1)) / (t + prior_weight)
    squares = 0.25 * prior_weight + np.cumsum((x - mean) ** 2, axis=-1)
    after = squares / (t + prior_weight)
    first = np.full((*x.shape[:-1], 1), 0.25)
    return np.concatenate([first, after[..., :-1]], axis=-1)


def binomial_confidence_sequence(
    successes: ArrayLike,
    n: ArrayLike,
    *,
    prior: tuple[float, float] = (0.5, 0.5),
    null: float = 0.5,
    confidence_level: float = 0.95,
) -> ConfidenceSequence:
    """Return an exact confidence sequence for a proportion, by a beta mixture.

    Parameters
    ----------
    successes, n
        Cumulative successes and trials at each look, of shapes that broadcast.
    prior
        Parameters of the beta mixture, > 0: where successes are expected the sequence is
        tightest.
    null
        Proportion the e-value speaks against, in (0, 1).
    confidence_level
        Nominal coverage.

    Returns
    -------
    ConfidenceSequence

    Raises
    ------
    ValueError
        If counts do not fit, or a parameter is out of range.

    References
    ----------
    Robbins (1970), Annals of Mathematical Statistics 41:1397-1409; Howard et al. (2021), Annals
    of Statistics 49:1055-1080, section 3.

    Examples
    --------
    >>> found = binomial_confidence_sequence([30, 300], [100, 1000])
    >>> found.ci_lower.round(3).tolist(), found.ci_upper.round(3).tolist()
    ([0.166, 0.249], [0.463, 0.355])
    """
    hits, trials = np.broadcast_arrays(np.asarray(successes, float), np.asarray(n, float))
    if (hits < 0).any() or (hits > trials).any() or (trials < 1).any():
        raise ValueError("counts are out of range; expected 0 ≤ successes ≤ n and n ≥ 1")
    a, b = prior
    if not (a > 0 and b > 0):
        raise ValueError(f"prior is {prior}; expected two numbers > 0")
    level, null = check_confidence_level(confidence_level), check_confidence_level(null, "null")
    misses = trials - hits
    mixture = special.betaln(a + hits, b + misses) - special.betaln(a, b)

    def log_e(p: Vector) -> Vector:
        return np.asarray(mixture - special.xlogy(hits, p) - special.xlog1py(misses, -p))

    share = hits / trials
    threshold = -math.log(1 - level)
    lower = _edge(log_e, np.zeros(share.shape), share, threshold)
    upper = _edge(log_e, np.ones(share.shape), share, threshold)
    against = log_e(np.full(share.shape, null))
    return ConfidenceSequence(
        share,
        np.where(hits == 0, 0.0, lower),
        np.where(misses == 0, 1.0, upper),
        against,
        np.exp(-np.maximum(against, 0.0)),
        level,
        f"beta({a:g}, {b:g}) mixture",
    )


def _edge(
    log_e: Callable[[Vector], Vector], outside: Vector, inside: Vector, threshold: float
) -> Vector:
    """Bisect between an excluded and a kept value; return the excluded end."""
    out, kept = outside.copy(), inside.copy()
    for _ in range(60):
        middle = (out + kept) / 2
        excluded = log_e(middle) >= threshold
        out, kept = np.where(excluded, middle, out), np.where(excluded, kept, middle)
    return out


def _log_capital(
    x: Vector, grid: Vector, stake: Vector, alpha: float, *, upward: bool
) -> NDArray[np.intp]:
    """Count at each time the candidate means excluded from below (upward) or from above."""
    threshold = math.log(2 / alpha)
    if not upward:
        x = 1 - x
    counts = np.empty(x.size, dtype=np.intp)
    capital = np.zeros(grid.size)
    alive = np.ones(grid.size, dtype=bool)
    step = max(_BLOCK // grid.size, 1)
    for start in range(0, x.size, step):
        block = slice(start, start + step)
        bet = np.minimum(stake[block, None], _MAX_STAKE / grid)
        path = capital + np.cumsum(np.log1p(bet * (x[block, None] - grid)), axis=0)
        capital = path[-1]
        # Once excluded, always excluded; a candidate below an excluded one is excluded too.
        kept = alive & ~np.logical_or.accumulate(path >= threshold, axis=0)
        alive = kept[-1]
        counts[block] = np.where(kept.any(axis=1), np.argmax(kept, axis=1), grid.size)
    return counts


def _scaled(values: ArrayLike, low: float, high: float) -> Vector:
    array = as_values(values)
    if array.min() < low or array.max() > high:
        raise ValueError(
            f"values reach from {array.min()} to {array.max()}; expected them within"
            f" [{low}, {high}]"
        )
    return (array - low) / (high - low)


def _checked_bounds(bounds: tuple[float, float]) -> tuple[float, float]:
    low, high = bounds
    if not -math.inf < low < high < math.inf:
        raise ValueError(f"bounds are {bounds}; expected two finite numbers in order")
    return float(low), float(high)
