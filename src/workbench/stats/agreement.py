"""Agreement between raters: Cohen's kappa and Krippendorff's alpha, with intervals."""

import math
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.stats.bounds import normal_quantile
from workbench.stats.intervals import percentile_interval
from workbench.stats.resampling import resample_weights
from workbench.stats.results import Estimate
from workbench.stats.validation import as_groups, check_confidence_level, check_count

__all__ = ["AgreementLevel", "KappaWeights", "cohen_kappa", "krippendorff_alpha"]

KappaWeights = Literal["none", "linear", "quadratic"]
"""How disagreements of ordered categories are weighted."""

AgreementLevel = Literal["nominal", "ordinal", "interval"]
"""Level of measurement of the ratings."""


def cohen_kappa(
    first: ArrayLike,
    second: ArrayLike,
    *,
    weights: KappaWeights = "none",
    categories: ArrayLike | None = None,
    confidence_level: float = 0.95,
) -> Estimate:
    """Return Cohen's kappa of two raters, with its large-sample interval.

    Parameters
    ----------
    first, second
        Category each rater gave each unit, shape (n,), none missing.
    weights
        "none" counts every disagreement alike; "linear" and "quadratic" by the distance of the
        categories' ranks.
    categories
        All categories in order; by default those that occur, sorted.
    confidence_level
        Nominal coverage.

    Returns
    -------
    Estimate
        At most 1, to which the upper bound is clipped. NaN, with the interval [−1, 1], when
        both raters gave one and the same category throughout: there is no chance to disagree.

    Raises
    ------
    ValueError
        If shapes differ, there are no units, a rating is missing or not among the categories.

    References
    ----------
    Cohen (1968), Psychological Bulletin 70:213-220; its standard error: Fleiss, Cohen & Everitt
    (1969), ibid. 72:323-327.

    Examples
    --------
    >>> found = cohen_kappa([1, 1, 2, 2, 3, 3], [1, 2, 2, 2, 3, 3], weights="quadratic")
    >>> round(found.estimate, 3), round(found.ci_lower, 3)
    (0.857, 0.595)
    """
    level = check_confidence_level(confidence_level)
    table = _table(first, second, categories)
    n, k = int(table.sum()), len(table)
    share = table / n
    rows, columns = share.sum(axis=1), share.sum(axis=0)
    ranks = np.arange(k)
    distance = np.abs(ranks[:, None] - ranks)
    span = max(k - 1, 1)
    if weights == "none":
        agree = (distance == 0).astype(np.float64)
    elif weights in ("linear", "quadratic"):
        agree = 1.0 - (distance / span) ** (1 if weights == "linear" else 2)
    else:
        raise ValueError(f"weights is {weights!r}; expected 'none', 'linear' or 'quadratic'")
    observed, chance = float((agree * share).sum()), float(rows @ agree @ columns)
    method = "cohen" if weights == "none" else f"cohen, {weights} weights"
    if chance >= 1.0 - 1e-15:
        return Estimate(math.nan, -1.0, 1.0, math.nan, n, None, level, method)
    kappa = (observed - chance) / (1 - chance)
    mean_weight = (agree @ columns)[:, None] + (rows @ agree)
    inner = (share * (agree - mean_weight * (1 - kappa)) ** 2).sum()
    variance = float(inner - (kappa - chance * (1 - kappa)) ** 2) / (n * (1 - chance) ** 2)
    error = math.sqrt(max(variance, 0.0))
    half = normal_quantile(level) * error
    low, high = max(kappa - half, -1.0), min(kappa + half, 1.0)
    return Estimate(kappa, low, high, error, n, None, level, method)


def krippendorff_alpha(
    ratings: ArrayLike,
    *,
    level: AgreementLevel = "nominal",
    groups: ArrayLike | None = None,
    n_resamples: int = 1000,
    random_state: int = 0,
    confidence_level: float = 0.95,
) -> Estimate:
    """Return Krippendorff's alpha of any number of raters, with a bootstrap interval by unit.

    Parameters
    ----------
    ratings
        Numbers (codes of categories for level "nominal"), shape (raters, units), NaN where a
        rater did not rate a unit.
    level
        "nominal", "ordinal" (by ranks) or "interval" (by squared differences).
    groups
        Cluster of each unit, shape (units,): whole clusters are drawn.
    n_resamples
        Number of resamples.
    random_state
        Seed, ≥ 0.
    confidence_level
        Nominal coverage.

    Returns
    -------
    Estimate
        At most 1; 0 is chance. `n` counts the units with two ratings or more. NaN, with infinite
        bounds, when all ratings are the same: nothing could have been disagreed upon.

    Raises
    ------
    ValueError
        If the shape is wrong, no unit has two ratings, the level is unknown, or alpha is undefined
        on more than 5 % of the resamples.

    References
    ----------
    Krippendorff (2011), "Computing Krippendorff's Alpha-Reliability", University of Pennsylvania;
    Hayes & Krippendorff (2007), Communication Methods and Measures 1:77-89.

    Examples
    --------
    >>> nan = np.nan
    >>> ratings = [[nan, nan, nan, nan, nan, 3, 4, 1, 2, 1, 1, 3, 3, nan, 3],
    ...            [1, nan, 2, 1, 3, 3, 4, 3, nan, nan, nan, nan, nan, nan, nan],
    ...            [nan, nan, 2, 1, 3, 4, 4, nan, 2, 1, 1, 3, 3, nan, 4]]
    >>> round(krippendorff_alpha(ratings).estimate, 3)
    0.691
    """
    confidence = check_confidence_level(confidence_level)
    if level not in ("nominal", "ordinal", "interval"):
        raise ValueError(f"level is {level!r}; expected 'nominal', 'ordinal' or 'interval'")
    check_count(n_resamples, "n_resamples")
    counts, values, used = _counts(ratings)
    n = len(counts)
    statistic = _alpha_of(counts, values, level)
    clusters = None if groups is None else as_groups(np.asarray(groups)[used], n)
    point = float(statistic(np.ones((1, n)))[0])
    n_groups = None if clusters is None else clusters[1]
    if math.isnan(point):
        return Estimate(
            math.nan, -math.inf, math.inf, math.nan, n, n_groups, confidence, "all ratings equal"
        )
    batches = resample_weights(
        n,
        n_resamples,
        groups=None if clusters is None else clusters[0],
        random_state=random_state,
    )
    return percentile_interval(
        point,
        np.concatenate([statistic(batch) for batch in batches]),
        n=n,
        n_groups=n_groups,
        confidence_level=confidence,
        method=f"krippendorff {level}, bootstrap by unit ({n_resamples} resamples)",
    )


class _Table(NamedTuple):
    counts: NDArray[np.float64]
    values: NDArray[np.float64]
    used: NDArray[np.bool_]


def _counts(ratings: ArrayLike) -> _Table:
    """Count how often each value was given to each unit that has two ratings or more."""
    table = np.asarray(ratings, dtype=np.float64)
    if table.ndim != 2:
        raise ValueError(f"ratings has shape {table.shape}; expected (raters, units)")
    given = ~np.isnan(table)
    if np.isinf(table).any():
        raise ValueError("ratings hold infinity; expected numbers, NaN where there is none")
    used = given.sum(axis=0) >= 2
    if not used.any():
        raise ValueError("no unit has two ratings; expected at least one")
    kept = given[:, used]
    values, codes = np.unique(table[:, used][kept], return_inverse=True)
    counts = np.zeros((int(used.sum()), values.size))
    np.add.at(counts, (np.nonzero(kept)[1], codes), 1.0)
    return _Table(counts, values, used)


def _alpha_of(
    counts: NDArray[np.float64], values: NDArray[np.float64], level: str
) -> Callable[[NDArray[Any]], NDArray[np.float64]]:
    """Alpha as a function of unit weights (b, n): 1 − observed over expected disagreement."""
    per_unit = counts.sum(axis=1)

    def statistic(weights: NDArray[Any]) -> NDArray[np.float64]:
        w = np.asarray(weights, dtype=np.float64)
        totals = w @ counts
        n = totals.sum(axis=1)
        share = w / (per_unit - 1)
        if level == "nominal":
            observed = share @ (per_unit**2 - (counts**2).sum(axis=1))
            expected = n**2 - (totals**2).sum(axis=1)
        else:
            # Ordinal distances are those of midranks, which depend on the resample.
            score = np.cumsum(totals, axis=1) - totals / 2
            if level == "interval":
                score = np.broadcast_to(values - values.mean(), totals.shape)
            first, second = score @ counts.T, score**2 @ counts.T
            observed = (share * 2 * (per_unit * second - first**2)).sum(axis=1)
            mean = (totals * score).sum(axis=1)
            expected = 2 * (n * (totals * score**2).sum(axis=1) - mean**2)
        out = np.full(n.shape, np.nan)
        varied = (totals > 0).sum(axis=1) > 1
        np.divide((n - 1) * observed, expected, out=out, where=varied)
        return 1.0 - out

    return statistic


def _table(
    first: ArrayLike, second: ArrayLike, categories: ArrayLike | None
) -> NDArray[np.float64]:
    a, b = np.asarray(first), np.asarray(second)
    if a.ndim != 1 or a.shape != b.shape or a.size == 0:
        raise ValueError(f"ratings have shapes {a.shape} and {b.shape}; expected the same, (n,)")
    # The same check of missing values as for groups.
    as_groups(a, a.size)
    as_groups(b, b.size)
    known = np.unique(np.concatenate([a, b])) if categories is None else np.asarray(categories)
    position = {value: i for i, value in enumerate(known.tolist())}
    unknown = [x for x in (*a.tolist(), *b.tolist()) if x not in position]
    if unknown:
        raise ValueError(f"rating {unknown[0]!r} is not among the categories {known.tolist()}")
    table = np.zeros((known.size, known.size))
    rows = np.array([position[x] for x in a.tolist()])
    columns = np.array([position[x] for x in b.tolist()])
    np.add.at(table, (rows, columns), 1.0)
    return table
