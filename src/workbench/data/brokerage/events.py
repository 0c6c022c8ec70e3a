"""The log of events: everything that happened, as a CRM would have recorded it."""

from typing import NamedTuple

import numpy as np

from workbench.data.brokerage.activity import Coached, Sessions, Talks, Touches
from workbench.data.brokerage.market import AREAS, PROPERTY_TYPES, Market
from workbench.data.brokerage.people import People
from workbench.data.brokerage.seasons import END_S, WEEK_S, week_index

__all__ = [
    "FIRST_CHANNEL",
    "INBOUND",
    "KINDS",
    "KIND_CHANNEL",
    "Events",
    "gather_events",
    "recording_delay",
]

KINDS = (
    "visit", "listing_view", "form_submitted", "email_sent", "email_opened", "email_replied",
    "sms_sent", "sms_replied", "call_made", "call_answered", "call_received",
)  # fmt: skip
KIND_CHANNEL = np.array([0, 0, 4, 1, 1, 1, 2, 2, 3, 3, 3])
# Whether the lead acted: opening a mail and picking up count, being written to does not.
INBOUND = np.array([True, True, True, False, True, True, False, True, False, True, True])
_VISIT, _VIEW, _FORM, _SENT, _OPENED, _REPLIED, _SMS, _SMS_BACK, _CALL, _ANSWERED, _RECEIVED = (
    range(11)
)
_TALK_KIND = np.array([-1, _REPLIED, _SMS_BACK, _RECEIVED, _FORM])  # by channel
_SENT_KIND = np.array([_SENT, _SENT, _SMS, _CALL, -1])  # by action
_BACK_KIND = np.array([_REPLIED, _REPLIED, _SMS_BACK, _ANSWERED, _RECEIVED])
# How a lead of each source makes its first contact: by form or by call.
FIRST_CHANNEL = np.array([4, 4, 3, 3, 4, 3, 4])
_CANDIDATES = 5


class Events(NamedTuple):
    """Codes with one row an event, in order of time; -1 stands for missing."""

    lead: np.ndarray
    at_s: np.ndarray
    kind: np.ndarray
    listing: np.ndarray
    duration_s: np.ndarray


def gather_events(
    people: People,
    market: Market,
    did: tuple[Sessions, Touches, Coached, Talks],
    rng: np.random.Generator,
) -> Events:
    """Put together all events before the end of the data."""
    visits, touches, coached, talks = did
    views = _views(people, market, visits, rng)
    asked = _SENT_KIND[touches.action]
    sent = asked >= 0
    parts = [
        (visits.lead, visits.at_s, np.full(len(visits.lead), _VISIT)),
        (touches.lead[sent], touches.sent_s[sent], asked[sent]),
        (touches.lead, touches.opened_s, np.full(len(touches.lead), _OPENED)),
        (touches.lead, touches.replied_s, _BACK_KIND[touches.action]),
        (coached.lead, coached.replied_s, np.full(len(coached.lead), _REPLIED)),
        (talks.lead, talks.started_s, _TALK_KIND[talks.channel]),
        (views.lead, views.at_s, views.kind),
    ]
    lead, at, kind = (np.concatenate(column) for column in zip(*parts, strict=True))
    listing = np.full(len(lead), -1, dtype=np.int64)
    listing[len(lead) - len(views.lead) :] = views.listing
    order = np.flatnonzero(at < END_S)
    order = order[np.argsort(at[order], kind="stable")]
    lead, at, kind = lead[order], at[order], kind[order]
    return Events(lead, at, kind, listing[order], _durations(kind, rng))


def recording_delay(kind: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw seconds until the CRM knew: machines are quick, agents note calls when they can."""
    n = len(kind)
    luck, size = rng.random(n), rng.random(n)
    by_hand = KIND_CHANNEL[kind] == 3
    late = np.where(by_hand, 0.10, 0.012)
    slow = np.where(by_hand, 0.40, 0.06)
    seconds = np.select(
        [luck < late, luck < slow],
        [86_400 + size**2 * 8 * 86_400, 600 + size**3 * 85_000],
        size * np.where(by_hand, 600, 20),
    )
    whole: np.ndarray = seconds.astype(np.int64)
    return whole


def _durations(kind: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    typical = np.array([140, 45, -1, -1, -1, -1, -1, -1, -1, 240, 300])[kind]
    drawn = typical * np.exp(0.9 * rng.standard_normal(len(kind)))
    seconds: np.ndarray = np.where(typical > 0, drawn.clip(1, 14_400), -1).astype(np.int64)
    return seconds


def _views(people: People, market: Market, visits: Sessions, rng: np.random.Generator) -> Events:
    row = np.repeat(np.arange(len(visits.lead)), visits.views)
    lead, week = visits.lead[row], visits.week[row]
    first = np.cumsum(visits.views) - visits.views
    place = np.arange(len(row)) - first[row] + 1
    pace = rng.integers(20, 90, len(visits.lead))[row]
    at = visits.at_s[row] + place * pace
    # A session that runs into the next week of the lead is cut there.
    start = people.created_s[lead] + week * WEEK_S
    at = np.minimum(at, start + WEEK_S - 1)
    kept = at < END_S
    lead, week, at = lead[kept], week[kept], at[kept]
    listing = _chosen(people, market, lead, week, at, rng)
    return Events(lead, at, np.full(len(lead), _VIEW), listing, np.empty(0))


def _chosen(
    people: People,
    market: Market,
    lead: np.ndarray,
    week: np.ndarray,
    at_s: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Choose what is looked at: the best of a few listings on sale, by wishes that change."""
    n, listings = len(people.created_s), market.listings
    turns = rng.geometric(0.05, n)  # the week in which somebody starts to look elsewhere
    other_area = rng.integers(0, len(AREAS), n)
    turns_kind = rng.geometric(0.02, n)
    other_kind = np.where(
        people.kind < 4, rng.integers(0, 4, n), rng.integers(4, len(PROPERTY_TYPES), n)
    )
    slope = 0.02 * rng.standard_normal(n)
    area = np.where(week >= turns[lead], other_area[lead], people.area[lead])
    kind = np.where(week >= turns_kind[lead], other_kind[lead], people.kind[lead])
    wish = np.log(people.wish_usd[lead]) + slope[lead] * week
    tenant, calendar = people.tenant[lead], week_index(at_s)
    begin = market.start[tenant, calendar]
    size = market.start[tenant, calendar + 1] - begin
    price = np.log(listings.price_usd)
    best = np.full(len(lead), -1, dtype=np.int64)
    best_score = np.full(len(lead), -np.inf)
    for _ in range(_CANDIDATES):
        pick = begin + (rng.random(len(lead)) * size).astype(np.int64)
        found = market.on_sale[np.minimum(pick, len(market.on_sale) - 1)]
        score = (
            1.0 * (listings.kind[found] == kind) + 0.9 * (listings.area[found] == area)
            - 0.8 * np.abs(price[found] - wish) + 0.4 * rng.random(len(lead))
        )  # fmt: skip
        better = (score > best_score) & (size > 0)
        best[better], best_score[better] = found[better], score[better]
    return best
