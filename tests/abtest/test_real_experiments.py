"""Two published experiments come out as they were published; they run where their data lie."""

import runpy
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from workbench.abtest import Analysis, analyse, read_design
from workbench.stats import adjust_pvalues

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data"
AS_OF = datetime(2026, 3, 1, tzinfo=UTC)


def hillstrom() -> Analysis:
    path = DATA / "hillstrom" / "hillstrom.csv"
    if not path.is_file():
        pytest.skip("hillstrom.csv is not beside the project")
    design = read_design(ROOT / "experiments" / "abtest" / "hillstrom.yaml")
    return analyse(design, path, arm="segment", as_of=AS_OF)


def resumes() -> pd.DataFrame:
    path = DATA / "resume_names_rct" / "ResumeNames.csv"
    if not path.is_file():
        pytest.skip("ResumeNames.csv is not beside the project")
    script = runpy.run_path(str(ROOT / "experiments" / "abtest" / "resume_names.py"))
    found: pd.DataFrame = script["with_ads"](pd.read_csv(path))
    return found


def test_mens_mails_bring_visits() -> None:
    effect = hillstrom().effect("visit", "Mens E-Mail").effect
    points = [round(100 * x, 2) for x in (effect.difference, effect.ci_lower, effect.ci_upper)]
    assert points == [7.66, 7.0, 8.32]
    assert effect.statistic == pytest.approx(22.5, abs=0.05)


def test_all_arms_and_metrics_corrected() -> None:
    found = hillstrom()
    assert dict(found.n_units) == {
        "No E-Mail": 21_306, "Mens E-Mail": 21_307, "Womens E-Mail": 21_387,
    }  # fmt: skip
    assert found.ratio.test.pvalue == pytest.approx(0.90, abs=0.005)
    p = {(e.metric, e.arm): e.pvalue for e in found.effects}
    assert p["conversion", "Mens E-Mail"] == pytest.approx(1.5e-13, rel=0.05)
    assert p["conversion", "Womens E-Mail"] == pytest.approx(1.6e-4, rel=0.05)
    assert p["spend", "Mens E-Mail"] == pytest.approx(1.2e-7, rel=0.05)
    primary = [e for e in found.effects if e.role == "primary"]
    wanted = adjust_pvalues([e.pvalue for e in primary], "holm")
    assert [e.pvalue_adjusted for e in primary] == pytest.approx(wanted.tolist())
    assert {d.arm: d.decision for d in found.decisions} == {
        "Mens E-Mail": "promote", "Womens E-Mail": "promote",
    }  # fmt: skip
    assert not any(s.differs for s in found.segments)


def test_mens_against_womens_mails() -> None:
    path = DATA / "hillstrom" / "hillstrom.csv"
    if not path.is_file():
        pytest.skip("hillstrom.csv is not beside the project")
    design = read_design(ROOT / "experiments" / "abtest" / "hillstrom.yaml")
    turned = design.model_copy(update={"control": "Womens E-Mail"})
    found = analyse(turned, path, arm="segment", as_of=AS_OF).effect("conversion", "Mens E-Mail")
    assert found.pvalue == pytest.approx(2.1e-4, rel=0.05)


def test_ads_are_told_apart_by_the_order_of_the_file() -> None:
    data = resumes()
    sizes = data.groupby("ad").size()
    assert sizes.value_counts().to_dict() == {4: 1094, 2: 207, 1: 10, 8: 8, 3: 2}
    # The study sent one résumé of every kind to an ad: nothing but the right ads shows that.
    kinds = (data["ethnicity"] + data["quality"]).groupby(data["ad"]).nunique()
    assert (kinds[sizes == 4] == 4).all()
    names = data.groupby("ad")["ethnicity"].nunique()
    assert (names[sizes == 2] == 2).all()


def test_names_change_how_many_call_back() -> None:
    design = read_design(ROOT / "experiments" / "abtest" / "resume_names.yaml")
    analysis = analyse(design, resumes(), arm="ethnicity", as_of=AS_OF)
    effect = analysis.effect("call")
    assert (round(effect.effect.treatment, 4), round(effect.effect.control, 4)) == (0.0965, 0.0645)
    plain = effect.unclustered
    assert plain is not None
    # As published: as if résumés were independent.
    points = [round(100 * x, 2) for x in (plain.difference, plain.ci_lower, plain.ci_upper)]
    assert points == [3.2, 1.68, 4.73]
    assert plain.pvalue == pytest.approx(4e-5, rel=0.05)
    # Every ad got both kinds of name, so what ads share cancels: clusters narrow the interval.
    assert effect.effect.n_groups == 1321
    robust = [round(100 * x, 2) for x in (effect.effect.ci_lower, effect.effect.ci_upper)]
    assert robust == pytest.approx([1.98, 4.42], abs=0.011)
    text = analysis.to_markdown()
    assert "robust to what units of one ad share" in text
    assert "As if units were independent" in text
    assert "+1.68 pp to +4.73 pp" in text
