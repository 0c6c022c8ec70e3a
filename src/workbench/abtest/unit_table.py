"""From events to one row a unit: what each was exposed to, and what came of it in its window."""

from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from workbench.abtest.design import Design
from workbench.abtest.metrics import (
    CountMetric,
    Metric,
    ProportionMetric,
    QuantileMetric,
    RatioMetric,
    TimeToEventMetric,
)
from workbench.abtest.sql import fill, literal, quoted

if TYPE_CHECKING:
    import duckdb

__all__ = ["UnitCounts", "build_unit_table", "unit_table_design"]


class UnitCounts(NamedTuple):
    """What was left out on the way from events to units.

    Attributes
    ----------
    n_units
        Units in the table.
    n_two_arms
        Units that met two arms and are left out.
    n_immature
        Units whose window is not over, left out if the design says so.
    n_exposures_outside
        Exposures before the start, after the end, or after the moment of analysis.
    n_outcomes_before, n_outcomes_after
        Outcomes of exposed units before their exposure and after their window.
    """

    n_units: int
    n_two_arms: int
    n_immature: int
    n_exposures_outside: int
    n_outcomes_before: int
    n_outcomes_after: int


# A switchback exposes one unit in several blocks: each counts until the next begins.
_UNITS = """
create or replace temp table exposed as
with known as (
    select * from {exposures} where experiment = {experiment}
        and received_at <= {as_of} and exposed_at <= {as_of} {running}),
first as (
    select unit_id, {cell} as cell, min(exposed_at) as exposed_at,
        arg_min(arm, (exposed_at, event_id)) as arm, count(distinct arm) as n_arms,
        arg_min(cluster_id, (exposed_at, event_id)) as cluster_id,
        arg_min(segments, (exposed_at, event_id)) as segments,
        arg_min(covariates, (exposed_at, event_id)) as covariates,
        arg_min(coalesce(propensity, 'nan'::double), (exposed_at, event_id)) as propensity
    from known group by unit_id, cell)
select *, least({window_end}, coalesce(lead(exposed_at) over
    (partition by unit_id order by exposed_at), 'infinity'::timestamptz)) as counts_until
from first"""

_OUTCOMES = """
create or replace temp table units as
select e.unit_id, e.arm, e.exposed_at, e.cluster_id, e.propensity{attributes}{metrics}
from exposed e left join {outcomes} o on o.unit_id = e.unit_id
    and o.received_at <= {as_of} and o.occurred_at <= {as_of}
    and o.occurred_at >= e.exposed_at and o.occurred_at < e.counts_until
where e.n_arms = 1{mature}
group by all"""

_LEFT_OUT = """
select count(*) filter (where not exists (select 1 from exposed e
        where e.unit_id = o.unit_id and o.occurred_at >= e.exposed_at)),
    count(*) filter (where exists (select 1 from exposed e
        where e.unit_id = o.unit_id and o.occurred_at >= e.exposed_at)
        and not exists (select 1 from exposed e where e.unit_id = o.unit_id
        and o.occurred_at >= e.exposed_at and o.occurred_at < e.counts_until))
from {outcomes} o where o.unit_id in (select unit_id from exposed)
    and o.received_at <= {as_of} and o.occurred_at <= {as_of} and o.name in ({names})"""


def build_unit_table(
    con: "duckdb.DuckDBPyConnection", design: Design, as_of: datetime, *, schema: str
) -> UnitCounts:
    """Make the table `units` from the events of a store.

    Parameters
    ----------
    con
        A connection to which the store is attached.
    design
        The design: experiment, window, metrics, segments and covariates.
    as_of
        Only events that had happened and were recorded by then count, so that an analysis can be
        made again as it was.
    schema
        Where the store's tables are.

    Returns
    -------
    UnitCounts
    """
    window = f"exposed_at + to_seconds({(design.window_days or 0) * 86_400!r})"
    parts = {
        "exposures": f"{schema}.exposures",
        "outcomes": f"{schema}.outcomes",
        "experiment": literal(design.name),
        "as_of": literal(as_of),
        "cell": "cluster_id" if design.switchback else "''",
        "window_end": window if design.window_days else "'infinity'::timestamptz",
        "running": _running(design),
        "mature": "",
    }
    if design.mature_only:
        parts["mature"] = f" and e.counts_until <= {parts['as_of']}"
    con.execute(fill(_UNITS, **parts))
    columns = [
        f"{sql} as {quoted(name)}"
        for metric_name, metric in design.metrics.items()
        for name, sql in _outcome_columns(metric_name, metric, parts["as_of"]).items()
    ]
    con.execute(
        fill(
            _OUTCOMES,
            attributes="".join(f", {column}" for column in _attributes(design)),
            metrics="".join(f", {column}" for column in columns),
            **parts,
        )
    )
    counted = con.execute(
        fill(
            "select (select count(*) from units), count(*) filter (where n_arms > 1),"
            " count(*) filter (where n_arms = 1), (select count(*) from {exposures} where"
            " experiment = {experiment} and received_at <= {as_of} and not (exposed_at <="
            " {as_of} {running})) from exposed",
            **parts,
        )
    ).fetchone()
    names = ", ".join(literal(n) for n in sorted(_outcome_names(design)))
    left = con.execute(fill(_LEFT_OUT, names=names, **parts)).fetchone()
    n_units, n_two, n_one, n_outside = (int(v) for v in counted or (0, 0, 0, 0))
    before, after = (int(v) for v in left or (0, 0))
    return UnitCounts(n_units, n_two, n_one - n_units, n_outside, before, after)


def unit_table_design(design: Design) -> Design:
    """Return the design with the columns that `build_unit_table` gives its metrics."""
    metrics = {}
    for name, metric in design.metrics.items():
        if isinstance(metric, RatioMetric):
            changed: dict[str, str] = {
                "numerator": f"{name}: numerator", "denominator": f"{name}: denominator",
            }  # fmt: skip
        elif isinstance(metric, TimeToEventMetric):
            changed = {"duration": f"{name}: duration", "event": f"{name}: event"}
        else:
            changed = {"column": name}
        metrics[name] = metric.model_copy(update=changed)
    update: dict[str, object] = {"metrics": metrics, "unit_column": None}
    if design.cluster is not None:
        update["cluster"] = design.cluster.model_copy(update={"column": "cluster_id"})
    return design.model_copy(update=update)


def _running(design: Design) -> str:
    parts = []
    if design.start is not None:
        parts.append(f"and exposed_at >= {literal(design.start)}")
    if design.end is not None:
        parts.append(f"and exposed_at < {literal(design.end)}")
    return " ".join(parts)


def _attributes(design: Design) -> list[str]:
    segments = {*design.segments, *design.strata}
    numbers = {c for name in design.metrics for c in design.covariates_of(name)}
    taken = sorted((s, "segments") for s in segments) + sorted((c, "covariates") for c in numbers)
    return [f"any_value(e.{kind}[{literal(name)}]) as {quoted(name)}" for name, kind in taken]


def _outcome_columns(name: str, metric: Metric, as_of: str) -> dict[str, str]:
    """SQL of the columns of one metric, by their names in the table."""

    def named(outcome: str) -> str:
        return f"filter (where o.name = {literal(outcome)})"

    def total(outcome: str) -> str:
        return f"coalesce(sum(o.value) {named(outcome)}, 0)"

    if isinstance(metric, RatioMetric):
        return {
            f"{name}: numerator": total(metric.numerator),
            f"{name}: denominator": total(metric.denominator),
        }
    outcome = metric.column or name
    if isinstance(metric, TimeToEventMetric):
        first = f"min(o.occurred_at) {named(outcome)}"
        seen = f"coalesce({first}, least(any_value(e.counts_until), {as_of}))"
        days = f"(epoch({seen}) - epoch(any_value(e.exposed_at))) / 86400"
        return {f"{name}: duration": days, f"{name}: event": f"({first} is not null)::integer"}
    if isinstance(metric, ProportionMetric):
        return {name: f"coalesce(max((o.value <> 0)::integer) {named(outcome)}, 0)"}
    if isinstance(metric, CountMetric):
        return {name: f"count(*) {named(outcome)}"}
    if isinstance(metric, QuantileMetric):
        return {name: f"sum(o.value) {named(outcome)}"}
    return {name: total(outcome)}


def _outcome_names(design: Design) -> set[str]:
    names = set()
    for name, metric in design.metrics.items():
        if isinstance(metric, RatioMetric):
            names |= {metric.numerator, metric.denominator}
        else:
            names.add(metric.column or name)
    return names
