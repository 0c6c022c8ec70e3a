"""Plots of prompt work."""

from matplotlib.figure import Figure

from workbench.evaluation.readings.prompt_work import ShotCurve
from workbench.reports.drawing import COLOURS, Plot, clean, drawn
from workbench.scorers import metric

__all__ = ["shots_plot"]

_MARKS = {"random": ("o", "model"), "diverse": ("s", "ensemble"), "nearest": ("D", "claude")}


def shots_plot(curve: ShotCurve) -> Plot:
    """Draw quality over the number of solved examples, one line a kind, with intervals.

    Parameters
    ----------
    curve
        What `compare_shots` found.
    """
    evaluation, frame = curve.evaluation, curve.to_frame()
    how = metric(evaluation.info.metrics[0])
    simulated = any(arm.simulated for arm in evaluation.arms)
    figure = Figure(figsize=(6.2, 3.2))
    axes = figure.subplots()
    kinds = list(dict.fromkeys(frame["shots"]))
    width = 0.04 * max(1, int(frame["n_examples"].max()))
    words = []
    for place, kind in enumerate(kinds):
        part = frame[frame["shots"] == kind].sort_values("n_examples")
        mark, colour = _MARKS[kind][0], COLOURS[_MARKS[kind][1]]
        # Beside each other: intervals of several kinds at one number would hide each other.
        at = part["n_examples"] + width * (place - (len(kinds) - 1) / 2)
        axes.vlines(at, part["ci_lower"], part["ci_upper"], color=colour, lw=1.5)
        axes.plot(
            at, part["estimate"], f"{mark}-", color=colour, label=kind, ms=6, lw=1.2,
            mfc="white" if simulated else colour,
        )  # fmt: skip
        words += [
            f"{n} {kind} {how.format(value)}"
            for n, value in zip(part["n_examples"], part["estimate"], strict=True)
        ]
    axes.set_xticks(sorted(set(frame["n_examples"])))
    axes.set_xlabel("solved examples shown")
    whose = "simulated reader in Claude's place, " if simulated else ""
    axes.set_ylabel(f"{how.title}\n({'more' if how.higher_is_better else 'less'} is better)")
    axes.legend(title=f"{whose}chosen", frameon=False, fontsize=8.5, title_fontsize=8.5)
    clean(axes)
    level = f"{evaluation.info.confidence_level:.0%}"
    return drawn(
        figure, f"{how.title} by solved examples, {whose}{level} intervals: {'; '.join(words)}."
    )
