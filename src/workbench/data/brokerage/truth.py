"""The hidden truth of a simulated brokerage: for judging only, no feature or model may see it."""

import pandas as pd

from workbench.data.brokerage.crm import Brokerage, read_parts
from workbench.data.brokerage.schema import TRUTH_TABLES

__all__ = [
    "true_actions", "true_conversations", "true_leads", "true_risk", "true_snapshots",
    "true_strategies",
]  # fmt: skip


def true_snapshots(crm: Brokerage) -> pd.DataFrame:
    """Give the true probability of every head at each snapshot.

    Parameters
    ----------
    crm
        A finished simulation.

    Returns
    -------
    pandas.DataFrame
        Indexed by `snapshot_id`: `state`, `p_<head>` for the five binary heads (those about the
        next touch, conversation or viewing are given that there is one in the window),
        `p_urgency_<level>`, and the traits in standard deviations.

    Examples
    --------
    >>> from workbench.data.brokerage import simulate
    >>> truth = true_snapshots(simulate(120, text_share=0))
    >>> truth["p_conversion_likelihood"].between(0, 1).all().item()
    True
    """
    return _read(crm, "snapshots", "snapshot_id")


def true_strategies(crm: Brokerage) -> pd.DataFrame:
    """Give the chance of a reply after coaching with each strategy, indexed by `session_id`."""
    return _read(crm, "coaching", "session_id")


def true_actions(crm: Brokerage) -> pd.DataFrame:
    """Give the chance that each action would be answered, indexed by `touch_id`."""
    return _read(crm, "touches", "touch_id")


def true_leads(crm: Brokerage) -> pd.DataFrame:
    """Give traits and, where it is a duplicate, the lead it repeats, indexed by `lead_id`."""
    return _read(crm, "leads", "lead_id")


def true_conversations(crm: Brokerage) -> pd.DataFrame:
    """Give whether an objection was voiced, and which, indexed by `conversation_id`."""
    return _read(crm, "conversations", "conversation_id")


def true_risk(crm: Brokerage) -> pd.DataFrame:
    """Give each week of leads that reached a viewing, and whether it slipped.

    Returns
    -------
    pandas.DataFrame
        `lead_id`, `week` of the lead's life from 0, `slipped`: the first week after a step back
        or into sleep.
    """
    return read_parts(crm.folder / "truth" / "risk", TRUTH_TABLES["risk"])


def _read(crm: Brokerage, name: str, key: str) -> pd.DataFrame:
    return read_parts(crm.folder / "truth" / name, TRUTH_TABLES[name]).set_index(key)
