"""`workbench abtest`: the life of an online experiment, from its design to its report."""

import functools
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

import workbench as wb
from workbench.cli.console import Json, hushed_on_ctrl_c, print_json, say

__all__ = ["abtest"]

abtest = typer.Typer(
    no_args_is_help=True,
    help="Online experiments: design, assign, record, analyse, monitor.\n\n"
    "Exit status: 0 done, 1 an alarm (arms do not get their share, a guardrail is broken, events "
    "contradict what was recorded), 2 wrong usage or input.",
)

DesignFile = Annotated[Path, typer.Argument(help="The design (YAML), see experiments/abtest.")]
Data = Annotated[
    Path | None,
    typer.Argument(
        help="Units (Parquet or CSV, one row each) or an event store (.duckdb); what `record` "
        "keeps when omitted."
    ),
]
Store = Annotated[
    Path | None,
    typer.Option(help="The event store; mlruns/abtest/NAME.duckdb of the project when omitted."),
]
ArmColumn = Annotated[str, typer.Option("--arm", help="Column of the arm.")]
TimeColumn = Annotated[str, typer.Option(help="Column of the time of exposure.")]
AsOf = Annotated[
    str, typer.Option(help="Moment to look from, ISO 8601 with its zone; now when omitted.")
]
Registered = Annotated[
    Path | None, typer.Option(help="The design as it was registered by `design --register`.")
]


@abtest.command()
def design(
    file: DesignFile,
    units_per_day: Annotated[
        float | None, typer.Option(help="Traffic, to say how many days it takes.", min=0)
    ] = None,
    register: Annotated[
        Path | None, typer.Option(help="Freeze the design in this file; it is written once.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Check a design, say how many units it needs, and register it if wanted."""
    read = wb.read_design(file)
    found = wb.plan(read, units_per_day=units_per_day)
    registration = None if register is None else wb.register(read, register)
    if as_json:
        print_json(
            {
                "experiment": read.name,
                "n_units": found.n_units,
                "days": found.days,
                "rows": found.to_frame().to_dict(orient="records"),
                "unplanned": list(found.unplanned),
                "sha256": None if registration is None else registration.sha256,
            }
        )
        return
    print(found.to_markdown())
    if registration is not None:
        print(f"\nregistered {registration.registered_at:%Y-%m-%d %H:%M} UTC: {register}")
        print(f"sha256 {registration.sha256}")


@abtest.command()
def assign(
    file: DesignFile,
    unit: Annotated[list[str], typer.Option(help="Pseudonymous identifier; may be repeated.")],
    cluster: Annotated[
        str | None, typer.Option(help="Cluster of the units, where the design has clusters.")
    ] = None,
    at: Annotated[str, typer.Option(help="When they are exposed; now when omitted.")] = "",
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Say which arm a unit gets: the same on every machine and every day.

    A unit that was recorded keeps the arm it has, whatever became of the weights since.
    """
    read = wb.read_design(file)
    path, recorded = _store_path(read, store), None
    if path.exists():
        known = wb.EventStore(path)
        recorded = functools.partial(known.recorded_arm, read.name)
    assigner = wb.Assigner(read, recorded=recorded)
    moment = _moment(at)
    found = [assigner.assign(one, cluster_id=cluster, at=moment) for one in unit]
    if as_json:
        print_json([one._asdict() for one in found])
        return
    for one in found:
        print(f"{one.unit_id}\t{one.arm or '–'}\t{one.reason}")


@abtest.command()
def record(
    file: DesignFile,
    events: Annotated[
        Path,
        typer.Argument(
            help="JSON lines: exposures {event_id, unit_id, arm, exposed_at, ...} and outcomes "
            "{event_id, unit_id, name, occurred_at, value}."
        ),
    ],
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Keep exposures and outcomes; recording them again changes nothing.

    Exit status 1: events contradict what was recorded under their identifiers before; the first
    ones were kept.
    """
    read = wb.read_design(file)
    path = _store_path(read, store)
    found = wb.record_events(wb.EventStore(path), wb.read_events(events, read))
    if as_json:
        print_json({**found._asdict(), "store": str(path)})
    else:
        print(f"{found.n_new:,} new, {found.n_repeated:,} known already: {path}")
        for event_id in found.conflicting:
            print(f"  contradicts what was recorded: {event_id}")
    raise typer.Exit(1 if found.conflicting else 0)


@abtest.command()
def analyse(
    file: DesignFile,
    data: Data = None,
    arm: ArmColumn = "arm",
    exposed_at: TimeColumn = "exposed_at",
    as_of: AsOf = "",
    registration: Registered = None,
    touches: Annotated[
        Path | None,
        typer.Option(
            help="Touches (CSV or Parquet: the unit's column, strategy, nth): attribute outcomes "
            "to them."
        ),
    ] = None,
    cost: Annotated[
        list[str] | None,
        typer.Option(help="Cost of one unit of an arm, ARM=USD; may be repeated: what it returns."),
    ] = None,
    ledger: Annotated[
        bool, typer.Option("--ledger", help="Take the arms' costs from the project's ledger.")
    ] = False,
    report: Annotated[
        bool, typer.Option("--report", help="Execute the notebook and write one HTML page.")
    ] = False,
    track: Annotated[
        bool, typer.Option("--track", help="Log the analysis and every look to MLflow.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Analyse an experiment: sample ratio first, then effects, guardrails and segments.

    Exit status 1: the arms do not get their share, or a guardrail is violated.
    """
    read = wb.read_design(file)
    answers = wb.Settings.from_env().mlruns / "answers.sqlite"
    parameters: dict[str, Any] = {
        "design_path": str(file.resolve()),
        "data_path": str(_data_path(read, data).resolve()),
        "arm": arm,
        "exposed_at": exposed_at,
        "as_of": _moment(as_of).isoformat(),
        "registration_path": "" if registration is None else str(registration.resolve()),
        "touches_path": "" if touches is None else str(touches.resolve()),
        "costs": cost or [],
        "ledger_path": str(answers) if ledger else "",
    }
    found = wb.read_experiment(**parameters, follow=track)
    page = _report(read.name, parameters) if report else None
    run_id = _track(found, page) if track else None
    if as_json:
        print_json(
            {
                **found.to_dict(),
                "report": None if page is None else str(page),
                "mlflow_run_id": run_id,
            }
        )
    else:
        print(found.to_markdown())
        if page is not None:
            print(f"Report: {page}")
    violated = any(e.verdict == "violated" for e in found.analysis.effects)
    raise typer.Exit(1 if found.analysis.ratio.alarm or violated else 0)


@abtest.command()
def monitor(
    file: DesignFile,
    data: Data = None,
    arm: ArmColumn = "arm",
    exposed_at: TimeColumn = "exposed_at",
    as_of: AsOf = "",
    every_days: Annotated[float, typer.Option(help="Days between looks.")] = 1.0,
    as_json: Json = False,
) -> None:
    """Look at a running experiment; looking every day does not fool it.

    Exit status 1: the arms do not get their share, or a guardrail is broken.
    """
    read = wb.read_design(file)
    units = wb.open_data(_data_path(read, data))
    found = wb.monitor(
        read, units, as_of=_moment(as_of), arm=arm, exposed_at=exposed_at, every_days=every_days
    )
    if as_json:
        print_json(found.to_dict())
    else:
        print(found.to_markdown())
    raise typer.Exit(1 if found.alarm else 0)


def _store_path(design: Any, store: Path | None) -> Path:
    if store is not None:
        return store
    folder: Path = wb.Settings.from_env().mlruns / "abtest"
    return folder / f"{design.name.replace(' ', '-')}.duckdb"


def _data_path(design: Any, data: Path | None) -> Path:
    return data if data is not None else _store_path(design, None)


def _moment(text: str) -> datetime:
    if not text:
        return datetime.now(UTC)
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no ISO 8601 time") from None


def _report(name: str, parameters: dict[str, Any]) -> Path:
    say("executing the notebook")
    with hushed_on_ctrl_c():
        page: Path = wb.run_experiment_report(name, parameters)
    return page


def _track(found: Any, page: Path | None) -> str:
    say("logging to MLflow")
    run_id: str = wb.log_experiment(
        found.analysis, settings=wb.Settings.from_env(), monitoring=found.monitoring, report=page,
        attribution=found.attribution, returns=found.returns,
    )  # fmt: skip
    return run_id
