"""First messages and short exchanges: what is wanted, why, how soon, how far along people are."""

from random import Random

from workbench.data.conversations.rows import Example, answer_of, slices_of
from workbench.data.conversations.sheets import (
    DECISION_STAGES,
    INTENTS,
    MOTIVATIONS,
    URGENCY,
    Sheet,
)
from workbench.data.conversations.writing import GAP, Pen, Said, dialogue
from workbench.data.fields import AskedField

__all__ = ["FIELDS", "write_intent"]

FIELDS = (
    AskedField(
        name="primary_intent", meaning="What the person wants now", kind="label", values=INTENTS,
        catch_all="out_of_scope",
        descriptions={
            "property_search": "to find a property to buy and live in",
            "property_sale": "to sell a property",
            "rental_search": "to rent a home",
            "investment": "to buy for income or gain",
            "valuation_request": "to know what a property is worth",
            "viewing_request": "to see a certain property",
            "financing_question": "to learn about loans, rates, down payments",
            "offer_negotiation": "to make, answer or discuss an offer",
            "information_request": "facts about a property, a place or the process",
            "complaint": "to complain about service or conduct",
            "out_of_scope": "nothing a brokerage's agent deals with",
        },
        parents={
            "property_search": "acquisition", "rental_search": "acquisition",
            "investment": "acquisition", "property_sale": "disposal",
            "valuation_request": "disposal", "viewing_request": "transaction",
            "offer_negotiation": "transaction", "financing_question": "question",
            "information_request": "question", "complaint": "other", "out_of_scope": "other",
        },
    ),
    AskedField(
        name="motivations", meaning="Why, as far as it is said: the person's own reasons now",
        kind="labels", values=MOTIVATIONS,
    ),
    AskedField(name="urgency", meaning="How soon it has to happen", kind="level", values=URGENCY,
        descriptions={"low": "a year or later, or no hurry", "medium": "in three to nine months",
                      "high": "within weeks", "critical": "within days"}),
    AskedField(name="decision_stage", meaning="How far the decision is", kind="level",
               values=DECISION_STAGES),
)  # fmt: skip

_SILENT = ("complaint", "out_of_scope")  # these speak of themselves only


def write_intent(sheet: Sheet, draw: Random, *, may_hold: bool) -> Example:
    """Write one message, or a short exchange.

    Parameters
    ----------
    sheet
        Who writes, and what is true of them.
    draw
        Source of randomness.
    may_hold
        Whether phrases held out may be used.

    Returns
    -------
    Example
        Labels are what the text says, directly or not; what it does not say is None, or no part
        of the set of motivations.
    """
    pen = Pen(sheet, draw, "intents", may_hold=may_hold)
    parts = [pen.say("primary_intent", sheet.intent)]
    motives = [m for m in sheet.motivations if draw.random() < 0.85]
    tells_urgency = sheet.intent not in _SILENT and draw.random() < 0.72
    tells_stage = sheet.intent not in _SILENT and draw.random() < 0.6
    parts += [pen.say("motivations", motive) for motive in motives]
    if tells_urgency:
        parts.append(pen.say("urgency", URGENCY[sheet.urgency]))
    if tells_stage:
        parts.append(pen.say("decision_stage", DECISION_STAGES[sheet.stage]))
    held = any(part.held for part in parts)
    parts += _noise(pen, sheet)
    draw.shuffle(parts)
    if draw.random() < 0.12:
        parts.append(pen.small("closers"))
    text = _told(pen, parts).text
    return Example(
        X={"text": text},
        y={
            "primary_intent": sheet.intent,
            "motivations": answer_of(MOTIVATIONS, motives),
            "urgency": URGENCY[sheet.urgency] if tells_urgency else None,
            "decision_stage": DECISION_STAGES[sheet.stage] if tells_stage else None,
        },
        slices=slices_of(sheet, text, held=held),
        truth={
            "motivations_unsaid": answer_of(MOTIVATIONS, sheet.motivations),
            "urgency_unsaid": URGENCY[sheet.urgency],
            "decision_stage_unsaid": DECISION_STAGES[sheet.stage],
        },
    )


def _noise(pen: Pen, sheet: Sheet) -> list[Said]:
    draw, extra = pen.draw, []
    if sheet.language == "english":
        for kind, share in (("other_people", 0.3), ("past", 0.2), ("negated", 0.2)):
            if sheet.intent != "out_of_scope" and draw.random() < share:
                extra.append(pen.say("asides", kind))
        if sheet.intent not in _SILENT and draw.random() < 0.16:
            other = draw.choice([i for i in INTENTS[:-2] if i != sheet.intent])
            extra.append(_later(pen, other))
    if draw.random() < 0.35:
        extra.append(pen.small("chatter"))
    return extra


def _later(pen: Pen, intent: str) -> Said:
    """Name another intent, for another day."""
    framed = pen.say("asides", "later")
    return Said(framed.text.replace(GAP, pen.say("primary_intent", intent).text))


def _told(pen: Pen, parts: list[Said]) -> Said:
    draw = pen.draw
    if draw.random() < 0.55:
        parts = [pen.small("greetings"), *parts]
    if len(parts) < 3 or draw.random() < 0.7:
        return pen.message(parts)
    cut = draw.randrange(1, len(parts))
    turns = [
        ("lead", pen.message(parts[:cut])),
        ("agent", Said(pen.agent())),
        ("lead", pen.message(parts[cut:])),
    ]
    if draw.random() < 0.3:
        turns.insert(0, ("agent", Said(pen.agent("agent_opens"))))
    return dialogue(turns)
