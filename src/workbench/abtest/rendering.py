"""An analysis for people: sentences, Markdown, HTML."""

import html
import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workbench.abtest.results import Analysis, ArmEffect, SegmentEffects

__all__ = ["analysis_html", "analysis_markdown", "effect_sentence", "figure_text"]

_SAYS = {
    "better": "is better than",
    "worse": "is worse than",
    "inconclusive": "cannot be told from",
    "holds": "is at most the margin worse than",
    "violated": "is worse, by more than the margin, than",
    "not shown": "is not shown to be within the margin of",
    "no data": "cannot be compared with",
}


def figure_text(kind: str, value: float, *, signed: bool = False) -> str:
    """Write a figure of a metric of some kind: differences of shares in percentage points.

    Examples
    --------
    >>> figure_text("proportion", 0.0766, signed=True), figure_text("mean", 1.5)
    ('+7.66 pp', '1.5')
    """
    if math.isnan(value):
        return "unknown"
    if math.isinf(value):
        return "unbounded"
    sign = "+" if signed and value > 0 else ""
    if kind == "proportion":
        return f"{sign}{100 * value:.2f} pp" if signed else f"{100 * value:.2f} %"
    return f"{sign}{value:,.4g}"


def effect_sentence(found: "ArmEffect") -> str:
    """Say what one comparison found, for a reader who is no statistician."""
    e, kind = found.effect, found.kind
    low = figure_text(kind, found.ci_lower, signed=True)
    high = figure_text(kind, found.ci_upper, signed=True)
    more = ""
    if found.margin is not None:
        unit = "of the control" if found.margin.scale == "relative" else ""
        margin = (
            f"{found.margin.margin:.2%} {unit}".rstrip()
            if found.margin.scale == "relative"
            else figure_text(kind, found.margin.margin, signed=True).lstrip("+")
        )
        more = f", margin {margin}"
    elif found.n_to_decide is not None:
        more = f"; about {found.n_to_decide:,} units would tell if the effect stayed what it is"
    if found.log_rank is not None:
        more += f", log-rank p = {found.log_rank.pvalue:.2g}"
    return (
        f"{found.metric}: {found.arm} {_SAYS[found.verdict]} {found.control}"
        f" ({figure_text(kind, e.control)} → {figure_text(kind, e.treatment)},"
        f" {figure_text(kind, e.difference, signed=True)}, plausible {low} to {high}{more})."
    )


def analysis_markdown(analysis: "Analysis") -> str:
    """Write an analysis as Markdown."""
    d = analysis.design
    counts = ", ".join(f"{arm} {n:,}" for arm, n in analysis.n_units.items())
    state = "as registered" if analysis.registered else "not as registered"
    lines = [
        f"## {d.name}",
        "",
        f"As of {analysis.as_of:%Y-%m-%d %H:%M} UTC, design {analysis.sha256[:12]} ({state})."
        f" Units: {counts}.",
        "",
        f"**Sample ratio:** {analysis.ratio.sentence}",
        "",
    ]
    lines += [f"- **{f.severity}** {f}" for f in analysis.findings]
    if analysis.findings:
        lines.append("")
    for decision in analysis.decisions:
        lines.append(f"- **{decision.arm}: {decision.decision}**. {' '.join(decision.reasons)}")
    lines += [
        "",
        "| metric | arm | control | treatment | difference | interval that decides | p adjusted |"
        " lift | unadjusted | verdict |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    lines += ["| " + " | ".join(_cells(found)) + " |" for found in analysis.effects]
    lines += _beside(analysis)
    differing = [s for s in analysis.segments if s.differs]
    if analysis.segments:
        n = len(analysis.segments)
        lines += ["", f"Effects differ in {len(differing)} of {n} segment tests (corrected)."]
        lines += [f"- {segment_sentence(s)}" for s in differing]
    return "\n".join(lines) + "\n"


def _beside(analysis: "Analysis") -> list[str]:
    """Say what the intervals would be if units were independent, and that they do not decide."""
    cluster = analysis.design.cluster
    plain = [(e, e.unclustered) for e in analysis.effects if e.unclustered is not None]
    if cluster is None or not plain:
        return []
    lines = [
        "", f"Intervals above are robust to what units of one {cluster.column} share, corrected"
        " for comparisons and looks. As if units were independent, uncorrected, for comparison"
        " only:",
    ]  # fmt: skip
    for e, u in plain:
        low, high = (figure_text(e.kind, v, signed=True) for v in (u.ci_lower, u.ci_upper))
        lines.append(f"- {e.metric}, {e.arm}: {low} to {high}.")
    return lines


def segment_sentence(found: "SegmentEffects") -> str:
    """Say how an effect differs between the levels of a segment."""
    parts = ", ".join(
        f"{level.level} {level.effect.difference:+.4g}"
        f" [{level.effect.ci_lower:.4g}, {level.effect.ci_upper:.4g}]"
        for level in found.levels
        if level.effect is not None
    )
    return (
        f"{found.metric}, {found.arm}, by {found.segment}: {parts}"
        f" (p of equal effects {found.pvalue_adjusted:.2g}, corrected)"
    )


def analysis_html(analysis: "Analysis") -> str:
    """Write an analysis as a fragment of HTML."""
    warnings = "".join(
        f"<li><b>{html.escape(f.severity)}</b> {html.escape(str(f))}</li>"
        for f in analysis.findings
    )
    decisions = "".join(
        f"<li><b>{html.escape(d.arm)}: {d.decision}</b>. {html.escape(' '.join(d.reasons))}</li>"
        for d in analysis.decisions
    )
    rows = "".join(
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in _cells(found)) + "</tr>"
        for found in analysis.effects
    )
    head = (
        "metric", "arm", "control", "treatment", "difference", "interval that decides",
        "p adjusted", "lift", "unadjusted", "verdict",
    )  # fmt: skip
    return (
        f"<h3>{html.escape(analysis.design.name)}</h3>"
        f"<p>As of {analysis.as_of:%Y-%m-%d %H:%M} UTC. <b>Sample ratio:</b>"
        f" {html.escape(analysis.ratio.sentence)}</p><ul>{warnings}{decisions}</ul>"
        f"<table><tr>{''.join(f'<th>{h}</th>' for h in head)}</tr>{rows}</table>"
    )


def _cells(found: "ArmEffect") -> list[str]:
    e, kind = found.effect, found.kind
    lift = "" if not math.isfinite(e.lift) else f"{e.lift:+.1%}"
    raw = "" if found.raw == e else figure_text(kind, found.raw.difference, signed=True)
    return [
        f"{found.metric} ({found.role})",
        found.arm,
        figure_text(kind, e.control),
        figure_text(kind, e.treatment),
        figure_text(kind, e.difference, signed=True),
        f"{figure_text(kind, found.ci_lower, signed=True)} to"
        f" {figure_text(kind, found.ci_upper, signed=True)}",
        "unknown" if math.isnan(found.pvalue_adjusted) else f"{found.pvalue_adjusted:.2g}",
        lift,
        raw,
        found.verdict,
    ]
