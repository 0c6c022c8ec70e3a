"""From the files of a corpus to its tables, checked one example after the other."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from workbench.data.corpora.card import Columns, CorpusCard, CorpusFile, Messages, SourceFile
from workbench.data.corpora.published import PUBLISHED_READERS
from workbench.data.corpora.records import (
    RECORD_READERS,
    Record,
    read_json,
    text_lines,
    tsv_records,
)
from workbench.data.corpora.values import FieldReader, cell_of, text_of
from workbench.data.corpus import PARTS, Corpus
from workbench.errors import DataError

__all__ = ["read_corpus"]

Finder = Callable[[SourceFile], Path]


class _Example(NamedTuple):
    id: str
    inputs: Mapping[str, str]
    truth: Sequence[Any]
    part: str
    group: str
    slices: Mapping[str, str]
    where: str


def read_corpus(card: CorpusCard, find: Callable[[SourceFile], Path]) -> Corpus:
    """Read the files of a corpus and hold them against its card.

    Parameters
    ----------
    card
        What they are declared to be.
    find
        Where a file is.

    Returns
    -------
    Corpus
        In the order of files and examples. Examples without an identifier are called after
        their file and place in it.

    Raises
    ------
    DataError
        On the first thing that differs: checksum, encoding, shape, columns, a text, a label, an
        identifier, a part. Names file, place, column and fix.
    """
    readers = [
        FieldReader(field, card.columns.labels[field.name], _codes(card, field.name, find))
        for field in card.fields
    ]
    examples: list[_Example] = []
    places: dict[str, str] = {}
    for file in card.files:
        for record, name in _records(card, file, find):
            example = _example(card, file, record, name, readers)
            if example.id in places:
                raise DataError(
                    f"identifier {example.id!r} appears twice, first at {places[example.id]}",
                    where=example.where,
                    expected="one identifier an example",
                    fix="delete the repeated example or give it its own identifier",
                )
            places[example.id] = example.where
            examples.append(example)
    if not examples:
        raise DataError(
            "the files hold no examples",
            where=f"corpus {card.name!r}",
            expected="at least one",
            fix="get the files again",
        )
    return _corpus(card, examples)


def _codes(card: CorpusCard, field: str, find: Finder) -> Mapping[str, str]:
    source = card.columns.labels[field]
    if source.names is None:
        return source.codes
    names = text_lines(find(source.names), source.names.declared)
    return {str(code): name for code, name in enumerate(names)}


def _records(card: CorpusCard, file: CorpusFile, find: Finder) -> Iterator[tuple[Record, str]]:
    path = find(file)
    if card.format == "tsv":
        found = tsv_records(path, file.declared, card.header)
    else:
        found = {**RECORD_READERS, **PUBLISHED_READERS}[card.format](path, file.declared)
    beside = {name: text_lines(find(other), other.declared) for name, other in file.beside.items()}
    stem = file.name.rpartition(".")[0] or file.name
    count = 0
    for count, record in enumerate(found, 1):
        more: dict[str, Any] = dict(file.adds)
        for name, lines in beside.items():
            if count > len(lines):
                raise _uneven(file, name, path, len(lines), f"{count} or more")
            more[name] = lines[count - 1]
        for name in more:
            if name in record.values:
                raise DataError(
                    f"column {name!r} is in the file already",
                    where=record.where,
                    expected="another name under adds or beside",
                    fix="rename it in the card",
                )
        yield Record({**record.values, **more}, record.where), f"{stem}-{count}"
    for name, lines in beside.items():
        if count != len(lines):
            raise _uneven(file, name, path, len(lines), str(count))


def _uneven(file: CorpusFile, name: str, path: Path, found: int, expected: str) -> DataError:
    return DataError(
        f"{file.beside[name].name!r} has {found} lines",
        where=str(path),
        expected=f"{expected}, one an example",
        fix="get both files again",
    )


def _example(
    card: CorpusCard, file: CorpusFile, record: Record, name: str, readers: Sequence[FieldReader]
) -> _Example:
    columns = card.columns
    text = (
        text_of(record, columns.text)
        if columns.text is not None
        else _dialogue(record, columns.messages)
    )
    inputs = {"text": text}
    for new, column in columns.context.items():
        inputs[new] = text_of(record, column, empty=True)
    own = name if columns.id is None else text_of(record, columns.id)
    return _Example(
        id=own,
        inputs=inputs,
        truth=[reader.read(record) for reader in readers],
        part=_part(columns, file, record),
        group="" if columns.group is None else text_of(record, columns.group),
        slices={new: text_of(record, column) for new, column in columns.slices.items()},
        where=record.where,
    )


def _part(columns: Columns, file: CorpusFile, record: Record) -> str:
    if columns.part is None:
        return file.part or ""
    told = text_of(record, columns.part)
    part = columns.parts.get(told, told)
    if part not in PARTS:
        raise DataError(
            f"part {told!r}",
            where=f"{record.where}, column {columns.part!r}",
            expected=f"one of {', '.join([*PARTS, *columns.parts])}",
            fix="correct it, or say under columns.parts what it means",
        )
    return part


def _dialogue(record: Record, messages: Messages | None) -> str:
    if messages is None:
        raise ValueError("a card names text or messages")
    told = cell_of(record, messages.column)
    where = f"{record.where}, column {messages.column!r}"
    turns = read_json(told, where) if isinstance(told, str) else told
    if not isinstance(turns, list) or not turns:
        raise DataError(
            "no list of messages", where=where, expected="one message or more", fix="add them"
        )
    lines = []
    for number, turn in enumerate(turns, 1):
        here = f"{where}, message {number}"
        if not isinstance(turn, dict):
            raise DataError(
                "the message is no object",
                where=here,
                expected=f"{messages.speaker} and {messages.text}",
                fix="write an object a message",
            )
        said = Record(turn, here)
        who = text_of(said, messages.speaker)
        if who not in messages.speakers:
            raise DataError(
                f"speaker {who!r}",
                where=here,
                expected=f"one of {', '.join(messages.speakers)}",
                fix="say under messages.speakers who it is",
            )
        # A line is a turn: what was said over several lines is one all the same.
        lines.append(f"{messages.speakers[who]}: {' '.join(text_of(said, messages.text).split())}")
    return "\n".join(lines)


def _corpus(card: CorpusCard, examples: Sequence[_Example]) -> Corpus:
    index = pd.Index([e.id for e in examples], dtype="str", name="id")
    groups = pd.Series([e.group for e in examples], index=index, dtype="str", name="group")
    parts = [e.part for e in examples]
    if card.split is not None:
        units = index.to_series() if card.columns.group is None else groups
        parts = _drawn(units.tolist(), card)
    _check_groups(card, examples, parts)
    truth = pd.DataFrame(index=index)
    for position, field in enumerate(card.fields):
        column = np.empty(len(examples), dtype=object)
        column[:] = [e.truth[position] for e in examples]
        truth[field.name] = pd.Series(column, index=index, dtype=object)
    slices = pd.DataFrame([e.slices for e in examples], index=index, dtype="str")
    return Corpus(
        name=card.name,
        title=card.title,
        version=card.version,
        licence=card.licence,
        origin_kind=card.origin.kind,
        fields=card.fields,
        X=pd.DataFrame([e.inputs for e in examples], index=index, dtype="str"),
        y=truth,
        part=pd.Series(parts, index=index, dtype="str", name="part"),
        meanings=card.meanings,
        groups=None if card.columns.group is None else groups,
        slices=slices if card.columns.slices else None,
        notes=card.notes.strip(),
    )


def _drawn(units: list[str], card: CorpusCard) -> list[str]:
    shares = card.split
    if shares is None:
        raise ValueError("no shares to draw by")
    names = np.array(sorted(set(units)), dtype=object)
    np.random.default_rng(shares.random_state).shuffle(names)
    n_test = round(shares.test * len(names))
    n_validation = round(shares.validation * len(names))
    if len(names) - n_test - n_validation < 1:
        raise DataError(
            f"{len(names)} groups cannot be split by these shares",
            where=f"corpus {card.name!r}",
            expected="a group or more for training",
            fix="lower the shares in the card, or add examples",
        )
    part = dict.fromkeys(names[:n_test], "test")
    part |= dict.fromkeys(names[n_test : n_test + n_validation], "validation")
    return [part.get(unit, "train") for unit in units]


def _check_groups(card: CorpusCard, examples: Sequence[_Example], parts: Sequence[str]) -> None:
    if card.columns.group is None:
        return
    first: dict[str, tuple[str, str]] = {}
    for example, part in zip(examples, parts, strict=True):
        seen, where = first.setdefault(example.group, (part, example.where))
        if seen != part:
            raise DataError(
                f"group {example.group!r} is of {part}, but of {seen} at {where}",
                where=example.where,
                expected="whole groups in one part",
                fix="correct the group or the part",
            )
