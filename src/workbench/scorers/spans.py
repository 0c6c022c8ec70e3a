"""Scores of evidence: which characters of a text an answer points to."""

import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np

from workbench.errors import EvaluationError
from workbench.scorers.weighted import check_pairs, ratio_statistic
from workbench.stats import Statistic

__all__ = ["find_quote", "span_exact_f1", "span_overlap_f1"]

Span: TypeAlias = tuple[int, int]
Evidence: TypeAlias = Mapping[str, Sequence[Span | str]]


def find_quote(quote: str, text: str) -> Span | None:
    r"""Where a quote stands in a text, however either breaks its lines.

    Parameters
    ----------
    quote
        Literal words; any run of white space matches any other.
    text
        Where to look.

    Returns
    -------
    tuple of int, or None
        First place, ``text[start:end]``; None when it is not there or the quote is empty.

    Examples
    --------
    >>> find_quote("three  beds", "We want three\nbeds.")
    (8, 18)
    """
    words = quote.split()
    if not words:
        return None
    found = re.search(r"\s+".join(re.escape(word) for word in words), text)
    return None if found is None else (found.start(), found.end())


def _resolved(
    evidence: Evidence | None, text: str | None, example: int
) -> tuple[dict[str, set[Span]], int, int]:
    """Spans by slot, and the number and characters of quotes that stand nowhere."""
    spans: dict[str, set[Span]] = {}
    lost = lost_characters = 0
    for slot, given in (evidence or {}).items():
        if isinstance(given, str):
            raise EvaluationError(
                "evidence is a text", where=f"example {example}, slot {slot!r}",
                expected="a list of quotes or offsets", fix="put it into a list",
            )  # fmt: skip
        for item in given:
            if isinstance(item, str):
                if text is None:
                    raise EvaluationError(
                        "evidence is a quote, and there is no text to find it in",
                        where=f"example {example}, slot {slot!r}",
                        expected="offsets, or texts beside the quotes",
                        fix="pass texts=",
                    )
                place = find_quote(item, text)
                if place is None:
                    lost, lost_characters = lost + 1, lost_characters + max(len(item.strip()), 1)
                    continue
            else:
                place = (int(item[0]), int(item[1]))
                if not 0 <= place[0] < place[1]:
                    raise EvaluationError(
                        f"span {place}",
                        where=f"example {example}, slot {slot!r}",
                        expected="start < end, from 0",
                        fix="correct the offsets",
                    )
            spans.setdefault(slot, set()).add(place)
    return spans, lost, lost_characters


def _pairs(
    truth: Sequence[Evidence], answered: Sequence[Evidence | None], texts: Sequence[str] | None
) -> list[tuple[dict[str, set[Span]], dict[str, set[Span]], int, int]]:
    n = check_pairs(truth, answered)
    if texts is not None:
        check_pairs(truth, texts)
    rows = []
    for i in range(n):
        text = None if texts is None else texts[i]
        true, lost, _ = _resolved(truth[i], text, i)
        if lost:
            raise EvaluationError(
                "true evidence does not stand in its text",
                where=f"example {i}",
                expected="quotes that are literally there",
                fix="correct the label or pass the right text",
            )
        given, lost, characters = _resolved(answered[i], text, i)
        rows.append((true, given, lost, characters))
    return rows


def span_overlap_f1(
    truth: Sequence[Evidence],
    answered: Sequence[Evidence | None],
    *,
    texts: Sequence[str] | None = None,
) -> Statistic:
    """F1 over characters: how much of the evidence is shared, slot by slot.

    Parameters
    ----------
    truth, answered
        Slot to offsets ``(start, end)`` or quoted words; None points nowhere. A quote that is not
        in the text counts as characters that are wrong.
    texts
        Each example's text, needed where evidence is quoted.

    Returns
    -------
    Statistic
        Characters of all slots together; overlapping spans of a slot count once.

    Raises
    ------
    EvaluationError
        When lengths differ, offsets are malformed, texts are missing, or true evidence is not in
        its text.

    Examples
    --------
    >>> span_overlap_f1([{"beds": [(0, 10)]}], [{"beds": [(5, 15)]}])([1]).tolist()
    [0.5]
    """
    sums = np.zeros((len(truth), 2))
    for i, (true, given, _, lost) in enumerate(_pairs(truth, answered, texts)):
        of_truth = {slot: _characters(spans) for slot, spans in true.items()}
        of_answer = {slot: _characters(spans) for slot, spans in given.items()}
        shared = sum(len(of_truth.get(slot, set()) & c) for slot, c in of_answer.items())
        sizes = sum(len(c) for part in (of_truth, of_answer) for c in part.values())
        sums[i] = 2 * shared, sizes + lost
    return ratio_statistic(sums[:, 0], sums[:, 1])


def _characters(spans: set[Span]) -> set[int]:
    return set().union(*(range(start, end) for start, end in spans))


def span_exact_f1(
    truth: Sequence[Evidence],
    answered: Sequence[Evidence | None],
    *,
    texts: Sequence[str] | None = None,
) -> Statistic:
    """F1 over spans that must agree in slot, start and end.

    Parameters
    ----------
    truth, answered, texts
        As for `span_overlap_f1`.

    Returns
    -------
    Statistic

    Raises
    ------
    EvaluationError
        As `span_overlap_f1`.

    Examples
    --------
    >>> span_exact_f1([{"beds": ["3 beds"]}], [{"beds": [(5, 11)]}], texts=["want 3 beds"])([1])
    array([1.])
    """
    sums = np.zeros((len(truth), 2))
    for i, (true, given, lost, _) in enumerate(_pairs(truth, answered, texts)):
        shared = sum(len(spans & given.get(slot, set())) for slot, spans in true.items())
        sizes = sum(len(spans) for part in (true, given) for spans in part.values())
        sums[i] = 2 * shared, sizes + lost
    return ratio_statistic(sums[:, 0], sums[:, 1])
