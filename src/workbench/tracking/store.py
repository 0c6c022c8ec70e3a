"""Where MLflow keeps things, and the switches that keep it to this machine."""

import os
import sqlite3
import warnings
from typing import Any

from workbench.settings import Settings

__all__ = ["connect", "server_command", "tracking_uri", "use_experiment"]

# Read by MLflow when it is imported: no telemetry, no price catalogue from the network,
# no jobs.
_ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_MODEL_CATALOG_URI": "",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "GIT_PYTHON_REFRESH": "quiet",
}


def tracking_uri(settings: Settings) -> str:
    """Address of the tracking store, independent of the working directory.

    Examples
    --------
    >>> from pathlib import Path
    >>> tracking_uri(Settings(root=Path("/tmp/project"), data_dir=Path("/tmp")))
    'sqlite:////tmp/project/mlruns/mlflow.db'
    """
    return f"sqlite:///{settings.mlruns / 'mlflow.db'}"


def connect(settings: Settings) -> Any:
    """Import MLflow, pointed at the project's own store.

    The SQLite file runs in WAL mode, which is sticky and lets several runs write at once.

    Parameters
    ----------
    settings
        Where things are.

    Returns
    -------
    module
        `mlflow`.
    """
    settings.mlruns.mkdir(parents=True, exist_ok=True)
    os.environ.update(_ENVIRONMENT)
    with sqlite3.connect(settings.mlruns / "mlflow.db") as connection:
        connection.execute("pragma journal_mode=wal")
    connection.close()
    # Imported here because it reads its environment when it is imported.
    import mlflow

    mlflow.set_tracking_uri(tracking_uri(settings))
    mlflow.set_registry_uri(tracking_uri(settings))
    return mlflow


def use_experiment(mlflow: Any, name: str, settings: Settings, *, note: str = "") -> None:
    """Make an experiment the active one, with its files inside the project.

    What MLflow was pointed at before, by this process or its environment, no longer counts.

    Parameters
    ----------
    mlflow
        From `connect`.
    name
        Of the experiment, made when it is not there.
    settings
        Where things are.
    note
        What MLflow's screen says of the experiment; left as it is when empty.
    """
    with warnings.catch_warnings():
        # SQLAlchemy warns of MLflow's tables when they are first used.
        warnings.simplefilter("ignore")
        if mlflow.get_experiment_by_name(name) is None:
            artifacts = settings.mlruns / "artifacts" / name
            mlflow.create_experiment(name, artifact_location=artifacts.as_uri())
        mlflow.set_experiment(name)
        if note:
            mlflow.set_experiment_tag("mlflow.note.content", note)


def server_command(settings: Settings, *, host: str, port: int) -> tuple[list[str], dict[str, str]]:
    """Command and environment of the lean dashboard: one worker, no job runners.

    Parameters
    ----------
    settings
        Where things are.
    host, port
        Where to listen.
    """
    command = [
        "mlflow", "server", "--backend-store-uri", tracking_uri(settings),
        "--default-artifact-root", (settings.mlruns / "artifacts").as_uri(),
        "--workers", "1", "--host", host, "--port", str(port),
    ]  # fmt: skip
    return command, os.environ | _ENVIRONMENT
