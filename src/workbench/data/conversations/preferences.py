"""Conversations in which a lead says what is wanted: directly, by hints, in passing, corrected."""

from collections.abc import Sequence
from datetime import date, timedelta
from random import Random
from typing import Any

from workbench.data.conversations.amounts import (
    GAZETTEER,
    count_words,
    money,
    month_name,
    plain_number,
)
from workbench.data.conversations.bank import phrases_of
from workbench.data.conversations.rows import Example, slices_of
from workbench.data.conversations.sheets import Sheet
from workbench.data.conversations.writing import Pen, Said, Span, dialogue, kinds_of
from workbench.data.fields import AskedField, Slot

__all__ = ["DEAL_BREAKERS", "FEATURES", "FIELDS", "LIFESTYLE", "write_preferences"]

FEATURES = (
    "pool", "garden", "garage", "balcony", "fireplace", "home_office", "basement", "new_kitchen",
    "elevator", "solar",
)  # fmt: skip
LIFESTYLE = (
    "quiet", "walkable", "nightlife", "good_schools", "near_transit", "nature", "pets",
    "waterfront",
)  # fmt: skip
DEAL_BREAKERS = (
    "busy_road", "hoa_fees", "stairs", "flood_zone", "needs_renovation", "no_parking",
    "shared_walls", "long_commute",
)  # fmt: skip
_KINDS = ("house", "condo", "townhouse", "multi_family", "office", "retail", "warehouse")
_FIRST_DAY = date(2025, 1, 6)

FIELDS = (
    AskedField(
        name="preferences", meaning="What the lead wants, as far as it is said", kind="slots",
        slots=(
            Slot(name="property_type", meaning="Type of property", kind="choice", values=_KINDS),
            Slot(name="bedrooms", meaning="Bedrooms wanted at least", kind="number"),
            Slot(name="bathrooms", meaning="Bathrooms wanted at least", kind="number"),
            Slot(name="budget_min", meaning="Lowest price considered", kind="money", unit="USD"),
            Slot(name="budget_max", meaning="Highest price", kind="money", unit="USD"),
            Slot(name="location", meaning="Place wanted, as it is written"),
            Slot(name="size_sqft", meaning="Size wanted at least", kind="number",
                 unit="square feet"),
            Slot(name="features", meaning="Features wanted", kind="choices", values=FEATURES),
            Slot(name="timeline_months", meaning="Months from the conversation until the move",
                 kind="number", unit="months"),
            Slot(name="lifestyle", meaning="What matters around the property", kind="choices",
                 values=LIFESTYLE),
            Slot(name="deal_breakers", meaning="What rules a property out", kind="choices",
                 values=DEAL_BREAKERS),
        ),
    ),
)  # fmt: skip
_MENTIONED = {
    "property_type": 0.55, "bedrooms": 0.55, "bathrooms": 0.3, "budget": 0.6, "location": 0.55,
    "size_sqft": 0.2, "timeline": 0.4, "features": 0.5, "lifestyle": 0.35, "deal_breakers": 0.35,
}  # fmt: skip
_HOMES_ONLY = ("bedrooms", "bathrooms")
_LISTS = {"features": FEATURES, "lifestyle": LIFESTYLE, "deal_breakers": DEAL_BREAKERS}
_AND = {
    "english": " and ", "spanish": " y ", "french": " et ", "portuguese": " e ", "mandarin": "和",
    "hindi": " और ",
}  # fmt: skip
_SUMS = 0.12  # of budgets are told in two parts
_LIST_SHARE = 0.6


class _Wishes:
    """One lead's wishes while they are put into words."""

    def __init__(self, sheet: Sheet, draw: Random, sent_on: date, *, may_hold: bool) -> None:
        self.sheet, self.draw, self.sent_on = sheet, draw, sent_on
        self.place, other = draw.sample(GAZETTEER, 2)
        self.values: dict[str, Any] = {}
        kinds = kinds_of(sheet.language)
        other_kind = draw.choice([kind for kind in _KINDS[:4] if kind != sheet.kind])
        cash = 5_000 * max(1, round(sheet.budget_high * draw.uniform(0.1, 0.3) / 5_000))
        month = sent_on.month + sheet.timeline_months
        other_beds = draw.choice([n for n in range(1, 7) if n != sheet.bedrooms])
        other_budget = sheet.budget_high + 5_000 * draw.choice((-16, -10, -6, -4, 5, 8, 12, 20))
        language = sheet.language
        self.pen = Pen(sheet, draw, "preferences", may_hold=may_hold, slots={
            "property_type": kinds[sheet.kind], "other_kind": kinds[other_kind],
            "bedrooms": count_words(sheet.bedrooms, language, draw),
            "bathrooms": count_words(sheet.bathrooms, language, draw),
            "other_beds": count_words(other_beds, language, draw),
            "budget_max": money(sheet.budget_high, language, draw),
            "budget_min": money(sheet.budget_low, language, draw),
            "other_budget": money(other_budget, language, draw),
            "loan": money(sheet.budget_high - cash, language, draw),
            "cash": money(cash, language, draw), "location": self.place, "other_place": other,
            "size_sqft": plain_number(sheet.size_sqft, draw),
            "timeline_months": count_words(sheet.timeline_months, language, draw),
            "timeline_month": month_name(month),
        })  # fmt: skip

    def tell(self, topic: str) -> list[Said]:
        """Put one wish into words, and note its value."""
        if topic in _LISTS:
            return self._tell_list(topic)
        if topic == "budget":
            return [self._tell_budget()]
        sheet = self.sheet
        slot = "timeline_months" if topic == "timeline" else topic
        values = {"property_type": sheet.kind, "location": self.place}
        self.values[slot] = values.get(slot) or float(getattr(sheet, slot))
        implied = self._implied(topic)
        if implied is not None:
            return [implied.whole(slot)]
        said = self.pen.say(topic, "said")
        if topic == "timeline" and sheet.timeline_months > 11:
            # The name of a month would be a year too early.
            told = phrases_of("preferences", sheet.language, topic, "said")
            said = self.pen.fill_in(told._replace(seen=told.seen[:2], held=()))
        return [_renamed(said, {"timeline_month": "timeline_months"})]

    def _implied(self, topic: str) -> Said | None:
        pen, value = self.pen, str(getattr(self.sheet, topic, None))
        if self.sheet.language != "english" or self.draw.random() > 0.3:
            return None
        if topic == "bedrooms" or (topic == "bathrooms" and value == "2"):
            return pen.say(f"{topic}_implied", value)
        return None

    def _tell_budget(self) -> Said:
        self.values["budget_max"] = float(self.sheet.budget_high)
        low = self.sheet.budget_low < self.sheet.budget_high and self.draw.random() < 0.3
        if low:
            self.values["budget_min"] = float(self.sheet.budget_low)
            return self.pen.say("budget", "range")
        if self.sheet.language == "english" and self.draw.random() < _SUMS:
            return self.pen.say("budget", "sum").whole("budget_max")
        return self.pen.say("budget", "max")

    def _tell_list(self, topic: str) -> list[Said]:
        pen, draw = self.pen, self.draw
        options = _LISTS[topic]
        chosen = draw.sample(options, draw.choices((1, 2, 3), (0.5, 0.35, 0.15))[0])
        self.values[topic] = tuple(o for o in options if o in chosen)
        said = [pen.say(topic, value).whole(topic) for value in chosen]
        if draw.random() > _LIST_SHARE:
            return said
        items = _enumerated(said, self.sheet.language)
        framed = pen.say("lists", topic)
        at = next(s for s in framed.spans if s.slot == "items")
        text = framed.text[: at.start] + items.text + framed.text[at.end :]
        spans = tuple(s._replace(start=s.start + at.start, end=s.end + at.start)
                      for s in items.spans)  # fmt: skip
        return [Said(text, spans, framed.held or items.held)]


def write_preferences(sheet: Sheet, draw: Random, *, may_hold: bool) -> Example:
    """Write a message or a conversation of up to eight turns.

    Parameters
    ----------
    sheet
        Who writes, and what is wanted.
    draw
        Source of randomness.
    may_hold
        Whether phrases held out may be used.

    Returns
    -------
    Example
        Labels are the slots the text tells; its spans say where.
    """
    sent_on = _FIRST_DAY + timedelta(days=draw.randrange(360))
    sheet = sheet._replace(size_sqft=max(400, sheet.size_sqft))
    wishes = _Wishes(sheet, draw, sent_on, may_hold=may_hold)
    topics = [
        topic for topic, share in _MENTIONED.items()
        if draw.random() < share
        and not (topic in _HOMES_ONLY and sheet.vertical == "commercial_real_estate")
    ]  # fmt: skip
    draw.shuffle(topics)
    said = _conversation(wishes, topics)
    known = [span for span in said.spans if span.slot in wishes.values]
    return Example(
        X={"text": said.text, "sent_on": sent_on.isoformat()},
        y={"preferences": dict(wishes.values)},
        slices=slices_of(sheet, said.text, held=said.held),
        truth={
            "bedrooms_unsaid": sheet.bedrooms,
            "budget_max_unsaid": sheet.budget_high,
            "timeline_months_unsaid": sheet.timeline_months,
        },
        spans=known,
    )


def _conversation(wishes: _Wishes, topics: Sequence[str]) -> Said:
    pen, draw = wishes.pen, wishes.draw
    rest = list(topics)
    turns: list[tuple[str, Said]] = []
    first = True
    while first or rest:
        k = draw.choice((1, 2, 2, 3, 4))
        now, rest = rest[:k], rest[k:]
        parts = [said for topic in now for said in wishes.tell(topic)]
        parts += _noise(pen)
        if first and (draw.random() < 0.5 or not parts):
            parts.insert(0, pen.small("greetings"))
        if first and draw.random() < 0.3:
            parts.insert(1 if parts else 0, pen.small("chatter"))
        message = pen.message(parts or [pen.small("closers")])
        if turns and turns[-1][0] == "lead":
            message = _after(turns.pop()[1], message)
        turns.append(("lead", message))
        first = False
        if rest or draw.random() < 0.25:
            turns += _agent(wishes, rest)
    if len(turns) == 1:
        return turns[0][1]
    return dialogue(turns)


def _agent(wishes: _Wishes, rest: list[str]) -> list[tuple[str, Said]]:
    """The agent asks, or offers what the lead refuses, or guesses right and the lead agrees."""
    pen, draw, sheet = wishes.pen, wishes.draw, wishes.sheet
    fate = draw.random()
    if sheet.language == "english" and fate < 0.3:
        return [
            ("agent", _bare(pen.agent_says("agent_offers", "refused"))),
            ("lead", pen.message([pen.say("lead_answers", "refused")])),
        ]
    guessed = [t for t in rest if t in ("bedrooms", "location", "budget")]
    if sheet.language == "english" and fate < 0.55 and guessed:
        topic = guessed[0]
        rest.remove(topic)
        slot = "budget_max" if topic == "budget" else topic
        values = {"bedrooms": float(sheet.bedrooms), "location": wishes.place,
                  "budget_max": float(sheet.budget_high)}  # fmt: skip
        wishes.values[slot] = values[slot]
        return [
            ("agent", pen.agent_says("agent_offers", topic)),
            ("lead", pen.message([pen.say("lead_answers", "accepted")])),
        ]
    return [("agent", Said(pen.agent()))]


def _noise(pen: Pen) -> list[Said]:
    draw = pen.draw
    extra = [_bare(pen.say("distractors", "others"))] if draw.random() < 0.25 else []
    extra += [_bare(pen.say("distractors", "refusals"))] if draw.random() < 0.12 else []
    return extra


def _after(first: Said, then: Said) -> Said:
    """Two messages in one turn."""
    moved = len(first.text) + 1
    spans = tuple(s._replace(start=s.start + moved, end=s.end + moved) for s in then.spans)
    return Said(f"{first.text} {then.text}", (*first.spans, *spans), first.held or then.held)


def _bare(said: Said) -> Said:
    return said._replace(spans=(), held=False)


def _renamed(said: Said, names: dict[str, str]) -> Said:
    spans = tuple(span._replace(slot=names.get(span.slot, span.slot)) for span in said.spans)
    return said._replace(spans=spans)


def _enumerated(said: Sequence[Said], language: str) -> Said:
    text, spans = "", []
    for number, one in enumerate(said):
        if number:
            last = number == len(said) - 1
            text += _AND[language] if last else "、" if language == "mandarin" else ", "
        spans += [Span(s.slot, s.start + len(text), s.end + len(text)) for s in one.spans]
        text += one.text
    return Said(text, tuple(spans), any(one.held for one in said))
