"""Alerts: judged on the bound of an interval, run from a spec, told by an exit status."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from tests.evaluation.recorded import INFO, arm_info, arm_records
from typer.testing import CliRunner

from workbench.cli.monitor import monitor
from workbench.errors import DataError, EvaluationError, SpecError
from workbench.evaluation import Evaluation
from workbench.monitoring import check_alerts, read_alert_spec
from workbench.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
RULES = [
    {"figure": "response_time_ms", "above": 200},
    {"figure": "success_rate_pct", "below": 95},
    {"figure": "accuracy_pct", "below": 97},
    {"figure": "error_rate_pct", "above": 5},
    {"figure": "queue_depth", "above": 100},
]


def rows(n: int = 1500, seed: int = 3, *, errors: float = 0.01, ms: float = 60) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    logit = rng.normal(0, 1, n)
    return pd.DataFrame(
        {
            "budget": rng.normal(size=n), "proba": 1 / (1 + np.exp(-logit)),
            "y": (rng.random(n) < 1 / (1 + np.exp(-logit))).astype(int),
            "error": rng.random(n) < errors, "latency_ms": rng.exponential(ms / 3, n),
            "queue_depth": rng.poisson(20, n),
        }
    )  # fmt: skip


def written(folder: Path, current: pd.DataFrame, **changes: Any) -> Path:
    current.to_parquet(folder / "current.parquet")
    rows(seed=5).to_parquet(folder / "reference.parquet")
    source = {"kind": "tables", "current": "current.parquet", "reference": "reference.parquet"}
    spec = {"name": "mine", "source": source, "rules": RULES, "drift": {"n_permutations": 99}}
    path = folder / "alerts.yaml"
    path.write_text(yaml.safe_dump(spec | changes))
    return path


def standings(path: Path, project: Settings) -> dict[str, str]:
    return {a.figure: a.standing for a in check_alerts(path, settings=project).alerts}


def test_each_figure_is_judged_on_its_bound(tmp_path: Path, project: Settings) -> None:
    quiet = standings(written(tmp_path, rows()), project)
    assert quiet == {
        "response_time_ms": "quiet", "success_rate_pct": "quiet", "accuracy_pct": "fires",
        "error_rate_pct": "quiet", "queue_depth": "quiet", "drift": "quiet",
    }  # fmt: skip
    loud = rows(errors=0.09, ms=400).assign(queue_depth=150, budget=lambda f: f["budget"] + 1)
    assert set(standings(written(tmp_path, loud), project).values()) == {"fires"}


def test_too_few_rows_cannot_tell_and_say_how_many_would(tmp_path: Path, project: Settings) -> None:
    found = check_alerts(written(tmp_path, rows(90, errors=0.04), drift=None), settings=project)
    by = {a.figure: a for a in found.alerts}
    assert (
        by["error_rate_pct"].standing == "cannot tell" and "rows would" in by["error_rate_pct"].note
    )
    assert "drift" not in by and not found.drift


def test_what_is_not_measured_is_said_or_given(tmp_path: Path, project: Settings) -> None:
    bare = rows().drop(columns=["queue_depth", "latency_ms"])
    assert standings(written(tmp_path, bare), project)["queue_depth"] == "cannot tell"
    path = written(tmp_path, bare, given={"queue_depth": 130})
    found = next(
        a for a in check_alerts(path, settings=project).alerts if a.figure == "queue_depth"
    )
    assert found.standing == "fires" and "given" in found.note


def test_calibration_rings_outside_its_band(tmp_path: Path, project: Settings) -> None:
    rules = [
        {"figure": "calibration_in_the_large", "outside": [-0.3, 0.3]},
        {"figure": "calibration_slope", "outside": [0.6, 1.5]},
    ]
    assert set(standings(written(tmp_path, rows(), rules=rules), project).values()) == {"quiet"}
    off = rows().assign(proba=lambda f: f["proba"] * 0.4)
    found = standings(written(tmp_path, off, rules=rules), project)
    assert found["calibration_in_the_large"] == "fires" and found["drift"] == "fires"


def run_of(project: Settings, name: str, *, origin: str | None = "live", ceiling: float) -> None:
    rng = np.random.default_rng(1)
    p = rng.uniform(0.05, 0.95, 900)
    y = (rng.random(900) < p).astype(np.int8)
    records = arm_records("model", y, p, origin=origin, latency_s=rng.exponential(0.02, 900))
    info = dataclasses.replace(INFO, baseline="model", ceiling={"accuracy": ceiling})
    Evaluation(info, (arm_info("model", origin),), records).save(project.mlruns / "runs" / name)


def test_runs_are_watched_and_the_ceiling_is_told(tmp_path: Path, project: Settings) -> None:
    run_of(project, "demo-20260101T000000", ceiling=0.76)
    run_of(project, "demo-20260201T000000", ceiling=0.76)
    source: dict[str, Any] = {"kind": "run", "run": "demo", "arm": "model"}
    source["reference"] = "demo-20260101T000000"
    path = written(tmp_path, rows(), source=source)
    by = {a.figure: a for a in check_alerts(path, settings=project).alerts}
    assert "lies above the ceiling" in by["accuracy_pct"].note
    assert by["response_time_ms"].standing == "quiet" and by["drift"].standing == "quiet"
    for change, message in (({"run": "none"}, "no run 'none'"), ({"arm": "x"}, "no arm 'x'")):
        with pytest.raises(EvaluationError, match=message):
            check_alerts(written(tmp_path, rows(), source=source | change), settings=project)


def test_simulated_answers_neither_ring_nor_reassure(tmp_path: Path, project: Settings) -> None:
    run_of(project, "sim-20260101T000000", origin="simulated", ceiling=0.9)
    source = {"kind": "run", "run": "sim", "arm": "model"}
    found = check_alerts(written(tmp_path, rows(), source=source, drift=None), settings=project)
    assert {a.standing for a in found.alerts} == {"cannot tell"} and found.arm == "sim:model"
    assert "nothing here is Claude" in found._repr_html_()


def test_wrong_specs_and_tables_are_refused(tmp_path: Path, project: Settings) -> None:
    def refused(message: str, **changes: Any) -> None:
        with pytest.raises(SpecError, match=message):
            read_alert_spec(written(tmp_path, rows(50), **changes))

    refused("exactly one of above", rules=[{"figure": "queue_depth", "above": 1, "below": 0}])
    refused("nothing can ring", rules=[], drift=None)
    refused("given names 'speed'", given={"speed": 1.0})
    refused("drift needs a reference", source={"kind": "tables", "current": "current.parquet"})
    refused("unknown key", rulez=[])
    path = written(tmp_path, rows(50))
    (tmp_path / "current.parquet").write_text("not parquet")
    with pytest.raises(DataError, match="cannot be read"):
        check_alerts(path, settings=project)


def test_the_commands_end_with_their_status(tmp_path: Path) -> None:
    run = CliRunner().invoke
    path = written(tmp_path, rows(), rules=[RULES[0]])
    quiet = run(monitor, ["check", str(path), "--json"], env={"WORKBENCH_ROOT": str(ROOT)})
    assert quiet.exit_code == 0 and json.loads(quiet.stdout)["fires"] is False
    loud = run(monitor, ["check", str(written(tmp_path, rows(ms=900)))])
    assert loud.exit_code == 1 and "| fires |" in loud.stdout
    assert isinstance(run(monitor, ["check", "nowhere.yaml"]).exception, SpecError)
    tables = [str(tmp_path / "reference.parquet"), str(tmp_path / "current.parquet")]
    rows().assign(budget=3.0).to_parquet(tables[1])
    drifted = run(monitor, ["drift", *tables, "--score", "proba", "--label", "y"])
    assert drifted.exit_code == 1 and "columns drifted" in drifted.stdout
    text = tmp_path / "ads.txt"
    text.write_text("Bright flat, two rooms.\nPerfect for families!\n")
    worded = run(monitor, ["wording", str(text), "--json"])
    assert worded.exit_code == 1 and json.loads(worded.stdout)[0]["line"] == 2


def test_the_spec_beside_runs_on_embedded_data() -> None:
    path = ROOT / "experiments" / "monitoring" / "brokerage.yaml"
    settings = Settings(root=ROOT, data_dir=ROOT / "datasets")
    found = check_alerts(path, settings=settings)
    by = {a.figure: a for a in found.alerts}
    assert by["accuracy_pct"].standing == "fires" and "ceiling" in by["accuracy_pct"].note
    assert by["success_rate_pct"].standing == by["error_rate_pct"].standing == "quiet"
    # The generator's base rate rises with time, and the model does not know.
    assert found.drift is not None and {c.name for c in found.drift.alarms} >= {"y"}
