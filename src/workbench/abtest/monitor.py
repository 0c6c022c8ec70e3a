"""A running experiment, looked at as often as one likes without being fooled.

Intervals hold at all looks together, whoever looks and whenever; a group-sequential design has
its planned looks instead. Whether arms get their share is tested at every look too.
"""

import functools
import html
import math
from collections.abc import Mapping
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
from workbench.abtest.monitor_looks import Course, courses
from workbench.abtest.monitor_timeline import SRM_ALPHA, SampleRatioRow, Timeline, timeline
from workbench.abtest.monitor_values import value_courses
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
    for name in design.metrics:
        for treatment, course in _courses(line, name).items():
            path += _path(line.design, name, treatment, course, line)
    rows = tuple(path)
    alerts = alerts_of(design, rows, line.sample_ratio[-1].pvalue, SRM_ALPHA)
    advice = advise(design, rows, alerts, int(line.counted[-1]))
    return Monitoring(design, rows, line.sample_ratio, alerts, advice, line.n_units, line.n_strange)


def _courses(line: Timeline, name: str) -> Mapping[str, Course]:
    design = line.design
    if design.metrics[name].kind not in ("quantile", "time_to_event"):
        return courses(design, name, line.cut)
    level, n_opt = _level(design, name), _n_opt(design, line.counted)
    return value_courses(design, name, line.cut, level=level, n_opt=n_opt)


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
    own = _own_bounds(design, name, course)
    rows = []
    state: State = "too early"
    for i, moment in enumerate(line.moments):
        error = float(course.standard_error[i])
        low, high = judged = _ends(course.difference[i], critical[i], error)
        if relative:
            judged = _ends(course.lift[i], critical[i], course.lift_standard_error[i])
        if own is not None:
            low, high = judged = own[i][:2]
            if relative:
                judged = own[i][2:]
        state = state_of(metric, judged, state)
        rows.append(
            PathRow(
                i + 1, moment, int(course.n[i]), name, metric.role, treatment,
                float(course.control[i]), float(course.treatment[i]), float(course.difference[i]),
                float(low), float(high), error,
                float(course.difference[i] / error) if 0 < error < math.inf else math.nan,
                math.nan if own is not None else float(critical[i]), float(pvalue[i]), state,
            )
        )  # fmt: skip
    return rows


def _ends(centre: float, critical: float, error: float) -> tuple[float, float]:
    if not math.isfinite(error) or math.isinf(critical):
        return -math.inf, math.inf
    return float(centre - critical * error), float(centre + critical * error)


def _own_bounds(
    design: Design, name: str, course: Course
) -> list[tuple[float, float, float, float]] | None:
    """Bounds of a quantile and of its lift; None where those of the boundary are used."""
    if not course.bounds or _has_boundary(design, name):
        return None
    nothing = -math.inf, math.inf, -math.inf, math.inf
    return [
        nothing if b is None else (b.ci_lower, b.ci_upper, b.lift_lower, b.lift_upper)
        for b in course.bounds
    ]


def _has_boundary(design: Design, name: str) -> bool:
    """Whether planned looks decide a metric: all others are watched by always-valid bounds."""
    primary = design.metrics[name].role == "primary"
    return primary and isinstance(design.sequential, GroupSequential)


def _level(design: Design, name: str) -> float:
    role = design.metrics[name].role
    family = 1 if design.multiplicity == "none" else design.n_comparisons(role)
    return simultaneous_confidence_level(1 - design.alpha, family)


def _n_opt(design: Design, counted: NDArray[np.intp]) -> float:
    """Units of two arms at which always-valid bounds are tightest."""
    if isinstance(design.sequential, AlwaysValid) and design.sequential.n_opt is not None:
        return float(design.sequential.n_opt)
    shares = design.shares
    two = min(shares.values()) + shares[design.control]
    return float(max(math.ceil((design.planned_units or int(counted[-1])) * two), 1))


def _critical(
    design: Design, name: str, course: Course, counted: NDArray[np.intp]
) -> tuple[Vector, Vector]:
    """Half-width of the interval in standard errors, and the always-valid p-value."""
    plan, level = design.sequential, _level(design, name)
    if isinstance(plan, GroupSequential) and _has_boundary(design, name):
        share = np.minimum(counted / (design.planned_units or counted[-1]), 1.0)
        bound = np.full(share.size, np.inf)
        new = np.concatenate([[True], np.diff(share) > 0])
        bound[new] = _boundary(tuple(share[new].tolist()), 1 - level, plan)
        return bound, np.full(share.size, np.nan)
    if course.bounds:
        p = [1.0 if b is None else b.pvalue for b in course.bounds]
        return np.full(len(p), np.nan), np.minimum.accumulate(np.array(p))
    finite = np.isfinite(course.standard_error)
    n, n_opt = np.maximum(course.followed, 1.0), _n_opt(design, counted)
    sequence = asymptotic_confidence_sequence(
        np.where(finite, course.difference, 0.0),
        np.where(finite, course.standard_error, np.inf),
        n,
        n_opt=n_opt,
        confidence_level=level,
    )
    unit = asymptotic_confidence_sequence(
        np.zeros(n.size), np.ones(n.size), n, n_opt=n_opt, confidence_level=level
    )
    return unit.ci_upper, np.minimum.accumulate(sequence.pvalue)


@functools.lru_cache(maxsize=64)
def _boundary(shares: tuple[float, ...], alpha: float, plan: GroupSequential) -> Vector:
    """The same looks serve every comparison of a role."""
    return spending_boundary(shares, alpha=alpha, spending=plan.spending, parameter=plan.parameter)
