"""Promoted pipelines: registered with MLflow, and scoring files of any size.

A pipeline is an MLflow pyfunc model, so whatever runs those runs it: this machine file by file in
bounded memory, and Spark through MLflow's own `spark_udf`.
"""

import logging
import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from workbench.errors import PredictorError
from workbench.predictors import answering, positive_probability
from workbench.settings import Settings
from workbench.tracking.store import connect, use_experiment

__all__ = [
    "RegisteredPipeline",
    "load_pipeline",
    "register_pipeline",
    "score_files",
    "score_on_spark",
]

_PROBABILITY = "probability"


@dataclass(frozen=True, slots=True)
class RegisteredPipeline:
    """Where a pipeline is kept.

    Parameters
    ----------
    name, version
        In MLflow's registry; the alias ``champion`` points at the version last registered.
    uri
        What loads it, such as ``models:/crm_churn_risk/3``.
    columns
        Inputs, in order.
    """

    name: str
    version: int
    uri: str
    columns: tuple[str, ...]


class _Scorer:
    """What MLflow pickles: the fitted estimator and the columns it reads."""

    def __init__(self, estimator: Any, dtypes: dict[str, Any]) -> None:
        self.estimator = estimator
        self.dtypes = dtypes

    def predict(
        self, context: object, model_input: pd.DataFrame, params: object = None
    ) -> NDArray[np.float64]:
        # Files carry categories as plain text and whole numbers without gaps as integers.
        frame = model_input[list(self.dtypes)].astype(self.dtypes)
        return positive_probability(self.estimator, frame)


def register_pipeline(
    estimator: Any,
    X: pd.DataFrame,
    *,
    name: str,
    settings: Settings,
    tags: dict[str, str] | None = None,
) -> RegisteredPipeline:
    """Register a fitted classifier as a pipeline that scores tables.

    Parameters
    ----------
    estimator
        Fitted, with `predict_proba`.
    X : DataFrame of shape (n_samples, n_features)
        Rows like those it was fitted on; their columns and types become the signature.
    name
        In the registry; a name that exists gets a new version.
    settings
        Where MLflow keeps things.
    tags
        Of the version, such as the spec and the run it comes from.

    Returns
    -------
    RegisteredPipeline

    Raises
    ------
    PredictorError
        When the estimator asks Claude: a batch of requests belongs to the client, with its budget
        and ledger.
    """
    if answering(estimator):
        raise PredictorError(
            f"a {type(estimator).__name__} asks Claude",
            expected="a pipeline that runs by itself",
            fix="register a model, or score with evaluate and a budget",
        )
    mlflow = _connected(settings)
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    kinds = {c: "double" if pd.api.types.is_numeric_dtype(X[c]) else "string" for c in X.columns}
    signature = ModelSignature(
        inputs=Schema([ColSpec(kind, str(c), required=False) for c, kind in kinds.items()]),
        outputs=Schema([ColSpec("double")]),
    )
    dtypes = {str(c): "float64" if kinds[c] == "double" else X[c].dtype for c in X.columns}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")

        class PyFunc(_Scorer, mlflow.pyfunc.PythonModel):  # type: ignore[misc,name-defined]
            """MLflow wants its own class as parent; it is pickled by value."""

        use_experiment(mlflow, name, settings)
        with mlflow.start_run(run_name=f"register {name}"):
            mlflow.set_tags(tags or {})
            info = mlflow.pyfunc.log_model(
                name="pipeline",
                python_model=PyFunc(estimator, dtypes),
                signature=signature,
                pip_requirements=["workbench"],
                registered_model_name=name,
            )
    version = int(info.registered_model_version)
    client = mlflow.MlflowClient()
    client.set_registered_model_alias(name, "champion", version)
    for key, value in (tags or {}).items():
        client.set_model_version_tag(name, str(version), key, value)
    return RegisteredPipeline(name, version, f"models:/{name}/{version}", tuple(dtypes))


def load_pipeline(uri: str, *, settings: Settings) -> Any:
    """Load a registered pipeline; its `predict` gives one probability a row.

    Parameters
    ----------
    uri
        Such as ``models:/crm_churn_risk@champion`` or ``models:/crm_churn_risk/3``.
    settings
        Where MLflow keeps things.

    Raises
    ------
    PredictorError
        When there is no such pipeline.
    """
    mlflow = _connected(settings)
    from mlflow.exceptions import MlflowException

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return mlflow.pyfunc.load_model(uri)
        except (MlflowException, OSError) as error:
            raise PredictorError(
                f"no pipeline can be loaded from {uri!r}: {error}",
                expected="models:/<name>@champion or models:/<name>/<version>",
                fix="register one with `workbench promote SPEC ARM`",
            ) from error


def score_files(
    uri: str,
    source: str | Path,
    folder: str | Path,
    *,
    settings: Settings,
    keep: Sequence[str] = ("snapshot_id", "lead_id", "as_of"),
    batch_rows: int = 50_000,
) -> int:
    """Score Parquet files batch by batch, in memory that does not grow with them.

    Parameters
    ----------
    uri
        Of the pipeline.
    source
        A Parquet file, or a folder of such files.
    folder
        Written to; made, must not exist. Appears when all of it is there.
    settings
        Where MLflow keeps things.
    keep
        Columns copied beside the probability, those of them that are there.
    batch_rows
        Rows at a time.

    Returns
    -------
    int
        Rows scored.

    Raises
    ------
    PredictorError
        When the pipeline, the files or one of its columns is missing, or the folder exists.
    """
    import pyarrow as pa
    import pyarrow.dataset as ds
    import pyarrow.parquet as pq

    folder, source = Path(folder), Path(source)
    if folder.exists() or not source.exists():
        raise PredictorError(
            f"{str(folder)!r} exists" if folder.exists() else f"{str(source)!r} does not exist",
            expected="files to read, and the name of a new folder",
            fix="correct the names",
        )
    pipeline = load_pipeline(uri, settings=settings)
    rows = ds.dataset(str(source), format="parquet")
    inputs = pipeline.metadata.get_input_schema().inputs
    wanted = [column.name for column in inputs]
    # Whole numbers are numbers: MLflow would not read them as such by itself.
    numbers = [column.name for column in inputs if column.type.name == "double"]
    _refuse_missing(wanted, rows.schema.names, source, uri)
    kept = [name for name in keep if name in rows.schema.names]
    aside = folder.with_name(f".{folder.name}.partial")
    aside.mkdir(parents=True, exist_ok=True)
    schema = pa.schema([*(rows.schema.field(name) for name in kept), (_PROBABILITY, pa.float64())])
    scored = 0
    with pq.ParquetWriter(aside / "part-00000.parquet", schema) as writer:
        columns = list(dict.fromkeys([*kept, *wanted]))
        for batch in rows.to_batches(columns=columns, batch_size=batch_rows):
            if not batch.num_rows:
                continue
            given = batch.select(wanted).to_pandas()
            found = np.asarray(
                pipeline.predict(given.astype(dict.fromkeys(numbers, "float64"))), dtype=np.float64
            )
            made = [batch.column(name) for name in kept]
            writer.write_table(pa.Table.from_arrays([*made, pa.array(found)], schema=schema))
            scored += batch.num_rows
    aside.rename(folder)
    return scored


def score_on_spark(
    session: Any,
    uri: str,
    source: str | Path,
    folder: str | Path,
    *,
    settings: Settings,
    keep: Sequence[str] = ("snapshot_id", "lead_id", "as_of"),
) -> None:
    """Score Parquet files on Spark through MLflow's `spark_udf`.

    Parameters
    ----------
    session : pyspark.sql.SparkSession
        The workers need the project installed, and the store within reach.
    uri, source, folder, settings, keep
        As for `score_files`.

    Raises
    ------
    PredictorError
        When the pipeline is missing or one of its columns is.
    """
    from pyspark.sql.functions import col, struct

    mlflow = _connected(settings)
    schema = load_pipeline(uri, settings=settings).metadata.get_input_schema().inputs
    wanted = [column.name for column in schema]
    frame = session.read.parquet(str(source))
    _refuse_missing(wanted, frame.columns, source, uri)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        score = mlflow.pyfunc.spark_udf(session, uri, result_type="double", env_manager="local")
    kinds = {column.name: column.type.name for column in schema}
    inputs = struct(
        *(col(n).cast("double").alias(n) if kinds[n] == "double" else col(n) for n in wanted)
    )
    kept = [col(name) for name in keep if name in frame.columns]
    frame.select(*kept, score(inputs).alias(_PROBABILITY)).write.parquet(str(folder))


def _refuse_missing(
    wanted: Sequence[str], given: Sequence[str], source: str | Path, uri: str
) -> None:
    absent = sorted(set(wanted) - set(given))
    if absent:
        raise PredictorError(
            f"{len(absent)} columns are missing, {absent[0]!r} among them",
            where=str(source),
            expected=f"the {len(wanted)} inputs of {uri}",
            fix="build the features the pipeline was fitted on",
        )


def _connected(settings: Settings) -> Any:
    os.environ["MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"] = "false"
    mlflow = connect(settings)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    return mlflow
