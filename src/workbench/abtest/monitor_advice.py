"""What to do about a running experiment: coded alerts, and one piece of advice an arm."""

import math
from typing import Any, Literal, NamedTuple

from workbench.abtest.design import Design, FixedHorizon
from workbench.abtest.metrics import Metric
from workbench.abtest.rendering import figure_text

__all__ = ["Action", "Advice", "Alert", "PathRow", "State", "advise", "alerts_of", "state_of"]

State = Literal["too early", "open", "better", "worse", "holds", "broken"]
"""Of a comparison at a look. A guardrail holds when a loss of its margin is excluded, is worse
when a loss is shown but not one of its margin, and broken when that is."""

Action = Literal["wait", "continue", "ramp up", "promote", "stop", "roll back"]
"""What to do with an arm."""

Bounds = tuple[float, float]


class PathRow(NamedTuple):
    """One comparison at one look.

    Attributes
    ----------
    look, at
        Number of the look, from 1, and when.
    n_units
        Units of both arms that count.
    metric, role, arm
        What is compared with the control.
    control, treatment, difference
        The figures.
    ci_lower, ci_upper
        Bounds that hold at all looks together, and with the other comparisons of the role.
    standard_error, statistic
        Of the difference, and the difference in standard errors.
    critical
        Half-width of the interval in standard errors: the boundary of `statistic`; NaN for a
        quantile, whose bounds are values of the data.
    pvalue
        Valid at any look, never rising, of this comparison alone; NaN for group-sequential looks.
    state
        What can be said. What was once decided stays decided.
    """

    look: int
    at: Any
    n_units: int
    metric: str
    role: str
    arm: str
    control: float
    treatment: float
    difference: float
    ci_lower: float
    ci_upper: float
    standard_error: float
    statistic: float
    critical: float
    pvalue: float
    state: State


class Alert(NamedTuple):
    """Something a reader must know.

    Attributes
    ----------
    code
        Stable name, WB-M01 and on.
    severity
        "alarm", "warning" or "note".
    arm, metric
        What it is about; empty for the whole experiment.
    text
        The sentence, with its figures.
    """

    code: str
    severity: Literal["alarm", "warning", "note"]
    arm: str
    metric: str
    text: str


class Advice(NamedTuple):
    """What to do with one treatment, and why."""

    arm: str
    action: Action
    code: str
    reason: str


def state_of(metric: Metric, bounds: Bounds, before: State) -> State:
    """Say what an interval shows.

    Parameters
    ----------
    metric
        The metric: direction, role and margin.
    bounds
        Of treatment − control (relative, for a relative margin).
    before
        State at the look before: decisions stay, except that a guardrail that holds or is worse
        can still break.
    """
    low, high = bounds if metric.higher_is_better else (-bounds[1], -bounds[0])
    if math.isnan(low) or (math.isinf(low) and math.isinf(high)):
        return before
    if metric.role == "guardrail":
        margin = metric.margin or 0.0
        if before == "broken" or high < -margin:
            return "broken"
        if high < 0 and low <= -margin:
            return "worse"
        if before == "worse" and low <= -margin:
            return "worse"
        return "holds" if before == "holds" or low > -margin else "open"
    if before in ("better", "worse"):
        return before
    return "better" if low > 0 else "worse" if high < 0 else "open"


def alerts_of(
    design: Design, path: tuple[PathRow, ...], ratio_pvalue: float, ratio_alpha: float
) -> tuple[Alert, ...]:
    """Collect what there is to say at the last look.

    Parameters
    ----------
    design
        The design.
    path
        All looks.
    ratio_pvalue, ratio_alpha
        Of the sequential sample-ratio test, and its level.
    """
    found: list[Alert] = []
    if ratio_pvalue <= ratio_alpha:
        found.append(
            Alert(
                "WB-M01", "alarm", "", "",
                f"the arms do not get their configured share (p = {ratio_pvalue:.2g} at any look):"
                " no figure below can be trusted until the assignment or the recording is mended",
            )
        )  # fmt: skip
    last = max((row.look for row in path), default=0)
    for row in path:
        if row.look != last:
            continue
        metric = design.metrics[row.metric]
        if row.role == "guardrail" and row.state in ("broken", "worse"):
            broken = row.state == "broken"
            found.append(
                Alert(
                    "WB-M02" if broken else "WB-M03", "alarm" if broken else "warning",
                    row.arm, row.metric,
                    f"{row.metric} is worse under {row.arm} by "
                    + (f"more than its margin of {_margin(metric)}" if broken else
                       f"an amount its margin of {_margin(metric)} may not cover")
                    + f": {_told(design, row)}",
                )
            )  # fmt: skip
        if _crossed(path, row):
            found.append(
                Alert(
                    "WB-M11", "warning", row.arm, row.metric,
                    f"the intervals of {row.metric} under {row.arm} at different looks exclude each"
                    " other: the effect changes over time (novelty, season, a change of product)",
                )
            )  # fmt: skip
    order = {"alarm": 0, "warning": 1, "note": 2}
    return tuple(sorted(found, key=lambda f: (order[f.severity], f.code)))


def advise(
    design: Design, path: tuple[PathRow, ...], alerts: tuple[Alert, ...], n_counted: int
) -> tuple[Advice, ...]:
    """Say what to do with each treatment.

    Parameters
    ----------
    design
        The design.
    path
        All looks.
    alerts
        Of `alerts_of`.
    n_counted
        Units that count at the last look.
    """
    return tuple(_advise(design, arm, path, alerts, n_counted) for arm in design.treatments)


def shown(row: PathRow, kind: str) -> str:
    """A difference with its interval, in the unit of the metric's kind.

    Examples
    --------
    >>> row = PathRow(1, 1.0, 9, "m", "primary", "a", 1, 2, 0.5, 0.25, 0.75, 0.1, 5, 2, 0.1, "open")
    >>> shown(row, "mean"), shown(row, "proportion")
    ('+0.5 [+0.25, +0.75]', '+50.00 pp [+25.00 pp, +75.00 pp]')
    """
    value, low, high = (
        figure_text(kind, v, signed=True) for v in (row.difference, row.ci_lower, row.ci_upper)
    )
    return f"{value} [{low}, {high}]"


def _advise(
    design: Design,
    arm: str,
    path: tuple[PathRow, ...],
    alerts: tuple[Alert, ...],
    n_counted: int,
) -> Advice:
    last = max(row.look for row in path) if path else 0
    rows = [row for row in path if row.arm == arm and row.look == last]
    primary = [row for row in rows if row.role == "primary"]
    guards = [row for row in rows if row.role == "guardrail"]
    if any(f.code == "WB-M01" for f in alerts):
        return Advice(arm, "stop", "WB-M01", "the arms do not get their configured share")
    for row in guards:
        if row.state == "broken":
            return Advice(
                arm,
                "roll back",
                "WB-M02",
                f"{row.metric} broke its margin: {_told(design, row)}",
            )
    for row in primary:
        if row.state == "worse":
            return Advice(
                arm,
                "roll back",
                "WB-M04",
                f"{row.metric} is worse: {_told(design, row)}",
            )
    if not primary or all(row.state == "too early" for row in primary):
        n = min((row.n_units for row in primary), default=0)
        return Advice(
            arm, "wait", "WB-M05", f"too early: {n:,} units or too few events count so far"
        )
    done = design.planned_units is not None and n_counted >= design.planned_units
    return _undisturbed(design, arm, primary, guards, done=done)


def _undisturbed(
    design: Design, arm: str, primary: list[PathRow], guards: list[PathRow], *, done: bool
) -> Advice:
    """Advice where nothing is wrong."""
    won = [row for row in primary if row.state == "better"]
    unsure = [row.metric for row in guards if row.state != "holds"]
    if won and isinstance(design.sequential, FixedHorizon) and not done:
        return Advice(
            arm, "continue", "WB-M06",
            f"{won[0].metric} looks better, but the design decides at its planned end:"
            f" {_told(design, won[0])}",
        )  # fmt: skip
    if won and not unsure:
        return Advice(
            arm,
            "promote",
            "WB-M07",
            f"{won[0].metric} is better: {_told(design, won[0])}",
        )
    if won and not done:
        return Advice(
            arm, "continue", "WB-M08",
            f"{won[0].metric} is better, but it is not shown yet that {', '.join(unsure)} holds",
        )  # fmt: skip
    small = [row for row in primary if _too_small(design.metrics[row.metric], row)]
    if len(small) == len(primary):
        return Advice(
            arm, "stop", "WB-M09",
            f"an effect worth finding is excluded: {small[0].metric} {_told(design, small[0])}",
        )  # fmt: skip
    if done:
        what = "a guardrail" if won else primary[0].metric
        return Advice(
            arm, "stop", "WB-M10", f"the planned units are in and {what} is undecided:"
            f" {_told(design, primary[0])}",
        )  # fmt: skip
    if design.coverage < 1 and guards and not unsure:
        return Advice(
            arm, "ramp up", "WB-M12",
            f"every guardrail holds at {design.coverage:.0%} of the units; {primary[0].metric} is"
            " still open",
        )  # fmt: skip
    return Advice(
        arm,
        "continue",
        "WB-M13",
        f"undecided: {primary[0].metric} {_told(design, primary[0])}",
    )


def _told(design: Design, row: PathRow) -> str:
    return shown(row, design.metrics[row.metric].kind)


def _too_small(metric: Metric, row: PathRow) -> bool:
    if metric.mde is None or row.state != "open":
        return False
    return (row.ci_upper if metric.higher_is_better else -row.ci_lower) < metric.mde


def _crossed(path: tuple[PathRow, ...], row: PathRow) -> bool:
    """Whether bounds of different looks exclude each other."""
    looks = [r for r in path if r.metric == row.metric and r.arm == row.arm]
    return max(r.ci_lower for r in looks) > min(r.ci_upper for r in looks)


def _margin(metric: Metric) -> str:
    margin = metric.margin or 0.0
    return (
        f"{margin:.2%} of the control"
        if metric.margin_scale == "relative"
        else figure_text(metric.kind, margin, signed=True).lstrip("+")
    )
