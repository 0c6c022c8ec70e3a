"""Feature builders: of histories for any engine, of tables for estimators."""

import importlib
from typing import TYPE_CHECKING, Any

from workbench.features.columns import category_columns, numeric_columns, text_columns
from workbench.features.engines import collect, read_tables, spark_session, write_table
from workbench.features.history import (
    FEATURES,
    Aggregate,
    Context,
    FeatureSet,
    Ratio,
    Response,
    Static,
    TrackRecord,
    history_of,
    last_words,
)

if TYPE_CHECKING:
    from workbench.features.encoders import TextScore, TreeTable, linear_table

__all__ = [
    "FEATURES",
    "Aggregate",
    "Context",
    "FeatureSet",
    "Ratio",
    "Response",
    "Static",
    "TextScore",
    "TrackRecord",
    "TreeTable",
    "category_columns",
    "collect",
    "history_of",
    "last_words",
    "linear_table",
    "numeric_columns",
    "read_tables",
    "spark_session",
    "text_columns",
    "write_table",
]

# Who only builds features of tables need not wait for scikit-learn.
_ENCODERS = {"TextScore", "TreeTable", "linear_table"}


def __getattr__(name: str) -> Any:
    if name in _ENCODERS:
        return getattr(importlib.import_module("workbench.features.encoders"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
