"""Figures that are ratios of weighted sums: the form nearly every score of an answer takes."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.errors import EvaluationError
from workbench.stats import Statistic

__all__ = ["ProbaRows", "as_rows", "check_pairs", "divided", "ratio_statistic", "tie_run_ends"]

Matrix = NDArray[np.float64]
Rows: TypeAlias = Sequence[Any] | NDArray[Any]

ProbaRows: TypeAlias = Sequence[ArrayLike | None] | NDArray[np.float64]
"""One row of probabilities an example, or None."""


def check_pairs(truth: Rows, answered: Rows) -> int:
    """Number of examples, when there is one answer to each.

    Parameters
    ----------
    truth, answered
        One entry an example; None where nothing was answered.

    Raises
    ------
    EvaluationError
        When there are no examples or the lengths differ.

    Examples
    --------
    >>> check_pairs(["buy", "rent"], ["buy", None])
    2
    """
    if not len(truth) or len(truth) != len(answered):
        raise EvaluationError(
            f"{len(truth):,} true values and {len(answered):,} answers",
            expected="one answer, or None, for each of one example or more",
            fix="pass an entry for every example",
        )
    return len(truth)


def as_rows(weights: ArrayLike, n: int) -> Matrix:
    """Resampling weights as rows of floats.

    Parameters
    ----------
    weights
        Shape (n,) or (b, n).
    n
        Examples.

    Raises
    ------
    ValueError
        When the shape is another.

    Examples
    --------
    >>> as_rows([1, 2], 2).shape
    (1, 2)
    """
    rows = np.atleast_2d(np.asarray(weights, dtype=np.float64))
    if rows.ndim != 2 or rows.shape[1] != n:
        raise ValueError(f"weights have shape {rows.shape}; expected ({n},) or (b, {n})")
    return rows


def divided(part: ArrayLike, whole: ArrayLike) -> Matrix:
    """Divide, giving NaN where the whole is not above 0.

    Parameters
    ----------
    part, whole
        Arrays of one shape.

    Examples
    --------
    >>> divided([1.0, 0.0], [2.0, 0.0]).tolist()
    [0.5, nan]
    """
    over, under = np.asarray(part, dtype=np.float64), np.asarray(whole, dtype=np.float64)
    out = np.full(np.broadcast_shapes(over.shape, under.shape), np.nan)
    np.divide(over, under, out=out, where=under > 0)
    return out


def ratio_statistic(part: ArrayLike, whole: ArrayLike) -> Statistic:
    """One weighted sum over another, as a function of the weights.

    Parameters
    ----------
    part, whole : array-like of shape (n,)
        What each example adds to either sum. A mean over some examples has 0 for the others.

    Returns
    -------
    Statistic
        NaN where the lower sum is 0.

    Examples
    --------
    >>> ratio_statistic([1, 0, 2], [1, 1, 2])([[1, 1, 1], [0, 1, 0]]).tolist()
    [0.75, 0.0]
    """
    columns = np.column_stack(
        [np.asarray(part, dtype=np.float64), np.asarray(whole, dtype=np.float64)]
    )

    def statistic(weights: ArrayLike) -> Matrix:
        sums = as_rows(weights, len(columns)) @ columns
        return divided(sums[:, 0], sums[:, 1])

    return statistic


def tie_run_ends(ranked: NDArray[np.float64]) -> NDArray[np.intp]:
    """Where each run of equal values ends, so that no figure depends on the order within one.

    Parameters
    ----------
    ranked
        Sorted values, shape (n,).

    Examples
    --------
    >>> tie_run_ends(np.array([3.0, 2.0, 2.0, 1.0])).tolist()
    [0, 2, 3]
    """
    return np.append(np.flatnonzero(ranked[1:] != ranked[:-1]), ranked.size - 1)
