"""Plots of paths: what a cascade's quality costs, and how a sequential test came to its end."""

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from workbench.evaluation import CurvePoint, Frontier, SequentialOutcome, SequentialResult
from workbench.reports.drawing import COLOURS, GREY, Plot, clean, drawn, plain
from workbench.scorers import metric

__all__ = ["cascade_plot", "sequential_plot"]

_ROUTERS = {
    "oracle": ("oracle (knows the answers)", "#9ca3af", ":"),
    "length": ("longest prompts first", "#E69F00", "-."),
    "random": ("at random, with interval", "#6b7280", "--"),
    "cascade": ("the cascade's score", COLOURS["cascade"], "-"),
}


def cascade_plot(frontier: Frontier) -> Plot:
    """Draw quality against cost for every way to route, and where the cascade ran.

    Parameters
    ----------
    frontier
        What is drawn.
    """
    how = metric(frontier.metric)
    figure = Figure(figsize=(7.2, 4.0))
    axes = figure.subplots()
    for router, (words, colour, style) in _ROUTERS.items():
        points = frontier.curve(router)
        if not points:
            continue
        cost = [p.cost_per_1000_usd for p in points]
        axes.plot(cost, [p.estimate for p in points], style, color=colour, lw=1.8, label=words)
        if router == "random":
            low, high = ([getattr(p, side) for p in points] for side in ("ci_lower", "ci_upper"))
            axes.fill_between(cost, low, high, color=colour, alpha=0.13, lw=0)
    ends = (frontier.curve("random")[0], frontier.last_only)
    for point, name in zip(ends, (frontier.first, frontier.last), strict=True):
        axes.plot(point.cost_per_1000_usd, point.estimate, "s", ms=6, color="#111827")
        _name(axes, point, f"{name} only", up=False)
    ran = frontier.operating
    axes.plot([ran.cost_per_1000_usd] * 2, [ran.ci_lower, ran.ci_upper], color="#111827", lw=1.2)
    axes.plot(
        ran.cost_per_1000_usd, ran.estimate, "o", ms=9, mew=2, color=COLOURS["cascade"],
        mfc="white" if frontier.simulated else COLOURS["cascade"],
    )  # fmt: skip
    _name(axes, ran, f"{frontier.arm}, {ran.share:.0%} escalated", up=True)
    axes.margins(x=0.14, y=0.16)
    axes.set_xlabel("cost per 1,000 predictions, USD")
    axes.set_ylabel(f"{how.title} ({'more' if how.higher_is_better else 'less'} is better)")
    axes.legend(frameon=False, fontsize=8.5, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    clean(axes)
    figures = "; ".join(
        f"{words} {how.format(point.estimate)} at ${point.cost_per_1000_usd:,.2f}"
        for words, point in (
            (f"{frontier.first} only", ends[0]),
            (frontier.arm, ran),
            (f"{frontier.last} only", ends[-1]),
        )
    )
    return drawn(
        figure,
        f"{how.title} against cost per 1,000 predictions, from asking {frontier.last} about "
        f"nothing to asking it about everything, for each way to choose the rows: {figures}.",
    )


def _name(axes: Axes, point: CurvePoint, text: str, *, up: bool) -> None:
    axes.annotate(
        plain(text), (point.cost_per_1000_usd, point.estimate), (0, 12 if up else -16),
        textcoords="offset points", fontsize=8.5, ha="center", color="#111827",
        bbox={"boxstyle": "round,pad=0.15", "fc": "white", "ec": "none", "alpha": 0.8},
    )  # fmt: skip


def sequential_plot(results: Sequence[SequentialResult], name: str) -> Plot:
    """Draw each arm's gain with its anytime interval over the examples asked, and its end.

    Parameters
    ----------
    results
        One panel each.
    name
        Metric that decided.
    """
    how = metric(name)
    figure = Figure(figsize=(7.2, 2.3 * len(results) + 0.5), layout="constrained")
    panels = figure.subplots(len(results), 1, squeeze=False, sharex=True).ravel()
    for axes, result in zip(panels, results, strict=True):
        _path(axes, result)
        axes.set_title(plain(f"{result.label}: {result.outcome}"), fontsize=9.5, loc="left")
        axes.set_ylabel(f"gain in {how.title}", fontsize=8.5)
    panels[-1].set_xlabel("independent units asked (groups, where there are any)")
    words = "; ".join(result.sentence() for result in results)
    return drawn(
        figure, f"Gain over the baseline with its anytime interval after each batch. {words}"
    )


def _path(axes: Axes, result: SequentialResult) -> None:
    colours = {
        SequentialOutcome.PROMOTE: "#15803d",
        SequentialOutcome.REJECT: "#b91c1c",
        SequentialOutcome.FUTILE: "#b91c1c",
        SequentialOutcome.UNDECIDED: "#b45309",
    }
    colour, rule = colours[result.outcome], result.rule
    looks = [look for look in result.path if math.isfinite(look.ci_upper - look.ci_lower)]
    n = [look.n_units for look in looks]
    axes.fill_between(
        n, [look.ci_lower for look in looks], [look.ci_upper for look in looks],
        color=colour, alpha=0.15, lw=0,
    )  # fmt: skip
    units = [look.n_units for look in result.path]
    axes.plot(units, [look.estimate for look in result.path], "-", color=colour, lw=1.6)
    axes.axhline(rule.bound, color=GREY, lw=1)
    axes.axhline(rule.bound + rule.minimum_effect, color=GREY, lw=1, ls=":")
    axes.axvline(result.last.n_units, color=colour, lw=1, ls="--")
    # Early bounds are as wide as the scale; what decides happens near the minimum effect.
    reach = 6 * rule.minimum_effect
    farthest = max(reach, *(abs(look.estimate) for look in result.path[-3:]))
    axes.set_ylim(rule.bound - 1.1 * farthest, rule.bound + 1.1 * farthest)
    axes.set_xlim(0, 1.02 * result.n_available)
    axes.annotate(
        "smallest gain worth finding", (result.n_available, rule.bound + rule.minimum_effect),
        (0, 3), textcoords="offset points", fontsize=7.5, ha="right", color=GREY,
    )  # fmt: skip
    clean(axes)
