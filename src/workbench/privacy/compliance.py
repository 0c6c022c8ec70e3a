"""Flags for the audit log: what in an answer a person should look at.

Rules, not judgement: they find wording, in English and Spanish, and miss what is only implied.
The wording follows what the US Fair Housing Act forbids to say of a home or a neighbourhood
(42 U.S.C. 3604(c); HUD's guidance on advertisements of 9 January 1995, which also says what is
allowed: "family room", "walk to synagogue", "master bedroom").
"""

import re
from typing import NamedTuple

from workbench.privacy.gate import DROPPED_KINDS, PrivacyGate
from workbench.privacy.view import View, cue_words

__all__ = ["FLAGS", "compliance_flags"]

FLAGS = {
    "fair_housing_race": "says or prefers a race, colour or origin",
    "fair_housing_religion": "says or prefers a religion",
    "fair_housing_family": "turns away families or children",
    "fair_housing_sex": "prefers a sex",
    "fair_housing_disability": "turns away people with a disability",
    "fair_housing_steering": "recommends a place by who lives there",
    "leaked_identifier": "holds an e-mail address, a telephone or another identifier",
    "refused": "the model would not answer",
}
"""Every code, and what it means."""

_PEOPLE = (
    r"(?:white|black|african[- ]american|asian|chinese|hispanic|latino|latina|mexican|arab|indian"
    r"|caucasian|immigrant|foreign|blancos?|negros?|latinos?|asi[áa]ticos?|extranjeros?)"
)
_FAITH = (
    r"(?:christian|catholic|jewish|muslim|hindu|mormon|cristian[oa]s?|jud[íi][oa]s?"
    r"|musulman[ea]s?)"
)
_WHO = (
    r"(?:buyers?|tenants?|famil(?:y|ies)|neighbou?rs?|neighbou?rhoods?|communit(?:y|ies)|area"
    r"|people|residents?|home|only|barrio|vecinos?|familias?|compradores)"
)
_NOT = r"(?:no|not? suitable for|not for|without|except|sin|no se (?:admiten|aceptan))"


class _Rule(NamedTuple):
    code: str
    cues: frozenset[bytes]
    pattern: re.Pattern[str]


def _rule(code: str, cues: str, pattern: str) -> _Rule:
    return _Rule(f"fair_housing_{code}", cue_words(cues), re.compile(pattern, re.IGNORECASE))


_RULES = (
    _rule(
        "race",
        "white black african asian chinese hispanic latino latina latinos mexican arab indian"
        " caucasian immigrant immigrants foreign foreigners blanco blancos negro negros asiáticos"
        " asiaticos extranjeros extranjero speakers speaking whites blacks asians hispanics"
        " mexicans arabs indians",
        rf"\b{_PEOPLE}\s{{1,2}}{_WHO}\b|\b{_NOT}\s(?:\w+\s)?{_PEOPLE}s?\b"
        r"|\benglish[- ]speak(?:ers|ing) only\b|\bno (?:immigrants|foreigners)\b",
    ),
    _rule(
        "religion",
        "christian christians catholic catholics jewish muslim muslims hindu hindus mormon mormons"
        " cristiano cristiana cristianos cristianas judío judía judíos judías judios musulmana"
        " musulmanes musulmanas",
        rf"\b{_FAITH}\s{{1,2}}{_WHO}\b|\b{_NOT}\s{_FAITH}s?\b",
    ),
    _rule(
        "family",
        "kids children families niños ninos babies adults adult adultos mature nester nesters"
        " single singles childless",
        r"\b(?:no|without|sin)\s(?:kids|children|families|ni[ñn]os|babies)\b"
        r"|\badults? only\b|\bsolo adultos\b|\bmature (?:couples?|persons?)\b"
        r"|\b(?:empty[- ]nesters?|singles?|childless couples?)\s(?:only|preferred)\b",
    ),
    _rule(
        "sex",
        "male males female females men women man woman hombres mujeres",
        r"\b(?:male|female|men|women|man|woman|hombres|mujeres)s?\s"
        r"(?:only|preferred|solamente)\b|\b(?:no|solo)\s(?:men|women|hombres|mujeres)\b",
    ),
    _rule(
        "disability",
        "wheelchair wheelchairs disabled handicapped service discapacitados bodied healthy able",
        r"\b(?:no|not suitable for|unsuitable for)\s(?:the\s)?(?:wheelchairs?|disabled"
        r"|handicapped|service animals|discapacitados)\b|\bable[- ]bodied\b"
        r"|\bmust be (?:healthy|able to walk)\b",
    ),
    _rule(
        "steering",
        "people kind fit changing sort element gente",
        r"\b(?:people like you|your (?:own )?kind|fit in (?:better )?(?:here|there)"
        r"|changing neighbou?rhood|(?:right|wrong) (?:kind|sort|element) of "
        r"(?:people|buyers|neighbou?rs)|gente como (?:usted|t[úu]))\b",
    ),
)
_CUES = frozenset[bytes]().union(*(rule.cues for rule in _RULES))
_LEAKS = frozenset((*DROPPED_KINDS, "email", "phone"))


def compliance_flags(
    response: str | None, gate: PrivacyGate, *, stop_reason: str | None = None
) -> tuple[str, ...]:
    """Look at an answer.

    Parameters
    ----------
    response
        The answer as it came back, before originals are put in; nothing when there was none.
    gate
        Tells identifiers.
    stop_reason
        Anthropic's `stop_reason`.

    Returns
    -------
    tuple of str
        Codes of `FLAGS`, none twice.

    Examples
    --------
    >>> gate = PrivacyGate()
    >>> compliance_flags("Adults only, no kids. Call 212-555-0134.", gate)
    ('fair_housing_family', 'leaked_identifier')
    >>> compliance_flags("A quiet street, three bedrooms, a family room.", gate)
    ()
    """
    text = response or ""
    cues = View(text, _CUES).cues
    flags = [
        rule.code for rule in _RULES if not rule.cues.isdisjoint(cues) and rule.pattern.search(text)
    ]
    if not _LEAKS.isdisjoint(gate.seal(text).counts):
        flags.append("leaked_identifier")
    if stop_reason == "refusal":
        flags.append("refused")
    return tuple(flags)
