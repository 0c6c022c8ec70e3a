"""Plots a reader can take in at a glance, as SVG with a text for those who cannot see them."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from workbench.evaluation import Evaluation
from workbench.evaluation.gate import Judged
from workbench.reports.drawing import COLOURS, GREY, Plot, clean, drawn, plain
from workbench.scorers import metric
from workbench.stats import reliability_curve

__all__ = ["frontier_plot", "interval_plot", "reliability_plot"]

_KINDS = {"model": "plain ML", "claude": "Claude", "ensemble": "ensemble", "cascade": "cascade"}
_STAND_INS = {
    "claude": "simulated reader in Claude's place",
    "ensemble": "ensemble with it",
    "cascade": "cascade with it",
}


def _kind_legend(axes: Axes, evaluation: Judged) -> None:
    words = _KINDS | (_STAND_INS if any(a.simulated for a in evaluation.arms) else {})
    for kind in dict.fromkeys(a.kind for a in evaluation.arms):
        axes.plot([], [], "o", color=COLOURS[kind], label=words[kind])


def interval_plot(evaluation: Judged, name: str = "roc_auc") -> Plot:
    """Draw every arm's figure with its interval.

    Parameters
    ----------
    evaluation
        What is drawn.
    name
        The metric.
    """
    how = metric(name)
    arms = evaluation.arms[::-1]
    figure = Figure(figsize=(7.2, 0.55 * len(arms) + 1.2))
    axes = figure.subplots()
    base = evaluation.measurements[evaluation.info.baseline, name].estimate
    axes.axvline(base, color=GREY, lw=1, ls="--", zorder=0)
    for row, arm in enumerate(arms):
        found = evaluation.measurements[arm.name, name]
        hollow = arm.simulated
        axes.plot(
            [found.ci_lower, found.ci_upper], [row, row], color=COLOURS[arm.kind], lw=2.5,
            solid_capstyle="round",
        )  # fmt: skip
        axes.plot(
            found.estimate, row, "o", ms=8, color=COLOURS[arm.kind],
            mfc="white" if hollow else COLOURS[arm.kind], mew=2,
        )  # fmt: skip
        axes.annotate(
            how.format(found.estimate), (found.estimate, row), (0, 8), fontsize=8.5,
            textcoords="offset points", ha="center", color="#111827",
        )  # fmt: skip
    ceiling = evaluation.info.ceiling
    if ceiling and name in ceiling:
        axes.axvline(ceiling[name], color="#111827", lw=1, ls=":")
        axes.annotate(
            f"true probabilities {how.format(ceiling[name])}", (ceiling[name], len(arms) - 0.45),
            (-4, 0), textcoords="offset points", ha="right", fontsize=8, color="#111827",
        )  # fmt: skip
    axes.set_yticks(range(len(arms)), [plain(a.label) for a in arms])
    axes.set_ylim(-0.6, len(arms) - 0.2)
    axes.set_xlabel(f"{how.title} ({'more' if how.higher_is_better else 'less'} is better)")
    axes.annotate(
        f"baseline: {plain(evaluation.info.baseline)}", (base, -0.55), (3, 0),
        textcoords="offset points", fontsize=8, color=GREY,
    )  # fmt: skip
    clean(axes)
    level = f"{evaluation.info.confidence_level:.0%}"
    figures = "; ".join(f"{a.label} {evaluation.cell(a.name, name)}" for a in evaluation.arms)
    return drawn(figure, f"{how.title} of each arm with {level} intervals: {figures}.")


def reliability_plot(evaluation: Evaluation, *, n_bins: int = 10) -> Plot:
    """Draw predicted against observed share, one panel an arm.

    Parameters
    ----------
    evaluation
        What is drawn.
    n_bins
        Bins of equal size.
    """
    arms = [a for a in evaluation.arms if len(np.unique(evaluation.scores.proba[a.name])) > 1]
    columns = min(3, max(1, len(arms)))
    rows = -(-max(1, len(arms)) // columns)
    figure = Figure(figsize=(2.5 * columns, 2.6 * rows), layout="constrained")
    panels = np.atleast_1d(figure.subplots(rows, columns)).ravel()
    for panel in panels[len(arms) :]:
        panel.set_visible(False)
    words = []
    for panel, arm in zip(panels, arms, strict=False):
        curve = reliability_curve(
            evaluation.scores.y, evaluation.scores.proba[arm.name], n_bins=n_bins
        )
        top = float(max(np.max(curve.mean_predicted), np.max(curve.fraction_positive))) * 1.15
        panel.plot([0, top], [0, top], color=GREY, lw=1, ls="--")
        panel.errorbar(
            curve.mean_predicted, curve.fraction_positive,
            yerr=[
                np.clip(curve.fraction_positive - curve.ci_lower, 0, None),
                np.clip(curve.ci_upper - curve.fraction_positive, 0, None),
            ],
            fmt="o-", ms=4, lw=1.2, elinewidth=1, color=COLOURS[arm.kind],
        )  # fmt: skip
        panel.set_title(plain(arm.label), fontsize=9.5)
        panel.set_xlim(0, top)
        panel.set_ylim(0, top)
        clean(panel)
        words.append(f"{arm.label} calibration error {evaluation.cell(arm.name, 'ece')}")
    figure.supxlabel("predicted share of conversions", fontsize=9)
    figure.supylabel("observed share", fontsize=9)
    return drawn(
        figure,
        "Reliability diagrams, predicted against observed share in ten bins of equal size; the "
        f"dashed line is perfect calibration. {'; '.join(words)}.",
    )


def _label_points(axes: Axes, points: list[tuple[float, float, str]]) -> None:
    """Write names beside points, from the top down, pushing apart those that would collide."""
    low, high = axes.get_ylim()
    line = 0.055 * (high - low)
    width = 0.4 * (max(x for x, _, _ in points) or 1)
    taken: list[tuple[float, float]] = []
    for x, y, name in sorted(points, key=lambda p: -p[1]):
        at = y
        while any(abs(x - x2) < width and abs(at - y2) < line for x2, y2 in taken):
            at -= line / 4
        taken.append((x, at))
        axes.annotate(
            plain(name), (x, y), (x + 0.025 * width / 0.4, at), va="center", fontsize=9,
            arrowprops={"arrowstyle": "-", "color": "#9ca3af", "lw": 0.6},
        )  # fmt: skip


def frontier_plot(evaluation: Judged, name: str = "roc_auc") -> Plot:
    """Draw quality against cost, with the arms no other beats on both joined by a line.

    Parameters
    ----------
    evaluation
        What is drawn.
    name
        The metric of quality.
    """
    how = metric(name)
    sign = 1 if how.higher_is_better else -1
    points = []
    for arm in evaluation.arms:
        cost = evaluation.measurements[arm.name, "cost_per_1000_usd"].estimate
        points.append((cost, evaluation.measurements[arm.name, name], arm))
    figure = Figure(figsize=(7.2, 3.8))
    axes = figure.subplots()
    for cost, found, arm in points:
        axes.plot([cost, cost], [found.ci_lower, found.ci_upper], color=COLOURS[arm.kind], lw=2)
        axes.plot(
            cost, found.estimate, "o", ms=8, mew=2, color=COLOURS[arm.kind],
            mfc="white" if arm.simulated else COLOURS[arm.kind],
        )  # fmt: skip
    _label_points(axes, [(cost, found.estimate, arm.label) for cost, found, arm in points])
    best, line = -np.inf, []
    for cost, found, _ in sorted(points, key=lambda p: (p[0], -sign * p[1].estimate)):
        if sign * found.estimate > best:
            best = sign * found.estimate
            line.append((cost, found.estimate))
    axes.plot(*zip(*line, strict=True), color=GREY, lw=1, ls="--", zorder=0)
    top = max(cost for cost, _, _ in points)
    axes.set_xlim(-0.04 * (top or 1), 1.22 * (top or 1))
    axes.set_xlabel("cost per 1,000 predictions, USD")
    axes.set_ylabel(how.title)
    _kind_legend(axes, evaluation)
    axes.legend(frameon=False, fontsize=8.5, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    clean(axes)
    names = {(c, f.estimate): a.label for c, f, a in points}
    frontier = ", ".join(names[point] for point in line)
    return drawn(
        figure,
        f"{how.title} against cost per 1,000 predictions; on the frontier: {frontier}.",
    )
