"""How the simulated reader answers several questions about a text in one schema.

A schema with `confidence` and `abstain` beside its questions is read property by property: one
label or several (meaning of their names, and of solved examples where the prompt shows some),
ordered candidates, a sheet of slots (numbers and names of values, by plain patterns), a text (a
fixed phrase around a quote). All of it was written from general knowledge; nothing was fitted.
"""

import html
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from workbench.claude.emulator.cues import read_lines
from workbench.claude.emulator.heads import (
    CATCH_ALL,
    LABELS_READ,
    LEAST_SIMILARITY,
    described,
    likeness,
    split_data,
)
from workbench.claude.emulator.sheets import fill_sheet

__all__ = ["answer_questions", "asks_questions"]

_EXAMPLE = re.compile(r"<example>(.*?)</example>", re.DOTALL)
_MESSAGE = re.compile(r"<message>(.*?)</message>", re.DOTALL)
_ANSWER = re.compile(r"<answer>(.*?)</answer>", re.DOTALL)
_SENTENCE = re.compile(r"[^.!?。！？\n]+[.!?。！？]?")
_OWN = {"evidence", "confidence", "abstain"}
_SOME, _NEAR, _MARGIN = 0.30, 0.55, 0.02
_STEP = 5
_MAX_QUOTE = 200
_MAX_CHARS = 4_000


class _Shown(NamedTuple):
    message: str
    answer: Mapping[str, Any]


class _Reading(NamedTuple):
    """What is made of a property, and how near the text came to it; 0 where nothing was found."""

    value: Any
    nearness: float


def asks_questions(schema: Mapping[str, Any]) -> bool:
    """Say whether a schema asks questions about a text beside how sure the answer is.

    Parameters
    ----------
    schema
        JSON schema of the answer.

    Examples
    --------
    >>> asks_questions({"properties": {"mood": {}, "confidence": {}, "abstain": {}}})
    True
    """
    names = set(schema.get("properties", {}))
    return {"confidence", "abstain"} <= names and bool(names - _OWN)


def answer_questions(schema: Mapping[str, Any], system: str, prompt: str) -> dict[str, Any]:
    """Read every property of a schema out of the text in the prompt.

    Parameters
    ----------
    schema
        JSON schema of the answer, see `asks_questions`.
    system, prompt
        As sent. What stands in the last ``<message>`` is the text; ``<example>``s with
        ``<message>`` and ``<answer>`` (JSON) before it are solved ones.

    Returns
    -------
    dict
        A value for each property; `abstain` where nothing was found.
    """
    shown, asked = _split(prompt)
    frame, text = split_data(asked)
    text = _spoken(text[-_MAX_CHARS:])
    told = f"{system}\n{frame}"
    strict = re.search(r"^Strategy: *definitions *$", system, re.MULTILINE) is not None
    values: dict[str, Any] = {}
    near: list[float] = []
    for name, raw in schema.get("properties", {}).items():
        if name in _OWN:
            continue
        part = _resolved(raw, schema)
        found = _read(name, part, schema, told, text, shown, strict=strict)
        values[name] = found.value
        near.append(found.nearness)
    best = max(near, default=0.0)
    mean = sum(near) / len(near) if near else 0.0
    values["confidence"] = int(min(95, max(5, round(100 * mean / _STEP) * _STEP)))
    values["abstain"] = best == 0.0 or not text.strip()
    values["evidence"] = [] if values["abstain"] else _quotes(text)
    return values


def _split(prompt: str) -> tuple[list[_Shown], str]:
    before, closed, after = prompt.rpartition("</examples>")
    if not closed:
        return [], prompt
    shown = []
    for block in _EXAMPLE.findall(before):
        message, answer = _MESSAGE.search(block), _ANSWER.search(block)
        try:
            known = json.loads(html.unescape(answer.group(1))) if answer else None
        except ValueError:
            continue
        if message and isinstance(known, dict):
            shown.append(_Shown(_spoken(html.unescape(message.group(1)).strip()), known))
    return shown, after


def _spoken(text: str) -> str:
    """What the lead says, where lines name their speakers; else all of it."""
    said = [one.text for one in read_lines(text) if one.by_lead]
    return "\n".join(said) if said else text


def _resolved(part: Any, root: Mapping[str, Any]) -> Mapping[str, Any]:
    for _ in range(8):  # a chain of references longer than this is a loop
        if not isinstance(part, Mapping):
            return {}
        if "$ref" in part:
            part = root.get("$defs", {}).get(str(part["$ref"]).rsplit("/", 1)[-1], {})
        elif part.get("anyOf"):
            part = part["anyOf"][0]
        else:
            return part
    return {}


def _read(
    name: str,
    part: Mapping[str, Any],
    root: Mapping[str, Any],
    told: str,
    text: str,
    shown: Sequence[_Shown],
    *,
    strict: bool,
) -> _Reading:
    if "enum" in part:
        return _one(name, tuple(part["enum"]), told, text, shown, strict=strict)
    kind = part.get("type")
    items = _resolved(part.get("items", {}), root)
    if kind == "array" and "enum" in items:
        return _several(name, tuple(items["enum"]), told, text, shown)
    if kind == "object":
        slots = {n: _resolved(p, root) for n, p in part.get("properties", {}).items()}
        sheet = fill_sheet(slots, text, lambda p: _resolved(p, root))
        filled = sum(value is not None for value in sheet.values())
        return _Reading(sheet, 0.6 if filled else 0.0)
    if kind in ("number", "integer"):
        return _number(name, shown, text)
    if kind == "string":
        quote = next(iter(_quotes(text)), "")
        return _Reading(f"Simulated, not Claude: answer what was said, “{quote}”.", 0.3)
    return _Reading(None, 0.0)


def _nearest(name: str, text: str, shown: Sequence[_Shown]) -> tuple[Any, float]:
    """What the solved example most like the text says, and how like it is."""
    usable = [s for s in shown if s.answer.get(name) is not None]
    if not usable or not LABELS_READ or not text:
        return None, 0.0
    near = likeness(text, [s.message for s in usable])
    best = max(range(len(usable)), key=near.__getitem__)
    return usable[best].answer[name], near[best]


def _one(
    name: str,
    labels: tuple[str, ...],
    told: str,
    text: str,
    shown: Sequence[_Shown],
    *,
    strict: bool,
) -> _Reading:
    spare = next((label for label in labels if label.lower() in CATCH_ALL), None)
    if not LABELS_READ or not text:
        return _Reading(spare or labels[0], 0.0)
    said, alike = _nearest(name, text, shown)
    real = [label for label in labels if label.lower() not in CATCH_ALL] or list(labels)
    near = likeness(text, [described(label, told) for label in real])
    ranked = sorted(range(len(real)), key=lambda i: -near[i])
    top = near[ranked[0]]
    if said in labels and alike >= max(_NEAR, top):
        return _Reading(said, alike)
    unsure = strict and len(ranked) > 1 and top - near[ranked[1]] < _MARGIN
    if spare is not None and (top < LEAST_SIMILARITY or unsure):
        return _Reading(spare, 0.3)
    # Ordered levels and the like are never near by name: the first guess is still a guess.
    return _Reading(real[ranked[0]], max(top, 0.1))


def _several(
    name: str, labels: tuple[str, ...], told: str, text: str, shown: Sequence[_Shown]
) -> _Reading:
    if not LABELS_READ or not text:
        return _Reading([], 0.0)
    said, alike = _nearest(name, text, shown)
    if isinstance(said, list) and alike >= _NEAR:
        return _Reading([v for v in said if v in labels], alike)
    near = likeness(text, [described(label, told) for label in labels])
    ranked = sorted(range(len(labels)), key=lambda i: -near[i])
    chosen = [labels[i] for i in ranked if near[i] >= _SOME]
    return _Reading(chosen[:4], near[ranked[0]] if chosen else 0.2)


def _number(name: str, shown: Sequence[_Shown], text: str) -> _Reading:
    said, alike = _nearest(name, text, shown)
    if isinstance(said, int | float) and alike > 0:
        return _Reading(float(said), alike)
    return _Reading(0.0, 0.1)


def _quotes(text: str) -> list[str]:
    """First thing said."""
    for line in text.splitlines():
        found = _SENTENCE.search(line)
        if found and found.group().strip():
            return [found.group().strip()[:_MAX_QUOTE]]
    return []
