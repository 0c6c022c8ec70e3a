"""What a reader must know before believing the figures; each caveat has a code.

| code | caveat |
|---|---|
| WB-C01 | answers were simulated |
| WB-C02 | a declared leak was used |
| WB-C03 | the base rate of the test part differs from the training part's |
| WB-C04 | accuracy does not beat the majority class |
| WB-C05 | answers failed |
| WB-C06 | test rows repeat training rows |
| WB-C07 | the test set is small |
| WB-C08 | the data is simulated |
| WB-C09 | training rows were left out to keep groups whole |
| WB-C10 | asking stopped by itself |
| WB-C11 | another member stood in for one that failed |
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from workbench.evaluation.evaluation import Evaluation
from workbench.scorers import metric
from workbench.stats import proportion_interval

__all__ = ["Caveat", "caveats", "sorted_caveats"]

_SMALL = 400
_MANY = 0.01


class Caveat(NamedTuple):
    """One thing to know: its code, how grave it is, and a sentence."""

    code: str
    severity: str
    text: str


def caveats(evaluation: Evaluation) -> list[Caveat]:
    """Find what a reader of `evaluation` must know, gravest first.

    Parameters
    ----------
    evaluation
        The result to look at.
    """
    found = [
        *_about_origin(evaluation),
        *_about_data(evaluation),
        *_about_arms(evaluation),
        *_about_stopping(evaluation),
    ]
    return sorted_caveats(found)


def sorted_caveats(found: Sequence[Caveat]) -> list[Caveat]:
    """Put caveats in order, the gravest first.

    Parameters
    ----------
    found
        In any order.
    """
    order = {"grave": 0, "warning": 1, "note": 2}
    return sorted(found, key=lambda c: (order[c.severity], c.code))


def _about_origin(evaluation: Evaluation) -> list[Caveat]:
    found = []
    simulated = [a.label for a in evaluation.arms if a.simulated]
    if simulated:
        found.append(
            Caveat(
                "WB-C01",
                "grave",
                f"{', '.join(simulated)}: these answers come from a simulated reader (rules and "
                "word lists), not from Claude. Their quality and speed say nothing about "
                "Claude; their cost is what as many tokens would have cost.",
            )
        )
    if evaluation.info.dataset_kind == "simulated":
        found.append(
            Caveat(
                "WB-C08",
                "warning",
                f"{evaluation.info.dataset_title} is generated. It shows what the method can "
                "see; it is no evidence about real leads.",
            )
        )
    return found


def _about_data(evaluation: Evaluation) -> list[Caveat]:
    info, found = evaluation.info, []
    if info.leaks_allowed:
        found.append(
            Caveat(
                "WB-C02",
                "grave",
                f"Declared leaks were used: {', '.join(info.leaks_allowed)}. They are known only "
                "after the outcome; the figures cannot be reached in use.",
            )
        )
    shift = proportion_interval(
        round(info.test_base_rate * info.n_test), info.n_test, confidence_level=0.999
    )
    if not shift.ci_lower <= info.train_base_rate <= shift.ci_upper:
        found.append(
            Caveat(
                "WB-C03",
                "warning",
                f"The share of conversions moves from {info.train_base_rate:.1%} in training to "
                f"{info.test_base_rate:.1%} in test. Probabilities learned on the first cannot "
                "be calibrated for the second; expect the same in use and recalibrate.",
            )
        )
    if info.n_duplicates:
        found.append(
            Caveat(
                "WB-C06",
                "warning" if info.n_duplicates > 0.01 * info.n_test else "note",
                f"{info.n_duplicates:,} of {info.n_test:,} test rows also stand, field by field, "
                "in the training part.",
            )
        )
    if info.n_test < _SMALL:
        found.append(
            Caveat(
                "WB-C07",
                "warning",
                f"Only {info.n_test:,} test examples: intervals are wide and bounds on rare "
                "events weak.",
            )
        )
    if info.n_train_groups_removed:
        found.append(
            Caveat(
                "WB-C09",
                "note",
                f"{info.n_train_groups_removed:,} training rows were left out because someone of "
                "their group is in the test part.",
            )
        )
    return found


def _about_arms(evaluation: Evaluation) -> list[Caveat]:
    found = []
    majority = evaluation.majority_accuracy
    below = [
        arm.label
        for arm in evaluation.arms
        if evaluation.measurements[arm.name, "accuracy"].ci_lower <= majority
    ]
    if below:
        found.append(
            Caveat(
                "WB-C04",
                "note",
                f"Always answering the more frequent class is right {majority:.1%} of the time. "
                f"{', '.join(below)} cannot be said to beat that; accuracy is the wrong yardstick.",
            )
        )
    for arm in evaluation.arms:
        rows = evaluation.records[evaluation.records["arm"] == arm.name]
        share = float(rows["error"].notna().mean())
        stood_in = float(rows["degraded"].astype(bool).mean()) if arm.kind == "cascade" else 0.0
        if stood_in > 0:
            found.append(
                Caveat(
                    "WB-C11",
                    "warning" if stood_in > _MANY else "note",
                    f"In {stood_in:.1%} of the rows of {arm.label} a member failed and another "
                    "one stood in; the records name both.",
                )
            )
        if share > 0:
            degraded = "" if not np.any(rows["degraded"]) else ", members of the ensemble included"
            found.append(
                Caveat(
                    "WB-C05",
                    "warning" if share > _MANY else "note",
                    f"{share:.1%} of the answers of {arm.label} failed{degraded}; they keep "
                    "their cost and are scored as wrong.",
                )
            )
    return found


def _about_stopping(evaluation: Evaluation) -> list[Caveat]:
    info = evaluation.info
    if not evaluation.sequential or info.stop_metric is None:
        return []
    return [
        Caveat(
            "WB-C10",
            "warning",
            f"Asking could stop as soon as {metric(info.stop_metric).title} decided, and did after "
            f"{info.n_test:,} of {info.n_test_available or info.n_test:,} test examples. Intervals "
            "in the tables are made for a number fixed beforehand and are somewhat too narrow "
            "here. What is judged has intervals that hold whenever one stops, or cannot be "
            "decided.",
        )
    ]
