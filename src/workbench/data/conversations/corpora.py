"""Corpora of conversations by name, each made from a seed."""

from collections.abc import Callable, Iterator
from random import Random
from types import MappingProxyType
from typing import Any, NamedTuple

import pandas as pd

from workbench.data.conversations import (
    assistance,
    coaching,
    intents,
    languages,
    objections,
    onsets,
    preferences,
    qualification,
)
from workbench.data.conversations.rows import ANNOTATION_ERROR, Example, misread
from workbench.data.conversations.sheets import Sheet, draw_sheet, part_of, rng
from workbench.data.conversations.writing import Span
from workbench.data.corpus import Corpus
from workbench.data.fields import AskedField
from workbench.errors import DataError

__all__ = [
    "CONVERSATIONS",
    "Kind",
    "Row",
    "evidence_of",
    "kind_of",
    "make_corpus",
    "remade",
    "rows_of",
]


class Kind(NamedTuple):
    """One kind of corpus: its title, fields, writer, and what its columns are called.

    `misread`: whether annotators err in the training and validation parts.
    """

    title: str
    fields: tuple[AskedField, ...]
    write: Callable[..., Example]
    meanings: dict[str, str]
    rows_a_contact: tuple[int, ...]
    notes: str = ""
    misread: bool = True


_NOTES = (
    "Generated from slot sheets, not written by people. People of the validation and test parts "
    "use phrases that nobody of the training part does, of some things up to every other time; "
    "the slice 'phrasing' says where."
)
_ERRORS = (
    "Of labels, sets and levels of the training and validation parts 3 in 100 are wrong, as "
    "annotators' are; those of the test part are right."
)
_KINDS = MappingProxyType({
    "lead_intents": Kind(
        "Intents, motives, urgency and stage of leads' messages", intents.FIELDS,
        intents.write_intent, {"text": "Message"}, (1, 1, 2, 3),
        "None: the text does not say.",
    ),
    "lead_preferences": Kind(
        "What leads want of a property", preferences.FIELDS, preferences.write_preferences,
        {"text": "Conversation", "sent_on": "Date of the conversation"}, (1, 1, 2),
        "A later word on the same slot replaces an earlier one; agents' words count where the "
        "lead agrees.",
    ),
    "qualification_sheets": Kind(
        "How much of a lead's qualification is answered", qualification.FIELDS,
        qualification.write_sheet,
        {"text": "Conversation so far", "vertical": "Property vertical",
         "side": "Side of the lead", "agent_role": "Role of the agent",
         "agent_experience": "Experience of the agent"},
        (1,),
        "All in English. Relevance of a question: weight of its area / questions of the area x "
        "surprise of the lead's answer in bits, given what is answered; 0 once answered, and in "
        "areas the lead does not talk about. Leads who do not mostly say so.",
    ),
    "objections": Kind(
        "Objections of leads, with history and context", objections.FIELDS,
        objections.write_objection,
        {"text": "Message", "history": "Conversation before the message",
         "budget_range": "Budget of the lead", "property_type": "Property type",
         "location": "Location", "asking_price": "Asking price",
         "comparable_median": "Median price of comparable sales",
         "days_on_market": "Days on the market", "inventory_trend": "Inventory",
         "lease_end": "End of the lead's lease", "family_event": "Family event",
         "vertical": "Property vertical", "side": "Side of the lead"},
        (1, 1, 2),
        "A root cause of None was neither hinted at nor to be told from the context.",
    ),
    "objection_onsets": Kind(
        "Dialogues in which an objection builds up", onsets.FIELDS, onsets.write_onset,
        {"text": "Conversation"}, (1,),
        "Hesitation before an objection is noisy, and some who hesitate never object.",
        misread=False,
    ),
    "coaching_moments": Kind(
        "Moments in which an agent could be coached", coaching.FIELDS, coaching.write_moment,
        {"text": "Conversation up to the lead's message", "stage": "Stage of the conversation",
         "agent_role": "Role of the agent", "agent_experience": "Experience of the agent",
         "agent_specialisation": "What the agent specialises in",
         "vertical": "Property vertical", "agent_language": "Language of the agent",
         "prospect_language": "Language of the lead"},
        (1, 1, 2),
    ),
    "proactive_help": Kind(
        "Dialogues in which an agent is at a loss now and then", assistance.FIELDS,
        assistance.write_help,
        {"text": "Conversation", "agent_role": "Role of the agent",
         "agent_experience": "Experience of the agent", "vertical": "Property vertical"},
        (1,),
        "All in English.",
    ),
    "message_languages": Kind(
        "Messages in six languages, some in two", languages.FIELDS, languages.write_message,
        {"text": "Message"}, (1, 1, 2),
        "A few short messages are words that several languages share.", misread=False,
    ),
})  # fmt: skip
CONVERSATIONS = MappingProxyType({name: kind.title for name, kind in _KINDS.items()})
"""Corpora of conversations: name to title."""


class Row(NamedTuple):
    """One example as it was made; `labels` are what annotators wrote, errors and all."""

    identifier: str
    group: str
    part: str
    example: Example
    labels: dict[str, Any]


def kind_of(name: str) -> Kind:
    """Find a kind of corpus.

    Raises
    ------
    DataError
        When there is none of that name.
    """
    if name not in _KINDS:
        raise DataError(
            f"no conversations called {name!r}", where="conversations",
            expected=f"one of {', '.join(_KINDS)}", fix="choose one of those",
        )  # fmt: skip
    return _KINDS[name]


def rows_of(name: str, random_state: int, contact: int) -> Iterator[Row]:
    """Make all rows of one contact, whatever the size of the corpus.

    Parameters
    ----------
    name
        Of `CONVERSATIONS`.
    random_state
        Seed of the corpus.
    contact
        Number of the contact.
    """
    kind = kind_of(name)
    person = rng(name, random_state, contact)
    part = part_of(person)
    base = draw_sheet(person, contact)
    for number in range(person.choice(kind.rows_a_contact)):
        draw = rng(name, random_state, contact, number)
        sheet = _next_sheet(base, draw) if number else base
        example = kind.write(sheet, draw, may_hold=part != "train")
        labels = dict(example.y)
        if part != "test" and kind.misread:
            labels = {f.name: _annotated(f, example.y[f.name], draw) for f in kind.fields}
        yield Row(
            f"{name}-{random_state}-{contact}-{number}", f"contact-{contact}", part, example, labels
        )


def make_corpus(name: str, n: int, random_state: int = 0) -> Corpus:
    """Make a corpus of conversations.

    Parameters
    ----------
    name
        Of `CONVERSATIONS`.
    n
        Examples.
    random_state
        Seed; a larger corpus of the same seed begins with the rows of a smaller one.

    Returns
    -------
    Corpus
        Grouped by contact; the parts hold about 60, 15 and 25 of a hundred contacts.

    Raises
    ------
    DataError
        When no corpus has that name, or `n` is below 1.

    Examples
    --------
    >>> corpus = make_corpus("lead_intents", 40)
    >>> len(corpus), [asked.name for asked in corpus.fields]
    (40, ['primary_intent', 'motivations', 'urgency', 'decision_stage'])
    """
    kind = kind_of(name)
    if n < 1:
        raise DataError(
            f"{n} examples", where=f"conversations {name!r}", expected="1 or more",
            fix="ask for one example at least",
        )  # fmt: skip
    rows: list[Row] = []
    contact = 0
    while len(rows) < n:
        rows += rows_of(name, random_state, contact)
        contact += 1
    rows = rows[:n]
    index = pd.Index([row.identifier for row in rows], dtype=object, name="example_id")
    return Corpus(
        name=name, title=kind.title, version="1", licence="CC0-1.0", origin_kind="simulated",
        fields=kind.fields,
        X=pd.DataFrame([row.example.X for row in rows], index=index),
        y=pd.DataFrame(
            {f.name: pd.Series([row.labels[f.name] for row in rows], index, dtype=object)
             for f in kind.fields}
        ),
        part=pd.Series([row.part for row in rows], index),
        meanings=MappingProxyType(kind.meanings),
        groups=pd.Series([row.group for row in rows], index),
        slices=pd.DataFrame([row.example.slices for row in rows], index=index),
        notes=" ".join(filter(None, (_NOTES, _ERRORS if kind.misread else "", kind.notes))),
    )  # fmt: skip


def evidence_of(corpus: Corpus) -> "pd.Series[Any]":
    """Give where the words stand that say the value of each slot.

    Parameters
    ----------
    corpus
        "lead_preferences" as made here, or some of its rows.

    Returns
    -------
    pandas.Series
        For each example a dict of slot to a list of (start, end), characters of `text`.

    Raises
    ------
    DataError
        When a row is none of a corpus made here.

    Examples
    --------
    >>> corpus = make_corpus("lead_preferences", 8)
    >>> found = evidence_of(corpus)
    >>> all(set(at) == set(y) for at, y in zip(found, corpus.y["preferences"]))
    True
    """
    return pd.Series(
        [_positions(row.example.spans) for row in remade(corpus)], corpus.X.index, dtype=object
    )


def remade(corpus: Corpus) -> list[Row]:
    """Make the rows of a corpus again, with all that is hidden.

    Raises
    ------
    DataError
        When a row is none of a corpus made here.
    """
    kind_of(corpus.name)
    known: dict[tuple[int, int], dict[str, Row]] = {}
    rows = []
    for identifier in corpus.X.index:
        name, _, rest = str(identifier).partition("-")
        numbers = rest.split("-")
        row = None
        if name == corpus.name and len(numbers) == 3 and all(n.isdecimal() for n in numbers):
            key = int(numbers[0]), int(numbers[1])
            if key not in known:
                known[key] = {row.identifier: row for row in rows_of(name, *key)}
            row = known[key].get(str(identifier))
        if row is None:
            raise DataError(
                f"an example {identifier!r}", where=f"corpus {corpus.name!r}",
                expected="rows of a corpus made by make_corpus", fix="keep the identifiers",
            )  # fmt: skip
        rows.append(row)
    return rows


def _positions(spans: "Iterator[Span] | Any") -> dict[str, list[tuple[int, int]]]:
    found: dict[str, list[tuple[int, int]]] = {}
    for span in spans:
        found.setdefault(span.slot, []).append((span.start, span.end))
    return found


def _annotated(asked: AskedField, value: Any, draw: Random) -> Any:
    return misread(asked, value, draw) if draw.random() < ANNOTATION_ERROR else value


def _next_sheet(base: Sheet, draw: Random) -> Sheet:
    """The same person with another matter: who they are and what they can pay stay."""
    other = draw_sheet(draw, base.contact)
    stays = {"tenant", "language", "mixed", "vertical", "style", "kind", "budget_low",
             "budget_high", "financing", "down_payment_pct"}  # fmt: skip
    return other._replace(**{name: getattr(base, name) for name in stays})
