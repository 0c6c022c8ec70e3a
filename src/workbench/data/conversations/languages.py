"""Messages whose language is to be told: short, long, and mixed."""

import unicodedata
from random import Random

from workbench.data.conversations.bank import Phrases, choose, read_bank
from workbench.data.conversations.intents import FIELDS as INTENT_FIELDS
from workbench.data.conversations.rows import Example, answer_of, slices_of
from workbench.data.conversations.sheets import LANGUAGES, Sheet
from workbench.data.conversations.writing import Pen, Said
from workbench.data.fields import AskedField

__all__ = ["FIELDS", "write_message"]

FIELDS = (
    AskedField(name="language", meaning="Language of most of the message", kind="label",
               values=LANGUAGES),
    AskedField(name="languages", meaning="Every language of the message", kind="labels",
               values=LANGUAGES),
)  # fmt: skip

_FORMS = ("short", "one sentence", "long", "mixed")
_FORM_SHARES = (0.22, 0.2, 0.36, 0.22)
_ROMAN = 0.3  # of Hindi is typed in Latin letters
_UNACCENTED = 0.3
_MARKED = ("spanish", "french", "portuguese")


def write_message(sheet: Sheet, draw: Random, *, may_hold: bool) -> Example:
    """Write a message in one of the six languages, or in two.

    Parameters
    ----------
    sheet
        Who writes; the languages are drawn evenly, whatever the sheet's.
    draw
        Source of randomness.
    may_hold
        Whether phrases held out may be used.

    Returns
    -------
    Example
        `language` is that of most characters.
    """
    form = draw.choices(_FORMS, _FORM_SHARES)[0]
    first = draw.choice(LANGUAGES)
    others = [language for language in LANGUAGES if language != first]
    second = "english" if first != "english" and draw.random() < 0.6 else draw.choice(others)
    if form == "short":
        said = _short(first, draw, may_hold=may_hold)
        told = {first: len(said.text)}
    elif form == "mixed":
        one = _sentences(sheet, draw, first, draw.choice((2, 3)), may_hold=may_hold)
        two = _sentences(sheet, draw, second, 1, may_hold=may_hold)
        pair = [one, two] if draw.random() < 0.6 else [two, one]
        said = Said(" ".join(part.text for part in pair), (), one.held or two.held)
        told = {first: _letters(one.text), second: _letters(two.text)}
    else:
        n = 1 if form == "one sentence" else draw.choice((3, 4, 5))
        said = _sentences(sheet, draw, first, n, may_hold=may_hold)
        told = {first: len(said.text)}
    text = said.text
    plain = first in _MARKED and form != "mixed" and draw.random() < _UNACCENTED
    if plain and sheet.style < 0.6:
        text = _bare(text)
    most = max(told, key=lambda language: told[language])
    own = sheet._replace(language=most)
    return Example(
        X={"text": text},
        y={"language": most, "languages": answer_of(LANGUAGES, tuple(told))},
        slices=slices_of(own, text, held=said.held) | {"form": form},
        truth={"accents_dropped": text != said.text},
    )


def _short(language: str, draw: Random, *, may_hold: bool) -> Said:
    bank = read_bank("languages")
    # One in twelve is a word that several languages share: nobody can tell for sure.
    told = bank["short"]["any" if draw.random() < 0.08 else language]["any"]
    text, held = choose(told, draw, may_hold=may_hold)
    return Said(text, (), held)


def _sentences(sheet: Sheet, draw: Random, language: str, n: int, *, may_hold: bool) -> Said:
    own = sheet._replace(language=language, mixed=False)
    pen = Pen(own, draw, "intents", may_hold=may_hold)
    if language == "hindi" and draw.random() < _ROMAN:
        told: Phrases = read_bank("languages")["roman"]["hindi"]["any"]
        parts = [pen.fill_in(told) for _ in range(n)]
        text = ", ".join(dict.fromkeys(part.text for part in parts))
        return Said(text, (), any(part.held for part in parts))
    parts = []
    for _ in range(n):
        asked = draw.choice(INTENT_FIELDS)
        parts.append(pen.say(asked.name, draw.choice(asked.values)))
    if n > 1 and draw.random() < 0.5:
        parts.append(pen.small("chatter"))
    return pen.message(parts)


def _letters(text: str) -> int:
    """Count letters, a Chinese sign as three."""
    return sum(3 if "\u4e00" <= c <= "\u9fff" else 1 for c in text if c.isalpha())


def _bare(text: str) -> str:
    """Drop accents, as people do on a phone."""
    parts = unicodedata.normalize("NFD", text)
    return "".join(c for c in parts if not unicodedata.combining(c))
