"""Comparison within strata, and times to an event: raw and plain figures stand beside."""

import math
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

from workbench.abtest import Design, analyse, why_this_wide
from workbench.errors import DataError
from workbench.stats import (
    Moments,
    compare_means,
    compare_restricted_means,
    log_rank_test,
    post_stratified,
    quantile_difference_bounds,
)

AS_OF = datetime(2026, 3, 1, tzinfo=UTC)
REPLY = {"reply": {"kind": "proportion", "role": "primary"}}
WAIT = {"wait": {"kind": "time_to_event", "duration": "days", "event": "won", "horizon": 10,
                 "role": "primary"}}  # fmt: skip


def design(metrics: dict[str, Any], **changes: Any) -> Design:
    return Design.model_validate(
        {"name": "t", "arms": {"old": 1, "new": 1}, "metrics": metrics, **changes}
    )


# ---------------------------------------------------------------- strata


def leads(n: int = 2000) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    city = rng.choice(["x", "y", "z"], n, p=[0.5, 0.3, 0.2])
    kind = rng.choice(["buyer", "seller"], n)
    rate = pd.Series(city).map({"x": 0.05, "y": 0.4, "z": 0.8}).to_numpy()
    return pd.DataFrame(
        {
            "arm": rng.choice(["old", "new"], n), "city": city, "kind": kind,
            "reply": (rng.random(n) < rate).astype(int), "spend": rng.normal(50 * rate, 5),
            "calls": rng.poisson(3, n), "sessions": 1 + rng.poisson(2, n),
        }
    )  # fmt: skip


def test_strata_are_compared_within_and_the_raw_difference_stands_beside() -> None:
    data = leads()
    plan = design(
        REPLY | {"spend": {"kind": "mean", "winsorise": {"upper": 0.01}}},
        adjustment="post_stratified", strata=["city", "kind"],
    )  # fmt: skip
    found = analyse(plan, data, as_of=AS_OF).effect("reply")
    groups = dict(iter(data.groupby(["city", "kind"])))
    sides = [
        [Moments.of(g.loc[g["arm"] == arm, "reply"]) for g in groups.values()]
        for arm in ("old", "new")
    ]
    wanted = post_stratified(sides[0], sides[1])
    assert found.effect.difference == pytest.approx(wanted.difference)
    assert found.effect.standard_error == pytest.approx(wanted.standard_error)
    assert "over 6 strata" in found.effect.method
    raw = compare_means(*(Moments.of(data.loc[data["arm"] == a, "reply"]) for a in ("old", "new")))
    assert found.raw.difference == pytest.approx(raw.difference)
    assert found.raw.standard_error == pytest.approx(raw.standard_error)
    assert found.effect.standard_error < 0.85 * found.raw.standard_error
    assert "adjustment" in {f.cause for f in why_this_wide(found).factors}
    spend = analyse(plan, data, as_of=AS_OF).effect("spend")
    assert spend.effect.standard_error < 0.5 * spend.raw.standard_error
    assert spend.uncapped is not None


def test_strata_too_small_to_compare_in_are_joined_and_it_is_said() -> None:
    data = leads()
    data.loc[:2, "city"] = ["a", "b", None]
    plan = design(REPLY, adjustment="post_stratified", strata=["city"], segments=["kind"])
    found = analyse(plan, data, as_of=AS_OF)
    effect = found.effect("reply")
    assert "over 3 strata" in effect.effect.method
    assert effect.effect.n_control + effect.effect.n_treatment == len(data)
    assert "joined with the smallest" in str(found.findings)
    assert all(level.effect for s in found.segments for level in s.levels)
    alone = data.assign(city=[f"c{i}" for i in range(len(data))])
    other = analyse(plan, alone, as_of=AS_OF)
    assert other.effect("reply").effect == other.effect("reply").raw
    assert "strata are not used" in str(other.findings)


def test_what_cannot_be_stratified_says_so() -> None:
    ratio = {"rate": {"kind": "ratio", "numerator": "calls", "denominator": "sessions",
                      "role": "primary"}}  # fmt: skip
    found = analyse(
        design(ratio, adjustment="post_stratified", strata=["city"]), leads(), as_of=AS_OF
    )
    assert "a ratio is not post-stratified" in str(found.findings)
    for changes in ({}, {"strata": ["city"], "cluster": {"column": "city"}}):
        with pytest.raises(ValueError, match="needs strata, and units without clusters"):
            design(REPLY, adjustment="post_stratified", **changes)
    with pytest.raises(DataError, match="lack the column"):
        analyse(design(REPLY, adjustment="post_stratified", strata=["age"]), leads(), as_of=AS_OF)


def test_intervals_within_strata_cover() -> None:
    rng = np.random.default_rng(8)
    covered = 0
    for _ in range(400):
        stratum = rng.integers(3, size=300)
        arm = rng.integers(2, size=300)
        y = rng.normal(stratum * (1 + 0.5 * arm))  # true effect 0.5
        sides = [[Moments.of(y[(stratum == s) & (arm == a)]) for s in range(3)] for a in (0, 1)]
        found = post_stratified(sides[0], sides[1])
        covered += found.ci_lower <= 0.5 <= found.ci_upper
    assert 0.925 <= covered / 400 <= 0.975


# ---------------------------------------------------------------- times


def waits(n: int = 1200, *, late: bool = False, effect: float = 1.5) -> pd.DataFrame:
    rng = np.random.default_rng(5)
    new = rng.integers(2, size=n).astype(bool)
    time = rng.exponential(np.where(new & (not late), 6.0 / effect, 6.0))
    if late:  # what the mean up to day 10 cannot see
        time = np.where(new & (time > 10), 10.2, time)
    seen = rng.uniform(10.5, 30, n)
    return pd.DataFrame(
        {
            "arm": np.where(new, "new", "old"), "days": np.minimum(time, seen),
            "won": (time <= seen).astype(int), "agent": rng.integers(40, size=n),
        }
    )  # fmt: skip


def test_times_are_compared_by_their_mean_with_the_log_rank_test_beside() -> None:
    data = waits()
    analysis = analyse(design(WAIT), data, as_of=AS_OF)
    found = analysis.effect("wait")
    sides = [data[data["arm"] == a] for a in ("old", "new")]
    times = [(s["days"], s["won"]) for s in sides]
    plain = compare_restricted_means(times[0], times[1], 10)
    test = log_rank_test(times[0], times[1])
    assert found.effect.difference == pytest.approx(plain.difference)
    assert found.log_rank == test
    assert test.pvalue < 0.001
    assert found.verdict == "better"  # sooner
    assert f"log-rank p = {test.pvalue:.2g}" in found.sentence()
    assert analysis.to_frame()["log_rank_pvalue"].item() == test.pvalue
    assert f"log-rank p = {test.pvalue:.2g}" in analysis.to_markdown()
    assert "WB-X18" not in {f.code for f in analysis.findings}


def test_tests_that_disagree_are_noted() -> None:
    found = analyse(design(WAIT), waits(late=True), as_of=AS_OF)
    assert [f.severity for f in found.findings if f.code == "WB-X18"] == ["note"]


def test_clusters_widen_the_interval_of_times() -> None:
    rng = np.random.default_rng(6)
    data = waits(effect=1.0)
    agent = data["agent"].to_numpy()
    data["arm"] = np.where(agent % 2 == 0, "old", "new")
    slow = np.exp(rng.normal(0, 0.6, 40))[agent]
    data["days"] = np.minimum(data["days"] * slow, 25.0)
    data["won"] = (data["days"] < 25).astype(int)
    found = analyse(design(WAIT, cluster={"column": "agent"}), data, as_of=AS_OF).effect("wait")
    assert found.unclustered is not None
    assert found.effect.standard_error > 1.5 * found.unclustered.standard_error
    assert found.effect.n_groups == 40
    assert "log-rank test takes units as independent" in found.note


def test_always_valid_intervals_of_values_are_wider_and_cover() -> None:
    data = waits(effect=1.0)
    metrics = WAIT | {"half": {"kind": "quantile", "q": 0.5, "column": "days", "role": "primary"}}
    fixed = analyse(design(metrics, multiplicity="none"), data, as_of=AS_OF)
    valid = analyse(
        design(metrics, multiplicity="none", sequential={"kind": "always_valid", "n_opt": 1200}),
        data, as_of=AS_OF,
    )  # fmt: skip
    for name in metrics:
        a, b = fixed.effect(name), valid.effect(name)
        assert b.ci_upper - b.ci_lower > 1.2 * (a.ci_upper - a.ci_lower)
        assert b.ci_lower < 0 < b.ci_upper
        assert math.isfinite(b.pvalue)
    sides = [data.loc[data["arm"] == a, "days"] for a in ("old", "new")]
    bounds = quantile_difference_bounds(sides[0], sides[1], 0.5, n_opt=1200)
    half = valid.effect("half")
    assert (half.ci_lower, half.ci_upper, half.pvalue) == pytest.approx(
        (bounds.ci_lower, bounds.ci_upper, bounds.pvalue)
    )
