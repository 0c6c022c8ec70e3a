"""What a value of a metric may be, and what is done where there is none."""

from collections.abc import Mapping
from typing import NamedTuple

from workbench.abtest.metrics import CountMetric, Metric, ProportionMetric
from workbench.abtest.source import Units, outcome_columns
from workbench.abtest.spark import SparkSql
from workbench.abtest.sql import fill, finite, quoted
from workbench.errors import DataError

__all__ = ["Missing", "check_values", "looks_clean"]

_WHOLE = (
    "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER",
    "UBIGINT", "UHUGEINT",
)  # fmt: skip


class Missing(NamedTuple):
    """Values that are missing and what was done.

    Attributes
    ----------
    filled
        Units by covariate column: filled with one value for all arms.
    outcomes
        Units without the outcome, by metric: zeros or left out, as the metric says.
    zeroed, dropped
        Metrics whose missing outcomes count as zero, and whose units without are left out.
    """

    filled: Mapping[str, int]
    outcomes: Mapping[str, int]
    zeroed: frozenset[str] = frozenset()
    dropped: frozenset[str] = frozenset()


def looks_clean(units: Units, columns: Mapping[str, tuple[str, ...]]) -> bool:
    """Say whether nothing is missing or out of the domain of its metric, as far as is cheap.

    Counts and extremes of whole columns, which Parquet files keep beside the data, answer most of
    it without reading anything. NaN and infinities show in the sums instead.

    Parameters
    ----------
    units
        The units.
    columns
        Columns of each metric, its outcome first.
    """
    names = sorted({column for own in columns.values() for column in own})
    if not names:
        return True
    if isinstance(units.con, SparkSql):
        return _clean_in_one_pass(units, columns, names)
    counted = units.rows(
        fill("select count(*), {counts} from units",
             counts=", ".join(f"count({quoted(name)})" for name in names))
    )[0]  # fmt: skip
    if any(n != counted[0] for n in counted[1:]):
        return False
    if counted[0] == 0:
        return True
    for name, own in columns.items():
        metric = units.design.metrics[name]
        allowed = _allowed(metric, own[0])
        if not allowed or units.types[own[0]] == "BOOLEAN":
            continue
        value = quoted(own[0])
        low, high = units.rows(fill("select min({v}), max({v}) from units", v=value))[0]
        if low < 0 or (isinstance(metric, ProportionMetric) and high > 1):
            return False
        if units.types[own[0]] in _WHOLE:
            continue
        # Fractions hide between the extremes.
        if units.rows(fill("select 1 from units where not {ok} limit 1", ok=allowed)):
            return False
    return True


def _clean_in_one_pass(
    units: Units, columns: Mapping[str, tuple[str, ...]], names: list[str]
) -> bool:
    """As `looks_clean` where every question is a pass over the data."""
    wrong = [f"not coalesce({finite(f'{quoted(name)}::double')}, false)" for name in names]
    for name, own in columns.items():
        allowed = _allowed(units.design.metrics[name], own[0])
        if allowed:
            wrong.append(f"not coalesce({allowed}, true)")
    return _count(units, " or ".join(wrong)) == 0


def check_values(units: Units, outcomes: Mapping[str, tuple[str, ...]]) -> Missing:
    """Count what is missing, and refuse what cannot be.

    Parameters
    ----------
    units
        The units.
    outcomes
        Outcome columns of each metric.

    Raises
    ------
    DataError
        If a value is infinite, missing where the metric says that is an error, or not in the
        domain of the metric; names column, number of units and an example.
    """
    columns = outcome_columns(units.design)
    filled: dict[str, int] = {}
    absent: dict[str, int] = {}
    for name, own in outcomes.items():
        metric = units.design.metrics[name]
        for column in columns[name]:
            _refuse(
                units,
                name,
                column,
                f"abs({quoted(column)}::double) = 'infinity'::double",
                "infinite",
                "finite numbers",
            )
        if _allowed(metric, own[0]):
            wanted = "0 or 1" if isinstance(metric, ProportionMetric) else "whole numbers ≥ 0"
            bad = f"not coalesce({_allowed(metric, own[0])}, true)"
            bad += f" and not isnan({quoted(own[0])}::double)"
            _refuse(units, name, own[0], bad, "out of range", wanted)
        lacks = " or ".join(f"not coalesce({finite(f'{quoted(c)}::double')}, false)" for c in own)
        n = _count(units, lacks)
        if n and metric.missing == "error":
            raise DataError(
                f"{n:,} units have no value", where=f"metric {name!r}, column(s) {', '.join(own)}",
                expected="a value for every unit",
                fix="say in the design what a missing value is: 'missing: zero' where nothing"
                " happened, 'missing: drop' where it is not known",
            )  # fmt: skip
        if n:
            absent[name] = n
        for column in columns[name][len(own) :]:
            gaps = _count(units, f"not coalesce({finite(f'{quoted(column)}::double')}, false)")
            if gaps:
                filled[column] = gaps
    zeroed = frozenset(n for n in absent if units.design.metrics[n].missing == "zero")
    return Missing(filled, absent, zeroed, frozenset(absent) - zeroed)


def _allowed(metric: Metric, column: str) -> str:
    value = f"{quoted(column)}::double"
    if isinstance(metric, ProportionMetric):
        return f"({value} = 0 or {value} = 1)"
    if isinstance(metric, CountMetric):
        return f"({value} >= 0 and {value} = floor({value}))"
    return ""


def _count(units: Units, condition: str) -> int:
    return int(units.rows(fill("select count_if({c}) from units", c=condition))[0][0] or 0)


def _refuse(units: Units, name: str, column: str, condition: str, what: str, expected: str) -> None:
    found = units.rows(
        fill(
            "select count(*), any_value({column}::varchar) from units where {condition}",
            column=quoted(column),
            condition=condition,
        )
    )[0]
    if found[0]:
        raise DataError(
            f"{found[0]:,} values are {what}, for example {found[1]}",
            where=f"metric {name!r}, column {column!r}",
            expected=expected,
            fix="correct the values, or measure another kind of metric",
        )
