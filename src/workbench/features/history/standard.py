"""The features offered from the start."""

from workbench.features.history.definitions import (
    Aggregate,
    Feature,
    Ratio,
    Response,
    Static,
    TrackRecord,
)
from workbench.features.history.feature_set import FeatureSet

__all__ = ["FEATURES"]

_WINDOWS = (7, 30, 90)
_KINDS = (
    ("visits", "Visits to the website", ("visit",)),
    ("views", "Listings viewed", ("listing_view",)),
    ("emails_opened", "E-mails opened", ("email_opened",)),
    ("replies", "E-mails and text messages answered", ("email_replied", "sms_replied")),
)
_CHANNELS = ("web", "email", "sms", "call", "form")
_SOURCES = ("website", "portal", "referral", "open_house", "social", "phone", "email_campaign")


def _recency() -> list[Feature]:
    inbound = {"direction": ("inbound",)}
    return [
        Aggregate(name="recency_days", meaning="Days since anything happened", unit="days",
                  source="events", measure="recency"),
        Aggregate(name="inbound_recency_days", meaning="Days since the lead last did anything",
                  unit="days", source="events", measure="recency", where=inbound),
        Aggregate(name="tenure_days", meaning="Days since the first event", unit="days",
                  source="events", measure="tenure"),
        Aggregate(name="n_events", meaning="Events so far", source="events", measure="count"),
        Aggregate(name="n_inbound", meaning="Events that came from the lead", source="events",
                  measure="count", where=inbound),
        Aggregate(name="n_channels", meaning="Channels used", source="events", measure="distinct",
                  column="channel"),
        Aggregate(name="n_listings", meaning="Different listings viewed", source="events",
                  measure="distinct", column="listing_id"),
        Aggregate(name="mean_gap_days", meaning="Days between one event and the next", unit="days",
                  source="events", measure="mean_gap"),
    ]  # fmt: skip


def _money() -> list[Feature]:
    return [
        Aggregate(name="value_sum_usd", meaning="Prices of the listings viewed, added up",
                  unit="USD", source="events", measure="sum", column="value_usd"),
        Aggregate(name="value_mean_usd", meaning="Mean price of the listings viewed", unit="USD",
                  source="events", measure="mean", column="value_usd"),
        Aggregate(name="value_max_usd", meaning="Highest price viewed", unit="USD",
                  source="events", measure="max", column="value_usd"),
    ]  # fmt: skip


def _windows() -> list[Feature]:
    found: list[Feature] = []
    for days in _WINDOWS:
        found += [
            Aggregate(name=f"n_events_{days}d", meaning="Events", source="events",
                      measure="count", window_days=days),
            Aggregate(name=f"value_{days}d_usd", meaning="Prices of the listings viewed, added up",
                      unit="USD", source="events", measure="sum", column="value_usd",
                      window_days=days),
            *(
                Aggregate(name=f"n_{short}_{days}d", meaning=meaning, source="events",
                          measure="count", where={"kind": kinds}, window_days=days)
                for short, meaning, kinds in _KINDS
            ),
        ]  # fmt: skip
    return found


def _rates() -> list[Feature]:
    counted = (
        ("n_emails_sent", "E-mails sent to the lead", {"kind": ("email_sent",)}),
        ("n_emails_replied", "E-mails the lead answered", {"kind": ("email_replied",)}),
        ("n_sms_sent", "Text messages sent to the lead", {"kind": ("sms_sent",)}),
        ("n_sms_replied", "Text messages the lead answered", {"kind": ("sms_replied",)}),
        ("n_calls_made", "Calls to the lead", {"kind": ("call_made",)}),
        ("n_calls_answered", "Calls the lead answered", {"kind": ("call_answered",)}),
    )
    found: list[Feature] = [
        Aggregate(name=name, meaning=meaning, source="events", measure="count", where=where)
        for name, meaning, where in counted
    ]
    found += [
        Ratio(name="email_reply_rate", meaning="E-mails answered for each one sent",
              numerator="n_emails_replied", denominator="n_emails_sent"),
        Ratio(name="sms_reply_rate", meaning="Text messages answered for each one sent",
              numerator="n_sms_replied", denominator="n_sms_sent"),
        Ratio(name="call_answer_rate", meaning="Calls answered for each one made",
              numerator="n_calls_answered", denominator="n_calls_made"),
        Ratio(name="inbound_share", meaning="Share of events that came from the lead",
              numerator="n_inbound", denominator="n_events"),
        Ratio(name="week_over_month", meaning="Events of the last 7 days over those of a usual "
              "week of the last 30", numerator="n_events_7d", denominator="n_events_30d",
              scale=30 / 7),
        Ratio(name="month_over_quarter", meaning="Events of the last 30 days over those of a usual "
              "month of the last 90", numerator="n_events_30d", denominator="n_events_90d",
              scale=3.0),
    ]  # fmt: skip
    for channel in _CHANNELS:
        found += [
            Aggregate(name=f"n_{channel}", meaning=f"Events by {channel}", source="events",
                      measure="count", where={"channel": (channel,)}),
            Ratio(name=f"{channel}_share", meaning=f"Share of events by {channel}",
                  numerator=f"n_{channel}", denominator="n_events"),
        ]  # fmt: skip
    found += [
        Aggregate(name="n_evening", meaning="Events from 18 to 23 o'clock UTC", source="events",
                  measure="count", hours=(18, 23)),
        Ratio(name="evening_share", meaning="Share of events from 18 to 23 o'clock UTC",
              numerator="n_evening", denominator="n_events"),
        Response(name="agent_latency_hours", meaning="Mean hours until the brokerage reacted",
                 unit="hours", source="events", column="direction", asking="inbound",
                 answering="outbound"),
        Response(name="lead_latency_hours", meaning="Mean hours until the lead reacted",
                 unit="hours", source="events", column="direction", asking="outbound",
                 answering="inbound"),
    ]  # fmt: skip
    return found


def _conversations() -> list[Feature]:
    lead = {"speaker": ("lead",)}
    return [
        Aggregate(name="n_messages", meaning="Messages exchanged", source="messages",
                  measure="count"),
        Aggregate(name="n_lead_messages", meaning="Messages the lead wrote", source="messages",
                  measure="count", where=lead),
        Aggregate(name="lead_message_length", meaning="Mean length of the lead's messages",
                  unit="characters", source="messages", measure="mean_length", column="text",
                  where=lead),
        Aggregate(name="message_recency_days", meaning="Days since the lead last wrote",
                  unit="days", source="messages", measure="recency", where=lead),
        Response(name="agent_answer_hours", meaning="Mean hours until an agent answered a message",
                 unit="hours", source="messages", column="speaker", asking="lead",
                 answering="agent"),
        Aggregate(name="n_viewings_offered", meaning="Viewings offered", source="appointments",
                  measure="count"),
        Aggregate(name="n_documents", meaning="Documents received", source="documents",
                  measure="count"),
    ]  # fmt: skip


def _static() -> list[Feature]:
    return [
        Static(name="source", meaning="Where the lead came from", column="source",
               values=_SOURCES),
        Static(name="vertical", meaning="Kind of business", column="vertical",
               values=("residential", "luxury_residential", "commercial_real_estate",
                       "first_time_homebuyers")),
        Static(name="property_type", meaning="Type of property asked about",
               column="property_type",
               values=("house", "condo", "townhouse", "multi_family", "land", "office", "retail",
                       "warehouse")),
        Static(name="preapproved", meaning="Pre-approved for a mortgage according to the form",
               column="preapproved", values=("yes", "no", "unknown")),
        Static(name="budget_usd", meaning="Stated budget", unit="USD", column="budget_usd"),
        Static(name="bedrooms", meaning="Bedrooms wanted", column="bedrooms"),
        Static(name="timeline_months", meaning="Stated time until the purchase", unit="months",
               column="timeline_months"),
        Static(name="distance_km", meaning="Distance from the present home to the property",
               unit="km", column="distance_km"),
    ]  # fmt: skip


def _records() -> list[Feature]:
    return [
        TrackRecord(name="agent_conversion_rate", meaning="Share of the agent's closed leads that "
                    "converted, shrunk to the mean", key="agent_id"),
        TrackRecord(name="source_conversion_rate", meaning="Share of the source's closed leads "
                    "that converted, shrunk to the mean", key="source"),
    ]  # fmt: skip


FEATURES = FeatureSet(
    (
        *_static(),
        *_recency(),
        *_money(),
        *_windows(),
        *_rates(),
        *_conversations(),
        *_records(),
    )
)
"""The features offered from the start; see `FeatureSet.describe`."""
