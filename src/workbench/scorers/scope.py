"""Scores of telling what is out of scope: no label of the task fits."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.errors import EvaluationError
from workbench.scorers.weighted import as_rows, check_pairs, divided, tie_run_ends
from workbench.stats import Statistic, roc_auc_statistic

__all__ = ["out_of_scope_auroc", "out_of_scope_recall"]

Matrix = NDArray[np.float64]


def _scope_scores(
    truth: Sequence[str], score: Sequence[float | None], out_of_scope: str
) -> tuple[NDArray[np.bool_], Matrix]:
    check_pairs(truth, score)
    outside = np.array([t == out_of_scope for t in truth])
    given = np.array([np.nan if s is None else float(s) for s in score])
    if np.isinf(given).any():
        raise EvaluationError(
            "a score is infinite",
            where=f"example {int(np.isinf(given).argmax())}",
            expected="finite numbers, or None for no answer",
            fix="bound the scores",
        )
    known = given[~np.isnan(given)]
    low, high = (known.min(), known.max()) if known.size else (0.0, 0.0)
    # Nothing answered is wrong whatever the truth: in scope rejected, out of scope let through.
    wrong = np.where(outside, low - 1.0, high + 1.0)
    return outside, np.where(np.isnan(given), wrong, given)


def out_of_scope_auroc(
    truth: Sequence[str], score: Sequence[float | None], *, out_of_scope: str = "oos"
) -> Statistic:
    """Chance that an example out of scope has a higher score than one in scope.

    Parameters
    ----------
    truth
        One label an example.
    score
        Higher means more likely out of scope (say 1 − the highest probability); None is wrong.
    out_of_scope
        The label of what is out of scope.

    Returns
    -------
    Statistic

    Raises
    ------
    EvaluationError
        When the lengths differ, there are no examples, or a score is infinite.

    Examples
    --------
    >>> out_of_scope_auroc(["a", "b", "oos"], [0.1, 0.4, 0.3])([1, 1, 1]).tolist()
    [0.5]
    """
    outside, scores = _scope_scores(truth, score, out_of_scope)
    return roc_auc_statistic(outside.astype(np.int8), scores)


def out_of_scope_recall(
    truth: Sequence[str],
    score: Sequence[float | None],
    *,
    out_of_scope: str = "oos",
    in_scope_rejection: float = 0.05,
) -> Statistic:
    """Share of what is out of scope that is rejected while few in scope are.

    Parameters
    ----------
    truth, score, out_of_scope
        As for `out_of_scope_auroc`.
    in_scope_rejection
        Largest share of examples in scope that may be rejected, in [0, 1).

    Returns
    -------
    Statistic
        At the lowest cut of the score that keeps to the share; equal scores share a side.

    Raises
    ------
    EvaluationError
        When the lengths differ or the share is out of range.

    Examples
    --------
    >>> found = out_of_scope_recall(["a", "b", "oos", "oos"], [0.1, 0.4, 0.3, 0.6])
    >>> found([1, 1, 1, 1]).tolist()
    [0.5]
    """
    if not 0 <= in_scope_rejection < 1:
        raise EvaluationError(
            f"in_scope_rejection is {in_scope_rejection}",
            expected="a share from 0 to below 1",
            fix="correct it",
        )
    outside, scores = _scope_scores(truth, score, out_of_scope)
    order = np.argsort(-scores, kind="stable")
    ends = tie_run_ends(scores[order])
    ranked = outside[order]

    def statistic(weights: ArrayLike) -> Matrix:
        w = as_rows(weights, len(ranked))[:, order]
        found = np.cumsum(w * ranked, axis=1)
        rejected = np.cumsum(w * ~ranked, axis=1)
        limit = in_scope_rejection * rejected[:, -1:] * (1 + 1e-12)
        allowed = (rejected[:, ends] <= limit) * found[:, ends]
        usable = np.where(rejected[:, -1] > 0, found[:, -1], 0.0)
        return divided(allowed.max(axis=1), usable)

    return statistic
