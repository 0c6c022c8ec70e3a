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
    from workbench.features.history.transformer import HistoryFeatures
    from workbench.features.lexicon import LexiconFeatures
    from workbench.features.sentences import SentenceFeatures

__all__ = [
    "FEATURES",
    "Aggregate",
    "Context",
    "FeatureSet",
    "HistoryFeatures",
    "LexiconFeatures",
    "Ratio",
    "Response",
    "SentenceFeatures",
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
_LATER = {
    "HistoryFeatures": "workbench.features.history.transformer",
    "LexiconFeatures": "workbench.features.lexicon",
    "SentenceFeatures": "workbench.features.sentences",
    "TextScore": "workbench.features.encoders",
    "TreeTable": "workbench.features.encoders",
    "linear_table": "workbench.features.encoders",
}


def __getattr__(name: str) -> Any:
    if name in _LATER:
        return getattr(importlib.import_module(_LATER[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
