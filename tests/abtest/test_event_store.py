"""Events are added once, whole batches or nothing, from several processes."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from workbench.abtest import EventStore, Exposure, Outcome
from workbench.errors import DataError

NOW = datetime(2026, 2, 1, tzinfo=UTC)
THEN = datetime(2026, 1, 5, 9, tzinfo=UTC)
SAID: Any = "yes"


def store_in(folder: Path, at: datetime = NOW) -> EventStore:
    return EventStore(folder / "events.duckdb", clock=lambda: at)


def exposure(i: int, arm: str = "old", at: datetime = THEN) -> Exposure:
    return Exposure(f"x{i}", "script", f"lead-{i}", arm, at, attributes={"role": "jr", "calls": 2})


def outcome(i: int, value: float = 1.0, at: datetime = THEN) -> Outcome:
    return Outcome(f"o{i}", f"lead-{i}", "reply", at, value)


def test_a_repeat_changes_nothing_and_a_conflict_is_reported(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    events = [exposure(i) for i in range(5)]
    assert store.record_exposures(events) == (5, 0, ())
    assert store.record_exposures(events) == (0, 5, ())
    other = [exposure(1, "new"), exposure(9), exposure(9), exposure(9, "new")]
    assert store.record_exposures(other) == (1, 1, ("x1", "x9"))
    assert store.counts() == {"exposures": 6, "outcomes": 0, "conflicts": 2}
    with store.connection() as con:
        assert con.execute("select distinct arm from exposures").fetchall() == [("old",)]


def test_the_same_moment_in_another_zone_is_no_conflict(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    store.record_outcomes([outcome(1)])
    there = THEN.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert store.record_outcomes([outcome(1, at=there)]) == (0, 1, ())
    assert store.record_outcomes([outcome(1, 2.0)]) == (0, 0, ("o1",))


def test_one_bad_event_keeps_the_batch_out(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    with pytest.raises(DataError, match="outcome 'o2'"):
        store.record_outcomes([outcome(1), outcome(2, float("nan"))])
    assert store.counts()["outcomes"] == 0
    assert store.record_outcomes([]) == (0, 0, ())


@pytest.mark.parametrize(
    ("event", "message"),
    [
        (outcome(1, float("inf")), "the value is inf. Expected a finite number"),
        (Outcome("o", "u", "reply", THEN, SAID), "the value is a str"),
        (outcome(1, at=NOW + timedelta(minutes=6)), "in the future"),
        (outcome(1, at=THEN.replace(tzinfo=None)), "without a time zone"),
        (Outcome("o", "ann@example.com", "reply", THEN), "looks like an e-mail"),
        (Outcome("o", "+49 171 2345678", "reply", THEN), "phone number"),
        (Outcome("", "u", "reply", THEN), "event_id is empty"),
    ],
)
def test_malformed_outcomes(tmp_path: Path, event: Outcome, message: str) -> None:
    with pytest.raises(DataError) as caught:
        store_in(tmp_path).record_outcomes([event])
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"propensity": 0.0}, "the propensity is 0.0"),
        ({"attributes": {"calls": float("nan")}}, "attribute 'calls'"),
        ({"attributes": {"calls": True}}, "attribute 'calls' is a bool"),
        ({"arm": " "}, "arm is empty"),
        ({"cluster_id": "agent@example.com"}, "cluster_id looks like"),
        ({"exposed_at": NOW + timedelta(days=1)}, "in the future"),
    ],
)
def test_malformed_exposures(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    good: dict[str, Any] = {
        "event_id": "x",
        "experiment": "e",
        "unit_id": "u",
        "arm": "a",
        "exposed_at": THEN,
    }
    with pytest.raises(DataError) as caught:
        store_in(tmp_path).record_exposures([Exposure(**{**good, **changes})])
    assert message in str(caught.value)


def test_numbers_of_numpy_and_identifiers_that_look_odd_are_taken(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    odd = ["2026-01-05", "agent-7@12", "550e8400-e29b-41d4-a716-446655440000", "12345678901"]
    events = [Outcome(f"o{i}", u, "reply", THEN, np.float64(0.5)) for i, u in enumerate(odd)]
    assert store.record_outcomes(events).n_new == 4


WRITER = """
import sys
from datetime import UTC, datetime
from workbench.abtest import EventStore, Outcome
store, who = EventStore(sys.argv[1]), sys.argv[2]
at = datetime(2026, 1, 5, tzinfo=UTC)
for batch in range(6):
    store.record_outcomes(
        Outcome(f"{who}-{batch}-{i}", f"u{i}", "reply", at) for i in range(50))
    store.record_outcomes([Outcome(f"shared-{batch}", "u", "reply", at)])
print("done", flush=True)
"""


def test_several_processes_record_at_once(tmp_path: Path) -> None:
    path = str(tmp_path / "events.duckdb")
    running = [
        subprocess.Popen([sys.executable, "-c", WRITER, path, f"w{i}"], stdout=subprocess.PIPE)
        for i in range(2)
    ]
    assert [p.communicate(timeout=120)[0] for p in running] == [b"done\n"] * 2
    assert EventStore(path).counts() == {"exposures": 0, "outcomes": 606, "conflicts": 0}


KILLED = """
import os, sys
from datetime import UTC, datetime
from pathlib import Path
from workbench.abtest import EventStore, Outcome
store = EventStore(Path(sys.argv[1]))
at = datetime(2026, 1, 5, tzinfo=UTC)
store.record_outcomes(Outcome(f"a{i}", "u", "reply", at) for i in range(100))
with store.connection() as con:
    con.execute("begin")
    con.execute("insert into outcomes select 'b' || range, 'u', 'reply', now(), 1, now(), 'x'"
                " from range(100)")
    if sys.argv[2] == "committed":
        con.execute("commit")
    os.kill(os.getpid(), 9)
"""


@pytest.mark.parametrize(("when", "n"), [("open", 100), ("committed", 200)])
def test_a_killed_process_leaves_whole_batches(tmp_path: Path, when: str, n: int) -> None:
    path = tmp_path / "events.duckdb"
    done = subprocess.run([sys.executable, "-c", KILLED, str(path), when], check=False)
    assert done.returncode == -9
    store = EventStore(path)
    with duckdb.connect() as con, store.attached(con) as schema:
        rows = con.table(f"{schema}.outcomes").project("event_id").fetchall()
    assert len(rows) == n
    assert store.counts()["outcomes"] == n


def test_other_files_are_refused(tmp_path: Path) -> None:
    text = tmp_path / "notes.duckdb"
    text.write_text("not a database")
    with pytest.raises(DataError, match="cannot be opened"):
        EventStore(text).counts()
    store = store_in(tmp_path)
    store.record_outcomes([outcome(1)])
    with store.connection() as con:
        con.execute("update meta set schema_version = 99")
    with pytest.raises(DataError, match="schema version 99"):
        store.counts()


def test_the_export_is_parquet(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    store.record_exposures([exposure(1)])
    store.record_outcomes([outcome(1), outcome(2)])
    paths = store.export(tmp_path)
    found = [duckdb.read_parquet(str(p)).project("event_id") for p in paths]
    assert [len(relation.fetchall()) for relation in found] == [1, 2]
    assert not list(tmp_path.glob("*.part"))
