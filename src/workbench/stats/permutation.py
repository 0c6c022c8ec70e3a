"""Sign-flip permutation test of paired differences."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.stats.effects import check_alternative
from workbench.stats.power import Alternative
from workbench.stats.validation import as_groups, as_values, check_count

__all__ = ["sign_flip_pvalue"]

# With so few units all sign patterns are gone through.
_EXACT_UNITS = 16
_BLOCK = 4_000_000


def sign_flip_pvalue(
    differences: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    n_resamples: int = 9999,
    alternative: Alternative = "two-sided",
    random_state: int = 0,
) -> float:
    """Test whether paired differences are symmetric about 0, by flipping their signs.

    Parameters
    ----------
    differences
        Figure of a minus figure of b for each example, shape (n,).
    groups
        Group of each example, shape (n,): the signs of a group flip together.
    n_resamples
        Random sign patterns; with 16 units or fewer all 2ⁿ patterns are used instead.
    alternative
        Side on which the sum of differences is extreme.
    random_state
        Seed, ≥ 0.

    Returns
    -------
    float
        Exact in finite samples under the null hypothesis that a and b may be exchanged; at least
        1/(n_resamples + 1).

    Raises
    ------
    ValueError
        If shapes are wrong, values not finite, or an argument out of range.

    References
    ----------
    Fisher (1935), The Design of Experiments, section 21; the added 1: Phipson & Smyth (2010),
    Statistical Applications in Genetics and Molecular Biology 9:39.

    Examples
    --------
    >>> sign_flip_pvalue([0.3, 0.1, 0.4, 0.2, 0.5, 0.1])
    0.03125
    """
    values: NDArray[np.float64] = as_values(differences, "differences")
    check_alternative(alternative)
    n_resamples = check_count(n_resamples, "n_resamples")
    rng = np.random.default_rng(check_count(random_state, "random_state", minimum=0))
    if groups is not None:
        codes, n_groups = as_groups(groups, values.size)
        values = np.bincount(codes, values, minlength=n_groups).astype(np.float64)
    values = values[values != 0]
    observed = float(values.sum())
    tolerance = 1e-12 * float(np.abs(values).sum())
    if values.size <= _EXACT_UNITS:
        patterns = np.arange(2**values.size)[:, None] >> np.arange(values.size) & 1
        sums = (1 - 2 * patterns) @ values
        return _extreme(sums, observed, tolerance, alternative) / sums.size
    extreme, step = 0, max(_BLOCK // values.size, 1)
    for start in range(0, n_resamples, step):
        signs = _signs(rng, min(step, n_resamples - start), values.size)
        extreme += _extreme(signs @ values, observed, tolerance, alternative)
    return float((1 + extreme) / (1 + n_resamples))


def _signs(rng: np.random.Generator, b: int, n: int) -> NDArray[np.float64]:
    bits = np.unpackbits(rng.integers(0, 256, (b, math.ceil(n / 8)), dtype=np.uint8), axis=1)
    return np.asarray(1.0 - 2.0 * bits[:, :n], dtype=np.float64)


def _extreme(
    sums: NDArray[np.float64], observed: float, tolerance: float, alternative: Alternative
) -> int:
    if alternative == "greater":
        return int(np.sum(sums >= observed - tolerance))
    if alternative == "less":
        return int(np.sum(sums <= observed + tolerance))
    return int(np.sum(np.abs(sums) >= abs(observed) - tolerance))
