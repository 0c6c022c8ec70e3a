"""What people said of examples: read strictly, one row an example and annotator."""

import csv
import html
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

import pandas as pd

from workbench.errors import DataError

__all__ = ["Annotation", "AnnotationColumns", "AnnotationKind", "Annotations", "Label",
           "read_annotations"]  # fmt: skip

AnnotationKind = Literal["label", "labels", "level"]
"""One of several labels, a set of them, or one of several in order."""

Label: TypeAlias = str | tuple[str, ...]
"""A label or level; of kind ``labels`` the sorted labels of the set."""


class Annotation(NamedTuple):
    """What one person said of one example.

    Attributes
    ----------
    example, annotator
        Identifiers.
    value
        The label, or labels.
    comment
        Why, in the person's words; may be empty.
    """

    example: str
    annotator: str
    value: Label
    comment: str = ""


class AnnotationColumns(NamedTuple):
    """Which column (or JSON key) holds what.

    Attributes
    ----------
    example, annotator, value
        Names of columns.
    comment
        Name of the column of comments; None where there is none.
    """

    example: str = "example"
    annotator: str = "annotator"
    value: str = "label"
    comment: str | None = None


@dataclass(frozen=True)
class Annotations:
    """Labels of several people for the same examples.

    Parameters
    ----------
    kind
        What a value is.
    values
        All labels; of kind ``level`` in order.
    rows
        One an example and annotator.
    """

    kind: AnnotationKind
    values: tuple[str, ...]
    rows: tuple[Annotation, ...]

    @cached_property
    def by_example(self) -> Mapping[str, tuple[Annotation, ...]]:
        """Annotations of each example, in order of first appearance."""
        found: dict[str, list[Annotation]] = {}
        for row in self.rows:
            found.setdefault(row.example, []).append(row)
        return {example: tuple(rows) for example, rows in found.items()}

    @cached_property
    def annotators(self) -> tuple[str, ...]:
        """Who annotated, in order of first appearance."""
        return tuple(dict.fromkeys(row.annotator for row in self.rows))

    def to_frame(self) -> pd.DataFrame:
        """One row an example and one column an annotator; None where one did not look.

        Returns
        -------
        DataFrame
            The table of double annotation.

        Examples
        --------
        >>> rows = (Annotation("1", "ann", "buy"), Annotation("1", "bo", "rent"))
        >>> Annotations("label", ("buy", "rent"), rows).to_frame().loc["1"].tolist()
        ['buy', 'rent']
        """
        cells = {example: {row.annotator: row.value for row in rows}
                 for example, rows in self.by_example.items()}  # fmt: skip
        return pd.DataFrame(
            [[given.get(name) for name in self.annotators] for given in cells.values()],
            index=pd.Index(list(cells), name="example", dtype=object),
            columns=list(self.annotators),
            dtype=object,
        )

    def _repr_html_(self) -> str:
        double = sum(len(rows) > 1 for rows in self.by_example.values())
        people = ", ".join(html.escape(name) for name in self.annotators)
        return (
            f"<p>{len(self.rows):,} annotations of {len(self.by_example):,} examples by {people}; "
            f"{double:,} examples have two or more.</p>"
        )


def read_annotations(
    path: str | Path,
    *,
    kind: AnnotationKind,
    values: Sequence[str],
    columns: AnnotationColumns = AnnotationColumns(),  # noqa: B008 - immutable
    separator: str = "|",
) -> Annotations:
    r"""Read human labels from a CSV or JSONL file.

    Parameters
    ----------
    path
        Ends in ``.csv`` or ``.jsonl``; UTF-8.
    kind
        What a value is.
    values
        All labels; of kind ``level`` in order.
    columns
        Which column holds what; others are not read.
    separator
        Between the labels of a set in a CSV cell; in JSONL a set is an array.

    Returns
    -------
    Annotations

    Raises
    ------
    DataError
        With file, line and column: when the file cannot be read, a column is missing, a cell is
        empty, a label is unknown, or somebody labelled an example twice.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "labels.csv"
    >>> _ = path.write_text("id,who,label\n7,ann,buy\n7,bo,rent\n", encoding="utf-8")
    >>> found = read_annotations(path, kind="label", values=("buy", "rent"),
    ...                          columns=AnnotationColumns("id", "who"))
    >>> [row.value for row in found.rows]
    ['buy', 'rent']
    """
    file = Path(path)
    if len(set(values)) != len(values) or len(values) < 2:
        raise DataError(
            f"{len(values)} labels, {len(set(values))} of them different",
            where=str(file),
            expected="two labels or more, each named once",
            fix="name all labels",
        )
    readers = {".csv": _csv_rows, ".jsonl": _json_rows}
    if file.suffix not in readers:
        raise DataError(
            f"the file ends in {file.suffix!r}",
            where=str(file),
            expected=".csv or .jsonl",
            fix="export it as one of them",
        )
    wanted = [c for c in columns if c is not None]
    rows: list[Annotation] = []
    first: dict[tuple[str, str], int] = {}
    for line, cells in readers[file.suffix](_text(file), file, wanted):
        row = _annotation(cells, columns, kind, values, separator, f"{file}, line {line}")
        if first.setdefault((row.example, row.annotator), line) != line:
            raise DataError(
                f"{row.annotator!r} labelled example {row.example!r} twice, first on line "
                f"{first[row.example, row.annotator]}",
                where=f"{file}, line {line}",
                expected="one label an example and annotator",
                fix="keep the one that holds",
            )
        rows.append(row)
    if not rows:
        raise DataError("the file has no rows", where=str(file), fix="export it again")
    return Annotations(kind, tuple(values), tuple(rows))


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"the file cannot be read: {error}", where=str(file), expected="a UTF-8 text file",
            fix="check the path, or save it as UTF-8",
        ) from None  # fmt: skip


def _missing(name: str, given: Iterable[str], where: str) -> DataError:
    return DataError(
        f"column {name!r} is missing",
        where=where,
        expected=f"one of {sorted(given)}",
        fix="map the columns with AnnotationColumns",
    )


def _csv_rows(
    text: str, file: Path, wanted: Sequence[str]
) -> Iterator[tuple[int, Mapping[str, Any]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] | None = None
    line = 1
    try:
        for cells in reader:
            if header is None:
                header = cells
                for name in wanted:
                    if header.count(name) != 1:
                        raise _missing(name, header, f"{file}, line 1")
            elif len(cells) != len(header):
                raise DataError(
                    f"the row has {len(cells)} fields",
                    where=f"{file}, line {line}",
                    expected=f"{len(header)} fields, as in the header",
                    fix="quote cells that hold a comma or a line break; delete empty lines",
                )
            else:
                yield line, dict(zip(header, cells, strict=True))
            line = reader.line_num + 1
    except csv.Error as error:
        raise DataError(
            f"broken quoting: {error}", where=f"{file}, line {line}",
            expected='quotes in pairs; a quote inside quotes doubled ("")',
            fix="close or double the quote in the row that starts here",
        ) from None  # fmt: skip


def _json_rows(
    text: str, file: Path, wanted: Sequence[str]
) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for line, words in enumerate(text.split("\n"), start=1):
        if not words.strip():
            continue
        where = f"{file}, line {line}"
        try:
            cells = json.loads(words)
        except json.JSONDecodeError as error:
            raise DataError(
                f"no JSON: {error.msg}", where=where, expected="one object a line",
                fix="mend the line",
            ) from None  # fmt: skip
        if not isinstance(cells, dict):
            raise DataError(
                f"the line is a {type(cells).__name__}", where=where,
                expected="one object a line", fix="mend the line",
            )  # fmt: skip
        for name in wanted:
            if name not in cells:
                raise _missing(name, cells, where)
        yield line, cells


def _annotation(
    cells: Mapping[str, Any],
    columns: AnnotationColumns,
    kind: AnnotationKind,
    values: Sequence[str],
    separator: str,
    where: str,
) -> Annotation:
    names = []
    for column in (columns.example, columns.annotator):
        name = str(cells[column]).strip() if cells[column] is not None else ""
        if not name:
            raise DataError(
                "the cell is empty", where=f"{where}, column {column!r}",
                expected="an identifier", fix="fill it in",
            )  # fmt: skip
        names.append(name)
    given = cells[columns.value]
    if kind == "labels":
        parts = given.split(separator) if isinstance(given, str) else given
        labels = parts if isinstance(parts, list) else [parts]
        found = [str(label).strip() for label in labels if str(label).strip()]
    else:
        found = [str(given).strip()]
    unknown = [label for label in found if label not in values]
    if unknown:
        raise DataError(
            f"{unknown[0]!r} is no label",
            where=f"{where}, column {columns.value!r}",
            expected=f"one of {list(values)}",
            fix="correct the cell, or name the label among the values",
        )
    value: Label = tuple(sorted(set(found))) if kind == "labels" else found[0]
    comment = cells.get(columns.comment) if columns.comment is not None else None
    return Annotation(names[0], names[1], value, str(comment or ""))
