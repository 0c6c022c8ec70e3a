import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import special

from workbench.claude.semantic.policy import (
    Neighbourhood,
    fit_error_model,
    read_neighbourhood,
)

Z = 1.6449
TRUTH = np.array([2.0, -0.8, 0.5, -0.9, -0.3])
CENTRE, SCALE = np.array([-1.5, 1.0, -2.0, -2.0]), np.array([0.7, 1.0, 1.5, 0.4])


def drawn(n: int, seed: int) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.float64]]:
    rng = np.random.default_rng(seed)
    standard = rng.normal(size=(n, 4))
    right = special.expit(TRUTH[0] + standard @ TRUTH[1:])
    return standard * SCALE + CENTRE, rng.random(n) < right, 1 - right


def test_the_upper_limit_covers_the_true_error() -> None:
    covered = []
    for seed in range(200):
        evidence, agreed, _ = drawn(300, seed)
        model = fit_error_model(evidence, agreed)
        assert model is not None
        points, _, truth = drawn(20, 10_000 + seed)
        upper = [model.upper_error(Neighbourhood(*point), Z) for point in points]
        covered.append(np.mean(truth <= upper))
    assert 0.93 <= np.mean(covered) <= 0.99


def test_the_limit_nears_the_truth_with_observations() -> None:
    evidence, agreed, _ = drawn(50_000, 1)
    model = fit_error_model(evidence, agreed)
    assert model is not None
    points, _, truth = drawn(200, 2)
    upper = np.array([model.upper_error(Neighbourhood(*point), Z) for point in points])
    np.testing.assert_allclose(upper, truth, atol=0.03)


def test_nothing_is_concluded_from_few_observations() -> None:
    evidence, agreed, _ = drawn(59, 0)
    assert fit_error_model(evidence, agreed) is None


@pytest.mark.parametrize(("n", "low", "high"), [(60, 0.02, 0.2), (3000, 0.0, 0.003)])
def test_without_a_single_error_the_limit_still_depends_on_how_many_were_right(
    n: int, low: float, high: float
) -> None:
    evidence, _, _ = drawn(n, 0)
    model = fit_error_model(evidence, np.ones(n, bool))
    assert model is not None
    assert low < model.upper_error(Neighbourhood(*CENTRE), Z) < high


def test_evidence_that_never_varies_is_no_obstacle() -> None:
    model = fit_error_model(np.ones((100, 4)), np.arange(100) % 2 == 0)
    assert model is not None
    assert 0.5 < model.upper_error(Neighbourhood(1, 1, 1, 1), Z) < 0.65


def test_each_kind_of_evidence_points_the_right_way() -> None:
    def seen(
        similarity: float = 0.9, same: tuple[bool, ...] = (True, True, False), errors: int = 0
    ) -> Neighbourhood:
        others = np.array([similarity, 0.8, 0.7], np.float32)
        return read_neighbourhood(similarity, others, np.array(same), errors, 4)

    assert seen(0.95).distance < seen(0.9).distance
    assert seen(same=(True, True, True)).dissent < seen().dissent
    assert seen(same=(True, False, False)).margin < seen().margin
    assert seen(errors=2).record > seen().record


def test_a_nearer_question_with_another_answer_makes_the_margin_negative() -> None:
    near = np.array([0.95, 0.9], np.float32)
    torn = read_neighbourhood(0.9, near, np.array([False, True]), 0, 0)
    assert torn.margin < 0
    lonely = read_neighbourhood(0.5, near, np.array([False, False]), 0, 0)
    assert lonely.margin < torn.margin
    assert np.isfinite(lonely).all()
