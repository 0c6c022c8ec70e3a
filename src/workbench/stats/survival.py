"""Times until something happens, where some units have not got there yet (censoring)."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from workbench.stats.bounds import clustered_standard_error
from workbench.stats.effects import Effect, effect_of
from workbench.stats.power import Alternative
from workbench.stats.validation import as_groups, as_labels, as_values, check_same_length

__all__ = [
    "LogRank",
    "RestrictedMean",
    "compare_restricted_means",
    "log_rank_test",
    "restricted_mean",
]

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


class RestrictedMean(NamedTuple):
    """Mean time of an arm up to a horizon.

    Attributes
    ----------
    mean, standard_error
        Area under the Kaplan-Meier curve, and its error; NaN for a single unit or cluster.
    variance
        Of one unit's time up to the horizon, were nobody censored.
    n
        Units.
    n_groups
        Clusters; None without.
    """

    mean: float
    standard_error: float
    variance: float
    n: int
    n_groups: int | None


class _Risk(NamedTuple):
    times: Vector  # distinct times at which something happened
    events: Vector
    at_risk: Vector


def restricted_mean(
    durations: ArrayLike, events: ArrayLike, horizon: float, *, groups: ArrayLike | None = None
) -> RestrictedMean:
    """Return the mean time up to a horizon, and its standard error.

    Parameters
    ----------
    durations
        Time of each unit until the event or until it was last seen, ≥ 0, shape (n,).
    events
        1 where the event happened, 0 where the unit was last seen without it (censored).
    horizon
        Times count up to here, > 0.
    groups
        Cluster of each unit, shape (n,): the error is then robust to what units of one share.

    Returns
    -------
    RestrictedMean

    Raises
    ------
    ValueError
        If shapes differ, a duration is negative, the horizon is not > 0, or everybody left is
        censored before the horizon, so that the curve does not reach it.

    References
    ----------
    Irwin (1949), Journal of Hygiene 47:188-189; Royston & Parmar (2013), BMC Medical Research
    Methodology 13:152; the variance is Greenwood's, as in R's survival and survRM2. With groups
    the influence of each unit is added up by cluster: Reid (1981), Annals of Statistics 9:78-92;
    Williams (1995), Biometrics 51:1449-1454.

    Examples
    --------
    >>> found = restricted_mean([1, 2, 3, 4], [1, 1, 0, 1], 4)
    >>> round(found.mean, 3), round(found.standard_error, 3)
    (2.75, 0.65)
    """
    time, happened = _checked(durations, events)
    if not 0 < horizon < math.inf:
        raise ValueError(f"horizon is {horizon!r}; expected a finite number > 0")
    coded = None if groups is None else as_groups(groups, time.size)
    last = int(np.argmax(time))
    if time[last] < horizon and not happened[time == time[last]].any():
        raise ValueError(
            f"the last unit was seen at {time[last]:g} without the event; expected times up to the"
            f" horizon {horizon:g}: take a shorter one"
        )
    risk = _at_risk(time, happened)
    within = risk.times <= horizon
    risk = _Risk(risk.times[within], risk.events[within], risk.at_risk[within])
    survival = np.concatenate([[1.0], np.cumprod(1.0 - risk.events / risk.at_risk)])
    ends = np.concatenate([[0.0], risk.times, [horizon]])
    area = np.diff(ends) * survival
    mean = float(area.sum())
    # E[T²] is the integral of 2 t S(t).
    variance = max(float((np.diff(ends**2) * survival).sum()) - mean**2, 0.0)
    n_groups = None if coded is None else coded[1]
    if time.size < 2:
        return RestrictedMean(mean, math.nan, variance, time.size, n_groups)
    rest = np.cumsum(area[::-1])[::-1][1:]  # area to the right of each time
    if coded is not None:
        influence = time.size * _influence(time, happened, risk, rest)
        error = clustered_standard_error(influence, coded)
        return RestrictedMean(mean, error, variance, time.size, n_groups)
    left = risk.at_risk - risk.events
    terms = np.divide(
        rest**2 * risk.events, risk.at_risk * left, out=np.zeros_like(rest), where=left > 0
    )
    return RestrictedMean(mean, math.sqrt(float(terms.sum())), variance, time.size, None)


def _influence(time: Vector, happened: NDArray[np.bool_], risk: _Risk, rest: Vector) -> Vector:
    """By how much each unit moves the mean."""
    if risk.times.size == 0:
        return np.zeros(time.size)
    expected = np.concatenate([[0.0], np.cumsum(rest * risk.events / risk.at_risk**2)])
    out = expected[np.searchsorted(risk.times, time, side="right")]
    own = happened & (time <= risk.times[-1])
    at = np.searchsorted(risk.times, time[own])
    out[own] -= rest[at] / risk.at_risk[at]
    return np.asarray(out)


def compare_restricted_means(
    control: Times,
    treatment: Times,
    horizon: float,
    *,
    control_groups: ArrayLike | None = None,
    treatment_groups: ArrayLike | None = None,
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
    control_groups, treatment_groups
        Cluster of each unit; both or neither.
    alternative
        Which departure the test looks for.
    confidence_level
        Nominal coverage.

    Returns
    -------
    Effect
        In the unit of the durations; holds whether or not hazards are proportional. With groups
        the arms are taken as independent of each other, which is safe where a cluster has units
        in both.

    Raises
    ------
    ValueError
        As `restricted_mean`, and if only one arm has groups.

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
    if (control_groups is None) != (treatment_groups is None):
        raise ValueError("groups are given for one arm only; expected both or neither")
    c = restricted_mean(*control, horizon, groups=control_groups)
    t = restricted_mean(*treatment, horizon, groups=treatment_groups)
    var_c, var_t = c.standard_error**2, t.standard_error**2
    groups = None if c.n_groups is None or t.n_groups is None else c.n_groups + t.n_groups
    name = "normal" if groups is None else "t, cluster-robust"
    return effect_of(
        t.mean - c.mean,
        var_c + var_t,
        math.inf if groups is None else max(groups - 2.0, 1.0),
        control=c.mean,
        treatment=t.mean,
        control_variance=var_c,
        control_covariance=-var_c,
        n=(c.n, t.n),
        n_groups=groups,
        method=f"restricted mean time up to {horizon:g}, {name}",
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
