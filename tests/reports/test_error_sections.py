"""The part of a report that shows where readers go wrong."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.evaluation.spoken import spoken_run

from workbench.evaluation import Gate, GateRule
from workbench.evaluation.readings import ReadingEvaluation
from workbench.evaluation.readings.session import ReadingResult
from workbench.evaluation.readings.spec import ReadingSpec
from workbench.reports import ReadingReport
from workbench.reports.error_sections import best_arm, errors_section


@pytest.fixture(scope="module")
def run() -> ReadingEvaluation:
    rng = np.random.default_rng(0)
    n = 80
    truth = rng.choice(["good", "bad"], n)
    words = rng.permuted(np.tile(["lease", "garden", "loan", "pool", "rent"], (n, 1)), axis=1)
    texts = [" ".join(row[:3]) for row in words]
    texts[0] = "write to zoe.park@example.com <script>alert(1)</script> lease loan"
    strong = np.where(rng.random(n) < 0.1, "odd", truth)
    weak = np.where(rng.random(n) < 0.4, "odd", truth)
    strong[0] = weak[0] = "odd"
    said = {
        name: {"mood": values.tolist()}
        for name, values in {"weak": weak, "poor": weak, "strong": strong}.items()
    }
    return spoken_run(
        texts,
        {"mood": truth.tolist()},
        said,
        slices={"half": ["first"] * 40 + ["second"] * 40},
    )


def test_the_best_arm_and_the_baseline_are_shown(run: ReadingEvaluation) -> None:
    assert best_arm(run) == "strong"
    page = errors_section(run)._repr_html_()
    for told in (
        "<h3>strong</h3>", "<h3>weak</h3>", "read as <b>odd</b>", "Kinds of texts",
        "Slices, the weakest first", "Where the two part", "mcnemar exact",
    ):  # fmt: skip
        assert told in page
    assert "poor" not in page


def test_no_identifier_and_no_markup_reach_the_page(run: ReadingEvaluation) -> None:
    page = errors_section(run)._repr_html_()
    assert "[email]" in page
    assert "zoe" not in page
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_a_loaded_run_shows_counts_alone(run: ReadingEvaluation, tmp_path: Path) -> None:
    run.save(tmp_path)
    page = errors_section(ReadingEvaluation.load(tmp_path))._repr_html_()
    assert "Counts alone" in page
    assert "read as <b>odd</b>" in page
    assert "[email]" not in page
    assert "Kinds of texts" not in page


def test_texts_that_cannot_be_grouped_are_no_reason_for_no_report() -> None:
    said = {"only": {"mood": ["good", "bad"] * 40}}
    alike = spoken_run(["the same words"] * 80, {"mood": ["good"] * 80}, said)
    page = errors_section(alike)._repr_html_()
    assert "Not grouped: the texts are all alike" in page
    assert "40 of 80 answers wrong" in page


@pytest.mark.parametrize(
    ("kind", "said", "shown"),
    [("simulated", None, True), ("real", None, False), ("real", True, True),
     ("simulated", False, False)],
)  # fmt: skip
def test_what_real_people_wrote_is_shown_only_where_the_spec_says_so(
    run: ReadingEvaluation, kind: str, *, said: bool | None, shown: bool
) -> None:
    evaluation = replace(run, info=replace(run.info, dataset_kind=kind, task="labelling"))
    spec = ReadingSpec.model_validate(
        {
            "name": "shown",
            "task": "labelling",
            "corpus": {"name": "spoken"},
            "arms": {n: {"kind": "reader", "reader": "constant"} for n in run.arm_names},
            "baseline": "weak",
            "gates": [{"metric": run.info.metrics[0], "at_least": 0.0}],
            "show_texts": said,
        }
    )
    gate = Gate([GateRule(run.info.metrics[0], at_least=0.0)], run.info.metrics[0])
    report = ReadingReport(ReadingResult(spec, evaluation, gate.judge(evaluation)))
    page = report.errors._repr_html_()
    assert ("[email]" in page) == shown
    assert ("Counts alone" in page) != shown
