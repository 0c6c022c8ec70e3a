"""Look for leaks in a split table: coded findings, each with what to do."""

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from workbench.data.dataset import Dataset
from workbench.data.leaks.columns import (
    changed_columns,
    encoded_labels,
    label_columns,
    too_good_columns,
)
from workbench.data.leaks.rows import RowTable
from workbench.data.splitting import Split
from workbench.errors import DataError

__all__ = ["LEAKS", "Leak", "LeakReport", "audit", "audit_dataset"]

LEAKS = MappingProxyType(
    {
        "L001": "the label, or what it can be read off, is an input",
        "L002": "one column nearly gives the answer",
        "L003": "a column knows the future",
        "L004": "a group is on both sides of the split",
        "L005": "test rows are copies of training rows",
        "L006": "test rows are near copies of training rows",
        "L007": "rows were made up before the split",
        "L008": "a column encodes labels of the very rows it is used on",
        "L009": "training rows are later than test rows",
    }
)
_FIXES = MappingProxyType(
    {
        "L001": "take it out of the inputs; list it under leaks in the card",
        "L002": "find out when it is known; list it under leaks if that is after the outcome",
        "L003": "build it from what was known at each row's own time",
        "L004": "split by group",
        "L005": "drop the copies, or group them and split by group; oversample after the split",
        "L006": "group rows that stem from one another and split by group",
        "L007": "split first; resample the training part alone, or not at all",
        "L008": "encode out of fold within the training part",
        "L009": "split by time",
    }
)


class Leak(NamedTuple):
    """One finding: `code` is a key of `LEAKS`; `column` is empty when it concerns rows."""

    code: str
    column: str
    message: str
    fix: str


@dataclass(frozen=True)
class LeakReport:
    """What an audit found.

    Attributes
    ----------
    findings
        In the order of their codes.
    n_train, n_test
        Rows of either part.
    """

    findings: tuple[Leak, ...]
    n_train: int
    n_test: int

    @property
    def ok(self) -> bool:
        """Whether no leak was found, which is no proof that there is none."""
        return not self.findings

    @property
    def codes(self) -> tuple[str, ...]:
        """Distinct codes of the findings."""
        return tuple(sorted({leak.code for leak in self.findings}))

    def to_frame(self) -> pd.DataFrame:
        """One row a finding."""
        frame = pd.DataFrame(list(self.findings), columns=list(Leak._fields), dtype="str")
        frame.insert(1, "leak", [LEAKS[leak.code] for leak in self.findings])
        return frame

    def _repr_html_(self) -> str:
        head = f"{self.n_train:,} training and {self.n_test:,} test rows: "
        if self.ok:
            return f"<div><b>{head}no leak found</b></div>"
        n = len(self.findings)
        found = escape(f"{head}{n} finding{'' if n == 1 else 's'}")
        return f"<div><b>{found}</b>{self.to_frame().to_html(index=False)}</div>"


def audit(
    X: pd.DataFrame,
    y: ArrayLike,
    train: ArrayLike,
    test: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    as_of: ArrayLike | None = None,
    rebuilt: pd.DataFrame | None = None,
    random_state: int = 0,
) -> LeakReport:
    """Look for leaks in a table as it goes into a model, and in how it was split.

    Give the table as the model sees it: after feature building and whatever resampling was done.

    Parameters
    ----------
    X : DataFrame of shape (n_samples, n_features)
        Inputs of both parts.
    y : array-like of shape (n_samples,)
        0 or 1.
    train, test : array-like of int
        Positions of the two parts.
    groups : array-like of shape (n_samples,), optional
        Which rows belong together.
    as_of : array-like of shape (n_samples,), optional
        When each row was true; give it only where every training row should come before every
        test row.
    rebuilt : DataFrame, optional
        The same inputs, built again from data cut off at each row's own time.
    random_state
        Seed of the rows looked at and of the shuffles.

    Returns
    -------
    LeakReport

    Raises
    ------
    DataError
        When labels are not 0 and 1, lengths differ, or a part is empty, of one label, or overlaps
        the other.

    Notes
    -----
    At most 1,500 test rows are compared with the training part. What is found is as good as
    certain for L001, L003, L004, L008 and L009; L002 and L005 to L007 rest on thresholds and a
    comparison with chance. A leak that shows in none of these ways is not found.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = pd.DataFrame({"a": rng.normal(size=400), "b": rng.normal(size=400)})
    >>> y = (X["a"] + rng.normal(size=400) > 0).astype(int)
    >>> audit(X, y, range(300), range(300, 400)).ok
    True
    >>> audit(X.assign(won=1 - y), y, range(300), range(300, 400)).codes
    ('L001', 'L002')
    """
    labels, parts = _checked(X, y, train, test)
    n = len(labels)
    table = X.set_axis(pd.RangeIndex(n), axis=0)
    again = None if rebuilt is None else rebuilt.reindex(X.index).set_axis(table.index, axis=0)
    group_values = None if groups is None else _values(groups, "groups", n)
    times = None if as_of is None else _values(as_of, "as_of", n)
    findings = [
        Leak(code, column, message, _FIXES[code])
        for code, column, message in (
            *_of_columns(table, labels, *parts, again),
            *_of_rows(table, labels, *parts, group_values, times, random_state),
        )
    ]
    findings.sort(key=lambda leak: leak.code)
    return LeakReport(tuple(findings), len(parts[0]), len(parts[1]))


def audit_dataset(
    dataset: Dataset, split: Split, *, rebuilt: pd.DataFrame | None = None, random_state: int = 0
) -> LeakReport:
    """Look for leaks in a data set and in how a split cuts it; see `audit`.

    Parameters
    ----------
    dataset
        The data.
    split
        How it is split; time counts in a time split only.
    rebuilt
        The same inputs, built again from data cut off at each row's own time.
    random_state
        Seed of the rows looked at and of the shuffles.

    Raises
    ------
    DataError
        When the data cannot be split that way.
    """
    train, test = split.apply(dataset)
    return audit(
        dataset.X,
        dataset.y,
        train,
        test,
        groups=dataset.groups,
        as_of=dataset.as_of if split.kind == "time" else None,
        rebuilt=rebuilt,
        random_state=random_state,
    )


Found = Iterator[tuple[str, str, str]]
Positions = NDArray[np.int64]


def _of_columns(
    X: pd.DataFrame,
    y: NDArray[np.int64],
    train: Positions,
    test: Positions,
    rebuilt: pd.DataFrame | None,
) -> Found:
    checks = [
        ("L001", label_columns(X, y)),
        ("L002", too_good_columns(X, y, train, test)),
        ("L008", encoded_labels(X, y, train)),
    ]
    if rebuilt is not None:
        checks.append(("L003", changed_columns(X, rebuilt)))
    for code, found in checks:
        yield from ((code, column, message) for column, message in found)


def _of_rows(
    X: pd.DataFrame,
    y: NDArray[np.int64],
    train: Positions,
    test: Positions,
    groups: "pd.Series | None",
    as_of: "pd.Series | None",
    random_state: int,
) -> Found:
    if groups is not None:
        both = set(groups.iloc[train]) & set(groups.iloc[test])
        if both:
            rows = int(groups.iloc[test].isin(both).sum())
            yield "L004", "", f"{len(both):,} groups are on both sides, {rows:,} of the test rows"
    table = RowTable(X, y, train, test, random_state)
    checks = (("L005", table.copies), ("L006", table.near_copies), ("L007", table.mixtures))
    for code, check in checks:
        message = check()
        if message is not None:
            yield code, "", message
    if as_of is not None:
        first = as_of.iloc[test].min()
        late = int((as_of.iloc[train] >= first).sum())
        if late:
            yield "L009", "", f"{late:,} training rows are not before the first test row"


def _checked(
    X: pd.DataFrame, y: ArrayLike, train: ArrayLike, test: ArrayLike
) -> tuple[NDArray[np.int64], tuple[Positions, Positions]]:
    values = np.asarray(y)
    if len(values) != len(X) or not set(np.unique(values).tolist()) <= {0, 1}:
        raise DataError(
            f"y has {len(values):,} values for {len(X):,} rows, or others than 0 and 1",
            expected="a label 0 or 1 for each row",
            fix="pass the y of the same rows",
        )
    labels = values.astype(np.int64)
    parts = []
    for name, given in (("train", train), ("test", test)):
        rows = np.asarray(given)
        if not len(rows) or rows.dtype.kind not in "iu" or rows.min() < 0 or rows.max() >= len(X):
            raise DataError(
                f"{name} holds no positions of the {len(X):,} rows",
                expected="whole numbers from 0 on",
                fix="use np.flatnonzero(mask) for a mask",
            )
        if labels[rows].min() == labels[rows].max():
            raise DataError(
                f"the {name} part has one label only", expected="both", fix="split otherwise"
            )
        parts.append(rows.astype(np.int64))
    shared = np.intersect1d(parts[0], parts[1])
    if len(shared):
        raise DataError(
            f"{len(shared):,} rows are in both parts", expected="none", fix="split otherwise"
        )
    return labels, (parts[0], parts[1])


def _values(given: ArrayLike, name: str, n: int) -> pd.Series:
    values = given.reset_index(drop=True) if isinstance(given, pd.Series) else pd.Series(given)
    if len(values) != n or values.isna().any():
        raise DataError(
            f"{name} has {len(values):,} values, {int(values.isna().sum()):,} of them missing, "
            f"for {n:,} rows",
            expected="one for each row",
            fix=f"pass the {name} of the same rows",
        )
    return values
