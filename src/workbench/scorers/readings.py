"""Which scores there are for a field of an answer, by name, and how each reads the answers."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.data import AskedField, FieldKind
from workbench.features.languages import language_of
from workbench.scorers import (
    extraction,
    labelling,
    multiclass,
    relevance,
    scope,
    selective,
    structured,
    texts,
)
from workbench.scorers.faithfulness import faithful_numbers
from workbench.scorers.slots import SlotMatching
from workbench.scorers.spans import find_quote
from workbench.scorers.weighted import ratio_statistic
from workbench.stats import Statistic, mean_statistic

__all__ = ["READING_SCORES", "FieldAnswers", "ReadingScore", "right_answers"]

_AMOUNTS = SlotMatching(relative_tolerance=0.01)
"""A price told as "about 450k" may be read to the per cent."""


class FieldAnswers(NamedTuple):
    """Answers to one field of several texts, beside what is true.

    Attributes
    ----------
    asked
        The field.
    truth, values
        As `AskedField` says; None where nobody knows, where nothing was answered.
    proba : ndarray of shape (n, n_values), optional
        Of the field's values.
    evidence
        Quotes of each answer.
    texts
        What was asked about.
    """

    asked: AskedField
    truth: Sequence[Any]
    values: Sequence[Any]
    proba: NDArray[np.float64] | None = None
    evidence: Sequence[Any] | None = None
    texts: Sequence[str] | None = None

    def known(self) -> "tuple[NDArray[np.intp], FieldAnswers]":
        """Rows whose truth is known, and the answers there."""
        rows = np.array([i for i, t in enumerate(self.truth) if t is not None], dtype=np.intp)

        def at(given: Sequence[Any]) -> list[Any]:
            return [given[i] for i in rows.tolist()]

        return rows, self._replace(
            truth=at(self.truth),
            values=at(self.values),
            proba=None if self.proba is None else self.proba[rows],
            evidence=None if self.evidence is None else at(self.evidence),
            texts=None if self.texts is None else at(self.texts),
        )


class ReadingScore(NamedTuple):
    """One score: the kinds of fields it is for, and how it is made of their answers."""

    kinds: tuple[FieldKind, ...]
    make: Callable[[FieldAnswers], Statistic]


def _undefined(_answers: FieldAnswers) -> Statistic:
    return lambda weights: np.full(len(np.atleast_2d(np.asarray(weights))), np.nan)


def _of_known(
    make: Callable[[FieldAnswers], Statistic], *, proba: bool = False
) -> Callable[[FieldAnswers], Statistic]:
    """Score rows whose truth is known; undefined without any, or without probabilities."""

    def made(answers: FieldAnswers) -> Statistic:
        rows, known = answers.known()
        if not len(rows) or (proba and known.proba is None):
            return _undefined(answers)
        inner = make(known)

        def statistic(weights: ArrayLike) -> NDArray[np.float64]:
            w = np.atleast_2d(np.asarray(weights, dtype=np.float64))
            return np.asarray(inner(w[:, rows]), dtype=np.float64)

        return statistic

    return made


def _rows(answers: FieldAnswers) -> list[NDArray[np.float64] | None]:
    """Probabilities row by row, to the last bit adding up to 1; None where there are none."""
    if answers.proba is None:
        return [None] * len(answers.truth)
    return [None if np.isnan(p).any() else p / p.sum() for p in answers.proba]


def _confidence(answers: FieldAnswers) -> list[float | None]:
    return [None if p is None else float(p.max()) for p in _rows(answers)]


def _strangeness(answers: FieldAnswers) -> list[float | None]:
    """How little a text seems to be any of the labels: what is given to the catch-all, or left."""
    asked, proba = answers.asked, answers.proba
    place = asked.values.index(asked.catch_all) if asked.catch_all in asked.values else None
    if proba is not None and place is not None and np.nanmax(proba[:, place]) > 0:
        return [None if np.isnan(p).any() else float(p[place]) for p in proba]
    return [None if c is None else 1 - c for c in _confidence(answers)]


def _top(k: int) -> Callable[[FieldAnswers], Statistic]:
    return lambda a: labelling.top_k_accuracy(a.truth, _rows(a), classes=a.asked.values, k=k)


def _scope(
    score: Callable[..., Statistic],
) -> Callable[[FieldAnswers], Statistic]:
    def made(a: FieldAnswers) -> Statistic:
        if a.asked.catch_all is None:
            return _undefined(a)
        return score(a.truth, _strangeness(a), out_of_scope=a.asked.catch_all)

    return made


def _absolute_error(a: FieldAnswers) -> Statistic:
    # Nothing answered is as wrong as the worst answer: the spread of what is true.
    spread = float(max(a.truth) - min(a.truth)) or 1.0
    errors = [spread if v is None else abs(v - t) for t, v in zip(a.truth, a.values, strict=True)]
    return mean_statistic(np.array(errors))


def _first(best: bool) -> Callable[[FieldAnswers], Statistic]:  # noqa: FBT001 - two scores
    def made(a: FieldAnswers) -> Statistic:
        hits = []
        for truth, ranked in zip(a.truth, a.values, strict=True):
            worth = truth.get(ranked[0], 0.0) if ranked else 0.0
            hits.append(worth > 0 and (not best or worth == max(truth.values())))
        return mean_statistic(np.array(hits, dtype=np.float64))

    return made


def _quotes_found(a: FieldAnswers) -> Statistic:
    if a.texts is None or a.evidence is None:
        return _undefined(a)
    held = [
        bool(quotes) and all(find_quote(str(q).casefold(), text.casefold()) for q in quotes)
        for quotes, text in zip(a.evidence, a.texts, strict=True)
    ]
    return mean_statistic(np.array(held, dtype=np.float64))


_CODES = MappingProxyType(
    {
        "english": "en", "spanish": "es", "french": "fr", "portuguese": "pt", "mandarin": "zh",
        "hindi": "hi",
    }
)  # fmt: skip
_TERMS = 2
"""So many of a vertical's terms are to be named."""


def _checked(
    check: Callable[[Mapping[str, Any], str, str], float], *, missing: float = 0.0
) -> Callable[[FieldAnswers], Statistic]:
    """Mean of a check of each text, given what it is held against and what it is about.

    A text that is missing fails; a check that does not apply (NaN) is left out.
    """

    def made(a: FieldAnswers) -> Statistic:
        sources = a.texts or [""] * len(a.truth)
        found = np.array(
            [
                missing if text is None else check(held, text, source)
                for held, text, source in zip(a.truth, a.values, sources, strict=True)
            ]
        )
        fits = (~np.isnan(found)).astype(np.float64)
        return ratio_statistic(np.nan_to_num(found), fits)

    return made


def _language_kept(held: Mapping[str, Any], text: str, _source: str) -> float:
    return float(language_of(text) == _CODES[held["language"]]) if "language" in held else np.nan


def _terms_covered(held: Mapping[str, Any], text: str, _source: str) -> float:
    terms = held.get("terms", ())
    if not terms:
        return np.nan
    named = sum(term.casefold() in text.casefold() for term in terms)
    return min(1.0, named / min(_TERMS, len(terms)))


def _grade(held: Mapping[str, Any], text: str, _source: str) -> float:
    # Syllables are counted by English rules.
    english = held.get("language", "english") == "english"
    return texts.reading_level(text).grade if english and text.strip() else np.nan


def _grade_kept(held: Mapping[str, Any], text: str, source: str) -> float:
    grade, highest = _grade(held, text, source), held.get("highest_grade")
    return np.nan if highest is None or np.isnan(grade) else float(grade <= highest)


def _length_kept(held: Mapping[str, Any], text: str, _source: str) -> float:
    if "most_words" not in held:
        return np.nan
    return float(texts.length_within(text, most_words=held["most_words"]).passed)


def _numbers_faithful(_held: Mapping[str, Any], text: str, source: str) -> float:
    return float(faithful_numbers(text, source).passed) if source else np.nan


def _wording_clean(_held: Mapping[str, Any], text: str, _source: str) -> float:
    return float(texts.fair_wording(text).passed)


_CHOSEN: tuple[FieldKind, ...] = ("label", "level")
_ANY: tuple[FieldKind, ...] = ("label", "labels", "level", "number", "slots", "ranking", "text")

READING_SCORES: Mapping[str, ReadingScore] = MappingProxyType(
    {
        "accuracy": ReadingScore(
            _CHOSEN, _of_known(lambda a: labelling.accuracy(a.truth, a.values))
        ),
        "balanced_accuracy": ReadingScore(
            _CHOSEN, _of_known(lambda a: labelling.balanced_accuracy(a.truth, a.values))
        ),
        "macro_f1": ReadingScore(
            (*_CHOSEN, "labels"), _of_known(lambda a: labelling.macro_f1(a.truth, a.values))
        ),
        "micro_f1": ReadingScore(
            ("labels",), _of_known(lambda a: labelling.micro_f1(a.truth, a.values))
        ),
        "samples_f1": ReadingScore(
            ("labels",), _of_known(lambda a: labelling.samples_f1(a.truth, a.values))
        ),
        "jaccard": ReadingScore(
            ("labels",), _of_known(lambda a: labelling.jaccard(a.truth, a.values))
        ),
        "exact_match": ReadingScore(
            ("labels",), _of_known(lambda a: labelling.exact_match(a.truth, a.values))
        ),
        "hierarchical_f1": ReadingScore(
            ("label", "labels"),
            _of_known(
                lambda a: structured.hierarchical_f1(a.truth, a.values, parents=a.asked.parents)
            ),
        ),
        "top_2_accuracy": ReadingScore(_CHOSEN, _of_known(_top(2), proba=True)),
        "top_3_accuracy": ReadingScore(_CHOSEN, _of_known(_top(3), proba=True)),
        "log_loss": ReadingScore(
            _CHOSEN,
            _of_known(
                lambda a: multiclass.label_log_loss(a.truth, _rows(a), classes=a.asked.values),
                proba=True,
            ),
        ),
        "brier": ReadingScore(
            _CHOSEN,
            _of_known(
                lambda a: multiclass.label_brier(a.truth, _rows(a), classes=a.asked.values),
                proba=True,
            ),
        ),
        "ece": ReadingScore(
            _CHOSEN,
            _of_known(
                lambda a: multiclass.top_label_ece(a.truth, _rows(a), classes=a.asked.values),
                proba=True,
            ),
        ),
        "aurc": ReadingScore(
            _CHOSEN,
            _of_known(
                lambda a: selective.aurc(a.truth, a.values, confidence=_confidence(a)), proba=True
            ),
        ),
        "coverage_at_5": ReadingScore(
            _CHOSEN,
            _of_known(
                lambda a: selective.coverage_at_risk(
                    a.truth, a.values, confidence=_confidence(a), risk=0.05
                ),
                proba=True,
            ),
        ),
        "oos_roc_auc": ReadingScore(
            ("label",), _of_known(_scope(scope.out_of_scope_auroc), proba=True)
        ),
        "oos_recall_at_5": ReadingScore(
            ("label",), _of_known(_scope(scope.out_of_scope_recall), proba=True)
        ),
        "quadratic_kappa": ReadingScore(
            ("level",),
            _of_known(lambda a: structured.level_kappa(a.truth, a.values, values=a.asked.values)),
        ),
        "level_error": ReadingScore(
            ("level",),
            _of_known(
                lambda a: structured.level_distance(a.truth, a.values, values=a.asked.values)
            ),
        ),
        "absolute_error": ReadingScore(("number",), _of_known(_absolute_error)),
        "slot_f1": ReadingScore(
            ("slots",),
            _of_known(lambda a: extraction.slot_f1(a.truth, a.values, matching=_AMOUNTS)),
        ),
        "slot_precision": ReadingScore(
            ("slots",),
            _of_known(lambda a: extraction.slot_precision(a.truth, a.values, matching=_AMOUNTS)),
        ),
        "slot_recall": ReadingScore(
            ("slots",),
            _of_known(lambda a: extraction.slot_recall(a.truth, a.values, matching=_AMOUNTS)),
        ),
        "joint_accuracy": ReadingScore(
            ("slots",),
            _of_known(lambda a: extraction.sheet_exact_match(a.truth, a.values, matching=_AMOUNTS)),
        ),
        "hallucinated_rate": ReadingScore(
            ("slots",),
            _of_known(
                lambda a: extraction.hallucinated_slot_rate(a.truth, a.values, matching=_AMOUNTS)
            ),
        ),
        "slot_abstain_rate": ReadingScore(
            ("slots",),
            _of_known(
                lambda a: extraction.abstained_slot_share(a.truth, a.values, matching=_AMOUNTS)
            ),
        ),
        "ndcg_at_3": ReadingScore(
            ("ranking",), _of_known(lambda a: relevance.ndcg(a.truth, a.values, k=3))
        ),
        "reciprocal_rank": ReadingScore(
            ("ranking",), _of_known(lambda a: relevance.mean_reciprocal_rank(a.truth, a.values))
        ),
        "precision_at_1": ReadingScore(("ranking",), _of_known(_first(best=False))),
        "best_at_1": ReadingScore(("ranking",), _of_known(_first(best=True))),
        "evidence_found": ReadingScore(_ANY, _quotes_found),
        "language_kept": ReadingScore(("text",), _of_known(_checked(_language_kept))),
        "terms_covered": ReadingScore(("text",), _of_known(_checked(_terms_covered))),
        "reading_grade": ReadingScore(("text",), _of_known(_checked(_grade, missing=np.nan))),
        "grade_kept": ReadingScore(("text",), _of_known(_checked(_grade_kept))),
        "length_kept": ReadingScore(("text",), _of_known(_checked(_length_kept))),
        "numbers_faithful": ReadingScore(("text",), _of_known(_checked(_numbers_faithful))),
        "wording_clean": ReadingScore(("text",), _of_known(_checked(_wording_clean))),
    }
)
"""Scores by the names of `READING_METRICS`."""


def right_answers(answers: FieldAnswers) -> NDArray[np.float64]:
    """Whether each answer is right as a whole; NaN where nobody knows or a text is no right answer.

    Parameters
    ----------
    answers
        To one field.

    Returns
    -------
    ndarray of shape (n,)
        0 or 1; of a ranking: whether the first is one of the best.

    Examples
    --------
    >>> asked = AskedField(name="mood", meaning="Mood", kind="label", values=("good", "bad"))
    >>> right_answers(FieldAnswers(asked, ["good", "bad", None], ["good", None, "bad"])).tolist()
    [1.0, 0.0, nan]
    """
    found = np.full(len(answers.truth), np.nan)
    rows, known = answers.known()
    kind = answers.asked.kind
    if kind == "text" or not len(rows):
        return found
    if kind == "slots":
        one = extraction.sheet_exact_match(known.truth, known.values, matching=_AMOUNTS)
    elif kind == "ranking":
        one = _first(best=True)(known)
    elif kind == "labels":
        one = labelling.exact_match(known.truth, known.values)
    else:
        one = labelling.accuracy(known.truth, known.values)
    # The score of each example alone: all weight on it.
    for start in range(0, len(rows), 512):
        part = rows[start : start + 512]
        weights = np.zeros((len(part), len(rows)))
        weights[np.arange(len(part)), np.arange(start, start + len(part))] = 1.0
        found[part] = one(weights)
    return found
