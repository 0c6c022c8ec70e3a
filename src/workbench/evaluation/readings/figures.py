"""From records of readers to what scores read, and to figures with intervals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from workbench.data import AskedField
from workbench.errors import EvaluationError
from workbench.evaluation.measured import Figure, Measured, measure
from workbench.evaluation.readings.records import PROBA, TRUTH, VALUE, decoded
from workbench.scorers import READING_SCORES, FieldAnswers, metric

__all__ = ["Grid", "check_metrics", "grid_of", "measure_grid"]


@dataclass(frozen=True, eq=False)
class Grid:
    """Answers of several arms laid side by side: one row an example and repeat.

    Parameters
    ----------
    rows : DataFrame
        Of the first arm: example, group, slices.
    answers
        By arm and field.
    groups : ndarray of shape (n_rows,) or None
        Rows that are not independent.
    """

    rows: pd.DataFrame
    answers: Mapping[tuple[str, str], FieldAnswers]
    groups: NDArray[Any] | None


def check_metrics(names: Sequence[str], fields: Sequence[AskedField]) -> None:
    """Check that metrics fit the fields they are about.

    Parameters
    ----------
    names
        ``<field>/<metric>``.
    fields
        What is asked.

    Raises
    ------
    EvaluationError
        When there is no such field or metric, or it is for another kind of field.
    """
    kinds = {asked.name: asked.kind for asked in fields}
    for name in names:
        metric(name)
        field, _, score = name.rpartition("/")
        if field not in kinds:
            raise EvaluationError(
                f"metric {name!r} is about the field {field!r}",
                expected=f"one of the fields {', '.join(kinds)} before the stroke",
                fix="correct the name",
            )
        if kinds[field] not in READING_SCORES[score].kinds:
            fitting = [s for s, found in READING_SCORES.items() if kinds[field] in found.kinds]
            raise EvaluationError(
                f"metric {name!r} is not for fields of kind {kinds[field]!r}",
                expected=f"one of {', '.join(fitting)}",
                fix="name one of them",
            )


def grid_of(
    records: pd.DataFrame,
    arms: Sequence[str],
    fields: Sequence[AskedField],
    texts: Mapping[str, str] | None = None,
) -> Grid:
    """Lay the records of several arms side by side.

    An arm answered once is laid beside each repeat of the others. With repeats, the answers for
    one example belong together and form a group unless the data has groups already.

    Parameters
    ----------
    records : DataFrame
        As `evaluate_readings` makes them.
    arms
        The arms wanted.
    fields
        What was asked.
    texts
        Texts by example, for checks of generated text.

    Raises
    ------
    EvaluationError
        When the arms did not answer about the same examples, or one was answered by different
        origins.
    """
    chosen = records[records["arm"].isin(arms)]
    n_repeats = int(chosen["repeat"].max()) + 1
    first: pd.DataFrame | None = None
    answers: dict[tuple[str, str], FieldAnswers] = {}
    for arm in arms:
        rows = chosen[chosen["arm"] == arm].sort_values(["repeat", "example_id"], kind="stable")
        origins = sorted(rows["origin"].dropna().unique())
        if len(origins) > 1:
            raise EvaluationError(
                f"the answers of arm {arm!r} come from different origins: {origins}",
                expected="one origin in an estimate",
                fix="evaluate each origin in its own run",
            )
        once = int(rows["repeat"].max()) == 0
        wide = pd.concat([rows] * n_repeats) if once else rows
        if first is None:
            first = wide
        elif not np.array_equal(first["example_id"].to_numpy(), wide["example_id"].to_numpy()):
            raise EvaluationError(
                f"arms {arms[0]!r} and {arm!r} did not answer about the same examples",
                expected="one record an example and repeat in every arm",
                fix="evaluate both arms in one run",
            )
        for asked in fields:
            answers[arm, asked.name] = _answers(wide, asked, texts)
    if first is None:
        raise EvaluationError("no arms", expected="at least one arm", fix="name the arms")
    groups = None
    if first["group"].notna().any():
        groups = first["group"].to_numpy()
    elif n_repeats > 1:
        groups = first["example_id"].to_numpy()
    return Grid(first, answers, groups)


def _answers(
    rows: pd.DataFrame, asked: AskedField, texts: Mapping[str, str] | None
) -> FieldAnswers:
    proba = None
    column = f"{PROBA}{asked.name}"
    if column in rows and rows[column].notna().any():
        blank = np.full(len(asked.values), np.nan)
        parts = [blank if _absent(p) else np.asarray(p, dtype=np.float64) for p in rows[column]]
        proba = np.vstack(parts)
    quotes = None
    if "evidence" in rows:
        quoting = AskedField(name="evidence", meaning="Evidence", kind="text")
        quotes = [decoded(q, quoting) for q in rows["evidence"]]
    return FieldAnswers(
        asked=asked,
        truth=[decoded(v, asked) for v in rows[f"{TRUTH}{asked.name}"]],
        values=[decoded(v, asked) for v in rows[f"{VALUE}{asked.name}"]],
        proba=proba,
        evidence=quotes,
        texts=None if texts is None else [texts.get(e, "") for e in rows["example_id"]],
    )


def _absent(proba: Any) -> bool:
    return proba is None or (isinstance(proba, float) and np.isnan(proba))


def measure_grid(
    grid: Grid,
    arms: Sequence[str],
    names: Sequence[str],
    *,
    baseline: str,
    simulated: Sequence[str],
    n_resamples: int,
    confidence_level: float,
    random_state: int,
) -> Measured:
    """Measure arms by metrics of fields, paired, over whole groups.

    Parameters
    ----------
    grid
        As `grid_of` made it.
    arms, names
        Arms and metrics.
    baseline, simulated, n_resamples, confidence_level, random_state
        As for `measure`.
    """

    def figure(name: str) -> Figure:
        field, _, score = name.rpartition("/")
        make = READING_SCORES[score].make
        return Figure(metric(name), lambda arm: make(grid.answers[arm, field]))

    figures = [figure(name) for name in names]
    found = measure(
        {arm: arm for arm in arms},
        figures,
        n=len(grid.rows),
        baseline=baseline,
        groups=grid.groups,
        simulated=[arm for arm in simulated if arm in arms],
        n_resamples=n_resamples,
        confidence_level=confidence_level,
        random_state=random_state,
    )
    # Repeats are more rows, not more examples.
    n = int(grid.rows["example_id"].nunique())
    return replace(
        found,
        estimates={key: e._replace(n=n) for key, e in found.estimates.items()},
        differences={key: d._replace(n=n) for key, d in found.differences.items()},
    )
