"""Counterfactual texts: pairs that differ in one span only, which tells who somebody is."""

import random
import re
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from workbench.errors import DataError
from workbench.monitoring.fairness.terms import SWAPS, SwapKind

__all__ = ["SwapPair", "swap_kinds", "swap_pairs"]


class SwapPair(NamedTuple):
    """Two texts that differ in one span.

    Attributes
    ----------
    row
        Position of the text they were made from.
    kind, reference, contrast
        Which characteristic, and the groups the spans speak of.
    before, after
        The text with the reference's span, and with the contrast's.
    start
        Where the span begins, in both.
    before_end, after_end
        Where it ends.
    appended
        Whether a sentence was appended because the text held no term.
    """

    row: int
    kind: str
    reference: str
    contrast: str
    before: str
    after: str
    start: int
    before_end: int
    after_end: int
    appended: bool


def swap_kinds(names: Sequence[str] | None = None) -> tuple[SwapKind, ...]:
    """Find kinds of swaps by name; all when omitted.

    Raises
    ------
    DataError
        When there is no such kind.

    Examples
    --------
    >>> [kind.name for kind in swap_kinds()]
    ['name', 'family status', 'origin', 'religion', 'disability', 'language']
    """
    if names is None:
        return tuple(SWAPS.values())
    for name in names:
        if name not in SWAPS:
            raise DataError(
                f"no kind of swap {name!r}", expected=f"one of {', '.join(SWAPS)}",
                fix="name one of them",
            )  # fmt: skip
    return tuple(SWAPS[name] for name in names)


def swap_pairs(
    texts: Sequence[str], kind: SwapKind, contrast: str, *, random_state: int = 0
) -> list[SwapPair]:
    """Make one pair of each text.

    A term of either group in the text is replaced by one of the other group; a text that holds
    none gets the kind's sentence at its end, with either term.

    Parameters
    ----------
    texts
        Any texts, in any language; appended sentences are English.
    kind
        What to swap.
    contrast
        Group to change to.
    random_state
        Seed of which terms are used.

    Returns
    -------
    list of SwapPair
        In the order of the texts.

    Raises
    ------
    DataError
        When the kind has no such group.

    Examples
    --------
    >>> (pair,) = swap_pairs(["Hi, Emily here. Is it still free?"], SWAPS["name"], "Black names")
    >>> pair.before, pair.after
    ('Hi, Emily here. Is it still free?', 'Hi, Aisha here. Is it still free?')
    """
    if contrast not in kind.contrasts:
        raise DataError(
            f"{kind.name!r} has no group {contrast!r}",
            expected=f"one of {', '.join(kind.contrasts)}", fix="name one of them",
        )  # fmt: skip
    draw = random.Random(f"{random_state} {kind.name} {contrast}")
    return [_pair(row, text, kind, contrast, draw) for row, text in enumerate(texts)]


def _pair(row: int, text: str, kind: SwapKind, contrast: str, draw: random.Random) -> SwapPair:
    ours, theirs = kind.groups[kind.reference], kind.groups[contrast]
    first, second = draw.choice(ours), draw.choice(theirs)
    match = _pattern((*ours, *theirs)).search(text) if kind.found else None
    if match is None:
        ahead = text.rstrip()
        ahead += "" if not ahead or ahead[-1] in ".!?。？！।" else "."
        lead, tail = kind.sentence.split("{}")
        head = f"{ahead} {lead}" if ahead else lead
    else:
        head, tail = text[: match.start()], text[match.end() :]
        if match.group().lower() in {term.lower() for term in ours}:
            first = match.group()
        else:
            second = match.group()
    return SwapPair(
        row, kind.name, kind.reference, contrast, f"{head}{first}{tail}", f"{head}{second}{tail}",
        len(head), len(head) + len(first), len(head) + len(second), match is None,
    )  # fmt: skip


@cache
def _pattern(terms: tuple[str, ...]) -> re.Pattern[str]:
    longest = sorted(terms, key=len, reverse=True)
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, longest))})\b", re.IGNORECASE)
