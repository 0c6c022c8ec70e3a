"""What the recorded fields of a lead say about it, head by head, in log-odds."""

from typing import NamedTuple

import numpy as np

from workbench.data.brokerage.market import Market, typical_usd
from workbench.data.brokerage.people import People

__all__ = ["Leanings", "field_leanings"]

# By source: website, portal, referral, open_house, social, phone, email_campaign.
_MOVES_ON = np.array([0.0, -0.30, 0.85, 0.35, -0.65, 0.30, -0.35])
_REPLIES = np.array([0.1, -0.7, 1.0, 0.7, -1.2, 0.8, -0.6])
_OBJECTS = np.array([0.0, 0.7, -1.1, -0.3, 0.9, -0.3, 0.4])
_VISITS = np.array([0.0, -0.5, 0.8, 1.0, -0.9, 0.3, -0.5])
_PACE = np.array([0.40, 0.50, -0.50, -0.40, 0.10, -0.90, 0.20])
# By vertical: residential, luxury, commercial, first-time buyers.
_REPLIES_VERTICAL = np.array([0.0, -0.7, 0.4, 0.5])
_OBJECTS_VERTICAL = np.array([-0.3, 0.8, 0.5, -0.2])
_PACE_VERTICAL = np.array([0.0, -0.3, -0.4, 0.3])
_REPLIES_LANGUAGE = np.array([0.0, 0.3, 0.4, -0.3, 0.3, 0.2])
_TENANT = np.array([0.15, -0.10, 0.20, -0.25, 0.05, -0.05, 0.10, -0.15])
_APPROVED = np.array([-0.4, 0.6, 0.0])  # no, yes, unknown


class Leanings(NamedTuple):
    """Log-odds one row a lead; `pace` is the log of a factor on sessions."""

    moves_on: np.ndarray
    replies: np.ndarray
    objects: np.ndarray
    visits: np.ndarray
    pace: np.ndarray
    skill: np.ndarray


def field_leanings(people: People, market: Market) -> Leanings:
    """Sum up what form, source and agent say about a lead."""
    agents, source, vertical = market.agents, people.source, people.vertical
    skill = agents.skill[people.agent] + 0.2 * (agents.specialisation[people.agent] == vertical)
    luxury, commercial = vertical == 1, vertical == 2
    months = people.timeline
    soon = np.select([months < 0, months <= 3, months <= 9], [0.0, 0.7, 0.1], -0.8)
    approved = _APPROVED[people.preapproved] * np.where(commercial, 0.4, 1.0)
    far = (people.distance_km > 30) & ~luxury
    near = -0.35 * np.log(people.distance_km / 9)
    # Against what such a property costs there, which the lead may or may not know.
    typical = typical_usd(people.tenant, vertical, people.kind)
    stretch = np.log(people.budget_usd.clip(1) / typical)
    silent = people.budget_usd < 0
    fits = np.select([silent, stretch < -0.4, stretch > 0.6], [-0.2, -0.6, -0.25], 0.2)
    short = np.select([silent, stretch < -0.25, stretch > 0.3], [0.5, 0.8, -0.4], -0.2)
    return Leanings(
        moves_on=_MOVES_ON[source] + _TENANT[people.tenant] + fits + 0.5 * soon + 0.8 * approved
        - 0.6 * far + 0.6 * (commercial & (source == 2)) - 0.6 * (luxury & (source == 4)),
        replies=_REPLIES[source] + _REPLIES_VERTICAL[vertical] + 0.5 * soon + 0.4 * approved
        + _REPLIES_LANGUAGE[people.language] + 0.5 * skill,
        objects=_OBJECTS[source] + _OBJECTS_VERTICAL[vertical] + short - 0.7 * approved
        + 0.6 * far - 0.4 * soon - 0.7 * skill,
        visits=_VISITS[source] + near + 0.8 * soon + 0.6 * approved + 0.6 * skill
        - 0.3 * silent,
        pace=_PACE[source] + _PACE_VERTICAL[vertical] + 0.15 * soon,
        skill=skill,
    )  # fmt: skip
