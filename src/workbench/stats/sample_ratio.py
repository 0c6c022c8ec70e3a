"""Sample-ratio mismatch: whether each arm got the share of units it was configured to get."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from workbench.stats.validation import as_values, check_count

__all__ = [
    "SampleRatio",
    "SequentialSampleRatio",
    "sample_ratio_test",
    "sequential_sample_ratio",
]

# Cochran's rule for the chi-square approximation.
_MIN_EXPECTED = 5.0
_MONTE_CARLO = 100_000


class SampleRatio(NamedTuple):
    """A test of observed counts against configured shares.

    Attributes
    ----------
    pvalue
        Small when counts do not fit the shares; below 0.001 is the usual alarm.
    statistic
        Pearson's chi-square.
    df
        Its degrees of freedom.
    observed, expected
        Counts of the arms that have a share, in the order given.
    method
        "chi-square", or an exact test where an expected count is below 5.
    """

    pvalue: float
    statistic: float
    df: int
    observed: tuple[int, ...]
    expected: tuple[float, ...]
    method: str


class SequentialSampleRatio(NamedTuple):
    """A sample-ratio test at each look.

    Attributes
    ----------
    log_e_value
        Log Bayes factor against the configured shares, shape (t,).
    pvalue
        Shape (t,), never rising: the chance that it ever falls below alpha is at most alpha when
        arms get their shares.
    """

    log_e_value: NDArray[np.float64]
    pvalue: NDArray[np.float64]


def sample_ratio_test(
    counts: ArrayLike, shares: ArrayLike, *, random_state: int = 0
) -> SampleRatio:
    """Test counts of units against the configured shares of the arms.

    Parameters
    ----------
    counts
        Units observed in each arm, shape (k,), whole numbers ≥ 0.
    shares
        Configured weights, shape (k,), ≥ 0; they are scaled to add up to 1. Arms with share 0 are
        left out.
    random_state
        Seed of the Monte Carlo test.

    Returns
    -------
    SampleRatio
        By chi-square. Where an expected count is below 5: for two arms by the exact binomial
        test, for more by the multinomial with 100,000 draws. P-value 1 when there are no units.

    Raises
    ------
    ValueError
        If shapes differ, counts are not whole numbers ≥ 0, a share is negative, or fewer than
        two arms have one.

    References
    ----------
    Fabijan et al. (2019), KDD, 2156-2164; Cochran (1954), Biometrics 10:417-451.

    Examples
    --------
    >>> round(sample_ratio_test([1000, 1200], [0.5, 0.5]).pvalue, 8)
    2.008e-05
    """
    observed, shares_known = _checked(counts, shares)
    n = float(observed.sum())
    expected = n * shares_known
    df = observed.size - 1
    statistic = float(((observed - expected) ** 2 / expected).sum()) if n else 0.0
    if n == 0:
        pvalue, method = 1.0, "no units"
    elif expected.min() >= _MIN_EXPECTED:
        pvalue, method = float(special.chdtrc(df, statistic)), "chi-square"
    elif observed.size == 2:
        pvalue = _exact_binomial(int(observed[0]), int(n), float(shares_known[0]))
        method = "exact binomial: an expected count is below 5"
    else:
        draws = np.random.default_rng(random_state).multinomial(int(n), shares_known, _MONTE_CARLO)
        drawn = ((draws - expected) ** 2 / expected).sum(axis=1)
        extreme = int(np.sum(drawn >= statistic * (1 - 1e-12)))
        pvalue = (1 + extreme) / (1 + _MONTE_CARLO)
        method = "exact multinomial by Monte Carlo: an expected count is below 5"
    counted = tuple(int(x) for x in observed)
    return SampleRatio(pvalue, statistic, df, counted, tuple(expected.tolist()), method)


def sequential_sample_ratio(
    counts: ArrayLike, shares: ArrayLike, *, concentration: float = 10_000.0
) -> SequentialSampleRatio:
    """Test counts against the configured shares at any number of looks.

    Parameters
    ----------
    counts
        Cumulative units in each arm at each look, shape (t, k).
    shares
        Configured weights, shape (k,).
    concentration
        Of the Dirichlet prior around the shares, > 0: large finds small mismatches in large
        samples, small finds large ones early.

    Returns
    -------
    SequentialSampleRatio

    Raises
    ------
    ValueError
        If shapes do not fit, counts fall or are no whole numbers ≥ 0, a share is negative, or
        `concentration` is not > 0.

    References
    ----------
    Lindon & Malek (2022), NeurIPS, arXiv:2011.03567: the Dirichlet-multinomial Bayes factor.

    Examples
    --------
    >>> found = sequential_sample_ratio([[53, 47], [173, 127]], [1, 1], concentration=100)
    >>> found.pvalue.round(3).tolist()
    [1.0, 0.141]
    """
    table = np.asarray(counts, dtype=np.float64)
    if table.ndim != 2 or table.size == 0:
        raise ValueError(f"counts has shape {table.shape}; expected (t, k)")
    if (np.diff(table, axis=0) < 0).any():
        raise ValueError("counts fall from one look to the next; expected cumulative counts")
    if not 0 < concentration < math.inf:
        raise ValueError(f"concentration is {concentration!r}; expected a finite number > 0")
    parts = [_checked(row, shares) for row in table]
    observed, share = np.stack([p[0] for p in parts]), parts[0][1]
    prior = concentration * share
    log_bayes_factor = (
        special.gammaln(concentration)
        - special.gammaln(concentration + observed.sum(axis=1))
        + (special.gammaln(prior + observed) - special.gammaln(prior)).sum(axis=1)
        - observed @ np.log(share)
    )
    pvalue = np.minimum.accumulate(np.exp(-np.maximum(log_bayes_factor, 0.0)))
    return SequentialSampleRatio(log_bayes_factor, pvalue)


def _checked(
    counts: ArrayLike, shares: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Counts and shares, adding up to 1, of the arms that have a share."""
    observed, weights = as_values(counts, "counts"), as_values(shares, "shares")
    if observed.shape != weights.shape:
        raise ValueError(
            f"counts has {observed.size} arms and shares {weights.size}; expected the same"
        )
    for value in observed:
        check_count(float(value), "a count", minimum=0)
    if (weights < 0).any() or np.count_nonzero(weights) < 2:
        raise ValueError(f"shares are {weights.tolist()}; expected two or more > 0, none < 0")
    used = weights > 0
    return observed[used], weights[used] / weights.sum()


def _exact_binomial(successes: int, n: int, share: float) -> float:
    """Two-sided p-value: the probability of all counts no likelier than the one seen."""
    k = np.arange(n + 1)
    log_mass = (
        special.gammaln(n + 1)
        - special.gammaln(k + 1)
        - special.gammaln(n - k + 1)
        + special.xlogy(k, share)
        + special.xlog1py(n - k, -share)
    )
    unlikely = log_mass <= log_mass[successes] + 1e-7
    return min(1.0, float(np.exp(log_mass[unlikely]).sum()))
