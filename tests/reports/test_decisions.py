import base64
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from workbench.evaluation import SpecResult, evaluate_spec, price_spec
from workbench.reports import Report
from workbench.settings import Settings

ARMS: dict[str, Any] = {
    "fields": {"kind": "logistic", "parameters": {"text": False}},
    "cheap": {"kind": "claude", "prompt": "zero_shot"},
    "strong": {"kind": "claude", "prompt": "evidence_first", "model": "claude-sonnet-5-5"},
    "chain": {
        "kind": "cascade",
        "members": ["cheap", "strong"],
        "policy": {"kind": "uncertainty", "max_share": 0.3, "n_fit": 50},
        "metric": "brier",
        "margin": 0.02,
    },
    "ml_first": {
        "kind": "cascade",
        "members": ["fields", "strong"],
        "policy": {"kind": "conformal", "confidence_level": 0.8},
    },
    "spare": {"kind": "fallback", "members": ["chain", "fields"]},
}


def write(project: Settings, **changes: Any) -> Path:
    content = {
        "name": "decisions",
        "task": "lead_conversion",
        "dataset": {"name": "brokerage", "n_rows": 300, "random_state": 3},
        "split": {"test_fraction": 0.4},
        "arms": ARMS,
        "baseline": "fields",
        "gates": [{"metric": "brier", "difference": True, "at_most": 0.0}],
        "primary_metric": "brier",
        "n_resamples": 300,
        "latency_sample": 10,
        **changes,
    }
    path = project.root / "experiments" / "decisions.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return path


def quiet(_: str) -> None:
    """Say nothing."""


def pictures(text: str) -> list[str]:
    found = re.findall(r"data:image/svg\+xml;base64,([^\"]+)", text)
    return [base64.b64decode(part).decode() for part in found]


@pytest.fixture
def result(project: Settings) -> SpecResult:
    return evaluate_spec(write(project), settings=project, on_progress=quiet)


def test_cascades_are_shown_beside_what_they_have_to_beat(
    result: SpecResult, tmp_path: Path
) -> None:
    text = Report(result).cascades.text
    for said in (
        "What asking less saves",
        "sim:chain costs",
        "than sim:strong (plausible savings",
        "worse by 0.0200 or more",  # the spec's own margin and metric
        "rows at random for the same money",
        "longest prompts first",
        "an oracle",
        "at most 20 % of all examples are answered by fields and wrong",
        "Every answer behind these curves is the simulated reader",
    ):
        assert said in text, said
    assert len(pictures(text)) == 2
    assert "<h3>sim:spare</h3>" in text
    # Saved and read again, it says the same.
    result.save(tmp_path)
    assert Report(SpecResult.load(tmp_path)).cascades.text == text
    arm = result.evaluation.arm("chain")
    assert (arm.kind, arm.members, arm.n_fit_answers) == ("cascade", ("cheap", "strong"), 50)
    assert arm.fit_cost_usd > 0
    records = result.evaluation.records
    assert set(records.loc[records["arm"] == "chain", "answered_by"]) == {"cheap", "strong"}
    ml_first = records[records["arm"] == "ml_first"]
    assert (ml_first["cost_usd"] > 0).tolist() == (ml_first["answered_by"] == "strong").tolist()


def test_what_it_would_cost_is_known_beforehand(project: Settings) -> None:
    found = price_spec(write(project), settings=project)
    assert set(found.arms) == {"cheap", "strong", "chain", "ml_first", "spare"}
    n_test = found.arms["cheap"].n_requests
    assert found.arms["chain"].n_requests == n_test + -(-3 * n_test // 10) + 50
    assert found.arms["ml_first"].n_requests < n_test / 2
    assert found.total.n_requests == 2 * n_test + 50


def test_a_run_without_either_has_no_such_section(project: Settings) -> None:
    arms = {name: ARMS[name] for name in ("fields", "cheap")}
    found = evaluate_spec(write(project, arms=arms), settings=project, on_progress=quiet)
    report = Report(found)
    assert report.cascades.text == report.sequential.text == ""


def test_a_run_that_stopped_says_when_and_how_sure_it_is(project: Settings) -> None:
    arms = {"prior": {"kind": "prior"}} | {n: ARMS[n] for n in ("fields", "cheap")}
    stop = {"metric": "brier", "minimum_effect": 0.03, "batch_size": 20}
    path = write(project, arms=arms, baseline="prior", stop=stop, dataset={
        "name": "brokerage", "n_rows": 1500, "random_state": 3})  # fmt: skip
    found = evaluate_spec(path, settings=project, on_progress=quiet)
    evaluation, report = found.evaluation, Report(found)
    n, available = evaluation.info.n_test, evaluation.info.n_test_available
    assert available is not None
    assert n < available
    text = report.sequential.text
    assert f"after {n:,} of {available:,}" in text
    for result in evaluation.sequential.values():
        assert result.sentence().replace("'", "&#x27;") in text
    (picture,) = pictures(text)
    assert "sim:cheap" in picture
    # Beside the verdict stands the interval that decided it, not a narrower one.
    last = evaluation.sequential["fields"].last
    shown = f"[{-last.ci_upper:+.4f}, {-last.ci_lower:+.4f}]".replace("-", "−")
    assert shown in report.head.text
    assert "WB-C10" in report.caveats.text
    assert evaluation.sequential["fields"].sentence() in report.comparison.text
    # Without a stop the same spec asks about everything.
    whole = evaluate_spec(
        write(project, arms=arms, baseline="prior"), settings=project, on_progress=quiet
    )
    assert whole.evaluation.info.n_test > 100
    assert whole.evaluation.sequential == {}
