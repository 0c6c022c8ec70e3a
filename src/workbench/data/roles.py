"""From a table and its card to the parts of a data set, each checked."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from workbench.data.card import Card, Column
from workbench.errors import DataError

__all__ = ["as_of_values", "checked_leaks", "example_ids", "role_values", "typed"]


def checked_leaks(card: Card, allow_leaks: Sequence[str]) -> tuple[str, ...]:
    """Give the leaks let in on purpose, each a declared one (else DataError)."""
    names = (allow_leaks,) if isinstance(allow_leaks, str) else tuple(allow_leaks)
    for name in names:
        if name not in card.leaks:
            raise DataError(
                f"{name!r} is not a declared leak",
                where=f"data set {card.name!r}, allow_leaks",
                expected=f"one of {', '.join(card.leaks) or 'none: the card declares no leak'}",
                fix="drop it from allow_leaks; columns that are no leak are there already",
            )
    return names


def example_ids(card: Card, frame: pd.DataFrame) -> pd.Index:
    """Give the index: the identifier column, or the position in the file."""
    if card.id_column is None:
        return pd.Index([str(i) for i in range(len(frame))], name="example_id", dtype="str")
    ids = frame[card.id_column]
    if ids.isna().any() or ids.duplicated().any():
        bad = ids[ids.isna() | ids.duplicated()].iloc[0]
        raise DataError(
            f"identifier {bad!r} is missing or repeated",
            where=f"data set {card.name!r}, column {card.id_column!r}",
            expected="one identifier per row",
            fix="give each row its own identifier",
        )
    return pd.Index(ids.astype("str"), name="example_id", dtype="str")


def typed(card: Card, column: Column, frame: pd.DataFrame, index: pd.Index) -> pd.Series:
    """Give one column the dtype its card declares; DataError when it does not fit."""
    values = frame[column.name].set_axis(index)
    if column.dtype == "boolean" and values.dtype == bool:
        return values
    if column.dtype in {"category", "boolean"}:
        levels = column.values or ("true", "false")
        unknown = set(values.dropna().unique()) - set(levels)
        if unknown:
            raise DataError(
                f"{min(unknown, key=str)!r} is not a value of {column.name!r}",
                where=f"data set {card.name!r}",
                expected=f"one of {', '.join(levels)}",
                fix="correct the table or add the value to the card",
            )
        values = values.astype(pd.CategoricalDtype(list(levels)))
    elif column.dtype == "text":
        values = values.astype("str")
    elif column.dtype in {"integer", "number"}:
        whole = column.dtype == "integer" and not column.missing
        values = _as_number(card, column, values, "int64" if whole else "float64")
    if column.name == card.target.column and values.isna().any():
        raise DataError(
            f"{int(values.isna().sum())} rows have no label",
            where=f"data set {card.name!r}, column {column.name!r}",
            expected="a label in every row",
            fix="leave out rows whose outcome is not known yet",
        )
    return values


def _as_number(card: Card, column: Column, values: pd.Series, dtype: str) -> pd.Series:
    try:
        return values.astype(dtype)
    except (ValueError, TypeError) as error:
        raise DataError(
            f"column {column.name!r} does not hold {column.dtype} values: {error}",
            where=f"data set {card.name!r}",
            expected=f"{column.dtype} values" + ("" if column.missing else ", none missing"),
            fix="correct the table, or list the codes of missing values in the card",
        ) from None


def role_values(
    card: Card, columns: dict[str, pd.Series], column: str | None, role: str
) -> pd.Series | None:
    """Give the group or tenant of every row as text; DataError when one is missing."""
    if column is None:
        return None
    values = columns[column]
    if values.isna().any():
        raise DataError(
            f"{int(values.isna().sum())} rows have no {role}",
            where=f"data set {card.name!r}, column {column!r}",
            expected=f"a {role} in every row",
            fix="give rows that stand alone a value of their own",
        )
    return values.astype("str").rename(role)


def as_of_values(card: Card, columns: dict[str, pd.Series], index: pd.Index) -> pd.Series | None:
    """Give the time of every row; DataError when one is missing."""
    if card.time is None:
        return None
    if card.time.column is None:
        return pd.Series(np.arange(len(index)), index=index, name="as_of", dtype="int64")
    values = columns[card.time.column].rename("as_of")
    if values.isna().any():
        raise DataError(
            f"{int(values.isna().sum())} rows have no time",
            where=f"data set {card.name!r}, column {card.time.column!r}",
            expected="a time in every row",
            fix="leave out rows without a time, or take 'time' out of the card",
        )
    return values
