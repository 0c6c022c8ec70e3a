"""Calibration fitted and followed over time; drift block by block."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from workbench.errors import DataError
from workbench.monitoring import calibration_fit, calibration_over_time, drift_over_time


def outcomes(
    rng: np.random.Generator, n: int, intercept: float = 0.0, slope: float = 1.0
) -> pd.DataFrame:
    logit = rng.normal(-0.5, 1.2, n)
    truth = 1 / (1 + np.exp(-(intercept + slope * logit)))
    return pd.DataFrame({"proba": 1 / (1 + np.exp(-logit)), "y": rng.random(n) < truth})


def test_the_fit_is_statsmodels() -> None:
    rows = outcomes(np.random.default_rng(0), 700, 0.4, 0.7)
    found = calibration_fit(rows["y"], rows["proba"])
    logit = np.log(rows["proba"] / (1 - rows["proba"]))
    y = rows["y"].astype(float)
    family = sm.families.Binomial()
    large = sm.GLM(y, np.ones(len(y)), family=family, offset=logit).fit(cov_type="HC0")
    both = sm.GLM(y, sm.add_constant(logit), family=family).fit(cov_type="HC0")
    assert found.intercept.estimate == pytest.approx(large.params.iloc[0], abs=1e-7)
    assert found.slope.estimate == pytest.approx(both.params.iloc[1], abs=1e-7)
    exact = np.sqrt(700 / 699)
    assert found.slope.standard_error == pytest.approx(both.bse.iloc[1] * exact, rel=1e-6)
    assert found.intercept.standard_error == pytest.approx(large.bse.iloc[0] * exact, rel=1e-6)


def test_intervals_cover_with_and_without_groups() -> None:
    covered = np.zeros(3)
    n_tries = 300
    for seed in range(n_tries):
        rng = np.random.default_rng(seed)
        rows = outcomes(rng, 300, 0.3)
        found = calibration_fit(rows["y"], rows["proba"])
        covered[0] += found.intercept.ci_lower <= 0.3 <= found.intercept.ci_upper
        covered[1] += found.slope.ci_lower <= 1 <= found.slope.ci_upper
        whole = rows.loc[np.repeat(rows.index, 3)]
        again = calibration_fit(whole["y"], whole["proba"], groups=whole.index)
        assert again.slope.standard_error == pytest.approx(found.slope.standard_error, rel=1e-6)
        blind = calibration_fit(whole["y"], whole["proba"])
        covered[2] += blind.slope.ci_lower <= 1 <= blind.slope.ci_upper
    assert (covered[:2] / n_tries > 0.92).all() and covered[2] / n_tries < 0.85


def test_what_cannot_be_fitted_has_no_bounds() -> None:
    p = np.linspace(0.1, 0.9, 50)
    alike = calibration_fit(np.ones(50), p)
    assert np.isinf(alike.intercept.ci_upper) and np.isnan(alike.slope.estimate)
    apart = calibration_fit(p > 0.5, p)
    assert np.isinf(apart.slope.ci_upper) and np.isfinite(apart.intercept.estimate)
    same = calibration_fit([0, 1] * 25, np.full(50, 0.5))
    assert same.intercept.estimate == pytest.approx(0) and np.isnan(same.slope.estimate)
    with pytest.raises(DataError, match="outside 0 to 1"):
        calibration_fit([0, 1], [0.5, 1.5])
    with pytest.raises(DataError, match="shape"):
        calibration_fit([0, 1], [0.5])


@pytest.fixture(scope="module")
def year() -> pd.DataFrame:
    rng = np.random.default_rng(8)
    parts = []
    for month in range(1, 7):
        rows = outcomes(rng, 400, intercept=0.0 if month < 5 else 0.8)
        rows["as_of"] = pd.Timestamp(2024, month, 10)
        rows["budget"] = rng.normal(0.0 if month != 4 else 0.8, 1, 400)
        rows["person"] = np.arange(400) + 1000 * month
        parts.append(rows)
    tail = parts[0].head(5).assign(as_of=pd.Timestamp(2024, 7, 1))
    return pd.concat([*parts, tail], ignore_index=True)


def test_months_that_are_off_are_found(year: pd.DataFrame) -> None:
    course = calibration_over_time(year, "as_of", label="y", score="proba", groups="person")
    assert [b.block for b in course.blocks if b.alarm] == ["2024-05", "2024-06"]
    assert course.too_small == ("2024-07",) and len(course.to_frame()) == 6
    assert "Miscalibrated in 2024-05" in course._repr_html_()
    rates = calibration_over_time(year, "as_of", label="y", every="quarter")
    assert [b.n for b in rates.blocks] == [1200, 1200] and rates.blocks[0].slope is None
    assert "Base rate" in rates._repr_html_()


def test_drift_over_time_names_month_and_column(year: pd.DataFrame) -> None:
    rng = np.random.default_rng(9)
    before = pd.DataFrame({"budget": rng.normal(size=600), "person": np.arange(600)})
    watched = year[["as_of", "budget", "person"]]
    course = drift_over_time(watched, "as_of", before, groups="person")
    assert course.alarms == {"2024-04": ("budget",)}
    assert {r.alpha for r in course.reports} == {0.05 / 6}
    assert len(course.to_frame()) == 6 and "Drift in 1 of 6" in course._repr_html_()


def test_times_that_are_missing_are_refused(year: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="missing times"):
        calibration_over_time(year.assign(as_of=pd.NaT), "as_of", label="y")
    with pytest.raises(DataError, match="no column 'nothing'"):
        calibration_over_time(year, "as_of", label="nothing")
    with pytest.raises(DataError, match="no week has 20"):
        calibration_over_time(year.tail(5), "as_of", label="y", every="week")
