"""Checks of generated texts that need no judge: reading level, length, language, wording."""

import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

from workbench.errors import EvaluationError
from workbench.scorers.weighted import check_pairs
from workbench.scorers.wording import WordingFinding, wording_findings
from workbench.stats import Statistic, mean_statistic

__all__ = [
    "Finding",
    "LanguageFindings",
    "LengthFindings",
    "ReadingLevel",
    "WordingFindings",
    "fair_wording",
    "language_as_asked",
    "length_within",
    "passing_share",
    "reading_level",
]

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_SENTENCE_END = re.compile(r"[.!?]+(?=\s|$)|\n{2,}")
_VOWELS = re.compile(r"[aeiouy]+")
# "make" and "rules" end in a silent e; "table", "houses" and "wanted" do not.
_SILENT = re.compile(
    r"(?:(?:[^laeiouy]|[aeiouy]l)e|(?:[^laeiouysxzcgh]|[aeiouy]l)es|[^tdaeiouy]ed)$"
)


class Finding(Protocol):
    """What a check says of one text."""

    @property
    def passed(self) -> bool:
        """Whether the text is as it should be."""


class ReadingLevel(NamedTuple):
    """How hard an English text is to read.

    Attributes
    ----------
    words, sentences, syllables
        Counts; syllables by rule, so a few words are off by one.
    grade
        Years of US school (Flesch-Kincaid).
    ease
        Reading ease from about 0 (hardest) to 100 (Flesch).
    highest_grade
        Highest grade that passes.
    """

    words: int
    sentences: int
    syllables: int
    grade: float
    ease: float
    highest_grade: float

    @property
    def passed(self) -> bool:
        """Whether the text is no harder than asked."""
        return self.grade <= self.highest_grade


class LengthFindings(NamedTuple):
    """How long a text is.

    Attributes
    ----------
    words, characters
        Counts; words are what white space separates.
    passed
        Whether both are within the limits.
    """

    words: int
    characters: int
    passed: bool


class LanguageFindings(NamedTuple):
    """Which language a text is in.

    Attributes
    ----------
    asked, found
        Codes of languages; `found` is None where none is recognised.
    """

    asked: str
    found: str | None

    @property
    def passed(self) -> bool:
        """Whether it is the language asked for."""
        return self.found == self.asked


class WordingFindings(NamedTuple):
    """Phrases a text should avoid.

    Attributes
    ----------
    findings
        In order of place.
    """

    findings: tuple[WordingFinding, ...]

    @property
    def passed(self) -> bool:
        """Whether there are none."""
        return not self.findings


def _syllables(word: str) -> int:
    plain = re.sub(r"[^a-z]", "", word.lower())
    groups = len(_VOWELS.findall(plain))
    if groups > 1 and _SILENT.search(plain):
        groups -= 1
    return max(groups, 1)


def reading_level(text: str, *, highest_grade: float = 9.0) -> ReadingLevel:
    """Measure how hard an English text is to read.

    Parameters
    ----------
    text
        English prose.
    highest_grade
        Highest Flesch-Kincaid grade that passes.

    Returns
    -------
    ReadingLevel
        0.39 words/sentences + 11.8 syllables/words − 15.59, and 206.835 − 1.015 words/sentences
        − 84.6 syllables/words.

    Raises
    ------
    EvaluationError
        When the text holds no word.

    References
    ----------
    Flesch (1948), Journal of Applied Psychology 32:221-233; Kincaid, Fishburne, Rogers & Chissom
    (1975), Naval Technical Training Command, Research Branch Report 8-75.

    Examples
    --------
    >>> found = reading_level("The cat sat on the mat. It was warm.")
    >>> found.words, found.sentences, found.syllables, round(found.grade, 1)
    (9, 2, 9, -2.0)
    """
    words = _WORD.findall(text)
    if not words:
        raise EvaluationError(
            "the text holds no word", expected="English prose", fix="leave empty texts out"
        )
    sentences = max(sum(bool(_WORD.search(part)) for part in _SENTENCE_END.split(text)), 1)
    syllables = sum(_syllables(word) for word in words)
    by_sentence, by_word = len(words) / sentences, syllables / len(words)
    return ReadingLevel(
        words=len(words),
        sentences=sentences,
        syllables=syllables,
        grade=0.39 * by_sentence + 11.8 * by_word - 15.59,
        ease=206.835 - 1.015 * by_sentence - 84.6 * by_word,
        highest_grade=highest_grade,
    )


def length_within(
    text: str, *, least_words: int = 1, most_words: int | None = None,
    most_characters: int | None = None,
) -> LengthFindings:  # fmt: skip
    """Check how long a text is.

    Parameters
    ----------
    text
        What was written.
    least_words, most_words
        Words allowed; no upper limit when None.
    most_characters
        Characters allowed, white space around the text not counted; no limit when None.

    Returns
    -------
    LengthFindings

    Examples
    --------
    >>> length_within("See you at ten.", most_words=3).passed
    False
    """
    words, characters = len(text.split()), len(text.strip())
    fits = words >= least_words and (most_words is None or words <= most_words)
    return LengthFindings(
        words, characters, fits and (most_characters is None or characters <= most_characters)
    )


def language_as_asked(
    text: str, asked: str, *, detect: Callable[[str], str | None]
) -> LanguageFindings:
    """Check the language of a text.

    Parameters
    ----------
    text
        What was written.
    asked
        Code of the language it should be in.
    detect
        Names the language of a text by its code, None where it cannot.

    Returns
    -------
    LanguageFindings

    Examples
    --------
    >>> language_as_asked("Hola", "es", detect=lambda text: "es" if "ola" in text else None).passed
    True
    """
    return LanguageFindings(asked, detect(text))


def fair_wording(text: str) -> WordingFindings:
    """Check a text for phrases Fair-Housing guidance tells to avoid.

    Parameters
    ----------
    text
        English text about a home; see `wording_findings`.

    Returns
    -------
    WordingFindings

    Examples
    --------
    >>> fair_wording("A family room and a garden.").passed
    True
    """
    return WordingFindings(wording_findings(text))


def passing_share(
    truth: Sequence[Any], answered: Sequence[str | None], *, check: Callable[[Any, str], Finding]
) -> Statistic:
    """Share of texts that pass a check.

    Parameters
    ----------
    truth
        What each text is checked against: its source, the language asked for.
    answered
        One text an example; None does not pass.
    check
        From what it is checked against and the text to a finding.

    Returns
    -------
    Statistic

    Raises
    ------
    EvaluationError
        When the lengths differ or there are no examples.

    Examples
    --------
    >>> passing_share(["", ""], ["Hello", None], check=lambda _, text: fair_wording(text))([1, 1])
    array([0.5])
    """
    check_pairs(truth, answered)
    return mean_statistic(
        [
            float(text is not None and check(of, text).passed)
            for of, text in zip(truth, answered, strict=True)
        ]
    )
