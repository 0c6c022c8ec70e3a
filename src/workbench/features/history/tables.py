"""Features of tables: one Ibis expression, embedded on DuckDB or unchanged on Spark.

Plain joins, filters and groups only: an as-of join is refused by Spark, and window edges are
compared in whole microseconds, which no engine rounds.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import reduce
from operator import and_
from typing import TYPE_CHECKING, Any

from workbench.errors import FeatureError
from workbench.features.engines import collect
from workbench.features.history.definitions import (
    DAY_US,
    SOURCES,
    Aggregate,
    Feature,
    Ratio,
    Response,
    Source,
    Static,
    TrackRecord,
)
from workbench.features.history.memory import Context, as_microseconds

if TYPE_CHECKING:
    import ibis

__all__ = ["build_table", "context_of"]

# How each engine spells microseconds since 1970; Ibis itself offers whole seconds only.
_MICROSECONDS = {"duckdb": "epoch_us", "pyspark": "unix_micros"}
_HOUR_US = 3_600_000_000
_OUTCOMES = ("recorded_at", "recorded_status")


def build_table(
    features: Iterable[Feature], tables: "Mapping[str, ibis.Table]", snapshots: "ibis.Table"
) -> "ibis.Table":
    """Express features of snapshots.

    Parameters
    ----------
    features
        Parts of ratios included.
    tables
        Tables by name, all of one engine.
    snapshots
        `snapshot_id`, `lead_id`, `as_of` and keys of track records.

    Returns
    -------
    ibis.Table
        The snapshots' columns and one column a feature.

    Raises
    ------
    FeatureError
        When a table or column is missing or of the wrong type.
    """
    wanted = tuple(features)
    _need(snapshots, "snapshots", ("snapshot_id", "lead_id"), times=("as_of",))
    _once(snapshots, "snapshots", "snapshot_id")
    micros = _micros_of(snapshots)
    spine = _with_lead(wanted, tables, snapshots.mutate(_as_of=micros(snapshots.as_of)))
    table = spine
    for name, source in SOURCES.items():
        own = [f for f in wanted if isinstance(f, Aggregate | Response) and f.source == name]
        if own:
            columns = sorted({column for feature in own for column in feature.columns})
            rows = _rows(source, columns, _table(tables, name), micros)
            table = _attach(table, spine, rows, source, own)
    for feature in wanted:
        if isinstance(feature, TrackRecord):
            table = _attach_record(feature, table, _outcomes(feature, tables, micros))
    return _ratios(wanted, table)


def context_of(
    records: tuple[TrackRecord, ...], tables: "Mapping[str, ibis.Table]", as_of: datetime
) -> Context:
    """Execute track records as they stand on the day of `as_of`.

    Raises
    ------
    FeatureError
        When a table or column is missing or of the wrong type.
    """
    day = as_microseconds(as_of, "as_of") // DAY_US
    won: dict[str, dict[str, tuple[int, int]]] = {}
    closed_all = won_all = 0
    for record in records:
        micros = _micros_of(_table(tables, "outcomes"))
        outcomes = _outcomes(record, tables, micros)
        known = outcomes.filter(outcomes.day < day)
        found = known.group_by(record.key).agg(n=known.n.sum(), k=known.k.sum())
        counted = collect(found)
        keys, n, k = (counted[c].tolist() for c in (record.key, "n", "k"))
        won[record.key] = {
            key: (int(a), int(b)) for key, a, b in zip(keys, n, k, strict=True) if key is not None
        }
        # Of all outcomes, those without a key included.
        closed_all, won_all = sum(map(int, n)), sum(map(int, k))
    return Context(day, won, (closed_all, won_all))


def _micros_of(table: "ibis.Table") -> Callable[[Any], Any]:
    import ibis
    from ibis.expr import datatypes

    engine = table.get_backend().name
    if engine not in _MICROSECONDS:
        raise FeatureError(
            f"features cannot be built on {engine!r}",
            expected=f"tables of one of {sorted(_MICROSECONDS)}",
            fix="read the files with ibis.duckdb.connect() or ibis.pyspark.connect(session)",
        )

    def stamp(moment: Any) -> Any:
        return moment

    # Ibis reads types of its own here, and never calls the function.
    stamp.__annotations__ = {"moment": datatypes.timestamp, "return": datatypes.int64}
    made: Callable[[Any], Any] = ibis.udf.scalar.builtin(stamp, name=_MICROSECONDS[engine])
    return made


def _table(tables: "Mapping[str, ibis.Table]", name: str) -> "ibis.Table":
    if name not in tables:
        raise FeatureError(
            f"there is no table {name!r}",
            expected=f"tables of leads, outcomes and {', '.join(SOURCES)} as the features need",
            fix=f"give {name!r}, or choose features that do not read it",
        )
    return tables[name]


def _need(table: "ibis.Table", name: str, columns: Iterable[str], times: Iterable[str]) -> None:
    schema = table.schema()
    for column in (*columns, *times):
        if column not in schema:
            raise FeatureError(
                f"table {name!r} has no column {column!r}",
                expected=f"it beside {', '.join(list(schema)[:12])}",
                fix="rename a column, or choose features that do not read it",
            )
    for column in times:
        if not schema[column].is_timestamp():
            raise FeatureError(
                f"column {column!r} of table {name!r} is {schema[column]}",
                expected="timestamps, in UTC",
                fix="convert it, e.g. with pandas.to_datetime",
            )


def _once(table: "ibis.Table", name: str, column: str) -> None:
    """Refuse identifiers that repeat or are missing: rows would be counted for each other."""
    if table.get_backend().name != "duckdb":
        return  # a pass over a cluster's data is the caller's to decide on
    key = table[column]
    counted = table.aggregate(n=table.count(), distinct=key.nunique(), known=key.count())
    row = collect(counted).iloc[0]
    if int(row["distinct"]) != int(row["n"]):
        missing = int(row["n"]) - int(row["known"])
        raise FeatureError(
            f"{column!r} of table {name!r} repeats or is missing: {int(row['n']):,} rows, "
            f"{int(row['distinct']):,} different ones, {missing:,} missing",
            expected="one row each",
            fix="leave repeated rows out, or number them",
        )


def _with_lead(
    features: tuple[Feature, ...], tables: "Mapping[str, ibis.Table]", spine: "ibis.Table"
) -> "ibis.Table":
    fields = {f.name: f.column for f in features if isinstance(f, Static)}
    keys = [f.key for f in features if isinstance(f, TrackRecord) and f.key not in spine.columns]
    fields |= {key: key for key in keys if key not in fields}
    fields = {name: column for name, column in fields.items() if name not in spine.columns}
    if not fields:
        return spine
    leads = _table(tables, "leads")
    _need(leads, "leads", ("lead_id", *fields.values()), times=())
    _once(leads, "leads", "lead_id")
    chosen = leads.select(_lead="lead_id", **fields)
    return spine.left_join(chosen, spine.lead_id == chosen["_lead"]).drop("_lead")


def _rows(
    source: Source, columns: list[str], table: "ibis.Table", micros: Callable[[Any], Any]
) -> "ibis.Table":
    times = [source.occurred, *([source.recorded] if source.recorded else [])]
    _need(table, source.table, (source.key, source.id, *columns), times=times)
    known = {"_known": micros(table[source.recorded])} if source.recorded else {}
    return table.select(
        _key=table[source.key], _id=table[source.id], _at=micros(table[source.occurred]), **known,
        **{f"_c_{column}": table[column] for column in columns},
    )  # fmt: skip


def _attach(
    table: "ibis.Table",
    spine: "ibis.Table",
    rows: "ibis.Table",
    source: Source,
    features: list[Aggregate | Response],
) -> "ibis.Table":
    moments = spine.select("snapshot_id", _as_of=spine["_as_of"], _who=spine[source.key])
    seen = moments.join(rows, moments["_who"] == rows["_key"])
    past = seen["_at"] <= seen["_as_of"]
    seen = seen.filter(past & (seen["_known"] <= seen["_as_of"]) if source.recorded else past)
    summed: dict[str, Any] = {}
    for feature in features:
        if isinstance(feature, Aggregate):
            summed |= _reductions(feature, seen)
    if summed:
        found = seen.group_by("snapshot_id").agg(**summed)
        table = _join_by_snapshot(table, found)
    for feature in features:
        if isinstance(feature, Response):
            table = _join_by_snapshot(table, _pairs(feature, seen))
    finished = {f.name: _finished(f, table) for f in features}
    return table.mutate(**finished).drop(
        [column for column in table.columns if column.startswith("_r_")]
    )


def _join_by_snapshot(table: "ibis.Table", found: "ibis.Table") -> "ibis.Table":
    renamed = found.rename(_snapshot="snapshot_id")
    joined = table.left_join(renamed, table.snapshot_id == renamed["_snapshot"])
    return joined.drop("_snapshot")


def _condition(feature: Aggregate, seen: "ibis.Table") -> Any:
    parts = [
        seen[f"_c_{column}"] == values[0]
        if len(values) == 1
        else seen[f"_c_{column}"].isin(list(values))
        for column, values in feature.where.items()
    ]
    if feature.window_days is not None:
        parts.append(seen["_at"] > seen["_as_of"] - feature.window_days * DAY_US)
    if feature.hours is not None:
        hour = (seen["_at"] // _HOUR_US) % 24
        parts.append(hour.between(*feature.hours))
    return reduce(and_, parts) if parts else None


def _reductions(feature: Aggregate, seen: "ibis.Table") -> dict[str, Any]:
    where = _condition(feature, seen)
    name = f"_r_{feature.name}"
    if feature.measure == "count":
        return {name: seen.count(where=where)}
    if feature.measure in ("recency", "tenure", "mean_gap"):
        found = {f"{name}_last": seen["_at"].max(where=where)}
        if feature.measure != "recency":
            found[f"{name}_first"] = seen["_at"].min(where=where)
        if feature.measure == "mean_gap":
            found[f"{name}_n"] = seen.count(where=where)
        return found
    value = seen[f"_c_{feature.column}"]
    if value.type().is_floating():
        value = value.isnan().ifelse(None, value)  # a NaN of a file is a gap, as in memory
    if feature.measure == "mean_length":
        value = value.length()
    if feature.measure == "max":
        return {name: value.max(where=where)}
    if feature.measure == "distinct":
        return {name: value.nunique(where=where)}
    found = {f"{name}_sum": value.sum(where=where)}
    if feature.measure != "sum":
        found[f"{name}_n"] = value.count(where=where)
    return found


def _finished(feature: Aggregate | Response, table: "ibis.Table") -> Any:
    name = f"_r_{feature.name}"
    if isinstance(feature, Response):
        return table[f"{name}_sum"] / (table[f"{name}_n"] * _HOUR_US)
    if feature.measure in ("count", "distinct"):
        return table[name].fill_null(0)
    if feature.measure == "sum":
        return table[f"{name}_sum"].fill_null(0)
    if feature.measure == "max":
        return table[name]
    if feature.measure == "recency":
        return (table["_as_of"] - table[f"{name}_last"]) / DAY_US
    if feature.measure == "tenure":
        return (table["_as_of"] - table[f"{name}_first"]) / DAY_US
    if feature.measure == "mean_gap":
        n = table[f"{name}_n"] - 1
        return (table[f"{name}_last"] - table[f"{name}_first"]) / (n.nullif(0) * DAY_US)
    return table[f"{name}_sum"] / table[f"{name}_n"].nullif(0)


def _pairs(feature: Response, seen: "ibis.Table") -> "ibis.Table":
    import ibis

    turn = seen[f"_c_{feature.column}"]
    order = ibis.window(group_by="snapshot_id", order_by=[seen["_at"], seen["_id"]])
    turns = seen.select(
        "snapshot_id", "_at", _turn=turn,
        _before=turn.lag().over(order), _since=seen["_at"].lag().over(order),
    )  # fmt: skip
    answered = turns.filter(
        (turns["_turn"] == feature.answering) & (turns["_before"] == feature.asking)
    )
    name = f"_r_{feature.name}"
    return answered.group_by("snapshot_id").agg(
        **{
            f"{name}_sum": (answered["_at"] - answered["_since"]).sum(),
            f"{name}_n": answered.count(),
        }
    )


def _outcomes(
    record: TrackRecord, tables: "Mapping[str, ibis.Table]", micros: Callable[[Any], Any]
) -> "ibis.Table":
    outcomes = _table(tables, "outcomes")
    _need(outcomes, "outcomes", (record.key, "recorded_status"), times=("recorded_at",))
    daily = outcomes.select(
        record.key,
        day=micros(outcomes.recorded_at) // DAY_US,
        won=(outcomes.recorded_status == "converted").cast("int64"),
    )
    return daily.group_by(record.key, "day").agg(n=daily.count(), k=daily.won.sum())


def _attach_record(
    record: TrackRecord, table: "ibis.Table", outcomes: "ibis.Table"
) -> "ibis.Table":
    day = table["_as_of"] // DAY_US
    moments = table.select(_day=day, _who=table[record.key]).distinct()
    own = moments.join(outcomes, moments["_who"] == outcomes[record.key])
    own = own.filter(own.day < own["_day"]).group_by("_day", "_who")
    own = own.agg(_n=lambda t: t.n.sum(), _k=lambda t: t.k.sum())
    days = moments.select("_day").distinct()
    total = outcomes.group_by("day").agg(n=outcomes.n.sum(), k=outcomes.k.sum())
    everyone = days.join(total, total.day < days["_day"]).group_by("_day")
    everyone = everyone.agg(_all=lambda t: t.n.sum(), _won=lambda t: t.k.sum())
    own = own.rename(_own_day="_day")
    everyone = everyone.rename(_all_day="_day")
    joined = table.mutate(_today=day)
    joined = joined.left_join(
        own, [joined["_today"] == own["_own_day"], joined[record.key] == own["_who"]]
    )
    joined = joined.left_join(everyone, joined["_today"] == everyone["_all_day"])
    n, k, total_n, total_k = (
        joined[c].fill_null(0).cast("float64") for c in ("_n", "_k", "_all", "_won")
    )
    mean = (total_k + 1.0) / (total_n + 2.0)
    rate = (k + mean * record.strength) / (n + record.strength)
    return joined.mutate(**{record.name: rate}).drop(
        "_today", "_own_day", "_who", "_n", "_k", "_all_day", "_all", "_won"
    )


def _ratios(features: tuple[Feature, ...], table: "ibis.Table") -> "ibis.Table":
    waiting = [f for f in features if isinstance(f, Ratio)]
    while waiting:
        ready = [f for f in waiting if all(part in table.columns for part in f.needs)]
        if not ready:
            names = ", ".join(f.name for f in waiting)
            raise FeatureError(
                f"the ratios {names} are made of each other",
                expected="ratios of features that are not made of them",
                fix="break the circle",
            )
        table = table.mutate(
            **{
                f.name: table[f.numerator].cast("float64")
                / table[f.denominator].cast("float64").nullif(0.0)
                * f.scale
                for f in ready
            }
        )
        waiting = [f for f in waiting if f not in ready]
    return table
