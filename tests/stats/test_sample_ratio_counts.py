from typing import Any

import numpy as np
import pytest
from scipy import stats

from workbench.stats import sample_ratio_test, sequential_sample_ratio


def test_shares_need_not_be_equal_nor_add_up_to_one() -> None:
    found = sample_ratio_test([950, 50], [95, 5])
    assert found.pvalue == pytest.approx(1.0)
    assert found.expected == pytest.approx((950, 50))
    assert sample_ratio_test([900, 100], [0.95, 0.05]).pvalue < 1e-10


@pytest.mark.parametrize("counts", [(3, 0), (7, 1), (97, 3), (2, 2), (0, 4)])
def test_few_units_of_two_arms_are_tested_exactly(counts: tuple[int, int]) -> None:
    share = 0.98 if counts == (97, 3) else 0.5
    found = sample_ratio_test(counts, [share, 1 - share])
    assert "exact binomial" in found.method
    expected = stats.binomtest(counts[0], sum(counts), share).pvalue
    assert found.pvalue == pytest.approx(expected)


def test_few_units_of_many_arms_are_tested_by_drawing() -> None:
    found = sample_ratio_test([4, 0, 0], [1, 1, 1])
    # All in one arm: 3 of 81 sequences.
    assert found.pvalue == pytest.approx(3 / 81, abs=0.003)
    assert "Monte Carlo" in found.method
    assert sample_ratio_test([4, 0, 0], [1, 1, 1]) == found


def test_no_units_are_no_mismatch() -> None:
    assert sample_ratio_test([0, 0], [1, 1]).pvalue == 1.0


def test_the_sequential_test_finds_a_mismatch_and_never_takes_it_back() -> None:
    rng = np.random.default_rng(0)
    arms = rng.random(50_000) < 0.52
    looks = np.arange(500, 50_001, 500)
    treated = np.cumsum(arms)[looks - 1]
    found = sequential_sample_ratio(np.column_stack([looks - treated, treated]), [1, 1])
    assert found.pvalue[-1] < 1e-6
    assert (np.diff(found.pvalue) <= 0).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: sample_ratio_test([1, 2], [1, 1, 1]), "2 arms and shares 3"),
        (lambda: sample_ratio_test([1, -2], [1, 1]), "a count is -2"),
        (lambda: sample_ratio_test([1.5, 2], [1, 1]), "a count is 1.5"),
        (lambda: sample_ratio_test([1, 2], [1, 0]), "two or more > 0"),
        (lambda: sample_ratio_test([1, 2], [2, -1]), "none < 0"),
        (lambda: sequential_sample_ratio([1, 2], [1, 1]), "expected .t, k."),
        (lambda: sequential_sample_ratio([[5, 5], [4, 6]], [1, 1]), "counts fall"),
        (lambda: sequential_sample_ratio([[5, 5]], [1, 1], concentration=0), "concentration is 0"),
    ],
)
def test_bad_input_is_refused(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
