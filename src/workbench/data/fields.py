"""What is asked of a text: fields with a name, a kind and the values they may take.

| kind | true value | answered value |
|---|---|---|
| `label` | one of `values` | the same |
| `labels` | tuple of some of `values`, maybe none | the same |
| `level` | one of `values`, which are in order, lowest first | the same |
| `number` | float | the same |
| `slots` | dict of slot to value; what was not mentioned is absent | the same; None: abstained |
| `ranking` | dict of candidate (one of `values`) to relevance, 0 or more | tuple, best first |
| `text` | dict of what the text is held against | str |

An answered value of None means that nothing was answered: an error, or an abstention.
"""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

__all__ = ["AskedField", "FieldKind", "Slot", "SlotKind"]

FieldKind = Literal["label", "labels", "level", "number", "slots", "ranking", "text"]
"""Kinds of fields."""
SlotKind = Literal["text", "number", "money", "choice", "choices"]
"""Kinds of slots: `number` and `money` are floats, `choices` tuples, the others texts."""

_ENUMERATED = ("label", "labels", "level", "ranking")
_Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
_Words = Annotated[str, Field(min_length=1)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Slot(_Part):
    """One slot of a sheet.

    Attributes
    ----------
    name, meaning
        Identifier, and what people and prompts read.
    kind
        Of its value.
    values
        Of a choice.
    unit
        Of a number.
    """

    name: _Name
    meaning: _Words
    kind: SlotKind = "text"
    values: tuple[_Words, ...] = ()
    unit: str | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.kind in ("choice", "choices") and len(self.values) < 2:
            raise ValueError(f"slot {self.name!r} of kind {self.kind} lists two values or more")
        return self


class AskedField(_Part):
    """One thing asked of a text.

    Attributes
    ----------
    name, meaning
        Identifier, and what people and prompts read.
    kind
        Of its value, see the module.
    values
        Labels, levels from the lowest, or candidates.
    descriptions
        What a value means, in a few words; for prompts.
    catch_all
        The label that means none of the others, such as "out of scope".
    parents
        The broader label a label belongs to; the broader ones need not be values.
    slots
        Of a sheet.

    Examples
    --------
    >>> AskedField(name="mood", meaning="Mood", kind="label", values=("good", "bad")).kind
    'label'
    """

    name: _Name
    meaning: _Words
    kind: FieldKind
    values: tuple[_Words, ...] = ()
    descriptions: dict[str, str] = {}
    catch_all: str | None = None
    parents: dict[str, str] = {}
    slots: tuple[Slot, ...] = ()

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.kind in _ENUMERATED) != bool(self.values):
            told = "lists its values" if self.kind in _ENUMERATED else "has no values"
            raise ValueError(f"field {self.name!r} of kind {self.kind} {told}")
        if (self.kind == "slots") != bool(self.slots):
            raise ValueError(f"field {self.name!r}: slots are for kind slots, which lists them")
        if len(set(self.values)) < len(self.values):
            raise ValueError(f"field {self.name!r} lists a value twice")
        known = set(self.values)
        caught = () if self.catch_all is None else (self.catch_all,)
        for what, names in (
            ("descriptions", tuple(self.descriptions)),
            ("parents", tuple(self.parents)),
            ("catch_all", caught),
        ):
            strange = sorted(set(names) - known - set(self.parents.values()))
            if strange:
                raise ValueError(f"{what} of field {self.name!r} names {strange[0]!r}, no value")
        return self

    def slot(self, name: str) -> Slot:
        """Give one slot; KeyError when there is none of that name."""
        for slot in self.slots:
            if slot.name == name:
                return slot
        raise KeyError(name)
