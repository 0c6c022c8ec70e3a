"""Paired differences of arms against a baseline, and what they say."""

import html
import math
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from workbench.evaluation.scores import ScoreTable
from workbench.scorers import metric
from workbench.stats import (
    Difference,
    adjust_pvalues,
    minimum_detectable_difference,
)

__all__ = ["ArmDifference", "Comparison", "compare_arms", "comparison_of"]


@dataclass(frozen=True, slots=True)
class ArmDifference:
    """One arm against the baseline.

    Parameters
    ----------
    arm
        The arm.
    difference
        Arm minus baseline; its interval is simultaneous over all arms compared.
    pvalue_adjusted
        Holm's, over the arms compared.
    minimum_detectable
        Difference this test set would show with 80 % power.
    """

    arm: str
    difference: Difference
    pvalue_adjusted: float
    minimum_detectable: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """All arms against one baseline by one metric.

    Parameters
    ----------
    metric
        Name of the metric.
    baseline
        The arm compared with.
    confidence_level
        Of all intervals together.
    arms
        The differences, in the order of the arms.
    labels
        How each arm is called in sentences.
    """

    metric: str
    baseline: str
    confidence_level: float
    arms: tuple[ArmDifference, ...]
    labels: Mapping[str, str]

    def __getitem__(self, arm: str) -> ArmDifference:
        """Difference of one arm; KeyError when it was not compared."""
        for found in self.arms:
            if found.arm == arm:
                return found
        raise KeyError(arm)

    def sentence(self, arm: str) -> str:
        """Say what the difference means, for a reader who is no statistician."""
        found, how = self[arm], metric(self.metric)
        label, base = self.labels.get(arm, arm), self.labels.get(self.baseline, self.baseline)
        d = found.difference
        value = how.format(d.difference, signed=True)
        span = f"{how.format(d.ci_lower, signed=True)} to {how.format(d.ci_upper, signed=True)}"
        gain = d.difference if how.higher_is_better else -d.difference
        detectable = found.minimum_detectable
        low = d.ci_lower if how.higher_is_better else -d.ci_upper
        high = d.ci_upper if how.higher_is_better else -d.ci_lower
        if low > 0:
            verdict = f"{label} is better than {base}"
        elif high < 0:
            verdict = f"{label} is worse than {base}"
        else:
            lean = "better" if gain > 0 else "worse"
            would = f"; this test set would show a difference of {how.format(detectable)}"
            verdict = (
                f"{label} looks {lean} than {base}, but the data cannot tell"
                f"{would if math.isfinite(detectable) else ''}"
                if gain
                else f"{label} and {base} do not differ"
            )
            if math.isnan(gain):
                verdict = f"{label} and {base} cannot be compared"
        return f"{verdict} ({how.title} {value}, plausible {span}, n = {d.n:,})."

    def to_frame(self) -> pd.DataFrame:
        """One row an arm."""
        return pd.DataFrame(
            [
                {
                    "arm": a.arm,
                    "baseline": self.baseline,
                    "metric": self.metric,
                    **a.difference.as_dict(),
                    "pvalue_adjusted": a.pvalue_adjusted,
                    "minimum_detectable": a.minimum_detectable,
                }
                for a in self.arms
            ]
        )

    def to_markdown(self) -> str:
        """One line an arm."""
        return "\n".join(f"- {self.sentence(a.arm)}" for a in self.arms)

    def _repr_html_(self) -> str:
        items = "".join(f"<li>{html.escape(self.sentence(a.arm))}</li>" for a in self.arms)
        return (
            f"<p>Paired difference from <b>{html.escape(self.baseline)}</b> on the same examples; "
            f"intervals hold together at {self.confidence_level:.0%} (Bonferroni)</p>"
            f"<ul>{items}</ul>"
        )


def compare_arms(
    scores: ScoreTable,
    baseline: str,
    name: str,
    confidence_level: float,
    labels: Mapping[str, str],
) -> Comparison:
    """Compare every arm with the baseline.

    Intervals are simultaneous (Bonferroni over the arms), p-values are Holm's.

    Parameters
    ----------
    scores
        Probabilities of the arms on the same rows.
    baseline
        The arm compared with.
    name
        Metric of the probabilities.
    confidence_level
        Of all intervals together.
    labels
        How each arm is called in sentences.
    """
    found = scores.differences(baseline, name, confidence_level)
    return comparison_of(found, baseline, name, confidence_level, labels)


def comparison_of(
    differences: Mapping[str, Difference],
    baseline: str,
    name: str,
    confidence_level: float,
    labels: Mapping[str, str],
) -> Comparison:
    """Make a comparison of paired differences; p-values become Holm's.

    Parameters
    ----------
    differences
        Arm minus baseline, by arm; intervals simultaneous.
    baseline, name, confidence_level, labels
        As for `compare_arms`.
    """
    pvalues = [d.pvalue for d in differences.values()]
    adjusted = adjust_pvalues(pvalues).tolist() if pvalues else []
    return Comparison(
        metric=name,
        baseline=baseline,
        confidence_level=confidence_level,
        arms=tuple(
            ArmDifference(
                arm=arm,
                difference=d,
                pvalue_adjusted=float(p),
                minimum_detectable=_detectable(d),
            )
            for (arm, d), p in zip(differences.items(), adjusted, strict=True)
        ),
        labels=dict(labels),
    )


def _detectable(d: Difference) -> float:
    if not math.isfinite(d.standard_error):
        return math.nan
    return minimum_detectable_difference(d.standard_error, alpha=1 - d.confidence_level)
