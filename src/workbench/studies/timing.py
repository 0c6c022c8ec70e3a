"""When a lead buys: survival models, and a score that is fitted anew every month."""

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from workbench.data.brokerage import Brokerage
from workbench.data.brokerage.truth import true_snapshots
from workbench.evaluation.measured import Figure, Measured, measure
from workbench.predictors import BoostedClassifier
from workbench.predictors.hazard import DiscreteHazard
from workbench.scorers import Metric, auc_at_statistic, concordance_statistic
from workbench.stats import Statistic, log_losses, mean_interval, mean_statistic
from workbench.studies.moments import inputs_of, parted, snapshots_of
from workbench.studies.result import TRUTH, Study, hold_against

__all__ = ["temporal_scoring"]

_HORIZON_DAYS = 90
_AUC_DAYS = (30, 60, 90)
_EDGES_DAYS = (7, 14, 30, 60, 90, 180)
_CLAIMED_ACCURACY = 0.99
_MIN_TRAIN, _MIN_EVENTS, _MIN_MONTH = 200, 20, 20
_KAPLAN_MEIER, _COX, _HAZARD = "Kaplan-Meier", "Cox", "hazard on LightGBM"
# A handful a practitioner would name: a Cox model without a penalty cannot take eighty.
_COX_INPUTS = (
    "inbound_recency_days", "tenure_days", "n_events_30d", "n_views_30d", "n_replies_30d",
    "n_viewings_offered", "n_documents", "n_lead_messages", "timeline_months", "distance_km",
    "agent_conversion_rate", "source_conversion_rate",
)  # fmt: skip
Vector = NDArray[np.float64]


class _Model(Protocol):
    def fit(self, rows: pd.DataFrame) -> Any: ...
    def risk(self, rows: pd.DataFrame) -> Vector: ...


class _KaplanMeier:
    """The same chance for everybody."""

    def fit(self, rows: pd.DataFrame) -> None:
        from statsmodels.duration.survfunc import SurvfuncRight

        curve = SurvfuncRight(
            rows["time_to_close_days"].to_numpy(), rows["close_observed"].to_numpy(dtype=np.int64)
        )
        reached = np.flatnonzero(curve.surv_times <= _HORIZON_DAYS)
        self.chance_ = 1 - float(curve.surv_prob[reached[-1]]) if len(reached) else 0.0

    def risk(self, rows: pd.DataFrame) -> Vector:
        return np.full(len(rows), self.chance_)


class _Cox:
    """Proportional hazards on a handful of features, with Breslow's baseline hazard."""

    def fit(self, rows: pd.DataFrame) -> None:
        from statsmodels.duration.hazard_regression import PHReg

        raw = _cox_columns(rows)
        self.fill_ = raw.median()
        raw = raw.fillna(self.fill_)
        # A column that says nothing would leave the likelihood without a maximum.
        raw = raw.loc[:, raw.std() > 0]
        self.centre_, self.scale_ = raw.mean(), raw.std()
        time = rows["time_to_close_days"].to_numpy()
        model = PHReg(time, self._matrix(rows), status=rows["close_observed"].to_numpy(np.int64))
        self.params_ = model.fit().params
        times, hazard, _ = model.baseline_cumulative_hazard(self.params_)[0]
        reached = np.flatnonzero(times <= _HORIZON_DAYS)
        self.hazard_ = float(hazard[reached[-1]]) if len(reached) else 0.0

    def _matrix(self, rows: pd.DataFrame) -> Vector:
        filled = _cox_columns(rows).fillna(self.fill_)[self.centre_.index]
        return np.asarray((filled - self.centre_) / self.scale_, dtype=np.float64).clip(-4, 4)

    def risk(self, rows: pd.DataFrame) -> Vector:
        return np.asarray(1 - np.exp(-self.hazard_ * np.exp(self._matrix(rows) @ self.params_)))


class _Hazard:
    """A hazard for each stretch of time, by boosted trees."""

    def __init__(self, random_state: int) -> None:
        self.random_state = random_state

    def fit(self, rows: pd.DataFrame) -> None:
        trees = BoostedClassifier(
            learning_rate=0.06, max_rounds=400, early_stopping_rounds=30, n_splits=3,
            random_state=self.random_state,
        )  # fmt: skip
        self.names_ = inputs_of(rows)
        self.model_ = DiscreteHazard(trees, edges_days=_EDGES_DAYS).fit(
            rows[self.names_], rows["time_to_close_days"], rows["close_observed"],
            groups=rows["contact_id"].to_numpy(),
        )  # fmt: skip

    def risk(self, rows: pd.DataFrame) -> Vector:
        return self.model_.predict_risk(rows[self.names_], horizon_days=_HORIZON_DAYS)


def temporal_scoring(crm: Brokerage, *, n_resamples: int = 500, random_state: int = 0) -> Study:
    """Foresee when a lead signs, from moments of its life, and renew the score month by month.

    Kaplan and Meier give everybody the same; Cox's proportional hazards read a handful of features;
    a discrete-time hazard on LightGBM reads them all. What is not known by the start of the test
    period is censored there; a lead that was lost stays among those who have not signed. The detail
    `by_month` is prequential: each month is foreseen by models fitted on the months before, as they
    stood at its start, and by one fitted once.

    Parameters
    ----------
    crm
        The brokerage.
    n_resamples
        Of the bootstrap over contacts.
    random_state
        Seed of models and bootstrap.

    Returns
    -------
    Study
        The truth's ranking is by its chance of a deal within 90 days: exact at 90 days, nearly so
        elsewhere.

    Raises
    ------
    DataError
        When there are too few moments.

    References
    ----------
    Uno et al. (2011), Statistics in Medicine 30:1105-1117; losses as competing events: Fine &
    Gray (1999), JASA 94:496-509 (censoring complete); prequential: Dawid (1984), JRSS A
    147:278-292.
    """
    rows = snapshots_of(crm)
    rows["truth"] = (
        true_snapshots(crm)["p_conversion_likelihood"].loc[rows["snapshot_id"]].to_numpy()
    )
    days = pd.to_timedelta(rows["time_to_close_days"], unit="D")
    rows = _as_known_at(rows, (rows["as_of"] + days).max())
    parts = parted(rows)
    train, test = _as_known_at(parts.train, parts.cut), parts.test
    risks: dict[str, Vector] = {}
    for name, model in _models(random_state).items():
        model.fit(train)
        risks[name] = model.risk(test)
    risks[TRUTH] = test["truth"].to_numpy()
    measured = _measured(test, risks, n_resamples, random_state)
    accuracy = next(m for m in measured.metrics if m.name == "accuracy_90d")
    claim = hold_against(measured, accuracy, _CLAIMED_ACCURACY, arm=_HAZARD, trivial=_KAPLAN_MEIER)
    months = _by_month(rows, parts.cut, risks[_HAZARD], test, random_state)
    return Study(
        "temporal_scoring", "When does the lead buy?", measured, len(train), (claim,),
        {"by_month": months},
        (
            "Kaplan-Meier cannot rank: its concordance and AUC are 0.5 by definition.",
            "Log loss and accuracy count leads whose 90 days are within the data.",
        ),
    )  # fmt: skip


def _models(random_state: int) -> dict[str, _Model]:
    return {_KAPLAN_MEIER: _KaplanMeier(), _COX: _Cox(), _HAZARD: _Hazard(random_state)}


def _as_known_at(rows: pd.DataFrame, moment: pd.Timestamp) -> pd.DataFrame:
    """Give times until the deal or until we look; who was lost has not signed by then either.

    Taking a loss for censoring would say that the lead might still sign: everybody's chance would
    be overstated. The moment we look is known for all, so the lost stay at risk until then.
    """
    seen = (moment - rows["as_of"]) / pd.Timedelta(days=1)
    known, seen = rows[seen > 0], seen[seen > 0]
    observed = known["close_observed"].astype(bool) & (known["time_to_close_days"] <= seen)
    time = known["time_to_close_days"].where(observed, seen)
    return known.assign(time_to_close_days=time, close_observed=observed)


def _cox_columns(rows: pd.DataFrame) -> pd.DataFrame:
    numbers = rows[list(_COX_INPUTS)].astype(np.float64)
    skewed = [c for c in _COX_INPUTS if not c.endswith("_rate")]
    logs = {name: np.log1p(numbers[name].clip(lower=0)) for name in skewed}
    approved = (rows["preapproved"] == "yes").astype(np.float64)
    silent = numbers["timeline_months"].isna().astype(np.float64)
    return numbers.assign(**logs, approved=approved, silent=silent)


def _measured(
    test: pd.DataFrame, risks: dict[str, Vector], n_resamples: int, random_state: int
) -> Measured:
    time = test["time_to_close_days"].to_numpy()
    seen = test["close_observed"].to_numpy(dtype=bool)
    known = test["conversion_likelihood"].notna().to_numpy()
    signed = test["conversion_likelihood"].fillna(0).to_numpy(dtype=np.int64)

    def among_known(losses: Callable[[Vector], Vector]) -> Callable[[Vector], Statistic]:
        def statistic(risk: Vector) -> Statistic:
            mean = mean_statistic(losses(risk)[known])
            return lambda weights: mean(np.atleast_2d(np.asarray(weights))[:, known])

        return statistic

    def auc(days: int) -> Figure:
        name = f"auc_{days}d"
        told = f"chance that who signs within {days} days ranks above who has not by then"
        return Figure(
            Metric(name, f"AUC at {days} days", True, told),
            lambda risk: auc_at_statistic(time, seen, risk, days),
        )

    figures = [
        Figure(
            Metric("concordance", "Uno's C", True, "chance that the higher risk signs first"),
            lambda risk: concordance_statistic(time, seen, risk, horizon=180),
        ),
        *(auc(days) for days in _AUC_DAYS),
        Figure(
            Metric("log_loss_90d", "Log loss at 90 days", False, "surprise at who signed"),
            among_known(lambda risk: log_losses(signed, _proper(risk))),
        ),
        Figure(
            Metric("accuracy_90d", "Accuracy at 90 days", True, "share judged right at 0.5", "%"),
            among_known(lambda risk: ((risk >= 0.5) == signed).astype(np.float64)),
        ),
    ]
    return measure(
        risks, figures, n=len(test), baseline=_COX, groups=test["contact_id"].to_numpy(),
        n_resamples=n_resamples, random_state=random_state,
    )  # fmt: skip


def _proper(risk: Vector) -> Vector:
    return np.clip(risk, 1e-6, 1 - 1e-6)


def _by_month(
    rows: pd.DataFrame, cut: pd.Timestamp, once: Vector, test: pd.DataFrame, random_state: int
) -> pd.DataFrame:
    """Log loss of each month by models that saw only what was known at its start."""
    fixed = pd.Series(once, index=test["snapshot_id"].to_numpy())
    judged = rows[rows["conversion_likelihood"].notna() & rows["snapshot_id"].isin(fixed.index)]
    found = []
    for month, block in judged.groupby(judged["as_of"].dt.to_period("M")):
        start = max(month.to_timestamp(), cut)
        past = _as_known_at(rows[~rows["contact_id"].isin(block["contact_id"])], start)
        if len(past) < _MIN_TRAIN or past["close_observed"].sum() < _MIN_EVENTS:
            continue
        if len(block) < _MIN_MONTH:
            continue
        answers = {"fitted once": fixed.loc[block["snapshot_id"]].to_numpy()}
        for name, model in _models(random_state).items():
            model.fit(past)
            answers[f"{name}, monthly"] = model.risk(block)
        answers[TRUTH] = block["truth"].to_numpy()
        signed = block["conversion_likelihood"].to_numpy(dtype=np.int64)
        for name, risk in answers.items():
            losses = mean_interval(
                log_losses(signed, _proper(risk)), groups=block["contact_id"].to_numpy()
            )
            found.append(
                {
                    "month": str(month), "arm": name, "n": len(block), "signed": signed.mean(),
                    "log_loss": losses.estimate, "ci_lower": losses.ci_lower,
                    "ci_upper": losses.ci_upper,
                }
            )  # fmt: skip
    return pd.DataFrame(found)
