"""Feature builders."""

from workbench.features.columns import category_columns, numeric_columns, text_columns
from workbench.features.encoders import TextScore, TreeTable, linear_table
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
)

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
    "linear_table",
    "numeric_columns",
    "read_tables",
    "spark_session",
    "text_columns",
    "write_table",
]
