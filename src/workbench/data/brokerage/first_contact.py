"""A brokerage's leads with known truth: what each lead's chance to convert really was.

Version 1 of the generator. Log-odds are a fixed function of CRM fields (thresholds and
interactions included) and of four traits nobody records: seriousness, urgency, financing
and blockers. The traits show, noisily, in the first message; so text adds to fields, and
neither reaches the ceiling that knowing the truth would give.
"""

import random
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import expit

from workbench.data.brokerage.text import TRAITS, Writer, compose
from workbench.data.dataset import Dataset
from workbench.errors import DataError

__all__ = ["BrokerageSample", "generate", "true_probability"]

_FIRST_DAY = np.datetime64("2023-01-01T00:00:00", "us")
_N_DAYS = 547  # 18 months
_MONTH_WEIGHT = np.array([0.7, 0.8, 1.1, 1.3, 1.4, 1.3, 1.1, 1.0, 1.0, 0.9, 0.7, 0.6])
_HOUR_WEIGHT = np.array([2, 1, 1, 1, 1, 2, 4, 7, 10, 13, 14, 13, 12, 11, 10, 10, 11, 12, 13, 14, 14,
                         11, 7, 4], dtype=float)  # fmt: skip
_TENANTS = ("harbor_realty", "northgate_homes", "keystone_partners", "sunrise_brokers")
_SOURCES = ("website", "portal", "referral", "open_house", "social", "phone", "email_campaign")
_VERTICALS = (
    "residential",
    "luxury_residential",
    "commercial_real_estate",
    "first_time_homebuyers",
)
_TYPES = ("house", "condo", "townhouse", "multi_family", "land", "office", "retail", "warehouse")
_TYPE_SHARE = {
    "residential": (0.45, 0.22, 0.18, 0.08, 0.07, 0.0, 0.0, 0.0),
    "luxury_residential": (0.62, 0.28, 0.04, 0.0, 0.06, 0.0, 0.0, 0.0),
    "commercial_real_estate": (0.0, 0.0, 0.0, 0.12, 0.13, 0.35, 0.22, 0.18),
    "first_time_homebuyers": (0.25, 0.42, 0.31, 0.02, 0.0, 0.0, 0.0, 0.0),
}
_TYPICAL_USD = {
    "residential": 420e3, "luxury_residential": 1.7e6, "commercial_real_estate": 950e3,
    "first_time_homebuyers": 270e3,
}  # fmt: skip
_TYPE_FACTOR = np.array([1.1, 0.8, 0.9, 1.4, 0.5, 1.0, 1.2, 1.5])
_SOURCE_EFFECT = np.array([0.0, -0.30, 0.85, 0.35, -0.65, 0.30, -0.35])
_TENANT_EFFECT = np.array([0.15, -0.10, 0.25, -0.30])

_INTERCEPT = -2.97
_FIELD_SCALE = 1.25
_TRAIT_SCALE = 1.05
_DRIFT = 0.45


class BrokerageSample(NamedTuple):
    """Generated leads and, kept apart from them, the truth about each.

    `leads` has one row per lead in order of `created_at`; `true_probability` is indexed by
    `lead_id` and must never be joined to the inputs.
    """

    leads: pd.DataFrame
    true_probability: pd.Series


class _People(NamedTuple):
    """Arrays with one row per lead; the first four are shared by all leads of a contact."""

    contact: np.ndarray
    tenant: np.ndarray
    spanish: np.ndarray
    vertical: np.ndarray
    day: np.ndarray
    hour: np.ndarray
    second: np.ndarray
    traits: np.ndarray


def generate(n_leads: int = 6000, *, random_state: int = 0) -> BrokerageSample:
    """Generate the leads of four brokerages over 18 months.

    The same arguments give the same leads; the first leads of a larger sample differ.
    Names are invented, e-mail addresses end in `example.com`, phone numbers are 555-01xx.

    Parameters
    ----------
    n_leads
        Number of leads, 1 to 5 million. About one in four shares its contact with another lead.
    random_state
        Seed, 0 or above.

    Returns
    -------
    BrokerageSample
        Leads, and the probability with which each label was drawn.

    Raises
    ------
    DataError
        When the number of leads or the seed is out of range.

    Examples
    --------
    >>> sample = generate(1000, random_state=7)
    >>> sample.leads.shape[0], sample.true_probability.between(0, 1).all().item()
    (1000, True)
    """
    if not 1 <= n_leads <= 5_000_000:
        raise DataError(
            f"n_leads is {n_leads!r}", expected="1 to 5,000,000", fix="ask for another number"
        )
    if random_state < 0:
        raise DataError(f"random_state is {random_state!r}", expected="0 or above", fix="use 0")
    rng = np.random.default_rng([random_state, n_leads])
    people = _people(n_leads, rng)
    leads = _fields(people, rng)
    log_odds = _log_odds(leads, people, rng)
    probability = expit(log_odds)
    converted = rng.random(n_leads) < probability
    leads["first_message"] = pd.Series(_messages(leads, people, rng), dtype="str")
    # Agents write notes until a lead is closed, and more when it is won: a trap on purpose.
    leads["n_agent_notes"] = rng.poisson(np.where(converted, 6.0, 1.5))
    leads["converted"] = pd.Series(np.where(converted, "yes", "no"), dtype="str")
    truth = pd.Series(
        probability,
        index=pd.Index(leads["lead_id"], name="example_id"),
        name="true_probability",
    )
    return BrokerageSample(leads, truth)


def true_probability(dataset: Dataset) -> pd.Series:
    """Give the probability with which each label of a generated data set was drawn.

    Its AUC is the ceiling for any predictor. For judging only: no feature may see it.

    Parameters
    ----------
    dataset
        Loaded from the catalogue; rows may have been taken out of it.

    Returns
    -------
    pandas.Series
        float64 in (0, 1), indexed like `dataset.y`.

    Raises
    ------
    DataError
        When the data are real, or the card does not say how they were generated.
    """
    generator = dataset.card.generator
    seed = generator.parameters.get("random_state") if generator else None
    if generator is None or not isinstance(seed, int):
        raise DataError(
            f"nobody knows the true probabilities of {dataset.name!r}",
            expected="a generated data set loaded from the catalogue",
            fix="use the data set 'brokerage', or leave the ceiling out of the report",
        )
    truth = generate(generator.row_count, random_state=seed).true_probability
    return truth.reindex(dataset.y.index)


def _people(n: int, rng: np.random.Generator) -> _People:
    size = 1 + (rng.random(n) < 0.14) + (rng.random(n) < 0.05) + (rng.random(n) < 0.02)
    contact = np.repeat(np.arange(n), size)[:n]
    is_first = np.r_[True, contact[1:] != contact[:-1]]
    days = np.arange(_N_DAYS)
    month = (_FIRST_DAY + days.astype("timedelta64[D]")).astype("datetime64[M]").astype(int) % 12
    weight = _MONTH_WEIGHT[month] * np.where((days + 6) % 7 >= 5, 1.25, 1.0)  # weekends
    first_day = rng.choice(_N_DAYS, size=n, p=weight / weight.sum())[contact]
    later = first_day + rng.exponential(20.0, n).astype(int)
    overshoot = first_day + (rng.random(n) * (_N_DAYS - first_day)).astype(int)
    day = np.where(is_first, first_day, np.where(later < _N_DAYS, later, overshoot))
    hour = rng.choice(24, size=n, p=_HOUR_WEIGHT / _HOUR_WEIGHT.sum())
    second = rng.integers(0, 3600, n)
    order = np.lexsort((second, hour, day))
    # Half of a trait is the person's, half the occasion's.
    shared = rng.standard_normal((n, len(TRAITS)))[contact]
    traits = np.sqrt(0.6) * shared + np.sqrt(0.4) * rng.standard_normal(shared.shape)
    people = _People(
        contact=contact,
        tenant=rng.choice(len(_TENANTS), size=n, p=(0.35, 0.28, 0.22, 0.15))[contact],
        spanish=(rng.random(n) < 0.06)[contact],
        vertical=rng.choice(len(_VERTICALS), size=n, p=(0.5, 0.13, 0.15, 0.22))[contact],
        day=day,
        hour=hour,
        second=second,
        traits=traits,
    )
    return _People(*(part[order] for part in people))


def _fields(people: _People, rng: np.random.Generator) -> pd.DataFrame:
    n = len(people.contact)
    serious, urgent, financed, _ = people.traits.T
    seconds = (people.day * 24 + people.hour) * 3600 + people.second
    share = np.cumsum([_TYPE_SHARE[name] for name in _VERTICALS], axis=1)
    kind = (rng.random(n)[:, None] > share[people.vertical]).sum(axis=1).clip(max=len(_TYPES) - 1)
    source = rng.choice(len(_SOURCES), size=n, p=(0.27, 0.26, 0.10, 0.09, 0.14, 0.08, 0.06))
    budget = _typical_usd(people, kind) * np.exp(0.38 * rng.standard_t(5, n)).clip(0.05, 40)
    bedrooms = np.where(kind < 4, 1 + rng.binomial(5, np.where(kind == 1, 0.2, 0.42)), np.nan)
    stated = np.exp(1.5 - 0.45 * urgent + 0.7 * rng.standard_normal(n)).clip(0, 48)
    approval = rng.random(n)
    yes = expit(0.8 * financed - 0.9)
    night = (people.hour >= 20) | (people.hour < 7)
    slow = np.array([0.9, 1.6, 0.6, 2.2])[people.tenant] * np.where(night, 4.0, 1.0)
    return pd.DataFrame({
        "lead_id": pd.Series([f"L{i:06d}" for i in range(1, n + 1)], dtype="str"),
        "tenant": np.array(_TENANTS)[people.tenant],
        "agent_id": [f"A{t}{a:02d}" for t, a in zip(people.tenant.tolist(),
                     (rng.random(n) ** 1.5 * 9).astype(int).tolist(), strict=True)],
        "contact_id": pd.Series([f"C{c:06d}" for c in people.contact.tolist()], dtype="str"),
        "created_at": _FIRST_DAY + seconds.astype("timedelta64[s]"),
        "source": np.array(_SOURCES)[source],
        "vertical": np.array(_VERTICALS)[people.vertical],
        "property_type": np.array(_TYPES)[kind],
        "budget_usd": np.where(rng.random(n) < 0.20 - 0.05 * np.tanh(financed), np.nan,
                               (budget / 5000).round() * 5000 + 5000),
        "bedrooms": np.where(rng.random(n) < 0.1, np.nan, bedrooms),
        "preapproved": np.select([approval < 0.35, approval < 0.35 + 0.65 * yes],
                                 ["unknown", "yes"], "no"),
        "timeline_months": np.where(rng.random(n) < 0.45, np.nan, stated.round()),
        "distance_km": np.exp(2.2 + 0.9 * rng.standard_normal(n)).clip(0.2, 900).round(1),
        "n_visits_7d": rng.poisson(np.exp(0.6 + 0.25 * serious + 0.6 * rng.standard_normal(n))),
        "n_emails_opened_30d": rng.poisson(rng.gamma(0.8, 2.0, n)),
        "response_latency_hours": (slow * np.exp(1.4 * rng.standard_normal(n))).clip(0.02, 400)
                                  .round(2),
        "hour_of_day": people.hour,
        "language": np.select([people.spanish, rng.random(n) < 0.02], ["spanish", "other"],
                              "english"),
    })  # fmt: skip


def _typical_usd(people: _People, kind: np.ndarray) -> np.ndarray:
    by_vertical = np.array([_TYPICAL_USD[name] for name in _VERTICALS])
    price: np.ndarray = by_vertical[people.vertical] * _TYPE_FACTOR[kind]
    return price


def _log_odds(leads: pd.DataFrame, people: _People, rng: np.random.Generator) -> np.ndarray:
    drift = _DRIFT * (2 * people.day / _N_DAYS - 1)
    season = 0.15 * np.sin(2 * np.pi * (people.day - 60) / 365.25)
    agents, agent = np.unique(leads["agent_id"].to_numpy(dtype=object), return_inverse=True)
    skill = 0.15 * rng.standard_normal(len(agents))[agent]
    fields = _field_effect(leads, people) + skill
    out: np.ndarray = (
        _INTERCEPT + drift + season + _FIELD_SCALE * fields
        + _TRAIT_SCALE * _trait_effect(leads, people)
    )  # fmt: skip
    return out


def _field_effect(leads: pd.DataFrame, people: _People) -> np.ndarray:
    source = pd.Categorical(leads["source"], categories=list(_SOURCES)).codes
    kind = pd.Categorical(leads["property_type"], categories=list(_TYPES)).codes
    latency, visits = leads["response_latency_hours"], leads["n_visits_7d"]
    # Enquiries from the web go cold within hours; people who were referred wait.
    cools = np.isin(source, [0, 1, 4])
    cold = np.select([latency < 1, latency < 8, latency < 24], [0.65, -0.05, -0.6], -1.15)
    # A budget far under what such a property costs rarely converts; far above is as odd.
    fit = np.log(leads["budget_usd"].fillna(1) / _typical_usd(people, kind))
    fits = np.select(
        [leads["budget_usd"].isna(), fit < -0.45, fit < -0.15, fit > 0.8],
        [-0.25, -1.0, -0.2, -0.45],
        0.35,
    )
    months = leads["timeline_months"]
    timing = np.select([months.isna(), months <= 3, months <= 9], [0.0, 0.45, 0.05], -0.6)
    approved = leads["preapproved"].map({"yes": 0.5, "no": -0.3, "unknown": 0.0}).to_numpy()
    luxury, commercial = people.vertical == 1, people.vertical == 2
    far = (leads["distance_km"] > 30) & ~luxury
    out: np.ndarray = np.asarray(
        _SOURCE_EFFECT[source] + _TENANT_EFFECT[people.tenant]
        + np.where(cools, cold, -0.08 * np.log1p(latency))
        + fits + timing + approved * np.where(commercial, 0.3, 1.0)
        - 0.8 * far
        + 0.35 * np.log1p(visits) - 0.9 * (visits >= 10)
        + 0.18 * leads["n_emails_opened_30d"].clip(upper=4)
        + 0.7 * (commercial & (source == 2)) - 0.8 * (luxury & (source == 4))
        + 0.35 * ((people.hour >= 19) & (people.vertical == 3)),
        dtype=float,
    )  # fmt: skip
    return out


def _trait_effect(leads: pd.DataFrame, people: _People) -> np.ndarray:
    serious, urgent, financed, blocked = people.traits.T
    # Hurry counts for little when the form says next year; money for more when much is needed.
    soon = np.where(leads["timeline_months"].fillna(0) > 9, 0.3, 1.0)
    much = np.where(leads["budget_usd"].fillna(0) > 800e3, 1.4, 1.0)
    out: np.ndarray = (
        0.60 * serious + 0.55 * urgent * soon + 0.5 * financed * much
        + 0.30 * serious * urgent * soon
        - 0.9 * np.maximum(blocked - 0.2, 0) - 0.15 * blocked
    )  # fmt: skip
    return out


def _messages(leads: pd.DataFrame, people: _People, rng: np.random.Generator) -> list[str]:
    n = len(leads)
    draw = random.Random(int(rng.integers(0, 2**62)))
    style = rng.random(n)[people.contact].tolist()
    budget = leads["budget_usd"].fillna(400e3).tolist()
    return [
        compose(Writer(contact, look, spanish, kind, usd, tuple(traits)), draw)
        for contact, look, spanish, kind, usd, traits in zip(
            people.contact.tolist(), style, people.spanish.tolist(),
            leads["property_type"].tolist(), budget, people.traits.tolist(), strict=True,
        )
    ]  # fmt: skip
