"""Numbers spelled out digit by digit: English, Spanish, French, Portuguese, Chinese."""

import re
from collections.abc import Iterator

from workbench.privacy.numbers import judge_digits
from workbench.privacy.view import Span, View, cue_words

__all__ = ["Spoken"]

_DIGITS = {
    word: str(digit)
    for words in (
        "zero one two three four five six seven eight nine",
        "cero uno dos tres cuatro cinco seis siete ocho nueve",
        "zéro un deux trois quatre cinq six sept huit neuf",
        "zero um dois três quatro cinco seis sete oito nove",
    )
    for digit, word in enumerate(words.split())
} | {"oh": "0"}
_TIMES = {"double": 2, "triple": 3}
_PART = rf"(?:{'|'.join(_DIGITS)}|{'|'.join(_TIMES)}|[0-9]{{1,4}})"
_MARK = r"(?:dash|hyphen|dot|point|punto|gui[óo]n|tiret|ponto|tra[çc]o)"
_SERIES = re.compile(
    rf"(?<![\w.,$]){_PART}(?:[\s,.\-/]{{1,3}}(?:{_MARK}[\s,.-]{{1,3}})?{_PART}){{2,25}}(?!\w)",
    re.IGNORECASE,
)
_TOKEN = re.compile(r"[^\W\d_]+|[0-9]+")
_MARKS = cue_words("dash hyphen guion guión tiret traço")
_WORDS = cue_words(" ".join(_DIGITS)) | _MARKS
_HAN = dict(zip("零〇一二三四五六七八九幺", "001234567891", strict=True))
_HAN_SERIES = re.compile(rf"[{''.join(_HAN)}](?:[\s-]?[{''.join(_HAN)}]){{6,18}}")
_LEAST_WORDS = 3


class Spoken:
    """Finds telephones, social security and card numbers spelled out digit by digit."""

    kinds = ("phone", "ssn", "card")
    cues = _WORDS

    def find(self, view: View) -> Iterator[Span]:
        """Find them.

        Parameters
        ----------
        view
            The text.
        """
        if view.chinese:
            for match in _HAN_SERIES.finditer(view.text):
                digits = "".join(_HAN.get(c, "") for c in match.group())
                yield Span(*match.span(), judge_digits(digits) or "phone", digits)
        said = _WORDS & view.cues
        if not said or (len(said) == 1 and view.n_digits < 4):
            return
        if not _in_a_row(view.words):
            return
        for match in _SERIES.finditer(view.text):
            parts = _TOKEN.findall(match.group().lower())
            marks = sum(part.encode() in _MARKS for part in parts)
            if sum(part in _DIGITS for part in parts) + 2 * marks < _LEAST_WORDS:
                continue
            digits = _read(parts)
            kind = judge_digits(digits)
            if kind is not None:
                yield Span(*match.span(), kind, digits)


def _in_a_row(words: list[bytes]) -> bool:
    """Whether digits in words stand together, as numbers that are counted do not."""
    row = spelt = 0
    for word in words:
        if word in _WORDS:
            row, spelt = row + 1, spelt + 1
        else:
            row, spelt = (row + 1, spelt) if word.isdigit() else (0, 0)
        if row >= _LEAST_WORDS and spelt > 1:
            return True
    return False


def _read(parts: list[str]) -> str:
    digits, times = "", 1
    for part in parts:
        if part in _TIMES:
            times = _TIMES[part]
        elif part in _DIGITS or part.isdigit():
            digits += _DIGITS.get(part, part) * times
            times = 1
    return digits
