"""Street addresses that have a number, as they are written in the six languages."""

import re
from collections.abc import Iterator

from workbench.privacy.view import MASK, Span, View, cue_words, word_set

__all__ = ["Places"]

_PLAIN_KINDS = (
    "street st avenue ave road rd boulevard blvd lane ln drive dr highway hwy parkway pkwy"
)
_OTHER_KINDS = (
    "court ct circle cir terrace ter place pl way trail trl square sq loop alley plaza cove"
)
_W = rf"[^\W\d_{MASK}][\w'.-]{{0,24}}"
_UNIT = r"(?:(?:,|\s-)?\s{1,2}(?:(?:apt|apartment|unit|suite|ste|no)\b\.?\s?#?\s?|#\s?)[\w-]{1,6})?"
_TOWN = (
    r"(?:,\s{1,2}[A-Z][\w.' -]{1,30},?\s{1,2}[A-Z]{2}(?:\s{1,2}\d{5}(?:-\d{4})?)?"
    r"|\s[A-Z][\w.' -]{1,30},?\s[A-Z]{2}\s{1,2}\d{5}(?:-\d{4})?)?"
)
_ENGLISH = re.compile(
    r"(?:\b(?:unit|apt|apartment|suite|flat)\.?\s#?[\w-]{1,6},\s)?"
    rf"(?<![\w$€£¥₹.,/-])(?P<number>\d{{1,6}}(?:-\d{{1,6}})?[A-Za-z]?(?:\s1/2)?)\s{{1,2}}"
    rf"(?P<words>(?:(?:[NSEW]{{1,2}}\.?|\d{{1,3}}(?:st|nd|rd|th)|{_W})\s{{1,2}}){{1,5}}?)"
    rf"(?P<kind>{'|'.join((_PLAIN_KINDS + ' ' + _OTHER_KINDS).split())})\b\.?"
    rf"(?:\s[NSEW]{{1,2}}\b)?{_UNIT}(?-i:{_TOWN})",
    re.IGNORECASE,
)
_ROADS = r"(?:Hwy|Highway|Route|Rte|County Road|State Road|FM)"
_OTHER = (
    re.compile(r"\bP\.?\s?O\.?\s?Box\s?#?\s?\d{1,6}\b", re.IGNORECASE),
    re.compile(
        rf"(?<![\w$.,/-])\d{{2,6}}\s(?:[NSEW]\.?\s)?{_ROADS}\s\d{{1,4}}"
        r"(?:\s(?:North|South|East|West|[NSEW]))?\b",
        re.IGNORECASE,
    ),
)
_NUMBER_AFTER = r",?\s{0,2}(?:n[º°o.]{0,2}\s?|núm\.?\s?|#\s?)?\d{1,5}[A-Za-z]?\b"
_NAME = rf"(?:{_W}|\d{{1,2}})(?:\s{{1,2}}{_W}){{0,5}}?"
_ROMANCE = (
    # Calle Mayor 12, 3º B; Rua Augusta, 1578
    re.compile(
        r"(?<!\w)(?:calle|c/|avenida|avda?\.?|av\.|paseo|plaza|carrera|callej[óo]n|rua|travessa"
        rf"|pra[çc]a|alameda|r\.)\s{{0,2}}{_NAME}{_NUMBER_AFTER}"
        r"(?:,\s?\d{1,2}\s?[ºª°]\s?\w{0,6}\b|,?\s(?:apto|piso|depto|sala)\.?\s?\w{1,5})?",
        re.IGNORECASE,
    ),
    # 12 bis rue de la République, 75011 Paris
    re.compile(
        r"(?<![\w.,])\d{1,4}(?:\s?(?:bis|ter))?,?\s{1,2}(?:rue|avenue|av\.|boulevard|bd|place"
        rf"|chemin|all[ée]e|impasse|quai|cours|route)\s{{1,2}}(?:(?:de\s(?:la\s)?|des\s|du\s|d'|l')?"
        rf"(?-i:[A-ZÀ-Ý]){_W}?\b(?:[ -](?-i:[A-ZÀ-Ý])[\w'-]{{1,20}}){{0,3}})"
        r"(?:,?\s\d{5}\s(?-i:[A-ZÀ-Ý])[\w'-]{1,30})?",
        re.IGNORECASE,
    ),
)
_CHINESE = re.compile(
    r"[\u4e00-\u9fff]{2,8}(?:小区|花园|公寓|大厦|里|村|苑)\d{1,4}(?:栋|号楼|座)\d{1,5}室?"
    r"|(?:[\u4e00-\u9fff]{2,8}[省市区县]){0,3}[\u4e00-\u9fff]{1,8}?(?:路|街|大道|道|巷|弄|胡同)"
    r"\d{1,5}[号弄](?:\d{1,4}(?:栋|号楼|楼|单元|室|层|号)){0,4}"
)
_H = rf"[^\s,.\d{MASK}]{{1,20}}"
_HINDI = (
    re.compile(r"प्लॉट\s(?:नंबर|नं\.?|संख्या)\s?\d{1,5}(?:,\sसेक्टर\s\d{1,3})?"),
    re.compile(
        rf"मकान\s(?:नंबर|नं\.?|संख्या)\s?\d{{1,5}}(?:/\d{{1,4}})?,?\s(?:{_H}\s){{0,3}}"
        r"(?:मार्ग|रोड|गली|नगर|सड़क|कॉलोनी)"
    ),
    re.compile(
        rf"(?<!\d)\d{{1,5}},\s(?:{_H}\s){{1,3}}(?:मार्ग|रोड|गली|नगर|सड़क|कॉलोनी)"
        r"(?:,\sगली\s(?:नंबर|नं\.?)\s?\d{1,4})?"
    ),
)
_NO_STREET = word_set(
    """bed beds bedroom bedrooms bath baths bathroom bathrooms house houses home homes on in at the
    of from to for and or with near by blocks block minutes minute min miles mile km years year days
    day weeks week months month story stories car percent per sq sqft square feet foot ft acres acre
    is was are we i it this that a an offers offer rooms room units unit different more other great
    good nice best kids people leads listings hours am pm usd dollars k"""
)
_ENGLISH_CUES = cue_words(f"{_PLAIN_KINDS} {_OTHER_KINDS} box route rte county fm")
_ROMANCE_CUES = cue_words(
    "calle c avenida avda av paseo plaza carrera callejón rua travessa praça alameda r rue avenue"
    " boulevard bd place chemin allée impasse quai cours route"
)
_HINDI_CUES = cue_words("प्लॉट मकान मार्ग रोड गली नगर सड़क कॉलोनी")


class Places:
    """Finds street addresses with a house number."""

    kinds = ("address",)
    cues = _ENGLISH_CUES | _ROMANCE_CUES | _HINDI_CUES

    def find(self, view: View) -> Iterator[Span]:
        """Find them.

        Parameters
        ----------
        view
            The text.
        """
        if not view.n_digits:
            return
        text, cues = view.text, view.cues
        if not _ENGLISH_CUES.isdisjoint(cues):
            yield from (_span(m) for m in _ENGLISH.finditer(text) if _is_street(m))
            yield from (_span(m) for pattern in _OTHER for m in pattern.finditer(text))
        if not _ROMANCE_CUES.isdisjoint(cues):
            yield from (_span(m) for pattern in _ROMANCE for m in pattern.finditer(text))
        if not _HINDI_CUES.isdisjoint(cues):
            yield from (_span(m) for pattern in _HINDI for m in pattern.finditer(text))
        if view.chinese:
            yield from (_span(m) for m in _CHINESE.finditer(text))


def _span(match: re.Match[str]) -> Span:
    return Span(*match.span(), "address", " ".join(match.group().casefold().split()))


def _is_street(match: re.Match[str]) -> bool:
    words, kind = match["words"].split(), match["kind"]
    if not words:
        return False
    if any(word.strip(".") in _NO_STREET for word in words):
        return False
    if all(word[0].isupper() or word[0].isdigit() for word in words):
        return kind[0].isupper() or kind.lower() in _PLAIN_KINDS.split() or match.group().isupper()
    # "12 lovely quiet place": in small letters only what is nothing but a street.
    return kind.lower() in _PLAIN_KINDS.split() and len(words) <= 4
