"""Early warning: how soon it is noticed that a lead slipped, at a fixed rate of false alarms."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from workbench.data.brokerage import Brokerage
from workbench.data.brokerage.truth import true_risk
from workbench.evaluation.measured import Figure, measure
from workbench.predictors import BoostedClassifier
from workbench.scorers import Metric
from workbench.stats import Statistic, restricted_mean
from workbench.studies.moments import parted
from workbench.studies.result import Study

__all__ = ["early_warning"]

_WINDOW_WEEKS = 8  # a slip that is not noticed by then is missed
_AHEAD_WEEKS = 4  # the model foresees silence of so long
_EWMA, _CUSUM_SLACK = 0.3, 0.5
_RANDOM = "random weeks"
_STAGE, _MODEL, _TOLD = "time in stage", "model of silence", "model told of past slips"
# What is counted a week; the lead's own doings first.
_KINDS: Mapping[str, tuple[str, ...]] = {
    "visits": ("visit",),
    "views": ("listing_view",),
    "opened": ("email_opened",),
    "answered": ("email_replied", "sms_replied", "call_answered"),
    "came": ("form_submitted", "call_received"),
    "asked": ("email_sent", "sms_sent", "call_made"),
}
_OWN = 5  # of those, how many are the lead's own doing
Matrix = NDArray[np.float64]


class _Watch(NamedTuple):
    """Leads watched from their first viewing to `_WINDOW_WEEKS` after their first slip.

    Attributes
    ----------
    leads
        One row a lead: `lead_id`, `contact_id`, `as_of` (when watching starts), `created_at`.
    first, slip, last
        Weeks of the lead's life: watched from, slipped in (-1: never), watched to (included).
    counts
        What was on record by the end of each week, (n_leads, n_weeks, n_kinds).
    """

    leads: pd.DataFrame
    first: NDArray[np.int64]
    slip: NDArray[np.int64]
    last: NDArray[np.int64]
    counts: Matrix

    @property
    def weeks(self) -> NDArray[np.int64]:
        """Numbers of the weeks, (1, n_weeks)."""
        return np.arange(self.counts.shape[1])[None, :]

    @property
    def clean(self) -> NDArray[np.bool_]:
        """Weeks watched before the slip, (n_leads, n_weeks)."""
        until = np.where(self.slip < 0, self.last + 1, self.slip)[:, None]
        return np.asarray((self.weeks >= self.first[:, None]) & (self.weeks < until))

    @property
    def slipped(self) -> NDArray[np.bool_]:
        """Weeks watched from the slip on, (n_leads, n_weeks)."""
        since = (self.slip >= 0)[:, None] & (self.weeks >= self.slip[:, None])
        return np.asarray(since & (self.weeks <= self.last[:, None]))


class _Outcome(NamedTuple):
    """What a detector did, one number a lead; `weeks_to` counts the slipped week as 1."""

    slips: Matrix
    detected: Matrix
    clean_weeks: Matrix
    false_alarms: Matrix
    weeks_to: Matrix


def early_warning(
    crm: Brokerage,
    *,
    false_alarms_per_week: float = 0.02,
    n_resamples: int = 1000,
    random_state: int = 0,
) -> Study:
    """Compare detectors of a lead that slips: steps back in the funnel, or falls asleep.

    A lead is watched every week from its first viewing. Detectors: weeks since then, the salesman's
    clock; weeks of silence (the livelier lead first); EWMA (Roberts 1959) and CUSUM (Page 1954) of
    the lead's activity against its own past; a model that foresees four silent weeks from weekly
    counts, and the EWMA of its rise over the lead's own past; weeks picked at random. Each one's
    threshold is set on earlier leads so that it warns in a given share of the weeks in which
    nothing has happened yet. The model learns from silence, which is on record. A second model is
    told which leads slipped before: no brokerage knows that, and it is the mark to reach.

    Parameters
    ----------
    crm
        The brokerage.
    false_alarms_per_week
        Share of the weeks before a slip with a warning, in (0, 1).
    n_resamples
        Of the bootstrap over leads.
    random_state
        Seed of the model, the random weeks and the bootstrap.

    Returns
    -------
    Study
        `details["delay"]`: mean weeks until the warning, up to 8, by Kaplan and Meier: a lead that
        closes before it is warned of is censored; and, since a threshold need not keep its rate of
        false alarms, the share noticed were thresholds set on the judged weeks themselves.

    Raises
    ------
    DataError
        When too few leads reach a viewing.
    """
    watch = _watch(crm)
    parts = parted(watch.leads.assign(row=np.arange(len(watch.leads))))
    train, test = (part["row"].to_numpy() for part in (parts.train, parts.test))
    past = _before(_take(watch, train), parts.cut)
    judged = _take(watch, test)
    learnt, asked = _statistics(past, judged, random_state)
    limits = {name: _limit(s[past.clean], false_alarms_per_week) for name, s in learnt.items()}
    outcomes = {name: _outcome(judged, asked[name] > limits[name]) for name in limits}
    equal = {
        name: _outcome(judged, s > _limit(s[judged.clean], false_alarms_per_week))
        for name, s in asked.items()
    }
    measured = measure(
        outcomes, _FIGURES, n=len(test), baseline=_RANDOM,
        groups=judged.leads["contact_id"].to_numpy(), n_resamples=n_resamples,
        random_state=random_state,
    )  # fmt: skip
    return Study(
        "early_warning", "How soon is it noticed that a lead slips?", measured, len(train),
        details={"delay": _delays(judged, outcomes, limits, equal)},
        notes=(
            f"{int((judged.slip >= 0).sum()):,} of {len(test):,} leads watched slip; only the "
            "first slip of each counts.",
            "Which leads reached a viewing, and when they slipped, is the simulation's truth.",
            "Leads that buy or are lost leave, those that slip stay: time alone tells much.",
        ),
    )  # fmt: skip


def _watch(crm: Brokerage) -> _Watch:
    risk = true_risk(crm)
    slips = risk[risk["slipped"]].groupby("lead_id")["week"].min()
    spans = risk.groupby("lead_id")["week"].agg(["min", "max"])
    leads = crm.frame("leads", columns=["lead_id", "contact_id", "created_at"])
    leads = leads[leads["lead_id"].isin(spans.index)].reset_index(drop=True)
    ids = leads["lead_id"]
    first = spans.loc[ids, "min"].to_numpy(dtype=np.int64)
    slip = slips.reindex(ids).fillna(-1).to_numpy(dtype=np.int64)
    last = spans.loc[ids, "max"].to_numpy(dtype=np.int64)
    last = np.where(slip >= 0, np.minimum(last, slip + _WINDOW_WEEKS - 1), last)
    leads["as_of"] = leads["created_at"] + pd.to_timedelta(7 * first, unit="D")
    return _Watch(leads, first, slip, last, _counts(crm, leads, int(last.max()) + 1))


def _counts(crm: Brokerage, leads: pd.DataFrame, n_weeks: int) -> Matrix:
    """Count events by the week in which they came on record, which may be a later one."""
    events = crm.frame("events", columns=["lead_id", "recorded_at", "kind"])
    place = pd.Series(np.arange(len(leads)), index=leads["lead_id"])
    events = events[events["lead_id"].isin(place.index)]
    row = place.loc[events["lead_id"]].to_numpy()
    since = events["recorded_at"].to_numpy() - leads["created_at"].to_numpy()[row]
    week = since // np.timedelta64(7, "D")
    code_of = {kind: k for k, kinds in enumerate(_KINDS.values()) for kind in kinds}
    code = events["kind"].map(code_of).to_numpy(dtype=np.int64)
    kept = (week >= 0) & (week < n_weeks)
    shape = (len(leads), n_weeks, len(_KINDS))
    flat = np.ravel_multi_index((row[kept], week[kept].astype(np.int64), code[kept]), shape)
    counted = np.bincount(flat, minlength=int(np.prod(shape))).reshape(shape)
    return np.asarray(counted, dtype=np.float64)


def _take(watch: _Watch, rows: NDArray[np.int64]) -> _Watch:
    leads = watch.leads.iloc[rows].reset_index(drop=True)
    first, slip, last = (numbers[rows] for numbers in (watch.first, watch.slip, watch.last))
    return _Watch(leads, first, slip, last, watch.counts[rows])


def _before(watch: _Watch, cut: pd.Timestamp) -> _Watch:
    """Watch only weeks that ended before a moment."""
    ended = (cut - watch.leads["created_at"]) // pd.Timedelta(days=7)
    last = np.minimum(watch.last, ended.to_numpy(dtype=np.int64) - 1)
    return watch._replace(last=last, slip=np.where(watch.slip > last, -1, watch.slip))


def _statistics(
    past: _Watch, judged: _Watch, random_state: int
) -> tuple[dict[str, Matrix], dict[str, Matrix]]:
    """Every detector's statistic a week, (n_leads, n_weeks), of past and of judged leads."""
    own = past.counts[:, :, :_OWN].sum(axis=2)
    usual = float(own[past.clean].mean())
    silent = _foreseen(past, judged, _silent_ahead, random_state)
    told = _foreseen(past, judged, _slipped_by_now, random_state)
    level = float(silent[0][past.clean].mean())
    made = []
    for part, watch in enumerate((past, judged)):
        drop = _drop(watch.counts[:, :, :_OWN].sum(axis=2), usual)
        rng = np.random.default_rng([random_state, part])
        made.append(
            {
                _RANDOM: rng.random(drop.shape),
                _STAGE: np.asarray(watch.weeks - watch.first[:, None], dtype=np.float64),
                "weeks of silence": _silence(watch) + _livelier(watch),
                "EWMA of activity": _ewma(drop),
                "CUSUM of activity": _cusum(drop),
                _MODEL: silent[part],
                "EWMA of the model's rise": _ewma(_rise(watch, silent[part], level)),
                _TOLD: told[part],
            }
        )
    return made[0], made[1]


def _limit(values: Matrix, rate: float) -> float:
    """Give an observed value exceeded by no more than a share: ties cannot raise the rate."""
    return float(np.quantile(values, 1 - rate, method="higher"))


_Target = Callable[[_Watch], tuple[NDArray[np.bool_], NDArray[np.bool_]]]


def _foreseen(
    past: _Watch, judged: _Watch, target: _Target, random_state: int
) -> tuple[Matrix, Matrix]:
    """Score past leads by a model of the other half of the people, judged ones by one of all.

    Scores of weeks a model was fitted on are too good, and a threshold set on them would not hold.
    """
    half = pd.factorize(past.leads["contact_id"])[0] % 2
    own = np.empty(past.counts.shape[:2])
    for part in (0, 1):
        rows = np.flatnonzero(half == part)
        model = _fitted(_take(past, np.flatnonzero(half != part)), target, random_state)
        own[rows] = _scored(model, _take(past, rows))
    return own, _scored(_fitted(past, target, random_state), judged)


def _scored(model: BoostedClassifier, watch: _Watch) -> Matrix:
    return model.decision_function(_columns(watch)).reshape(watch.counts.shape[:2])


def _fitted(watch: _Watch, target: _Target, random_state: int) -> BoostedClassifier:
    known, label = target(watch)
    model = BoostedClassifier(
        learning_rate=0.06, max_rounds=300, early_stopping_rounds=30, n_splits=3,
        random_state=random_state,
    )  # fmt: skip
    groups = watch.leads["contact_id"].to_numpy()[np.nonzero(known)[0]]
    return model.fit(_columns(watch)[known.ravel()], label[known].astype(np.int8), groups=groups)


def _silent_ahead(watch: _Watch) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Weeks whose next ones are known, and whether the lead does nothing in them."""
    own = watch.counts[:, :, :_OWN].sum(axis=2)
    n_weeks = own.shape[1]
    total = np.cumsum(np.pad(own, ((0, 0), (1, _AHEAD_WEEKS))), axis=1)
    silent = total[:, 1 + _AHEAD_WEEKS :] == total[:, 1 : n_weeks + 1]
    ahead = watch.weeks + _AHEAD_WEEKS <= watch.last[:, None]
    return (watch.weeks >= watch.first[:, None]) & ahead, silent


def _slipped_by_now(watch: _Watch) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Weeks watched, and whether the lead had slipped: what no real brokerage has on record."""
    return watch.clean | watch.slipped, watch.slipped


def _columns(watch: _Watch) -> pd.DataFrame:
    """What the model reads, one row a lead and week; each week sees itself and those before."""
    n, weeks, _ = watch.counts.shape
    total = np.cumsum(np.pad(watch.counts, ((0, 0), (1, 0), (0, 0))), axis=1)
    now = np.arange(1, weeks + 1)
    found: dict[str, Matrix] = {}
    for k, name in enumerate(_KINDS):
        found[f"{name}_1w"] = watch.counts[:, :, k]
        for span in (2, 4):
            found[f"{name}_{span}w"] = total[:, now, k] - total[:, np.maximum(now - span, 0), k]
        found[f"{name}_mean"] = total[:, now, k] / now
    found["silence"] = _silence(watch)
    found["since"] = np.maximum(watch.weeks - watch.first[:, None], -1).astype(np.float64)
    found["age"] = np.broadcast_to(watch.weeks, (n, weeks)).astype(np.float64)
    return pd.DataFrame({name: values.ravel() for name, values in found.items()})


def _silence(watch: _Watch) -> Matrix:
    """Weeks since the lead last did anything, 0 where it did in this one."""
    own = watch.counts[:, :, :_OWN].sum(axis=2) > 0
    seen = np.maximum.accumulate(np.where(own, watch.weeks, -1), axis=1)
    return np.asarray(watch.weeks - seen, dtype=np.float64)


def _livelier(watch: _Watch) -> Matrix:
    """Breaks ties of silence, from 0 to 1: a lead that used to do more falls silent sooner."""
    own = watch.counts[:, :, :_OWN].sum(axis=2)
    mean = np.cumsum(own, axis=1) / (np.arange(own.shape[1]) + 1)
    return np.asarray(mean / (1 + mean))


def _drop(own: Matrix, usual: float) -> Matrix:
    """How far each week falls short of the lead's own mean before it, in Poisson deviations."""
    now = np.arange(own.shape[1])
    before = np.cumsum(own, axis=1) - own
    mean = (before + 2 * usual) / (now + 2)  # the usual lead counts as two weeks
    return np.asarray((mean - own) / np.sqrt(mean))


def _rise(watch: _Watch, score: Matrix, level: float) -> Matrix:
    """How far a score exceeds the lead's own mean before; the usual level counts as two weeks."""
    seen = watch.weeks >= np.maximum(watch.first[:, None] - _AHEAD_WEEKS, 0)
    kept = np.where(seen, score, 0.0)
    n: NDArray[np.int64] = np.cumsum(seen, axis=1) - seen
    total = np.cumsum(kept, axis=1) - kept
    return np.asarray(score - (total + 2 * level) / (n + 2))


def _ewma(values: Matrix) -> Matrix:
    out = np.empty_like(values)
    state = values[:, 0]
    for week in range(values.shape[1]):
        state = _EWMA * values[:, week] + (1 - _EWMA) * state
        out[:, week] = state
    return out


def _cusum(values: Matrix) -> Matrix:
    out = np.empty_like(values)
    state = np.zeros(len(values))
    for week in range(values.shape[1]):
        state = np.maximum(0.0, state + values[:, week] - _CUSUM_SLACK)
        out[:, week] = state
    return out


def _outcome(watch: _Watch, warned: NDArray[np.bool_]) -> _Outcome:
    hit = warned & watch.slipped
    detected = hit.any(axis=1)
    slips = watch.slip >= 0
    last = watch.last - watch.slip + 1
    weeks_to = np.where(detected, hit.argmax(axis=1) - watch.slip + 1, last)
    return _Outcome(
        slips=slips.astype(np.float64),
        detected=np.asarray(detected, dtype=np.float64),
        clean_weeks=watch.clean.sum(axis=1).astype(np.float64),
        false_alarms=(warned & watch.clean).sum(axis=1).astype(np.float64),
        weeks_to=np.where(slips, weeks_to, 0).astype(np.float64),
    )


def _ratio(over: Matrix, under: Matrix) -> Statistic:
    def statistic(weights: ArrayLike) -> Matrix:
        w = np.atleast_2d(np.asarray(weights, dtype=np.float64))
        below = w @ under
        return np.where(below > 0, (w @ over) / np.where(below > 0, below, 1.0), np.nan)

    return statistic


_FIGURES = (
    Figure(
        Metric("detected", "Slips noticed", True, "share warned of within 8 weeks", "%"),
        lambda o: _ratio(o.detected, o.slips),
    ),
    Figure(
        Metric("soon", "Noticed in 2 weeks", True, "share warned of in the first 2 weeks", "%"),
        lambda o: _ratio(o.detected * (o.weeks_to <= 2), o.slips),
    ),
    Figure(
        Metric("false_alarms", "False alarms a week", False, "warnings a week before a slip"),
        lambda o: _ratio(o.false_alarms, o.clean_weeks),
    ),
)


def _delays(
    watch: _Watch,
    outcomes: Mapping[str, _Outcome],
    limits: Mapping[str, float],
    equal: Mapping[str, _Outcome],
) -> pd.DataFrame:
    slipped = watch.slip >= 0
    groups = watch.leads["contact_id"].to_numpy()[slipped]
    rows = []
    for name, found in outcomes.items():
        mean = restricted_mean(
            found.weeks_to[slipped], found.detected[slipped].astype(np.int64), _WINDOW_WEEKS,
            groups=groups,
        )  # fmt: skip
        rows.append(
            {
                "detector": name, "threshold": limits[name], "weeks": mean.mean,
                "ci_lower": mean.mean - 1.96 * mean.standard_error,
                "ci_upper": mean.mean + 1.96 * mean.standard_error, "n": mean.n,
                "detected_at_equal_rate": equal[name].detected.sum() / equal[name].slips.sum(),
            }
        )  # fmt: skip
    return pd.DataFrame(rows)
