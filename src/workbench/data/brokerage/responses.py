"""How long people take to answer, and the share of answers that come within some days."""

import numpy as np

from workbench.data.brokerage.seasons import draw_moment, hour_shares

__all__ = ["ASKED_DAYS", "answered_share", "draw_asked", "draw_delay"]

ASKED_DAYS = 3  # touches, coaching and offers fall in the first days of a lead's week
_MEAN_S, _MOST_S = 14 * 3600, 47 * 3600
_CUT = 1 - np.exp(-_MOST_S / _MEAN_S)


def draw_asked(week_start_s: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw when an agent acts: office hours of the first days of the lead's week."""
    return draw_moment("office", week_start_s, ASKED_DAYS, rng)


def draw_delay(n: int, rng: np.random.Generator) -> np.ndarray:
    """Draw seconds until an answer: exponential with mean 14 hours, cut at 47 hours."""
    delay = -_MEAN_S * np.log1p(-_CUT * rng.random(n))
    whole: np.ndarray = delay.astype(np.int64)
    return whole


def answered_share(week_start_s: np.ndarray, days: int, *, delayed: bool) -> np.ndarray:
    """Give the chance that what was asked in a week is answered in its first `days` days.

    Parameters
    ----------
    week_start_s
        Seconds since the first day at which each week starts.
    days
        Days of the week that count.
    delayed
        Whether the answer takes the time of `draw_delay`, or none (a call).

    Returns
    -------
    numpy.ndarray
        Probabilities, exact up to rounding to seconds: a sum over the hours in which one may
        ask, of the mean over the hour of the distribution of the delay.
    """
    left_s = days * 86_400 - np.arange(24 * ASKED_DAYS) * 3600.0  # at the start of each hour
    if delayed:
        by_hour = (_integral(left_s) - _integral(left_s - 3600)) / 3600
    else:
        by_hour = np.clip(left_s / 3600, 0, 1)
    chance: np.ndarray = (hour_shares("office", ASKED_DAYS) @ by_hour)[(week_start_s // 3600) % 168]
    return chance


def _integral(x: np.ndarray) -> np.ndarray:
    """Integrate the distribution function of the delay from 0 to x (0 for negative x)."""
    inside = np.clip(x, 0, _MOST_S)
    area = (inside - _MEAN_S * (1 - np.exp(-inside / _MEAN_S))) / _CUT
    total: np.ndarray = area + np.maximum(x - _MOST_S, 0)
    return total
