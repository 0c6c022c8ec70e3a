"""Phrases that Fair-Housing guidance tells advertisers to avoid, with where they stand in a text.

A lexicon, not a judge: it finds words that describe who should live somewhere instead of what the
home is. It is small, English and deliberately cautious; a finding is to be read by a person.

Sources: 42 U.S.C. 3604(c); 24 CFR 100.75 (discriminatory advertisements); HUD, "Guidance Regarding
Advertisements Under 804(c) of the Fair Housing Act" (Achtenberg memorandum, 9 January 1995), which
also names what is allowed: "master bedroom", "mother-in-law suite", "quiet streets", "walk-in
closet", "family room", "no smoking", "near the cathedral" are no violations.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

__all__ = ["LEXICON", "WordingFinding", "wording_findings"]


class WordingFinding(NamedTuple):
    """One phrase in a text.

    Attributes
    ----------
    start, end
        Where it stands: ``text[start:end]``.
    text
        The words found.
    characteristic
        Which protected characteristic it speaks of.
    reason
        Why it is to be avoided, in a few words.
    """

    start: int
    end: int
    text: str
    characteristic: str
    reason: str


_PEOPLE = r"(?:famil(?:y|ies)|couples?|singles?|bachelors?|retirees|empty[- ]nesters|professionals)"
_WHERE = r"(?:communit(?:y|ies)|neighbou?rhoods?|areas?|homes?|buildings?|district)"
_AREAS = r"(?:neighbou?rhoods?|communit(?:y|ies)|areas?)"
_PERSONS = r"(?:people|persons?|tenants?|buyers?|only)"
_FIT = r"(?:perfect|ideal|great|best|suited|suitable|right)"
_FAITHS = r"(?:christian|catholic|protestant|jewish|muslim|hindu|mormon|church[- ]going)"
_ORIGINS = (
    r"(?:white|black|asian|hispanic|latino|caucasian|african[- ]american|italian|irish|polish|"
    r"chinese|indian|mexican)"
)

LEXICON: Mapping[str, tuple[tuple[str, str], ...]] = MappingProxyType({
    "familial status": (
        (rf"{_FIT} for (?:a |an |young |small )*{_PEOPLE}", "says who should live there"),
        (r"(?:no|without|not suitable for) (?:children|kids|toddlers|families)",
         "excludes children"),
        (r"(?:adults?|couples?|singles?)[- ]only", "excludes children"),
        (rf"(?:mature|older|single) (?:adults?|persons?|couples?) (?:preferred|only|{_WHERE})",
         "prefers a household"),
        (r"adult (?:community|building|living|complex)",
         "excludes children unless housing for older persons"),
        (r"child[- ]?free", "excludes children"),
        (rf"family[- ](?:friendly|oriented) {_AREAS}", "says who lives there"),
    ),
    "religion": (
        (rf"{_FAITHS} (?:{_WHERE}|famil(?:y|ies)|values|owners?|tenants?|buyers?)",
         "prefers a religion"),
        (rf"(?:no|only) {_FAITHS}s?", "excludes or prefers a religion"),
        (rf"{_FIT} for (?:church|mosque|synagogue|temple)[- ]goers", "prefers a religion"),
    ),
    "race or national origin": (
        (rf"(?:all[- ])?{_ORIGINS} (?:{_AREAS}|famil(?:y|ies)|tenants?|buyers?|residents?)",
         "describes who lives there"),
        (rf"(?:exclusive|integrated|segregated|restricted|traditional) {_AREAS}",
         "a code word for who lives there"),
        (rf"(?:ethnic|minority|immigrant) {_AREAS}", "describes who lives there"),
        (r"english[- ](?:speakers?|speaking (?:tenants?|buyers?|people)) (?:only|preferred)",
         "excludes by language, which stands for origin"),
        (r"no (?:immigrants|foreigners)", "excludes by origin"),
        (r"people like (?:you|us)", "steers by who somebody is"),
    ),
    "sex": (
        (r"(?:male|female|men|women|ladies|gentlemen)[- ](?:only|preferred)", "prefers a sex"),
        (rf"{_FIT} for (?:a )?single (?:man|woman|lady|guy)", "prefers a sex"),
    ),
    "disability": (
        (r"(?:no|not suitable for|unsuitable for) (?:wheelchairs?|disabled|handicapped)",
         "excludes people with a disability"),
        (rf"(?:able[- ]bodied|healthy|physically fit) {_PERSONS}",
         "excludes people with a disability"),
        (r"must be (?:able to (?:walk|climb)|able[- ]bodied)", "excludes people with a disability"),
        (r"no (?:service|guide|support) (?:dogs?|animals?)", "refuses an accommodation"),
    ),
    "safety and steering": (
        (rf"(?:safe|safer|bad|dangerous|crime[- ]free) (?:{_AREAS}|part of town)",
         "steering: agents refer to public statistics instead"),
        (r"(?:you|they|your family) (?:would|will) (?:fit in|feel at home|be more comfortable)",
         "steering by who somebody is"),
    ),
})  # fmt: skip
"""Pattern and reason, by characteristic; whole words, in any case."""

_COMPILED = tuple(
    (characteristic, re.compile(rf"\b(?:{pattern})(?!\w)", re.IGNORECASE), reason)
    for characteristic, patterns in LEXICON.items()
    for pattern, reason in patterns
)


def wording_findings(text: str) -> tuple[WordingFinding, ...]:
    """Find phrases to avoid in a text about a home.

    Parameters
    ----------
    text
        An advertisement, a message or an answer, in English.

    Returns
    -------
    tuple of WordingFinding
        In order of place; of phrases that overlap, the first and longest.

    Examples
    --------
    >>> [(f.text, f.characteristic) for f in wording_findings(
    ...     "Family room, no smoking. Perfect for young families in an exclusive neighborhood!")]
    [('Perfect for young families', 'familial status'),
     ('exclusive neighborhood', 'race or national origin')]
    """
    found = [
        WordingFinding(m.start(), m.end(), m.group(), characteristic, reason)
        for characteristic, pattern, reason in _COMPILED
        for m in pattern.finditer(text)
    ]
    kept: list[WordingFinding] = []
    for finding in sorted(found, key=lambda f: (f.start, -f.end)):
        if not kept or finding.start >= kept[-1].end:
            kept.append(finding)
    return tuple(kept)
