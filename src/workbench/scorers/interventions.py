"""Scores of stepping into a running conversation: at the right turns, and not too often."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
from scipy.optimize import linear_sum_assignment

from workbench.errors import EvaluationError
from workbench.scorers.weighted import check_pairs, ratio_statistic
from workbench.stats import Statistic

__all__ = [
    "interruptions_per_call",
    "intervention_f1",
    "intervention_precision",
    "intervention_recall",
    "timing_error",
]

Turns: TypeAlias = Sequence[int]

_Row: TypeAlias = tuple[float, float]


def _matched(due: Turns, done: Turns, tolerance: int) -> list[int]:
    """Distances of the most pairs that can be matched one to one, and of those the nearest."""
    if not len(due) or not len(done):
        return []
    gap = np.abs(np.subtract.outer(np.asarray(due), np.asarray(done)))
    # A pair out of reach costs more than all pairs within it together.
    far = (tolerance + 1) * (len(due) + len(done) + 1)
    pairs = linear_sum_assignment(np.where(gap <= tolerance, gap, far))
    found = gap[pairs]
    return [int(x) for x in found[found <= tolerance]]


def _of_calls(
    truth: Sequence[Turns],
    answered: Sequence[Turns | None],
    tolerance: int,
    row: Callable[[list[int], int, int], _Row],
) -> Statistic:
    check_pairs(truth, answered)
    if tolerance < 0:
        raise EvaluationError(f"tolerance is {tolerance}", expected="0 or more", fix="raise it")
    rows = [
        row(_matched(due, done, tolerance), len(due), len(done))
        for due, given in zip(truth, answered, strict=True)
        for done in (() if given is None else given,)
    ]
    part, whole = np.array(rows, dtype=np.float64).T
    return ratio_statistic(part, whole)


def intervention_precision(
    truth: Sequence[Turns], answered: Sequence[Turns | None], *, tolerance: int = 1
) -> Statistic:
    """Share of interventions that were due.

    Parameters
    ----------
    truth
        Turns of each call at which to step in, from 0.
    answered
        Turns at which the arm did; None never.
    tolerance
        Turns an intervention may be early or late. Each due turn is met once.

    Returns
    -------
    Statistic

    Raises
    ------
    EvaluationError
        When lengths differ or the tolerance is negative.

    Examples
    --------
    >>> intervention_precision([(3,)], [(2, 4)])([1]).tolist()
    [0.5]
    """
    return _of_calls(truth, answered, tolerance, lambda hits, _, done: (len(hits), done))


def intervention_recall(
    truth: Sequence[Turns], answered: Sequence[Turns | None], *, tolerance: int = 1
) -> Statistic:
    """Share of due interventions that were made.

    Parameters
    ----------
    truth, answered, tolerance
        As for `intervention_precision`.

    Returns
    -------
    Statistic

    Raises
    ------
    EvaluationError
        As `intervention_precision`.

    Examples
    --------
    >>> intervention_recall([(3, 9)], [(4,)])([1]).tolist()
    [0.5]
    """
    return _of_calls(truth, answered, tolerance, lambda hits, due, _: (len(hits), due))


def intervention_f1(
    truth: Sequence[Turns], answered: Sequence[Turns | None], *, tolerance: int = 1
) -> Statistic:
    """Harmonic mean of precision and recall of interventions.

    Parameters
    ----------
    truth, answered, tolerance
        As for `intervention_precision`.

    Returns
    -------
    Statistic

    Raises
    ------
    EvaluationError
        As `intervention_precision`.

    Examples
    --------
    >>> intervention_f1([(3, 9)], [(4,)])([1]).round(3).tolist()
    [0.667]
    """
    return _of_calls(
        truth, answered, tolerance, lambda hits, due, done: (2 * len(hits), due + done)
    )


def timing_error(
    truth: Sequence[Turns], answered: Sequence[Turns | None], *, tolerance: int = 3
) -> Statistic:
    """Mean turns between an intervention and the due turn it meets.

    Parameters
    ----------
    truth, answered, tolerance
        As for `intervention_precision`.

    Returns
    -------
    Statistic

    Raises
    ------
    EvaluationError
        As `intervention_precision`.

    Examples
    --------
    >>> timing_error([(3, 9)], [(4, 9)])([1]).tolist()
    [0.5]
    """
    return _of_calls(truth, answered, tolerance, lambda hits, *_: (sum(hits), len(hits)))


def interruptions_per_call(truth: Sequence[Turns], answered: Sequence[Turns | None]) -> Statistic:
    """Mean number of interventions a call, due or not.

    Parameters
    ----------
    truth
        Only its length is read.
    answered
        As for `intervention_precision`.

    Returns
    -------
    Statistic

    Raises
    ------
    EvaluationError
        When lengths differ.

    Examples
    --------
    >>> interruptions_per_call([(), ()], [(2, 4), None])([1, 1]).tolist()
    [1.0]
    """
    return _of_calls(truth, answered, 0, lambda _hits, _due, done: (done, 1.0))
