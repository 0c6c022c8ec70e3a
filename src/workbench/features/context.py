"""What stands beside a text, as numbers: amounts, how they compare, and categories."""

import itertools
import math
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from workbench.features.values import find_values

__all__ = ["ContextTable"]

_LEAST_SHARE = 0.6
_MOST_CATEGORIES = 40
_LEAST_AMOUNT = 1_000.0


class ContextTable(TransformerMixin, BaseEstimator):
    """Turn the columns beside a text into numbers for any model.

    A column whose cells mostly hold an amount ("$440,000", "$385,000 to $495,000", "47") becomes
    the logarithms of the smallest and the largest of them; each pair of columns of large amounts
    also gives the logarithms of their ratios, so that "asked above the comparables" is one number.
    A column of few different values becomes indicators. Long texts are left to others.

    Parameters
    ----------
    exclude : tuple of str
        Columns left out.

    Attributes
    ----------
    amounts_, categories_ : dict
        What each column is read as.
    names_ : list of str
        Names of the features.

    Examples
    --------
    >>> X = pd.DataFrame({"text": ["a", "b"], "asked": ["$440,000", "$300,000"],
    ...                   "median": ["$400,000", "$300,000"], "trend": ["up", "down"]})
    >>> table = ContextTable().fit(X)
    >>> [n for n in table.get_feature_names_out() if "/" in n]
    ['asked/median most', 'asked/median least']
    >>> table.transform(X).shape
    (2, 8)
    """

    def __init__(self, exclude: tuple[str, ...] = ("text",)) -> None:
        self.exclude = exclude

    def fit(self, X: pd.DataFrame, y: object = None) -> Self:
        """See what each column holds.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_columns)
        y
            Ignored.
        """
        self.amounts_: dict[str, float] = {}
        self.categories_: dict[str, tuple[str, ...]] = {}
        for name in map(str, X.columns):
            if name in self.exclude:
                continue
            cells = X[name].astype(object).where(X[name].notna(), "").astype(str)
            found = [_amounts(cell) for cell in cells.unique()]
            with_amount = cells.isin([c for c, a in zip(cells.unique(), found, strict=True) if a])
            if with_amount.mean() >= _LEAST_SHARE:
                known = [max(a) for a in map(_amounts, cells[with_amount])]
                self.amounts_[name] = float(np.median(known))
            elif cells.nunique() <= _MOST_CATEGORIES:
                self.categories_[name] = tuple(sorted(cells.unique()))
        large = [n for n, median in self.amounts_.items() if median >= _LEAST_AMOUNT]
        self.pairs_ = list(itertools.combinations(large, 2))
        self.names_ = [f"{n} {side}" for n in self.amounts_ for side in ("least", "most")]
        self.names_ += [f"{a}/{b} {side}" for a, b in self.pairs_ for side in ("most", "least")]
        self.names_ += [f"{n}={v}" for n, values in self.categories_.items() for v in values]
        return self

    def transform(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """Numbers, shape (n_samples, n_features); an amount that is absent counts as the usual one.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_columns)
        """
        check_is_fitted(self)
        parts: list[NDArray[np.float64]] = []
        logs: dict[str, NDArray[np.float64]] = {}
        for name, usual in self.amounts_.items():
            cells = [_amounts(str(cell)) or (usual,) for cell in X[name].fillna("")]
            logs[name] = np.array([[math.log1p(min(a)), math.log1p(max(a))] for a in cells])
            parts.append(logs[name].reshape(len(X), 2) - math.log1p(usual))
        for a, b in self.pairs_:
            # Most against most, least against least: "above the budget" is about its upper end.
            parts.append((logs[a] - logs[b])[:, ::-1].reshape(len(X), 2))
        for name, values in self.categories_.items():
            cells = X[name].astype(object).where(X[name].notna(), "").astype(str).to_numpy()
            parts.append((cells[:, None] == np.array(values, dtype=object)).astype(np.float64))
        return np.hstack(parts) if parts else np.zeros((len(X), 0))

    def get_feature_names_out(self, input_features: object = None) -> NDArray[Any]:
        """Names of the columns.

        Parameters
        ----------
        input_features
            Ignored.
        """
        check_is_fitted(self)
        return np.array(self.names_, dtype=object)


def _amounts(cell: str) -> tuple[float, ...]:
    ends = ((v.value, v.value if v.high is None else v.high) for v in find_values(cell))
    return tuple(end for both in ends for end in both if end >= 0)
