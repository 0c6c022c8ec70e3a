"""Analytics of flows reconcile with the raw events to the last bit, computed anew in SQL."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.data.conversations.sheets import AREAS, QUESTIONS
from workbench.errors import DataError
from workbench.studies.qualification_records import THIRDS_OF_A_POINT, qualification_analytics
from workbench.studies.qualification_service import EVENT_COLUMNS

_START = datetime(2026, 3, 1, tzinfo=UTC)
_FLOWS = """
with last as (
  select flow_id, unnest(answered) as slug from records
  qualify row_number() over (partition by flow_id order by number desc) = 1
), points as (
  select flow_id, sum(w.thirds) as thirds from last join worth w using (slug) group by flow_id
), flows as (
  select flow_id, max((event = 'finished')::int) as finished,
         max((event = 'abandoned')::int) as abandoned, sum((event = 'answered')::int) as turns,
         max(epoch_us("at")) - min(epoch_us("at")) as us,
         coalesce(arg_min(agent_role, number), '(not recorded)') as agent_role
  from records group by flow_id
)
"""
_TOTALS = """
select count(*) as flows, sum(finished) as finished, sum(abandoned) as abandoned,
       sum((finished + abandoned = 0)::int) as open, sum(turns) as turns,
       sum(abandoned) / count(*) as abandoned_share, sum(turns) / count(*) as mean_turns,
       sum(us)::bigint / (count(*) * 1000000) as mean_time_s,
       coalesce(sum(thirds), 0)::bigint / (count(*) * 3) as mean_completeness
from flows left join points using (flow_id)
"""


@st.composite
def event_logs(draw: st.DrawFn) -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    for flow in range(draw(st.integers(1, 6))):
        who = {
            "flow_id": f"flow-{flow}", "tenant": draw(st.sampled_from(["a", "b"])),
            "agent_id": draw(st.sampled_from(["x", "y", "z"])),
            "agent_role": draw(st.sampled_from(["buyer", "seller", None])),
            "agent_experience": "novice",
        }  # fmt: skip
        told: set[str] = set()
        at = _START
        kinds = ["started", *draw(st.lists(st.sampled_from(["asked", "answered"]), max_size=8))]
        kinds += draw(st.sampled_from([[], ["finished"], ["abandoned"]]))
        for number, event in enumerate(kinds):
            at += timedelta(microseconds=draw(st.integers(0, 10**9)))
            slug = (
                draw(st.sampled_from(QUESTIONS)) if event not in ("started", "finished") else None
            )
            told |= {slug} if event == "answered" and slug and draw(st.booleans()) else set()
            rows.append(
                who
                | {"number": number, "at": at, "event": event, "slug": slug, "completeness": 0.0}
                | {"answered": tuple(s for s in QUESTIONS if s in told)}
            )
    shuffled = draw(st.permutations(rows))
    return pd.DataFrame(shuffled, columns=list(EVENT_COLUMNS))


def _sql(records: pd.DataFrame, query: str) -> pd.DataFrame:
    connection = duckdb.connect()
    texts = records.assign(answered=[list(given) for given in records["answered"]])
    worth = pd.DataFrame(
        {"slug": list(THIRDS_OF_A_POINT), "thirds": list(THIRDS_OF_A_POINT.values())}
    )
    with connection:
        connection.register("given", texts)
        connection.execute(
            "create table records as select * replace (answered::varchar[] as answered) from given"
        )
        connection.register("worth", worth)
        return connection.execute(_FLOWS + query).df()


@settings(max_examples=25)
@given(event_logs())
def test_totals_equal_those_of_sql_to_the_last_bit(records: pd.DataFrame) -> None:
    found = qualification_analytics(records)
    assert found.overall.iloc[0].tolist() == _sql(records, _TOTALS).iloc[0].tolist()
    by_role = _sql(
        records, _TOTALS.replace("select count", "select agent_role, count")
        + " group by agent_role order by agent_role",
    )  # fmt: skip
    assert found.groups["agent_role"].to_numpy().tolist() == by_role.to_numpy().tolist()


@settings(max_examples=25)
@given(event_logs())
def test_groups_and_areas_add_up_to_the_whole(records: pd.DataFrame) -> None:
    found = qualification_analytics(records)
    for table in found.groups.values():
        for column in ("flows", "finished", "abandoned", "open", "turns"):
            assert table[column].sum() == found.overall[column].iloc[0]
    asked = _sql(records, "select count(*) from records where event = 'asked'").iloc[0, 0]
    assert found.by_question["asked"].sum() == asked
    assert found.by_question["abandoned_at"].sum() == found.overall["abandoned"].iloc[0]
    assert found.by_question["answered_flows"].sum() == found.by_area["answers"].sum()


def test_thirds_of_a_point_add_up_to_a_hundred() -> None:
    assert sum(THIRDS_OF_A_POINT.values()) == 300
    for weight, slugs in AREAS.values():
        assert sum(THIRDS_OF_A_POINT[slug] for slug in slugs) == 3 * weight


def test_strange_records_are_refused() -> None:
    with pytest.raises(DataError, match="missing"):
        qualification_analytics(pd.DataFrame({"flow_id": ["f"]}))
    one = pd.DataFrame([dict.fromkeys(EVENT_COLUMNS, "x")])
    with pytest.raises(DataError, match="an event 'x'"):
        qualification_analytics(one)


def test_records_come_back_from_a_file_as_they_were(tmp_path: Path) -> None:
    event: dict[str, Any] = dict.fromkeys(EVENT_COLUMNS)
    event |= {"flow_id": "f", "at": _START, "answered": ("size", "location")}
    records = pd.DataFrame(
        [event | {"number": 0, "event": "started"}, event | {"number": 1, "event": "finished"}]
    )
    records.to_parquet(tmp_path / "flows.parquet")
    again = qualification_analytics(pd.read_parquet(tmp_path / "flows.parquet"))
    assert again.to_frame().equals(qualification_analytics(records).to_frame())
    assert again.overall["mean_completeness"].iloc[0] == 10.0
