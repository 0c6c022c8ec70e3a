"""What an experiment needs is what the formulas, and simulated experiments, say."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workbench.abtest import Design, plan, read_design
from workbench.errors import SpecError
from workbench.stats import (
    cluster_power,
    means_sample_size,
    proportions_power,
    proportions_sample_size,
)

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = sorted((ROOT / "experiments" / "abtest").glob("*.yaml"))
REPLY = {"kind": "proportion", "role": "primary", "baseline": 0.1, "mde": 0.02}


def design(metric: dict[str, Any] | None = None, **changes: Any) -> Design:
    base = {"name": "script", "arms": {"old": 1, "new": 1}, "metrics": {"reply": metric or REPLY}}
    return Design.model_validate({**base, **changes})


def test_two_equal_arms_are_the_plain_formula() -> None:
    found = plan(design())
    assert found.n_units == math.ceil(2 * proportions_sample_size(0.1, 0.12))
    assert found.days is None
    assert plan(design(coverage=0.5), units_per_day=100).days == math.ceil(found.n_units / 50)


def test_unequal_arms_and_corrections_cost_units() -> None:
    uneven = plan(design(arms={"old": 9, "new": 1}))
    wanted = proportions_sample_size(0.1, 0.12, ratio=1 / 9) / 0.9
    assert uneven.n_units == math.ceil(wanted)
    five = plan(design(arms=dict.fromkeys("abcde", 1)))
    assert five.rows[0].alpha == pytest.approx(0.05 / 4)
    assert five.n_units == math.ceil(5 * proportions_sample_size(0.1, 0.12, alpha=0.0125))
    free = plan(design(arms=dict.fromkeys("abcde", 1), multiplicity="none"))
    assert free.rows[0].alpha == 0.05


def test_covariates_save_their_share() -> None:
    mean = {"kind": "mean", "role": "primary", "sd": 3.0, "mde": 0.2}
    plain = plan(design(mean)).n_units
    adjusted = plan(design({**mean, "r_squared": 0.5})).n_units
    assert plain == math.ceil(2 * means_sample_size(0.2, 3.0))
    assert adjusted / plain == pytest.approx(0.5, abs=0.01)


def test_clusters_cost_their_design_effect() -> None:
    cluster = {"column": "agent", "icc": 0.05, "mean_size": 20}
    found = plan(design(cluster=cluster)).rows[0]
    assert found.design_effect == pytest.approx(1.95)
    assert found.n_clusters == math.ceil(found.n_units / 20)
    sd = math.sqrt(0.11 * 0.89)
    power = cluster_power(found.n_clusters / 2, 0.02, sd, icc=0.05, mean_size=20)
    assert power == pytest.approx(0.8, abs=0.01)
    plain = plan(design()).n_units
    assert found.n_units == pytest.approx(1.95 * plain, rel=0.02)
    # Within clusters nothing is added.
    within = plan(design(cluster={**cluster, "randomised": False}))
    assert (within.n_units, within.rows[0].n_clusters) == (plain, None)


def test_guardrails_are_planned_for_their_margin() -> None:
    guard = {"kind": "proportion", "role": "guardrail", "baseline": 0.04, "margin": 0.01}
    found = plan(design(metrics={"reply": REPLY, "unsubscribed": guard}))
    row = found.rows[1]
    assert (row.mde, row.alpha) == (0.01, 0.025)
    assert proportions_power(
        row.n_units / 2, 0.04, 0.04, margin=0.01, alpha=0.025, alternative="greater"
    ) == pytest.approx(0.8, abs=0.001)
    relative = {**guard, "margin": 0.25, "margin_scale": "relative"}
    again = plan(design(metrics={"reply": REPLY, "unsubscribed": relative})).rows[1]
    assert again.n_units == row.n_units


def test_sequential_plans_are_inflated() -> None:
    plain = plan(design()).n_units
    looks = plan(design(sequential={"kind": "group_sequential", "looks": 4}, planned_units=9000))
    assert 1.01 < looks.n_units / plain < 1.04
    always = plan(design(sequential={"kind": "always_valid"}, planned_units=9000))
    assert 1.4 < always.n_units / plain < 2.2


def test_what_planned_units_find() -> None:
    found = plan(design(planned_units=4000)).rows[0]
    assert found.power == pytest.approx(proportions_power(2000, 0.1, 0.12))
    assert found.detectable > 0.02
    assert proportions_power(2000, 0.1, 0.1 + found.detectable) == pytest.approx(0.8, abs=1e-4)


def test_the_planned_power_is_the_power_one_gets() -> None:
    metric = {"kind": "ratio", "role": "primary", "numerator": "n", "denominator": "d", "mde": 0.1}
    n = plan(design({**metric, "sd": 1.2})).n_units // 2
    rng = np.random.default_rng(6)
    # Numerators with standard deviation 1.2 around the ratio 1, denominators all 1.
    z = []
    for _ in range(600):
        a, b = rng.normal(1, 1.2, n), rng.normal(1.1, 1.2, n)
        z.append((b.mean() - a.mean()) / math.sqrt((a.var(ddof=1) + b.var(ddof=1)) / n))
    assert np.mean(np.abs(z) > 1.96) == pytest.approx(0.8, abs=0.05)


def test_what_is_missing_is_said() -> None:
    both = {"reply": REPLY, "calls": {"kind": "count"}}
    found = plan(design(metrics=both))
    assert found.unplanned == ("calls lacks sd and mde",)
    assert "Not planned: calls lacks sd and mde." in found.to_markdown()
    with pytest.raises(SpecError, match="reply lacks baseline and mde"):
        plan(design({"kind": "proportion", "role": "primary"}))
    with pytest.raises(SpecError, match="icc and mean_size"):
        plan(design(cluster={"column": "agent"}))
    with pytest.raises(SpecError, match="units_per_day is 0"):
        plan(design(), units_per_day=0)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_the_examples_can_be_planned(path: Path) -> None:
    assert plan(read_design(path)).n_units > 1000


def test_a_plan_is_shown() -> None:
    found = plan(design(planned_units=4000), units_per_day=100)
    frame = found.to_frame()
    assert frame.loc[0, "n_units"] == found.n_units
    text = found.to_markdown()
    assert f"{found.n_units:,} units in all arms, {found.days:,} days" in text
    assert "reply (primary)" in found._repr_html_()
