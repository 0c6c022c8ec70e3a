"""What an arm saves at equal quality: cost and tokens, paired, beside a non-inferiority test."""

import html
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from workbench.errors import EvaluationError
from workbench.evaluation.evaluation import Evaluation
from workbench.scorers import EXAMPLE_SCORES, metric
from workbench.stats import Effect, MarginTest, mean_standard_error, noninferiority_test
from workbench.stats.effects import effect_of

__all__ = ["Saving", "arm_rows", "example_scores", "paired_effect", "saving"]

_TOKENS = (
    "input_tokens",
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
    "output_tokens",
)


@dataclass(frozen=True, slots=True)
class Saving:
    """One arm against another one that it might replace to save money.

    Parameters
    ----------
    arm, versus
        The two, as people read them: `sim:` in front of answers that were simulated.
    metric
        Of quality.
    quality
        Arm minus the other one, on the same examples.
    equal
        Whether the arm's quality is shown not to be worse by the margin or more.
    cost
        US dollars for 1,000 predictions, failed answers included.
    tokens
        Tokens a prediction, input and output.
    """

    arm: str
    versus: str
    metric: str
    quality: Effect
    equal: MarginTest
    cost: Effect
    tokens: Effect

    def sentence(self) -> str:
        """Say both, for a reader who is no statistician."""
        how, money = metric(self.metric), metric("cost_per_1000_usd")
        q = self.quality
        margin = how.format(self.equal.margin)
        shown = "is shown not to be" if self.equal.holds else "is not shown not to be"
        saved = -self.cost.lift
        share, span = "as much as", ""
        if saved == saved and saved != 0:
            share = f"{abs(saved):.1%} {'less' if saved > 0 else 'more'} than"
        if math.isfinite(self.cost.lift_ci_lower):
            low, high = (f"{-v:.1%}" for v in (self.cost.lift_ci_upper, self.cost.lift_ci_lower))
            span = f" (plausible savings {low} to {high})".replace("-", "−")
        return (
            f"{self.arm} costs {share} {self.versus}{span}: {money.format(self.cost.treatment)} "
            f"against {money.format(self.cost.control)} per 1,000. It {shown} worse by {margin} "
            f"or more: {how.title} {how.format(q.difference, signed=True)}, plausible "
            f"{how.format(q.ci_lower, signed=True)} to {how.format(q.ci_upper, signed=True)}, "
            f"n = {q.n_control:,}."
        )

    def to_frame(self) -> pd.DataFrame:
        """One row for each of quality, cost and tokens: arm minus the other."""
        rows: list[dict[str, Any]] = []
        for what, effect in (
            (self.metric, self.quality),
            ("cost_per_1000_usd", self.cost),
            ("tokens", self.tokens),
        ):
            rows.append({"arm": self.arm, "versus": self.versus, "what": what, **effect.as_dict()})
        frame = pd.DataFrame(rows)
        frame["margin"] = [self.equal.margin, np.nan, np.nan]
        frame["not_worse"] = [self.equal.holds, None, None]
        return frame

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(self.sentence())}</p>"


def saving(
    evaluation: Evaluation,
    arm: str,
    versus: str,
    *,
    metric_name: str = "accuracy",
    margin: float = 0.01,
) -> Saving:
    """Compare cost, tokens and quality of two arms on the same examples.

    For two variants of a prompt: what the shorter one saves, and whether it is as good.

    Parameters
    ----------
    evaluation
        The run both took part in.
    arm, versus
        The arm, and the one it might replace.
    metric_name
        Of quality: accuracy, brier or log_loss.
    margin
        Largest loss of quality that is acceptable, > 0, in the unit of the metric; decided
        before the answers are seen.

    Returns
    -------
    Saving
        By accuracy, the interval of quality has one pair more either way, so that arms which
        never differ on few examples are not called equal for sure.

    References
    ----------
    Bonett & Price (2012), Journal of Educational and Behavioral Statistics 37:479-488.

    Raises
    ------
    EvaluationError
        When there is no such arm, the metric is no mean over examples, or the margin not > 0.
    """
    if metric_name not in EXAMPLE_SCORES or not margin > 0:
        raise EvaluationError(
            f"savings by {metric_name!r} with a margin of {margin}",
            expected=f"one of {list(EXAMPLE_SCORES)}, and a margin above 0",
            fix="choose another metric or margin",
        )
    level = evaluation.info.confidence_level
    groups = evaluation.scores.groups
    quality, cost, tokens = (
        paired_effect(a, b, groups, level)
        for a, b in zip(
            _figures(evaluation, arm, metric_name),
            _figures(evaluation, versus, metric_name),
            strict=True,
        )
    )
    equal = noninferiority_test(
        quality,
        margin,
        higher_is_better=metric(metric_name).higher_is_better,
        alpha=(1 - level) / 2,
    )
    if metric_name == "accuracy":
        # A pair each way more, so that arms which never differ leave some doubt.
        own, other = (example_scores(evaluation, name, "accuracy") for name in (arm, versus))
        doubtful = _with_doubt(own, other, groups, level)
        kept = ("difference", "control", "treatment", "n_control", "n_treatment", "n_groups")
        quality = doubtful._replace(**{name: getattr(quality, name) for name in kept})
        equal = noninferiority_test(doubtful, margin, alpha=(1 - level) / 2)
    labels = (evaluation.arm(arm).label, evaluation.arm(versus).label)
    return Saving(*labels, metric_name, quality, equal, cost, tokens)


def _with_doubt(
    own: NDArray[np.float64], other: NDArray[np.float64], groups: ArrayLike | None, level: float
) -> Effect:
    """Compare paired proportions with one pair more either way (Bonett & Price 2012).

    Examples
    --------
    >>> right = np.ones(98)
    >>> round(_with_doubt(right, right, None, 0.95).ci_lower, 3)
    -0.028
    """
    codes = np.arange(len(own)) if groups is None else np.unique(groups, return_inverse=True)[1]
    codes = np.concatenate([codes, codes.max() + np.array([1, 2])])
    return paired_effect(
        np.append(own, [1.0, 0.0]),
        np.append(other, [0.0, 1.0]),
        None if groups is None else codes,
        level,
    )


def _figures(
    evaluation: Evaluation, arm: str, metric_name: str
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    rows = arm_rows(evaluation, arm)
    return (
        example_scores(evaluation, arm, metric_name),
        1000 * rows["cost_usd"].to_numpy(dtype=np.float64),
        np.asarray(rows[list(_TOKENS)].sum(axis=1), dtype=np.float64),
    )


def example_scores(evaluation: Evaluation, arm: str, metric_name: str) -> NDArray[np.float64]:
    """Score of each row of an arm, failed answers as wrong; shape (n_rows,), as `arm_rows`."""
    evaluation.arm(arm)
    table = evaluation.scores
    return EXAMPLE_SCORES[metric_name](table.y, table.proba[arm])


def arm_rows(evaluation: Evaluation, arm: str) -> pd.DataFrame:
    """Records of an arm in the order of `Evaluation.scores`; an arm answered once is repeated."""
    records = evaluation.records
    rows = records[records["arm"] == arm].sort_values(["repeat", "example_id"], kind="stable")
    times = len(evaluation.scores.y) // max(1, len(rows))
    return pd.concat([rows] * times, ignore_index=True)


def paired_effect(
    treatment: ArrayLike, control: ArrayLike, groups: ArrayLike | None, confidence_level: float
) -> Effect:
    """Compare the means of paired figures, on the absolute and the relative scale.

    Parameters
    ----------
    treatment, control
        A figure an example, shape (n,).
    groups
        Group of each pair, shape (n,): errors are then cluster-robust.
    confidence_level
        Nominal coverage.

    Examples
    --------
    >>> found = paired_effect([1.0, 2.0, 3.0, 4.0], [2.0, 4.1, 5.9, 8.0], None, 0.95)
    >>> round(found.lift, 2), round(found.lift_ci_upper, 2)
    (-0.5, -0.49)
    """
    a, b = np.asarray(treatment, dtype=np.float64), np.asarray(control, dtype=np.float64)
    errors = (mean_standard_error(v, groups=groups) for v in (a - b, a, b))
    of_difference, of_a, of_b = (error**2 for error in errors)
    n_groups = None if groups is None else len(np.unique(np.asarray(groups)))
    return effect_of(
        float((a - b).mean()),
        of_difference,
        (n_groups or len(a)) - 1,
        control=float(b.mean()),
        treatment=float(a.mean()),
        control_variance=of_b,
        control_covariance=(of_a - of_b - of_difference) / 2,
        n=(len(b), len(a)),
        n_groups=n_groups,
        method="paired t" if groups is None else "paired t, cluster-robust CR1",
        confidence_level=confidence_level,
    )
