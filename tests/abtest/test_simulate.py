from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from workbench.abtest.design import STRATEGIES
from workbench.abtest.simulate import simulate
from workbench.abtest.simulate_world import START, World
from workbench.abtest.store import EventStore
from workbench.errors import DataError, SpecError

FLAT = dict.fromkeys(("first_time", "luxury", "commercial"), 0.0)


def rate_and_error(values: pd.Series) -> tuple[float, float]:
    return float(values.mean()), float(values.std() / len(values) ** 0.5)


def test_the_same_seed_gives_the_same_experiment_and_another_does_not() -> None:
    first, same, other = (simulate(n_leads=500, random_state=s) for s in (1, 1, 2))
    pd.testing.assert_frame_equal(first.leads, same.leads)
    assert not first.leads["converted"].equals(other.leads["converted"])
    assert np.array_equal(first.truth.rolled_out, same.truth.rolled_out)


def test_the_usual_world_has_the_five_strategies_and_a_realistic_rate() -> None:
    found = simulate(n_leads=100_000, random_state=3)
    assert found.truth.strategies == STRATEGIES
    assert found.truth.mean("empathetic") == pytest.approx(0.04, abs=0.002)
    assert 0.001 < found.truth.icc < 0.05
    # What is observed is what is true, up to chance.
    for strategy in STRATEGIES:
        mine = found.leads.loc[found.leads["strategy"] == strategy, "converted"]
        rate, error = rate_and_error(mine)
        assert abs(rate - found.truth.mean(strategy)) < 4 * error


def test_effects_differ_between_segments_as_the_world_says() -> None:
    truth = simulate(n_leads=20_000, random_state=3).truth
    assert truth.effect("relationship", "empathetic", segment="luxury") > 0.015
    assert truth.effect("relationship", "empathetic", segment="commercial") < 0
    frame = truth.to_frame()
    row = frame[(frame["strategy"] == "analytical") & (frame["segment"] == "commercial")].iloc[0]
    assert row["effect"] == pytest.approx(
        truth.effect("analytical", "empathetic", segment="commercial")
    )
    best = truth.rolled_out.argmax(axis=1)
    assert truth.value(best) > max(truth.mean(s) for s in STRATEGIES)


def test_without_effects_every_strategy_is_the_same() -> None:
    truth = simulate(World().without_effects(), n_leads=1000).truth
    assert np.ptp(truth.rolled_out, axis=1).max() == 0
    assert np.ptp(truth.rolled_out_complaint, axis=1).max() == 0


def test_whole_agents_get_one_strategy_in_equal_shares() -> None:
    leads = simulate(n_leads=20_000, assigned="agent", random_state=1).leads
    by_agent = leads.groupby("agent_id", observed=True)["strategy"].agg(["nunique", "first"])
    assert (by_agent["nunique"] == 1).all()
    assert by_agent["first"].value_counts().between(57, 60).all()


def test_arms_and_their_weights_can_be_chosen() -> None:
    leads = simulate(n_leads=20_000, arms={"assertive": 3, "empathetic": 1}).leads
    share = leads["strategy"].value_counts(normalize=True)
    assert share["assertive"] == pytest.approx(0.75, abs=0.02)
    assert share["analytical"] == 0
    assert set(leads["propensity"]) == {0.25, 0.75}


def test_a_policy_logs_the_probabilities_it_drew_with_and_habits_do_not() -> None:
    found = simulate(n_leads=200_000, assigned="policy", random_state=2)
    weight = 1 / found.leads["propensity"]
    for strategy in STRATEGIES:
        mine = found.leads["strategy"] == strategy
        assert weight.where(mine, 0).mean() == pytest.approx(1, abs=0.03)
    # The policy prefers some leads: plain means are off, weighted ones are not.
    rate, error = rate_and_error((found.leads["converted"] * weight)[mine] * mine.mean())
    assert abs(rate - found.truth.mean(strategy)) < 4 * error
    naive = found.leads.loc[mine, "converted"].mean()
    assert naive - found.truth.mean(strategy) > 0.004
    assert simulate(n_leads=100, assigned="habit").leads["propensity"].isna().all()


def test_agents_who_do_not_comply_dilute_the_effect() -> None:
    found = simulate(World(compliance=0.5), n_leads=50_000, random_state=4)
    same = (found.leads["delivered"] == found.leads["strategy"]).mean()
    assert same == pytest.approx(0.5 + 0.5 / 5, abs=0.01)
    whole = found.truth.effect("consultative", "empathetic")
    assert found.truth.effect("consultative", "empathetic", of="as_run") == pytest.approx(
        whole / 2, rel=0.05
    )


def test_spillovers_and_novelty_part_what_is_measured_from_what_is_rolled_out() -> None:
    def effects(world: World) -> tuple[float, float]:
        truth = simulate(world, n_leads=30_000, random_state=5).truth
        return (
            truth.effect("consultative", "empathetic"),
            truth.effect("consultative", "empathetic", of="as_run"),
        )

    whole, measured = effects(World())
    assert whole == pytest.approx(measured, rel=1e-6)
    for world in (World(interference=0.5), World(carry_over=0.5)):
        rolled_out, as_run = effects(world)
        assert rolled_out > 1.4 * as_run
        assert as_run == pytest.approx(measured, rel=0.1)
    rolled_out, as_run = effects(World(novelty=1.0))
    assert rolled_out == pytest.approx(whole)
    assert as_run > 1.15 * whole


def test_carry_over_follows_the_agents_previous_lead() -> None:
    effects = {"empathetic": FLAT, "assertive": dict.fromkeys(FLAT, 3.0)}
    world = World(effects=effects, carry_over=1.0, agent_sd=0, brokerage_sd=0, engagement=0)
    leads = simulate(world, n_leads=40_000, random_state=6).leads
    before = leads.groupby("agent_id", observed=True)["delivered"].shift()
    plain = leads[leads["delivered"] == "empathetic"]
    after = plain["converted"].groupby(before[plain.index].astype(str)).mean()
    assert after["assertive"] > 5 * after["empathetic"]


def test_conversions_arrive_late_and_are_not_known_before() -> None:
    found = simulate(n_leads=20_000, random_state=7)
    early = found.known_at(10)
    until = pd.Timestamp(START) + pd.Timedelta(days=10)
    assert early["day"].max() <= 10
    assert early["converted_at"].dropna().max() <= until
    assert early["converted"].sum() == early["converted_at"].notna().sum()
    later = found.leads[found.leads["day"] <= 10]
    assert early["converted"].sum() < 0.6 * later["converted"].sum()
    assert (early["revenue_usd"] > 0).sum() == early["converted"].sum()
    # Nothing was taken from the experiment itself.
    assert found.leads["converted"].sum() == found.leads["converted_at"].notna().sum()


def test_the_events_of_an_experiment_can_be_recorded(tmp_path: Path) -> None:
    found = simulate(n_leads=300, random_state=8)
    last = found.leads["converted_at"].max().to_pydatetime() + timedelta(days=1)
    store = EventStore(tmp_path / "events.duckdb", clock=lambda: last)
    assert store.record_exposures(found.exposures("coaching")).n_new == 300
    recorded = store.record_outcomes(found.outcomes()).n_new
    assert recorded == (
        2 * found.leads["converted"].sum()
        + found.leads["complained"].sum()
        + found.leads["showings"].sum()
    )
    assert store.record_outcomes(found.outcomes()).n_new == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"baseline": 1.0}, {"compliance": 0.0}, {"carry_over": -1}, {"n_agents": 1},
        {"segments": {"first_time": 0.5}}, {"effects": {"empathetic": {"luxury": 0.0}}},
    ],
)  # fmt: skip
def test_worlds_that_cannot_be_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(SpecError):
        World(**wrong)


def test_wrong_calls_are_refused() -> None:
    with pytest.raises(SpecError, match="some of empathetic"):
        simulate(n_leads=100, arms={"charming": 1})
    moon: Any = "moon"
    with pytest.raises(SpecError, match="lead, agent, policy or habit"):
        simulate(n_leads=100, assigned=moon)
    with pytest.raises(DataError, match="10 or more"):
        simulate(n_leads=9)


def test_it_shows_itself_as_simulated() -> None:
    assert "Simulated" in simulate(n_leads=50)._repr_html_()
