"""Files of any of the general formats as records: named values and where each record stands."""

import io
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
from pyarrow import parquet

from workbench.data.card import DataFile
from workbench.data.reading import csv_table, declared_bytes, declared_text
from workbench.errors import DataError

__all__ = ["RECORD_READERS", "Reader", "Record", "read_json", "text_lines", "tsv_records"]


class Record(NamedTuple):
    """One example as its file tells it."""

    values: Mapping[str, Any]
    where: str


Reader = Callable[[Path, DataFile], Iterator[Record]]
"""Gives the examples of a file."""


def text_lines(path: Path, declared: DataFile) -> list[str]:
    """Read the lines of a file, cut at line feeds only.

    Parameters
    ----------
    path, declared
        The file, and what it is declared to be.

    Raises
    ------
    DataError
        When it cannot be read as declared.
    """
    lines = declared_text(path, declared).split("\n")
    if not lines[-1]:
        lines.pop()
    return [line.removesuffix("\r") for line in lines]


def read_json(text: str, where: str) -> Any:
    """Read JSON strictly: no NaN, no key twice.

    Parameters
    ----------
    text, where
        What to read, and where it stands.

    Raises
    ------
    DataError
        When it is no JSON, or cut short.
    """
    try:
        return json.loads(text, object_pairs_hook=_once, parse_constant=_refused)
    except json.JSONDecodeError as error:
        at = f"{where}, line {error.lineno}" if error.lineno > 1 else where
        cut = error.pos >= len(text.rstrip())
        raise DataError(
            "the JSON is cut short" if cut else f"not valid JSON: {error.msg}",
            where=f"{at}, column {error.colno}",
            expected="whole JSON",
            fix="get the file again, or export it again",
        ) from None
    except (ValueError, RecursionError) as error:
        raise DataError(
            f"not valid JSON: {error}", where=where, expected="plain JSON", fix="correct it"
        ) from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"key {next(n for n in names if names.count(n) > 1)!r} appears twice")
    return found


def _refused(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")


def _csv(path: Path, declared: DataFile) -> Iterator[Record]:
    table = csv_table(declared_text(path, declared), str(path), declared)
    _check_header(tuple(table.header), f"{path}, line 1")
    for line, row in zip(table.lines, table.rows, strict=True):
        yield Record(dict(zip(table.header, row, strict=True)), f"{path}, line {line}")


def tsv_records(path: Path, declared: DataFile, header: tuple[str, ...]) -> Iterator[Record]:
    """Read lines of cells between tabs; quotes are characters like others.

    Parameters
    ----------
    path, declared
        The file, and what it is declared to be.
    header
        Names of the columns; empty: they stand in the first line.

    Raises
    ------
    DataError
        When it cannot be read as declared or a line has too many or too few cells.
    """
    lines = text_lines(path, declared)
    names, first = (header, 0) if header else (tuple(lines[0].split("\t")), 1)
    _check_header(names, f"{path}, line 1")
    for number, line in enumerate(lines[first:], first + 1):
        cells = line.split("\t")
        if len(cells) != len(names):
            raise DataError(
                f"the row has {len(cells)} fields",
                where=f"{path}, line {number}",
                expected=f"{len(names)} fields separated by tabs: {', '.join(names)}",
                fix="correct the row, or the header in the card",
            )
        yield Record(dict(zip(names, cells, strict=True)), f"{path}, line {number}")


def _check_header(names: tuple[str, ...], where: str) -> None:
    for name in names:
        if names.count(name) > 1:
            raise DataError(
                f"column {name!r} appears twice",
                where=where,
                expected="each column once",
                fix="rename or delete one of them",
            )


def _jsonl(path: Path, declared: DataFile) -> Iterator[Record]:
    for number, line in enumerate(text_lines(path, declared), 1):
        where = f"{path}, line {number}"
        if not line.strip():
            raise DataError(
                "the line is empty", where=where, expected="one object a line", fix="delete it"
            )
        yield _object(read_json(line, where), where)


def _json(path: Path, declared: DataFile) -> Iterator[Record]:
    items = read_json(declared_text(path, declared), str(path))
    if not isinstance(items, list):
        raise DataError(
            f"the file holds one {type(items).__name__}",
            where=str(path),
            expected="a list of objects",
            fix="put the examples into a list",
        )
    for number, item in enumerate(items, 1):
        yield _object(item, f"{path}, item {number}")


def _object(value: Any, where: str) -> Record:
    if not isinstance(value, dict):
        raise DataError(
            f"found {type(value).__name__}, no object",
            where=where,
            expected='an object such as {"text": …}',
            fix="write one object an example",
        )
    return Record(value, where)


def _lines(path: Path, declared: DataFile) -> Iterator[Record]:
    for number, line in enumerate(text_lines(path, declared), 1):
        yield Record({"text": line}, f"{path}, line {number}")


def _parquet(path: Path, declared: DataFile) -> Iterator[Record]:
    data = declared_bytes(path, declared)
    try:
        rows = parquet.read_table(io.BytesIO(data)).to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise DataError(
            f"not a Parquet file: {str(error).splitlines()[0]}",
            where=str(path),
            expected="a whole Parquet file",
            fix="get the file again, or correct the format in the card",
        ) from None
    for number, row in enumerate(rows, 1):
        yield Record(row, f"{path}, row {number}")


RECORD_READERS: Mapping[str, Reader] = {
    "csv": _csv,
    "jsonl": _jsonl,
    "json": _json,
    "lines": _lines,
    "parquet": _parquet,
}
"""How each general format but tsv is read."""
