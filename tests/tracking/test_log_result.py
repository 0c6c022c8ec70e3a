import base64
import io
import json
import math
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pytest
import yaml

from workbench.claude import READER_VERSION
from workbench.evaluation import Evaluation
from workbench.reports import RunOutcome, run_spec
from workbench.scorers import METRICS
from workbench.settings import Settings
from workbench.tasks import load_dataset, load_task
from workbench.tracking import connect, log_result, server_command, tracking_uri

ROOT = Path(__file__).resolve().parents[2]
PERSONAL = re.compile(rb"(?<![\w.+-])[\w.+-]+@[\w-]+\.\w+|555-01\d\d")
SPEC: dict[str, Any] = {
    "name": "tracked",
    "task": "lead_conversion",
    "dataset": {"name": "brokerage", "n_rows": 400, "random_state": 3},
    "split": {"test_fraction": 0.4, "random_state": 1},
    "arms": {
        "prior": {"kind": "prior"},
        "logistic": {"kind": "logistic", "parameters": {"C": 0.5}},
        "zero": {"kind": "claude", "prompt": "zero_shot"},
        "blunt": {"kind": "claude", "prompt": "blunt.md"},
        "stack": {
            "kind": "stacked",
            "members": ["prior", "zero"],
            "parameters": {"n_splits": 2},
        },
    },
    "baseline": "logistic",
    "gates": [{"metric": "roc_auc", "difference": True, "at_least": 0.0}],
    "n_resamples": 200,
    "latency_sample": 20,
}
BLUNT = """---
name: blunt
title: Ask bluntly
strategy: zero_shot
variables: [outcome, lead]
---
# system
Estimate the probability that {{ outcome }}.

# user
<lead>
{{ lead }}
</lead>
"""


class Logged(NamedTuple):
    """A run logged twice, and MLflow's client to look at it with."""

    settings: Settings
    outcome: RunOutcome
    first: str
    second: str
    client: Any


@pytest.fixture(scope="module")
def logged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Logged]:
    root = tmp_path_factory.mktemp("tracked") / "project"
    (root / "experiments").mkdir(parents=True)
    for name in ("datasets", "notebooks", "pyproject.toml"):
        (root / name).symlink_to(ROOT / name)
    settings = Settings(root=root, data_dir=root)
    (root / "experiments" / "blunt.md").write_text(BLUNT, encoding="utf-8")
    path = root / "experiments" / "spec.yaml"
    path.write_text(yaml.safe_dump(SPEC, sort_keys=False), encoding="utf-8")
    outcome = run_spec(path, settings=settings)
    first = log_result(outcome.result, outcome.report, settings=settings)
    second = log_result(outcome.result, outcome.report, settings=settings)
    mlflow = connect(settings)
    yield Logged(settings, outcome, first, second, mlflow.MlflowClient(tracking_uri(settings)))


def children(logged: Logged, parent: str) -> dict[str, Any]:
    experiment = logged.client.get_experiment_by_name("lead_conversion")
    found = logged.client.search_runs(
        [experiment.experiment_id], f"tags.mlflow.parentRunId = '{parent}'"
    )
    return {run.data.tags["arm"]: run for run in found}


def files(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if path.is_file()]


# ---------------------------------------------------------------- what is logged


def test_everything_is_in_the_projects_own_folder(logged: Logged) -> None:
    names = {path.name for path in logged.settings.mlruns.iterdir()}
    assert {"mlflow.db", "answers.sqlite", "artifacts", "runs"} <= names
    assert names <= {
        "mlflow.db", "mlflow.db-wal", "mlflow.db-shm", "answers.sqlite", "answers.sqlite-wal",
        "answers.sqlite-shm", "artifacts", "runs", "keys", "audit.jsonl", "audit.jsonl.head",
    }  # fmt: skip
    outside = {path.name for path in logged.settings.root.iterdir()}
    assert outside == {"datasets", "notebooks", "pyproject.toml", "experiments", "mlruns"}


def test_the_store_lets_several_write_at_once(logged: Logged) -> None:
    connection = sqlite3.connect(logged.settings.mlruns / "mlflow.db")
    assert connection.execute("pragma journal_mode").fetchone() == ("wal",)
    connection.close()


def test_a_task_is_an_experiment_a_spec_a_run_an_arm_a_child(logged: Logged) -> None:
    names = {e.name for e in logged.client.search_experiments()}
    assert names == {"Default", "lead_conversion"}
    parent = logged.client.get_run(logged.first)
    assert parent.info.run_name == "tracked"
    assert parent.info.status == "FINISHED"
    arms = children(logged, logged.first)
    assert set(arms) == set(SPEC["arms"])
    assert {run.info.status for run in arms.values()} == {"FINISHED"}
    titles = {arm: run.info.run_name for arm, run in arms.items()}
    assert titles["logistic"] == "tracked/logistic"
    assert titles["zero"] == "tracked/sim:zero"
    assert titles["stack"] == "tracked/sim:stack"


def test_logging_again_makes_runs_of_its_own(logged: Logged) -> None:
    assert logged.second != logged.first
    ids = [
        {r.info.run_id for r in children(logged, p).values()} for p in (logged.first, logged.second)
    ]
    assert len(ids[0]) == len(ids[1]) == len(SPEC["arms"])
    assert not ids[0] & ids[1]


def test_every_figure_is_logged_with_its_interval_and_n(logged: Logged) -> None:
    evaluation = logged.outcome.result.evaluation
    assert isinstance(evaluation, Evaluation)
    for arm, run in children(logged, logged.first).items():
        for name in METRICS:
            found = evaluation.measurements[arm, name]
            if evaluation.arm(arm).simulated and METRICS[name].unit == "s":
                continue
            logged_figures = run.data.metrics
            if not math.isfinite(found.estimate):  # not measured, such as a stream nobody asked for
                assert name not in logged_figures
                continue
            assert logged_figures[name] == pytest.approx(found.estimate)
            assert logged_figures[f"{name}_n"] == found.n
            for bound in ("ci_lower", "ci_upper"):
                value = getattr(found, bound)
                if abs(value) != float("inf"):
                    assert logged_figures[f"{name}_{bound}"] == pytest.approx(value)
        assert run.data.metrics["majority_accuracy"] == evaluation.majority_accuracy
    zero = children(logged, logged.first)["zero"].data.metrics
    difference = evaluation.compare("roc_auc")["zero"].difference
    assert zero["roc_auc_difference"] == pytest.approx(difference.difference)
    assert zero["roc_auc_difference_ci_lower"] == pytest.approx(difference.ci_lower)
    assert "roc_auc_difference" not in children(logged, logged.first)["logistic"].data.metrics


def test_the_stand_ins_time_is_nobodys_latency(logged: Logged) -> None:
    for arm, run in children(logged, logged.first).items():
        timed = [name for name in run.data.metrics if name.startswith("latency")]
        assert bool(timed) == (arm in ("prior", "logistic")), arm


def test_tags_and_params_say_what_was_run(logged: Logged) -> None:
    info = logged.outcome.result.evaluation.info
    parent = logged.client.get_run(logged.first).data
    assert parent.tags["task"] == "lead_conversion"
    assert parent.tags["dataset_digest"] == info.dataset_digest
    assert parent.tags["dataset_kind"] == "simulated"
    assert parent.tags["git_revision"] == info.git_revision
    assert parent.tags["origin"] == "simulated"
    assert parent.tags["verdict"] == str(logged.outcome.result.verdict.decision)
    assert parent.tags["baseline"] == "logistic"
    assert parent.params["arms.logistic.parameters.C"] == "0.5"
    assert parent.params["dataset.n_rows"] == "400"
    zero = children(logged, logged.first)["zero"].data
    assert zero.tags["origin"] == "simulated"
    assert zero.tags["model"] == "claude-haiku-5-5"
    assert zero.tags["strategy"] == "zero_shot"
    assert zero.tags["prompt_digest"] == load_task("lead_conversion").prompt("zero_shot").digest
    assert zero.tags["verdict"] == "cannot decide"
    assert zero.params["max_tokens"] == "1024"
    logistic = children(logged, logged.first)["logistic"].data
    assert logistic.tags["origin"] == "model"
    assert logistic.tags["verdict"] == "baseline"


def test_the_data_set_is_an_input_of_every_run(logged: Logged) -> None:
    info = logged.outcome.result.evaluation.info
    for run in (logged.client.get_run(logged.first), *children(logged, logged.first).values()):
        (entry,) = run.inputs.dataset_inputs
        assert entry.dataset.name == "brokerage"
        assert info.dataset_digest.startswith(entry.dataset.digest)
        assert {tag.key: tag.value for tag in entry.tags}["mlflow.data.context"] == "test"
        assert sorted(re.findall(r'"name": "(\w+)"', entry.dataset.schema)) == ["example_id", "y"]


def test_a_prompt_gets_a_version_when_it_changes_and_only_then(logged: Logged) -> None:
    name = "lead_conversion-zero_shot"
    versions = logged.client.search_prompt_versions(name)
    versions = getattr(versions, "prompt_versions", versions)
    assert [int(v.version) for v in versions] == [1]
    prompt = load_task("lead_conversion").prompt("zero_shot")
    registered = logged.client.get_prompt_version(name, "1")
    assert registered.tags["digest"] == prompt.digest
    assert [part["content"] for part in registered.template] == [prompt.system, prompt.user]
    for parent in (logged.first, logged.second):
        assert children(logged, parent)["zero"].data.tags["prompt_version"] == f"{name}/1"
    assert children(logged, logged.first)["logistic"].data.tags["prompt_version"] == "none"


def test_the_report_is_there_first_and_whole(logged: Logged) -> None:
    listed = [entry.path for entry in logged.client.list_artifacts(logged.first)]
    assert sorted(listed)[0] == "00-report.html"
    assert {"records.parquet", "verdict.json", "evaluation.json", "spec.json"} <= set(listed)
    artifacts = logged.settings.mlruns / "artifacts" / "lead_conversion" / logged.first
    report = next(path for path in files(artifacts) if path.name == "00-report.html")
    assert report.read_bytes() == logged.outcome.report.read_bytes()


def test_the_note_says_the_verdict_and_the_caveats(logged: Logged) -> None:
    note = logged.client.get_run(logged.first).data.tags["mlflow.note.content"]
    verdict = logged.outcome.result.verdict
    assert note.startswith(f"## {verdict.decision}: {verdict.headline}")
    assert "sim:zero" in note
    assert "simulated reader" in note
    assert "Majority class" in note
    assert not re.search(r"(?<!sim:)\bzero\b", note), "a simulated arm is called sim: everywhere"
    child = children(logged, logged.first)["zero"].data.tags["mlflow.note.content"]
    assert child.startswith(f"simulated reader (sim:{READER_VERSION}) in place of claude-haiku-5-5")


# ---------------------------------------------------------------- what is not


def readable(path: Path) -> bytes:
    """The bytes of a file, with what is packed in them unpacked."""
    raw = path.read_bytes()
    if path.suffix == ".parquet":
        return str(pd.read_parquet(io.BytesIO(raw)).to_csv()).encode()
    packed = re.findall(rb"base64,([A-Za-z0-9+/=]{100,})", raw)
    return raw + b"".join(base64.b64decode(part) for part in packed)


def stretches(text: bytes, n: int = 7) -> set[bytes]:
    """Every `n` words that follow each other on a line."""
    found: set[bytes] = set()
    for line in text.splitlines():
        words = line.split()
        found |= {b" ".join(words[i : i + n]) for i in range(len(words) - n + 1)}
    return found


def test_nothing_personal_is_left_behind(logged: Logged) -> None:
    leads = load_dataset("brokerage", settings=logged.settings, n_rows=400, random_state=3)
    said = "\n".join(leads.X["first_message"]).encode()
    personal = set(PERSONAL.findall(said))
    assert len(personal) > 50, "the leads hold what must not be found"
    # Answers quote a few words as evidence; a stretch of a message is nowhere.
    known = stretches(said)
    left = files(logged.settings.mlruns)
    assert {path.suffix for path in left} >= {".db", ".sqlite", ".html", ".ipynb", ".parquet"}
    for path in left:
        found = readable(path)
        assert not personal & set(PERSONAL.findall(found)), path
        assert not known & stretches(found), path


def test_the_tracking_store_holds_no_answers(logged: Logged) -> None:
    for path in files(logged.settings.mlruns / "artifacts"):
        if path.suffix == ".parquet":
            columns = set(pd.read_parquet(path).columns)
            assert {"example_id", "arm", "proba", "cost_usd"} <= columns
            assert "answer" not in columns
    own = pd.read_parquet(logged.outcome.folder / "records.parquet")
    quotes = {
        quote
        for answer in own["answer"].dropna()
        for text in answer.split(" + ")
        if text.startswith("{")
        for quote in json.loads(text)["evidence"]
        if len(quote) > 15 and ":" not in quote
    }
    assert quotes
    for path in [
        *files(logged.settings.mlruns / "artifacts"),
        logged.settings.mlruns / "mlflow.db",
    ]:
        found = readable(path)
        assert not [q for q in quotes if q.encode() in found], path


# ---------------------------------------------------------------- the dashboard


def test_the_dashboard_serves_this_store_and_fetches_nothing(logged: Logged) -> None:
    command, environment = server_command(logged.settings, host="127.0.0.1", port=5000)
    assert command[:4] == ["mlflow", "server", "--backend-store-uri", tracking_uri(logged.settings)]
    assert command[command.index("--workers") + 1] == "1"
    assert environment["MLFLOW_DISABLE_TELEMETRY"] == "true"
    assert environment["MLFLOW_MODEL_CATALOG_URI"] == ""
