"""How a drift report looks in a notebook: a heat table with bars, in plain HTML."""

import html
import math
from collections.abc import Sequence
from typing import Any

__all__ = ["drift_html", "shade", "sparkline"]

_SHOWN = 40
_CALM, _ALARM = "#e8eef4", "#c2410c"


def shade(ratio: float) -> str:
    """Colour of a statistic over its threshold: pale below one, orange to red above."""
    if not ratio > 0:
        return "#ffffff"
    if ratio <= 1:
        return f"rgba(120,150,180,{0.35 * ratio:.2f})"
    return f"rgba(194,65,12,{min(0.35 + 0.2 * math.log2(ratio), 0.85):.2f})"


def sparkline(
    values: Sequence[float],
    lower: Sequence[float] = (),
    upper: Sequence[float] = (),
    *,
    level: float | None = None,
    flagged: Sequence[bool] = (),
    width: int = 180,
    height: int = 36,
) -> str:
    """Draw values in order as a small SVG line with its band, a level and marked points.

    Parameters
    ----------
    values
        In order; not finite ones are gaps.
    lower, upper
        Of the band around them, or nothing.
    level
        A horizontal line.
    flagged
        Which points to mark.
    width, height
        In pixels.

    Examples
    --------
    >>> sparkline([1.0, 2.0, 1.5]).startswith("<svg")
    True
    """
    finite = [v for v in (*values, *lower, *upper) if math.isfinite(v)]
    finite += [] if level is None else [level]
    if not finite:
        return ""
    low, high = min(finite), max(finite)
    span = (high - low) or 1.0

    def x(i: int) -> float:
        return 4 + (width - 8) * i / max(len(values) - 1, 1)

    def y(v: float) -> float:
        return height - 4 - (height - 8) * (v - low) / span

    drawn = [i for i, v in enumerate(values) if math.isfinite(v)]
    parts = []
    if level is not None:
        parts.append(
            f'<line x1="4" x2="{width - 4}" y1="{y(level):.1f}" y2="{y(level):.1f}" '
            'stroke="#999" stroke-dasharray="3 3"/>'
        )
    banded = [i for i in drawn if lower and upper and math.isfinite(lower[i] + upper[i])]
    if banded:
        ring = [f"{x(i):.1f},{y(upper[i]):.1f}" for i in banded]
        ring += [f"{x(i):.1f},{y(lower[i]):.1f}" for i in reversed(banded)]
        parts.append(f'<polygon points="{" ".join(ring)}" fill="{_CALM}"/>')
    line = " ".join(f"{x(i):.1f},{y(values[i]):.1f}" for i in drawn)
    parts.append(f'<polyline points="{line}" fill="none" stroke="#334155" stroke-width="1.5"/>')
    parts += [
        f'<circle cx="{x(i):.1f}" cy="{y(values[i]):.1f}" r="2.5" fill="{_ALARM}"/>'
        for i in drawn
        if i < len(flagged) and flagged[i]
    ]
    return f'<svg width="{width}" height="{height}" role="img">{"".join(parts)}</svg>'


def drift_html(report: Any) -> str:
    """Write a `DriftReport` as HTML.

    Parameters
    ----------
    report
        The report.
    """
    ranked = sorted(report.columns, key=lambda c: (not c.alarm, c.pvalue, -_ratio(c)))
    rows = "".join(_row(column) for column in ranked[:_SHOWN])
    rest = len(ranked) - _SHOWN
    n = len(report.alarms)
    headline = f"{n} of {len(report.columns)} columns drifted" if n else "No column drifted"
    groups = "" if report.n_groups is None else f" in {sum(report.n_groups):,} groups"
    head = "".join(
        f"<th>{title}</th>"
        for title in ("", "Role", "Statistic / threshold", "Corrected p", "Change",
                      f"Smallest change seen ({report.power:.0%})", "PSI", "PSI rule")
    )  # fmt: skip
    more = f"<p>… and {rest} more without alarm</p>" if rest > 0 else ""
    skipped = (
        f"<p><small>not looked at: {html.escape(', '.join(s.name for s in report.skipped))}"
        "</small></p>"
        if report.skipped
        else ""
    )
    return (
        f"<p><b>{headline}</b> · {report.n_reference:,} reference and {report.n_current:,} current "
        f"rows{groups} · chance of any false alarm {report.alpha:.1%} over all columns together</p>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{more}{skipped}"
    )


def _ratio(column: Any) -> float:
    return float(column.value / column.threshold) if column.threshold > 0 else 0.0


def _row(column: Any) -> str:
    ratio = _ratio(column)
    bar = (
        f'<span style="display:inline-block;height:.6em;width:{min(ratio, 3) * 40:.0f}px;'
        f'background:{_ALARM if column.alarm else "#94a3b8"}"></span>'
    )
    name = html.escape(column.name)
    cells = (
        f"<b>{name}</b>" if column.alarm else name,
        column.role,
        f"{column.statistic} {column.value:.3g} / {column.threshold:.3g} {bar}",
        f"{column.pvalue:.3f}",
        told(column.change, column.unit, signed=True),
        told(column.minimum_change, column.unit),
        "–" if column.psi is None else f"{column.psi:.3f}",
        column.naive or "–",
    )
    shades = ["", "", f" style='background:{shade(ratio)}'", "", "", "", "", ""]
    return "<tr>" + "".join(
        f"<td{s}>{c}</td>" for c, s in zip(cells, shades, strict=True)
    ) + "</tr>"  # fmt: skip


def told(value: float, unit: str, *, signed: bool = False) -> str:
    """Write a change in its unit.

    Parameters
    ----------
    value
        The change.
    unit
        "sd", "share" (told in points) or "slope".
    signed
        Whether to write a plus.

    Examples
    --------
    >>> told(0.0312, "share", signed=True), told(float("inf"), "sd")
    ('+3.1 points', 'none')
    """
    if math.isinf(value) or math.isnan(value):
        return "none" if value > 0 else "–"
    sign = "+" if signed else ""
    if unit == "share":
        return f"{100 * value:{sign}.1f} points".replace("-", "−")
    return f"{value:{sign}.2f} {unit}".replace("-", "−")
