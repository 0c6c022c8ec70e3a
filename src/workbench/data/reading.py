"""Reading a CSV file strictly: what the card declares is what is in it, or one clear error."""

import codecs
import csv
import hashlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from workbench.data.card import Card, DataFile
from workbench.data.cells import Cells, parse_column
from workbench.errors import DataError

__all__ = ["CsvTable", "csv_table", "declared_bytes", "declared_text", "read_table"]

# Longest first: the mark of UTF-32 little endian starts with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "UTF-8", "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "UTF-32", "utf-32"),
    (codecs.BOM_UTF32_BE, "UTF-32", "utf-32"),
    (codecs.BOM_UTF16_LE, "UTF-16", "utf-16"),
    (codecs.BOM_UTF16_BE, "UTF-16", "utf-16"),
)
_DELIMITERS = ",;\t|"


class CsvTable(NamedTuple):
    """Cells of a CSV file, and the line each row starts on."""

    header: list[str]
    rows: list[list[str]]
    lines: list[int]


def read_table(path: str | Path, card: Card) -> pd.DataFrame:
    """Read the file of a data set and hold it against its card.

    Parameters
    ----------
    path
        The file; its name need not be that of the card.
    card
        What the file is declared to be; must have a `file`.

    Returns
    -------
    pandas.DataFrame
        All columns in card order, typed; missing codes are NaN; row `i` is record `i`.

    Raises
    ------
    DataError
        On the first thing that differs: checksum, encoding, delimiter, quoting, columns,
        a cell, a label, an identifier, the number of rows. Names file, line, column and fix.
    ValueError
        When the card has no `file`.
    """
    if card.file is None:
        raise ValueError(f"data set {card.name!r} is generated, it has no file")
    file = str(path)
    text = declared_text(Path(path), card.file)
    table = csv_table(text, file, card.file)
    _check_header(table.header, file, card)
    if card.file.row_count is not None and len(table.rows) != card.file.row_count:
        raise DataError(
            f"{len(table.rows):,} rows",
            where=file,
            expected=f"{card.file.row_count:,} rows (file.row_count of the card)",
            fix="get the whole file, or correct row_count and the version in the card",
        )
    by_name = dict(zip(table.header, zip(*table.rows, strict=True), strict=True))
    cells = {c.name: Cells(file, table.lines, by_name[c.name]) for c in card.columns}
    frame = pd.DataFrame({c.name: parse_column(card, c, cells[c.name]) for c in card.columns})
    _check_roles(frame, cells, card)
    return frame


def declared_bytes(path: Path, declared: DataFile) -> bytes:
    """Read a file whole and hold its checksum against the declared one.

    Parameters
    ----------
    path
        The file.
    declared
        Its checksum.

    Raises
    ------
    DataError
        When it cannot be read, is empty, or has another checksum.
    """
    file = str(path)
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise DataError(
            "the file does not exist", where=file, fix=f"put {declared.name} there"
        ) from None
    except OSError as error:
        raise DataError(
            f"the file cannot be read: {error.strerror}",
            where=file,
            expected="a readable file",
            fix="check that it is a file and its permissions",
        ) from None
    if not data:
        raise DataError(
            "the file is empty", where=file, expected="a header and rows", fix="get the file again"
        )
    found = hashlib.sha256(data).hexdigest()
    if found != declared.sha256:
        raise DataError(
            f"wrong checksum: sha256 is {found}",
            where=file,
            expected=declared.sha256,
            fix="get the file again; if its content is meant to have changed, put the new sha256 "
            "and a new version into the card",
        )
    return data


def declared_text(path: Path, declared: DataFile) -> str:
    """Read a text file whole, as declared.

    Parameters
    ----------
    path
        The file.
    declared
        Its checksum and encoding.

    Raises
    ------
    DataError
        As `declared_bytes`; and when it is in another encoding or holds a NUL.
    """
    data, file = declared_bytes(path, declared), str(path)
    _check_mark(data, file, declared.encoding)
    return _decoded(data, file, declared.encoding)


def _check_mark(data: bytes, file: str, encoding: str) -> None:
    for mark, name, reads_it in _MARKS:
        if data.startswith(mark):
            if codecs.lookup(encoding).name not in {reads_it, codecs.lookup(reads_it).name}:
                raise DataError(
                    f"the file starts with the byte order mark of {name}",
                    where=f"{file}, line 1",
                    expected=f"{encoding} without a mark",
                    fix=f"declare encoding: {reads_it} in the card",
                )
            return


def _decoded(data: bytes, file: str, encoding: str) -> str:
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"byte 0x{data[error.start]:02x} is not {encoding}",
            where=f"{file}, line {line}",
            expected=f"text in {encoding}",
            fix="declare the encoding the file is in (often cp1252 or latin-1) in the card",
        ) from None
    zero = text.find("\0")
    if zero >= 0:
        raise DataError(
            "the file holds a NUL character",
            where=f"{file}, line {text.count(chr(10), 0, zero) + 1}",
            expected="plain text",
            fix="export the file again; UTF-16 without a mark looks like this too",
        )
    return text


def csv_table(text: str, file: str, declared: DataFile) -> CsvTable:
    """Split the text of a CSV file into cells, strictly.

    Parameters
    ----------
    text, file
        What it holds and how it is called in errors.
    declared
        Its delimiter.

    Raises
    ------
    DataError
        When there is no row, one is of another width, or a quote is never closed.
    """
    lines: list[int] = []
    rows: list[list[str]] = []
    header: list[str] | None = None
    for line, row in _records(text, file, declared):
        if header is None:
            header = row
            _check_delimiter(header, file, declared)
        elif len(row) != len(header):
            raise _wrong_width(row, header, f"{file}, line {line}", declared)
        else:
            lines.append(line)
            rows.append(row)
    if header is None or not rows:
        raise DataError(
            "the file has no rows",
            where=file,
            expected="a header and at least one row",
            fix="get the file again",
        )
    return CsvTable(header, rows, lines)


def _records(text: str, file: str, declared: DataFile) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=declared.delimiter, strict=True)
    line = 1
    try:
        for row in reader:
            yield line, row
            line = reader.line_num + 1
    except csv.Error as error:
        quote = "unexpected end" in str(error) or "field larger" in str(error)
        what = "a quote is never closed" if quote else f"broken quoting: {error}"
        raise DataError(
            what,
            where=f"{file}, line {line}",
            expected='quotes in pairs; a quote inside quotes doubled ("")',
            fix="close or double the quote in the row that starts here",
        ) from None


def _check_delimiter(header: list[str], file: str, declared: DataFile) -> None:
    others = (
        [d for d in _DELIMITERS if d != declared.delimiter and d in header[0]] if header else []
    )
    if len(header) <= 1 and others:
        raise DataError(
            f"no {declared.delimiter!r} in the header, but {others[0]!r}",
            where=f"{file}, line 1",
            expected=f"columns separated by {declared.delimiter!r}",
            fix=f"declare delimiter: {others[0]!r} in the card",
        )


def _wrong_width(row: list[str], header: list[str], where: str, declared: DataFile) -> DataError:
    other = next((d for d in _DELIMITERS if d != declared.delimiter and
                  sum(cell.count(d) for cell in row) >= len(header) - 1), None)  # fmt: skip
    if not row:
        what, fix = "the line is empty", "delete the line"
    elif len(row) == 1 and other:
        what = f"the row is separated by {other!r}"
        fix = f"separate every row by {declared.delimiter!r}"
    else:
        what = f"the row has {len(row)} fields"
        fix = f"quote cells that hold {declared.delimiter!r} or a line break"
    expected = f"{len(header)} fields separated by {declared.delimiter!r}, as in the header"
    return DataError(what, where=where, expected=expected, fix=fix)


def _check_header(header: list[str], file: str, card: Card) -> None:
    where = f"{file}, line 1"
    seen: set[str] = set()
    for name in header:
        if name in seen:
            raise DataError(
                f"column {name!r} appears twice",
                where=where,
                expected="each column once",
                fix="rename or delete one of them",
            )
        seen.add(name)
    for name in card.column_names:
        if name not in seen:
            raise DataError(
                f"column {name!r} is missing",
                where=where,
                expected=f"the columns {', '.join(card.column_names)}",
                fix="add the column to the file or take it out of the card",
            )
    for name in header:
        if name not in card.column_names:
            raise DataError(
                f"unexpected column {name!r}",
                where=where,
                expected=f"the columns {', '.join(card.column_names)}",
                fix="describe the column in the card (input: false keeps it from predictors)",
            )


def _check_roles(frame: pd.DataFrame, cells: dict[str, Cells], card: Card) -> None:
    time = card.time.column if card.time else None
    roles = {
        "identifier": card.id_column,
        "group": card.group_column,
        "time": time,
        "tenant": card.tenant_column,
    }
    for role, name in roles.items():
        if name is None:
            continue
        absent = frame[name].isna() | (frame[name].astype("str") == "")
        if absent.any():
            raise DataError(
                f"the {role} is missing",
                where=cells[name].where(int(absent.to_numpy().argmax()), name),
                expected=f"a {role} in every row",
                fix=f"fill it in, or take the {role} column out of the card",
            )
    if card.id_column is not None:
        repeated = frame[card.id_column].duplicated().to_numpy()
        if repeated.any():
            row = int(repeated.argmax())
            text = cells[card.id_column].texts[row]
            first = cells[card.id_column].texts.index(text)
            raise DataError(
                f"identifier {text!r} appears twice, first on line "
                f"{cells[card.id_column].lines[first]}",
                where=cells[card.id_column].where(row, card.id_column),
                expected="one identifier per row",
                fix="delete the repeated row or give it its own identifier",
            )
    if frame[card.target.column].nunique() == 1:
        only = frame[card.target.column].iloc[0]
        raise DataError(
            f"every label is {only!r}",
            where=f"{cells[card.target.column].file}, column {card.target.column!r}",
            expected=f"both {card.target.positive!r} and {card.target.negative!r}",
            fix="get a file with both outcomes: nothing can be learned or judged from one",
        )
