"""The command line: thin, and quick to start because the library loads on first use."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer

import workbench as wb
from workbench.documents import to_json
from workbench.errors import WorkbenchError

__all__ = ["app", "main"]

app = typer.Typer(
    name="workbench",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Find out which model and prompt strategy to promote, with evidence a sceptic accepts.\n\n"
    "Exit status: 0 done (and the gate passed), 1 the gate did not pass, 2 wrong usage or input.",
    epilog="Without ANTHROPIC_API_KEY answers come from a simulated reader and are marked so "
    "everywhere; with it, the same commands ask Claude.",
)
data = typer.Typer(no_args_is_help=True, help="The catalogue of data sets.")
app.add_typer(data, name="data")

# What shells report for a program ended by SIGINT and SIGPIPE.
_INTERRUPTED, _READER_LEFT = 130, 141

Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]


@app.command()
def run(
    spec: Annotated[Path, typer.Argument(help="A run spec (YAML), see experiments/.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Price the run and stop; nothing is asked.")
    ] = False,
    track: Annotated[bool, typer.Option(help="Log the run to MLflow in mlruns/.")] = True,
    as_json: Json = False,
) -> None:
    """Evaluate a spec, write its report and say which arm to promote.

    Executes the spec's notebook, writes one self-contained HTML page and logs the run to
    MLflow. Answers that were given before are not asked again; a run that was interrupted
    goes on where it stopped.

    Exit status 0: an arm is promoted. 1: none is. 2: the spec or its data is wrong.
    """
    if dry_run:
        _price(spec, as_json=as_json)
        return
    started = time.monotonic()
    outcome = wb.run_spec(spec)
    verdict = outcome.result.verdict
    run_id = None
    if track:
        _say("logging to MLflow")
        run_id = wb.log_result(outcome.result, outcome.report, settings=wb.Settings.from_env())
    if as_json:
        _print(
            {
                "verdict": verdict.to_dict(),
                "figures": outcome.result.evaluation.to_frame().to_dict(orient="records"),
                "report": str(outcome.report),
                "folder": str(outcome.folder),
                "mlflow_run_id": run_id,
            }
        )
    else:
        _print_outcome(outcome, time.monotonic() - started)
    raise typer.Exit(0 if verdict.passed else 1)


def _print_outcome(outcome: Any, elapsed_s: float) -> None:
    result = outcome.result
    evaluation, verdict = result.evaluation, result.verdict
    shown = ["roc_auc", "log_loss", "accuracy", "latency_p95_s", "cost_per_1000_usd"]
    rows = [["arm", "verdict", "ROC AUC", "log loss", "accuracy", "p95", "per 1,000"]]
    for arm in evaluation.arms:
        judged = verdict.word(arm.name)
        figures = [
            "–"
            if arm.simulated and name.startswith("latency")
            else wb.metric(name).format(evaluation.measurements[arm.name, name].estimate)
            for name in shown
        ]
        rows.append([arm.label, judged, *figures])
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    print(f"\n{verdict.decision.upper()}: {verdict.headline}\n")
    for row in rows:
        print("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)))
    print(f"\n  accuracy of the majority class: {evaluation.majority_accuracy:.1%}")
    if any(arm.simulated for arm in evaluation.arms):
        print("  sim: simulated answers, none is Claude's; set ANTHROPIC_API_KEY to ask Claude")
    print(f"\nReport: {outcome.report}\nMLflow: make ui        ({elapsed_s:.0f} s)")


def _price(spec: Path, *, as_json: bool) -> None:
    price = wb.price_spec(spec)
    frame = price.to_frame()
    if as_json:
        _print({"origin": price.origin, "arms": frame.to_dict(orient="records")})
        return
    print(frame.to_string(index=False, float_format=lambda v: f"{v:,.4f}"))
    note = (
        "Simulated answers cost nothing; this is what the model would cost."
        if price.origin == "simulated"
        else f"Answers come from: {price.origin}."
    )
    print(f"\nNothing was asked. {note} 'total' counts calls that arms share once.")


@data.command("list")
def data_list(as_json: Json = False) -> None:
    """List the data sets of the catalogue."""
    catalogue = wb.Catalogue(wb.Settings.from_env())
    cards = [catalogue.card(name) for name in catalogue.names()]
    if as_json:
        _print([card.model_dump(mode="json") for card in cards])
        return
    for card in cards:
        rows = "?" if card.row_count is None else f"{card.row_count:,}"
        print(f"{card.name:<18} {card.origin.kind:<10} {rows:>8} rows  {card.title}")


@data.command("show")
def data_show(
    name: Annotated[str, typer.Argument(help="Name of a data set.")], as_json: Json = False
) -> None:
    """Show a data set's card: origin, licence, columns, target, leaks."""
    card = wb.Catalogue(wb.Settings.from_env()).card(name)
    if as_json:
        _print(card.model_dump(mode="json"))
        return
    print(f"{card.title} ({card.name} {card.version})")
    print(f"origin   {card.origin.kind}: {card.origin.publisher} {card.origin.url or ''}")
    print(f"licence  {card.licence}")
    print(f"target   {card.target.column} = {card.target.positive!r}: {card.target.meaning}")
    for label, value in (
        ("group", card.group_column),
        ("time", card.time and (card.time.column or f"order of the {card.time.order}")),
        ("slices", ", ".join(card.slices)),
    ):
        print(f"{label:<8} {value or '–'}")
    for column, reason in card.leaks.items():
        print(f"leak     {column}: {reason}")
    print(f"notes    {' '.join((card.notes or '–').split())}\n\ncolumns")
    for described in card.columns:
        print(f"  {described.name:<24} {described.dtype:<9} {described.meaning}")


@data.command("check")
def data_check(
    name: Annotated[str, typer.Argument(help="Name of a data set.")], as_json: Json = False
) -> None:
    """Load a data set, verify it against its card and look for traps.

    Exit status 0: nothing wrong (warnings are printed). 1: a finding that must be mended.
    """
    report = wb.Catalogue(wb.Settings.from_env()).check(name)
    if as_json:
        _print(report.to_frame().to_dict(orient="records"))
    elif not report.findings:
        print(f"{name}: nothing found")
    else:
        for finding in report.findings:
            print(f"{finding.severity:<8} {finding.code}  {finding.message}. {finding.fix}")
    raise typer.Exit(0 if report.ok else 1)


@app.command()
def tasks(as_json: Json = False) -> None:
    """List the tasks and their prompt variants."""
    found = [wb.load_task(name) for name in wb.TASKS]
    if as_json:
        _print(
            [
                {
                    "name": task.name,
                    "version": task.version,
                    "metrics": list(task.metrics),
                    "prompts": {p.name: p.digest for p in task.prompts.values()},
                }
                for task in found
            ]
        )
        return
    for task in found:
        print(f"{task.name} (version {task.version}): {task.title}")
        for prompt in task.prompts.values():
            print(f"  {prompt.name:<16} {prompt.digest}  {prompt.title}")


@app.command()
def ledger(
    by: Annotated[
        str, typer.Option(help="Columns to sum by, comma-separated: tenant, task, arm, ...")
    ] = "origin,task,arm,model_requested",
    as_json: Json = False,
) -> None:
    """Show what answers have cost; a stored answer that is used again costs nothing."""
    store = wb.AnswerStore(wb.Settings.from_env().mlruns / "answers.sqlite")
    frame = store.spend(by=[column.strip() for column in by.split(",")])
    if as_json:
        _print(frame.to_dict(orient="records"))
    elif frame.empty:
        print("Nothing has been asked yet.")
    else:
        print(frame.to_string(index=False))
        print("\nCosts of the origin 'simulated' are what the model would have cost.")


@app.command()
def emulate(
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1.", min=1, max=65535)] = 8765,
) -> None:
    """Serve simulated answers on the Messages wire, for anyone's tests. Ctrl-C stops it."""
    address = f"http://127.0.0.1:{port}"
    _say(f"simulated answers for clients with ANTHROPIC_BASE_URL={address} and any key")
    command = [sys.executable, "-m", "workbench.claude.emulator", "--port", str(port)]
    # The emulator stops when its stdin closes, so that it never outlives its parent.
    raise typer.Exit(_run_until_stopped(command, stdin=subprocess.PIPE))


@app.command()
def ui(
    port: Annotated[int, typer.Option(help="Port.", min=1, max=65535)] = 5000,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
) -> None:
    """Start the MLflow dashboard: one worker, nothing fetched from outside. Ctrl-C stops it."""
    command, environment = wb.server_command(wb.Settings.from_env(), host=host, port=port)
    program = Path(sys.executable).with_name(command[0])
    _say(f"MLflow on port {port}; choose the experiment, then open the run's 00-report.html")
    raise typer.Exit(_run_until_stopped([str(program), *command[1:]], environment))


def _run_until_stopped(
    command: list[str], environment: dict[str, str] | None = None, stdin: int | None = None
) -> int:
    try:
        return subprocess.call(command, env=environment, stdin=stdin)
    except KeyboardInterrupt:
        return 0


def _say(sentence: str) -> None:
    wb.say(sentence)


def _print(value: object) -> None:
    print(to_json(value))


def main() -> None:
    """Run the command line; errors a user can put right are printed without a traceback."""
    stdout = sys.stdout
    try:
        try:
            app()
        finally:
            stdout.flush()
    except WorkbenchError as error:
        sys.stderr.write(f"workbench: {error}\n")
        sys.exit(2)
    except SystemExit as ended:
        # Typer turns Ctrl-C into status 130 without a word.
        if ended.code == _INTERRUPTED:
            sys.stderr.write("workbench: interrupted; run again to go on, answers are kept\n")
        # It also takes a lost pipe for a failure, and puts stdout aside.
        sys.exit(ended.code if sys.stdout is stdout else _READER_LEFT)
    except BrokenPipeError:
        # The reader of a pipe left. Nothing is wrong, but 0 would say that an arm is promoted.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stdout.fileno())
        sys.exit(_READER_LEFT)
