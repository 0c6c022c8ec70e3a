"""A model's prediction of the outcome as the covariate that explains most of it (CUPAC)."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["cupac_covariate"]


def cupac_covariate(
    features: "pd.DataFrame",
    outcome: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    estimator: Any = None,
    n_splits: int = 5,
    random_state: int = 0,
) -> NDArray[np.float64]:
    """Predict each unit's outcome out of fold, from what was known before exposure.

    Parameters
    ----------
    features
        Known before exposure, one row a unit; numbers and categories. The arm must not be among
        them.
    outcome
        The metric, shape (n,).
    groups
        Cluster of each unit, so that none is in two folds.
    estimator
        A scikit-learn regressor; gradient-boosted trees when omitted.
    n_splits
        Folds.
    random_state
        Seed of folds and model.

    Returns
    -------
    NDArray[np.float64]
        Prediction of each unit by a model that did not see it, shape (n,). Add it to the units
        as a column and name that as the metric's covariate.

    Raises
    ------
    DataError
        If lengths differ, the outcome is not finite, or there are fewer units (or clusters) than
        folds.

    Notes
    -----
    A prediction that has seen a unit's own outcome explains it too well and makes intervals too
    narrow; out of fold it is a covariate like any other, and the slope of the adjustment mends a
    badly scaled one.

    References
    ----------
    Li, Tang & Bauman (2020), "Improving experimental power through CUPAC", DoorDash;
    Guo et al. (2021), "Machine learning for variance reduction in online experiments", NeurIPS,
    arXiv:2106.07263 (cross-fitting).
    """
    from sklearn.base import clone
    from sklearn.ensemble import HistGradientBoostingRegressor
    from sklearn.model_selection import GroupKFold, KFold

    y = np.asarray(outcome, dtype=np.float64)
    units = len(features) if groups is None else len(np.unique(np.asarray(groups)))
    if y.shape != (len(features),) or not np.isfinite(y).all() or units < n_splits:
        raise DataError(
            f"{len(features)} rows of features, {y.size} outcomes, {units} units or clusters",
            expected=f"a finite outcome for every row, and {n_splits} units or clusters at least",
            fix="drop units without an outcome, or use fewer folds",
        )
    model = estimator
    if model is None:
        model = HistGradientBoostingRegressor(
            random_state=random_state, early_stopping=False, categorical_features="from_dtype"
        )
    folds = (
        KFold(n_splits, shuffle=True, random_state=random_state)
        if groups is None
        else GroupKFold(n_splits, shuffle=True, random_state=random_state)
    )
    out = np.empty(len(features))
    for train, test in folds.split(features, y, groups):
        fitted = clone(model).fit(features.iloc[train], y[train])
        out[test] = fitted.predict(features.iloc[test])
    return out
