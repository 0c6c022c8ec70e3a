"""Who the leads are: contacts, the fields of their forms, and the traits nobody records."""

from typing import NamedTuple

import numpy as np

from workbench.data.brokerage.market import (
    AREAS,
    TENANTS,
    TYPE_SHARE,
    VERTICALS,
    Market,
    typical_usd,
)
from workbench.data.brokerage.schema import LANGUAGES, TRAITS
from workbench.data.brokerage.seasons import DAY_S, END_S, draw_moment, month_factor

__all__ = ["SOURCES", "People", "draw_people"]

SOURCES = ("website", "portal", "referral", "open_house", "social", "phone", "email_campaign")
_LANGUAGE_SHARE = (0.62, 0.14, 0.08, 0.05, 0.05, 0.06)


class People(NamedTuple):
    """Codes with one row a lead, in order of `created_s`; -1 stands for missing.

    `contact` counts from 0 within the chunk; `person` is the human behind it: an unmarked
    duplicate may have a contact of its own for the same person.
    """

    contact: np.ndarray
    person: np.ndarray
    tenant: np.ndarray
    agent: np.ndarray
    language: np.ndarray
    vertical: np.ndarray
    kind: np.ndarray
    source: np.ndarray
    created_s: np.ndarray
    budget_usd: np.ndarray
    bedrooms: np.ndarray
    preapproved: np.ndarray
    timeline: np.ndarray
    distance_km: np.ndarray
    marked_as: np.ndarray
    duplicates: np.ndarray
    area: np.ndarray
    wish_usd: np.ndarray
    traits: np.ndarray


class _Visits(NamedTuple):
    """When who came, before the rows are put in order of time."""

    person: np.ndarray
    contact: np.ndarray
    copy_of: np.ndarray
    created_s: np.ndarray


def draw_people(n: int, market: Market, rng: np.random.Generator) -> People:
    """Draw the leads of one chunk."""
    visits = _visits(n, rng)
    person = visits.person
    row = np.where(visits.copy_of >= 0, visits.copy_of, np.arange(n))
    language = rng.choice(len(LANGUAGES), size=n, p=_LANGUAGE_SHARE)[person]
    tenant = rng.choice(len(TENANTS), size=n, p=[row[3] for row in TENANTS])[person]
    vertical = rng.choice(len(VERTICALS), size=n, p=(0.5, 0.13, 0.15, 0.22))[person]
    # Most of a trait is the person's, the rest the occasion's; a duplicate is the same occasion.
    shared = rng.standard_normal((n, len(TRAITS)))[person]
    own = rng.standard_normal((n, len(TRAITS)))[row]
    traits = np.sqrt(0.65) * shared + np.sqrt(0.35) * own
    share = np.cumsum(TYPE_SHARE[vertical], axis=1)
    kind = (rng.random(n)[row, None] > share).sum(axis=1).clip(max=TYPE_SHARE.shape[1] - 1)
    typical = typical_usd(tenant, vertical, kind)
    wish = typical * np.exp(0.3 * rng.standard_normal(n)[row] + 0.06 * traits[:, 2])
    people = People(
        contact=visits.contact,
        person=person,
        tenant=tenant,
        agent=_assigned(tenant, market, rng),
        language=language,
        vertical=vertical,
        kind=kind,
        source=rng.choice(len(SOURCES), size=n, p=(0.27, 0.26, 0.10, 0.09, 0.14, 0.08, 0.06)),
        created_s=visits.created_s,
        area=rng.choice(len(AREAS), size=n, p=(0.16, 0.12, 0.13, 0.08, 0.17, 0.17, 0.06, 0.11))[
            row
        ],
        wish_usd=wish,
        traits=traits,
        marked_as=np.where(rng.random(n) < 0.5, visits.copy_of, -1),
        duplicates=visits.copy_of,
        **_stated(kind, wish, traits, rng),
    )
    order = np.argsort(visits.created_s, kind="stable")
    place = np.empty(n, dtype=np.int64)
    place[order] = np.arange(n)
    moved = People(*(part[order] for part in people))
    return moved._replace(
        marked_as=np.where(moved.marked_as >= 0, place[moved.marked_as], -1),
        duplicates=np.where(moved.duplicates >= 0, place[moved.duplicates], -1),
    )


def _visits(n: int, rng: np.random.Generator) -> _Visits:
    size = 1 + (rng.random(n) < 0.17) + (rng.random(n) < 0.06) + (rng.random(n) < 0.03)
    person = np.repeat(np.arange(n), size)[:n]
    is_first = np.r_[True, person[1:] != person[:-1]]
    first = np.flatnonzero(is_first)[person]
    days = np.arange(END_S // DAY_S) * DAY_S
    weight = month_factor(days)
    day = rng.choice(days, size=n, p=weight / weight.sum())
    created = draw_moment("web", day, 1, rng)
    began = created[first]
    # A person comes back after weeks; a duplicate is entered within days.
    copied = ~is_first & (rng.random(n) < 0.22)
    gap = np.where(copied, rng.exponential(1.5, n), 3 + rng.exponential(75.0, n)) * DAY_S
    later = began + 1 + gap.astype(np.int64)
    overshoot = began + 1 + (rng.random(n) * (END_S - began - 1)).astype(np.int64)
    created = np.where(is_first, created, np.where(later < END_S, later, overshoot))
    # Half of the duplicates come under a contact of their own, misspelt.
    contact = person.copy()
    apart = copied & (rng.random(n) < 0.5)
    contact[apart] = n + np.arange(int(apart.sum()))
    return _Visits(person, contact, np.where(copied, first, -1), created)


def _assigned(tenant: np.ndarray, market: Market, rng: np.random.Generator) -> np.ndarray:
    """Assign each lead an agent of its tenant who works with leads; some get more than others."""
    able = [np.flatnonzero((market.agents.tenant == t) & (market.agents.role < 2))
            for t in range(len(TENANTS))]  # fmt: skip
    agent = np.empty(len(tenant), dtype=np.int64)
    draw = rng.random(len(tenant)) ** 1.3
    for t, agents in enumerate(able):
        here = tenant == t
        agent[here] = agents[(draw[here] * len(agents)).astype(np.int64)]
    return agent


def _stated(
    kind: np.ndarray, wish: np.ndarray, traits: np.ndarray, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Give what the form says: noisy, and left out more often by those with less to show."""
    n = len(kind)
    urgent, financed = traits[:, 1], traits[:, 2]
    budget = wish * np.exp(0.18 * rng.standard_t(5, n)).clip(0.05, 40)
    bedrooms = 1 + rng.binomial(5, np.where(kind == 1, 0.2, 0.42))
    months = np.exp(1.5 - 0.55 * urgent + 0.6 * rng.standard_normal(n)).clip(0, 48)
    approval = rng.random(n)
    yes = 1 / (1 + np.exp(0.8 - 1.1 * financed))
    silent = rng.random(n) < 0.20 - 0.06 * np.tanh(financed)
    return {
        "budget_usd": np.where(silent, -1, (budget / 5000).round() * 5000 + 5000).astype(np.int64),
        "bedrooms": np.where((kind >= 4) | (rng.random(n) < 0.1), -1, bedrooms),
        "preapproved": np.select([approval < 0.35, approval < 0.35 + 0.65 * yes], [2, 1], 0),
        "timeline": np.where(rng.random(n) < 0.45, -1, months.round()).astype(np.int64),
        "distance_km": np.exp(2.2 + 0.9 * rng.standard_normal(n)).clip(0.2, 900).round(1),
    }
