"""The corrected win rate covers the truth, whatever the judge's errors and its taste for places."""

import numpy as np
import pytest
from numpy.typing import NDArray

from workbench.evaluation.judge_correction import corrected_share

N_PAIRS, N_HUMAN, N_STUDIES = 600, 150, 1500

# Share people prefer a; chance the judge sees a win where there is one, and where there is none;
# chance that it answers by place alone instead, and then takes the first.
SETTINGS = [
    (0.50, 0.90, 0.10, 0.0, 0.5),
    (0.50, 0.75, 0.25, 0.0, 0.5),
    (0.30, 0.95, 0.30, 0.0, 0.5),
    (0.80, 0.70, 0.05, 0.0, 0.5),
    (0.50, 0.95, 0.05, 0.3, 1.0),
    (0.35, 0.90, 0.15, 0.3, 0.9),
    (0.65, 0.85, 0.10, 0.2, 0.1),
]


def verdicts(
    rng: np.random.Generator, truth: NDArray[np.bool_], hit: float, miss: float, place: float,
    first: float,
) -> NDArray[np.bool_]:  # fmt: skip
    """Whether a judge, asked both ways round, names a both times."""
    seen = rng.random(truth.size) < np.where(truth, hit, miss)
    says_a = []
    for a_stands_first in (True, False):
        by_place = rng.random(truth.size) < place
        takes_first = rng.random(truth.size) < first
        says_a.append(np.where(by_place, takes_first == a_stands_first, seen))
    return says_a[0] & says_a[1]


@pytest.mark.parametrize("setting", SETTINGS)
def test_the_corrected_interval_covers(setting: tuple[float, ...]) -> None:
    share, *judge = setting
    rng = np.random.default_rng(17)
    covered, raw_misses, errors = 0, 0, []
    for _ in range(N_STUDIES):
        truth = rng.random(N_PAIRS) < share
        said = verdicts(rng, truth, *judge)
        human = [bool(t) if i < N_HUMAN else None for i, t in enumerate(truth)]
        found = corrected_share(said.tolist(), human)
        covered += found.ci_lower <= share <= found.ci_upper
        errors.append(found.estimate - share)
        raw_misses += abs(said.mean() - share) > 0.1
    assert covered / N_STUDIES >= 0.94
    assert abs(np.mean(errors)) < 0.02
    # Wide enough is not enough: it must not cover everything either.
    assert covered / N_STUDIES <= 0.99


def test_uncorrected_the_same_judge_misleads() -> None:
    rng = np.random.default_rng(3)
    truth = rng.random(20_000) < 0.5
    raw = verdicts(rng, truth, 0.95, 0.05, 0.3, 1.0).mean()
    assert raw < 0.36
