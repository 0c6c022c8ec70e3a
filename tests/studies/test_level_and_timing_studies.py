"""Urgency and time to the deal: order among arms, censoring, claims."""

import numpy as np
import pandas as pd
import pytest

from workbench.data.brokerage import Brokerage
from workbench.studies import TRUTH, Study, buying_urgency, temporal_scoring
from workbench.studies.timing import _COX_INPUTS, _as_known_at, _Cox, _KaplanMeier


@pytest.fixture(scope="module")
def urgency(middling: Brokerage) -> Study:
    return buying_urgency(middling, n_resamples=400)


@pytest.fixture(scope="module")
def timing(middling: Brokerage) -> Study:
    return temporal_scoring(middling, n_resamples=400)


def test_levels_are_foreseen_better_than_by_their_shares_and_worse_than_by_the_truth(
    urgency: Study,
) -> None:
    differences = urgency.measured.differences
    best = urgency.estimate("ordinal LightGBM", "ranked_probability_score")
    assert best.ci_upper < urgency.estimate("training shares", "ranked_probability_score").estimate
    assert differences[TRUTH, "ranked_probability_score"].ci_upper < 0
    assert differences[TRUTH, "quadratic_kappa"].ci_lower > 0
    assert urgency.estimate("training shares", "quadratic_kappa").estimate == 0.0
    scores = urgency.details["score_by_entered_level"]
    assert scores["level"].tolist() == ["low", "medium", "high", "critical"]
    assert scores["mean"].is_monotonic_increasing and scores["mean"].between(0, 100).all()


def test_a_claim_beyond_the_truth_is_called_impossible(urgency: Study, timing: Study) -> None:
    for study in (urgency, timing):
        (claim,) = study.claims
        assert claim.standing == "impossible here"
        assert claim.ceiling is not None and claim.ceiling.ci_upper < claim.claimed
        assert claim.sentence() in study._repr_html_().replace("&#x27;", "'")


def test_kaplan_meier_ranks_nobody_and_models_do(timing: Study) -> None:
    for metric in ("concordance", "auc_30d", "auc_60d", "auc_90d"):
        assert timing.estimate("Kaplan-Meier", metric).estimate == pytest.approx(0.5)
        for arm in ("Cox", "hazard on LightGBM"):
            assert timing.estimate(arm, metric).ci_lower > 0.5
            assert timing.estimate(arm, metric).estimate < timing.estimate(TRUTH, metric).estimate
    assert timing.measured.differences[TRUTH, "log_loss_90d"].ci_upper < 0


def test_every_month_is_foreseen_by_every_model(timing: Study) -> None:
    months = timing.details["by_month"]
    assert months["month"].nunique() >= 3 and months.groupby("month").size().eq(5).all()
    loss = months.groupby("arm")["log_loss"].mean()
    assert loss[TRUTH] == loss.min()
    assert (months["ci_lower"] <= months["log_loss"]).all()


def test_nothing_after_the_moment_is_known_and_the_lost_have_not_signed() -> None:
    rows = pd.DataFrame(
        {
            "as_of": pd.to_datetime(["2024-01-01", "2024-01-01", "2024-01-01", "2024-03-01"]),
            "time_to_close_days": [10.0, 50.0, 5.0, 3.0],
            "close_observed": [True, True, False, True],
        }
    )
    known = _as_known_at(rows, pd.Timestamp("2024-01-31"))
    # Signed, signs only later, was lost after 5 days, came only later.
    assert known["time_to_close_days"].tolist() == [10.0, 30.0, 30.0]
    assert known["close_observed"].tolist() == [True, False, False]


def test_kaplan_meier_is_the_share_where_nobody_is_censored() -> None:
    rows = pd.DataFrame(
        {"time_to_close_days": [10.0, 80.0, 95.0, 200.0], "close_observed": [True] * 4}
    )
    model = _KaplanMeier()
    model.fit(rows)
    assert model.risk(rows) == pytest.approx([0.5] * 4)


def test_cox_finds_the_effect_that_was_put_in() -> None:
    rng = np.random.default_rng(0)
    n = 2000
    rows = pd.DataFrame({name: rng.poisson(3, n).astype(float) for name in _COX_INPUTS})
    rows["preapproved"] = np.where(rng.random(n) < 0.5, "yes", "no")
    time = rng.exponential(200 / np.exp(1.0 * (rows["preapproved"] == "yes")))
    rows["time_to_close_days"], rows["close_observed"] = np.minimum(time, 365), time < 365
    model = _Cox()
    model.fit(rows)
    risk = pd.Series(model.risk(rows)).groupby(rows["preapproved"].to_numpy()).mean()
    expected = 1 - np.exp(-90 / 200 * np.array([1.0, np.e]))
    assert risk[["no", "yes"]].to_numpy() == pytest.approx(expected, abs=0.04)
