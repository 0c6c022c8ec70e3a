import csv
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from workbench.claude import ClaudeClient, ClaudeRequest, Origin
from workbench.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = Path(sys.executable).with_name("workbench")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A project in which six questions were asked, by two arms, and recorded."""
    root = tmp_path_factory.mktemp("runtime") / "project"
    (root / "experiments").mkdir(parents=True)
    for name in ("datasets", "pyproject.toml"):
        (root / name).symlink_to(ROOT / name)
    settings = Settings(root=root, data_dir=root)
    asked = [
        ClaudeRequest(
            "claude-haiku-5-5", f"<message>Lead {i} buys</message>", subject=f"lead-00{i}"
        )
        for i in "abcdef"
    ]
    with ClaudeClient.from_settings(settings, origin=Origin.SIMULATED) as client:
        client.ask(asked[:4], task="lead_conversion", arm="zero_shot")
        client.ask(asked[4:], task="lead_conversion", arm="few_shot")
        client.record(asked, root / "pack.yaml")
    yield root


def call(root: Path, *arguments: str, status: int = 0) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("ANTHROPIC_", "WORKBENCH_"))}
    done = subprocess.run(
        [PROGRAM, *arguments],
        capture_output=True,
        text=True,
        env={**kept, "WORKBENCH_ROOT": str(root), "COLUMNS": "100", "NO_COLOR": "1"},
        cwd=root,
        check=False,
    )
    assert done.returncode == status, done.stderr
    return done


def test_the_ledger_adds_up_the_same_in_every_form(root: Path) -> None:
    rows: list[dict[str, Any]] = json.loads(call(root, "ledger", "--json").stdout)
    assert [(row["arm"], row["n_answers"]) for row in rows] == [("few_shot", 2), ("zero_shot", 4)]
    read = list(csv.DictReader(io.StringIO(call(root, "ledger", "--csv").stdout)))
    assert [float(row["cost_usd"]) for row in read] == [row["cost_usd"] for row in rows]
    table = call(root, "ledger", "--by", "day,service_tier").stdout
    assert "standard" in table
    assert "Costs of the origin 'simulated'" in table
    whole: Any = json.loads(call(root, "ledger", "--by", "tenant", "--json").stdout)
    assert whole[0]["cost_usd"] == pytest.approx(sum(row["cost_usd"] for row in rows))


def test_the_ledger_can_start_later(root: Path) -> None:
    assert call(root, "ledger", "--since", "2999-01-01").stdout == "Nothing was asked since then.\n"
    assert "Invalid value" in call(root, "ledger", "--since", "yesterday", status=2).stderr
    assert "has no column 'colour'" in call(root, "ledger", "--by", "colour", status=2).stderr


@pytest.mark.parametrize("column", ["cost_usd", "input_tokens", "tenant,output_tokens"])
def test_what_the_ledger_adds_up_is_nothing_to_sum_by(root: Path, column: str) -> None:
    ended = call(root, "ledger", "--by", column, status=2)
    assert f"'{column.split(',')[-1]}' is what the ledger adds up" in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_asking_for_the_ledger_makes_no_store(tmp_path: Path) -> None:
    for name in ("datasets", "pyproject.toml"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "experiments").mkdir()
    call(tmp_path, "ledger")
    assert not (tmp_path / "mlruns").exists()


def test_the_audit_log_is_verified_against_an_anchor(root: Path, tmp_path: Path) -> None:
    anchor = call(root, "audit", "anchor").stdout.strip()
    assert anchor.startswith("6:")
    assert "6 entries, the chain holds" in call(root, "audit", "verify", "--anchor", anchor).stdout
    log = root / "mlruns" / "audit.jsonl"
    copy = tmp_path / "audit.jsonl"
    lines = log.read_bytes().splitlines(keepends=True)
    copy.write_bytes(b"".join([*lines[:2], *lines[3:]]))
    told = json.loads(call(root, "audit", "verify", str(copy), "--json", status=1).stdout)
    assert not told["ok"]
    assert told["findings"]
    for other in ("6", "²:ab", "٣:ab", "-1:ab", ":ab", "6:"):
        said = call(root, "audit", "verify", f"--anchor={other}", status=2).stderr
        assert f"got {other!r}" in said
        assert "Traceback" not in said
    missing = call(root, "audit", "verify", str(tmp_path / "none.jsonl"), status=2)
    assert "none.jsonl" in missing.stderr


def test_nothing_of_the_question_is_in_the_log_or_the_store(root: Path) -> None:
    kept = [path for path in (root / "mlruns").rglob("*") if path.is_file()]
    assert len(kept) >= 2
    assert not [path for path in kept if b"Lead a buys" in path.read_bytes()]


def test_a_cassette_is_checked(root: Path) -> None:
    assert "6 answers, simulated: " in call(root, "cassette", "check", "pack.yaml").stdout
    told = json.loads(call(root, "cassette", "check", "pack.yaml", "--json").stdout)
    assert told["models"] == ["claude-haiku-5-5"]
    edited = (root / "pack.yaml").read_text(encoding="utf-8").replace("Lead c", "Lead z")
    (root / "edited.yaml").write_text(edited, encoding="utf-8")
    said = call(root, "cassette", "check", "edited.yaml", status=2).stderr
    assert "its key does not fit its request" in said


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        ('{"rules": [{"kind": "earthquake", "rate": 1}]}', "fault kind 'earthquake' is unknown"),
        ('{"rules": [{"kind": "slow", "rate": "x"}]}', "rate is 'x'"),
        ("[]", "the fault plan is list"),
    ],
)
def test_a_fault_plan_that_is_none_is_said_before_anything_starts(
    root: Path, plan: str, words: str
) -> None:
    (root / "faults.json").write_text(plan, encoding="utf-8")
    said = call(root, "emulate", "--faults", "faults.json", status=2).stderr
    assert words in said
    assert said.count("\n") == 1


def test_only_a_run_goes_on_where_it_was_stopped() -> None:
    code = (
        "import sys, workbench.cli as cli\n"
        "@cli.app.command()\n"
        "def stopped():\n"
        "    raise KeyboardInterrupt\n"
        "sys.argv = ['workbench', 'stopped']\n"
        "cli.main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (130, "workbench: interrupted\n")


def test_a_defect_is_not_taken_for_a_gate_that_did_not_pass() -> None:
    code = (
        "import sys, workbench.cli as cli\n"
        "@cli.app.command()\n"
        "def broken():\n"
        "    raise ZeroDivisionError\n"
        "sys.argv = ['workbench', 'broken']\n"
        "cli.main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert "this is a defect of workbench" in done.stderr
    assert "ZeroDivisionError" in done.stderr


def test_a_lead_is_handed_over_and_erased(root: Path, tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(root, project, symlinks=True)
    told = json.loads(call(project, "subject", "export", "lead-00c").stdout)
    assert len(told["answers"]) == 1
    erase = ("subject", "erase", "lead-00c")
    assert "Erase everything" in call(project, *erase, status=1).stderr  # nobody said yes
    done = json.loads(call(project, *erase, "--yes", "--json", "--cassette", "pack.yaml").stdout)
    assert (done["answers"], done["recorded"], done["residue"]) == (1, 1, [])
    assert json.loads(call(project, "subject", "export", "lead-00c").stdout)["answers"] == []
    assert len(json.loads(call(project, "ledger", "--json").stdout)) == 2  # money stays booked
    assert "the chain holds" in call(project, "audit", "verify").stdout
    assert "5 answers" in call(project, "cassette", "check", "pack.yaml").stdout
