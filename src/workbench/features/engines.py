"""The engines feature tables run on: DuckDB in this process, or an existing Spark."""

import importlib.util
import sys
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.errors import FeatureError

if TYPE_CHECKING:
    import ibis
    import pandas as pd

__all__ = ["collect", "read_tables", "spark_session", "write_table"]

# A local Spark stays on this machine, and has no use for 200 parts of a join.
_LOCAL = {
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.sql.shuffle.partitions": "8",
}


def spark_session(*, master: str = "local[2]", settings: Mapping[str, str] | None = None) -> Any:
    """Start, or find, a Spark session that reads times as the embedded engine does.

    Parameters
    ----------
    master
        Where Spark runs; ``local[2]`` is two threads of this machine.
    settings
        Further settings of Spark.

    Returns
    -------
    pyspark.sql.SparkSession
        In UTC, without a web interface. Stop it with `stop()`.

    Raises
    ------
    FeatureError
        When PySpark is not installed or its Java cannot be started.
    """
    if importlib.util.find_spec("pyspark") is None:
        raise FeatureError(
            "PySpark is not installed",
            expected="the extra 'spark'",
            fix="run `pip install workbench[spark]`, or leave the engine at 'duckdb'",
        )
    # Said at every import of a part of it; the figures are compared by this project's tests.
    warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
    from pyspark.errors import PySparkRuntimeError
    from pyspark.sql import SparkSession

    local = master.startswith("local")
    chosen = {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.session.timeZone": "UTC",
        **(_LOCAL if local else {}),
        "spark.sql.execution.arrow.pyspark.enabled": "true",
        **(settings or {}),
    }
    builder = SparkSession.builder.appName("workbench").master(master)
    for key, value in chosen.items():
        builder = builder.config(key, value)
    try:
        session = builder.getOrCreate()
    except PySparkRuntimeError as error:
        raise FeatureError(
            f"Spark does not start: {error}",
            expected="Java 17 or newer on PATH or in JAVA_HOME",
            fix="install it (Debian: sudo apt-get install openjdk-17-jre-headless)",
        ) from error
    session.sparkContext.setLogLevel("ERROR")
    if local:
        # Functions run in this environment, not in whatever python3 is on PATH.
        session.sparkContext.pythonExec = sys.executable
    return session


def read_tables(
    folder: str | Path, *, session: Any = None, connection: Any = None
) -> "dict[str, ibis.Table]":
    """Open every table of a folder: one Parquet file or folder of such a table.

    Parameters
    ----------
    folder
        `events.parquet`, `events/part-0.parquet` and so on.
    session
        A Spark session; DuckDB in this process when None.
    connection
        An Ibis connection to use instead of a new one.

    Returns
    -------
    dict of str to ibis.Table

    Raises
    ------
    FeatureError
        When the folder holds no table.
    """
    import ibis

    folder = Path(folder)
    found: dict[str, Any] = {}
    if connection is None:
        connection = ibis.duckdb.connect() if session is None else ibis.pyspark.connect(session)
    if (folder / "truth").is_dir() and not (folder / "manifest.json").is_file():
        raise FeatureError(
            f"the simulation that filled {str(folder)!r} was stopped before its end",
            expected="a finished brokerage",
            fix="remove the folder and simulate again",
        )
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        parts = sorted(path.glob("*.parquet")) if path.is_dir() else []
        if path.suffix == ".parquet" and path.is_file():
            found[path.stem] = connection.read_parquet(str(path))
        elif parts:
            # Spark takes a folder, DuckDB files.
            files = [str(part) for part in parts]
            found[path.name] = connection.read_parquet(
                str(path) if connection.name == "pyspark" else files
            )
    if not found:
        raise FeatureError(
            f"there is no table in {str(folder)!r}",
            expected="<table>.parquet, or <table>/ with Parquet files",
            fix="name the folder a brokerage was written to",
        )
    return found


def collect(table: "ibis.Table") -> "pd.DataFrame":
    """Execute a table on DuckDB and take it into memory.

    Parameters
    ----------
    table
        Of the embedded engine; large results and those of Spark go through `write_table`.
    """
    # By way of Arrow: Ibis' own way to pandas sets an option pandas 3 deprecates.
    frame: pd.DataFrame = table.to_pyarrow().to_pandas()
    return frame


def write_table(table: "ibis.Table", folder: str | Path) -> Path:
    """Execute a table and write it as a folder of Parquet files, in bounded memory.

    Parameters
    ----------
    table
        Of any engine.
    folder
        Made; must not exist.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    FeatureError
        When the folder exists.
    """
    folder = Path(folder)
    if folder.exists():
        raise FeatureError(
            f"{str(folder)!r} exists",
            expected="the name of a new folder",
            fix="name another, or remove it",
        )
    if table.get_backend().name == "duckdb":
        folder.parent.mkdir(parents=True, exist_ok=True)
        # Written aside and renamed: whoever finds the folder finds all of it.
        aside = folder.with_name(f".{folder.name}.partial")
        aside.mkdir(exist_ok=True)
        table.to_parquet(str(aside / "part-00000.parquet"))
        aside.rename(folder)
    else:
        table.to_parquet_dir(str(folder))
    return folder
