"""What a writer of conversations hands back: one example, with what is hidden kept apart."""

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, NamedTuple

from workbench.data.conversations.sheets import Sheet
from workbench.data.conversations.writing import Span
from workbench.data.fields import AskedField

__all__ = ["ANNOTATION_ERROR", "Example", "answer_of", "length_band", "misread", "slices_of"]

ANNOTATION_ERROR = 0.03
"""Share of labels of the training and validation parts that are wrong, as people's are."""

_BANDS = ((60, "under 60"), (140, "60 to 139"), (300, "140 to 299"))


class Example(NamedTuple):
    """One example: inputs, labels, slices, hidden truth, and where the values stand."""

    X: Mapping[str, Any]
    y: Mapping[str, Any]
    slices: Mapping[str, Any]
    truth: Mapping[str, Any]
    spans: Sequence[Span] = ()


def length_band(text: str) -> str:
    """Say how long a text is, in characters.

    Examples
    --------
    >>> length_band("still available?")
    'under 60'
    """
    return next((name for below, name in _BANDS if len(text) < below), "300 or more")


def slices_of(sheet: Sheet, text: str, *, held: bool) -> dict[str, str]:
    """Give the slices every corpus has."""
    return {
        "language": sheet.language,
        "vertical": sheet.vertical,
        "channel": sheet.channel,
        "phrasing": "unseen" if held else "seen",
        "length": length_band(text),
    }


def answer_of(values: Sequence[str], chosen: Sequence[str]) -> tuple[str, ...]:
    """Give the chosen values in the order of all values.

    Examples
    --------
    >>> answer_of(("a", "b", "c"), ["c", "a"])
    ('a', 'c')
    """
    return tuple(value for value in values if value in chosen)


def misread(asked: AskedField, value: Any, draw: Random) -> Any:
    """Give what an annotator who errs would have written.

    Parameters
    ----------
    asked
        Field; only labels, sets of them and levels are misread.
    value
        The true value.
    draw
        Source of randomness.

    Returns
    -------
    Any
        Another label; a label more or fewer; the level beside. None stays None.

    Examples
    --------
    >>> mood = AskedField(name="mood", meaning="Mood", kind="level", values=("bad", "so", "good"))
    >>> misread(mood, "bad", Random(0))
    'so'
    """
    if value is None:
        return value
    values = asked.values
    if asked.kind == "label":
        return draw.choice([other for other in values if other != value])
    if asked.kind == "labels":
        flipped = draw.choice(value) if value and draw.random() < 0.5 else draw.choice(values)
        return answer_of(values, tuple(set(value) ^ {flipped}))
    if asked.kind == "level":
        at = values.index(value)
        beside = [i for i in (at - 1, at + 1) if 0 <= i < len(values)]
        return values[draw.choice(beside)]
    return value
