"""What an analysis comes to: effects, segments, the sample ratio, verdicts, findings."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from workbench.abtest.design import Design
from workbench.abtest.findings import Finding
from workbench.abtest.rendering import analysis_html, analysis_markdown, effect_sentence
from workbench.documents import to_json
from workbench.stats import (
    Effect,
    Heterogeneity,
    LogRank,
    MarginTest,
    PosteriorComparison,
    SampleRatio,
    SelectionCorrected,
)

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Analysis",
    "ArmDecision",
    "ArmEffect",
    "LevelEffect",
    "RatioCause",
    "RatioCheck",
    "SegmentEffects",
    "Verdict",
]

Verdict = Literal["better", "worse", "inconclusive", "holds", "violated", "not shown", "no data"]
"""What one comparison shows; the middle three are of guardrails."""


class RatioCause(NamedTuple):
    """One part of the units in which the ratio is off.

    Attributes
    ----------
    dimension, level
        Segment or "day", and which.
    pvalue
        Of the configured ratio in this part, Bonferroni-corrected for all parts looked at.
    n
        Units in it.
    observed
        Share of each arm.
    rest_pvalue
        Of the configured ratio in everything else: large when this part explains the alarm.
    """

    dimension: str
    level: str
    pvalue: float
    n: int
    observed: Mapping[str, float]
    rest_pvalue: float


@dataclass(frozen=True, slots=True)
class RatioCheck:
    """Whether units arrived in the configured ratio.

    Parameters
    ----------
    test
        The test.
    counted
        "units", or "clusters" where those are assigned.
    arms
        Names, in the order of the counts.
    alarm
        Whether the p-value is below 0.001.
    causes
        Parts in which the ratio is off, the most likely cause first; empty without alarm.
    sentence
        The finding in words.
    """

    test: SampleRatio
    counted: str
    arms: tuple[str, ...]
    alarm: bool
    causes: tuple[RatioCause, ...]
    sentence: str


@dataclass(frozen=True, slots=True)
class ArmEffect:
    """One metric of one treatment against the control.

    Parameters
    ----------
    metric, kind, role, arm, control
        What is compared.
    higher_is_better
        Direction of the metric.
    effect
        As designed: capped, adjusted, robust to clusters, at the design's level.
    raw, unclustered, uncapped
        The same without adjustment; also without clusters; also without caps. None where it
        makes no difference.
    ci_lower, ci_upper
        Interval that decides: corrected for the number of comparisons and for looks.
    pvalue, pvalue_adjusted
        P-value that decides (always-valid if so designed), alone and after the correction.
    verdict
        What it shows.
    margin
        Test of a guardrail's margin.
    posterior
        The Bayesian view, under the metric's prior.
    corrected
        The effect without the winner's curse, where it was found.
    n_to_decide
        Units of the two arms at which the interval would exclude 0 if the effect stayed what it
        is; None where it does already, or never would.
    note
        What could not be done as designed.
    log_rank
        Of a time to an event: the test of equal distributions, beside the mean time that decides.
    """

    metric: str
    kind: str
    role: str
    arm: str
    control: str
    higher_is_better: bool
    effect: Effect
    raw: Effect
    unclustered: Effect | None
    uncapped: Effect | None
    ci_lower: float
    ci_upper: float
    pvalue: float
    pvalue_adjusted: float
    verdict: Verdict
    margin: MarginTest | None
    posterior: PosteriorComparison | None
    corrected: SelectionCorrected | None
    n_to_decide: int | None
    note: str
    log_rank: LogRank | None = None

    def sentence(self) -> str:
        """Say what was found, for a reader who is no statistician."""
        return effect_sentence(self)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, one flat mapping."""
        own = {
            name: getattr(self, name)
            for name in (
                "metric", "kind", "role", "arm", "control", "verdict",
                "pvalue_adjusted", "n_to_decide",
            )
        }  # fmt: skip
        found = self.effect.as_dict()
        kept = {f"nominal_{k}" if k in ("ci_lower", "ci_upper", "pvalue") else k: v
                for k, v in found.items() if k not in ("control", "treatment")}  # fmt: skip
        return {
            **own,
            "value_control": self.effect.control,
            "value_treatment": self.effect.treatment,
            **kept,
            "ci_lower": self.ci_lower,
            "ci_upper": self.ci_upper,
            "pvalue": self.pvalue,
            "raw_difference": self.raw.difference,
            "raw_standard_error": self.raw.standard_error,
            "variance_reduction": variance_reduction(self),
            "margin": None if self.margin is None else self.margin.margin,
            "margin_holds": None if self.margin is None else self.margin.holds,
            "chance_to_win": None if self.posterior is None else self.posterior.chance_to_win,
            "corrected_difference": None if self.corrected is None else self.corrected.estimate,
            "log_rank_pvalue": None if self.log_rank is None else self.log_rank.pvalue,
            "note": self.note,
        }


class LevelEffect(NamedTuple):
    """The effect in one level of a segment.

    Attributes
    ----------
    level
        Which.
    effect
        The effect there; None without enough units.
    pvalue_adjusted
        Of no effect there, corrected over all levels of all segments, metrics and arms.
    """

    level: str
    effect: Effect | None
    pvalue_adjusted: float


@dataclass(frozen=True, slots=True)
class SegmentEffects:
    """How the effect of one arm on one metric differs between the levels of a segment.

    Parameters
    ----------
    metric, arm, segment
        Of what.
    levels
        The effect in each level.
    heterogeneity
        Test of equal effects; None with fewer than two levels to compare.
    pvalue_adjusted
        Of equal effects, corrected over all such tests of the analysis.
    differs
        Whether effects differ at the design's error rate.
    """

    metric: str
    arm: str
    segment: str
    levels: tuple[LevelEffect, ...]
    heterogeneity: Heterogeneity | None
    pvalue_adjusted: float
    differs: bool


class ArmDecision(NamedTuple):
    """What the experiment says about one treatment.

    Attributes
    ----------
    arm
        The treatment.
    decision
        "promote", "reject" or "cannot decide".
    reasons
        Why.
    """

    arm: str
    decision: Literal["promote", "reject", "cannot decide"]
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Analysis:
    """The analysis of one experiment at one moment.

    Parameters
    ----------
    design, sha256, registered
        The design, its hash, and whether it is the one that was registered.
    as_of
        Moment of the analysis, UTC.
    n_units
        Units of each arm that count.
    ratio
        The sample-ratio check.
    effects
        Every metric × treatment.
    segments
        Every metric × treatment × segment.
    decisions
        One a treatment.
    findings
        What a reader should know, what blocks a decision first.
    """

    design: Design
    sha256: str
    registered: bool
    as_of: datetime
    n_units: Mapping[str, int]
    ratio: RatioCheck
    effects: tuple[ArmEffect, ...]
    segments: tuple[SegmentEffects, ...]
    decisions: tuple[ArmDecision, ...]
    findings: tuple[Finding, ...]

    def effect(self, metric: str, arm: str | None = None) -> ArmEffect:
        """Return one comparison.

        Parameters
        ----------
        metric
            Name of the metric.
        arm
            The treatment; may be left out when there is one.

        Raises
        ------
        KeyError
            If there is no such comparison, or more than one arm to choose from.
        """
        found = [e for e in self.effects if e.metric == metric and arm in (None, e.arm)]
        if len(found) != 1:
            known = ", ".join(f"{e.metric} × {e.arm}" for e in self.effects)
            raise KeyError(f"{len(found)} comparisons of {metric!r} and {arm!r}; there are {known}")
        return found[0]

    @property
    def blocked(self) -> bool:
        """Whether a finding takes every decision away."""
        return any(f.severity == "blocks" for f in self.findings)

    def to_frame(self) -> "pd.DataFrame":
        """One row a comparison."""
        import pandas as pd

        return pd.DataFrame([e.as_dict() for e in self.effects])

    def segments_frame(self) -> "pd.DataFrame":
        """One row a comparison in one level of a segment."""
        import pandas as pd

        rows = [
            {
                "metric": s.metric, "arm": s.arm, "segment": s.segment, "level": found.level,
                **({} if found.effect is None else found.effect.as_dict()),
                "pvalue_adjusted": found.pvalue_adjusted,
                "heterogeneity_pvalue_adjusted": s.pvalue_adjusted, "differs": s.differs,
            }
            for s in self.segments
            for found in s.levels
        ]  # fmt: skip
        return pd.DataFrame(rows)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values, for JSON and for MLflow."""
        return {
            "experiment": self.design.name,
            "sha256": self.sha256,
            "registered": self.registered,
            "as_of": self.as_of.isoformat(),
            "n_units": dict(self.n_units),
            "sample_ratio_pvalue": self.ratio.test.pvalue,
            "sample_ratio_alarm": self.ratio.alarm,
            "effects": [e.as_dict() for e in self.effects],
            "decisions": [d._asdict() for d in self.decisions],
            "findings": [
                {"code": f.code, "severity": f.severity, "what": f.what, "fix": f.fix}
                for f in self.findings
            ],
        }

    def to_json(self) -> str:
        """`to_dict` as strict JSON: bounds that do not exist are null."""
        return to_json(self.to_dict())

    def to_markdown(self) -> str:
        """The analysis as text and tables."""
        return analysis_markdown(self)

    def _repr_html_(self) -> str:
        return analysis_html(self)


def variance_reduction(found: ArmEffect) -> float:
    """Share of the variance that the adjustment took away; 0 without one."""
    before = found.raw.standard_error
    if not before > 0 or math.isnan(found.effect.standard_error):
        return 0.0
    return 1.0 - (found.effect.standard_error / before) ** 2
