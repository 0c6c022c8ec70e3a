"""Charts of an analysed experiment for a slide or a page: effects, shares, segments."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from workbench.abtest.metrics import Role
from workbench.abtest.monitor import Monitoring
from workbench.abtest.plots_style import (
    BLUE,
    GREY,
    INK,
    ORANGE,
    RED,
    VERDICT_COLOURS,
    WIDTH,
    Chart,
    caption,
    clean,
    label,
    plain,
    title,
    value_axis,
)
from workbench.abtest.rendering import figure_text
from workbench.abtest.results import Analysis, ArmEffect
from workbench.errors import DataError
from workbench.stats import proportion_interval

__all__ = ["effect_chart", "ratio_chart", "segment_chart"]


def effect_chart(analysis: Analysis, *, role: Role = "primary") -> Chart:
    """Draw every arm's effect with the interval that decides, a panel a metric.

    Parameters
    ----------
    analysis
        What is drawn.
    role
        Metrics of this role: "primary", "guardrail" or "secondary".

    Raises
    ------
    DataError
        If no metric of the role has an effect.
    """
    metrics = [m for m in analysis.design.metrics_of(role) if _of(analysis, m)]
    if not metrics:
        raise DataError(
            f"there is no effect on a {role} metric", expected="an analysed metric of this role",
            fix="choose another role",
        )  # fmt: skip
    rows = [len(_of(analysis, m)) for m in metrics]
    figure = Figure(figsize=(WIDTH, sum(0.5 * n + 0.85 for n in rows) + 0.45), layout="constrained")
    panels = np.atleast_1d(figure.subplots(len(metrics), 1, height_ratios=[n + 1 for n in rows]))
    for panel, metric in zip(panels, metrics, strict=True):
        _forest(panel, analysis, metric)
    design = analysis.design
    m = len([e for e in analysis.effects if e.role == role])
    level = f"{1 - design.alpha:.0%}"
    corrected = role != "guardrail" and m > 1 and design.multiplicity != "none"
    holds = [f"for all {m} comparisons"] if corrected else []
    holds += ["at every look"] if design.sequential.kind != "fixed" else []
    note = f"{level} intervals" + (f" that hold {' and '.join(holds)}" if holds else "")
    caption(figure, f"{note}; n = {sum(analysis.n_units.values()):,}")
    said = " ".join(e.sentence() for metric in metrics for e in _of(analysis, metric))
    return Chart(figure, f"Effects of {design.name} against {design.control}. {said}")


def _forest(axes: Axes, analysis: Analysis, metric: str) -> None:
    found = _of(analysis, metric)[::-1]
    how, kind = analysis.design.metrics[metric], found[0].kind
    axes.axvline(0, color=GREY, lw=1, ls="--", zorder=0)
    reach = _reach(found)
    if how.margin is not None and how.margin_scale == "absolute":
        side = -how.margin if how.higher_is_better else how.margin
        axes.axvline(side, color=RED, lw=1, ls=":", zorder=0)
        axes.annotate("margin", (side, len(found) - 0.4), (3, 0), textcoords="offset points",
                      fontsize=8, color=RED, va="center")  # fmt: skip
    for row, effect in enumerate(found):
        colour = VERDICT_COLOURS.get(effect.verdict, BLUE)
        low, high = max(effect.ci_lower, -reach), min(effect.ci_upper, reach)
        axes.plot([low, high], [row, row], color=colour, lw=3, solid_capstyle="round")
        axes.plot(effect.effect.difference, row, "o", ms=8, color=colour)
        text = label(kind, effect.effect.difference)
        axes.annotate(
            text, (effect.effect.difference, row), (0, 7), fontsize=9,
            textcoords="offset points", ha="center", color=INK,
        )  # fmt: skip
    axes.set_yticks(range(len(found)), [plain(e.arm) for e in found])
    axes.set_ylim(-0.5, len(found) - 0.2)
    title(axes, _headline(found[::-1], metric))
    better = "right" if how.higher_is_better else "left"
    control = figure_text(kind, found[0].effect.control)
    axes.set_xlabel(
        f"difference from {analysis.design.control} ({control}); {better} is better", fontsize=9
    )
    value_axis(axes, kind, "x")
    clean(axes)


def _headline(found: Sequence[ArmEffect], metric: str) -> str:
    """What the panel says, as its title."""
    by: dict[str, list[str]] = {}
    for effect in found:
        by.setdefault(effect.verdict, []).append(effect.arm)
    words = {
        "better": "better", "worse": "worse", "holds": "within its margin",
        "violated": "worse than its margin allows",
        "not shown": "not shown to be within its margin",
        "inconclusive": "undecided", "no data": "no data",
    }  # fmt: skip
    parts = [f"{', '.join(arms)} {words[verdict]}" for verdict, arms in by.items()]
    return f"{metric}: {'; '.join(parts)}"


def ratio_chart(found: Analysis | Monitoring) -> Chart:
    """Draw the share each arm got against the share it was configured to get.

    Parameters
    ----------
    found
        An analysis, or the last look of a monitoring.
    """
    shares = list(found.design.shares.values())
    arms = list(found.design.shares)
    if isinstance(found, Analysis):
        check = found.ratio
        known = dict(zip(check.arms, check.test.observed, strict=False))
        counts = [int(known.get(arm, 0)) for arm in arms]
        pvalue, alarm, at = check.test.pvalue, check.alarm, "one look"
    else:
        last = found.sample_ratio[-1]
        counts, pvalue, at = list(last.counts), last.pvalue, f"{found.looks} looks"
        alarm = any(alert.code == "WB-M01" for alert in found.alerts)
    n = sum(counts)
    figure = Figure(figsize=(WIDTH, 0.46 * len(arms) + 1.25), layout="constrained")
    axes = figure.subplots()
    colour = RED if alarm else BLUE
    level = 1 - 0.05 / len(arms)
    for row, (count, share) in enumerate(zip(counts[::-1], shares[::-1], strict=True)):
        bounds = proportion_interval(count, max(n, 1), confidence_level=level)
        axes.plot(
            [100 * bounds.ci_lower, 100 * bounds.ci_upper], [row, row], color=colour, lw=3,
            solid_capstyle="round",
        )  # fmt: skip
        axes.plot(100 * count / max(n, 1), row, "o", ms=8, color=colour)
        axes.plot([100 * share] * 2, [row - 0.32, row + 0.32], color=INK, lw=2)
        axes.annotate(
            f"{count:,}", (100 * bounds.ci_upper, row), (7, 0), textcoords="offset points",
            va="center", fontsize=8.5, color=GREY,
        )  # fmt: skip
    axes.set_yticks(range(len(arms)), [plain(arm) for arm in arms[::-1]])
    axes.set_ylim(-0.6, len(arms) - 0.4)
    axes.margins(x=0.12)
    axes.set_xlabel("share of all, %; black: configured", fontsize=9)
    verdict = "Arms do NOT get their share" if alarm else "Arms get their share"
    title(axes, f"{verdict} (p = {pvalue:.2g}, {at}, n = {n:,})")
    clean(axes)
    listed = "; ".join(
        f"{arm} {count:,}, {count / max(n, 1):.2%} of {share:.2%} configured"
        for arm, count, share in zip(arms, counts, shares, strict=True)
    )
    return Chart(figure, f"Sample ratio. {verdict}, p = {pvalue:.2g}: {listed}.")


def segment_chart(analysis: Analysis, metric: str, segment: str) -> Chart:
    """Draw the effect in every level of a segment, a panel an arm.

    Parameters
    ----------
    analysis
        What is drawn.
    metric, segment
        Which.

    Raises
    ------
    DataError
        If the analysis has no such segment.
    """
    found = [s for s in analysis.segments if s.metric == metric and s.segment == segment]
    if not found:
        raise DataError(
            f"there are no effects on {metric!r} by {segment!r}",
            expected=f"a segment of the design: {', '.join(analysis.design.segments) or 'none'}",
            fix="name it in `segments`",
        )
    kind = analysis.design.metrics[metric].kind
    columns = min(2, len(found))
    rows = -(-len(found) // columns)
    levels = [level.level for level in found[0].levels]
    height = rows * (0.42 * len(levels) + 0.85) + 0.6
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    panels = np.atleast_1d(figure.subplots(rows, columns, sharex=True, sharey=True)).ravel()
    for panel in panels[len(found) :]:
        panel.set_visible(False)
    said = []
    for panel, part in zip(panels, found, strict=False):
        whole = analysis.effect(metric, part.arm).effect.difference
        panel.axvline(0, color=GREY, lw=1, ls="--", zorder=0)
        panel.axvline(whole, color=ORANGE, lw=1.5, zorder=0)
        colour = BLUE if part.differs else GREY
        for row, level in enumerate(part.levels[::-1]):
            if level.effect is None:
                continue
            e = level.effect
            panel.plot([e.ci_lower, e.ci_upper], [row, row], color=colour, lw=3,
                       solid_capstyle="round")  # fmt: skip
            panel.plot(e.difference, row, "o", ms=7, color=colour)
        panel.set_yticks(range(len(levels)), [plain(name) for name in levels[::-1]])
        panel.set_ylim(-0.6, len(levels) - 0.4)
        word = "effects differ" if part.differs else "not shown to differ"
        title(panel, f"{part.arm}: {word}, p = {part.pvalue_adjusted:.2g}", width=44)
        value_axis(panel, kind, "x")
        panel.xaxis.set_major_locator(MaxNLocator(4))
        clean(panel)
        said.append(
            f"{part.arm} ({word}): "
            + ", ".join(
                f"{x.level} {label(kind, x.effect.difference)}"
                for x in part.levels
                if x.effect is not None
            )
            + "."
        )
    for panel in panels[: len(found) : columns]:
        panel.set_ylabel(plain(segment), fontsize=9)
    for panel in panels[max(0, len(found) - columns) : len(found)]:
        panel.set_xlabel(plain(f"{metric}, difference from {analysis.design.control}"), fontsize=9)
    level_text = f"{1 - analysis.design.alpha:.0%}"
    caption(
        figure,
        f"{level_text} intervals of each level alone; orange: all units; p corrected for all"
        f" {len(analysis.segments)} segment tests",
    )
    return Chart(figure, f"Effects on {metric} by {segment}. {' '.join(said)}")


def _of(analysis: Analysis, metric: str) -> list[ArmEffect]:
    return [e for e in analysis.effects if e.metric == metric and e.verdict != "no data"]


def _reach(found: Sequence[ArmEffect]) -> float:
    """Where to cut intervals that know no bound."""
    ends = [abs(x) for e in found for x in (e.ci_lower, e.ci_upper) if math.isfinite(x)]
    return 1.2 * max([*ends, *(abs(e.effect.difference) for e in found)], default=1.0)
