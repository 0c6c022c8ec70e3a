"""A running experiment, looked at as often as one likes without being fooled.

Intervals hold at all looks together, whoever looks and whenever; a group-sequential design has
its planned looks instead. Whether arms get their share is tested at every look too.
"""

import functools
import html
import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from workbench.abtest.design import AlwaysValid, Design, GroupSequential
from workbench.abtest.monitor_advice import (
    Advice,
    Alert,
    PathRow,
    State,
    advise,
    alerts_of,
    state_of,
)
from workbench.abtest.monitor_looks import Course, courses, monitored
from workbench.abtest.monitor_timeline import SRM_ALPHA, SampleRatioRow, Timeline, timeline
from workbench.stats import (
    asymptotic_confidence_sequence,
    simultaneous_confidence_level,
    spending_boundary,
)

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Monitoring", "monitor"]

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Monitoring:
    """The state of an experiment at its last look, and how it got there.

    Parameters
    ----------
    design
        What was registered.
    path
        Every metric × treatment × look.
    sample_ratio
        The check of the arms' shares at every look.
    alerts
        What there is to say, gravest first, each with its code.
    advice
        One for each treatment.
    unmonitored
        Metrics that are not followed over time, such as quantiles.
    n_units
        Units exposed so far.
    n_strange
        Rows left out because the design does not know their arm.
    """

    design: Design
    path: tuple[PathRow, ...]
    sample_ratio: tuple[SampleRatioRow, ...]
    alerts: tuple[Alert, ...]
    advice: tuple[Advice, ...]
    unmonitored: tuple[str, ...]
    n_units: int
    n_strange: int

    @property
    def alarm(self) -> bool:
        """Whether arms do not get their share, or a guardrail is broken."""
        return any(f.severity == "alarm" for f in self.alerts)

    @property
    def looks(self) -> int:
        """How many looks there were."""
        return len(self.sample_ratio)

    def course(self, metric: str, arm: str) -> tuple[PathRow, ...]:
        """The looks of one comparison, in order.

        Parameters
        ----------
        metric, arm
            What is compared.

        Raises
        ------
        KeyError
            If it is not followed.
        """
        rows = tuple(r for r in self.path if r.metric == metric and r.arm == arm)
        if not rows:
            raise KeyError((metric, arm))
        return rows

    def latest(self) -> tuple[PathRow, ...]:
        """The last look of every comparison."""
        return tuple(r for r in self.path if r.look == self.looks)

    def to_frame(self) -> "pd.DataFrame":
        """The path: one row a metric, treatment and look."""
        import pandas as pd

        return pd.DataFrame(self.path, columns=PathRow._fields)

    def to_dict(self) -> dict[str, Any]:
        """What machines need: advice, alerts, the last look, the shares."""
        last = self.sample_ratio[-1]
        return {
            "experiment": self.design.name,
            "alarm": self.alarm,
            "n_units": self.n_units,
            "looks": self.looks,
            "advice": [a._asdict() for a in self.advice],
            "alerts": [f._asdict() for f in self.alerts],
            "latest": [r._asdict() | {"at": str(r.at)} for r in self.latest()],
            "sample_ratio": {
                "counts": dict(zip(self.design.arms, last.counts, strict=True)),
                "shares": dict(self.design.shares),
                "pvalue": last.pvalue,
            },
            "unmonitored": list(self.unmonitored),
        }

    def to_markdown(self) -> str:
        """The state in a few lines."""
        last = self.sample_ratio[-1]
        lines = [f"**{self.design.name}**, look {self.looks} ({last.at}), {self.n_units:,} units"]
        lines += [f"- {a.arm}: **{a.action}** ({a.code}). {a.reason}." for a in self.advice]
        lines += [f"- {f.code} {f.severity}: {f.text}." for f in self.alerts]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        advice = "".join(
            f"<tr><th scope='row'>{html.escape(a.arm)}</th><td><b>{html.escape(a.action)}</b></td>"
            f"<td><code>{a.code}</code> {html.escape(a.reason)}</td></tr>"
            for a in self.advice
        )
        found = "".join(
            f"<li class='caveat {'grave' if f.severity == 'alarm' else f.severity}'>"
            f"<code>{f.code}</code> {html.escape(f.text)}</li>"
            for f in self.alerts
        )
        last = self.sample_ratio[-1]
        return (
            f"<p><b>{html.escape(self.design.name)}</b>: look {self.looks}"
            f" ({html.escape(str(last.at))}), {self.n_units:,} units.</p>"
            "<div class='scroll'><table class='wb wide-last'><thead><tr><th>Arm</th><th>Advice</th>"
            f"<th>Why</th></tr></thead><tbody>{advice}</tbody></table></div>"
            f"<ul class='caveats'>{found}</ul>"
        )


def monitor(
    design: Design,
    data: Any,
    *,
    as_of: datetime | None = None,
    arm: str = "arm",
    exposed_at: str = "exposed_at",
    every_days: float = 1.0,
) -> Monitoring:
    """Look at an experiment after every day.

    Parameters
    ----------
    design
        The design. With always-valid looks its bounds hold at all looks together. With
        group-sequential looks the path has those, reached so far, and their boundary. With a
        single look at the end the path is shown with always-valid bounds, which guard against
        harm, and nothing is won before the end.
    data
        A DataFrame or files with one row a unit (metrics with their whole window), or an
        `EventStore`.
    as_of
        Moment of the last look; now when omitted.
    arm, exposed_at
        Columns of a table: the arm, and the time of exposure with its zone.
    every_days
        Days between looks.

    Returns
    -------
    Monitoring

    Raises
    ------
    DataError
        If there are no units, a column is missing or malformed, or times have no zone.

    Notes
    -----
    With `window_days` a unit counts from the look at which its window is over, so that early
    looks are not full of units whose outcome is still to come. Comparisons of one role are
    corrected together (Bonferroni: the intervals hold together).

    References
    ----------
    See `stats.asymptotic_confidence_sequence`, `stats.spending_boundary` (with repeated
    intervals: Jennison & Turnbull (1989), JRSS B 51:305-361), `stats.sequential_sample_ratio`.

    Examples
    --------
    >>> from workbench.abtest.simulate import simulate
    >>> design = Design.model_validate({"name": "coaching", "planned_units": 20000,
    ...     "sequential": {"kind": "always_valid"},
    ...     "arms": {"empathetic": 1, "consultative": 1},
    ...     "metrics": {"converted": {"kind": "proportion", "role": "primary"}}})
    >>> found = simulate(n_leads=5000, arms=design.arms, random_state=1)
    >>> state = monitor(design, found.leads, arm="strategy")
    >>> state.looks, state.advice[0].action
    (28, 'continue')
    """
    moment = datetime.now(UTC) if as_of is None else as_of
    line = timeline(
        design, data, as_of=moment, arm=arm, exposed_at=exposed_at, every_days=every_days
    )
    path: list[PathRow] = []
    names = [name for name, metric in design.metrics.items() if monitored(metric)]
    for name in names:
        for treatment, course in courses(line.design, name, line.cut).items():
            path += _path(line.design, name, treatment, course, line)
    rows = tuple(path)
    alerts = alerts_of(design, rows, line.sample_ratio[-1].pvalue, SRM_ALPHA)
    advice = advise(design, rows, alerts, int(line.counted[-1]))
    unmonitored = tuple(name for name in design.metrics if name not in names)
    return Monitoring(
        design, rows, line.sample_ratio, alerts, advice, unmonitored, line.n_units, line.n_strange
    )


def _path(
    design: Design,
    name: str,
    treatment: str,
    course: Course,
    line: Timeline,
) -> list[PathRow]:
    metric = design.metrics[name]
    relative = metric.role == "guardrail" and metric.margin_scale == "relative"
    critical, pvalue = _critical(design, name, course, line.counted)
    half = np.where(np.isfinite(course.standard_error), critical * course.standard_error, np.inf)
    rows = []
    state: State = "too early"
    for i, moment in enumerate(line.moments):
        low, high = (
            (-math.inf, math.inf)
            if math.isinf(half[i])
            else (course.difference[i] - half[i], course.difference[i] + half[i])
        )
        judged = low, high
        if relative:
            reach = critical[i] * course.lift_standard_error[i]
            judged = course.lift[i] - reach, course.lift[i] + reach
        state = state_of(metric, judged, state)
        error = float(course.standard_error[i])
        rows.append(
            PathRow(
                i + 1, moment, int(course.n[i]), name, metric.role, treatment,
                float(course.control[i]), float(course.treatment[i]), float(course.difference[i]),
                float(low), float(high), error,
                float(course.difference[i] / error) if 0 < error < math.inf else math.nan,
                float(critical[i]), float(pvalue[i]), state,
            )
        )  # fmt: skip
    return rows


def _critical(
    design: Design, name: str, course: Course, counted: NDArray[np.intp]
) -> tuple[Vector, Vector]:
    """Half-width of the interval in standard errors, and the always-valid p-value."""
    metric, plan = design.metrics[name], design.sequential
    family = 1 if design.multiplicity == "none" else design.n_comparisons(metric.role)
    level = simultaneous_confidence_level(1 - design.alpha, family)
    if isinstance(plan, GroupSequential) and metric.role == "primary":
        share = np.minimum(counted / (design.planned_units or counted[-1]), 1.0)
        bound = np.full(share.size, np.inf)
        new = np.concatenate([[True], np.diff(share) > 0])
        bound[new] = _boundary(tuple(share[new].tolist()), 1 - level, plan)
        return bound, np.full(share.size, np.nan)
    best = plan.n_opt if isinstance(plan, AlwaysValid) else None
    if best is None:
        shares = design.shares
        two = min(shares.values()) + shares[design.control]
        best = math.ceil((design.planned_units or float(course.n[-1])) * two)
    finite = np.isfinite(course.standard_error)
    sequence = asymptotic_confidence_sequence(
        np.where(finite, course.difference, 0.0),
        np.where(finite, course.standard_error, np.inf),
        np.maximum(course.n, 1.0),
        n_opt=max(float(best), 1.0),
        confidence_level=level,
    )
    unit = asymptotic_confidence_sequence(
        np.zeros(course.n.size), np.ones(course.n.size), np.maximum(course.n, 1.0),
        n_opt=max(float(best), 1.0), confidence_level=level,
    )  # fmt: skip
    return unit.ci_upper, np.minimum.accumulate(sequence.pvalue)


@functools.lru_cache(maxsize=64)
def _boundary(shares: tuple[float, ...], alpha: float, plan: GroupSequential) -> Vector:
    """The same looks serve every comparison of a role."""
    return spending_boundary(shares, alpha=alpha, spending=plan.spending, parameter=plan.parameter)
