"""Qualification talks so far: what is answered, how complete it is, and what to ask next."""

from collections.abc import Collection
from math import log2
from random import Random

from workbench.data.conversations.amounts import GAZETTEER, count_words, money, plain_number
from workbench.data.conversations.bank import phrases_of
from workbench.data.conversations.preferences import DEAL_BREAKERS, FEATURES
from workbench.data.conversations.rows import Example, answer_of, slices_of
from workbench.data.conversations.sheets import (
    AREAS,
    CRITICAL,
    QUESTIONS,
    URGENCY,
    Sheet,
    area_of,
    as_buyer,
    draw_agent,
)
from workbench.data.conversations.writing import Pen, Said, dialogue
from workbench.data.fields import AskedField

__all__ = [
    "FIELDS", "Answers", "completeness_of", "information_bits", "relevance_of", "write_sheet",
]  # fmt: skip

_MEANINGS = {
    "budget_range": "price range", "financing_status": "how it is paid",
    "down_payment": "down payment", "move_timeline": "when to move",
    "urgency_level": "how pressing it is", "flexibility": "whether the date can move",
    "property_type": "kind of property", "location": "where", "size": "how much space",
    "amenities": "what would be nice", "why_moving": "reason for the move",
    "must_haves": "what is indispensable", "deal_breakers": "what rules a place out",
    "preferred_contact": "how to be reached", "availability": "when there is time",
    "decision_maker": "who decides",
}  # fmt: skip
FIELDS = (
    AskedField(name="answered", meaning="Questions the lead has answered, asked or not",
               kind="labels", values=QUESTIONS, descriptions=_MEANINGS),
    AskedField(name="completeness", meaning="Weighted share of questions answered, 0 to 100",
               kind="number"),
    AskedField(name="missing_critical", meaning="Critical questions not answered",
               kind="labels", values=CRITICAL),
    AskedField(name="next_question", meaning="What to ask next", kind="ranking",
               values=QUESTIONS, descriptions=_MEANINGS),
)  # fmt: skip

_CLOSED_SHARE = 0.12
_CLOSED_TOLD = 0.85
# What an answer surprises by, in bits, where nothing is known: counts of the draws in `sheets`.
_FINANCING = {"cash": 0.15, "pre_approved": 0.3, "needs_mortgage": 0.35, "selling_first": 0.2}
_URGENCY_SHARES = (0.3, 0.33, 0.25, 0.12)
_BEDROOMS = {1: 0.1, 2: 0.27, 3: 0.35, 4: 0.2, 5: 0.08}
_DOWN = {0: 0.1, 3: 0.1, 5: 0.1, 10: 0.2, 15: 0.1, 20: 0.2, 25: 0.1, 30: 0.1}
_DECIDER = {"alone": 3 / 9, "couple": 4 / 9, "parents": 1 / 9, "partner": 1 / 9}
_MONTHS_IN_LEVEL = (4, 4, 1, 1)
_BUDGET_BITS = 3.0  # eight bands of price are worth telling apart
_MOTIVE_BITS = log2(10)


class Answers:
    """One lead answering qualification questions in words.

    Parameters
    ----------
    sheet
        What is true of the lead.
    draw
        Source of randomness.
    may_hold
        Whether phrases held out may be used.

    Examples
    --------
    >>> from workbench.data.conversations.sheets import draw_sheet, rng
    >>> sheet = draw_sheet(rng(4), 4)._replace(language="english", style=0.6, down_payment_pct=20)
    >>> Answers(sheet, rng(0), may_hold=False).full("down_payment").text
    '20 percent down'
    """

    def __init__(self, sheet: Sheet, draw: Random, *, may_hold: bool) -> None:
        self.sheet, self.draw = sheet, draw
        self.place, other = draw.sample(GAZETTEER, 2)
        amenity, must = draw.sample(FEATURES, 2)
        breaker = draw.choice(DEAL_BREAKERS)
        language = sheet.language

        def noun(topic: str, value: str) -> str:
            return phrases_of("preferences", language, topic, value).seen[0]

        self.pen = Pen(sheet, draw, "qualification", may_hold=may_hold, slots={
            "budget_low": money(sheet.budget_low, language, draw),
            "budget_high": money(sheet.budget_high, language, draw),
            "other_budget": money(sheet.budget_high + 5_000 * draw.choice((-9, -4, 6, 14)),
                                  language, draw),
            "down": count_words(sheet.down_payment_pct, language, draw),
            "few_months": str(sheet.timeline_months),
            "few_weeks": str(4 * sheet.timeline_months),
            "timeline_months": count_words(sheet.timeline_months, language, draw),
            "bedrooms": count_words(sheet.bedrooms, language, draw),
            "other_beds": count_words(sheet.bedrooms % 5 + 1, language, draw),
            "size": plain_number(max(400, sheet.size_sqft), draw), "location": self.place,
            "other_place": other, "amenity": noun("features", amenity),
            "must": noun("features", must), "breaker": noun("deal_breakers", breaker),
        })  # fmt: skip

    def full(self, slug: str) -> Said:
        """Answer a question."""
        sheet = self.sheet
        if slug == "urgency_level":
            return self.pen.fill_in(
                phrases_of("intents", sheet.language, "urgency", URGENCY[sheet.urgency])
            )
        if slug == "why_moving":
            motive = (sheet.motivations or ("upgrading",))[0]
            return self.pen.fill_in(phrases_of("intents", sheet.language, "motivations", motive))
        values = {
            "financing_status": sheet.financing,
            "flexibility": sheet.flexibility,
            "preferred_contact": sheet.preferred_contact,
            "availability": sheet.availability,
            "decision_maker": sheet.decision_maker,
            "down_payment": "said" if sheet.down_payment_pct else "none",
        }
        return self.pen.say(slug, values.get(slug, "said"))

    def partial(self, slug: str) -> Said:
        """Say something about a question that answers it only in part."""
        return self.pen.say("partial", slug)


def completeness_of(answered: Collection[str]) -> float:
    """Give the completeness of a qualification.

    Parameters
    ----------
    answered
        Slugs of the questions answered.

    Returns
    -------
    float
        Sum over the areas of weight times the share of the area's questions answered; 0 to 100.

    Examples
    --------
    >>> completeness_of(["budget_range", "location"])
    15.0
    """
    return float(sum(
        weight * sum(slug in answered for slug in slugs) / len(slugs)
        for weight, slugs in AREAS.values()
    ))  # fmt: skip


def information_bits(sheet: Sheet, slug: str, answered: Collection[str]) -> float:
    """Give how much an answer would tell beyond what is answered, in bits.

    Parameters
    ----------
    sheet
        What is true of the lead.
    slug
        The question.
    answered
        Questions answered so far: the level of urgency leaves little of the date open, and the
        date nothing of the level.

    Returns
    -------
    float
        -log2 of the chance of the true answer among all leads, given what is answered.

    Examples
    --------
    >>> from workbench.data.conversations.sheets import draw_sheet, rng
    >>> sheet = draw_sheet(rng(1), 1)._replace(urgency=3, timeline_months=1)
    >>> information_bits(sheet, "urgency_level", ()) > 3
    True
    >>> information_bits(sheet, "urgency_level", ("move_timeline",))
    0.0
    """
    level = -log2(_URGENCY_SHARES[sheet.urgency])
    month = log2(_MONTHS_IN_LEVEL[sheet.urgency])
    bits = {
        "budget_range": _BUDGET_BITS,
        "financing_status": -log2(_FINANCING[sheet.financing]),
        "down_payment": -log2(_DOWN[sheet.down_payment_pct]),
        "move_timeline": month if "urgency_level" in answered else level + month,
        "urgency_level": 0.0 if "move_timeline" in answered else level,
        "flexibility": log2(3),
        "property_type": 1.0 if sheet.vertical != "commercial_real_estate" else 2.0,
        "location": log2(len(GAZETTEER)),
        "size": -log2(_BEDROOMS[sheet.bedrooms]),
        "amenities": log2(len(FEATURES)),
        "why_moving": _MOTIVE_BITS,
        "must_haves": log2(len(FEATURES)),
        "deal_breakers": log2(len(DEAL_BREAKERS)),
        "preferred_contact": 2.0,
        "availability": 2.0,
        "decision_maker": -log2(_DECIDER[sheet.decision_maker]),
    }
    return bits[slug]


def relevance_of(
    sheet: Sheet, answered: Collection[str], closed: Collection[str]
) -> dict[str, float]:
    """Give what each question would bring if it came next.

    Parameters
    ----------
    sheet
        What is true of the lead.
    answered
        Questions answered.
    closed
        Areas the lead does not talk about: such a question brings nothing.

    Returns
    -------
    dict
        Question to weight of its area / questions of the area x bits of its answer; 0 where it
        is answered or refused.
    """
    found = {}
    for area, (weight, slugs) in AREAS.items():
        for slug in slugs:
            worth = weight / len(slugs) * information_bits(sheet, slug, answered)
            found[slug] = 0.0 if slug in answered or area in closed else round(worth, 3)
    return found


def write_sheet(sheet: Sheet, draw: Random, *, may_hold: bool) -> Example:
    """Write a qualification talk up to some point.

    Parameters
    ----------
    sheet
        Who answers, and what is true.
    draw
        Source of randomness.
    may_hold
        Whether phrases held out may be used.

    Returns
    -------
    Example
        What is answered in full, asked or volunteered; partial answers do not count.
    """
    sheet = as_buyer(sheet)._replace(language="english", mixed=False)
    agent = draw_agent(draw)
    answers = Answers(sheet, draw, may_hold=may_hold)
    closed = {area for area in AREAS if draw.random() < _CLOSED_SHARE}
    talk = _Talk(answers, closed)
    asked = list(QUESTIONS)
    draw.shuffle(asked)
    asked.sort(key=lambda slug: list(AREAS).index(area_of(slug)) + draw.gauss(0, 2))
    talk.open()
    for slug in asked[: draw.randint(0, 11)]:
        talk.ask(slug)
    said = dialogue(talk.turns)
    answered = answer_of(QUESTIONS, tuple(talk.answered))
    relevance = relevance_of(sheet, answered, closed)
    return Example(
        X={"text": said.text, "vertical": sheet.vertical, "side": sheet.side,
           "agent_role": agent.role, "agent_experience": agent.experience},
        y={"answered": answered, "completeness": completeness_of(answered),
           "missing_critical": answer_of(CRITICAL, tuple(set(CRITICAL) - set(answered))),
           "next_question": relevance},
        slices=slices_of(sheet, said.text, held=said.held)
        | {"agent_role": agent.role, "agent_experience": agent.experience},
        truth={"closed_areas": answer_of(tuple(AREAS), tuple(closed)),
               "turns": len(talk.turns)},
    )  # fmt: skip


class _Talk:
    """A talk as it goes on: turns, and what is answered."""

    def __init__(self, answers: Answers, closed: set[str]) -> None:
        self.answers, self.closed = answers, closed
        self.turns: list[tuple[str, Said]] = []
        self.answered: set[str] = set()
        self.told: set[str] = set()

    def open(self) -> None:
        """The lead opens, and may volunteer something."""
        pen = self.answers.pen
        parts = [pen.small("greetings"), pen.say("small_talk", "openers")]
        parts += self._volunteered(share=0.5)
        self.turns.append(("lead", pen.message(parts)))

    def ask(self, slug: str) -> None:
        """The agent asks, the lead answers in full, in part, or not at all."""
        pen, draw = self.answers.pen, self.answers.draw
        if slug in self.answered and draw.random() < 0.85:
            return  # few agents ask again
        asked = pen.agent_says("questions", slug).text
        if draw.random() < 0.25:
            asked = f"{pen.agent_says('agent_claims', 'any').text} {asked}"
        self.turns.append(("agent", Said(asked)))
        self.turns.append(("lead", pen.message(self._reply(slug))))

    def _reply(self, slug: str) -> list[Said]:
        pen, draw = self.answers.pen, self.answers.draw
        area = area_of(slug)
        if slug in self.answered:
            return [pen.say("redundant", "any")]
        if area in self.closed:
            first = area not in self.told and draw.random() < _CLOSED_TOLD
            self.told.add(area)
            return [pen.say("closed", area) if first else pen.say("refused", "any")]
        fate = draw.random()
        if fate < 0.16:
            return [self.answers.partial(slug), *self._volunteered(share=0.15)]
        if fate < 0.22:
            return [pen.say("small_talk", "chatter"), *self._volunteered(share=0.3)]
        self.answered.add(slug)
        parts = [self.answers.full(slug), *self._volunteered(share=0.22)]
        if draw.random() < 0.15:
            parts.append(pen.say("small_talk", "chatter"))
        return parts

    def _volunteered(self, share: float) -> list[Said]:
        draw = self.answers.draw
        free = [s for s in QUESTIONS if s not in self.answered and area_of(s) not in self.closed]
        if not free or draw.random() > share:
            return []
        slug = draw.choice(free)
        self.answered.add(slug)
        return [self.answers.full(slug)]
