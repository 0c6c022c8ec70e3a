"""Drift: which columns, scores and labels are no longer what they were, and what could be seen."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from workbench.errors import DataError
from workbench.monitoring.coding import (
    LOST,
    CodedColumn,
    Skipped,
    code_column,
    code_columns,
    units_of,
)
from workbench.monitoring.detectable import (
    minimum_mean_change,
    minimum_mean_shift,
    minimum_rate_change,
)
from workbench.monitoring.drift_html import drift_html
from workbench.monitoring.permuting import (
    PILOT,
    calibrate,
    chi_square,
    kolmogorov_smirnov,
    means_squared_t,
    permuted_labels,
    population_stability,
    walk_counts,
    wasserstein,
)

__all__ = ["ColumnDrift", "DriftReport", "Role", "drift"]

Role: TypeAlias = Literal["input", "score", "label", "calibration"]
_NAIVE = ((0.1, "stable"), (0.25, "moderate"), (np.inf, "large"))
_SMALLEST = 20  # rows of a sample below which nothing can be said
_CLIP = 1e-6


@dataclass(frozen=True, slots=True)
class ColumnDrift:
    """What became of one column.

    Parameters
    ----------
    name, role
        The column; "calibration" rows are made from score and label together.
    statistic
        "ks" of a number, "chi2" of a category, "t2" (squared Welch t) of a mean.
    value, threshold
        Of the statistic, and what it must exceed for an alarm.
    pvalue
        Corrected for all columns.
    alarm
        Whether it drifted.
    change, unit
        How far: mean of a number in standard deviations of the reference ("sd"), largest change
        of a category's share ("share"), or change of a mean ("share", "slope").
    minimum_change
        Smallest change in that unit that would be seen with the report's power; infinite where
        none is.
    psi, naive
        Population stability index, and what the rule of .1 and .25 makes of it; None for means.
        The rule knows nothing of sample sizes: below a few hundred rows chance alone exceeds it.
    wasserstein_sd
        Distance that values moved, of a number.
    """

    name: str
    role: Role
    statistic: str
    value: float
    threshold: float
    pvalue: float
    alarm: bool
    change: float
    unit: str
    minimum_change: float
    psi: float | None = None
    naive: str | None = None
    wasserstein_sd: float | None = None


@dataclass(frozen=True)
class DriftReport:
    """Every column of two samples, held against what chance makes of them.

    Parameters
    ----------
    columns
        What became of each.
    alpha
        Chance that anything at all alarms where nothing changed.
    power
        Chance with which the minimum changes are seen.
    n_reference, n_current
        Rows.
    n_groups
        Groups of the two samples; None where rows are independent.
    n_permutations
        Permutations of the labels that the thresholds come from.
    skipped
        Columns not looked at.
    """

    columns: tuple[ColumnDrift, ...]
    alpha: float
    power: float
    n_reference: int
    n_current: int
    n_groups: tuple[int, int] | None
    n_permutations: int
    skipped: tuple[Skipped, ...] = ()

    @property
    def alarms(self) -> tuple[ColumnDrift, ...]:
        """Columns that drifted, the surest first."""
        return tuple(sorted((c for c in self.columns if c.alarm), key=lambda c: c.pvalue))

    @property
    def lost(self) -> tuple[str, ...]:
        """Columns of the reference the current table lacks: an alarm whatever the rest says."""
        return tuple(s.name for s in self.skipped if s.reason == LOST)

    def __getitem__(self, name: str) -> ColumnDrift:
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    def to_frame(self) -> pd.DataFrame:
        """One row a column."""
        return pd.DataFrame([asdict(column) for column in self.columns])

    def _repr_html_(self) -> str:
        return drift_html(self)


class _Means(NamedTuple):
    names: tuple[str, ...]
    units: tuple[str, ...]
    values: NDArray[np.float64]


def drift(
    reference: pd.DataFrame,
    current: pd.DataFrame,
    *,
    columns: Sequence[str] | None = None,
    score: str | None = None,
    label: str | None = None,
    groups: str | None = None,
    alpha: float = 0.05,
    power: float = 0.8,
    n_permutations: int = 499,
    random_state: int = 0,
) -> DriftReport:
    """Test whether two samples come from the same population, column by column.

    Numbers are compared by the Kolmogorov-Smirnov distance (over 100 quantiles of both samples
    together; a missing value counts as lower than any), categories by chi-square. With score
    and label, the base rate and the calibration of the score are looked at too. Thresholds come
    from permuting which rows are current, at the actual sizes, and hold for all columns together.

    Parameters
    ----------
    reference, current : DataFrame
        One row an example.
    columns
        Inputs to look at; by default all columns that can be compared, those named below aside.
    score
        Column of predicted probabilities.
    label
        Column of outcomes, 0 or 1.
    groups
        Column of what belongs together, such as a person: whole groups are permuted. A group in
        both samples counts once in each, which errs on the quiet side.
    alpha
        Chance that any column alarms where nothing changed.
    power
        Chance with which the minimum changes are to be seen.
    n_permutations
        At least 1/alpha − 1; 200 more set the scale of each statistic.
    random_state
        Seed.

    Returns
    -------
    DriftReport

    Raises
    ------
    DataError
        When a sample has fewer than 20 rows or groups, a named column is missing or unfit, a label
        is not 0 or 1, a score no probability, or an argument is out of range.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> def leads(n, mean):
    ...     source = rng.choice(["portal", "phone"], n)
    ...     return pd.DataFrame({"budget": rng.normal(mean, 1, n), "source": source})
    >>> before, after = leads(500, 0), leads(400, 1)
    >>> found = drift(before, after)
    >>> [column.name for column in found.alarms], round(found["budget"].minimum_change, 2)
    (['budget'], 0.27)
    """
    _check(reference, current, alpha, power, n_permutations)
    named = [name for name in (score, label, groups) if name is not None]
    if columns is None and named:
        kept = reference.drop(columns=named, errors="ignore")
        coded, skipped = code_columns(kept, current.drop(columns=named, errors="ignore"), None)
    else:
        coded, skipped = code_columns(reference, current, columns)
    for name, role in ((score, "score"), (label, "label")):
        if name is not None:
            coded.append(code_column(reference, current, name, role))
    means = _means(reference, current, score, label)
    if not coded:
        raise DataError(
            "there is no column to compare", expected="numbers or categories", fix="name some"
        )
    units, n_reference_units = units_of(
        None if groups is None else (_given(reference, groups), _given(current, groups)),
        len(reference), len(current),
    )  # fmt: skip
    n_units = int(units.max()) + 1
    if min(n_reference_units, n_units - n_reference_units) < _SMALLEST:
        raise DataError(
            f"the samples have {n_reference_units} and {n_units - n_reference_units} groups",
            expected=f"{_SMALLEST} or more each", fix="take a longer period",
        )  # fmt: skip
    labels = permuted_labels(
        units, n_reference_units, n_permutations + PILOT, random_state=random_state
    )
    counts = walk_counts(coded, labels)
    judged = _judged(coded, counts, means, labels, alpha, power, clustered=groups is not None)
    n_groups = None if groups is None else (n_reference_units, n_units - n_reference_units)
    return DriftReport(
        tuple(judged), alpha, power, len(reference), len(current), n_groups, n_permutations,
        tuple(skipped),
    )  # fmt: skip


def _judged(
    coded: Sequence[CodedColumn],
    counts: Sequence[tuple[NDArray[np.float64], NDArray[np.float64]]],
    means: _Means,
    labels: NDArray[np.bool_],
    alpha: float,
    power: float,
    *,
    clustered: bool,
) -> list[ColumnDrift]:
    pairs = list(zip(coded, counts, strict=True))
    found = [
        (kolmogorov_smirnov if column.kind == "number" else chi_square)(*both)
        for column, both in pairs
    ]
    squared = means_squared_t(means.values, labels)
    statistics = np.column_stack([*found, *squared.T])
    calibrated = calibrate(statistics, alpha)
    judged = []
    for at, (column, (before, after)) in enumerate(pairs):
        inflation = 1.0
        if clustered:
            used = int(np.count_nonzero(before[0] + after[0]))
            spread = chi_square(before[-PILOT:], after[-PILOT:]).mean() / max(used - 1, 1)
            inflation = max(float(spread), 1.0)
        judged.append(
            _column(
                column, (before[:1], after[:1]), statistics[0, at],
                calibrated.threshold[at], calibrated.pvalue[at], alpha, inflation, power,
            )
        )  # fmt: skip
    first = labels[0]
    for j, (name, unit) in enumerate(zip(means.names, means.units, strict=True)):
        at = len(coded) + j
        then, now = means.values[~first, j], means.values[first, j]
        error = float(np.sqrt(then.var() / len(then) + now.var() / len(now)))
        inflation = max(float(calibrated.centre[at]), 1.0) if clustered else 1.0
        judged.append(
            ColumnDrift(
                name, "calibration", "t2", float(statistics[0, at]),
                float(calibrated.threshold[at]), float(calibrated.pvalue[at]),
                bool(calibrated.pvalue[at] <= alpha), float(now.mean() - then.mean()), unit,
                minimum_mean_change(
                    error, float(calibrated.threshold[at]), inflation=inflation, power=power
                ),
            )
        )  # fmt: skip
    return judged


def _column(
    column: CodedColumn,
    counts: tuple[NDArray[np.float64], NDArray[np.float64]],
    value: float,
    threshold: float,
    pvalue: float,
    alpha: float,
    inflation: float,
    power: float,
) -> ColumnDrift:
    before, after = counts
    number = column.kind == "number"
    psi = float(population_stability(before, after, ordered=number)[0])
    naive = next(word for bound, word in _NAIVE if psi < bound)
    limits: Mapping[str, float] = {"inflation": inflation, "power": power}
    if number:
        change = _mean_shift(column.centres, before[0], after[0])
        least = minimum_mean_shift(column, before[0], after[0], threshold, **limits)
    else:
        moved = after[0] / after[0].sum() - before[0] / before[0].sum()
        # Of two categories the last one: of 0 and 1, the share of 1.
        change = float(moved[-1] if moved.size == 2 else moved[np.argmax(np.abs(moved))])
        least = minimum_rate_change(before[0], after[0], threshold, **limits)
    return ColumnDrift(
        column.name, _role(column.role), "ks" if number else "chi2", float(value),
        float(threshold), float(pvalue), bool(pvalue <= alpha), change,
        "sd" if number else "share", least, psi, naive,
        float(wasserstein(before, after, column.centres)[0]) if number else None,
    )  # fmt: skip


def _role(word: str) -> Role:
    return "score" if word == "score" else "label" if word == "label" else "input"


def _mean_shift(
    centres: NDArray[np.float64], before: NDArray[np.float64], after: NDArray[np.float64]
) -> float:
    known = ~np.isnan(centres)
    x, b, a = centres[known], before[known], after[known]
    if not b.sum() or not a.sum():
        return float("nan")
    mean = float(b @ x / b.sum())
    sd = float(np.sqrt(b @ (x - mean) ** 2 / b.sum()))
    moved = float(a @ x / a.sum()) - mean
    return moved / sd if sd > 0 else 0.0 if moved == 0 else float("inf")


def _means(
    reference: pd.DataFrame, current: pd.DataFrame, score: str | None, label: str | None
) -> _Means:
    n = len(reference) + len(current)
    if score is None or label is None:
        return _Means((), (), np.empty((n, 0)))
    p = _pooled(reference, current, score)
    y = _pooled(reference, current, label)
    if not ((p >= 0) & (p <= 1)).all():
        raise DataError(
            f"{score!r} holds values that are no probabilities", expected="numbers from 0 to 1",
            fix="leave rows without a score out",
        )  # fmt: skip
    if not np.isin(y, (0.0, 1.0)).all():
        raise DataError(
            f"{label!r} holds values other than 0 and 1", expected="0 or 1, none missing",
            fix="leave rows whose outcome is not known yet out",
        )  # fmt: skip
    residual = y - p
    clipped = np.clip(p, _CLIP, 1 - _CLIP)
    logit = np.log(clipped / (1 - clipped))
    spread = logit.std()
    scaled = (logit - logit.mean()) / spread if spread > 0 else np.zeros(n)
    return _Means(
        ("calibration in the large", "calibration slope"), ("share", "slope"),
        np.column_stack([residual, residual * scaled]),
    )  # fmt: skip


def _pooled(reference: pd.DataFrame, current: pd.DataFrame, name: str) -> NDArray[np.float64]:
    both = pd.concat([reference[name], current[name]], ignore_index=True)
    return np.asarray(pd.to_numeric(both, errors="coerce"), dtype=np.float64)


def _given(frame: pd.DataFrame, name: str) -> pd.Series:
    if name not in frame:
        raise DataError(
            f"there is no column {name!r} of groups",
            expected=f"one of {', '.join(map(str, frame.columns))}", fix="name another column",
        )  # fmt: skip
    return frame[name]


def _check(
    reference: pd.DataFrame, current: pd.DataFrame, alpha: float, power: float, n: int
) -> None:
    for frame, which in ((reference, "reference"), (current, "current")):
        if len(frame) < _SMALLEST:
            raise DataError(
                f"the {which} table has {len(frame)} rows", expected=f"{_SMALLEST} or more",
                fix="take a longer period",
            )  # fmt: skip
    if not 0 < alpha < 0.5 or not alpha < power < 1:
        raise DataError(
            f"alpha is {alpha} and power {power}", expected="0 < alpha < 0.5, alpha < power < 1",
            fix="correct them",
        )  # fmt: skip
    if alpha * (n + 1) < 1:
        raise DataError(
            f"{n} permutations cannot show a chance of {alpha:g}",
            expected=f"{int(np.ceil(1 / alpha)) - 1} or more", fix="raise n_permutations",
        )  # fmt: skip
