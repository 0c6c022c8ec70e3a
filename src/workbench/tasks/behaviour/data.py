"""A head's data set: snapshots of a simulated brokerage, their features and what came of them."""

import math
from collections.abc import Mapping
from functools import cache, lru_cache

import numpy as np
import pandas as pd

from workbench.data import Card
from workbench.data.brokerage import Brokerage, simulate
from workbench.errors import DataError
from workbench.features import FEATURES, Static, collect
from workbench.features.history import conversation_texts
from workbench.tasks.behaviour.heads import Head, read_heads

__all__ = [
    "BehaviourMaker",
    "behaviour_card",
    "behaviour_rows",
    "brokerage_for",
    "simulated_brokerage",
]

_ROWS = 4000
_START_LEADS = 1.2  # leads a row, before more are tried
_MOST_LEADS_PER_ROW = 40
# What a person would tell a colleague about a lead; the other features are for models only.
_TOLD = {
    "source", "vertical", "property_type", "preapproved", "budget_usd", "bedrooms",
    "timeline_months", "distance_km", "recency_days", "inbound_recency_days", "tenure_days",
    "n_events_30d", "n_views_30d", "n_emails_opened_30d", "n_replies_30d", "email_reply_rate",
    "call_answer_rate", "agent_latency_hours", "lead_latency_hours", "n_viewings_offered",
}  # fmt: skip


@cache
def behaviour_card(head: Head) -> Card:
    """The card of a head's data set.

    Parameters
    ----------
    head
        One of `read_heads()`.
    """
    columns: list[dict[str, object]] = [
        {"name": "snapshot_id", "dtype": "text", "meaning": "Moment of prediction", "input": False},
        {"name": "lead_id", "dtype": "text", "meaning": "Lead", "input": False},
        {"name": "contact_id", "dtype": "text", "meaning": "Person or household", "input": False},
        {"name": "tenant", "dtype": "text", "meaning": "Brokerage", "input": False},
        {"name": "as_of", "dtype": "date", "meaning": "When it is predicted", "input": False},
        {
            "name": "language", "dtype": "category", "meaning": "Language of the lead",
            "input": False,
            "values": ["english", "spanish", "mandarin", "french", "portuguese", "hindi"],
        },
    ]  # fmt: skip
    columns += [_column(feature) for feature in FEATURES]
    columns += [
        {"name": "conversation", "dtype": "text", "meaning": "Last messages exchanged",
         "missing": [""]},
        {"name": "happened", "dtype": "category", "meaning": f"Whether {head.outcome}",
         "values": ["no", "yes"]},
    ]  # fmt: skip
    return Card.model_validate(
        {
            "name": head.dataset,
            "title": f"{head.title}, leads of a simulated brokerage",
            "version": "1",
            "licence": "Apache-2.0 (part of this project)",
            "origin": {"kind": "simulated", "publisher": "workbench"},
            "generator": {
                "name": "brokerage_crm", "row_count": _ROWS, "parameters": {"head": head.name}
            },
            "columns": columns,
            "target": {
                "column": "happened", "positive": "yes", "negative": "no", "meaning": head.outcome
            },
            "id_column": "snapshot_id",
            "group_column": "contact_id",
            "tenant_column": "tenant",
            "time": {"column": "as_of"},
            "slices": ["source", "vertical", "language"],
            "notes": (
                "Made by workbench.data.brokerage and workbench.features: every input was on "
                "record at as_of. Nothing here happened; the true probability is known and shown "
                "as the ceiling. Language is a slice, not an input: it stands for origin."
            ),
        }
    )  # fmt: skip


def _column(feature: object) -> dict[str, object]:
    name = str(getattr(feature, "name", ""))
    unit = str(getattr(feature, "unit", ""))
    values = feature.values if isinstance(feature, Static) else ()
    window = getattr(feature, "window_days", None)
    meaning = str(getattr(feature, "meaning", ""))
    return {
        "name": name,
        "dtype": "category" if values else "number",
        "meaning": f"{meaning} in the last {window} days" if window else meaning,
        **({"unit": unit} if unit else {}),
        **({"values": list(values)} if values else {"missing": [""]}),
        "prompt": name in _TOLD,
    }


@lru_cache(maxsize=2)
def simulated_brokerage(n_leads: int, random_state: int) -> Brokerage:
    """A brokerage of this many leads; the last two are kept.

    Parameters
    ----------
    n_leads, random_state
        As for `simulate`.
    """
    return simulate(n_leads, random_state=random_state)


def behaviour_rows(head: Head, n_rows: int, *, random_state: int = 0) -> pd.DataFrame:
    """Rows of a head's data set, with all columns of its card.

    Parameters
    ----------
    head
        One of `read_heads()`.
    n_rows
        Moments of prediction for which the outcome is known.
    random_state
        Seed of the brokerage.

    Raises
    ------
    DataError
        When `n_rows` is out of range, or no brokerage has as many such moments.
    """
    if not 1 <= n_rows <= 200_000:
        raise DataError(
            f"n_rows is {n_rows}", expected="1 to 200,000", fix="ask for another number"
        )
    crm, known = brokerage_for(head, n_rows, random_state)
    chosen = np.random.default_rng([random_state, n_rows]).permutation(len(known))[:n_rows]
    return _featured(crm, known.iloc[np.sort(chosen)])


def brokerage_for(head: Head, n_rows: int, random_state: int) -> tuple[Brokerage, pd.DataFrame]:
    """The brokerage the rows of a head's data set come from, and its known outcomes.

    Parameters
    ----------
    head, n_rows, random_state
        As for `behaviour_rows`.

    Returns
    -------
    Brokerage, DataFrame
        The frame has `snapshot_id` and `happened`, a row each moment whose outcome is known.

    Raises
    ------
    DataError
        When no brokerage has as many such moments.
    """
    # Sizes grow in steps, so that neighbouring requests share a brokerage.
    n_leads = 1000 * math.ceil(_START_LEADS * n_rows / 1000)
    while True:
        crm = simulated_brokerage(n_leads, random_state)
        known = _known(head, crm)
        if len(known) >= n_rows:
            return crm, known
        if n_leads > _MOST_LEADS_PER_ROW * n_rows + 20_000:
            raise DataError(
                f"{n_leads:,} leads give only {len(known):,} moments for {head.name!r}",
                expected=f"{n_rows:,}",
                fix="ask for fewer rows",
            )
        share = max(len(known), 1) / n_leads
        n_leads = 1000 * math.ceil(min(4 * n_leads, 1.1 * n_rows / share + 1000) / 1000)


def _known(head: Head, crm: Brokerage) -> pd.DataFrame:
    labels = crm.frame("labels", columns=["snapshot_id", "stage", head.label])
    labels = labels[labels[head.label].notna()]
    if head.stages:
        labels = labels[labels["stage"].isin(head.stages)]
    happened = labels[head.label].isin(head.positive) if head.positive else labels[head.label] == 1
    return pd.DataFrame(
        {"snapshot_id": labels["snapshot_id"], "happened": np.where(happened, "yes", "no")}
    )


def _featured(crm: Brokerage, known: pd.DataFrame) -> pd.DataFrame:
    tables = {name: crm.table(name) for name in crm.names}
    snapshots = tables["snapshots"]
    wanted = snapshots.filter(snapshots.snapshot_id.isin(known["snapshot_id"].tolist()))
    frame = collect(FEATURES.build(tables, wanted))
    frame["conversation"] = conversation_texts(
        crm.frame("messages"), frame[["snapshot_id", "lead_id", "as_of"]]
    )
    leads = crm.frame("leads", columns=["lead_id", "language"])
    frame = frame.merge(leads, on="lead_id", how="left").merge(known, on="snapshot_id")
    return frame.sort_values(["as_of", "snapshot_id"], ignore_index=True)


class BehaviourMaker:
    """Offers the heads' data sets to the catalogue."""

    def cards(self) -> Mapping[str, Card]:
        """Cards by name."""
        return {head.dataset: behaviour_card(head) for head in read_heads()}

    def make(self, card: Card, n_rows: int, random_state: int) -> pd.DataFrame:
        """Rows of one of the data sets; see `behaviour_rows`.

        Raises
        ------
        DataError
            When `n_rows` is out of range.
        """
        head = next(head for head in read_heads() if head.dataset == card.name)
        return behaviour_rows(head, n_rows, random_state=random_state)
