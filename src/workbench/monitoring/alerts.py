"""Alerts: rules judged on the bound of an interval, as gates are; and drift."""

import html
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd

from workbench.monitoring.alert_spec import AlertRule, AlertSpec, read_alert_spec
from workbench.monitoring.calibration import calibration_fit
from workbench.monitoring.drift import DriftReport, drift
from workbench.monitoring.drift_html import drift_html, told
from workbench.monitoring.watched import Watched, watch
from workbench.settings import Settings
from workbench.stats import (
    Estimate,
    mean_interval,
    proportion_interval,
    quantile_interval,
    sample_size_to_decide,
)

__all__ = ["Alert", "AlertReport", "AlertStanding", "check_alerts", "judge_alerts"]

AlertStanding: TypeAlias = Literal["fires", "quiet", "cannot tell"]
_QUANTILE = 0.95
_MOST_NEEDED = 100_000_000
_NAMED = 5


@dataclass(frozen=True, slots=True)
class Alert:
    """One rule and what became of it.

    Parameters
    ----------
    figure, rule
        What it is about, and the rule in words.
    standing
        "fires" when the whole interval is beyond the bound, "quiet" when none of it is, else
        "cannot tell".
    estimate, ci_lower, ci_upper, n
        Of the figure; of drift, the number of columns that alarm.
    note
        One sentence; empty where the numbers say it all.
    """

    figure: str
    rule: str
    standing: AlertStanding
    estimate: float
    ci_lower: float
    ci_upper: float
    n: int
    note: str


@dataclass(frozen=True)
class AlertReport:
    """Every alert of one spec.

    Parameters
    ----------
    name, arm
        Of the spec, and whose scores.
    alerts
        In the spec's order, drift last.
    drift
        The report behind the alert on drift, if there is one.
    simulated
        Whether the answers watched were simulated.
    """

    name: str
    arm: str
    alerts: tuple[Alert, ...]
    drift: DriftReport | None
    simulated: bool

    @property
    def firing(self) -> tuple[Alert, ...]:
        """Alerts that ring."""
        return tuple(a for a in self.alerts if a.standing == "fires")

    def to_frame(self) -> pd.DataFrame:
        """One row an alert."""
        return pd.DataFrame([asdict(alert) for alert in self.alerts])

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "name": self.name,
            "arm": self.arm,
            "simulated": self.simulated,
            "fires": bool(self.firing),
            "alerts": [asdict(alert) for alert in self.alerts],
            "drift": None if self.drift is None else self.drift.to_frame().to_dict("records"),
        }

    def to_markdown(self) -> str:
        """Write the alerts as a Markdown table."""
        head = "| rule | standing | figure | n | note |\n|---|---|---|---|---|"
        lines = [
            f"| {a.rule} | {a.standing} | {_figure(a)} | {a.n:,} | {a.note} |" for a in self.alerts
        ]
        return "\n".join([f"{self.name}: {self.arm}\n", head, *lines])

    def _repr_html_(self) -> str:
        colours = {"fires": "rgba(194,65,12,.3)", "quiet": "rgba(22,101,52,.12)"}
        rows = "".join(
            f"<tr style='background:{colours.get(a.standing, 'rgba(202,138,4,.15)')}'>"
            + "".join(
                f"<td>{html.escape(cell)}</td>"
                for cell in (a.rule, a.standing, _figure(a), f"{a.n:,}", a.note)
            )
            + "</tr>"
            for a in self.alerts
        )
        n = len(self.firing)
        headline = f"{n} of {len(self.alerts)} alerts fire" if n else "No alert fires"
        note = " · <b>simulated answers: nothing here is Claude's</b>" if self.simulated else ""
        below = "" if self.drift is None else drift_html(self.drift)
        return (
            f"<p><b>{headline}</b> · {html.escape(self.arm)}{note}</p><table><thead><tr><th>Rule"
            "</th><th>Standing</th><th>Figure</th><th>n</th><th></th></tr></thead>"
            f"<tbody>{rows}</tbody></table>{below}"
        )


def check_alerts(path: str | Path, *, settings: Settings | None = None) -> AlertReport:
    """Get the rows an alert spec names and judge every rule.

    Parameters
    ----------
    path
        The spec.
    settings
        Where things are; from the environment when omitted.

    Raises
    ------
    WorkbenchError
        When the spec, a run, a table or a data set is wrong.
    """
    path = Path(path)
    spec = read_alert_spec(path)
    return judge_alerts(spec, watch(spec, path.parent, settings or Settings.from_env()))


def judge_alerts(spec: AlertSpec, watched: Watched) -> AlertReport:
    """Judge every rule of a spec on rows.

    Parameters
    ----------
    spec
        The rules; its source is not looked at.
    watched
        The rows.

    Returns
    -------
    AlertReport

    Raises
    ------
    DataError
        When columns cannot be compared, or a label or score is malformed.
    """
    alerts = [_judge(rule, spec, watched) for rule in spec.rules]
    report = None
    if spec.drift is not None and watched.reference is not None:
        report = _drift(spec, watched.reference, watched.current)
        alerts.append(_drift_alert(report))
    return AlertReport(spec.name, watched.arm, tuple(alerts), report, watched.simulated)


def _judge(rule: AlertRule, spec: AlertSpec, watched: Watched) -> Alert:
    nan = math.nan
    if rule.figure in spec.given:
        value = float(spec.given[rule.figure])
        found = Estimate(value, value, value, 0.0, 1, None, spec.confidence_level, "given")
    else:
        found = _MEASURES[rule.figure](watched.current, spec.confidence_level)
    if found.n == 0:
        return Alert(
            rule.figure, rule.describe(), "cannot tell", nan, nan, nan, 0,
            "not measured: the rows do not hold it, and it is not given",
        )  # fmt: skip
    if watched.simulated:
        return Alert(
            rule.figure, rule.describe(), "cannot tell", found.estimate, found.ci_lower,
            found.ci_upper, found.n, "the answers were simulated: this is not Claude's figure",
        )  # fmt: skip
    low, high = rule.bounds
    if found.ci_lower > high or found.ci_upper < low:
        standing: AlertStanding = "fires"
    elif low <= found.ci_lower and found.ci_upper <= high:
        standing = "quiet"
    else:
        standing = "cannot tell"
    notes = [_more(rule, found)] if standing == "cannot tell" else []
    if found.method == "given":
        notes.append("given, not measured")
    if rule.figure == "accuracy_pct" and watched.ceiling is not None:
        reach = 100 * watched.ceiling
        if rule.below is not None and rule.below > reach:
            notes.append(
                f"{rule.below:g} % lies above the ceiling: the true probabilities reach "
                f"{reach:.1f} % here, so this alarm says nothing about the model"
            )
    return Alert(
        rule.figure, rule.describe(), standing, found.estimate, found.ci_lower, found.ci_upper,
        found.n, "; ".join(n for n in notes if n),
    )  # fmt: skip


def _more(rule: AlertRule, found: Estimate) -> str:
    low, high = rule.bounds
    bounds = [b for b in (low, high) if math.isfinite(b)]
    if not math.isfinite(found.estimate) or not bounds:
        return ""
    near = min(bounds, key=lambda b: abs(found.estimate - b))
    above = found.estimate > near
    half = found.estimate - found.ci_lower if above else found.ci_upper - found.estimate
    needed = sample_size_to_decide(found.n, half, found.estimate - near)
    if needed is None or needed > _MOST_NEEDED:
        return ""
    return f"about {needed:,} rows would decide, if the figure stayed what it is"


def _groups(rows: pd.DataFrame) -> Any:
    return rows["group"].to_numpy() if "group" in rows else None


def _nothing(level: float) -> Estimate:
    nan = math.nan
    return Estimate(nan, nan, nan, nan, 0, None, level, "not measured")


def _quantile_of(column: str) -> Callable[[pd.DataFrame, float], Estimate]:
    def measure(rows: pd.DataFrame, level: float) -> Estimate:
        values = rows[column].dropna().to_numpy(dtype=float) if column in rows else np.empty(0)
        if not len(values):
            return _nothing(level)
        return quantile_interval(values, _QUANTILE, confidence_level=level)

    return measure


def _rate(happened: Any, rows: pd.DataFrame, level: float) -> Estimate:
    values, groups = np.asarray(happened, dtype=float), _groups(rows)
    if groups is None:
        found = proportion_interval(int(values.sum()), len(values), confidence_level=level)
    elif values.min() == values.max():
        # Without any spread a robust error is 0: count each group once instead.
        n_groups = len(np.unique(groups))
        found = proportion_interval(
            int(values[0]) * n_groups, n_groups, confidence_level=level
        )._replace(n=len(values), n_groups=n_groups)
    else:
        found = mean_interval(values, groups=groups, confidence_level=level)
    return found._replace(
        estimate=100 * found.estimate, ci_lower=max(100 * found.ci_lower, 0.0),
        ci_upper=min(100 * found.ci_upper, 100.0), standard_error=100 * found.standard_error,
    )  # fmt: skip


def _errors(rows: pd.DataFrame, level: float) -> Estimate:
    return _rate(rows["error"], rows, level) if "error" in rows else _nothing(level)


def _successes(rows: pd.DataFrame, level: float) -> Estimate:
    return _rate(~rows["error"].astype(bool), rows, level) if "error" in rows else _nothing(level)


def _judged(rows: pd.DataFrame) -> pd.DataFrame:
    if "proba" not in rows or "y" not in rows:
        return rows.iloc[:0]
    return rows[rows["y"].notna() & rows["proba"].notna()]


def _accuracy(rows: pd.DataFrame, level: float) -> Estimate:
    known = _judged(rows)
    if not len(known):
        return _nothing(level)
    right = (known["proba"] > 0.5) == (known["y"] == 1)
    if "error" in known:
        right &= ~known["error"].astype(bool)
    return _rate(right, known, level)


def _calibration(part: str) -> Callable[[pd.DataFrame, float], Estimate]:
    def measure(rows: pd.DataFrame, level: float) -> Estimate:
        known = _judged(rows)
        if "error" in known:
            known = known[~known["error"].astype(bool)]
        if not len(known):
            return _nothing(level)
        fit = calibration_fit(
            known["y"].to_numpy(float), known["proba"].to_numpy(float), groups=_groups(known),
            confidence_level=level,
        )  # fmt: skip
        found: Estimate = getattr(fit, part)
        return found

    return measure


_MEASURES: dict[str, Callable[[pd.DataFrame, float], Estimate]] = {
    "response_time_ms": _quantile_of("latency_ms"),
    "queue_depth": _quantile_of("queue_depth"),
    "success_rate_pct": _successes,
    "error_rate_pct": _errors,
    "accuracy_pct": _accuracy,
    "calibration_in_the_large": _calibration("intercept"),
    "calibration_slope": _calibration("slope"),
}


def _drift(spec: AlertSpec, reference: pd.DataFrame, current: pd.DataFrame) -> DriftReport:
    rule = spec.drift
    if rule is None:
        raise ValueError("the spec has no rule on drift")
    # What is measured rather than fed in is judged by rules of its own.
    beside = ["latency_ms", "queue_depth", "error", "as_of"]
    before, now = (f.drop(columns=beside, errors="ignore") for f in (reference, current))
    both = {"proba", "y"} <= set(before) & set(now)
    if both:
        before, now = _judged(before), _judged(now)
    grouped = "group" in before and "group" in now
    return drift(
        before, now, columns=rule.columns, score="proba" if both else None,
        label="y" if both else None, groups="group" if grouped else None, alpha=rule.alpha,
        n_permutations=rule.n_permutations, random_state=rule.random_state,
    )  # fmt: skip


def _drift_alert(report: DriftReport) -> Alert:
    alarms = report.alarms
    if alarms:
        named = ", ".join(
            f"{c.name} ({told(c.change, c.unit, signed=True)})" for c in alarms[:_NAMED]
        )
        more = f" and {len(alarms) - _NAMED} more" if len(alarms) > _NAMED else ""
        note = f"{named}{more}"
    else:
        blind = sum(math.isinf(c.minimum_change) for c in report.columns)
        note = f"chance of any false alarm {report.alpha:.1%}" + (
            f"; {blind} columns could not have shown any change at this size" if blind else ""
        )
    if report.skipped:
        note += f"; not looked at: {', '.join(f'{s.name} ({s.reason})' for s in report.skipped)}"
    count = float(len(alarms) + len(report.lost))
    return Alert(
        "drift", f"any of {len(report.columns)} columns drifts", "fires" if count else "quiet",
        count, count, count, report.n_current, note,
    )  # fmt: skip


def _figure(alert: Alert) -> str:
    if math.isnan(alert.estimate):
        return "–"
    if alert.ci_lower == alert.ci_upper:
        return f"{alert.estimate:.4g}"
    return f"{alert.estimate:.4g} [{alert.ci_lower:.4g}, {alert.ci_upper:.4g}]"
