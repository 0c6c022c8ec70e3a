"""Analytics of qualification flows: aggregates that reconcile with the raw events exactly."""

import html
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import pandas as pd

from workbench.data.conversations.sheets import AREAS, QUESTIONS
from workbench.errors import DataError
from workbench.studies.qualification_service import EVENT_COLUMNS

__all__ = ["THIRDS_OF_A_POINT", "FlowAnalytics", "qualification_analytics"]

THIRDS_OF_A_POINT: Mapping[str, int] = MappingProxyType({
    slug: 3 * weight // len(slugs) for weight, slugs in AREAS.values() for slug in slugs
})  # fmt: skip
"""What each question is worth in thirds of a point: whole numbers, so that sums are exact."""

_GROUPS = ("tenant", "agent_id", "agent_role", "agent_experience")
_EVENTS = ("started", "asked", "answered", "finished", "abandoned")
_UNKNOWN = "(not recorded)"


@dataclass(frozen=True)
class FlowAnalytics:
    """Aggregates of flow records.

    Parameters
    ----------
    overall
        One row: flows, how they ended, turns, time, completeness.
    by_area
        One row an area: answers, flows with all of its questions answered.
    by_question
        One row a question: how often put, how often answered in the end, flows lost at it.
    groups
        The same columns as `overall` by tenant, agent, role and experience.
    """

    overall: pd.DataFrame
    by_area: pd.DataFrame
    by_question: pd.DataFrame
    groups: Mapping[str, pd.DataFrame]

    def to_frame(self) -> pd.DataFrame:
        """All tables of one shape, one under the other: whole, then group by group."""
        parts = [self.overall.assign(by="all", value="all")]
        for name, table in self.groups.items():
            parts.append(table.rename(columns={name: "value"}).assign(by=name))
        whole = pd.concat(parts, ignore_index=True)
        return whole[["by", "value", *self.overall.columns]]

    def _repr_html_(self) -> str:
        tables = {
            "All flows": self.overall, "Areas": self.by_area, "Questions": self.by_question,
            **{name.replace("_", " "): table for name, table in self.groups.items()},
        }  # fmt: skip
        return "".join(
            f"<h4>{html.escape(name)}</h4>"
            f"{table.to_html(index=False, float_format='{:.2f}'.format)}"
            for name, table in tables.items()
        )


def qualification_analytics(records: pd.DataFrame) -> FlowAnalytics:
    """Aggregate the records of qualification flows.

    A flow is abandoned or finished when an event says so, else it is open. Turns are replies; time
    runs from the first event to the last; answers are those of the last event. Sums are whole
    numbers (thirds of a point, microseconds) and means one division of two of them: whoever adds
    up the raw events gets the same figures to the last bit.

    Parameters
    ----------
    records
        Of `QualificationFlow.records`, or read back from a file; any order.

    Raises
    ------
    DataError
        When a column is missing, or an event is of no known kind.

    Examples
    --------
    >>> at = pd.Timestamp("2026-01-05T10:00Z")
    >>> event = dict.fromkeys(EVENT_COLUMNS) | {"flow_id": "f", "at": at, "answered": ()}
    >>> log = pd.DataFrame([event | {"number": 0, "event": "started"},
    ...                     event | {"number": 1, "event": "abandoned", "slug": "size"}])
    >>> qualification_analytics(log).overall[["flows", "abandoned"]].iloc[0].tolist()
    [1, 1]
    """
    missing = [name for name in EVENT_COLUMNS if name not in records]
    strange = sorted(set(records.get("event", ())) - set(_EVENTS))
    if missing or strange:
        raise DataError(
            f"columns {missing} are missing" if missing else f"an event {strange[0]!r}",
            where="qualification records",
            expected=f"columns {list(EVENT_COLUMNS)}, events {list(_EVENTS)}",
            fix="pass the records of QualificationFlow",
        )
    flows = _flows(records)
    grouped = {name: _totals(flows, name) for name in _GROUPS}
    return FlowAnalytics(
        _totals(flows.assign(every="all"), "every").drop(columns="every"),
        _by_area(flows),
        _by_question(records, flows),
        MappingProxyType(grouped),
    )


def _flows(records: pd.DataFrame) -> pd.DataFrame:
    """One row a flow, in whole numbers."""
    ordered = records.sort_values(["flow_id", "number"], kind="stable")
    ordered = ordered.assign(
        us=pd.to_datetime(ordered["at"], utc=True).astype("datetime64[us, UTC]").astype("int64"),
        turns=(ordered["event"] == "answered").astype("int64"),
        finished=(ordered["event"] == "finished").astype("int64"),
        abandoned=(ordered["event"] == "abandoned").astype("int64"),
        **{name: _known(ordered[name]) for name in _GROUPS},
    )
    flows = ordered.groupby("flow_id", sort=True)
    found = flows[["finished", "abandoned"]].max()
    found["turns"] = flows["turns"].sum()
    found["us"] = flows["us"].max() - flows["us"].min()
    for name in _GROUPS:
        found[name] = flows[name].first()
    answered = flows["answered"].last()
    for slug in QUESTIONS:
        found[slug] = [int(slug in given) for given in answered]
    found["thirds"] = sum(found[slug] * THIRDS_OF_A_POINT[slug] for slug in QUESTIONS)
    return found


def _known(values: "pd.Series[str]") -> "pd.Series[str]":
    return values.astype(object).where(values.notna(), _UNKNOWN)


def _totals(flows: pd.DataFrame, by: str) -> pd.DataFrame:
    ended = flows["finished"] | flows["abandoned"]
    groups = flows.assign(open=1 - ended).groupby(by, sort=True)
    found = groups[["finished", "abandoned", "open", "turns"]].sum()
    found.insert(0, "flows", groups.size())
    n = found["flows"]
    found["abandoned_share"] = found["abandoned"] / n
    found["mean_turns"] = found["turns"] / n
    found["mean_time_s"] = groups["us"].sum() / (n * 1_000_000)
    found["mean_completeness"] = groups["thirds"].sum() / (n * 3)
    return found.reset_index()


def _by_area(flows: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for area, (weight, slugs) in AREAS.items():
        answers = flows[list(slugs)].sum(axis=1)
        told, possible = int(answers.sum()), len(flows) * len(slugs)
        rows.append(
            {
                "area": area,
                "weight": weight,
                "answers": told,
                "complete_flows": int((answers == len(slugs)).sum()),
                "answered_share": told / possible if possible else float("nan"),
            }
        )
    return pd.DataFrame(rows)


def _by_question(records: pd.DataFrame, flows: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for slug in QUESTIONS:
        events = records.loc[records["slug"] == slug, "event"]
        asked, lost = int((events == "asked").sum()), int((events == "abandoned").sum())
        rows.append(
            {
                "question": slug,
                "asked": asked,
                "answered_flows": int(flows[slug].sum()),
                "abandoned_at": lost,
                "abandoned_share": lost / asked if asked else float("nan"),
            }
        )
    return pd.DataFrame(rows)
