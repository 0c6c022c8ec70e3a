"""`workbench ledger`, `emulate`, `audit` and `cassette`: what stands around every call."""

import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

import workbench as wb
from workbench.cli.console import Json, print_json, run_until_stopped, say

__all__ = ["audit", "cassette", "emulate", "ledger"]

audit = typer.Typer(no_args_is_help=True, help="The log of every answer that arrived.")
cassette = typer.Typer(no_args_is_help=True, help="Recorded answers, for review and replay.")

AuditPath = Annotated[
    Path | None, typer.Argument(help="The log; mlruns/audit.jsonl of the project when omitted.")
]


def ledger(
    by: Annotated[
        str, typer.Option(help="Columns to sum by, comma-separated: tenant, task, arm, day, ...")
    ] = "origin,task,arm,model_requested",
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First day, UTC.")
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    as_json: Json = False,
) -> None:
    """Show what answers have cost; a stored answer that is used again costs nothing."""
    store = wb.AnswerStore(wb.Settings.from_env().mlruns / "answers.sqlite")
    frame = store.spend(by=[column.strip() for column in by.split(",")], since=since)
    if as_json:
        print_json(frame.to_dict(orient="records"))
    elif as_csv:
        print(frame.to_csv(index=False), end="")
    elif frame.empty:
        print("Nothing has been asked yet." if since is None else "Nothing was asked since then.")
    else:
        shown = frame.loc[:, (frame != 0).any() | (frame.columns == "cost_usd")]
        print(shown.to_string(index=False, formatters={"cost_usd": "{:,.6f}".format}))
        print("\nCosts of the origin 'simulated' are what the model would have cost.")


def emulate(
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1.", min=1, max=65535)] = 8765,
    faults: Annotated[
        Path | None,
        typer.Option(
            help='Faults and latencies to play, JSON: {"rules": [{"kind": "rate_limit_429", '
            '"rate": 0.05}], "latency": {"median_s": 0.4, "sigma": 0.5}}',
            exists=True,
            dir_okay=False,
        ),
    ] = None,
) -> None:
    """Serve simulated answers on the Messages wire, for anyone's tests. Ctrl-C stops it.

    Speaks messages, streams, structured output, tools, thinking, batches and token counts.

    Nothing it says is Claude's: models are called sim:…, and a header says so.
    """
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "workbench.claude.emulator", "--port", str(port)]
    if faults is not None:
        wb.FaultPlan.from_json(faults.read_text(encoding="utf-8"))  # said here, not by a child
        command += ["--faults", str(faults)]
    say(f"simulated answers for clients with ANTHROPIC_BASE_URL={address} and any key")
    # The emulator stops when its stdin closes, so that it never outlives its parent.
    raise typer.Exit(run_until_stopped(command, stdin=subprocess.PIPE))


@audit.command("verify")
def audit_verify(
    path: AuditPath = None,
    anchor: Annotated[
        str | None, typer.Option(help="State to prove, as `audit anchor` printed it: N:HASH.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Look for entries of the audit log that were changed, removed, added or moved.

    Exit status 0: none was. 1: a finding. Without an anchor kept elsewhere, a log that was
    rewritten as a whole cannot be told from a true one.
    """
    report = _audit_log(path).verify(None if anchor is None else _anchor(anchor))
    if as_json:
        found = [finding._asdict() for finding in report.findings]
        print_json({"ok": report.ok, "n_entries": report.n_entries, "findings": found})
    else:
        print(report)
    raise typer.Exit(0 if report.ok else 1)


@audit.command("anchor")
def audit_anchor(path: AuditPath = None) -> None:
    """Print the state of the audit log; keep it where the log's writers cannot reach."""
    state = _audit_log(path).anchor()
    print(f"{state.n_entries}:{state.hash}")


def _anchor(text: str) -> "wb.Anchor":
    entries, _, digest = text.partition(":")
    if not (entries.isascii() and entries.isdecimal()) or not digest:
        raise typer.BadParameter(
            f"got {text!r}, expected N:HASH as `workbench audit anchor` prints"
        )
    return wb.Anchor(int(entries), digest)


def _audit_log(path: Path | None) -> "wb.AuditLog":
    # Nothing is appended here, so that nobody's pseudonym is needed.
    return wb.AuditLog(path or wb.Settings.from_env().mlruns / "audit.jsonl", str)


@cassette.command("check")
def cassette_check(
    path: Annotated[Path, typer.Argument(help="A cassette (YAML).")], as_json: Json = False
) -> None:
    """Check that a cassette is complete, unedited and holds no secret."""
    found = wb.Cassette.load(path)
    models = sorted({request.model for request, _ in found.entries.values()})
    told = {"path": str(path), "origin": found.origin.value, "n_answers": len(found.entries),
            "models": models}  # fmt: skip
    if as_json:
        print_json(told)
    else:
        print(f"{path}: {len(found.entries):,} answers, {found.origin.describe()}")
        print(f"models asked: {', '.join(models)}")
