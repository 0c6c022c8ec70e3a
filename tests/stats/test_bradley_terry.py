import math
from typing import Any

import numpy as np
import pytest
from scipy import optimize, special

from workbench.stats import bradley_terry, count_preferences

WINS = np.array([[0, 8, 7, 9], [4, 0, 6, 7], [5, 6, 0, 8], [2, 5, 4, 0]])
TIES = np.array([[0, 2, 1, 0], [2, 0, 3, 1], [1, 3, 0, 2], [0, 1, 2, 0]])


def log_likelihood(theta: Any, wins: Any, ties: Any) -> float:
    """Davidson's model, written pair by pair."""
    strength, log_tie = np.append(theta[:-1], 0.0), theta[-1]
    total = 0.0
    for i in range(len(wins)):
        for j in range(i + 1, len(wins)):
            a, b = strength[i], strength[j]
            norm = special.logsumexp([a, b, log_tie + (a + b) / 2])
            total += wins[i][j] * (a - norm) + wins[j][i] * (b - norm)
            total += ties[i][j] * (log_tie + (a + b) / 2 - norm)
    return float(total)


def test_strengths_maximise_the_likelihood_and_errors_are_its_curvature() -> None:
    found = bradley_terry(WINS, ties=TIES)
    best = optimize.minimize(lambda t: -log_likelihood(t, WINS, TIES), np.zeros(4), tol=1e-10)
    strength = np.append(best.x[:3], 0.0)
    np.testing.assert_allclose(found.strength, strength - strength.mean(), atol=1e-4)
    assert found.log_tie == pytest.approx(best.x[3], abs=1e-4)
    steps = np.eye(4) * 1e-3
    curve = np.array(
        [
            [
                sum(
                    s * t * -log_likelihood(best.x + s * a + t * b, WINS, TIES)
                    for s in (1, -1)
                    for t in (1, -1)
                )
                / 4e-6
                for b in steps
            ]
            for a in steps
        ]
    )
    inverse = np.linalg.inv(curve)
    gap = found.covariance[0, 0] + found.covariance[3, 3] - 2 * found.covariance[0, 3]
    assert gap == pytest.approx(inverse[0, 0], rel=1e-3)
    assert found.n == WINS.sum() + TIES.sum() / 2


def test_two_competitors_have_the_log_odds() -> None:
    found = bradley_terry([[0, 30], [10, 0]])
    assert found.strength[0] - found.strength[1] == pytest.approx(math.log(3))
    assert found.win_probability(0, 1) == pytest.approx(0.75)
    spread = found.covariance[0, 0] + found.covariance[1, 1] - 2 * found.covariance[0, 1]
    assert spread == pytest.approx(1 / 30 + 1 / 10)


def test_counting_and_fitting_many_preferences() -> None:
    rng = np.random.default_rng(0)
    truth = np.array([0.8, 0.2, -0.3, -0.7])
    first, second = rng.integers(0, 4, (2, 40_000))
    keep = first != second
    first, second = first[keep], second[keep]
    won = rng.random(first.size) < special.expit(truth[first] - truth[second])
    names = ["a", "b", "c", "d"]
    label = np.array(names)
    wins, ties = count_preferences(label[first].tolist(), label[second].tolist(), won, names=names)
    assert wins.sum() == first.size
    assert not ties.any()
    found = bradley_terry(wins, ties=ties)
    assert ((found.ci_lower < truth) & (truth < found.ci_upper)).all()
    np.testing.assert_allclose(found.strength, truth, atol=0.05)


def test_an_unbeaten_competitor_needs_a_prior() -> None:
    wins = [[0, 5, 5], [0, 0, 3], [0, 2, 0]]
    with pytest.raises(ValueError, match=r"competitors \[0\] never lost.*prior_wins"):
        bradley_terry(wins)
    found = bradley_terry(wins, prior_wins=0.5)
    assert np.isfinite(found.strength).all()
    assert found.strength.argmax() == 0
    alone = bradley_terry([[0, 3, 0], [2, 0, 0], [0, 0, 0]], prior_wins=0.5)
    assert alone.ci_upper[2] - alone.ci_lower[2] > alone.ci_upper[0] - alone.ci_lower[0]


def test_ties_alone_join_competitors() -> None:
    found = bradley_terry([[0, 3, 0], [2, 0, 0], [0, 0, 0]], ties=[[0, 0, 1], [0, 0, 1], [1, 1, 0]])
    assert np.isfinite(found.ci_upper).all()


def test_strong_competitors_are_fitted() -> None:
    found = bradley_terry([[0, 10**6, 10**6], [1, 0, 10**6], [1, 1, 0]])
    assert found.strength[0] - found.strength[1] == pytest.approx(math.log(1e6), rel=0.1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: bradley_terry([[0]]), "k ≥ 2"),
        (lambda: bradley_terry([[0, -1], [1, 0]]), "wins are out of range"),
        (lambda: bradley_terry([[1, 1], [1, 0]]), "0 on the diagonal"),
        (lambda: bradley_terry([[0, 1], [1, 0]], ties=[[0, 1], [0, 0]]), "not symmetric"),
        (lambda: bradley_terry([[0, 0], [0, 0]]), "no comparisons"),
        (lambda: bradley_terry([[0, 1], [1, 0]], prior_wins=-1), "prior_wins is -1"),
        (lambda: count_preferences("a", "bb", [1], names="ab"), "lengths differ"),
        (lambda: count_preferences("a", "b", [2], names="ab"), "not 0, 0.5 or 1"),
        (lambda: count_preferences("a", "z", [1], names="ab"), "competitor 'z' is unknown"),
        (lambda: count_preferences("a", "a", [1], names="ab"), "with itself"),
    ],
)
def test_bad_input_is_refused(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
