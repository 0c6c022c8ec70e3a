"""Whether what a model quotes as evidence stands in what it was shown."""

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, NamedTuple

import pandas as pd

from workbench.errors import PredictorError
from workbench.features import text_columns
from workbench.prompts import lead_texts

__all__ = ["EvidenceCheck", "Quote", "check_evidence"]

# Marks people and models put around a quote, or where they stop quoting.
_MARKS = "\"'“”‘’«»„`.…,;:!? -"
_ELLIPSIS = re.compile(r"\s*(?:\.\.\.|…|\[…\]|\[\.\.\.\])\s*")


class Quote(NamedTuple):
    """One quote of one answer: `verbatim` when the row says it, and `where` ("lead", "message")."""

    example_id: str
    quote: str
    verbatim: bool
    where: str


@dataclass(frozen=True)
class EvidenceCheck:
    """Which quotes stand in the rows they were given for.

    Attributes
    ----------
    quotes
        One entry a quote, in order.
    n_answers
        Answers that were looked at, with or without quotes.
    """

    quotes: tuple[Quote, ...]
    n_answers: int

    @property
    def verbatim_share(self) -> float:
        """Share of the quotes that are verbatim; NaN without quotes."""
        if not self.quotes:
            return float("nan")
        return sum(quote.verbatim for quote in self.quotes) / len(self.quotes)

    def to_frame(self) -> pd.DataFrame:
        """One row a quote."""
        return pd.DataFrame(list(self.quotes), columns=list(Quote._fields))

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{escape(q.example_id)}</td><td>{'✓' if q.verbatim else '✗'}</td>"
            f'<td style="text-align:left">{escape(q.quote)}</td><td>{q.where}</td></tr>'
            for q in self.quotes[:50]
        )
        n, held = len(self.quotes), sum(q.verbatim for q in self.quotes)
        return (
            f"<div><b>{held} of {n} quotes are verbatim</b> ({self.n_answers} answers)<table>"
            f"<tr><th>example</th><th>verbatim</th><th>quote</th><th>where</th></tr>{rows}"
            "</table></div>"
        )


def check_evidence(
    answers: "pd.Series[Any] | Sequence[Sequence[str]]",
    X: pd.DataFrame,
    labels: Mapping[str, str],
) -> EvidenceCheck:
    """Mark each quote that stands in the row's fields or message.

    Case, white space, quotation marks and the form of Unicode characters do not count; a quote
    with an ellipsis holds when its pieces follow one another. A quote that is not verbatim may
    still be a fair paraphrase: what this finds for certain is what *was* said. Identifiers that
    the privacy gate took out before the model read the row make a quote of them not verbatim.

    Parameters
    ----------
    answers : Series or sequence, n_samples of them
        The quotes of each row, or the `answer` column of a predictor's answers (JSON with
        `evidence`); None where there is no answer.
    X : DataFrame of shape (n_samples, n_features)
        The rows, as they were shown to the model.
    labels
        What each column is called in the prompt.

    Raises
    ------
    PredictorError
        When there are not as many answers as rows, or an answer is neither quotes nor JSON.
    PromptError
        When no column of `X` has a label.

    Examples
    --------
    >>> X = pd.DataFrame({"visits": [9], "note": ["We want to  BUY before May."]})
    >>> said = [["want to buy", "visits: 9", "has cash"]]
    >>> found = check_evidence(said, X, {"visits": "Visits", "note": "Message"})
    >>> [(q.verbatim, q.where) for q in found.quotes]
    [(True, 'message'), (True, 'lead'), (False, '')]
    """
    if len(answers) != len(X):
        raise PredictorError(
            f"{len(answers)} answers for {len(X)} rows",
            expected="one a row",
            fix="pass the rows that were asked about",
        )
    texts = lead_texts(X, labels, text_columns=[c for c in text_columns(X) if c in labels])
    found = []
    for text, answer in zip(texts, answers, strict=True):
        places = {"lead": _plain(text.lead), "message": _plain(text.message)}
        for quote in _quotes(answer):
            where = next((n for n, place in places.items() if _stands_in(quote, place)), "")
            found.append(Quote(text.example_id, quote, bool(where), where))
    return EvidenceCheck(tuple(found), len(X))


def _quotes(answer: Any) -> list[str]:
    if isinstance(answer, list | tuple):
        return [str(quote) for quote in answer]
    if answer is None or pd.isna(answer):
        return []
    try:
        read = json.loads(answer)
        return [str(quote) for quote in read["evidence"]]
    except (ValueError, KeyError, TypeError):
        raise PredictorError(
            "an answer is neither a list of quotes nor JSON with `evidence`",
            expected="quotes, or the `answer` column of a predictor's answers",
            fix="pass one of them",
        ) from None


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _stands_in(quote: str, place: str) -> bool:
    pieces = [piece.strip(_MARKS) for piece in _ELLIPSIS.split(_plain(quote))]
    pieces = [piece for piece in pieces if piece]
    at = 0
    for piece in pieces:
        # A piece must begin and end at the end of a word: "art" is no quote of "apartment".
        match = re.compile(rf"(?<!\w){re.escape(piece)}(?!\w)").search(place, at)
        if match is None:
            # Scripts without gaps between words have no such ends.
            start = -1 if piece.isascii() else place.find(piece, at)
            if start < 0:
                return False
            at = start + len(piece)
        else:
            at = match.end()
    return bool(pieces)
