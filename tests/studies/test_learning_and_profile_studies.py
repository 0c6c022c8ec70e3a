"""Retraining, next preferences and profiles."""

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pandas as pd
import pytest

from workbench.data.brokerage import Brokerage
from workbench.errors import DataError
from workbench.studies import (
    PreferenceStudy,
    Study,
    behavioural_learning,
    behavioural_profile,
    population_stability,
    preference_evolution,
    profile_of,
    profiles_at,
    snapshots_of,
)
from workbench.studies.learning import _alarmed, _limits, _Rows, _shuffled, _Stream
from workbench.studies.preferences import _history, _rank_of, _values, _views


@pytest.fixture(scope="module")
def learning(middling: Brokerage) -> Study:
    return behavioural_learning(middling, n_null=8, n_resamples=400)


@pytest.fixture(scope="module")
def preferences(middling: Brokerage) -> PreferenceStudy:
    return preference_evolution(middling, n_resamples=400)


@pytest.fixture(scope="module")
def profile(middling: Brokerage) -> Study:
    return behavioural_profile(middling, n_resamples=300)


def test_retraining_pays_where_the_base_rate_drifts(learning: Study) -> None:
    schedules = learning.details["schedules"].set_index("schedule")
    assert schedules.loc["never", "retrainings"] == 0
    assert schedules["retrainings"].max() == schedules.loc["every month", "retrainings"]
    assert schedules.loc["never", "regret_to_monthly"] > 0
    assert (schedules["regret_to_truth_lower"] > 0).all()
    # Conversion rises, so a model that is never retrained says too little.
    assert learning.estimate("never", "bias").ci_lower > 0
    assert len(learning.details["by_month"]) >= 6


def test_alarms_are_rare_where_nothing_drifts(learning: Study) -> None:
    alarms = learning.details["schedules"]["false_alarm_rate"].dropna()
    assert len(alarms) == 3 and (alarms < 0.25).all()


def _stream(shift: float) -> _Stream:
    """Twelve months of 80 rows; from the seventh on the base rate is shifted."""
    rng = np.random.default_rng(0)
    at = np.sort(rng.uniform(0, 360, 960))
    X = rng.normal(size=(960, 3))
    p = 1 / (1 + np.exp(-(X[:, 0] - 1.0 + shift * (at >= 180))))
    y = (rng.random(960) < p).astype(np.int64)
    starts = np.arange(0.0, 360.0, 30.0)
    return _Stream(_Rows(X, y, p, at, (at // 30).astype(np.int64)), starts)


def test_a_shift_of_the_base_rate_raises_the_calibration_alarm() -> None:
    months = [m for m in range(12) if _stream(0).ready(m)]
    for shift, alarmed in ((0.0, False), (3.0, True)):
        stream = _stream(shift)
        limits = _limits([_shuffled(stream.rows, stream.starts, 0, k) for k in range(6)], 0.02)
        used = _alarmed(stream, months, "on calibration drift", limits["on calibration drift"])
        assert (max(used.values()) > months[0]) is alarmed
        if alarmed:
            # The first shifted month's answers are known three months later.
            assert min(m for m, trained in used.items() if trained == m and m > months[0]) >= 9


def test_a_model_sees_only_answers_that_are_in() -> None:
    stream = _stream(0.0)
    month = 6
    before = stream.logits(month).copy()
    late = stream.rows.at + 90 > stream.starts[month]
    changed = stream.rows._replace(y=np.where(late, 1 - stream.rows.y, stream.rows.y))
    assert np.array_equal(_Stream(changed, stream.starts).logits(month), before)


def test_stability_index_grows_with_the_shift() -> None:
    rng = np.random.default_rng(0)
    reference = rng.normal(size=2000)
    shifts = [population_stability(reference, rng.normal(s, 1, 2000)) for s in (0, 0.5, 1.5)]
    assert shifts[0] < 0.02 < shifts[1] < shifts[2]


def test_too_few_shuffled_streams_are_refused(small: Brokerage) -> None:
    with pytest.raises(DataError, match="n_null"):
        behavioural_learning(small, n_null=2)


def test_histories_rank_the_next_value_better_than_frequency(preferences: PreferenceStudy) -> None:
    kind, price = preferences.measured["property_type"], preferences.measured["price_band"]
    for found in (kind, price):
        trees = found.estimates["LightGBM", "mrr"]
        assert trees.estimate > found.estimates["most frequent", "mrr"].ci_upper
    assert set(preferences.to_frame()["attribute"]) == {"property_type", "area", "price_band"}
    assert "Price band" in preferences._repr_html_()


def test_ranks_share_ties() -> None:
    score = np.array([[0.5, 0.2, 0.3], [1.0, 1.0, 1.0], [0.1, 0.1, 0.8]])
    assert _rank_of(score, np.array([2, 0, 0])).tolist() == [2.0, 2.0, 2.5]


def test_a_history_of_views_is_what_was_on_record(small: Brokerage) -> None:
    rows = snapshots_of(small)
    rows = rows[rows["n_listings"] >= 3].head(25).reset_index(drop=True)
    values = _values(small)
    found = _history(rows, _views(small, values), "area", len(values["area"]))
    events = small.frame("events").merge(
        small.frame("listings", columns=["listing_id", "area"]), on="listing_id"
    )
    for at, row in enumerate(rows.itertuples()):
        own = events[events["lead_id"] == row.lead_id]
        own = own[(own["occurred_at"] <= row.as_of) & (own["recorded_at"] <= row.as_of)]
        own = own.sort_values("occurred_at")
        counts = own["area"].value_counts().reindex(values["area"], fill_value=0)
        assert found.counts[at].tolist() == counts.tolist()
        assert found.recent[at].sum() == min(len(own), 10)
        assert values["area"][found.last[at]] == own["area"].iloc[-1]


def test_what_profiles_add_is_measured_with_a_ceiling(profile: Study) -> None:
    differences = profile.measured.differences
    assert differences["truth (ceiling)", "roc_auc"].ci_lower > 0
    assert ("with profile", "roc_auc") in differences and (
        "with segments",
        "roc_auc",
    ) in differences
    traits = profile.details["traits"].set_index(["field", "trait"])
    assert traits.loc[("activity_per_week", "activity"), "ci_lower"] > 0.1
    assert traits.loc[("responsiveness", "responsiveness"), "ci_lower"] > 0.1


def test_a_profile_is_computed_from_the_past_alone(small: Brokerage) -> None:
    moments = snapshots_of(small)[["lead_id", "as_of", "n_events"]]
    profiles = profiles_at(small, moments)
    assert (profiles["n_events"] == moments["n_events"]).all()
    events = small.frame("events")
    for at in moments.index[moments["n_events"] > 15][:20]:
        lead, as_of = moments.loc[at, "lead_id"], moments.loc[at, "as_of"]
        own = events[events["lead_id"] == lead]
        own = own[(own["occurred_at"] <= as_of) & (own["recorded_at"] <= as_of)]
        inbound = own[own["direction"] == "inbound"]
        weeks = max((as_of - own["occurred_at"].min()) / pd.Timedelta(days=7), 1.0)
        row = profiles.loc[at]
        assert row["activity_per_week"] == pytest.approx(len(inbound) / weeks)
        assert row["preferred_channel"] == inbound["channel"].mode().iloc[0]
        asked = own["kind"].isin(["email_sent", "sms_sent", "call_made"]).sum()
        answered = own["kind"].isin(["email_replied", "sms_replied", "call_answered"]).sum()
        assert row["responsiveness"] == pytest.approx(min((answered + 1) / (asked + 3), 1.0))


def test_a_profile_is_a_document(small: Brokerage) -> None:
    row = snapshots_of(small).sort_values("n_events").iloc[-1]
    found = profile_of(small, row["lead_id"], row["as_of"].to_pydatetime())
    assert found.n_events == row["n_events"] and found.price_low_usd is not None
    assert found.price_low_usd <= (found.price_high_usd or 0)
    assert found.to_frame()["field"].iloc[0] == "lead_id"
    assert found.lead_id in found._repr_html_()
    moment = row["as_of"].to_pydatetime().replace(tzinfo=UTC)
    again = profile_of(small, row["lead_id"], moment.astimezone(timezone(timedelta(hours=5))))
    assert again.activity_per_week == found.activity_per_week
    with pytest.raises(DataError, match="nothing of lead"):
        profile_of(small, row["lead_id"], datetime(2020, 1, 1, tzinfo=UTC))
