"""Behavioural profiles: what a lead's history says about it, and what that is good for."""

import html
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from workbench.data.brokerage import Brokerage
from workbench.data.brokerage.schema import TRAITS
from workbench.data.brokerage.truth import true_snapshots
from workbench.errors import DataError
from workbench.evaluation.measured import Figure, measure
from workbench.features import FEATURES, Static
from workbench.predictors import BoostedClassifier
from workbench.scorers import Metric
from workbench.stats import Statistic, bootstrap, log_losses, mean_statistic, roc_auc_statistic
from workbench.studies.moments import Parts, inputs_of, parted, snapshots_of
from workbench.studies.result import TRUTH, Study

__all__ = ["BehaviouralProfile", "behavioural_profile", "profile_of", "profiles_at"]

_ASKED = ("email_sent", "sms_sent", "call_made")
_ANSWERED = ("email_replied", "sms_replied", "call_answered")
_PARTS_OF_DAY = ("night", "morning", "afternoon", "evening")  # six hours each, from 0 h UTC
_PRIOR_ASKED, _PRIOR_ANSWERED = 3.0, 1.0
_MIN_VIEWS = 3
_SEGMENTS, _COMPONENTS = 5, 5
_LABEL_DAYS = 90
_NUMBERS = (
    "activity_per_week", "responsiveness", "reply_hours", "decisiveness", "own_evening_share",
    "price_low_usd", "price_high_usd",
)  # fmt: skip
_CATEGORIES = {
    "preferred_channel": ["web", "email", "sms", "call", "form"],
    "usual_hours": list(_PARTS_OF_DAY),
}
Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class BehaviouralProfile:
    """What the history of a lead says about it, as of a moment; None where it says nothing.

    Parameters
    ----------
    lead_id, as_of
        Whose, and when.
    n_events
        Events on record by then, on which all of it rests.
    activity_per_week
        The lead's own events a week since it was first seen, one week at least.
    preferred_channel
        By which most of its own events came.
    price_low_usd, price_high_usd
        First and ninth tenth of the prices viewed.
    responsiveness
        Share of messages and calls answered; no history counts as one of three.
    reply_hours
        Median hours from being asked to the lead's next answer.
    decisiveness
        Share of views that went to the kind of property viewed most, from three views on.
    usual_hours
        Part of the day (UTC, six hours each) of most of its own events.
    own_evening_share
        Share of its own events from 18 to 23 o'clock UTC.
    """

    lead_id: str
    as_of: datetime
    n_events: int
    activity_per_week: float
    preferred_channel: str | None
    price_low_usd: float | None
    price_high_usd: float | None
    responsiveness: float
    reply_hours: float | None
    decisiveness: float | None
    usual_hours: str | None
    own_evening_share: float | None

    def to_frame(self) -> pd.DataFrame:
        """One row a field."""
        return pd.DataFrame({"field": list(asdict(self)), "value": list(asdict(self).values())})

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th style='text-align:left'>{html.escape(name.replace('_', ' '))}</th>"
            f"<td>{html.escape(_told(value))}</td></tr>"
            for name, value in asdict(self).items()
        )
        return f"<table>{rows}</table>"


def _told(value: object) -> str:
    if value is None:
        return "not known"
    return f"{value:,.2f}" if isinstance(value, float) else str(value)


def profile_of(crm: Brokerage, lead_id: str, as_of: datetime) -> BehaviouralProfile:
    """Make the profile of one lead.

    Parameters
    ----------
    crm
        The brokerage.
    lead_id
        Whose.
    as_of
        Moment, in UTC where it has no zone; what happened or came on record later is not seen.

    Raises
    ------
    DataError
        When nothing of the lead is on record by then.

    Examples
    --------
    >>> from workbench.data.brokerage import simulate
    >>> profile = profile_of(simulate(120, text_share=0), "L00000003", datetime(2024, 12, 1))
    >>> profile.n_events > 0
    True
    """
    moment = pd.Timestamp(as_of)
    if moment.tzinfo is not None:
        moment = moment.tz_convert("UTC").tz_localize(None)
    moments = pd.DataFrame({"lead_id": [lead_id], "as_of": [moment]})
    row = profiles_at(crm, moments).iloc[0]
    if not row["n_events"]:
        raise DataError(
            f"nothing of lead {lead_id!r} is on record by {as_of}",
            expected="a lead of the brokerage and a moment after it came",
            fix="choose a later moment",
        )
    found: dict[str, Any] = {name: None if pd.isna(value) else value for name, value in row.items()}
    whole = {"n_events": int(found["n_events"]), "as_of": as_of}
    numbers = {n: float(found[n]) for n in _NUMBERS if found[n] is not None}
    return BehaviouralProfile(**(found | numbers | whole))


def profiles_at(crm: Brokerage, moments: pd.DataFrame) -> pd.DataFrame:
    """Compute the fields of `BehaviouralProfile` for many moments.

    Parameters
    ----------
    crm
        The brokerage.
    moments : DataFrame
        Columns `lead_id` and `as_of`.

    Returns
    -------
    DataFrame
        One row a moment, in their order; missing where nothing is known.
    """
    columns = ["lead_id", "occurred_at", "recorded_at", "channel", "kind", "direction",
               "listing_id", "value_usd"]  # fmt: skip
    listings = crm.frame("listings", columns=["listing_id", "property_type"])
    asked = moments[["lead_id", "as_of"]].reset_index(drop=True)
    wanted = asked.assign(row=np.arange(len(asked)))
    seen = crm.frame("events", columns=columns).merge(wanted, on="lead_id")
    seen = seen[(seen["occurred_at"] <= seen["as_of"]) & (seen["recorded_at"] <= seen["as_of"])]
    seen = seen.merge(listings, on="listing_id", how="left")
    seen = seen.sort_values(["row", "occurred_at"], kind="stable", ignore_index=True)
    out = asked.copy()
    every = pd.RangeIndex(len(out))
    by_row = seen.groupby("row")
    own = seen[seen["direction"] == "inbound"]
    since = (out["as_of"] - by_row["occurred_at"].min().reindex(every)) / pd.Timedelta(days=7)
    out["n_events"] = by_row.size().reindex(every, fill_value=0)
    n_own = own.groupby("row").size().reindex(every, fill_value=0)
    out["activity_per_week"] = n_own / since.clip(lower=1.0)
    out["preferred_channel"] = _most(own, own["channel"], every)
    prices = by_row["value_usd"]
    out["price_low_usd"] = prices.quantile(0.1).reindex(every)
    out["price_high_usd"] = prices.quantile(0.9).reindex(every)
    n_asked, n_answered = (
        seen["kind"].isin(kinds).groupby(seen["row"]).sum().reindex(every, fill_value=0)
        for kinds in (_ASKED, _ANSWERED)
    )
    out["responsiveness"] = (n_answered + _PRIOR_ANSWERED) / (n_asked + _PRIOR_ASKED)
    out["responsiveness"] = out["responsiveness"].clip(upper=1.0)
    out["reply_hours"] = _reply_hours(seen).reindex(every)
    out["decisiveness"] = _decisiveness(seen).reindex(every)
    hour = own["occurred_at"].dt.hour
    part = pd.Series(np.array(_PARTS_OF_DAY, dtype=object)[hour // 6], index=own.index)
    out["usual_hours"] = _most(own, part, every)
    out["own_evening_share"] = (hour >= 18).groupby(own["row"]).mean().reindex(every)
    return out


def _most(own: pd.DataFrame, values: pd.Series, every: pd.RangeIndex) -> pd.Series:
    """Most frequent value of each row; of two as frequent the first by name."""
    counted = pd.DataFrame({"row": own["row"], "value": values.astype(object)})
    counted = counted.groupby(["row", "value"]).size().reset_index(name="n")
    counted = counted.sort_values(["row", "n", "value"], ascending=[True, False, True])
    best = counted.drop_duplicates("row").set_index("row")["value"]
    return best.reindex(every).astype(object)


def _reply_hours(seen: pd.DataFrame) -> pd.Series:
    """Median time from the last question to the answer that follows it."""
    kind = seen["kind"]
    asked_at = seen["occurred_at"].where(kind.isin(_ASKED)).groupby(seen["row"]).ffill()
    answered = kind.isin(_ANSWERED) & asked_at.notna()
    hours = (seen["occurred_at"] - asked_at)[answered] / pd.Timedelta(hours=1)
    return hours.groupby(seen.loc[answered, "row"]).median()


def _decisiveness(seen: pd.DataFrame) -> pd.Series:
    views = seen[seen["property_type"].notna()]
    counts = views.groupby(["row", "property_type"]).size().groupby("row").agg(["max", "sum"])
    counts = counts[counts["sum"] >= _MIN_VIEWS]
    return counts["max"] / counts["sum"]


def behavioural_profile(crm: Brokerage, *, n_resamples: int = 500, random_state: int = 0) -> Study:
    """Ask what profiles add to a lead's form fields, and whether they tell the hidden traits.

    A gradient-boosted model of conversion within 90 days is given the form's fields alone (the
    baseline); with segments (k-means on principal components of the activity features, fitted on
    the earlier part); with the profile's fields; with both; and with all features instead.

    Parameters
    ----------
    crm
        The brokerage.
    n_resamples
        Of the bootstrap over contacts.
    random_state
        Seed.

    Returns
    -------
    Study
        `details["traits"]`: rank correlation of every numeric field with every hidden trait on the
        later part, intervals over contacts and not simultaneous.

    Raises
    ------
    DataError
        When there are too few moments.
    """
    rows = snapshots_of(crm)
    rows = rows[rows["conversion_likelihood"].notna()].reset_index(drop=True)
    profiles = profiles_at(crm, rows).drop(columns=["lead_id", "as_of", "n_events"])
    for name, values in _CATEGORIES.items():
        profiles[name] = pd.Categorical(profiles[name], categories=values)
    rows = pd.concat([rows, profiles], axis=1)
    parts = parted(rows, known_after_days=_LABEL_DAYS)
    segments = _segmented(parts, random_state)
    y = parts.test["conversion_likelihood"].to_numpy(dtype=np.int64)
    answers = _answers(parts, segments, list(profiles.columns), random_state)
    truth = true_snapshots(crm).loc[parts.test["snapshot_id"]]
    answers[TRUTH] = truth["p_conversion_likelihood"].clip(1e-6, 1 - 1e-6).to_numpy()
    groups = parts.test["contact_id"].to_numpy()
    figures = [
        Figure(
            Metric("roc_auc", "ROC AUC", True, "chance that a converting lead ranks higher"),
            lambda p: roc_auc_statistic(y, p),
        ),
        Figure(
            Metric("log_loss", "Log loss", False, "surprise at what happened"),
            lambda p: mean_statistic(log_losses(y, p)),
        ),
    ]
    measured = measure(
        answers, figures, n=len(y), baseline="form fields", groups=groups,
        n_resamples=n_resamples, random_state=random_state,
    )  # fmt: skip
    traits = _traits(parts.test, truth, groups, n_resamples, random_state)
    return Study(
        "behavioural_profile", "What does a profile of the lead's behaviour add?", measured,
        len(parts.train), details={"traits": traits},
        notes=("Traits are the simulation's; real leads have none that anybody knows.",),
    )  # fmt: skip


def _segmented(parts: Parts, random_state: int) -> Mapping[str, pd.Categorical]:
    """Segments of both parts, learnt on the earlier one."""
    static = {f.name for f in FEATURES if isinstance(f, Static)}
    names = [n for n in inputs_of(parts.train) if n not in static and n != "conversation"]
    pipeline: Pipeline = make_pipeline(
        SimpleImputer(strategy="median"), FunctionTransformer(_signed_log), StandardScaler(),
        PCA(_COMPONENTS, random_state=random_state),
        KMeans(_SEGMENTS, n_init=5, random_state=random_state),
    )  # fmt: skip
    pipeline.fit(parts.train[names].astype(np.float64))
    return {
        which: pd.Categorical(
            [f"segment {k + 1}" for k in pipeline.predict(part[names].astype(np.float64))],
            categories=[f"segment {k + 1}" for k in range(_SEGMENTS)],
        )
        for which, part in (("train", parts.train), ("test", parts.test))
    }


def _signed_log(values: Matrix) -> Matrix:
    return np.asarray(np.sign(values) * np.log1p(np.abs(values)))


def _answers(
    parts: Parts, segments: Mapping[str, pd.Categorical], fields: list[str], random_state: int
) -> dict[str, Matrix]:
    form = [f.name for f in FEATURES if isinstance(f, Static)]
    train = parts.train.assign(segment=segments["train"])
    test = parts.test.assign(segment=segments["test"])
    known = [name for name in inputs_of(train) if name != "conversation"]
    form = [name for name in form if name in known]
    inputs = {
        "form fields": form,
        "with segments": [*form, "segment"],
        "with profile": [*form, *fields],
        "with both": [*form, *fields, "segment"],
        "all features": known,
    }
    y = train["conversion_likelihood"].to_numpy(dtype=np.int64)
    found = {}
    for name, columns in inputs.items():
        model = BoostedClassifier(
            learning_rate=0.05, max_rounds=400, early_stopping_rounds=40, n_splits=3, text=False,
            random_state=random_state,
        )  # fmt: skip
        model.fit(
            train[columns], y, groups=train["contact_id"].to_numpy(),
            as_of=train["as_of"].to_numpy(),
        )  # fmt: skip
        found[name] = np.clip(model.predict_proba(test[columns])[:, 1], 1e-6, 1 - 1e-6)
    return found


def _traits(
    fields: pd.DataFrame,
    truth: pd.DataFrame,
    groups: NDArray[np.object_],
    n_resamples: int,
    random_state: int,
) -> pd.DataFrame:
    rows = []
    for field in _NUMBERS:
        known = fields[field].notna().to_numpy()
        if known.sum() < 30 or fields.loc[known, field].nunique() < 2:
            continue
        for trait in TRAITS:
            found = bootstrap(
                _correlation(fields.loc[known, field].to_numpy(), truth[trait].to_numpy()[known]),
                int(known.sum()), groups=groups[known], n_resamples=n_resamples,
                random_state=random_state,
            )  # fmt: skip
            rows.append(
                {
                    "field": field, "trait": trait, "rank_correlation": found.estimate,
                    "ci_lower": found.ci_lower, "ci_upper": found.ci_upper, "n": found.n,
                }
            )  # fmt: skip
    return pd.DataFrame(rows)


def _correlation(a: Matrix, b: Matrix) -> Statistic:
    """Pearson's correlation of ranks, which are taken once and kept in resamples."""
    x, y = rankdata(a), rankdata(b)

    def statistic(weights: ArrayLike) -> Matrix:
        w = np.atleast_2d(np.asarray(weights, dtype=np.float64))
        w = w / w.sum(axis=1, keepdims=True)
        mean_x, mean_y = w @ x, w @ y
        spread = (w @ x**2 - mean_x**2) * (w @ y**2 - mean_y**2)
        return np.asarray((w @ (x * y) - mean_x * mean_y) / np.sqrt(spread))

    return statistic
