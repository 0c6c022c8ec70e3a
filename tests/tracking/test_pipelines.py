"""A promoted pipeline scores files the same embedded, on Spark and in memory."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from workbench.cli import main
from workbench.data import Dataset
from workbench.errors import PredictorError
from workbench.predictors import BoostedClassifier
from workbench.settings import Settings
from workbench.tasks import load_dataset
from workbench.tracking.pipelines import (
    RegisteredPipeline,
    load_pipeline,
    register_pipeline,
    score_files,
    score_on_spark,
)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    root = tmp_path_factory.mktemp("pipelines")
    return Settings(root=root, data_dir=root)


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return load_dataset("crm_churn_risk", n_rows=500, random_state=5)


@pytest.fixture(scope="module")
def model(dataset: Dataset) -> BoostedClassifier:
    return BoostedClassifier(max_rounds=40, n_splits=3).fit(dataset.X, dataset.y.to_numpy())


@pytest.fixture(scope="module")
def pipeline(model: BoostedClassifier, dataset: Dataset, settings: Settings) -> RegisteredPipeline:
    return register_pipeline(model, dataset.X, name="churn", settings=settings)


@pytest.fixture(scope="module")
def files(dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rows")
    # As engines write them: categories as text, in several files.
    rows = dataset.X.astype(
        {c: "str" for c in dataset.X if isinstance(dataset.X[c].dtype, pd.CategoricalDtype)}
    ).reset_index(names="snapshot_id")
    for number, part in enumerate(np.array_split(np.arange(len(rows)), 3)):
        rows.iloc[part].to_parquet(folder / f"part-{number}.parquet", index=False)
    return folder


def scores(folder: Path, dataset: Dataset) -> Any:
    found = pd.read_parquet(folder).set_index("snapshot_id")["probability"]
    return found.loc[dataset.X.index].to_numpy()


def test_files_get_the_scores_of_memory(
    model: BoostedClassifier, pipeline: RegisteredPipeline, dataset: Dataset, files: Path,
    settings: Settings, tmp_path: Path,
) -> None:  # fmt: skip
    expected = model.predict_proba(dataset.X)[:, 1]
    n = score_files(pipeline.uri, files, tmp_path / "out", settings=settings, batch_rows=64)
    assert n == len(dataset)
    assert np.array_equal(scores(tmp_path / "out", dataset), expected)
    loaded = load_pipeline("models:/churn@champion", settings=settings)
    assert np.array_equal(loaded.predict(dataset.X.astype(object)), expected)


def test_spark_gives_the_same_scores(
    spark: Any, pipeline: RegisteredPipeline, model: BoostedClassifier, dataset: Dataset,
    files: Path, settings: Settings, tmp_path: Path,
) -> None:  # fmt: skip
    score_on_spark(spark, pipeline.uri, files, tmp_path / "spark", settings=settings)
    expected = model.predict_proba(dataset.X)[:, 1]
    np.testing.assert_allclose(scores(tmp_path / "spark", dataset), expected, rtol=0, atol=1e-12)


def test_a_name_registered_again_gets_the_next_version(
    pipeline: RegisteredPipeline, model: BoostedClassifier, dataset: Dataset, settings: Settings
) -> None:
    again = register_pipeline(model, dataset.X, name="again", settings=settings)
    assert register_pipeline(model, dataset.X, name="again", settings=settings).version == (
        again.version + 1
    )


def test_what_cannot_be_scored_is_refused(
    pipeline: RegisteredPipeline, dataset: Dataset, files: Path, settings: Settings, tmp_path: Path
) -> None:
    with pytest.raises(PredictorError, match="no pipeline can be loaded"):
        score_files("models:/none@champion", files, tmp_path / "a", settings=settings)
    with pytest.raises(PredictorError, match="exists"):
        score_files(pipeline.uri, files, tmp_path, settings=settings)
    with pytest.raises(PredictorError, match="does not exist"):
        score_files(pipeline.uri, tmp_path / "no", tmp_path / "b", settings=settings)
    short = tmp_path / "short.parquet"
    pd.read_parquet(files).drop(columns=["n_events", "source"]).to_parquet(short)
    with pytest.raises(PredictorError, match="2 columns are missing, 'n_events'"):
        score_files(pipeline.uri, short, tmp_path / "c", settings=settings)
    assert not (tmp_path / "c").exists()


def test_an_arm_that_asks_claude_is_no_pipeline(
    dataset: Dataset, settings: Settings, client: Any
) -> None:
    from workbench.tasks import load_task

    arm = load_task("churn_risk").claude("zero_shot", dataset, client=client)
    with pytest.raises(PredictorError, match="asks Claude"):
        register_pipeline(arm, dataset.X, name="claude", settings=settings)


def test_promote_and_score_on_the_command_line(
    project: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setenv("WORKBENCH_ROOT", str(project.root))
    spec = project.root / "experiments" / "spec.yaml"
    spec.write_text(
        "name: x\ntask: churn_risk\ndataset: {name: crm_churn_risk, n_rows: 400}\n"
        "arms:\n  plain: {kind: logistic, parameters: {text: false}}\n  prior: {kind: prior}\n"
        "baseline: prior\n"
        "gates: [{metric: roc_auc, at_least: 0.5}]\n"
    )

    def run(*arguments: str) -> int:
        monkeypatch.setattr(sys, "argv", ["workbench", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0)

    assert run("promote", str(spec), "plain", "--json") == 0
    made = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert made["uri"] == "models:/crm_churn_risk/1"
    rows = load_dataset("crm_churn_risk", n_rows=50, random_state=1).X.astype(object)
    numbers = rows.columns.difference(
        ["source", "vertical", "property_type", "preapproved", "conversation"]
    )
    rows[numbers] = rows[numbers].astype(float)
    rows.to_parquet(tmp_path / "rows.parquet")
    scored = ["--output", str(tmp_path / "scored")]
    assert run("score", made["uri"], str(tmp_path / "rows.parquet"), *scored) == 0
    assert pd.read_parquet(tmp_path / "scored")["probability"].between(0, 1).all()
    assert run("promote", str(spec), "none") == 2
    assert "no arm 'none'" in capsys.readouterr().err
