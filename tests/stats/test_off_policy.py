import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from workbench.stats import mean_interval, off_policy_value

WRONG: Any = "wrong"
Vector = NDArray[np.float64]


def logs(seed: int, n: int) -> tuple[Vector, Vector, Vector, Vector, Vector]:
    """Two actions, a context that matters; true value 0.58 of always matching the context."""
    rng = np.random.default_rng(seed)
    context = rng.integers(0, 2, n)
    logged = 0.3 + 0.4 * rng.random(n)
    action = (rng.random(n) < logged).astype(int)
    reward = (rng.random(n) < np.where(action == context, 0.6, 0.2)).astype(float)
    propensity = np.where(action == 1, logged, 1 - logged)
    target = np.where(action == context, 0.95, 0.05)
    predicted = np.where(action == context, 0.55, 0.25)
    value = np.full(n, 0.95 * 0.55 + 0.05 * 0.25)
    return reward, propensity, target, predicted, value


TRUTH = 0.95 * 0.6 + 0.05 * 0.2


@pytest.mark.parametrize("estimator", ["ips", "snips", "dr", "sndr"])
def test_the_value_is_found_and_covered(estimator: Any) -> None:
    hits, estimates, errors = 0, [], []
    for seed in range(300):
        reward, propensity, target, predicted, value = logs(seed, 400)
        found = off_policy_value(
            reward,
            propensity,
            target,
            estimator=estimator,
            predicted_reward=predicted,
            predicted_value=value,
        )
        hits += found.ci_lower <= TRUTH <= found.ci_upper
        estimates.append(found.estimate)
        errors.append(found.standard_error)
    assert np.mean(estimates) == pytest.approx(TRUTH, abs=0.01)
    assert np.mean(errors) == pytest.approx(np.std(estimates), rel=0.12)
    assert 0.91 <= hits / 300 <= 0.98


def test_a_good_model_helps_and_a_bad_one_is_corrected() -> None:
    reward, propensity, target, predicted, value = logs(1, 20_000)
    ips = off_policy_value(reward, propensity, target, estimator="ips")
    dr = off_policy_value(
        reward,
        propensity,
        target,
        estimator="dr",
        predicted_reward=predicted,
        predicted_value=value,
    )
    assert dr.standard_error < ips.standard_error
    wrong = off_policy_value(
        reward,
        propensity,
        target,
        estimator="dr",
        predicted_reward=predicted + 0.3,
        predicted_value=value + 0.3,
    )
    assert wrong.estimate == pytest.approx(TRUTH, abs=0.03)
    direct = off_policy_value(
        reward, propensity, target, estimator="dm", predicted_value=value + 0.3
    )
    assert direct.estimate == pytest.approx(value[0] + 0.3)


def test_wrong_propensities_are_noticed() -> None:
    reward, propensity, target, _, _ = logs(2, 20_000)
    right = off_policy_value(reward, propensity, target)
    assert right.mean_weight == pytest.approx(1.0, abs=0.02)
    assert right.mean_weight_pvalue > 0.01
    wrong = off_policy_value(reward, np.minimum(propensity * 1.3, 1.0), target)
    assert wrong.mean_weight_pvalue < 1e-6


def test_the_same_policy_is_the_mean() -> None:
    reward, propensity, *_ = logs(3, 500)
    found = off_policy_value(reward, propensity, propensity)
    assert found.effective_n == 500
    assert math.isnan(found.mean_weight_pvalue)
    plain = mean_interval(reward)
    assert (found.ci_lower, found.ci_upper) == pytest.approx((plain.ci_lower, plain.ci_upper))


def test_clipping_and_clusters_are_told() -> None:
    reward, propensity, target, _, _ = logs(4, 1000)
    found = off_policy_value(
        reward, propensity, target, max_weight=2.0, groups=np.arange(1000) // 10
    )
    assert found.max_weight == 2.0
    assert found.n_clipped == int((target / propensity > 2).sum())
    assert found.n_groups == 100
    assert "clipped at 2" in found.method


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"propensity": [0.5, 0.0]}, "propensity is 0.0 at position 1"),
        ({"propensity": [0.5, 1.5]}, "propensity is 1.5"),
        ({"target_probability": [0.5, -0.1]}, "target_probability is -0.1"),
        ({"target_probability": [0.0, 0.0]}, "never makes a logged decision"),
        ({"reward": [1.0]}, "lengths differ"),
        ({"reward": [1.0, math.nan]}, "NaN or infinite"),
        ({"estimator": WRONG}, "estimator is 'wrong'"),
        ({"estimator": "dr"}, "predicted_reward is missing"),
        ({"estimator": "dm", "predicted_value": [1.0]}, "predicted_value has length 1"),
        ({"max_weight": 0}, "max_weight is 0"),
    ],
)
def test_bad_input_is_refused(options: dict[str, Any], message: str) -> None:
    usual: dict[str, Any] = {
        "reward": [1.0, 0.0],
        "propensity": [0.5, 0.5],
        "target_probability": [0.5, 0.5],
    }
    with pytest.raises(ValueError, match=message):
        off_policy_value(**(usual | options))
