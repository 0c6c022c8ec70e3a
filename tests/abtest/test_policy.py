import numpy as np
import pandas as pd
import pytest

from workbench.abtest.policy import PolicyReport, learn_policy
from workbench.abtest.simulate import simulate
from workbench.abtest.simulate_world import Simulation, World
from workbench.errors import DataError
from workbench.stats import off_policy_value

FEATURES = ["segment", "engagement"]
STRONG = {
    "empathetic": {"first_time": 0.0, "luxury": 0.0, "commercial": 0.0},
    "analytical": {"first_time": -0.5, "luxury": 0.0, "commercial": 0.9},
    "relationship": {"first_time": 0.2, "luxury": 1.1, "commercial": -0.5},
}


def experiment(world: World, n: int = 30_000, seed: int = 1) -> Simulation:
    return simulate(world, n_leads=n, assigned="policy", random_state=seed)


@pytest.fixture(scope="module")
def found() -> Simulation:
    return experiment(World(effects=STRONG, baseline=0.08))


@pytest.fixture(scope="module")
def report(found: Simulation) -> PolicyReport:
    return learn_policy(found.leads, features=FEATURES, groups="agent_id")


def true_value(found: Simulation, report: PolicyReport) -> float:
    order = np.array([found.truth.strategies.index(s) for s in report.policy.strategies])
    return found.truth.value(order[report.policy.choose(found.leads)])


def test_the_policy_gives_each_segment_what_works_there(
    found: Simulation, report: PolicyReport
) -> None:
    table = pd.DataFrame({"segment": ["luxury", "commercial"], "engagement": [0.0, 0.0]})
    chosen = [report.policy.strategies[i] for i in report.policy.choose(table)]
    assert chosen == ["relationship", "analytical"]
    best = max(found.truth.mean(s) for s in found.truth.strategies)
    assert true_value(found, report) > best + 0.005
    assert report.verdict == "better"
    assert sum(report.shares) == pytest.approx(1)


def test_values_are_those_of_the_half_it_was_not_learnt_from(
    found: Simulation, report: PolicyReport
) -> None:
    for estimator in ("ips", "snips", "dr"):
        value = report.value("learned", estimator)
        assert value.n == report.n_judged
        assert value.ci_lower < true_value(found, report) < value.ci_upper
        for strategy in found.truth.strategies:
            single = report.value(f"always {strategy}", estimator)
            assert single.ci_lower - 0.01 < found.truth.mean(strategy) < single.ci_upper + 0.01
    assert report.warnings == ()
    # The uniform policy by IPS, by hand.
    uniform = report.value("uniform", "ips")
    assert uniform.estimate == pytest.approx(
        np.mean([found.truth.mean(s) for s in found.truth.strategies]), abs=0.01
    )


def test_it_is_judged_honestly_where_there_is_nothing_to_learn() -> None:
    """Without effects the learned policy may look better where it was learnt, not where judged."""
    wins, covered, n = 0, 0, 16
    for seed in range(n):
        world = World(n_agents=100, baseline=0.1).without_effects()
        nothing = experiment(world, n=4000, seed=seed)
        judged = learn_policy(
            nothing.leads, features=FEATURES, groups="agent_id", random_state=seed
        )
        wins += judged.verdict == "better"
        value, truth = judged.value("learned", "dr"), nothing.truth.mean("empathetic")
        covered += value.ci_lower <= truth <= value.ci_upper
    assert wins <= 3
    assert covered >= 12


def test_wrong_propensities_are_noticed(found: Simulation) -> None:
    wrong = found.leads.assign(propensity=found.leads["propensity"] ** 2)
    judged = learn_policy(wrong, features=FEATURES, groups="agent_id")
    assert any("not those that were drawn with" in text for text in judged.warnings)
    few = learn_policy(found.leads.head(900), features=["segment"])
    assert any("too few for its interval" in text for text in few.warnings)


def test_no_agent_is_on_both_sides(found: Simulation, report: PolicyReport) -> None:
    again = learn_policy(found.leads, features=FEATURES, groups="agent_id")
    assert again.value("learned").estimate == report.value("learned").estimate
    n_groups = report.value("learned").n_groups
    assert n_groups is not None
    assert n_groups < 200
    other = learn_policy(found.leads, features=FEATURES, groups="agent_id", random_state=9)
    assert other.value("learned").estimate != report.value("learned").estimate


def test_rewards_may_be_money(found: Simulation) -> None:
    judged = learn_policy(found.leads, features=FEATURES, reward="revenue_usd", groups="agent_id")
    value = judged.value("uniform", "ips")
    assert 300 < value.estimate < 2000
    direct = off_policy_value([1.0, 0.0], [0.5, 0.5], [0.5, 0.5], estimator="ips")
    assert direct.estimate == 0.5


def test_it_tells_people_and_machines(report: PolicyReport) -> None:
    assert "better than always" in report.sentence()
    assert report.sentence() in report._repr_html_()
    assert set(report.to_frame()["method"]) == {"ips", "snips", "dr"}
    with pytest.raises(KeyError):
        report.value("always charming")


def test_wrong_logs_are_refused(found: Simulation) -> None:
    leads = found.leads.head(2000)
    with pytest.raises(DataError, match="missing or has gaps"):
        learn_policy(leads.assign(propensity=np.nan), features=FEATURES)
    with pytest.raises(DataError, match="in \\(0, 1\\]"):
        learn_policy(leads.assign(propensity=0.0), features=FEATURES)
    with pytest.raises(DataError, match="30 or more"):
        learn_policy(found.leads.head(100), features=FEATURES)
    with pytest.raises(DataError, match="in \\(0, 1\\)"):
        learn_policy(leads, features=FEATURES, learn_fraction=1.0)
    with pytest.raises(DataError, match="both outcomes"):
        learn_policy(leads.assign(converted=0), features=FEATURES)
