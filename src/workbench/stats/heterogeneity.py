"""Whether effects differ between groups of units: the test of interaction."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from workbench.stats.validation import as_values, check_same_length

__all__ = ["Heterogeneity", "heterogeneity_test"]


class Heterogeneity(NamedTuple):
    """A test of equal effects in independent groups.

    Attributes
    ----------
    pvalue
        Of equal effects.
    statistic
        Cochran's Q.
    df
        Its degrees of freedom: groups − 1.
    pooled
        Precision-weighted mean effect.
    i_squared
        Share of the spread of the estimates that is not sampling error, in [0, 1).
    """

    pvalue: float
    statistic: float
    df: int
    pooled: float
    i_squared: float


def heterogeneity_test(estimates: ArrayLike, standard_errors: ArrayLike) -> Heterogeneity:
    """Test whether independent estimates of an effect share one true value.

    Parameters
    ----------
    estimates
        Effect in each group, shape (k,), k ≥ 2.
    standard_errors
        Their standard errors, > 0, shape (k,).

    Returns
    -------
    Heterogeneity
        For two groups this is the z test of the difference of the two effects.

    Raises
    ------
    ValueError
        If shapes differ, there are fewer than two groups, or an error is not > 0.

    References
    ----------
    Cochran (1954), Biometrics 10:101-129; Higgins & Thompson (2002), Statistics in Medicine
    21:1539-1558, for I².

    Examples
    --------
    >>> found = heterogeneity_test([0.1, 0.5], [0.1, 0.1])
    >>> round(found.statistic, 3), found.df, round(found.pvalue, 4)
    (8.0, 1, 0.0047)
    """
    effect, error = as_values(estimates, "estimates"), as_values(standard_errors, "standard_errors")
    k = check_same_length(estimates=effect, standard_errors=error)
    if k < 2:
        raise ValueError(f"there are {k} groups; expected two or more")
    if not (error > 0).all():
        raise ValueError(f"standard_errors reach down to {error.min()}; expected numbers > 0")
    # Relative weights, so that tiny errors do not overflow.
    weight = (error.min() / error) ** 2
    pooled = float(weight @ effect / weight.sum())
    statistic = float((((effect - pooled) / error) ** 2).sum())
    pvalue = float(special.chdtrc(k - 1, statistic))
    spread = max(0.0, 1.0 - (k - 1) / statistic) if statistic > 0 else 0.0
    return Heterogeneity(pvalue, statistic, k - 1, pooled, float(np.float64(spread)))
