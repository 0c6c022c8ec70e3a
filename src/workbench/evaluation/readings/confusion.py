"""What an arm mistakes for what: confusions of values, and outcomes of labels and slots."""

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from workbench.data import AskedField, Corpus
from workbench.errors import EvaluationError
from workbench.evaluation.readings.evaluation import ReadingEvaluation
from workbench.evaluation.readings.example_texts import (
    ArmAnswers,
    Examples,
    arm_answers,
    corpus_texts,
    field_of,
)
from workbench.scorers.slots import SlotMatching, slot_counts

__all__ = ["NOTHING", "Confusion", "Outcomes", "confusion"]

NOTHING = "nothing answered"
"""The column of texts about which an arm said nothing: an abstention, or an error."""

# As the metrics of slots compare amounts.
_AMOUNTS = SlotMatching(relative_tolerance=0.01)
_LARGEST, _SHOWN, _WIDEST = 10, 5, 24
_LABEL_OUTCOMES = ("right", "made up", "missed")
_SLOT_OUTCOMES = ("right", "wrong", "missed", "made up", "abstained")


class _WithTexts:
    """What both displays do with the texts behind a number."""

    texts: Mapping[str, str] | None
    rows: pd.DataFrame

    def _of(self, chosen: "pd.Series[bool]", n: int, told: Sequence[str]) -> Examples:
        if self.texts is None:
            raise EvaluationError(
                "this evaluation holds no texts",
                expected="the texts of its examples; a saved evaluation keeps none",
                fix="pass corpus= to confusion, with the rows of the run",
            )
        rows = self.rows[chosen].drop_duplicates("example_id")
        shown = {c: rows[c].tolist() for c in told}
        return Examples.of(rows["example_id"].tolist(), self.texts, shown, n)

    def _details(self, title: str, chosen: "pd.Series[bool]", told: Sequence[str]) -> str:
        if self.texts is None:
            return f"<li>{title}</li>"
        shown = self._of(chosen, _SHOWN, told)._repr_html_()
        return f"<li><details><summary>{title}</summary>{shown}</details></li>"


@dataclass(frozen=True, eq=False, repr=False)
class Confusion(_WithTexts):
    """Values answered beside true ones, of a field of kind label or level.

    Parameters
    ----------
    arm, field
        How people read the arm's name; the field.
    values
        Of the field, in its order.
    rows : DataFrame
        One row an answer: example_id, true, answered.
    texts
        By example; None where they are not known.

    Examples
    --------
    >>> rows = pd.DataFrame({"example_id": ["1", "2"], "true": "a", "answered": ["a", "b"]})
    >>> Confusion("mine", "mood", ("a", "b"), rows).to_frame()
      true answered  n  share_of_true  share_of_errors
    0    a        b  1            0.5              1.0
    """

    arm: str
    field: str
    values: tuple[str, ...]
    rows: pd.DataFrame
    texts: Mapping[str, str] | None = None

    @property
    def matrix(self) -> pd.DataFrame:
        """Answers counted: a row a true value, a column an answered one, the last for nothing."""
        counted = pd.crosstab(self.rows["true"], self.rows["answered"])
        return counted.reindex(index=self.values, columns=[*self.values, NOTHING], fill_value=0)

    def to_frame(self) -> pd.DataFrame:
        """Every confusion that occurs, the most frequent first.

        Returns
        -------
        DataFrame
            Columns true, answered, n, share_of_true (of the texts with that true value),
            share_of_errors (of all wrong answers).
        """
        stacked = self.matrix.stack()
        stacked.index.names = ["true", "answered"]
        found = stacked.rename("n").reset_index()
        found = found[(found["n"] > 0) & (found["true"] != found["answered"])]
        of_true = self.rows["true"].value_counts()
        return found.assign(
            # Without any error there is nothing to divide, and no dtype to rely on.
            share_of_true=found["n"] / found["true"].map(of_true).astype(np.float64),
            share_of_errors=found["n"] / max(1, int(found["n"].sum())),
        ).sort_values("n", ascending=False, kind="stable", ignore_index=True)

    def examples(self, true: str, answered: str | None, n: int = 5) -> Examples:
        """Show texts behind one cell, sealed.

        Parameters
        ----------
        true, answered
            The cell; None for nothing answered.
        n
            How many.

        Raises
        ------
        EvaluationError
            When there is no such value, or no texts are known.
        """
        column = answered or NOTHING
        for value in (true, column):
            if value not in (*self.values, NOTHING):
                raise EvaluationError(
                    f"no value {value!r} of field {self.field!r}",
                    expected=f"one of {', '.join(self.values[:12])}",
                    fix="name one of them",
                )
        chosen = (self.rows["true"] == true) & (self.rows["answered"] == column)
        return self._of(chosen, n, ("true", "answered"))

    def _repr_html_(self) -> str:
        largest, n_wrong = self.to_frame(), int((self.rows["true"] != self.rows["answered"]).sum())
        items = "".join(
            self._details(
                f"<b>{html.escape(row.true)}</b> read as <b>{html.escape(row.answered)}</b>: "
                f"{row.n:,} ({row.share_of_true:.0%} of them, {row.share_of_errors:.0%} of all "
                "errors)",
                (self.rows["true"] == row.true) & (self.rows["answered"] == row.answered),
                (),
            )
            for row in largest.head(_LARGEST).itertuples()
        )
        more = max(0, len(largest) - _LARGEST)
        return (
            f"<p><b>{html.escape(self.arm)}</b>, {html.escape(self.field.replace('_', ' '))}: "
            f"{n_wrong:,} of {len(self.rows):,} answers wrong, in {len(largest):,} ways.</p>"
            f"<ul class='rules'>{items}</ul>"
            + (f"<p><small>and {more:,} rarer confusions</small></p>" if more else "")
            + self._matrix_html()
        )

    def _matrix_html(self) -> str:
        matrix = self.matrix
        matrix = matrix.loc[matrix.sum(axis=1) > 0, (matrix.sum() > 0).to_numpy()]
        if max(matrix.shape) > _WIDEST:
            return ""
        share = matrix.div(matrix.sum(axis=1), axis=0)
        head = "".join(f"<th>{html.escape(c)}</th>" for c in matrix.columns)
        body = ""
        for true, counts in matrix.iterrows():
            cells = "".join(
                f"<td style='background:rgba({'22,101,52' if c == true else '185,28,28'},"
                f"{0.5 * share.loc[true, c]:.2f})'>{n if n else ''}</td>"
                for c, n in counts.items()
            )
            body += f"<tr><th scope='row'>{html.escape(str(true))}</th>{cells}</tr>"
        return (
            "<details><summary>Whole matrix: rows true, columns answered</summary>"
            f"<div class='scroll'><table class='wb narrow'><thead><tr><th></th>{head}</tr></thead>"
            f"<tbody>{body}</tbody></table></div></details>"
        )


@dataclass(frozen=True, eq=False, repr=False)
class Outcomes(_WithTexts):
    """What became of each label of a set, or of each slot of a sheet.

    Parameters
    ----------
    arm, field
        How people read the arm's name; the field.
    items
        Labels or slots, in the field's order.
    outcomes
        What can become of one: right (a true positive), made up (a false positive), missed (a
        false negative); of slots also wrong and abstained.
    rows : DataFrame
        One row an answer and item that is true or was answered: example_id, item, outcome,
        is_true, true, answered.
    texts
        By example; None where they are not known.
    """

    arm: str
    field: str
    items: tuple[str, ...]
    outcomes: tuple[str, ...]
    rows: pd.DataFrame
    texts: Mapping[str, str] | None = None

    def to_frame(self) -> pd.DataFrame:
        """Count outcomes by item.

        Returns
        -------
        DataFrame
            Columns item, one an outcome, n_true, precision and recall (NaN where nothing was
            answered or is true).
        """
        counted = pd.crosstab(self.rows["item"], self.rows["outcome"])
        counted = counted.reindex(index=self.items, columns=list(self.outcomes), fill_value=0)
        wrong = counted.get("wrong", 0 * counted["made up"])
        true = self.rows[self.rows["is_true"]]["item"].value_counts()
        n_true = true.reindex(counted.index, fill_value=0)
        answered = counted["right"] + wrong + counted["made up"]
        return (
            counted.assign(
                n_true=n_true,
                precision=counted["right"] / answered.where(answered > 0),
                recall=counted["right"] / n_true.where(n_true > 0),
            )
            .reset_index(names="item")
            .rename_axis(columns=None)
        )

    def examples(self, item: str, outcome: str, n: int = 5) -> Examples:
        """Show texts behind one count, sealed.

        Parameters
        ----------
        item, outcome
            The count.
        n
            How many.

        Raises
        ------
        EvaluationError
            When there is no such item or outcome, or no texts are known.
        """
        for value, known in ((item, self.items), (outcome, self.outcomes)):
            if value not in known:
                raise EvaluationError(
                    f"nothing is called {value!r} in field {self.field!r}",
                    expected=f"one of {', '.join(known[:12])}",
                    fix="name one of them",
                )
        chosen = (self.rows["item"] == item) & (self.rows["outcome"] == outcome)
        return self._of(chosen, n, ("true", "answered"))

    def _repr_html_(self) -> str:
        frame = self.to_frame()
        head = "".join(f"<th>{html.escape(c.replace('_', ' '))}</th>" for c in frame.columns)
        body = ""
        for row in frame.itertuples(index=False):
            counts = "".join(f"<td>{n:,}</td>" for n in row[1 : len(self.outcomes) + 2])
            shares = "".join("<td>–</td>" if np.isnan(v) else f"<td>{v:.0%}</td>" for v in row[-2:])
            body += f"<tr><th scope='row'>{html.escape(row[0])}</th>{counts}{shares}</tr>"
        wrong = self.rows[self.rows["outcome"] != "right"]
        largest = wrong.groupby(["item", "outcome"]).size().sort_values(ascending=False)
        items = "".join(
            self._details(
                f"<b>{html.escape(item)}</b> {html.escape(outcome)}: {n:,}",
                (self.rows["item"] == item) & (self.rows["outcome"] == outcome),
                ("true", "answered"),
            )
            for (item, outcome), n in largest.head(_LARGEST).items()
        )
        return (
            f"<p><b>{html.escape(self.arm)}</b>, {html.escape(self.field.replace('_', ' '))}.</p>"
            f"<div class='scroll'><table class='wb narrow'><thead><tr>{head}</tr></thead><tbody>"
            f"{body}</tbody></table></div><ul class='rules'>{items}</ul>"
        )


def confusion(
    evaluation: ReadingEvaluation,
    arm: str,
    field: str | None = None,
    *,
    corpus: Corpus | None = None,
) -> Confusion | Outcomes:
    """Say what an arm mistakes for what, with the texts behind every number.

    Answers of every repeat are counted; rows whose truth nobody knows are not.

    Parameters
    ----------
    evaluation
        The evaluation.
    arm
        One of its arms.
    field
        One of its fields, of kind label, level, labels or slots; that of the primary metric by
        default.
    corpus
        Where the texts are, once the evaluation was loaded from a folder.

    Returns
    -------
    Confusion or Outcomes
        The first for labels and levels, the second for sets of labels and for slots.

    Raises
    ------
    EvaluationError
        When there is no such arm or field, or it is of another kind.
    """
    asked = field_of(evaluation, field)
    if asked.kind not in ("label", "level", "labels", "slots"):
        raise EvaluationError(
            f"field {asked.name!r} is of kind {asked.kind}",
            expected="a field of kind label, level, labels or slots",
            fix="name another field",
        )
    given = arm_answers(evaluation, arm, asked)
    held = evaluation.texts is not None or corpus is not None
    texts = corpus_texts(evaluation, corpus) if held else None
    label = evaluation.arm(arm).label
    if asked.kind in ("label", "level"):
        rows = pd.DataFrame(
            {
                "example_id": given.rows["example_id"].to_numpy(),
                "true": list(given.answers.truth),
                "answered": [NOTHING if v is None else v for v in given.answers.values],
            }
        )
        return Confusion(label, asked.name, asked.values, rows, texts)
    by_label = asked.kind == "labels"
    rows = _label_rows(given) if by_label else _slot_rows(given, asked)
    items = asked.values if by_label else tuple(slot.name for slot in asked.slots)
    outcomes = _LABEL_OUTCOMES if by_label else _SLOT_OUTCOMES
    return Outcomes(label, asked.name, items, outcomes, rows, texts)


_COLUMNS = ["example_id", "item", "outcome", "is_true", "true", "answered"]


def _label_rows(given: ArmAnswers) -> pd.DataFrame:
    rows: list[tuple[Any, ...]] = []
    for example_id, true, said in zip(
        given.rows["example_id"], given.answers.truth, given.answers.values, strict=True
    ):
        answered = said or ()
        for item in dict.fromkeys([*true, *answered]):
            outcome = "missed" if item not in answered else "right" if item in true else "made up"
            rows.append((example_id, item, outcome, item in true, true, said))
    return pd.DataFrame(rows, columns=_COLUMNS)


def _slot_rows(given: ArmAnswers, asked: AskedField) -> pd.DataFrame:
    rows: list[tuple[Any, ...]] = []
    for example_id, true, said in zip(
        given.rows["example_id"], given.answers.truth, given.answers.values, strict=True
    ):
        for slot in asked.slots:
            counts = slot_counts([true], [said], matching=_AMOUNTS._replace(slots=(slot.name,)))
            became = (counts.right, counts.wrong, counts.missed, counts.made_up, counts.abstained)
            for outcome, count in zip(_SLOT_OUTCOMES, became, strict=True):
                if count[0]:
                    said_here = None if said is None else said.get(slot.name)
                    is_true = true.get(slot.name) is not None
                    shown = (true.get(slot.name), said_here)
                    rows.append((example_id, slot.name, outcome, is_true, *shown))
    return pd.DataFrame(rows, columns=_COLUMNS)
