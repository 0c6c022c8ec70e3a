"""History features as a step of any scikit-learn pipeline."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from workbench.errors import FeatureError
from workbench.features.engines import collect
from workbench.features.history.definitions import Static
from workbench.features.history.feature_set import FeatureSet
from workbench.features.history.standard import FEATURES

if TYPE_CHECKING:
    import ibis

__all__ = ["HistoryFeatures"]


class HistoryFeatures(TransformerMixin, BaseEstimator):
    """Look up the history of each row's lead as it was on record at the row's moment.

    Nothing is learned: a row's features depend on its own lead and moment only, so the step may
    stand inside any cross-validation.

    Parameters
    ----------
    tables : mapping of str to ibis.Table
        Tables of one DuckDB connection; shared by clones.
    features : FeatureSet, optional
        All standard ones by default.

    Attributes
    ----------
    features_ : FeatureSet

    Examples
    --------
    >>> from workbench.data.brokerage import simulate
    >>> crm = simulate(200, text_share=0)
    >>> step = HistoryFeatures({n: crm.table(n) for n in crm.names},
    ...                        FEATURES.only("n_visits_7d", "source"))
    >>> X = crm.frame("snapshots")[["lead_id", "as_of"]]
    >>> step.fit_transform(X).columns.tolist()
    ['n_visits_7d', 'source']
    """

    def __init__(
        self, tables: "Mapping[str, ibis.Table]", features: FeatureSet | None = None
    ) -> None:
        self.tables = tables
        self.features = features

    def __sklearn_clone__(self) -> "HistoryFeatures":
        # Tables are a connection to data, not a parameter to copy.
        return HistoryFeatures(self.tables, self.features)

    def fit(self, X: pd.DataFrame, y: object = None) -> Self:
        """Check the columns; nothing is learned.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_columns)
            Columns lead_id and as_of, and the keys of track records that leads do not have.
        y
            Ignored.

        Raises
        ------
        FeatureError
            When a column is missing.
        """
        self.features_ = FEATURES if self.features is None else self.features
        self._checked(X)
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Features of each row, indexed like `X`; categories as such.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_columns)

        Raises
        ------
        FeatureError
            When a column or a table is missing.
        """
        check_is_fitted(self)
        moments = self._checked(X).reset_index(drop=True)
        moments["snapshot_id"] = [f"{row:012d}" for row in range(len(moments))]
        some = next(iter(self.tables.values()))
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "moments.parquet"
            moments.to_parquet(path)
            asked = some.get_backend().read_parquet(str(path))
            found = collect(self.features_.build(self.tables, asked))
        found = found.set_index("snapshot_id").loc[moments["snapshot_id"]].set_axis(X.index)
        chosen = found[list(self.features_.names)]
        levels = {
            f.name: pd.CategoricalDtype(list(f.values))
            for f in self.features_
            if isinstance(f, Static) and f.values and f.name in chosen
        }
        numbers = {name: "float64" for name in chosen if name not in levels}
        kept = {n: t for n, t in numbers.items() if pd.api.types.is_numeric_dtype(chosen[n])}
        result: pd.DataFrame = chosen.astype({**levels, **kept})
        return result

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Names of the columns, shape (n_features,)."""
        check_is_fitted(self)
        return np.array(self.features_.names, dtype=object)

    def _checked(self, X: pd.DataFrame) -> pd.DataFrame:
        missing = sorted({"lead_id", "as_of"} - set(getattr(X, "columns", ())))
        if missing:
            raise FeatureError(
                f"X has no column {missing[0]!r}",
                expected="a DataFrame with lead_id and as_of",
                fix="pass whose history is wanted, and as of when",
            )
        keys = [c for c in ("agent_id", "source") if c in X.columns]
        return X[["lead_id", "as_of", *keys]].copy()
