"""`workbench monitor`: what became of a model after it was promoted."""

import importlib
from pathlib import Path
from typing import Annotated, Any

import typer

from workbench.cli.console import Json, print_json
from workbench.errors import DataError

__all__ = ["monitor"]

monitor = typer.Typer(
    no_args_is_help=True,
    help="Watch a model: alerts, drift, wording of generated texts.\n\n"
    "Exit status: 0 quiet, 1 an alarm fires, 2 wrong usage or input.",
)


@monitor.command()
def check(
    spec: Annotated[Path, typer.Argument(help="An alert spec (YAML), see experiments/monitoring.")],
    as_json: Json = False,
) -> None:
    """Judge every rule of an alert spec on the bound of its interval.

    Exit status 1: an alert fires. An alert that cannot tell does not fire, and says how many
    rows would decide it.
    """
    report = _module("alerts").check_alerts(spec)
    if as_json:
        print_json(report.to_dict())
    else:
        print(report.to_markdown())
    raise typer.Exit(1 if report.firing else 0)


@monitor.command()
def drift(
    reference: Annotated[Path, typer.Argument(help="Parquet of the rows of the time before.")],
    current: Annotated[Path, typer.Argument(help="Parquet of the rows to watch.")],
    score: Annotated[str, typer.Option(help="Column of predicted probabilities.")] = "",
    label: Annotated[str, typer.Option(help="Column of outcomes, 0 or 1.")] = "",
    groups: Annotated[str, typer.Option(help="Column of what belongs together.")] = "",
    alpha: Annotated[
        float, typer.Option(help="Chance that any column alarms where nothing changed.")
    ] = 0.05,
    as_json: Json = False,
) -> None:
    """Compare two tables column by column, at thresholds that chance rarely exceeds.

    Exit status 1: a column drifted, or is gone.
    """
    report = _module("drift").drift(
        _parquet(reference), _parquet(current), score=score or None, label=label or None,
        groups=groups or None, alpha=alpha,
    )  # fmt: skip
    if as_json:
        print_json(
            {
                "alpha": alpha,
                "columns": report.to_frame().to_dict(orient="records"),
                "skipped": {s.name: s.reason for s in report.skipped},
            }
        )
    else:
        shown = ["name", "statistic", "value", "threshold", "pvalue", "alarm", "change",
                 "minimum_change", "unit", "psi"]  # fmt: skip
        frame = report.to_frame()[shown].sort_values("pvalue", kind="stable")
        print(frame.to_string(index=False, float_format=lambda v: f"{v:.3f}"))
        print(f"\n{len(report.alarms)} of {len(report.columns)} columns drifted")
        for left_out in report.skipped:
            print(f"not looked at: {left_out.name} ({left_out.reason})")
    raise typer.Exit(1 if report.alarms or report.lost else 0)


@monitor.command()
def wording(
    file: Annotated[Path, typer.Argument(help="A text file, one text a line.")],
    as_json: Json = False,
) -> None:
    """Find phrases that Fair-Housing guidance tells advertisers to avoid.

    Exit status 1: a phrase was found.
    """
    try:
        texts = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"the file cannot be read: {type(error).__name__}", where=str(file),
            expected="a UTF-8 text file", fix="name another file",
        ) from None  # fmt: skip
    find = importlib.import_module("workbench.scorers.wording").wording_findings
    found = [(line, f) for line, text in enumerate(texts, start=1) for f in find(text)]
    if as_json:
        print_json([{"line": line, **finding._asdict()} for line, finding in found])
    else:
        for line, f in found:
            print(f"{file}:{line}:{f.start + 1}: {f.text!r} ({f.characteristic}): {f.reason}")
        print(f"{len(found)} phrases in {len(texts)} texts")
    raise typer.Exit(1 if found else 0)


def _parquet(path: Path) -> Any:
    return _module("watched").read_rows(path)


def _module(name: str) -> Any:
    # The platform is loaded when it is needed: this module is read for every command's help.
    return importlib.import_module(f"workbench.monitoring.{name}")
