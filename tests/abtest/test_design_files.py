"""Designs: read strictly, frozen with a hash."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from workbench.abtest import (
    STRATEGIES,
    Design,
    design_sha256,
    read_design,
    read_registration,
    register,
)
from workbench.abtest.registration import canonical_json
from workbench.errors import SpecError

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = sorted((ROOT / "experiments" / "abtest").glob("*.yaml"))
NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)

GOOD = """\
name: script
arms: {old: 1, new: 3}
metrics:
  reply:
    kind: proportion
    role: primary
    baseline: 0.1
  unsubscribed: {kind: proportion, role: guardrail, margin: 0.01, higher_is_better: false}
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "design.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_the_examples_are_designs(path: Path) -> None:
    assert read_design(path).metrics_of("primary")


def test_a_file_becomes_a_design(tmp_path: Path) -> None:
    d = read_design(written(tmp_path, GOOD))
    assert (d.control, d.salt, d.treatments) == ("old", "script", ("new",))
    assert dict(d.shares) == {"old": 0.25, "new": 0.75}
    assert d.metrics_of("guardrail") == ("unsubscribed",)
    assert d.n_comparisons("primary") == 1


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "    baseline: 0.1",
            "    baselin: 0.1",
            "line 7, key 'metrics.reply.baselin': unknown key",
        ),
        ("    baseline: 0.1", "    baseline: 1.5", "line 7, key 'metrics.reply.baseline'"),
        ("kind: proportion\n    role", "kind: share\n    role", "line 5, key 'metrics.reply'"),
        ("role: primary", "role: secondary", "no metric is primary"),
        ("{old: 1, new: 3}", "{old: 1}", "line 2, key 'arms'"),
        ("{old: 1, new: 3}", "{old: 1, new: 0}", "line 2, key 'arms.new'"),
        ("margin: 0.01, ", "", "a guardrail needs a margin"),
        ("name: script", "name: script\ncontrol: x", "control is 'x', which is no arm"),
        ("name: script", "name: script\nstart: 2026-01-05T00:00:00", "line 2, key 'start'"),
        ("name: script", "name: script\nmature_only: true", "mature_only needs window_days"),
        (
            "name: script",
            "name: script\nsequential: {kind: always_valid}",
            "always-valid looks need n_opt or planned_units",
        ),
        (
            "name: script",
            "name: script\nswitchback: {start: 2026-01-05T00:00:00Z, block_h: 6}",
            "name a randomised cluster",
        ),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in GOOD
    with pytest.raises(SpecError) as caught:
        read_design(written(tmp_path, GOOD.replace(old, new)))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("metric", "message"),
    [
        ({"kind": "mean", "winsorise": {}}, "caps nothing"),
        ({"kind": "mean", "margin": 0.1}, "a margin belongs to a guardrail"),
        ({"kind": "ratio", "numerator": "a", "denominator": "b", "covariates": ["c"]}, "instead"),
        (
            {"kind": "ratio", "numerator": "a", "denominator": "b", "covariate_numerator": "c"},
            "needs numerator and denominator",
        ),
        ({"kind": "quantile", "q": 0.5, "covariates": ["c"]}, "not adjusted"),
        ({"kind": "time_to_event", "horizon": 5, "event": "e"}, "duration and event"),
    ],
)
def test_metrics_agree_with_themselves(metric: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Design.model_validate({"name": "x", "metrics": {"m": {"role": "primary", **metric}}})


# ---------------------------------------------------------------- registration


def design(**changes: Any) -> Design:
    metrics = {"reply": {"kind": "proportion", "role": "primary"}}
    return Design.model_validate({"name": "script", "metrics": metrics, **changes})


def test_the_hash_counts_what_matters() -> None:
    first = design_sha256(design())
    assert first == design_sha256(design(description="other words", alpha=0.05))
    assert first != design_sha256(design(alpha=0.01))
    # The order of the arms decides who gets which.
    turned = dict.fromkeys(reversed(STRATEGIES), 1.0)
    assert first != design_sha256(design(arms=turned, control="empathetic"))
    assert json.loads(canonical_json(design()))["arms"][0] == ["empathetic", 1.0]


def test_a_registration_is_written_once(tmp_path: Path) -> None:
    path = tmp_path / "registered.json"
    first = register(design(), path, at=NOW)
    text = path.read_text(encoding="utf-8")
    assert register(design(), path) == first == read_registration(path)
    assert path.read_text(encoding="utf-8") == text
    assert first.registered_at == NOW
    with pytest.raises(SpecError, match=r"another design .*alpha: registered 0\.05, now 0\.1"):
        register(design(alpha=0.1), path)
    assert [p.name for p in tmp_path.iterdir()] == ["registered.json"]


def test_a_changed_registration_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "registered.json"
    register(design(), path, at=NOW)
    path.write_text(path.read_text(encoding="utf-8").replace('"alpha": 0.05', '"alpha": 0.2'))
    with pytest.raises(SpecError, match="somebody changed it"):
        read_registration(path)
    path.write_text("{}")
    with pytest.raises(SpecError, match="no registration can be read"):
        read_registration(path)
    with pytest.raises(SpecError, match="cannot be written"):
        register(design(), tmp_path / "absent" / "x.json")
