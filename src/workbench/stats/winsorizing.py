"""Caps on extreme values, the same for every arm."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.stats.validation import as_values

__all__ = ["Winsorized", "winsorize"]


class Winsorized(NamedTuple):
    """Values with their extremes replaced by common caps.

    Attributes
    ----------
    values
        The values of each arm, in the order given.
    lower, upper
        The caps; −∞ and ∞ where nothing was capped on that side.
    n_lower, n_upper
        How many values were raised and lowered, over all arms.
    """

    values: tuple[NDArray[np.float64], ...]
    lower: float
    upper: float
    n_lower: int
    n_upper: int


def winsorize(
    arms: Sequence[ArrayLike],
    *,
    lower: float = 0.0,
    upper: float = 0.0,
    ignore_zeros: bool = False,
) -> Winsorized:
    """Replace the extremes of all arms by caps taken from all arms together.

    A cap of each arm's own would hide part of the effect it is meant to measure, and make arms
    differ that do not.

    Parameters
    ----------
    arms
        Values per unit of each arm, each of shape (n,). For a ratio, cap numerator and
        denominator each on their own.
    lower, upper
        Share of the pooled values to cap at each end, in [0, 0.5]: 0.01 as `upper` caps at the
        99th percentile.
    ignore_zeros
        Whether the caps come from the values that are not 0, as for revenue, where most
        units have none.

    Returns
    -------
    Winsorized

    Raises
    ------
    ValueError
        If an arm is empty or not finite, a share is out of range, or no value is left to take
        caps from.

    References
    ----------
    As `scipy.stats.mstats.winsorize`: ⌊share · n⌋ values are replaced at each end by the most
    extreme one kept.

    Examples
    --------
    >>> found = winsorize([[10, 4, 9, 8, 5], [3, 7, 2, 1, 6]], lower=0.1, upper=0.2)
    >>> [v.tolist() for v in found.values], found.upper
    ([[8.0, 4.0, 8.0, 8.0, 5.0], [3.0, 7.0, 2.0, 2.0, 6.0]], 8.0)
    """
    known = [as_values(arm, f"arm {i}") for i, arm in enumerate(arms)]
    if not known:
        raise ValueError("no arms; expected at least one")
    for name, share in (("lower", lower), ("upper", upper)):
        if not 0 <= share <= 0.5:
            raise ValueError(f"{name} is {share!r}; expected a share in [0, 0.5]")
    pooled = np.concatenate(known)
    used = pooled[pooled != 0] if ignore_zeros else pooled
    if used.size == 0:
        raise ValueError("every value is 0; expected some to take the caps from")
    n_low, n_high = (math.floor(share * used.size + 1e-9) for share in (lower, upper))
    if n_low + n_high >= used.size:
        raise ValueError(f"lower and upper would cap all {used.size} values; expected some kept")
    ordered = np.partition(used, (n_low, used.size - n_high - 1))
    low = float(ordered[n_low]) if n_low else -math.inf
    high = float(ordered[used.size - n_high - 1]) if n_high else math.inf
    # Zeros that were set aside stay zeros.
    kept = [(arm != 0) | (not ignore_zeros) for arm in known]
    values = tuple(np.where(k, np.clip(a, low, high), a) for a, k in zip(known, kept, strict=True))
    return Winsorized(values, low, high, int(np.sum(used < low)), int(np.sum(used > high)))
