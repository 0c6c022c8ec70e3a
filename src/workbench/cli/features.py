"""`workbench features`: list, describe and build features of lead histories."""

import time
from pathlib import Path
from typing import Annotated, Literal

import typer

import workbench as wb
from workbench.cli.console import Json, print_json, say

__all__ = ["features"]

features = typer.Typer(
    no_args_is_help=True,
    help="Features of a lead's history, as it was on record at the moment of prediction.",
)


@features.command("list")
def features_list(as_json: Json = False) -> None:
    """List the features offered, with meaning, unit, source and window."""
    table = wb.FEATURES.describe()
    if as_json:
        print_json(table.to_dict(orient="records"))
        return
    for row in table.itertuples():
        unit = f" ({row.unit})" if row.unit else ""
        window = f", {row.window}" if row.window else ""
        print(f"{row.name:<26} {row.meaning}{unit}  [{row.source}{window}]")


@features.command("describe")
def features_describe(
    name: Annotated[str, typer.Argument(help="Name of a feature.")], as_json: Json = False
) -> None:
    """Say what one feature is and what it is made from."""
    row = wb.FEATURES.only(name).describe().iloc[0].to_dict()
    if as_json:
        print_json(row)
        return
    for key, value in row.items():
        print(f"{key:<8} {value or '–'}")


@features.command("build")
def features_build(
    folder: Annotated[
        Path,
        typer.Argument(
            help="Folder of tables: `<table>.parquet` or `<table>/*.parquet`; "
            "`workbench data simulate` writes one."
        ),
    ],
    output: Annotated[Path, typer.Option(help="Folder to write Parquet files into; made.")],
    only: Annotated[
        str, typer.Option(help="Names of features, separated by commas; all when omitted.")
    ] = "",
    snapshots: Annotated[
        str, typer.Option(help="Table of the moments of prediction.")
    ] = "snapshots",
    engine: Annotated[
        Literal["duckdb", "spark"], typer.Option(help="Embedded DuckDB, or Spark on this machine.")
    ] = "duckdb",
    master: Annotated[
        str, typer.Option(help="Where Spark runs, such as local[4] or a cluster's address.")
    ] = "local[2]",
    as_json: Json = False,
) -> None:
    """Build features of every moment of prediction, in bounded memory.

    Nothing that happened or was recorded after a moment reaches its row.
    """
    started = time.perf_counter()
    chosen = wb.FEATURES.only(*(n.strip() for n in only.split(","))) if only else wb.FEATURES
    session = wb.spark_session(master=master) if engine == "spark" else None
    try:
        tables = wb.read_tables(folder, session=session)
        if snapshots not in tables:
            raise wb.FeatureError(
                f"there is no table {snapshots!r} in {str(folder)!r}",
                expected=f"one of {', '.join(sorted(tables))}",
                fix="name the table of moments with --snapshots",
            )
        say(f"building {len(chosen.names)} features on {engine}")
        wb.write_table(chosen.build(tables, tables[snapshots]), output)
    finally:
        if session is not None:
            session.stop()
    seconds = time.perf_counter() - started
    if as_json:
        print_json({"output": str(output), "features": list(chosen.names), "wall_s": seconds})
    else:
        print(f"{len(chosen.names)} features written to {output} in {seconds:.1f} s")
