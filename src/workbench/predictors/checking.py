"""What estimators of the workbench accept: a table of any kind, and two classes."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import assert_all_finite, check_consistent_length, column_or_1d
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data

from workbench.errors import PredictorError

__all__ = ["checked_frame", "checked_labels"]


def checked_frame(estimator: Any, X: Any, *, reset: bool) -> pd.DataFrame:
    """Check a table against what `estimator` was fitted on, and name its columns.

    Parameters
    ----------
    estimator
        Whose table it is.
    X
        A DataFrame, or anything scikit-learn takes as a matrix; gaps are allowed.
    reset
        Whether the estimator is being fitted.

    Returns
    -------
    DataFrame of shape (n_samples, n_features)
    """
    if isinstance(X, pd.DataFrame):
        # Only names and their number: categories and text are no numbers to validate.
        validate_data(estimator, X, reset=reset, skip_check_array=True)
        return X
    values = validate_data(
        estimator,
        X,
        reset=reset,
        ensure_all_finite="allow-nan",
        ensure_min_samples=2 if reset else 1,
    )
    return pd.DataFrame(values, columns=[f"x{i}" for i in range(values.shape[1])])


def checked_labels(y: ArrayLike, frame: pd.DataFrame) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Check labels of two classes.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
    frame : DataFrame of shape (n_samples, n_features)

    Returns
    -------
    tuple of two ndarrays
        The classes, shape (2,), and each label as 0 or 1, shape (n_samples,).

    Raises
    ------
    PredictorError
        When there are not two classes.
    ValueError
        When labels are missing or are no classes, as scikit-learn says.
    """
    assert_all_finite(y, input_name="y")
    check_classification_targets(y)
    column = column_or_1d(y, warn=True)
    check_consistent_length(frame, column)
    classes, labels = np.unique(column, return_inverse=True)
    if len(classes) != 2:
        raise PredictorError(
            f"Only binary classification is supported; y has {len(classes)} class"
            f"{'' if len(classes) == 1 else 'es'}",
            expected="two classes",
            fix="check the labels or the split",
        )
    return classes, labels
