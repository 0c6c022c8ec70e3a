"""Folds for labels that may be rare, and what linear members say out of them."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["class_scores", "fold_numbers", "out_of_fold"]

Codes = NDArray[np.int64]
Scores = NDArray[np.float64]


def fold_numbers(
    codes: Sequence[int] | Codes,
    groups: Sequence[Any] | NDArray[Any] | None,
    n_splits: int,
    random_state: int,
) -> Codes:
    """Deal examples to folds: each label evenly or, with groups, groups whole.

    Unlike scikit-learn's, these folds take labels with fewer examples than folds.

    Parameters
    ----------
    codes : sequence of int, shape (n_samples,)
        Labels.
    groups : sequence, shape (n_samples,), optional
        Which examples belong together.
    n_splits
        Folds; no more than there are examples or groups are used.
    random_state
        Seed.

    Examples
    --------
    >>> fold_numbers([0, 0, 1, 1], None, 2, 0).reshape(2, 2).sum(axis=1).tolist()
    [1, 1]
    """
    rng = np.random.default_rng(random_state)
    labels = np.asarray(codes)
    if groups is not None:
        units, unit_of = np.unique(np.asarray(groups).astype(str), return_inverse=True)
        dealt = rng.permutation(len(units)) % min(n_splits, len(units))
        return dealt[unit_of].astype(np.int64)
    order = rng.permutation(len(labels))
    order = order[np.argsort(labels[order], kind="stable")]
    folds = np.empty(len(labels), dtype=np.int64)
    folds[order] = np.arange(len(labels)) % min(n_splits, len(labels))
    return folds


def class_scores(model: Any, X: Any, n_classes: int) -> Scores:
    """Scores of all classes by a fitted linear model, shape (n_samples, n_classes).

    Parameters
    ----------
    model
        Fitted on class numbers; may have seen only some of them. Those it has not seen get the
        lowest score of the row.
    X
        What it reads.
    n_classes
        Of all.
    """
    found = model.decision_function(X)
    if found.ndim == 1:
        found = np.column_stack([-found / 2, found / 2])
    scores = np.repeat(found.min(axis=1, keepdims=True), n_classes, axis=1)
    scores[:, np.asarray(model.classes_)] = found
    return scores


def out_of_fold(
    folds: Codes, n_columns: int, score: Callable[[NDArray[np.intp], NDArray[np.intp]], Scores]
) -> Scores:
    """Scores of every example by a model that has not seen its fold, shape (n, n_columns).

    Parameters
    ----------
    folds : ndarray of shape (n_samples,)
        Number of each example's fold.
    n_columns
        Of the scores.
    score
        Fits on the first positions and scores the second.

    Examples
    --------
    >>> out_of_fold(np.array([0, 1]), 1, lambda fit, ask: np.full((1, 1), float(fit[0]))).tolist()
    [[1.0], [0.0]]
    """
    found = np.zeros((len(folds), n_columns))
    for fold in np.unique(folds):
        inside = folds == fold
        found[inside] = score(np.flatnonzero(~inside), np.flatnonzero(inside))
    return found
