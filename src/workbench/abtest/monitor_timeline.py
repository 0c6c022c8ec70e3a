"""When an experiment is looked at, and which units count at each look."""

import math
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.abtest.design import Design, GroupSequential
from workbench.abtest.monitor_looks import Cut
from workbench.abtest.source import Units, open_units, outcome_columns
from workbench.abtest.spark import SparkSql
from workbench.abtest.sql import fill, quoted
from workbench.errors import DataError
from workbench.stats import sequential_sample_ratio

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SRM_ALPHA", "SampleRatioRow", "Timeline", "timeline"]

Vector = NDArray[np.float64]
Codes = NDArray[np.intp]

SRM_ALPHA = 0.01
"""The chance that arms which do get their share ever raise the alarm, over all looks."""

_DAY_S = 86_400.0


class SampleRatioRow(NamedTuple):
    """How arms got their share up to one look.

    Attributes
    ----------
    look, at
        Number of the look, from 1, and when.
    counts
        What was assigned so far (units, or clusters where those are assigned), by arm.
    pvalue
        Valid at every look; never rises.
    """

    look: int
    at: Any
    counts: tuple[int, ...]
    pvalue: float


@dataclass(frozen=True, slots=True, eq=False)
class Timeline:
    """The looks of an experiment.

    Parameters
    ----------
    design
        The design, with the columns of the units at hand.
    cut
        Units with the look that first counts them.
    moments
        When each look was.
    counted
        Units that count at each look, shape (looks,).
    sample_ratio
        The check of the arms' shares at each look.
    n_units
        Units exposed up to the last look.
    n_strange
        Rows left out because the design does not know their arm.
    """

    design: Design
    cut: Cut
    moments: tuple[Any, ...]
    counted: Codes
    sample_ratio: tuple[SampleRatioRow, ...]
    n_units: int
    n_strange: int


def timeline(
    design: Design, data: Any, *, as_of: datetime, arm: str, exposed_at: str, every_days: float
) -> Timeline:
    """Cut the units of an experiment at its looks; see `monitor` for the parameters.

    Raises
    ------
    DataError
        If there are no units, a column is missing or malformed, or times have no zone.
    """
    import pandas as pd

    if not every_days > 0:
        raise DataError(
            f"every_days is {every_days}", expected="a number above 0", fix="correct it"
        )
    with open_units(design, data, as_of=as_of, arm=arm, exposed_at=exposed_at) as units:
        table, known_design = _fetched(units), units.design
    if len(table) == 0:
        raise DataError(
            "no unit has been exposed",
            expected=f"exposures up to {as_of.isoformat()}",
            fix="check the dates of the design, and the moment asked for",
        )
    code = table["arm"].astype(object).map({name: i for i, name in enumerate(design.arms)})
    n_strange = int(code.isna().sum())
    table, codes = table[code.notna()], code.dropna().to_numpy(dtype=np.intp)
    start = table["at"].min().normalize()
    day = ((table["at"] - start) / pd.Timedelta(days=1)).to_numpy(dtype=np.float64)
    mature = day + design.window_days if design.window_days else day
    until = (pd.Timestamp(as_of) - start) / pd.Timedelta(days=1)
    ends = _look_days(design, mature, min(float(until), float(mature.max())), every_days)
    moments = tuple((start + pd.Timedelta(days=end)).ceil("s") for end in ends)
    look = np.searchsorted(ends, mature, side="left")
    seen = np.searchsorted(ends, day, side="left")
    cluster = None
    if design.cluster is not None:
        cluster = np.asarray(table["cluster"].factorize()[0], dtype=np.intp)
    ratio = _sample_ratio(design, codes, seen, cluster, moments)
    counted = np.bincount(look[look < ends.size], minlength=ends.size).cumsum()
    cut = Cut(table, codes, look, cluster, int(ends.size), day, ends)
    return Timeline(
        known_design, cut, moments, counted, ratio, int((seen < ends.size).sum()), n_strange
    )


def _fetched(units: Units) -> "pd.DataFrame":
    """The columns that are followed, and arm, time and cluster under names of their own."""
    design = units.design
    if units.exposed_at is None:
        raise DataError(
            "the units have no time of exposure",
            expected="a column of times with a zone: there are no looks without it",
            fix="pass exposed_at=, or analyse the experiment instead",
        )
    chosen = {
        "arm": f"{quoted(units.arm)}::varchar",
        "at": quoted(units.exposed_at),
    }
    if design.cluster is not None:
        chosen["cluster"] = f"{quoted(design.cluster.column)}::varchar"
    # Values keep their own names behind a mark, so that none is taken for arm, time or cluster.
    for column in sorted({c for own in outcome_columns(design).values() for c in own}):
        chosen[f"value {column}"] = f"{quoted(column)}::double"
    parts = ", ".join(f"{sql} as {quoted(name)}" for name, sql in chosen.items())
    query = fill("select {parts} from units", parts=parts)
    if isinstance(units.con, SparkSql):
        raise DataError(
            "the units are in Spark, and every unit is needed to follow them over time",
            expected="a table in memory, files or an event store",
            fix="write them as Parquet; `analyse` takes them where they are",
        )
    found: pd.DataFrame = units.con.sql(query).to_arrow_table().to_pandas()
    if design.cluster is not None and found["cluster"].isna().any():
        raise DataError(
            f"{int(found['cluster'].isna().sum()):,} units have no cluster",
            where=f"column {design.cluster.column!r}",
            expected="the cluster of every unit",
            fix="fill it, or design the experiment without clusters",
        )
    return found


def _look_days(design: Design, mature: Vector, last: float, every_days: float) -> Vector:
    counted = np.sort(mature[mature <= last])
    if counted.size == 0:
        raise DataError(
            "the window of no unit is over yet",
            expected=f"units exposed {design.window_days or 0:g} days ago",
            fix="wait",
        )
    plan = design.sequential
    if isinstance(plan, GroupSequential) and design.planned_units:
        wanted = np.ceil(np.arange(1, plan.looks + 1) * design.planned_units / plan.looks)
        reached = wanted[wanted <= counted.size].astype(int)
        return np.unique(counted[reached - 1]) if reached.size else counted[-1:]
    ends = np.arange(1, math.ceil(last / every_days) + 1) * every_days
    ends = np.append(ends[ends < last], last)
    return np.asarray(ends[ends >= counted[0]])


def _sample_ratio(
    design: Design, codes: Codes, seen: Codes, cluster: Codes | None, moments: tuple[Any, ...]
) -> tuple[SampleRatioRow, ...]:
    """Count what was assigned: units, or clusters at their first exposure."""
    if cluster is not None and design.cluster is not None and design.cluster.randomised:
        order = np.argsort(seen, kind="stable")
        _, first = np.unique(cluster[order], return_index=True)
        codes, seen = codes[order[first]], seen[order[first]]
    k, n_looks = len(design.arms), len(moments)
    inside = seen < n_looks
    counts = np.bincount(seen[inside] * k + codes[inside], minlength=k * n_looks)
    table = counts.reshape(n_looks, k).cumsum(axis=0)
    pvalue = sequential_sample_ratio(table, list(design.shares.values())).pvalue
    return tuple(
        SampleRatioRow(i + 1, moments[i], tuple(int(c) for c in table[i]), float(pvalue[i]))
        for i in range(n_looks)
    )
