"""Small random CRM tables for tests of history features."""

from typing import Any

import numpy as np
import pandas as pd

DAY_US = 86_400_000_000
START = np.datetime64("2024-01-01T00:00:00", "us")
N_DAYS = 120


def _times(rng: np.random.Generator, n: int) -> "np.ndarray[Any, Any]":
    # Whole days now and then, so that rows fall exactly on window edges and on each other.
    exact = rng.random(n) < 0.3
    moments = rng.integers(0, N_DAYS * DAY_US, n)
    return START + np.where(exact, moments // DAY_US * DAY_US, moments).astype("timedelta64[us]")


def _late(rng: np.random.Generator, times: Any) -> Any:
    delay = np.where(rng.random(len(times)) < 0.3, rng.integers(0, 5 * DAY_US, len(times)), 0)
    return times + delay.astype("timedelta64[us]")


def random_tables(seed: int, *, n_leads: int = 12, n_rows: int = 400) -> dict[str, pd.DataFrame]:
    """Leads, their happenings, outcomes and moments of prediction."""
    rng = np.random.default_rng(seed)
    leads = np.array([f"L{i:03d}" for i in range(n_leads)])
    agents, sources = np.array(["A1", "A2", "A3"]), np.array(["website", "portal", "referral"])
    lead = pd.DataFrame(
        {
            "lead_id": leads,
            "agent_id": rng.choice(agents, n_leads),
            "source": rng.choice(sources, n_leads),
            "vertical": "residential",
            "property_type": rng.choice(["house", "condo"], n_leads),
            "preapproved": rng.choice(["yes", "no", "unknown"], n_leads),
            "budget_usd": np.where(rng.random(n_leads) < 0.3, np.nan, 5e5),
            "bedrooms": rng.integers(1, 5, n_leads).astype(float),
            "timeline_months": np.where(rng.random(n_leads) < 0.5, np.nan, 3.0),
            "distance_km": rng.random(n_leads).round(2),
        }
    )
    occurred = _times(rng, n_rows)
    kinds = np.array(
        ["visit", "listing_view", "email_sent", "email_opened", "email_replied", "sms_sent",
         "sms_replied", "call_made", "call_answered", "form_submitted"]
    )  # fmt: skip
    kind = rng.choice(kinds, n_rows)
    outbound = np.isin(kind, ["email_sent", "sms_sent", "call_made"])
    viewed = kind == "listing_view"
    events = pd.DataFrame(
        {
            "event_id": [f"E{i:05d}" for i in rng.permutation(n_rows)],
            "lead_id": rng.choice(leads[:-1], n_rows),  # the last lead has no history
            "occurred_at": occurred,
            "recorded_at": _late(rng, occurred),
            "channel": rng.choice(["web", "email", "sms", "call", "form"], n_rows),
            "kind": kind,
            "direction": np.where(outbound, "outbound", "inbound"),
            "listing_id": pd.Series(rng.choice(["P1", "P2", "P3"], n_rows)).where(viewed),
            "value_usd": pd.array(
                np.where(viewed, rng.integers(100_000, 999_999, n_rows), 0), dtype="Int64"
            ),
        }
    )
    events.loc[~viewed, "value_usd"] = pd.NA
    sent = _times(rng, n_rows // 2)
    messages = pd.DataFrame(
        {
            "message_id": [f"M{i:05d}" for i in range(len(sent))],
            "lead_id": rng.choice(leads[:-1], len(sent)),
            "sent_at": sent,
            "recorded_at": _late(rng, sent),
            "speaker": rng.choice(["lead", "agent"], len(sent)),
            "text": rng.choice(
                ["hi", "¿cuánto cuesta?", "我想看房", "too expensive 🙂"], len(sent)
            ),
        }
    )
    return {
        "leads": lead,
        "events": events,
        "messages": messages,
        "appointments": _happenings(rng, leads, "appointment_id", "offered_at"),
        "documents": _happenings(rng, leads, "document_id", "received_at"),
        "outcomes": _outcomes(rng, agents, sources),
        "snapshots": _snapshots(rng, lead),
    }


def _happenings(
    rng: np.random.Generator, leads: Any, id_column: str, time_column: str, n: int = 30
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            id_column: [f"X{i:03d}" for i in range(n)],
            "lead_id": rng.choice(leads[:-1], n),
            time_column: _times(rng, n),
        }
    )


def _outcomes(rng: np.random.Generator, agents: Any, sources: Any, n: int = 60) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "lead_id": [f"O{i:03d}" for i in range(n)],
            "agent_id": rng.choice(agents, n),
            "source": rng.choice(sources, n),
            "recorded_at": _times(rng, n),
            "recorded_status": rng.choice(["converted", "lost"], n),
        }
    )


def _snapshots(rng: np.random.Generator, leads: pd.DataFrame) -> pd.DataFrame:
    # Two moments a lead.
    twice = pd.concat([leads, leads], ignore_index=True)
    return pd.DataFrame(
        {
            "snapshot_id": [f"S{i:03d}" for i in range(len(twice))],
            "lead_id": twice["lead_id"],
            "agent_id": twice["agent_id"],
            "as_of": _times(rng, len(twice)),
        }
    )
