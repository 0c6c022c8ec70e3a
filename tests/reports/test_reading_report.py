from pathlib import Path

import pandas as pd
import pytest

import workbench as wb
from workbench.evaluation.readings.session import ReadingResult
from workbench.reports import RunOutcome, run_spec
from workbench.settings import Settings
from workbench.tracking import log_result
from workbench.tracking.store import connect

SPEC = """
name: tiny
task: intent
corpus: {name: lead_intents, n_rows: 260, random_state: 2}
arms:
  constant: {kind: reader, reader: constant}
  tfidf: {kind: reader, reader: tfidf}
  claude: {kind: claude, prompt: zero_shot}
  both: {kind: blended, members: [tfidf, claude]}
baseline: constant
metrics: [primary_intent/accuracy, primary_intent/macro_f1, motivations/micro_f1]
gates:
  - {metric: primary_intent/accuracy, difference: true, at_least: -0.2}
n_resamples: 200
latency_sample: 4
"""


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[RunOutcome, Settings]:
    here = Path(__file__).resolve().parents[2]
    root = tmp_path_factory.mktemp("reading") / "project"
    root.mkdir()
    for name in ("datasets", "notebooks", "pyproject.toml"):
        (root / name).symlink_to(here / name)
    (root / "experiments").mkdir()
    path = root / "experiments" / "tiny.yaml"
    path.write_text(SPEC, encoding="utf-8")
    settings = Settings(root=root, data_dir=root)
    return run_spec(path, settings=settings), settings


def test_a_spec_for_readers_runs_to_a_page_and_a_verdict(
    done: tuple[RunOutcome, Settings],
) -> None:
    outcome, _ = done
    assert isinstance(outcome.result, ReadingResult)
    assert outcome.result.verdict.promoted == "tfidf"
    page = outcome.report.read_text(encoding="utf-8")
    for told in (
        "Promote tfidf over constant",
        "SIMULATED: no answer is Claude",
        "sim:claude",
        "Before you believe this",
        "WB-C08",
        "Quality, latency and cost",
        "Where this comes from",
    ):
        assert told in page
    assert "Traceback" not in page


def test_no_text_of_a_lead_is_kept_in_the_records(done: tuple[RunOutcome, Settings]) -> None:
    outcome, _ = done
    records = pd.read_parquet(outcome.folder / "records.parquet")
    assert "text" not in records.columns
    assert {"truth:primary_intent", "value:primary_intent", "right"} <= set(records.columns)
    assert set(records.loc[records["arm"] == "claude", "origin"]) == {"simulated"}


def test_a_run_is_logged_with_its_figures_and_no_quotes(
    done: tuple[RunOutcome, Settings], tmp_path: Path
) -> None:
    outcome, settings = done
    run_id = log_result(outcome.result, outcome.report, settings=settings)
    mlflow = connect(settings)
    parent = mlflow.get_run(run_id)
    assert parent.data.tags["verdict"] == "promote"
    assert parent.data.tags["promoted"] == "tfidf"
    children = mlflow.search_runs(
        experiment_names=["intent"], filter_string=f"tags.mlflow.parentRunId = '{run_id}'"
    )
    assert len(children) == 4
    by_arm = children.set_index("tags.arm")
    assert by_arm.loc["tfidf", "metrics.primary_intent/accuracy"] > 0.3
    assert pd.isna(by_arm.loc["claude"].get("metrics.latency_p50_s", float("nan")))
    kept = mlflow.artifacts.download_artifacts(
        run_id=run_id, artifact_path="records.parquet", dst_path=str(tmp_path)
    )
    assert "evidence" not in pd.read_parquet(kept).columns


def test_the_price_of_a_spec_is_told_without_asking(done: tuple[RunOutcome, Settings]) -> None:
    _, settings = done
    price = wb.price_reading_spec(settings.root / "experiments" / "tiny.yaml", settings=settings)
    assert set(price.arms) == {"claude"}
    assert price.origin == "simulated"
    assert price.total.n_stored == price.total.n_requests > 40
