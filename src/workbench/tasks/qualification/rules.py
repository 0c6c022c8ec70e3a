"""What rules say of a qualification: a question is answered when something like an answer follows.

The words are those anybody would list for the sixteen questions; they were written down without
looking at how the generated conversations are worded, and fitted to nothing.
"""

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from workbench.data import AskedField
from workbench.data.conversations.sheets import AREAS, CRITICAL, QUESTIONS
from workbench.predictors.readers import RuleReader

__all__ = ["completeness", "question_rules", "weight_of"]

# What an agent asks with, and what a lead volunteers, by question.
_ASKS: Mapping[str, str] = MappingProxyType(
    {
        "budget_range": r"budget|price range|how much|spend|afford|comfortable with",
        "financing_status": r"lender|mortgage|pre-?approv|financ|loan|paying cash|bank",
        "down_payment": r"down payment|put down|deposit",
        "move_timeline": r"when would|move in|be in|timeline|how soon|by when",
        "urgency_level": r"hurry|urgent|pressing|rush|how quickly",
        "flexibility": r"flexib|fixed|play|can the date|move the date",
        "property_type": r"kind of (?:home|place|property)|house or|condo|type of",
        "location": r"where|which (?:area|part|neighbou?rhood)|location",
        "size": r"how (?:big|large|much space|many (?:bed|room))|bedrooms|square",
        "amenities": r"wish list|nice to have|amenit|features|pool|garage",
        "why_moving": r"why|what brings|reason|what made you",
        "must_haves": r"must|absolutely need|can't do without|non-?negotiable",
        "deal_breakers": r"deal.?breaker|rule (?:it|a place) out|never|not want|walk away",
        "preferred_contact": r"best way to reach|call or|text or|e-?mail or|contact you",
        "availability": r"when are you free|available|what time|which day|good time",
        "decision_maker": r"who (?:else )?(?:decides|has to agree)|decision|partner|sign off",
    }
)
_TELLS: Mapping[str, str] = MappingProxyType(
    {
        "budget_range": r"\$\s?\d|\b\d{2,3}\s?k\b|\b\d{3},\d{3}|thousand|million",
        "financing_status": r"pre-?approved|cash|mortgage|lender|loan",
        "down_payment": r"\d+\s?(?:%|percent) down|down payment of",
        "move_timeline": r"\b(?:in|within) (?:\d+|a|one|two|three|six) months?|by (?:the )?(?:end"
        r"|jan"
        r"|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|spring|summer|fall|autumn|winter)",
        "property_type": r"\b(?:house|condo|townhouse|apartment|duplex|office|warehouse)\b",
        "size": r"\b(?:\d|one|two|three|four|five)[ -]?(?:bed|br\b|room)|sq\.?\s?f",
        "location": r"\b(?:in|near|around) [A-Z]\w+",
    }
)
_DODGES = re.compile(
    r"hard to say|not sure|don't know|we'll see|no idea|why do you ask|rather not|depends|later",
    re.I,
)
_LINE = re.compile(r"^(lead|agent):\s*(.*)$", re.MULTILINE)
_PARTS = re.compile(r"(?<=[.!?])\s+")


def weight_of(slug: str) -> float:
    """Points a question is worth: its area's weight by the number of its questions.

    Parameters
    ----------
    slug
        One of the sixteen questions.

    Examples
    --------
    >>> weight_of("budget_range"), weight_of("location")
    (10.0, 5.0)
    """
    weight, slugs = next(area for area in AREAS.values() if slug in area[1])
    return weight / len(slugs)


def completeness(answered: Sequence[str]) -> float:
    """How complete a qualification is, 0 to 100: an area counts by the share of its questions.

    Parameters
    ----------
    answered
        Questions that are answered.

    Examples
    --------
    >>> completeness(["budget_range", "location"])
    15.0
    """
    return float(sum(weight_of(slug) for slug in dict.fromkeys(answered)))


def question_rules(fields: Sequence[AskedField]) -> RuleReader:
    r"""Follow who asked what, and whether something like an answer came; ask next by fixed weight.

    Parameters
    ----------
    fields
        Of one of the tasks about qualification.

    Examples
    --------
    >>> import pandas as pd
    >>> from workbench.data.conversations.corpora import kind_of
    >>> fields = [f for f in kind_of("qualification_sheets").fields if f.name == "answered"]
    >>> X = pd.DataFrame({"text": ["agent: What is your budget?\nlead: Around $400k."]})
    >>> y = pd.DataFrame({"answered": [("budget_range",)]}, dtype=object)
    >>> question_rules(fields).fit(X, y).read(X).values["answered"].tolist()
    [('budget_range',)]
    """
    asked = {field.name for field in fields}

    def rule(row: Mapping[str, Any], _learnt: Any) -> dict[str, Any]:
        answered = _answered(str(row["text"]))
        left = [slug for slug in QUESTIONS if slug not in answered]
        found: dict[str, Any] = {
            "answered": tuple(slug for slug in QUESTIONS if slug in answered),
            "completeness": completeness(tuple(answered)),
            "missing_critical": tuple(slug for slug in CRITICAL if slug not in answered),
            "next_question": tuple(sorted(left, key=lambda slug: -weight_of(slug))),
        }
        return {name: value for name, value in found.items() if name in asked}

    return RuleReader(fields, rule)


def _answered(text: str) -> set[str]:
    done: set[str] = set()
    pending: str | None = None
    for speaker, said in _LINE.findall(text):
        if speaker == "agent":
            pending = _question(said)
            continue
        if pending is not None and said.strip() and not _DODGES.search(said):
            done.add(pending)
        pending = None
        done |= {slug for slug, words in _TELLS.items() if re.search(words, said)}
    return done


def _question(said: str) -> str | None:
    """Which question the last sentence that asks asks."""
    asking = [part for part in _PARTS.split(said) if part.rstrip().endswith("?")]
    for part in reversed(asking):
        for slug, words in _ASKS.items():
            if re.search(words, part, re.I):
                return slug
    return None
