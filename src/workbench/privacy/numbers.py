"""Numbers that identify: telephones, payment cards, social security numbers, bank accounts.

A number in a text is a price, a date, a size or an identifier, and only its shape, its check
digits and the words beside it tell. Runs of digits are taken apart into groups; amounts, dates
and ranges of years are set aside; what is left is judged from the most telling shape down.
"""

import functools
import itertools
import re
from collections.abc import Iterator
from typing import NamedTuple

from workbench.privacy.context import is_amount, is_phone_labelled, is_reference
from workbench.privacy.view import MASK, Span, View

__all__ = ["Numbers", "is_aba", "is_card", "judge_digits"]

_MARKS = frozenset("-. \t\r\n/()_~*|\\[]°")
_LETTERS = frozenset("OoIl")
# The letter O for a zero, a small L or an I for a one.
_LOOKALIKE = re.compile(
    r"(?<![A-Za-z])[OoIl]{1,4}(?=[-.]?[0-9])|(?<=[0-9-])[OoIl]{1,4}(?![A-Za-z])"
)
_DIGIT_FOR = str.maketrans("OoIl", "0011")
_PLAIN = re.compile(r"(?:1[-. ]?)?(?:[2-9]\d\d[-. ]|[2-9]\d\d\) ?)[2-9]\d\d[-. ]\d{4}")
_AMOUNT = re.compile(r"\d{1,3}(?:,\d{2,3})*,\d{3}(?:\.\d{1,2})?")
_NANP = re.compile(r"1?[2-9]\d\d[2-9]\d{6}")
_BARE = re.compile(
    r"[6-9]\d{9}|0[1-9]\d{8}|1[3-9]\d{9}|[1-9]\d9\d{8}|0[6-9]\d{9}|[67]\d{8}|9[1236]\d{7}"
)
_EXTENSION = re.compile(
    r"\s{0,2},?\s{0,2}(?:extension|extn?|ext|x|poste|ramal|anexo|分机|转)\.?\s{0,2}\d{1,6}(?!\d)",
    re.IGNORECASE,
)
# Most digits of an international number, by country code; else 15 (ITU-T E.164).
_LONGEST = {
    "1": 11,
    "33": 11,
    "34": 11,
    "351": 12,
    "44": 12,
    "52": 13,
    "55": 13,
    "86": 13,
    "91": 12,
}
_REGIONS = ("US", "IN", "CN", "FR", "ES", "MX", "BR", "PT")
_MOST_GROUPS = 8
# Sizes of groups that are a telephone's, with the digit it must start with.
_SHAPES = {(3, 3, 4): "", (3, 7): "", (1, 3, 3, 4): "1", (1, 3, 7): "1", (2, 2, 2, 2, 2): "0"}


class _Group(NamedTuple):
    start: int
    end: int
    digits: str


class Numbers:
    """Finds telephones, cards, social security numbers and routing numbers by their shape."""

    kinds = ("phone", "card", "ssn", "bank_account")
    cues: frozenset[bytes] = frozenset()

    def find(self, view: View) -> Iterator[Span]:
        """Find them.

        Parameters
        ----------
        view
            The text.
        """
        if view.n_digits < 4:  # the others may be letters that look like digits
            return
        text, groups = view.text, view.digit_groups
        if any(text[s - 1 : s] in _LETTERS or text[e : e + 1] in _LETTERS for s, e in groups):
            text = _LOOKALIKE.sub(lambda match: match.group().translate(_DIGIT_FOR), text)
            groups = [match.span() for match in re.finditer("[0-9]+", text)]
        for run in _runs(text, groups):
            yield from _in_run(text, run)


def _runs(text: str, groups: list[tuple[int, int]]) -> Iterator[list[tuple[int, int]]]:
    """Groups of digits with nothing but marks between them, seven digits or more."""
    run: list[tuple[int, int]] = []
    n_digits, last = 0, -9
    for group in groups:
        start, end = group
        gap = text[last:start]
        if start - last > 3 or not (
            _is_mark(gap) or (gap == ":" and last - run[-1][0] > 2)  # no time of day
        ):
            if n_digits > 6:
                yield run
            run, n_digits = [], 0
        run.append(group)
        n_digits += end - start
        last = end
    if n_digits > 6:
        yield run


def _is_mark(gap: str) -> bool:
    return gap == "," or _MARKS.issuperset(gap)


def _in_run(text: str, run: list[tuple[int, int]]) -> Iterator[Span]:
    start, end = run[0][0], run[-1][1]
    written = text[start:end]
    before = text[start - 1] if start else " "
    if _AMOUNT.fullmatch(written):
        return
    if _PLAIN.fullmatch(written) and before in " \n\t(:,>+.":
        yield _phone(text, start, end, "".join(text[s:e] for s, e in run))
        return
    groups = [_Group(s, e, text[s:e]) for s, e in run]
    for segment in _segments(text, _joined_singles(groups)):
        yield from _in_segment(text, segment)


def _joined_singles(groups: list[_Group]) -> list[_Group]:
    """Seven or more digits that stand alone one after the other are one number."""
    found: list[_Group] = []
    singles: list[_Group] = []
    for group in [*groups, None]:
        if group is not None and len(group.digits) == 1:
            singles.append(group)
            continue
        if len(singles) >= 7:
            digits = "".join(single.digits for single in singles)
            found.append(_Group(singles[0].start, singles[-1].end, digits))
        else:
            found.extend(singles)
        singles = []
        if group is not None:
            found.append(group)
    return found


def _segments(text: str, groups: list[_Group]) -> Iterator[list[_Group]]:
    """What is left between amounts, dates and ranges of years."""
    segment: list[_Group] = []
    place = 0
    while place < len(groups):
        if [len(group.digits) for group in groups[place : place + 4]] == [4, 4, 4, 4]:
            segment += groups[place : place + 4]  # a card, also where two of them look like years
            place += 4
            continue
        skipped = _amount(text, groups, place) or _date(text, groups, place)
        if skipped:
            yield segment
            segment = []
            place += skipped
        else:
            segment.append(groups[place])
            place += 1
    yield segment


def _gap(text: str, left: _Group, right: _Group) -> str:
    return text[left.end : right.start]


def _amount(text: str, groups: list[_Group], place: int) -> int:
    """Number of groups of the amount that starts here: 1,250,000 or 55,00,000."""
    last = place
    most = min(len(groups), place + _MOST_GROUPS)
    while last + 1 < most and _gap(text, groups[last], groups[last + 1]) == ",":
        last += 1
    sizes = [len(group.digits) for group in groups[place : last + 1]]
    thousands = sizes[-1] == 3 and all(size in (2, 3) for size in sizes[1:])
    return len(sizes) if len(sizes) > 1 and sizes[0] <= 3 and thousands else 0


def _date(text: str, groups: list[_Group], place: int) -> int:
    """Number of groups of the date or range of years that starts here."""
    three = groups[place : place + 3]
    if len(three) == 3:
        first, second = _gap(text, three[0], three[1]), _gap(text, three[1], three[2])
        numbers = [int(group.digits) for group in three]
        sizes = tuple(len(group.digits) for group in three)
        if first == second and first in ("-", "/", ".") and sizes[1] <= 2:
            year, other = (numbers[0], numbers[2]) if sizes[0] == 4 else (numbers[2], numbers[0])
            year_first, year_last = sizes[0] == 4 and sizes[2] <= 2, sizes[0] <= 2 and sizes[2] == 4
            days = {numbers[1], other}
            if (year_first or year_last) and 1800 <= year <= 2199 and _are_day_and_month(days):
                return 3
    two = groups[place : place + 2]
    years = [g for g in two if len(g.digits) == 4 and 1800 <= int(g.digits) <= 2199]
    if len(years) == 2 and _gap(text, *two).strip() in ("-", "/"):
        return 2
    return 1 if _is_compact_date(groups[place].digits) else 0


def _are_day_and_month(numbers: set[int]) -> bool:
    return 1 <= min(numbers) <= 12 and 1 <= max(numbers) <= 31


def _is_compact_date(digits: str) -> bool:
    if len(digits) != 8 or digits[:2] not in ("19", "20"):
        return False
    return 1 <= int(digits[4:6]) <= 12 and 1 <= int(digits[6:]) <= 31


def _in_segment(text: str, groups: list[_Group]) -> Iterator[Span]:
    if sum(len(group.digits) for group in groups) < 7:
        return
    # What has an unmistakable shape first, so that nothing vaguer swallows a part of it.
    taken: set[int] = set()
    for judge in (_strong, _weak):
        place = 0
        while place < len(groups):
            for last in range(min(len(groups), place + _MOST_GROUPS), place, -1):
                if not taken.isdisjoint(range(place, last)):
                    continue
                window = groups[place:last]
                digits = "".join(group.digits for group in window)
                kind = judge(text, window, digits) if 7 <= len(digits) <= 26 else None
                if kind is not None:
                    taken.update(range(place, last))
                    yield _span(text, window[0].start, window[-1].end, kind, digits)
                    place = last - 1
                    break
            place += 1


def _span(text: str, start: int, end: int, kind: str, digits: str) -> Span:
    return _phone(text, start, end, digits) if kind == "phone" else Span(start, end, kind, digits)


def _phone(text: str, start: int, end: int, digits: str) -> Span:
    plus = start > 0 and text[start - 1] == "+"
    bracket = start - plus
    if not plus and start > 1 and text[start - 2 : start] == "+(":
        plus, bracket = True, start - 2
    if bracket and text[bracket - 1] == "(" and ")" in text[start:end]:
        bracket -= 1
        plus = plus or (bracket > 0 and text[bracket - 1] == "+")
        bracket -= bracket > 0 and text[bracket - 1] == "+"
    extension = _EXTENSION.match(text, end)
    return Span(bracket, extension.end() if extension else end, "phone", f"{'+' * plus}{digits}")


def _strong(text: str, window: list[_Group], digits: str) -> str | None:
    sizes = tuple(len(group.digits) for group in window)
    start, end = window[0].start, window[-1].end
    before = text[start - 1] if start else " "
    found: str | None = None
    if before.isalpha() and before.isascii():
        found = None  # part of a code such as A12345678
    elif is_card(digits) or (sizes == (4, 4, 4, 4)):
        found = "card"
    elif len(window) == 1 and len(digits) > 15:
        found = "bank_account"  # no price and no telephone is as long
    elif before == "+" or (digits.startswith(("00", "011")) and len(window) > 1):
        found = "phone" if _is_international(digits, plus=before == "+") else None
    elif sizes == (3, 2, 4):
        found = "ssn"
    elif sizes[0] == 9 and len(sizes) == 2 and is_aba(window[0].digits) and 6 <= sizes[1] <= 17:
        found = "bank_account"
    elif _SHAPES.get(sizes, "-") in digits[:1]:
        found = "phone"
    if found == "phone" and is_amount(text, start, end):
        found = None
    return found


def _is_international(digits: str, *, plus: bool) -> bool:
    number = digits if plus else digits.removeprefix("011").removeprefix("00")
    longest = next((n for code, n in _LONGEST.items() if number.startswith(code)), 15)
    return 8 <= len(number) <= longest


def _weak(text: str, window: list[_Group], digits: str) -> str | None:
    start, end = window[0].start, window[-1].end
    if len(digits) > 15 or not _stands_alone(text, start, end) or is_amount(text, start, end):
        return None
    sizes = tuple(len(group.digits) for group in window)
    if sizes == (5, 4):
        return None  # a postal code of the US
    likely = _likely_phone(text, window, sizes, digits)
    if not likely and not _is_round(digits, sizes):
        likely = is_phone_labelled(text, start)
    return "phone" if likely and not is_reference(text, start) else None


def _stands_alone(text: str, start: int, end: int) -> bool:
    before, after = text[start - 1 : start], text[end : end + 1]
    glued = (before.isascii() and before.isalpha()) or before == MASK
    return not glued and not (after.isascii() and after.isalpha() and after not in "xX")


def _is_round(digits: str, sizes: tuple[int, ...]) -> bool:
    if sizes == (3, 4):
        return int(digits[:3]) % 50 == 0 and int(digits[3:]) % 50 == 0
    return len(digits) <= 9 and digits.endswith("000")


def _likely_phone(text: str, window: list[_Group], sizes: tuple[int, ...], digits: str) -> bool:
    if len(window) == 1:
        return bool(_NANP.fullmatch(digits) or _BARE.fullmatch(digits)) or (
            12 <= len(digits) <= 13 and _is_valid(f"+{digits}")
        )
    gaps = {_gap(text, a, b) for a, b in itertools.pairwise(window)}
    if sizes == (3, 4):
        return gaps <= {"-", "."} and digits[0] > "1" and not _is_round(digits, sizes)
    thousands = sizes[0] <= 3 and set(sizes[1:]) == {3} and len(gaps) == 1
    if thousands and (len(digits) != 9 or digits[0] not in "679"):
        return False
    small = min(sizes[1:]) < 2 or (sizes[0] < 2 and digits[0] not in "01")
    if small or len(digits) < 9 or len(gaps) > 2 or len(window) > 5:
        return False
    return _is_valid(digits) or (len(digits) > 10 and _is_valid(f"+{digits}"))


@functools.lru_cache(maxsize=4096)
def _is_valid(digits: str) -> bool:
    """Whether it is a number of a country where one of the six languages is spoken."""
    # Its tables take a while to load, and most texts never come here.
    import phonenumbers

    for region in (None,) if digits.startswith("+") else _REGIONS:
        try:
            if phonenumbers.is_valid_number(phonenumbers.parse(digits, region)):
                return True
        except phonenumbers.NumberParseException:
            continue
    return False


def judge_digits(digits: str) -> str | None:
    """Say what digits are that somebody spelled out; nobody spells a price digit by digit."""
    if is_card(digits):
        return "card"
    if len(digits) == 9:
        return "ssn"
    return "phone" if 7 <= len(digits) <= 15 else None


def is_card(digits: str) -> bool:
    """Whether it has the length and the check digit of a payment card (ISO/IEC 7812-1 B)."""
    if not 13 <= len(digits) <= 19 or digits[0] not in "23456":
        return False
    total = 0
    for place, digit in enumerate(map(int, reversed(digits))):
        doubled = digit * 2 if place % 2 else digit
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0


def is_aba(digits: str) -> bool:
    """Whether it has the check digit of a US routing number (ABA)."""
    weights = (3, 7, 1, 3, 7, 1, 3, 7, 1)
    total = sum(w * int(d) for w, d in zip(weights, digits, strict=True))
    return total % 10 == 0 and digits != "000000000"
