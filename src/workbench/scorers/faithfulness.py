"""Whether a generated text says only what its source says: numbers, dates and quotes."""

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from workbench.scorers.spans import find_quote

__all__ = ["NumberFindings", "QuoteFindings", "faithful_numbers", "quotes_present"]

_WORDS = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
    "twenty",
]
_VALUES = {word: float(i) for i, word in enumerate(_WORDS)}
_SCALES = {
    "k": 1e3, "thousand": 1e3, "m": 1e6, "mn": 1e6, "million": 1e6, "bn": 1e9, "billion": 1e9,
}  # fmt: skip
_NUMBER = re.compile(
    r"(?<![\w.,])(?P<sign>[-−](?=\d))?(?P<digits>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)"
    r"(?:\s?(?P<scale>k|m|mn|bn|thousand|million|billion)\b)?"
    r"|\b(?P<word>" + "|".join(_WORDS) + r")\b(?:\s(?P<word_scale>thousand|million|billion)\b)?",
    re.IGNORECASE,
)
_MONTHS = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
_MONTH = r"(?P<month>" + "|".join(f"{m[:3]}(?:{m[3:]})?" if m[3:] else m for m in _MONTHS) + r")"
_VERBS = {"may", "march", "mar"}
"""Lower case, these are mostly no months."""
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(?:,?\s+(?P<year>(?:19|20)\d\d))?"
_DATES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"\b(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})\b",
        rf"\b{_DAY}\s+(?:of\s+)?{_MONTH}\b{_YEAR}",
        rf"\b{_MONTH}\.?\s+{_DAY}\b{_YEAR}",
        r"\b(?P<month>\d{1,2})/(?P<day>\d{1,2})/(?P<year>\d{4})\b",
    )
)


class NumberFindings(NamedTuple):
    """Numbers and dates of one text.

    Attributes
    ----------
    found
        As they stand in the text, in order.
    unsupported
        Those that neither stand in the source nor may be derived from it.
    """

    found: tuple[str, ...]
    unsupported: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether every number is supported."""
        return not self.unsupported


class QuoteFindings(NamedTuple):
    """Quotes of one answer.

    Attributes
    ----------
    present
        How many stand in the source.
    missing
        Those that do not.
    """

    present: int
    missing: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether there is a quote, and every one stands in the source."""
        return self.present > 0 and not self.missing


class _Date(NamedTuple):
    start: int
    end: int
    year: int | None
    month: int
    day: int
    swappable: bool

    def fits(self, other: "_Date") -> bool:
        """Whether both may be the same day; a year left out fits any."""
        if self.year is not None and other.year is not None and self.year != other.year:
            return False
        ways = [{(d.month, d.day)} | ({(d.day, d.month)} if d.swappable else set())
                for d in (self, other)]  # fmt: skip
        return bool(ways[0] & ways[1])


def _dates(text: str) -> list[_Date]:
    found: list[_Date] = []
    for pattern in _DATES:
        for match in pattern.finditer(text):
            if match["month"] in _VERBS:
                continue
            month = match["month"].lower()
            number = int(month) if month.isdigit() else _month_number(month)
            day, year = int(match["day"]), match["year"]
            taken = any(match.start() < d.end and d.start < match.end() for d in found)
            if 1 <= day <= 31 and 1 <= number <= 31 and not taken:
                swappable = "/" in match.group()
                found.append(
                    _Date(*match.span(), int(year) if year else None, number, day, swappable)
                )
    return found


def _month_number(name: str) -> int:
    return next(i for i, month in enumerate(_MONTHS, start=1) if month.startswith(name[:3]))


def _numbers(text: str) -> Iterator[tuple[int, int, str, float]]:
    for match in _NUMBER.finditer(text):
        scale = (match["scale"] or match["word_scale"] or "").lower()
        if match["digits"] is not None:
            value = float(match["digits"].replace(",", ""))
        else:
            value = _VALUES[match["word"].lower()]
        value *= _SCALES.get(scale, 1.0) * (-1 if match["sign"] else 1)
        yield match.start(), match.end(), match.group(), value


def faithful_numbers(
    text: str,
    source: str,
    *,
    derivable: Iterable[float] = (),
    relative_tolerance: float = 0.0,
) -> NumberFindings:
    """Check that every number, price and date of a text stands in its source.

    Parameters
    ----------
    text
        What was written.
    source
        What it was written from.
    derivable
        Numbers that may be said though the source does not spell them out, such as sums.
    relative_tolerance
        How far a number may be from the source's, as a share of it.

    Returns
    -------
    NumberFindings
        Numbers are compared by value: "$450k", "450,000" and "0.45 million" are one, and so are
        "three" and "3"; the word "one" is not held against a text. Dates are compared as days;
        a date without year fits any year.

    Examples
    --------
    >>> faithful_numbers("Three beds for $450k on 3 May, 2 baths.",
    ...                  "3 beds, 450,000 dollars, viewing 2026-05-03").unsupported
    ('2',)
    """
    source_dates = _dates(source)
    known = [*derivable, *(value for *_, value in _numbers(source))]
    found: list[tuple[int, str, bool]] = []
    dates = _dates(text)
    for date in dates:
        supported = any(date.fits(other) for other in source_dates)
        found.append((date.start, text[date.start : date.end], supported))
    for start, end, words, value in _numbers(text):
        inside = any(date.start < end and start < date.end for date in dates)
        if inside or words.lower() == "one":
            continue
        close = any(
            math.isclose(value, other, rel_tol=1e-9)
            or abs(value - other) <= relative_tolerance * abs(other)
            for other in known
        )
        found.append((start, words, close))
    found.sort()
    return NumberFindings(
        tuple(words for _, words, _ in found), tuple(words for _, words, ok in found if not ok)
    )


def quotes_present(quotes: Sequence[str], source: str) -> QuoteFindings:
    r"""Check that quotes stand literally in a source.

    Parameters
    ----------
    quotes
        Words given as evidence. White space may differ; empty quotes stand nowhere.
    source
        What they are quoted from.

    Returns
    -------
    QuoteFindings

    Examples
    --------
    >>> quotes_present(["call me  back", "tomorrow"], "Please call me\nback.").missing
    ('tomorrow',)
    """
    missing = tuple(quote for quote in quotes if find_quote(quote, source) is None)
    return QuoteFindings(len(quotes) - len(missing), missing)
