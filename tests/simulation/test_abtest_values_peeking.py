"""Quantiles and times to an event watched at every look: how often a difference of 0 is refuted."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from workbench.abtest.estimates import sequence_of
from workbench.abtest.metrics import TimeToEventMetric
from workbench.abtest.unit_values import compare_times, units_followed
from workbench.stats import quantile_difference_bounds

LOOKS, PER_LOOK, N_STUDIES = 20, 100, 240
Draw = Callable[[np.random.Generator, int], NDArray[np.float64]]

DRAWS: dict[str, Draw] = {
    "heavy tail": lambda rng, n: rng.standard_t(2, n),
    "many ties": lambda rng, n: rng.poisson(2, n).astype(float),
}


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)
@pytest.mark.parametrize("q", [0.5, 0.9])
def test_quantiles_under_peeking(draw: Draw, q: float) -> None:
    rng = np.random.default_rng(5)
    wrong = 0
    for _ in range(N_STUDIES // 2):
        arms = draw(rng, 2 * LOOKS * PER_LOOK).reshape(2, -1)
        found = [
            quantile_difference_bounds(
                arms[0, :n], arms[1, :n], q, n_opt=2 * LOOKS * PER_LOOK, confidence_level=0.9
            )
            for n in range(PER_LOOK, LOOKS * PER_LOOK + 1, PER_LOOK)
        ]
        wrong += any(b.ci_lower > 0 or b.ci_upper < 0 for b in found)
        assert all((b.pvalue <= 0.0999) <= (b.ci_lower > 0 or b.ci_upper < 0) for b in found)
    assert wrong / (N_STUDIES // 2) <= 0.1


def test_quantiles_find_a_difference() -> None:
    rng = np.random.default_rng(6)
    old, new = rng.lognormal(size=2000), 1.4 * rng.lognormal(size=2000)
    found = quantile_difference_bounds(old, new, 0.5, n_opt=4000)
    assert 0 < found.ci_lower < 0.4 < found.ci_upper
    assert found.lift_lower < 0.4 < found.lift_upper
    assert found.pvalue < 0.001


def study(rng: np.random.Generator, metric: TimeToEventMetric) -> tuple[bool, bool]:
    """Whether mean times of equal arms are told apart at any look: by our bounds, by ±1.96."""
    n = LOOKS * PER_LOOK
    at = np.sort(rng.random((2, n)) * 60, axis=1)  # days of exposure
    wait = rng.exponential(6.0, (2, n))
    lost = rng.uniform(5, 80, (2, n))
    ours = naive = False
    for day in np.linspace(18, 74, LOOKS):
        arms: list[Any] = []
        for side in range(2):
            follow = np.minimum(day - at[side], lost[side])
            seen = follow >= 0
            time = np.minimum(wait[side], follow)[seen]
            arms.append((time, (wait[side] <= follow)[seen].astype(float)))
        found = compare_times(arms[0], arms[1], metric, (None, None), 0.95)
        n_eff = units_followed(arms[0], arms[1], metric)
        low, high, _ = sequence_of(found, n_eff, 0.95, 2 * n)
        ours = ours or low > 0 or high < 0
        naive = naive or found.pvalue <= 0.05
    return ours, naive


def test_times_to_an_event_under_peeking() -> None:
    rng = np.random.default_rng(7)
    metric = TimeToEventMetric(kind="time_to_event", horizon=12)
    wrong = np.array([study(rng, metric) for _ in range(N_STUDIES)]).mean(axis=0)
    assert wrong[0] <= 0.05
    assert wrong[1] > 0.12  # what looking twenty times at plain intervals does
