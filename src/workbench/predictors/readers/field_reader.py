"""One scikit-learn estimator a field."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted, has_fit_parameter

from workbench.data import AskedField
from workbench.errors import PredictorError
from workbench.predictors.readers.readings import Readings, checked_truth, empty_readings

__all__ = ["FieldReader"]


class FieldReader(BaseEstimator):
    """Answer each field with a scikit-learn estimator of its own.

    What an estimator is fitted on depends on the field's kind: texts for `label` and `level`, a
    0/1 matrix with a column a value for `labels`, numbers for `number`; the values as they are for
    `slots` and `ranking` (see `AskedField`). It predicts the same; `predict_proba`, where it has
    one, gives the probabilities of labels and levels. Rows whose truth is unknown are left out.

    Parameters
    ----------
    fields : sequence of AskedField
        What is asked.
    estimators : mapping of str to estimator
        By field; fields without one stay unanswered.
    column : str or mapping of str to str, optional
        Column handed to the estimators, as a Series of texts, the same for all or by field; None,
        and fields that are not in the mapping, are handed the whole table.

    Attributes
    ----------
    estimators_ : dict of str to estimator
        Fitted.

    Examples
    --------
    >>> from sklearn.feature_extraction.text import CountVectorizer
    >>> from sklearn.naive_bayes import MultinomialNB
    >>> from sklearn.pipeline import make_pipeline
    >>> asked = AskedField(name="intent", meaning="Intent", kind="label", values=("buy", "sell"))
    >>> X = pd.DataFrame({"text": ["want to buy", "must sell", "buy a house", "sell it"]})
    >>> y = pd.DataFrame({"intent": ["buy", "sell", "buy", "sell"]}, dtype=object)
    >>> model = make_pipeline(CountVectorizer(), MultinomialNB())
    >>> reader = FieldReader([asked], {"intent": model}).fit(X, y)
    >>> found = reader.read(pd.DataFrame({"text": ["we buy"]}))
    >>> found.values["intent"].tolist(), found.proba["intent"].argmax(axis=1).tolist()
    (['buy'], [0])
    """

    def __init__(
        self,
        fields: Sequence[AskedField],
        estimators: Mapping[str, Any],
        *,
        column: str | Mapping[str, str] | None = "text",
    ) -> None:
        self.fields = fields
        self.estimators = estimators
        self.column = column

    def fit(self, X: pd.DataFrame, y: pd.DataFrame, groups: NDArray[Any] | None = None) -> Self:
        """Fit every estimator on the rows whose truth is known.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_columns)
        y : DataFrame of shape (n_samples, n_fields)
        groups : ndarray of shape (n_samples,), optional
            Handed to estimators whose `fit` takes it.

        Raises
        ------
        PredictorError
            When tables do not fit, an estimator is for no field, or a field has no known row.
        """
        checked_truth(y, self.fields, X)
        named = {asked.name: asked for asked in self.fields}
        strange = sorted(set(self.estimators) - set(named))
        if strange:
            raise PredictorError(
                f"an estimator for {strange[0]!r}",
                expected=f"one of the fields {', '.join(named)}",
                fix="correct the name",
            )
        self.estimators_ = {
            name: self._fitted(named[name], estimator, X, y[name], groups)
            for name, estimator in self.estimators.items()
        }
        return self

    def _fitted(
        self,
        asked: AskedField,
        estimator: Any,
        X: pd.DataFrame,
        truth: "pd.Series[Any]",
        groups: NDArray[Any] | None,
    ) -> Any:
        known = truth.notna().to_numpy()
        if not known.any():
            raise PredictorError(
                f"no row says what field {asked.name!r} is",
                expected="at least one known value",
                fix="train on labelled rows",
            )
        rows = X[known]
        target = _target(asked, truth[known])
        more = {}
        if groups is not None and has_fit_parameter(estimator, "groups"):
            more["groups"] = np.asarray(groups)[known]
        try:
            return clone(estimator).fit(self._input(asked.name, rows), target, **more)
        except ValueError as error:
            raise PredictorError(
                f"{type(estimator).__name__} cannot learn field {asked.name!r} from "
                f"{int(known.sum()):,} rows: {str(error).splitlines()[0]}",
                expected="rows that differ in what is to be learnt",
                fix="train on more rows, or leave the field to another estimator",
            ) from error

    def _input(self, field: str, X: pd.DataFrame) -> Any:
        column = self.column.get(field) if isinstance(self.column, Mapping) else self.column
        return X if column is None else X[column]

    def read(self, X: pd.DataFrame, *, repeat: int = 0) -> Readings:
        """Answer about each row; see `Readings`."""
        check_is_fitted(self)
        values = empty_readings(X.index, self.fields)
        proba: dict[str, NDArray[np.float64]] = {}
        if not len(X):
            return Readings(values)
        for asked in self.fields:
            estimator = self.estimators_.get(asked.name)
            if estimator is None:
                continue
            texts = self._input(asked.name, X)
            if asked.kind in ("label", "labels", "level") and hasattr(estimator, "predict_proba"):
                proba[asked.name] = _probabilities(asked, estimator, texts)
            values[asked.name] = _values(asked, estimator.predict(texts), X.index)
        return Readings(values, proba)

    def predict(self, X: pd.DataFrame) -> pd.DataFrame:
        """Values alone, shape (n_samples, n_fields); see `read`."""
        return self.read(X).values


def _target(asked: AskedField, truth: "pd.Series[Any]") -> Any:
    if asked.kind == "labels":
        return np.array([[v in set(given) for v in asked.values] for given in truth], dtype=np.int8)
    if asked.kind in ("label", "level"):
        return truth.to_numpy(dtype=str).astype(object)
    if asked.kind == "number":
        return truth.to_numpy(dtype=np.float64)
    return truth.to_numpy(dtype=object)


def _values(asked: AskedField, predicted: Any, index: pd.Index) -> "pd.Series[Any]":
    given: list[Any]
    if asked.kind == "labels":
        flags = np.asarray(predicted).astype(bool)
        given = [
            tuple(v for v, on in zip(asked.values, row, strict=True) if on)
            for row in flags.tolist()
        ]
    elif asked.kind == "number":
        given = [float(v) for v in np.asarray(predicted, dtype=np.float64)]
    elif asked.kind in ("label", "level"):
        given = [None if v is None else str(v) for v in predicted]
    else:
        given = list(predicted)
    held = np.empty(len(given), dtype=object)
    held[:] = given
    return pd.Series(held, index=index, dtype=object)


def _probabilities(asked: AskedField, estimator: Any, texts: Any) -> NDArray[np.float64]:
    raw = estimator.predict_proba(texts)
    if asked.kind == "labels":
        if isinstance(raw, list):  # scikit-learn's multi-output form: one (n, 2) array a label
            raw = np.column_stack([_positive(part) for part in raw])
        return np.asarray(raw, dtype=np.float64)
    classes = [str(c) for c in estimator.classes_]
    full = np.zeros((len(raw), len(asked.values)))
    place = {value: i for i, value in enumerate(asked.values)}
    for column, name in enumerate(classes):
        if name in place:
            full[:, place[name]] = raw[:, column]
    return full


def _positive(part: NDArray[np.float64]) -> NDArray[np.float64]:
    # A label that all or no training rows have leaves one column.
    return part[:, 1] if part.shape[1] == 2 else np.zeros(len(part))
