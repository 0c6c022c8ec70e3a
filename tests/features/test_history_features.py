"""History features: equal on every engine, and blind to what was not yet known."""

import itertools
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.features.histories import DAY_US, random_tables

from workbench.errors import FeatureError
from workbench.features.engines import collect, write_table
from workbench.features.history import (
    FEATURES,
    Aggregate,
    FeatureSet,
    Ratio,
    Response,
    Static,
    TrackRecord,
    history_of,
)

at = partial(datetime, tzinfo=UTC)
number = itertools.count()


@pytest.fixture(scope="module")
def duckdb() -> Any:
    connection = ibis.duckdb.connect()
    yield connection
    connection.disconnect()


def opened(connection: Any, folder: Path, frames: dict[str, pd.DataFrame]) -> dict[str, Any]:
    tables = {}
    for name, frame in frames.items():
        frame.to_parquet(folder / f"{name}.parquet")
        tables[name] = connection.read_parquet(str(folder / f"{name}.parquet"))
    return tables


def built(connection: Any, folder: Path, frames: dict[str, pd.DataFrame]) -> pd.DataFrame:
    tables = opened(connection, folder, frames)
    made = write_table(
        FEATURES.build(tables, tables["snapshots"]),
        folder / f"built-{connection.name}-{next(number)}",
    )
    found = pd.read_parquet(made)
    return found.set_index("snapshot_id").sort_index()


@settings(
    max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(seed=st.integers(0, 10_000))
def test_tables_and_memory_give_the_same_figures(duckdb: Any, tmp_path: Path, seed: int) -> None:
    frames = random_tables(seed, n_leads=6, n_rows=120)
    tables = opened(duckdb, tmp_path, frames)
    table = collect(FEATURES.build(tables, tables["snapshots"])).set_index("snapshot_id")
    leads = frames["leads"].set_index("lead_id", drop=False)
    for snapshot in frames["snapshots"].head(6).itertuples():
        values = FEATURES.compute(
            history_of(frames, snapshot.lead_id),
            snapshot.as_of,
            lead=leads.loc[snapshot.lead_id].to_dict(),
            context=FEATURES.context(tables, snapshot.as_of),
        )
        for name, value in values.items():
            other = table.loc[snapshot.snapshot_id, name]
            same = pd.isna(other) if value is None else value == other
            assert same, (name, value, other)


def test_the_future_and_what_is_not_yet_recorded_move_no_feature(
    duckdb: Any, tmp_path: Path
) -> None:
    frames = random_tables(3)
    before = built(duckdb, tmp_path, frames)
    as_of = frames["snapshots"].groupby("lead_id")["as_of"].max()
    rng = np.random.default_rng(0)
    changed = dict(frames)
    n_changed = 0
    for name, at in (("events", "occurred_at"), ("messages", "sent_at")):
        table = frames[name].copy()
        limit = table["lead_id"].map(as_of)
        future = ((table[at] > limit) | (table["recorded_at"] > limit)).to_numpy()
        n_changed += int(future.sum())
        # Shuffle everything but whom a row is about and when it became known.
        for column in set(table.columns) - {"lead_id", at, "recorded_at"}:
            table.loc[future, column] = rng.permutation(table.loc[future, column].to_numpy())
        table.loc[future & (table[at] > limit), at] += pd.Timedelta(days=3)
        changed[name] = table
    last_day = frames["snapshots"]["as_of"].max().normalize()
    outcomes = frames["outcomes"].copy()
    later = (outcomes["recorded_at"] >= last_day).to_numpy()
    outcomes.loc[later, "recorded_status"] = "converted"
    changed["outcomes"] = outcomes
    assert n_changed > 50 and later.any()
    pd.testing.assert_frame_equal(before, built(duckdb, tmp_path, changed))


def test_the_past_does_move_features(duckdb: Any, tmp_path: Path) -> None:
    frames = random_tables(3)
    before = built(duckdb, tmp_path, frames)
    events = frames["events"].assign(kind="visit")
    after = built(duckdb, tmp_path, {**frames, "events": events})
    assert (before["n_visits_90d"] < after["n_visits_90d"]).any()


def test_an_event_recorded_late_counts_from_its_record_on() -> None:
    noon = at(2024, 3, 1, 12)
    event = {
        "event_id": "E1", "occurred_at": at(2024, 2, 28), "recorded_at": noon,
        "channel": "web", "kind": "visit", "direction": "inbound", "listing_id": None,
        "value_usd": None,
    }  # fmt: skip
    features = FEATURES.only("n_events_7d", "recency_days")
    just_before = at(2024, 3, 1, 11, 59, 59, 999_999)
    assert features.compute({"events": [event]}, just_before) == {
        "n_events_7d": 0, "recency_days": None,
    }  # fmt: skip
    assert features.compute({"events": [event]}, noon) == {"n_events_7d": 1, "recency_days": 2.5}


def test_a_window_is_open_at_its_far_end() -> None:
    visits = Aggregate(name="n_7d", meaning="-", source="events", measure="count", window_days=7)
    row = {
        "event_id": "E",
        "recorded_at": at(2024, 1, 1),
        "occurred_at": at(2024, 1, 1),
    }
    found = FeatureSet((visits,))
    assert found.compute({"events": [row]}, at(2024, 1, 8))["n_7d"] == 0
    assert found.compute({"events": [row]}, at(2024, 1, 7, 23, 59, 59))["n_7d"] == 1


def test_a_track_record_knows_no_outcome_of_its_own_day(duckdb: Any, tmp_path: Path) -> None:
    frames = random_tables(5)
    day = pd.Timestamp("2024-02-10")
    frames["snapshots"] = frames["snapshots"].head(3).assign(as_of=day + pd.Timedelta(hours=15))
    rate = TrackRecord(name="rate", meaning="-", key="agent_id", strength=2.0)
    tables = opened(duckdb, tmp_path, frames)
    found = collect(FeatureSet((rate,)).build(tables, tables["snapshots"]))
    known = frames["outcomes"][frames["outcomes"]["recorded_at"] < day]
    won = known["recorded_status"] == "converted"
    mean = (won.sum() + 1) / (len(known) + 2)
    for row in found.itertuples():
        own = won[known["agent_id"] == row.agent_id]
        assert row.rate == pytest.approx((own.sum() + 2 * mean) / (len(own) + 2), abs=1e-12)


def test_leads_without_history_are_kept(duckdb: Any, tmp_path: Path) -> None:
    frames = random_tables(1)
    table = built(duckdb, tmp_path, frames)
    assert len(table) == len(frames["snapshots"])
    silent = table[table["lead_id"] == "L011"]
    assert (silent["n_events"] == 0).all() and silent["recency_days"].isna().all()
    assert (silent["value_sum_usd"] == 0).all() and silent["web_share"].isna().all()


def test_the_set_describes_itself() -> None:
    table = FEATURES.describe()
    assert list(table.columns) == ["name", "meaning", "unit", "source", "window"]
    assert tuple(table["name"]) == FEATURES.names and table["meaning"].str.len().gt(5).all()
    assert "n_visits_7d" in FEATURES._repr_html_()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Static(name="kids", meaning="-", column="family_status"), "familial status"),
        (lambda: Static(name="contact_name", meaning="-", column="label"), "tells name"),
        (
            lambda: Aggregate(
                name="n", meaning="-", source="events", measure="count",
                where={"national_origin": ("x",)},
            ),
            "national origin",
        ),
        (lambda: TrackRecord(name="r", meaning="-", key="birth_year"), "tells age"),
        (lambda: Static(name="not a name", meaning="-", column="x"), "no name of a feature"),
        (
            lambda: Aggregate(name="n", meaning="-", source="evnts", measure="count"),
            "no source 'evnts'",
        ),
        (
            lambda: Aggregate(name="n", meaning="-", source="events", measure="sum"),
            "measure 'sum' with column None",
        ),
        (
            lambda: Aggregate(
                name="n", meaning="-", source="events", measure="count", window_days=0
            ),
            "window_days is 0",
        ),
        (
            lambda: Aggregate(
                name="n", meaning="-", source="events", measure="count", hours=(20, 3)
            ),
            "hours are",
        ),
        (lambda: Response(name="n", meaning="-", source="x", column="c", asking="a",
                          answering="b"), "no source 'x'"),
        (lambda: FEATURES + FEATURES, "given twice"),
        (
            lambda: FeatureSet((Ratio(name="r", meaning="-", numerator="a", denominator="b"),)),
            "not in the set",
        ),
        (lambda: FEATURES.only("n_visit_7d"), "use 'n_visits_7d'"),
    ],
)  # fmt: skip
def test_malformed_features_are_refused(make: Any, words: str) -> None:
    with pytest.raises(FeatureError, match=words):
        make()


def test_tables_that_do_not_fit_are_refused(duckdb: Any, tmp_path: Path) -> None:
    frames = random_tables(0)
    tables = opened(duckdb, tmp_path, frames)
    snapshots = tables["snapshots"]
    visits = FEATURES.only("n_visits_7d")
    with pytest.raises(FeatureError, match="no table 'events'"):
        visits.build({}, snapshots)
    with pytest.raises(FeatureError, match="no column 'kind'"):
        visits.build({"events": tables["events"].drop("kind")}, snapshots)
    text = tables["events"].mutate(occurred_at=tables["events"].occurred_at.cast("string"))
    with pytest.raises(FeatureError, match="'occurred_at' of table 'events' is string"):
        visits.build({"events": text}, snapshots)
    with pytest.raises(FeatureError, match="no column 'as_of'"):
        visits.build(tables, snapshots.drop("as_of"))


def test_a_history_that_does_not_fit_is_refused() -> None:
    features = FEATURES.only("n_visits_7d", "agent_conversion_rate")
    with pytest.raises(FeatureError, match="no 'events'"):
        features.compute({}, at(2024, 1, 1))
    with pytest.raises(FeatureError, match="track records of the day"):
        features.compute({"events": []}, at(2024, 1, 1), lead={"agent_id": "A1"})
    with pytest.raises(FeatureError, match="as_of is str"):
        features.compute({"events": []}, "2024-01-01")  # type: ignore[arg-type]
    with pytest.raises(FeatureError, match="occurred_at is missing"):
        features.compute(
            {"events": [{"occurred_at": None, "recorded_at": None, "event_id": "E"}]},
            at(2024, 1, 1),
        )


def test_spark_gives_the_same_figures(duckdb: Any, spark: Any, tmp_path: Path) -> None:
    frames = random_tables(11)
    here = built(duckdb, tmp_path, frames)
    there = built(ibis.pyspark.connect(spark), tmp_path, frames)
    assert list(here.columns) == list(there.columns)
    for name in here.columns:
        a, b = here[name], there[name]
        if pd.api.types.is_float_dtype(a.dtype):
            left, right = a.to_numpy(float), b.to_numpy(float)
            np.testing.assert_allclose(left, right, rtol=1e-9, atol=0, err_msg=name)
        else:
            assert a.astype(str).tolist() == b.astype(str).tolist(), name


def test_the_day_is_what_the_constant_says() -> None:
    assert pd.Timedelta(days=1) == pd.Timedelta(microseconds=DAY_US)
