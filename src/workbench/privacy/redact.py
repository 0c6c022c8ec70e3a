"""Take structured identifiers out of free text before it leaves the machine.

Patterns find what has a form: e-mail addresses, telephone numbers, US social security
numbers and payment card numbers. They cannot find names or street addresses; whoever
needs those gone must remove them before the text comes here.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import NamedTuple

__all__ = ["RedactedText", "redact"]


class RedactedText(NamedTuple):
    """A text without its identifiers, and how many of each kind were taken out."""

    text: str
    counts: Mapping[str, int]


def _luhn(digits: str) -> bool:
    # ISO/IEC 7812-1 annex B: tells card numbers from other long numbers.
    total = 0
    for position, digit in enumerate(int(c) for c in reversed(digits)):
        doubled = digit * 2 if position % 2 else digit
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0


def _is_card(match: re.Match[str]) -> bool:
    digits = re.sub(r"\D", "", match.group())
    return 13 <= len(digits) <= 19 and _luhn(digits)


def _is_long_phone(match: re.Match[str]) -> bool:
    return 10 <= len(re.sub(r"\D", "", match.group())) <= 15


def _always(match: re.Match[str]) -> bool:
    return bool(match)


# No currency sign, digit or thousands comma on either side, so that prices stay; a comma of
# the sentence is none.
_BEFORE, _AFTER = r"(?<![\w$€£])(?<!\d[.,])", r"(?!\w|,\d{3}(?!\d))"

# In this order: a card number would otherwise be taken for a telephone number, and the end of
# a long telephone number for a short one.
_KINDS: tuple[tuple[str, re.Pattern[str], Callable[[re.Match[str]], bool]], ...] = (
    (
        "email",
        # From the start of a word only, or a long word would be searched from each letter.
        re.compile(
            r"(?<![\w.+-])[\w.+-]+\s?(?:@|\(at\)|\[at\])\s?[\w-]+(?:\.[\w-]+)+", re.IGNORECASE
        ),
        _always,
    ),
    ("ssn", re.compile(r"(?<![\d-])\d{3}[- ]\d{2}[- ]\d{4}(?![\d-])"), _always),
    ("card", re.compile(r"(?<!\d)\d(?:[ -]?\d){12,18}(?!\d)"), _is_card),
    (
        "phone",
        re.compile(
            rf"{_BEFORE}(?:\+?\d{{1,3}}[ .-]?)?(?:\(\d{{2,4}}\)|\d{{2,4}})[ .-]?"
            rf"\d{{3,4}}[ .-]\d{{4}}{_AFTER}|{_BEFORE}\+?\d{{10,13}}{_AFTER}"
        ),
        _is_long_phone,
    ),
    ("phone", re.compile(rf"{_BEFORE}\d{{3}}[ .-]\d{{4}}{_AFTER}"), _always),
)


_MAX_PASSES = 8

# Every identifier has an at sign, or digits enough for the shortest telephone number.
_WORTH_A_LOOK = re.compile(r"@|\(at\)|\[at\]|\d.{0,3}\d.{0,3}\d", re.IGNORECASE)


def redact(text: str) -> RedactedText:
    """Replace structured identifiers by their kind in brackets.

    Parameters
    ----------
    text
        Any text; it is not changed otherwise.

    Returns
    -------
    RedactedText
        The text and the number of replacements per kind (kinds found only).

    Examples
    --------
    >>> redact("Call 212-555-0134 or write ann@example.com, budget $550,000").text
    'Call [phone] or write [email], budget $550,000'
    """
    counts: Counter[str] = Counter()
    if not _WORTH_A_LOOK.search(text):
        return RedactedText(text, {})

    # What was taken out may have hidden its neighbour.
    for _ in range(_MAX_PASSES):
        before = text
        for kind, pattern, accept in _KINDS:

            def replace(
                match: re.Match[str],
                kind: str = kind,
                accept: Callable[[re.Match[str]], bool] = accept,
            ) -> str:
                if not accept(match):
                    return match.group()
                counts[kind] += 1
                return f"[{kind}]"

            text = pattern.sub(replace, text)
        if text == before:
            break
    return RedactedText(text, dict(counts))
