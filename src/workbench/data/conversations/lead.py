"""A lead that answers qualification questions, loses patience, and may leave."""

from collections.abc import Sequence
from random import Random
from typing import NamedTuple

from workbench.data.conversations.bank import phrases_of, unfold
from workbench.data.conversations.qualification import Answers, completeness_of
from workbench.data.conversations.sheets import AREAS, QUESTIONS, Sheet, area_of, draw_sheet, rng
from workbench.data.conversations.writing import Said
from workbench.errors import DataError

__all__ = ["Question", "Reply", "SimulatedLead", "simulate_leads", "worded"]

PLAIN_GRADE, HARD_GRADE = 6.0, 17.0
"""School years that the plain and the hard wordings of `worded` take to read."""

_MOST_PATIENCE = 16.0
_LEAST_PATIENCE = 5.0
# What a question costs in patience.
_TURN, _ABRUPT, _AGAIN, _CLOSED, _A_GRADE = 0.6, 0.25, 1.6, 1.2, 0.12
_CLOSED_SHARE = 0.12
_CONFUSED_FROM = 3.0  # grades above what the lead reads with ease
_EASE = {
    "residential": 9.0, "luxury_residential": 12.0, "commercial_real_estate": 14.0,
    "first_time_homebuyers": 7.0,
}  # fmt: skip


class Question(NamedTuple):
    """One question put to a lead.

    Attributes
    ----------
    slug
        One of the 16 questions.
    reading_grade
        School years it takes to read.
    bridge
        Whether it takes up what the lead said.
    """

    slug: str
    reading_grade: float = PLAIN_GRADE
    bridge: bool = False


class Reply(NamedTuple):
    """What the lead says, and whether the lead has left with that."""

    text: str
    gone: bool


class SimulatedLead:
    """One lead in a qualification talk.

    What a lead answers to the n-th time a question is put depends on the seed, the question and n
    alone: policies that are compared meet the same lead, whatever order they ask in. Answers may
    be partial or refused, and may volunteer something else. Each question takes patience; one put
    again, one too hard to read, one about what the lead does not talk about takes more, and one
    that takes up what was said less. A lead without patience leaves.

    Parameters
    ----------
    sheet
        What is true of the lead.
    random_state
        Seed.
    may_hold
        Whether the lead uses phrases held out of the training parts.

    Examples
    --------
    >>> lead = simulate_leads(1, random_state=3)[0]
    >>> reply = lead.answer(Question("budget_range", bridge=True))
    >>> isinstance(reply.text, str), reply.gone, lead.n_turns
    (True, False, 1)
    """

    def __init__(self, sheet: Sheet, random_state: int = 0, *, may_hold: bool = True) -> None:
        self.sheet = sheet._replace(language="english", mixed=False)
        self.random_state, self.may_hold = random_state, may_hold
        draw = self._draw("person")
        self._closed = frozenset(area for area in AREAS if draw.random() < _CLOSED_SHARE)
        span = _MOST_PATIENCE - _LEAST_PATIENCE
        self._patience = _LEAST_PATIENCE + span * sheet.patience
        self._ease = _EASE[sheet.vertical] + draw.gauss(0, 1.5)
        self._asked: dict[str, int] = {}
        self._learned: set[str] = set()
        self.n_turns, self.gone = 0, False

    @property
    def learned(self) -> tuple[str, ...]:
        """Questions truly answered so far; to judge by, not for the one who asks."""
        return tuple(slug for slug in QUESTIONS if slug in self._learned)

    @property
    def completeness(self) -> float:
        """Completeness of what is learned, 0 to 100; to judge by."""
        return completeness_of(self._learned)

    def opening(self) -> str:
        """Give the lead's first message; takes no patience."""
        answers = self._answers("opening")
        parts = [answers.pen.small("greetings"), answers.pen.say("small_talk", "openers")]
        parts += self._volunteered(answers, share=0.5)
        return answers.pen.message(parts).text

    def answer(self, question: Question) -> Reply:
        """Answer one question, or leave.

        Parameters
        ----------
        question
            What is asked.

        Raises
        ------
        DataError
            When there is no such question, or the lead has left.
        """
        if question.slug not in QUESTIONS or self.gone:
            raise DataError(
                f"a question {question.slug!r}" if not self.gone else "a question to who has left",
                where="simulated lead",
                expected=f"one of {', '.join(QUESTIONS)}, while the lead is there",
                fix="stop when a reply says gone",
            )
        again = question.slug in self._learned
        times = self._asked[question.slug] = self._asked.get(question.slug, 0) + 1
        self.n_turns += 1
        self._patience -= self._cost(question, again=again)
        answers = self._answers(question.slug, times)
        if self._patience < 0:
            self.gone = True
            return Reply(answers.pen.message([answers.pen.say("leaving", "any")]).text, gone=True)
        return Reply(
            answers.pen.message(self._said(question, answers, again=again)).text, gone=False
        )

    def _draw(self, *keys: object) -> Random:
        return rng("lead", self.random_state, self.sheet.contact, *keys)

    def _answers(self, *keys: object) -> Answers:
        # What is wanted stays the same from answer to answer; only the words are drawn anew.
        answers = Answers(self.sheet, self._draw("wants"), may_hold=self.may_hold)
        answers.draw = answers.pen.draw = self._draw(*keys)
        return answers

    def _cost(self, question: Question, *, again: bool) -> float:
        hard = max(0.0, question.reading_grade - self._ease)
        closed = area_of(question.slug) in self._closed
        return (
            _TURN + _ABRUPT * (not question.bridge) + _AGAIN * again + _CLOSED * closed
            + _A_GRADE * hard
        )  # fmt: skip

    def _said(self, question: Question, answers: Answers, *, again: bool) -> Sequence[Said]:
        pen, draw, slug = answers.pen, answers.draw, question.slug
        confused, fate = draw.random() < 0.6, draw.random()
        if again:
            return [pen.say("redundant", "any")]
        if question.reading_grade > self._ease + _CONFUSED_FROM and confused:
            return [pen.say("confused", "any")]
        area = area_of(slug)
        if area in self._closed:
            return [pen.say("closed", area) if fate < 0.7 else pen.say("refused", "any")]
        if fate < 0.14:
            return [answers.partial(slug), *self._volunteered(answers, share=0.15)]
        if fate < 0.18 and not question.bridge:
            return [pen.say("refused", "any")]
        self._learned.add(slug)
        share = 0.35 if question.bridge else 0.2
        return [answers.full(slug), *self._volunteered(answers, share=share)]

    def _volunteered(self, answers: Answers, share: float) -> list[Said]:
        draw = answers.draw
        slug = draw.choice(QUESTIONS)
        told = draw.random() < share and slug not in self._learned
        if not told or area_of(slug) in self._closed:
            return []
        self._learned.add(slug)
        return [answers.full(slug)]


def simulate_leads(n: int, random_state: int = 0, *, may_hold: bool = True) -> list[SimulatedLead]:
    """Make leads to talk to.

    Parameters
    ----------
    n
        How many.
    random_state
        Seed; more leads of the same seed begin with the same ones.
    may_hold
        Whether they use phrases held out of the training parts.

    Examples
    --------
    >>> [lead.sheet.contact for lead in simulate_leads(3)]
    [0, 1, 2]
    """
    return [
        SimulatedLead(
            draw_sheet(rng("leads", random_state, contact), contact),
            random_state,
            may_hold=may_hold,
        )
        for contact in range(n)
    ]


def worded(
    slug: str, draw: Random, *, hard: bool = False, bridge: bool = False
) -> tuple[str, Question]:
    """Put a question into an agent's words.

    Parameters
    ----------
    slug
        One of the 16 questions.
    draw
        Source of randomness.
    hard
        Whether it is put the way lawyers put it.
    bridge
        Whether it takes up what was said.

    Returns
    -------
    str
        What the agent says.
    Question
        The same for `SimulatedLead.answer`.

    Examples
    --------
    >>> from random import Random
    >>> worded("location", Random(0))
    ('Which part of town?', Question(slug='location', reading_grade=6.0, bridge=False))
    """
    topic = "questions_hard" if hard else "questions"
    options = phrases_of("qualification", "english", topic, slug).seen
    text = unfold(draw.choice(options), draw)
    if bridge:
        opened = draw.choice(phrases_of("qualification", "english", "bridges", "any").seen)
        text = f"{opened} {text}"
    return text, Question(slug, HARD_GRADE if hard else PLAIN_GRADE, bridge)
