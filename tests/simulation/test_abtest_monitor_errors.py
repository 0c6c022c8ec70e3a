"""Monitoring a whole experiment, day by day: how often it errs, and how soon it finds."""

import functools
from typing import Any

import pytest
from scipy import stats

from workbench.abtest.design import Design
from workbench.abtest.monitor import Monitoring, monitor
from workbench.abtest.simulate import simulate
from workbench.abtest.simulate_world import World

ARMS = {"empathetic": 1, "consultative": 1, "relationship": 1}
N_LEADS = 6000
N_STUDIES = {"lead": 120, "agent": 50}
AGENTS = {"column": "agent_id", "randomised": True}
GUARD = {"kind": "proportion", "role": "guardrail", "higher_is_better": False, "margin": 0.05}


def at_most(hits: int, nominal: float, n: int) -> bool:
    return bool(hits <= stats.binom.ppf(0.999, n, nominal))


def design(assigned: str, sequential: dict[str, Any]) -> Design:
    return Design.model_validate(
        {
            "name": "coaching",
            "arms": ARMS,
            "planned_units": N_LEADS,
            "sequential": sequential,
            "cluster": AGENTS if assigned == "agent" else None,
            "metrics": {
                "converted": {"kind": "proportion", "role": "primary"},
                "showings": {"kind": "count", "role": "primary"},
                "complained": GUARD,
            },
        }
    )


@functools.cache
def run(assigned: Any, kind: str) -> tuple[Monitoring, ...]:
    """A/A experiments: nothing has an effect; agents differ a lot."""
    world = World(n_agents=150, agent_sd=0.6, baseline=0.08).without_effects()
    sequential: dict[str, Any] = {"kind": kind} | ({"looks": 5} if "group" in kind else {})
    plan = design(assigned, sequential)
    return tuple(
        monitor(
            plan,
            simulate(world, n_leads=N_LEADS, assigned=assigned, arms=ARMS, random_state=seed).leads,
            arm="strategy",
            every_days=2 if assigned == "lead" else 4,
        )
        for seed in range(N_STUDIES[assigned])
    )


@pytest.mark.parametrize(
    ("assigned", "kind"),
    [("lead", "always_valid"), ("agent", "always_valid"), ("lead", "group_sequential")],
)
def test_a_a_experiments_are_hardly_ever_decided(assigned: str, kind: str) -> None:
    """Two metrics × two treatments × up to 14 looks: at most 5 % of experiments ever decide."""
    states = run(assigned, kind)
    decided = sum(
        any(r.state in ("better", "worse") for r in s.path if r.role == "primary") for s in states
    )
    assert at_most(decided, 0.05, len(states))
    assert at_most(
        sum(s.alarm for s in states), 0.06, len(states)
    )  # shares 1 %, guardrails 5 % at most
    # The same looks with a plain test at each would be wrong far more often.
    naive = sum(any(abs(r.statistic) > 1.96 for r in s.path if r.role == "primary") for s in states)
    assert naive > 0.25 * len(states)


def test_the_share_of_arms_is_watched_without_false_alarms() -> None:
    for assigned in ("lead", "agent"):
        states = run(assigned, "always_valid")
        alarms = sum(s.sample_ratio[-1].pvalue <= 0.01 for s in states)
        assert at_most(alarms, 0.01, len(states))


def test_a_real_effect_is_found_early() -> None:
    effects = {name: dict.fromkeys(World().segments, 0.0) for name in ARMS}
    effects["relationship"] = dict.fromkeys(World().segments, 0.9)
    world = World(effects=effects, baseline=0.08)
    plan = design("lead", {"kind": "always_valid"})
    found, saved = 0, 0.0
    for seed in range(30):
        leads = simulate(world, n_leads=N_LEADS, arms=ARMS, random_state=seed).leads
        state = monitor(plan, leads, arm="strategy")
        course = state.course("converted", "relationship")
        won = [r.look for r in course if r.state == "better"]
        found += bool(won)
        saved += 1 - won[0] / state.looks if won else 0.0
        assert course[-1].state != "worse"
    assert found >= 29
    assert saved / 30 > 0.4
