"""Leaks that stand in a column: the label itself, the future, an encoding of the labels."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

__all__ = ["changed_columns", "encoded_labels", "label_columns", "too_good_columns"]

Positions = NDArray[np.int64]
Found = Iterator[tuple[str, str]]

_TOO_GOOD_AUC = 0.9
_N_BINS = 20
_ALMOST = 1e-6


def label_columns(X: pd.DataFrame, y: NDArray[np.int64]) -> Found:
    """Columns from whose values the label can be read off, each with a sentence.

    Either every value goes with one label only, over few values, or a threshold parts the
    labels. A missing value counts as a value.
    """
    for name, values in X.items():
        codes, levels = pd.factorize(values, use_na_sentinel=False)
        ones = np.bincount(codes, weights=y)
        sizes = np.bincount(codes)
        if len(levels) > 1 and len(levels) <= max(2, len(y) // 20):
            if ((ones == 0) | (ones == sizes)).all():
                yield str(name), f"each of its {len(levels)} values goes with one label only"
            continue
        if not pd.api.types.is_numeric_dtype(values) or values.isna().any():
            continue
        numbers = values.to_numpy(dtype=np.float64)
        low, high = numbers[y == 0], numbers[y == 1]
        if low.max() < high.min() or high.max() < low.min():
            yield str(name), "a threshold parts the labels without an error"


def too_good_columns(
    X: pd.DataFrame, y: NDArray[np.int64], train: Positions, test: Positions
) -> Found:
    """Columns that alone rank the test part as hardly any honest column does."""
    for name, values in X.items():
        bins = _binned(values, train)
        if bins is None:
            continue
        n_bins = int(bins.max()) + 1
        ones = np.bincount(bins[train], weights=y[train], minlength=n_bins)
        sizes = np.bincount(bins[train], minlength=n_bins)
        rate = (ones + y[train].mean()) / (sizes + 1)
        auc = float(roc_auc_score(y[test], rate[bins[test]]))
        if auc >= _TOO_GOOD_AUC:
            yield str(name), f"alone it reaches AUC {auc:.3f} on the test part"


def _binned(values: "pd.Series[float]", train: Positions) -> NDArray[np.int64] | None:
    """Bins learned on the training part; the last one is for missing values."""
    if pd.api.types.is_numeric_dtype(values):
        numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
        known = numbers[train][~np.isnan(numbers[train])]
        if not len(known):
            return None
        edges = np.unique(np.quantile(known, np.linspace(0, 1, _N_BINS + 1)[1:-1]))
        bins = np.searchsorted(edges, numbers, side="right")
        return np.where(np.isnan(numbers), len(edges) + 1, bins).astype(np.int64)
    codes, levels = pd.factorize(values)
    # Free text has a level of its own for each row; that is no column to rank by.
    if len(levels) > max(50, len(values) // 20):
        codes = np.zeros(len(values), dtype=np.int64)
        levels = levels[:1]
        return np.where(values.isna(), 1, codes).astype(np.int64)
    return np.where(codes < 0, len(levels), codes).astype(np.int64)


def encoded_labels(X: pd.DataFrame, y: NDArray[np.int64], train: Positions) -> Found:
    """Numbers that are means of the label over the rows that share them.

    An encoding of a category by the mean label of its level, taken over the very rows it is then
    used on, says of each row something of its own label. Such a column gives itself away: the
    mean label of the rows with one value *is* that value, plain or shrunk towards the base rate
    as (s + m · p) / (n + m) with one m.
    """
    whole = np.arange(len(y))
    for name, values in X.items():
        if not pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
            continue
        numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
        for rows, what in ((whole, "all rows, test part included"), (train, "the training rows")):
            if _is_mean_label(numbers[rows], y[rows]):
                yield str(name), f"its values are mean labels over {what}"
                break


def _is_mean_label(values: NDArray[np.float64], y: NDArray[np.int64]) -> bool:
    known = ~np.isnan(values)
    values, y = values[known], y[known]
    distinct, place, n = np.unique(values, return_inverse=True, return_counts=True)
    if len(distinct) < 3 or len(distinct) > len(values) // 3 or y.min() == y.max():
        return False
    if distinct.min() < 0 or distinct.max() > 1:
        return False
    ones, base = np.bincount(place, weights=y), float(y.mean())
    if np.abs(ones / n - distinct).max() < _ALMOST:
        # 0 and 1 alone would be the label itself.
        return bool(((distinct > 0) & (distinct < 1)).sum() >= 2)
    away = np.abs(distinct - base) > 1e-4
    if away.sum() < 3:
        return False
    strength = (ones - distinct * n)[away] / (distinct - base)[away]
    typical = float(np.median(strength))
    # Levels of the same size and sum share a value and look like a larger one: most are enough.
    alike = np.abs(strength / typical - 1) < _ALMOST if typical > 0 else np.zeros(1, dtype=bool)
    return bool(alike.mean() > 0.5)


def changed_columns(X: pd.DataFrame, rebuilt: pd.DataFrame) -> Found:
    """Columns whose values differ when they are built from what was known at the time."""
    for name in X.columns:
        if name not in rebuilt:
            yield str(name), "it does not exist when the future is cut off"
            continue
        now, then = X[name], rebuilt[name].reindex(X.index)
        if pd.api.types.is_numeric_dtype(now) and pd.api.types.is_numeric_dtype(then):
            same = np.isclose(
                now.to_numpy(dtype=np.float64, na_value=np.nan),
                then.to_numpy(dtype=np.float64, na_value=np.nan),
                rtol=1e-9, atol=1e-12, equal_nan=True,
            )  # fmt: skip
        else:
            a, b = now.astype(object), then.astype(object)
            same = ((a == b) | (a.isna() & b.isna())).to_numpy(dtype=bool)
        if not same.all():
            yield str(name), f"{(~same).sum():,} values change when the future is cut off"
