"""The search itself, without anybody to ask: its budget, its choice, what its score is worth."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.evaluation.readings.variant_search import (
    Rung,
    halving_plan,
    plan_calls,
    random_plan,
    select,
)


@given(st.integers(0, 5000), st.integers(5, 800), st.integers(2, 300))
@settings(max_examples=60)
def test_no_plan_needs_more_than_it_may(n_calls: int, n_rows: int, n_candidates: int) -> None:
    plan = halving_plan(n_calls, n_rows, n_candidates)
    if not plan:
        assert 2 * min(20, n_rows) > n_calls
        return
    assert plan_calls(plan) <= n_calls
    assert all(2 <= r.n_candidates <= n_candidates and 0 < r.n_rows <= n_rows for r in plan)
    assert [r.n_candidates for r in plan] == sorted((r.n_candidates for r in plan), reverse=True)
    same = random_plan(n_calls, plan, n_candidates)
    assert plan_calls(same) <= n_calls
    assert same[0].n_rows == plan[-1].n_rows


def test_calls_are_those_that_are_made() -> None:
    plan = halving_plan(1000, 300, 100)
    assert len(plan) > 1
    done: dict[int, int] = {}

    def measure(candidate: int, n_rows: int) -> float:
        done[candidate] = n_rows
        return float(-candidate)

    assert select(plan, measure) is not None
    assert sum(done.values()) == plan_calls(plan)


def test_a_much_better_candidate_is_found() -> None:
    rng = np.random.default_rng(0)
    chances = np.full(27, 0.5)
    chances[19] = 0.9
    right = rng.random((27, 200)) < chances[:, None]
    plan = halving_plan(1200, 200, 27)
    found = select(plan, lambda c, n: float(right[c, :n].mean()))
    assert found is not None
    assert found.winner == 19
    assert found.n_rows == plan[-1].n_rows


@pytest.mark.parametrize("stop", [0, 1, 4, 9, 11])
def test_money_that_ends_leaves_the_round_before(stop: int) -> None:
    asked = 0

    def measure(candidate: int, n_rows: int) -> float | None:
        nonlocal asked
        asked += 1
        return None if asked > stop else float(candidate)

    found = select([Rung(9, 20), Rung(3, 60)], measure)
    if stop == 0:
        assert found is None
        return
    assert found is not None
    assert found.winner == min(stop, 9) - 1
    assert found.n_rows == 20


def test_the_winners_own_score_flatters_and_a_fresh_one_does_not() -> None:
    rng = np.random.default_rng(7)
    own, fresh = [], []
    for _ in range(300):
        right = rng.random((27, 180)) < 0.5
        found = select(halving_plan(1000, 180, 27), lambda c, n, r=right: float(r[c, :n].mean()))  # type: ignore[misc]
        assert found is not None
        own.append(found.score)
        fresh.append(float((rng.random(100) < 0.5).mean()))
    error = np.std(fresh) / np.sqrt(len(fresh))
    assert abs(np.mean(fresh) - 0.5) < 3 * error
    assert np.mean(own) > 0.5 + 10 * error


def test_halving_finds_better_ones_than_random_search_with_as_many_calls() -> None:
    rng = np.random.default_rng(3)
    gained = []
    for _ in range(60):
        chances = np.clip(rng.normal(0.7, 0.1, 200), 0, 1)
        right = rng.random((200, 300)) < chances[:, None]
        plan = halving_plan(1200, 300, 200)
        found = [
            select(p, lambda c, n, r=right: float(r[c, :n].mean()))  # type: ignore[misc]
            for p in (plan, random_plan(1200, plan, 200))
        ]
        assert found[0] is not None
        assert found[1] is not None
        gained.append(chances[found[0].winner] - chances[found[1].winner])
    assert np.mean(gained) > 2 * np.std(gained) / np.sqrt(len(gained))
