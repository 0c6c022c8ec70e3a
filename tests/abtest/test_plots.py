from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from workbench.abtest.analysis import analyse
from workbench.abtest.monitor import Monitoring, monitor
from workbench.abtest.plots import effect_chart, ratio_chart, segment_chart
from workbench.abtest.plots_course import boundary_chart, course_chart
from workbench.abtest.plots_style import label
from workbench.abtest.results import Analysis
from workbench.abtest.simulate import simulate
from workbench.errors import DataError

AS_OF = datetime(2026, 1, 1, tzinfo=UTC)
ARMS = {"empathetic": 1, "assertive": 1, "relationship": 1}


@pytest.fixture(scope="module")
def both() -> tuple[Analysis, Monitoring]:
    found = simulate(n_leads=12_000, arms=ARMS, random_state=4)
    design = found.design()
    return (
        analyse(design, found.leads, as_of=AS_OF, arm="strategy"),
        monitor(design, found.leads, as_of=AS_OF, arm="strategy"),
    )


def test_effects_show_every_arm_and_say_it_in_words(both: tuple[Analysis, Monitoring]) -> None:
    analysis, _ = both
    chart = effect_chart(analysis)
    for arm in ("assertive", "relationship"):
        effect = analysis.effect("converted", arm)
        assert f"<!-- {arm} -->" in chart.svg
        assert f"<!-- {label('proportion', effect.effect.difference)} -->" in chart.svg
        assert effect.sentence() in chart.alt
    guard = effect_chart(analysis, role="guardrail")
    assert "<!-- margin -->" in guard.svg
    assert len(guard.figure.axes) == 1


def test_intervals_are_drawn_where_they_are(both: tuple[Analysis, Monitoring]) -> None:
    analysis, _ = both
    axes = effect_chart(analysis).figure.axes[0]
    drawn = {tuple(np.asarray(line.get_xdata(), dtype=float).round(10)) for line in axes.lines}
    for arm in ("assertive", "relationship"):
        e = analysis.effect("converted", arm)
        assert (round(e.ci_lower, 10), round(e.ci_upper, 10)) in drawn


def test_the_course_and_its_boundary(both: tuple[Analysis, Monitoring]) -> None:
    _, monitoring = both
    course, bound = course_chart(monitoring, "converted"), boundary_chart(monitoring, "converted")
    assert "always-valid bounds" in course.alt
    assert f"{monitoring.looks} looks" in course.alt
    last = monitoring.course("converted", "assertive")[-1]
    assert f"assertive {last.statistic:+.2f} beside ±{last.critical:.2f}" in bound.alt
    drawn = next(x for x in bound.figure.axes[0].lines if x.get_label() == "assertive")
    shown = [r.statistic for r in monitoring.course("converted", "assertive")]
    assert np.asarray(drawn.get_ydata(), dtype=float) == pytest.approx(
        [s for s in shown if np.isfinite(s)]
    )


def test_planned_looks_are_drawn_as_bars() -> None:
    found = simulate(n_leads=6000, arms=ARMS, random_state=5)
    raw = found.design().model_dump(mode="json")
    design = type(found.design()).model_validate(
        raw | {"sequential": {"kind": "group_sequential", "looks": 3}}
    )
    monitoring = monitor(design, found.leads, as_of=AS_OF, arm="strategy")
    chart = course_chart(monitoring, "converted")
    assert "group-sequential bounds" in chart.alt
    assert chart.figure.axes[0].collections


def test_the_sample_ratio_warns_in_words_too(both: tuple[Analysis, Monitoring]) -> None:
    analysis, monitoring = both
    assert "Arms get their share" in ratio_chart(analysis).alt
    assert f"{monitoring.looks} looks" in ratio_chart(monitoring).svg
    found = simulate(n_leads=12_000, arms=ARMS, random_state=4)
    lost = (found.leads["strategy"] == "assertive") & (found.leads["engagement"] < -0.5)
    bad = monitor(found.design(), found.leads[~lost], as_of=AS_OF, arm="strategy")
    assert "Arms do NOT get their share" in ratio_chart(bad).alt


def test_segments_are_panels_of_levels(both: tuple[Analysis, Monitoring]) -> None:
    analysis, _ = both
    chart = segment_chart(analysis, "converted", "segment")
    for level in ("commercial", "first_time", "luxury"):
        assert level in chart.alt
        assert f"<!-- {level} -->" in chart.svg
    assert "orange: all units" in chart.svg


def test_a_picture_is_the_same_each_time_and_can_be_saved(
    both: tuple[Analysis, Monitoring], tmp_path: Path
) -> None:
    analysis, _ = both
    chart = effect_chart(analysis)
    assert chart.svg == effect_chart(analysis).svg
    assert chart._repr_html_().startswith('<img style="max-width:100%" alt="Effects of')
    png, svg = chart.save(tmp_path / "effects.png"), chart.save(tmp_path / "effects.svg")
    assert png.read_bytes()[:4] == b"\x89PNG"
    assert svg.read_text(encoding="utf-8").startswith("<svg")
    with pytest.raises(DataError, match="no picture"):
        chart.save(tmp_path / "effects.docx")


def test_what_is_not_there_is_not_drawn(both: tuple[Analysis, Monitoring]) -> None:
    analysis, monitoring = both
    with pytest.raises(DataError, match="no effect on a primary metric"):
        effect_chart(replace(analysis, effects=()))
    with pytest.raises(DataError, match="not followed over time"):
        course_chart(monitoring, "nothing")
    with pytest.raises(DataError, match="not followed over time"):
        boundary_chart(monitoring, "nothing")
    with pytest.raises(DataError, match="no effects on 'converted' by 'nothing'"):
        segment_chart(analysis, "converted", "nothing")
