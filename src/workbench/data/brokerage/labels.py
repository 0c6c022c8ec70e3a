"""When predictions are asked for, and what came after: snapshots and their labels."""

from typing import NamedTuple

import numpy as np

from workbench.data.brokerage.activity import Closings, LeadWeeks, Talks, Touches, Viewings
from workbench.data.brokerage.events import INBOUND, Events
from workbench.data.brokerage.nature import N_OPEN, Nature, urgency_levels
from workbench.data.brokerage.seasons import DAY_S, END_S, N_WEEKS

__all__ = ["NEXT_VIEW_DAYS", "Labels", "Snapshots", "draw_snapshots", "judge"]

NEXT_VIEW_DAYS = 60
_WAIT = 4
_FUNNEL = 6  # stages that follow one another; dormant is beside them
_LEADS = 1 << 40  # more than any number of seconds


class Snapshots(NamedTuple):
    """One row a moment at which a prediction is asked for; leads in order, weeks ascending."""

    lead: np.ndarray
    week: np.ndarray
    state: np.ndarray
    as_of_s: np.ndarray


class Labels(NamedTuple):
    """One row a snapshot; -1 stands for not known."""

    conversion_likelihood: np.ndarray
    churn_risk: np.ndarray
    engagement_receptivity: np.ndarray
    objection_probability: np.ndarray
    appointment_readiness: np.ndarray
    urgency: np.ndarray
    p_urgency: np.ndarray
    time_to_close_days: np.ndarray
    close_observed: np.ndarray
    next_listing: np.ndarray
    stage: np.ndarray


def draw_snapshots(weeks: LeadWeeks, n_leads: int, rng: np.random.Generator) -> Snapshots:
    """Draw the weeks in which leads are scored; a lead that closed before is not.

    The week is fixed before anything happens. Picking one from the life a lead turned out to
    have would tell something about its future, and no probability given the state would be true.
    """
    first = np.where(rng.random(n_leads) < 0.15, 0, rng.geometric(0.14, n_leads))
    second = np.where(rng.random(n_leads) < 0.18, first + rng.geometric(0.15, n_leads), N_WEEKS)
    key = weeks.lead * (N_WEEKS + 1) + weeks.week
    wanted = np.concatenate([
        np.arange(n_leads) * (N_WEEKS + 1) + np.minimum(week, N_WEEKS)
        for week in (first, second)
    ])  # fmt: skip
    row = np.flatnonzero(np.isin(key, wanted))
    return Snapshots(weeks.lead[row], weeks.week[row], weeks.state[row], weeks.start_s[row])


def judge(
    snapshots: Snapshots,
    nature: Nature,
    events: Events,
    did: tuple[Touches, Talks, Viewings, Closings],
    rng: np.random.Generator,
) -> Labels:
    """Read every label off what happened after the snapshots."""
    touches, talks, viewings, closings = did
    lead, as_of = snapshots.lead, snapshots.as_of_s
    closed = closings.closed_s[lead]
    signed = closings.converted[lead] & (closed < END_S)
    receptive, known = _next_of(
        snapshots, touches.lead, touches.sent_s, touches.replied_s < END_S, 30,
        touches.action != _WAIT,
    )  # fmt: skip
    receptive = np.where(known & (as_of + 37 * DAY_S <= END_S), receptive, -1)
    objected, known = _next_of(snapshots, talks.lead, talks.started_s, talks.kind >= 0, 14)
    objected = np.where(known & (as_of + 14 * DAY_S <= END_S), objected, -1)
    ready, known = _next_of(snapshots, viewings.lead, viewings.offered_s, viewings.accepted, 30)
    ready = np.where(known & (as_of + 30 * DAY_S <= END_S), ready, -1)
    p_urgency = urgency_levels(nature.take(lead), snapshots.state)
    level = (rng.random(len(lead))[:, None] > np.cumsum(p_urgency, axis=1)).sum(axis=1).clip(max=3)
    end = np.minimum(closed, END_S)
    return Labels(
        conversion_likelihood=np.where(
            as_of + 90 * DAY_S <= END_S, signed & (closed <= as_of + 90 * DAY_S), -1
        ),
        churn_risk=_churned(snapshots, events, signed & (closed <= as_of + 30 * DAY_S)),
        engagement_receptivity=receptive,
        objection_probability=objected,
        appointment_readiness=ready,
        urgency=level,
        p_urgency=p_urgency,
        time_to_close_days=(end - as_of) / DAY_S,
        close_observed=signed,
        next_listing=_next_listing(snapshots, events),
        stage=_coded(snapshots.state, rng),
    )


def _between(
    keys: np.ndarray, lead: np.ndarray, after_s: np.ndarray, until_s: np.ndarray
) -> np.ndarray:
    """Count the keys of each lead with after < time <= until, in sorted `keys`."""
    low = np.searchsorted(keys, lead * _LEADS + after_s, side="right")
    count: np.ndarray = np.searchsorted(keys, lead * _LEADS + until_s, side="right") - low
    return count


def _churned(snapshots: Snapshots, events: Events, signs: np.ndarray) -> np.ndarray:
    inbound = INBOUND[events.kind]
    keys = np.sort(events.lead[inbound] * _LEADS + events.at_s[inbound])
    lead, as_of = snapshots.lead, snapshots.as_of_s
    month = 30 * DAY_S
    # Seconds may be negative for a young lead: its first event is its creation, so none is missed.
    before = _between(keys, lead, np.maximum(as_of - month, -1), as_of)
    after = _between(keys, lead, as_of, as_of + month)
    known = (before > 0) & (as_of + month <= END_S)
    label: np.ndarray = np.where(known, (after == 0) & ~signs, -1)
    return label


def _next_of(
    snapshots: Snapshots,
    lead: np.ndarray,
    at_s: np.ndarray,
    good: np.ndarray,
    days: int,
    counts: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Give whether the next occasion within some days is good, and whether there is one."""
    rows = np.arange(len(lead)) if counts is None else np.flatnonzero(counts)
    keys = lead[rows] * _LEADS + np.minimum(at_s[rows], END_S)
    order = np.argsort(keys, kind="stable")
    keys, good = keys[order], good[rows][order]
    # A sentinel stands for "none follows".
    keys, good = np.append(keys, np.iinfo(np.int64).max), np.append(good, False)
    place = np.searchsorted(keys, snapshots.lead * _LEADS + snapshots.as_of_s, side="right")
    until = snapshots.lead * _LEADS + np.minimum(snapshots.as_of_s + days * DAY_S, END_S - 1)
    return good[place].astype(np.int64), keys[place] <= until


def _next_listing(snapshots: Snapshots, events: Events) -> np.ndarray:
    rows = np.flatnonzero(events.listing >= 0)
    keys = events.lead[rows] * _LEADS + events.at_s[rows]
    order = np.argsort(keys, kind="stable")
    keys = np.append(keys[order], np.iinfo(np.int64).max)
    listing = np.append(events.listing[rows][order], -1)
    place = np.searchsorted(keys, snapshots.lead * _LEADS + snapshots.as_of_s, side="right")
    until = snapshots.lead * _LEADS + snapshots.as_of_s + NEXT_VIEW_DAYS * DAY_S
    found: np.ndarray = np.where(keys[place] <= until, listing[place], -1)
    return found


def _coded(state: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Give the stage as staff code it: a neighbour of the true one now and then."""
    slip = np.where(rng.random(len(state)) < 0.10, rng.choice((-1, 1), len(state)), 0)
    moved = np.where(state < N_OPEN - 1, (state + slip).clip(0, _FUNNEL - 1), state)
    stage: np.ndarray = moved
    return stage
