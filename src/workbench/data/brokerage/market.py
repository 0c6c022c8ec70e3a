"""What all chunks share: tenants, agents, and a housing market with trend and season."""

from typing import NamedTuple

import numpy as np

from workbench.data.brokerage.seasons import END_S, N_WEEKS, WEEK_S

__all__ = [
    "AREAS", "PROPERTY_TYPES", "TENANTS", "TYPE_SHARE", "VERTICALS", "Agents", "Listings",
    "Market", "build_market", "price_band", "typical_usd",
]  # fmt: skip

# name, region, timezone, share of leads, typical price against the average
TENANTS = (
    ("harbor_realty", "northeast", "America/New_York", 0.22, 1.25),
    ("northgate_homes", "northwest", "America/Los_Angeles", 0.18, 1.30),
    ("keystone_partners", "mid_atlantic", "America/New_York", 0.15, 1.00),
    ("sunrise_brokers", "southeast", "America/New_York", 0.13, 0.85),
    ("mesa_living", "southwest", "America/Phoenix", 0.11, 0.90),
    ("lakeside_group", "midwest", "America/Chicago", 0.09, 0.75),
    ("capitol_estates", "south", "America/Chicago", 0.07, 0.95),
    ("pacific_crest", "west", "America/Los_Angeles", 0.05, 1.55),
)
AREAS = ("downtown", "old_town", "riverside", "hills", "suburbs_north", "suburbs_south",
         "lakefront", "station_quarter")  # fmt: skip
VERTICALS = (
    "residential", "luxury_residential", "commercial_real_estate", "first_time_homebuyers",
)  # fmt: skip
PROPERTY_TYPES = (
    "house", "condo", "townhouse", "multi_family", "land", "office", "retail", "warehouse",
)  # fmt: skip
TYPE_SHARE = np.array([
    (0.45, 0.22, 0.18, 0.08, 0.07, 0.0, 0.0, 0.0),
    (0.62, 0.28, 0.04, 0.0, 0.06, 0.0, 0.0, 0.0),
    (0.0, 0.0, 0.0, 0.12, 0.13, 0.35, 0.22, 0.18),
    (0.25, 0.42, 0.31, 0.02, 0.0, 0.0, 0.0, 0.0),
])  # fmt: skip
_VERTICAL_USD = np.array([420e3, 1.7e6, 950e3, 270e3])
_TYPE_FACTOR = np.array([1.1, 0.8, 0.9, 1.4, 0.5, 1.0, 1.2, 1.5])
_AREA_FACTOR = np.array([1.25, 1.1, 1.05, 1.3, 0.85, 0.75, 1.45, 0.8])
_BANDS_USD = (250e3, 400e3, 650e3, 1e6)

_AGENTS_A_TENANT = 24
_N_LISTINGS = 12_000
_ROLES = ("buyer", "seller", "transaction_coordinator")
_EXPERIENCE = ("novice", "experienced", "expert")


class Agents(NamedTuple):
    """Codes with one row an agent; agents of tenant t are rows 24 t to 24 t + 23."""

    tenant: np.ndarray
    role: np.ndarray
    experience: np.ndarray
    specialisation: np.ndarray
    hired_s: np.ndarray
    skill: np.ndarray


class Listings(NamedTuple):
    """Codes with one row a listing; -1 stands for never or none."""

    tenant: np.ndarray
    area: np.ndarray
    vertical: np.ndarray
    kind: np.ndarray
    bedrooms: np.ndarray
    price_usd: np.ndarray
    listed_s: np.ndarray
    withdrawn_s: np.ndarray
    sold_s: np.ndarray
    sold_usd: np.ndarray


class Market(NamedTuple):
    """Agents, listings, and which listings are for sale all through each week.

    `on_sale[start[t, w]:start[t, w + 1]]` are the listings of tenant t in calendar week w.
    """

    agents: Agents
    listings: Listings
    on_sale: np.ndarray
    start: np.ndarray


def build_market(random_state: int) -> Market:
    """Build what does not depend on the number of leads."""
    rng = np.random.default_rng([random_state, 1])
    listings = _listings(rng)
    on_sale, start = _weekly_offer(listings)
    return Market(_agents(rng), listings, on_sale, start)


def typical_usd(tenant: np.ndarray, vertical: np.ndarray, kind: np.ndarray) -> np.ndarray:
    """Give what a property of this kind usually costs there, in dollars."""
    level = np.array([row[4] for row in TENANTS])
    price: np.ndarray = level[tenant] * _VERTICAL_USD[vertical] * _TYPE_FACTOR[kind]
    return price


def price_band(price_usd: np.ndarray) -> np.ndarray:
    """Give the position in `PRICE_BANDS` of each price."""
    band: np.ndarray = np.searchsorted(_BANDS_USD, price_usd, side="right")
    return band


def _agents(rng: np.random.Generator) -> Agents:
    n = len(TENANTS) * _AGENTS_A_TENANT
    experience = rng.choice(3, size=n, p=(0.35, 0.45, 0.20))
    years = np.array([0.8, 4.0, 11.0])[experience] * np.exp(0.3 * rng.standard_normal(n))
    return Agents(
        tenant=np.repeat(np.arange(len(TENANTS)), _AGENTS_A_TENANT),
        role=rng.choice(3, size=n, p=(0.5, 0.32, 0.18)),
        experience=experience,
        specialisation=rng.choice(len(VERTICALS), size=n, p=(0.45, 0.15, 0.17, 0.23)),
        hired_s=-(years * 365 * 86_400).astype(np.int64),
        skill=np.array([-0.3, 0.0, 0.35])[experience] + 0.25 * rng.standard_normal(n),
    )


def _listings(rng: np.random.Generator) -> Listings:
    n = _N_LISTINGS
    tenant = rng.choice(len(TENANTS), size=n, p=[row[3] for row in TENANTS])
    vertical = rng.choice(len(VERTICALS), size=n, p=(0.45, 0.13, 0.17, 0.25))
    share = np.cumsum(TYPE_SHARE, axis=1)
    kind = (rng.random(n)[:, None] > share[vertical]).sum(axis=1).clip(max=7)
    area = rng.choice(len(AREAS), size=n, p=(0.16, 0.12, 0.13, 0.08, 0.17, 0.17, 0.06, 0.11))
    # A third was on the market before the first day.
    listed = (rng.random(n) * (END_S + 26 * WEEK_S)).astype(np.int64) - 26 * WEEK_S
    level = _level(listed, rng.standard_normal(N_WEEKS + 60) * 0.004)
    price = typical_usd(tenant, vertical, kind) * _AREA_FACTOR[area] * level
    price = (price * np.exp(0.28 * rng.standard_normal(n)) / 1000).round().astype(np.int64) * 1000
    weeks = rng.gamma(1.6, 9.0, n) + 1.0
    gone = listed + (weeks * WEEK_S).astype(np.int64)
    sold = (rng.random(n) < 0.78) & (gone < END_S) & (gone >= 0)
    withdrawn = ~sold & (gone < END_S)
    haggled = np.exp(-0.02 - 0.0025 * weeks + 0.05 * rng.standard_normal(n))
    return Listings(
        tenant=tenant,
        area=area,
        vertical=vertical,
        kind=kind,
        bedrooms=np.where(kind < 4, 1 + rng.binomial(5, np.where(kind == 1, 0.2, 0.42)), -1),
        price_usd=price,
        listed_s=listed,
        withdrawn_s=np.where(withdrawn, gone, -1),
        sold_s=np.where(sold, gone, -1),
        sold_usd=(price * haggled / 500).round().astype(np.int64) * 500,
    )


def _level(seconds: np.ndarray, shocks: np.ndarray) -> np.ndarray:
    """Give the price level of the market: 5 % a year up, summers dearer, small shocks that stay."""
    week = seconds / WEEK_S
    walk = np.cumsum(shocks)[(week + 30).astype(np.int64)]
    level: np.ndarray = np.exp(
        0.05 * week / 52 + 0.03 * np.sin(2 * np.pi * (week - 12) / 52) + walk
    )
    return level


def _weekly_offer(listings: Listings) -> tuple[np.ndarray, np.ndarray]:
    gone = np.maximum(listings.withdrawn_s, listings.sold_s)
    gone = np.where(gone < 0, END_S + WEEK_S, gone)
    parts, start = [], np.zeros((len(TENANTS), N_WEEKS + 1), dtype=np.int64)
    filled = 0
    for tenant in range(len(TENANTS)):
        own = np.flatnonzero(listings.tenant == tenant)
        for week in range(N_WEEKS):
            here = listings.listed_s[own] <= week * WEEK_S
            stays = gone[own] > (week + 1) * WEEK_S
            start[tenant, week] = filled
            parts.append(own[here & stays])
            filled += len(parts[-1])
        start[tenant, N_WEEKS] = filled
    return np.concatenate(parts), start
