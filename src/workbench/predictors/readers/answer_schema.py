"""From fields to the schema of an answer, to words in a prompt, and back to values."""

import json
from collections.abc import Sequence
from enum import Enum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model

from workbench.data import AskedField, Slot

__all__ = ["answer_model_of", "describe_fields", "spoken_values", "written_answer"]

# Literals of values known only at run time.
_ONE_OF: Any = Literal
_MAX_QUOTES, _MAX_QUOTE_CHARS, _MAX_TEXT_CHARS = 12, 400, 4_000


class _Answer(BaseModel):
    # Bounds are told to the API, which does not enforce them; validation here does.
    model_config = ConfigDict(extra="forbid", frozen=True)

    evidence: list[Annotated[str, Field(max_length=_MAX_QUOTE_CHARS)]] = Field(
        max_length=_MAX_QUOTES,
        description="Words of the text the answer rests on, quoted word for word.",
    )


def answer_model_of(name: str, fields: Sequence[AskedField]) -> type[BaseModel]:
    """Make the schema of an answer about some fields: evidence, fields, confidence, abstain.

    Parameters
    ----------
    name
        Of the schema.
    fields
        What is asked, in order.

    Returns
    -------
    type of pydantic model
        With `evidence` (quotes), a property a field, `confidence` (0 to 100) and `abstain`.

    Examples
    --------
    >>> asked = AskedField(name="mood", meaning="Mood", kind="label", values=("good", "bad"))
    >>> list(answer_model_of("Mood", [asked]).model_fields)
    ['evidence', 'mood', 'confidence', 'abstain']
    """
    parts: dict[str, Any] = {
        asked.name: (_annotation(name, asked), Field(description=asked.meaning)) for asked in fields
    }
    parts["confidence"] = (
        Annotated[int, Field(ge=0, le=100)],
        Field(description="How sure the answer is right as a whole, 0 to 100."),
    )
    parts["abstain"] = (
        bool,
        Field(description="True when the text says too little; all else is then ignored."),
    )
    made: type[BaseModel] = create_model(name, __base__=_Answer, **parts)
    return made


def _annotation(name: str, asked: AskedField) -> Any:
    if asked.kind in ("label", "level"):
        return _ONE_OF[asked.values]
    if asked.kind in ("labels", "ranking"):
        return Annotated[list[_ONE_OF[asked.values]], Field(max_length=len(asked.values))]
    if asked.kind == "number":
        return float
    if asked.kind == "slots":
        slots: dict[str, Any] = {
            slot.name: (_slot(slot), Field(description=_slot_words(slot))) for slot in asked.slots
        }
        title = f"{name}{asked.name.title().replace('_', '')}"
        return create_model(title, __config__=ConfigDict(extra="forbid", frozen=True), **slots)
    return Annotated[str, Field(max_length=_MAX_TEXT_CHARS)]


def _slot(slot: Slot) -> Any:
    kinds: dict[str, Any] = {"number": float, "money": float, "text": str}
    if slot.kind == "choice":
        return _ONE_OF[slot.values] | None
    if slot.kind == "choices":
        return list[_ONE_OF[slot.values]] | None
    return kinds[slot.kind] | None


def _slot_words(slot: Slot) -> str:
    unit = f" ({slot.unit})" if slot.unit else ""
    return f"{slot.meaning}{unit}; null where the text does not say."


def describe_fields(fields: Sequence[AskedField]) -> str:
    """Write what is asked as lines for a prompt: meanings, values, what the values mean.

    Parameters
    ----------
    fields
        What is asked.

    Examples
    --------
    >>> asked = AskedField(name="mood", meaning="Mood of the lead", kind="label",
    ...                    values=("good", "bad"), descriptions={"bad": "complains"})
    >>> print(describe_fields([asked]))
    mood: Mood of the lead. One of:
    - good
    - bad: complains
    """
    lines: list[str] = []
    how = {
        "label": " One of:",
        "labels": " All that apply, maybe none, of:",
        "level": " One of, lowest first:",
        "ranking": " All of these that help, best first:",
        "slots": " For each, null where the text does not say:",
    }
    for asked in fields:
        lines.append(f"{asked.name}: {asked.meaning}.{how.get(asked.kind, '')}")
        for value in asked.values:
            told = asked.descriptions.get(value)
            lines.append(f"- {value}: {told}" if told else f"- {value}")
        for slot in asked.slots:
            some = f" ({', '.join(slot.values)})" if slot.values else ""
            unit = f", in {slot.unit}" if slot.unit else ""
            lines.append(f"- {slot.name}: {slot.meaning}{unit}{some}")
    return "\n".join(lines)


def spoken_values(answer: BaseModel, fields: Sequence[AskedField]) -> dict[str, Any]:
    """Read the fields' values out of a validated answer.

    Parameters
    ----------
    answer
        Of a schema that has the fields; a field it lacks is unanswered.
    fields
        What was asked.

    Returns
    -------
    dict
        Python values as `AskedField` says. A slot that is null was not mentioned and is absent.
    """
    return {asked.name: _value(asked, getattr(answer, asked.name, None)) for asked in fields}


def _value(asked: AskedField, given: Any) -> Any:
    if given is None:
        return None
    if asked.kind in ("labels", "ranking"):
        # The order and the first mention count; a label named twice is named once.
        return tuple(dict.fromkeys(_plain(v) for v in given))
    if asked.kind == "slots":
        found = ((slot.name, getattr(given, slot.name, None)) for slot in asked.slots)
        told = {k: tuple(v) if isinstance(v, list) else _plain(v) for k, v in found}
        return {k: v for k, v in told.items() if v is not None and v not in ("", ())}
    return _plain(given)


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, Enum) else value


def written_answer(values: "dict[str, Any]", fields: Sequence[AskedField]) -> str:
    """Write true values as the answer an example shows: JSON in the schema's order.

    Parameters
    ----------
    values
        By field.
    fields
        What is asked.

    Examples
    --------
    >>> asked = AskedField(name="moods", meaning="Moods", kind="labels", values=("glad", "sad"))
    >>> written_answer({"moods": ("sad",)}, [asked])
    '{"moods": ["sad"]}'
    """
    told: dict[str, Any] = {}
    for asked in fields:
        value = values.get(asked.name)
        if asked.kind == "ranking" and isinstance(value, dict):
            ranked = sorted((c for c in value if value[c] > 0), key=lambda c: -value[c])
            told[asked.name] = ranked
        elif asked.kind == "slots" and isinstance(value, dict):
            told[asked.name] = {slot.name: value.get(slot.name) for slot in asked.slots}
        elif asked.kind != "text":
            told[asked.name] = value
    return json.dumps(told, ensure_ascii=False)
