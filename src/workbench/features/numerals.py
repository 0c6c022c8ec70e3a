"""Numerals in running text, in digits or words, in six languages."""

import re
from collections.abc import Iterator
from typing import NamedTuple

__all__ = ["Numeral", "find_numerals", "plain_digits"]

_ONES = {
    "english": "zero one two three four five six seven eight nine ten eleven twelve thirteen "
    "fourteen fifteen sixteen seventeen eighteen nineteen",
    "spanish": "cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce "
    "quince dieciséis diecisiete dieciocho diecinueve",
    "french": "zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze "
    "quinze seize dix-sept dix-huit dix-neuf",
    "portuguese": "zero um dois três quatro cinco seis sete oito nove dez onze doze treze quatorze "
    "quinze dezesseis dezessete dezoito dezenove",
    "hindi": "शून्य एक दो तीन चार पाँच छह सात आठ नौ दस ग्यारह बारह तेरह चौदह पंद्रह सोलह सत्रह अठारह उन्नीस",
}
_TENS = {
    "english": "twenty thirty forty fifty sixty seventy eighty ninety",
    "spanish": "veinte treinta cuarenta cincuenta sesenta setenta ochenta noventa",
    "french": "vingt trente quarante cinquante soixante septante huitante nonante",
    "portuguese": "vinte trinta quarenta cinquenta sessenta setenta oitenta noventa",
    "hindi": "बीस तीस चालीस पचास साठ सत्तर अस्सी नब्बे",
}
_MORE = {
    "a": 1, "an": 1, "una": 1, "une": 1, "uma": 1, "duas": 2, "half": 0.5, "medio": 0.5,
    "media": 0.5, "demi": 0.5, "meio": 0.5, "meia": 0.5, "quarter": 0.25, "dozen": 12,
    "couple": 2, "fourty": 40, "fivty": 50, "पांच": 5, "छः": 6, "छे": 6, "पच्चीस": 25, "पैंतीस": 35,
    "पैंतालीस": 45, "पचपन": 55, "डेढ़": 1.5, "ढाई": 2.5, "veintiuno": 21, "veintidós": 22,
    "veintitrés": 23, "veinticuatro": 24, "veinticinco": 25, "veintiséis": 26,
    "veintisiete": 27, "veintiocho": 28, "veintinueve": 29, "doscientos": 200,
    "trescientos": 300, "cuatrocientos": 400, "quinientos": 500, "seiscientos": 600,
    "setecientos": 700, "ochocientos": 800, "novecientos": 900, "duzentos": 200,
    "trezentos": 300, "quatrocentos": 400, "quinhentos": 500, "seiscentos": 600,
    "setecentos": 700, "oitocentos": 800, "novecentos": 900, "ciento": 100, "cien": 100,
    "cento": 100, "cem": 100,
}  # fmt: skip
_HUNDRED = ("hundred", "cent", "cents", "सौ")
_SCALES = {
    "k": 1e3, "thousand": 1e3, "grand": 1e3, "mil": 1e3, "mille": 1e3, "हज़ार": 1e3, "हजार": 1e3,
    "lakh": 1e5, "lakhs": 1e5, "लाख": 1e5, "crore": 1e7, "करोड़": 1e7,
    "m": 1e6, "mm": 1e6, "mn": 1e6, "mio": 1e6, "million": 1e6, "millions": 1e6, "mill": 1e6,
    "millón": 1e6, "millon": 1e6, "millones": 1e6, "milhão": 1e6, "milhao": 1e6, "milhões": 1e6,
    "milhoes": 1e6, "billion": 1e9, "bn": 1e9,
}  # fmt: skip
_HAN = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2, "兩": 2}
_HAN_TENS = {"十": 10, "百": 100, "千": 1000}
_HAN_SCALES = {"万": 1e4, "萬": 1e4, "亿": 1e8, "億": 1e8}
# Words that are numbers only before a scale or another number: articles, "once", "dos".
_WEAK = frozenset(
    ("a", "an", "un", "una", "une", "um", "uma", "uno", "once", "dos", "half", "quarter", "media",
     "medio", "demi", "meio", "meia", "couple", "एक", "दो", "mil", "cent", "cents", "k", "m", "mm",
     "mill", "mn", "grand", "sept", "sur", "dozen")
)  # fmt: skip
_HALVES = ("half", "medio", "media", "demi", "meio", "meia")
_ARTICLES = ("un", "una", "une", "um", "uma")
_LINKS = frozenset(("and", "y", "e", "et", "a", "of"))

_VALUES: dict[str, float] = {}
for _words in _ONES.values():
    _VALUES |= {word: float(i) for i, word in enumerate(_words.split())}
for _words in _TENS.values():
    _VALUES |= {word: 10.0 * (i + 2) for i, word in enumerate(_words.split())}
_VALUES |= _MORE
_VALUES |= {"vingts": 20.0, "tres": 3.0, "dieciseis": 16.0, "veintidos": 22.0}

_DIGITS = (
    r"\d{1,2}(?:,\d{2})+,\d{3}(?!\d)"  # lakhs
    r"|\d{1,3}(?:[.,\u00a0\u202f' ]\d{3})+(?![\d])(?:[.,]\d{1,2}(?!\d))?"
    r"|\d+(?:[.,]\d+)?"
)
_SCALE = "|".join(sorted(map(re.escape, _SCALES), key=len, reverse=True))
_WRITTEN = re.compile(
    rf"(?P<digits>(?<![\w.,])(?:{_DIGITS})|(?<=[^\W\d_])(?<![A-Za-z])(?:{_DIGITS}))"
    rf"(?:[ \u00a0-]?(?P<scale>{_SCALE})(?![\w])|(?P<han>[万萬亿億千百]+))?",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]+(?:[\u093c\u093e-\u094d\u0900-\u0903][^\W\d_]*)*")
_HAN_NUMBER = re.compile("[零〇一二两兩三四五六七八九十百千万萬亿億]+")
_TRANSLATED = {ord("०") + i: str(i) for i in range(10)} | {ord("0") + i: str(i) for i in range(10)}


class Numeral(NamedTuple):
    """A number in a text.

    `scale` is what its word multiplied by, such as 1,000 for "k"; `weak` when the words are
    numbers only next to a unit, such as "a" or "un".
    """

    value: float
    start: int
    end: int
    scale: float = 1.0
    weak: bool = False


def plain_digits(text: str) -> str:
    """Write Devanagari and full-width digits as 0 to 9; every character keeps its place.

    Examples
    --------
    >>> plain_digits("४५ लाख")
    '45 लाख'
    """
    return text.translate(_TRANSLATED)


def find_numerals(text: str) -> list[Numeral]:
    """Find the numbers of a text.

    Parameters
    ----------
    text
        English, Spanish, French, Portuguese, Chinese or Hindi, or any mixture.

    Returns
    -------
    list of Numeral
        In order, not overlapping. "1.200" is twelve hundred, "1.2 million" is 1,200,000; a
        separator before three digits groups them unless a scale such as "million" follows.

    Examples
    --------
    >>> [n.value for n in find_numerals("half a million, or 450.000, or 1,2 millones")]
    [500000.0, 450000.0, 1200000.0]
    >>> [n.value for n in find_numerals("quatre-vingt-dix mille; 四十五万; डेढ़ लाख")]
    [90000.0, 450000.0, 150000.0]
    """
    plain = plain_digits(text)
    found = [*_written(plain), *_spelt(plain), *_han(plain)]
    found.sort(key=lambda n: (n.start, -n.end))
    kept: list[Numeral] = []
    for numeral in found:
        if not kept or numeral.start >= kept[-1].end:
            kept.append(numeral)
    return kept


def _written(text: str) -> Iterator[Numeral]:
    for match in _WRITTEN.finditer(text):
        digits, scale = match.group("digits"), 1.0
        if match.group("scale"):
            scale = _SCALES[match.group("scale").lower()]
        elif match.group("han"):
            for sign in match.group("han"):
                scale *= _HAN_SCALES.get(sign) or _HAN_TENS[sign]
        value = _value_of(digits, scaled=scale > 1)
        end = match.end()
        if scale > 1 and (more := re.match(r"\s+and a half\b", text[end:], re.IGNORECASE)):
            value, end = value + 0.5, end + more.end()
        yield Numeral(round(value * scale, 6), match.start(), end, scale)


def _value_of(digits: str, *, scaled: bool) -> float:
    parts = re.split(r"[.,\u00a0\u202f' ]", digits)
    if len(parts) == 1:
        return float(digits)
    last = parts[-1]
    grouped = all(len(part) in (2, 3) for part in parts[1:-1])
    if len(last) == 3 and grouped and not (scaled and len(parts) == 2 and len(parts[0]) < 3):
        return float("".join(parts))
    return float(f"{''.join(parts[:-1])}.{last}")


def _spelt(text: str) -> Iterator[Numeral]:
    run: list[tuple[str, int, int]] = []
    for match in _WORD.finditer(text):
        word = match.group().lower()
        number = word in _VALUES or word in _HUNDRED or word in _SCALES
        near = not run or re.fullmatch(r"[\s-]+", text[run[-1][2] : match.start()])
        if run and not near:
            yield from _numbers_of(run)
            run = []
        if number or (run and word in _LINKS):
            run.append((word, match.start(), match.end()))
        elif run:
            yield from _numbers_of(run)
            run = []
    yield from _numbers_of(run)


def _numbers_of(run: list[tuple[str, int, int]]) -> Iterator[Numeral]:
    """Give the number a run of words tells, if any."""
    while (
        len(run) > 1
        and run[-1][0] in _LINKS
        and not (
            run[-1][0] == "a" and run[-2][0] in _HALVES  # "half a year"
        )
    ):
        run = run[:-1]
    if not run:
        return
    words = [word for word, _, _ in run]
    strong = any(word not in _WEAK and word not in _LINKS for word in words)
    scaled = [word for word in words if word in _SCALES]
    if not any(word in _VALUES for word in words) and not (
        scaled and scaled[0] in ("mil", "mille")
    ):
        return
    yield Numeral(
        _told(words),
        run[0][1],
        run[-1][2],
        _SCALES[scaled[-1]] if scaled else 1.0,
        weak=not strong and not (scaled and len(words) > 1),
    )


def _told(words: list[str]) -> float:
    total, current, scale = 0.0, 0.0, 1.0
    before = ""
    for word in words:
        if word in _SCALES:
            scale = _SCALES[word]
            total, current = total + (current or 1.0) * scale, 0.0
        elif word in _HALVES and total and not current:
            total += _VALUES[word] * scale  # "a million and a half"
        elif word in _HALVES and before in _ARTICLES:
            current -= 0.5  # "un demi"
        elif word in _HUNDRED:
            current = (current or 1.0) * 100
        elif word in ("vingt", "vingts") and before == "quatre":
            current += 76.0
        elif word not in _VALUES or (word in ("a", "an") and (current or total)):
            pass  # "half a million", "four hundred and"
        else:
            current += _VALUES[word]
        before = word
    return total + current


def _han(text: str) -> Iterator[Numeral]:
    for match in _HAN_NUMBER.finditer(text):
        signs = match.group()
        total, section, digit, scale = 0.0, 0.0, 0.0, 1.0
        for sign in signs:
            if sign in _HAN:
                digit = float(_HAN[sign])
            elif sign in _HAN_TENS:
                section, digit = section + (digit or 1.0) * _HAN_TENS[sign], 0.0
            else:
                scale = _HAN_SCALES[sign]
                total, section, digit = (total + section + digit) * scale, 0.0, 0.0
        value = total + section + digit
        if any(sign in _HAN for sign in signs) or "十" in signs:
            yield Numeral(value, match.start(), match.end(), scale, weak=len(signs) == 1)
