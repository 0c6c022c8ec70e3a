"""A table as boosted trees and additive models read it: numbers, category codes, a text score."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from workbench.features import TextScore, TreeTable, text_columns

__all__ = ["EncodedTable"]

Positions = NDArray[np.int64]


class EncodedTable:
    """Encode rows as one plain matrix; free text enters as one score, out of fold in training.

    Attributes
    ----------
    table_ : TreeTable
        Of the numbers and categories.
    text_ : TextScore or None
        Of the free text, when it is read.
    names_ : list of str
        Name of each column of the matrix; the text score is called "text".

    Examples
    --------
    >>> X = pd.DataFrame({"n": [1, 2], "kind": pd.Categorical(["a", None])})
    >>> encoded = EncodedTable()
    >>> encoded.fit_out_of_fold(X, np.array([0, 1]), [], text=False).tolist()
    [[1.0, 0.0], [2.0, nan]]
    >>> encoded.names_
    ['n', 'kind']
    """

    table_: TreeTable
    text_: TextScore | None
    names_: list[str]

    def fit_out_of_fold(
        self,
        X: pd.DataFrame,
        labels: NDArray[np.int64],
        folds: Sequence[tuple[Positions, Positions]],
        *,
        text: bool,
    ) -> NDArray[np.float64]:
        """Learn the encoding, and encode the training rows.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_features)
        labels : ndarray of shape (n_samples,)
            0 or 1.
        folds
            Positions of training and test rows; each text is scored by a model that has not
            seen its label.
        text
            Whether free text is read.

        Returns
        -------
        ndarray of shape (n_samples, n_columns)
            NaN where a value is missing.
        """
        self.table_ = TreeTable().fit(X)
        self.text_ = None
        self.names_ = [str(c) for c in (*self.table_.numeric_, *self.table_.categories_)]
        matrix = self.table_.transform(X)
        if text and text_columns(X):
            self.text_ = TextScore()
            self.names_.append("text")
            matrix = np.hstack([matrix, self.text_.fit_out_of_fold(X, labels, folds)])
        return matrix

    def transform(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """Encode rows, shape (n_samples, n_columns)."""
        matrix = self.table_.transform(X)
        if self.text_ is None:
            return matrix
        return np.hstack([matrix, self.text_.transform(X)])
