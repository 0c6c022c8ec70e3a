"""Columns as cells: every statistic of drift is a function of how many rows fall into each."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from workbench.errors import DataError

__all__ = ["LOST", "CodedColumn", "Skipped", "code_column", "code_columns", "units_of"]

LOST = "the current table lacks it"
"""Why a column of the reference could not be compared: it is gone, which is a drift of its own."""

_CELLS = 100
_MOST_CATEGORIES = 50
_RARE = 5  # rows of both samples together, below which a category is pooled
_HEAVY_TIE = 0.05
_FLAG = 2  # numbers of two values say yes or no
_MISSING, _OTHERS = "(missing)", "(rare)"


class Skipped(NamedTuple):
    """A column that was not looked at, and why."""

    name: str
    reason: str


class CodedColumn(NamedTuple):
    """One column of both samples, reference rows first.

    Attributes
    ----------
    name, role
        Its name, and "input", "score", "label" or whatever the caller calls it.
    kind
        "number" or "category".
    codes
        Cell of each row, shape (N,); cells of a number ascend, a missing value is below all others.
    labels
        What a cell is called; of a number, empty.
    centres
        Mean of each cell, NaN for a missing value; of a category, empty.
    reference
        Sorted known values of the reference, for a number with few ties; else empty.
    edges
        Upper bounds of the cells of such a number, last one left out.
    """

    name: str
    role: str
    kind: str
    codes: NDArray[np.intp]
    labels: tuple[str, ...]
    centres: NDArray[np.float64]
    reference: NDArray[np.float64]
    edges: NDArray[np.float64]

    @property
    def n_cells(self) -> int:
        """Number of cells."""
        return len(self.labels) or len(self.centres)


def code_columns(
    reference: pd.DataFrame, current: pd.DataFrame, columns: Iterable[str] | None
) -> tuple[list[CodedColumn], list[Skipped]]:
    """Code the columns of two tables.

    Parameters
    ----------
    reference, current : DataFrame
        Rows of two samples.
    columns
        Which columns; by default all that both tables have and that are numbers, truth values or
        categories of at most 50 values. Numbers of two values count as categories.

    Returns
    -------
    list of CodedColumn, list of Skipped

    Raises
    ------
    DataError
        When a named column is missing from a table or cannot be compared.
    """
    if columns is not None:
        return [code_column(reference, current, name) for name in columns], []
    coded: list[CodedColumn] = []
    skipped = [
        Skipped(str(name), LOST if name in reference.columns else "only the current table has it")
        for name in reference.columns.symmetric_difference(current.columns)
    ]
    for name in reference.columns.intersection(current.columns, sort=False):
        reason = _unfit(pd.concat([reference[name], current[name]], ignore_index=True))
        if reason is None:
            coded.append(code_column(reference, current, str(name)))
        else:
            skipped.append(Skipped(str(name), reason))
    return coded, skipped


def code_column(
    reference: pd.DataFrame, current: pd.DataFrame, name: str, role: str = "input"
) -> CodedColumn:
    """Code one column; see `code_columns`.

    Raises
    ------
    DataError
        When a table lacks it, or it cannot be compared.
    """
    for frame, which in ((reference, "reference"), (current, "current")):
        if name not in frame:
            raise DataError(
                f"column {name!r} is missing", where=f"the {which} table",
                expected=f"one of {', '.join(map(str, frame.columns))}", fix="name another column",
            )  # fmt: skip
    pooled = pd.concat([reference[name], current[name]], ignore_index=True)
    reason = _unfit(pooled)
    if reason is not None:
        raise DataError(
            f"column {name!r} cannot be compared: {reason}",
            expected="numbers, truth values or categories", fix="leave it out or recode it",
        )  # fmt: skip
    number = pd.api.types.is_numeric_dtype(pooled) and not pd.api.types.is_bool_dtype(pooled)
    if number and pooled.nunique() > _FLAG:
        return _number(name, role, pooled.to_numpy(np.float64, na_value=np.nan), len(reference))
    return _category(name, role, pooled)


def _unfit(pooled: pd.Series) -> str | None:
    if pd.api.types.is_datetime64_any_dtype(pooled) or pd.api.types.is_timedelta64_dtype(pooled):
        return "it holds times"
    if pd.api.types.is_numeric_dtype(pooled):
        numbers = pooled.to_numpy(np.float64, na_value=np.nan)
        return "it holds infinity" if np.isinf(numbers).any() else None
    try:
        found = pooled.nunique()
    except TypeError:
        return "its cells are no plain values"
    if found > _MOST_CATEGORIES:
        return f"it is text or has more than {_MOST_CATEGORIES} values"
    return None


def _number(name: str, role: str, values: NDArray[np.float64], n_reference: int) -> CodedColumn:
    known = ~np.isnan(values)
    distinct, counts = np.unique(values[known], return_counts=True)
    tied = distinct.size <= _CELLS or counts.max() > _HEAVY_TIE * known.sum()
    if distinct.size <= _CELLS:
        edges = distinct[:-1]
    else:
        edges = np.unique(np.quantile(values[known], np.linspace(0, 1, _CELLS + 1)[1:-1]))
    codes = np.searchsorted(edges, values, side="left")
    n_cells = len(edges) + 1 if known.any() else 0
    size = np.bincount(codes[known], minlength=n_cells)
    centres = np.bincount(codes[known], values[known], minlength=n_cells) / np.maximum(size, 1)
    if n_cells and size[-1] == 0:  # a quantile that is the largest value leaves nothing above it
        edges, centres = edges[:-1], centres[:-1]
    if not known.all():
        codes = np.where(known, codes + 1, 0)
        centres = np.concatenate([[np.nan], centres])
    own = values[:n_reference]
    kept = np.sort(own[~np.isnan(own)]) if not tied else np.empty(0)
    return CodedColumn(name, role, "number", codes, (), centres, kept, edges)


def _category(name: str, role: str, pooled: pd.Series) -> CodedColumn:
    if pd.api.types.is_float_dtype(pooled):  # flags with gaps: "1", not "1.0"
        pooled = pooled.map(lambda v: f"{v:g}", na_action="ignore")
    words = pooled.astype(object).where(pooled.notna(), _MISSING).map(str)
    counts = words.value_counts()
    rare = counts.index[counts < _RARE]
    if len(rare) > 1:
        words = words.where(~words.isin(rare), _OTHERS)
    labels, codes = np.unique(words.to_numpy(dtype=str), return_inverse=True)
    nothing = np.empty(0)
    return CodedColumn(
        name, role, "category", np.asarray(codes, np.intp), tuple(map(str, labels)),
        nothing, nothing, nothing,
    )  # fmt: skip


def units_of(
    groups: tuple[Any, Any] | None, n_reference: int, n_current: int
) -> tuple[NDArray[np.intp], int]:
    """Number the units that are drawn together; a group in both samples is a unit in each.

    Parameters
    ----------
    groups
        Group of each row of either sample; rows are units of their own without.
    n_reference, n_current
        Rows.

    Returns
    -------
    codes, n_reference_units
        Unit of each row, those of the reference first, and how many those are.

    Raises
    ------
    DataError
        When a group is missing or lengths differ.
    """
    if groups is None:
        return np.arange(n_reference + n_current), n_reference
    coded, first = [], 0
    for values, n, which in zip(
        groups, (n_reference, n_current), ("reference", "current"), strict=True
    ):
        column = pd.Series(np.asarray(values))
        if len(column) != n or column.isna().any():
            raise DataError(
                f"groups of the {which} table are {len(column)}, {column.isna().sum()} missing",
                expected=f"{n}, one a row, none missing", fix="give every row its group",
            )  # fmt: skip
        codes, names = pd.factorize(column)
        coded.append(codes.astype(np.intp) + first)
        first += len(names)
    return np.concatenate(coded), int(coded[0].max()) + 1 if n_reference else 0
