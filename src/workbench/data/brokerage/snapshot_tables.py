"""From codes to the columns of snapshots, labels and what is true about leads."""

import numpy as np
import pyarrow as pa

from workbench.data.brokerage.activity import Closings, LeadWeeks
from workbench.data.brokerage.chain import BACK_TO, Paths
from workbench.data.brokerage.columns import coded, moment_column, nullable, picked
from workbench.data.brokerage.forecast import Forecast
from workbench.data.brokerage.labels import Labels, Snapshots
from workbench.data.brokerage.market import AREAS, PROPERTY_TYPES, Market, price_band
from workbench.data.brokerage.schema import (
    BINARY_HEADS,
    PRICE_BANDS,
    STATES,
    TRAITS,
    URGENCIES,
)
from workbench.data.brokerage.tables import Refs

__all__ = ["label_columns", "lead_truth", "risk_truth", "snapshot_columns", "snapshot_truth"]

Columns = dict[str, pa.Array]
_VIEWING, _DORMANT = STATES.index("viewing"), STATES.index("dormant")


def snapshot_columns(refs: Refs, snapshots: Snapshots, contacts: pa.Array) -> Columns:
    """Give the table `snapshots` of a chunk."""
    return refs.of(snapshots.lead) | {
        "snapshot_id": refs.ids("N", len(snapshots.lead)),
        "contact_id": contacts.take(pa.array(snapshots.lead)),
        "as_of": moment_column(snapshots.as_of_s),
    }


def label_columns(refs: Refs, labels: Labels, market: Market) -> Columns:
    """Give the table `labels` of a chunk."""
    listings, listing = market.listings, labels.next_listing
    known = np.maximum(listing, 0)

    def of_next(codes: np.ndarray) -> np.ndarray:
        return np.where(listing >= 0, codes[known], -1)

    band = price_band(listings.price_usd)
    return {
        "snapshot_id": refs.ids("N", len(listing)),
        **{head: nullable(getattr(labels, head).astype(np.int64)) for head in BINARY_HEADS},
        "buying_urgency": coded(URGENCIES, labels.urgency),
        "time_to_close_days": pa.array(labels.time_to_close_days),
        "close_observed": pa.array(labels.close_observed),
        "next_property_type": coded(PROPERTY_TYPES, of_next(listings.kind)),
        "next_area": coded(AREAS, of_next(listings.area)),
        "next_price_band": coded(PRICE_BANDS, of_next(band)),
        "stage": coded(STATES, labels.stage),
    }


def snapshot_truth(
    refs: Refs, snapshots: Snapshots, truth: Forecast, p_urgency: np.ndarray
) -> Columns:
    """Give the hidden truth about the snapshots of a chunk."""
    traits = refs.people.traits[snapshots.lead]
    return {
        "snapshot_id": refs.ids("N", len(snapshots.lead)),
        "state": coded(STATES, snapshots.state),
        **{f"p_{head}": pa.array(getattr(truth, head)) for head in BINARY_HEADS},
        **{f"p_urgency_{name}": pa.array(p_urgency[:, i]) for i, name in enumerate(URGENCIES)},
        **{name: pa.array(traits[:, i]) for i, name in enumerate(TRAITS)},
    }


def lead_truth(refs: Refs) -> Columns:
    """Give the hidden truth about the leads of a chunk."""
    people = refs.people
    return {
        "lead_id": refs.lead_ids,
        "true_duplicate_of": picked(refs.lead_ids, people.duplicates),
        **{name: pa.array(people.traits[:, i]) for i, name in enumerate(TRAITS)},
    }


def risk_truth(refs: Refs, weeks: LeadWeeks, paths: Paths, closings: Closings) -> Columns:
    """Give, for leads that ever reached a viewing, each week from then on and whether it slipped.

    A week slipped when its state is a step back from that of the week before: to an earlier
    stage or to sleep.
    """
    reached = (weeks.state >= _VIEWING) & (weeks.state < _DORMANT)
    since = np.full(len(closings.converted), np.iinfo(np.int64).max)
    np.minimum.at(since, weeks.lead[reached], weeks.week[reached])
    kept = weeks.week >= since[weeks.lead]
    lead, week = weeks.lead[kept], weeks.week[kept]
    now = weeks.state[kept]
    before = paths.state[lead, np.maximum(week - 1, 0)].astype(np.intp)
    fell_asleep = (now == _DORMANT) & (before != _DORMANT)
    stepped_back = (now != before) & (before < _DORMANT) & (now == BACK_TO[before.clip(max=6)])
    slipped = (week > 0) & (fell_asleep | stepped_back)
    return {
        "lead_id": picked(refs.lead_ids, lead),
        "week": pa.array(week.astype(np.int64)),
        "slipped": pa.array(slipped),
    }
