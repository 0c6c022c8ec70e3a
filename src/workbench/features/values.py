"""Values as people write them: money, counts, sizes, durations and dates, in six languages."""

import re
from calendar import monthrange
from datetime import date
from types import MappingProxyType
from typing import NamedTuple

from workbench.features.numerals import Numeral, find_numerals, plain_digits

__all__ = ["UNITS", "Value", "date_in", "find_values", "months_in", "normal_text", "number_in"]

_UNIT_WORDS = {
    "bedrooms": r"bed ?rooms?|beds?|brs?|bdr?ms?|habitaci[oó]n(?:es)?|dormitorios?|rec[aá]maras?"
    r"|chambres?|quartos?|[个間间]?(?:卧室|臥室|房间)|间|बेडरूम|बैडरूम|शयनकक्ष",
    "bathrooms": r"bath ?rooms?|baths?|ba|baños?|banheiros?|salles? de bains?|sdb"
    r"|[个间]?(?:卫生间|浴室|洗手间)|卫|बाथरूम",
    "sqft": r"square (?:feet|foot)|sq\.? ?f(?:ee)?t\.?|sqft|ft²|feet|pies cuadrados|pieds carrés"
    r"|pés quadrados|平方英尺|वर्ग फुट|वर्ग फीट",
    "sqm": r"square met(?:er|re)s?|sq\.? ?m\b|m2|m²|metros cuadrados|mètres carrés"
    r"|metros quadrados|平方米|平米|वर्ग मीटर",
    "percent": r"%|percent|per cent|por ciento|pour cent|por cento|प्रतिशत",
    "years": r"years?|yrs?|años?|ans?|années?|anos?|年|साल",
    "months": r"months?|mos?|mes(?:es)?|mês|mois|个月|個月|महीने|महीनों|महीना|माह",
    "weeks": r"weeks?|wks?|semanas?|semaines?|周|个星期|星期|हफ़्ते|हफ्ते|सप्ताह",
    "days": r"days?|días?|dias?|jours?|天|日|दिन",
}
UNITS = tuple(_UNIT_WORDS)
"""Units told apart; `money` is told by a currency or a scale."""

_UNIT = MappingProxyType({
    unit: re.compile(rf"[\s-]{{0,2}}(?:{words})(?![a-zà-ÿ])", re.IGNORECASE)
    for unit, words in _UNIT_WORDS.items()
})  # fmt: skip
_SIGN_BEFORE = re.compile(r"(?:US\$|R\$|[$€£¥₹]|USD|EUR|BRL|INR|Rs\.?)\s?$", re.IGNORECASE)
_SIGN_AFTER = re.compile(
    r"\s?(?:[$€£₹]|(?:USD|EUR|dollars?|dólar(?:es)?|euros?|bucks|reais|pesos|rupees)(?![a-z])"
    r"|美元|美金|元|欧元|डॉलर|रुपये|रुपए|यूरो)",
    re.IGNORECASE,
)
_BETWEEN = re.compile(
    r"\s?(?:-|–|—|to|a|à|y|e|et|or|ou|o|up to|to about|até|and|到|至|से)\s?(?:US\$|R\$|[$€£₹])?\s?",
    re.IGNORECASE,
)
_MONEY_FROM = 10_000  # a bare number with a scale, such as 450k, is money from here on
_DAYS_A_MONTH = 30.4375
_MONTH_NAMES = """
january jan enero janvier janeiro जनवरी
february feb febrero février fevereiro फ़रवरी फरवरी
march mar marzo mars março मार्च
april apr abril avril अप्रैल
may mayo mai maio मई
june jun junio juin junho जून
july jul julio juillet julho जुलाई
august aug agosto août अगस्त
september sept sep septiembre septembre setembro सितंबर सितम्बर
october oct octubre octobre outubro अक्टूबर अक्तूबर
november nov noviembre novembre novembro नवंबर नवम्बर
december dec diciembre décembre dezembro दिसंबर दिसम्बर
"""
_MONTHS = tuple(
    re.compile(rf"(?<![^\W\d_])(?:{'|'.join(names.split())})(?![^\W\d_])", re.IGNORECASE)
    for names in _MONTH_NAMES.strip().splitlines()
)
# "may" and "march" are also verbs, and "mai", "mar" words of other languages.
_DOUBTFUL = re.compile(
    r"(?:\b(?:in|by|until|till|before|after|of|from|this|next|early|mid|late|end|em|en|de|fin|até"
    r"|and|or|to)|[-–]|\d(?:st|nd|rd|th)?)\s*$",
    re.IGNORECASE,
)
_END = re.compile(r"(?:end|close|late|fin(?:ales)?|final|fim)\s*(?:of|de|do)?\s*$", re.IGNORECASE)
_ISO = re.compile(r"(?<!\d)(\d{4})-(\d{2})-(\d{2})(?!\d)")
_SLASHED = re.compile(r"(?<!\d)(\d{1,2})[/.](\d{1,2})[/.](\d{4})(?!\d)")
_HAN_MONTH = re.compile(r"(?<!\d)(\d{1,2})月(?:(\d{1,2})[日号])?(月?底|末)?")
_DAY_BEFORE = re.compile(r"(?<!\d)(\d{1,2})(?:st|nd|rd|th)?\s*(?:of|de|di)?\s*$", re.IGNORECASE)
_DAY_AFTER = re.compile(r"\s*(\d{1,2})(?:st|nd|rd|th)?(?![\d:])", re.IGNORECASE)
_YEAR_AFTER = re.compile(r"[\s,]*(?:of|de|do)?\s*(?:\d{1,2}(?:st|nd|rd|th)?,?\s*)?((?:19|20)\d{2})")
_IN_MONTHS = {"years": 12.0, "months": 1.0, "weeks": 7 / _DAYS_A_MONTH, "days": 1 / _DAYS_A_MONTH}


class Value(NamedTuple):
    """A value in a text: characters from `start` up to `end`, the unit included.

    `unit` is "money", one of `UNITS`, or "" for a bare number; `high` is the upper end of a range.
    """

    value: float
    unit: str
    start: int
    end: int
    high: float | None = None


def find_values(text: str) -> list[Value]:
    """Find the values of a text.

    Parameters
    ----------
    text
        English, Spanish, French, Portuguese, Chinese or Hindi, or any mixture.

    Returns
    -------
    list of Value
        In order. Currencies are not converted.

    Examples
    --------
    >>> [(v.value, v.high, v.unit) for v in find_values("2-3 beds, half a million, tops")]
    [(2.0, 3.0, 'bedrooms'), (500000.0, None, 'money')]
    >>> [(v.value, v.high) for v in find_values("between $400-450k or 450.000 €")]
    [(400000.0, 450000.0), (450000.0, None)]
    """
    numerals = find_numerals(text)
    found: list[Value] = []
    at = 0
    while at < len(numerals):
        first, second = numerals[at], numerals[at + 1] if at + 1 < len(numerals) else None
        if second is not None and _is_range(text, first, second):
            low = first.value * second.scale if _shares_scale(first, second) else first.value
            value = _valued(text, second, low, first.start, second.value)
            at += 1
        else:
            value = _valued(text, first, first.value, first.start, None)
        if value is not None:
            found.append(value)
        at += 1
    return found


def number_in(text: str, unit: str | None = None) -> float | None:
    """Give the first value of a text, of a unit if one is named.

    Parameters
    ----------
    text
        What was written.
    unit
        "money" or one of `UNITS`; a text that holds nothing but a bare number fits any.

    Returns
    -------
    float or None
        The lower end of a range; None when there is none.

    Examples
    --------
    >>> number_in("three bedrooms"), number_in("450k", "money"), number_in("3", "bathrooms")
    (3.0, 450000.0, 3.0)
    >>> number_in("some day") is None
    True
    """
    values = find_values(text)
    fitting = [v for v in values if unit is None or v.unit == unit]
    if not fitting and len(values) == 1 and values[0].unit == "":
        fitting = values
    return fitting[0].value if fitting else None


def date_in(text: str, today: date) -> date | None:
    """Give the first date a text names.

    Parameters
    ----------
    text
        What was written.
    today
        When: a month without a year is the next one of that name.

    Returns
    -------
    datetime.date or None
        The last day of a month whose end is meant, else its first, where no day is named.

    Examples
    --------
    >>> date_in("by the end of March", date(2026, 1, 15)).isoformat()
    '2026-03-31'
    >>> date_in("le 5 juin", date(2026, 7, 1)).isoformat()
    '2027-06-05'
    """
    plain = plain_digits(text)
    for pattern, order in ((_ISO, (0, 1, 2)), (_SLASHED, (2, 1, 0))):
        if match := pattern.search(plain):
            year, month, day = (int(match.groups()[i]) for i in order)
            if month > 12 >= day:
                month, day = day, month
            return _day(year, month, day)
    if match := _HAN_MONTH.search(plain):
        number = int(match.group(1))
        if 1 <= number <= 12:
            return _in_month(number, match.group(2), None, today, at_end=bool(match.group(3)))
    found = [
        (match.start(), number, match)
        for number, names in enumerate(_MONTHS, start=1)
        for match in names.finditer(plain)
        if _is_month(plain, match)
    ]
    if not found:
        return None
    _, number, match = min(found, key=lambda one: one[0])
    before, after = plain[: match.start()], plain[match.end() :]
    on = _DAY_BEFORE.search(before) or _DAY_AFTER.match(after)
    of = _YEAR_AFTER.match(after)
    return _in_month(
        number,
        on.group(1) if on else None,
        of.group(1) if of else None,
        today,
        at_end=bool(_END.search(before)),
    )


def months_in(text: str, today: date) -> float | None:
    """Give how far ahead a text looks, in months.

    Parameters
    ----------
    text
        A duration, or a date.
    today
        When it was written.

    Returns
    -------
    float or None
        A duration as it is written, else calendar months until the date's month.

    Examples
    --------
    >>> months_in("within six weeks", date(2026, 1, 15)), months_in("by May", date(2026, 1, 15))
    (1.38, 4.0)
    """
    for value in find_values(text):
        if value.unit in _IN_MONTHS:
            return round(value.value * _IN_MONTHS[value.unit], 2)
    named = date_in(text, today)
    if named is None:
        return None
    return float(12 * (named.year - today.year) + named.month - today.month)


def normal_text(text: str) -> str:
    """Give a text without what makes no difference: case, articles, punctuation, spaces.

    Examples
    --------
    >>> normal_text("  The Old-Town! ")
    'old town'
    """
    words = re.findall(r"\w+", text.casefold())
    return " ".join(words[1:] if len(words) > 1 and words[0] in ("the", "a", "an") else words)


def _is_range(text: str, first: Numeral, second: Numeral) -> bool:
    joined = _BETWEEN.fullmatch(text[first.end : second.start])
    return joined is not None and (
        first.value < second.value and not first.weak and not second.weak
    )


def _shares_scale(first: Numeral, second: Numeral) -> bool:
    return first.scale == 1 and second.scale > 1 and first.value * second.scale < second.value


def _valued(
    text: str, numeral: Numeral, value: float, start: int, high: float | None
) -> Value | None:
    """Give the value with the unit that stands beside it; None when it is no number at all."""
    sign = _SIGN_BEFORE.search(text[:start])
    if sign is not None:
        return Value(value, "money", sign.start(), numeral.end, high)
    after = _SIGN_AFTER.match(text, numeral.end)
    if after is not None and text[numeral.end : after.end()].strip():
        return Value(value, "money", start, after.end(), high)
    for unit, words in _UNIT.items():
        if match := words.match(text, numeral.end):
            return Value(value, unit, start, match.end(), high)
    if numeral.weak:
        return None
    money = numeral.scale > 1 and (high or value) >= _MONEY_FROM
    return Value(value, "money" if money else "", start, numeral.end, high)


def _is_month(text: str, match: re.Match[str]) -> bool:
    word = match.group()
    if word.lower() not in ("may", "march", "mar", "mai", "mars", "dec", "sep", "jan"):
        return True
    if _DOUBTFUL.search(text[: match.start()]) or _DAY_AFTER.match(text, match.end()):
        return True
    return text.strip().lower() == word.lower() or (word[0].isupper() and match.start() > 0)


def _in_month(
    month: int, day: str | None, year: str | None, today: date, *, at_end: bool
) -> date | None:
    chosen = int(year) if year else today.year + (month < today.month)
    if day is not None and 1 <= int(day) <= 31:
        named = _day(chosen, month, int(day))
        past = named is not None and named < today and year is None
        return _day(chosen + 1, month, int(day)) if past else named
    return date(chosen, month, monthrange(chosen, month)[1] if at_end else 1)


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
