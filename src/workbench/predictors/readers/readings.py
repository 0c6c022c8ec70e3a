"""What a reader says of texts: a value for each field, and how sure it is where it can tell."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from workbench.data import AskedField
from workbench.errors import PredictorError

__all__ = ["Reader", "Readings", "empty_readings"]


@dataclass(frozen=True, eq=False)
class Readings:
    """Answers to a task's questions about several texts.

    Parameters
    ----------
    values : DataFrame of shape (n_samples, n_fields)
        Python values as `AskedField` says; None where nothing was answered.
    proba : mapping of field to ndarray of shape (n_samples, n_values)
        Probability of each of the field's values; of each by itself for kind `labels`. NaN where
        nothing was answered. Fields without probabilities are absent.
    evidence : Series of tuple of str, optional
        Words of the text the answer rests on.
    answers : DataFrame, optional
        The columns of `ANSWER_COLUMNS`, of readers that ask Claude.
    """

    values: pd.DataFrame
    proba: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    evidence: "pd.Series[Any] | None" = None
    answers: pd.DataFrame | None = None


class Reader(Protocol):
    """What answers a task's questions: a scikit-learn estimator with `read` for `predict`."""

    def fit(self, X: pd.DataFrame, y: pd.DataFrame, groups: NDArray[Any] | None = None) -> Any:
        """Learn from texts `X` and what is true of them, `y`, one column a field."""

    def read(self, X: pd.DataFrame, *, repeat: int = 0) -> Readings:
        """Answer about each row."""


def empty_readings(index: pd.Index, fields: Sequence[AskedField]) -> pd.DataFrame:
    """Make a table of values in which nothing is answered.

    Parameters
    ----------
    index
        Of the texts.
    fields
        What is asked.

    Examples
    --------
    >>> empty_readings(pd.Index(["a"]), [AskedField(name="n", meaning="N", kind="number")]).shape
    (1, 1)
    """
    nothing = np.full((len(index), len(fields)), None, dtype=object)
    return pd.DataFrame(nothing, index=index, columns=[asked.name for asked in fields])


def checked_truth(y: object, fields: Sequence[AskedField], X: object) -> pd.DataFrame:
    """Check the labels a reader is to learn from.

    Raises
    ------
    PredictorError
        When `X` or `y` is no DataFrame, they differ in length, or a field is missing.
    """
    if not isinstance(X, pd.DataFrame) or not isinstance(y, pd.DataFrame):
        raise PredictorError(
            f"X is a {type(X).__name__} and y a {type(y).__name__}",
            expected="DataFrames: texts, and one column a field",
            fix="pass the corpus's X and y",
        )
    missing = [asked.name for asked in fields if asked.name not in y]
    if missing or len(X) != len(y):
        raise PredictorError(
            f"y has {len(y):,} rows for {len(X):,} texts and lacks the fields {missing}",
            expected="a row a text, a column a field",
            fix="pass the corpus's X and y",
        )
    return y
