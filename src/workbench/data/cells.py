"""From the text of a cell to its value, each distinct text once."""

import difflib
import math
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from workbench.data.card import Card, Column
from workbench.errors import DataError

__all__ = ["Cells", "parse_column"]

_INTEGER = re.compile(r"[+-]?[0-9]+", re.ASCII)
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?", re.ASCII)
_NOT_FINITE = re.compile(r"[+-]?(?:inf|infinity|nan)", re.IGNORECASE)
_INT64 = range(-(2**63), 2**63)


class Cells(NamedTuple):
    """The cells of one column as text, with where each stands."""

    file: str
    lines: Sequence[int]
    texts: Sequence[str]

    def where(self, row: int, column: str) -> str:
        """Name the file, line and column of a row."""
        return f"{self.file}, line {self.lines[row]}, column {column!r}"


class _Refused(NamedTuple):
    """Why a text is no value of its column."""

    what: str
    expected: str
    fix: str


def parse_column(card: Card, column: Column, cells: Cells) -> pd.Series:
    """Read one column strictly; missing codes become NaN.

    Parameters
    ----------
    card, column
        What is declared.
    cells
        What is in the file.

    Raises
    ------
    DataError
        On the first cell (by line) that is not what the card declares.
    """
    codes, uniques = pd.factorize(np.asarray(cells.texts, dtype=object))
    parse, missing = _parser(card, column), _missing(column)
    values = [None if missing(text) else parse(text) for text in uniques]
    for code, value in enumerate(values):
        # Distinct texts are numbered by first appearance, so the first is on the first line.
        if isinstance(value, _Refused):
            row = int(np.argmax(codes == code))
            raise DataError(
                value.what,
                where=cells.where(row, column.name),
                expected=value.expected,
                fix=value.fix,
            )
    return _series(column, codes, values)


def _series(column: Column, codes: np.ndarray, values: list[Any]) -> pd.Series:
    if column.dtype in {"integer", "number"}:
        whole = column.dtype == "integer" and not column.missing
        table = np.array(
            [math.nan if v is None else v for v in values], dtype="int64" if whole else "float64"
        )
        return pd.Series(table[codes])
    if column.dtype == "date":
        moments = pd.to_datetime(pd.Series(values), utc=_has_zone(values)).astype(
            "datetime64[us, UTC]" if _has_zone(values) else "datetime64[us]"
        )
        return moments.take(codes).reset_index(drop=True)
    if column.dtype == "boolean" and not column.missing:
        return pd.Series(np.array(values, dtype=bool)[codes])
    if column.dtype == "boolean":
        true, false = column.true_and_false() or ("true", "false")
        values = [None if v is None else true if v else false for v in values]
    texts = np.array(values, dtype=object)[codes] if values else np.array([], dtype=object)
    return pd.Series(texts, dtype="str")


def _has_zone(values: list[Any]) -> bool:
    return any(v is not None and v.tzinfo is not None for v in values)


def _missing(column: Column) -> Callable[[str], bool]:
    texts = set(column.missing)
    if column.dtype not in {"integer", "number"}:
        return texts.__contains__
    numbers = {float(code) for code in texts if _NUMBER.fullmatch(code)}
    return lambda text: (
        text in texts or (_NUMBER.fullmatch(text) is not None and float(text) in numbers)
    )


def _parser(card: Card, column: Column) -> Callable[[str], Any]:
    def refuse_empty(parse: Callable[[str], Any]) -> Callable[[str], Any]:
        if column.name == card.target.column:
            empty = _Refused(
                "the label is missing",
                f"{card.target.positive!r} or {card.target.negative!r}",
                "leave out rows whose outcome is not known yet",
            )
        else:
            empty = _Refused(
                "the cell is empty",
                f"a value ({column.dtype})",
                f'fill it in, or declare missing: [""] for {column.name!r} in the card',
            )
        return lambda text: parse(text) if text else empty

    match column.dtype:
        case "integer":
            return refuse_empty(_integer)
        case "number":
            return refuse_empty(_number)
        case "date":
            return refuse_empty(_date_parser())
        case "boolean":
            return refuse_empty(_boolean_parser(column))
        case "category":
            return refuse_empty(_category_parser(card, column))
        case _:
            return str


def _integer(text: str) -> int | _Refused:
    if _INTEGER.fullmatch(text) and int(text[:25]) in _INT64 and len(text) <= 25:
        return int(text)
    if _NOT_FINITE.fullmatch(text):
        return _not_finite(text)
    return _Refused(
        f"{_short(text)} is not an integer",
        "digits with an optional sign, within 64 bits",
        "correct the cell, add it to the column's missing codes, or declare dtype: number or text",
    )


def _number(text: str) -> float | _Refused:
    if _NUMBER.fullmatch(text):
        value = float(text)
        return value if math.isfinite(value) else _not_finite(text)
    if _NOT_FINITE.fullmatch(text):
        return _not_finite(text)
    return _Refused(
        f"{_short(text)} is not a number",
        "digits with an optional '.' (no thousands separator, no unit)",
        "correct the cell, add it to the column's missing codes, or declare dtype: text",
    )


def _not_finite(text: str) -> _Refused:
    return _Refused(
        f"{_short(text)} is not a finite number",
        "a finite number",
        "correct the cell or add it to the column's missing codes",
    )


def _date_parser() -> Callable[[str], Any]:
    zones: set[bool] = set()

    def parse(text: str) -> datetime | _Refused:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            return _Refused(
                f"{_short(text)} is not a date",
                "ISO 8601 such as 2024-01-31 or 2024-01-31T09:30:00",
                "write the date year first",
            )
        zones.add(moment.tzinfo is not None)
        if len(zones) > 1:
            return _Refused(
                f"{_short(text)} mixes dates with and without a time zone",
                "a time zone in all dates of the column or in none",
                "write all dates the same way",
            )
        return moment.astimezone(UTC) if moment.tzinfo else moment

    return parse


def _boolean_parser(column: Column) -> Callable[[str], Any]:
    true, false = column.true_and_false() or ("true", "false")
    known = {true.lower(): True, false.lower(): False}

    def parse(text: str) -> bool | _Refused:
        value = known.get(text.lower())
        if value is None:
            return _Refused(
                f"{_short(text)} is not a boolean",
                f"{true!r} or {false!r}",
                "correct the cell, the column's values or its missing codes",
            )
        return value

    return parse


def _category_parser(card: Card, column: Column) -> Callable[[str], Any]:
    known = set(column.values)
    is_label = column.name == card.target.column

    def parse(text: str) -> str | _Refused:
        if text in known:
            return text
        near = difflib.get_close_matches(text, column.values, n=1, cutoff=0.5)
        expected = "one of " + ", ".join(repr(value) for value in column.values)
        if near:
            expected += f"; the nearest is {near[0]!r}"
        kind = "label" if is_label else "value"
        where = "target.positive and target.negative" if is_label else "its values"
        return _Refused(
            f"{kind} {_short(text)} is not declared",
            expected,
            f"correct the cell, or add it to {where} in the card",
        )

    return parse


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "…")
