"""Slices of the test texts in which an arm is worse than on the rest."""

import html
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from workbench.evaluation.readings.evaluation import ReadingEvaluation
from workbench.evaluation.readings.example_texts import arm_answers, field_of
from workbench.evaluation.readings.figures import check_metrics
from workbench.evaluation.records import SLICE_PREFIX
from workbench.evaluation.scores import bootstrapped_difference, resamples_needed
from workbench.scorers import READING_SCORES, metric
from workbench.stats import (
    Statistic,
    adjust_pvalues,
    mean_statistic,
    resample_weights,
    simultaneous_confidence_level,
)

__all__ = ["SliceGaps", "weak_slices"]

_MIN_ROWS = 20
_MIN_RESAMPLES = 1000


@dataclass(frozen=True, eq=False)
class SliceGaps:
    """How much worse or better an arm is on each slice than on the rest, the worst first.

    Parameters
    ----------
    arm
        How people read its name.
    figure
        What is compared, in words.
    frame : DataFrame
        Columns slice, value, n, estimate (in the slice), rest, difference, ci_lower, ci_upper
        (simultaneous over the slices), pvalue (Holm's).
    confidence_level
        Of all intervals together.
    unit
        Of the figure: "%" or "".
    higher_is_better
        Direction of the figure.
    """

    arm: str
    figure: str
    frame: pd.DataFrame
    confidence_level: float
    unit: str
    higher_is_better: bool

    @property
    def worse(self) -> pd.DataFrame:
        """The slices where the arm is worse for sure: whole interval on the wrong side of 0."""
        if self.higher_is_better:
            return self.frame[self.frame["ci_upper"] < 0]
        return self.frame[self.frame["ci_lower"] > 0]

    def to_frame(self) -> pd.DataFrame:
        """One row a slice, the worst first."""
        return self.frame.copy()

    def _write(self, value: float, *, signed: bool = False) -> str:
        scaled, digits = (100 * value, 1) if self.unit == "%" else (value, 3)
        return f"{scaled:{'+' if signed else ''}.{digits}f}".replace("-", "−")

    def _repr_html_(self) -> str:
        if not len(self.frame):
            return f"<p>No slice has {_MIN_ROWS} texts inside and outside.</p>"
        rows = ""
        for row in self.frame.itertuples():
            mark = "<b>worse</b>" if row.Index in self.worse.index else ""
            low, high = (self._write(v, signed=True) for v in (row.ci_lower, row.ci_upper))
            rows += (
                f"<tr><th scope='row'>{html.escape(str(row.slice))}: {html.escape(str(row.value))}"
                f"</th><td>{row.n:,}</td><td>{self._write(row.estimate)}</td>"
                f"<td>{self._write(row.rest)}</td><td>{self._write(row.difference, signed=True)}"
                f"<br><small>[{low}, {high}]</small></td><td>{row.pvalue:.2g}</td><td>{mark}</td>"
                "</tr>"
            )
        unit = " (%)" if self.unit == "%" else ""
        head = "".join(
            f"<th>{h}</th>" for h in ("Slice", "n", "In it", "On the rest", "Difference", "p", "")
        )
        return (
            f"<p><b>{html.escape(self.arm)}</b>: {html.escape(self.figure)}{unit}, in each slice "
            f"and on the rest. {len(self.worse)} of {len(self.frame)} are worse for sure.</p>"
            f"<div class='scroll'><table class='wb narrow'><thead><tr>{head}</tr></thead>"
            f"<tbody>{rows}</tbody></table></div><p><small>Intervals hold together at "
            f"{self.confidence_level:.0%}; p-values are Holm's.</small></p>"
        )


def weak_slices(evaluation: ReadingEvaluation, arm: str, name: str | None = None) -> SliceGaps:
    """Find slices on which an arm is worse than on the rest.

    Slices with fewer than 20 answers inside or outside are left out.

    Parameters
    ----------
    evaluation
        The evaluation.
    arm
        One of its arms.
    name
        Metric of a field; by default the share of answers to the primary metric's field that are
        right as a whole. A macro average over labels differs between slices that hold other labels.

    Raises
    ------
    EvaluationError
        When there is no such arm or metric.

    References
    ----------
    Differences are bootstrapped over rows, or whole groups where rows are not independent, and
    corrected for the number of slices by Bonferroni's inequality.
    """
    if name is not None:
        check_metrics([name], evaluation.fields)
    asked = field_of(evaluation, None if name is None else name.rpartition("/")[0])
    given = arm_answers(evaluation, arm, asked)
    how = None if name is None else metric(name)
    statistic = (
        mean_statistic(given.right)
        if name is None
        else READING_SCORES[name.rpartition("/")[2]].make(given.answers)
    )
    inside = {
        (column.removeprefix(SLICE_PREFIX), value): (given.rows[column] == value).to_numpy()
        for column in given.rows.columns
        if column.startswith(SLICE_PREFIX)
        for value in sorted(given.rows[column].dropna().unique())
    }
    inside = {k: m for k, m in inside.items() if min(m.sum(), (~m).sum()) >= _MIN_ROWS}
    frame = _gaps(evaluation, statistic, inside, given.groups, len(given.rows))
    rising = how is None or how.higher_is_better
    return SliceGaps(
        arm=evaluation.arm(arm).label,
        figure=f"share of {asked.name.replace('_', ' ')} right" if how is None else how.title,
        frame=frame.sort_values("difference", ascending=rising, kind="stable", ignore_index=True),
        confidence_level=evaluation.info.confidence_level,
        unit="%" if how is None else how.unit,
        higher_is_better=rising,
    )


def _gaps(
    evaluation: ReadingEvaluation,
    statistic: Statistic,
    inside: dict[tuple[str, str], NDArray[np.bool_]],
    groups: NDArray[np.object_] | None,
    n: int,
) -> pd.DataFrame:
    info, names = evaluation.info, ["slice", "value", "n", "estimate", "rest", "difference"]
    columns = [*names, "ci_lower", "ci_upper", "pvalue"]
    if not inside:
        return pd.DataFrame(columns=columns)
    level = simultaneous_confidence_level(info.confidence_level, len(inside))
    needed = resamples_needed(len(inside) + 1, info.confidence_level)
    n_resamples = max(_MIN_RESAMPLES, needed)
    drawn: dict[tuple[str, str], list[NDArray[np.float64]]] = {key: [] for key in inside}
    for weights in resample_weights(n, n_resamples, groups=groups, random_state=info.random_state):
        for key, mask in inside.items():
            drawn[key].append(statistic(weights * mask) - statistic(weights * ~mask))
    n_groups = None if groups is None else len(set(groups.tolist()))
    rows = []
    for key, mask in inside.items():
        mine, rest = (float(statistic(m[None, :].astype(float))[0]) for m in (mask, ~mask))
        replicates = np.concatenate(drawn[key])
        low = high = p = float("nan")
        if np.isfinite(replicates).mean() >= 0.95:
            found = bootstrapped_difference(
                mine - rest, replicates, n=n, n_groups=n_groups, confidence_level=level
            )
            low, high, p = found.ci_lower, found.ci_upper, found.pvalue
        rows.append((*key, int(mask.sum()), mine, rest, mine - rest, low, high, p))
    frame = pd.DataFrame(rows, columns=columns)
    return frame.assign(pvalue=adjust_pvalues(frame["pvalue"]))
