"""Policies learn, and say truthfully with which probability they draw."""

import json

import numpy as np
import pytest

from workbench.abtest import STRATEGIES, LinUCB, PolicyDraw, ThompsonSampling
from workbench.errors import DataError, SpecError
from workbench.stats import off_policy_value


def test_thompson_draws_with_the_probability_of_being_best() -> None:
    policy = ThompsonSampling(["a", "b"], random_state=1)
    for reward in (1, 1, 1, 0):
        policy.update("a", reward)
    for reward in (0, 0, 1, 0):
        policy.update("b", reward)
    rng = np.random.default_rng(0)
    best = (rng.beta(4, 2, 200_000) > rng.beta(2, 4, 200_000)).mean()
    assert policy.propensities["a"] == pytest.approx(best, abs=0.004)
    draws = [policy.draw().arm for _ in range(4000)]
    assert draws.count("a") / 4000 == pytest.approx(policy.propensities["a"], abs=0.03)


def test_thompson_learns_the_best_strategy() -> None:
    rates = dict(zip(STRATEGIES, (0.1, 0.12, 0.3, 0.1, 0.05), strict=True))
    rng = np.random.default_rng(5)
    policy = ThompsonSampling(STRATEGIES, floor=0.02, random_state=7)
    arms = []
    for _ in range(40):
        drawn = [policy.draw().arm for _ in range(15)]
        arms += drawn
        for arm in drawn:  # rewards come late and together
            policy.update(arm, int(rng.random() < rates[arm]))
    assert arms[-200:].count("assertive") > 120
    assert min(policy.propensities.values()) >= 0.02 - 1e-12
    assert sum(policy.propensities.values()) == pytest.approx(1)


def test_logged_propensities_give_an_unbiased_value() -> None:
    rng = np.random.default_rng(2)
    contexts = rng.normal(size=(4000, 2))
    policy = LinUCB(["a", "b"], 2, epsilon=0.3, random_state=3)
    log: list[tuple[PolicyDraw, float]] = []
    for x in contexts:
        found = policy.draw(x)
        reward = float(x[0] if found.arm == "a" else 0.5) + rng.normal(0, 0.5)
        policy.update(x, found.arm, reward)
        log.append((found, reward))
    value = off_policy_value(
        [r for _, r in log],
        [d.propensity for d, _ in log],
        [1.0 if d.arm == "b" else 0.0 for d, _ in log],
    )
    assert value.ci_lower <= 0.5 <= value.ci_upper
    assert value.ci_upper - value.ci_lower < 0.3


def test_linucb_is_the_ridge_regression_it_says() -> None:
    rng = np.random.default_rng(8)
    policy = LinUCB(["a", "b"], 3, exploration=0.7, ridge=2.0)
    X, y = rng.normal(size=(40, 3)), rng.normal(size=40)
    for x, reward in zip(X, y, strict=True):
        policy.update(x, "a", float(reward))
    inverse = np.linalg.inv(X.T @ X + 2 * np.eye(3))
    x = np.array([1.0, -2.0, 0.5])
    wanted = x @ inverse @ X.T @ y + 0.7 * np.sqrt(x @ inverse @ x)
    assert policy.bounds(x)["a"] == pytest.approx(wanted, rel=1e-9)
    assert policy.bounds(x)["b"] == pytest.approx(0.7 * np.sqrt(x @ x / 2))


def test_without_epsilon_linucb_is_deterministic_and_says_so() -> None:
    policy = LinUCB(["a", "b", "c"], 1, epsilon=0.0)
    assert not policy.supports_off_policy
    assert policy.propensities([1.0]) == pytest.approx({"a": 1 / 3, "b": 1 / 3, "c": 1 / 3})
    policy.update([1.0], "c", 5.0)
    assert policy.propensities([1.0]) == {"a": 0.0, "b": 0.0, "c": 1.0}
    assert policy.draw([1.0]) == PolicyDraw("c", 1.0, {"a": 0.0, "b": 0.0, "c": 1.0})


def test_a_restored_policy_goes_on_the_same() -> None:
    thompson, lin = ThompsonSampling(["a", "b"], random_state=4), LinUCB(["a", "b"], 2)
    for i in range(10):
        thompson.update(thompson.draw().arm, i % 2)
        x = [1.0, i / 10]
        lin.update(x, lin.draw(x).arm, float(i))
    first = ThompsonSampling.restore(json.loads(json.dumps(thompson.state())))
    second = LinUCB.restore(json.loads(json.dumps(lin.state())))
    assert [first.draw() for _ in range(20)] == [thompson.draw() for _ in range(20)]
    assert [second.draw([1.0, 0.3]) for _ in range(20)] == [lin.draw([1, 0.3]) for _ in range(20)]


def test_what_policies_refuse() -> None:
    thompson, lin = ThompsonSampling(["a", "b"]), LinUCB(["a", "b"], 2)
    with pytest.raises(DataError, match=r"reward is 0\.5"):
        thompson.update("a", 0.5)
    with pytest.raises(DataError, match="'z' is no arm"):
        lin.update([1, 1], "z", 1.0)
    with pytest.raises(DataError, match="2 finite numbers"):
        lin.draw([1.0])
    with pytest.raises(DataError, match="a finite number"):
        lin.update([1, 1], "a", float("nan"))
    with pytest.raises(SpecError, match=r"floor is 0\.6"):
        ThompsonSampling(["a", "b"], floor=0.6)
    with pytest.raises(SpecError, match="two or more different names"):
        LinUCB(["a", "a"], 2)
    with pytest.raises(SpecError, match=r"epsilon 1\.5"):
        LinUCB(["a", "b"], 2, epsilon=1.5)
