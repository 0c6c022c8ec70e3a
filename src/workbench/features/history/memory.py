"""Features of one lead, computed in memory from the same definitions as those of tables."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

from workbench.errors import FeatureError
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

__all__ = ["Context", "History", "MemoryPlan", "Row", "as_microseconds", "history_of"]

Row: TypeAlias = Mapping[str, Any]
History: TypeAlias = Mapping[str, Sequence[Row]]
_Seen: TypeAlias = "list[tuple[int, Row]]"

_HOUR_US = 3_600_000_000
_EPOCH_DAY = datetime(1970, 1, 1, tzinfo=UTC).toordinal()


@dataclass(frozen=True, slots=True)
class Context:
    """Track records of a day: what is known of other leads.

    Parameters
    ----------
    day
        Days since 1970; outcomes on record before it count.
    won
        By key, then by its value: closed leads, and how many of them converted.
    total
        The same of all leads.
    """

    day: int
    won: Mapping[str, Mapping[str, tuple[int, int]]]
    total: tuple[int, int]


def as_microseconds(moment: object, column: str) -> int:
    """Whole microseconds since 1970; times without a zone are UTC.

    Raises
    ------
    FeatureError
        When it is no point in time.

    Examples
    --------
    >>> as_microseconds(datetime(1970, 1, 2), "as_of") == DAY_US
    True
    """
    # NaT is a datetime that equals nothing.
    if not isinstance(moment, datetime) or moment != moment:
        raise FeatureError(
            f"{column} is {'missing' if moment is None else type(moment).__name__}",
            expected="a datetime",
            fix="give the time of every row; leave out rows that have none",
        )
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC)
    days = moment.toordinal() - _EPOCH_DAY
    seconds = days * 86_400 + moment.hour * 3600 + moment.minute * 60 + moment.second
    return seconds * 1_000_000 + moment.microsecond


def history_of(frames: Mapping[str, Any], lead_id: str) -> dict[str, list[Row]]:
    """Take one lead's rows out of DataFrames, missing values as None.

    Parameters
    ----------
    frames : mapping of str to DataFrame
        Tables by name.
    lead_id
        Whose rows.

    Examples
    --------
    >>> import pandas as pd
    >>> events = pd.DataFrame({"lead_id": ["a", "b"], "value_usd": [None, 5.0]})
    >>> history_of({"events": events}, "a")
    {'events': [{'lead_id': 'a', 'value_usd': None}]}
    """
    found: dict[str, list[Row]] = {}
    for name in SOURCES:
        if name in frames:
            rows = frames[name]
            rows = rows[rows[SOURCES[name].key] == lead_id].astype(object)
            found[name] = rows.where(rows.notna(), None).to_dict("records")
    return found


@dataclass(frozen=True, slots=True)
class _Condition:
    where: tuple[tuple[str, frozenset[str]], ...]
    hours: tuple[int, int] | None

    def holds(self, at: int, row: Row) -> bool:
        for column, values in self.where:
            if row[column] not in values:
                return False
        return self.hours is None or self.hours[0] <= at // _HOUR_US % 24 <= self.hours[1]


class MemoryPlan:
    """Features arranged for one pass over a lead's rows.

    Parameters
    ----------
    features
        Parts of ratios included.
    """

    def __init__(self, features: Iterable[Feature]) -> None:
        self._features = tuple(features)
        self._aggregates: dict[str, dict[_Condition, list[Aggregate]]] = {}
        self._responses: dict[str, list[Response]] = {}
        for feature in self._features:
            if isinstance(feature, Aggregate):
                where = tuple((c, frozenset(v)) for c, v in feature.where.items())
                own = self._aggregates.setdefault(feature.source, {})
                own.setdefault(_Condition(where, feature.hours), []).append(feature)
            elif isinstance(feature, Response):
                self._responses.setdefault(feature.source, []).append(feature)
        self._ratios = _in_order([f for f in self._features if isinstance(f, Ratio)])

    def compute(
        self, history: History, as_of: datetime, lead: Row, context: Context | None
    ) -> dict[str, Any]:
        """Values of all features by name; see `FeatureSet.compute`.

        Raises
        ------
        FeatureError
            When a table, a column or the context is missing.
        """
        now = as_microseconds(as_of, "as_of")
        values: dict[str, Any] = {}
        try:
            for table in {**self._aggregates, **self._responses}:
                seen = _visible(SOURCES[table], history[table], now)
                for condition, features in self._aggregates.get(table, {}).items():
                    rows = [(at, row) for at, row in seen if condition.holds(at, row)]
                    for feature in features:
                        values[feature.name] = _aggregate(feature, rows, now)
                for response in self._responses.get(table, ()):
                    values[response.name] = _response(response, seen)
            for one in self._features:
                if isinstance(one, Static):
                    values[one.name] = _present(lead[one.column])
                elif isinstance(one, TrackRecord):
                    values[one.name] = _record(one, lead, context, now // DAY_US)
        except KeyError as error:
            raise FeatureError(
                f"there is no {error.args[0]!r} in what was given",
                expected="every table the features read, if need be empty, with its columns",
                fix="give it, or choose features that do not read it",
            ) from None
        for ratio in self._ratios:
            over, under = values[ratio.numerator], values[ratio.denominator]
            known = over is not None and under
            values[ratio.name] = float(over) / float(under) * ratio.scale if known else None
        return values


def _in_order(ratios: list[Ratio]) -> list[Ratio]:
    names = {ratio.name for ratio in ratios}
    ordered: list[Ratio] = []
    waiting = ratios
    while waiting:
        done = {ratio.name for ratio in ordered}
        ready = [r for r in waiting if all(p not in names or p in done for p in r.needs)]
        if not ready:
            raise FeatureError(
                f"the ratios {', '.join(r.name for r in waiting)} are made of each other",
                expected="ratios of features that are not made of them",
                fix="break the circle",
            )
        ordered += ready
        waiting = [r for r in waiting if r not in ready]
    return ordered


def _present(value: Any) -> Any:
    return None if value is None or value != value else value


def _visible(source: Source, rows: Sequence[Row], now: int) -> _Seen:
    seen = []
    for row in rows:
        at = as_microseconds(row[source.occurred], source.occurred)
        if at > now:
            continue
        if source.recorded and as_microseconds(row[source.recorded], source.recorded) > now:
            continue
        seen.append((at, row))
    key = source.id
    seen.sort(key=lambda pair: (pair[0], pair[1][key]))
    return seen


def _aggregate(feature: Aggregate, rows: _Seen, now: int) -> Any:
    if feature.window_days is not None:
        edge = now - feature.window_days * DAY_US
        rows = [pair for pair in rows if pair[0] > edge]
    measure = feature.measure
    if measure == "count":
        return len(rows)
    if measure in ("recency", "tenure"):
        moment = rows[-1 if measure == "recency" else 0][0] if rows else None
        return None if moment is None else (now - moment) / DAY_US
    if measure == "mean_gap":
        gaps = len(rows) - 1
        return (rows[-1][0] - rows[0][0]) / (gaps * DAY_US) if gaps > 0 else None
    column = str(feature.column)
    values = [v for _, row in rows if (v := _present(row[column])) is not None]
    if measure == "distinct":
        return len(set(values))
    if measure == "sum":
        return sum(values)
    if measure == "max":
        return max(values, default=None)
    if measure == "mean_length":
        values = [len(value) for value in values]
    return sum(values) / len(values) if values else None


def _response(feature: Response, seen: _Seen) -> float | None:
    waited = n = 0
    before: tuple[int, Any] | None = None
    for at, row in seen:
        turn = row[feature.column]
        if before is not None and turn == feature.answering and before[1] == feature.asking:
            waited += at - before[0]
            n += 1
        before = at, turn
    return waited / (n * _HOUR_US) if n else None


def _record(record: TrackRecord, lead: Row, context: Context | None, day: int) -> float:
    if context is None or context.day != day or record.key not in context.won:
        raise FeatureError(
            f"feature {record.name!r} needs the track records of the day",
            expected="a context made for the day of as_of",
            fix="make one a day with `FeatureSet.context(tables, as_of)`",
        )
    n, k = context.won[record.key].get(lead[record.key], (0, 0))
    mean = (context.total[1] + 1.0) / (context.total[0] + 2.0)
    return (k + mean * record.strength) / (n + record.strength)
