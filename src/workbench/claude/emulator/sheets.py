"""How the simulated reader fills a sheet of slots: plain patterns by the names of the slots."""

import re
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["fill_sheet"]

_WORDS = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
}  # fmt: skip
_COUNT = rf"(\d{{1,2}}(?:\.5)?|{'|'.join(_WORDS)})"
_MONEY = re.compile(
    r"(?P<mark>[$€£])?\s?(?P<number>\d{1,3}(?:,\d{3})+|\d+(?:\.\d+)?)\s?"
    r"(?P<scale>k|thousand|m\b|mn|million)?",
    re.I,
)
_COUNTED = (
    ("bed", re.compile(rf"\b{_COUNT}[\s-]*(?:\+\s*)?(?:bed(?:room)?s?|br)\b", re.I)),
    ("bath", re.compile(rf"\b{_COUNT}[\s-]*(?:bath(?:room)?s?|ba)\b", re.I)),
    ("sqft", re.compile(r"\b(\d[\d,]{2,})\s*(?:sq\.?\s?(?:ft|feet)|square feet|sqft)", re.I)),
    ("size", re.compile(r"\b(\d[\d,]{2,})\s*(?:sq\.?\s?(?:ft|feet)|square feet|sqft)", re.I)),
    ("month", re.compile(rf"\b{_COUNT}\s+months?\b", re.I)),
)
_CEILING = re.compile(r"(?:up to|under|max\w*|below|at most|no more than|budget\D{0,12})\s*$", re.I)
_FLOOR = re.compile(r"(?:from|over|above|at least|min\w*|more than)\s*$", re.I)
_PLACE = re.compile(r"\b(?:in|near|around|close to)\s+((?:[A-Z][\w'-]+\s?){1,3})")
_LEAST_PRICE = 20_000
_LOOK_BACK = 24


def fill_sheet(
    slots: Mapping[str, Mapping[str, Any]],
    text: str,
    resolved: Callable[[Any], Mapping[str, Any]],
) -> dict[str, Any]:
    """Fill slots with what patterns find for their names; None where they find nothing.

    Parameters
    ----------
    slots
        Schema of each slot by name, null left out.
    text
        What was said.
    resolved
        Follows references in a schema.

    Examples
    --------
    >>> slots = {"bedrooms": {"type": "number"}, "budget_max": {"type": "number"},
    ...          "property_type": {"enum": ["house", "condo"]}}
    >>> fill_sheet(slots, "A condo with 3 bedrooms, up to $450k", dict)
    {'bedrooms': 3.0, 'budget_max': 450000.0, 'property_type': 'condo'}
    """
    return {name: _slot(name, part, text, resolved) for name, part in slots.items()}


def _slot(
    name: str, part: Mapping[str, Any], text: str, resolved: Callable[[Any], Mapping[str, Any]]
) -> Any:
    if "enum" in part:
        return next((value for value in part["enum"] if _named(value, text)), None)
    if part.get("type") == "array":
        values = resolved(part.get("items", {})).get("enum", ())
        return [value for value in values if _named(value, text)] or None
    if part.get("type") in ("number", "integer"):
        return _figure(name, text)
    if "location" in name or "area" in name or "place" in name:
        found = _PLACE.search(text)
        return found.group(1).strip() if found else None
    return None


def _named(value: str, text: str) -> bool:
    words = re.escape(value.replace("_", " ")).replace(r"\ ", r"[\s-]+")
    return re.search(rf"\b{words}s?\b", text, re.I) is not None


def _figure(name: str, text: str) -> float | None:
    for key, pattern in _COUNTED:
        if key in name:
            found = pattern.search(text)
            return _count(found.group(1)) if found else None
    if any(key in name for key in ("budget", "price", "rent", "payment")):
        return _price(name, text)
    return None


def _count(word: str) -> float:
    return float(_WORDS.get(word.lower()) or word.replace(",", ""))


def _price(name: str, text: str) -> float | None:
    found: list[tuple[float, str]] = []
    for match in _MONEY.finditer(text):
        scale = (match["scale"] or "").lower()
        times = 1e6 if scale.startswith("m") else 1e3 if scale else 1.0
        value = float(match["number"].replace(",", "")) * times
        if match["mark"] or scale or value >= _LEAST_PRICE:
            found.append((value, text[max(0, match.start() - _LOOK_BACK) : match.start()]))
    if not found:
        return None
    if "min" in name:
        return next((v for v, before in found if _FLOOR.search(before)), None)
    return next((v for v, before in found if _CEILING.search(before)), found[-1][0])
