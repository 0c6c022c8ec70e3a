"""What leads and agents do in each open week: sessions, touches, talks, viewings, papers."""

from typing import NamedTuple

import numpy as np

from workbench.data.brokerage.chain import CONVERTED, Paths
from workbench.data.brokerage.nature import (
    N_OPEN,
    OPENED,
    Nature,
    action_reply,
    appointment,
    conversation,
    objection_kinds,
    sessions,
    strategy_reply,
)
from workbench.data.brokerage.responses import draw_asked, draw_delay
from workbench.data.brokerage.seasons import DAY_S, END_S, WEEK_S, draw_moment

__all__ = [
    "CHANNELS", "DOCUMENT_KINDS", "Closings", "Coached", "LeadWeeks", "Papers", "Sessions", "Talks",
    "Touches", "Viewings", "draw_closings", "draw_coaching", "draw_papers", "draw_sessions",
    "draw_talks", "draw_touches", "draw_viewings", "lead_weeks",
]  # fmt: skip

CHANNELS = ("web", "email", "sms", "call", "form")
_TALK_CHANNELS = (0.36, 0.30, 0.20, 0.14)  # email, sms, call, form
DOCUMENT_KINDS = (
    "identity_proof", "preapproval_letter", "offer", "inspection_report", "purchase_contract",
)  # fmt: skip
# Chance of a paper in a week: state by kind.
_PAPERS = np.array([
    (0.010, 0.010, 0.000, 0.000, 0.000), (0.020, 0.020, 0.000, 0.000, 0.000),
    (0.060, 0.100, 0.000, 0.000, 0.000), (0.050, 0.080, 0.010, 0.010, 0.000),
    (0.040, 0.080, 0.450, 0.050, 0.010), (0.060, 0.050, 0.050, 0.350, 0.300),
    (0.002, 0.002, 0.000, 0.000, 0.000),
])  # fmt: skip


class LeadWeeks(NamedTuple):
    """One row a week in which a lead is open; leads in order, weeks ascending."""

    lead: np.ndarray
    week: np.ndarray
    state: np.ndarray
    start_s: np.ndarray


class Sessions(NamedTuple):
    """One row a session on the website."""

    lead: np.ndarray
    week: np.ndarray
    at_s: np.ndarray
    views: np.ndarray


class Touches(NamedTuple):
    """One row a decision about a touch; moments that never came are END_S or later."""

    lead: np.ndarray
    week: np.ndarray
    action: np.ndarray
    sent_s: np.ndarray
    opened_s: np.ndarray
    replied_s: np.ndarray
    p_reply: np.ndarray


class Coached(NamedTuple):
    """One row a coaching session."""

    lead: np.ndarray
    strategy: np.ndarray
    followed: np.ndarray
    held_s: np.ndarray
    replied_s: np.ndarray
    p_reply: np.ndarray


class Talks(NamedTuple):
    """One row a conversation; the first of each lead is its first contact.

    `channel` is a position in `CHANNELS`, `kind` -1 for no objection.
    """

    lead: np.ndarray
    state: np.ndarray
    started_s: np.ndarray
    channel: np.ndarray
    kind: np.ndarray


class Viewings(NamedTuple):
    """One row a viewing offered."""

    lead: np.ndarray
    offered_s: np.ndarray
    scheduled_s: np.ndarray
    accepted: np.ndarray
    attended: np.ndarray


class Papers(NamedTuple):
    """One row a document received."""

    lead: np.ndarray
    kind: np.ndarray
    received_s: np.ndarray


class Closings(NamedTuple):
    """One row a lead: when it closed (END_S or later: it did not) and whether it converted."""

    closed_s: np.ndarray
    converted: np.ndarray


_NEVER = np.int64(END_S + 100 * WEEK_S)


def lead_weeks(paths: Paths, created_s: np.ndarray) -> LeadWeeks:
    """List the weeks in which each lead is open and that start before the end of the data."""
    is_open = (paths.state >= 0) & (paths.state < N_OPEN)
    lead, week = np.nonzero(is_open)
    start = created_s[lead] + week * WEEK_S
    kept = start < END_S
    lead, week, start = lead[kept], week[kept], start[kept]
    return LeadWeeks(lead, week, paths.state[lead, week].astype(np.intp), start)


def draw_closings(paths: Paths, created_s: np.ndarray, rng: np.random.Generator) -> Closings:
    """Draw when leads close: office hours of the first five days of the week they close in."""
    ended = paths.state >= CONVERTED
    closes = ended.any(axis=1)
    week = ended.argmax(axis=1)
    moment = draw_moment("office", created_s + week * WEEK_S, 5, rng)
    final = paths.state[np.arange(len(week)), week]
    return Closings(np.where(closes, moment, _NEVER), closes & (final == CONVERTED))


def draw_sessions(weeks: LeadWeeks, nature: Nature, rng: np.random.Generator) -> Sessions:
    """Draw sessions: Poisson in number, by the hours of the web, with a long tail of views."""
    rate = sessions(nature.take(weeks.lead), weeks.state, weeks.start_s)
    row = np.repeat(np.arange(len(weeks.lead)), rng.poisson(rate))
    at = draw_moment("web", weeks.start_s[row], 7, rng)
    eager = rng.gamma(0.8, 3.2, len(row))
    return Sessions(weeks.lead[row], weeks.week[row], at, rng.poisson(eager))


def draw_touches(
    weeks: LeadWeeks, paths: Paths, nature: Nature, rng: np.random.Generator
) -> Touches:
    """Draw when touches are sent, opened and answered."""
    action = paths.action[weeks.lead, weeks.week].astype(np.intp)
    row = np.flatnonzero(action >= 0)
    lead, action, state = weeks.lead[row], action[row], weeks.state[row]
    chances = action_reply(nature.take(lead), state)
    n = len(row)
    sent = draw_asked(weeks.start_s[row], rng)
    replies = rng.random(n) < chances[action, np.arange(n)]
    opens = (action < 2) & (replies | (rng.random(n) < OPENED[state]))
    first = np.where(action == 3, 0, draw_delay(n, rng))
    second = np.where(action < 2, draw_delay(n, rng), 0)
    return Touches(
        lead=lead,
        week=weeks.week[row],
        action=action,
        sent_s=sent,
        opened_s=np.where(opens, sent + first, _NEVER),
        replied_s=np.where(replies, sent + first + second, _NEVER),
        p_reply=chances.T,
    )


def draw_coaching(
    weeks: LeadWeeks, paths: Paths, nature: Nature, rng: np.random.Generator
) -> Coached:
    """Draw coaching sessions and the replies that follow them."""
    strategy = paths.strategy[weeks.lead, weeks.week].astype(np.intp)
    row = np.flatnonzero(strategy >= 0)
    lead, strategy = weeks.lead[row], strategy[row]
    chances = strategy_reply(nature.take(lead), weeks.state[row])
    n = len(row)
    held = draw_asked(weeks.start_s[row], rng)
    replies = rng.random(n) < chances[strategy, np.arange(n)]
    return Coached(
        lead=lead,
        strategy=strategy,
        followed=paths.followed[lead, weeks.week[row]],
        held_s=held,
        replied_s=np.where(replies, held + draw_delay(n, rng), _NEVER),
        p_reply=chances.T,
    )


def draw_talks(
    weeks: LeadWeeks, nature: Nature, first_channel: np.ndarray, rng: np.random.Generator
) -> Talks:
    """Draw conversations, the channel of each, and the objection voiced in it.

    Every lead begins with one, on `first_channel`, at the moment of its creation.
    """
    n_leads = len(first_channel)
    talk, _ = conversation(nature.take(weeks.lead), weeks.state)
    row = np.flatnonzero(rng.random(len(talk)) < talk)
    lead = np.concatenate([np.arange(n_leads), weeks.lead[row]])
    state = np.concatenate([np.zeros(n_leads, dtype=np.intp), weeks.state[row]])
    later = draw_moment("web", weeks.start_s[row], 6, rng)
    channel = 1 + rng.choice(4, size=len(row), p=_TALK_CHANNELS)
    involved = nature.take(lead)
    _, objects = conversation(involved, state)
    shares = np.cumsum(objection_kinds(involved), axis=1)
    kind = (rng.random(len(lead))[:, None] > shares).sum(axis=1).clip(max=shares.shape[1] - 1)
    return Talks(
        lead=lead,
        state=state,
        started_s=np.concatenate([nature.created_s, later]),
        channel=np.concatenate([first_channel, channel]),
        kind=np.where(rng.random(len(lead)) < objects, kind, -1),
    )


def draw_viewings(weeks: LeadWeeks, nature: Nature, rng: np.random.Generator) -> Viewings:
    """Draw offers of viewings; an accepted one takes place within the same week of the lead."""
    offered, accepted = appointment(nature.take(weeks.lead), weeks.state)
    row = np.flatnonzero(rng.random(len(accepted)) < offered)
    at = draw_asked(weeks.start_s[row], rng)
    taken = rng.random(len(row)) < accepted[row]
    until = weeks.start_s[row] + WEEK_S - at
    scheduled = at + (DAY_S // 2 + rng.random(len(row)) * (until - DAY_S // 2 - 1)).astype(np.int64)
    scheduled -= scheduled % 1800
    comes = taken & (rng.random(len(row)) < 0.86)
    return Viewings(weeks.lead[row], at, np.where(taken, scheduled, _NEVER), taken, comes)


def draw_papers(weeks: LeadWeeks, rng: np.random.Generator) -> Papers:
    """Draw documents received."""
    row, kind = np.nonzero(rng.random((len(weeks.lead), len(DOCUMENT_KINDS)))
                           < _PAPERS[weeks.state])  # fmt: skip
    return Papers(weeks.lead[row], kind, draw_moment("office", weeks.start_s[row], 7, rng))
