"""Who gets which arm."""

from collections import Counter
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workbench.abtest import (
    STRATEGIES,
    Assigner,
    Design,
    EventStore,
    Exposure,
    stratified_assignment,
)
from workbench.errors import DataError, SpecError

START = datetime(2026, 1, 5, tzinfo=UTC)


def design(**changes: Any) -> Design:
    metrics = {"reply": {"kind": "proportion", "role": "primary"}}
    return Design.model_validate({"name": "script", "metrics": metrics, **changes})


def test_the_missions_strategies_are_the_default() -> None:
    found = Assigner(design()).assign_many([f"lead-{i}" for i in range(20_000)])
    counts = Counter(found.tolist())
    assert tuple(design().arms) == STRATEGIES
    assert set(counts) == set(STRATEGIES)
    assert all(abs(n - 4000) < 4 * np.sqrt(3200) for n in counts.values())


def test_one_by_one_is_many_at_once() -> None:
    d = design(
        arms={"a": 1, "b": 3},
        coverage=0.7,
        namespace={"name": "n", "start": 0.2, "end": 0.9},
        holdout={"name": "h", "share": 0.1},
    )
    ids = [f"u{i}" for i in range(3000)]
    each = [Assigner(d).assign(i) for i in ids]
    assert Assigner(d).assign_many(ids).tolist() == [a.arm for a in each]
    assert {a.reason for a in each} == {"assigned", "holdout", "other experiment", "not covered"}
    assert {a.propensity for a in each if a.arm == "b"} == {0.75}
    assert all(np.isnan(a.propensity) for a in each if a.arm is None)


def test_parts_of_a_namespace_exclude_each_other() -> None:
    parts = [(0.0, 0.3), (0.3, 1.0)]
    first, second = (
        Assigner(design(name=f"e{s}", namespace={"name": "n", "start": s, "end": e}))
        for s, e in parts
    )
    ids = [f"u{i}" for i in range(4000)]
    in_first, in_second = (
        np.array([a is not None for a in assigner.assign_many(ids)]) for assigner in (first, second)
    )
    assert not (in_first & in_second).any()
    assert (in_first | in_second).all()
    assert 0.27 < in_first.mean() < 0.33


def test_a_holdout_is_the_same_in_every_experiment() -> None:
    held = [
        {
            i
            for i in map(str, range(2000))
            if Assigner(design(name=name, holdout={"name": "h", "share": 0.1})).assign(i).reason
            == "holdout"
        }
        for name in ("one", "two")
    ]
    assert held[0] == held[1]
    assert 150 < len(held[0]) < 250


def test_whole_clusters_get_one_arm() -> None:
    d = design(cluster={"column": "agent_id"})
    arms = {Assigner(d).assign(f"lead-{i}", cluster_id="agent-3").arm for i in range(50)}
    assert len(arms) == 1
    found = Assigner(d).assign("lead-1", cluster_id="agent-3")
    assert found.cluster_id == "agent-3"
    with pytest.raises(DataError, match="comes without its agent_id"):
        Assigner(d).assign("lead-1")


def test_units_are_assigned_within_clusters_that_are_not_randomised() -> None:
    d = design(cluster={"column": "ad", "randomised": False})
    found = [Assigner(d).assign(f"r{i}", cluster_id="ad-1") for i in range(60)]
    assert len({a.arm for a in found}) == 5
    assert {a.cluster_id for a in found} == {"ad-1"}


def test_a_switchback_changes_with_the_block() -> None:
    d = design(
        arms={"off": 1, "on": 1},
        cluster={"column": "brokerage"},
        switchback={"start": START.isoformat(), "block_h": 6, "washout_h": 1},
    )
    assigner = Assigner(d)
    times = [START + timedelta(minutes=20 * i) for i in range(3 * 72)]
    found = [assigner.assign("lead", cluster_id="b1", at=t) for t in times]
    counted = [a for a in found if a.reason == "assigned"]
    assert sum(a.reason == "washout" for a in found) == len(found) // 6
    by_block = {a.cluster_id: {b.arm for b in counted if b.cluster_id == a.cluster_id}
                for a in counted}  # fmt: skip
    assert set(by_block) == {f"b1@{i}" for i in range(12)}
    assert all(len(arms) == 1 for arms in by_block.values())
    assert len({a.arm for a in counted}) == 2
    with pytest.raises(DataError, match="comes without a time"):
        assigner.assign("lead", cluster_id="b1")
    with pytest.raises(DataError, match="a switchback assigns by time"):
        assigner.assign_many(["a"])


def test_times_are_compared_in_utc_and_need_a_zone() -> None:
    d = design(start="2026-01-05T00:00:00Z", end="2026-01-06T00:00:00Z")
    late = datetime(2026, 1, 5, 23, 30, tzinfo=timezone(timedelta(hours=-3)))
    assert Assigner(d).assign("u", at=late).reason == "not running"
    assert Assigner(d).assign("u", at=START).reason == "assigned"
    with pytest.raises(DataError, match="no time zone"):
        Assigner(d).assign("u", at=START.replace(tzinfo=None))


def test_a_recorded_arm_is_kept_when_the_weights_change(tmp_path: Path) -> None:
    store = EventStore(tmp_path / "events.duckdb")
    before = design(arms={"a": 1, "b": 1})
    ids = [f"u{i}" for i in range(40)]
    first = {i: Assigner(before).assign(i).arm for i in ids}
    store.record_exposures(
        Exposure(f"e-{i}", "script", i, str(arm), START) for i, arm in first.items()
    )
    after = Assigner(
        design(arms={"a": 1, "b": 9}), recorded=lambda unit: store.recorded_arm("script", unit)
    )
    again = [after.assign(i) for i in ids]
    assert {a.unit_id: a.arm for a in again} == first
    assert {a.reason for a in again} == {"sticky"}
    assert after.assign("new").reason == "assigned"
    strange = Assigner(design(arms={"x": 1, "y": 1}), recorded=lambda _: "a")
    with pytest.raises(DataError, match="recorded arm 'a'"):
        strange.assign("u0")


def test_strata_are_balanced_and_the_order_does_not_matter() -> None:
    d = design(arms={"a": 1, "b": 1, "c": 2})
    rng = np.random.default_rng(3)
    ids = [f"agent-{i}" for i in range(203)]
    strata = rng.choice(["junior", "senior", "expert"], 203).tolist()
    arms = stratified_assignment(d, ids, strata)
    for stratum in set(strata):
        inside = [a for a, s in zip(arms, strata, strict=True) if s == stratum]
        for arm, share in d.shares.items():
            assert abs(inside.count(arm) - share * len(inside)) < 1
    assert all(abs(arms.tolist().count(a) - s * 203) < 1.5 for a, s in d.shares.items())
    order = rng.permutation(203)
    again = stratified_assignment(d, [ids[i] for i in order], [strata[i] for i in order])
    assert dict(zip(ids, arms, strict=True)) == {
        ids[i]: arm for i, arm in zip(order, again, strict=True)
    }


@pytest.mark.parametrize(
    ("changes", "ids", "strata", "error", "message"),
    [
        ({}, ["a", "a"], ["x", "x"], DataError, "listed twice"),
        ({}, ["a"], ["x", "y"], DataError, "1 units and 2 strata"),
        ({"coverage": 0.5}, ["a"], ["x"], SpecError, "assigned whole"),
    ],
)
def test_a_list_that_cannot_be_dealt(
    changes: dict[str, Any], ids: list[str], strata: list[str], error: type, message: str
) -> None:
    with pytest.raises(error, match=message):
        stratified_assignment(design(**changes), ids, strata)


def test_a_unit_needs_a_name() -> None:
    with pytest.raises(DataError, match="no identifier"):
        Assigner(design()).assign("")
    with pytest.raises(DataError, match="identifier is empty"):
        Assigner(design()).assign_many(["a", ""])
