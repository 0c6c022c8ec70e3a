"""The command line: thin, and quick to start because the library loads on first use."""

import logging
import os
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer

import workbench as wb
from workbench.cli.abtest import abtest
from workbench.cli.catalogue import data
from workbench.cli.console import Json, hushed_on_ctrl_c, print_json, run_until_stopped, say
from workbench.cli.corpora import corpus
from workbench.cli.features import features
from workbench.cli.monitor import monitor
from workbench.cli.prompts import prompts
from workbench.cli.runtime import audit, cassette, emulate, ledger
from workbench.cli.scoring import promote, score
from workbench.cli.subjects import subject
from workbench.errors import WorkbenchError

__all__ = ["app", "main"]

app = typer.Typer(
    name="workbench",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Find out which model and prompt strategy to promote, with evidence a sceptic accepts.\n\n"
    "Exit status: 0 done (and the gate passed), 1 the gate did not pass, 2 wrong usage or input, "
    "3 a defect of workbench itself.",
    epilog="Without ANTHROPIC_API_KEY answers come from a simulated reader and are marked so "
    "everywhere; with it, the same commands ask Claude.",
)
# What shells report for a program ended by SIGINT and SIGPIPE; and what is nobody's input.
_INTERRUPTED, _READER_LEFT, _DEFECT = 130, 141, 3


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
    with hushed_on_ctrl_c():
        outcome = wb.run_spec(spec)
    verdict = outcome.result.verdict
    run_id = None
    if track:
        say("logging to MLflow")
        run_id = wb.log_result(outcome.result, outcome.report, settings=wb.Settings.from_env())
    if as_json:
        print_json(
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
    reading = isinstance(evaluation, wb.ReadingEvaluation)
    quality = evaluation.info.metrics[:3] if reading else ("roc_auc", "log_loss", "accuracy")
    shown = [*quality, "latency_p95_s", "cost_per_1000_usd"]
    titles = [wb.metric(name).title for name in quality]
    rows = [["arm", "verdict", *titles, "p95", "per 1,000"]]
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
    if not reading:
        print(f"\n  accuracy of the majority class: {evaluation.majority_accuracy:.1%}")
    if any(arm.simulated for arm in evaluation.arms):
        print("  sim: simulated answers, none is Claude's; set ANTHROPIC_API_KEY to ask Claude")
    print(f"\nReport: {outcome.report}\nMLflow: make ui        ({elapsed_s:.0f} s)")


def _price(spec: Path, *, as_json: bool) -> None:
    price = wb.price_reading_spec(spec) if wb.is_reading_spec(spec) else wb.price_spec(spec)
    frame = price.to_frame()
    if as_json:
        print_json({"origin": price.origin, "arms": frame.to_dict(orient="records")})
        return
    print(frame.to_string(index=False, float_format=lambda v: f"{v:,.4f}"))
    note = (
        "Simulated answers cost nothing; this is what the model would cost."
        if price.origin == "simulated"
        else f"Answers come from: {price.origin}."
    )
    print(f"\nNothing was asked. {note} 'total' counts calls that arms share once.")


@app.command()
def tasks(as_json: Json = False) -> None:
    """List the tasks and their prompt variants."""
    found = [wb.load_task(name) for name in wb.TASKS]
    if as_json:
        print_json(
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
def ui(
    port: Annotated[int, typer.Option(help="Port.", min=1, max=65535)] = 5000,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
) -> None:
    """Start the MLflow dashboard: one worker, nothing fetched from outside. Ctrl-C stops it."""
    command, environment = wb.server_command(wb.Settings.from_env(), host=host, port=port)
    program = Path(sys.executable).with_name(command[0])
    say(f"MLflow on port {port}; choose the experiment, then open the run's 00-report.html")
    raise typer.Exit(run_until_stopped([str(program), *command[1:]], environment))


app.add_typer(data, name="data")
app.add_typer(corpus, name="corpus")
app.add_typer(features, name="features")
app.add_typer(abtest, name="abtest")
app.add_typer(audit, name="audit")
app.add_typer(monitor, name="monitor")
app.add_typer(cassette, name="cassette")
app.add_typer(prompts, name="prompts")
app.add_typer(subject, name="subject")
app.command()(ledger)
app.command()(emulate)
app.command()(promote)
app.command()(score)


def main() -> None:
    """Run the command line; errors a user can put right are printed without a traceback."""
    stdout = sys.stdout
    try:
        try:
            app()
        finally:
            stdout.flush()
    except SystemExit as ended:
        # Typer turns Ctrl-C into status 130 without a word.
        if ended.code == _INTERRUPTED:
            kept = "; run again to go on, answers are kept" if sys.argv[1:2] == ["run"] else ""
            sys.stderr.write(f"workbench: interrupted{kept}\n")
        # It also takes a lost pipe for a failure, and puts stdout aside.
        sys.exit(ended.code if sys.stdout is stdout else _READER_LEFT)
    except WorkbenchError as error:
        sys.stderr.write(f"workbench: {error}\n")
        sys.exit(2)
    except BrokenPipeError:
        # The reader of a pipe left. Nothing is wrong, but 0 would say that an arm is promoted.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stdout.fileno())
        sys.exit(_READER_LEFT)
    except OSError as error:
        place = f"{error.filename!r}: " if error.filename else ""
        sys.stderr.write(f"workbench: {place}{error.strerror or error}\n")
        sys.exit(2)
    except Exception:
        # Status 1 would read as a gate that did not pass.
        logging.getLogger("workbench").exception("this is a defect of workbench; please report it")
        sys.exit(_DEFECT)
