"""What the simulated reader is asked the probability of, and what speaks for it and against.

Weights are log-odds set by hand from general knowledge, fitted to nothing: silence and disinterest
speak for churn, replies and questions for receptivity, talk of price, time and trust for an
objection, talk of days and hours for an appointment, deadlines for urgency.
"""

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from workbench.claude.emulator.cues import CUES, Said
from workbench.claude.emulator.lexicon import HEDGE, NEGATION, Fact, amount

__all__ = ["TOPICS", "Sign", "Topic", "asked_topic", "topic_signs"]

_MOST_OF_A_CUE = 2
_EARLIER = 0.6
_NEGATION_WORDS = 3
_NEGATED = -0.5
_HEDGED = 0.7
_WEAK = 0.05
_MAX_QUOTE = 200
_DATA = re.compile(r"<(lead|message|examples)>.*?</\1>", re.DOTALL)
# Words that are themselves a denial or a doubt must not be turned by the denial inside them.
_UNTURNED = {"hedging", "no_hurry", "timing_objection", "declining", "disengagement", "question"}


class Sign(NamedTuple):
    """What something is worth in log-odds, the words that show it, and its cue."""

    weight: float
    quote: str
    cue: str


class Topic(NamedTuple):
    """A question about a lead: how it is worded, and what speaks for it."""

    outcome: re.Pattern[str]
    prior: float
    cues: Mapping[str, float]
    unanswered: float
    facts: tuple[Fact, ...]


def _fact(label: str, weigh: Callable[[str], float]) -> Fact:
    return Fact(re.compile(rf"\b(?:{label})", re.IGNORECASE), weigh)


def _steps(*steps: tuple[float, float]) -> Callable[[str], float]:
    """Weight of the highest threshold reached."""

    def weigh(value: str) -> float:
        number = amount(value)
        reached = [w for threshold, w in steps if number is not None and number >= threshold]
        return reached[-1] if reached else 0.0

    return weigh


def _is(yes: float, no: float) -> Callable[[str], float]:
    return lambda value: {"yes": yes, "true": yes, "no": no, "false": no}.get(value.lower(), 0.0)


_LEAD_SILENT = r"days since the lead|inactive|since (?:the )?last (?:reply|contact|activity|visit)"
_SILENT = r"days since anything"
_VIEWED = r"(?:listings|pages) viewed|visits"
_REPLIES = r"(?:e-?mails|messages) .*answered|replies"
_MAIL_SHARE, _CALL_SHARE = r"share of e-?mails", r"share of calls"
_PURCHASE = r"stated time|time until|timeline|time ?frame"
_REACTION = r"hours until the lead"
_APPROVED = r"pre[- ]?approved"
_VISITS_OFFERED = r"(?:viewings|appointments|showings) (?:offered|accepted|attended)"

TOPICS: Mapping[str, Topic] = {
    "churn_risk": Topic(
        re.compile(r"go(?:es)? (?:quiet|silent)|churn|no sign of life|stops? (?:respond|reply)|"
                   r"drops? out|(?:lead|customer|client) leaves|unsubscribe|is lost", re.I),
        -0.8,
        {"disengagement": 1.6, "no_hurry": 0.5, "declining": 0.4, "competition": 0.8,
         "hedging": 0.3, "timing_objection": 0.4, "price_objection": 0.3, "trust_objection": 0.2,
         "interest": -0.4, "commitment": -0.7, "scheduling": -0.4, "acceptance": -0.4,
         "urgency": -0.4, "question": -0.3, "financing": -0.2, "thanks": -0.1},
        0.5,
        (
            _fact(_LEAD_SILENT, _steps((0, -0.8), (4, -0.4), (8, 0.0), (15, 0.6), (31, 1.2))),
            _fact(_SILENT, _steps((0, -0.3), (8, 0.2), (15, 0.5), (31, 0.8))),
            _fact(_VIEWED, _steps((0, 0.4), (1, -0.1), (4, -0.5))),
            _fact(_REPLIES, _steps((0, 0.3), (1, -0.2), (3, -0.5))),
            _fact(_CALL_SHARE, _steps((0, 0.3), (0.3, -0.1), (0.6, -0.4))),
        ),
    ),
    "engagement_receptivity": Topic(
        re.compile(r"(?:answer|repl|respond|react)\w*(?: \w+){0,3} (?:message|e-?mail|call|text|"
                   r"contact|touch)|receptiv|engage", re.I),
        -0.6,
        {"question": 0.5, "interest": 0.4, "acceptance": 0.5, "scheduling": 0.3, "urgency": 0.3,
         "commitment": 0.5, "thanks": 0.2, "price": 0.1, "financing": 0.2,
         "disengagement": -1.5, "declining": -0.3, "no_hurry": -0.4, "competition": -0.4},
        -0.6,
        (
            _fact(_LEAD_SILENT, _steps((0, 0.6), (4, 0.3), (8, 0.0), (15, -0.5), (31, -1.0))),
            _fact(_MAIL_SHARE, _steps((0, -0.5), (0.2, 0.1), (0.5, 0.7))),
            _fact(_REPLIES, _steps((0, -0.4), (1, 0.3), (3, 0.6))),
            _fact(_CALL_SHARE, _steps((0, -0.5), (0.3, 0.1), (0.6, 0.6))),
            _fact(_REACTION, _steps((0, 0.4), (12, 0.0), (48, -0.4))),
            _fact(_VIEWED, _steps((0, -0.2), (1, 0.1), (4, 0.2))),
        ),
    ),
    "objection_probability": Topic(
        re.compile(r"objection|objects?\b|voices? (?:a )?concern|pushes? back", re.I),
        -1.2,
        {"price_objection": 1.2, "timing_objection": 0.8, "trust_objection": 0.9,
         "competition": 0.5, "others_consent": 0.6, "hedging": 0.4, "price": 0.3,
         "declining": 0.2, "disengagement": 0.2, "commitment": -0.5, "acceptance": -0.3,
         "interest": -0.2, "thanks": -0.1},
        0.0,
        (
            _fact(_APPROVED, _is(-0.3, 0.2)),
        ),
    ),
    "appointment_readiness": Topic(
        re.compile(r"(?:accept|attend|book|agree|schedul|keep)\w*(?: \w+){0,4} (?:viewing|visit|"
                   r"appointment|showing|tour|meeting)|appointment", re.I),
        -0.2,
        {"scheduling": 0.6, "acceptance": 0.5, "commitment": 0.6, "urgency": 0.4, "interest": 0.3,
         "financing": 0.2, "declining": -0.7, "disengagement": -1.4, "no_hurry": -0.7,
         "timing_objection": -0.5, "price_objection": -0.4, "trust_objection": -0.3,
         "hedging": -0.3, "competition": -0.5},
        -0.3,
        (
            _fact(_PURCHASE, _steps((0, 0.4), (4, 0.1), (7, -0.2), (12, -0.4))),
            _fact(_APPROVED, _is(0.4, -0.2)),
            _fact(_VISITS_OFFERED, _steps((0, -0.1), (1, 0.2), (3, 0.3))),
            _fact(_LEAD_SILENT, _steps((0, 0.3), (8, 0.0), (15, -0.4))),
            _fact(_CALL_SHARE, _steps((0, -0.2), (0.5, 0.3))),
        ),
    ),
    "buying_urgency": Topic(
        re.compile(r"in a hurry|urgen(?:t|cy)|rush", re.I),
        -0.7,
        {"urgency": 1.0, "commitment": 0.6, "financing": 0.3, "scheduling": 0.3, "interest": 0.1,
         "no_hurry": -1.3, "timing_objection": -0.7, "hedging": -0.4, "disengagement": -0.7,
         "others_consent": -0.2, "declining": -0.2},
        -0.1,
        (
            _fact(_PURCHASE, _steps((0, 1.0), (2, 0.6), (4, 0.1), (7, -0.6), (12, -1.1))),
            _fact(_APPROVED, _is(0.3, -0.1)),
            _fact(_VIEWED, _steps((0, -0.2), (4, 0.3))),
            _fact(_LEAD_SILENT, _steps((0, 0.2), (8, 0.0), (15, -0.3))),
        ),
    ),
}  # fmt: skip
"""Topics by name; conversion, the reader's own, is whatever is none of these."""

_CONVERSION = re.compile(
    r"sign(?:s|ed)? (?:an?|the|deal)\b|buys?\b|purchase|convert|subscribe[sd]? to"
    r"|close[sd]? (?:a|the) deal",
    re.IGNORECASE,
)


def asked_topic(system: str, prompt: str) -> Topic | None:
    """Find what the probability is asked of, `None` for conversion.

    Parameters
    ----------
    system, prompt
        Texts of the request; what stands in the data's tags asks nothing.

    Examples
    --------
    >>> asked_topic("Estimate the probability that the lead goes quiet.", "").prior
    -0.8
    >>> asked_topic("", "<message>the probability that I go quiet</message>") is None
    True
    """
    frame = _DATA.sub(" ", f"{system}\n{prompt.rpartition('</examples>')[2]}")
    found = re.search(r"(?:probability that|[Tt]he question is whether) ([^.\n]+)", frame)
    outcome = found.group(1) if found else ""
    if not outcome or _CONVERSION.search(outcome):
        return None
    return next((topic for topic in TOPICS.values() if topic.outcome.search(outcome)), None)


def topic_signs(topic: Topic, said: list[Said], facts: tuple[tuple[str, str], ...]) -> list[Sign]:
    """What speaks for a topic and against it, strongest first.

    Parameters
    ----------
    topic
        What is asked.
    said
        The conversation; only the lead's own words count, its last ones most.
    facts
        Labels and values.
    """
    signs: list[Sign] = []
    spoken = [one.text for one in said if one.by_lead]
    counted: dict[str, int] = {}
    for age, text in enumerate(reversed(spoken)):
        for name, weight in topic.cues.items():
            for match in CUES[name].pattern.finditer(text):
                counted[name] = counted.get(name, 0) + 1
                if counted[name] > _MOST_OF_A_CUE:
                    break
                factor = 1.0 if name in _UNTURNED else _turned(text, match.start())
                worth = weight * factor * (1.0 if age == 0 else _EARLIER)
                signs.append(Sign(worth, match.group()[:_MAX_QUOTE], name))
    silent = _unanswered(said)
    if silent and topic.unanswered:
        signs.append(Sign(topic.unanswered * min(silent, 2), said[-1].text[:_MAX_QUOTE], "silence"))
    for label, value in facts:
        plain = label.replace("_", " ")
        worth = next((f.weigh(value) for f in topic.facts if f.label.search(plain)), 0.0)
        signs.append(Sign(worth, f"{label}: {value}", "fact"))
    kept = [sign for sign in signs if abs(sign.weight) > _WEAK]
    return sorted(kept, key=lambda sign: -abs(sign.weight))


def _unanswered(said: list[Said]) -> int:
    """How many of the agent's lines at the end nobody answered."""
    count = 0
    for one in reversed(said):
        if one.by_lead:
            break
        count += 1
    return count


def _turned(text: str, start: int) -> float:
    """Factor for a denial just before the words, or a doubt in what is said."""
    near = " ".join(text[max(0, start - 60) : start].split()[-_NEGATION_WORDS:])
    if NEGATION.search(near):
        return _NEGATED
    return _HEDGED if HEDGE.search(text[max(0, start - 200) : start + 200]) else 1.0
