"""Sort labelled scores once, so that a statistic of reweighted data needs no more sorting."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["ClassOrder", "running_total"]


class ClassOrder(NamedTuple):
    """The two classes in order of score and how they interleave.

    Attributes
    ----------
    positive, negative
        Rows of each class by ascending score, shapes (m,) and (k,).
    negatives_below, negatives_upto
        For each row of `positive`, how many negatives score lower, and lower or equal.
    positives_below
        For each row of `positive`, how many positives score lower.

    Examples
    --------
    >>> order = ClassOrder.of(np.array([True, False]), np.array([0.3, 0.3]))
    >>> order.negatives_below.tolist(), order.negatives_upto.tolist()
    ([0], [1])
    """

    positive: NDArray[np.intp]
    negative: NDArray[np.intp]
    negatives_below: NDArray[np.intp]
    negatives_upto: NDArray[np.intp]
    positives_below: NDArray[np.intp]

    @classmethod
    def of(cls, y: NDArray[np.bool_], score: NDArray[np.float64]) -> "ClassOrder":
        """Sort checked labels and scores, both of shape (n,)."""
        order = np.argsort(score, kind="stable")
        is_positive = y[order]
        positive, negative = order[is_positive], order[~is_positive]
        at, among = score[positive], score[negative]
        return cls(
            positive,
            negative,
            np.searchsorted(among, at, side="left"),
            np.searchsorted(among, at, side="right"),
            np.searchsorted(at, at, side="left"),
        )


def running_total(weights: NDArray[Any]) -> NDArray[Any]:
    """Return cumulative sums along rows, starting with 0.

    Parameters
    ----------
    weights
        Shape (b, k).

    Returns
    -------
    NDArray[Any]
        Shape (b, k + 1), of the dtype of `weights`: column j is the sum of the first j.

    Examples
    --------
    >>> running_total(np.array([[1, 2, 3]])).tolist()
    [[0, 1, 3, 6]]
    """
    total = np.zeros((weights.shape[0], weights.shape[1] + 1), dtype=weights.dtype)
    np.cumsum(weights, axis=1, out=total[:, 1:])
    return total
