"""The hidden weekly chain of a lead: how it moves, and simulated paths."""

from typing import NamedTuple

import numpy as np

from workbench.data.brokerage.nature import (
    ACTION_GAIN,
    COACHING_GAIN,
    COACHING_RATE,
    FOLLOWED,
    N_OPEN,
    Nature,
    action_policy,
    phase,
    push,
    strategy_policy,
    touch_rate,
)
from workbench.data.brokerage.seasons import END_S, N_WEEKS, WEEK_S

__all__ = ["BACK_TO", "CONVERTED", "LOST", "ON_TO", "Moves", "Paths", "draw_paths", "moves_of"]

CONVERTED, LOST, _DORMANT = 7, 8, 6
# Log-odds of each move in a week against staying, by state: new … contract, dormant.
_ON = np.exp([1.3, 0.4, 0.3, 0.1, 0.4, 0.6, -1.9])
_BACK = np.exp([-np.inf, -np.inf, -1.9, -1.5, -1.1, -1.2, -np.inf])
_SLEEP = np.exp([-0.4, -0.55, -0.7, -1.0, -1.5, -2.2, -np.inf])
_LEAVE = np.exp([-1.9, -2.2, -2.3, -2.2, -1.6, -1.9, -2.3])
ON_TO = np.array([1, 2, 3, 4, 5, CONVERTED, 1])
BACK_TO = np.array([0, 1, 1, 2, 3, 3, _DORMANT])
# Moving on is never so likely that what a touch adds (at most 36 %) would exceed staying.
_MOST = 2.5


class Moves(NamedTuple):
    """Chances of the moves of a week when nobody does anything; the rest is staying."""

    on: np.ndarray
    back: np.ndarray
    sleep: np.ndarray
    leave: np.ndarray


class Paths(NamedTuple):
    """What happened week by week, (n, weeks); -1 stands for nothing.

    `state` is known for every week that starts before the end; CONVERTED or LOST from the
    week in which the lead closes.
    """

    state: np.ndarray
    action: np.ndarray
    strategy: np.ndarray
    followed: np.ndarray


def moves_of(nature: Nature, states: np.ndarray, week_start_s: np.ndarray) -> Moves:
    """Give the chances of each move from open states, (..., n)."""
    pushed = push(nature, week_start_s)
    drag = np.exp(-0.45 * pushed)
    on = np.minimum(_ON[states] * np.exp(pushed), _MOST)
    back = _BACK[states] * drag
    sleep = _SLEEP[states] * drag * np.exp(nature.cooling)
    leave = _LEAVE[states] * drag * np.exp(nature.leaving)
    total = 1 + on + back + sleep + leave
    return Moves(on / total, back / total, sleep / total, leave / total)


def draw_paths(nature: Nature, rng: np.random.Generator) -> Paths:
    """Simulate every lead of a chunk from its first week to the end of the data."""
    n = len(nature.created_s)
    state = np.full((n, N_WEEKS + 1), -1, dtype=np.int8)
    action = np.full((n, N_WEEKS), -1, dtype=np.int8)
    strategy = np.full((n, N_WEEKS), -1, dtype=np.int8)
    followed = np.zeros((n, N_WEEKS), dtype=bool)
    acts = np.cumsum(action_policy(nature), axis=2)
    coaches = np.cumsum(strategy_policy(nature), axis=1)
    touch = touch_rate()
    state[:, 0] = 0
    for week in range(N_WEEKS):
        start = nature.created_s + week * WEEK_S
        is_open = (state[:, week] >= 0) & (state[:, week] < N_OPEN)
        rows = np.flatnonzero(is_open & (start < END_S))
        closed = np.flatnonzero(state[:, week] >= N_OPEN)
        state[closed, week + 1] = state[closed, week]
        if not len(rows):
            continue
        now, stage = state[rows, week].astype(np.intp), int(phase(week))
        draw = rng.random((6, len(rows)))
        touched = draw[0] < touch[now, stage]
        chosen = (draw[1][:, None] > acts[stage, rows]).sum(axis=1).clip(max=4)
        gain = np.where(touched, ACTION_GAIN[chosen], 0.0)
        action[rows, week] = np.where(touched, chosen, -1)
        coached = draw[2] < COACHING_RATE[now]
        advice = (draw[3][:, None] > coaches[rows]).sum(axis=1).clip(max=4)
        strategy[rows, week] = np.where(coached, advice, -1)
        followed[rows, week] = coached & (draw[4] < FOLLOWED)
        factor = (1 + gain) * (1 + COACHING_GAIN * followed[rows, week])
        moves = moves_of(nature.take(rows), now, start[rows])
        state[rows, week + 1] = _moved(now, moves, factor, draw[5])
    return Paths(state, action, strategy, followed)


def _moved(now: np.ndarray, moves: Moves, factor: np.ndarray, draw: np.ndarray) -> np.ndarray:
    bounds = np.cumsum([moves.on * factor, moves.back, moves.sleep, moves.leave], axis=0)
    move = (draw > bounds).sum(axis=0)
    asleep, gone = np.full_like(now, _DORMANT), np.full_like(now, LOST)
    out: np.ndarray = np.choose(move, [ON_TO[now], BACK_TO[now], asleep, gone, now])
    return out
