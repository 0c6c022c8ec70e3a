"""What a lead says and shows, and what each sign is worth to the simulated reader.

Weights are log-odds set by hand from general knowledge of property and bank sales. They were
fitted to nothing, so the reader has no advantage on any data set of this project.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

__all__ = ["FACTS", "HEDGE", "NEGATION", "PHRASES", "Fact", "Phrase", "amount", "duration_h"]


class Phrase(NamedTuple):
    """Words in a message, and what they are worth in log-odds."""

    pattern: re.Pattern[str]
    weight: float


class Fact(NamedTuple):
    """A labelled value: which labels it covers, and what a value is worth in log-odds."""

    label: re.Pattern[str]
    weigh: Callable[[str], float]


def _phrases(weight: float, *patterns: str) -> Phrase:
    return Phrase(re.compile(rf"\b(?:{'|'.join(patterns)})\b", re.IGNORECASE), weight)


PHRASES: tuple[Phrase, ...] = (
    # Financing in place.
    _phrases(
        0.9,
        r"pre[- ]?(?:approved|approval|qualified)",
        r"mortgage (?:is )?approved",
        r"proof of funds",
        r"cash (?:buyer|offer|purchase)",
        r"pay(?:ing)? (?:in )?cash",
        r"down ?payment (?:is )?(?:ready|saved)",
        r"pre[- ]?aprobad[oa]s?",
        r"hipoteca (?:ya )?aprobada",
        r"(?:pago|pagar|compra) (?:al|de) contado",
    ),
    # Ready to act.
    _phrases(
        0.9,
        r"ready to (?:buy|move|sell|sign|list|proceed|make an offer|go ahead)",
        r"(?:make|submit|put in|send|write) an? (?:\w+ )?offer",
        r"sign (?:the )?(?:contract|papers|lease|agreement)",
        r"put (?:our|my) (?:house|home|place) on the market",
        r"list (?:our|my) (?:house|home|place|condo)",
        r"list[oa]s? para (?:comprar|vender|mudar\w*|firmar)",
        r"hacer una oferta",
        r"firmar",
    ),
    _phrases(
        0.7,
        r"(?:book|schedule|arrange|set up|see|confirm) (?:\w+ ){0,2}?"
        r"(?:viewing|showing|tour|visit|appointment|call|meeting)",
        r"(?:can|could) (?:we|i) (?:see|view|visit|tour) (?:it|the|this)",
        r"walk ?through",
        r"(?:agendar|concertar|programar|reservar) (?:una )?(?:visita|cita)",
        r"ver (?:la casa|el piso|el departamento)",
    ),
    # Urgency.
    _phrases(
        0.7,
        r"asap",
        r"as soon as possible",
        r"urgent(?:ly)?",
        r"immediately",
        r"right away",
        r"(?:this|next) (?:week|weekend|month)",
        r"lease (?:is )?(?:ends?|ending|up|expires?)",
        r"relocat(?:ing|ion|e)",
        r"by the end of (?:the|this|next) month",
        r"closing date",
        r"start(?:ing)? (?:a )?new job",
        r"urgente(?:mente)?",
        r"lo antes posible",
        r"cuanto antes",
        r"esta semana",
        r"este mes",
        r"de inmediato",
    ),
    # Plain interest.
    _phrases(
        0.35,
        r"(?:very|really|definitely|seriously) (?:interested|keen|serious)",
        r"love (?:the|this|it)",
        r"perfect for (?:us|me)",
        r"call me",
        r"looking forward",
        r"thank(?:s| you) for (?:the|your)",
        r"yes,? please",
        r"interested",
        r"muy interesad[oa]s?",
        r"me encanta",
        r"ll[aá]me(?:me|nme)",
        r"me interesa",
        r"nos interesa",
    ),
    # No hurry.
    _phrases(
        -0.8,
        r"just (?:looking|browsing|curious|exploring|checking)",
        r"only (?:looking|browsing)",
        r"no (?:rush|hurry)",
        r"not (?:in a (?:rush|hurry)|sure yet|ready(?: yet)?)",
        r"early stages?",
        r"(?:next|in a|a few) years?",
        r"years? (?:away|out)",
        r"window shopping",
        r"s[oó]lo (?:estoy )?(?:mirando|viendo|curioseando)",
        r"sin prisa",
        r"no hay prisa",
        r"m[aá]s adelante",
        r"el a[nñ]o que viene",
    ),
    # Something in the way.
    _phrases(
        -0.6,
        r"too expensive",
        r"over (?:our|my) budget",
        r"out of (?:our|my) (?:budget|range)",
        r"can(?:'|no)?t afford",
        r"need to sell (?:\w+ ){0,2}first",
        r"bad credit",
        r"credit (?:score )?(?:is )?(?:low|poor)",
        r"denied",
        r"turned down",
        r"(?:talk|speak|discuss) (?:\w+ ){0,3}?(?:with )?my (?:wife|husband|partner|spouse)",
        r"wait(?:ing)? (?:for|until)",
        r"rates (?:are )?(?:too )?high",
        r"on hold",
        r"lost my job",
        r"demasiado caro",
        r"muy caro",
        r"fuera de (?:mi|nuestro) presupuesto",
        r"no (?:me|nos) alcanza",
        r"primero tengo que vender",
    ),
    # Gone.
    _phrases(
        -1.6,
        r"no longer (?:interested|looking|in the market)",
        r"not interested",
        r"unsubscribe",
        r"stop (?:calling|texting|emailing|contacting)",
        r"(?:remove|take) me (?:from|off)",
        r"wrong number",
        r"already (?:bought|purchased|sold|signed|found|have an agent|working with)",
        r"(?:working|went|going) with another (?:agent|agency|broker|realtor)",
        r"do not (?:call|contact)",
        r"ya no (?:me|nos) interesa",
        r"no (?:me|nos) interesa",
        r"n[uú]mero equivocado",
        r"ya (?:compr\w+|vend\w+|encontr\w+)",
        r"no me llam\w+",
    ),
)

NEGATION = re.compile(
    r"\b(?:not|no|never|without|isn't|aren't|wasn't|don't|doesn't|didn't|won't|can't|cannot|haven't"
    r"|hasn't|nor|neither|hardly|nunca|sin|tampoco|ni)\b",
    re.IGNORECASE,
)
"""Words that turn what follows within three words."""

HEDGE = re.compile(
    r"\b(?:maybe|perhaps|might|possibly|probably|eventually|someday|some day|one day|thinking about"
    r"|considering|not sure|if (?:we|i) decide|depends|tal vez|quiz[aá]s?|a lo mejor|puede que"
    r"|alg[uú]n d[ií]a)\b",
    re.IGNORECASE,
)
"""Words that weaken every sign beside them."""

_NUMBER = re.compile(r"-?\d+(?:[.,]\d{3})*(?:\.\d+)?")
_UNITS_H = (
    ("sec", 1 / 3600),
    ("min", 1 / 60),
    ("hour", 1.0),
    ("day", 24.0),
    ("week", 168.0),
    ("month", 730.0),
    ("year", 8760.0),
)


def amount(value: str) -> float | None:
    """First number in a value.

    Parameters
    ----------
    value
        Text such as ``1,200 USD``.

    Returns
    -------
    float or None
        The number, or `None` without one.

    Examples
    --------
    >>> amount("about 1,200 USD")
    1200.0
    """
    found = _NUMBER.search(value)
    return float(found.group().replace(",", "")) if found else None


def duration_h(value: str, label: str = "") -> float | None:
    """Duration in hours; the unit stands in the value or in the label.

    Parameters
    ----------
    value
        Text such as ``12 min``.
    label
        The value's label, such as ``response time (days)``.

    Returns
    -------
    float or None
        Hours, or `None` without a number or a unit.

    Examples
    --------
    >>> duration_h("90 minutes")
    1.5
    """
    number = amount(value)
    for text in (value.lower(), label.lower()):
        for unit, hours in _UNITS_H:
            if number is not None and re.search(rf"(?<![a-z]){unit}", re.sub(r"[\d_]", " ", text)):
                return number * hours
    return None


def _yes_no(if_yes: float, if_no: float) -> Callable[[str], float]:
    def weigh(value: str) -> float:
        word = value.strip().lower()
        if word in {"yes", "true", "1", "y", "sí", "si", "approved", "obtained"}:
            return if_yes
        return if_no if word in {"no", "false", "0", "n", "none", "denied"} else 0.0

    return weigh


def _steps(*steps: tuple[float, float]) -> Callable[[str], float]:
    """Weight of the highest threshold reached."""

    def weigh(value: str) -> float:
        number = amount(value)
        reached = [w for threshold, w in steps if number is not None and number >= threshold]
        return reached[-1] if reached else 0.0

    return weigh


def _words(*weights: tuple[str, float]) -> Callable[[str], float]:
    compiled = [(re.compile(rf"\b(?:{words})", re.IGNORECASE), w) for words, w in weights]

    def weigh(value: str) -> float:
        return next((w for pattern, w in compiled if pattern.search(value)), 0.0)

    return weigh


def _fact(label: str, weigh: Callable[[str], float]) -> Fact:
    return Fact(re.compile(rf"\b(?:{label})", re.IGNORECASE), weigh)


FACTS: tuple[Fact, ...] = (
    _fact(
        r"pre[- _]?(?:approv|qualif)|financing (?:approved|ready)|mortgage approved",
        _yes_no(0.9, -0.3),
    ),
    _fact(r"cash buyer", _yes_no(0.8, 0.0)),
    _fact(
        r"(?:previous|prior|last) (?:campaign )?outcome|poutcome",
        _words(("success|converted|won|bought", 1.3), ("fail|lost|no", -0.2)),
    ),
    _fact(
        r"(?:lead )?source|channel|origin|referr",
        _words(
            ("referral|referred|past client|sphere|repeat|reference|yes", 0.8),
            ("open house|walk[- ]?in|sign", 0.4),
            ("cold|purchased|bought list", -0.7),
            ("portal|zillow|facebook|instagram|social|ad\\b|ads|olark|organic", -0.2),
        ),
    ),
    _fact(
        r"timeline|time ?frame|horizon|moving|move[- ]?in|when",
        lambda value: _timeline(value),
    ),
    _fact(
        r"(?:appointments?|showings?|tours?|viewings?)(?! (?:cancel|missed))",
        lambda value: max(_yes_no(0.8, -0.1)(value), _steps((1, 0.6), (3, 0.9))(value)),
    ),
    _fact(
        r"(?:total )?(?:web ?site |site )?(?:visits|sessions)",
        _steps((0, -0.3), (3, 0.2), (8, 0.5)),
    ),
    _fact(
        r"pages?|listings? viewed|saved (?:listings|homes|searches)", _steps((0, -0.1), (4, 0.3))
    ),
    _fact(
        r"(?:e-?mails?) (?:opened|clicked|repl)|clicks|repl(?:y|ies)",
        _steps((0, -0.3), (2, 0.3), (5, 0.5)),
    ),
    _fact(
        r"(?:contacts?|calls|attempts|campaign contacts)",
        _steps((1, 0.1), (3, -0.1), (5, -0.4), (10, -0.7)),
    ),
    _fact(r"unsubscribed|do not (?:e-?mail|call|contact)|bounced", _yes_no(-1.2, 0.05)),
    _fact(r"(?:credit )?default|bankrupt", _yes_no(-0.6, 0.0)),
    _fact(r"(?:personal|other) loan", _yes_no(-0.3, 0.05)),
    _fact(
        r"last (?:notable )?activity",
        _words(("sms|had a phone", 0.6), ("unsubscr|bounce|unreach", -0.9)),
    ),
    _fact(
        r"(?:current )?occupation|job|profession",
        _words(("working prof|retired|student", 0.3), ("unemploy", -0.3)),
    ),
    _fact(
        r"stage|status",
        _words(("hot|qualified|negotiat|offer|engaged", 0.8), ("cold|lost|nurtur|dormant", -0.7)),
    ),
)


def _timeline(value: str) -> float:
    if re.search(r"asap|immediate|now|urgent", value, re.IGNORECASE):
        return 0.8
    if re.search(r"brows|unknown|someday|no (?:rush|plan)|undecided", value, re.IGNORECASE):
        return -0.7
    hours = duration_h(value)
    months = hours / 730.0 if hours is not None else amount(value)
    if months is None:
        return 0.0
    return next(
        (w for limit, w in ((1.5, 0.8), (3.5, 0.5), (6.5, 0.2), (12, -0.3)) if months <= limit),
        -0.8,
    )
