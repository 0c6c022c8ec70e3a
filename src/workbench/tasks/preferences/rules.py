"""What regular expressions and a gazetteer read of a lead's preferences.

The patterns are those anybody would write for such a sheet; they were written down without looking
at how the generated conversations are worded. Places are those of the training sheets.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from workbench.data import AskedField, Slot
from workbench.predictors.readers import RuleReader

__all__ = ["rule_reader"]

_LINE = re.compile(r"^(lead|agent):\s*", re.MULTILINE)
_YES = re.compile(r"^\s*(?:yes|yeah|sure|ok(?:ay)?|sounds (?:good|right)|perfect|exactly)\b", re.I)
_NOT = re.compile(r"\b(?:not?|no|never|without|don't|isn't|instead of|other than)\b[\w\s']{0,18}$")
_OTHERS = re.compile(r"\b(?:neighbou?r|friend|sister|brother|colleague|cousin|boss)s?\b", re.I)
_SENTENCE = re.compile(r"[^.!?;\n]+")
_NUMBERS = {
    word: number
    for number, word in enumerate(
        [
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
        ]
    )
}
_COUNT = rf"(\d{{1,2}}(?:\.5)?|{'|'.join(_NUMBERS)})"
_MONEY = r"(?:\$\s?)?(\d{1,3}(?:,\d{3})+|\d+(?:\.\d+)?)\s?(k\b|thousand|m\b|million)?"
_PATTERNS: Mapping[str, tuple[str, ...]] = {
    "bedrooms": (rf"{_COUNT}[\s-]*(?:bed\w*|br\b|recámaras|chambres|quartos)",),
    "bathrooms": (rf"{_COUNT}[\s-]*(?:bath\w*|baños|banheiros)",),
    "size_sqft": (r"(\d[\d,]{2,5})\s*(?:sq\.?\s?(?:ft|feet)|square feet|sqft)",),
    "timeline_months": (rf"(?:in|within|about)\s+{_COUNT}\s+months?",),
}
_CEILING = rf"(?:up to|under|max(?:imum)?|below|at most|no more than|top out at)\s+{_MONEY}"
_FLOOR = rf"(?:from|over|above|at least|min(?:imum)?|starting at)\s+{_MONEY}"
_RANGE = rf"(?:between\s+)?{_MONEY}\s*(?:-|–|to|and)\s*{_MONEY}"
_ALONE = (
    r"(?:\$\s?(\d{1,3}(?:,\d{3})+|\d+(?:\.\d+)?)\s?(k\b|thousand|m\b|million)?|\b(\d{2,4})\s?k\b)"
)
_THOUSAND, _MILLION = 1e3, 1e6


def rule_reader(fields: Sequence[AskedField]) -> RuleReader:
    """Read the sheet with patterns, the names of the values, and the places of training.

    Only what the lead says counts, and what it says yes to; a sentence about somebody else, and
    what is negated, does not; the last word on a slot replaces earlier ones.

    Parameters
    ----------
    fields
        Of the task.

    Examples
    --------
    >>> from workbench.data.conversations.corpora import kind_of
    >>> fields = kind_of("lead_preferences").fields
    >>> X = pd.DataFrame({"text": ["lead: A condo with 3 bedrooms, up to $450k. No pool."]})
    >>> y = pd.DataFrame({"preferences": [{}]}, dtype=object)
    >>> rule_reader(fields).fit(X, y).read(X).values["preferences"].tolist()
    [{'property_type': 'condo', 'bedrooms': 3.0, 'budget_max': 450000.0}]
    """
    sheet = next(field for field in fields if field.kind == "slots")

    def learn(_X: pd.DataFrame, y: pd.DataFrame) -> tuple[str, ...]:
        places = {v["location"] for v in y[sheet.name] if v and v.get("location")}
        # The longest first: "Old Town Hill" is not "Old Town".
        return tuple(sorted(places, key=lambda place: (-len(place), place)))

    def rule(row: Mapping[str, Any], places: tuple[str, ...]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for sentence in _sentences(str(row["text"])):
            for slot in sheet.slots:
                value = _read(slot, sentence, places)
                if value is not None:
                    found[slot.name] = _joined(slot, found.get(slot.name), value)
        order = [slot.name for slot in sheet.slots]
        return {sheet.name: {name: found[name] for name in order if name in found}}

    return RuleReader(fields, rule, learn=learn)


def _sentences(text: str) -> list[str]:
    """What the lead says, and what an agent says that the lead then agrees to."""
    pieces = _LINE.split(text)
    if len(pieces) == 1:
        turns = [("lead", text)]
    else:
        turns = list(zip(pieces[1::2], pieces[2::2], strict=True))
    counted: list[str] = []
    for i, (speaker, said) in enumerate(turns):
        agreed = i + 1 < len(turns) and turns[i + 1][0] == "lead" and _YES.match(turns[i + 1][1])
        if speaker == "lead" or agreed:
            counted += _SENTENCE.findall(said)
    return [s for s in counted if not _OTHERS.search(s)]


def _read(slot: Slot, sentence: str, places: tuple[str, ...]) -> Any:
    if slot.kind in ("choice", "choices"):
        named = [v for v in slot.values if _says(v.replace("_", " "), sentence)]
        if slot.kind == "choice":
            return named[-1] if named else None
        return tuple(named) or None
    if slot.kind == "money":
        return _amount(slot.name, sentence)
    if slot.name == "location":
        return next((place for place in places if _says(place, sentence)), None)
    for pattern in _PATTERNS.get(slot.name, ()):
        found = list(re.finditer(pattern, sentence, re.I))
        if found:
            word = found[-1].group(1).lower()
            return float(_NUMBERS.get(word, word.replace(",", "")))
    return None


def _says(words: str, sentence: str) -> bool:
    spaced = re.escape(words).replace(r"\ ", r"[\s-]+")
    found = re.search(rf"\b{spaced}s?\b", sentence, re.I)
    return found is not None and not _NOT.search(sentence[: found.start()].lower())


def _amount(name: str, sentence: str) -> float | None:
    both = re.search(_RANGE, sentence, re.I)
    if both and both.group(3):
        scale = both.group(4) or both.group(2)
        low, high = _dollars(both.group(1), both.group(2) or scale), _dollars(both.group(3), scale)
        if high >= _THOUSAND:
            return low if name == "budget_min" else high
    found = re.search(_FLOOR if name == "budget_min" else _CEILING, sentence, re.I)
    if found:
        value = _dollars(found.group(1), found.group(2))
        return value if value >= _THOUSAND else None
    if name == "budget_max" and not re.search(_FLOOR, sentence, re.I):
        alone = list(re.finditer(_ALONE, sentence, re.I))
        if alone:
            last = alone[-1]
            return _dollars(
                last.group(1) or last.group(3), last.group(2) or (last.group(3) and "k")
            )
    return None


def _dollars(number: str, scale: str | None) -> float:
    times = {"k": _THOUSAND, "t": _THOUSAND, "m": _MILLION}.get((scale or " ")[0].lower(), 1.0)
    return float(number.replace(",", "")) * times


def _joined(slot: Slot, before: Any, value: Any) -> Any:
    """Wishes add up; of anything else the last word counts."""
    if slot.kind == "choices" and before:
        return tuple(v for v in slot.values if v in before or v in value)
    return value
