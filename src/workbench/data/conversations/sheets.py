"""Who talks: a lead's slot sheet and the agent across the table, drawn from a seed."""

from random import Random
from types import MappingProxyType
from typing import NamedTuple

__all__ = [
    "AREAS", "CRITICAL", "DECISION_STAGES", "EXPERIENCE", "INTENTS", "LANGUAGES", "MOTIVATIONS",
    "QUESTIONS", "ROLES", "URGENCY", "VERTICALS", "Agent", "Sheet", "area_of", "as_buyer",
    "draw_agent", "draw_sheet", "part_of", "rng",
]  # fmt: skip

LANGUAGES = ("english", "spanish", "mandarin", "french", "portuguese", "hindi")
VERTICALS = (
    "residential", "luxury_residential", "commercial_real_estate", "first_time_homebuyers",
)  # fmt: skip
ROLES = ("buyer", "seller", "transaction_coordinator")
EXPERIENCE = ("novice", "experienced", "expert")
INTENTS = (
    "property_search", "property_sale", "rental_search", "investment", "valuation_request",
    "viewing_request", "financing_question", "offer_negotiation", "information_request",
    "complaint", "out_of_scope",
)  # fmt: skip
MOTIVATIONS = (
    "family_expansion", "relocation", "downsizing", "upgrading", "lease_ending",
    "divorce_or_separation", "retirement", "investment_return", "first_home", "job_change",
)  # fmt: skip
URGENCY = ("low", "medium", "high", "critical")
DECISION_STAGES = ("early_research", "exploring", "qualified", "deciding", "committed")
AREAS = MappingProxyType({
    "budget": (30, ("budget_range", "financing_status", "down_payment")),
    "timeline": (25, ("move_timeline", "urgency_level", "flexibility")),
    "preferences": (20, ("property_type", "location", "size", "amenities")),
    "motivation": (15, ("why_moving", "must_haves", "deal_breakers")),
    "contact": (10, ("preferred_contact", "availability", "decision_maker")),
})  # fmt: skip
"""Areas of a qualification: weight of a hundred, and their questions."""
QUESTIONS = tuple(slug for _, slugs in AREAS.values() for slug in slugs)
CRITICAL = ("budget_range", "financing_status", "move_timeline", "why_moving", "decision_maker")
"""Questions without whose answer no lead counts as qualified."""

_LANGUAGE_SHARES = (0.70, 0.10, 0.05, 0.06, 0.06, 0.03)
_VERTICAL_SHARES = (0.50, 0.12, 0.14, 0.24)
_INTENT_SHARES = (0.24, 0.12, 0.10, 0.09, 0.07, 0.10, 0.08, 0.06, 0.07, 0.04, 0.03)
# What moves people, by intent: weights of MOTIVATIONS.
_MOVED = MappingProxyType({
    "property_search": (5, 4, 3, 4, 4, 2, 2, 0, 5, 3),
    "property_sale": (2, 4, 5, 3, 0, 4, 4, 1, 0, 3),
    "rental_search": (1, 5, 1, 1, 6, 3, 0, 0, 0, 4),
    "investment": (0, 0, 0, 1, 0, 0, 3, 9, 1, 0),
    "valuation_request": (1, 2, 4, 1, 0, 5, 4, 2, 0, 1),
    "viewing_request": (4, 4, 2, 4, 4, 2, 2, 1, 4, 3),
    "financing_question": (2, 2, 0, 3, 3, 1, 1, 2, 7, 1),
    "offer_negotiation": (4, 3, 2, 4, 3, 1, 1, 2, 4, 2),
    "information_request": (3, 3, 2, 3, 3, 1, 2, 2, 3, 2),
})  # fmt: skip
_N_MOTIVES = (0.3, 0.5, 0.2)
_KINDS = MappingProxyType({
    "residential": ("house", "condo", "townhouse", "house"),
    "luxury_residential": ("house", "condo", "house", "townhouse"),
    "commercial_real_estate": ("office", "retail", "warehouse", "multi_family"),
    "first_time_homebuyers": ("condo", "house", "townhouse", "condo"),
})  # fmt: skip
_BUDGET_K = MappingProxyType({
    "residential": (300, 800), "luxury_residential": (1200, 4500),
    "commercial_real_estate": (500, 3000), "first_time_homebuyers": (180, 450),
})  # fmt: skip
_SPECIALISATIONS = ("luxury_homes", "first_time_buyers", "commercial", "relocation", "generalist")


class Agent(NamedTuple):
    """Who answers."""

    role: str
    experience: str
    specialisation: str
    language: str


class Sheet(NamedTuple):
    """What is true of one lead.

    Budgets in dollars, times in months, sizes in square feet; `style` from terse and careless (0)
    to formal (1); `urgency` and `stage` are positions in `URGENCY` and `DECISION_STAGES`.
    """

    contact: int
    tenant: str
    language: str
    mixed: bool
    vertical: str
    channel: str
    side: str
    style: float
    patience: float
    intent: str
    motivations: tuple[str, ...]
    urgency: int
    stage: int
    kind: str
    bedrooms: int
    bathrooms: int
    size_sqft: int
    budget_low: int
    budget_high: int
    financing: str
    down_payment_pct: int
    timeline_months: int
    flexibility: str
    preferred_contact: str
    availability: str
    decision_maker: str


def rng(*keys: object) -> Random:
    """Give a generator of its own for each combination of keys."""
    return Random("/".join(map(str, keys)))


def draw_sheet(draw: Random, contact: int) -> Sheet:
    """Draw what is true of a lead.

    Parameters
    ----------
    draw
        Source of randomness.
    contact
        Number of the person: name, and "we" or "I", follow from it.

    Examples
    --------
    >>> sheet = draw_sheet(rng("doctest", 3), 3)
    >>> sheet.intent in INTENTS, sheet.budget_low <= sheet.budget_high
    (True, True)
    """
    language = draw.choices(LANGUAGES, _LANGUAGE_SHARES)[0]
    vertical = draw.choices(VERTICALS, _VERTICAL_SHARES)[0]
    intent = draw.choices(INTENTS, _INTENT_SHARES)[0]
    low_k, high_k = _BUDGET_K[vertical]
    step = 5 if high_k < 1000 else 50
    high = low_k + step * int((high_k - low_k) / step * draw.betavariate(2, 3))
    urgency = draw.choices(range(4), (0.3, 0.33, 0.25, 0.12))[0]
    bedrooms = draw.choices((1, 2, 3, 4, 5), (0.1, 0.27, 0.35, 0.2, 0.08))[0]
    return Sheet(
        contact=contact,
        tenant=f"tenant-{1 + draw.randrange(6)}",
        language=language,
        mixed=language != "english" and draw.random() < 0.2,
        vertical=vertical,
        channel=draw.choices(("sms", "email", "chat", "portal"), (0.3, 0.25, 0.25, 0.2))[0],
        side=_side(intent, draw),
        style=draw.random(),
        patience=draw.betavariate(3, 2),
        intent=intent,
        motivations=_motives(intent, draw),
        urgency=urgency,
        stage=min(4, max(0, round(draw.gauss(1.2 + 0.5 * urgency, 1.1)))),
        kind=draw.choice(_KINDS[vertical]),
        bedrooms=bedrooms,
        bathrooms=max(1, min(4, bedrooms - draw.choice((0, 1, 1, 2)))),
        size_sqft=50 * round((450 * bedrooms + draw.gauss(400, 220)) / 50),
        budget_low=1000 * step * max(1, round(high * draw.uniform(0.75, 0.95) / step)),
        budget_high=1000 * high,
        financing=draw.choices(
            ("cash", "pre_approved", "needs_mortgage", "selling_first"), (0.15, 0.3, 0.35, 0.2)
        )[0],
        down_payment_pct=draw.choice((0, 3, 5, 10, 10, 15, 20, 20, 25, 30)),
        timeline_months=draw.choice(((12, 15, 18, 24), (4, 5, 6, 8), (2,), (1,))[urgency]),
        flexibility=draw.choice(("fixed", "some", "open")),
        preferred_contact=draw.choice(("call", "text", "email", "whatsapp")),
        availability=draw.choice(("evenings", "weekends", "mornings", "any time")),
        decision_maker=draw.choices(("alone", "couple", "parents", "partner"), (3, 4, 1, 1))[0],
    )


def draw_agent(draw: Random) -> Agent:
    """Draw an agent."""
    return Agent(
        draw.choices(ROLES, (0.5, 0.32, 0.18))[0],
        draw.choices(EXPERIENCE, (0.35, 0.4, 0.25))[0],
        draw.choice(_SPECIALISATIONS),
        draw.choices(LANGUAGES, (0.82, 0.08, 0.02, 0.03, 0.03, 0.02))[0],
    )


def as_buyer(sheet: Sheet) -> Sheet:
    """Give the sheet of the same person who buys, to live there or for income."""
    return sheet._replace(side="investor" if sheet.intent == "investment" else "buyer")


def part_of(draw: Random) -> str:
    """Draw the part a contact belongs to: 60, 15 and 25 of a hundred."""
    return draw.choices(("train", "validation", "test"), (60, 15, 25))[0]


def area_of(slug: str) -> str:
    """Give the area a question belongs to.

    Examples
    --------
    >>> area_of("flexibility")
    'timeline'
    """
    return next(area for area, (_, slugs) in AREAS.items() if slug in slugs)


def _side(intent: str, draw: Random) -> str:
    fixed = {
        "property_sale": "seller",
        "valuation_request": "seller",
        "rental_search": "renter",
        "investment": "investor",
        "property_search": "buyer",
    }
    return fixed.get(intent) or draw.choices(("buyer", "seller"), (0.8, 0.2))[0]


def _motives(intent: str, draw: Random) -> tuple[str, ...]:
    weights = _MOVED.get(intent)
    if weights is None:
        return ()
    n = draw.choices(range(3), _N_MOTIVES)[0]
    found = {draw.choices(MOTIVATIONS, weights)[0] for _ in range(n)}
    return tuple(m for m in MOTIVATIONS if m in found)
