"""Texts of examples as displays show them: sealed, cut to length, beside what was answered."""

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from workbench.data import AskedField, Corpus
from workbench.errors import EvaluationError
from workbench.evaluation.readings.evaluation import ReadingEvaluation
from workbench.evaluation.readings.figures import grid_of
from workbench.privacy import PrivacyGate
from workbench.privacy.tokens import TOKEN
from workbench.scorers import FieldAnswers, right_answers

__all__ = [
    "ArmAnswers",
    "Examples",
    "SealedText",
    "arm_answers",
    "corpus_texts",
    "field_of",
    "primary_field",
    "seal_text",
    "shown_value",
]

_SHOWN_CHARS = 400
_NAME = "[name:"
# Reports align cells right and keep them on one line; identifiers may be long.
_CELL = "text-align:left;white-space:normal;max-width:44em;overflow-wrap:anywhere;min-width:"


@dataclass(frozen=True)
class SealedText:
    """A text without identifiers, and the names that were in it.

    Parameters
    ----------
    text
        The text; `[email]`, `[phone]`, `[name]` … stand for what identified somebody.
    names
        Names that were taken out, for sealing what was said of the same text.
    """

    text: str
    names: tuple[str, ...] = field(default=(), repr=False)

    def seal(self, words: str) -> str:
        """Seal what was said of this text, such as a quote, which lacks what introduced a name."""
        return _plain(PrivacyGate().seal(words, known_names=self.names).text)


def seal_text(text: str, gate: PrivacyGate) -> SealedText:
    """Take identifiers out of a text that is to be shown.

    Parameters
    ----------
    text
        As the corpus has it.
    gate
        Finds them; its tokens are shortened to their kind, so that displays do not depend on a
        key.

    Examples
    --------
    >>> seal_text("Mail ann.lee@example.com, please", PrivacyGate()).text
    'Mail [email], please'
    """
    sealed = gate.seal(text)
    names = tuple(o for token, o in sealed.originals.items() if token.startswith(_NAME))
    return SealedText(_plain(sealed.text), names)


def _plain(text: str) -> str:
    return TOKEN.sub(lambda found: f"{found.group().partition(':')[0]}]", text)


def corpus_texts(evaluation: ReadingEvaluation, corpus: Corpus | None = None) -> Mapping[str, str]:
    """Give the texts an evaluation is about.

    Parameters
    ----------
    evaluation
        The evaluation.
    corpus
        Where its texts are, once it was loaded from a folder.

    Raises
    ------
    EvaluationError
        When there are no texts, or the corpus lacks some of the examples.
    """
    known = evaluation.texts
    if corpus is not None:
        known = dict(zip(corpus.X.index.astype(str), corpus.X["text"], strict=True))
    if known is None:
        raise EvaluationError(
            "this evaluation holds no texts",
            expected="the texts of its examples; a saved evaluation keeps none",
            fix=f"pass corpus=load_corpus({evaluation.info.dataset!r}, …) with the rows of the run",
        )
    missing = sorted(set(evaluation.records["example_id"]) - set(known))
    if missing:
        raise EvaluationError(
            f"the corpus lacks {len(missing):,} examples, such as {missing[0]!r}",
            expected=f"every example of the evaluation, of {evaluation.info.dataset!r}",
            fix="load the corpus with the same number of rows and the same random_state",
        )
    return known


def primary_field(evaluation: ReadingEvaluation) -> str:
    """Name the field of the primary metric."""
    return evaluation.info.metrics[0].rpartition("/")[0]


def field_of(evaluation: ReadingEvaluation, name: str | None) -> AskedField:
    """Find a field; that of the primary metric when none is named.

    Raises
    ------
    EvaluationError
        When there is none of that name.
    """
    wanted = name or primary_field(evaluation)
    for asked in evaluation.fields:
        if asked.name == wanted:
            return asked
    raise EvaluationError(
        f"no field {wanted!r}",
        expected=f"one of {', '.join(f.name for f in evaluation.fields)}",
        fix="name one of them",
    )


class ArmAnswers(NamedTuple):
    """One arm's answers to one field, rows whose truth is known.

    Attributes
    ----------
    rows : DataFrame
        Records of the rows.
    answers
        Beside what is true.
    right : ndarray of shape (n_rows,)
        1 where the answer is right as a whole.
    groups : ndarray of shape (n_rows,) or None
        Rows that are not independent.
    """

    rows: pd.DataFrame
    answers: FieldAnswers
    right: NDArray[np.float64]
    groups: NDArray[Any] | None


def arm_answers(evaluation: ReadingEvaluation, arm: str, asked: AskedField) -> ArmAnswers:
    """Give one arm's answers to one field.

    Parameters
    ----------
    evaluation, arm, asked
        The evaluation, one of its arms, one of its fields.

    Raises
    ------
    EvaluationError
        When there is no such arm, a text is no right or wrong answer, or no truth is known.
    """
    name = evaluation.arm(arm).name
    if asked.kind == "text":
        raise EvaluationError(
            f"field {asked.name!r} is a generated text, neither right nor wrong",
            expected="a field of another kind",
            fix="judge texts with workbench.evaluation.judge",
        )
    grid = grid_of(evaluation.records, [name], [asked])
    at, known = grid.answers[name, asked.name].known()
    if not len(at):
        raise EvaluationError(
            f"nobody knows the truth of field {asked.name!r}",
            expected="at least one example with a true value",
            fix="name another field",
        )
    groups = None if grid.groups is None else grid.groups[at]
    return ArmAnswers(grid.rows.iloc[at], known, right_answers(known), groups)


def shown_value(value: object) -> str:
    """Write a true or an answered value for people.

    Examples
    --------
    >>> shown_value(("a", "b")), shown_value(None), shown_value({"beds": 3.0})
    ('a, b', 'nothing answered', 'beds: 3')
    """
    if value is None:
        return "nothing answered"
    if isinstance(value, Mapping):
        return "; ".join(f"{k}: {shown_value(v)}" for k, v in value.items()) or "none"
    if isinstance(value, tuple | list):
        return ", ".join(shown_value(v) for v in value) or "none"
    return f"{value:.10g}" if isinstance(value, float) else str(value)


@dataclass(frozen=True, eq=False)
class Examples:
    """Some examples with their sealed texts; shows itself as a table.

    Parameters
    ----------
    frame : DataFrame
        A row an example: `example_id`, `text` and what is said of it. All of it is sealed.
    n_found
        How many there are, shown or not.
    """

    frame: pd.DataFrame
    n_found: int

    @classmethod
    def of(
        cls,
        ids: Sequence[str],
        texts: Mapping[str, str],
        told: Mapping[str, Sequence[object]],
        n: int,
    ) -> "Examples":
        """Seal the first `n` examples.

        Parameters
        ----------
        ids
            Of the examples.
        texts
            By example.
        told
            What is said of each, by column.
        n
            How many are kept.
        """
        gate, rows = PrivacyGate(), []
        for i, example_id in enumerate(ids[:n]):
            sealed = seal_text(texts[example_id], gate)
            rows.append(
                {"example_id": example_id, "text": sealed.text}
                | {name: sealed.seal(shown_value(values[i])) for name, values in told.items()}
            )
        return cls(pd.DataFrame(rows, columns=["example_id", "text", *told]), len(ids))

    def __len__(self) -> int:
        return len(self.frame)

    def to_frame(self) -> pd.DataFrame:
        """One row an example, sealed."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        if not len(self.frame):
            return "<p>No such example.</p>"
        told = [c for c in self.frame.columns if c not in ("example_id", "text")]
        head = "".join(
            f"<th style='text-align:left'>{html.escape(c)}</th>" for c in ["text", *told]
        )
        body = ""
        for row in self.frame.to_dict(orient="records"):
            text = row["text"]
            shown = text if len(text) <= _SHOWN_CHARS else f"{text[:_SHOWN_CHARS]}…"
            cells = [f"<td style='{_CELL}16em' title='{html.escape(row['example_id'])}'>"
                     f"{html.escape(shown)}</td>"]  # fmt: skip
            cells += [f"<td style='{_CELL}9em'>{_breakable(row[c])}</td>" for c in told]
            body += f"<tr>{''.join(cells)}</tr>"
        more = self.n_found - len(self.frame)
        left = f"<p><small>{more:,} more</small></p>" if more > 0 else ""
        return (
            f"<div class='scroll'><table class='wb'><thead><tr>{head}</tr></thead>"
            f"<tbody>{body}</tbody></table></div>{left}"
        )


def _breakable(value: object) -> str:
    """Anything as HTML; long identifiers may break where they are joined."""
    return html.escape(str(value)).replace("_", "_<wbr>")
