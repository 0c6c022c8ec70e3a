import re
from typing import Any

import numpy as np
import pandas as pd
import pytest

from workbench.stats.validation import (
    as_groups,
    as_labels,
    as_probabilities,
    as_values,
    as_weights,
    check_confidence_level,
    check_count,
    check_same_length,
)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([], "score is empty; expected at least one value"),
        ([[1.0, 2.0]], "score has shape (1, 2); expected one dimension"),
        (3.0, "score has shape (); expected one dimension"),
        (
            [0.5, np.nan, np.inf],
            "score holds 2 value(s) that are NaN or infinite, the first at position 1 (nan)",
        ),
        (["a", "b"], "score is not numeric"),
        ([0.5, None], "score holds 1 value(s) that are NaN"),
        (pd.Series([1, pd.NA], dtype="object"), "score is not numeric"),
    ],
)
def test_values_are_refused_with_what_was_found(values: Any, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        as_values(values, "score")


@pytest.mark.parametrize("y", [[0, 1, 2], [0.0, 0.5], [-1, 1], ["0", "yes"]])
def test_labels_other_than_0_and_1_are_refused(y: Any) -> None:
    with pytest.raises(ValueError, match="y is"):
        as_labels(y)


@pytest.mark.parametrize("y", [[0, 1], [False, True], [0.0, 1.0], pd.Series([0, 1], index=[7, 3])])
def test_labels_of_every_kind_become_booleans(y: Any) -> None:
    assert as_labels(y).tolist() == [False, True]


@pytest.mark.parametrize("p", [[0.2, 1.0000001], [-1e-9, 0.5]])
def test_probabilities_outside_the_unit_interval_are_refused(p: Any) -> None:
    with pytest.raises(ValueError, match=r"probability is .*; expected values in \[0, 1\]"):
        as_probabilities(p)


@pytest.mark.parametrize(
    "groups",
    [
        ["b", "a", "b"],
        [2, 1, 2],
        [2.0, 1.0, 2.0],
        np.array(["b", 1, "b"], dtype=object),
        np.array([np.int64(4), "x", np.int64(4)], dtype=object),
        pd.Series(["b", "a", "b"]),
        pd.Series(["b", "a", "b"], dtype="category"),
        np.array(["2024-01-02", "2024-01-01", "2024-01-02"], dtype="datetime64[D]"),
    ],
)
def test_group_codes_follow_first_appearance(groups: Any) -> None:
    codes, n_groups = as_groups(groups, 3)
    assert codes.tolist() == [0, 1, 0]
    assert n_groups == 2


@pytest.mark.parametrize(
    "groups",
    [
        [1.0, np.nan],
        np.array(["a", None], dtype=object),
        np.array(["a", np.nan], dtype=object),
        np.array(["a", pd.NA], dtype=object),
        pd.Series(["a", None]),
        np.array(["2024-01-02", "NaT"], dtype="datetime64[D]"),
    ],
)
def test_a_missing_group_is_refused(groups: Any) -> None:
    with pytest.raises(ValueError, match="groups is missing at position 1; expected a group"):
        as_groups(groups, 2)


def test_groups_of_another_length_are_refused() -> None:
    with pytest.raises(ValueError, match=r"groups has shape \(2,\); expected .* \(3,\)"):
        as_groups(["a", "b"], 3)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1, 2], "weights has shape (2,); expected (3,) or (b, 3)"),
        (np.ones((1, 1, 3)), "weights has shape (1, 1, 3)"),
        (np.ones((0, 3)), "weights has shape (0, 3)"),
        ([1, -1, 1], "weights reach from -1 to 1; expected finite weights"),
        ([1.0, np.nan, 1.0], "weights reach from nan to nan"),
        ([1.0, np.inf, 1.0], "weights reach from 1.0 to inf"),
        (["1", "1", "1"], "weights has dtype"),
    ],
)
def test_weights_are_refused_with_what_was_found(weights: Any, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        as_weights(weights, 3)


def test_integer_weights_whose_sum_could_overflow_become_floats() -> None:
    assert as_weights([1, 2, 3], 3).dtype == np.int32
    assert as_weights([2**30, 2**30, 2**30], 3).dtype == np.float64
    assert as_weights([0.5, 0.5, 0.5], 3).dtype == np.float64


def test_lengths_that_differ_are_named() -> None:
    with pytest.raises(ValueError, match="lengths differ: y has 2, score has 3"):
        check_same_length(y=np.zeros(2), score=np.zeros(3))


@pytest.mark.parametrize("level", [0.0, 1.0, 95, -0.1, float("nan")])
def test_a_confidence_level_outside_the_open_unit_interval_is_refused(level: float) -> None:
    with pytest.raises(ValueError, match=r"confidence_level is .*; expected a number in \(0, 1\)"):
        check_confidence_level(level)


@pytest.mark.parametrize("count", [0, 1.5, True])
def test_a_count_must_be_whole_and_large_enough(count: Any) -> None:
    with pytest.raises(ValueError, match=r"n_bins is .*; expected a whole number ≥ 1"):
        check_count(count, "n_bins")
