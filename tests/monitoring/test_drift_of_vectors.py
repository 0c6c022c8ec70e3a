"""Drift of vectors: exact level, and the change it says it sees."""

import numpy as np
import pytest

from workbench.errors import DataError
from workbench.monitoring import vector_drift

SPREAD = np.array([3.0, 1, 1, 1, 1, 1])


def test_level_and_power_are_as_stated() -> None:
    false, seen, n_tries = 0, 0, 30
    for seed in range(n_tries):
        rng = np.random.default_rng(seed)
        before, now = rng.normal(size=(70, 6)) * SPREAD, rng.normal(size=(50, 6)) * SPREAD
        found = vector_drift(before, now, alpha=0.1, n_permutations=99, random_state=seed)
        false += found.alarm
        now[:, 0] += 3 * found.minimum_change
        seen += vector_drift(before, now, alpha=0.1, n_permutations=99, random_state=seed).alarm
    assert false <= 8
    assert seen / n_tries >= 0.70


def test_groups_and_samples_of_rows() -> None:
    rng = np.random.default_rng(1)
    own = rng.normal(size=(40, 5))
    before, now = np.repeat(own[:20], 6, axis=0), np.repeat(own[20:], 6, axis=0)
    people = np.repeat(np.arange(20), 6)
    assert vector_drift(before, now, n_permutations=99).alarm
    together = vector_drift(before, now, groups=(people, people), n_permutations=99)
    assert not together.alarm
    few = vector_drift(before, now, most_rows=50, n_permutations=99)
    assert (few.n_reference, few.n_current, few.dimension) == (50, 50, 5)
    assert "Vectors" in few._repr_html_() and len(few.to_frame()) == 1


def test_malformed_vectors_are_refused() -> None:
    good = np.zeros((30, 3))
    with pytest.raises(DataError, match="shape"):
        vector_drift(np.zeros(30), good)
    with pytest.raises(DataError, match="3 and 4 numbers"):
        vector_drift(good, np.zeros((30, 4)))
    with pytest.raises(DataError, match="10 rows or groups"):
        vector_drift(good, good[:10])
    with pytest.raises(DataError, match="permutations"):
        vector_drift(good, good, n_permutations=5)
