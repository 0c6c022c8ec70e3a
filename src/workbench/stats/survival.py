"""Times until something happens, where some units have not got there yet (censoring)."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from workbench.stats.effects import Effect, effect_of
from workbench.stats.power import Alternative
from workbench.stats.validation import as_labels, as_values, check_same_length

__all__ = ["LogRank", "compare_restricted_means", "log_rank_test", "restricted_mean"]

Vector = NDArray[np.float64]
Times = tuple[ArrayLike, ArrayLike]


class LogRank(NamedTuple):
    """A log-rank test of two arms.

    Attributes
    ----------
    pvalue
        Two-sided.
    statistic
        Chi-square with one degree of freedom.
    observed, expected
        Events of the treatment, and those expected were both arms alike.
    """

    pvalue: float
    statistic: float
    observed: int
    expected: float


class _Risk(NamedTuple):
    times: Vector  # distinct times at which something happened
    events: Vector
    at_risk: Vector


def restricted_mean(durations: ArrayLike, events: ArrayLike, horizon: float) -> tuple[float, float]:
    """Return the mean time up to a horizon, and its standard error.

    Parameters
    ----------
    durations
        Time of each unit until the event or until it was last seen, ≥ 0, shape (n,).
    events
        1 where the event happened, 0 where the unit was last seen without it (censored).
    horizon
        Times count up to here, > 0.

    Returns
    -------
    tuple[float, float]
        Area under the Kaplan-Meier curve up to the horizon, and its standard error; NaN for the
        error of a single unit.

    Raises
    ------
    ValueError
        If shapes differ, a duration is negative, the horizon is not > 0, or everybody left is
        censored before the horizon, so that the curve does not reach it.

    References
    ----------
    Irwin (1949), Journal of Hygiene 47:188-189; Royston & Parmar (2013), BMC Medical Research
    Methodology 13:152; the variance is Greenwood's, as in R's survival and survRM2.

    Examples
    --------
    >>> mean, error = restricted_mean([1, 2, 3, 4], [1, 1, 0, 1], 4)
    >>> round(mean, 3), round(error, 3)
    (2.75, 0.65)
    """
    time, happened = _checked(durations, events)
    if not 0 < horizon < math.inf:
        raise ValueError(f"horizon is {horizon!r}; expected a finite number > 0")
    last = int(np.argmax(time))
    if time[last] < horizon and not happened[time == time[last]].any():
        raise ValueError(
            f"the last unit was seen at {time[last]:g} without the event; expected times up to the"
            f" horizon {horizon:g}: take a shorter one"
        )
    risk = _at_risk(time, happened)
    within = risk.times <= horizon
    risk = _Risk(risk.times[within], risk.events[within], risk.at_risk[within])
    survival = np.cumprod(1.0 - risk.events / risk.at_risk)
    steps = np.diff(np.concatenate([[0.0], risk.times, [horizon]]))
    area = steps * np.concatenate([[1.0], survival])
    mean = float(area.sum())
    if time.size < 2:
        return mean, math.nan
    rest = np.cumsum(area[::-1])[::-1][1:]  # area to the right of each time
    left = risk.at_risk - risk.events
    terms = np.divide(
        rest**2 * risk.events, risk.at_risk * left, out=np.zeros_like(rest), where=left > 0
    )
    return mean, math.sqrt(float(terms.sum()))


def compare_restricted_means(
    control: Times,
    treatment: Times,
    horizon: float,
    *,
    alternative: Alternative = "two-sided",
    confidence_level: float = 0.95,
) -> Effect:
    """Compare the mean times of two arms up to a horizon.

    Parameters
    ----------
    control, treatment
        Durations and events of each arm, as `restricted_mean`.
    horizon
        Times count up to here.
    alternative
        Which departure the test looks for.
    confidence_level
        Nominal coverage.

    Returns
    -------
    Effect
        In the unit of the durations; holds whether or not hazards are proportional.

    Raises
    ------
    ValueError
        As `restricted_mean`.

    References
    ----------
    Royston & Parmar (2013), BMC Medical Research Methodology 13:152.

    Examples
    --------
    >>> found = compare_restricted_means(([1, 2, 3, 4], [1, 1, 0, 1]),
    ...                                  ([2, 3, 4, 5], [1, 0, 1, 1]), 4)
    >>> found.difference
    0.75
    """
    c, c_error = restricted_mean(*control, horizon)
    t, t_error = restricted_mean(*treatment, horizon)
    return effect_of(
        t - c,
        c_error**2 + t_error**2,
        math.inf,
        control=c,
        treatment=t,
        control_variance=c_error**2,
        control_covariance=-(c_error**2),
        n=(np.size(control[0]), np.size(treatment[0])),
        method=f"restricted mean time up to {horizon:g}, normal",
        alternative=alternative,
        confidence_level=confidence_level,
    )


def log_rank_test(control: Times, treatment: Times) -> LogRank:
    """Test whether two arms have the same distribution of times.

    Parameters
    ----------
    control, treatment
        Durations and events of each arm.

    Returns
    -------
    LogRank
        P-value 1 where nothing happened.

    Raises
    ------
    ValueError
        If shapes differ or a duration is negative.

    References
    ----------
    Mantel (1966), Cancer Chemotherapy Reports 50:163-170; Peto & Peto (1972), JRSS A
    135:185-207.

    Examples
    --------
    >>> found = log_rank_test(([1, 2, 3], [1, 1, 1]), ([4, 5, 6], [1, 1, 1]))
    >>> round(found.statistic, 3), round(found.pvalue, 4)
    (5.052, 0.0246)
    """
    c, t = _checked(*control), _checked(*treatment)
    both = _at_risk(np.concatenate([c[0], t[0]]), np.concatenate([c[1], t[1]]))
    ordered = np.sort(t[0])
    treated = (ordered.size - np.searchsorted(ordered, both.times)).astype(np.float64)
    share = treated / both.at_risk
    expected = float(both.events @ share)
    observed = int(t[1].sum())
    others = np.maximum(both.at_risk - 1, 1)
    variance = float(
        (both.events * share * (1 - share) * (both.at_risk - both.events) / others).sum()
    )
    if variance == 0:
        return LogRank(1.0, 0.0, observed, expected)
    statistic = (observed - expected) ** 2 / variance
    return LogRank(float(special.chdtrc(1, statistic)), statistic, observed, expected)


def _checked(durations: ArrayLike, events: ArrayLike) -> tuple[Vector, NDArray[np.bool_]]:
    time, happened = as_values(durations, "durations"), as_labels(events, "events")
    check_same_length(durations=time, events=happened)
    if (time < 0).any():
        raise ValueError(f"durations reach down to {time.min()}; expected numbers ≥ 0")
    return time, happened


def _at_risk(time: Vector, happened: NDArray[np.bool_]) -> _Risk:
    """Events and units still at risk at each distinct time at which something happened."""
    times, counts = np.unique(time[happened], return_counts=True)
    ordered = np.sort(time)
    at_risk = ordered.size - np.searchsorted(ordered, times)
    return _Risk(times, counts.astype(np.float64), at_risk.astype(np.float64))
