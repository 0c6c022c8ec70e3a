"""Leaks between rows: copies and mixtures of training rows in the test part."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.neighbors import NearestNeighbors

__all__ = ["RowTable"]

Positions = NDArray[np.int64]

# Copies and mixtures beyond these shares of the test rows looked at are no accident.
_COPIES, _NEAR, _MIXED = 0.01, 0.02, 0.03
# And beyond this many times what chance, or the other class, gives.
_TIMES = 3.0
_LOOKED_AT = 1500
_NEIGHBOURS = 30
# So much nearer to one training row than to the next.
_MUCH_NEARER = 0.02
_HAIR = 1e-6
_STRAIGHT = 1 - 1e-9
_OFTEN_STRAIGHT = 0.1


@dataclass(frozen=True, eq=False)
class RowTable:
    """A split table whose rows are compared.

    Parameters
    ----------
    X : DataFrame of shape (n_samples, n_features)
    y : ndarray of shape (n_samples,)
        0 or 1.
    train, test : ndarray
        Positions.
    random_state
        Seed of the rows looked at and of the shuffles chance is judged by.
    """

    X: pd.DataFrame
    y: NDArray[np.int64]
    train: Positions
    test: Positions
    random_state: int

    def copies(self) -> str | None:
        """Say whether more test rows than chance explains have a twin in the training part.

        Chance: the same columns, each shuffled within its part and class.
        """
        share = _twin_share(self._hashes(self.X), self.train, self.test)
        chance = _twin_share(self._hashes(self._shuffled()), self.train, self.test)
        if share - chance <= _COPIES or share <= _TIMES * chance:
            return None
        return f"{share:.1%} of the test rows repeat a training row, label included ({_by(chance)})"

    def near_copies(self) -> str | None:
        """Say whether test rows lie at a training row, and far from the next."""
        share, chance = self._near_share(self.X), self._near_share(self._shuffled())
        if share <= _NEAR or share <= _TIMES * chance:
            return None
        return f"{share:.1%} of the test rows are a training row, slightly changed ({_by(chance)})"

    def mixtures(self) -> str | None:
        """Say whether the test rows of one class lie on lines between two training rows.

        SMOTE and its kin (Chawla et al. 2002) make rows of the rarer class that way; honest rows
        of several continuous columns hardly ever do. Chance is judged by the other class.
        """
        matrix = self._numbers()
        if matrix is None:
            return None
        shares = [self._mixed_share(matrix, label) for label in (0, 1)]
        label = int(np.argmax(shares))
        if shares[label] <= _MIXED or shares[label] <= _TIMES * shares[1 - label]:
            return None
        return (
            f"{shares[label]:.1%} of the test rows of class {label} lie exactly between two "
            f"training rows ({shares[1 - label]:.1%} of the other class): rows were made up "
            "before the split"
        )

    # ------------------------------------------------------------------ exact copies

    def _hashes(self, X: pd.DataFrame) -> NDArray[np.uint64]:
        labelled = X.assign(**{"\0label": self.y})
        return np.asarray(pd.util.hash_pandas_object(labelled, index=False), dtype=np.uint64)

    def _shuffled(self) -> pd.DataFrame:
        rng = np.random.default_rng(self.random_state)
        order = np.arange(len(self.X))
        made = {}
        for name in self.X.columns:
            mixed = order.copy()
            for part in (self.train, self.test):
                for label in (0, 1):
                    rows = part[self.y[part] == label]
                    mixed[rows] = rng.permutation(rows)
            made[name] = self.X[name].take(mixed).set_axis(self.X.index)
        return pd.DataFrame(made)

    # ------------------------------------------------------------------ near copies

    def _near_share(self, X: pd.DataFrame) -> float:
        matrix = _mixed_matrix(X)
        if matrix is None:
            return 0.0
        rows = self._looked_at(self.test)
        near = NearestNeighbors(n_neighbors=2).fit(matrix[self.train])
        distance, _ = near.kneighbors(matrix[rows])
        # Rounding leaves exact copies, which are counted elsewhere, a hair apart.
        apart = distance[:, 0] > _HAIR
        close = apart & (distance[:, 0] < _MUCH_NEARER * distance[:, 1])
        return float(close.mean())

    # ------------------------------------------------------------------ mixtures

    def _numbers(self) -> NDArray[np.float64] | None:
        """Numbers of more than a few values, scaled; at least two, or a line says nothing."""
        columns = []
        for name in self.X.columns:
            values = self.X[name]
            if pd.api.types.is_numeric_dtype(values) and values.nunique() > 10:
                numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
                spread = float(np.nanstd(numbers))
                columns.append(numbers / spread if spread > 0 else numbers)
        return np.column_stack(columns) if len(columns) > 1 else None

    def _mixed_share(self, matrix: NDArray[np.float64], label: int) -> float:
        whole = np.asarray(np.isfinite(matrix).all(axis=1))
        known = self.train[(self.y[self.train] == label) & whole[self.train]]
        asked = self.test[(self.y[self.test] == label) & whole[self.test]]
        if len(known) <= _NEIGHBOURS or not len(asked):
            return 0.0
        points = np.unique(matrix[known], axis=0)
        k = min(_NEIGHBOURS + 1, len(points))
        rows = matrix[self._looked_at(asked)]
        _, at = NearestNeighbors(n_neighbors=k).fit(points).kneighbors(rows)
        steps = points[at] - rows[:, None, :]
        length = np.linalg.norm(steps, axis=2)
        # A twin is a copy, not a mixture, and points nowhere.
        steps /= np.where(length > 0, length, np.inf)[:, :, None]
        cosine = np.einsum("rid,rjd->rij", steps, steps)
        first, second = np.triu_indices(k, 1)
        cosine = cosine[:, first, second]
        # Rows of few differences lie on a line by chance, above all where columns are counts.
        differing = (np.abs(steps) > 1e-12).sum(axis=2) >= min(3, matrix.shape[1])
        between = ((cosine < -_STRAIGHT) & differing[:, first] & differing[:, second]).any(axis=1)
        # Where everything lies on lines (a column that repeats another), lines say nothing.
        plain = (np.abs(cosine) > _STRAIGHT).mean(axis=1) < _OFTEN_STRAIGHT
        return float((between & plain).mean())

    def _looked_at(self, rows: Positions) -> Positions:
        if len(rows) <= _LOOKED_AT:
            return rows
        return np.random.default_rng(self.random_state).choice(rows, _LOOKED_AT, replace=False)


def _twin_share(hashes: NDArray[np.uint64], train: Positions, test: Positions) -> float:
    return float(np.isin(hashes[test], hashes[train]).mean())


def _mixed_matrix(X: pd.DataFrame) -> NDArray[np.float64] | None:
    """Scaled numbers and one-hot categories; None where there is no continuous column."""
    parts, continuous = [], False
    for name in X.columns:
        values = X[name]
        if pd.api.types.is_numeric_dtype(values):
            numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
            middle, spread = float(np.nanmedian(numbers)), float(np.nanstd(numbers))
            continuous = continuous or values.nunique() > 10
            parts.append((np.nan_to_num(numbers, nan=middle) / (spread or 1.0))[:, None])
        elif isinstance(values.dtype, pd.CategoricalDtype):
            codes = values.cat.codes.to_numpy()
            parts.append((codes[:, None] == np.arange(len(values.cat.categories))) * 1.0)
    return np.hstack(parts) if continuous else None


def _by(chance: float) -> str:
    return f"{chance:.1%} by chance"
