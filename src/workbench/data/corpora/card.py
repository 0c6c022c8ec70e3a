"""The card of a corpus: where its files are, which column says what, and what is asked."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from workbench.data.card import DataFile, Origin
from workbench.data.corpus import PARTS
from workbench.data.fields import AskedField
from workbench.documents import parse_model, read_document
from workbench.errors import DataError

__all__ = [
    "Columns",
    "CorpusCard",
    "CorpusFile",
    "LabelSource",
    "Messages",
    "Shares",
    "SourceFile",
    "read_corpus_card",
]

PartName = Literal["train", "validation", "test"]
FormatName = Literal[
    "csv", "tsv", "jsonl", "json", "parquet", "lines", "clinc", "nlupp", "sgd", "casino"
]


def _as_text(value: object) -> object:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


_Name = Annotated[str, Field(min_length=1)]
_Cell = Annotated[str, BeforeValidator(_as_text)]
# Folders are allowed, a way out of the folder of the corpus is not.
_Path = Annotated[str, Field(pattern=r"^[^/\\.][^/\\]*(?:/[^/\\.][^/\\]*)*$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SourceFile(_Part):
    """A file known by its checksum; `name` may hold folders."""

    name: _Path
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    url: Annotated[str, Field(pattern=r"^https?://")] | None = None
    members: tuple[_Name, ...] = ()
    encoding: str = "utf-8"
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","

    @property
    def declared(self) -> DataFile:
        """The same as one file of a data set, which has no folders."""
        told = self.model_dump(include={"sha256", "url", "members", "encoding", "delimiter"})
        return DataFile(name=Path(self.name).name, **told)

    @model_validator(mode="after")
    def _known(self) -> Self:
        _ = self.declared  # refuses an encoding Python does not know
        return self


class CorpusFile(SourceFile):
    """One file of examples.

    `adds` are columns with one value in the whole file; `beside` are files with a line an
    example, each one more column.
    """

    part: PartName | None = None
    adds: dict[str, _Cell] = {}
    beside: dict[str, SourceFile] = {}


class Messages(_Part):
    """A column that holds a dialogue: a list of objects, or JSON of one.

    `speakers` says who is the lead and who is the agent.
    """

    column: _Name
    speaker: _Name = "speaker"
    text: _Name = "text"
    speakers: dict[str, Literal["lead", "agent"]] = {"lead": "lead", "agent": "agent"}


class LabelSource(_Part):
    """Where the value of a field stands.

    Attributes
    ----------
    column
        The one column it stands in.
    separator
        Between the labels in it; a JSON list needs none.
    flags
        Instead of `column`: for each label the column that says yes or no.
    codes
        What the file calls a value, to the value.
    names
        A file with a name a line: code 0 is the first.
    missing
        Cells that mean that nobody knows.
    """

    column: _Name | None = None
    separator: Annotated[str, Field(min_length=1)] | None = None
    flags: dict[str, _Name] = {}
    codes: dict[str, str] = {}
    names: SourceFile | None = None
    missing: tuple[_Cell, ...] = ()

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.column is None) == (not self.flags):
            raise ValueError("give either 'column' or 'flags'")
        if self.codes and self.names:
            raise ValueError("give either 'codes' or 'names'")
        if self.flags and (self.separator or self.codes or self.names):
            raise ValueError("flags need no separator, codes or names")
        return self


class Columns(_Part):
    """Which column of the files says what; `context` and `slices` are new name to column."""

    text: _Name | None = None
    messages: Messages | None = None
    id: _Name | None = None
    group: _Name | None = None
    part: _Name | None = None
    parts: dict[str, PartName] = {}
    context: dict[str, _Name] = {}
    slices: dict[str, _Name] = {}
    labels: Annotated[dict[str, LabelSource], Field(min_length=1)]

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.text is None) == (self.messages is None):
            raise ValueError("give either 'text' or 'messages'")
        if self.parts and self.part is None:
            raise ValueError("'parts' says what the values of 'part' mean; name that column")
        if "text" in self.context:
            raise ValueError("context 'text' is the text itself; call it otherwise")
        return self


class Shares(_Part):
    """A random split by shares of whole groups; the rest is for training."""

    validation: Annotated[float, Field(ge=0, lt=1)] = 0.0
    test: Annotated[float, Field(ge=0, lt=1)] = 0.0
    random_state: Annotated[int, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _some(self) -> Self:
        if not 0 < self.validation + self.test < 1:
            raise ValueError("the shares of validation and test sum to more than 0 and less than 1")
        return self


class CorpusCard(_Part):
    """All that is declared about one corpus; read with `read_corpus_card`.

    Attributes
    ----------
    name, title, version, licence, origin
        What it is, under which terms, and where it comes from.
    files, format, header, columns
        Where the texts are and how they are written; `header` names the columns of a file that
        does not.
    split
        How to part them when the files do not say.
    fields, meanings, notes
        As in `Corpus`.
    """

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    title: _Name
    version: _Name
    licence: _Name
    origin: Origin
    files: Annotated[tuple[CorpusFile, ...], Field(min_length=1)]
    format: FormatName
    header: tuple[_Name, ...] = ()
    columns: Columns
    split: Shares | None = None
    fields: Annotated[tuple[AskedField, ...], Field(min_length=1)]
    meanings: dict[str, _Name] = {"text": "Message"}
    notes: str = ""

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        self._check_parts()
        self._check_labels()
        inputs = {"text", *self.columns.context}
        if set(self.meanings) != inputs:
            raise ValueError(f"meanings are of {', '.join(sorted(inputs))}")
        if self.header and self.format != "tsv":
            raise ValueError("a header is given for tsv files that have none")
        names = [file.name for file in self.files]
        if len(set(names)) < len(names):
            raise ValueError("a file is listed twice")
        return self

    def _check_parts(self) -> None:
        by_file = [file.part is not None for file in self.files]
        told = sum((any(by_file), self.columns.part is not None, self.split is not None))
        if told != 1 or (any(by_file) and not all(by_file)):
            raise ValueError(
                "say which part an example is of once: 'part' of every file, 'columns.part', "
                f"or 'split'; parts are {', '.join(PARTS)}"
            )

    def _check_labels(self) -> None:
        fields = {field.name: field for field in self.fields}
        if len(fields) < len(self.fields):
            raise ValueError("a field is listed twice")
        if set(fields) != set(self.columns.labels):
            raise ValueError("columns.labels says for every field where it stands, and no other")
        for name, source in self.columns.labels.items():
            if (source.flags or source.separator) and fields[name].kind != "labels":
                raise ValueError(f"{name!r} is no field of kind labels: one column, no separator")
            strange = sorted(set(source.flags) - set(fields[name].values))
            if strange:
                raise ValueError(f"flags of {name!r} names {strange[0]!r}, no value of it")


def read_corpus_card(path: str | Path) -> CorpusCard:
    """Read and check the card of a corpus.

    Parameters
    ----------
    path
        A `corpus.yaml`.

    Returns
    -------
    CorpusCard
        Frozen; says nothing yet about whether the files are there.

    Raises
    ------
    DataError
        When the file is missing, is not YAML, repeats or misspells a key, or contradicts itself;
        names file, line and key.
    """
    return parse_model(read_document(Path(path), DataError), CorpusCard, DataError)
