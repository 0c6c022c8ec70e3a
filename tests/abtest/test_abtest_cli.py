import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from typer.testing import CliRunner

from workbench.abtest.design import read_design
from workbench.abtest.report_files import read_events
from workbench.abtest.simulate import simulate
from workbench.abtest.simulate_touches import simulate_touches
from workbench.claude import AnswerStore, ClaudeClient, ClaudeRequest, Origin
from workbench.cli import app
from workbench.errors import DataError
from workbench.settings import Settings
from workbench.tracking import connect

PROGRAM = Path(sys.executable).with_name("workbench")
DESIGN: dict[str, Any] = {
    "name": "opening-line",
    "arms": {"empathetic": 1, "consultative": 1},
    "metrics": {
        "converted": {"kind": "proportion", "role": "primary", "baseline": 0.04, "mde": 0.02},
        "complained": {
            "kind": "proportion", "role": "guardrail", "margin": 0.02, "higher_is_better": False,
            "baseline": 0.01,
        },
    },
    "planned_units": 4000,
    "sequential": {"kind": "always_valid"},
}  # fmt: skip


@pytest.fixture
def here(project: Settings, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WORKBENCH_ROOT", str(project.root))
    monkeypatch.setenv("COLUMNS", "120")
    return project.root


@pytest.fixture
def design(here: Path) -> Path:
    path = here / "design.yaml"
    path.write_text(yaml.safe_dump(DESIGN, sort_keys=False), encoding="utf-8")
    return path


def run(*arguments: object, status: int = 0) -> str:
    done = CliRunner().invoke(app, ["abtest", *map(str, arguments)], catch_exceptions=False)
    assert done.exit_code == status, done.output
    return str(done.stdout)


def units(folder: Path, **changed: Any) -> Path:
    found = simulate(n_leads=4000, arms=DESIGN["arms"], random_state=1)
    table = found.leads.rename(columns={"strategy": "arm"}).astype({"arm": str})
    for column, values in changed.items():
        table[column] = values(table)
    path = folder / "units.parquet"
    table.to_parquet(path)
    return path


def test_a_design_is_planned_and_registered_once(design: Path) -> None:
    register = design.with_name("registered.json")
    text = run("design", design, "--units-per-day", 400, "--register", register)
    assert "opening-line** needs" in text
    assert "sha256" in text
    told = json.loads(run("design", design, "--register", register, "--json"))
    assert told["sha256"] == json.loads(register.read_text())["sha256"]
    assert {row["metric"] for row in told["rows"]} == {"converted", "complained"}


def test_units_get_the_same_arm_every_time(design: Path) -> None:
    first = run("assign", design, "--unit", "lead-1", "--unit", "lead-2", "--json")
    again = run("assign", design, "--unit", "lead-1", "--unit", "lead-2", "--json")
    assert first == again
    told = json.loads(first)
    assert [one["unit_id"] for one in told] == ["lead-1", "lead-2"]
    assert all(one["arm"] in DESIGN["arms"] for one in told)
    assert told[0]["arm"] in run("assign", design, "--unit", "lead-1")


def test_events_are_recorded_once_and_analysed(design: Path) -> None:
    found = simulate(n_leads=1500, arms=DESIGN["arms"], random_state=2)
    lines: list[dict[str, Any]] = [
        {"event_id": e.event_id, "unit_id": e.unit_id, "arm": e.arm,
         "exposed_at": e.exposed_at.isoformat(), "attributes": dict(e.attributes)}
        for e in found.exposures("opening-line")
    ] + [
        {"event_id": o.event_id, "unit_id": o.unit_id, "name": o.name, "value": o.value,
         "occurred_at": o.occurred_at.isoformat()}
        for o in found.outcomes()
    ]  # fmt: skip
    events = design.with_name("events.jsonl")
    events.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    assert f"{len(lines):,} new, 0 known already" in run("record", design, events)
    assert json.loads(run("record", design, events, "--json"))["n_new"] == 0
    told = json.loads(run("analyse", design, "--json"))
    assert sum(told["n_units"].values()) == 1500
    state = json.loads(run("monitor", design, "--json"))
    assert state["n_units"] == 1500
    # A recorded unit keeps its arm, whatever the hash would say.
    other = {"empathetic": "consultative", "consultative": "empathetic"}
    changed = [{**line, "arm": other[line["arm"]]} for line in lines if "arm" in line][:3]
    events.write_text("\n".join(map(json.dumps, changed)), encoding="utf-8")
    assert "contradicts what was recorded: exposed-1" in run("record", design, events, status=1)
    kept = json.loads(run("assign", design, "--unit", "lead-1", "--json"))[0]
    assert (kept["arm"], kept["reason"]) == (lines[0]["arm"], "sticky")


def test_a_sound_experiment_is_analysed_and_monitored(design: Path) -> None:
    data = units(design.parent)
    text = run("analyse", design, data)
    assert "**Sample ratio:**" in text
    assert "converted (primary)" in text
    assert "look 28" in run("monitor", design, data)


def test_lost_units_and_broken_guardrails_are_alarms(design: Path) -> None:
    def complained(table: Any) -> Any:
        rate = np.where(table["arm"] == "consultative", 0.2, 0.05)
        return (np.random.default_rng(1).random(len(table)) < rate).astype(int)

    data = units(design.parent, complained=complained)
    assert "WB-M02" in run("monitor", design, data, status=1)
    told = json.loads(run("analyse", design, data, "--json", status=1))
    assert "violated" in {e["verdict"] for e in told["effects"]}
    lost = design.parent / "lost.parquet"
    table = pd.read_parquet(data)
    rare = (table["arm"] == "consultative") & (table["engagement"] < -0.5)
    table[~rare].to_parquet(lost)
    assert "WB-M01" in run("monitor", design, lost, status=1)
    assert json.loads(run("analyse", design, lost, "--json", status=1))["sample_ratio_alarm"]


def test_the_report_is_one_page_with_its_charts(design: Path, here: Path) -> None:
    data = units(design.parent)
    told = json.loads(run("analyse", design, data, "--report", "--track", "--json"))
    page = Path(told["report"])
    text = page.read_text(encoding="utf-8")
    for words in ("opening-line", "Before you believe this", "In words", "recorded data"):
        assert words in text
    assert text.count("<img") >= 4
    assert text.count('alt="') == text.count("<img")
    assert (page.parent / "effects-primary.png").stat().st_size > 10_000
    assert json.loads((page.parent / "analysis.json").read_text())["experiment"] == "opening-line"
    assert told["mlflow_run_id"]
    assert "badge data-simulated" not in text
    mlflow = connect(Settings(root=here, data_dir=here))
    parent = mlflow.get_run(told["mlflow_run_id"])
    assert (parent.data.tags["data"], parent.data.tags["experiment"]) == (
        "recorded",
        "opening-line",
    )
    artifacts = {f.path for f in mlflow.artifacts.list_artifacts(run_id=told["mlflow_run_id"])}
    assert {"00-report.html", "analysis.json", "analysis.md", "monitoring.json"} <= artifacts
    children = mlflow.search_runs(
        experiment_names=["abtest"], filter_string="tags.arm = 'consultative'", output_format="list"
    )
    assert children[0].data.metrics["converted_difference"] == pytest.approx(
        told["effects"][0]["difference"]
    )


def test_every_look_is_a_step_in_mlflow(design: Path, here: Path) -> None:
    data = units(design.parent)
    told = json.loads(run("analyse", design, data, "--track", "--json"))
    state = json.loads(run("monitor", design, data, "--json"))
    mlflow = connect(Settings(root=here, data_dir=here))
    (child,) = mlflow.search_runs(
        experiment_names=["abtest"], filter_string="tags.arm = 'consultative'", output_format="list"
    )
    assert child.data.tags["mlflow.parentRunId"] == told["mlflow_run_id"]
    client = mlflow.MlflowClient()
    (last,) = (r for r in state["latest"] if r["metric"] == "converted")
    for name in ("difference", "ci_lower", "ci_upper", "statistic", "critical"):
        steps = client.get_metric_history(child.info.run_id, f"look/converted/{name}")
        assert steps[-1].step == state["looks"] == 28
        assert [s.step for s in steps] == sorted({s.step for s in steps})
        assert len(steps) > 15
        assert steps[-1].value == pytest.approx(last[name])
    moments = [s.timestamp for s in steps]
    assert moments == sorted(moments)
    assert moments[-1] - moments[-2] <= 86_400_000


VALUED = DESIGN | {
    "unit_column": "lead_id",
    "covariates": ["engagement"],
    "arms": {"empathetic": 1, "consultative": 1, "assertive": 1},
    "metrics": DESIGN["metrics"] | {"converted": DESIGN["metrics"]["converted"] | {"usd": 9000.0}},
}


def test_touches_and_costs_are_set_against_what_they_brought(design: Path, here: Path) -> None:
    design.write_text(yaml.safe_dump(VALUED, sort_keys=False), encoding="utf-8")
    drawn = simulate_touches(n_leads=6000, random_state=1)
    arms = np.array(list(VALUED["arms"]))[np.arange(6000) % 3]
    table = drawn.leads.assign(
        arm=arms, complained=0, exposed_at=pd.Timestamp("2026-01-05", tz="UTC")
    )
    table.loc[::97, "complained"] = 1
    path, touches = design.with_name("leads.parquet"), design.with_name("touches.csv")
    table.to_parquet(path)
    drawn.touches.to_csv(touches, index=False)
    more = ("--touches", touches, "--cost", "consultative=2", "--cost", "empathetic=0.5")
    text = run("analyse", design, path, *more)
    assert "consultative for 6,000 units returns" in text
    assert "on 9,000 USD" in text  # 1.50 USD beyond the control's
    assert "the last touch would credit it with" in text
    told = json.loads(run("analyse", design, path, *more, "--report", "--track", "--json"))
    assert {c["strategy"] for c in told["attribution"]} >= {"assertive", "consultative"}
    assert [r["arm"] for r in told["returns"]] == ["consultative"]
    page = Path(told["report"])
    shown = page.read_text(encoding="utf-8")
    assert "What touches brought" in shown
    assert "What it returns" in shown
    assert json.loads((page.parent / "returns.json").read_text())[0]["metric"] == "converted"
    mlflow = connect(Settings(root=here, data_dir=here))
    runs = mlflow.search_runs(
        experiment_names=["abtest"], filter_string="tags.arm = 'consultative'", output_format="list"
    )
    logged = runs[0].data.metrics
    assert logged["converted_roi"] == pytest.approx(told["returns"][0]["roi"])
    credit = next(c for c in told["attribution"] if c["strategy"] == "consultative")
    assert logged["attributed"] == pytest.approx(credit["aipw"])
    files = {f.path for f in mlflow.artifacts.list_artifacts(run_id=told["mlflow_run_id"])}
    assert {"attribution.json", "returns.json"} <= files


def test_costs_come_from_the_ledger(design: Path, here: Path) -> None:
    settings = Settings(root=here, data_dir=here)
    data = units(design.parent)
    design.write_text(
        yaml.safe_dump(VALUED | {"arms": DESIGN["arms"]}, sort_keys=False), encoding="utf-8"
    )
    said = CliRunner().invoke(app, ["abtest", "analyse", str(design), str(data), "--ledger"])
    assert "booked nothing for the arms" in str(said.exception)
    with ClaudeClient.from_settings(settings, origin=Origin.SIMULATED) as client:
        asked = [ClaudeRequest("claude-haiku-5-5", f"<message>Lead {i}</message>") for i in "abc"]
        client.ask(asked, task="coaching", arm="consultative")
    told = json.loads(run("analyse", design, data, "--ledger", "--json"))
    spend = AnswerStore(settings.mlruns / "answers.sqlite").spend(by=["arm"])
    n = told["n_units"]
    wanted = float(spend["cost_usd"].sum()) / n["consultative"] * sum(n.values())
    assert told["returns"][0]["cost_usd"] == pytest.approx(wanted)
    assert "Costs are of simulated answers" in told["returns"][0]["sentence"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ("analyse", "design.yaml", "units.parquet", "--cost", "charming=1"),
            "'charming=1' cannot",
        ),
        (
            ("analyse", "design.yaml", "units.parquet", "--cost", "consultative=-1"),
            "cannot be read",
        ),
        (
            ("analyse", "design.yaml", "units.parquet", "--cost", "consultative=1", "--ledger"),
            "to be read from the ledger, too",
        ),
        (
            ("analyse", "design.yaml", "units.parquet", "--touches", "none.csv"),
            "does not say what to attribute",
        ),
        (("design", "missing.yaml"), "the file does not exist"),
        (("analyse", "design.yaml", "missing.parquet"), "the file does not exist"),
        (("monitor", "design.yaml"), "or record events first"),
        (("record", "design.yaml", "bad.jsonl"), "line 2: the line is no JSON object"),
        (("assign", "design.yaml", "--unit", "a", "--at", "soon"), "'soon' is no ISO 8601 time"),
    ],
)
def test_wrong_input_is_one_clear_error(
    design: Path, arguments: tuple[str, ...], words: str
) -> None:
    design.with_name("bad.jsonl").write_text("\n[1]\n", encoding="utf-8")
    units(design.parent)
    done = subprocess.run(
        [str(PROGRAM), "abtest", *arguments],
        cwd=design.parent, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ({"event_id": "e", "unit_id": "u", "arm": "charming", "exposed_at": "2026-01-05T09Z"},
         "'charming' is no arm"),
        ({"event_id": "e", "unit_id": "u", "arm": "empathetic"}, "lacks ['exposed_at']"),
        ({"event_id": "e", "unit_id": "u", "name": "converted", "occurred_at": "yesterday"},
         "no ISO 8601 time"),
        ({"event_id": "e", "unit_id": "u", "name": "converted", "when": "2026-01-05T09Z"},
         "unknown ['when']"),
    ],
)  # fmt: skip
def test_events_that_are_none_name_their_line(
    design: Path, line: dict[str, str], words: str
) -> None:
    path = design.with_name("events.jsonl")
    path.write_text(json.dumps(line), encoding="utf-8")
    with pytest.raises(DataError) as caught:
        read_events(path, read_design(design))
    assert words in str(caught.value)
    assert "line 1" in str(caught.value)
