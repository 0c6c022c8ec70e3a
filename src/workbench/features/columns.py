"""Which columns of a table are numbers, categories and free text.

The dtype decides, as the data set's card declared it: numbers and booleans are numbers,
`category` is a category, strings are free text.
"""

from typing import Any

import pandas as pd

__all__ = ["category_columns", "numeric_columns", "text_columns"]


def numeric_columns(X: pd.DataFrame) -> list[Any]:
    """Names of the numeric and boolean columns.

    Examples
    --------
    >>> X = pd.DataFrame({"n": [1], "note": ["call me"], "kind": pd.Categorical(["a"])})
    >>> numeric_columns(X), category_columns(X), text_columns(X)
    (['n'], ['kind'], ['note'])
    """
    return [c for c in X.columns if pd.api.types.is_numeric_dtype(X[c])]


def category_columns(X: pd.DataFrame) -> list[Any]:
    """Names of the categorical columns; see `numeric_columns`."""
    return [c for c in X.columns if isinstance(X[c].dtype, pd.CategoricalDtype)]


def text_columns(X: pd.DataFrame) -> list[Any]:
    """Names of the free-text columns; see `numeric_columns`."""
    return [c for c in X.columns if _is_text(X[c])]


def _is_text(column: "pd.Series[Any]") -> bool:
    if isinstance(column.dtype, pd.CategoricalDtype):
        return False
    # A gap in a column of objects does not make its texts anything else.
    known = column.dropna() if column.dtype == object else column
    return bool(pd.api.types.is_string_dtype(known)) and (len(known) > 0 or not len(column))
