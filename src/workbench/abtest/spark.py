"""The same SQL on Spark: sums are taken where the units are, and only sums come back."""

import itertools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

__all__ = ["SparkRows", "SparkSql", "is_spark_frame"]

# Spark's types by the names DuckDB has for them.
_TYPES = {
    "string": "VARCHAR", "double": "DOUBLE", "float": "FLOAT", "int": "INTEGER",
    "bigint": "BIGINT", "smallint": "SMALLINT", "tinyint": "TINYINT", "boolean": "BOOLEAN",
    "date": "DATE", "timestamp": "TIMESTAMP WITH TIME ZONE", "timestamp_ntz": "TIMESTAMP",
}  # fmt: skip
_COUNTER = itertools.count(1)


def is_spark_frame(data: object) -> bool:
    """Whether data are a Spark DataFrame, without importing Spark.

    Parameters
    ----------
    data
        Anything.
    """
    return type(data).__module__.startswith("pyspark.sql")


class SparkRows:
    """Rows of an answer, read as those of DuckDB are.

    Parameters
    ----------
    frame
        The answer.
    """

    def __init__(self, frame: "DataFrame") -> None:
        self._names = list(frame.columns)
        self._rows = [tuple(row) for row in frame.collect()]

    def fetchall(self) -> list[tuple[Any, ...]]:
        """All rows."""
        return self._rows

    def fetchone(self) -> tuple[Any, ...] | None:
        """The first row; None without rows."""
        return self._rows[0] if self._rows else None

    def fetchnumpy(self) -> dict[str, Any]:
        """Columns by name, masked where they are NULL."""
        out = {}
        for i, name in enumerate(self._names):
            values = [row[i] for row in self._rows]
            absent = np.array([v is None for v in values], dtype=bool)
            if any(isinstance(v, str) for v in values):
                column = np.array(values, dtype=object)
            else:
                column = np.array([0 if v is None else float(v) for v in values])
            out[name] = np.ma.masked_array(column, mask=absent)
        return out


class SparkSql:
    """Units in a Spark DataFrame, asked in the SQL that DuckDB is asked in.

    Parameters
    ----------
    data
        One row a unit. The session it belongs to does the work and is left open.
    """

    def __init__(self, data: "DataFrame") -> None:
        self._session = data.sparkSession
        number = next(_COUNTER)
        # Names of our own, so that no view of the session is replaced.
        self._views = {name: f"workbench_{name}_{number}" for name in ("given", "units")}
        data.createOrReplaceTempView(self._views["given"])
        self.types: Mapping[str, str] = {
            name: _TYPES.get(kind, kind.upper()) for name, kind in data.dtypes
        }

    def execute(self, query: str) -> SparkRows:
        """Translate a query and run it.

        Parameters
        ----------
        query
            SQL of DuckDB over the tables `given` and `units`.
        """
        import sqlglot
        from sqlglot import expressions

        tree = sqlglot.parse_one(query, read="duckdb")
        for table in tree.find_all(expressions.Table):
            if table.name in self._views:
                table.set("this", expressions.to_identifier(self._views[table.name]))
        if isinstance(tree, expressions.Create):
            selected = tree.expression.sql(dialect="spark")
            self._session.sql(selected).createOrReplaceTempView(self._views["units"])
            return SparkRows(self._session.createDataFrame([], "made int"))
        return SparkRows(self._session.sql(tree.sql(dialect="spark")))

    def close(self) -> None:
        """Take the views away again."""
        for view in self._views.values():
            self._session.catalog.dropTempView(view)
