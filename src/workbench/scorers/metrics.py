"""Metrics as data: what is measured, in which unit, and which way is better."""

import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from workbench.errors import EvaluationError

__all__ = ["METRICS", "READING_METRICS", "Metric", "metric"]

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


_READING = (
    Metric("accuracy", "Accuracy", True, "share whose value is the true one", "%"),
    Metric(
        "balanced_accuracy",
        "Balanced accuracy",
        True,
        "mean over the true values of the share got right; a constant answer gets 1 in k",
        "%",
    ),
    Metric("macro_f1", "Macro F1", True, "mean over the values of their F1; rare ones count alike"),
    Metric("micro_f1", "Micro F1", True, "F1 of all values named, counted together"),
    Metric("samples_f1", "F1 by example", True, "mean over the texts of the F1 of what was named"),
    Metric("jaccard", "Overlap", True, "mean share of named and true values that agree", "%"),
    Metric("exact_match", "All right", True, "share of texts with every value right", "%"),
    Metric("hierarchical_f1", "Hierarchical F1", True, "F1 in which a near label counts in part"),
    Metric(
        "top_2_accuracy", "Top 2", True, "share whose true value is among the two likeliest", "%"
    ),
    Metric(
        "top_3_accuracy", "Top 3", True, "share whose true value is among the three likeliest", "%"
    ),
    Metric("log_loss", "Log loss", False, "how surprised the probabilities are by the true value"),
    Metric("brier", "Brier score", False, "squared error of the probabilities, over all values"),
    Metric("ece", "Calibration error", False, "mean distance between confidence and share right"),
    Metric("aurc", "Risk over coverage", False, "mean error over the share answered, surest first"),
    Metric(
        "coverage_at_5",
        "Answered at 5 % wrong",
        True,
        "largest share that can be answered, surest first, with at most 5 % of it wrong",
        "%",
    ),
    Metric("oos_roc_auc", "Out-of-scope AUC", True, "how well confidence tells what is in scope"),
    Metric(
        "oos_recall_at_5",
        "Out of scope found",
        True,
        "share of what is out of scope that is found where 5 % of what is in scope is turned away",
        "%",
    ),
    Metric(
        "quadratic_kappa",
        "Quadratic kappa",
        True,
        "agreement with the true level beyond chance, far misses counting more",
    ),
    Metric("level_error", "Error in levels", False, "mean distance from the true level"),
    Metric("absolute_error", "Absolute error", False, "mean distance from the true number"),
    Metric("slot_f1", "Slot F1", True, "F1 of the slots filled with the right value"),
    Metric(
        "slot_precision", "Slot precision", True, "share of the filled slots that are right", "%"
    ),
    Metric("slot_recall", "Slot recall", True, "share of the mentioned slots that were got", "%"),
    Metric(
        "joint_accuracy", "Whole sheet right", True, "share of texts with every slot right", "%"
    ),
    Metric(
        "hallucinated_rate",
        "Invented slots",
        False,
        "share of the filled slots that the text does not mention",
        "%",
    ),
    Metric(
        "slot_abstain_rate", "Slots left open", False, "share of slots the arm abstains on", "%"
    ),
    Metric("ndcg_at_3", "nDCG@3", True, "worth of the first three, against the best order"),
    Metric("reciprocal_rank", "Reciprocal rank", True, "1 over the place of the first useful one"),
    Metric("precision_at_1", "First is useful", True, "share whose first is worth something", "%"),
    Metric("best_at_1", "First is best", True, "share whose first is one of the best", "%"),
    Metric(
        "numbers_faithful",
        "Numbers faithful",
        True,
        "share of texts whose every number, date and price stands in the source",
        "%",
    ),
    Metric(
        "evidence_found", "Quotes found", True, "share of texts whose quotes all are verbatim", "%"
    ),
    Metric("length_kept", "Length kept", True, "share of texts within the length asked", "%"),
    Metric("language_kept", "Language kept", True, "share of texts in the language asked", "%"),
    Metric(
        "wording_clean", "Wording clean", True, "share of texts without Fair-Housing findings", "%"
    ),
    Metric(
        "terms_covered", "Terms covered", True, "mean share of the required terms that occur", "%"
    ),
    Metric(
        "grade_kept",
        "Grade kept",
        True,
        "share of English texts no harder to read than asked (Flesch-Kincaid)",
        "%",
    ),
    Metric("reading_grade", "Reading grade", False, "mean Flesch-Kincaid grade of the texts"),
)

READING_METRICS: Mapping[str, Metric] = MappingProxyType({m.name: m for m in _READING})
"""Metrics of one field of an answer; called ``<field>/<name>``."""


def metric(name: str) -> Metric:
    """Find a metric by name.

    Parameters
    ----------
    name
        One of `METRICS`, or ``<field>/<name>`` with one of `READING_METRICS`.

    Raises
    ------
    EvaluationError
        When there is no such metric.

    Examples
    --------
    >>> metric("decision_stage/quadratic_kappa").title
    'Quadratic kappa of decision stage'
    """
    if name in METRICS:
        return METRICS[name]
    field, _, score = name.rpartition("/")
    if field and score in READING_METRICS:
        found = READING_METRICS[score]
        return replace(found, name=name, title=f"{found.title} of {field.replace('_', ' ')}")
    known = [f"{field}/{s}" for s in READING_METRICS] if field else list(METRICS)
    near = difflib.get_close_matches(name, known, n=1)
    raise EvaluationError(
        f"no metric {name!r}",
        expected=f"one of {known}",
        fix=f"use {near[0]!r}" if near else "name one of them",
    )
