"""When to retrain: a stream in monthly blocks whose base rate drifts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import ks_2samp
from sklearn.linear_model import LogisticRegression

from workbench.data.brokerage import Brokerage
from workbench.data.brokerage.truth import true_snapshots
from workbench.errors import DataError
from workbench.evaluation.measured import Figure, Measured, measure
from workbench.features import linear_table
from workbench.scorers import Metric
from workbench.stats import log_losses, mean_interval, mean_statistic, roc_auc_statistic
from workbench.studies.moments import inputs_of, snapshots_of
from workbench.studies.result import TRUTH, Study

__all__ = ["behavioural_learning", "population_stability"]

_LABEL_DAYS = 90
_QUARTER = 3
_MIN_KNOWN, _MIN_POSITIVE, _MIN_NEW = 200, 20, 20
_NEVER, _MONTHLY = "never", "every month"
Vector = NDArray[np.float64]


def population_stability(reference: Vector, recent: Vector, *, n_bins: int = 10) -> float:
    """Population stability index of two samples of scores over the reference's quantile bins.

    Parameters
    ----------
    reference, recent : ndarray of shape (n,), (m,)
        Scores then and now.
    n_bins
        Bins of equal share in the reference.

    Returns
    -------
    float
        Sum over bins of the difference of shares times the log of their ratio; half an example is
        added to each bin. 0 for equal shares. Its null distribution depends on both sizes, so the
        customary 0.1 and 0.25 mean little.

    Examples
    --------
    >>> round(population_stability(np.arange(100.0), np.arange(100.0)), 6)
    0.0
    >>> population_stability(np.arange(100.0), np.arange(100.0) + 50) > 1
    True
    """
    edges = np.quantile(reference, np.linspace(0, 1, n_bins + 1)[1:-1])
    shares = []
    for sample in (reference, recent):
        counts = np.bincount(np.searchsorted(edges, sample), minlength=n_bins) + 0.5
        shares.append(counts / counts.sum())
    return float(((shares[1] - shares[0]) * np.log(shares[1] / shares[0])).sum())


class _Rows(NamedTuple):
    """One row a contact: inputs, label, truth, when asked (days) and in which month."""

    X: Vector
    y: NDArray[np.int64]
    truth: Vector
    at: Vector
    month: NDArray[np.int64]


@dataclass
class _Stream:
    """A stream and the models fitted on what was known at the start of each month."""

    rows: _Rows
    starts: Vector  # day each month starts
    scores: dict[int, Vector] = field(default_factory=dict)

    def known(self, month: int) -> NDArray[np.bool_]:
        """Rows whose answer is known at the start of a month."""
        return np.asarray(self.rows.at + _LABEL_DAYS <= self.starts[month])

    def logits(self, month: int) -> Vector:
        """Log-odds of all rows by the model of a month."""
        if month not in self.scores:
            known = self.known(month)
            model = LogisticRegression(C=0.02, max_iter=300)
            model.fit(self.rows.X[known], self.rows.y[known])
            self.scores[month] = np.asarray(model.decision_function(self.rows.X))
        return self.scores[month]

    def ready(self, month: int) -> bool:
        """Whether enough is known to fit a model."""
        known = self.known(month)
        return bool(known.sum() >= _MIN_KNOWN and self.rows.y[known].sum() >= _MIN_POSITIVE)


def _score_psi(stream: _Stream, trained: int, now: int) -> float:
    logits, last = stream.logits(trained), stream.rows.month == now - 1
    if last.sum() < _MIN_NEW:
        return 0.0
    return population_stability(logits[stream.known(trained)], logits[last])


def _score_ks(stream: _Stream, trained: int, now: int) -> float:
    logits, last = stream.logits(trained), stream.rows.month == now - 1
    if last.sum() < _MIN_NEW:
        return 0.0
    # Scaled, since months differ in size.
    size = np.sqrt(1 / last.sum() + 1 / stream.known(trained).sum())
    return float(ks_2samp(logits[stream.known(trained)], logits[last]).statistic / size)


def _calibration(stream: _Stream, trained: int, now: int) -> float:
    """How far outcomes that became known since training are from the predicted, in deviations."""
    new = stream.known(now) & ~stream.known(trained)
    if new.sum() < _MIN_NEW:
        return 0.0
    p = expit(stream.logits(trained)[new])
    return float(abs((stream.rows.y[new] - p).sum()) / np.sqrt((p * (1 - p)).sum()))


_ALARMS: Mapping[str, Callable[[_Stream, int, int], float]] = {
    "on PSI of scores": _score_psi,
    "on KS of scores": _score_ks,
    "on calibration drift": _calibration,
}


def behavioural_learning(
    crm: Brokerage,
    *,
    alarm_rate: float = 0.05,
    n_null: int = 20,
    n_resamples: int = 1000,
    random_state: int = 0,
) -> Study:
    """Compare when to retrain a model of conversion within 90 days, month by month.

    Schedules: never, every month, every quarter, and on an alarm: the population stability index
    or the Kolmogorov-Smirnov distance of last month's scores from those trained on, or outcomes
    that no longer match the predicted sums. An answer counts 90 days after the question. Thresholds
    come from streams with the moments shuffled, which cannot drift; the rate of false alarms is
    measured on other such streams.

    Parameters
    ----------
    crm
        The brokerage; each contact's first moment is used.
    alarm_rate
        Share of monthly looks at a stationary stream that may give an alarm.
    n_null
        Shuffled streams; half set the thresholds.
    n_resamples
        Of the bootstrap.
    random_state
        Seed of shuffles and bootstrap.

    Returns
    -------
    Study
        `details["schedules"]`: retrainings, false alarms, regret against retraining every month
        and against the truth, in nats over all judged examples; `details["by_month"]`: log loss.

    Raises
    ------
    DataError
        When there are too few months or examples, or fewer than 4 shuffled streams.
    """
    if n_null < 4:
        raise DataError(f"n_null is {n_null}", expected="4 or more", fix="raise it")
    rows, starts, names = _rows(crm)
    stream = _Stream(rows, starts)
    months = [m for m in range(len(starts)) if stream.ready(m)]
    if len(months) < 6:
        raise DataError(
            f"{len(months)} months with enough known answers",
            expected="6 or more", fix="simulate more leads",
        )  # fmt: skip
    shuffled = [_shuffled(rows, starts, random_state, k) for k in range(n_null)]
    limits = _limits(shuffled[: n_null // 2], alarm_rate)
    runs = {
        _NEVER: dict.fromkeys(months, months[0]),
        _MONTHLY: {month: month for month in months},
        "every quarter": _trained(months, lambda trained, now: now - trained >= _QUARTER),
        **{name: _alarmed(stream, months, name, limit) for name, limit in limits.items()},
    }
    false_alarms = {
        name: _false_alarms(shuffled[n_null // 2 :], name, limit) for name, limit in limits.items()
    }
    judged = np.flatnonzero(np.isin(rows.month, months))
    answers = {name: _answers(stream, judged, months, run) for name, run in runs.items()}
    answers[TRUTH] = rows.truth[judged]
    y = rows.y[judged]
    measured = _measured(y, answers, n_resamples, random_state)
    return Study(
        "behavioural_learning", "When should the model be retrained?", measured,
        int(stream.known(months[0]).sum()),
        details={
            "schedules": _schedules(runs, measured, false_alarms, limits, y, answers),
            "by_month": _by_month(rows, judged, answers, names),
        },
        notes=(
            "Every contact is one example, so that nobody is both learnt from and judged.",
            "Answers are 90 days late: no schedule can follow a drift sooner.",
        ),
    )  # fmt: skip


def _rows(crm: Brokerage) -> tuple[_Rows, Vector, list[str]]:
    frame = snapshots_of(crm)
    frame = frame[frame["conversion_likelihood"].notna()].drop_duplicates("contact_id")
    frame = frame.reset_index(drop=True)
    period = frame["as_of"].dt.to_period("M")
    first = period.min()
    month = (period - first).map(lambda offset: offset.n).to_numpy(dtype=np.int64)
    names = [str(first + k) for k in range(int(month.max()) + 1)]
    begin = pd.DatetimeIndex([(first + k).to_timestamp() for k in range(len(names))])
    origin = begin[0]
    starts = ((begin - origin) / pd.Timedelta(days=1)).to_numpy(dtype=np.float64)
    at = ((frame["as_of"] - origin) / pd.Timedelta(days=1)).to_numpy(dtype=np.float64)
    y = frame["conversion_likelihood"].to_numpy(dtype=np.int64)
    stream = _Stream(_Rows(np.zeros((len(y), 0)), y, at, at, month), starts)
    early = next((stream.known(m) for m in range(len(starts)) if stream.ready(m)), None)
    if early is None:
        raise DataError(
            f"{int(y.sum())} conversions among {len(y)} contacts",
            expected=f"{_MIN_POSITIVE} among {_MIN_KNOWN} before the last month",
            fix="simulate more leads",
        )
    # The encoding is learnt once, from what the first model is fitted on.
    inputs = inputs_of(frame[early])
    encoder = linear_table(text=False).fit(frame.loc[early, inputs])
    X = np.clip(np.asarray(encoder.transform(frame[inputs])), -6, 6)
    truth = true_snapshots(crm)["p_conversion_likelihood"].loc[frame["snapshot_id"]].to_numpy()
    return _Rows(X, y, truth, at, month), starts, names


def _shuffled(rows: _Rows, starts: Vector, random_state: int, number: int) -> _Stream:
    """Give every row another's moment: the same stream without any drift."""
    order = np.random.default_rng([random_state, number]).permutation(len(rows.y))
    moved = rows._replace(at=rows.at[order], month=rows.month[order])
    return _Stream(moved, starts)


def _months(stream: _Stream) -> list[int]:
    return [m for m in range(len(stream.starts)) if stream.ready(m)]


def _trained(months: list[int], due: Callable[[int, int], bool]) -> dict[int, int]:
    """Month in which the model used in each month was trained."""
    trained, used = months[0], {}
    for now in months:
        if now > months[0] and due(trained, now):
            trained = now
        used[now] = trained
    return used


def _alarmed(stream: _Stream, months: list[int], name: str, limit: float) -> dict[int, int]:
    statistic = _ALARMS[name]
    return _trained(months, lambda trained, now: statistic(stream, trained, now) > limit)


def _limits(streams: list[_Stream], alarm_rate: float) -> dict[str, float]:
    """Thresholds that a stationary stream exceeds in the given share of looks."""
    found = {}
    for name, statistic in _ALARMS.items():
        seen = [
            statistic(stream, months[0], now)
            for stream in streams
            for months in [_months(stream)]
            for now in months[1:]
        ]
        found[name] = float(np.quantile(seen, 1 - alarm_rate, method="higher"))
    return found


class _Rate(NamedTuple):
    rate: float
    ci_lower: float
    ci_upper: float


def _false_alarms(streams: list[_Stream], name: str, limit: float) -> _Rate:
    alarms, groups = [], []
    for number, stream in enumerate(streams):
        months = _months(stream)
        used = _alarmed(stream, months, name, limit)
        alarms += [float(used[now] == now) for now in months[1:]]
        groups += [number] * (len(months) - 1)
    found = mean_interval(alarms, groups=np.array(groups))
    return _Rate(found.estimate, max(found.ci_lower, 0.0), found.ci_upper)


def _answers(
    stream: _Stream, judged: NDArray[np.intp], months: list[int], used: Mapping[int, int]
) -> Vector:
    out = np.empty(len(stream.rows.y))
    for now in months:
        block = stream.rows.month == now
        out[block] = expit(stream.logits(used[now])[block])
    return np.clip(out[judged], 1e-6, 1 - 1e-6)


def _measured(
    y: NDArray[np.int64], answers: Mapping[str, Vector], n_resamples: int, random_state: int
) -> Measured:
    figures = [
        Figure(
            Metric("log_loss", "Log loss", False, "surprise at what happened"),
            lambda p: mean_statistic(log_losses(y, p)),
        ),
        Figure(
            Metric("roc_auc", "ROC AUC", True, "chance that a converting lead ranks higher"),
            lambda p: roc_auc_statistic(y, p),
        ),
        Figure(
            Metric("bias", "Observed less predicted", False, "mean outcome less prediction", "%"),
            lambda p: mean_statistic(y - p),
        ),
    ]
    return measure(
        answers, figures, n=len(y), baseline=_MONTHLY, n_resamples=n_resamples,
        random_state=random_state,
    )  # fmt: skip


def _schedules(
    runs: Mapping[str, Mapping[int, int]],
    measured: Measured,
    false_alarms: Mapping[str, _Rate],
    limits: Mapping[str, float],
    y: NDArray[np.int64],
    answers: Mapping[str, Vector],
) -> pd.DataFrame:
    n, truth = len(y), log_losses(y, answers[TRUTH])
    rows = []
    for name, used in runs.items():
        gain = measured.differences.get((name, "log_loss"))
        beyond = mean_interval(log_losses(y, answers[name]) - truth)
        alarm = false_alarms.get(name, _Rate(np.nan, np.nan, np.nan))
        rows.append(
            {
                "schedule": name, "retrainings": len(set(used.values())) - 1,
                "threshold": limits.get(name, np.nan), "false_alarm_rate": alarm.rate,
                "false_alarm_lower": alarm.ci_lower, "false_alarm_upper": alarm.ci_upper,
                "regret_to_monthly": 0.0 if gain is None else n * gain.difference,
                "regret_lower": 0.0 if gain is None else n * gain.ci_lower,
                "regret_upper": 0.0 if gain is None else n * gain.ci_upper,
                "regret_to_truth": n * beyond.estimate,
                "regret_to_truth_lower": n * beyond.ci_lower,
                "regret_to_truth_upper": n * beyond.ci_upper,
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def _by_month(
    rows: _Rows, judged: NDArray[np.intp], answers: Mapping[str, Vector], names: list[str]
) -> pd.DataFrame:
    losses = pd.DataFrame({name: log_losses(rows.y[judged], p) for name, p in answers.items()})
    by = losses.groupby(rows.month[judged])
    table = by.mean()
    table.insert(0, "n", by.size())
    table.insert(1, "converted", pd.Series(rows.y[judged]).groupby(rows.month[judged]).mean())
    table.insert(0, "month", [names[m] for m in table.index])
    return table.reset_index(drop=True)
