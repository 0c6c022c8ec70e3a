"""Where units come from: a table in memory, Parquet or CSV files, or an event store."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from workbench.abtest.design import Design
from workbench.abtest.metrics import RatioMetric, TimeToEventMetric
from workbench.abtest.spark import SparkSql, is_spark_frame
from workbench.abtest.sql import fill, literal, quoted
from workbench.abtest.store import EventStore
from workbench.abtest.unit_table import UnitCounts, build_unit_table, unit_table_design
from workbench.errors import DataError

if TYPE_CHECKING:
    import duckdb

__all__ = ["Units", "column_texts", "open_units", "outcome_columns"]

_NUMBERS = (
    "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER",
    "UBIGINT", "UHUGEINT", "FLOAT", "DOUBLE", "DECIMAL", "BOOLEAN",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Units:
    """One row a unit, in DuckDB.

    Parameters
    ----------
    con
        The connection to DuckDB, or to Spark in its place; its view or table `units` holds the
        rows.
    design
        The design, with the columns of this table.
    types
        Type of each column.
    arm
        Column of the arm.
    exposed_at
        Column of the time of exposure; None when there is none.
    counts
        What became of events; None for tables.
    n_outside
        Rows left out because their exposure lies outside the experiment or in the future.
    """

    con: "duckdb.DuckDBPyConnection | SparkSql"
    design: Design
    types: Mapping[str, str]
    arm: str
    exposed_at: str | None
    counts: UnitCounts | None
    n_outside: int

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        return list(self.con.execute(sql).fetchall())


@contextmanager
def open_units(
    design: Design,
    data: Any,
    *,
    as_of: datetime,
    arm: str = "arm",
    exposed_at: str = "exposed_at",
    threads: int | None = None,
    memory_limit: str | None = None,
) -> Iterator[Units]:
    """Open the units of an experiment and check that its columns are there.

    Parameters
    ----------
    design
        The design.
    data
        A DataFrame (pandas, polars, Arrow or Spark) or Parquet or CSV files (a path, patterns
        allowed) with one row a unit; or an `EventStore`. Spark adds up where the data are.
    as_of
        Moment of the analysis: exposures after it are left out.
    arm, exposed_at
        Columns of a table. A table need not have the time; where it has, it must have a zone.
    threads, memory_limit
        Of DuckDB; its own defaults when omitted.

    Raises
    ------
    DataError
        If data are of another kind, a column is missing or of the wrong type, a unit appears
        twice, or a time has no zone.
    """
    counts, source = None, "given"
    con = SparkSql(data) if is_spark_frame(data) else _duckdb(threads, memory_limit)
    try:
        if isinstance(con, SparkSql):
            types = con.types
        else:
            if isinstance(data, EventStore):
                counts, source = _units_of_events(con, data, design, as_of), "units"
                design, arm, exposed_at = unit_table_design(design), "arm", "exposed_at"
            else:
                source = _source(con, data)
            types = _types(con, source)
        _check_columns(design, types, arm, exposed_at)
        timed = exposed_at if exposed_at in types else None
        n_outside = 0
        if counts is None:
            n_outside = _restrict(con, source, design, timed, as_of)
        units = Units(con, design, types, arm, timed, counts, n_outside)
        _check_unique(units)
        yield units
    finally:
        con.close()


def _duckdb(threads: int | None, memory_limit: str | None) -> "duckdb.DuckDBPyConnection":
    import duckdb

    con = duckdb.connect()
    con.execute("set timezone = 'UTC'; set preserve_insertion_order = false")
    if threads is not None:
        con.execute(fill("set threads = {n}", n=str(int(threads))))
    if memory_limit is not None:
        con.execute(fill("set memory_limit = {limit}", limit=literal(memory_limit)))
    return con


def column_texts(column: Any) -> NDArray[np.object_]:
    """Texts of a column that DuckDB gave, None where there is none."""
    texts: NDArray[np.object_] = np.array(np.ma.getdata(column), dtype=object)
    texts[np.ma.getmaskarray(column)] = None
    return texts


def outcome_columns(design: Design) -> dict[str, tuple[str, ...]]:
    """Return the columns each metric reads, by metric, its covariates last."""
    out: dict[str, tuple[str, ...]] = {}
    for name, metric in design.metrics.items():
        if isinstance(metric, RatioMetric):
            own: tuple[str, ...] = (metric.numerator, metric.denominator)
        elif isinstance(metric, TimeToEventMetric):
            own = (metric.duration or f"{name}_days", metric.event or name)
        else:
            own = (metric.column or name,)
        out[name] = own + design.covariates_of(name)
    return out


def _units_of_events(
    con: "duckdb.DuckDBPyConnection", store: EventStore, design: Design, as_of: datetime
) -> UnitCounts:
    """Make the units in memory, so that nobody has to wait for the analysis to record more."""
    with store.attached(con) as schema:
        return build_unit_table(con, design, as_of, schema=schema)


def _source(con: "duckdb.DuckDBPyConnection", data: Any) -> str:
    """SQL that stands for the rows after FROM."""
    import duckdb

    if isinstance(data, str | Path):
        suffix = Path(data).suffix.lower()
        reader = {".parquet": "read_parquet", ".csv": "read_csv"}.get(suffix)
        if reader is None:
            raise DataError(
                f"{str(data)!r} is no file this can read", expected="*.parquet or *.csv",
                fix="write the units as Parquet",
            )  # fmt: skip
        source = f"{reader}({literal(str(data))})"
        try:
            con.execute(fill("select 1 from {source} limit 1", source=source))
        except duckdb.Error as reason:
            raise DataError(
                f"the units cannot be read: {str(reason).splitlines()[0]}", where=str(data),
                expected="one row a unit", fix="check the path and the file",
            ) from None  # fmt: skip
        return source
    if not hasattr(data, "columns"):
        raise DataError(
            f"the units are a {type(data).__name__}",
            expected="a DataFrame, a path of Parquet or CSV files, or an EventStore",
            fix="pass one of these",
        )
    con.register("given", data)
    return "given"


def _types(con: "duckdb.DuckDBPyConnection", source: str) -> dict[str, str]:
    described = con.execute(fill("describe select * from {source}", source=source)).fetchall()
    return {str(row[0]): str(row[1]) for row in described}


def _check_columns(design: Design, types: Mapping[str, str], arm: str, exposed_at: str) -> None:
    numbers = {c for columns in outcome_columns(design).values() for c in columns}
    others = {arm, *design.segments, *design.post_strata}
    if design.cluster is not None:
        others.add(design.cluster.column)
    if design.unit_column is not None:
        others.add(design.unit_column)
    missing = sorted((numbers | others) - set(types))
    if missing:
        raise DataError(
            f"the units lack the column(s) {', '.join(missing)}",
            expected=f"columns {', '.join(sorted(numbers | others))}",
            fix="name the columns in the design's metrics, or add them",
        )
    for column in sorted(numbers):
        kind = types[column].split("(")[0]
        if kind not in _NUMBERS:
            raise DataError(
                f"column {column!r} is {types[column]}", expected="numbers, or true and false",
                fix="convert it: an outcome that is a text cannot be averaged",
            )  # fmt: skip
    if exposed_at not in types and exposed_at != "exposed_at":
        raise DataError(
            f"the units lack the column {exposed_at!r}, which was named as the time of exposure",
            expected=f"one of {', '.join(sorted(types))}",
            fix="correct the name: without it nothing can be cut at a moment",
        )
    if exposed_at in types and types[exposed_at] != "TIMESTAMP WITH TIME ZONE":
        raise DataError(
            f"column {exposed_at!r} is {types[exposed_at]}, a time without a zone",
            expected="times with a zone; they are compared in UTC",
            fix="localise it, for example df[column].dt.tz_localize('UTC')",
        )


def _restrict(
    con: "duckdb.DuckDBPyConnection | SparkSql",
    source: str,
    design: Design,
    exposed_at: str | None,
    as_of: datetime,
) -> int:
    """Make the view `units` of the rows that count; return how many do not."""
    if exposed_at is None:
        con.execute(fill("create view units as select * from {source}", source=source))
        return 0
    at = quoted(exposed_at)
    inside = f"{at} <= {literal(as_of)}"
    if design.start is not None:
        inside += f" and {at} >= {literal(design.start)}"
    if design.end is not None:
        inside += f" and {at} < {literal(design.end)}"
    parts = {"source": source, "inside": inside, "at": at}
    counted = con.execute(
        fill("select count_if(not ({inside})), count(*) - count({at}) from {source}", **parts)
    ).fetchone()
    outside, unknown = (int(v) for v in counted or (0, 0))
    if unknown:
        raise DataError(
            f"{unknown:,} units have no time of exposure", expected="a time for each, or no column",
            fix=f"fill or drop {exposed_at!r}",
        )  # fmt: skip
    con.execute(fill("create view units as select * from {source} where {inside}", **parts))
    return outside


def _check_unique(units: Units) -> None:
    column = units.design.unit_column
    if column is None:
        return
    found = units.rows(
        fill(
            "select {unit}::varchar, count(*), count(distinct {arm}) from units group by {unit}"
            " having count(*) > 1 or {unit} is null order by 3 desc, 1 limit 1",
            unit=quoted(column),
            arm=quoted(units.arm),
        )
    )
    if not found:
        return
    unit, n, n_arms = found[0]
    what = f"unit {unit!r} has {n} rows" + (f" in {n_arms} arms" if n_arms > 1 else "")
    raise DataError(
        "a unit has no identifier" if unit is None else what,
        where=f"column {column!r}",
        expected="one row a unit, in one arm",
        fix="aggregate to one row a unit; record exposures in an EventStore to have units that"
        " met two arms found and left out",
    )
