"""Moments in which an agent could be coached: how urgent, what is objected to, what would help."""

from collections.abc import Mapping
from math import exp
from random import Random
from types import MappingProxyType

import numpy as np
import pandas as pd

from workbench.data.conversations.objections import SEVERITY, Scene, draw_scene, object_to
from workbench.data.conversations.rows import Example, slices_of
from workbench.data.conversations.sheets import URGENCY, Agent, Sheet, draw_agent, rng
from workbench.data.conversations.writing import Pen, Said, dialogue
from workbench.data.corpus import Corpus
from workbench.data.fields import AskedField

__all__ = [
    "AGENTS", "FIELDS", "STAGES", "SUGGESTIONS", "acceptance_of", "agent_of", "reactions_of",
    "suggestions_for", "write_moment",
]  # fmt: skip

STAGES = ("discovery", "qualification", "viewing", "negotiation", "closing")
SUGGESTIONS = (
    "ask_open_question", "acknowledge_feeling", "show_comparables", "introduce_lender",
    "offer_viewing", "clarify_timeline", "clarify_budget", "summarise_needs", "propose_next_step",
    "ask_decision_maker", "provide_documents", "offer_references", "negotiate_terms", "slow_down",
    "explain_process", "suggest_alternatives", "run_the_numbers", "switch_language",
)  # fmt: skip
AGENTS = 60
"""Agents whose reactions are logged."""

# What helps: points by what is the case; the sum is cut to 0 to 3.
_POINTS: Mapping[str, Mapping[str, int]] = MappingProxyType({
    "discovery": {"ask_open_question": 2, "summarise_needs": 1, "clarify_timeline": 1,
                  "clarify_budget": 1},
    "qualification": {"clarify_budget": 2, "clarify_timeline": 2, "ask_decision_maker": 1,
                      "introduce_lender": 1, "offer_viewing": 1},
    "viewing": {"propose_next_step": 2, "offer_viewing": 1, "ask_open_question": 1,
                "summarise_needs": 1},
    "negotiation": {"show_comparables": 2, "negotiate_terms": 2, "propose_next_step": 1},
    "closing": {"explain_process": 2, "provide_documents": 2, "propose_next_step": 1},
    "price_concern": {"show_comparables": 2, "negotiate_terms": 1, "clarify_budget": 1,
                      "suggest_alternatives": 1, "acknowledge_feeling": 1},
    "timing_concern": {"slow_down": 2, "clarify_timeline": 2, "acknowledge_feeling": 1},
    "trust_concern": {"offer_references": 3, "acknowledge_feeling": 1, "provide_documents": 1,
                      "slow_down": 1},
    "location_concern": {"suggest_alternatives": 3, "ask_open_question": 1},
    "property_concern": {"suggest_alternatives": 2, "provide_documents": 1, "negotiate_terms": 1},
    "financing_concern": {"introduce_lender": 3, "run_the_numbers": 1, "explain_process": 1},
    "buyer": {"suggest_alternatives": 1},
    "seller": {"show_comparables": 1, "offer_viewing": -1},
    "transaction_coordinator": {"provide_documents": 1, "explain_process": 1, "negotiate_terms": -2,
                                "offer_viewing": -1},
    "novice": {"acknowledge_feeling": 1, "summarise_needs": 1, "negotiate_terms": -1},
    "experienced": {},
    "expert": {"negotiate_terms": 1, "acknowledge_feeling": -1, "summarise_needs": -1},
    "residential": {},
    "luxury_residential": {"offer_references": 1, "slow_down": 1},
    "commercial_real_estate": {"run_the_numbers": 2, "acknowledge_feeling": -2},
    "first_time_homebuyers": {"explain_process": 1, "acknowledge_feeling": 1},
    "two languages": {"switch_language": 3},
})  # fmt: skip
_WEIGHT_OF_SEVERITY = (0, 0, 1, 2, 3)
_WEIGHT_OF_DEADLINE = (0, 0, 1, 2)
_SOFTMAX = 0.9
# What coaches suggest differs in kind; agents have a taste for each of these.
_TASTES = MappingProxyType({
    "ask_open_question": 0, "acknowledge_feeling": 0, "summarise_needs": 0, "slow_down": 0,
    "offer_references": 0, "show_comparables": 1, "run_the_numbers": 1, "introduce_lender": 1,
    "provide_documents": 1, "explain_process": 1, "negotiate_terms": 2, "propose_next_step": 2,
    "offer_viewing": 2, "clarify_budget": 2, "clarify_timeline": 2, "ask_decision_maker": 2,
    "suggest_alternatives": 2, "switch_language": 0,
})  # fmt: skip

FIELDS = (
    AskedField(name="urgency_level", meaning="How urgently the agent needs advice", kind="level",
               values=URGENCY,
               descriptions={"low": "nothing presses", "medium": "an objection or a date to meet",
                             "high": "a heavy objection or a near deadline",
                             "critical": "the lead is about to leave, or has days"}),
    AskedField(name="objection_detected", meaning="Whether the lead objects", kind="label",
               values=("no", "yes")),
    AskedField(name="suggestion", meaning="What to suggest to the agent, best first",
               kind="ranking", values=SUGGESTIONS),
)  # fmt: skip


def suggestions_for(scene: Scene, sheet: Sheet, agent: Agent, stage: str) -> dict[str, float]:
    """Give how much each suggestion helps, 0 to 3.

    Parameters
    ----------
    scene
        The objection, if any.
    sheet
        The lead.
    agent
        Who is coached.
    stage
        Of the conversation, one of `STAGES`.

    Returns
    -------
    dict
        Sum of points for stage, objection, role, experience, vertical and a difference of
        languages, cut to 0 to 3.
    """
    points = dict.fromkeys(SUGGESTIONS, 0)
    foreign = ("two languages",) if agent.language != sheet.language else ()
    for case in (stage, *scene.types, agent.role, agent.experience, sheet.vertical, *foreign):
        for name, value in _POINTS[case].items():
            points[name] += value
    return {name: float(min(3, max(0, value))) for name, value in points.items()}


def write_moment(sheet: Sheet, draw: Random, *, may_hold: bool) -> Example:
    """Write a conversation up to a message of the lead the agent has to answer.

    Parameters
    ----------
    sheet
        The lead.
    draw
        Source of randomness.
    may_hold
        Whether phrases held out may be used.

    Returns
    -------
    Example
        Urgency adds the weight of the objection, the deadline voiced and the stage.
    """
    agent = draw_agent(draw)
    stage = draw.choice(STAGES)
    scene = draw_scene(sheet, draw)
    if scene.types and draw.random() < 0.35:
        scene = scene._replace(types=(), severity=SEVERITY[0])
    pen = Pen(sheet, draw, "objections", may_hold=may_hold)
    other = Pen(sheet, draw, "intents", may_hold=may_hold)
    parts = object_to(pen, scene)[0] if scene.types else [pen.say("others", "fine")]
    deadline = draw.random() < 0.45
    if deadline:
        parts.append(other.say("urgency", URGENCY[sheet.urgency]))
    held = any(part.held for part in parts)
    if draw.random() < 0.3:
        parts.append(pen.small("decoys"))
    if draw.random() < 0.3:
        parts.append(pen.small("chatter"))
    draw.shuffle(parts)
    turns = [*_before(pen, other, stage), ("lead", pen.message(parts))]
    said = dialogue(turns)
    weight = _WEIGHT_OF_SEVERITY[SEVERITY.index(scene.severity)]
    weight += _WEIGHT_OF_DEADLINE[sheet.urgency] if deadline else 0
    weight += bool(scene.types) and stage in ("negotiation", "closing")
    return Example(
        X={"text": said.text, "stage": stage, "agent_role": agent.role,
           "agent_experience": agent.experience, "agent_specialisation": agent.specialisation,
           "vertical": sheet.vertical, "agent_language": agent.language,
           "prospect_language": sheet.language},
        y={"urgency_level": URGENCY[min(3, weight)],
           "objection_detected": "yes" if scene.types else "no",
           "suggestion": suggestions_for(scene, sheet, agent, stage)},
        slices=slices_of(sheet, said.text, held=held)
        | {"agent_role": agent.role, "agent_experience": agent.experience, "stage": stage,
           "languages": "same" if agent.language == sheet.language else "different"},
        truth={"objection_types": scene.types, "severity": scene.severity,
               "root_cause_unsaid": scene.cause if scene.types else None},
    )  # fmt: skip


def reactions_of(corpus: Corpus) -> pd.DataFrame:
    """Give what was suggested to agents at the moments of a corpus, and whether they took it.

    Parameters
    ----------
    corpus
        "coaching_moments" as made here, or some of its rows.

    Returns
    -------
    pandas.DataFrame
        Indexed by example: `agent_id`, `suggestion`, `propensity` (the chance with which it was
        chosen) and `accepted`.

    Examples
    --------
    >>> from workbench.data.conversations import make_corpus
    >>> log = reactions_of(make_corpus("coaching_moments", 30))
    >>> log["propensity"].between(0.001, 1).all().item()
    True
    """
    rows = []
    for name, helps in zip(corpus.X.index, corpus.y["suggestion"], strict=True):
        draw = rng("reaction", name)
        weights = np.exp(_SOFTMAX * np.array([helps[s] for s in SUGGESTIONS]))
        shares = weights / weights.sum()
        at = draw.choices(range(len(SUGGESTIONS)), shares)[0]
        agent = agent_of(str(name))
        accepted = draw.random() < acceptance_of(agent, SUGGESTIONS[at], helps)
        rows.append((agent, SUGGESTIONS[at], float(shares[at]), "yes" if accepted else "no"))
    columns = ["agent_id", "suggestion", "propensity", "accepted"]
    return pd.DataFrame(rows, index=corpus.X.index, columns=columns)


def acceptance_of(agent_id: str, suggestion: str, helps: Mapping[str, float]) -> float:
    """Give the chance that an agent takes a suggestion.

    Parameters
    ----------
    agent_id
        The agent; tastes follow from it.
    suggestion
        One of `SUGGESTIONS`.
    helps
        How much each helps at this moment.

    Examples
    --------
    >>> 0 < acceptance_of("agent-3", "slow_down", {"slow_down": 2.0}) < 1
    True
    """
    tastes = rng("taste", agent_id)
    liked = [tastes.gauss(0, 1.1) for _ in range(3)][_TASTES[suggestion]]
    return 1 / (1 + exp(1.2 - 0.7 * helps[suggestion] - liked))


def agent_of(example_id: str) -> str:
    """Name the agent of a moment."""
    return f"agent-{rng('agent', example_id).randrange(AGENTS)}"


def _before(pen: Pen, other: Pen, stage: str) -> list[tuple[str, Said]]:
    """What was said before: it tells the stage, as far as that can be told."""
    draw = pen.draw
    turns: list[tuple[str, Said]] = []
    for number in range(draw.choice((1, 1, 2, 3))):
        parts = [pen.small("greetings")] if not number else []
        if stage in ("discovery", "qualification"):
            parts.append(pen.small("topics"))
        else:
            parts.append(pen.say("history", "lead_earlier"))
        if draw.random() < 0.4:
            parts.append(other.say("motivations", draw.choice(_motives(pen.sheet))))
        turns.append(("lead", pen.message(parts)))
        turns.append(("agent", Said(pen.agent())))
    if stage in ("negotiation", "closing", "viewing"):
        turns[-1] = ("agent", Said(pen.agent_says("history", "agent_pitch").text))
    return turns


def _motives(sheet: Sheet) -> tuple[str, ...]:
    return sheet.motivations or ("upgrading",)
