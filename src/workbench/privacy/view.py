"""A text as recognisers see it: odd characters folded to plain ones, positions kept."""

import bisect
import re
from functools import cached_property
from typing import NamedTuple

__all__ = ["MASK", "Span", "View", "cue_words", "word_set"]

MASK = "\x01"
"""Stands for what is sealed already: no letter, digit, space or mark of any pattern."""

# First digits of Unicode's blocks of decimal digits (category Nd), ASCII left out.
_ZEROS = (
    0x660, 0x6F0, 0x7C0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xB66, 0xBE6, 0xC66, 0xCE6, 0xD66, 0xDE6,
    0xE50, 0xED0, 0xF20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50,
    0x1BB0, 0x1C40, 0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0x104A0,
    0x10D30, 0x11066, 0x110F0, 0x11136, 0x111D0, 0x112F0, 0x11450, 0x114D0, 0x11650, 0x116C0,
    0x11730, 0x118E0, 0x11950, 0x11C50, 0x11D50, 0x11DA0, 0x16A60, 0x16AC0, 0x16B50, 0x1D7CE,
    0x1D7D8, 0x1D7E2, 0x1D7EC, 0x1D7F6, 0x1E140, 0x1E2F0, 0x1E950, 0x1FBF0,
)  # fmt: skip
_DASHES = "\u30fc\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u2212\ufe58\ufe63"
_SPACES = "\u00a0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u202f\u205f\u3000"
_QUOTES = "\u2018\u2019\u02bc"
# Nothing to see: soft hyphen, zero-width and direction marks, joiners, variation selectors, keycap.
_NOTHING = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u20e3\ufe00-\ufe0f\ufeff\U000e0000-\U000e0fff"
)
# Signs of indic scripts use the joiners; there they are part of the spelling and harmless.
_FOLDED: dict[str, str] = {
    **{chr(zero + digit): str(digit) for zero in _ZEROS for digit in range(10)},
    **{chr(0x2460 + digit): str(digit + 1) for digit in range(9)},
    "\u24ea": "0",
    **{chr(code): chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)},
    **dict.fromkeys(_DASHES, "-"),
    **dict.fromkeys(_SPACES, " "),
    **dict.fromkeys(_QUOTES, "'"),
    **dict.fromkeys("\u3002\uff61\ufe52", "."),
    "\u00ab": "<",
    "\u00bb": ">",
    "\ufe6b": "@",
    "\u2022": "*",
    "\u00b7": "*",
}  # fmt: skip
_ODD = re.compile(f"[{re.escape(''.join(_FOLDED))}{_NOTHING}]")


def _expanded(ranges: str) -> set[str]:
    """Characters of a class such as "a-cx"."""
    found = {last for last in ranges if last != "-"}
    for first, dash, last in zip(ranges, ranges[1:], ranges[2:], strict=False):
        if dash == "-":
            found.update(map(chr, range(ord(first), ord(last) + 1)))
    return found


# Whether there is any is asked of every text, and a set answers thirty times as fast.
_ODD_CHARACTERS = frozenset(_FOLDED) | _expanded(_NOTHING)
_DIGITS = re.compile("[0-9]+")
_CJK = re.compile("[\u4e00-\u9fff]")
_SEALED = re.compile(
    r"\[(?:(?:email|phone|name|address):[A-Za-z0-9_-]{6,64}"
    r"|ssn|card|bank_account|credit_score|driver_license)\]"
)
# Words for the cue check, in one pass over UTF-8: letters and digits, small; the rest is space.
_WORDS = bytes(
    (ord(chr(code).lower()) if chr(code).isalnum() else 32) if code < 128 else code
    for code in range(256)
)
_NOT_DIGITS = bytes(code for code in range(256) if not 48 <= code <= 57)


class Span(NamedTuple):
    """Where an identifier stands in `View.text`.

    Parameters
    ----------
    start, end
        Positions in the folded text.
    kind
        What it is.
    value
        Its canonical form: one value however it was written.
    """

    start: int
    end: int
    kind: str
    value: str


class View:
    """A text folded for searching.

    Digits of every script, full-width letters, dashes, spaces and quotes of every width become
    their ASCII form; characters that show nothing are left out. What is sealed already is
    masked.

    Parameters
    ----------
    text
        Any text.
    cues
        Words worth knowing about, small letters, UTF-8.

    Examples
    --------
    >>> view = View("Tel. ２１２\u200b–５５５", frozenset())
    >>> view.text
    'Tel. 212-555'
    >>> view.origin(5, 12)
    (5, 13)
    """

    def __init__(self, text: str, cues: frozenset[bytes]) -> None:
        self._all_cues = cues
        self._cuts: list[int] = []
        self._left_out: list[int] = []
        if not text.isascii() and not _ODD_CHARACTERS.isdisjoint(text):
            text = self._fold(text)
        if "[" in text:
            text = _SEALED.sub(lambda match: MASK * len(match.group()), text)
        self.text = text
        self._bytes = text.encode("utf-8", "surrogatepass")

    def _fold(self, text: str) -> str:
        pieces, done, length, dropped = [], 0, 0, 0
        for match in _ODD.finditer(text):
            start = match.start()
            pieces.append(text[done:start])
            length += start - done
            done = start + 1
            plain = _FOLDED.get(match.group())
            if plain is None:
                dropped += 1
                self._cuts.append(length)
                self._left_out.append(dropped)
            else:
                pieces.append(plain)
                length += 1
        pieces.append(text[done:])
        return "".join(pieces)

    def origin(self, start: int, end: int) -> tuple[int, int]:
        """Where a stretch of the folded text stands in the text itself."""
        if not self._cuts:
            return start, end
        return self._origin(start), self._origin(end - 1) + 1

    def _origin(self, position: int) -> int:
        before = bisect.bisect_right(self._cuts, position)
        return position + (self._left_out[before - 1] if before else 0)

    @cached_property
    def n_digits(self) -> int:
        """Number of digits in the text."""
        return len(self._bytes.translate(None, _NOT_DIGITS))

    @cached_property
    def digit_groups(self) -> list[tuple[int, int]]:
        """Where the runs of digits start and end."""
        return [match.span() for match in _DIGITS.finditer(self.text)]

    @cached_property
    def words(self) -> list[bytes]:
        """The words in small letters."""
        return self._bytes.translate(_WORDS).split()

    @cached_property
    def cues(self) -> frozenset[bytes]:
        """Which of the cues occur."""
        return self._all_cues.intersection(self.words)

    @cached_property
    def chinese(self) -> bool:
        """Whether there are Chinese characters."""
        return not self.text.isascii() and _CJK.search(self.text) is not None

    @cached_property
    def lower(self) -> str:
        """The folded text in small letters, of the same length."""
        small = self.text.lower()
        if len(small) == len(self.text):
            return small
        return "".join(c.lower() if len(c.lower()) == 1 else c for c in self.text)


def word_set(words: str) -> frozenset[str]:
    """Words from a text, separated by spaces."""
    return frozenset(words.split())


def cue_words(words: str) -> frozenset[bytes]:
    """Cues from a text: its words, in UTF-8."""
    return frozenset(word.encode() for word in words.split())
