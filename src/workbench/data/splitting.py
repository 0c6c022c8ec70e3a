"""Splits that keep their promise: no group on both sides, no future in the past."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias, get_args

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold, train_test_split

from workbench.data.dataset import Dataset
from workbench.errors import DataError

__all__ = ["Split", "SplitPositions", "safe_folds"]

_Kind = Literal["random", "time", "group"]
_Positions = np.ndarray[tuple[int], np.dtype[np.int64]]
_ArrayLike: TypeAlias = pd.Series | np.ndarray | Sequence[object]


class SplitPositions(NamedTuple):
    """Row positions (ascending, int64) of the two parts; no row is in both."""

    train: _Positions
    test: _Positions

    def n_removed(self, n_rows: int) -> int:
        """Count the rows of a data set of `n_rows` that are in neither part.

        Only a time split leaves rows out: earlier rows of groups that appear in the test period.
        """
        return n_rows - len(self.train) - len(self.test)


@dataclass(frozen=True)
class Split:
    """How to hold out a test part.

    Parameters
    ----------
    kind
        `"random"`: stratified by label; with groups, whole groups are drawn in random order
        while neither class exceeds its share, so the test part has at most `test_fraction`
        of each class, less at most the rows of one group each.
        `"group"`: the same, and groups are required.
        `"time"`: the last `test_fraction` of the rows by `as_of`; rows of the same time are
        kept together, and groups seen in the test period leave the train part.
    test_fraction
        Share of rows to hold out, above 0 and below 1.
    random_state
        Seed; without effect on a time split.

    Raises
    ------
    DataError
        When the kind is unknown or the fraction outside (0, 1).

    Examples
    --------
    >>> Split("time", test_fraction=0.25)
    Split(kind='time', test_fraction=0.25, random_state=0)
    """

    kind: _Kind = "random"
    test_fraction: float = 0.2
    random_state: int = 0

    def __post_init__(self) -> None:
        kinds = get_args(_Kind)
        if self.kind not in kinds:
            raise DataError(
                f"split kind is {self.kind!r}",
                expected=f"one of {', '.join(kinds)}",
                fix="correct the kind",
            )
        if not 0 < self.test_fraction < 1:
            raise DataError(
                f"test_fraction is {self.test_fraction!r}",
                expected="a share above 0 and below 1",
                fix="0.2 holds out a fifth",
            )

    def apply(self, dataset: Dataset) -> SplitPositions:
        """Split a data set.

        Raises
        ------
        DataError
            When groups or times are needed and absent, or a part would be empty or hold
            one label only.
        """
        y = dataset.y.to_numpy()
        groups = None if dataset.groups is None else _codes(dataset.groups)
        if self.kind == "time":
            if dataset.as_of is None:
                raise _absent(dataset, "time", "as_of")
            parts = self._by_time(_codes(dataset.as_of, ordered=True), groups)
        elif groups is not None:
            parts = self._by_group(y, groups)
        elif self.kind == "group":
            raise _absent(dataset, "group", "groups")
        else:
            parts = self._at_random(y)
        for part, positions in (("train", parts.train), ("test", parts.test)):
            _check_both_labels(y[positions], f"the {part} part of a {self.kind} split")
        return parts

    def _at_random(self, y: np.ndarray) -> SplitPositions:
        _check_both_labels(y, "the data set", least=2)
        rows = np.arange(len(y), dtype=np.int64)
        try:
            train, test = train_test_split(
                rows, test_size=self.test_fraction, random_state=self.random_state, stratify=y
            )
        except ValueError as error:
            raise _too_few(f"a random split: {error}") from None
        return SplitPositions(np.sort(train), np.sort(test))

    def _by_group(self, y: np.ndarray, groups: np.ndarray) -> SplitPositions:
        positive = np.bincount(groups, weights=y).astype(np.int64)
        negative = np.bincount(groups) - positive
        left_positive = round(self.test_fraction * int(y.sum()))
        left_negative = round(self.test_fraction * int(len(y) - y.sum()))
        held_out = np.zeros(len(positive), dtype=bool)
        order = np.random.default_rng(self.random_state).permutation(len(positive))
        for group, p, n in zip(
            order.tolist(), positive[order].tolist(), negative[order].tolist(), strict=True
        ):
            if p <= left_positive and n <= left_negative:
                held_out[group] = True
                left_positive -= p
                left_negative -= n
        test = held_out[groups]
        return SplitPositions(np.flatnonzero(~test), np.flatnonzero(test))

    def _by_time(self, times: np.ndarray, groups: np.ndarray | None) -> SplitPositions:
        n_test = round(self.test_fraction * len(times))
        if not 0 < n_test < len(times):
            raise _too_few(f"a time split with test_fraction {self.test_fraction}")
        cut = np.sort(times)[-n_test]
        test = times >= cut
        if test.all():  # the earliest moment reaches into the test share: it becomes the train part
            test = times > cut
        train = ~test
        if groups is not None:
            train &= ~np.isin(groups, groups[test])
        return SplitPositions(np.flatnonzero(train), np.flatnonzero(test))


def safe_folds(
    y: _ArrayLike,
    *,
    groups: _ArrayLike | None = None,
    as_of: _ArrayLike | None = None,
    n_splits: int = 5,
    random_state: int = 0,
) -> list[tuple[_Positions, _Positions]]:
    """Fold a train part for early stopping, calibration or stacking without leaking.

    With `as_of` the folds run forward: time is cut into `n_splits + 1` blocks of about equal
    size (a moment is never cut), and block k is predicted from all blocks before it, so the
    earliest block is never predicted. Groups of the test block leave the train block.
    Else with `groups`: stratified folds of whole groups. Else: stratified folds.

    Parameters
    ----------
    y
        Labels 0 and 1, shape (n,).
    groups
        Which rows belong together, shape (n,).
    as_of
        When each row was true, sortable, shape (n,).
    n_splits
        Number of folds, at least 2.
    random_state
        Seed of the shuffle; without effect with `as_of`.

    Returns
    -------
    list of (train, test)
        Positions, ascending. Each row is in at most one test part.

    Raises
    ------
    DataError
        When lengths differ, a value is missing, there are too few rows, groups or moments,
        or a part would hold one label only.

    Examples
    --------
    >>> folds = safe_folds([0, 1] * 6, as_of=range(12), n_splits=2)
    >>> [(train.tolist(), test.tolist()) for train, test in folds]
    [([0, 1, 2, 3], [4, 5, 6, 7]), ([0, 1, 2, 3, 4, 5, 6, 7], [8, 9, 10, 11])]
    """
    labels = _labels(y)
    if n_splits < 2:
        raise DataError(f"n_splits is {n_splits}", expected="2 or more", fix="raise n_splits")
    _check_both_labels(labels, "y", least=n_splits)
    group_codes = None if groups is None else _matching(groups, "groups", len(labels))
    if as_of is not None:
        times = _matching(as_of, "as_of", len(labels))
        folds = _forward(times, group_codes, n_splits)
    elif group_codes is not None:
        if int(group_codes.max()) + 1 < n_splits:
            raise _too_few(f"{n_splits} folds of {int(group_codes.max()) + 1} groups")
        folder = StratifiedGroupKFold(n_splits, shuffle=True, random_state=random_state)
        folds = list(folder.split(np.zeros(len(labels)), labels, group_codes))
    else:
        folder = StratifiedKFold(n_splits, shuffle=True, random_state=random_state)
        folds = list(folder.split(np.zeros(len(labels)), labels))
    for number, (train, test) in enumerate(folds, start=1):
        for part, positions in (("train", train), ("test", test)):
            _check_both_labels(labels[positions], f"the {part} part of fold {number}")
    return [(train.astype(np.int64), test.astype(np.int64)) for train, test in folds]


def _forward(
    times: np.ndarray, groups: np.ndarray | None, n_splits: int
) -> list[tuple[np.ndarray, np.ndarray]]:
    ordered = np.sort(times)
    starts = ordered[[len(times) * k // (n_splits + 1) for k in range(1, n_splits + 1)]]
    if len(np.unique(starts)) < n_splits or starts[0] == ordered[0]:
        raise DataError(
            f"as_of has too few distinct moments for {n_splits} forward folds",
            expected=f"{n_splits + 1} blocks of time that start at different moments",
            fix="use fewer folds, or leave out as_of when time does not matter",
        )
    block = np.searchsorted(starts, times, side="right")
    folds = []
    for k in range(1, n_splits + 1):
        train, test = block < k, block == k
        if groups is not None:
            train &= ~np.isin(groups, groups[test])
        folds.append((np.flatnonzero(train), np.flatnonzero(test)))
    return folds


def _codes(values: pd.Series, *, ordered: bool = False) -> np.ndarray:
    codes: np.ndarray = pd.factorize(values, sort=ordered)[0]
    return codes


def _labels(y: _ArrayLike) -> np.ndarray:
    values = pd.Series(np.asarray(y))
    if values.isna().any() or not set(values.unique()) <= {0, 1}:
        bad = values[values.isna() | ~values.isin([0, 1])].iloc[0]
        raise DataError(f"y holds {bad!r}", expected="labels 0 and 1", fix="use the y of a Dataset")
    labels: np.ndarray = values.to_numpy().astype(np.int64)
    return labels


def _matching(values: _ArrayLike, name: str, n: int) -> np.ndarray:
    series = values.reset_index(drop=True) if isinstance(values, pd.Series) else pd.Series(values)
    if len(series) != n:
        raise DataError(
            f"{name} has {len(series)} values, y has {n}",
            expected="one value per row",
            fix=f"pass the {name} of the same rows as y",
        )
    if series.isna().any():
        raise DataError(
            f"{int(series.isna().sum())} values of {name} are missing",
            expected=f"a value of {name} in every row",
            fix="leave these rows out or fill the values in",
        )
    return _codes(series, ordered=name == "as_of")


def _check_both_labels(y: np.ndarray, what: str, least: int = 1) -> None:
    positive = int(y.sum())
    negative = len(y) - positive
    if min(positive, negative) < least:
        raise DataError(
            f"{what} has {positive} positive and {negative} negative rows",
            expected=f"at least {least} of each label",
            fix="use more rows, fewer folds or another test_fraction",
        )


def _absent(dataset: Dataset, kind: str, part: str) -> DataError:
    key = {"time": "time", "group": "group_column"}[kind]
    return DataError(
        f"a {kind} split needs {part}, which data set {dataset.name!r} does not have",
        expected=f"{key!r} in the card",
        fix=f"declare {key!r} in datasets/{dataset.name}/card.yaml, or use kind 'random'",
    )


def _too_few(what: str) -> DataError:
    return DataError(
        f"too few rows for {what}",
        expected="rows of both labels in every part",
        fix="use more rows, fewer folds or another test_fraction",
    )
