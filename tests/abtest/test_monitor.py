import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from workbench.abtest.analysis import analyse
from workbench.abtest.design import Design
from workbench.abtest.monitor import Monitoring, monitor
from workbench.abtest.plots_course import boundary_chart
from workbench.abtest.simulate import simulate
from workbench.abtest.simulate_world import World
from workbench.abtest.store import EventStore
from workbench.documents import to_json
from workbench.errors import DataError
from workbench.stats import (
    Moments,
    asymptotic_confidence_sequence,
    compare_clustered,
    compare_means,
    compare_restricted_means,
    quantile_difference_bounds,
    spending_boundary,
)

START = datetime(2025, 3, 3, tzinfo=UTC)
PRIMARY = {"kind": "proportion", "role": "primary"}
GUARD = {"kind": "proportion", "role": "guardrail", "higher_is_better": False, "margin": 0.02}


def design(**changed: Any) -> Design:
    plan: dict[str, Any] = {
        "name": "script",
        "arms": {"old": 1, "new": 1},
        "metrics": {"reply": PRIMARY},
        "planned_units": 4000,
        "sequential": {"kind": "always_valid"},
    }
    return Design.model_validate(plan | changed)


def units(n: int = 4000, *, seed: int = 0, days: int = 20, **rates: tuple[float, float]) -> Any:
    """Units of two arms; the rate of each metric in the old and in the new arm."""
    rng = np.random.default_rng(seed)
    arm = rng.integers(2, size=n)
    at = np.sort(rng.random(n)) * days
    table = {name: rng.random(n) < np.array(rate)[arm] for name, rate in rates.items()}
    return pd.DataFrame(
        {
            "arm": np.array(["old", "new"])[arm],
            "exposed_at": pd.Timestamp(START) + pd.to_timedelta(at, unit="D"),
            **{name: values.astype(int) for name, values in table.items()},
        }
    )


def test_every_look_is_the_plain_comparison_of_the_units_so_far() -> None:
    table = units(reply=(0.1, 0.12))
    state = monitor(design(), table)
    assert state.looks == 20
    course = state.course("reply", "new")
    for row in (course[9], course[-1]):
        seen = table[table["exposed_at"] <= row.at]
        arms = [Moments.of(seen.loc[seen["arm"] == a, "reply"]) for a in ("old", "new")]
        plain = compare_means(*arms)
        assert row.n_units == len(seen)
        assert row.difference == pytest.approx(plain.difference)
        assert row.standard_error == pytest.approx(plain.standard_error)
        wide = asymptotic_confidence_sequence(
            plain.difference, plain.standard_error, len(seen), n_opt=4000
        )
        assert (row.ci_lower, row.ci_upper) == pytest.approx(
            (float(wide.ci_lower), float(wide.ci_upper))
        )
    assert np.all(np.diff([row.pvalue for row in course]) <= 0)


def test_covariates_and_clusters_are_allowed_for() -> None:
    found = simulate(n_leads=8000, arms={"empathetic": 1, "consultative": 1}, random_state=1)
    arms = {"empathetic": 1, "consultative": 1}
    metrics = {"showings": {"kind": "count", "role": "primary"}}
    plain, cuped = (
        monitor(design(arms=arms, metrics=metrics, covariates=c), found.leads, arm="strategy")
        for c in ((), ("visits_before",))
    )
    last = [state.course("showings", "consultative")[-1] for state in (plain, cuped)]
    assert last[1].standard_error < 0.93 * last[0].standard_error
    cluster = {"column": "agent_id", "randomised": False}
    state = monitor(
        design(arms=arms, metrics=metrics, cluster=cluster), found.leads, arm="strategy"
    )
    row = state.course("showings", "consultative")[-1]
    robust = compare_clustered(
        found.leads["showings"], found.leads["strategy"] == "consultative", found.leads["agent_id"]
    )
    assert row.standard_error == pytest.approx(robust.standard_error)
    assert row.difference == pytest.approx(robust.difference)


def test_group_sequential_looks_have_their_boundary() -> None:
    plan = design(sequential={"kind": "group_sequential", "looks": 4})
    state = monitor(plan, units(3200, reply=(0.1, 0.1)))
    assert [row.n_units for row in state.course("reply", "new")] == [1000, 2000, 3000]
    bound = spending_boundary([0.25, 0.5, 0.75, 1.0])
    assert [row.critical for row in state.course("reply", "new")] == pytest.approx(bound[:3])
    whole = monitor(plan, units(5000, reply=(0.1, 0.1)))
    assert [row.critical for row in whole.course("reply", "new")] == pytest.approx(bound)


def test_a_unit_counts_when_its_window_is_over() -> None:
    table = units(reply=(0.1, 0.1))
    state = monitor(design(window_days=5), table)
    first, last = state.course("reply", "new")[0], state.course("reply", "new")[-1]
    assert first.at >= table["exposed_at"].min() + timedelta(days=5)
    mature = (table["exposed_at"] + timedelta(days=5) <= first.at).sum()
    assert first.n_units == mature
    assert last.n_units == len(table)
    assert state.sample_ratio[0].counts != (0, 0)
    with pytest.raises(DataError, match="the window of no unit is over"):
        monitor(design(window_days=5), table, as_of=START + timedelta(days=3))


def test_too_early_says_so_and_gives_no_interval() -> None:
    state = monitor(design(), units(150, reply=(0.1, 0.5)))
    assert {row.state for row in state.path} == {"too early"}
    assert np.isinf(state.path[-1].ci_upper)
    assert (state.advice[0].action, state.advice[0].code) == ("wait", "WB-M05")


@pytest.mark.parametrize(
    ("rates", "changed", "action", "code"),
    [
        ((0.1, 0.2), {}, "promote", "WB-M07"),
        ((0.2, 0.1), {}, "roll back", "WB-M04"),
        ((0.1, 0.2), {"sequential": {"kind": "fixed"}, "planned_units": 9000},
         "continue", "WB-M06"),
        ((0.1, 0.1), {"metrics": {"reply": PRIMARY | {"mde": 0.2}}, "planned_units": 9000},
         "stop", "WB-M09"),
        ((0.1, 0.1), {}, "stop", "WB-M10"),
        ((0.1, 0.1), {"planned_units": 9000}, "continue", "WB-M13"),
    ],
)  # fmt: skip
def test_advice_without_guardrails(
    rates: tuple[float, float], changed: dict[str, Any], action: str, code: str
) -> None:
    state = monitor(design(**changed), units(reply=rates))
    assert (state.advice[0].action, state.advice[0].code) == (action, code)
    assert not state.alarm


@pytest.mark.parametrize(
    ("complaint", "changed", "action", "code"),
    [
        ((0.05, 0.2), {}, "roll back", "WB-M02"),
        ((0.05, 0.05), {"coverage": 0.2}, "ramp up", "WB-M12"),
        ((0.05, 0.075), {"coverage": 0.2}, "continue", "WB-M13"),
    ],
)
def test_advice_with_a_guardrail(
    complaint: tuple[float, float], changed: dict[str, Any], action: str, code: str
) -> None:
    plan = design(metrics={"reply": PRIMARY, "complaint": GUARD}, planned_units=90_000, **changed)
    state = monitor(plan, units(8000, seed=1, reply=(0.1, 0.1), complaint=complaint))
    assert (state.advice[0].action, state.advice[0].code) == (action, code)
    assert state.alarm is (code == "WB-M02")
    if state.alarm:
        assert state.alerts[0].code == "WB-M02"
        assert "complaint is worse under new by more than its margin of 2.00 pp" in str(
            state.alerts
        )


def test_a_winner_waits_for_its_guardrail() -> None:
    plan = design(metrics={"reply": PRIMARY, "complaint": GUARD}, planned_units=90_000)
    state = monitor(plan, units(3000, seed=1, reply=(0.1, 0.25), complaint=(0.05, 0.06)))
    assert (state.advice[0].action, state.advice[0].code) == ("continue", "WB-M08")


def test_a_relative_margin_is_judged_on_the_lift() -> None:
    guard = GUARD | {"margin": 0.5, "margin_scale": "relative"}
    plan = design(metrics={"reply": PRIMARY, "complaint": guard}, planned_units=90_000)
    state = monitor(plan, units(20_000, seed=2, reply=(0.1, 0.1), complaint=(0.05, 0.15)))
    assert state.advice[0].code == "WB-M02"
    assert "50.00% of the control" in state.alerts[0].text


def test_lost_units_raise_the_alarm_and_stop_everything() -> None:
    table = units(20_000, reply=(0.1, 0.2))
    lost = (table["arm"] == "new") & (np.random.default_rng(3).random(len(table)) < 0.2)
    state = monitor(design(), table[~lost])
    assert state.alarm
    assert state.alerts[0].code == "WB-M01"
    assert state.advice[0].action == "stop"
    first = next(row.look for row in state.sample_ratio if row.pvalue <= 0.01)
    assert first < state.looks
    # The configured ratio counts, not an even one.
    uneven = monitor(design(arms={"old": 1, "new": 0.8}), table[~lost])
    assert not uneven.alarm


def test_whole_agents_are_counted_where_agents_are_assigned() -> None:
    world = World(n_agents=120)
    arms = {"empathetic": 1, "assertive": 1}
    found = simulate(world, n_leads=6000, assigned="agent", arms=arms, random_state=2)
    state = monitor(
        design(arms=arms, metrics={"converted": PRIMARY}, cluster={"column": "agent_id"}),
        found.leads,
        arm="strategy",
    )
    assert sum(state.sample_ratio[-1].counts) == found.leads["agent_id"].nunique()
    assert not state.alarm


def test_an_effect_that_changes_is_noticed() -> None:
    early = units(6000, seed=4, days=10, reply=(0.1, 0.4))
    late = units(30_000, seed=5, days=10, reply=(0.4, 0.1))
    late["exposed_at"] += timedelta(days=10)
    state = monitor(design(planned_units=36_000), pd.concat([early, late]))
    assert "WB-M11" in {alert.code for alert in state.alerts}
    # It was better once, and that decision is not taken back in silence.
    assert state.course("reply", "new")[-1].state == "better"


def test_an_event_store_gives_what_its_table_gives(tmp_path: Path) -> None:
    arms = {"empathetic": 1, "consultative": 1}
    found = simulate(n_leads=3000, arms=arms, random_state=9)
    now = datetime(2026, 1, 1, tzinfo=UTC)
    store = EventStore(tmp_path / "events.duckdb", clock=lambda: now)
    store.record_exposures(found.exposures("script"))
    store.record_outcomes(found.outcomes())
    plan = design(arms=arms, metrics={"converted": PRIMARY, "rev": {
        "kind": "mean", "column": "revenue_usd"}})  # fmt: skip
    from_events = monitor(plan, store)
    from_table = monitor(plan, found.leads, arm="strategy")
    for name in ("converted", "rev"):
        first, second = (s.course(name, "consultative")[-1] for s in (from_events, from_table))
        assert first.difference == pytest.approx(second.difference)
        assert first.n_units == second.n_units


def test_strange_arms_are_counted() -> None:
    table = units(reply=(0.1, 0.1))
    table.loc[:4, "arm"] = "other"
    state = monitor(design(), table)
    assert (state.n_units, state.n_strange) == (3995, 5)


QUANTILE = {"kind": "quantile", "q": 0.5, "column": "wait", "role": "primary"}


def test_quantiles_have_bounds_of_their_own_at_every_look() -> None:
    table = units()
    wait = np.random.default_rng(1).lognormal(size=len(table))
    table["wait"] = np.where(table["arm"] == "new", 1.6 * wait, wait)
    state = monitor(design(metrics={"half": QUANTILE}), table)
    course = state.course("half", "new")
    row = course[9]
    seen = table[table["exposed_at"] <= row.at]
    sides = [seen.loc[seen["arm"] == a, "wait"] for a in ("old", "new")]
    bounds = quantile_difference_bounds(sides[0], sides[1], 0.5, n_opt=4000)
    assert (row.difference, row.ci_lower, row.ci_upper) == pytest.approx(bounds[:3])
    assert course[-1].state == "better"
    assert np.all(np.diff([r.pvalue for r in course]) <= 0)
    assert np.isnan(row.critical)
    # Values of a cluster that hang together tell less.
    table["agent"] = np.argsort(np.argsort(wait)) // 20
    plain = {"column": "agent", "randomised": False}
    clustered = monitor(design(metrics={"half": QUANTILE}, cluster=plain), table)
    other = clustered.course("half", "new")[-1]
    assert other.ci_upper - other.ci_lower > course[-1].ci_upper - course[-1].ci_lower
    with pytest.raises(DataError, match="no multiple of its standard error"):
        boundary_chart(state, "half")


def test_a_quantile_guardrail_with_a_relative_margin_breaks() -> None:
    table = units()
    wait = np.random.default_rng(1).lognormal(size=len(table)) + 1
    table["wait"] = np.where(table["arm"] == "new", 2 * wait, wait)
    table["reply"] = 0
    table.loc[::7, "reply"] = 1
    guard = QUANTILE | {"role": "guardrail", "margin": 0.2, "margin_scale": "relative",
                        "higher_is_better": False}  # fmt: skip
    state = monitor(design(metrics={"reply": PRIMARY, "half": guard}), table)
    assert state.advice[0].code == "WB-M02"


def test_times_to_an_event_are_censored_at_each_look() -> None:
    table = units(days=30)
    rng = np.random.default_rng(2)
    wait = rng.exponential(np.where(table["arm"] == "new", 3.0, 4.0))
    lost = rng.uniform(8, 40, len(table))
    table["reply_days"], table["reply"] = np.minimum(wait, lost), (wait <= lost).astype(int)
    metrics = {"reply": {"kind": "time_to_event", "horizon": 7, "role": "primary"}}
    course = monitor(design(metrics=metrics), table).course("reply", "new")
    assert [row.state for row in course[:7]] == ["too early"] * 7  # nobody was followed so long
    row = course[19]
    follow = (row.at - table["exposed_at"]) / timedelta(days=1)
    times = []
    for arm in ("old", "new"):
        seen = table[(table["arm"] == arm) & (follow >= 0)]
        so_far = follow[seen.index]
        times.append((np.minimum(seen["reply_days"], so_far),
                      seen["reply"] * (seen["reply_days"] <= so_far)))  # fmt: skip
    found = compare_restricted_means(times[0], times[1], 7)
    assert row.difference == pytest.approx(found.difference)
    assert row.standard_error == pytest.approx(found.standard_error)
    assert row.n_units == len(times[0][0]) + len(times[1][0])
    assert course[-1].state == "better"  # sooner is better
    assert course[-1].difference == pytest.approx(-0.75, abs=0.3)
    hours = metrics["reply"] | {
        "horizon": 168, "duration_unit": "hours", "duration": "h", "event": "reply",
    }  # fmt: skip
    again = monitor(
        design(metrics={"reply": hours}), table.assign(h=24 * table["reply_days"])
    ).course("reply", "new")
    assert again[-1].ci_upper == pytest.approx(24 * course[-1].ci_upper)
    # With everybody followed to the end it is the interval of the analysis.
    plan = design(metrics=metrics)
    whole = analyse(plan, table).effect("reply")
    late = monitor(plan, table, every_days=90).course("reply", "new")[-1]
    assert whole.log_rank is not None
    assert whole.log_rank.pvalue < 0.001
    assert late.n_units == 4000
    assert whole.effect.difference == pytest.approx(late.difference, abs=0.1)


def test_missing_values_follow_the_design() -> None:
    table = units(reply=(0.1, 0.1)).astype({"reply": float})
    table.loc[:9, "reply"] = np.nan
    with pytest.raises(DataError, match="10 units have no 'reply'"):
        monitor(design(), table)
    for how, n in (("zero", 4000), ("drop", 3990)):
        plan = design(metrics={"reply": PRIMARY | {"missing": how}})
        assert monitor(plan, table).path[-1].n_units == n
    table.loc[0, "reply"] = np.inf
    with pytest.raises(DataError, match="infinite"):
        monitor(design(), table)


def test_wrong_tables_are_refused() -> None:
    table = units(200, reply=(0.1, 0.1))
    with pytest.raises(DataError, match="time of exposure"):
        monitor(design(), table.drop(columns="exposed_at"))
    with pytest.raises(DataError, match="no unit has been exposed"):
        monitor(design(), table, as_of=START - timedelta(days=1))
    with pytest.raises(DataError, match="every_days is 0"):
        monitor(design(), table, every_days=0)
    table["agent"] = ["a", None] * 100
    with pytest.raises(DataError, match="100 units have no cluster"):
        monitor(design(cluster={"column": "agent"}), table)


def test_the_result_is_immutable_and_tells_people_and_machines() -> None:
    state = monitor(design(), units(reply=(0.1, 0.2)))
    with pytest.raises(AttributeError):
        state.__setattr__("n_units", 0)
    frame = state.to_frame()
    assert len(frame) == state.looks
    assert {"look", "difference", "ci_lower", "critical", "state"} <= set(frame.columns)
    told = json.loads(to_json(state.to_dict()))
    assert told["advice"][0]["action"] == "promote"
    assert told["sample_ratio"]["counts"]["old"] + told["sample_ratio"]["counts"]["new"] == 4000
    for text in (state.to_markdown(), state._repr_html_()):
        assert "promote" in text
        assert "WB-M07" in text
    with pytest.raises(KeyError):
        state.course("reply", "nobody")
    assert isinstance(state, Monitoring)
