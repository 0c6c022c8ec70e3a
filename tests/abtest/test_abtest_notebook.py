import json
import runpy
from pathlib import Path

import jupytext
import nbformat
import pandas as pd
import pytest

from workbench.abtest.report_run import read_experiment
from workbench.errors import SpecError
from workbench.reports.experiment import run_experiment_report
from workbench.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data"
NOTEBOOK = ROOT / "notebooks" / "abtest_report.py"


def test_the_template_runs_on_simulated_leads_and_says_so(project: Settings) -> None:
    page = run_experiment_report("five strategies", {"n_leads": 5000}, settings=project)
    text = page.read_text(encoding="utf-8")
    assert "five strategies" in text
    assert "simulated data: nothing here is about real leads" in text
    for words in (
        "Before you believe this", "Effects", "Why intervals are this wide",
        "In words", "Look by look", "For whom",
        "What it is worth", "What it returns", "What touches brought",
        "The right strategy for each lead", "What is true", "What would go wrong",
        "What is claimed",
    ):  # fmt: skip
        assert f"<h2>{words}</h2>" in text
    for arm in ("empathetic", "analytical", "assertive", "consultative", "relationship"):
        assert arm in text
    executed = nbformat.read(page.parent / "notebook.ipynb", as_version=4)
    assert not [o for c in executed.cells for o in c.get("outputs", []) if o.output_type == "error"]
    told = json.loads((page.parent / "monitoring.json").read_text(encoding="utf-8"))
    assert told["looks"] == 28


def test_a_notebook_that_fails_leaves_nothing_behind(project: Settings) -> None:
    with pytest.raises(SpecError, match="only one of design and data"):
        run_experiment_report("broken", {"design_path": "a.yaml"}, settings=project)
    assert list((project.mlruns / "runs").iterdir()) == []
    with pytest.raises(SpecError, match="does not take the parameters"):
        run_experiment_report("broken", {"colour": "blue"}, settings=project)


def test_every_parameter_of_the_template_is_used() -> None:
    cells = jupytext.read(NOTEBOOK).cells
    (parameters,) = (c for c in cells if "parameters" in c.metadata.get("tags", []))
    names = [line.split(" = ")[0] for line in parameters.source.splitlines() if " = " in line]
    rest = "".join(c.source for c in cells if c is not parameters)
    assert len(names) >= 8
    assert all(name in rest for name in names)


def test_the_simulated_report_covers_the_truth() -> None:
    report = read_experiment(n_leads=20_000, random_state=3)
    assert report.beside_truth.text.count("<td>yes</td>") >= 3
    assert report.truth is not None


@pytest.mark.skipif(not (DATA / "hillstrom").exists(), reason="the data folder is absent")
def test_hillstrom_is_reported_with_all_three_arms() -> None:
    report = read_experiment(
        ROOT / "experiments/abtest/hillstrom.yaml", DATA / "hillstrom/hillstrom.csv", arm="segment"
    )
    men = report.analysis.effect("visit", "Mens E-Mail")
    assert 100 * men.effect.difference == pytest.approx(7.66, abs=0.005)
    assert report.monitoring is None
    assert report.course.text == ""
    sentences = report.insights.text
    assert "Mens E-Mail is better than No E-Mail on visit: 18.28 % instead of 10.62 %" in sentences
    assert "recorded data" in report.head.text
    for part in (report.beside_truth, report.learning, report.mistakes, report.claims):
        assert part.text == ""
    assert "64,000 leads of this experiment" in report.worth.text
    assert "+72.1%" in report.effects.text  # the lift, beside the difference
    wide = report.widths.text
    assert "to allow for the number of comparisons and looks" in wide
    assert wide.count("for 42,613 independent units in two equal arms") == 2  # two metrics


@pytest.mark.skipif(not (DATA / "resume_names_rct").exists(), reason="the data folder is absent")
def test_resume_names_are_reported_by_job_ad(tmp_path: Path) -> None:
    script = ROOT / "experiments/abtest/resume_names.py"
    path = tmp_path / "resumes.parquet"
    table = pd.read_csv(DATA / "resume_names_rct/ResumeNames.csv")
    runpy.run_path(str(script))["with_ads"](table).to_parquet(path)
    report = read_experiment(ROOT / "experiments/abtest/resume_names.yaml", path, arm="ethnicity")
    found = report.analysis.effect("call", "cauc")
    assert 100 * found.effect.difference == pytest.approx(3.20, abs=0.005)
    assert found.effect.n_groups == 1321
    assert "robust to what units of one ad share" in report.provenance.text
    assert "+3.20 pp" in report.insights.text
    assert "as if independent<br>[+1.68 pp, +4.73 pp]" in report.effects.text
