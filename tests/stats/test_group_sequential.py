from typing import Any

import numpy as np
import pytest
from scipy import stats

from workbench.stats import (
    classic_boundary,
    crossing_probabilities,
    group_sequential_design,
    spending_boundary,
    spent_alpha,
)

WRONG: Any = "wrong"
LOOKS = [0.25, 0.5, 0.75, 1.0]


@pytest.mark.parametrize("spending", ["obrien-fleming", "pocock", "hwang-shih-decani", "power"])
def test_the_boundary_spends_what_was_planned(spending: Any) -> None:
    bounds = spending_boundary(LOOKS, spending=spending)
    above, below = crossing_probabilities(LOOKS, bounds, -bounds)
    np.testing.assert_allclose(np.cumsum(above), spent_alpha(LOOKS, 0.025, spending), atol=1e-9)
    np.testing.assert_allclose(above, below)
    assert above.sum() * 2 == pytest.approx(0.05)


def test_shapes_of_spending() -> None:
    late, early = spent_alpha(LOOKS, 0.05), spent_alpha(LOOKS, 0.05, "pocock")
    assert late[0] < early[0]
    assert late[-1] == pytest.approx(0.05)
    assert early[-1] == pytest.approx(0.05)
    linear = spent_alpha(LOOKS, 0.05, "hwang-shih-decani", parameter=0)
    np.testing.assert_allclose(linear, 0.05 * np.array(LOOKS))


def test_one_look_is_the_fixed_test() -> None:
    assert spending_boundary([1.0])[0] == pytest.approx(stats.norm.isf(0.025))
    assert classic_boundary("pocock", 1)[0] == pytest.approx(stats.norm.isf(0.025))
    design = group_sequential_design([1.0])
    assert design.inflation == pytest.approx(1.0)
    assert design.expected_information == pytest.approx(1.0)


def test_two_looks_are_a_bivariate_normal() -> None:
    upper, lower, drift = np.array([2.5, 2.0]), np.array([-0.5, 2.0]), 1.7
    above, below = crossing_probabilities([0.4, 1.0], upper, lower, drift=drift)
    mean = drift * np.sqrt([0.4, 1.0])
    joint = stats.multivariate_normal(mean, [[1, np.sqrt(0.4)], [np.sqrt(0.4), 1]])
    under = joint.cdf([2.5, 2.0]) - joint.cdf([-0.5, 2.0])
    inside = stats.norm.cdf(2.5, mean[0]) - stats.norm.cdf(-0.5, mean[0])
    assert below[1] == pytest.approx(under, abs=1e-5)
    assert above[1] == pytest.approx(inside - under, abs=1e-5)
    assert above.sum() + below.sum() == pytest.approx(1.0)


@pytest.mark.parametrize("futility", [None, "obrien-fleming", "pocock"])
def test_a_design_has_its_level_and_power(futility: Any) -> None:
    design = group_sequential_design(LOOKS, alpha=0.025, power=0.9, futility=futility)
    going_on = np.full(4, -np.inf)
    level = crossing_probabilities(LOOKS, design.efficacy, going_on)[0].sum()
    assert level == pytest.approx(0.025)  # also where futility is overruled
    above, below = crossing_probabilities(
        LOOKS, design.efficacy, design.futility, drift=design.drift
    )
    assert above.sum() == pytest.approx(0.9, abs=1e-6)
    assert below.sum() == pytest.approx(0.0 if futility is None else 0.1, abs=1e-6)
    assert design.inflation >= 1
    assert design.expected_information < 1
    if futility:
        assert design.expected_information_null < 0.65


def test_many_looks_are_integrated() -> None:
    bounds = classic_boundary("pocock", 100)
    above, below = crossing_probabilities(np.arange(1, 101) / 100, bounds, -bounds)
    assert above.sum() + below.sum() == pytest.approx(0.05, abs=1e-9)
    assert bounds[0] == pytest.approx(3.0, abs=0.15)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: spent_alpha([0.5, 1.1], 0.05), "rising shares"),
        (lambda: spending_boundary([0.5, 0.5]), "rising shares"),
        (lambda: spent_alpha([1.0], 0.0), "alpha is 0.0"),
        (lambda: spent_alpha([1.0], 0.05, WRONG), "spending is 'wrong'"),
        (lambda: spent_alpha([1.0], 0.05, "power", parameter=0), "a power > 0"),
        (lambda: classic_boundary(WRONG, 3), "kind is 'wrong'"),
        (lambda: classic_boundary("pocock", 0), "n_looks is 0"),
        (lambda: crossing_probabilities([1.0], [1.0, 2.0], [0.0]), "bounds have shapes"),
        (lambda: crossing_probabilities([1.0], [1.0], [2.0]), "lower ≤ upper"),
        (lambda: group_sequential_design([0.5]), "the last look is at 0.5"),
        (lambda: group_sequential_design([1.0], power=0.01), "power is 0.01"),
    ],
)
def test_bad_input_is_refused(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
