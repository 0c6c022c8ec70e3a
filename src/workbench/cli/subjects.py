"""`workbench subject`: what is kept about a lead, handed over or erased."""

from pathlib import Path
from typing import Annotated

import typer

import workbench as wb
from workbench.cli.console import Json, print_json

__all__ = ["subject"]

subject = typer.Typer(no_args_is_help=True, help="What is kept about a lead: export, erase.")

Lead = Annotated[str, typer.Argument(help="The lead's identifier, or that of its contact.")]
Tenant = Annotated[str, typer.Option(help="The tenant whose lead it is.")]
Cassettes = Annotated[
    list[Path] | None,
    typer.Option("--cassette", help="A cassette to look through, too.", exists=True),
]


@subject.command()
def export(lead: Lead, tenant: Tenant = "default", cassette: Cassettes = None) -> None:
    """Print everything kept about a lead, as JSON."""
    stores, gate = _places(tenant, cassette)
    print(wb.export_subject(stores, gate, lead).to_json())


@subject.command()
def erase(
    lead: Lead,
    tenant: Tenant = "default",
    cassette: Cassettes = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Erase everything kept about a lead, then search every byte for what is left.

    The ledger and the audit log stay: they hold nothing about a person. Exit status 0: nothing
    was found afterwards. 1: something was, and is listed.
    """
    if not yes:
        typer.confirm("Erase everything kept about this lead?", abort=True, err=True)
    stores, gate = _places(tenant, cassette)
    done = wb.erase_subject(stores, gate, lead)
    counts = {name: getattr(done, name) for name in
              ("answers", "cached", "rows", "recorded", "mentions")}  # fmt: skip
    left = [{"path": str(found.path), "where": found.where} for found in done.residue]
    if as_json:
        print_json({**counts, "residue": left})
    else:
        print(", ".join(f"{count} {name}" for name, count in counts.items()), "erased")
        for found in left:
            print(f"still there: {found['path']}, {found['where']}")
    raise typer.Exit(0 if done.complete else 1)


def _places(tenant: str, cassettes: list[Path] | None) -> "tuple[wb.Stores, wb.PrivacyGate]":
    mlruns = wb.Settings.from_env().mlruns
    stores = wb.Stores(
        root=mlruns,
        answers=[wb.AnswerStore(mlruns / "answers.sqlite")],
        cassettes=cassettes or [],
    )
    return stores, wb.PrivacyGate(wb.TenantKeys(mlruns / "keys"), tenant=tenant)
