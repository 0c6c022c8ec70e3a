"""Exact probabilities of every head, given state and traits, by forward products of the chain.

All that happens in a week depends on the state of that week alone, and snapshots are taken
where a week of the lead starts. So the chance of any label is a sum over paths of the chain
(Rabiner 1989, Proc. IEEE 77(2), eq. 18-21), with the weeks' own chances as emissions.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from workbench.data.brokerage.chain import BACK_TO, CONVERTED, ON_TO, Moves, moves_of
from workbench.data.brokerage.nature import (
    ACTION_GAIN,
    COACHING_GAIN,
    COACHING_RATE,
    FOLLOWED,
    N_OPEN,
    OPENED,
    Nature,
    action_policy,
    action_reply,
    appointment,
    conversation,
    phase,
    sessions,
    strategy_policy,
    strategy_reply,
    touch_rate,
)
from workbench.data.brokerage.responses import answered_share
from workbench.data.brokerage.seasons import WEEK_S, first_share

__all__ = ["Forecast", "forecast"]

_STATES = np.arange(N_OPEN)[:, None]
_WEEKS_CONVERSION, _WHOLE_WEEKS, _REST_DAYS = 12, 4, 2  # 90 days, 30 days
_EMAIL = np.array([True, True, False, False, False])
_WAIT = 4


class Forecast(NamedTuple):
    """True probabilities, one row a snapshot."""

    conversion_likelihood: np.ndarray
    churn_risk: np.ndarray
    engagement_receptivity: np.ndarray
    objection_probability: np.ndarray
    appointment_readiness: np.ndarray


class _Outreach(NamedTuple):
    """What touches and coaching do in a week, (7, m) or (5, 7, m)."""

    rate: np.ndarray
    policy: np.ndarray
    reply: np.ndarray
    noticed: np.ndarray
    coach_reply: np.ndarray
    coach_gain: float


class _Steps:
    """Weeks ahead of the snapshots of one chunk."""

    def __init__(self, nature: Nature, weeks: np.ndarray) -> None:
        self.nature, self.weeks = nature, weeks
        self.as_of_s = nature.created_s + weeks * WEEK_S
        self.m = len(weeks)
        reply = action_reply(nature, np.broadcast_to(_STATES, (N_OPEN, self.m)))
        unopened = (1 - reply) * (1 - OPENED[:, None])
        policy = strategy_policy(nature).T[:, None, :]
        by_strategy = strategy_reply(nature, np.broadcast_to(_STATES, (N_OPEN, self.m)))
        self._reply = reply
        self._noticed = np.where(_EMAIL[:, None, None], 1 - unopened, reply)
        self._coach_reply = (policy * by_strategy).sum(axis=0)
        self._policy = action_policy(nature)

    def start(self, states: np.ndarray) -> np.ndarray:
        """Give all mass to the states at the snapshots."""
        mass = np.zeros((N_OPEN, self.m))
        mass[states, np.arange(self.m)] = 1.0
        return mass

    def moves(self, ahead: int) -> Moves:
        """Give the moves of the week that starts so many weeks after the snapshots."""
        return moves_of(self.nature, _STATES, self.as_of_s + ahead * WEEK_S)

    def outreach(self, ahead: int) -> _Outreach:
        """Give touches and coaching of that week."""
        stage = phase(self.weeks + ahead)
        return _Outreach(
            rate=touch_rate()[:, stage],
            policy=self._policy[stage, np.arange(self.m)].T[:, None, :],
            reply=self._reply,
            noticed=self._noticed,
            coach_reply=COACHING_RATE[:, None] * self._coach_reply,
            coach_gain=FOLLOWED * COACHING_GAIN,
        )

    def gain(self, ahead: int) -> np.ndarray:
        """Give the mean factor of touches and coaching on moving on, (7, m)."""
        out = self.outreach(ahead)
        touch = 1 + out.rate * (out.policy * ACTION_GAIN[:, None, None]).sum(axis=0)
        mean: np.ndarray = touch * (1 + COACHING_RATE[:, None] * out.coach_gain)
        return mean


def forecast(nature: Nature, weeks: np.ndarray, states: np.ndarray) -> Forecast:
    """Give the true probability of each binary head.

    Parameters
    ----------
    nature
        Of the lead of each snapshot.
    weeks
        Weeks of the lead's life at the snapshot, int.
    states
        Hidden state at the snapshot, 0 to 6.

    Returns
    -------
    Forecast
        One float64 array a head. Chances of the heads that judge the next touch, viewing or
        conversation are given that there is one in the window.
    """
    steps = _Steps(nature, weeks)
    return Forecast(
        conversion_likelihood=_conversion(steps, states),
        churn_risk=_churn(steps, states),
        engagement_receptivity=_receptivity(steps, states),
        objection_probability=_objection(steps, states),
        appointment_readiness=_readiness(steps, states),
    )


def _advance(
    still: np.ndarray, moving: np.ndarray, moves: Moves
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Move mass by one week; give what is open, converted and lost then.

    `moving` is the mass weighted by what outreach multiplies the chance to move on by.
    """
    on = moving * moves.on
    back, sleep, leave = still * moves.back, still * moves.sleep, still * moves.leave
    open_mass = still - on - back - sleep - leave
    for state in range(N_OPEN):
        if ON_TO[state] != CONVERTED:
            open_mass[ON_TO[state]] += on[state]
        open_mass[BACK_TO[state]] += back[state]
    open_mass[N_OPEN - 1] += sleep.sum(axis=0)
    converted = on[ON_TO == CONVERTED].sum(axis=0)
    return open_mass, converted, leave.sum(axis=0)


def _conversion(steps: _Steps, states: np.ndarray) -> np.ndarray:
    mass, total = steps.start(states), np.zeros(steps.m)
    for ahead in range(_WEEKS_CONVERSION):
        mass, converted, _ = _advance(mass, mass * steps.gain(ahead), steps.moves(ahead))
        total += converted
    return total


def _quiet(steps: _Steps, ahead: int, *, share: bool) -> tuple[np.ndarray, np.ndarray]:
    """Give the chance of a week (or its first two days) without a word from the lead.

    The second array is weighted by what the touch and the coaching of that week do to
    moving on, which depends on them as silence does.
    """
    start = steps.as_of_s + ahead * WEEK_S
    out, nature = steps.outreach(ahead), steps.nature
    web = office = talk_share = by_action = np.ones(steps.m)
    if share:
        web = first_share("web", start, _REST_DAYS, 7)
        talk_share = first_share("web", start, _REST_DAYS, 6)
        office = answered_share(start, _REST_DAYS, delayed=True)
        at_once = answered_share(start, _REST_DAYS, delayed=False)
        by_action = np.where(np.arange(5)[:, None, None] == 3, at_once, office)
    talk, _ = conversation(nature, _STATES)
    quiet = np.exp(-sessions(nature, _STATES, start) * web) * (1 - talk * talk_share)
    unheard = 1 - out.noticed * by_action
    touched = (out.policy * unheard).sum(axis=0)
    weighted = (out.policy * unheard * (1 + ACTION_GAIN[:, None, None])).sum(axis=0)
    coach = 1 - out.coach_reply * office
    # Following the advice does not depend on the reply: two factors.
    coach_gain = coach + out.coach_gain * (COACHING_RATE[:, None] - out.coach_reply * office)
    still = quiet * (1 - out.rate + out.rate * touched) * coach
    moving = quiet * (1 - out.rate + out.rate * weighted) * coach_gain
    return still, moving


def _churn(steps: _Steps, states: np.ndarray) -> np.ndarray:
    mass, gone = steps.start(states), np.zeros(steps.m)
    converted = np.zeros(steps.m)
    for ahead in range(_WHOLE_WEEKS):
        still, moving = _quiet(steps, ahead, share=False)
        mass, converted, lost = _advance(mass * still, mass * moving, steps.moves(ahead))
        gone += lost
    still, _ = _quiet(steps, _WHOLE_WEEKS, share=True)
    # Who converts in the fifth week signs within its first five days, two of which count.
    start = steps.as_of_s + _WHOLE_WEEKS * WEEK_S
    unsigned = 1 - first_share("office", start, _REST_DAYS, 5)
    total: np.ndarray = (mass * still).sum(axis=0) + gone + converted * unsigned
    return total


def _next_of(
    steps: _Steps,
    states: np.ndarray,
    weeks: int,
    week_of: Callable[[int], tuple[np.ndarray, np.ndarray, np.ndarray]],
    rest: np.ndarray | None,
) -> np.ndarray:
    """Give the chance that the next occasion is a yes, given that there is one.

    `week_of(ahead)` gives the chance of an occasion, of one that is a yes, and of none weighted
    by what moves on then, each (7, m); `rest` is the share of the last, cut week that counts.
    """
    mass, some, good = steps.start(states), np.zeros(steps.m), np.zeros(steps.m)
    for ahead in range(weeks):
        occasion, yes, moving = week_of(ahead)
        some += (mass * occasion).sum(axis=0)
        good += (mass * yes).sum(axis=0)
        mass, _, _ = _advance(mass * (1 - occasion), mass * moving, steps.moves(ahead))
    if rest is not None:
        occasion, yes, _ = week_of(weeks)
        some += (mass * occasion).sum(axis=0) * rest
        good += (mass * yes).sum(axis=0) * rest
    chance: np.ndarray = good / some
    return chance


def _receptivity(steps: _Steps, states: np.ndarray) -> np.ndarray:
    def week_of(ahead: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        out = steps.outreach(ahead)
        sent = out.policy[:_WAIT].sum(axis=0) * out.rate
        yes = (out.policy * out.reply)[:_WAIT].sum(axis=0) * out.rate
        return sent, yes, (1 - sent) * (1 + COACHING_RATE[:, None] * out.coach_gain)

    start = steps.as_of_s + _WHOLE_WEEKS * WEEK_S
    rest = first_share("office", start, _REST_DAYS, 3)
    return _next_of(steps, states, _WHOLE_WEEKS, week_of, rest)


def _objection(steps: _Steps, states: np.ndarray) -> np.ndarray:
    talk, objects = conversation(steps.nature, _STATES)

    def week_of(ahead: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return talk, talk * objects, (1 - talk) * steps.gain(ahead)

    return _next_of(steps, states, 2, week_of, None)


def _readiness(steps: _Steps, states: np.ndarray) -> np.ndarray:
    offered, accepted = appointment(steps.nature, _STATES)

    def week_of(ahead: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return offered, offered * accepted, (1 - offered) * steps.gain(ahead)

    start = steps.as_of_s + _WHOLE_WEEKS * WEEK_S
    rest = first_share("office", start, _REST_DAYS, 3)
    return _next_of(steps, states, _WHOLE_WEEKS, week_of, rest)
