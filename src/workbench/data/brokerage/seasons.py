"""When things happen: first and last day, hours of the week, months, and exact shares of a week."""

from types import MappingProxyType

import numpy as np

__all__ = [
    "DAY_S",
    "END_S",
    "N_WEEKS",
    "START",
    "WEEK_S",
    "draw_moment",
    "first_share",
    "hour_shares",
    "moments",
    "month_factor",
    "week_index",
]  # fmt: skip

START = np.datetime64("2023-01-02T00:00:00", "us")  # a Monday
N_WEEKS = 104
DAY_S, WEEK_S = 86_400, 604_800
END_S = N_WEEKS * WEEK_S

_HOURS = {
    # Visits to the website: evenings and lunch, weekends more.
    "web": (2, 1, 1, 1, 1, 2, 4, 7, 9, 10, 11, 13, 14, 11, 10, 10, 11, 13, 16, 19, 20, 17, 11, 5),
    # What agents do: office hours.
    "office": (0, 0, 0, 0, 0, 0, 0, 2, 8, 14, 15, 14, 8, 11, 14, 14, 13, 9, 4, 2, 1, 0, 0, 0),
}
_DAYS = {
    "web": (1.0, 0.95, 0.95, 0.95, 0.9, 1.25, 1.4),
    "office": (1.15, 1.1, 1.1, 1.05, 1.0, 0.45, 0.15),
}
# 168 weights an hour profile, Monday 0 h first; never zero, so that any span has some mass.
_WEEK = MappingProxyType({
    name: np.outer(_DAYS[name], np.asarray(_HOURS[name]) + 0.02).ravel() for name in _HOURS
})  # fmt: skip
# Row o: the profile as seen by a lead whose weeks start in hour o of the calendar week.
_TURNED = MappingProxyType({
    name: week[(np.arange(168)[:, None] + np.arange(168)) % 168] for name, week in _WEEK.items()
})  # fmt: skip
_MONTHS = np.array([0.75, 0.85, 1.1, 1.25, 1.3, 1.25, 1.1, 1.0, 0.95, 0.9, 0.75, 0.7])


def draw_moment(
    profile: str, week_start_s: np.ndarray, days: int, rng: np.random.Generator
) -> np.ndarray:
    """Draw a moment in the first days of a lead's week, by an hour profile.

    Parameters
    ----------
    profile
        "web" or "office".
    week_start_s
        Seconds since `START` at which each week of a lead starts.
    days
        The moment falls in the first so many days, 1 to 7.
    rng
        Advanced by two draws a moment.

    Returns
    -------
    numpy.ndarray
        Seconds since `START`, int64, at least one second after the start of the week.
    """
    shares = np.cumsum(hour_shares(profile, days), axis=1)
    # One sorted axis for all 168 rows: row o occupies (o, o + 1].
    axis = (shares + np.arange(168)[:, None]).ravel()
    offset = (week_start_s // 3600) % 168
    cell = np.searchsorted(axis, offset + rng.random(len(offset)), side="right")
    cell = np.minimum(cell - offset * 24 * days, 24 * days - 1)
    moment: np.ndarray = week_start_s + cell * 3600 + rng.integers(1, 3600, len(offset))
    return moment


def hour_shares(profile: str, days: int) -> np.ndarray:
    """Give the shares of the hours of a lead's first `days` days, (168 starting hours, 24 days)."""
    turned = _TURNED[profile][:, : 24 * days]
    shares: np.ndarray = turned / turned.sum(axis=1, keepdims=True)
    return shares


def first_share(profile: str, week_start_s: np.ndarray, days: int, within: int) -> np.ndarray:
    """Give the chance that `draw_moment(..., days=within)` falls in the first `days` days."""
    share = hour_shares(profile, within)[:, : 24 * days].sum(axis=1)
    chance: np.ndarray = share[(week_start_s // 3600) % 168]
    return chance


def month_factor(seconds: np.ndarray) -> np.ndarray:
    """Give the season's factor on activity, 1 on average over a year."""
    month = moments(seconds).astype("datetime64[M]").astype(np.int64) % 12
    factor: np.ndarray = _MONTHS[month]
    return factor


def week_index(seconds: np.ndarray) -> np.ndarray:
    """Give the calendar week, from 0; past the end of the data it stays at the last."""
    week: np.ndarray = np.minimum(seconds // WEEK_S, N_WEEKS - 1)
    return week


def moments(seconds: np.ndarray | int) -> np.ndarray:
    """Turn seconds since `START` into moments."""
    out: np.ndarray = START + np.asarray(seconds, dtype=np.int64).astype("timedelta64[s]")
    return out
