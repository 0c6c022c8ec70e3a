"""Feature builders."""

from workbench.features.columns import category_columns, numeric_columns, text_columns
from workbench.features.encoders import TextScore, TreeTable, linear_table

__all__ = [
    "TextScore",
    "TreeTable",
    "category_columns",
    "linear_table",
    "numeric_columns",
    "text_columns",
]
