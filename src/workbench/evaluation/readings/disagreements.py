"""Where two arms answer differently, and which of them is right."""

import html
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd

from workbench.data import AskedField, Corpus
from workbench.errors import EvaluationError
from workbench.evaluation.readings.evaluation import ReadingEvaluation
from workbench.evaluation.readings.example_texts import (
    Examples,
    arm_answers,
    corpus_texts,
    field_of,
)
from workbench.evaluation.records import SLICE_PREFIX
from workbench.stats import Difference, McNemar, mcnemar, paired_difference

__all__ = ["Disagreements", "WhichExamples", "disagreements"]

WhichExamples = Literal["differ", "a_right", "b_right", "both_wrong"]
"""Other answers; only the first arm right; only the second; neither."""


@dataclass(frozen=True, eq=False, repr=False)
class Disagreements:
    """Two arms on the same texts.

    Parameters
    ----------
    a, b, field
        How people read the arms' names; the field.
    rows : DataFrame
        One row an answer among those looked at: example_id, true, a, b, a_right, b_right, differ.
    difference
        Share a answers right minus share b does, paired.
    test
        McNemar's exact test; None where rows are not independent: see the difference there.
    only
        Which examples are shown.
    texts
        By example; None where they are not known.
    """

    a: str
    b: str
    field: str
    rows: pd.DataFrame
    difference: Difference
    test: McNemar | None
    only: WhichExamples
    texts: Mapping[str, str] | None = None

    @property
    def counts(self) -> pd.DataFrame:
        """Two by two: a right or wrong in rows, b in columns."""
        found = pd.crosstab(self.rows["a_right"], self.rows["b_right"])
        found = found.reindex(index=[True, False], columns=[True, False], fill_value=0)
        found.index = pd.Index([f"{self.a} right", f"{self.a} wrong"])
        found.columns = pd.Index([f"{self.b} right", f"{self.b} wrong"])
        return found

    def to_frame(self) -> pd.DataFrame:
        """The answers chosen by `only`: example_id, true, a, b, a_right, b_right."""
        a, b = self.rows["a_right"], self.rows["b_right"]
        chosen = {
            "differ": self.rows["differ"],
            "a_right": a & ~b,
            "b_right": b & ~a,
            "both_wrong": ~a & ~b,
        }[self.only]
        return self.rows[chosen].drop(columns="differ").reset_index(drop=True)

    def examples(self, n: int = 10) -> Examples:
        """Show the texts of the answers chosen by `only`, sealed.

        Raises
        ------
        EvaluationError
            When no texts are known.
        """
        if self.texts is None:
            raise EvaluationError(
                "this evaluation holds no texts",
                expected="the texts of its examples; a saved evaluation keeps none",
                fix="pass corpus= to disagreements, with the rows of the run",
            )
        shown = self.to_frame().drop_duplicates("example_id")
        told = {
            "true": shown["true"].tolist(),
            self.a: shown["a"].tolist(),
            self.b: shown["b"].tolist(),
        }
        return Examples.of(shown["example_id"].tolist(), self.texts, told, n)

    def _repr_html_(self) -> str:
        counts, d = self.counts, self.difference
        head = "".join(f"<th>{html.escape(c)}</th>" for c in counts.columns)
        body = "".join(
            f"<tr><th scope='row'>{html.escape(str(name))}</th>"
            + "".join(f"<td>{n:,}</td>" for n in row)
            + "</tr>"
            for name, row in zip(counts.index, counts.to_numpy(), strict=True)
        )
        bounds = (d.difference, d.ci_lower, d.ci_upper)
        mean, low, high = (f"{100 * v:+.1f}".replace("-", "−") for v in bounds)
        p = d.pvalue if self.test is None else self.test.pvalue
        how = d.method if self.test is None else self.test.method
        shown = "" if self.texts is None else self.examples(8)._repr_html_()
        told = {
            "differ": "answers that differ",
            "a_right": f"only {self.a} right",
            "b_right": f"only {self.b} right",
            "both_wrong": "both wrong",
        }[self.only]
        return (
            f"<p><b>{html.escape(self.a)}</b> beside <b>{html.escape(self.b)}</b>, "
            f"{html.escape(self.field.replace('_', ' '))}: {mean} points [{low}, {high}], "
            f"p = {p:.2g} ({html.escape(how)}).</p><div class='scroll'><table class='wb'><thead>"
            f"<tr><th></th>{head}</tr></thead><tbody>{body}</tbody></table></div>"
            f"<p>{len(self.to_frame()):,} with {html.escape(told)}.</p>{shown}"
        )


def disagreements(
    evaluation: ReadingEvaluation,
    a: str,
    b: str,
    field: str | None = None,
    *,
    only: WhichExamples = "differ",
    where: Mapping[str, str] | None = None,
    contains: str | None = None,
    corpus: Corpus | None = None,
) -> Disagreements:
    """Compare two arms answer by answer.

    Parameters
    ----------
    evaluation
        The evaluation.
    a, b
        Two of its arms.
    field
        One of its fields; that of the primary metric by default.
    only
        Which examples are shown; counts and test are of all that `where` and `contains` leave.
    where
        Values of slices, by slice: only rows with these.
    contains
        Only texts with these words, in any case.
    corpus
        Where the texts are, once the evaluation was loaded from a folder.

    Raises
    ------
    EvaluationError
        When there is no such arm, field or slice, nothing is left, or texts are needed and not
        known.

    References
    ----------
    McNemar (1947), Psychometrika 12:153-157; see `workbench.stats.mcnemar`.
    """
    if only not in get_args(WhichExamples) or a == b:
        raise EvaluationError(
            f"only={only!r} of {a!r} and {b!r}",
            expected=f"two different arms, and one of {get_args(WhichExamples)}",
            fix="correct them",
        )
    asked = field_of(evaluation, field)
    held = evaluation.texts is not None or corpus is not None or contains is not None
    texts = corpus_texts(evaluation, corpus) if held else None
    sides = [_side(evaluation, arm, asked) for arm in (a, b)]
    both = sides[0].merge(sides[1], on=["example_id", "repeat"], suffixes=("_a", "_b"))
    keep = np.ones(len(both), dtype=bool)
    for name, value in (where or {}).items():
        column = f"{SLICE_PREFIX}{name}_a"
        if column not in both:
            known = [c for c in evaluation.records.columns if c.startswith(SLICE_PREFIX)]
            raise EvaluationError(
                f"no slice {name!r}",
                expected=f"one of {[c.removeprefix(SLICE_PREFIX) for c in known]}",
                fix="name one of them",
            )
        keep &= (both[column] == value).to_numpy()
    if contains is not None and texts is not None:
        words = contains.casefold()
        keep &= np.array([words in texts[i].casefold() for i in both["example_id"]], dtype=bool)
    both = both[keep]
    if len(both) < 2:
        raise EvaluationError(
            f"{len(both)} answers are left", expected="two or more", fix="widen the filter"
        )
    return _compared(evaluation, (a, b), asked.name, both, only, texts)


def _side(evaluation: ReadingEvaluation, arm: str, asked: AskedField) -> pd.DataFrame:
    """One arm's answers; an arm answered once stands beside each repeat of the other."""
    given = arm_answers(evaluation, arm, asked)
    slices = [c for c in given.rows.columns if c.startswith(SLICE_PREFIX)]
    frame = given.rows[["example_id", "repeat", "group", *slices]].reset_index(drop=True)
    frame = frame.assign(
        true=pd.Series(list(given.answers.truth), dtype=object),
        said=pd.Series(list(given.answers.values), dtype=object),
        right=given.right == 1,
    )
    n_repeats = int(evaluation.records["repeat"].max()) + 1
    if n_repeats > 1 and frame["group"].isna().all():
        # Answers to one text belong together.
        frame = frame.assign(group=frame["example_id"])
    if frame["repeat"].max() > 0:
        return frame
    return pd.concat([frame.assign(repeat=r) for r in range(n_repeats)], ignore_index=True)


def _compared(
    evaluation: ReadingEvaluation,
    arms: tuple[str, str],
    field: str,
    both: pd.DataFrame,
    only: WhichExamples,
    texts: Mapping[str, str] | None,
) -> Disagreements:
    rows = pd.DataFrame(
        {
            "example_id": both["example_id"],
            "true": both["true_a"],
            "a": both["said_a"],
            "b": both["said_b"],
            "a_right": both["right_a"],
            "b_right": both["right_b"],
            "differ": [x != y for x, y in zip(both["said_a"], both["said_b"], strict=True)],
        }
    ).reset_index(drop=True)
    groups = None
    if both["group_a"].notna().any():
        groups = both["group_a"].to_numpy()
    elif both["example_id"].duplicated().any():
        groups = both["example_id"].to_numpy()
    first, second = rows["a_right"], rows["b_right"]
    difference = paired_difference(
        first.astype(float),
        second.astype(float),
        groups=groups,
        confidence_level=evaluation.info.confidence_level,
    )
    test = None
    if groups is None:
        test = mcnemar(int((first & ~second).sum()), int((second & ~first).sum()))
    labels = [evaluation.arm(arm).label for arm in arms]
    return Disagreements(labels[0], labels[1], field, rows, difference, test, only, texts)
