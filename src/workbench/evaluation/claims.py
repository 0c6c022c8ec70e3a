"""What somebody claims, held against what was measured and what anybody could reach."""

import html
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import pandas as pd

from workbench.errors import EvaluationError
from workbench.evaluation.evaluation import Evaluation
from workbench.scorers import metric
from workbench.stats import Difference, Estimate
from workbench.tasks import load_task

__all__ = ["Claim", "Family", "Standing", "claims_of"]

# What the true probabilities maximise in expectation; precision they do not.
_BEST_BY_TRUTH = ("accuracy", "roc_auc", "average_precision")

Standing: TypeAlias = Literal["met", "not met", "cannot tell", "impossible here"]


@dataclass(frozen=True, slots=True)
class Claim:
    """One claimed figure and what became of it.

    Parameters
    ----------
    task, title
        What it is about.
    metric
        Name of the metric.
    claimed
        The figure claimed.
    arm
        The arm that did best by the task's first metric, as people read it.
    measured
        Its figure, with interval.
    trivial
        What knowing nothing of the example gives: the majority class, the base rate.
    ceiling
        What the true probabilities reach on the same examples; None where nobody knows them.
    standing
        Whether it is met.
    why
        One sentence.
    """

    task: str
    title: str
    metric: str
    claimed: float
    arm: str
    measured: Estimate
    trivial: float
    ceiling: float | None
    standing: Standing
    why: str


def claims_of(evaluation: Evaluation, *, arm: str | None = None) -> tuple[Claim, ...]:
    """Hold a task's claimed figures against an evaluation.

    A claim is met, or not, when the whole interval is on one side. It is impossible here when
    even the true probabilities, with twice the sampling error allowed, stay below it.

    Parameters
    ----------
    evaluation
        Of the task.
    arm
        Which arm's figures; by default the best by log loss that is not simulated.

    Returns
    -------
    tuple of Claim
        One a claimed metric of the probabilities.

    Raises
    ------
    EvaluationError
        When there is no such arm, or none that is not simulated.
    """
    task = load_task(evaluation.info.task)
    chosen = evaluation.arm(arm or _best(evaluation))
    made = []
    for target in task.targets:
        if metric(target.metric).unit not in ("", "%"):
            continue
        measured = evaluation.measurements[chosen.name, target.metric]
        ceiling = (evaluation.info.ceiling or {}).get(target.metric)
        positive = evaluation.info.test_base_rate
        trivial = {"accuracy": evaluation.majority_accuracy, "roc_auc": 0.5}.get(
            target.metric, positive
        )
        standing, why = _judged(target.metric, target.value, measured, ceiling, trivial)
        made.append(
            Claim(
                task.name, task.title, target.metric, target.value, chosen.label, measured,
                trivial, ceiling, standing, why,
            )
        )  # fmt: skip
    return tuple(made)


def _best(evaluation: Evaluation) -> str:
    own = [arm.name for arm in evaluation.arms if not arm.simulated]
    if not own:
        raise EvaluationError(
            "every arm is simulated",
            expected="an arm whose figures speak for itself",
            fix="add a model, or name an arm",
        )
    return min(own, key=lambda name: evaluation.measurements[name, "log_loss"].estimate)


def _judged(
    name: str, claimed: float, measured: Estimate, ceiling: float | None, trivial: float
) -> tuple[Standing, str]:
    told = metric(name).format
    if ceiling is not None and name in _BEST_BY_TRUTH:
        slack = 2 * math.sqrt(max(ceiling * (1 - ceiling), 0.0) / max(measured.n, 1))
        if ceiling + slack < claimed:
            return (
                "impossible here",
                f"knowing the true probability of every example reaches {told(ceiling)}: "
                f"chance decides the rest, so nobody can reach {told(claimed)} on this data",
            )
    if measured.ci_lower >= claimed:
        return "met", f"the whole interval is at {told(claimed)} or above"
    if measured.ci_upper < claimed:
        gap = f"; knowing nothing gives {told(trivial)}" if name == "accuracy" else ""
        if ceiling is not None and name not in _BEST_BY_TRUTH:
            # A higher threshold buys precision with recall; the claim names none.
            gap = f"; the true probabilities reach {told(ceiling)} at a threshold of 0.5"
        return "not met", f"the whole interval is below {told(claimed)}{gap}"
    return "cannot tell", f"{told(claimed)} lies inside the interval: too few examples"


@dataclass(frozen=True)
class Family:
    """Evaluations of tasks that belong together, such as the heads of one behaviour engine.

    Parameters
    ----------
    evaluations
        By task.
    """

    evaluations: Mapping[str, Evaluation]

    def __post_init__(self) -> None:
        if not self.evaluations:
            raise EvaluationError(
                "no evaluations", expected="at least one", fix="evaluate the tasks first"
            )

    @property
    def claims(self) -> tuple[Claim, ...]:
        """Every task's claims."""
        return tuple(c for e in self.evaluations.values() for c in claims_of(e))

    def gains(self, arm: str, against: Sequence[str], name: str = "log_loss") -> pd.DataFrame:
        """Paired gain of one arm over the best of others, task by task.

        Parameters
        ----------
        arm
            The arm, such as an ensemble.
        against
            Arms it must beat, such as its members; the best of them by the metric is compared.
        name
            Metric of the probabilities.

        Returns
        -------
        DataFrame
            Columns task, arm, best, metric, difference, ci_lower, ci_upper, pvalue, n. Comparing
            with the best of several favours that one: the gain is, if anything, understated.

        Raises
        ------
        EvaluationError
            When there is no such arm or metric.
        """
        rows = []
        higher = metric(name).higher_is_better
        for task, evaluation in self.evaluations.items():
            figures = {a: evaluation.estimate(a, name).estimate for a in against}
            best = (max if higher else min)(figures, key=lambda a: figures[a])
            found: Difference = evaluation.compare(name, baseline=best)[arm].difference
            rows.append(
                {
                    "task": task, "arm": evaluation.arm(arm).label,
                    "best": evaluation.arm(best).label, "metric": name,
                    "difference": found.difference, "ci_lower": found.ci_lower,
                    "ci_upper": found.ci_upper, "pvalue": found.pvalue, "n": found.n,
                }
            )  # fmt: skip
        return pd.DataFrame(rows)

    def macro(self, arm: str, name: str = "accuracy") -> float:
        """Mean of one figure over the tasks: the platform's single number for all heads."""
        found = [e.measurements[arm, name].estimate for e in self.evaluations.values()]
        return float(sum(found) / len(found))

    def to_frame(self) -> pd.DataFrame:
        """One row a claim."""
        return pd.DataFrame(
            [
                {
                    "task": c.task, "metric": c.metric, "claimed": c.claimed, "arm": c.arm,
                    "measured": c.measured.estimate, "ci_lower": c.measured.ci_lower,
                    "ci_upper": c.measured.ci_upper, "n": c.measured.n, "trivial": c.trivial,
                    "ceiling": c.ceiling, "standing": c.standing, "why": c.why,
                }
                for c in self.claims
            ]
        )  # fmt: skip

    def _repr_html_(self) -> str:
        rows = ""
        for c in self.claims:
            told = metric(c.metric).format
            ceiling = "unknown" if c.ceiling is None else told(c.ceiling)
            span = f"[{told(c.measured.ci_lower)}, {told(c.measured.ci_upper)}]"
            cells = (
                html.escape(c.title), metric(c.metric).title, told(c.claimed), told(c.trivial),
                ceiling, f"{told(c.measured.estimate)}<br><small>{span}</small>",
                html.escape(c.arm), f"<b>{c.standing}</b>", html.escape(c.why),
            )  # fmt: skip
            rows += "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"
        head = "".join(
            f"<th>{title}</th>"
            for title in ("Head", "Metric", "Claimed", "Knowing nothing", "Ceiling", "Measured",
                          "By", "Standing", "Why")
        )  # fmt: skip
        return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
