"""Policies that choose the next qualification question from what an honest reader has heard."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from workbench.data import Corpus
from workbench.data.conversations import Question
from workbench.data.conversations.lead import HARD_GRADE, PLAIN_GRADE
from workbench.data.conversations.sheets import AREAS, QUESTIONS, area_of
from workbench.studies.qualification_reader import Exchange
from workbench.tasks.qualification.rules import weight_of

__all__ = [
    "READS_WITH_EASE", "AdaptivePolicy", "FixedScript", "GreedyPolicy", "Heard", "Policy",
    "Suggested", "expected_bits",
]  # fmt: skip

Matrix = NDArray[np.float64]

HEARD_FROM = 0.3
"""Chance from which a question counts as answered."""
READS_WITH_EASE: Mapping[str, float] = MappingProxyType({
    "residential": 9.0, "luxury_residential": 12.0, "commercial_real_estate": 14.0,
    "first_time_homebuyers": 7.0,
})  # fmt: skip
"""School years that clients of each vertical usually read with ease: what agents go by."""
_MOST_TRIES = 2
_ANSWERS = 0.8  # how often an open question is answered in full
_REFUSES = re.compile(
    r"rather not|\bpass\b|personal|private|next question|leave (?:that|it)|why do you (?:need|ask)"
    r"|don't (?:press|hand out|do )|let's not|touchy|between us|not the other way",
    re.IGNORECASE,
)
_BIT_FLOOR = 1e-3


@dataclass
class Heard:
    """What has been heard of one lead so far; nothing here comes from the lead's sheet.

    Parameters
    ----------
    vertical, side
        Of the lead, as the brokerage knows them before the talk.
    exchanges
        What was asked and said, the opening first.
    told
        Chance that each of the 16 questions is answered.
    tries
        How often each question was put.
    refused
        Areas the lead did not want to talk about.
    """

    vertical: str
    side: str
    exchanges: list[Exchange] = field(default_factory=list)
    told: Matrix = field(default_factory=lambda: np.zeros(len(QUESTIONS)))
    tries: dict[str, int] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)

    @property
    def answered(self) -> tuple[str, ...]:
        """Questions that count as answered."""
        return tuple(
            slug for slug, p in zip(QUESTIONS, self.told.tolist(), strict=True) if p > HEARD_FROM
        )

    @property
    def refuses(self) -> bool:
        """Whether the last reply refuses."""
        return bool(self.exchanges) and bool(_REFUSES.search(self.exchanges[-1].lead))

    def hear(self, told: Matrix, slug: str | None = None) -> None:
        """Take up what a reader made of the last exchange.

        Parameters
        ----------
        told
            Chance that it answers each question, shape (16,).
        slug
            What was asked; None for the opening.
        """
        self.told = np.maximum(self.told, told)
        if slug is None:
            return
        self.tries[slug] = self.tries.get(slug, 0) + 1
        if self.refuses and slug not in self.answered:
            self.refused.add(area_of(slug))


class Suggested(NamedTuple):
    """A question worth asking, and why.

    Attributes
    ----------
    slug
        The question.
    gain
        What ranks it.
    expected_points
        Points of completeness it is expected to bring.
    expected_bits
        Information it is expected to bring.
    why_now
        In words.
    """

    slug: str
    gain: float
    expected_points: float
    expected_bits: float
    why_now: str


class Policy(Protocol):
    """What chooses the next question."""

    def rank(self, heard: Heard) -> list[Suggested]:
        """Questions worth asking now, best first; empty: stop."""

    def next(self, heard: Heard) -> Question | None:
        """Question to put now; None: stop."""


def expected_bits(talks: Corpus) -> Mapping[str, float]:
    """Mean information in the answer to each open question, in bits, from labelled talks.

    Parameters
    ----------
    talks
        "qualification_sheets": the relevance of a question is its weight times its bits.

    Examples
    --------
    >>> from workbench.data.conversations import make_corpus
    >>> bits = expected_bits(make_corpus("qualification_sheets", 60))
    >>> bits["location"] > bits["flexibility"] > 0
    True
    """
    found = {}
    for slug in QUESTIONS:
        worth = [rank[slug] for rank in talks.y["next_question"] if rank[slug] > 0]
        found[slug] = float(np.mean(worth)) / weight_of(slug) if worth else 0.0
    return MappingProxyType(found)


class FixedScript:
    """The sixteen questions in the order of their areas' weights, whatever the lead says.

    Examples
    --------
    >>> FixedScript().next(Heard("residential", "buyer")).slug
    'budget_range'
    """

    def rank(self, heard: Heard) -> list[Suggested]:
        """Rest of the script."""
        return [
            Suggested(slug, weight_of(slug), _ANSWERS * weight_of(slug), 0.0, "next in the script")
            for slug in QUESTIONS
            if slug not in heard.tries
        ]

    def next(self, heard: Heard) -> Question | None:
        """Next question of the script."""
        left = self.rank(heard)
        return Question(left[0].slug) if left else None


@dataclass(frozen=True)
class GreedyPolicy:
    """Weight of a question times the chance that it is open times the bits of its answer.

    Parameters
    ----------
    bits
        Expected information by question, see `expected_bits`.

    Examples
    --------
    >>> policy = GreedyPolicy(dict.fromkeys(QUESTIONS, 1.0))
    >>> policy.next(Heard("residential", "buyer")).slug
    'budget_range'
    """

    bits: Mapping[str, float]

    def rank(self, heard: Heard) -> list[Suggested]:
        """Open questions by weight x chance of being open x bits."""
        open_, found = 1.0 - heard.told, []
        for at, slug in enumerate(QUESTIONS):
            if heard.tries.get(slug, 0) >= _MOST_TRIES or open_[at] < 1 - HEARD_FROM:
                continue
            points, bits = _ANSWERS * weight_of(slug) * open_[at], self.bits[slug] * open_[at]
            found.append(Suggested(slug, float(points * bits), float(points), float(bits),
                                   "heaviest open question by weight and information"))  # fmt: skip
        return sorted(found, key=lambda s: -s.gain)

    def next(self, heard: Heard) -> Question | None:
        """Best open question."""
        ranked = self.rank(heard)
        return Question(ranked[0].slug) if ranked else None


@dataclass(frozen=True)
class AdaptivePolicy:
    """Ask what brings most points, skip what was volunteered, leave be what was refused.

    Takes up what the lead said; asks again what was answered in part only once the rest is asked;
    stops when no question is expected to bring what a turn costs.

    Parameters
    ----------
    bits
        Expected information by question, see `expected_bits`.
    cost
        Points of completeness that a turn of the lead's patience is worth.
    areas
        Order in which areas come first among equals; by weight when empty.
    reading_grade
        School years the questions take to read.

    Examples
    --------
    >>> policy = AdaptivePolicy(dict.fromkeys(QUESTIONS, 1.0))
    >>> heard = Heard("residential", "buyer", told=np.array([0.9] + [0.0] * 15))
    >>> policy.next(heard).slug
    'financing_status'
    """

    bits: Mapping[str, float]
    cost: float = 1.0
    areas: Sequence[str] = ()
    reading_grade: float = PLAIN_GRADE

    def rank(self, heard: Heard) -> list[Suggested]:
        """Open questions of areas that were not refused, most points first."""
        lead = {area: len(self.areas) - at for at, area in enumerate(self.areas)}
        found = []
        for at, slug in enumerate(QUESTIONS):
            tries, area = heard.tries.get(slug, 0), area_of(slug)
            open_ = 1.0 - float(heard.told[at])
            if tries >= _MOST_TRIES or area in heard.refused or open_ < 1 - HEARD_FROM:
                continue
            points = _ANSWERS * weight_of(slug) * open_
            if points <= self.cost:
                continue
            # What was half answered comes last: the lead has just been asked.
            gain = points + 1e3 * lead.get(area, 0) - 1e6 * tries
            bits = self.bits[slug] * open_
            found.append(Suggested(slug, gain + _BIT_FLOOR * bits, points, bits,
                                   self._why(heard, slug, tries)))  # fmt: skip
        return sorted(found, key=lambda s: -s.gain)

    def _why(self, heard: Heard, slug: str, tries: int) -> str:
        area = area_of(slug)
        weight, slugs = AREAS[area]
        if tries:
            return "answered in part only, and the rest is asked"
        done = sum(other in heard.answered for other in slugs)
        told = "the lead is on this subject" if done else "nothing is known of this area"
        return f"{told}; {area} weighs {weight} of 100"

    def next(self, heard: Heard) -> Question | None:
        """Best question, taking up what was said; None when nothing is worth a turn."""
        ranked = self.rank(heard)
        if not ranked:
            return None
        bridge = bool(heard.exchanges) and not heard.refuses
        return Question(ranked[0].slug, self.reading_grade, bridge)


def is_hard(question: Question) -> bool:
    """Whether a question is put the way lawyers put it.

    Examples
    --------
    >>> is_hard(Question("size", HARD_GRADE))
    True
    """
    return question.reading_grade > (PLAIN_GRADE + HARD_GRADE) / 2
