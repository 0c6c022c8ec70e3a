"""Policies from logs and early warnings: held to what the simulation knows."""

import numpy as np
import pandas as pd
import pytest

from workbench.data.brokerage import Brokerage, simulate
from workbench.errors import DataError
from workbench.studies import EngagementStudy, Study, early_warning, engagement_optimiser
from workbench.studies.early_warning import _cusum, _drop, _ewma, _limit, _outcome, _take, _watch


@pytest.fixture(scope="module")
def policies(small: Brokerage) -> EngagementStudy:
    return engagement_optimiser(small, n_redraws=60)


@pytest.fixture(scope="module")
def warnings(middling: Brokerage) -> Study:
    return early_warning(middling, n_resamples=400)


def test_no_policy_beats_the_one_that_knows(policies: EngagementStudy) -> None:
    assert policies.values[-1].regret == 0.0
    assert all(v.regret > 0 for v in policies.values[:-1])
    assert policies.value("logging").true_value < policies.value("learned, direct").true_value
    for value in policies.values:
        assert sum(value.shares.values()) == pytest.approx(1)


def test_intervals_hold_the_truth_as_often_as_they_say(policies: EngagementStudy) -> None:
    frame = policies.to_frame()
    # 60 redraws: 95 % less three standard errors.
    assert frame["coverage"].min() > 0.86
    assert frame["covered"].mean() > 0.5
    assert (frame["ci_lower"] < frame["estimate"]).all()


def test_what_was_done_is_worth_its_mean(policies: EngagementStudy) -> None:
    logging = policies.value("logging").estimates
    assert logging["ips"].estimate == pytest.approx(logging["on policy"].estimate)
    assert logging["ips"].effective_n == pytest.approx(policies.n_test)
    with pytest.raises(KeyError):
        policies.value("none such")
    assert policies.sentence().split(":")[0] in policies._repr_html_()


def test_too_small_a_log_is_refused() -> None:
    with pytest.raises(DataError, match="decisions for"):
        engagement_optimiser(simulate(250, text_share=0), n_redraws=1)


def test_detectors_are_told_apart(warnings: Study) -> None:
    noticed = warnings.measured.differences
    for arm in ("time in stage", "weeks of silence", "model told of past slips"):
        assert noticed[arm, "detected"].ci_lower > 0
    delay = warnings.details["delay"].set_index("detector")
    assert delay["weeks"].between(1, 8).all()
    assert delay.loc["time in stage", "ci_upper"] < delay.loc["random weeks", "ci_lower"]
    # Nobody does better than with the answers of the past at the same rate of false alarms.
    assert delay["detected_at_equal_rate"].idxmax() in ("model told of past slips", "time in stage")
    random = warnings.estimate("random weeks", "false_alarms")
    assert random.estimate == pytest.approx(0.02, abs=0.015)


def test_a_threshold_keeps_its_rate_even_where_values_tie() -> None:
    values = np.array([0.0] * 90 + [1.0] * 8 + [2.0] * 2)
    assert (values > _limit(values, 0.05)).mean() <= 0.05
    spread = np.random.default_rng(0).random(5000)
    assert (spread > _limit(spread, 0.02)).mean() == pytest.approx(0.02, abs=0.001)


def test_a_drop_in_activity_raises_both_charts() -> None:
    rng = np.random.default_rng(1)
    own = rng.poisson(np.where(np.arange(30) < 20, 4.0, 0.3), (200, 30)).astype(float)
    drop = _drop(own, usual=4.0)
    for chart in (_ewma, _cusum):
        values = chart(drop)
        limit = np.quantile(values[:, :20], 0.98)
        assert (values[:, 20:24] > limit).any(axis=1).mean() > 0.9


def test_a_week_sees_only_what_was_on_record_by_its_end(small: Brokerage) -> None:
    watch = _watch(small)
    events = small.frame("events", columns=["lead_id", "recorded_at", "kind"])
    for row in range(0, len(watch.leads), 40):
        lead = watch.leads.iloc[row]
        own = events[(events["lead_id"] == lead["lead_id"]) & (events["kind"] == "visit")]
        week = int(watch.last[row])
        until = lead["created_at"] + pd.Timedelta(days=7 * (week + 1))
        assert watch.counts[row, : week + 1, 0].sum() == (own["recorded_at"] < until).sum()


def test_weeks_before_and_after_a_slip_are_told_apart(small: Brokerage) -> None:
    watch = _watch(small)
    assert not (watch.clean & watch.slipped).any()
    one = _take(watch, np.flatnonzero((watch.slip > watch.first) & (watch.last > watch.slip))[:1])
    slip = int(one.slip[0])
    warned = np.zeros(one.counts.shape[:2], dtype=bool)
    warned[0, [slip - 1, slip + 1]] = True
    found = _outcome(one, warned)
    assert found.false_alarms.tolist() == [1.0]
    assert found.detected.tolist() == [1.0] and found.weeks_to.tolist() == [2.0]
