"""An experiment cut at its looks: what each comparison was worth each time somebody looked."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.abtest.design import Design
from workbench.abtest.metrics import Metric, ProportionMetric, RatioMetric, TimeToEventMetric
from workbench.errors import DataError
from workbench.stats import (
    Effect,
    Moments,
    QuantileBounds,
    compare_cluster_totals,
    compare_means,
    compare_ratios,
    covariate_coefficients,
    grouped_moments,
)

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Course", "Cut", "course_of", "courses", "outcomes_of"]

Vector = NDArray[np.float64]
Codes = NDArray[np.intp]

# Below these the normal approximation behind every sequence cannot be trusted.
_MIN_UNITS, _MIN_EVENTS, _MIN_CLUSTERS = 100, 10, 20


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """Units, each with the first look that counts it.

    Parameters
    ----------
    units : pandas.DataFrame
        One row a unit; the values of column c are in the column ``value c``.
    arm
        Number of each unit's arm in the design's order, shape (n,).
    look
        Number of the first look that counts the unit; `n_looks` where none does, shape (n,).
    cluster
        Number of each unit's cluster; None without clusters.
    n_looks
        How many looks.
    exposed_day, look_day
        When each unit was exposed and when each look was, in days from the same moment, shapes
        (n,) and (looks,).
    """

    units: "pd.DataFrame"
    arm: Codes
    look: Codes
    cluster: Codes | None
    n_looks: int
    exposed_day: Vector
    look_day: Vector

    def values(self, column: str) -> Vector:
        """Numbers of a column, NaN where they are missing.

        Raises
        ------
        DataError
            If one is infinite.
        """
        values: Vector = self.units[f"value {column}"].to_numpy(dtype=np.float64)
        if np.isinf(values).any():
            raise DataError(
                f"column {column!r} holds an infinite value",
                expected="finite numbers",
                fix="find out where it comes from",
            )
        return values


class Course(NamedTuple):
    """One comparison at every look, arrays of shape (looks,).

    Attributes
    ----------
    difference, standard_error
        Treatment minus control; the error is infinite while it is too early to say.
    lift, lift_standard_error
        The same, relative to the control.
    control, treatment
        Figures of the arms.
    n
        Units of both arms.
    followed
        Units that, followed to the end, would tell as much: what the bounds reckon with.
    bounds
        Of a quantile: its own bounds at each look, None where it is too early; empty otherwise.
    """

    difference: Vector
    standard_error: Vector
    lift: Vector
    lift_standard_error: Vector
    control: Vector
    treatment: Vector
    n: Vector
    followed: Vector
    bounds: tuple[QuantileBounds | None, ...] = ()


def courses(design: Design, name: str, cut: Cut) -> Mapping[str, Course]:
    """Compare every treatment with the control at every look.

    Parameters
    ----------
    design
        The design.
    name
        The metric: a mean, count, proportion or ratio.
    cut
        The units.

    Raises
    ------
    DataError
        If a column is missing, holds no numbers, or lacks values the metric does not allow to.
    """
    metric = design.metrics[name]
    columns, kept = outcomes_of(design, name, cut)
    arm, look = cut.arm[kept], cut.look[kept]
    cluster = None if cut.cluster is None else cut.cluster[kept]
    columns = [column[kept] for column in columns]
    arms = list(design.arms)
    control = arms.index(design.control)
    found = {}
    if cluster is None:
        totals = _cumulative(columns, arm, look, len(arms), cut.n_looks)
        for treatment in design.treatments:
            rows = [
                _independent(metric, [row[a] for a in range(len(arms))], control, other)
                for other in (arms.index(treatment),)
                for row in totals
            ]
            found[treatment] = course_of(rows)
        return found
    for treatment in design.treatments:
        other = arms.index(treatment)
        mine = (arm == control) | (arm == other)
        sides = [column[mine] for column in columns]
        rows = _clustered(metric, sides, arm[mine] == other, look[mine], cluster[mine], cut.n_looks)
        found[treatment] = course_of(rows)
    return found


def outcomes_of(design: Design, name: str, cut: Cut) -> tuple[list[Vector], NDArray[np.bool_]]:
    """Return outcome (or numerator and denominator) and covariates, and the units that have them.

    Parameters
    ----------
    design, name, cut
        As `courses`.

    Raises
    ------
    DataError
        If values are missing where the design does not say what that means.
    """
    metric = design.metrics[name]
    if isinstance(metric, RatioMetric):
        named: Sequence[str] = (metric.numerator, metric.denominator)
    elif isinstance(metric, TimeToEventMetric):
        named = (metric.duration or f"{name}_days", metric.event or name)
    else:
        named = (metric.column or name,)
    out = []
    kept = cut.look < cut.n_looks
    for column in named:
        values = cut.values(column)
        missing = np.isnan(values) & kept
        if missing.any() and metric.missing == "error":
            raise DataError(
                f"{int(missing.sum())} units have no {column!r}",
                where=f"metric {name!r}",
                expected="a value for every unit",
                fix="record it, or say `missing: zero` or `missing: drop` in the design",
            )
        if metric.missing == "zero":
            values = np.where(np.isnan(values), 0.0, values)
        kept = kept & ~np.isnan(values)
        out.append(values)
    # With clusters the plain estimate is followed: its error already holds whatever they share.
    for column in design.covariates_of(name) if cut.cluster is None else ():
        values = cut.values(column)
        out.append(np.where(np.isnan(values), np.nanmean(values), values))
    return out, kept


def _cumulative(
    columns: list[Vector], arm: Codes, look: Codes, n_arms: int, n_looks: int
) -> list[list[Moments | None]]:
    """Moments of each arm up to each look; None while an arm has no units."""
    code = look * n_arms + arm
    parts: dict[int, Moments] = {}
    if code.size:
        seen, first = np.unique(code, return_index=True)
        in_order = seen[np.argsort(first)]
        parts = dict(zip(in_order.tolist(), grouped_moments(columns, code), strict=True))
    running: list[Moments | None] = [None] * n_arms
    out = []
    for at in range(n_looks):
        for side in range(n_arms):
            part = parts.get(at * n_arms + side)
            before = running[side]
            if part is not None:
                running[side] = part if before is None else before + part
        out.append(list(running))
    return out


def _independent(
    metric: Metric, arms: list[Moments | None], control: int, other: int
) -> Effect | int:
    """Effect of one look, or the number of units where it is too early for one."""
    a, b = arms[control], arms[other]
    if a is None or b is None or not (_enough(metric, a) and _enough(metric, b)):
        return (a.n if a else 0) + (b.n if b else 0)
    known = [m for m in arms if m is not None and m.n > 1]
    if isinstance(metric, RatioMetric):
        covariates = (a.mean.size - 2) // 2
        slopes = covariate_coefficients(known, ratios=True) if covariates else None
        return compare_ratios(a, b, covariates=covariates, coefficients=slopes)
    covariates = a.mean.size - 1
    slopes = covariate_coefficients(known) if covariates else None
    return compare_means(a, b, covariates=covariates, coefficients=slopes)


def _enough(metric: Metric, arm: Moments) -> bool:
    if arm.n < _MIN_UNITS:
        return False
    if isinstance(metric, ProportionMetric):
        events = float(arm.mean[0]) * arm.n
        return min(events, arm.n - events) >= _MIN_EVENTS
    if isinstance(metric, RatioMetric):
        return float(arm.mean[1]) > 0
    return True


def _clustered(
    metric: Metric,
    columns: list[Vector],
    treated: NDArray[np.bool_],
    look: Codes,
    cluster: Codes,
    n_looks: int,
) -> list[Effect | int]:
    """Effects from the totals of each cluster in each arm, look by look."""
    cells, cell = np.unique(cluster * 2 + treated, return_inverse=True)
    side, names = (cells % 2).astype(np.int64), cells // 2
    weight = columns[1] if isinstance(metric, RatioMetric) else np.ones(treated.size)
    shape = (n_looks, cells.size)
    at = look * cells.size + cell

    def running(values: Vector | None) -> Vector:
        summed = np.bincount(at, values, minlength=n_looks * cells.size)
        return np.asarray(summed.reshape(shape).cumsum(axis=0), dtype=np.float64)

    totals, sizes, units = running(columns[0]), running(weight), running(None)
    out: list[Effect | int] = []
    for now in range(n_looks):
        n = np.bincount(side, units[now], minlength=2).astype(int)
        filled = sizes[now] > 0
        spread = np.bincount(side[filled], minlength=2)
        sums = np.bincount(side, totals[now], minlength=2)
        early = n.min() < _MIN_UNITS or spread.min() < _MIN_CLUSTERS
        if isinstance(metric, ProportionMetric):
            early = early or float(np.minimum(sums, n - sums).min()) < _MIN_EVENTS
        if early:
            out.append(int(n.sum()))
            continue
        out.append(
            compare_cluster_totals(
                names[filled],
                side[filled],
                sizes[now][filled],
                totals[now][filled],
                n=(int(n[0]), int(n[1])),
            )
        )
    return out


def course_of(rows: Sequence[Effect | int]) -> Course:
    """Put the effects of all looks side by side.

    Parameters
    ----------
    rows
        Effect of each look, or the number of units where it is too early for one.
    """
    nothing: Any = math.nan
    table = [
        (nothing, math.inf, nothing, math.inf, nothing, nothing, float(row))
        if isinstance(row, int)
        else (
            row.difference,
            row.standard_error,
            row.lift,
            math.inf if math.isnan(row.lift_standard_error) else row.lift_standard_error,
            row.control,
            row.treatment,
            float(row.n_control + row.n_treatment),
        )
        for row in rows
    ]
    difference, error, lift, lift_error, control, treatment, n = (
        np.array(column, dtype=np.float64) for column in zip(*table, strict=True)
    )
    return Course(difference, error, lift, lift_error, control, treatment, n, n)
