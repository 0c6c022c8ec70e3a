"""What each column of a table adds in a linear model on its design matrix."""

from copy import copy

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder

from workbench.errors import PredictorError

__all__ = ["linear_terms"]

_SEPARATOR = "\x1f"


def linear_terms(pipeline: Pipeline, X: pd.DataFrame) -> pd.DataFrame:
    """Sum coefficient × value over the columns of the design that come from one of the table.

    Parameters
    ----------
    pipeline
        A fitted `linear_table` and a linear model, such as `logistic_baseline` makes.
    X : DataFrame of shape (n_samples, n_features)

    Returns
    -------
    DataFrame of shape (n_samples, n_columns)
        Free text is one column, "text". The intercept is not in it.

    Raises
    ------
    PredictorError
        When the pipeline is something else.

    Examples
    --------
    >>> from workbench.predictors import logistic_baseline
    >>> X = pd.DataFrame({"n": [0.0, 1.0] * 9, "kind": pd.Categorical(["a", "b", "a"] * 6)})
    >>> fitted = logistic_baseline().fit(X, [0, 1] * 9)
    >>> list(linear_terms(fitted, X).columns)
    ['n', 'kind']
    """
    table, model = pipeline[0], pipeline[-1]
    if len(pipeline) != 2 or not hasattr(model, "coef_"):
        raise PredictorError(
            "the pipeline is no table followed by a linear model",
            expected="such as logistic_baseline makes",
            fix="explain its members one by one",
        )
    design = table.transform(X)
    if hasattr(design, "multiply"):
        added = np.asarray(design.multiply(model.coef_[0]).todense())
    else:
        added = design * model.coef_[0]
    names = pd.Index(_output_columns(table, added.shape[1]))
    columns = {name: added[:, names == name].sum(axis=1) for name in names.unique()}
    return pd.DataFrame(columns, index=X.index)


def _output_columns(table: ColumnTransformer, n_columns: int) -> list[str]:
    """The column of the data that each column of the design comes from; text is one."""
    names = ["text"] * n_columns
    for kind, transformer, columns in table.transformers_:
        place = table.output_indices_.get(kind, slice(0, 0))
        if kind == "numbers" and len(columns):
            gaps = transformer[0].indicator_.features_
            names[place] = [str(c) for c in (*columns, *(columns[g] for g in gaps))]
        elif isinstance(transformer, OneHotEncoder) and len(columns):
            # The encoder names its outputs as it is told; a copy is told to keep the parts apart.
            parted = copy(transformer)
            parted.feature_name_combiner = lambda column, _: f"{column}{_SEPARATOR}"
            made = parted.get_feature_names_out()
            names[place] = [str(name).split(_SEPARATOR)[0] for name in made]
    return names
