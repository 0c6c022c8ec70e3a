"""How many units an experiment needs, and what it can find: before it starts."""

import html
import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from workbench.abtest.design import AlwaysValid, Design, GroupSequential
from workbench.abtest.metrics import ProportionMetric
from workbench.errors import SpecError
from workbench.stats import (
    Alternative,
    asymptotic_confidence_sequence,
    cluster_power,
    cluster_sample_size,
    design_effect,
    group_sequential_design,
    means_minimum_detectable,
    means_power,
    means_sample_size,
    proportions_minimum_detectable,
    proportions_power,
    proportions_sample_size,
)

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Plan", "PlanRow", "plan"]


@dataclass(frozen=True, slots=True)
class PlanRow:
    """What one metric needs to compare one treatment with the control.

    Parameters
    ----------
    metric, role, arm
        What is compared.
    mde
        The difference the metric is planned for: its `mde`, or a guardrail's margin.
    n_units
        Units in all arms together, given the configured shares, at which this comparison has
        its power.
    n_clusters
        Clusters those are; None without clusters.
    power
        With the design's planned units; NaN without them.
    detectable
        Smallest difference found with the wanted power with the planned units; NaN without
        them or for a guardrail.
    alpha
        Error rate of this comparison after the correction and the sequential plan.
    design_effect
        By how much clusters inflate the variance.
    method
        How it was computed.
    """

    metric: str
    role: str
    arm: str
    mde: float
    n_units: int
    n_clusters: int | None
    power: float
    detectable: float
    alpha: float
    design_effect: float
    method: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What an experiment needs, metric by metric.

    Parameters
    ----------
    design
        The design.
    rows
        One a metric and treatment.
    unplanned
        Metrics without the assumptions a plan needs, with what is missing.
    units_per_day
        Traffic, if known.
    """

    design: Design
    rows: tuple[PlanRow, ...]
    unplanned: tuple[str, ...]
    units_per_day: float | None

    @property
    def n_units(self) -> int:
        """Units at which every planned primary metric and guardrail has its power."""
        deciding = [row.n_units for row in self.rows if row.role != "secondary"]
        return max(deciding, default=0)

    @property
    def days(self) -> int | None:
        """Whole days until then; None without traffic."""
        if self.units_per_day is None:
            return None
        return math.ceil(self.n_units / (self.units_per_day * self.design.coverage))

    def to_frame(self) -> "pd.DataFrame":
        """One row a metric and treatment."""
        import pandas as pd

        return pd.DataFrame([asdict(row) for row in self.rows])

    def to_markdown(self) -> str:
        """The plan as a table with a line above and below."""
        days = "" if self.days is None else f", {self.days:,} days"
        lines = [
            f"**{self.design.name}** needs {self.n_units:,} units in all arms{days}"
            f" (power {self.design.power:.0%}, error rate {self.design.alpha:.0%}"
            f" {self.design.multiplicity}).",
            "",
            "| metric | arm | to find | units | clusters | power as planned | MDE as planned |",
            "|---|---|---|---|---|---|---|",
        ]
        for row in self.rows:
            clusters = "" if row.n_clusters is None else f"{row.n_clusters:,}"
            power = "" if math.isnan(row.power) else f"{row.power:.0%}"
            detectable = "" if math.isnan(row.detectable) else f"{row.detectable:.4g}"
            lines.append(
                f"| {row.metric} ({row.role}) | {row.arm} | {row.mde:.4g} | {row.n_units:,} |"
                f" {clusters} | {power} | {detectable} |"
            )
        lines += [f"- Not planned: {sentence}." for sentence in self.unplanned]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(self.to_markdown())}</pre>"


@dataclass(frozen=True, slots=True)
class _Question:
    """One comparison as sample-size formulas take it; `n` are units of the control."""

    shares: tuple[float, float]  # control, treatment
    alpha: float
    power: float
    difference: float
    margin: float
    alternative: Alternative
    sd: float
    baseline: float | None  # of a proportion that is compared as one

    @property
    def ratio(self) -> float:
        return self.shares[1] / self.shares[0]

    def n_control(self) -> float:
        """Units of the control that independent units would need."""
        if self.baseline is not None:
            return proportions_sample_size(
                self.baseline,
                self.baseline + self.difference,
                ratio=self.ratio,
                margin=self.margin,
                alpha=self.alpha,
                power=self.power,
                alternative=self.alternative,
            )
        return means_sample_size(
            self.difference,
            self.sd,
            ratio=self.ratio,
            margin=self.margin,
            alpha=self.alpha,
            power=self.power,
            alternative=self.alternative,
        )

    def power_at(self, n: float) -> float:
        """Power with so many independent units of the control."""
        if self.baseline is not None:
            return proportions_power(
                n,
                self.baseline,
                self.baseline + self.difference,
                ratio=self.ratio,
                margin=self.margin,
                alpha=self.alpha,
                alternative=self.alternative,
            )
        return means_power(
            n,
            self.difference,
            self.sd,
            ratio=self.ratio,
            margin=self.margin,
            alpha=self.alpha,
            alternative=self.alternative,
        )

    def detectable_at(self, n: float) -> float:
        """Smallest difference found with so many independent units of the control."""
        if self.alternative != "two-sided":
            return math.nan
        if self.baseline is not None:
            return proportions_minimum_detectable(
                n, self.baseline, ratio=self.ratio, alpha=self.alpha, power=self.power
            )
        return means_minimum_detectable(
            n, self.sd, ratio=self.ratio, alpha=self.alpha, power=self.power
        )


def plan(design: Design, *, units_per_day: float | None = None) -> Plan:
    """Plan an experiment: units needed, and power and smallest effect with those planned.

    Parameters
    ----------
    design
        The design. A metric is planned when it says what the formulas need: a proportion
        `baseline`; the others `sd` per unit (for a ratio the root of `stats.ratio_variance`; for
        a quantile √(q(1 − q)) over the density there); both `mde`, or a guardrail its `margin`.
    units_per_day
        Units that arrive each day, before coverage.

    Returns
    -------
    Plan

    Raises
    ------
    SpecError
        If no metric can be planned, clusters have no `icc` and `mean_size`, or the difference
        asked for is impossible.

    Notes
    -----
    Each comparison gets alpha over the number of primary comparisons (Bonferroni): what any of
    the corrections needs at most. Guardrails are one-sided at alpha/2 for a true difference of 0.
    Group-sequential plans are inflated by the ratio of their largest size to a fixed one;
    always-valid ones use the boundary at the size it is tightest for.

    Units assigned within clusters are planned as independent, which is safe when units of a
    cluster are alike.

    Examples
    --------
    >>> design = Design.model_validate({"name": "script", "arms": {"old": 1, "new": 1}, "metrics":
    ...     {"reply": {"kind": "proportion", "role": "primary", "baseline": 0.1, "mde": 0.02}}})
    >>> plan(design).n_units
    7682
    """
    if units_per_day is not None and not units_per_day > 0:
        raise SpecError(
            f"units_per_day is {units_per_day!r}", expected="a number > 0", fix="correct it"
        )
    rows: list[PlanRow] = []
    unplanned: list[str] = []
    for name in design.metrics:
        lacks = _lacking(design, name)
        if lacks:
            unplanned.append(f"{name} lacks {lacks}")
            continue
        for arm in design.treatments:
            try:
                rows.append(_planned(design, name, arm))
            except ValueError as reason:
                raise SpecError(
                    f"metric {name!r} cannot be planned: {reason}",
                    expected="assumptions that can be true",
                    fix="correct baseline, sd, mde or margin",
                ) from None
    if not rows:
        raise SpecError(
            f"no metric can be planned: {'; '.join(unplanned)}",
            expected="a baseline (proportions) or sd, and mde or margin, for at least one metric",
            fix="add the assumptions to the design",
        )
    return Plan(design, tuple(rows), tuple(unplanned), units_per_day)


def _lacking(design: Design, name: str) -> str:
    metric = design.metrics[name]
    needed = ["baseline"] if isinstance(metric, ProportionMetric) else ["sd"]
    lacks = [key for key in needed if getattr(metric, key) is None]
    if metric.role != "guardrail" and metric.mde is None:
        lacks.append("mde")
    if metric.role == "guardrail" and metric.margin_scale == "relative" and not metric.baseline:
        lacks.append("baseline")
    cluster = design.cluster
    if cluster and cluster.randomised and (cluster.icc is None or cluster.mean_size is None):
        lacks.append("the cluster's icc and mean_size")
    return " and ".join(dict.fromkeys(lacks))


def _planned(design: Design, name: str, arm: str) -> PlanRow:
    metric, cluster = design.metrics[name], design.cluster
    question = _question(design, name, arm)
    inflation, note = _sequential_inflation(design)
    shared = cluster is not None and cluster.randomised
    mean_size = cluster.mean_size if cluster and cluster.mean_size else 1.0
    icc = cluster.icc if cluster and cluster.icc else 0.0
    effect = design_effect(icc, mean_size, cv_size=cluster.cv_size) if cluster and shared else 1.0
    n_control = question.n_control() * effect * inflation
    if cluster and shared:
        # A few clusters need more than the inflated n: t has little to estimate the spread from.
        clusters = cluster_sample_size(
            question.difference, question.sd, icc=icc, mean_size=mean_size,
            cv_size=cluster.cv_size, ratio=question.ratio, margin=question.margin,
            alpha=question.alpha, power=question.power, alternative=question.alternative,
        )  # fmt: skip
        n_control = max(n_control, clusters * mean_size * inflation)
    n_units = math.ceil(n_control / question.shares[0])
    power = detectable = math.nan
    if design.planned_units is not None:
        have = design.planned_units * question.shares[0] / inflation
        detectable = question.detectable_at(max(have / effect, 2.0))
        if cluster and shared and have / mean_size >= 2:
            power = cluster_power(
                have / mean_size, question.difference, question.sd, icc=icc, mean_size=mean_size,
                cv_size=cluster.cv_size, ratio=question.ratio, margin=question.margin,
                alpha=question.alpha, alternative=question.alternative,
            )  # fmt: skip
        else:
            power = question.power_at(max(have / effect, 2.0))
    method = "proportions, pooled z" if question.baseline is not None else "means, t"
    return PlanRow(
        metric=name,
        role=metric.role,
        arm=arm,
        mde=question.margin or abs(question.difference),
        n_units=n_units,
        n_clusters=math.ceil(n_units / mean_size) if shared else None,
        power=power,
        detectable=detectable,
        alpha=question.alpha,
        design_effect=effect,
        method=method + (f", {note}" if note else ""),
    )


def _question(design: Design, name: str, arm: str) -> _Question:
    metric = design.metrics[name]
    alpha = _alpha(design, name)
    sd = getattr(metric, "sd", None)
    plain: float | None = None
    if isinstance(metric, ProportionMetric) and metric.baseline is not None:
        # Adjusted or clustered shares are compared as means.
        mde = metric.mde or 0.0
        sign = 1.0 if metric.baseline + mde < 1 else -1.0
        middle = metric.baseline + sign * mde / 2
        sd = math.sqrt(middle * (1 - middle))
        plain = metric.baseline if metric.r_squared == 0 else None
    difference, margin, alternative = metric.mde or 0.0, 0.0, "two-sided"
    if isinstance(metric, ProportionMetric) and (metric.baseline or 0) + difference >= 1:
        difference = -difference
    if metric.role == "guardrail" and metric.margin is not None:
        relative = metric.margin_scale == "relative"
        margin = metric.margin * (abs(metric.baseline or 0.0) if relative else 1.0)
        difference, alternative = 0.0, "greater"
    shares = (design.shares[design.control], design.shares[arm])
    return _Question(
        shares=shares,
        alpha=alpha,
        power=design.power,
        difference=difference,
        margin=margin,
        alternative="greater" if alternative == "greater" else "two-sided",
        sd=(sd or 0.0) * math.sqrt(1 - metric.r_squared),
        baseline=plain,
    )


def _alpha(design: Design, name: str) -> float:
    """Error rate of one comparison, corrected and at the boundary of an always-valid plan."""
    role = design.metrics[name].role
    alpha = design.alpha
    if role == "guardrail":
        alpha /= 2
    elif design.multiplicity != "none":
        alpha /= design.n_comparisons(role)
    if isinstance(design.sequential, AlwaysValid):
        sides = 2.0 if role == "guardrail" else 1.0
        reach = asymptotic_confidence_sequence(
            0.0, 1.0, 1.0, n_opt=1.0, confidence_level=1 - sides * alpha
        ).ci_upper
        return 2 / sides * float(special.ndtr(-np.asarray(reach).item()))
    return alpha


def _sequential_inflation(design: Design) -> tuple[float, str]:
    how = design.sequential
    if isinstance(how, GroupSequential):
        found = group_sequential_design(
            np.arange(1, how.looks + 1) / how.looks,
            alpha=design.alpha / 2,
            power=design.power,
            spending=how.spending,
            parameter=how.parameter,
        )
        return found.inflation, f"{how.looks} group-sequential looks"
    return 1.0, "always-valid boundary" if isinstance(how, AlwaysValid) else ""
