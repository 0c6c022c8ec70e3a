"""Corrections for looking at several comparisons at once."""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.stats.validation import check_confidence_level, check_count

__all__ = ["Adjustment", "adjust_pvalues", "simultaneous_confidence_level"]

Adjustment = Literal["holm", "hochberg", "bonferroni", "bh", "by"]
"""How p-values are adjusted."""


def adjust_pvalues(pvalues: ArrayLike, method: Adjustment = "holm") -> NDArray[np.float64]:
    """Return p-values adjusted for the number of comparisons.

    Parameters
    ----------
    pvalues
        Shape (m,). NaN, for a comparison that could not be tested, stays NaN and is not
        counted.
    method
        "holm" or "bonferroni" bound the chance of any false finding, and Holm is never the
        weaker; "hochberg" is never weaker than Holm, for independent or positively dependent
        tests. "bh" bounds the expected share of false findings among the findings, for such
        tests; "by" does so under any dependence.

    Returns
    -------
    NDArray[np.float64]
        Shape (m,), in the order given, each in [0, 1].

    Raises
    ------
    ValueError
        If `pvalues` is not one-dimensional, a value lies outside [0, 1], or `method` is
        unknown.

    References
    ----------
    Holm (1979), Scandinavian Journal of Statistics 6:65-70; Benjamini & Hochberg (1995),
    JRSS B 57:289-300; Hochberg (1988), Biometrika 75:800-802; Benjamini & Yekutieli (2001),
    Annals of Statistics 29:1165-1188.

    Examples
    --------
    >>> adjust_pvalues([0.01, 0.04, 0.03, np.nan], "holm").round(3).tolist()
    [0.03, 0.06, 0.06, nan]
    """
    p = np.asarray(pvalues, dtype=np.float64)
    if p.ndim != 1:
        raise ValueError(f"pvalues has shape {p.shape}; expected one dimension, (m,)")
    tested = ~np.isnan(p)
    known = p[tested]
    if ((known < 0) | (known > 1)).any():
        raise ValueError(
            f"pvalues reach from {known.min()} to {known.max()}; expected values in [0, 1]"
        )
    order = np.argsort(known, kind="stable")
    ranked, m = known[order], known.size
    if method == "bonferroni":
        adjusted = ranked * m
    elif method == "holm":
        adjusted = np.maximum.accumulate(ranked * np.arange(m, 0, -1))
    elif method in ("hochberg", "bh", "by"):
        scaled = ranked * (np.arange(m, 0, -1) if method == "hochberg" else m / np.arange(1, m + 1))
        if method == "by":
            scaled = scaled * np.sum(1 / np.arange(1, m + 1))
        adjusted = np.minimum.accumulate(scaled[::-1])[::-1]
    else:
        raise ValueError(
            f"method is {method!r}; expected 'holm', 'hochberg', 'bonferroni', 'bh' or 'by'"
        )
    restored = np.empty(m)
    restored[order] = np.minimum(adjusted, 1.0)
    out = np.full(p.shape, np.nan)
    out[tested] = restored
    return out


def simultaneous_confidence_level(confidence_level: float, n_comparisons: int) -> float:
    """Return the level each interval needs so that all hold together at the wanted level.

    Parameters
    ----------
    confidence_level
        Wanted probability that all intervals cover, at least.
    n_comparisons
        Number of intervals.

    Returns
    -------
    float
        1 − (1 − confidence_level) / n_comparisons.

    Raises
    ------
    ValueError
        If `confidence_level` is not in (0, 1) or `n_comparisons` is not a whole number ≥ 1.

    References
    ----------
    Bonferroni's inequality; Dunn (1961), JASA 56:52-64.

    Examples
    --------
    >>> round(simultaneous_confidence_level(0.95, 5), 4)
    0.99
    """
    level = check_confidence_level(confidence_level)
    return 1.0 - (1.0 - level) / check_count(n_comparisons, "n_comparisons")
