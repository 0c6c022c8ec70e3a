"""What an effect is worth: with its interval, for the units it is worth it for, and no more."""

import math
from typing import NamedTuple

from workbench.abtest.design import Design
from workbench.abtest.results import ArmEffect
from workbench.errors import EvaluationError

__all__ = ["MoneyValue", "money_value"]


class MoneyValue(NamedTuple):
    """The value of giving a treatment to some units, in US dollars.

    Attributes
    ----------
    value_usd, ci_lower_usd, ci_upper_usd
        Effect times units times worth, less the cost; the interval is the one that decides.
    corrected_usd
        The same from the effect without the winner's curse: what to put into a budget.
    n_units
        Units the value is for: these and no others. Nothing is annualised.
    cost_usd
        What was taken off.
    sentence
        The value in words.
    """

    value_usd: float
    ci_lower_usd: float
    ci_upper_usd: float
    corrected_usd: float
    n_units: int
    cost_usd: float
    sentence: str


def money_value(
    design: Design,
    found: ArmEffect,
    n_units: int,
    *,
    usd: float | None = None,
    cost_usd: float = 0.0,
) -> MoneyValue:
    """Value a treatment for a stated number of units.

    Parameters
    ----------
    design
        The design.
    found
        A comparison of a metric per unit.
    n_units
        Units that will get the treatment once. For something that goes on, count the units
        that will really arrive; for a one-off (a campaign, an e-mail) its units.
    usd
        Worth of one unit of the metric; the metric's own `usd` when omitted.
    cost_usd
        Cost of treating those units.

    Returns
    -------
    MoneyValue

    Raises
    ------
    EvaluationError
        If nothing says what the metric is worth, it is not a mean per unit, or a number is out
        of range.
    """
    metric = design.metrics[found.metric]
    worth = metric.usd if usd is None else usd
    if metric.kind not in ("proportion", "mean", "count"):
        raise EvaluationError(
            f"{found.metric!r} is a {metric.kind}", expected="a proportion, mean or count per unit",
            fix="value a metric that adds up over units",
        )  # fmt: skip
    if worth is None or not math.isfinite(worth):
        raise EvaluationError(
            f"nothing says what {found.metric!r} is worth", expected="usd per unit of the metric",
            fix="pass usd, or give the metric 'usd' in the design",
        )  # fmt: skip
    if n_units < 1 or not (cost_usd >= 0 and math.isfinite(cost_usd)):
        raise EvaluationError(
            f"n_units is {n_units} and cost_usd {cost_usd}", expected="n_units ≥ 1, cost_usd ≥ 0",
            fix="say for how many units",
        )  # fmt: skip
    factor = worth * n_units * (1 if found.higher_is_better else -1)
    value, low, high = (factor * d - cost_usd for d in _ends(found))
    low, high = min(low, high), max(low, high)
    shrunk = found.effect.difference if found.corrected is None else found.corrected.estimate
    span = f"{low:,.0f} to {high:,.0f}" if math.isfinite(high - low) else "unbounded"
    sentence = (
        f"{found.arm} for {n_units:,} units is worth {value:,.0f} USD (plausible {span} USD"
        f"{f', after {cost_usd:,.0f} USD of cost' if cost_usd else ''}), once for these units."
    )
    return MoneyValue(value, low, high, factor * shrunk - cost_usd, n_units, cost_usd, sentence)


def _ends(found: ArmEffect) -> tuple[float, float, float]:
    return found.effect.difference, found.ci_lower, found.ci_upper
