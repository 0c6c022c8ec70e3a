"""Writing amounts, counts and places the many ways people write them."""

from random import Random
from types import MappingProxyType

__all__ = ["GAZETTEER", "count_words", "money", "month_name", "plain_number"]

GAZETTEER = (
    "Cedar Hollow", "Northgate", "Mill Street", "Old Town", "Lakeview", "Ash Park", "Fairmount",
    "Birch Lane", "Station Road", "Riverside", "Elm Court", "Harbour Point", "Kingsbridge",
    "Maple Heights", "Sutton Green", "Westbrook", "Pine Bluff", "Stonegate", "Oak Ridge",
    "Clearwater", "Hawthorne", "Silver Lake", "St. Clair", "Briarwood", "Eastfield", "Palm Grove",
    "Union Square", "Weston Hills", "La Mesa", "Bayside",
)  # fmt: skip
"""Places: invented, though some sound real."""

_COUNTS = MappingProxyType({
    "english": ("one", "two", "three", "four", "five", "six", "seven", "eight"),
    "spanish": ("una", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho"),
    "french": ("une", "deux", "trois", "quatre", "cinq", "six", "sept", "huit"),
    "portuguese": ("um", "dois", "três", "quatro", "cinco", "seis", "sete", "oito"),
    "mandarin": ("一", "两", "三", "四", "五", "六", "七", "八"),
    "hindi": ("एक", "दो", "तीन", "चार", "पाँच", "छह", "सात", "आठ"),
})  # fmt: skip
_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_TEENS = (
    "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen",
    "eighteen", "nineteen",
)  # fmt: skip
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip


def count_words(value: int, language: str, draw: Random) -> str:
    """Write a small count, in digits or in words; above eight always in digits.

    Examples
    --------
    >>> {count_words(3, "french", Random(i)) for i in range(9)} == {"3", "trois"}
    True
    """
    words = _COUNTS[language]
    spelt = draw.random() < 0.4 and 1 <= value <= len(words)
    return words[value - 1] if spelt else str(value)


def plain_number(value: int, draw: Random) -> str:
    """Write a number such as 1800 or 1,800."""
    return f"{value:,}" if draw.random() < 0.5 else str(value)


def month_name(month: int) -> str:
    """Name a month, counted from 1 on and beyond a year's end."""
    return _MONTHS[(month - 1) % 12]


def money(usd: int, language: str, draw: Random) -> str:
    """Write an amount in dollars.

    Parameters
    ----------
    usd
        Whole thousands.
    language
        Of the text.
    draw
        Source of randomness.

    Examples
    --------
    >>> money(450_000, "english", Random(3)), money(1_200_000, "english", Random(1))
    ('450K', '1,200,000')
    >>> money(450_000, "mandarin", Random(1))
    '45万美元'
    """
    thousands = usd // 1000
    if language == "mandarin":
        return f"{_short(usd / 10_000)}万美元"
    if language == "hindi":
        return f"{usd:,} डॉलर"
    if language != "english":
        dollars = {"spanish": "dólares", "french": "dollars", "portuguese": "dólares"}[language]
        grouped = f"{usd:,}".replace(",", "." if language != "french" else " ")
        thousand = "mille" if language == "french" else "mil"
        short = f"{thousands} {thousand} {dollars}" if usd < 1_000_000 else f"{grouped} {dollars}"
        return draw.choice((f"{grouped} {dollars}", short, f"{grouped} $"))
    millions = _short(usd / 1e6)
    options = [f"${usd:,}", f"{usd:,}"]
    if usd < 1_000_000:
        options += [f"${thousands}k", f"{thousands}k", f"{thousands}K", f"{thousands} thousand"]
        options += [f"{_spelt(thousands)} thousand"]
    if usd >= 1_000_000 or draw.random() < 0.1:
        options += [f"${millions}M", f"{millions} million", f"${millions} million"]
    if usd == 500_000:
        options += ["half a million"] * 2
    return draw.choice(options)


def _short(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".")


def _spelt(value: int) -> str:
    """Spell a number below 1,000."""
    hundreds, rest = divmod(value, 100)
    words = [f"{_COUNTS['english'][hundreds - 1]} hundred"] if 0 < hundreds < 9 else []
    if hundreds == 9:
        words = ["nine hundred"]
    if 10 <= rest < 20:
        words.append(_TEENS[rest - 10])
    elif rest:
        tens, ones = divmod(rest, 10)
        ending = "" if not ones else "nine" if ones == 9 else _COUNTS["english"][ones - 1]
        words.append("-".join(word for word in (_TENS[tens], ending) if word))
    return " and ".join(words)
