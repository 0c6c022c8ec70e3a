"""What a lead is like: every rate of the mechanism as a function of lead and hidden state.

Arrays over states have the state first, (7, n): one row a state a lead can be open in.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import expit, softmax

from workbench.data.brokerage.leanings import field_leanings
from workbench.data.brokerage.market import Market
from workbench.data.brokerage.people import People
from workbench.data.brokerage.schema import ACTIONS, LANGUAGES, STRATEGIES, URGENCIES
from workbench.data.brokerage.seasons import N_WEEKS, month_factor, week_index

__all__ = [
    "ACTION_GAIN", "COACHING_GAIN", "COACHING_RATE", "FOLLOWED", "N_OPEN", "OPENED", "PHASES",
    "Nature", "action_policy", "action_reply", "appointment", "conversation", "describe_nature",
    "objection_kinds", "phase", "push", "sessions", "strategy_policy", "strategy_reply",
    "touch_rate", "urgency_levels",
]  # fmt: skip

N_OPEN = 7  # new, engaged, qualified, viewing, offer, contract, dormant
PHASES = (0, 1, 4)  # first week of each phase of outreach: first contact, follow-up, nurturing

# Log-odds gained from the first to the last week: some brokerages and sources change, most do not.
_TENANT_DRIFT = np.array([1.3, 0.0, 1.5, 0.0, 0.0, 1.2, 0.0, -0.3])
_SOURCE_DRIFT = np.array([0.0, 0.5, 0.0, 0.0, 0.7, 0.0, 0.4])

# A decision about a touch is taken in a week with this chance: state by phase.
_TOUCH = np.array([0.40, 0.30, 0.34, 0.32, 0.28, 0.22, 0.12])[:, None] * (1.4, 1.0, 0.8)
ACTION_GAIN = np.array([0.03, 0.10, 0.06, 0.18, 0.0])
_ACTION_BASE = np.array([-1.5, -1.7, -0.9, -1.1, -2.5])
_ACTION_STATE = np.array([-0.3, 0.6, 0.9, 1.1, 1.5, 1.8, -2.6])
# Rows: seriousness, urgency, financing, blockers, responsiveness, resistance, activity.
_ACTION_TRAITS = np.array([
    (0.3, -0.5, 0.0, 0.3, 1.4, 0.1, 0.1),
    (0.4, 0.6, 0.5, -0.3, 1.3, -0.5, 0.1),
    (0.2, 0.3, 0.0, 0.0, 1.5, 0.0, 0.2),
    (0.7, 0.3, 0.1, 0.0, 1.2, -0.5, 0.0),
    (0.8, 0.5, 0.0, -0.2, 1.0, 0.0, 0.3),
]).T  # fmt: skip
# Chance that an e-mail is opened though not answered.
OPENED = np.array([0.35, 0.45, 0.45, 0.50, 0.55, 0.60, 0.10])

COACHING_RATE = np.array([0.02, 0.05, 0.06, 0.07, 0.08, 0.05, 0.02])
COACHING_GAIN = 0.15
FOLLOWED = 0.75
_STRATEGY_TRAITS = np.array([
    (0.0, -0.4, -0.3, 0.9, 1.0, 0.3, 0.0),
    (0.3, 0.0, 0.9, -0.2, 1.0, 0.2, 0.0),
    (0.4, 0.9, 0.3, -0.6, 1.0, -0.8, 0.0),
    (0.8, 0.0, 0.0, 0.3, 1.0, 0.0, 0.0),
    (0.1, -0.5, 0.0, 0.1, 1.3, -0.3, 0.2),
]).T  # fmt: skip

_SESSIONS = np.array([0.60, 0.62, 0.70, 0.80, 0.55, 0.40, 0.015])
_TALKS = np.array([0.12, 0.15, 0.20, 0.24, 0.28, 0.24, 0.010])
_OBJECTS = np.array([-0.5, 0.0, 0.4, 0.8, 1.1, -0.6, 0.6])
_OFFERED = np.array([0.03, 0.12, 0.30, 0.40, 0.12, 0.05, 0.006])
_ACCEPTS = np.array([-0.9, -0.5, 0.1, 0.6, 0.5, 0.8, -1.6])
_HURRY = np.array([-0.3, 0.0, 0.3, 0.5, 1.0, 1.4, -1.0])
_URGENCY_CUTS = np.array([-1.10, 1.45, 3.60])
_URGENCY_NOISE = 0.06  # share of entries that are a level picked blindly


class Nature(NamedTuple):
    """What the mechanism knows about each lead."""

    created_s: np.ndarray
    quality: np.ndarray
    drift: np.ndarray
    cooling: np.ndarray
    leaving: np.ndarray
    replies: np.ndarray
    objects: np.ndarray
    visits: np.ndarray
    pace: np.ndarray
    skill: np.ndarray
    traits: np.ndarray
    source: np.ndarray
    vertical: np.ndarray
    language: np.ndarray
    experience: np.ndarray
    timeline: np.ndarray
    distance_km: np.ndarray

    def take(self, rows: np.ndarray) -> "Nature":
        """Give some leads, repeats allowed."""
        return Nature(*(part[rows] for part in self))


def describe_nature(people: People, market: Market) -> Nature:
    """Sum up fields, traits and agent into what drives each lead's chain."""
    serious, urgent, financed, blocked, responsive, resisting, _ = people.traits.T
    leans = field_leanings(people, market)
    inner = (
        0.60 * serious + 0.50 * urgent + 0.45 * financed + 0.2 * serious * urgent
        - 0.7 * np.maximum(blocked - 0.2, 0) - 0.2 * blocked
    )  # fmt: skip
    return Nature(
        created_s=people.created_s,
        quality=-0.36 + 0.42 * leans.moves_on + 0.38 * inner + 0.6 * leans.skill,
        drift=_TENANT_DRIFT[people.tenant] + _SOURCE_DRIFT[people.source],
        cooling=-0.4 * responsive - 0.2 * serious - 0.6 * leans.replies,
        leaving=0.3 * resisting + 0.3 * blocked,
        replies=leans.replies,
        objects=leans.objects,
        visits=leans.visits,
        pace=leans.pace,
        skill=leans.skill,
        traits=people.traits,
        source=people.source,
        vertical=people.vertical,
        language=people.language,
        experience=market.agents.experience[people.agent],
        timeline=people.timeline,
        distance_km=people.distance_km,
    )


def push(nature: Nature, week_start_s: np.ndarray) -> np.ndarray:
    """Give the log-odds that quality, drift and season add to moving on in this week."""
    week = week_index(week_start_s)
    drifted = nature.drift * (week / (N_WEEKS - 1) - 0.55)
    out: np.ndarray = nature.quality + drifted + 0.12 * np.sin(2 * np.pi * (week - 10) / 52)
    return out


def phase(weeks: np.ndarray | int) -> np.ndarray:
    """Give the phase of outreach in the lead's so-manieth week."""
    found: np.ndarray = np.searchsorted(PHASES, weeks, side="right") - 1
    return found


def touch_rate() -> np.ndarray:
    """Give the chance of a decision about a touch in a week, (7, 3): state, phase."""
    return _TOUCH


def action_policy(nature: Nature) -> np.ndarray:
    """Give the logging policy, (3, n, 5): what is recorded decides, the hidden state does not."""
    base = np.tile([0.4, -0.3, 0.1, 0.0, -0.6], (len(PHASES), len(nature.source), 1))
    base[:, nature.source == 5, 3] += 0.8
    base[:, nature.experience == 2, 3] += 0.4
    base[:, nature.vertical == 1] += (0.4, -0.4, 0.0, 0.2, 0.0)
    base[:, nature.language > 0] += (0.2, 0.0, 0.3, -0.4, 0.0)
    base[0] += (0.0, -0.2, 0.2, 0.5, -0.6)
    base[2] += (0.3, 0.2, 0.0, -0.2, 0.4)
    mixed: np.ndarray = 0.85 * softmax(base, axis=2) + 0.15 / len(ACTIONS)
    return mixed


def action_reply(nature: Nature, states: np.ndarray) -> np.ndarray:
    """Give the chance that each action is answered within the week.

    `states` has shape (..., n); the result has the actions first, (5, ..., n).
    """
    inner = (nature.traits @ _ACTION_TRAITS).T + _ACTION_BASE[:, None] + 1.25 * nature.replies
    inner[2] += 0.3 * (nature.language == LANGUAGES.index("mandarin"))
    middle = inner.reshape(len(ACTIONS), *(1,) * (states.ndim - 1), -1)
    chance: np.ndarray = expit(middle + _ACTION_STATE[states])
    return chance


def strategy_policy(nature: Nature) -> np.ndarray:
    """Give the chance that a coach suggests each strategy, (n, 5)."""
    base = np.tile([0.2, 0.0, -0.1, 0.3, 0.0], (len(nature.source), 1))
    base[nature.experience == 0] += (0.3, 0.0, -0.4, 0.0, 0.1)
    base[nature.vertical == 2] += (-0.3, 0.7, 0.1, 0.0, -0.2)
    base[nature.source == 2] += (0.0, 0.0, 0.0, 0.0, 0.6)
    base[(nature.timeline >= 0) & (nature.timeline <= 3)] += (0.0, 0.0, 0.6, 0.0, -0.2)
    mixed: np.ndarray = 0.8 * softmax(base, axis=1) + 0.2 / len(STRATEGIES)
    return mixed


def strategy_reply(nature: Nature, states: np.ndarray) -> np.ndarray:
    """Give the chance of a reply after coaching with each strategy, (5, ..., n)."""
    inner = (nature.traits @ _STRATEGY_TRAITS).T - 0.7 + 0.6 * nature.replies
    inner[1] += 0.5 * (nature.vertical == 2)
    inner[4] += 0.4 * (nature.vertical == 1)
    middle = inner.reshape(len(STRATEGIES), *(1,) * (states.ndim - 1), -1)
    chance: np.ndarray = expit(middle + 0.6 * _ACTION_STATE[states])
    return chance


def sessions(nature: Nature, states: np.ndarray, week_start_s: np.ndarray) -> np.ndarray:
    """Give the expected number of sessions on the website in a week, (..., n)."""
    pace = np.exp(1.4 * nature.pace + 0.75 * nature.traits[:, 6] - 0.45) * month_factor(
        week_start_s
    )
    rate: np.ndarray = _SESSIONS[states] * pace
    return rate


def conversation(nature: Nature, states: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give the chances of a conversation in a week and of an objection in it, (..., n)."""
    traits = nature.traits
    talk = np.minimum(_TALKS[states] * np.exp(0.3 * traits[:, 4]), 0.8)
    inner = 1.2 * traits[:, 5] + 0.6 * traits[:, 3] - 0.4 * traits[:, 2] + 1.6 * nature.objects
    return talk, expit(-2.2 + _OBJECTS[states] + inner)


def objection_kinds(nature: Nature) -> np.ndarray:
    """Give the shares of the kinds of objections of each lead, (n, 6)."""
    serious, urgent, financed, blocked, responsive, resisting, _ = nature.traits.T
    share: np.ndarray = softmax(
        np.column_stack([
            0.4 + 0.4 * resisting, 0.2 - 0.8 * urgent + 0.4 * blocked,
            -0.3 - 0.5 * responsive - 0.2 * nature.skill, -0.4 + 0.6 * (nature.distance_km > 30),
            0.1 + 0.2 * serious, -0.1 - 0.9 * financed,
        ]), axis=1,
    )  # fmt: skip
    return share


def appointment(nature: Nature, states: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give the chances that a viewing is offered in a week and accepted, (..., n)."""
    traits = nature.traits
    inner = 1.0 * traits[:, 0] + 0.5 * traits[:, 1] - 0.5 * traits[:, 3] + 0.3 * traits[:, 4]
    offered = np.broadcast_to(_OFFERED[states], np.broadcast_shapes(states.shape, inner.shape))
    return offered, expit(-0.1 + _ACCEPTS[states] + inner + 1.65 * nature.visits)


def urgency_levels(nature: Nature, states: np.ndarray) -> np.ndarray:
    """Give the chance that staff enter each level of urgency, (n, 4): ordered logit and slips."""
    months = nature.timeline
    said = np.select([months < 0, months <= 3, months <= 9], [0.0, 0.8, 0.0], -0.8)
    latent = 1.8 * nature.traits[:, 1] + 0.4 * nature.traits[:, 0] + said + _HURRY[states]
    below = expit(_URGENCY_CUTS - latent[:, None])
    exact = np.diff(below, axis=1, prepend=0.0, append=1.0)
    levels: np.ndarray = (1 - _URGENCY_NOISE) * exact + _URGENCY_NOISE / len(URGENCIES)
    return levels
