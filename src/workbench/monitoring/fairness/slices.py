"""Gaps between slices of a test set: figures, error rates and base rates, with joint intervals."""

import html
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from workbench.errors import EvaluationError
from workbench.evaluation import Evaluation
from workbench.evaluation.records import SLICE_PREFIX
from workbench.evaluation.scores import score_table
from workbench.scorers import EXAMPLE_SCORES, STATISTICS
from workbench.stats import resample_weights

__all__ = ["RATES", "SliceGap", "SliceGaps", "slice_gaps"]

RATES = ("base_rate", "selection_rate", "true_positive_rate", "false_positive_rate")
"""Rates reported beside any metric; the last two are those of equalised odds (Hardt 2016)."""
_LEAST_ROWS, _LEAST_CLASS = 50, 10
_MOST_UNDEFINED = 0.05


@dataclass(frozen=True, slots=True)
class SliceGap:
    """One figure of one slice, and how far it lies from the reference slice.

    Parameters
    ----------
    value
        Of the slice.
    figure
        Name of the metric or rate.
    estimate
        In this slice.
    gap, ci_lower, ci_upper
        Minus the reference's, with an interval that holds for all slices of the figure together;
        infinite bounds where the slice is too small. 0 of the reference itself.
    differs
        Whether that interval excludes 0.
    n, n_positive
        Rows and positives.
    warning
        Why the gap cannot be judged; empty where it can.
    """

    value: str
    figure: str
    estimate: float
    gap: float
    ci_lower: float
    ci_upper: float
    differs: bool
    n: int
    n_positive: int
    warning: str


@dataclass(frozen=True)
class SliceGaps:
    """Every slice against the largest.

    Parameters
    ----------
    gaps
        One a slice and figure.
    slice, arm, reference
        Which slices, of whose scores, and against which.
    metric
        The metric asked for.
    threshold
        Of decisions.
    confidence_level
        With which all intervals of one figure cover together.
    n_resamples, n_groups
        Of the bootstrap over groups; None where rows are independent.
    simulated
        Whether the arm's answers were.
    """

    gaps: tuple[SliceGap, ...]
    slice: str
    arm: str
    reference: str
    metric: str
    threshold: float
    confidence_level: float
    n_resamples: int
    n_groups: int | None
    simulated: bool

    @property
    def differing(self) -> tuple[SliceGap, ...]:
        """Gaps that are not chance."""
        return tuple(g for g in self.gaps if g.differs)

    def to_frame(self) -> pd.DataFrame:
        """One row a slice and figure."""
        return pd.DataFrame([asdict(gap) for gap in self.gaps]).assign(
            slice=self.slice, arm=self.arm, reference=self.reference
        )

    def _repr_html_(self) -> str:
        figures = list(dict.fromkeys(g.figure for g in self.gaps))
        values = list(dict.fromkeys(g.value for g in self.gaps))
        by = {(g.value, g.figure): g for g in self.gaps}
        head = "".join(f"<th>{html.escape(f.replace('_', ' '))}</th>" for f in figures)
        rows = ""
        for value in values:
            first = by[value, figures[0]]
            cells = ""
            for figure in figures:
                g = by[value, figure]
                colour = "background:rgba(194,65,12,.25)" if g.differs else ""
                span = "" if value == self.reference else (
                    f"<br><small>{g.gap:+.3f} [{g.ci_lower:+.3f}, {g.ci_upper:+.3f}]</small>"
                )  # fmt: skip
                cells += f"<td style='{colour}'>{g.estimate:.3f}{span}</td>"
            note = f"<br><small>{html.escape(first.warning)}</small>" if first.warning else ""
            rows += (
                f"<tr><th style='text-align:left'>{html.escape(value)}{note}</th>"
                f"<td>{first.n:,} ({first.n_positive:,})</td>{cells}</tr>"
            )
        name = f"sim:{self.arm}" if self.simulated else self.arm
        return (
            f"<p><b>{html.escape(self.slice)}</b> · {html.escape(name)} · gaps to "
            f"{html.escape(self.reference)}, decisions at {self.threshold:g}, intervals of "
            f"{self.confidence_level:.0%} over all slices of a figure. Where base rates differ, no "
            "score but a perfect one can have equal error rates and be calibrated in each slice."
            f"</p><table><thead><tr><th></th><th>Rows (positive)</th>{head}</tr></thead>"
            f"<tbody>{rows}</tbody></table>"
        )


def slice_gaps(
    evaluation: Evaluation,
    metric: str,
    by: str,
    *,
    arm: str,
    reference: str | None = None,
    threshold: float = 0.5,
    n_resamples: int = 1000,
    confidence_level: float = 0.95,
) -> SliceGaps:
    """Compare slices of a test set by a metric, by error rates and by base rate.

    Differences are studentised by their bootstrap spread and judged by the largest over slices
    (max T), so that the intervals of one figure hold together. Whole groups are resampled.

    Parameters
    ----------
    evaluation
        The evaluation; slices are those of the data set's card.
    metric
        Of the probabilities, such as "roc_auc", "log_loss" or "ece".
    by
        Which column of slices.
    arm
        Whose scores.
    reference
        Slice to compare with; the largest when omitted.
    threshold
        Score from which a decision is positive.
    n_resamples
        Of the bootstrap.
    confidence_level
        Of all intervals of a figure together.

    Returns
    -------
    SliceGaps

    Raises
    ------
    EvaluationError
        When there is no such arm, slice, metric or reference, or only one slice.

    References
    ----------
    Hardt, Price & Srebro (2016), arXiv:1610.02413; Chouldechova (2017), Big Data 5:153-163, on
    base rates that differ; max T: Romano & Wolf (2005), JASA 100:94-108.
    """
    known = evaluation.arm(arm)
    column = f"{SLICE_PREFIX}{by}"
    if column not in evaluation.records:
        offered = [c.removeprefix(SLICE_PREFIX) for c in evaluation.records if SLICE_PREFIX in c]
        raise EvaluationError(
            f"no slices {by!r}", expected=f"one of {', '.join(offered)}", fix="name one of them"
        )
    if metric not in EXAMPLE_SCORES and metric not in STATISTICS:
        raise EvaluationError(
            f"{metric!r} is no metric of the probabilities",
            expected=f"one of {', '.join([*STATISTICS, *EXAMPLE_SCORES])}", fix="name one of them",
        )  # fmt: skip
    rows = evaluation.records[evaluation.records["arm"] == arm]
    rows = rows.sort_values(["repeat", "example_id"], kind="stable")
    table = score_table(rows, [arm], n_resamples=n_resamples, random_state=0)
    values = rows[column].astype(str).to_numpy()
    sizes = pd.Series(values).value_counts()
    against = str(sizes.index[0]) if reference is None else reference
    if against not in sizes.index or len(sizes) < 2:
        raise EvaluationError(
            f"{against!r} cannot be the reference among {len(sizes)} slices of {by!r}",
            expected="two slices or more, and one of them", fix="name another slice",
        )  # fmt: skip
    names = [against, *(str(v) for v in sizes.index if v != against)]
    masks = [values == name for name in names]
    y, p = table.y, table.proba[arm]
    figures = _figures(y, p, metric, threshold)
    ones = np.ones((1, len(y)), dtype=np.int32)
    points = {f: _sliced(make, masks, ones) for f, make in figures.items()}
    drawn = list(
        resample_weights(len(y), n_resamples, groups=table.groups,
                         random_state=evaluation.info.random_state)
    )  # fmt: skip
    trials = {"true_positive_rate": y == 1, "false_positive_rate": y == 0}
    gaps = []
    for figure, make in figures.items():
        replicates = np.vstack([_sliced(make, masks, weights) for weights in drawn])
        floor = np.zeros(len(masks))
        if figure in RATES:
            among = trials.get(figure, np.ones(len(y), dtype=bool))
            floor = _floor(points[figure][0], np.array([(among & m).sum() for m in masks]))
        gaps += _gaps(
            figure, names, masks, y, points[figure][0], floor, replicates, confidence_level
        )
    n_groups = None if table.groups is None else len(np.unique(table.groups))
    return SliceGaps(
        tuple(gaps), by, arm, against, metric, threshold, confidence_level, n_resamples,
        n_groups, known.simulated,
    )  # fmt: skip


Sliced = Callable[[NDArray[np.bool_], NDArray[Any]], NDArray[np.float64]]


def _figures(
    y: NDArray[np.int8], p: NDArray[np.float64], metric: str, threshold: float
) -> dict[str, Sliced]:
    called = (p >= threshold).astype(np.float64)
    everyone, positive = np.ones(len(y)), y.astype(np.float64)

    def mean(of: NDArray[np.float64], among: NDArray[np.float64]) -> Sliced:
        def figure(mask: NDArray[np.bool_], weights: NDArray[Any]) -> NDArray[np.float64]:
            total = weights @ among[mask]
            out = np.full(len(weights), np.nan)
            np.divide(weights @ (of * among)[mask], total, out=out, where=total > 0)
            return out

        return figure

    if metric in EXAMPLE_SCORES:
        chosen = mean(EXAMPLE_SCORES[metric](y, p), everyone)
    else:

        def chosen(mask: NDArray[np.bool_], weights: NDArray[Any]) -> NDArray[np.float64]:
            if y[mask].min() == y[mask].max():
                return np.full(len(weights), np.nan)
            return STATISTICS[metric](y[mask], p[mask])(weights)

    rates = (
        mean(positive, everyone), mean(called, everyone), mean(called, positive),
        mean(called, 1 - positive),
    )  # fmt: skip
    return {metric: chosen, **dict(zip(RATES, rates, strict=True))}


def _sliced(
    make: Sliced, masks: list[NDArray[np.bool_]], weights: NDArray[Any]
) -> NDArray[np.float64]:
    return np.column_stack([make(mask, weights[:, mask]) for mask in masks])


def _gaps(
    figure: str,
    names: list[str],
    masks: list[NDArray[np.bool_]],
    y: NDArray[np.int8],
    points: NDArray[np.float64],
    floor: NDArray[np.float64],
    replicates: NDArray[np.float64],
    confidence_level: float,
) -> list[SliceGap]:
    counts = [(int(m.sum()), int(y[m].sum())) for m in masks]
    warnings = [_warning(n, k) for n, k in counts]
    moved = replicates[:, 1:] - replicates[:, :1]
    point = points[1:] - points[0]
    undefined = np.isnan(moved).mean(axis=0)
    judged = np.array([not warnings[0] and not w for w in warnings[1:]])
    judged &= (undefined <= _MOST_UNDEFINED) & np.isfinite(point)
    spread = np.full(len(point), np.nan)
    reach = math.nan
    if judged.any():
        spread[judged] = np.nanstd(moved[:, judged], axis=0, ddof=1)
        apart = np.abs(moved[:, judged] - point[judged])
        scaled = np.where(spread[judged] > 0, apart / np.maximum(spread[judged], 1e-300), 0.0)
        reach = float(np.quantile(np.nanmax(scaled, axis=1), confidence_level))
        spread = np.maximum(spread, np.hypot(floor[1:], floor[0]))
    made = [
        SliceGap(names[0], figure, float(points[0]), 0.0, 0.0, 0.0, False, *counts[0], warnings[0])
    ]
    for at, name in enumerate(names[1:]):
        half = reach * spread[at] if judged[at] else math.inf
        low, high = float(point[at] - half), float(point[at] + half)
        if not judged[at]:
            low, high = -math.inf, math.inf
        warning = warnings[at + 1]
        if not judged[at] and not warning:
            warning = "the reference slice is too small" if warnings[0] else "not defined here"
        made.append(
            SliceGap(
                name, figure, float(points[at + 1]), float(point[at]), low, high,
                bool(judged[at] and (low > 0 or high < 0)), *counts[at + 1], warning,
            )
        )  # fmt: skip
    return made


def _floor(rates: NDArray[np.float64], trials: NDArray[np.int_]) -> NDArray[np.float64]:
    """Least standard error of a rate: a bootstrap of 0 of 60 has none, and would be sure.

    Two successes and two failures are added: Agresti & Coull (1998), The American Statistician
    52:119-126.
    """
    share = (np.nan_to_num(rates) * trials + 2) / (trials + 4)
    return np.asarray(np.sqrt(share * (1 - share) / (trials + 4)))


def _warning(n: int, n_positive: int) -> str:
    if n < _LEAST_ROWS:
        return f"{n} rows: too few, {_LEAST_ROWS} are needed"
    rarer = min(n_positive, n - n_positive)
    if rarer < _LEAST_CLASS:
        return f"{rarer} of the rarer class: too few, {_LEAST_CLASS} are needed"
    return ""
