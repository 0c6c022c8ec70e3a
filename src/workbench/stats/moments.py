"""Counts, means and central second moments that can be merged: the base of every comparison.

Sums of squares lose all their digits when the mean is large beside the spread. Central moments
keep them, and two sets of them merge exactly, so a hundred million rows can be aggregated in
pieces, in a database or on a cluster, and compared from a handful of numbers.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from operator import add

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.stats.validation import as_groups, as_values, check_count, check_same_length

__all__ = ["Moments", "grouped_moments", "merge_moments"]

# Share of a sum of squares by which rounding may turn a central moment negative.
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """Count, means and central cross-products of one or several columns.

    Parameters
    ----------
    n
        Number of units.
    mean
        Mean of each column, shape (k,).
    comoment
        Sums of products of deviations from the means, shape (k, k).

    References
    ----------
    Chan, Golub & LeVeque (1983), The American Statistician 37:242-247; Welford (1962),
    Technometrics 4:419-420.

    Examples
    --------
    >>> whole = Moments.of([1.0, 2.0, 3.0, 4.0])
    >>> parts = Moments.of([1.0, 2.0]) + Moments.of([3.0, 4.0])
    >>> parts.n, parts.mean.tolist(), bool(np.allclose(parts.covariance, whole.covariance))
    (4, [2.5], True)
    """

    n: int
    mean: NDArray[np.float64]
    comoment: NDArray[np.float64]

    def __post_init__(self) -> None:
        """Check the numbers and make them read-only.

        Raises
        ------
        ValueError
            If shapes do not fit, n < 1, a number is not finite, or a central moment is negative.
        """
        object.__setattr__(self, "n", check_count(self.n, "n"))
        mean = np.array(self.mean, dtype=np.float64, ndmin=1)
        comoment = np.array(self.comoment, dtype=np.float64, ndmin=2)
        k = mean.size
        if mean.ndim != 1 or k == 0 or comoment.shape != (k, k):
            raise ValueError(
                f"mean has shape {mean.shape} and comoment {comoment.shape}; expected (k,), (k, k)"
            )
        if not (np.isfinite(mean).all() and np.isfinite(comoment).all()):
            raise ValueError("moments hold NaN or infinity; expected finite numbers")
        squares = np.diagonal(comoment)
        if (squares < 0).any():
            raise ValueError(
                f"a central moment is {squares.min()}; expected ≥ 0: the sums contradict each other"
            )
        for name, array in (("mean", mean), ("comoment", comoment)):
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    @classmethod
    def of(cls, *columns: ArrayLike) -> "Moments":
        """Take the moments of columns of equal length.

        Parameters
        ----------
        *columns
            Numbers per unit, each of shape (n,), n ≥ 1.

        Raises
        ------
        ValueError
            If there is no column, or one is empty, not finite or of another length.

        Examples
        --------
        >>> Moments.of([1, 2, 3], [2, 4, 6]).covariance.tolist()
        [[1.0, 2.0], [2.0, 4.0]]
        """
        if not columns:
            raise ValueError("no columns; expected at least one")
        arrays = {f"column {i}": as_values(c, f"column {i}") for i, c in enumerate(columns)}
        n = check_same_length(**arrays)
        table = np.stack(list(arrays.values()))
        mean = table.mean(axis=1)
        residual = table - mean[:, None]
        # The mean was rounded; what the residuals still add up to corrects it.
        rest = residual.mean(axis=1)
        comoment = residual @ residual.T - n * np.outer(rest, rest)
        return cls(n, mean + rest, _clean(comoment, np.diagonal(comoment)))

    @classmethod
    def from_summary(cls, n: int, mean: ArrayLike, covariance: ArrayLike) -> "Moments":
        """Build from a count, means and sample (co)variances.

        Parameters
        ----------
        n
            Number of units, ≥ 1.
        mean
            A number or shape (k,).
        covariance
            Variance or covariance matrix with divisor n − 1, a number or shape (k, k).

        Raises
        ------
        ValueError
            If shapes do not fit or a variance is negative.

        Examples
        --------
        >>> Moments.from_summary(10, 5.0, 4.0).comoment.tolist()
        [[36.0]]
        """
        n = check_count(n, "n")
        return cls(n, np.asarray(mean, float), np.asarray(covariance, float) * (n - 1))

    @classmethod
    def from_sums(
        cls, n: int, sums: ArrayLike, products: ArrayLike, *, shift: ArrayLike = 0.0
    ) -> "Moments":
        """Build from sums and sums of products, as one pass of SQL gives them.

        Parameters
        ----------
        n
            Number of units, ≥ 1.
        sums
            Sum of (x − shift) of each column, a number or shape (k,).
        products
            Sums of products of (x − shift), a number or shape (k, k).
        shift
            What was subtracted before summing. Without a shift near the mean, a mean that is
            large beside the spread costs twice as many digits as their ratio has.

        Raises
        ------
        ValueError
            If shapes do not fit or the products contradict the sums.

        Examples
        --------
        >>> Moments.from_sums(3, 0.0, 2.0, shift=1e9).mean.tolist()
        [1000000000.0]
        """
        n = check_count(n, "n")
        total, squares = np.array(sums, float, ndmin=1), np.array(products, float, ndmin=2)
        if squares.shape != (total.size, total.size):
            raise ValueError(
                f"sums has shape {total.shape} and products {squares.shape}; expected (k,), (k, k)"
            )
        offset = total / n
        comoment = squares - n * np.outer(offset, offset)
        return cls(n, offset + np.asarray(shift, float), _clean(comoment, np.diagonal(squares)))

    @classmethod
    def from_counts(cls, successes: int, n: int) -> "Moments":
        """Build the moments of 0s and 1s from their counts.

        Parameters
        ----------
        successes
            Units with 1.
        n
            Units in all, ≥ 1.

        Raises
        ------
        ValueError
            If the counts are not whole numbers with 0 ≤ successes ≤ n.

        Examples
        --------
        >>> Moments.from_counts(1, 4).variance.tolist()
        [0.25]
        """
        n = check_count(n, "n")
        hits = check_count(successes, "successes", minimum=0)
        if hits > n:
            raise ValueError(f"successes is {hits} of n = {n}; expected at most n")
        return cls(n, np.array([hits / n]), np.array([[hits * (n - hits) / n]]))

    def __add__(self, other: "Moments") -> "Moments":
        """Merge with the moments of other units of the same columns."""
        if not isinstance(other, Moments):
            return NotImplemented
        if other.mean.size != self.mean.size:
            raise ValueError(
                f"moments of {self.mean.size} and {other.mean.size} columns; expected the same"
            )
        n = self.n + other.n
        step = other.mean - self.mean
        mean = self.mean + step * (other.n / n)
        comoment = self.comoment + other.comoment + np.outer(step, step) * (self.n * other.n / n)
        return Moments(n, mean, comoment)

    @property
    def covariance(self) -> NDArray[np.float64]:
        """Sample covariance with divisor n − 1, shape (k, k); NaN for a single unit."""
        if self.n == 1:
            return np.full(self.comoment.shape, np.nan)
        return self.comoment / (self.n - 1)

    @property
    def variance(self) -> NDArray[np.float64]:
        """Sample variance of each column, shape (k,); NaN for a single unit."""
        return np.diagonal(self.covariance).copy()

    def select(self, *columns: int) -> "Moments":
        """Keep some columns, in the order given.

        Examples
        --------
        >>> Moments.of([1, 2, 3], [2, 4, 6]).select(1).mean.tolist()
        [4.0]
        """
        chosen = list(columns)
        return Moments(self.n, self.mean[chosen], self.comoment[np.ix_(chosen, chosen)])


def merge_moments(parts: Iterable[Moments]) -> Moments:
    """Merge the moments of disjoint sets of units.

    Parameters
    ----------
    parts
        At least one.

    Returns
    -------
    Moments

    Raises
    ------
    ValueError
        If there is none, or they have different columns.

    Examples
    --------
    >>> merge_moments(Moments.of([x]) for x in (1.0, 2.0, 6.0)).mean.tolist()
    [3.0]
    """
    known = list(parts)
    if not known:
        raise ValueError("no moments to merge; expected at least one")
    return reduce(add, known)


def grouped_moments(columns: Iterable[ArrayLike], groups: ArrayLike) -> list[Moments]:
    """Take the moments of each group of units.

    Parameters
    ----------
    columns
        Numbers per unit, each of shape (n,).
    groups
        Group of each unit, shape (n,).

    Returns
    -------
    list[Moments]
        One entry a group, in order of first appearance.

    Raises
    ------
    ValueError
        As `Moments.of`, and if `groups` has another length or a missing value.

    Examples
    --------
    >>> [m.mean.tolist() for m in grouped_moments([[1, 5, 3, 7]], ["a", "b", "a", "b"])]
    [[2.0], [6.0]]
    """
    arrays = {f"column {i}": as_values(c, f"column {i}") for i, c in enumerate(columns)}
    if not arrays:
        raise ValueError("no columns; expected at least one")
    codes, n_groups = as_groups(groups, check_same_length(**arrays))
    table = np.stack(list(arrays.values()))
    count = np.bincount(codes, minlength=n_groups)
    mean = np.stack([np.bincount(codes, row, minlength=n_groups) / count for row in table])
    residual = table - mean[:, codes]
    rest = np.stack([np.bincount(codes, row, minlength=n_groups) / count for row in residual])
    k = len(table)
    comoment = np.empty((n_groups, k, k))
    for i in range(k):
        for j in range(i + 1):
            sums = np.bincount(codes, residual[i] * residual[j], minlength=n_groups)
            comoment[:, i, j] = comoment[:, j, i] = sums - count * rest[i] * rest[j]
    mean += rest
    return [
        Moments(int(count[g]), mean[:, g], _clean(comoment[g], np.diagonal(comoment[g])))
        for g in range(n_groups)
    ]


def _clean(comoment: NDArray[np.float64], scale: NDArray[np.float64]) -> NDArray[np.float64]:
    """Set central moments that rounding made negative to 0; leave real contradictions."""
    out = comoment.copy()
    squares = np.diagonal(out)
    at = np.flatnonzero((squares < 0) & (squares >= -_ROUNDING * np.abs(scale)))
    out[at, :] = 0.0
    out[:, at] = 0.0
    return out
