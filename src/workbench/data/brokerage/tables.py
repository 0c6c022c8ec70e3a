"""From codes to the columns of the tables: shared tables and those of one chunk."""

import numpy as np
import pyarrow as pa

from workbench.data.brokerage.activity import (
    CHANNELS,
    DOCUMENT_KINDS,
    Closings,
    Coached,
    Papers,
    Talks,
    Touches,
    Viewings,
)
from workbench.data.brokerage.columns import (
    coded,
    identifiers,
    moment_column,
    nullable,
    picked,
)
from workbench.data.brokerage.events import INBOUND, KIND_CHANNEL, KINDS, Events, recording_delay
from workbench.data.brokerage.market import (
    AREAS,
    PROPERTY_TYPES,
    TENANTS,
    VERTICALS,
    Market,
)
from workbench.data.brokerage.people import SOURCES, People
from workbench.data.brokerage.schema import ACTIONS, LANGUAGES, STRATEGIES
from workbench.data.brokerage.seasons import DAY_S, END_S

__all__ = [
    "TENANT_NAMES", "Columns", "Refs", "agent_ids", "appointment_columns", "coaching_columns",
    "document_columns", "event_columns", "lead_columns", "listing_ids", "outcome_columns",
    "shared_tables", "talk_columns", "touch_columns",
]  # fmt: skip

Columns = dict[str, pa.Array]
TENANT_NAMES = tuple(row[0] for row in TENANTS)
_ROLES = ("buyer", "seller", "transaction_coordinator")
_EXPERIENCE = ("novice", "experienced", "expert")
_APPROVED = ("no", "yes", "unknown")
_VIEWING_STATES = ("accepted", "declined", "no_show", "attended")


class Refs:
    """References every table of a chunk makes: to leads, their tenants and their agents."""

    def __init__(self, people: People, lead_ids: pa.Array, chunk: int) -> None:
        self.people, self.lead_ids, self.chunk = people, lead_ids, chunk
        self._agents = agent_ids(int(people.agent.max()) + 1)

    def ids(self, prefix: str, n: int) -> pa.Array:
        """Give identifiers of rows of this chunk."""
        return identifiers(prefix, self.chunk * 10**7 + np.arange(n), 12)

    def of(self, lead: np.ndarray) -> Columns:
        """Give the columns `lead_id`, `tenant` and `agent_id` of some leads."""
        return {
            "lead_id": picked(self.lead_ids, lead),
            "tenant": coded(TENANT_NAMES, self.people.tenant[lead]),
            "agent_id": picked(self._agents, self.people.agent[lead]),
        }


def agent_ids(n: int) -> pa.Array:
    """Give the identifiers of the first n agents."""
    return identifiers("A", np.arange(n), 4)


def listing_ids(n: int) -> pa.Array:
    """Give the identifiers of the first n listings."""
    return identifiers("H", np.arange(n), 6)


def shared_tables(market: Market) -> dict[str, Columns]:
    """Give the tables that do not depend on the leads."""
    agents, listings = market.agents, market.listings
    sold = np.flatnonzero(listings.sold_s >= 0)
    sold = sold[np.argsort(listings.sold_s[sold], kind="stable")]
    ids = listing_ids(len(listings.tenant))
    return {
        "tenants": {
            "tenant": pa.array(TENANT_NAMES),
            "region": pa.array([row[1] for row in TENANTS]),
            "timezone": pa.array([row[2] for row in TENANTS]),
        },
        "agents": {
            "agent_id": agent_ids(len(agents.tenant)),
            "tenant": coded(TENANT_NAMES, agents.tenant),
            "role": coded(_ROLES, agents.role),
            "experience": coded(_EXPERIENCE, agents.experience),
            "specialisation": coded(VERTICALS, agents.specialisation),
            "hired_at": moment_column(agents.hired_s - agents.hired_s % DAY_S),
        },
        "listings": {
            "listing_id": ids,
            "tenant": coded(TENANT_NAMES, listings.tenant),
            "area": coded(AREAS, listings.area),
            "vertical": coded(VERTICALS, listings.vertical),
            "property_type": coded(PROPERTY_TYPES, listings.kind),
            "bedrooms": nullable(listings.bedrooms),
            "list_price_usd": pa.array(listings.price_usd),
            "listed_at": moment_column(listings.listed_s),
            "withdrawn_at": moment_column(listings.withdrawn_s, listings.withdrawn_s < 0),
        },
        "sales": {
            "sale_id": identifiers("S", np.arange(len(sold)), 6),
            "listing_id": picked(ids, sold),
            "tenant": coded(TENANT_NAMES, listings.tenant[sold]),
            "sold_at": moment_column(listings.sold_s[sold]),
            "price_usd": pa.array(listings.sold_usd[sold]),
        },
    }


def lead_columns(refs: Refs, contacts: pa.Array) -> Columns:
    """Give the table `leads` of a chunk."""
    people = refs.people
    rows = np.arange(len(people.tenant))
    return refs.of(rows) | {
        "lead_id": refs.lead_ids,
        "contact_id": contacts,
        "created_at": moment_column(people.created_s),
        "source": coded(SOURCES, people.source),
        "vertical": coded(VERTICALS, people.vertical),
        "language": coded(LANGUAGES, people.language),
        "property_type": coded(PROPERTY_TYPES, people.kind),
        "budget_usd": nullable(people.budget_usd),
        "bedrooms": nullable(people.bedrooms),
        "preapproved": coded(_APPROVED, people.preapproved),
        "timeline_months": nullable(people.timeline),
        "distance_km": pa.array(people.distance_km),
        "duplicate_of": picked(refs.lead_ids, people.marked_as),
    }


def event_columns(refs: Refs, events: Events, market: Market, rng: np.random.Generator) -> Columns:
    """Give the table `events` of a chunk."""
    seen = events.listing >= 0
    price = np.where(seen, market.listings.price_usd[np.maximum(events.listing, 0)], -1)
    inbound = INBOUND[events.kind].astype(np.int64)
    # The first contact of a lead is what creates it in the CRM: that much is known at once.
    first = events.at_s == refs.people.created_s[events.lead]
    delay = np.where(first, 0, recording_delay(events.kind, rng))
    return refs.of(events.lead) | {
        "event_id": refs.ids("E", len(events.lead)),
        "occurred_at": moment_column(events.at_s),
        "recorded_at": moment_column(events.at_s + delay),
        "channel": coded(CHANNELS, KIND_CHANNEL[events.kind]),
        "kind": coded(KINDS, events.kind),
        "direction": coded(("outbound", "inbound"), inbound),
        "listing_id": picked(listing_ids(len(market.listings.tenant)), events.listing),
        "value_usd": nullable(price),
        "duration_s": nullable(events.duration_s),
    }


def touch_columns(refs: Refs, touches: Touches, policy: np.ndarray) -> tuple[Columns, Columns]:
    """Give the table `touches` of a chunk and its truth; `policy` is (rows, 5)."""
    kept = touches.sent_s < END_S
    ids = refs.ids("T", int(kept.sum()))
    action, policy = touches.action[kept], policy[kept]
    columns = refs.of(touches.lead[kept]) | {
        "touch_id": ids,
        "sent_at": moment_column(touches.sent_s[kept]),
        "action": coded(ACTIONS, action),
        "replied": pa.array(touches.replied_s[kept] < END_S),
        "propensity": pa.array(policy[np.arange(len(action)), action]),
    }
    columns |= {f"propensity_{name}": pa.array(policy[:, i]) for i, name in enumerate(ACTIONS)}
    truth = {"touch_id": ids}
    truth |= {
        f"p_reply_{name}": pa.array(touches.p_reply[kept, i]) for i, name in enumerate(ACTIONS)
    }
    return columns, truth


def coaching_columns(refs: Refs, coached: Coached, policy: np.ndarray) -> tuple[Columns, Columns]:
    """Give the table `coaching` of a chunk and its truth; `policy` is (rows, 5)."""
    kept = coached.held_s < END_S
    ids = refs.ids("K", int(kept.sum()))
    strategy, policy = coached.strategy[kept], policy[kept]
    replied = coached.replied_s[kept] < END_S
    days = (coached.replied_s[kept] - coached.held_s[kept]) / DAY_S
    columns = refs.of(coached.lead[kept]) | {
        "session_id": ids,
        "held_at": moment_column(coached.held_s[kept]),
        "strategy": coded(STRATEGIES, strategy),
        "followed": pa.array(coached.followed[kept]),
        "replied": pa.array(replied),
        "reply_days": nullable(days, ~replied),
        "propensity": pa.array(policy[np.arange(len(strategy)), strategy]),
    }
    columns |= {f"propensity_{name}": pa.array(policy[:, i]) for i, name in enumerate(STRATEGIES)}
    truth = {"session_id": ids}
    truth |= {
        f"p_reply_{name}": pa.array(coached.p_reply[kept, i]) for i, name in enumerate(STRATEGIES)
    }
    return columns, truth


def talk_columns(refs: Refs, talks: Talks, kinds: tuple[str, ...]) -> tuple[Columns, Columns]:
    """Give the table `conversations` of a chunk and its truth."""
    ids = refs.ids("V", len(talks.lead))
    columns = refs.of(talks.lead) | {
        "conversation_id": ids,
        "channel": coded(CHANNELS, talks.channel),
        "language": coded(LANGUAGES, refs.people.language[talks.lead]),
        "started_at": moment_column(talks.started_s),
    }
    truth = {
        "conversation_id": ids,
        "objection": pa.array(talks.kind >= 0),
        "objection_kind": coded(kinds, talks.kind),
    }
    return columns, truth


def appointment_columns(refs: Refs, viewings: Viewings) -> Columns:
    """Give the table `appointments` of a chunk."""
    kept = viewings.offered_s < END_S
    scheduled, accepted = viewings.scheduled_s[kept], viewings.accepted[kept]
    status = np.select(
        [~accepted, scheduled >= END_S, viewings.attended[kept]], [1, 0, 3], 2
    )  # positions in _VIEWING_STATES
    return refs.of(viewings.lead[kept]) | {
        "appointment_id": refs.ids("P", len(status)),
        "offered_at": moment_column(viewings.offered_s[kept]),
        "scheduled_for": moment_column(scheduled, ~accepted),
        "status": coded(_VIEWING_STATES, status),
    }


def document_columns(refs: Refs, papers: Papers) -> Columns:
    """Give the table `documents` of a chunk."""
    kept = papers.received_s < END_S
    return refs.of(papers.lead[kept]) | {
        "document_id": refs.ids("D", int(kept.sum())),
        "kind": coded(DOCUMENT_KINDS, papers.kind[kept]),
        "received_at": moment_column(papers.received_s[kept]),
    }


def outcome_columns(refs: Refs, closings: Closings, rng: np.random.Generator) -> Columns:
    """Give the table `outcomes` of a chunk: leads closed before the end of the data."""
    people, n = refs.people, len(closings.closed_s)
    draws, price = rng.random((2, n)), np.exp(0.12 * rng.standard_normal(n))
    rows = np.flatnonzero(closings.closed_s < END_S)
    won = closings.converted[rows]
    # Staff close won leads at once and lost ones when they get to it; some under a wrong heading.
    delay = (draws[0, rows] ** 3 * np.where(won, 3, 21) * DAY_S).astype(np.int64)
    wrong = draws[1, rows] < np.where(won, 0.02, 0.04)
    deal = (people.wish_usd[rows] * price[rows] / 500).round().astype(np.int64) * 500
    names = ("lost", "converted")
    return refs.of(rows) | {
        "source": coded(SOURCES, people.source[rows]),
        "status": coded(names, won.astype(np.int64)),
        "closed_at": moment_column(closings.closed_s[rows]),
        "recorded_at": moment_column(closings.closed_s[rows] + delay),
        "deal_usd": nullable(deal, ~won),
        "recorded_status": coded(names, (won ^ wrong).astype(np.int64)),
    }
