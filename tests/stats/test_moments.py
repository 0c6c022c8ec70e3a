from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.stats import Moments, grouped_moments, merge_moments


@given(
    seed=st.integers(0, 10_000),
    cuts=st.lists(st.integers(1, 59), max_size=4, unique=True),
    shift=st.sampled_from([0.0, 1e3, -1e7]),
)
def test_merging_parts_is_taking_the_whole(seed: int, cuts: list[int], shift: float) -> None:
    rng = np.random.default_rng(seed)
    data = rng.normal(size=(3, 60)) + shift
    parts = np.split(data, sorted(cuts), axis=1)
    merged, whole = merge_moments(Moments.of(*part) for part in parts), Moments.of(*data)
    assert merged.n == 60
    np.testing.assert_allclose(merged.mean, data.mean(axis=1), rtol=1e-13)
    scale = 1e-9 * max(1.0, abs(shift) * 1e-6)
    np.testing.assert_allclose(merged.covariance, np.cov(data), atol=scale)
    np.testing.assert_allclose(whole.covariance, np.cov(data), atol=scale)


def test_a_large_mean_costs_no_digits() -> None:
    values = 1e9 + np.array([4.0, 7.0, 13.0, 16.0])
    assert Moments.of(values).variance[0] == 30.0
    shifted = values - 1e9
    from_sums = Moments.from_sums(4, shifted.sum(), (shifted**2).sum(), shift=1e9)
    assert from_sums.variance[0] == pytest.approx(30.0, rel=1e-14)
    assert from_sums.mean[0] == 1e9 + 10


def test_aggregates_give_what_the_rows_give() -> None:
    rng = np.random.default_rng(1)
    x, y = rng.normal(2, 1, 50), rng.normal(5, 2, 50)
    rows = Moments.of(x, y)
    table = np.stack([x, y])
    for other in (
        Moments.from_sums(50, table.sum(axis=1), table @ table.T),
        Moments.from_summary(50, table.mean(axis=1), np.cov(table)),
    ):
        np.testing.assert_allclose(other.mean, rows.mean)
        np.testing.assert_allclose(other.comoment, rows.comoment)
    hits = Moments.from_counts(13, 50)
    same = Moments.of([1.0] * 13 + [0.0] * 37)
    assert hits.mean[0] == same.mean[0]
    assert hits.variance[0] == pytest.approx(same.variance[0])


def test_groups_each_have_their_moments() -> None:
    rng = np.random.default_rng(2)
    data, groups = rng.normal(size=(2, 40)) + 1e6, rng.integers(0, 4, 40)
    names = list(dict.fromkeys(groups.tolist()))
    for name, found in zip(names, grouped_moments(data, groups), strict=True):
        alone = Moments.of(*data[:, groups == name])
        assert found.n == alone.n
        np.testing.assert_allclose(found.comoment, alone.comoment, rtol=1e-9, atol=1e-12)


def test_columns_can_be_chosen_and_numbers_not_changed() -> None:
    moments = Moments.of([1.0, 2.0, 4.0], [5.0, 5.0, 6.0])
    assert moments.select(1, 0).comoment[0, 1] == moments.comoment[1, 0]
    with pytest.raises(ValueError, match="read-only"):
        moments.mean[0] = 3.0
    assert np.isnan(Moments.of([1.0]).variance[0])


def test_sums_that_cancel_give_no_negative_variance() -> None:
    value = 0.1
    found = Moments.from_sums(3, 3 * value, 3 * value * value * (1 - 1e-15))
    assert found.variance[0] >= 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Moments.of(), "no columns"),
        (lambda: Moments.of([]), "column 0 is empty"),
        (lambda: Moments.of([1.0, np.nan]), "NaN or infinite"),
        (lambda: Moments.of([1.0], [1.0, 2.0]), "lengths differ"),
        (lambda: Moments.of(["a"]), "not numeric"),
        (lambda: Moments.from_sums(0, 1.0, 1.0), "n is 0"),
        (lambda: Moments.from_sums(10, 100.0, 1.0), "contradict"),
        (lambda: Moments.from_sums(2, [1.0, 2.0], 1.0), "expected .k,., .k, k."),
        (lambda: Moments.from_summary(3, np.inf, 1.0), "NaN or infinity"),
        (lambda: Moments.from_counts(5, 4), "successes is 5 of n = 4"),
        (lambda: Moments.from_counts(-1, 4), "successes is -1"),
        (lambda: Moments.of([1.0]) + Moments.of([1.0], [2.0]), "1 and 2 columns"),
        (lambda: merge_moments([]), "no moments"),
        (lambda: grouped_moments([], []), "no columns"),
    ],
)
def test_bad_input_is_refused(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
