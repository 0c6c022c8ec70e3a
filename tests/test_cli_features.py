"""`workbench features` and `workbench data simulate` as people run them."""

import json
import sys
from pathlib import Path

import pandas as pd
import pytest

from workbench.cli import main
from workbench.features import FEATURES


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["workbench", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def test_features_are_listed_and_described(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "features", "list", "--json") == 0
    listed = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in listed] == list(FEATURES.names)
    assert run(monkeypatch, "features", "describe", "n_visits_7d") == 0
    assert "7 days" in capsys.readouterr().out
    assert run(monkeypatch, "features", "describe", "n_visit_7d") == 2
    assert "use 'n_visits_7d'" in capsys.readouterr().err


def test_a_brokerage_is_simulated_and_its_features_are_built(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    crm, made = str(tmp_path / "crm"), str(tmp_path / "made")
    assert run(monkeypatch, "data", "simulate", crm, "--leads", "300", "--text-share", "0") == 0
    wanted = "n_visits_7d,week_over_month,agent_conversion_rate"
    assert run(monkeypatch, "features", "build", crm, "--output", made, "--only", wanted) == 0
    table = pd.read_parquet(made)
    moments = pd.read_parquet(tmp_path / "crm" / "snapshots")
    assert len(table) == len(moments) > 50
    assert list(table.columns) == [*moments.columns, *wanted.split(",")]
    assert table["agent_conversion_rate"].between(0, 1).all()
    capsys.readouterr()
    assert run(monkeypatch, "features", "build", crm, "--output", made) == 2
    assert "exists" in capsys.readouterr().err
    other = ["--output", made + "2", "--snapshots", "moments"]
    assert run(monkeypatch, "features", "build", crm, *other) == 2
    assert "no table 'moments'" in capsys.readouterr().err
    assert run(monkeypatch, "features", "build", str(tmp_path / "none"), *other) == 2
    assert "no table in" in capsys.readouterr().err


def test_a_data_set_is_audited_for_leaks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "data", "audit", "brokerage", "--split", "time", "--json") == 0
    assert json.loads(capsys.readouterr().out) == []
    assert run(monkeypatch, "data", "audit", "brokerage", "--test-fraction", "1.5") == 2
    assert "test_fraction" in capsys.readouterr().err
