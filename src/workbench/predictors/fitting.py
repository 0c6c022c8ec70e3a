"""Fit any estimator so that groups and time reach the ones that care."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import has_fit_parameter

__all__ = ["fit_in_context", "positive_probability"]


def fit_in_context(
    estimator: Any,
    X: pd.DataFrame,
    y: NDArray[np.int8],
    *,
    groups: NDArray[Any] | None = None,
    as_of: NDArray[Any] | None = None,
) -> Any:
    """Fit `estimator`, passing `groups` and `as_of` where its `fit` takes them.

    Estimators of the workbench split their training data inside `fit` and must not cut a
    group or look ahead in time when they do; a plain scikit-learn estimator takes neither.
    In a Pipeline the last step decides.

    Parameters
    ----------
    estimator
        A scikit-learn classifier or Pipeline; fitted in place and returned.
    X : DataFrame of shape (n_samples, n_features)
    y : ndarray of shape (n_samples,)
        0 or 1.
    groups, as_of : ndarray of shape (n_samples,), optional
        What belongs together, and when.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> X, y = pd.DataFrame({"n": [1, 2]}), np.array([0, 1], dtype=np.int8)
    >>> fit_in_context(DummyClassifier(), X, y, groups=np.array(["a", "b"])).classes_.tolist()
    [0, 1]
    """
    target, prefix = estimator, ""
    while isinstance(target, Pipeline):
        name, target = target.steps[-1]
        prefix += f"{name}__"
    context = {"groups": groups, "as_of": as_of}
    known = {
        f"{prefix}{key}": value
        for key, value in context.items()
        if value is not None and has_fit_parameter(target, key)
    }
    return estimator.fit(X, y, **known)


def positive_probability(estimator: Any, X: pd.DataFrame) -> NDArray[np.float64]:
    """Probability of class 1 for each row.

    Parameters
    ----------
    estimator
        A fitted binary classifier with `predict_proba`.
    X : DataFrame of shape (n_samples, n_features)

    Returns
    -------
    ndarray of shape (n_samples,)
    """
    probabilities = np.asarray(estimator.predict_proba(X), dtype=np.float64)
    return np.ascontiguousarray(probabilities[:, list(estimator.classes_).index(1)])
