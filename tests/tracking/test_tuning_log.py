import numpy as np
import pandas as pd
import pytest
from sklearn.tree import DecisionTreeClassifier

from workbench.predictors import tune
from workbench.settings import Settings
from workbench.tracking import connect
from workbench.tracking.tuning import log_tuning


def test_a_search_is_a_parent_run_and_a_child_run_a_trial(project: Settings) -> None:
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"a": rng.normal(size=400), "b": rng.normal(size=400)})
    y = (X["a"] + rng.normal(size=400) > 0).astype(int)
    tree = DecisionTreeClassifier(random_state=0)
    found = tune(tree, {"max_depth": (1, 3, -1)}, X, y, n_trials=6, prune=False)
    run_id = log_tuning(found, settings=project, experiment="tuning", run_name="tree")
    client = connect(project).MlflowClient()
    parent = client.get_run(run_id)
    assert parent.data.metrics["best_score"] == found.best_score
    assert parent.data.metrics["held_out_score"] == found.held_out_score
    assert parent.data.metrics["optimism"] == pytest.approx(found.optimism)
    assert parent.data.params["max_depth"] == str(found.best_parameters["max_depth"])
    assert "Quote the second" in parent.data.tags["mlflow.note.content"]
    experiment = client.get_experiment_by_name("tuning")
    children = [
        run
        for run in client.search_runs([experiment.experiment_id])
        if run.data.tags.get("mlflow.parentRunId") == run_id
    ]
    assert len(children) == 6
    states = [run.data.tags["state"] for run in children]
    assert states.count("failed") == sum(t.state == "failed" for t in found.trials)
    failed = [run for run in children if run.data.tags["state"] == "failed"]
    assert all("score" not in run.data.metrics for run in failed)
