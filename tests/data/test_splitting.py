"""What every figure rests on: no group on both sides, no future in the past."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from workbench.data import Card, Dataset, Split, SplitPositions, safe_folds
from workbench.errors import DataError


def dataset(y: Any, *, groups: Any = None, as_of: Any = None, file_order: bool = False) -> Dataset:
    y = np.asarray(y)
    frame = pd.DataFrame({"x": np.arange(len(y)), "y": y.astype(str)})
    columns = [
        {"name": "x", "dtype": "integer", "meaning": "x"},
        {"name": "y", "dtype": "category", "meaning": "y", "values": ["0", "1"]},
    ]
    data: dict[str, Any] = {
        "name": "split_me",
        "title": "t",
        "version": "1",
        "licence": "none",
        "origin": {"kind": "simulated", "publisher": "tests"},
        "file": {"name": "g.csv", "sha256": "0" * 64},
        "columns": columns,
        "target": {"column": "y", "positive": "1", "negative": "0", "meaning": "one"},
    }
    if groups is not None:
        frame["g"] = np.asarray(groups).astype(str)
        columns.append({"name": "g", "dtype": "text", "meaning": "g"})
        data["group_column"] = "g"
    if as_of is not None:
        frame["t"] = np.asarray(as_of)
        columns.append({"name": "t", "dtype": "integer", "meaning": "t"})
        data["time"] = {"column": "t"}
    if file_order:
        data["time"] = {"order": "file"}
    return Dataset.from_frame(Card.model_validate(data), frame)


rows = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 12), st.integers(0, 30)), min_size=12, max_size=120
)
fractions = st.floats(0.05, 0.6)
kinds = st.sampled_from(["random", "group"])
modes = st.sampled_from(["plain", "group", "time", "both"])


@given(
    rows=rows, fraction=fractions, seed=st.integers(0, 9), kind=st.sampled_from(["random", "group"])
)
def test_no_group_crosses(rows: list[Any], fraction: float, seed: int, kind: Any) -> None:
    y, groups, _ = np.array(rows).T
    made = dataset(y, groups=groups)
    try:
        train, test = Split(kind, fraction, seed).apply(made)
    except DataError:
        assume(False)
    assert sorted([*train, *test]) == list(range(len(y)))
    assert set(groups[train]).isdisjoint(groups[test])
    # Never more than the share of each label.
    for label in (0, 1):
        assert 0 < (y[test] == label).sum() <= round(fraction * (y == label).sum())


@given(rows=rows, fraction=fractions, with_groups=st.booleans())
def test_time_split_keeps_the_future_out(
    rows: list[Any], fraction: float, *, with_groups: bool
) -> None:
    y, groups, times = np.array(rows).T
    made = dataset(y, groups=groups if with_groups else None, as_of=times)
    try:
        parts = Split("time", fraction).apply(made)
    except DataError:
        assume(False)
    train, test = parts
    assert times[train].max() < times[test].min()
    assert len(np.unique([*train, *test])) == len(train) + len(test)
    removed = len(y) - len(train) - len(test)
    assert parts.n_removed(len(y)) == removed
    if with_groups:
        assert set(groups[train]).isdisjoint(groups[test])
    else:
        assert removed == 0


def test_time_split_in_file_order() -> None:
    train, test = Split("time", 0.25).apply(dataset([0, 1] * 10, file_order=True))
    assert (train.tolist(), test.tolist()) == (list(range(15)), list(range(15, 20)))


def test_time_split_removes_returning_groups() -> None:
    y, groups = [0, 1] * 5, [0, 1, 2, 3, 4, 5, 6, 7, 0, 1]
    parts = Split("time", 0.2).apply(dataset(y, groups=groups, as_of=range(10)))
    assert isinstance(parts, SplitPositions)
    assert (parts.train.tolist(), parts.test.tolist()) == ([2, 3, 4, 5, 6, 7], [8, 9])
    assert parts.n_removed(10) == 2


def test_ties_stay_on_one_side() -> None:
    made = dataset([0, 1] * 5, as_of=[1, 1, 1, 1, 2, 2, 2, 2, 2, 2])
    assert Split("time", 0.2).apply(made).train.tolist() == [0, 1, 2, 3]
    made = dataset([0, 1] * 5, as_of=[1, 1, 1, 1, 1, 1, 1, 1, 2, 2])
    assert Split("time", 0.4).apply(made).test.tolist() == [8, 9]


def test_random_split_is_stratified_and_seeded() -> None:
    y = np.r_[np.ones(20), np.zeros(180)].astype(int)
    made = dataset(y)
    train, test = Split("random", 0.2, 1).apply(made)
    assert (y[test].sum(), len(test), len(train)) == (4, 40, 160)
    assert Split("random", 0.2, 1).apply(made).test.tolist() == test.tolist()
    assert Split("random", 0.2, 2).apply(made).test.tolist() != test.tolist()


def test_group_split_comes_close_to_its_fraction() -> None:
    rng = np.random.default_rng(0)
    groups = rng.integers(0, 900, 2000)
    y = rng.integers(0, 10, 2000) == 0
    for seed in range(5):
        _, test = Split("group", 0.3, seed).apply(dataset(y.astype(int), groups=groups))
        assert len(test) == pytest.approx(600, abs=6)
        assert y[test].mean() == pytest.approx(y.mean(), abs=0.01)


@pytest.mark.parametrize("fraction", [0, 1, -0.1, 1.5, float("nan")])
def test_fraction_outside(fraction: float) -> None:
    with pytest.raises(DataError, match=r"test_fraction is .*above 0 and below 1"):
        Split("random", fraction)


@pytest.mark.parametrize(
    ("split", "made", "message"),
    [
        (Split("time"), dataset([0, 1] * 9), r"time split needs as_of.*'time' in the card"),
        (Split("group"), dataset([0, 1] * 9), r"group split needs groups.*'group_column'"),
        (
            Split("time", 0.5),
            dataset([0, 1, 0, 1, 1, 1], file_order=True),
            r"the test part of a time split has 3 positive and 0 negative",
        ),
        (
            Split("time", 0.01),
            dataset([0, 1] * 5, file_order=True),
            r"too few rows for a time",
        ),
        (Split("random", 0.01), dataset([0, 1] * 5), r"too few rows for a random split"),
        (Split("random"), dataset([0, 0, 0, 1]), r"the data set has 1 positive and 3 negative"),
        (
            Split("group"),
            dataset([0, 1] * 5, groups=[1] * 10),
            r"the test part of a group split has 0 positive and 0 negative",
        ),
        (
            Split("time"),
            dataset([0, 1] * 5, as_of=[3] * 10),
            r"the test part of a time split has 0 positive",
        ),
    ],
)
def test_split_refuses(split: Split, made: Dataset, message: str) -> None:
    with pytest.raises(DataError, match=message):
        split.apply(made)


def test_unknown_kind() -> None:
    kind: Any = "stratified"
    with pytest.raises(DataError, match=r"kind is 'stratified'. Expected one of random, time"):
        Split(kind)


@given(
    rows=rows, n_splits=st.integers(2, 5), mode=st.sampled_from(["plain", "group", "time", "both"])
)
def test_folds_never_leak(rows: list[Any], n_splits: int, mode: str) -> None:
    y, groups, times = np.array(rows).T
    use_groups, use_time = mode in {"group", "both"}, mode in {"time", "both"}
    try:
        folds = safe_folds(
            y,
            groups=groups if use_groups else None,
            as_of=times if use_time else None,
            n_splits=n_splits,
        )
    except DataError:
        assume(False)
    assert len(folds) == n_splits
    predicted = np.concatenate([test for _, test in folds])
    assert len(np.unique(predicted)) == len(predicted)
    for train, test in folds:
        assert set(train).isdisjoint(test)
        assert set(y[train]) == set(y[test]) == {0, 1}
        if use_groups:
            assert set(groups[train]).isdisjoint(groups[test])
        if use_time:
            assert times[train].max() < times[test].min()
    if not use_time:
        assert len(predicted) == len(y)
    else:
        assert times.argmin() not in predicted


def test_folds_take_the_parts_of_a_dataset() -> None:
    made = dataset([0, 1] * 30, groups=np.arange(60) // 2, as_of=np.arange(60))
    folds = safe_folds(made.y, groups=made.groups, as_of=made.as_of, n_splits=2)
    assert [(len(train), len(test)) for train, test in folds] == [(20, 20), (40, 20)]
    dates = pd.Series(pd.date_range("2024-01-01", periods=60))
    forward = safe_folds(made.y, as_of=dates, n_splits=2)
    assert [test.tolist() for _, test in forward] == [test.tolist() for _, test in folds]


def test_folds_are_seeded() -> None:
    y, groups = [0, 1] * 30, list(range(20)) * 3
    for kwargs in ({}, {"groups": groups}):
        first, same, other = (
            [t.tolist() for _, t in safe_folds(y, n_splits=3, random_state=s, **kwargs)]
            for s in (1, 1, 2)
        )
        assert first == same != other


@pytest.mark.parametrize(
    ("y", "kwargs", "message"),
    [
        ([0, 1] * 9, {"n_splits": 1}, r"n_splits is 1. Expected 2 or more"),
        ([0] * 9 + [1] * 3, {}, r"y has 3 positive and 9 negative.*at least 5 of each label"),
        ([0, 1] * 9, {"groups": [1] * 17}, r"groups has 17 values, y has 18"),
        ([0, 1] * 9, {"as_of": [1.0] * 17 + [None]}, r"1 values of as_of are missing"),
        ([0, 1] * 9, {"groups": [1, 2] * 9}, r"too few rows for 5 folds of 2 groups"),
        ([0, 1] * 9, {"as_of": [1, 2] * 9}, r"as_of has too few distinct moments for 5 forward"),
        ([0, 2] * 9, {}, r"y holds .*2.*labels 0 and 1"),
        ([0, None] * 9, {}, r"y holds None"),
        (
            [0] * 12 + [1] * 12,
            {"as_of": list(range(24))},
            r"the train part of fold 1 has 0 positive and 4 negative.*fewer folds",
        ),
        (
            [0, 1] * 6,
            {
                "groups": [0, 1] * 2 + [2, 3] * 2 + [0, 1] * 2,
                "as_of": list(range(12)),
                "n_splits": 2,
            },
            None,
        ),
        (
            [0, 1] * 6,
            {"groups": [0] * 12, "as_of": list(range(12)), "n_splits": 2},
            r"the train part of fold 1 has 0 positive and 0 negative",
        ),
    ],
)
def test_folds_refuse(y: list[Any], kwargs: dict[str, Any], message: str | None) -> None:
    if message is None:
        assert len(safe_folds(y, **kwargs)) == 2
        return
    with pytest.raises(DataError, match=message):
        safe_folds(y, **kwargs)
