"""Quantiles and times to an event, look by look: what needs the values as they were then."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from workbench.abtest.design import Design
from workbench.abtest.metrics import QuantileMetric, TimeToEventMetric
from workbench.abtest.monitor_looks import Codes, Course, Cut, course_of, outcomes_of
from workbench.abtest.unit_values import compare_times, units_followed
from workbench.stats import (
    Effect,
    QuantileBounds,
    compare_quantiles,
    quantile_difference_bounds,
)

__all__ = ["value_courses"]

Vector = NDArray[np.float64]
Flags = NDArray[np.bool_]

# Below these a standard error of a quantile, or of a mean time up to the horizon, is a guess.
_MIN_UNITS, _MIN_EVENTS, _MIN_CLUSTERS = 100, 10, 20
_DAYS = {"minutes": 1 / 1440, "hours": 1 / 24, "days": 1.0}


def value_courses(
    design: Design, name: str, cut: Cut, *, level: float, n_opt: float
) -> Mapping[str, Course]:
    """Compare a quantile or a time to an event of every treatment with the control's.

    Parameters
    ----------
    design
        The design.
    name
        The metric.
    cut
        The units.
    level
        Coverage of all looks together.
    n_opt
        Units of two arms at which a quantile's bounds are tightest.

    Raises
    ------
    DataError
        If a column is missing, holds no numbers, or lacks values the metric does not allow to.

    Notes
    -----
    A time to an event is judged at each look by what was known then: a unit counts from its
    exposure, censored at the look, and intervals begin when both arms have units followed up to
    the horizon.
    """
    metric = design.metrics[name]
    columns, kept = outcomes_of(design, name, cut)
    arms = list(design.arms)
    out = {}
    for treatment in design.treatments:
        sides = tuple(arms.index(a) for a in (design.control, treatment))
        if isinstance(metric, QuantileMetric):
            out[treatment] = _quantiles(metric, columns[0], kept, cut, sides, level, n_opt)
        elif isinstance(metric, TimeToEventMetric):
            out[treatment] = _times(metric, columns, cut, sides)
    return out


def _quantiles(
    metric: QuantileMetric,
    values: Vector,
    kept: Flags,
    cut: Cut,
    sides: tuple[int, ...],
    level: float,
    n_opt: float,
) -> Course:
    rows: list[Effect | int] = []
    bounds: list[QuantileBounds | None] = []
    for look in range(cut.n_looks):
        seen = [kept & (cut.look <= look) & (cut.arm == side) for side in sides]
        groups = _groups(cut.cluster, seen)
        if _early(seen, groups):
            rows.append(int(sum(s.sum() for s in seen)))
            bounds.append(None)
            continue
        c, t = (values[s] for s in seen)
        rows.append(
            compare_quantiles(c, t, metric.q, control_groups=groups[0], treatment_groups=groups[1])
        )
        bounds.append(
            quantile_difference_bounds(
                c, t, metric.q, n_opt=n_opt, control_groups=groups[0],
                treatment_groups=groups[1], confidence_level=level,
            )
        )  # fmt: skip
    return course_of(rows)._replace(bounds=tuple(bounds))


def _times(
    metric: TimeToEventMetric, columns: list[Vector], cut: Cut, sides: tuple[int, ...]
) -> Course:
    duration, event = columns
    rows: list[Effect | int] = []
    followed = []
    for day in cut.look_day:
        sofar = (day - cut.exposed_day) / _DAYS[metric.duration_unit]
        seen = [(sofar >= 0) & (cut.arm == side) for side in sides]
        groups = _groups(cut.cluster, seen)
        arms = [
            (np.minimum(duration[s], sofar[s]), event[s] * (duration[s] <= sofar[s]))
            for s in seen
        ]  # fmt: skip
        # Decided by when units were exposed and by how many had the event, not by when.
        whole = [s & (sofar >= metric.horizon) for s in seen]
        few = min(float(happened.sum()) for _, happened in arms) < _MIN_EVENTS
        if few or _early(whole, groups) or not all(_reach(a, metric.horizon) for a in arms):
            n = int(sum(s.sum() for s in seen))
            rows.append(n)
            followed.append(float(n))
            continue
        c, t = arms
        rows.append(compare_times(c, t, metric, (groups[0], groups[1]), 0.95))
        followed.append(units_followed(c, t, metric))
    return course_of(rows)._replace(followed=np.array(followed))


def _reach(times: tuple[Vector, Vector], horizon: float) -> bool:
    """Whether anybody was followed so far: a table's own censoring may end before."""
    duration, happened = times
    last = duration.max()
    return bool(last >= horizon or happened[duration == last].any())


def _groups(cluster: Codes | None, seen: list[Flags]) -> list[Codes | None]:
    return [None if cluster is None else cluster[s] for s in seen]


def _early(seen: list[Flags], groups: list[Codes | None]) -> bool:
    if min(int(s.sum()) for s in seen) < _MIN_UNITS:
        return True
    return any(g is not None and np.unique(g).size < _MIN_CLUSTERS for g in groups)
