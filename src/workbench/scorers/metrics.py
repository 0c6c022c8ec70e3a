"""Metrics as data: what is measured, in which unit, and which way is better."""

import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from workbench.errors import EvaluationError

__all__ = ["METRICS", "Metric", "metric"]

_CENT = 0.01
_TIME_UNITS = ((1.0, 1.0, "s"), (1e-3, 1e3, "ms"), (0.0, 1e6, "µs"))


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure of merit.

    Parameters
    ----------
    name
        Identifier in specs, records and MLflow; the unit is part of it.
    title
        For people.
    higher_is_better
        Direction.
    meaning
        One sentence a reader who is no statistician can use.
    unit
        "" for plain numbers, "%", "s" or "USD".
    """

    name: str
    title: str
    higher_is_better: bool
    meaning: str
    unit: str = ""

    def format(self, value: float, *, signed: bool = False) -> str:
        """Write a value the way reports do.

        Examples
        --------
        >>> metric("accuracy").format(0.9073), metric("latency_p50_s").format(0.0042)
        ('90.7 %', '4.2 ms')
        >>> metric("cost_per_1000_usd").format(1.5), metric("cost_per_correct_usd").format(0.00031)
        ('$1.50', '$0.00031')
        """
        sign = "+" if signed else ""
        if value != value:
            return "–"
        if value in (float("inf"), float("-inf")):
            return "∞" if value > 0 else "−∞"
        if self.unit == "%":
            return f"{100 * value:{sign}.1f} %".replace("-", "−")
        if self.unit == "s":
            scale, unit = next(
                (k, u) for limit, k, u in _TIME_UNITS if abs(value) >= limit or limit == 0
            )
            digits = (
                f"{scale * value:{sign}.{0 if unit == 'µs' else 1 if unit == 'ms' else 2}f} {unit}"
            )
            return digits.replace("-", "−")
        if self.unit == "USD":
            # Cents, or two figures of what is less than a cent.
            small = 0 < abs(value) < _CENT
            places = 1 - math.floor(math.log10(abs(value))) if small else 2
            return f"{sign if value > 0 else ''}${value:,.{places}f}".replace("$-", "−$")
        return f"{value:{sign}.4f}".replace("-", "−")


_ALL = (
    Metric(
        "roc_auc",
        "ROC AUC",
        True,
        "chance that a lead that converts is ranked above one that does not; 0.5 is a coin",
    ),
    Metric(
        "average_precision",
        "PR AUC",
        True,
        "average precision over all cut-offs; a coin gets the base rate",
    ),
    Metric("log_loss", "Log loss", False, "how surprised the probabilities are by what happened"),
    Metric("brier", "Brier score", False, "mean squared error of the probabilities"),
    Metric(
        "ece",
        "Calibration error",
        False,
        "mean distance between predicted and observed share over 15 bins of equal size, less what "
        "chance adds",
    ),
    Metric(
        "accuracy", "Accuracy", True, "share judged right at 0.5; compare the majority class", "%"
    ),
    Metric(
        "precision",
        "Precision",
        True,
        "share of those predicted at 0.5 that happen; compare the base rate",
        "%",
    ),
    Metric("recall", "Recall", True, "share of those that happen that 0.5 predicts", "%"),
    Metric(
        "lift_at_10",
        "Lift at 10 %",
        True,
        "how many times more conversions the top tenth holds than a random tenth",
    ),
    Metric("error_rate", "Errors", False, "share asked and failed; scored as wrong", "%"),
    Metric("abstain_rate", "Abstentions", False, "share the model declined to judge", "%"),
    Metric("latency_p50_s", "Latency p50", False, "half of single predictions are faster", "s"),
    Metric("latency_p95_s", "Latency p95", False, "95 of 100 single predictions are faster", "s"),
    Metric("latency_p99_s", "Latency p99", False, "99 of 100 single predictions are faster", "s"),
    Metric(
        "ttft_p50_s",
        "First token p50",
        False,
        "half of streamed answers begin sooner",
        "s",
    ),
    Metric(
        "ttft_p95_s",
        "First token p95",
        False,
        "95 of 100 streamed answers begin sooner",
        "s",
    ),
    Metric(
        "retry_rate",
        "Retries",
        False,
        "share of predictions that asked Claude and had to ask again",
        "%",
    ),
    Metric(
        "cost_per_1000_usd",
        "Cost per 1,000",
        False,
        "price of the tokens for 1,000 predictions",
        "USD",
    ),
    Metric(
        "cost_per_correct_usd",
        "Cost per right one",
        False,
        "price of all tokens, failed answers' too, for each prediction that is right at 0.5",
        "USD",
    ),
)

METRICS: Mapping[str, Metric] = MappingProxyType({m.name: m for m in _ALL})


def metric(name: str) -> Metric:
    """Find a metric by name.

    Raises
    ------
    EvaluationError
        When there is no such metric.
    """
    if name in METRICS:
        return METRICS[name]
    near = difflib.get_close_matches(name, METRICS, n=1)
    raise EvaluationError(
        f"no metric {name!r}",
        expected=f"one of {list(METRICS)}",
        fix=f"use {near[0]!r}" if near else "name one of them",
    )
