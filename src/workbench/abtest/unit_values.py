"""The effect of one treatment on what needs the values themselves: quantiles, times to an event."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.abtest.design import Design
from workbench.abtest.estimates import Measured, interval_at, sequence_of
from workbench.abtest.metrics import QuantileMetric, TimeToEventMetric
from workbench.abtest.source import Units, column_texts, outcome_columns
from workbench.abtest.sql import fill, quoted
from workbench.errors import DataError
from workbench.stats import (
    Effect,
    compare_quantiles,
    compare_restricted_means,
    log_rank_test,
    quantile_difference_bounds,
    restricted_mean,
)

__all__ = ["ValueEstimates", "compare_times", "read_values", "units_followed"]

Array = NDArray[np.float64]
Times = tuple[Array, Array]
Groups = NDArray[np.object_] | NDArray[np.intp] | None


def compare_times(
    control: Times,
    treatment: Times,
    metric: TimeToEventMetric,
    groups: tuple[Groups, Groups],
    level: float,
) -> Effect:
    """Compare the mean times of two arms up to the metric's horizon, robust to clusters.

    Parameters
    ----------
    control, treatment
        Durations and events of each arm.
    metric
        The metric.
    groups
        Clusters of the units of each arm; None without.
    level
        Confidence level.

    Raises
    ------
    ValueError
        If an arm was not followed up to the horizon.
    """
    return compare_restricted_means(
        control, treatment, metric.horizon, control_groups=groups[0], treatment_groups=groups[1],
        confidence_level=level,
    )  # fmt: skip


def units_followed(control: Times, treatment: Times, metric: TimeToEventMetric) -> float:
    """Units that, followed to the horizon, would tell as much as these, some still under way.

    Parameters
    ----------
    control, treatment
        Durations and events of each arm.
    metric
        The metric.

    Notes
    -----
    Mean times at successive looks gather information like a sum of independent terms, in
    proportion to 1 / variance and not to the number of units: Murray & Tsiatis (1999),
    Biometrics 55:1085-1092; Scharfstein, Tsiatis & Robins (1997), JASA 92:1342-1350.
    """
    arms = [restricted_mean(*times, metric.horizon) for times in (control, treatment)]
    n = float(sum(arm.n for arm in arms))
    now = sum(arm.standard_error**2 for arm in arms)
    whole = sum(arm.variance / arm.n for arm in arms)
    return n * min(1.0, whole / now) if now > 0 else n


@dataclass(frozen=True)
class ValueEstimates:
    """Quantiles and times to an event, which need the values themselves.

    Parameters
    ----------
    design, metric
        The design and the name of the metric.
    arm, cluster, segments
        Of each unit.
    values
        Values, or durations and events, by column: shape (c, n).
    """

    design: Design
    metric: str
    arm: NDArray[np.object_]
    cluster: NDArray[np.object_] | None
    segments: tuple[NDArray[np.object_], ...]
    values: Array

    def measure(
        self, arm: str, level: float, segment: int = -1, of: str | None = None
    ) -> Measured | None:
        """Compare an arm with the control; see `Estimates.measure`."""
        inside = np.ones(self.arm.shape, bool) if segment < 0 else self.segments[segment] == of
        sides = [inside & (self.arm == name) for name in (self.design.control, arm)]
        if not (sides[0].any() and sides[1].any()):
            return None
        metric = self.design.metrics[self.metric]
        if isinstance(metric, QuantileMetric):
            c, t = (self.values[0, side] for side in sides)
            plain = compare_quantiles(c, t, metric.q, confidence_level=level)
            if self.cluster is None:
                return Measured(plain, plain, None, None, "")
            groups = [self.cluster[side] for side in sides]
            if min(len(set(g.tolist())) for g in groups) < 2:
                return None
            found = compare_quantiles(
                c, t, metric.q, control_groups=groups[0], treatment_groups=groups[1],
                confidence_level=level,
            )  # fmt: skip
            return Measured(found, found, plain, None, "")
        return self._times(arm, sides, level)

    def _times(self, arm: str, sides: list[NDArray[np.bool_]], level: float) -> Measured | None:
        metric = self._timed()
        c, t = ((self.values[0, side], self.values[1, side]) for side in sides)
        try:
            test = log_rank_test(c, t)
            plain = compare_times(c, t, metric, (None, None), level)
            if self.cluster is None:
                return Measured(plain, plain, None, None, "", test)
            groups = self.cluster[sides[0]], self.cluster[sides[1]]
            if min(len(set(g.tolist())) for g in groups) < 2:
                return None
            found = compare_times(c, t, metric, groups, level)
        except ValueError as reason:
            raise DataError(
                str(reason),
                where=f"metric {self.metric!r}, arms {self.design.control!r} and {arm!r}",
                expected="durations from 0, events 0 or 1, units followed up to the horizon",
                fix="correct such rows, or shorten the metric's horizon or wait",
            ) from None  # fmt: skip
        note = "its log-rank test takes units as independent; the interval allows for clusters"
        return Measured(found, found, plain, None, note, test)

    def _timed(self) -> TimeToEventMetric:
        metric = self.design.metrics[self.metric]
        if not isinstance(metric, TimeToEventMetric):
            raise TypeError(f"{self.metric!r} is compared from sums")
        return metric

    def sequence(
        self, arm: str, found: Effect, level: float, n_opt: float
    ) -> tuple[float, float, float]:
        """Bounds that hold at every look; see `Estimates.sequence`."""
        metric = self.design.metrics[self.metric]
        sides = [self.arm == name for name in (self.design.control, arm)]
        if isinstance(metric, QuantileMetric):
            groups = [None if self.cluster is None else self.cluster[side] for side in sides]
            bounds = quantile_difference_bounds(
                self.values[0, sides[0]], self.values[0, sides[1]], metric.q, n_opt=n_opt,
                control_groups=groups[0], treatment_groups=groups[1], confidence_level=level,
            )  # fmt: skip
            return bounds.ci_lower, bounds.ci_upper, bounds.pvalue
        c, t = ((self.values[0, side], self.values[1, side]) for side in sides)
        return sequence_of(found, units_followed(c, t, self._timed()), level, n_opt)

    def interval(self, arm: str, found: Effect, level: float) -> tuple[float, float]:
        """Bounds at another level; see `Estimates.interval`."""
        if isinstance(self.design.metrics[self.metric], QuantileMetric):
            again = self.measure(arm, level)  # order statistics further out
            return (-math.inf, math.inf) if again is None else again.effect[1:3]
        return interval_at(found, level)


def read_values(units: Units, name: str) -> ValueEstimates:
    """Read the values of a quantile or time to an event.

    Parameters
    ----------
    units
        The units.
    name
        Name of the metric.

    Raises
    ------
    DataError
        If a value is infinite, or missing where the metric does not say what that means.
    """
    design, metric = units.design, units.design.metrics[name]
    columns = outcome_columns(design)[name]
    parts = [f"{quoted(units.arm)}::varchar as arm"]
    if design.cluster is not None:
        parts.append(f"{quoted(design.cluster.column)}::varchar as cluster")
    parts += [
        f"coalesce({quoted(s)}::varchar, '(missing)') as s{i}"
        for i, s in enumerate(design.segments)
    ]
    parts += [f"{quoted(c)}::double as v{i}" for i, c in enumerate(columns)]
    found = units.con.execute(fill("select {p} from units", p=", ".join(parts))).fetchnumpy()
    values: Array = np.stack(
        [np.ma.filled(np.ma.asarray(found[f"v{i}"], float), np.nan) for i in range(len(columns))]
    )
    if np.isinf(values).any():
        raise DataError(
            "values are infinite", where=f"metric {name!r}", expected="finite numbers",
            fix="correct the values",
        )  # fmt: skip
    lacking: NDArray[np.bool_] = np.asarray(np.isnan(values).any(axis=0))
    keep: NDArray[np.bool_] = np.ones(lacking.shape, bool)
    if lacking.any() and metric.missing == "error":
        raise DataError(
            f"{int(lacking.sum()):,} units have no value", where=f"metric {name!r}",
            expected="a value for every unit", fix="set 'missing: drop' or 'missing: zero'",
        )  # fmt: skip
    if metric.missing == "drop":
        keep = ~lacking
    values = np.nan_to_num(values, nan=0.0)[:, keep]

    def texts(column: str) -> NDArray[np.object_]:
        return column_texts(found[column])[keep]

    return ValueEstimates(
        design,
        name,
        texts("arm"),
        texts("cluster") if design.cluster is not None else None,
        tuple(texts(f"s{i}") for i in range(len(design.segments))),
        values,
    )
