"""Drift, base rate and calibration block by block of time."""

import html
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
import pandas as pd

from workbench.errors import DataError
from workbench.monitoring.calibration import calibration_fit
from workbench.monitoring.drift import DriftReport, drift
from workbench.monitoring.drift_html import shade, sparkline
from workbench.stats import (
    Estimate,
    mean_interval,
    proportion_interval,
    simultaneous_confidence_level,
)

__all__ = [
    "CalibrationBlock", "CalibrationCourse", "DriftCourse", "Every", "calibration_over_time",
    "drift_over_time",
]  # fmt: skip

Every: TypeAlias = Literal["week", "month", "quarter"]
_FREQUENCIES = {"week": "W", "month": "M", "quarter": "Q"}
_SMALLEST = 20


class CalibrationBlock(NamedTuple):
    """One block of time.

    Attributes
    ----------
    block
        Which, such as "2024-03".
    n
        Rows.
    base_rate
        Share of outcomes that happened.
    mean_score
        Mean probability; None where no score was given.
    intercept, slope
        Calibration in the large and slope; None without a score.
    alarm
        Whether the interval of one of them excludes 0 or 1.
    """

    block: str
    n: int
    base_rate: Estimate
    mean_score: float | None
    intercept: Estimate | None
    slope: Estimate | None
    alarm: bool


@dataclass(frozen=True)
class CalibrationCourse:
    """Base rate and calibration over time; all intervals of one kind hold together.

    Parameters
    ----------
    blocks
        In order.
    confidence_level
        With which every interval of the base rate, or of intercept and slope together, covers.
    too_small
        Blocks left out: fewer than 20 rows or groups.
    """

    blocks: tuple[CalibrationBlock, ...]
    confidence_level: float
    too_small: tuple[str, ...]

    def to_frame(self) -> pd.DataFrame:
        """One row a block."""
        rows = []
        for b in self.blocks:
            row: dict[str, Any] = {"block": b.block, "n": b.n, "mean_score": b.mean_score}
            figures = (("base_rate", b.base_rate), ("intercept", b.intercept), ("slope", b.slope))
            for name, found in figures:
                if found is not None:
                    row |= {
                        name: found.estimate, f"{name}_ci_lower": found.ci_lower,
                        f"{name}_ci_upper": found.ci_upper,
                    }  # fmt: skip
            rows.append(row | {"alarm": b.alarm})
        return pd.DataFrame(rows)

    def _repr_html_(self) -> str:
        def line(title: str, found: Sequence[Estimate | None], level: float | None) -> str:
            known = [f for f in found if f is not None]
            if not known:
                return ""
            outside = [level is not None and not f.ci_lower <= level <= f.ci_upper for f in known]
            drawn = sparkline(
                [f.estimate for f in known], [f.ci_lower for f in known],
                [f.ci_upper for f in known], level=level, flagged=outside,
            )  # fmt: skip
            last = known[-1]
            span = f"{last.estimate:.3f} [{last.ci_lower:.3f}, {last.ci_upper:.3f}]"
            return f"<tr><th>{title}</th><td>{drawn}</td><td>{span}</td></tr>"

        rows = (
            line("Base rate", [b.base_rate for b in self.blocks], None)
            + line("Calibration in the large (0)", [b.intercept for b in self.blocks], 0.0)
            + line("Calibration slope (1)", [b.slope for b in self.blocks], 1.0)
        )
        alarms = [b.block for b in self.blocks if b.alarm]
        told = f"Miscalibrated in {', '.join(alarms)}" if alarms else "No miscalibration shown"
        if all(b.intercept is None for b in self.blocks):
            told = "Base rate over time"
        return (
            f"<p><b>{html.escape(told)}</b> · {len(self.blocks)} blocks, intervals of "
            f"{self.confidence_level:.0%} together</p><table>{rows}</table>"
        )


@dataclass(frozen=True)
class DriftCourse:
    """Each block of time against the reference; the false-alarm rate holds for the whole series.

    Parameters
    ----------
    blocks, reports
        Names and reports, in order.
    alpha
        Chance that anything alarms in any block where nothing changed.
    too_small
        Blocks left out: fewer than 20 rows or groups.
    """

    blocks: tuple[str, ...]
    reports: tuple[DriftReport, ...]
    alpha: float
    too_small: tuple[str, ...]

    @property
    def alarms(self) -> dict[str, tuple[str, ...]]:
        """Columns that alarmed, by block."""
        found = zip(self.blocks, self.reports, strict=True)
        return {b: tuple(c.name for c in r.alarms) for b, r in found if r.alarms}

    def to_frame(self) -> pd.DataFrame:
        """One row a block and column."""
        parts = [
            r.to_frame().assign(block=b) for b, r in zip(self.blocks, self.reports, strict=True)
        ]
        return pd.concat(parts, ignore_index=True)

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{html.escape(b)}</th>" for b in self.blocks)
        names = [c.name for c in self.reports[0].columns]
        found = {n: [r[n] for r in self.reports] for n in names}
        names.sort(key=lambda n: -max(c.value / max(c.threshold, 1e-12) for c in found[n]))
        rows = ""
        for name in names[:40]:
            cells = ""
            for c in found[name]:
                colour = shade(c.value / c.threshold if c.threshold > 0 else 0.0)
                cells += f"<td style='background:{colour}'>{'!' if c.alarm else ''}</td>"
            rows += f"<tr><th style='text-align:left'>{html.escape(name)}</th>{cells}</tr>"
        n = len(self.alarms)
        told = f"Drift in {n} of {len(self.blocks)} blocks" if n else "No drift shown"
        return (
            f"<p><b>{told}</b> · chance of any false alarm in all blocks {self.alpha:.1%}; "
            "shade is statistic over threshold, ! an alarm</p><table><thead><tr><th></th>"
            f"{head}</tr></thead><tbody>{rows}</tbody></table>"
        )


def drift_over_time(
    frame: pd.DataFrame,
    as_of: str,
    reference: pd.DataFrame,
    *,
    every: Every = "month",
    alpha: float = 0.05,
    groups: str | None = None,
    **options: Any,
) -> DriftCourse:
    """Hold each block of time against one reference.

    Parameters
    ----------
    frame : DataFrame
        Rows to watch.
    as_of
        Column of their time.
    reference : DataFrame
        Rows of the time before, such as the training rows.
    every
        Length of a block.
    alpha
        Chance of any false alarm in the whole series; each block gets an equal part.
    groups
        Column of what belongs together.
    **options
        Further arguments of `drift`. Permutations are raised to what the blocks need.

    Returns
    -------
    DriftCourse

    Raises
    ------
    DataError
        When a time is missing, no block has 20 rows or groups, or as `drift`.
    """
    blocks, too_small = _blocks(frame, as_of, every, groups)
    part = alpha / len(blocks)
    wanted = int(options.pop("n_permutations", 499))
    n_permutations = max(wanted, int(np.ceil(2 / part)))
    kept = reference.drop(columns=as_of, errors="ignore")
    reports = [
        drift(
            kept, rows.drop(columns=as_of), alpha=part, groups=groups,
            n_permutations=n_permutations, **options,
        )
        for _, rows in blocks
    ]  # fmt: skip
    return DriftCourse(tuple(b for b, _ in blocks), tuple(reports), alpha, too_small)


def calibration_over_time(
    frame: pd.DataFrame,
    as_of: str,
    *,
    label: str,
    score: str | None = None,
    every: Every = "month",
    groups: str | None = None,
    confidence_level: float = 0.95,
) -> CalibrationCourse:
    """Follow the base rate and, with a score, its calibration over time.

    Parameters
    ----------
    frame : DataFrame
        Rows whose outcome is known.
    as_of
        Column of their time.
    label, score
        Columns of outcomes (0 or 1) and probabilities.
    every
        Length of a block.
    groups
        Column of what belongs together.
    confidence_level
        With which all intervals of a kind cover together, over the blocks.

    Returns
    -------
    CalibrationCourse

    Raises
    ------
    DataError
        When a column or time is missing, no block has 20 rows or groups, or as `calibration_fit`.
    """
    absent = [name for name in (label, score, groups) if name is not None and name not in frame]
    if absent:
        raise DataError(
            f"there is no column {absent[0]!r}",
            expected=f"one of {', '.join(map(str, frame.columns))}", fix="name another column",
        )  # fmt: skip
    blocks, too_small = _blocks(frame, as_of, every, groups)
    level = simultaneous_confidence_level(confidence_level, len(blocks))
    both = simultaneous_confidence_level(confidence_level, 2 * len(blocks))
    made = []
    for name, rows in blocks:
        y = rows[label].to_numpy(dtype=np.float64)
        units = None if groups is None else rows[groups].to_numpy()
        if units is None:
            rate = proportion_interval(int(y.sum()), len(y), confidence_level=level)
        else:
            rate = mean_interval(y, groups=units, confidence_level=level)
        if score is None:
            made.append(CalibrationBlock(name, len(rows), rate, None, None, None, False))
            continue
        p = rows[score].to_numpy(dtype=np.float64)
        fit = calibration_fit(y, p, groups=units, confidence_level=both)
        off = not fit.intercept.ci_lower <= 0 <= fit.intercept.ci_upper
        bent = not fit.slope.ci_lower <= 1 <= fit.slope.ci_upper
        made.append(
            CalibrationBlock(
                name, len(rows), rate, float(p.mean()), fit.intercept, fit.slope, off or bent
            )
        )
    return CalibrationCourse(tuple(made), confidence_level, too_small)


def _blocks(
    frame: pd.DataFrame, as_of: str, every: Every, groups: str | None
) -> tuple[list[tuple[str, pd.DataFrame]], tuple[str, ...]]:
    if as_of not in frame or frame[as_of].isna().any():
        raise DataError(
            f"column {as_of!r} is absent or has missing times", expected="a time a row",
            fix="name the column of times and leave rows without one out",
        )  # fmt: skip
    if every not in _FREQUENCIES:
        raise DataError(
            f"every is {every!r}", expected="week, month or quarter", fix="name one of them"
        )
    times = pd.to_datetime(frame[as_of])
    if times.dt.tz is not None:
        times = times.dt.tz_convert("UTC").dt.tz_localize(None)
    periods = times.dt.to_period(_FREQUENCIES[every])
    size: Callable[[pd.DataFrame], int] = (
        len if groups is None else (lambda rows: int(rows[groups].nunique()))
    )
    parts = [(str(period), rows) for period, rows in frame.groupby(periods, sort=True)]
    large = [(name, rows) for name, rows in parts if size(rows) >= _SMALLEST]
    if not large:
        raise DataError(
            f"no {every} has {_SMALLEST} rows or groups", expected="at least one such block",
            fix="take longer blocks",
        )  # fmt: skip
    kept = {name for name, _ in large}
    return large, tuple(name for name, _ in parts if name not in kept)
