"""Simulated leads questioned by a policy, all of them turn by turn, and what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import NamedTuple, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from workbench.data import Corpus
from workbench.data.conversations import Question, SimulatedLead, worded
from workbench.data.conversations.sheets import QUESTIONS, Sheet
from workbench.predictors.readers import Reader
from workbench.studies.qualification_policies import (
    READS_WITH_EASE,
    Heard,
    Policy,
    is_hard,
)
from workbench.studies.qualification_reader import Exchange, ReplyReader
from workbench.tasks.qualification.rules import completeness

__all__ = ["DialogueListener", "Listener", "ReplyListener", "Talks", "converse", "most_complete"]

Matrix = NDArray[np.float64]

MAX_TURNS = 20
_READABLE_WITHIN = 2.0  # grades


class Listener(Protocol):
    """What hears answers out of a talk; it is shown words only."""

    def listen(self, heard: Sequence[Heard]) -> Matrix:
        """Chance that each question is answered by now, shape (n_talks, 16)."""


@dataclass(frozen=True)
class ReplyListener:
    """Hear the last exchange of each talk.

    Parameters
    ----------
    reader
        Fitted.
    """

    reader: ReplyReader

    def listen(self, heard: Sequence[Heard]) -> Matrix:
        """Chance that the last exchange answers each question."""
        return self.reader.told([talk.exchanges[-1] for talk in heard])


@dataclass(frozen=True)
class DialogueListener:
    """Hear the whole talk anew at each turn, with a reader of the task `qualification_assessment`.

    Parameters
    ----------
    reader
        Fitted; answers the field `answered`.
    talks
        Corpus whose columns it reads; what nobody knows of a new lead is left empty.
    """

    reader: Reader
    talks: Corpus

    def listen(self, heard: Sequence[Heard]) -> Matrix:
        """1 where the reader says that a question is answered, else 0."""
        rows = []
        for talk in heard:
            lines = [
                line
                for asked, said in talk.exchanges
                for line in ((f"agent: {asked}", f"lead: {said}") if asked else (f"lead: {said}",))
            ]
            known = {"text": "\n".join(lines), "vertical": talk.vertical, "side": talk.side}
            rows.append({column: known.get(column) for column in self.talks.X})
        index = pd.Index([f"talk-{at}" for at in range(len(rows))], dtype=object)
        values = self.reader.read(pd.DataFrame(rows, index=index)).values["answered"]
        return np.array([[float(slug in (given or ())) for slug in QUESTIONS] for given in values])


class Talks(NamedTuple):
    """What became of each lead under one policy.

    Attributes
    ----------
    path
        True completeness, 0 to 100, after each turn and before the first, (n, 1 + most turns);
        it stays where the talk ended.
    n_turns
        Questions put.
    left
        Whether the lead left.
    redundant
        Questions that had been answered already.
    readable
        Questions no harder than two grades above what the vertical reads with ease.
    read
        Completeness as the policy heard it at the end.
    """

    path: Matrix
    n_turns: Matrix
    left: NDArray[np.bool_]
    redundant: Matrix
    readable: Matrix
    read: Matrix

    def of(self, leads: NDArray[np.intp]) -> "Talks":
        """Give some of the leads.

        Parameters
        ----------
        leads
            Positions.
        """
        return Talks(
            self.path[leads], self.n_turns[leads], self.left[leads], self.redundant[leads],
            self.readable[leads], self.read[leads],
        )  # fmt: skip

    def turns_to(self, completeness: float) -> Matrix:
        """Turns until a completeness is reached; infinite where it never is.

        Parameters
        ----------
        completeness
            0 to 100.
        """
        reached = self.path >= completeness - 1e-9
        return np.where(reached.any(axis=1), reached.argmax(axis=1), np.inf)


def converse(
    policies: Policy | Sequence[Policy],
    leads: Sequence[SimulatedLead],
    listener: Listener | None,
    *,
    max_turns: int = MAX_TURNS,
    random_state: int = 0,
) -> Talks:
    """Let a policy question each lead until it stops, the lead leaves, or turns run out.

    Parameters
    ----------
    policies
        One for all, or one a lead.
    leads
        Fresh ones; what they answer is theirs alone, so every policy meets the same people.
    listener
        What hears the answers; None knows what the leads truly answered.
    max_turns
        Questions put at most.
    random_state
        Seed of the wording.

    Examples
    --------
    >>> from workbench.data.conversations import simulate_leads
    >>> from workbench.studies.qualification_policies import FixedScript
    >>> talks = converse(FixedScript(), simulate_leads(3), None, max_turns=4)
    >>> talks.path.shape, talks.n_turns.tolist()
    ((3, 5), [4.0, 4.0, 4.0])
    """
    n = len(leads)
    each = list(policies) if isinstance(policies, Sequence) else [policies] * n
    heard = [Heard(lead.sheet.vertical, lead.sheet.side) for lead in leads]
    for talk, lead in zip(heard, leads, strict=True):
        talk.exchanges.append(Exchange("", lead.opening()))
    _take_up(range(n), heard, leads, listener, [None] * n)
    path = np.zeros((n, max_turns + 1))
    path[:, 0] = [lead.completeness for lead in leads]
    redundant, readable = np.zeros(n), np.zeros(n)
    here = list(range(n))
    for turn in range(1, max_turns + 1):
        path[:, turn] = path[:, turn - 1]
        going, slugs = [], []
        for at in here:
            question = each[at].next(heard[at])
            if question is None:
                continue
            lead = leads[at]
            redundant[at] += question.slug in lead.learned
            most = READS_WITH_EASE[lead.sheet.vertical] + _READABLE_WITHIN
            readable[at] += question.reading_grade <= most
            heard[at].exchanges.append(_put(question, lead, turn, random_state))
            path[at, turn] = lead.completeness
            going.append(at)
            slugs.append(question.slug)
        if not going:
            path[:, turn:] = path[:, turn : turn + 1]
            break
        _take_up(going, heard, leads, listener, slugs)
        here = [at for at in going if not leads[at].gone]
    return Talks(
        path,
        np.array([float(lead.n_turns) for lead in leads]),
        np.array([lead.gone for lead in leads]),
        redundant,
        readable,
        np.array([completeness(talk.answered) for talk in heard]),
    )


def most_complete(sheets: Sequence[Sheet], random_state: int) -> Matrix:
    """Completeness of leads whose patience never ends, asked everything until they say no more.

    Parameters
    ----------
    sheets
        Of the leads.
    random_state
        Their seed.

    Examples
    --------
    >>> from workbench.data.conversations import simulate_leads
    >>> bool(most_complete([lead.sheet for lead in simulate_leads(3)], 0).max() <= 100)
    True
    """
    found = []
    for sheet in sheets:
        lead = SimulatedLead(sheet._replace(patience=1e6), random_state)
        lead.opening()
        for slug in QUESTIONS * 4:
            if slug not in lead.learned:
                lead.answer(Question(slug, bridge=True))
        found.append(lead.completeness)
    return np.array(found)


def _put(question: Question, lead: SimulatedLead, turn: int, random_state: int) -> Exchange:
    draw = Random(f"wording/{random_state}/{lead.sheet.contact}/{turn}")
    said, _ = worded(question.slug, draw, hard=is_hard(question), bridge=question.bridge)
    return Exchange(said, lead.answer(question).text)


def _take_up(
    going: Sequence[int],
    heard: Sequence[Heard],
    leads: Sequence[SimulatedLead],
    listener: Listener | None,
    slugs: Sequence[str | None],
) -> None:
    if listener is None:
        told = np.array([[float(s in leads[at].learned) for s in QUESTIONS] for at in going])
    else:
        told = listener.listen([heard[at] for at in going])
    for at, row, slug in zip(going, told, slugs, strict=True):
        heard[at].hear(row, slug)
