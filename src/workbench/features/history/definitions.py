"""What a feature of a lead's history is: data, compiled for tables and for memory alike."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, TypeAlias, get_args

from workbench.errors import FeatureError
from workbench.privacy.protected import refuse_protected

__all__ = [
    "DAY_US",
    "SOURCES",
    "Aggregate",
    "Feature",
    "Ratio",
    "Response",
    "Source",
    "Static",
    "TrackRecord",
    "Where",
]

DAY_US = 86_400_000_000
"""Microseconds of a day. All times are whole microseconds, so that windows end exactly."""

Measure: TypeAlias = Literal[
    "count", "sum", "mean", "max", "distinct", "recency", "tenure", "mean_gap", "mean_length"
]
Where: TypeAlias = Mapping[str, tuple[str, ...]]

_NEEDS_COLUMN = {"sum", "mean", "max", "distinct", "mean_length"}


@dataclass(frozen=True, slots=True)
class Source:
    """A table of happenings, and from when on each of them is known.

    Parameters
    ----------
    table
        Name of the table.
    key
        Column that says whom a row is about.
    occurred
        When it happened.
    recorded
        When the system learned of it; None when at once. A row counts from the later of both.
    id
        Column that orders rows of one moment.
    """

    table: str
    key: str
    occurred: str
    recorded: str | None
    id: str


SOURCES: Mapping[str, Source] = MappingProxyType(
    {
        "events": Source("events", "lead_id", "occurred_at", "recorded_at", "event_id"),
        "messages": Source("messages", "lead_id", "sent_at", "recorded_at", "message_id"),
        "appointments": Source("appointments", "lead_id", "offered_at", None, "appointment_id"),
        "documents": Source("documents", "lead_id", "received_at", None, "document_id"),
    }
)
"""The tables of happenings a feature can read; all are keyed by lead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Named:
    name: str
    meaning: str
    unit: str = ""

    def __post_init__(self) -> None:
        if not self.name.isidentifier():
            raise FeatureError(
                f"{self.name!r} is no name of a feature",
                expected="letters, digits and underscores",
                fix="rename it",
            )
        refuse_protected((self.name, *self.columns), where=f"feature {self.name!r}")
        self._check()

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns the feature reads, times and keys left out."""
        return ()

    def _check(self) -> None:
        return


def _known_source(feature: str, source: str) -> None:
    if source not in SOURCES:
        raise FeatureError(
            f"there is no source {source!r}",
            where=f"feature {feature!r}",
            expected=f"one of {sorted(SOURCES)}",
            fix="correct the name",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregate(_Named):
    """A count, sum or other summary of what happened up to the moment of prediction.

    Parameters
    ----------
    name, meaning, unit
        Identifier, one sentence for people, unit of the figure.
    source
        One of `SOURCES`.
    measure
        ``count``, ``sum``, ``mean``, ``max``, ``distinct`` values, ``recency`` (days since the last
        one), ``tenure`` (days since the first), ``mean_gap`` (days between one and the next) or
        ``mean_length`` of a text in characters.
    column
        What is summed and so on; whole numbers for sums, so that no engine rounds.
    where
        Columns and the values that count; all rows when empty.
    hours
        First and last hour of the day (UTC) that counts, both included.
    window_days
        How far back; all history when None. The window is open at its far end.

    Raises
    ------
    FeatureError
        When a part is missing or contradicts another, or a column is protected.

    Examples
    --------
    >>> Aggregate(name="n_visits_7d", meaning="Visits in 7 days", source="events",
    ...           measure="count", where={"kind": ("visit",)}, window_days=7).window_days
    7
    """

    source: str
    measure: Measure
    column: str | None = None
    where: Where = field(default_factory=dict)
    hours: tuple[int, int] | None = None
    window_days: int | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns the feature reads, times and keys left out."""
        return (*(() if self.column is None else (self.column,)), *self.where)

    def _check(self) -> None:
        _known_source(self.name, self.source)
        if (self.column is not None) != (self.measure in _NEEDS_COLUMN):
            raise FeatureError(
                f"measure {self.measure!r} with column {self.column!r}",
                where=f"feature {self.name!r}",
                expected=f"a column exactly for {sorted(_NEEDS_COLUMN)}",
                fix="give or remove the column",
            )
        given: Mapping[str, Any] = self.where
        for column, values in given.items():
            if isinstance(values, str) or not all(isinstance(v, str) for v in values):
                raise FeatureError(
                    f"where[{column!r}] is {values!r}",
                    where=f"feature {self.name!r}",
                    expected="a tuple of texts",
                    fix=f"write ({values!r},)" if isinstance(values, str) else "name texts",
                )
        if self.measure not in get_args(Measure):
            raise FeatureError(
                f"there is no measure {self.measure!r}",
                where=f"feature {self.name!r}",
                expected=f"one of {', '.join(get_args(Measure))}",
                fix="correct the name",
            )
        whole = self.window_days is None or isinstance(self.window_days, int)
        if not whole or (self.window_days is not None and self.window_days < 1):
            raise FeatureError(
                f"window_days is {self.window_days}",
                where=f"feature {self.name!r}",
                expected="whole days, 1 or more, or None for all history",
                fix="correct it",
            )
        if self.hours is not None and not 0 <= self.hours[0] <= self.hours[1] <= 23:
            raise FeatureError(
                f"hours are {self.hours}",
                where=f"feature {self.name!r}",
                expected="first and last hour, 0 to 23",
                fix="correct them",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio(_Named):
    """One feature over another; missing where the other is zero or missing.

    Parameters
    ----------
    name, meaning, unit
        Identifier, one sentence for people, unit of the figure.
    numerator, denominator
        Names of features of the same set.
    scale
        Factor of the quotient.
    """

    numerator: str
    denominator: str
    scale: float = 1.0

    @property
    def needs(self) -> tuple[str, str]:
        """The features this one is made of."""
        return self.numerator, self.denominator


@dataclass(frozen=True, slots=True, kw_only=True)
class Response(_Named):
    """Mean hours until one side answered the other's last word.

    A pair is a row of the answering side right after one of the asking side.

    Parameters
    ----------
    name, meaning, unit
        Identifier, one sentence for people, unit of the figure.
    source
        One of `SOURCES`.
    column
        Whose turn a row is.
    asking, answering
        Its value on either side.
    """

    source: str
    column: str
    asking: str
    answering: str

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns the feature reads, times and keys left out."""
        return (self.column,)

    def _check(self) -> None:
        _known_source(self.name, self.source)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackRecord(_Named):
    """Share of earlier leads of the same agent or source that converted, shrunk to the mean.

    Only outcomes the CRM had on record before the day of the prediction count, so no lead's own
    outcome, and none of a later one, reaches its feature: the encoding is out of fold by time.

    Parameters
    ----------
    name, meaning, unit
        Identifier, one sentence for people, unit of the figure.
    key
        Column of the snapshots and of the outcomes that both share.
    strength
        Leads the mean of all weighs as much as (Micci-Barreca 2001).
    """

    key: str
    strength: float = 20.0

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns the feature reads, times and keys left out."""
        return (self.key,)

    def _check(self) -> None:
        if self.strength <= 0:
            raise FeatureError(
                f"strength is {self.strength}",
                where=f"feature {self.name!r}",
                expected="above 0",
                fix="give how many leads the mean of all weighs as much as",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Static(_Named):
    """A field of the lead itself, as its form said.

    Parameters
    ----------
    name, meaning, unit
        Identifier, one sentence for people, unit of the figure.
    column
        Column of the table of leads.
    values
        Its values when it is a category.
    """

    column: str
    values: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns the feature reads, times and keys left out."""
        return (self.column,)


Feature: TypeAlias = Aggregate | Ratio | Response | TrackRecord | Static
