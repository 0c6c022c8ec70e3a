"""A set of features: looked up, described, built for tables and computed in memory."""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd

from workbench.errors import FeatureError
from workbench.features.history.definitions import (
    Aggregate,
    Feature,
    Ratio,
    Response,
    Static,
    TrackRecord,
)
from workbench.features.history.memory import Context, History, MemoryPlan
from workbench.features.history.tables import build_table, context_of

if TYPE_CHECKING:
    from datetime import datetime

    import ibis

__all__ = ["FeatureSet"]


@dataclass(frozen=True)
class FeatureSet:
    """Features that are built together.

    The same definitions run on any engine Ibis speaks to (embedded on DuckDB, unchanged on Spark)
    and, for one lead at a time, in memory; the figures are equal.

    Parameters
    ----------
    features : tuple of Feature
        Each name once; a ratio's parts are in the set.

    Raises
    ------
    FeatureError
        When a name is given twice or a ratio's part is missing.

    Examples
    --------
    >>> from workbench.features import FEATURES
    >>> FEATURES.only("n_events_7d", "week_over_month").names
    ('n_events_7d', 'week_over_month')
    """

    features: tuple[Feature, ...]

    def __post_init__(self) -> None:
        names = [feature.name for feature in self.features]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise FeatureError(
                f"feature {min(twice)!r} is given twice",
                expected="each name once",
                fix="rename or remove one",
            )
        for feature in self.features:
            missing = set(feature.needs) - set(names) if isinstance(feature, Ratio) else set()
            if missing:
                raise FeatureError(
                    f"{feature.name!r} is made of {min(missing)!r}, which is not in the set",
                    expected="a set that holds both parts of a ratio",
                    fix="add it",
                )

    def __iter__(self) -> Iterator[Feature]:
        return iter(self.features)

    def __len__(self) -> int:
        return len(self.features)

    def __add__(self, other: "FeatureSet | Iterable[Feature]") -> "FeatureSet":
        """Put two sets together."""
        return FeatureSet((*self.features, *other))

    @property
    def names(self) -> tuple[str, ...]:
        """Names in the set's order, which is the order of the columns."""
        return tuple(feature.name for feature in self.features)

    def only(self, *names: str) -> "FeatureSet":
        """The features named, in the order given; parts of ratios come along unshown.

        Raises
        ------
        FeatureError
            When there is no such feature.
        """
        known = {feature.name: feature for feature in self.features}
        for name in names:
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1)
                raise FeatureError(
                    f"there is no feature {name!r}",
                    expected=f"one of {len(known)} names, such as {', '.join(list(known)[:3])}",
                    fix=f"use {near[0]!r}" if near else "see `workbench features list`",
                )
        parts = {
            part
            for name in names
            for part in getattr(known[name], "needs", ())
            if part not in names
        }
        shown = tuple(known[name] for name in names)
        hidden = tuple(feature for feature in self.features if feature.name in parts)
        return _Selection(shown + hidden, shown=tuple(names))

    def describe(self) -> pd.DataFrame:
        """Name, meaning, unit, source and window of each feature."""
        rows = [_described(feature) for feature in self.features if feature.name in self.names]
        return pd.DataFrame(rows, columns=["name", "meaning", "unit", "source", "window"])

    def _repr_html_(self) -> str:
        return str(self.describe().to_html(index=False))

    def build(self, tables: "Mapping[str, ibis.Table]", snapshots: "ibis.Table") -> "ibis.Table":
        """Express the features of each snapshot; nothing runs until the result is executed.

        Parameters
        ----------
        tables
            Tables by name, all of one engine; see `Source` for their columns.
        snapshots
            Moments of prediction: `snapshot_id`, `lead_id`, `as_of` and the keys of track
            records, one row each.

        Returns
        -------
        ibis.Table
            The snapshots' columns and one column a feature, in the set's order.

        Raises
        ------
        FeatureError
            When a table or column is missing or of the wrong type.
        """
        built = build_table(self.features, tables, snapshots)
        return built.select(*snapshots.columns, *self.names)

    def context(self, tables: "Mapping[str, ibis.Table]", as_of: "datetime") -> Context:
        """What `compute` must know of other leads on the day of `as_of`: their track records.

        Raises
        ------
        FeatureError
            When a table or column is missing or of the wrong type.
        """
        records = tuple(f for f in self.features if isinstance(f, TrackRecord))
        return context_of(records, tables, as_of)

    @cached_property
    def _plan(self) -> MemoryPlan:
        return MemoryPlan(self.features)

    def compute(
        self,
        history: History,
        as_of: "datetime",
        *,
        lead: Mapping[str, Any] | None = None,
        context: Context | None = None,
    ) -> dict[str, Any]:
        """Compute the features of one lead from its history in memory.

        Parameters
        ----------
        history
            Rows by table, each a mapping of column to value; times are `datetime`.
        as_of
            Moment of prediction; what happened or was recorded later is not seen.
        lead
            Fields of the lead, for features that are such fields or are keyed by one.
        context
            Track records of the day, from `context`.

        Returns
        -------
        dict
            Value by feature name; what is missing is None.

        Raises
        ------
        FeatureError
            When a table, a column or the context is missing.
        """
        values = self._plan.compute(history, as_of, lead or {}, context)
        return {name: values[name] for name in self.names}


@dataclass(frozen=True)
class _Selection(FeatureSet):
    """Features chosen by name: parts nobody asked for are built but not shown."""

    shown: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return self.shown


def _described(feature: Feature) -> tuple[str, str, str, str, str]:
    source, window = "leads", ""
    if isinstance(feature, Aggregate | Response):
        source = feature.source
    if isinstance(feature, Aggregate):
        window = "all history" if feature.window_days is None else f"{feature.window_days} days"
    elif isinstance(feature, Ratio):
        source = f"{feature.numerator} / {feature.denominator}"
    elif isinstance(feature, TrackRecord):
        source, window = "outcomes", "before the day"
    elif isinstance(feature, Static):
        window = "when created"
    else:
        window = "all history"
    return feature.name, feature.meaning, feature.unit, source, window
