"""Which language a text is in, and where it changes within it.

The script tells Hindi and Chinese. For Latin letters the log probabilities of two published models
are added: lingua's letters, which know short texts best, and py3langid's, which know long ones
best. See `workbench.predictors.texts.LanguageIdentifier`.
"""

import importlib
import re
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from workbench.errors import FeatureError

__all__ = ["LANGUAGES", "LanguageSpan", "language_of", "language_probabilities", "language_spans"]

_LATIN = ("en", "es", "fr", "pt")
LANGUAGES = ("en", "es", "fr", "hi", "pt", "zh")
"""Languages that are told apart, by code."""
_NAMES = {"en": "ENGLISH", "es": "SPANISH", "fr": "FRENCH", "pt": "PORTUGUESE"}
_HAN, _DEVANAGARI = r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff", r"\u0900-\u097f"
_SCRIPTS = re.compile(
    rf"(?P<zh>[{_HAN}]+)|(?P<hi>[{_DEVANAGARI}\u200c\u200d]+)|(?P<latin>[^\W\d_]+)"
)
_OTHER = re.compile(rf"[{_HAN}{_DEVANAGARI}]+")
_NOISE = re.compile(r"https?://\S+|@\w+|&\w+;|\S+@\S+")
# A Chinese character says as much as a few letters, and who writes Hindi mixes in English words.
_WEIGHT = {"latin": 1.0, "hi": 2.0, "zh": 3.0}
_FLOOR = -5.0  # what the reader of words may say at most against a language
_PER_WORD = 0.1
_SWITCH = 3.5  # log-odds that a change of language costs, inside a message
MAX_CHARS = 2_000
"""Characters of a text that are read."""

Scores = NDArray[np.float64]


class LanguageSpan(NamedTuple):
    """A run of words of one language: `text[start:end]`."""

    start: int
    end: int
    language: str


def _blanked(text: str) -> str:
    """Addresses, names of accounts and entities say nothing of the language; same length."""
    return _NOISE.sub(lambda match: " " * len(match.group()), text)


def language_probabilities(text: str) -> Scores:
    """Probabilities of `LANGUAGES`, shape (6,); all alike for a text without letters.

    Parameters
    ----------
    text
        Its first 2,000 characters are read.

    Raises
    ------
    FeatureError
        When the optional packages `languages` are missing.

    Examples
    --------
    >>> LANGUAGES[int(language_probabilities("Where is the house?").argmax())]
    'en'
    """
    # Half a pair of a character is no text for the models.
    text = _blanked(text[:MAX_CHARS].encode(errors="replace").decode())
    n_words = 0
    letters = dict.fromkeys(("latin", "hi", "zh"), 0.0)
    for match in _SCRIPTS.finditer(text):
        script = str(match.lastgroup)
        letters[script] += len(match.group()) * _WEIGHT[script]
        n_words += script == "latin"
    proba = np.zeros(len(LANGUAGES))
    total = sum(letters.values())
    if not total:
        return proba + 1 / len(LANGUAGES)
    proba[LANGUAGES.index("hi")] = letters["hi"] / total
    proba[LANGUAGES.index("zh")] = letters["zh"] / total
    if n_words:
        share = softmax(_latin_scores(_OTHER.sub(" ", text), n_words)) * letters["latin"] / total
        for language, value in zip(_LATIN, share, strict=True):
            proba[LANGUAGES.index(language)] = value
    return proba


def _latin_scores(text: str, n_words: int) -> Scores:
    """Log-odds of the languages with Latin letters, the best at about 0."""
    of_words, of_letters = _models()
    return np.asarray(of_words(text) + min(1.0, _PER_WORD * n_words) * of_letters(text))


@cache
def _models() -> tuple[Callable[[str], Scores], Callable[[str], Scores]]:
    try:
        lingua = importlib.import_module("lingua")
        langid = importlib.import_module("py3langid.langid")
    except ImportError as error:
        raise FeatureError(
            f"languages need {str(error.name).split('.')[0]}, which is not installed",
            expected="the optional packages `languages`",
            fix="run `pip install 'workbench[languages]'`",
        ) from None
    known = [getattr(lingua.Language, _NAMES[language]) for language in _LATIN]
    detector = lingua.LanguageDetectorBuilder.from_languages(*known).build()
    identifier = langid.LanguageIdentifier.from_model_file(langid.MODEL_FILE)
    identifier.set_languages(list(_LATIN))

    def of_words(text: str) -> Scores:
        told = {c.language: c.value for c in detector.compute_language_confidence_values(text)}
        logs = np.log(np.maximum([told.get(language, 0.0) for language in known], 1e-12))
        return np.asarray(np.maximum(logs - logs.max(), _FLOOR))

    def of_letters(text: str) -> Scores:
        told = dict(identifier.rank(text))
        logs = np.array([float(told[language]) for language in _LATIN])
        return np.asarray(logs - logs.max())

    return of_words, of_letters


def _latin_spans(words: list[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    if not words:
        return []
    scores = np.vstack([np.log(softmax(_latin_scores(word, 1))) for _, _, word in words])
    best = scores[0]
    came: list[NDArray[np.intp]] = []
    for row in scores[1:]:
        change = int(best.argmax())
        stay = best >= best[change] - _SWITCH
        came.append(np.where(stay, np.arange(len(_LATIN)), change))
        best = np.where(stay, best, best[change] - _SWITCH) + row
    path = [int(best.argmax())]
    for back in reversed(came):
        path.append(int(back[path[-1]]))
    return [
        (start, end, _LATIN[language])
        for (start, end, _), language in zip(words, reversed(path), strict=True)
    ]


def _joined(runs: list[tuple[int, int, str]]) -> list[LanguageSpan]:
    spans: list[LanguageSpan] = []
    for start, end, language in runs:
        if spans and spans[-1].language == language:
            spans[-1] = LanguageSpan(spans[-1].start, end, language)
        else:
            spans.append(LanguageSpan(start, end, language))
    return spans


def language_spans(text: str) -> list[LanguageSpan]:
    """Cut a message where its language changes.

    Scripts tell Hindi and Chinese; a run of words in Latin letters is cut where the words' own
    probabilities outweigh the cost of changing (Viterbi).

    Parameters
    ----------
    text
        Its first 2,000 characters are read.

    Returns
    -------
    list of LanguageSpan
        In order, from the first letter of a run to its last; none without letters.

    Raises
    ------
    FeatureError
        When the optional packages `languages` are missing.

    Examples
    --------
    >>> [s.language for s in language_spans("Hello, I am interested. मुझे घर देखना है")]
    ['en', 'hi']
    """
    found: list[tuple[int, int, str]] = []
    run: list[tuple[int, int, str]] = []
    readable = text[:MAX_CHARS].encode(errors="replace").decode()
    for match in _SCRIPTS.finditer(_blanked(readable)):
        script = str(match.lastgroup)
        if script == "latin":
            run.append((match.start(), match.end(), match.group()))
            continue
        found += _latin_spans(run)
        run = []
        found.append((match.start(), match.end(), script))
    return _joined(found + _latin_spans(run))


def language_of(text: str) -> str | None:
    """Most probable of `LANGUAGES`; None for a text without letters.

    Parameters
    ----------
    text
        What was written.

    Raises
    ------
    FeatureError
        When the optional packages `languages` are missing.

    Examples
    --------
    >>> language_of("¿Dónde está la casa?"), language_of("123") is None
    ('es', True)
    """
    proba = language_probabilities(text)
    return None if np.ptp(proba) == 0 else LANGUAGES[int(proba.argmax())]
