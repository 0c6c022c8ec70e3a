"""`workbench data`: the catalogue of data sets."""

from pathlib import Path
from typing import Annotated, Literal

import typer

import workbench as wb
from workbench.cli.console import Json, print_json, say

__all__ = ["data"]

data = typer.Typer(no_args_is_help=True, help="The catalogue of data sets.")


@data.command("list")
def data_list(as_json: Json = False) -> None:
    """List the data sets of the catalogue."""
    catalogue = wb.open_catalogue(wb.Settings.from_env())
    cards = [catalogue.card(name) for name in catalogue.names()]
    if as_json:
        print_json([card.model_dump(mode="json") for card in cards])
        return
    for card in cards:
        rows = "?" if card.row_count is None else f"{card.row_count:,}"
        print(f"{card.name:<18} {card.origin.kind:<10} {rows:>8} rows  {card.title}")


@data.command("show")
def data_show(
    name: Annotated[str, typer.Argument(help="Name of a data set.")], as_json: Json = False
) -> None:
    """Show a data set's card: origin, licence, columns, target, leaks."""
    card = wb.open_catalogue(wb.Settings.from_env()).card(name)
    if as_json:
        print_json(card.model_dump(mode="json"))
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
    report = wb.open_catalogue(wb.Settings.from_env()).check(name)
    if as_json:
        print_json(report.to_frame().to_dict(orient="records"))
    elif not report.findings:
        print(f"{name}: nothing found")
    else:
        for finding in report.findings:
            print(f"{finding.severity:<8} {finding.code}  {finding.message}. {finding.fix}")
    raise typer.Exit(0 if report.ok else 1)


@data.command("audit")
def data_audit(
    name: Annotated[str, typer.Argument(help="Name of a data set.")],
    split: Annotated[
        Literal["random", "group", "time"], typer.Option(help="How the data would be split.")
    ] = "random",
    test_fraction: Annotated[float, typer.Option(help="Share of the test part.")] = 0.3,
    random_state: Annotated[int, typer.Option(help="Seed of the split.")] = 42,
    as_json: Json = False,
) -> None:
    """Look for what a held-out part would give away: labels, copies, people on both sides.

    Exit status 1: a leak was found.
    """
    dataset = wb.open_catalogue(wb.Settings.from_env()).load(name)
    report = wb.audit_dataset(dataset, wb.Split(split, test_fraction, random_state))
    if as_json:
        print_json(report.to_frame().to_dict(orient="records"))
    elif report.ok:
        print(f"{name}, {split} split: no leak found")
    else:
        for leak in report.findings:
            print(f"{leak.code}  {leak.column or '-':<20} {leak.message}. {leak.fix}")
    raise typer.Exit(0 if report.ok else 1)


@data.command("simulate")
def data_simulate(
    folder: Annotated[Path, typer.Argument(help="Folder to write into; made.")],
    leads: Annotated[int, typer.Option(help="Number of leads.")] = 20_000,
    random_state: Annotated[int, typer.Option(help="Seed.")] = 0,
    text_share: Annotated[
        float, typer.Option(help="Share of the leads whose messages are written.")
    ] = 1.0,
    as_json: Json = False,
) -> None:
    """Simulate a brokerage's CRM as Parquet: leads, events, conversations, deals.

    What is true of it is kept apart in `truth/`, for judging only.
    """

    def progress(done: int, of: int) -> None:
        say(f"{done:,} of {of:,} leads")

    crm = wb.simulate(
        leads,
        random_state=random_state,
        folder=folder,
        text_share=text_share,
        on_progress=progress,
    )
    if as_json:
        print_json({"folder": str(folder), "tables": list(crm.names)})
    else:
        print(f"{leads:,} leads written to {folder}: {', '.join(crm.names)}")
