"""Scores of slots read out of a text: what was found, what was made up, what was left open."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from workbench.errors import EvaluationError
from workbench.scorers.slots import EXACT_SLOTS, Sheet, SlotMatching, as_number, slot_counts
from workbench.scorers.weighted import check_pairs, ratio_statistic
from workbench.stats import Statistic, mean_statistic

__all__ = [
    "abstained_slot_share",
    "hallucinated_slot_rate",
    "joint_goal_accuracy",
    "sheet_exact_match",
    "slot_error",
    "slot_f1",
    "slot_precision",
    "slot_recall",
]

Counts = NDArray[np.float64]


def slot_precision(
    truth: Sequence[Sheet],
    answered: Sequence[Sheet | None],
    *,
    matching: SlotMatching = EXACT_SLOTS,
) -> Statistic:
    """Share of answered slots that are right.

    Parameters
    ----------
    truth, answered, matching
        As for `workbench.scorers.slots.slot_counts`. A slot abstained from is not answered.

    Returns
    -------
    Statistic

    Raises
    ------
    EvaluationError
        As `slot_counts`.

    Examples
    --------
    >>> slot_precision([{"beds": 3.0}], [{"beds": 3.0, "baths": 1.0}])([1]).tolist()
    [0.5]
    """
    found = slot_counts(truth, answered, matching=matching)
    return ratio_statistic(found.right, found.answered)


def slot_recall(
    truth: Sequence[Sheet],
    answered: Sequence[Sheet | None],
    *,
    matching: SlotMatching = EXACT_SLOTS,
) -> Statistic:
    """Share of true slots that are answered right.

    Parameters
    ----------
    truth, answered, matching
        As for `slot_counts`. A slot abstained from is not found.

    Returns
    -------
    Statistic

    Raises
    ------
    EvaluationError
        As `slot_counts`.

    Examples
    --------
    >>> slot_recall([{"beds": 3.0, "city": "York"}], [{"beds": 3.0, "city": None}])([1]).tolist()
    [0.5]
    """
    found = slot_counts(truth, answered, matching=matching)
    return ratio_statistic(found.right, found.true)


def slot_f1(
    truth: Sequence[Sheet],
    answered: Sequence[Sheet | None],
    *,
    matching: SlotMatching = EXACT_SLOTS,
) -> Statistic:
    """Harmonic mean of `slot_precision` and `slot_recall`, over all slots together.

    Parameters
    ----------
    truth, answered, matching
        As for `slot_counts`.

    Returns
    -------
    Statistic

    Raises
    ------
    EvaluationError
        As `slot_counts`.

    Examples
    --------
    >>> slot_f1([{"beds": 3.0}], [{"beds": 3.0, "baths": 1.0}])([1]).round(3).tolist()
    [0.667]
    """
    found = slot_counts(truth, answered, matching=matching)
    return ratio_statistic(2 * found.right, found.answered + found.true)


def sheet_exact_match(
    truth: Sequence[Sheet],
    answered: Sequence[Sheet | None],
    *,
    matching: SlotMatching = EXACT_SLOTS,
) -> Statistic:
    """Share of examples with every slot right and none made up or abstained from.

    Parameters
    ----------
    truth, answered, matching
        As for `slot_counts`; None answered is wrong, also where nothing is true.

    Returns
    -------
    Statistic

    Raises
    ------
    EvaluationError
        As `slot_counts`.

    Examples
    --------
    >>> sheet_exact_match([{"beds": 3.0}, {}], [{"beds": 3.0}, {"beds": 2.0}])([1, 1]).tolist()
    [0.5]
    """
    return mean_statistic(_exact(truth, answered, matching))


def _exact(
    truth: Sequence[Sheet], answered: Sequence[Sheet | None], matching: SlotMatching
) -> Counts:
    found = slot_counts(truth, answered, matching=matching)
    clean = found.wrong + found.missed + found.made_up + found.abstained == 0
    given = np.array([a is not None for a in answered])
    return np.asarray(clean & given, dtype=np.float64)


def joint_goal_accuracy(
    truth: Sequence[Sequence[Sheet]],
    answered: Sequence[Sequence[Sheet | None] | None],
    *,
    matching: SlotMatching = EXACT_SLOTS,
) -> Statistic:
    """Share of turns at which everything known so far is exactly right.

    Parameters
    ----------
    truth
        One dialogue an example: the sheet as it stands after each turn.
    answered
        The same of the arm, one sheet a turn; None as a dialogue, or for a turn, is wrong.
    matching
        As for `slot_counts`.

    Returns
    -------
    Statistic
        Dialogues weigh by their turns.

    Raises
    ------
    EvaluationError
        When lengths differ or a dialogue was answered for another number of turns.

    References
    ----------
    Henderson, Thomson & Williams (2014), "The second dialog state tracking challenge", SIGDIAL.

    Examples
    --------
    >>> truth = [[{"beds": 3.0}, {"beds": 3.0, "city": "York"}]]
    >>> joint_goal_accuracy(truth, [[{"beds": 3.0}, {"beds": 3.0}]])([1]).tolist()
    [0.5]
    """
    check_pairs(truth, answered)
    right, turns = np.zeros(len(truth)), np.array([float(len(t)) for t in truth])
    for i, (states, given) in enumerate(zip(truth, answered, strict=True)):
        if given is not None and len(given) != len(states):
            raise EvaluationError(
                f"{len(given)} sheets for a dialogue of {len(states)} turns",
                where=f"example {i}",
                expected="one sheet, or None, a turn",
                fix="answer each turn",
            )
        if given is not None and len(states):
            right[i] = _exact(states, given, matching).sum()
    return ratio_statistic(right, turns)


def hallucinated_slot_rate(
    truth: Sequence[Sheet],
    answered: Sequence[Sheet | None],
    *,
    matching: SlotMatching = EXACT_SLOTS,
) -> Statistic:
    """Share of answered slots that the truth does not mention.

    Parameters
    ----------
    truth, answered, matching
        As for `slot_counts`.

    Returns
    -------
    Statistic

    Raises
    ------
    EvaluationError
        As `slot_counts`.

    Examples
    --------
    >>> hallucinated_slot_rate([{"beds": 3.0}], [{"beds": 4.0, "baths": 1.0}])([1]).tolist()
    [0.5]
    """
    found = slot_counts(truth, answered, matching=matching)
    return ratio_statistic(found.made_up, found.answered)


def abstained_slot_share(
    truth: Sequence[Sheet],
    answered: Sequence[Sheet | None],
    *,
    matching: SlotMatching = EXACT_SLOTS,
) -> Statistic:
    """Share of all slots true, answered or left open that were left open.

    Parameters
    ----------
    truth, answered, matching
        As for `slot_counts`.

    Returns
    -------
    Statistic

    Raises
    ------
    EvaluationError
        As `slot_counts`.

    Examples
    --------
    >>> abstained_slot_share([{"beds": 3.0, "city": "York"}], [{"beds": 3.0, "city": None}])([1])
    array([0.5])
    """
    found = slot_counts(truth, answered, matching=matching)
    return ratio_statistic(
        found.abstained, found.right + found.wrong + found.missed + found.made_up + found.abstained
    )


def slot_error(
    truth: Sequence[Sheet],
    answered: Sequence[Sheet | None],
    *,
    slot: str,
    relative: bool = True,
    matching: SlotMatching = EXACT_SLOTS,
) -> Statistic:
    """Mean absolute error of one numeric slot, where truth and answer hold a number.

    Parameters
    ----------
    truth, answered, matching
        As for `slot_counts`; the tolerance does not matter here.
    slot
        Its name.
    relative
        As a share of the true number (examples whose true number is 0 are left out), or in the
        slot's own unit.

    Returns
    -------
    Statistic
        What is missing or no number is left out: read it beside `slot_recall`.

    Raises
    ------
    EvaluationError
        As `slot_counts`.

    Examples
    --------
    >>> slot_error([{"price": 100.0}, {}], [{"price": 110.0}, None], slot="price")([1, 1]).tolist()
    [0.1]
    """
    check_pairs(truth, answered)
    errors, known = np.zeros(len(truth)), np.zeros(len(truth))
    for i, (true, given) in enumerate(zip(truth, answered, strict=True)):
        values = [sheet.get(slot) for sheet in (true, given or {})]
        a, b = (None if v is None else as_number(matching.normalise(slot, v)) for v in values)
        if a is not None and b is not None and (a != 0 or not relative):
            known[i] = 1.0
            errors[i] = abs(b - a) / (abs(a) if relative else 1.0)
    return ratio_statistic(errors, known)
