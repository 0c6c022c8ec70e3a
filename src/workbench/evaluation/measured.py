"""Answers of any kind measured side by side: every figure with an interval, every gain paired."""

import html
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from workbench.errors import EvaluationError
from workbench.evaluation.scores import bootstrapped_difference, resamples_needed
from workbench.scorers import Metric
from workbench.stats import (
    Difference,
    Estimate,
    Statistic,
    adjust_pvalues,
    percentile_interval,
    resample_weights,
    simultaneous_confidence_level,
)

__all__ = ["Figure", "Measured", "measure"]


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of merit and how it is computed.

    Parameters
    ----------
    metric
        Its name, meaning and direction.
    statistic
        Maps an arm's answers to a function of resampling weights, see `workbench.stats.Statistic`.
    """

    metric: Metric
    statistic: Callable[[Any], Statistic]


@dataclass(frozen=True)
class Measured:
    """Figures of several arms on the same examples.

    Parameters
    ----------
    baseline
        The arm the others are compared with.
    metrics
        What was measured, in order.
    estimates
        By arm and metric.
    differences
        Arm minus baseline by arm and metric; intervals are simultaneous over the arms (Bonferroni),
        p-values Holm's.
    labels
        How people read an arm's name.
    """

    baseline: str
    metrics: tuple[Metric, ...]
    estimates: Mapping[tuple[str, str], Estimate]
    differences: Mapping[tuple[str, str], Difference]
    labels: Mapping[str, str]

    def to_frame(self) -> pd.DataFrame:
        """One row an arm and metric: estimate, interval, and the gain over the baseline."""
        rows = []
        for (arm, name), found in self.estimates.items():
            gain = self.differences.get((arm, name))
            rows.append(
                {
                    "arm": self.labels[arm],
                    "metric": name,
                    **found.as_dict(),
                    "difference": np.nan if gain is None else gain.difference,
                    "difference_lower": np.nan if gain is None else gain.ci_lower,
                    "difference_upper": np.nan if gain is None else gain.ci_upper,
                    "pvalue": np.nan if gain is None else gain.pvalue,
                }
            )
        return pd.DataFrame(rows)

    def cell(self, arm: str, metric: Metric) -> str:
        """Write one figure with its interval."""
        found = self.estimates[arm, metric.name]
        low, high = metric.format(found.ci_lower), metric.format(found.ci_upper)
        return f"{metric.format(found.estimate)} [{low}, {high}]"

    def _repr_html_(self) -> str:
        arms = list(self.labels)
        head = "".join(f"<th>{html.escape(m.title)}</th>" for m in self.metrics)
        body = ""
        for arm in arms:
            cells = []
            for m in self.metrics:
                gain = self.differences.get((arm, m.name))
                told = ""
                if gain is not None:
                    told = f"<br><small>{m.format(gain.difference, signed=True)} "
                    low, high = (
                        m.format(bound, signed=True) for bound in (gain.ci_lower, gain.ci_upper)
                    )
                    told += f"[{low}, {high}]</small>"
                cells.append(f"<td>{html.escape(self.cell(arm, m))}{told}</td>")
            body += f"<tr><th style='text-align:left'>{html.escape(self.labels[arm])}</th>"
            body += "".join(cells) + "</tr>"
        n = next(iter(self.estimates.values())).n
        return (
            f"<table><thead><tr><th></th>{head}</tr></thead><tbody>{body}</tbody></table>"
            f"<p><small>{n:,} examples; below each figure its paired difference from "
            f"{html.escape(self.labels[self.baseline])}, intervals simultaneous.</small></p>"
        )


def measure(
    answers: Mapping[str, Any],
    figures: Sequence[Figure],
    *,
    n: int,
    baseline: str | None = None,
    groups: ArrayLike | None = None,
    simulated: Sequence[str] = (),
    n_resamples: int = 1000,
    confidence_level: float = 0.95,
    random_state: int = 0,
) -> Measured:
    """Measure what several arms answered for the same examples.

    Parameters
    ----------
    answers
        By arm; whatever the figures' statistics read.
    figures
        What is measured.
    n
        Examples.
    baseline
        Arm the others are compared with; the first by default.
    groups : array-like of shape (n,), optional
        Examples that are not independent; whole groups are resampled.
    simulated
        Arms whose answers are simulated; they are called ``sim:``.
    n_resamples
        Of the bootstrap, shared by arms and figures so that differences are paired.
    confidence_level
        Of intervals.
    random_state
        Seed.

    Returns
    -------
    Measured

    Raises
    ------
    EvaluationError
        When there are no arms or figures, the baseline is none of the arms, or the resamples are
        too few for the interval.

    Examples
    --------
    >>> from workbench.stats import mean_statistic
    >>> right = Figure(Metric("right", "Right", True, "share answered right", "%"), mean_statistic)
    >>> found = measure({"a": [1, 0, 1, 0], "b": [1, 1, 1, 0]}, [right], n=4)
    >>> found.differences["b", "right"].difference
    0.25
    """
    names = list(answers)
    if not names or not figures or (baseline is not None and baseline not in answers):
        raise EvaluationError(
            f"{len(names)} arms, {len(figures)} figures and the baseline {baseline!r}",
            expected="at least one of each, and a baseline that is one of the arms",
            fix="name what is to be measured",
        )
    unknown = sorted(set(simulated) - set(names))
    if unknown:
        raise EvaluationError(
            f"simulated names {unknown}, which are no arms",
            expected=f"some of {names}",
            fix="correct the names: a simulated arm must be marked",
        )
    needed = max(100, resamples_needed(len(names), confidence_level))
    if n_resamples < needed:
        raise EvaluationError(
            f"n_resamples is {n_resamples}", expected=f"{needed} or more", fix="raise it"
        )
    against = baseline or names[0]
    statistics = {(arm, f.metric.name): f.statistic(answers[arm]) for f in figures for arm in names}
    points = {key: float(make(np.ones((1, n)))[0]) for key, make in statistics.items()}
    drawn = _replicates(statistics, n, groups, n_resamples, random_state)
    n_groups = None if groups is None else len(np.unique(np.asarray(groups)))
    estimates = {
        key: _bounded(points[key], drawn[key], confidence_level, n, n_groups) for key in statistics
    }
    level = simultaneous_confidence_level(confidence_level, max(1, len(names) - 1))
    differences: dict[tuple[str, str], Difference] = {}
    for figure in figures:
        name = figure.metric.name
        found = {
            arm: _difference(
                points[arm, name] - points[against, name],
                drawn[arm, name] - drawn[against, name],
                level,
                n,
                n_groups,
            )
            for arm in names
            if arm != against
        }
        holm = adjust_pvalues([d.pvalue for d in found.values()]).tolist() if found else []
        for (arm, difference), p in zip(found.items(), holm, strict=True):
            differences[arm, name] = difference._replace(pvalue=float(p))
    return Measured(
        baseline=against,
        metrics=tuple(f.metric for f in figures),
        estimates=estimates,
        differences=differences,
        labels={arm: f"sim:{arm}" if arm in simulated else arm for arm in names},
    )


def _bounded(
    point: float, drawn: NDArray[np.float64], level: float, n: int, n_groups: int | None
) -> Estimate:
    """Interval of a figure; without bounds where resamples often leave it undefined."""
    try:
        return percentile_interval(point, drawn, confidence_level=level, n=n, n_groups=n_groups)
    except ValueError:
        inf, nan = float("inf"), float("nan")
        return Estimate(point, -inf, inf, nan, n, n_groups, level, "undefined on many resamples")


def _difference(
    point: float, drawn: NDArray[np.float64], level: float, n: int, n_groups: int | None
) -> Difference:
    try:
        return bootstrapped_difference(point, drawn, confidence_level=level, n=n, n_groups=n_groups)
    except ValueError:
        inf, nan = float("inf"), float("nan")
        told = "undefined on many resamples"
        return Difference(point, -inf, inf, nan, nan, 1.0, n, n_groups, level, told)


def _replicates(
    statistics: Mapping[tuple[str, str], Statistic],
    n: int,
    groups: ArrayLike | None,
    n_resamples: int,
    random_state: int,
) -> dict[tuple[str, str], NDArray[np.float64]]:
    parts: dict[tuple[str, str], list[NDArray[np.float64]]] = {key: [] for key in statistics}
    for weights in resample_weights(n, n_resamples, groups=groups, random_state=random_state):
        for key, statistic in statistics.items():
            parts[key].append(statistic(weights))
    return {key: np.concatenate(values) for key, values in parts.items()}
