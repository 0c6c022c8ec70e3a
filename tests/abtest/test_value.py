from datetime import UTC, datetime

import pandas as pd
import pytest

from workbench.abtest.analysis import analyse
from workbench.abtest.results import Analysis
from workbench.abtest.simulate import simulate
from workbench.abtest.value import ledger_cost_per_unit, return_on_investment
from workbench.errors import EvaluationError

SPEND = pd.DataFrame(
    {
        "origin": ["live", "live", "simulated"],
        "arm": ["consultative", "empathetic", "consultative"],
        "task": ["coaching"] * 3,
        "cost_usd": [30.0, 6.0, 99.0],
    }
)


@pytest.fixture(scope="module")
def analysis() -> Analysis:
    found = simulate(n_leads=80_000, arms={"empathetic": 1, "consultative": 1}, random_state=3)
    return analyse(
        found.design(), found.leads, arm="strategy", as_of=datetime(2026, 1, 1, tzinfo=UTC)
    )


def test_the_return_is_the_effect_in_money_less_its_cost(analysis: Analysis) -> None:
    effect = analysis.effect("converted")
    earned = return_on_investment(
        analysis.design, effect, 10_000, cost_per_unit_usd=1.5, fixed_cost_usd=500, usd=9000
    )
    assert earned.cost_usd == 15_500
    gross = effect.effect.difference * 10_000 * 9000
    assert earned.roi == pytest.approx((gross - 15_500) / 15_500)
    assert earned.ci_lower == pytest.approx((effect.ci_lower * 9e7 - 15_500) / 15_500)
    assert earned.ci_upper == pytest.approx((effect.ci_upper * 9e7 - 15_500) / 15_500)
    # At the break-even effect nothing is earned and nothing lost.
    assert earned.break_even * 9e7 == pytest.approx(15_500)
    if effect.corrected is not None:
        assert earned.corrected_roi < earned.roi
    assert "once for these units" in earned.sentence


def test_twice_the_units_earn_twice_as_much_and_nothing_is_annualised(analysis: Analysis) -> None:
    one, two = (
        return_on_investment(
            analysis.design, analysis.effect("converted"), n, cost_per_unit_usd=1.0, usd=100
        )
        for n in (1000, 2000)
    )
    assert two.value.value_usd == pytest.approx(2 * one.value.value_usd)
    assert two.roi == pytest.approx(one.roi)
    assert (one.value.n_units, two.value.n_units) == (1000, 2000)


def test_less_of_something_bad_is_worth_money(analysis: Analysis) -> None:
    earned = return_on_investment(
        analysis.design, analysis.effect("complained"), 1000, cost_per_unit_usd=1.0, usd=50
    )
    assert earned.break_even < 0


def test_costs_come_from_the_ledger_and_simulated_ones_say_so(analysis: Analysis) -> None:
    live = SPEND[SPEND["origin"] == "live"]
    assert ledger_cost_per_unit(live, 600, arm="consultative") == (0.05, False)
    assert ledger_cost_per_unit(live, 600, task="coaching") == (0.06, False)
    cost, simulated = ledger_cost_per_unit(SPEND[SPEND["origin"] == "simulated"], 100)
    earned = return_on_investment(
        analysis.design, analysis.effect("converted"), 100, cost_per_unit_usd=cost, usd=100,
        simulated_cost=simulated,
    )  # fmt: skip
    assert simulated
    assert "simulated answers" in earned.sentence


def test_wrong_costs_are_refused(analysis: Analysis) -> None:
    effect = analysis.effect("converted")
    with pytest.raises(EvaluationError, match="mix the origins"):
        ledger_cost_per_unit(SPEND, 10)
    with pytest.raises(EvaluationError, match="0 rows of the ledger"):
        ledger_cost_per_unit(SPEND, 10, arm="charming")
    with pytest.raises(EvaluationError, match="no cost"):
        return_on_investment(analysis.design, effect, 10, cost_per_unit_usd=0, usd=1)
    with pytest.raises(EvaluationError, match="numbers ≥ 0"):
        return_on_investment(analysis.design, effect, 10, cost_per_unit_usd=-1, usd=1)
    with pytest.raises(EvaluationError, match="nothing says what"):
        return_on_investment(analysis.design, effect, 10, cost_per_unit_usd=1)
