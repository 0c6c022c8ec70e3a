"""Readers that follow rules: what a sceptic writes in an afternoon."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from workbench.data import AskedField
from workbench.errors import PredictorError
from workbench.predictors.readers.readings import Readings, checked_truth, empty_readings

__all__ = ["RuleReader"]


class RuleReader(BaseEstimator):
    """Answer each row by a function.

    Parameters
    ----------
    fields : sequence of AskedField
        What is asked.
    rule : callable
        Given a row (columns by name) and what was learnt, gives values by field; fields it leaves
        out are unanswered.
    learn : callable, optional
        Given the training texts and their truth, gives what the rule is handed: a gazetteer, a
        table. Nothing is learnt without it.

    Attributes
    ----------
    learnt_
        What `learn` gave.

    Examples
    --------
    >>> asked = AskedField(name="mood", meaning="Mood", kind="label", values=("good", "bad"))
    >>> reader = RuleReader([asked], lambda row, _: {"mood": "bad" if "no" in row["text"] else
    ...                                              "good"})
    >>> X = pd.DataFrame({"text": ["no way", "fine"]})
    >>> y = pd.DataFrame({"mood": ["bad", "good"]}, dtype=object)
    >>> reader.fit(X, y).read(X).values["mood"].tolist()
    ['bad', 'good']
    """

    def __init__(
        self,
        fields: Sequence[AskedField],
        rule: Callable[[Mapping[str, Any], Any], Mapping[str, Any]],
        *,
        learn: Callable[[pd.DataFrame, pd.DataFrame], Any] | None = None,
    ) -> None:
        self.fields = fields
        self.rule = rule
        self.learn = learn

    def fit(
        self,
        X: pd.DataFrame,
        y: pd.DataFrame,
        groups: NDArray[Any] | None = None,
    ) -> Self:
        """Learn what the rule is handed, if anything.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_columns)
        y : DataFrame of shape (n_samples, n_fields)
        groups
            Ignored.
        """
        checked_truth(y, self.fields, X)
        self.learnt_ = None if self.learn is None else self.learn(X, y)
        return self

    def read(self, X: pd.DataFrame, *, repeat: int = 0) -> Readings:
        """Answer about each row.

        Raises
        ------
        PredictorError
            When the rule answers a field that is not asked.
        """
        check_is_fitted(self)
        values = empty_readings(X.index, self.fields)
        held = {asked.name: np.full(len(X), None, dtype=object) for asked in self.fields}
        for i, row in enumerate(X.to_dict(orient="records")):
            found = self.rule({str(k): v for k, v in row.items()}, self.learnt_)
            strange = sorted(set(found) - set(held))
            if strange:
                raise PredictorError(
                    f"the rule answered {strange[0]!r}, which is not asked",
                    expected=f"some of {', '.join(held)}",
                    fix="leave it out",
                )
            for name, value in found.items():
                held[name][i] = value
        for name, column in held.items():
            values[name] = pd.Series(column, index=X.index, dtype=object)
        return Readings(values)

    def predict(self, X: pd.DataFrame) -> pd.DataFrame:
        """Values alone, shape (n_samples, n_fields); see `read`."""
        return self.read(X).values
