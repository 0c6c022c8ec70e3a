"""Objections: what is said, how much it weighs, what is behind it, and what would help."""

from collections.abc import Mapping, Sequence
from random import Random
from types import MappingProxyType
from typing import NamedTuple

from workbench.data.conversations.amounts import GAZETTEER, money
from workbench.data.conversations.bank import Phrases, phrases_of
from workbench.data.conversations.rows import Example, answer_of, slices_of
from workbench.data.conversations.sheets import Sheet, as_buyer
from workbench.data.conversations.writing import GAP, Pen, Said, dialogue
from workbench.data.fields import AskedField

__all__ = [
    "CAUSES", "FIELDS", "SEVERITY", "STRATEGIES", "TYPES", "Scene", "draw_scene", "object_to",
    "strategies_for",
    "voiced_scene", "write_objection",
]  # fmt: skip

TYPES = (
    "price_concern", "timing_concern", "trust_concern", "location_concern", "property_concern",
    "financing_concern",
)  # fmt: skip
FAMILIES = ("price_objections", "timing_objections", "others")
SEVERITY = ("none", "low", "medium", "high", "critical")
# How often a cause stands behind an objection, and what is said then: weights of TYPES.
_SAID = MappingProxyType({
    "budget_gap": (1.3, (6, 0, 0, 0, 1, 2)),
    "payment_shock": (0.9, (3, 1, 0, 0, 0, 5)),
    "market_fear": (1.0, (2, 5, 1, 0, 0, 1)),
    "lease_commitment": (1.0, (0, 7, 0, 1, 0, 1)),
    "family_disagreement": (0.9, (1, 3, 0, 3, 3, 0)),
    "past_bad_experience": (0.9, (0, 2, 6, 0, 1, 0)),
    "competing_offer": (0.9, (4, 3, 2, 0, 0, 0)),
    "commute": (0.8, (0, 1, 0, 7, 0, 0)),
    "condition_risk": (0.9, (3, 0, 1, 0, 5, 0)),
    "not_decision_maker": (0.8, (2, 4, 2, 0, 0, 1)),
    "bargaining_move": (1.2, (8, 0, 0, 0, 2, 0)),
})  # fmt: skip
CAUSES = tuple(_SAID)
_TOLD_BY_CONTEXT = ("budget_gap", "lease_commitment", "bargaining_move")
STRATEGIES = (
    "value_justification", "financing_options", "limited_inventory", "market_trends",
    "comparable_sales", "price_negotiation", "flexible_timing", "trust_building",
    "alternative_listings", "inspection_and_repairs", "involve_decision_maker",
    "empathise_and_pause",
)  # fmt: skip
# What helps against each cause, in the order of STRATEGIES; context and person change it.
_HELPS = MappingProxyType({
    "budget_gap": (0, 2, 0, 0, 0, 2, 0, 0, 3, 0, 0, 1),
    "payment_shock": (0, 3, 0, 1, 0, 1, 0, 0, 1, 0, 0, 2),
    "market_fear": (1, 0, 1, 3, 2, 0, 1, 0, 0, 0, 0, 2),
    "lease_commitment": (0, 0, 1, 0, 0, 1, 3, 0, 1, 0, 0, 1),
    "family_disagreement": (0, 0, 0, 0, 0, 0, 1, 0, 2, 0, 3, 2),
    "past_bad_experience": (0, 0, 0, 0, 1, 0, 0, 3, 0, 1, 0, 2),
    "competing_offer": (2, 0, 2, 1, 2, 1, 0, 1, 0, 0, 0, 0),
    "commute": (0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 1, 1),
    "condition_risk": (0, 0, 0, 0, 1, 2, 0, 1, 1, 3, 0, 0),
    "not_decision_maker": (0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 3, 0),
    "bargaining_move": (2, 0, 2, 1, 3, 1, 0, 0, 0, 0, 0, 0),
})  # fmt: skip

FIELDS = (
    AskedField(name="types", meaning="What the lead objects to, maybe nothing", kind="labels",
               values=TYPES),
    AskedField(name="family", meaning="Families of the objections", kind="labels",
               values=FAMILIES),
    AskedField(name="severity", meaning="How much the objection weighs", kind="level",
               values=SEVERITY),
    AskedField(
        name="root_cause", meaning="What is really behind the objection", kind="label",
        values=CAUSES,
        descriptions={
            "budget_gap": "the price is beyond what the lead can pay",
            "payment_shock": "the monthly cost came as a surprise",
            "market_fear": "prices might fall",
            "lease_commitment": "bound to a lease",
            "family_disagreement": "those at home do not agree",
            "past_bad_experience": "burned before",
            "competing_offer": "something else is going with another agent",
            "commute": "the way to work",
            "condition_risk": "afraid of what repairs will cost",
            "not_decision_maker": "somebody else decides",
            "bargaining_move": "could pay, wants a better price",
        },
    ),
    AskedField(name="strategy", meaning="How to answer, best first", kind="ranking",
               values=STRATEGIES),
)  # fmt: skip

_NONE_SHARE, _TWO_SHARE = 0.16, 0.12
_VAGUE = 0.18
_HINTED = 0.45
_REPORTED = 0.28
_TRENDS = ("falling", "stable", "rising")
_EVENTS = ("none known", "none known", "none known", "baby expected", "new job", "child to school")


class Scene(NamedTuple):
    """What lies behind an objection, and the numbers around it; `lease_months` 0: no lease."""

    cause: str
    types: tuple[str, ...]
    severity: str
    asking_usd: int
    comparable_usd: int
    days_on_market: int
    inventory: str
    lease_months: int
    family_event: str


def draw_scene(sheet: Sheet, draw: Random) -> Scene:
    """Draw an objection, or none, and the numbers around it.

    The numbers tell three causes apart: only who cannot pay faces an asking price above the
    budget, only who is bound has a long lease, and who merely bargains is offered a price below
    that of comparable sales.
    """
    cause = draw.choices(CAUSES, [weight for weight, _ in _SAID.values()])[0]
    said = _SAID[cause][1]
    n = draw.choices((0, 1, 2), (_NONE_SHARE, 1 - _NONE_SHARE - _TWO_SHARE, _TWO_SHARE))[0]
    types = {draw.choices(TYPES, said)[0]} if n else set()
    if n == 2:
        types.add(draw.choice(TYPES))
    severity = SEVERITY[draw.choices((1, 2, 3, 4), (0.25, 0.3, 0.28, 0.17))[0]] if n else "none"
    real = bool(n)
    beyond = draw.uniform(1.06, 1.3) if cause == "budget_gap" and real else draw.uniform(0.82, 1.0)
    asking = 5_000 * round(sheet.budget_high * beyond / 5_000)
    if asking > sheet.budget_high and not (cause == "budget_gap" and real):
        asking = sheet.budget_high
    fair = draw.uniform(1.03, 1.15) if cause == "bargaining_move" else draw.uniform(0.88, 1.02)
    bound = cause == "lease_commitment" and real
    inventory = draw.choices(
        _TRENDS, (0.2, 0.3, 0.5) if cause == "market_fear" else (0.4, 0.35, 0.25)
    )[0]
    return Scene(
        cause=cause,
        types=answer_of(TYPES, tuple(types)),
        severity=severity,
        asking_usd=asking,
        comparable_usd=1000 * round(asking * fair / 1000),
        days_on_market=max(1, round(draw.expovariate(1 / 40))),
        inventory=inventory,
        lease_months=draw.randint(5, 14) if bound else draw.choice((0, 0, 0, 1, 2)),
        family_event=draw.choice(_EVENTS),
    )


def voiced_scene(sheet: Sheet, draw: Random) -> Scene:
    """Draw an objection, and the numbers around it; see `draw_scene`."""
    while not (scene := draw_scene(sheet, draw)).types:
        pass
    return scene


def strategies_for(scene: Scene, sheet: Sheet) -> dict[str, float]:
    """Give how much each strategy helps, 0 to 3.

    Parameters
    ----------
    scene
        The objection: its cause counts, what is said does not.
    sheet
        Who objects.

    Returns
    -------
    dict
        From the cause; scarcity helps only where inventory falls, comparable sales and value only
        where they speak for the price; a lease that ends or a family event presses who waits;
        first-time buyers need patience, investors figures.
    """
    helps = dict(zip(STRATEGIES, map(float, _HELPS[scene.cause]), strict=True))
    if scene.inventory == "falling":
        helps["limited_inventory"] += 1
    elif scene.inventory == "rising":
        helps["limited_inventory"] = 0.0
        helps["price_negotiation"] += 1
    if scene.comparable_usd < scene.asking_usd:
        helps["value_justification"] = max(0.0, helps["value_justification"] - 1)
        helps["comparable_sales"] = max(0.0, helps["comparable_sales"] - 1)
    presses = scene.lease_months in (1, 2) or scene.family_event != _EVENTS[0]
    if "timing_concern" in scene.types and presses and scene.inventory != "rising":
        helps["limited_inventory"] += 1
    if scene.days_on_market > 60:
        helps["price_negotiation"] += 1
    if sheet.vertical == "first_time_homebuyers":
        helps["empathise_and_pause"] += 1
    if sheet.side == "investor" or sheet.vertical == "commercial_real_estate":
        helps["market_trends"] += 1
        helps["empathise_and_pause"] = 0.0
    return {name: min(3.0, value) for name, value in helps.items()}


def object_to(pen: Pen, scene: Scene) -> tuple[list[Said], bool]:
    """Put an objection into words.

    Parameters
    ----------
    pen
        Of the bank "objections".
    scene
        What is objected to.

    Returns
    -------
    list of Said
        What is said of the objection, in no order.
    bool
        Whether the cause is hinted at.
    """
    draw = pen.draw
    hints = draw.random() < _HINTED
    parts = []
    # A vague word says nothing of its own: the hint or the numbers say what it is about.
    vague = len(scene.types) == 1 and draw.random() < _VAGUE and scene.types[0] == TYPES[
        max(range(len(TYPES)), key=lambda at: _SAID[scene.cause][1][at])
    ]  # fmt: skip
    if vague and (hints or scene.cause in _TOLD_BY_CONTEXT):
        parts.append(pen.say("vague", "any"))
    else:
        parts += [_stated(pen, kind) for kind in scene.types]
    if hints:
        parts.append(pen.say("causes", scene.cause))
    if scene.severity != "medium":
        parts.append(pen.say("severity", scene.severity))
    return parts, hints


def write_objection(sheet: Sheet, draw: Random, *, may_hold: bool) -> Example:
    """Write a message that objects, or sounds like it, with what came before.

    Parameters
    ----------
    sheet
        Who writes.
    draw
        Source of randomness.
    may_hold
        Whether phrases held out may be used.

    Returns
    -------
    Example
        A cause neither hinted at nor told by the context is None; so are cause and strategy
        where nobody objects. Severity is medium where nothing is said of it.
    """
    sheet = as_buyer(sheet)
    scene = draw_scene(sheet, draw)
    place = draw.choice(GAZETTEER)
    asking = money(scene.asking_usd, sheet.language, draw)
    slots = {"asking": asking, "place": place, "lease_months": str(scene.lease_months)}
    pen = Pen(sheet, draw, "objections", may_hold=may_hold, slots=slots)
    parts, hinted = object_to(pen, scene) if scene.types else (_nothing(pen), False)
    held = any(part.held for part in parts)
    if scene.types and draw.random() < 0.3:
        parts.append(_decoy(pen))
    if sheet.language == "english" and draw.random() < _REPORTED:
        parts.append(_reported(pen))
    if draw.random() < 0.3:
        parts.append(pen.small("chatter"))
    draw.shuffle(parts)
    history, late_hint = _history(pen, scene, told=hinted)
    text = pen.message(parts).text
    known = bool(scene.types) and (hinted or late_hint or scene.cause in _TOLD_BY_CONTEXT)
    families = tuple(dict.fromkeys(_family(kind) for kind in scene.types))
    return Example(
        X={"text": text, "history": history, **_context(sheet, scene, place)},
        y={
            "types": scene.types,
            "family": answer_of(FAMILIES, families),
            "severity": scene.severity,
            "root_cause": scene.cause if known else None,
            "strategy": strategies_for(scene, sheet) if scene.types else None,
        },
        slices=slices_of(sheet, text, held=held) | {"needs_context": _needs(scene, parts, hinted)},
        truth={"root_cause_unsaid": scene.cause if scene.types else None},
    )


def _stated(pen: Pen, kind: str) -> Said:
    sheet = pen.sheet
    own = pen.words.objections[kind.removesuffix("_concern")]
    if sheet.language == "english":
        told = phrases_of("objections", "english", "types", kind)
        return pen.fill_in(Phrases((*own, *told.seen), told.held), topic="types")
    return pen.fill_in(Phrases(own[:-1], own[-1:]), topic="types")


def _nothing(pen: Pen) -> list[Said]:
    parts = [pen.say("others", "fine") if pen.draw.random() < 0.6 else _decoy(pen)]
    return [*parts, pen.small("questions")] if pen.draw.random() < 0.4 else parts


def _decoy(pen: Pen) -> Said:
    return pen.small("decoys")


def _reported(pen: Pen) -> Said:
    """Quote a cause that is somebody else's, or settled."""
    hint = pen.say("causes", pen.draw.choice(CAUSES)).text
    framed = pen.say("reported", "any")
    return Said(framed.text.replace(GAP, hint))


def _history(pen: Pen, scene: Scene, *, told: bool) -> tuple[str, bool]:
    """What came before, and whether it hints at the cause."""
    draw = pen.draw
    turns: list[tuple[str, Said]] = []
    hints = bool(scene.types) and not told and draw.random() < 0.5
    for number in range(draw.choice((1, 2, 2, 3))):
        parts = [pen.say("history", "lead_earlier")]
        if hints and not number:
            parts.append(pen.say("causes", scene.cause))
        if draw.random() < 0.3:
            parts.append(pen.small("chatter"))
        turns += [("lead", pen.message(parts)), ("agent", Said(pen.agent()))]
    turns[-1:] = [("agent", Said(pen.agent_says("history", "agent_pitch").text))]
    return dialogue(turns).text, hints


def _context(sheet: Sheet, scene: Scene, place: str) -> Mapping[str, str]:
    lease = f"in {scene.lease_months} months" if scene.lease_months else "no lease"
    return {
        "budget_range": f"${sheet.budget_low:,} to ${sheet.budget_high:,}",
        "property_type": sheet.kind,
        "location": place,
        "asking_price": f"${scene.asking_usd:,}",
        "comparable_median": f"${scene.comparable_usd:,}",
        "days_on_market": str(scene.days_on_market),
        "inventory_trend": scene.inventory,
        "lease_end": lease.replace("in 1 months", "in 1 month"),
        "family_event": scene.family_event,
        "vertical": sheet.vertical,
        "side": sheet.side,
    }


def _needs(scene: Scene, parts: Sequence[Said], hinted: bool) -> str:  # noqa: FBT001 - private
    told = scene.types and not hinted and scene.cause in _TOLD_BY_CONTEXT
    return "yes" if told and parts else "no"


def _family(kind: str) -> str:
    return {"price_concern": FAMILIES[0], "timing_concern": FAMILIES[1]}.get(kind, FAMILIES[2])
