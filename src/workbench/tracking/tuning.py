"""Log a parameter search to MLflow: a parent run, and a child run a trial."""

import math
import warnings
from typing import Any

from workbench.predictors import Tuning
from workbench.settings import Settings
from workbench.tracking.store import connect, use_experiment

__all__ = ["log_tuning"]


def log_tuning(
    tuning: Tuning, *, settings: Settings, experiment: str, run_name: str = "tuning"
) -> str:
    """Log what a search found: the winner's honest score, and every trial.

    Parameters
    ----------
    tuning
        What `workbench.predictors.tune` returned.
    settings
        Where MLflow keeps things.
    experiment
        Experiment the runs belong to.
    run_name
        Of the parent run; a trial's run is called ``<run_name>/trial <number>``.

    Returns
    -------
    str
        Identifier of the parent run.
    """
    mlflow = connect(settings)
    with warnings.catch_warnings():
        # MLflow warns about its own migrations.
        warnings.simplefilter("ignore")
        use_experiment(mlflow, experiment, settings)
        with mlflow.start_run(run_name=run_name) as parent:
            mlflow.log_params(_plain(tuning.best_parameters) | {"scoring": tuning.scoring})
            mlflow.log_metrics(
                {
                    "best_score": tuning.best_score,
                    "held_out_score": tuning.held_out_score,
                    "default_held_out_score": tuning.default_held_out_score,
                    "optimism": tuning.optimism,
                    "n_trials": len(tuning.trials),
                    "n_search": tuning.n_search,
                    "n_held_out": tuning.n_held_out,
                }
            )
            note = (
                f"{tuning.scoring} {tuning.best_score:.4f} on the folds that chose the winner; "
                f"{tuning.held_out_score:.4f} on rows the search never saw. Quote the second."
            )
            mlflow.set_tags(
                {"mlflow.note.content": note, "estimator": type(tuning.best_estimator).__name__}
            )
            for trial in tuning.trials:
                name = f"{run_name}/trial {trial.number}"
                with mlflow.start_run(run_name=name, nested=True):
                    mlflow.log_params(_plain(trial.parameters))
                    values = {"score": trial.score, "duration_s": trial.duration_s}
                    mlflow.log_metrics({k: v for k, v in values.items() if math.isfinite(v)})
                    mlflow.set_tag("state", trial.state)
            return str(parent.info.run_id)


def _plain(parameters: dict[str, Any]) -> dict[str, str]:
    return {name: str(value)[:500] for name, value in parameters.items()}
