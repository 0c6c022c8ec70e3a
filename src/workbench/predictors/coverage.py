"""How often prediction sets held the truth, slice by slice."""

from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from workbench.errors import PredictorError
from workbench.stats import proportion_interval

__all__ = ["SliceCoverage", "coverage_by_slice"]

_COLUMNS = (
    "slice", "value", "n", "coverage", "ci_lower", "ci_upper", "mean_size", "single_share",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class SliceCoverage:
    """Realised coverage of prediction sets.

    Attributes
    ----------
    confidence_level
        What the sets promised.
    rows
        One row a value of a slice, "all" and each class first: how many examples, the share whose
        set held the truth with its Wilson interval, the mean size of a set, and the share of sets
        with a single label.
    """

    confidence_level: float
    rows: pd.DataFrame

    def to_frame(self) -> pd.DataFrame:
        """The table, a copy."""
        return self.rows.copy()

    def below(self) -> pd.DataFrame:
        """Slices whose whole interval lies below what was promised."""
        return self.rows[self.rows["ci_upper"] < self.confidence_level].reset_index(drop=True)

    def _repr_html_(self) -> str:
        head = f"Prediction sets at {self.confidence_level:.0%}: how often they held the truth"
        shares = ("coverage", "ci_lower", "ci_upper", "single_share")
        table = self.rows.to_html(
            index=False,
            formatters=dict.fromkeys(shares, "{:.1%}".format) | {"mean_size": "{:.2f}".format},
        )
        return f"<div><b>{escape(head)}</b>{table}</div>"


def coverage_by_slice(
    sets: NDArray[np.bool_],
    y: ArrayLike,
    slices: pd.DataFrame | None = None,
    *,
    classes: ArrayLike,
    confidence_level: float = 0.9,
) -> SliceCoverage:
    """See whether prediction sets held the truth as often as promised, everywhere.

    Parameters
    ----------
    sets : ndarray of shape (n_samples, n_classes)
        As `ConformalClassifier.predict_set` gives them.
    y : array-like of shape (n_samples,)
        What happened.
    slices : DataFrame of shape (n_samples, n_slices), optional
        Columns whose values to look at separately.
    classes : array-like of shape (n_classes,)
        Label of each column of `sets`.
    confidence_level
        What the sets promised; the intervals are 95 % ones.

    Returns
    -------
    SliceCoverage

    Raises
    ------
    PredictorError
        When lengths differ, there are no rows, or a label is not among `classes`.

    Examples
    --------
    >>> sets = np.array([[True, False], [True, True], [False, True], [True, False]])
    >>> found = coverage_by_slice(sets, [0, 1, 1, 1], classes=[0, 1], confidence_level=0.7)
    >>> found.to_frame()[["value", "n", "coverage"]].values.tolist()
    [['all', 4, 0.75], ['0', 1, 1.0], ['1', 3, 0.6666666666666666]]
    """
    names, labels = np.asarray(classes), np.asarray(y)
    if (
        not len(labels)
        or sets.shape != (len(labels), len(names))
        or (slices is not None and len(slices) != len(labels))
    ):
        raise PredictorError(
            f"{len(labels)} labels, sets of shape {sets.shape}, {len(names)} classes"
            + ("" if slices is None else f", {len(slices)} rows of slices"),
            expected="as many rows everywhere, at least one, and a column a class",
            fix="pass the same rows to all",
        )
    hits = labels[:, None] == names[None, :]
    if not hits.any(axis=1).all():
        raise PredictorError(
            "a label is not among the classes", expected=f"{names.tolist()}", fix="pass classes_"
        )
    covered = sets[hits]
    parts: list[tuple[str, str, NDArray[np.bool_]]] = [("", "all", np.ones(len(labels), bool))]
    parts += [("class", str(name), hits[:, at]) for at, name in enumerate(names)]
    for column in [] if slices is None else slices.columns:
        values = slices[column].astype(object) if slices is not None else pd.Series()
        text = values.where(values.notna(), "missing").astype(str).to_numpy()
        parts += [(str(column), value, text == value) for value in sorted(set(text))]
    rows = [_row(name, value, part, covered, sets) for name, value, part in parts if part.any()]
    return SliceCoverage(confidence_level, pd.DataFrame(rows, columns=list(_COLUMNS)))


def _row(
    name: str, value: str, part: NDArray[np.bool_], covered: NDArray[np.bool_], sets: Any
) -> tuple[Any, ...]:
    n, held = int(part.sum()), int(covered[part].sum())
    interval = proportion_interval(held, n)
    size = sets[part].sum(axis=1)
    return (
        name, value, n, held / n, interval.ci_lower, interval.ci_upper,
        float(size.mean()), float((size == 1).mean()),
    )  # fmt: skip
