"""Names, columns and values of the CRM's tables: what the generator promises."""

from collections.abc import Mapping
from types import MappingProxyType

import pyarrow as pa

__all__ = [
    "ACTIONS", "BINARY_HEADS", "GENERATOR_VERSION", "LANGUAGES", "OBJECTIONS", "PRICE_BANDS",
    "PROTECTED_COLUMNS", "STATES", "STRATEGIES", "TABLES", "TRAITS", "TRUTH_TABLES", "URGENCIES",
]  # fmt: skip

GENERATOR_VERSION = "1"

# Hidden states of a lead in funnel order; the last two end it.
STATES = (
    "new", "engaged", "qualified", "viewing", "offer", "contract", "dormant", "converted", "lost",
)  # fmt: skip
TRAITS = (
    "seriousness", "urgency", "financing", "blockers", "responsiveness", "resistance", "activity",
)  # fmt: skip
LANGUAGES = ("english", "spanish", "mandarin", "french", "portuguese", "hindi")
ACTIONS = ("email_soft", "email_offer", "sms", "call", "wait")
STRATEGIES = ("empathetic", "analytical", "assertive", "consultative", "relationship")
URGENCIES = ("low", "medium", "high", "critical")
OBJECTIONS = ("price", "timing", "trust", "location", "property", "financing")
PRICE_BANDS = ("under_250k", "250k_to_400k", "400k_to_650k", "650k_to_1m", "over_1m")
BINARY_HEADS = (
    "conversion_likelihood", "churn_risk", "engagement_receptivity", "objection_probability",
    "appointment_readiness",
)  # fmt: skip
# Known to the CRM, and never to be learnt from.
PROTECTED_COLUMNS = ("full_name", "family_status", "birth_year", "national_origin")

_TYPES = MappingProxyType({
    "text": pa.string(), "time": pa.timestamp("us"), "integer": pa.int64(),
    "number": pa.float64(), "yes_no": pa.bool_(),
})  # fmt: skip


def _schema(columns: str, numbers: Mapping[str, str] = MappingProxyType({})) -> pa.Schema:
    """Read `name[:type][?]` words; a question mark says that values may be missing."""
    fields = []
    for word in columns.split():
        name, _, kind = word.rstrip("?").partition(":")
        fields.append(pa.field(name, _TYPES[kind or "text"], nullable=word.endswith("?")))
    fields += [pa.field(name, _TYPES[kind], nullable=False) for name, kind in numbers.items()]
    return pa.schema(fields)


def _numbers(prefix: str, names: tuple[str, ...]) -> dict[str, str]:
    return {f"{prefix}{name}": "number" for name in names}


TABLES: Mapping[str, pa.Schema] = MappingProxyType({
    "tenants": _schema("tenant region timezone"),
    "agents": _schema("agent_id tenant role experience specialisation hired_at:time"),
    "contacts": _schema(
        "contact_id tenant full_name email phone preferred_language family_status "
        "birth_year:integer national_origin"
    ),
    "leads": _schema(
        "lead_id tenant agent_id contact_id created_at:time source vertical language "
        "property_type budget_usd:integer? bedrooms:integer? preapproved "
        "timeline_months:integer? distance_km:number duplicate_of?"
    ),
    "listings": _schema(
        "listing_id tenant area vertical property_type bedrooms:integer? list_price_usd:integer "
        "listed_at:time withdrawn_at:time?"
    ),
    "sales": _schema("sale_id listing_id tenant sold_at:time price_usd:integer"),
    "events": _schema(
        "event_id tenant lead_id agent_id occurred_at:time recorded_at:time channel kind "
        "direction listing_id? value_usd:integer? duration_s:integer?"
    ),
    "conversations": _schema(
        "conversation_id tenant lead_id agent_id channel language started_at:time"
    ),
    "messages": _schema(
        "message_id conversation_id tenant lead_id sent_at:time recorded_at:time speaker text"
    ),
    "touches": _schema(
        "touch_id tenant lead_id agent_id sent_at:time action replied:yes_no",
        {"propensity": "number"} | _numbers("propensity_", ACTIONS),
    ),
    "coaching": _schema(
        "session_id tenant agent_id lead_id held_at:time strategy followed:yes_no "
        "replied:yes_no reply_days:number?",
        {"propensity": "number"} | _numbers("propensity_", STRATEGIES),
    ),
    "appointments": _schema(
        "appointment_id tenant lead_id agent_id offered_at:time scheduled_for:time? status"
    ),
    "documents": _schema("document_id tenant lead_id kind received_at:time"),
    "outcomes": _schema(
        "lead_id tenant agent_id source status closed_at:time recorded_at:time "
        "deal_usd:integer? recorded_status"
    ),
    "snapshots": _schema("snapshot_id lead_id tenant agent_id contact_id as_of:time"),
    "labels": _schema(
        "snapshot_id " + " ".join(f"{head}:integer?" for head in BINARY_HEADS)
        + " buying_urgency time_to_close_days:number close_observed:yes_no next_property_type? "
        "next_area? next_price_band? stage"
    ),
})  # fmt: skip

TRUTH_TABLES: Mapping[str, pa.Schema] = MappingProxyType({
    "snapshots": _schema(
        "snapshot_id state",
        _numbers("p_", BINARY_HEADS) | _numbers("p_urgency_", URGENCIES) | _numbers("", TRAITS),
    ),
    "coaching": _schema("session_id", _numbers("p_reply_", STRATEGIES)),
    "touches": _schema("touch_id", _numbers("p_reply_", ACTIONS)),
    "risk": _schema("lead_id week:integer slipped:yes_no"),
    "leads": _schema("lead_id true_duplicate_of?", _numbers("", TRAITS)),
    "conversations": _schema("conversation_id objection:yes_no objection_kind?"),
})  # fmt: skip
