"""What a cascade's quality costs, beside the baselines an honest one has to beat.

Curves run from asking the last member about nothing to asking it about everything: by the
cascade's own score, at random, by the length of the prompt, and by an oracle that knows which rows
gain most. A cascade pays its first stage for every row; the others know beforehand whom to ask and
pay one of the two. The threshold in use was fitted on training rows; nothing here chooses one.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from workbench.errors import EvaluationError
from workbench.evaluation.evaluation import Evaluation
from workbench.evaluation.routing import (
    STEPS,
    CurvePoint,
    Routes,
    calls_needed,
    gain_recovered,
    route_curve,
)
from workbench.evaluation.savings import Saving, arm_rows, example_scores, saving
from workbench.scorers import EXAMPLE_SCORES, metric, penalise_errors
from workbench.stats import (
    Difference,
    Estimate,
    mean_interval,
    paired_difference,
    percentile_interval,
    resample_weights,
)

__all__ = ["Frontier", "cascade_frontier"]

Vector = NDArray[np.float64]

_RECOVERED = 0.8


@dataclass(frozen=True)
class Frontier:
    """Cost and quality of a cascade, and of what it has to beat.

    Parameters
    ----------
    arm, first, last
        The cascade, its first stage and its last member, as people read them.
    metric
        Of quality.
    curves
        Points of every router, by rising share.
    operating
        The cascade as it ran, at the threshold fitted on training rows.
    last_only
        The last member alone.
    beside
        The other ways to route for at most the same money.
    recovered
        Average share of the gain from first to last that a router recovers, over all shares
        (APGR; 0.5 at random), by router; empty where the last member is not shown to be better.
    calls_needed
        Share of rows at which a router has recovered four fifths of the gain (CPT); empty then.
    versus_last
        The cascade against asking the last member always: cost saved, and whether quality is
        equal within the margin.
    versus_random
        Quality of the cascade minus that of choosing rows at random for the same money.
    gain
        Quality of the last member minus that of the first stage.
    simulated
        Whether the answers are a stand-in's.
    """

    arm: str
    first: str
    last: str
    metric: str
    curves: tuple[CurvePoint, ...]
    operating: CurvePoint
    last_only: CurvePoint
    beside: tuple[CurvePoint, ...]
    recovered: Mapping[str, Estimate]
    calls_needed: Mapping[str, float]
    versus_last: Saving
    versus_random: Difference
    gain: Difference
    simulated: bool

    def curve(self, router: str) -> list[CurvePoint]:
        """Points of one router, by rising share."""
        return [point for point in self.curves if point.router == router]

    def sentences(self) -> list[str]:
        """What the figures say, the saving first."""
        how = metric(self.metric)
        sign = 1 if how.higher_is_better else -1
        d = self.versus_random
        low, high = sorted((sign * d.ci_lower, sign * d.ci_upper))
        beats = "beats" if low > 0 else "is beaten by" if high < 0 else "cannot be told from"
        said = [
            self.versus_last.sentence(),
            f"With {self.operating.share:.1%} of the rows escalated, {self.arm} {beats} choosing "
            f"rows at random for the same money ({how.title} "
            f"{how.format(d.difference, signed=True)}, plausible "
            f"{how.format(d.ci_lower, signed=True)} to {how.format(d.ci_upper, signed=True)}).",
        ]
        if not self.recovered:
            said.append(
                f"{self.last} is not shown to be better than {self.first}, so there is no gain to "
                "recover and no router can be ranked by it."
            )
        for router, words in (("cascade", "The cascade's score"), ("length", "Prompt length")):
            if router in self.recovered:
                found = self.recovered[router]
                said.append(
                    f"{words} recovers {found.estimate:.2f} of the gain on average over all shares "
                    f"(plausible {found.ci_lower:.2f} to {found.ci_upper:.2f}; 0.50 at random), "
                    f"and {_RECOVERED:.0%} of it with {self.calls_needed[router]:.0%} of the calls."
                )
        return said

    def to_frame(self) -> pd.DataFrame:
        """One row a point of a curve, the operating point last."""
        frame = pd.DataFrame([*self.curves, self.operating], columns=list(CurvePoint._fields))
        frame["operating"] = [False] * len(self.curves) + [True]
        return frame

    def to_markdown(self) -> str:
        """One line a sentence."""
        return "\n".join(f"- {sentence}" for sentence in self.sentences())


def cascade_frontier(
    evaluation: Evaluation, arm: str, *, metric_name: str = "accuracy", margin: float = 0.01
) -> Frontier:
    """Draw a cascade's curve from its own records and those of its last member's arm.

    Parameters
    ----------
    evaluation
        A run in which the cascade's last member was an arm of its own.
    arm
        The cascade.
    metric_name
        Of quality: accuracy, brier or log_loss.
    margin
        Largest loss of quality against the last member that is acceptable, > 0, decided before
        the answers are seen.

    Returns
    -------
    Frontier

    Raises
    ------
    EvaluationError
        When the arm is no cascade, its last member is no arm, or metric and margin do not fit.

    References
    ----------
    APGR and CPT: Ong et al. (2024), "RouteLLM", arXiv:2406.18665; that simple baselines belong
    beside: Kapoor et al. (2024), "AI Agents That Matter", arXiv:2407.01502.
    """
    info = evaluation.arm(arm)
    if info.threshold is None or info.members[-1] not in evaluation.arm_names:
        raise EvaluationError(
            f"arm {arm!r} has no frontier",
            expected="a cascade whose last member is an arm of the same run",
            fix="evaluate the last member as an arm of its own beside the cascade",
        )
    versus_last = saving(evaluation, arm, info.members[-1], metric_name=metric_name, margin=margin)
    rows, score, length = _rows(evaluation, arm, info.members[-1], metric_name)
    sign = 1.0 if metric(metric_name).higher_is_better else -1.0
    gains = sign * (rows.last - rows.first)
    routers = {"cascade": score, "oracle": gains}
    if length is not None:
        routers["length"] = length
    curves = [p for name, ranking in routers.items() for p in route_curve(rows, name, ranking)]
    curves += [rows.at_random(step / STEPS) for step in range(STEPS + 1)]
    gain = paired_difference(rows.last, rows.first, groups=rows.groups, confidence_level=rows.level)
    better = sign * gain.difference > 0 and not gain.ci_lower <= 0 <= gain.ci_upper
    own = example_scores(evaluation, arm, metric_name)
    operating = _operating(evaluation, arm, info.threshold, own, rows)
    spent = operating.cost_per_1000_usd / 1000
    share = rows.random_share(spent)
    at_random = rows.first + share * (rows.last - rows.first)
    return Frontier(
        arm=info.label,
        first=" + ".join(_label(evaluation, m) for m in info.members[:-1]),
        last=_label(evaluation, info.members[-1]),
        metric=metric_name,
        curves=tuple(curves),
        operating=operating,
        last_only=rows.last_only(),
        beside=(
            rows.at_random(share),
            *(
                rows.affordable(name, routers[name], spent)
                for name in ("length", "oracle")
                if name in routers
            ),
        ),
        recovered=_recovered(evaluation, rows, routers, gains) if better else {},
        calls_needed={n: calls_needed(r, gains, _RECOVERED) for n, r in routers.items()}
        if better
        else {},
        versus_last=versus_last,
        versus_random=paired_difference(
            own, at_random, groups=rows.groups, confidence_level=rows.level
        ),
        gain=gain,
        simulated=info.simulated,
    )


def _rows(
    evaluation: Evaluation, arm: str, last: str, metric_name: str
) -> tuple[Routes, Vector, Vector | None]:
    own, strong = arm_rows(evaluation, arm), arm_rows(evaluation, last)
    y, groups = evaluation.scores.y, evaluation.scores.groups
    early = own["first_proba"].to_numpy(dtype=np.float64)
    first = penalise_errors(y, np.nan_to_num(early), np.isnan(early))
    rows = Routes(
        EXAMPLE_SCORES[metric_name](y, first),
        example_scores(evaluation, last, metric_name),
        own["first_cost_usd"].to_numpy(dtype=np.float64),
        strong["cost_usd"].to_numpy(dtype=np.float64),
        groups,
        evaluation.info.confidence_level,
    )
    columns = ["input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"]
    length = np.asarray(strong[columns].sum(axis=1), dtype=np.float64)
    score = own["escalation_score"].to_numpy(dtype=np.float64)
    # Rows without a first answer come first: as far up as a finite score can say.
    finite = score[np.isfinite(score)]
    score = np.where(np.isfinite(score), score, finite.max(initial=0.0) + 1.0)
    return rows, score, length if np.ptp(length) > 0 else None


def _operating(
    evaluation: Evaluation, arm: str, threshold: float, own: Vector, rows: Routes
) -> CurvePoint:
    records = arm_rows(evaluation, arm)
    score = records["escalation_score"].to_numpy(dtype=np.float64)
    share = float(((score > threshold) | np.isposinf(score)).mean())
    found = mean_interval(own, groups=rows.groups, confidence_level=rows.level)
    return CurvePoint(
        "cascade",
        share,
        threshold,
        1000 * float(records["cost_usd"].mean()),
        found.estimate,
        found.ci_lower,
        found.ci_upper,
    )


def _recovered(
    evaluation: Evaluation, rows: Routes, routers: Mapping[str, Vector], gains: Vector
) -> dict[str, Estimate]:
    info = evaluation.info
    n_groups = None if rows.groups is None else len(np.unique(rows.groups))
    found: dict[str, list[Vector]] = {name: [] for name in routers}
    for weights in resample_weights(
        len(gains), info.n_resamples, groups=rows.groups, random_state=info.random_state
    ):
        for name, score in routers.items():
            found[name].append(gain_recovered(score, gains, np.asarray(weights, dtype=np.float64)))
    once = np.ones((1, len(gains)))
    return {
        name: percentile_interval(
            float(gain_recovered(score, gains, once)[0]),
            np.concatenate(found[name]),
            n=len(gains),
            n_groups=n_groups,
            confidence_level=rows.level,
        )
        for name, score in routers.items()
    }


def _label(evaluation: Evaluation, name: str) -> str:
    return evaluation.arm(name).label if name in evaluation.arm_names else name
