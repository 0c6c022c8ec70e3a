"""Arms that do nothing are found at the rate allowed; predictions narrow honest intervals."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

from workbench.abtest import Design, aa_test, analyse, cupac_covariate
from workbench.errors import DataError

AS_OF = datetime(2026, 3, 1, tzinfo=UTC)


def design(metrics: dict[str, Any], **changes: Any) -> Design:
    return Design.model_validate(
        {"name": "t", "arms": {"old": 1, "new": 2}, "metrics": metrics, **changes}
    )


def agents(n_agents: int = 60, size: int = 30) -> pd.DataFrame:
    """Leads of agents who differ."""
    rng = np.random.default_rng(3)
    agent = np.repeat(np.arange(n_agents), size)
    skill = rng.normal(0, 1, n_agents)[agent]
    n = agent.size
    return pd.DataFrame(
        {
            "arm": "old", "agent": agent, "v": skill + rng.normal(0, 1, n),
            "x": rng.normal(size=n), "reply": (rng.random(n) < 0.2).astype(int),
            "sales": rng.poisson(2, n), "sessions": 1 + rng.poisson(3, n),
        }
    )  # fmt: skip


def test_every_metric_keeps_its_rate() -> None:
    metrics = {
        "v": {"kind": "mean", "role": "primary"},
        "reply": {"kind": "proportion", "role": "primary"},
        "rate": {"kind": "ratio", "numerator": "sales", "denominator": "sessions"},
        "half": {"kind": "quantile", "q": 0.5, "column": "v"},
    }
    found = aa_test(design(metrics, covariates=["x"]), agents(), n_repeats=300, as_of=AS_OF)
    assert found.suspicious == ()
    for rate in found.rates.values():
        assert 0.02 <= rate.estimate <= 0.085
    assert found.family.estimate <= 0.085
    assert found.pvalues["v"].shape == (300, 1)
    assert len(found.to_frame()) == 4
    assert "reply" in found._repr_html_()


def test_clusters_that_are_ignored_are_exposed() -> None:
    data, metrics = agents(), {"v": {"kind": "mean", "role": "primary"}}
    aware = design(metrics, cluster={"column": "agent"})
    found = aa_test(aware, data, n_repeats=300, as_of=AS_OF)
    assert 0.02 <= found.rates["v"].estimate <= 0.085
    # The same draws of whole agents, analysed as if leads were independent.
    rng = np.random.default_rng(0)
    false = 0
    for _ in range(60):
        arms = np.array(["old", "new", "new"])[rng.integers(0, 3, 60)]
        drawn = data.assign(arm=arms[data["agent"]])
        false += analyse(design(metrics), drawn, as_of=AS_OF).effect("v").effect.pvalue < 0.05
    assert false > 25


def test_units_within_clusters_are_drawn_one_by_one() -> None:
    metrics = {"v": {"kind": "mean", "role": "primary"}}
    within = design(metrics, cluster={"column": "agent", "randomised": False}, covariates=["x"])
    rate = aa_test(within, agents(), n_repeats=300, as_of=AS_OF).rates["v"]
    assert 0.02 <= rate.estimate <= 0.085


def test_too_few_units_are_refused() -> None:
    metrics = {"v": {"kind": "mean", "role": "primary"}}
    with pytest.raises(DataError, match="8 at least"):
        aa_test(design(metrics), agents(2, 2), as_of=AS_OF)


# ---------------------------------------------------------------- CUPAC


def test_a_prediction_narrows_the_interval_and_leaves_the_effect() -> None:
    rng = np.random.default_rng(11)
    n = 1500
    features = pd.DataFrame({"a": rng.normal(size=n), "b": rng.normal(size=n)})
    arm = rng.choice(["old", "new"], n)
    y = np.sin(2 * features["a"]) * 2 + features["b"] ** 2 + 0.4 * (arm == "new")
    y = y + rng.normal(0, 0.5, n)
    data = features.assign(arm=arm, y=y, predicted=cupac_covariate(features, y, n_splits=3))
    d = design({"y": {"kind": "mean", "role": "primary"}}, arms={"old": 1, "new": 1},
               covariates=["predicted"])  # fmt: skip
    found = analyse(d, data, as_of=AS_OF).effect("y")
    assert found.effect.ci_lower <= 0.4 <= found.effect.ci_upper
    assert found.effect.standard_error < 0.6 * found.raw.standard_error


def test_a_prediction_of_noise_promises_nothing() -> None:
    rng = np.random.default_rng(12)
    features, y = pd.DataFrame({"a": rng.normal(size=600)}), rng.normal(size=600)
    groups = np.arange(600) // 3
    predicted = cupac_covariate(features, y, groups=groups, n_splits=3)
    assert abs(np.corrcoef(predicted, y)[0, 1]) < 0.15
    with pytest.raises(DataError, match="5 units or clusters at least"):
        cupac_covariate(features, y, groups=np.zeros(600))
    with pytest.raises(DataError, match="a finite outcome"):
        cupac_covariate(features, y[:5])
