"""From events to units: windows, late events, two arms, and analyses that can be repeated."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from workbench.abtest import Analysis, Design, EventStore, Exposure, Outcome, analyse, open_units

START = datetime(2026, 1, 5, tzinfo=UTC)


def days(n: float) -> datetime:
    return START + timedelta(days=n)


class Log:
    """A store in which everything is recorded when it happens, unless a test says otherwise."""

    def __init__(self, folder: Path) -> None:
        self.now = START
        self.store = EventStore(folder / "events.duckdb", clock=lambda: self.now)

    def exposed(self, unit: str, arm: str, at: float, **more: Any) -> None:
        self.now = days(at)
        event = Exposure(f"{unit}-{arm}-{at}", "script", unit, arm, days(at), **more)
        self.store.record_exposures([event])

    def happened(
        self, unit: str, name: str, at: float, value: float = 1.0, known: float | None = None
    ) -> None:
        self.now = days(at if known is None else known)
        event = Outcome(f"{unit}-{name}-{at}", unit, name, days(at), value)
        self.store.record_outcomes([event])


def design(metrics: dict[str, Any] | None = None, **changes: Any) -> Design:
    return Design.model_validate(
        {
            "name": "script",
            "arms": {"old": 1, "new": 1},
            "metrics": metrics or {"reply": {"kind": "proportion", "role": "primary"}},
            **changes,
        }
    )


def table(store: EventStore, d: Design, as_of: datetime) -> list[dict[str, Any]]:
    with open_units(d, store, as_of=as_of) as units:
        assert isinstance(units.con, duckdb.DuckDBPyConnection)
        names = [n for n in units.types if n not in ("exposed_at", "propensity")]
        found = units.con.execute(
            "select * exclude (exposed_at) from units order by unit_id, cluster_id"
        )
        columns = [c[0] for c in found.description or []]
        rows = [dict(zip(columns, row, strict=True)) for row in found.fetchall()]
    return [{k: row[k] for k in names} for row in rows]


def test_every_kind_of_metric_comes_out_of_its_events(tmp_path: Path) -> None:
    log = Log(tmp_path)
    d = design(
        {
            "reply": {"kind": "proportion", "role": "primary"},
            "n_replies": {"kind": "count", "column": "reply"},
            "revenue": {"kind": "mean", "column": "sale"},
            "rate": {"kind": "ratio", "numerator": "sale", "denominator": "session"},
            "latency": {"kind": "quantile", "q": 0.5, "missing": "drop"},
            "wait": {"kind": "time_to_event", "column": "reply", "horizon": 5},
        },
        window_days=10,
        segments=["role"],
        covariates=["calls"],
    )
    attributes = {"role": "jr", "calls": 3.0}
    log.exposed("a", "old", 0, attributes=attributes)
    log.exposed("b", "new", 1, attributes=attributes)
    for at, name, value in [
        (2, "reply", 1), (3, "reply", 1), (4, "sale", 20.5), (5, "sale", 4.5),
        (1, "session", 2), (6, "session", 3), (4, "latency", 1.5),
        (-1, "reply", 1), (11, "reply", 1), (11, "sale", 100),
    ]:  # fmt: skip
        log.happened("a", name, at, value)
    log.happened("stranger", "reply", 2)
    a, b = table(log.store, d, days(20))
    assert a == {
        "unit_id": "a", "arm": "old", "cluster_id": None, "role": "jr", "calls": 3.0, "reply": 1,
        "n_replies": 2, "revenue": 25.0, "rate: numerator": 25.0, "rate: denominator": 5.0,
        "latency": 1.5, "wait: duration": 2.0, "wait: event": 1,
    }  # fmt: skip
    assert (b["reply"], b["n_replies"], b["revenue"], b["latency"]) == (0, 0, 0.0, None)
    assert (b["wait: duration"], b["wait: event"]) == (10.0, 0)
    with open_units(d, log.store, as_of=days(20)) as units:
        assert units.counts == (2, 0, 0, 0, 1, 2)
    # Three days in, whoever has not replied is censored where one looks.
    assert table(log.store, d, days(3))[1]["wait: duration"] == 2.0


def test_units_in_two_arms_are_left_out_and_block(tmp_path: Path) -> None:
    log = Log(tmp_path)
    for i in range(20):
        log.exposed(f"u{i}", "old" if i % 2 else "new", 0)
    log.exposed("u0", "old", 1)
    log.exposed("u1", "old", 2)  # again, in the same arm: nothing new
    found = analyse(design(), log.store, as_of=days(5))
    assert dict(found.n_units) == {"old": 10, "new": 9}
    assert [f.severity for f in found.findings if f.code == "WB-X04"] == ["blocks"]
    assert found.decisions[0].decision == "cannot decide"


def test_a_late_event_counts_from_when_it_is_known(tmp_path: Path) -> None:
    log = Log(tmp_path)
    for i in range(8):
        log.exposed(f"u{i}", "old" if i % 2 else "new", 0)
    log.happened("u1", "reply", 0.5, known=9)

    def replies(as_of: datetime) -> float:
        found = analyse(design(), log.store, as_of=as_of)
        return found.effect("reply").effect.control

    before = analyse(design(), log.store, as_of=days(8)).to_dict()
    assert (replies(days(8)), replies(days(10))) == (0.0, 0.25)
    log.exposed("u99", "old", 10)
    assert analyse(design(), log.store, as_of=days(8)).to_dict() == before


def test_units_whose_window_is_not_over_can_wait(tmp_path: Path) -> None:
    log = Log(tmp_path)
    for i in range(12):
        log.exposed(f"u{i}", "old" if i % 2 else "new", float(i))
    d = design(window_days=5, mature_only=True)
    found = analyse(d, log.store, as_of=days(8))
    assert sum(found.n_units.values()) == 4
    assert "5 units whose window is not over" in str(found.findings)
    assert sum(analyse(design(window_days=5), log.store, as_of=days(8)).n_units.values()) == 9


def test_exposures_outside_the_experiment_do_not_count(tmp_path: Path) -> None:
    log = Log(tmp_path)
    for i in range(10):
        log.exposed(f"u{i}", "old" if i % 2 else "new", float(i))
    d = design(start=days(2).isoformat(), end=days(8).isoformat())
    found = analyse(d, log.store, as_of=days(50))
    assert sum(found.n_units.values()) == 6
    assert "4 exposures before the start" in str([f for f in found.findings if f.code == "WB-X11"])


def test_a_switchback_gives_each_block_its_outcomes(tmp_path: Path) -> None:
    log = Log(tmp_path)
    d = design(
        cluster={"column": "brokerage"},
        switchback={"start": START.isoformat(), "block_h": 24},
    )
    log.exposed("lead", "old", 0.1, cluster_id="b@0")
    log.exposed("lead", "new", 1.2, cluster_id="b@1")
    log.happened("lead", "reply", 1.5)
    rows = table(log.store, d, days(5))
    assert [(r["cluster_id"], r["arm"], r["reply"]) for r in rows] == [
        ("b@0", "old", 0),
        ("b@1", "new", 1),
    ]


def test_an_empty_store_is_an_experiment_without_units(tmp_path: Path) -> None:
    found: Analysis = analyse(design(), EventStore(tmp_path / "e.duckdb"), as_of=START)
    assert dict(found.n_units) == {"old": 0, "new": 0}
    assert {f.code for f in found.findings} == {"WB-X03", "WB-X05", "WB-X06"}
    assert found.decisions[0].decision == "cannot decide"
    assert found.effects == ()
