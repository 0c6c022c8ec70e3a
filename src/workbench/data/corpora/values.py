"""From what a file says to the true value of a field, checked."""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from workbench.data.corpora.card import LabelSource
from workbench.data.corpora.records import Record, read_json
from workbench.data.fields import AskedField, Slot
from workbench.errors import DataError

__all__ = ["FieldReader", "cell_of", "text_of"]

_TRUE = frozenset({"1", "true", "yes", "y", "t"})
_FALSE = frozenset({"0", "false", "no", "n", "f", ""})
_SHOWN = 8


def cell_of(record: Record, column: str) -> Any:
    """Give the value of a column.

    Parameters
    ----------
    record
        The example.
    column
        Its name.

    Raises
    ------
    DataError
        When the record has no such column.
    """
    if column not in record.values:
        raise DataError(
            f"column {column!r} is missing",
            where=record.where,
            expected=f"one of {', '.join(map(str, record.values)) or 'no columns at all'}",
            fix="correct the file, or columns in the card",
        )
    return record.values[column]


def text_of(record: Record, column: str, *, empty: bool = False) -> str:
    """Give the text of a column.

    Parameters
    ----------
    record, column
        The example and the column.
    empty
        Whether there may be none.

    Raises
    ------
    DataError
        When it is no text, holds half a character, or is empty and may not be.
    """
    value = cell_of(record, column)
    where = f"{record.where}, column {column!r}"
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise DataError(
            f"found {_shown(value)}, no text",
            where=where,
            expected="a text",
            fix="write a text, or name another column in the card",
        )
    if not empty and not value.strip():
        raise DataError(
            "the text is empty", where=where, expected="some words", fix="fill it in or delete it"
        )
    try:
        value.encode()
    except UnicodeEncodeError:
        raise DataError(
            "the text holds half a surrogate pair",
            where=where,
            expected="whole characters",
            fix="export the file again as UTF-8",
        ) from None
    if "\0" in value:
        raise DataError(
            "the text holds a NUL character", where=where, expected="plain text", fix="delete it"
        )
    return value


class FieldReader(NamedTuple):
    """Reads the true values of one field.

    Parameters
    ----------
    field
        What is asked.
    source
        Where it stands.
    codes
        What the file calls a value, to the value.
    """

    field: AskedField
    source: LabelSource
    codes: Mapping[str, str]

    def read(self, record: Record) -> Any:
        """Give the true value of an example, or None when nobody knows.

        Parameters
        ----------
        record
            The example.

        Raises
        ------
        DataError
            When what the file says is no value of the field.
        """
        if self.source.flags:
            return self._flagged(record)
        column = str(self.source.column)
        cell = cell_of(record, column)
        if cell is None or (isinstance(cell, str | int | float) and
                            str(cell) in self.source.missing):  # fmt: skip
            return None
        where = f"{record.where}, column {column!r}"
        return _READERS[self.field.kind](self, cell, where)

    def _flagged(self, record: Record) -> tuple[str, ...] | None:
        told = {label: cell_of(record, column) for label, column in self.source.flags.items()}
        if all(cell is None or cell in self.source.missing for cell in told.values()):
            return None
        chosen = set()
        for label, cell in told.items():
            written = "" if cell is None else str(cell).strip().lower()
            if written not in _TRUE | _FALSE:
                column = self.source.flags[label]
                where = f"{record.where}, column {column!r}"
                raise self._refused(cell, where, "1 or 0, true or false, yes or no")
            if written in _TRUE:
                chosen.add(label)
        return tuple(value for value in self.field.values if value in chosen)

    def _refused(self, value: Any, where: str, expected: str) -> DataError:
        return DataError(
            f"{_shown(value)} is no value of {self.field.name!r}",
            where=where,
            expected=expected,
            fix="correct the file, or fields, codes and missing in the card",
        )

    def known(self, value: Any, where: str) -> str:
        """Give the value a code stands for; DataError when there is none."""
        if isinstance(value, bool):
            value = str(value).lower()
        if isinstance(value, str | int):
            found = self.codes.get(str(value), str(value))
            if found in self.field.values:
                return found
        raise self._refused(value, where, _listed(self.field.values))

    def labels(self, cell: Any, where: str) -> tuple[str, ...]:
        """Give several labels in the order of the field; DataError when one is unknown."""
        if isinstance(cell, str) and self.source.separator is not None:
            cell = [part.strip() for part in cell.split(self.source.separator) if part.strip()]
        listed = _plain(cell, where) if isinstance(cell, str) else cell
        if not isinstance(listed, Sequence) or isinstance(listed, str):
            raise self._refused(cell, where, "a list of labels, or a separator in the card")
        chosen = [self.known(item, where) for item in listed]
        if len(set(chosen)) < len(chosen):
            raise self._refused(cell, where, "each label once")
        return tuple(value for value in self.field.values if value in chosen)

    def number(self, cell: Any, where: str) -> float:
        """Give a finite number; DataError when it is none."""
        return _number(cell, lambda: self._refused(cell, where, "a finite number"))

    def sheet(self, cell: Any, where: str) -> dict[str, Any]:
        """Give slots and their values; DataError when one is none of the field."""
        told = _plain(cell, where) if isinstance(cell, str) else cell
        if not isinstance(told, Mapping):
            raise self._refused(cell, where, "an object of slot to value")
        slots = {slot.name: slot for slot in self.field.slots}
        strange = sorted(set(told) - set(slots))
        if strange:
            raise self._refused(strange[0], where, f"slots {_listed(tuple(slots))}")
        return {
            name: self._slot(slots[name], value, f"{where}, slot {name!r}")
            for name, value in told.items()
            if value is not None
        }

    def _slot(self, slot: Slot, value: Any, where: str) -> Any:
        if slot.kind in ("number", "money"):
            return _number(value, lambda: self._refused(value, where, "a finite number"))
        if slot.kind == "choices":
            if not isinstance(value, list) or not set(map(str, value)) <= set(slot.values):
                raise self._refused(value, where, f"a list of {_listed(slot.values)}")
            return tuple(choice for choice in slot.values if choice in value)
        written = str(value) if isinstance(value, str | int | float) else ""
        if slot.kind == "choice" and written not in slot.values:
            raise self._refused(value, where, _listed(slot.values))
        if not written.strip():
            raise self._refused(value, where, "a text; leave out what was not mentioned")
        return written

    def ranking(self, cell: Any, where: str) -> dict[str, float]:
        """Give candidates and their relevance; DataError when one is none of the field."""
        told = _plain(cell, where) if isinstance(cell, str) else cell
        if not isinstance(told, Mapping):
            raise self._refused(cell, where, "an object of candidate to relevance")
        found = {self.known(name, where): self.number(worth, where) for name, worth in told.items()}
        if any(worth < 0 for worth in found.values()):
            raise self._refused(cell, where, "relevance of 0 or more")
        return found

    def reference(self, cell: Any, where: str) -> dict[str, Any]:
        """Give what a text is held against; DataError when it is no object."""
        told = _plain(cell, where) if isinstance(cell, str) else cell
        if not isinstance(told, Mapping) or not told:
            raise self._refused(cell, where, "an object of what the text is held against")
        return dict(told)


_READERS: Mapping[str, Callable[[FieldReader, Any, str], Any]] = {
    "label": FieldReader.known,
    "level": FieldReader.known,
    "labels": FieldReader.labels,
    "number": FieldReader.number,
    "slots": FieldReader.sheet,
    "ranking": FieldReader.ranking,
    "text": FieldReader.reference,
}


def _plain(cell: str, where: str) -> Any:
    return read_json(cell, where)


def _number(value: Any, refused: Callable[[], DataError]) -> float:
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        raise refused() from None
    if not math.isfinite(number):
        raise refused()
    return number


def _listed(values: Sequence[str]) -> str:
    more = f", … ({len(values)} in all)" if len(values) > _SHOWN else ""
    return f"one of {', '.join(values[:_SHOWN])}{more}"


def _shown(value: Any) -> str:
    told = json.dumps(value, ensure_ascii=False, default=str)
    return told if len(told) <= 80 else f"{told[:80]}…"
