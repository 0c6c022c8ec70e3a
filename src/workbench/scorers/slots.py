"""Slots read out of a text against true ones: what became of each, counted by example."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from workbench.scorers.weighted import check_pairs

__all__ = [
    "EXACT_SLOTS",
    "Sheet",
    "SlotCounts",
    "SlotMatching",
    "SlotValue",
    "as_number",
    "same_value",
    "slot_counts",
]

SlotValue: TypeAlias = str | float | Sequence[str]
"""A text, a number, or several texts in any order."""

Sheet: TypeAlias = Mapping[str, SlotValue | None]
"""Slots of one example with their values; None abstains."""

Counts: TypeAlias = NDArray[np.float64]

_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_SPACE = re.compile(r"[\s\W]+")


def _as_given(slot: str, value: SlotValue) -> SlotValue:
    del slot
    return value


class SlotMatching(NamedTuple):
    """When two values of a slot are the same.

    Attributes
    ----------
    relative_tolerance
        Numbers agree when they differ by at most this share of the true one.
    normalise
        Called with slot and value, of truth and answer alike, before they are compared.
    slots
        Slots that count; all when None.
    """

    relative_tolerance: float = 0.0
    normalise: Callable[[str, SlotValue], SlotValue] = _as_given
    slots: tuple[str, ...] | None = None


EXACT_SLOTS = SlotMatching()
"""Numbers must be equal; values are compared as they are; every slot counts."""


class SlotCounts(NamedTuple):
    """Slots of each example, arrays of shape (n,).

    Attributes
    ----------
    right
        Answered as in the truth.
    wrong
        In the truth and answered otherwise.
    missed
        In the truth, not answered and not abstained from.
    made_up
        Answered though the truth does not mention them.
    abstained
        Those the arm says it cannot tell, in the truth or not.
    true
        In the truth.
    """

    right: Counts
    wrong: Counts
    missed: Counts
    made_up: Counts
    abstained: Counts
    true: Counts

    @property
    def answered(self) -> Counts:
        """Slots with an answer."""
        return self.right + self.wrong + self.made_up


def _plain(text: str) -> str:
    folded = text.casefold()
    # A text of nothing but articles or signs is compared as it is.
    return _SPACE.sub(" ", _ARTICLES.sub(" ", folded)).strip() or folded.strip()


def as_number(value: SlotValue) -> float | None:
    """Value as a number, None when it is none.

    Parameters
    ----------
    value
        Of a slot.

    Examples
    --------
    >>> as_number(3), as_number("3")
    (3.0, None)
    """
    return float(value) if isinstance(value, int | float) else None


def same_value(true: SlotValue, given: SlotValue, *, relative_tolerance: float = 0.0) -> bool:
    """Whether an answered value is the true one.

    Parameters
    ----------
    true, given
        Numbers agree within the tolerance, texts without case, punctuation, extra space and
        articles, several texts as sets of such. A number and a text never agree.
    relative_tolerance
        Share of the true number.

    Returns
    -------
    bool

    Examples
    --------
    >>> same_value("The Old Town", "old  town"), same_value(450_000.0, 455_000.0)
    (True, False)
    >>> same_value(450_000.0, 455_000.0, relative_tolerance=0.02)
    True
    """
    a, b = as_number(true), as_number(given)
    if a is not None and b is not None:
        return math.isclose(a, b, rel_tol=1e-9) or abs(a - b) <= relative_tolerance * abs(a)
    if a is not None or b is not None:
        return False
    if isinstance(true, str) and isinstance(given, str):
        return _plain(true) == _plain(given)
    sets = [
        {_plain(str(v)) for v in ((value,) if isinstance(value, str) else value)}  # type: ignore[union-attr]
        for value in (true, given)
    ]
    return sets[0] == sets[1]


def slot_counts(
    truth: Sequence[Sheet],
    answered: Sequence[Sheet | None],
    *,
    matching: SlotMatching = EXACT_SLOTS,
) -> SlotCounts:
    """Count what became of each example's slots.

    Parameters
    ----------
    truth
        Slots and values of each example; a slot that was not mentioned is absent.
    answered
        The same of the arm; None as a value abstains from a slot, None as a sheet answers nothing.
    matching
        When values are the same, and which slots count.

    Returns
    -------
    SlotCounts

    Raises
    ------
    EvaluationError
        When lengths differ or there are no examples.

    Examples
    --------
    >>> found = slot_counts([{"beds": 3.0, "city": "Leeds"}], [{"beds": 3.0, "city": None}])
    >>> found.right.tolist(), found.missed.tolist(), found.abstained.tolist()
    ([1.0], [0.0], [1.0])
    """
    check_pairs(truth, answered)
    rows = [_count(t, a, matching) for t, a in zip(truth, answered, strict=True)]
    return SlotCounts(*np.array(rows, dtype=np.float64).T)


def _count(true: Sheet, given: Sheet | None, matching: SlotMatching) -> tuple[int, ...]:
    wanted = {s: v for s, v in true.items() if v is not None and _counts(s, matching)}
    said = {s: v for s, v in (given or {}).items() if _counts(s, matching)}
    right = wrong = made_up = abstained = 0
    for slot, value in said.items():
        if value is None:
            abstained += 1
        elif slot not in wanted:
            made_up += 1
        elif _agree(slot, wanted[slot], value, matching):
            right += 1
        else:
            wrong += 1
    missed = sum(slot not in said for slot in wanted)
    return right, wrong, missed, made_up, abstained, len(wanted)


def _counts(slot: str, matching: SlotMatching) -> bool:
    return matching.slots is None or slot in matching.slots


def _agree(slot: str, true: SlotValue, given: SlotValue, matching: SlotMatching) -> bool:
    return same_value(
        matching.normalise(slot, true),
        matching.normalise(slot, given),
        relative_tolerance=matching.relative_tolerance,
    )
