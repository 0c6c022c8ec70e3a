"""`workbench promote` and `workbench score`: from a spec's arm to scored files."""

import time
from pathlib import Path
from typing import Annotated, Literal

import typer

import workbench as wb
from workbench.cli.console import Json, print_json, say

__all__ = ["promote", "score"]


def promote(
    spec: Annotated[Path, typer.Argument(help="The run spec the arm stands in.")],
    arm: Annotated[str, typer.Argument(help="Name of the arm, one that does not ask Claude.")],
    name: Annotated[
        str, typer.Option(help="Name in MLflow's registry; the data set's when omitted.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Fit an arm on all rows of its spec's data set and register it for scoring.

    Nothing is judged here: run the spec first and read its report.
    """
    settings = wb.Settings.from_env()
    say(f"fitting {arm} on all rows")
    fitted = wb.fit_arm(spec, arm, settings=settings)
    say("registering with MLflow")
    made = wb.register_pipeline(
        fitted.estimator,
        fitted.dataset.X,
        name=name or fitted.dataset.name,
        settings=settings,
        tags={"spec": spec.name, "arm": arm, "dataset_digest": fitted.dataset.digest},
    )
    if as_json:
        print_json({"name": made.name, "version": made.version, "uri": made.uri})
    else:
        print(f"{made.uri} ({len(made.columns)} inputs), alias champion")


def score(
    pipeline: Annotated[
        str, typer.Argument(help="Registered pipeline, such as models:/crm_churn_risk@champion.")
    ],
    source: Annotated[Path, typer.Argument(help="Parquet file, or folder of such files.")],
    output: Annotated[Path, typer.Option(help="Folder to write into; made.")],
    engine: Annotated[
        Literal["embedded", "spark"],
        typer.Option(help="This process, batch by batch; or Spark through MLflow's spark_udf."),
    ] = "embedded",
    master: Annotated[str, typer.Option(help="Where Spark runs.")] = "local[2]",
    as_json: Json = False,
) -> None:
    """Score a table with a registered pipeline: one probability a row."""
    started = time.perf_counter()
    settings = wb.Settings.from_env()
    n_rows = None
    if engine == "spark":
        session = wb.spark_session(master=master)
        try:
            wb.score_on_spark(session, pipeline, source, output, settings=settings)
        finally:
            session.stop()
    else:
        n_rows = wb.score_files(pipeline, source, output, settings=settings)
    seconds = time.perf_counter() - started
    if as_json:
        print_json({"output": str(output), "n_rows": n_rows, "wall_s": seconds})
    else:
        print(f"{'' if n_rows is None else f'{n_rows:,} '}rows scored in {seconds:.1f} s: {output}")
