"""The card of a data set: what its file holds, where it comes from, what must not be used."""

import codecs
from collections import Counter
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from workbench.documents import parse_model, read_document
from workbench.errors import DataError

__all__ = ["Card", "Column", "DataFile", "Generator", "Origin", "Target", "TimeOrder", "read_card"]

_WORDS = {
    "true": "false", "yes": "no", "y": "n", "t": "f", "1": "0", "on": "off",
}  # fmt: skip


def _as_text(value: object) -> object:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else value


# A cell of a file is text; a card may write 999 or true without quotes.
_Cell = Annotated[str, BeforeValidator(_as_text)]
_Name = Annotated[str, Field(min_length=1)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Origin(_Part):
    """Who published the data, and whether anything in it really happened."""

    kind: Literal["real", "simulated"]
    publisher: _Name
    url: str | None = None
    citation: str | None = None


class DataFile(_Part):
    """One CSV file, known by its checksum.

    `members` is the path inside the archive at `url`, outermost first: each but the last
    names a zip inside the one before. No members: the address gives the file itself.
    """

    name: Annotated[str, Field(pattern=r"^[^/\\]*[^/\\.][^/\\]*$")]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    url: Annotated[str, Field(pattern=r"^https?://")] | None = None
    members: tuple[_Name, ...] = ()
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    encoding: str = "utf-8"
    row_count: Annotated[int, Field(gt=0)] | None = None

    @field_validator("encoding")
    @classmethod
    def _known(cls, value: str) -> str:
        try:
            found = codecs.lookup(value)
        except LookupError:
            raise ValueError(f"{value!r} is not an encoding Python knows; use 'utf-8'") from None
        # Some codecs, such as base64, turn bytes into bytes.
        if not getattr(found, "_is_text_encoding", True):
            raise ValueError(f"{value!r} is not an encoding of text; use 'utf-8'")
        return value


class Generator(_Part):
    """A seeded generator in place of a file."""

    name: Literal["brokerage", "brokerage_crm"]
    row_count: Annotated[int, Field(gt=0)]
    parameters: dict[str, int | float | str | bool] = {}


class Column(_Part):
    """One column. `meaning` is the label people and prompts see.

    An input with `prompt: false` is for models on this machine only: no prompt shows it.
    """

    name: _Name
    dtype: Literal["integer", "number", "category", "text", "boolean", "date"]
    meaning: _Name
    unit: str | None = None
    values: tuple[_Cell, ...] = ()
    missing: tuple[_Cell, ...] = ()
    input: bool = True
    prompt: bool = True

    @property
    def label(self) -> str:
        """What the column is called where a model or a person reads it: meaning and unit."""
        return f"{self.meaning} ({self.unit})" if self.unit else self.meaning

    @model_validator(mode="after")
    def _values_fit_dtype(self) -> Self:
        if self.dtype not in {"category", "boolean"} and self.values:
            raise ValueError(f"values are for category and boolean columns, not {self.dtype}")
        if self.dtype == "category" and not self.values:
            raise ValueError("a category column lists its values")
        if self.dtype == "boolean" and self.values and self.true_and_false() is None:
            pairs = ", ".join(f"{true}/{false}" for true, false in _WORDS.items())
            raise ValueError(f"a boolean column has two values, one pair of {pairs}")
        _reject_repeats(self.values, "value")
        _reject_repeats(self.missing, "missing code")
        both = set(self.values) & set(self.missing)
        if both:
            raise ValueError(f"{min(both)!r} is both a value and a missing code; keep one")
        return self

    def true_and_false(self) -> tuple[str, str] | None:
        """Give the cell texts of true and false, or `None` when they are no known pair."""
        texts = self.values or ("true", "false")
        for true, false in (texts, texts[::-1]) if len(texts) == 2 else ():
            if _WORDS.get(true.lower()) == false.lower():
                return true, false
        return None


class Target(_Part):
    """The column to predict; `meaning` ends the sentence "The probability that …"."""

    column: _Name
    positive: _Cell
    negative: _Cell
    meaning: _Name


class TimeOrder(_Part):
    """What time orders the rows by: a column, or the order of the file."""

    column: str | None = None
    order: Literal["file"] | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.column is None) == (self.order is None):
            raise ValueError("give either 'column: <name>' or 'order: file'")
        return self


class Card(_Part):
    """All that is declared about one data set; read with `read_card`.

    The identifier, group, time and target columns are never inputs, whatever `input` says;
    neither are columns listed under `leaks` (known only after the outcome).
    """

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    title: _Name
    version: _Name
    licence: _Name
    origin: Origin
    file: DataFile | None = None
    generator: Generator | None = None
    columns: Annotated[tuple[Column, ...], Field(min_length=2)]
    target: Target
    id_column: str | None = None
    group_column: str | None = None
    time: TimeOrder | None = None
    tenant_column: str | None = None
    leaks: dict[str, _Name] = {}
    slices: tuple[str, ...] = ()
    notes: str = ""

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names of all columns in card order."""
        return tuple(column.name for column in self.columns)

    @property
    def row_count(self) -> int | None:
        """Rows the card promises; None when it promises none."""
        described = self.file or self.generator
        return described.row_count if described else None

    def column(self, name: str) -> Column:
        """Give one column.

        Raises
        ------
        DataError
            When the card has no such column.
        """
        for column in self.columns:
            if column.name == name:
                return column
        raise DataError(
            f"{name!r} is not a column",
            where=f"data set {self.name!r}",
            expected=f"one of {', '.join(self.column_names)}",
            fix="correct the name",
        )

    def input_names(self, allow_leaks: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Names of the columns a predictor may see, in card order."""
        time = self.time.column if self.time else None
        never = {self.target.column, self.id_column, self.group_column, time}
        never |= set(self.leaks) - set(allow_leaks)
        return tuple(c.name for c in self.columns if c.input and c.name not in never)

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        if (self.file is None) == (self.generator is None):
            raise ValueError("give either 'file' or 'generator'")
        if self.generator is not None and self.origin.kind != "simulated":
            raise ValueError("origin.kind is 'simulated' for a generated data set")
        _reject_repeats(self.column_names, "column")
        _reject_repeats(self.slices, "slice")
        self._check_columns_exist()
        self._check_target()
        self._check_roles()
        return self

    def _check_columns_exist(self) -> None:
        named = [
            ("target.column", self.target.column),
            ("id_column", self.id_column),
            ("group_column", self.group_column),
            ("tenant_column", self.tenant_column),
            ("time.column", self.time.column if self.time else None),
            *(("leaks", name) for name in self.leaks),
            *(("slices", name) for name in self.slices),
        ]
        for key, name in named:
            if name is not None and name not in self.column_names:
                raise ValueError(f"{key} names {name!r}, which is not under columns")

    def _check_target(self) -> None:
        target = self.column(self.target.column)
        pair = (self.target.positive, self.target.negative)
        if target.dtype != "category" or set(pair) != set(target.values) or len(set(pair)) != 2:
            raise ValueError(
                f"the target column {target.name!r} is a category with exactly the values "
                f"of target.positive and target.negative, {list(pair)}"
            )
        if target.missing:
            raise ValueError(f"the target column {target.name!r} cannot have missing codes")
        if target.name in self.leaks or target.name in self.slices:
            raise ValueError(f"the target column {target.name!r} is neither a leak nor a slice")

    def _check_roles(self) -> None:
        for name in self.slices:
            if self.column(name).dtype not in {"category", "boolean"}:
                raise ValueError(f"slices names {name!r}, which is not a category or boolean")
        time = self.column(self.time.column) if self.time and self.time.column else None
        if time is not None and time.dtype not in {"date", "integer", "number"}:
            raise ValueError(f"time.column names {time.name!r}, which is not a date or number")
        if not self.input_names():
            raise ValueError("no input column is left")


def read_card(path: str | Path) -> Card:
    """Read and check the card of a data set.

    Parameters
    ----------
    path
        A `card.yaml`. `yes`, `no` and dates are read as the text they are.

    Returns
    -------
    Card
        Frozen; says nothing yet about whether the data are there.

    Raises
    ------
    DataError
        When the file is missing, is not YAML, repeats or misspells a key, or contradicts
        itself; names file, line and key.
    """
    return parse_model(read_document(Path(path), DataError), Card, DataError)


def _reject_repeats(names: tuple[str, ...], what: str) -> None:
    for name, count in Counter(names).items():
        if count > 1:
            raise ValueError(f"{what} {name!r} appears {count} times")
