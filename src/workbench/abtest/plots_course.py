"""An experiment over time: how effects and their bounds went from look to look."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from workbench.abtest.monitor import Monitoring
from workbench.abtest.monitor_advice import PathRow
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
    date_axis,
    label,
    plain,
    title,
    value_axis,
)
from workbench.errors import DataError

__all__ = ["boundary_chart", "course_chart"]

_LINES = (BLUE, ORANGE, "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#000000")


def course_chart(monitoring: Monitoring, metric: str) -> Chart:
    """Draw how a metric's effects and their bounds went from look to look, a panel an arm.

    Parameters
    ----------
    monitoring
        What is drawn.
    metric
        The metric.

    Raises
    ------
    DataError
        If the metric is not followed.
    """
    courses = _courses(monitoring, metric)
    kind = monitoring.design.metrics[metric].kind
    columns = min(2, len(courses))
    rows = -(-len(courses) // columns)
    figure = Figure(figsize=(WIDTH, 2.35 * rows + 0.5), layout="constrained")
    panels = np.atleast_1d(figure.subplots(rows, columns, sharex=True, sharey=True)).ravel()
    for panel in panels[len(courses) :]:
        panel.set_visible(False)
    said = []
    for at, (arm, looks) in enumerate(courses.items()):
        said.append(_panel(panels[at], monitoring, metric, arm, looks))
        value_axis(panels[at], kind, "y")
        if at % columns == 0:
            panels[at].set_ylabel(plain(f"{metric}, difference\nfrom {monitoring.design.control}"),
                                  fontsize=9)  # fmt: skip
    low, high = _limits(monitoring, metric, courses)
    panels[0].set_ylim(low, high)
    how = _how(monitoring)
    level = f"{1 - monitoring.design.alpha:.0%}"
    caption(
        figure,
        f"{level} {how} that hold at all looks and comparisons together; "
        f"{monitoring.n_units:,} units at look {monitoring.looks}",
    )
    return Chart(
        figure,
        f"Effects on {metric} over {monitoring.looks} looks with {how}. {' '.join(said)}",
    )


def boundary_chart(monitoring: Monitoring, metric: str) -> Chart:
    """Draw each arm's statistic against the boundary that decides, over time.

    Parameters
    ----------
    monitoring
        What is drawn.
    metric
        The metric.

    Raises
    ------
    DataError
        If the metric is not in the design, or is a quantile with always-valid bounds, which are no
        multiple of a standard error.
    """
    courses = _courses(monitoring, metric)
    if all(math.isnan(r.critical) for looks in courses.values() for r in looks):
        raise DataError(
            f"the bounds of {metric!r} are no multiple of its standard error",
            expected="a metric whose statistic has a boundary",
            fix="draw its course_chart",
        )
    figure = Figure(figsize=(WIDTH, 3.9), layout="constrained")
    axes = figure.subplots()
    first = next(iter(courses.values()))
    when = [r.at.to_pydatetime() for r in first]
    critical = np.array([[r.critical for r in looks] for looks in courses.values()]).max(axis=0)
    known = {a: [r for r in looks if math.isfinite(r.statistic)] for a, looks in courses.items()}
    peak = max([abs(r.statistic) for looks in known.values() for r in looks], default=0.0)
    top = 1.15 * max(peak, float(np.median(critical)) * 1.25)
    for side in (1, -1):
        axes.plot(when, side * critical, color=INK, lw=1.6)
        axes.fill_between(when, side * critical, side * max(top, critical.max()), color=GREY,
                          alpha=0.13, lw=0)  # fmt: skip
    for at, (arm, looks) in enumerate(known.items()):
        if looks:
            axes.plot(
                [r.at.to_pydatetime() for r in looks], [r.statistic for r in looks], "o-", ms=3,
                lw=1.6, color=_LINES[at % len(_LINES)], label=plain(arm),
            )  # fmt: skip
    axes.axhline(1.96, color=RED, lw=1, ls=":")
    axes.axhline(-1.96, color=RED, lw=1, ls=":")
    axes.set_ylim(-top, top)
    axes.set_ylabel("difference in standard errors", fontsize=9)
    axes.legend(frameon=False, fontsize=8.5, loc="lower center", bbox_to_anchor=(0.5, 1.0),
                ncols=min(4, len(courses)))  # fmt: skip
    last = {arm: looks[-1].state for arm, looks in courses.items()}
    title(axes, f"{metric}: " + _summary(last), pad=26)
    clean(axes)
    date_axis(axes)
    caption(
        figure,
        f"black: {_how(monitoring)}, corrected for {_n(monitoring, metric)} comparisons; dotted:"
        " ±1.96, enough for a single look only",
    )
    listed = "; ".join(
        f"{arm} {looks[-1].statistic:+.2f} beside ±{looks[-1].critical:.2f}, {looks[-1].state}"
        for arm, looks in courses.items()
    )
    return Chart(figure, f"Statistics of {metric} against the {_how(monitoring)}: {listed}.")


def _courses(monitoring: Monitoring, metric: str) -> dict[str, list[PathRow]]:
    found: dict[str, list[PathRow]] = {}
    for row in monitoring.path:
        if row.metric == metric:
            found.setdefault(row.arm, []).append(row)
    if not found:
        raise DataError(
            f"{metric!r} is not followed over time",
            expected="a monitored metric of the design",
            fix="choose one of the design",
        )
    return found


def _panel(
    axes: Axes, monitoring: Monitoring, metric: str, arm: str, looks: Sequence[PathRow]
) -> str:
    how = monitoring.design.metrics[metric]
    rows = [r for r in looks if math.isfinite(r.ci_upper)]
    axes.axhline(0, color=GREY, lw=1, ls="--", zorder=0)
    last = looks[-1]
    title(axes, f"{arm}: {last.state}", width=38)
    clean(axes)
    date_axis(axes)
    if not rows:
        return f"{arm}: too early."
    colour = VERDICT_COLOURS.get(last.state, BLUE)
    when = [r.at.to_pydatetime() for r in rows]
    low, high = [r.ci_lower for r in rows], [r.ci_upper for r in rows]
    if monitoring.design.sequential.kind == "group_sequential" and last.role == "primary":
        axes.vlines(when, low, high, color=colour, lw=3)
        axes.plot(when, [r.difference for r in rows], "o", color=colour, ms=6)
    else:
        axes.fill_between(when, low, high, color=colour, alpha=0.18, lw=0)
        axes.plot(when, [r.difference for r in rows], color=colour, lw=1.8)
    if how.margin is not None and how.margin_scale == "absolute":
        side = -how.margin if how.higher_is_better else how.margin
        axes.axhline(side, color=RED, ls=":", lw=1)
        axes.annotate("margin", (when[-1], side), (0, 3), textcoords="offset points", fontsize=8,
                      color=RED, ha="right")  # fmt: skip
    decided = next((r for r in rows if r.state in ("better", "worse", "broken")), None)
    if decided is not None:
        at = (decided.at.to_pydatetime(), decided.difference)
        axes.plot(*at, "o", ms=8, mfc="white", mec=colour, mew=2)
        axes.annotate(f"{decided.state} since {decided.at:%d %b}", at, (8, 8), fontsize=8,
                      textcoords="offset points", color=INK,
                      bbox={"facecolor": "white", "alpha": 0.75, "lw": 0, "pad": 1})  # fmt: skip
    bounds = " to ".join(label(how.kind, b) for b in (last.ci_lower, last.ci_upper))
    since = "" if decided is None else f"{decided.state} since look {decided.look}"
    return f"{arm}: {label(how.kind, last.difference)}, between {bounds}, {since or last.state}."


def _limits(
    monitoring: Monitoring, metric: str, courses: dict[str, list[PathRow]]
) -> tuple[float, float]:
    """Limits that show the later looks: early bounds would hide everything else."""
    rows = [
        r
        for looks in courses.values()
        for r in looks[len(looks) // 2 :]
        if math.isfinite(r.ci_upper)
    ]
    how = monitoring.design.metrics[metric]
    margin = how.margin if how.margin is not None and how.margin_scale == "absolute" else 0.0
    ends = [0.0, -margin if how.higher_is_better else margin]
    ends += [r.ci_lower for r in rows] + [r.ci_upper for r in rows]
    low, high = min(ends), max(ends)
    room = 0.12 * (high - low) or 1.0
    return low - room, high + room


def _how(monitoring: Monitoring) -> str:
    group = monitoring.design.sequential.kind == "group_sequential"
    return "group-sequential bounds" if group else "always-valid bounds"


def _n(monitoring: Monitoring, metric: str) -> int:
    design = monitoring.design
    return 1 if design.multiplicity == "none" else design.n_comparisons(design.metrics[metric].role)


def _summary(states: Mapping[str, str]) -> str:
    by: dict[str, list[str]] = {}
    for arm, state in states.items():
        by.setdefault(state, []).append(arm)
    return "; ".join(f"{', '.join(arms)} {state}" for state, arms in by.items())
