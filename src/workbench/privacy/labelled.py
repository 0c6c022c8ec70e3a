"""Numbers that only the words beside them tell: social security, accounts, scores, licences."""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from workbench.privacy.numbers import is_card
from workbench.privacy.view import MASK, Span, View, cue_words

__all__ = ["Labelled"]

_FILL = rf"[^0-9\n$€£¥₹{MASK}]"
_END = r"(?![0-9])"
_NO_PHONE = r"(?![0-9]|[,.][0-9]|[-. )]{1,2}[0-9]{3}[-. ][0-9]{4})"
_DIGITS = r"[0-9](?:[\W_]{{0,3}}[0-9]){{{0}}}"


class _Label(NamedTuple):
    kind: str
    pattern: re.Pattern[str]
    accept: Callable[[re.Match[str]], bool]


def _always(match: re.Match[str]) -> bool:
    return bool(match)


def _is_score(match: re.Match[str]) -> bool:
    value = int(str(match["value"]).replace(" ", ""))
    return 300 <= value <= 900


def _has_digits(match: re.Match[str]) -> bool:
    return sum(map(str.isdigit, str(match["value"]))) >= 4


def _is_account(match: re.Match[str]) -> bool:
    # "My account manager's phone is …" announces something else.
    said = match.group()[: match.start("value") - match.start()]
    return not re.search(r"phone|call|tel|cell|fax|text|e-?mail", said, re.IGNORECASE)


def _label(
    kind: str, words: str, value: str, accept: Callable[[re.Match[str]], bool] = _always,
    fill: int = 30,
) -> _Label:  # fmt: skip
    pattern = rf"(?:{words}){_FILL}{{0,{fill}}}?(?P<value>{value}){_END}"
    return _Label(kind, re.compile(pattern, re.IGNORECASE), accept)


def _pattern(kind: str, pattern: str, accept: Callable[[re.Match[str]], bool] = _always) -> _Label:
    return _Label(kind, re.compile(pattern, re.IGNORECASE), accept)


_SSN = (
    r"\bssn\b|\bnss\b|\bss#|\bsoc\.?\s?sec\b|\btax\s?id\b|\bs\.s\.n\b|\bsocial\b|\bitin\b|\bseguro\s+social\b|\bs[ée]curit[ée]\s+sociale\b"
    r"|\bseguran[çc]a\s+social\b|社会安全号|社安号|社会保障号|सोशल\s+सिक्योरिटी"
)
_ACCOUNT = (
    r"\baccount\b|\bacc(?:t|ts)?\b|\brtn\b|\brib\b|\bdirect\s+deposit\b|\ba/c\b|\bchecking\b|\bsavings\b|\brouting\b|\baba\b|\biban\b|\bclabe\b"
    r"|\bcuenta\b|\bcta\b|\bwire\b[^0-9\n$]{0,20}\bto\b|\bcompte\b|\bconta\b|账号|账户|帐号|帐户|卡号|खाता"
)
_SCORE = (
    r"\bcredit[\s_-]*scores?\b|\bfico(?:\s?[0-9]{1,2}(?![0-9]))?(?:\s+score)?\b|\b(?:puntaje|puntuaci[óo]n|score)\s+(?:de\s+)?cr[ée]dito\b"
    r"|\bcr[ée]dit[\s_-]*score\b|\bscore\s+(?:de\s+)?cr[ée]dit\b|\bcote\s+de\s+cr[ée]dit\b"
    r"|\bpontua[çc][ãa]o\s+de\s+cr[ée]dito\b|信用评分|信用分数?|क्रेडिट\s+स्कोर"
    r"|\bcredit\s+rating\b|\bbeacon\s+score\b|\b(?:experian|equifax|transunion|cibil|serasa|vantage(?:\s?score)?)\b"
    r"|\bpuntaje\s+crediticio\b|\bpointage\s+de\s+cr[ée]dit\b|\bmeu\s+e?score\b|\bmy\s+score(?:'s)?\b"
    r"|\bcr[ée]dito\s+tengo\b|信用积分|क्रेडिट\s+रेटिंग"
    r"|\bscore\b[^0-9\n]{0,12}\bbur[óo]\b"
)
# "Credit" alone says little: only these words may stand between it and a score.
_CREDIT = (
    r"\bcredit(?:'s)?(?:\W{1,3}(?:is|are|was|at|in|the|a|an|low|mid|high|solid|around|about|roughly"
    r"|currently|sits|score)\b){0,5}\W{1,3}"
)
_NO_UNIT = r"(?!\s?(?:k\b|%|[€$]|usd|dollars|sq|homes|people|houses))"
_LICENCE = (
    r"\bdriver'?s?'?[\s_-]*(?:licen[sc]e|lic|permit)\b|\bdriving[\s_-]*licen[sc]e\b|\bd\.?l\b\.?|\bdln\b|\bmy\s+licen[sc]e\b"
    r"|\b(?:licencia|permiso|carnet)\s+de\s+(?:conducir|manejo|manejar)\b|\bpermis\s+de\s+conduire\b|\bcnh\b"
    r"|\bcarteira\s+de\s+motorista\b|\bcarta\s+de\s+condu[çc][ãa]o\b|\bmon\s+permis\b|\blic\s?#"
    r"|\blearner'?s\s+permit\b|\bdriver'?s?\s+id\b|驾照|驾驶证|驾驶执照|लाइसेंस"
)
_CODE = r"(?<![A-Za-z0-9])[A-Z]{0,6}[0-9][A-Z0-9]*(?:[ -][A-Z0-9]*[0-9][A-Z0-9]*)*"

_LABELS = (
    _label("ssn", _SSN, _DIGITS.format("8"), fill=25),
    _label("ssn", r"\blast\s+(?:four|4)\b[^0-9]{0,20}(?:ssn|social)", r"[0-9]{4}", fill=12),
    _label("bank_account", _ACCOUNT, _DIGITS.format("5,25"), _is_account, fill=25),
    _label(
        "bank_account",
        rf"(?:{_ACCOUNT}){_FILL}{{0,12}}\b(?:ending|ends|termina)",
        r"[0-9]{4}",
        fill=12,
    ),
    _label("credit_score", _SCORE, rf"[3-9] ?[0-9] ?[0-9]{_NO_PHONE}", _is_score),
    _label("driver_license", _LICENCE, _CODE, _has_digits, fill=16),
)
_IBAN = re.compile(r"[A-Za-z]{2}[0-9]{2}(?:[\W_]{0,2}[A-Za-z0-9]){11,30}")
_MORE = (
    _pattern("ssn", r"(?:\*{3}|x{3})-?(?:\*\*|xx)-?(?P<value>[0-9]{4})(?![0-9])"),
    _pattern(
        "card",
        r"\b(?:visa|mastercard|amex|discover|card|debit)\b[^0-9\n]{0,15}\bend(?:ing|s)\b"
        r"[^0-9\n]{0,6}(?P<value>[0-9]{4})(?![0-9])",
    ),
    _pattern(
        "credit_score",
        rf"(?:{_SCORE})[^0-9\n]{{0,12}}[3-9][0-9]{{2}}(?:,| and| y| et| e|/|-| &amp;)\s?"
        rf"(?P<value>[3-9][0-9]{{2}}){_NO_PHONE}(?!-[0-9])",
        _is_score,
    ),
    _pattern(
        "credit_score",
        r"(?<![0-9.,$€£¥₹])(?P<value>[3-9][0-9]{2})\s+credit\b(?!\s+(?:card|union|line))"
        rf"{_NO_UNIT}",
        _is_score,
    ),
    _pattern(
        "ssn",
        rf"(?<![0-9])(?P<value>{_DIGITS.format('8')}){_END}[^0-9\n]{{0,12}}\b(?:ssn|social)\b",
    ),
    _pattern(
        "credit_score",
        rf"(?<![0-9.,$€£¥₹])(?P<value>[3-9][0-9]{{2}}){_END}\s{{1,2}}(?:{_SCORE})",
        _is_score,
    ),
    _pattern(
        "credit_score",
        rf"{_CREDIT}(?P<value>[3-9][0-9]{{2}}){_NO_PHONE}{_NO_UNIT}",
        _is_score,
    ),
    _pattern(
        "credit_score",
        r"(?<![0-9.,$€£¥₹])(?P<value>[3-9][0-9]{2})(?:\s?/\s?850(?![0-9])"
        r"|\s+(?:puntos\s+de\s+cr[ée]dito|pontos\s+de\s+cr[ée]dito|points\s+de\s+cr[ée]dit))",
        _is_score,
    ),
)
_CUES = cue_words(
    "ssn nss ss soc social itin tax xxx xx security sociale account acc acct accts checking rtn rib"
    " savings routing aba iban clabe cuenta compte conta cta wire debit deposit visa mastercard"
    " amex discover card credit score scores escore meu fico puntaje crediticio puntuación crédito"
    " crédit cote pontuação pointage puntos pontos points buró beacon experian equifax transunion"
    " vantage vantagescore cibil serasa driver drivers driving learner learners dl dln d"
    " licencia permis permiso cnh carteira carta carnet license licence lic"
    " सोशल खाता क्रेडिट ड्राइविंग लाइसेंस"
)
# "a/c" and "s.s.n" fall into letters; one of them is rare enough to be a cue.
_LETTER_CUES = cue_words("c n s")


class Labelled:
    """Finds what a label announces, and account numbers with the check digits of an IBAN."""

    kinds = ("ssn", "bank_account", "credit_score", "driver_license")
    cues = _CUES | _LETTER_CUES

    def find(self, view: View) -> Iterator[Span]:
        """Find them.

        Parameters
        ----------
        view
            The text.
        """
        if view.n_digits < 3:
            return
        text = view.text
        if view.n_digits >= 12:
            yield from _ibans(text, view.digit_groups)
        if not _CUES.isdisjoint(view.cues) or view.chinese or "a/c" in view.lower or "***-" in text:
            for label in (*_LABELS, *_MORE):
                for match in label.pattern.finditer(text):
                    if label.accept(match):
                        start, end = match.span("value")
                        yield _found(label.kind, start, end, match["value"])


def _found(kind: str, start: int, end: int, value: str) -> Span:
    digits = re.sub("[^0-9]", "", value)
    return Span(start, end, "card" if is_card(digits) else kind, value)


def _ibans(text: str, groups: list[tuple[int, int]]) -> Iterator[Span]:
    for first, _ in groups:
        start = first - 2
        before = text[max(0, start - 1) : max(0, start)]
        if start < 0 or not text[start:first].isalpha() or (before.isascii() and before.isalnum()):
            continue
        match = _IBAN.match(text, start)
        kept = [i for i in range(*match.span()) if text[i].isalnum()] if match else []
        for length in range(min(34, len(kept)), 14, -1):
            if _is_iban("".join(text[i] for i in kept[:length])):
                yield Span(start, kept[length - 1] + 1, "bank_account", "iban")
                break


def _is_iban(text: str) -> bool:
    """Whether the check digits are right (ISO 7064, MOD 97-10)."""
    moved = (text[4:] + text[:4]).upper()
    return moved.isascii() and int("".join(str(int(c, 36)) for c in moved)) % 97 == 1
