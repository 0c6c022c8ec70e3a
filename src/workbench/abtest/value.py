"""Return on coaching: what an effect earns, what it cost by the ledger, and how sure that is."""

import math
from typing import TYPE_CHECKING, NamedTuple

from workbench.abtest.design import Design
from workbench.abtest.money import MoneyValue, money_value
from workbench.abtest.results import ArmEffect
from workbench.errors import EvaluationError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Return", "ledger_cost_per_unit", "return_on_investment"]


class Return(NamedTuple):
    """What is earned for each dollar spent, for the units stated and no others.

    Attributes
    ----------
    arm, metric
        What is valued.
    value
        Value of the effect less the cost, in US dollars.
    cost_usd
        Cost of those units.
    roi, ci_lower, ci_upper
        Net value over cost: 0.5 means that a dollar comes back with half a dollar more.
    corrected_roi
        The same from the effect without the winner's curse: what to put into a budget.
    break_even
        Effect at which the cost is just covered, in the unit of the metric.
    simulated_cost
        Whether the ledger's costs are of simulated answers: what the model would have cost.
    sentence
        The return in words.
    """

    arm: str
    metric: str
    value: MoneyValue
    cost_usd: float
    roi: float
    ci_lower: float
    ci_upper: float
    corrected_roi: float
    break_even: float
    simulated_cost: bool
    sentence: str


def ledger_cost_per_unit(
    spend: "pd.DataFrame", n_units: int, *, arm: str | None = None, task: str | None = None
) -> tuple[float, bool]:
    """Divide what the ledger booked by the units it was spent on.

    Parameters
    ----------
    spend : pandas.DataFrame
        `AnswerStore.spend` with the columns `origin`, `cost_usd`, and `arm` or `task` where
        they are asked for.
    n_units
        Units of the experiment that the spend served.
    arm, task
        Count these rows only.

    Returns
    -------
    tuple[float, bool]
        US dollars a unit, and whether the answers were simulated.

    Raises
    ------
    EvaluationError
        If nothing was booked, the rows mix simulated and real answers, or `n_units` is not
        positive.

    Examples
    --------
    >>> import pandas as pd
    >>> spend = pd.DataFrame({"origin": ["live"], "arm": ["consultative"], "cost_usd": [12.0]})
    >>> ledger_cost_per_unit(spend, 600, arm="consultative")
    (0.02, False)
    """
    rows = spend
    for column, wanted in (("arm", arm), ("task", task)):
        if wanted is not None:
            rows = rows[rows[column] == wanted]
    origins = set(rows["origin"])
    if n_units < 1 or rows.empty:
        raise EvaluationError(
            f"{len(rows)} rows of the ledger for {n_units} units",
            expected="booked answers, and units they served",
            fix="check arm and task, or pass a cost of your own",
        )
    if "simulated" in origins and len(origins) > 1:
        raise EvaluationError(
            f"the ledger's rows mix the origins {', '.join(sorted(origins))}",
            expected="simulated answers, or real ones",
            fix="filter the spend by origin",
        )
    return float(rows["cost_usd"].sum()) / n_units, origins == {"simulated"}


def return_on_investment(
    design: Design,
    found: ArmEffect,
    n_units: int,
    *,
    cost_per_unit_usd: float,
    fixed_cost_usd: float = 0.0,
    usd: float | None = None,
    simulated_cost: bool = False,
) -> Return:
    """Set what an effect earns against what it costs.

    Parameters
    ----------
    design
        The design.
    found
        A comparison of a metric per unit.
    n_units
        Units that will get the treatment, once. Nothing is annualised: for a campaign its
        units, for something that goes on the units that will really arrive.
    cost_per_unit_usd
        Cost of one more treated unit, ≥ 0, for example `ledger_cost_per_unit`.
    fixed_cost_usd
        Cost that does not depend on the units.
    usd
        Worth of one unit of the metric; the metric's own when omitted.
    simulated_cost
        Whether the cost is of simulated answers; said in the sentence.

    Returns
    -------
    Return

    Raises
    ------
    EvaluationError
        If there is no cost at all, a cost is negative, or as `money_value`.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> from workbench.abtest.analysis import analyse
    >>> from workbench.abtest.simulate import simulate
    >>> leads = simulate(n_leads=40_000, arms={"empathetic": 1, "consultative": 1})
    >>> design = leads.design()
    >>> found = analyse(design, leads.leads, arm="strategy", as_of=datetime(2026, 1, 1, tzinfo=UTC))
    >>> earned = return_on_investment(design, found.effect("converted"), 10_000, usd=9_000.0,
    ...                               cost_per_unit_usd=2.0)
    >>> earned.cost_usd, round(earned.break_even, 5), earned.ci_lower < earned.roi
    (20000.0, 0.00022, True)
    """
    if cost_per_unit_usd < 0 or fixed_cost_usd < 0:
        raise EvaluationError(
            f"costs are {cost_per_unit_usd} and {fixed_cost_usd} USD",
            expected="numbers ≥ 0",
            fix="correct them",
        )
    cost = cost_per_unit_usd * n_units + fixed_cost_usd
    if not 0 < cost < math.inf:
        raise EvaluationError(
            "there is no cost to set a value against",
            expected="a cost above 0",
            fix="use money_value, which gives the value itself",
        )
    value = money_value(design, found, n_units, usd=usd, cost_usd=cost)
    worth = design.metrics[found.metric].usd if usd is None else usd
    roi, low, high, fair = (
        amount / cost
        for amount in (
            value.value_usd,
            value.ci_lower_usd,
            value.ci_upper_usd,
            value.corrected_usd,
        )
    )
    even = cost / ((worth or math.nan) * n_units) * (1 if found.higher_is_better else -1)
    note = " Costs are of simulated answers: what the model would cost." if simulated_cost else ""
    cursed = "" if found.corrected is None else f"; {fair:+,.1%} without the winner's curse"
    sentence = (
        f"{found.arm} for {n_units:,} units returns {roi:+,.1%} on {cost:,.0f} USD"
        f" (plausible {low:+,.1%} to {high:+,.1%}{cursed}), once for"
        f" these units; it breaks even at a difference of {even:.4g}.{note}"
    )
    return Return(
        found.arm, found.metric, value, cost, roi, low, high, fair, even, simulated_cost, sentence
    )
