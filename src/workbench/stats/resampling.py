"""Bootstrap of single examples or whole groups, by weights instead of copies of the data.

A resample is the number of times each row was drawn. A statistic that accepts weights can
then sort its data once and never copy them.
"""

import math
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.stats.bounds import drop_undefined, percentile_bounds
from workbench.stats.intervals import percentile_interval
from workbench.stats.results import Difference, Estimate
from workbench.stats.validation import (
    as_groups,
    as_values,
    as_weights,
    check_confidence_level,
    check_count,
)

__all__ = [
    "Statistic",
    "apply_statistic",
    "bootstrap",
    "bootstrap_difference",
    "mean_statistic",
    "resample_weights",
]

Statistic: TypeAlias = Callable[[ArrayLike], NDArray[np.float64]]
"""A figure as a function of weights: (b, n) to (b,)."""

# Elements of one batch of weights (4 MB), and of one draw, small enough for the cache.
_BATCH_SIZE = 1_000_000
_DRAW_SIZE = 32_768


def resample_weights(
    n: int,
    n_resamples: int,
    *,
    groups: ArrayLike | None = None,
    random_state: int = 0,
    batch_size: int | None = None,
) -> Iterator[NDArray[np.int32]]:
    """Yield how often each row occurs in each bootstrap resample, batch by batch.

    Parameters
    ----------
    n
        Number of rows.
    n_resamples
        Number of resamples in all.
    groups
        Group of each row, shape (n,). Whole groups are drawn: rows of a group share their
        multiplicity, and the size of a resample varies when groups differ in size.
    random_state
        Seed, ≥ 0. The same seed gives the same weights whatever the batch size.
    batch_size
        Resamples per batch; by default as many as keep a batch near 4 MB, at most 256.

    Returns
    -------
    Iterator[NDArray[np.int32]]
        Batches of shape (b, n), b ≤ batch_size. Each is a fresh array.

    Raises
    ------
    ValueError
        If a count or the seed is not a whole number in range, or `groups` has the wrong
        shape or a missing value.

    References
    ----------
    Efron & Tibshirani (1993), An Introduction to the Bootstrap, chapter 6; whole groups:
    Davison & Hinkley (1997), Bootstrap Methods and their Application, chapter 3.

    Examples
    --------
    >>> [batch.sum(axis=1).tolist() for batch in resample_weights(5, 3, batch_size=2)]
    [[5, 5], [5]]
    """
    n = check_count(n, "n")
    n_resamples = check_count(n_resamples, "n_resamples")
    seed = check_count(random_state, "random_state", minimum=0)
    coded = None if groups is None else as_groups(groups, n)
    default = min(max(_BATCH_SIZE // n, 1), 256)
    size = default if batch_size is None else check_count(batch_size, "batch_size")
    return _batches(n, n_resamples, coded, np.random.default_rng(seed), size)


def _batches(
    n: int,
    n_resamples: int,
    coded: tuple[NDArray[np.intp], int] | None,
    rng: np.random.Generator,
    size: int,
) -> Iterator[NDArray[np.int32]]:
    n_units = n if coded is None else coded[1]
    for start in range(0, n_resamples, size):
        counts = _draw_counts(rng, min(size, n_resamples - start), n_units)
        yield counts if coded is None else counts[:, coded[0]]


def _draw_counts(rng: np.random.Generator, b: int, n_units: int) -> NDArray[np.int32]:
    """Draw b times n_units units with replacement and count them: shape (b, n_units)."""
    counts = np.empty((b, n_units), dtype=np.int32)
    step = max(_DRAW_SIZE // n_units, 1)
    for i in range(0, b, step):
        block = counts[i : i + step]
        # Row by row from one stream, so the batches do not change what is drawn.
        drawn = rng.integers(0, n_units, size=block.shape)
        drawn += (np.arange(len(block)) * n_units)[:, None]
        block[:] = np.bincount(drawn.ravel(), minlength=block.size).reshape(block.shape)
    return counts


def mean_statistic(values: ArrayLike) -> Statistic:
    """Return the weighted mean of values as a function of the weights.

    Parameters
    ----------
    values
        One number per example, shape (n,): losses, costs, differences.

    Returns
    -------
    Statistic
        Maps weights of shape (n,) or (b, n) to an array of shape (b,), b = 1 for (n,):
        NaN where the weights are all 0.

    Raises
    ------
    ValueError
        If `values` has the wrong shape, is empty or not finite; when called, if weights have
        the wrong shape, are negative or not finite.

    Examples
    --------
    >>> mean_statistic([1.0, 2.0, 6.0])([[1, 1, 1], [2, 0, 0]])
    array([3., 1.])
    """
    array = as_values(values)

    def statistic(weights: ArrayLike) -> NDArray[np.float64]:
        w = as_weights(weights, array.size)
        total = w.sum(axis=1, dtype=np.float64)
        out = np.full(total.shape, np.nan)
        np.divide(w @ array, total, out=out, where=total > 0)
        return out

    return statistic


def apply_statistic(
    statistic: Statistic, n: int, weights: ArrayLike | None
) -> float | NDArray[np.float64]:
    """Call a statistic and give a plain float unless there are rows of weights.

    Parameters
    ----------
    statistic
        Maps weights of shape (n,) or (b, n) to an array of shape (b,).
    n
        Number of examples.
    weights
        Shape (n,) or (b, n); None for weights of 1.

    Returns
    -------
    float | NDArray[np.float64]
        A float for None and (n,), an array of shape (b,) for (b, n).

    Examples
    --------
    >>> apply_statistic(mean_statistic([1.0, 3.0]), 2, None)
    2.0
    """
    given = np.ones(n, dtype=np.int32) if weights is None else np.asarray(weights)
    values = statistic(given)
    return values if given.ndim == 2 else float(values[0])


def bootstrap(
    statistic: Statistic,
    n: int,
    *,
    groups: ArrayLike | None = None,
    n_resamples: int = 1000,
    random_state: int = 0,
    confidence_level: float = 0.95,
) -> Estimate:
    """Return a figure with its percentile bootstrap interval.

    Parameters
    ----------
    statistic
        Maps weights of shape (b, n) to figures of shape (b,), NaN where undefined.
    n
        Number of examples.
    groups
        Group of each example, shape (n,): whole groups are drawn.
    n_resamples
        Number of resamples; 10,000 where a decision hangs on the bounds.
    random_state
        Seed, ≥ 0.
    confidence_level
        Nominal coverage.

    Returns
    -------
    Estimate
        The figure at unit weights. With few groups (below about 30) the interval is
        somewhat too short.

    Raises
    ------
    ValueError
        If an argument is out of range, the figure is undefined on the data or on more than
        5 % of the resamples, there are too few resamples for the level, or `statistic`
        returns another shape than (b,).

    References
    ----------
    See `resample_weights` and `percentile_bounds`.

    Examples
    --------
    >>> result = bootstrap(mean_statistic(range(100)), 100)
    >>> result.estimate, round(result.standard_error, 1), result.method
    (49.5, 2.9, 'bootstrap percentile (1000 resamples)')
    """
    level = check_confidence_level(confidence_level)
    (replicates,) = _replicates((statistic,), n, groups, n_resamples, random_state)
    return percentile_interval(
        replicates[0],
        replicates[1:],
        n=n,
        n_groups=None if groups is None else as_groups(groups, n)[1],
        confidence_level=level,
        method=f"bootstrap percentile ({n_resamples} resamples)",
    )


def bootstrap_difference(
    statistic_a: Statistic,
    statistic_b: Statistic,
    n: int,
    *,
    groups: ArrayLike | None = None,
    n_resamples: int = 1000,
    random_state: int = 0,
    confidence_level: float = 0.95,
) -> Difference:
    """Return the difference a − b of two figures on the same examples, by paired bootstrap.

    Both figures are taken on the same resamples. The p-value inverts the percentile
    interval: with B resamples, of which k⁻ have a difference ≤ 0 and k⁺ one ≥ 0,
    p = min(1, 2 (1 + min(k⁻, k⁺)) / (B + 1)). It is never 0, and it is at most 1 − level
    exactly when the interval excludes 0.

    Parameters
    ----------
    statistic_a, statistic_b
        Map weights of shape (b, n) to figures of shape (b,), NaN where undefined.
    n
        Number of pairs.
    groups
        Group of each pair, shape (n,): whole groups are drawn.
    n_resamples
        Number of resamples; it bounds the p-value from below by 2 / (B + 1).
    random_state
        Seed, ≥ 0.
    confidence_level
        Nominal coverage.

    Returns
    -------
    Difference
        `statistic` is the difference in bootstrap standard errors, NaN when that is 0.

    Raises
    ------
    ValueError
        As `bootstrap`.

    References
    ----------
    Davison & Hinkley (1997), Bootstrap Methods and their Application, chapters 4 (the
    added 1) and 5.

    Examples
    --------
    >>> a, b = mean_statistic([3.0, 4.0, 6.0] * 20), mean_statistic([2.0, 4.0, 5.0] * 20)
    >>> result = bootstrap_difference(a, b, 60)
    >>> round(result.difference, 3), round(result.pvalue, 3)
    (0.667, 0.002)
    """
    level = check_confidence_level(confidence_level)
    on_a, on_b = _replicates((statistic_a, statistic_b), n, groups, n_resamples, random_state)
    difference = float(on_a[0] - on_b[0])
    if not math.isfinite(difference):
        raise ValueError(f"the difference is {difference}; expected figures defined on the data")
    defined, note = drop_undefined(on_a[1:] - on_b[1:])
    lower, upper = percentile_bounds(defined, level)
    extreme = min(int((defined <= 0).sum()), int((defined >= 0).sum()))
    error = float(np.std(defined, ddof=1))
    return Difference(
        difference=difference,
        ci_lower=lower,
        ci_upper=upper,
        standard_error=error,
        statistic=difference / error if error > 0 else math.nan,
        pvalue=min(1.0, 2 * (1 + extreme) / (defined.size + 1)),
        n=n,
        n_groups=None if groups is None else as_groups(groups, n)[1],
        confidence_level=level,
        method=f"paired bootstrap percentile ({n_resamples} resamples){note}",
    )


def _replicates(
    statistics: tuple[Statistic, ...],
    n: int,
    groups: ArrayLike | None,
    n_resamples: int,
    random_state: int,
) -> list[NDArray[np.float64]]:
    """Return each statistic on the data (first) and on the common resamples (the rest)."""
    batches = resample_weights(n, n_resamples, groups=groups, random_state=random_state)
    columns = [[_evaluate(s, np.ones((1, n), dtype=np.int32))] for s in statistics]
    for weights in batches:
        for column, statistic in zip(columns, statistics, strict=True):
            column.append(_evaluate(statistic, weights))
    return [np.concatenate(column) for column in columns]


def _evaluate(statistic: Statistic, weights: NDArray[np.int32]) -> NDArray[np.float64]:
    values: NDArray[Any] = np.asarray(statistic(weights))
    if values.shape != weights.shape[:1]:
        raise ValueError(
            f"statistic gave shape {values.shape} for weights of shape {weights.shape};"
            f" expected {weights.shape[:1]}"
        )
    return values.astype(np.float64, copy=False)
