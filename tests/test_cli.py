import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from workbench.tasks import TASKS

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = Path(sys.executable).with_name("workbench")
COMMANDS: tuple[tuple[str, ...], ...] = (
    (), ("run",), ("data",), ("data", "list"), ("data", "show"), ("data", "check"), ("tasks",),
    ("ledger",), ("emulate",), ("ui",), ("audit",), ("audit", "verify"), ("audit", "anchor"),
    ("cassette",), ("cassette", "check"), ("subject",), ("subject", "export"), ("subject", "erase"),
    ("abtest",), ("abtest", "design"), ("abtest", "assign"), ("abtest", "record"),
    ("abtest", "analyse"), ("abtest", "monitor"),
)  # fmt: skip
CLAUDE = {"kind": "claude", "prompt": "zero_shot"}


def environ(root: Path, **more: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("ANTHROPIC_", "WORKBENCH_"))}
    return {**kept, "WORKBENCH_ROOT": str(root), "COLUMNS": "100", "NO_COLOR": "1", **more}


def hear_ctrl_c() -> None:
    """What runs in the background is started deaf to SIGINT, and its children inherit that."""
    os.setpgrp()
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Ended(NamedTuple):
    """How a command ended and what it said."""

    status: int
    out: str
    err: str

    def json(self) -> Any:
        """Stdout as JSON every reader takes: without NaN."""
        assert "Traceback" not in self.err
        return json.loads(self.out, parse_constant=lambda name: pytest.fail(f"{name} in JSON"))


def call(root: Path, *arguments: str, **more: str) -> Ended:
    done = subprocess.run(
        [PROGRAM, *arguments],
        capture_output=True,
        text=True,
        env=environ(root, **more),
        cwd=root,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def make_project(folder: Path) -> Path:
    root = folder / "project"
    for path in (root / "experiments", root / "datasets" / "broken"):
        path.mkdir(parents=True)
    for name in ("notebooks", "pyproject.toml", "datasets/brokerage"):
        (root / name).symlink_to(ROOT / name)
    card = (ROOT / "datasets" / "brokerage" / "card.yaml").read_text(encoding="utf-8")
    broken = card.replace("name: brokerage\n", "name: broken\n", 1).replace("title:", "titel:", 1)
    (root / "datasets" / "broken" / "card.yaml").write_text(broken, encoding="utf-8")
    return root


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_project(tmp_path_factory.mktemp("cli"))


def write_spec(root: Path, name: str, **changes: Any) -> str:
    content = {
        "name": name,
        "task": "lead_conversion",
        "dataset": {"name": "brokerage", "n_rows": 400, "random_state": 3},
        "split": {"test_fraction": 0.4, "random_state": 1},
        "arms": {"prior": {"kind": "prior"}, "logistic": {"kind": "logistic"}, "zero": CLAUDE},
        "baseline": "prior",
        "gates": [{"metric": "roc_auc", "difference": True, "at_least": 0.0}],
        "n_resamples": 200,
        "latency_sample": 20,
        **changes,
    }
    path = root / "experiments" / f"{name}.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return str(path)


def run_folders(root: Path) -> list[Path]:
    return sorted((root / "mlruns" / "runs").glob("*"))


def assert_refused(ended: Ended, *said: str) -> None:
    assert ended.status == 2
    assert ended.out == ""
    assert "Traceback" not in ended.err
    for words in said:
        assert words in ended.err


# ---------------------------------------------------------------- help


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_explains_itself(root: Path, command: tuple[str, ...]) -> None:
    ended = call(root, *command, "--help")
    assert (ended.status, ended.err) == (0, "")
    assert f"Usage: {' '.join(('workbench', *command))}" in ended.out


def test_help_names_the_exit_statuses(root: Path) -> None:
    said = " ".join(call(root, "-h").out.split())
    assert "0 done (and the gate passed), 1 the gate did not pass, 2 wrong usage or input" in said


def test_an_unknown_command_is_wrong_usage(root: Path) -> None:
    assert_refused(call(root, "rum"), "No such command 'rum'")
    assert_refused(call(root, "run"), "Missing argument")
    assert_refused(call(root, "tasks", "--jsn"), "No such option", "--json")


# ---------------------------------------------------------------- data and tasks


def test_data_sets_are_listed(tmp_path: Path) -> None:
    root = make_project(tmp_path)
    (root / "datasets" / "broken" / "card.yaml").unlink()
    ended = call(root, "data", "list")
    assert (ended.status, ended.err) == (0, "")
    assert ended.out.split()[:4] == ["brokerage", "simulated", "6,000", "rows"]
    listed = call(root, "data", "list", "--json").json()
    assert ended.out.count("\n") == len(listed)


def test_a_card_is_shown(root: Path) -> None:
    ended = call(root, "data", "show", "brokerage")
    assert (ended.status, ended.err) == (0, "")
    for words in ("simulated", "converted = 'yes'", "n_agent_notes", "first_message"):
        assert words in ended.out
    card = call(root, "data", "show", "brokerage", "--json").json()
    assert card["target"]["column"] == "converted"
    assert {"name", "dtype", "meaning"} <= set(card["columns"][0])


def test_a_data_set_is_checked(root: Path) -> None:
    ended = call(root, "data", "check", "brokerage", "--json")
    assert ended.status == 0
    findings = ended.json()
    assert {"severity", "code", "message", "fix"} <= set(findings[0])
    broken = call(root, "data", "check", "broken")
    assert broken.status == 1
    assert "unknown key 'titel'" in broken.out
    assert broken.err == ""


@pytest.mark.parametrize("command", [("show",), ("check", "--json")], ids=" ".join)
def test_an_unknown_data_set_suggests_the_nearest(root: Path, command: tuple[str, ...]) -> None:
    ended = call(root, "data", *command, "brokrage")
    assert_refused(ended, "workbench: ", "no data set 'brokrage'", "write 'brokerage'")
    assert ended.err.count("\n") == 1


def test_tasks_and_their_prompts_are_listed(root: Path) -> None:
    ended = call(root, "tasks")
    assert (ended.status, ended.err) == (0, "")
    listed = {task["name"]: task for task in call(root, "tasks", "--json").json()}
    assert set(listed) == set(TASKS)
    for name, task in TASKS.items():
        assert name in ended.out
        assert listed[name]["prompts"] == {p.name: p.digest for p in task.prompts.values()}


# ---------------------------------------------------------------- a run


def test_a_dry_run_prices_and_does_nothing_else(tmp_path: Path) -> None:
    root = make_project(tmp_path)
    spec = write_spec(root, "priced")
    ended = call(root, "run", spec, "--dry-run")
    assert ended.status == 0
    assert "Nothing was asked. Simulated answers cost nothing" in ended.out
    # With a key the price is that of the real thing, and still nothing is asked.
    key = {"ANTHROPIC_API_KEY": "sk-ant-none"}
    priced = call(root, "run", spec, "--dry-run", "--json", **key).json()
    assert priced["origin"] == "live"
    arms = {arm["arm"]: arm for arm in priced["arms"]}
    assert set(arms) == {"zero", "total"}
    assert 140 <= arms["zero"]["n_requests"] <= 160
    assert arms["zero"]["n_stored"] == 0
    assert 0 < arms["zero"]["cost_usd_low"] < arms["zero"]["cost_usd_high"]
    assert arms["total"]["cost_usd_high"] == arms["zero"]["cost_usd_high"]
    # The key is what makes the tokens of one lead the same when the run is for real.
    assert {path.name for path in (root / "mlruns").iterdir()} <= {"keys"}
    assert call(root, "ledger", "--json").json() == []


def test_a_run_from_the_empty_ledger_to_the_verdict(root: Path) -> None:
    empty = call(root, "ledger")
    assert (empty.status, empty.out) == (0, "Nothing has been asked yet.\n")

    ended = call(root, "run", write_spec(root, "whole"), "--json")
    result = ended.json()
    assert ended.status == 0, "logistic is better than the base rate"
    assert result["verdict"]["decision"] == "promote"
    assert result["verdict"]["promoted"] == "logistic"
    assert {f["arm"] for f in result["figures"]} == {"prior", "logistic", "zero"}
    assert [Path(result["folder"])] == run_folders(root)
    assert Path(result["report"]).is_file()
    assert len(result["mlflow_run_id"]) == 32
    for said in ("answers come from: simulated", "fitting logistic", "logging to MLflow"):
        assert said in ended.err
    assert "INFO" not in ended.err, "libraries keep quiet"

    spent = call(root, "ledger", "--json").json()
    assert [(row["origin"], row["arm"]) for row in spent] == [("simulated", "zero")]
    n_test = next(f["n"] for f in result["figures"] if f["metric"] == "accuracy")
    assert spent[0]["n_answers"] == n_test
    # Everything is stored now: the same run again would cost nothing.
    spec = str(root / "experiments" / "whole.yaml")
    total = call(root, "run", spec, "--dry-run", "--json").json()["arms"][-1]
    assert (total["arm"], total["n_stored"], total["cost_usd_high"]) == ("total", n_test, 0)


def test_a_run_that_promotes_nothing_ends_with_one(tmp_path: Path) -> None:
    root = make_project(tmp_path)
    arms = {"logistic": {"kind": "logistic"}, "prior": {"kind": "prior"}}
    spec = write_spec(root, "kept", arms=arms, baseline="logistic")
    ended = call(root, "run", spec, "--no-track")
    assert ended.status == 1
    assert "\nREJECT: Keep logistic: no arm meets the gate.\n" in ended.out
    assert f"Report: {run_folders(root)[0] / 'report.html'}" in ended.out
    assert "Traceback" not in ended.err
    assert not (root / "mlruns" / "mlflow.db").exists()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"dataset": {"name": "brokrage"}}, "no data set 'brokrage'"),
        (
            {"arms": {"prior": {"kind": "prior"}, "own": {"kind": "own", "factory": "bad:make"}}},
            "arm 'own': the factory 'bad:make' cannot be imported: SyntaxError",
        ),
    ],
)
def test_a_wrong_spec_is_wrong_input(root: Path, changes: dict[str, Any], said: str) -> None:
    (root / "experiments" / "bad.py").write_text("def make(:\n", encoding="utf-8")
    before = run_folders(root)
    spec = write_spec(root, "wrong", **changes)
    assert_refused(call(root, "run", spec, "--dry-run", "--json"), "workbench: ", said, "To fix: ")
    assert run_folders(root) == before


def test_what_is_not_there_is_wrong_input(root: Path, tmp_path: Path) -> None:
    assert_refused(call(root, "run", "none.yaml", "--json"), "none.yaml: the file does not exist")
    assert_refused(call(root, "ledger", "--by", "mood"), "the ledger has no column 'mood'")
    assert_refused(
        call(root, "ledger", WORKBENCH_ROOT=str(tmp_path / "none")), "which is not a folder"
    )


# ---------------------------------------------------------------- pipes and signals


def test_a_reader_that_leaves_is_no_drama(root: Path) -> None:
    with subprocess.Popen(
        [PROGRAM, "data", "show", "brokerage", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environ(root),
        cwd=root,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        said = process.stderr.read()
    assert said == b""
    # As shells report a program that lost its reader; 0 would say that an arm is promoted.
    assert process.returncode == 141


def test_ctrl_c_stops_a_run_and_leaves_no_half_report(tmp_path: Path) -> None:
    root = make_project(tmp_path)
    spec = write_spec(root, "cut", n_resamples=100_000)
    with subprocess.Popen(
        [PROGRAM, "run", spec],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environ(root),
        cwd=root,
        preexec_fn=hear_ctrl_c,
    ) as process:
        assert process.stderr is not None
        lines, seen = iter(process.stderr.readline, ""), ""
        for line in lines:
            seen += line
            if "measuring intervals" in line:
                break
        assert "measuring intervals" in seen, seen
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        rest = "".join(lines)
        assert process.stdout is not None
        assert process.stdout.read() == ""
    assert process.returncode == 130
    # The kernel, and what talks to it, have nothing to add.
    assert rest == "workbench: interrupted; run again to go on, answers are kept\n"
    assert run_folders(root) == []
    assert call(root, "ledger", "--json").json()[0]["n_answers"] > 100


def test_the_emulator_serves_until_it_is_stopped(root: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with subprocess.Popen(
        [PROGRAM, "emulate", "--port", str(port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environ(root),
        cwd=root,
        preexec_fn=hear_ctrl_c,
    ) as process:
        assert process.stdout is not None
        address = json.loads(process.stdout.readline())["url"]
        assert address == f"http://127.0.0.1:{port}"
        request = urllib.request.Request(  # noqa: S310 - a loopback address of ours
            f"{address}/v1/models", headers={"authorization": "Bearer any"}
        )
        with urllib.request.urlopen(request) as response:  # noqa: S310 - the same
            assert json.load(response)["data"][0]["id"].startswith("sim:")
        process.send_signal(signal.SIGINT)
        process.wait()
    assert process.returncode == 0
