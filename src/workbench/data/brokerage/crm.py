"""A whole brokerage: simulate it, open it, read its tables."""

import shutil
import tempfile
import weakref
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from workbench.data.brokerage.chunk import ChunkPlan, write_chunk
from workbench.data.brokerage.market import build_market
from workbench.data.brokerage.schema import GENERATOR_VERSION, TABLES, TRUTH_TABLES
from workbench.data.brokerage.seasons import END_S, START, moments
from workbench.data.brokerage.storage import (
    Manifest,
    PartWriter,
    check_folder,
    read_manifest,
    write_manifest,
)
from workbench.data.brokerage.tables import shared_tables
from workbench.errors import DataError

if TYPE_CHECKING:
    from ibis import Table

__all__ = ["Brokerage", "open_brokerage", "read_parts", "simulate"]

_MOST_LEADS, _MOST_A_CHUNK, _MOST_CHUNKS = 5_000_000, 100_000, 50_000


class Brokerage:
    """A finished simulation on disk; got from `simulate` or `open_brokerage`.

    Parameters
    ----------
    folder
        Where its Parquet files are.
    manifest
        What they hold.
    temporary
        Whether the folder is removed with this object.

    Examples
    --------
    >>> crm = simulate(200, random_state=3, text_share=0)
    >>> crm.names[:4], crm.manifest.rows["leads"]
    (('tenants', 'agents', 'contacts', 'leads'), 200)
    >>> crm.table("leads").count().to_pyarrow().as_py()
    200
    """

    def __init__(self, folder: Path, manifest: Manifest, *, temporary: bool = False) -> None:
        self.folder = folder
        self.manifest = manifest
        if temporary:
            weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the tables; the truth is not among them."""
        return tuple(TABLES)

    def table(self, name: str) -> "Table":
        """Give a table to query in place, as an Ibis table on embedded DuckDB.

        Raises
        ------
        DataError
            When there is no such table, or it is one of the truth.
        """
        self._check(name)
        return self._tables[name]

    def frame(self, name: str, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Read a table into memory, rows in the order of generation.

        Parameters
        ----------
        name
            One of `names`.
        columns
            Those to read; all by default.

        Returns
        -------
        pandas.DataFrame
            Times are naive UTC datetime64[us], texts str; whole numbers that may be missing
            are float64 with NaN, others int64.

        Raises
        ------
        DataError
            When there is no such table or column, or the table is one of the truth.
        """
        self._check(name)
        known = TABLES[name].names
        for column in columns or ():
            if column not in known:
                raise DataError(
                    f"{column!r} is not a column of the table {name!r}",
                    expected=f"one of {', '.join(known)}", fix="correct the name",
                )  # fmt: skip
        return read_parts(self.folder / name, TABLES[name], columns)

    def __repr__(self) -> str:
        rows = self.manifest.rows
        return (
            f"Brokerage({rows['leads']:,} leads, {rows['events']:,} events, "
            f"random_state={self.manifest.random_state}, folder={str(self.folder)!r})"
        )

    @cached_property
    def _tables(self) -> dict[str, Any]:
        import ibis

        engine = ibis.duckdb.connect()
        return {
            name: engine.read_parquet(self._files(name), table_name=name) for name in self.names
        }

    def _files(self, name: str) -> list[str]:
        return [str(path) for path in sorted((self.folder / name).glob("part-*.parquet"))]

    def _check(self, name: str) -> None:
        if name in TABLES:
            return
        if name.removeprefix("truth/") in TRUTH_TABLES or name.startswith("truth"):
            raise DataError(
                f"{name!r} is hidden truth, for judging only: no feature or model may read it",
                expected=f"one of {', '.join(TABLES)}",
                fix="use workbench.data.brokerage.truth where results are judged",
            )
        raise DataError(
            f"there is no table {name!r}", expected=f"one of {', '.join(TABLES)}",
            fix="correct the name",
        )  # fmt: skip


def simulate(
    n_leads: int,
    *,
    random_state: int = 0,
    folder: str | Path | None = None,
    chunk_leads: int = 20_000,
    text_share: float = 1.0,
    on_progress: Callable[[int, int], None] | None = None,
) -> Brokerage:
    """Simulate the CRM of eight brokerages over two years, with its hidden truth kept apart.

    Leads follow a hidden weekly Markov chain; what a CRM records of it is noisy, late, partly
    missing and partly double. A chunk of leads depends on the seed and its number alone, so the
    whole chunks of a smaller simulation are the first of a larger one. The same arguments give
    the same bytes.

    Parameters
    ----------
    n_leads
        Number of leads, 1 to 5 million.
    random_state
        Seed, 0 or above.
    folder
        Where to write; empty or new. By default a temporary folder that lives as long as the
        result.
    chunk_leads
        Leads simulated at once, 100 to 100,000: memory follows it, and so does the content.
    text_share
        Share of leads whose messages are written, 0 to 1. Everything else stays the same.
    on_progress
        Called with the leads done and the leads asked for after each chunk.

    Returns
    -------
    Brokerage
        The finished simulation.

    Raises
    ------
    DataError
        When an argument is out of range, or the folder is not empty.

    Examples
    --------
    >>> crm = simulate(150, random_state=1, text_share=0)
    >>> crm.frame("outcomes", ["status"])["status"].isin(["converted", "lost"]).all().item()
    True
    """
    _check_arguments(n_leads, random_state, chunk_leads, text_share)
    target = _empty_folder(folder)
    plans = [
        ChunkPlan(random_state, number, min(chunk_leads, n_leads - begin), chunk_leads, text_share)
        for number, begin in enumerate(range(0, n_leads, chunk_leads))
    ]
    try:
        manifest = _write(target, n_leads, plans, on_progress)
    except BaseException:
        if folder is None:
            shutil.rmtree(target, ignore_errors=True)
        raise
    return Brokerage(target, manifest, temporary=folder is None)


def open_brokerage(folder: str | Path) -> Brokerage:
    """Open a finished simulation after checking every file against its manifest.

    Raises
    ------
    DataError
        When the folder is missing, unfinished, of another version of the generator, or a file
        in it was changed.

    Examples
    --------
    >>> crm = simulate(100, text_share=0)
    >>> open_brokerage(crm.folder).manifest == crm.manifest
    True
    """
    path = Path(folder)
    manifest = read_manifest(path)
    check_folder(path, manifest)
    return Brokerage(path, manifest)


def read_parts(
    folder: Path, schema: pa.Schema, columns: Sequence[str] | None = None
) -> pd.DataFrame:
    """Read the parts of a table in order, with the same dtypes whatever is missing."""
    names = list(columns) if columns is not None else schema.names
    parts = [pq.read_table(path, columns=names) for path in sorted(folder.glob("part-*.parquet"))]
    frame: pd.DataFrame = pa.concat_tables(parts).select(names).to_pandas()
    for name in names:
        field = schema.field(name)
        if field.nullable and pa.types.is_integer(field.type):
            frame[name] = frame[name].astype("float64")
        elif pa.types.is_string(field.type):
            frame[name] = frame[name].astype("str")
    return frame


def _write(
    target: Path,
    n_leads: int,
    plans: Sequence[ChunkPlan],
    on_progress: Callable[[int, int], None] | None,
) -> Manifest:
    first, writer = plans[0], PartWriter(target)
    market = build_market(first.random_state)
    for name, columns in shared_tables(market).items():
        writer.write(name, 0, columns)
    done = 0
    for plan in plans:
        write_chunk(plan, market, writer)
        done += plan.n_leads
        if on_progress is not None:
            on_progress(done, n_leads)
    manifest = Manifest(
        generator_version=GENERATOR_VERSION,
        random_state=first.random_state,
        n_leads=n_leads,
        chunk_leads=first.chunk_leads,
        text_share=first.text_share,
        first_day=str(START.astype("datetime64[D]")),
        last_day=str(moments(END_S - 1).astype("datetime64[D]")),
        rows=writer.rows,
        sha256=writer.sha256,
    )
    write_manifest(target, manifest)
    return manifest


def _check_arguments(n_leads: int, random_state: int, chunk_leads: int, text_share: float) -> None:
    for name, count in (
        ("n_leads", n_leads), ("random_state", random_state), ("chunk_leads", chunk_leads)
    ):  # fmt: skip
        if not isinstance(count, int) or isinstance(count, bool):
            raise DataError(f"{name} is {count!r}", expected="a whole number", fix="use an int")
    chunks = -(-n_leads // max(chunk_leads, 1))
    checks = (
        ("n_leads", n_leads, 1 <= n_leads <= _MOST_LEADS, f"1 to {_MOST_LEADS:,}"),
        ("random_state", random_state, random_state >= 0, "0 or above"),
        ("chunk_leads", chunk_leads, 100 <= chunk_leads <= _MOST_A_CHUNK,
         f"100 to {_MOST_A_CHUNK:,}"),
        ("chunk_leads", chunk_leads, chunks <= _MOST_CHUNKS, f"at most {_MOST_CHUNKS:,} chunks"),
        ("text_share", text_share, 0 <= text_share <= 1, "0 to 1"),
    )  # fmt: skip
    for name, value, fits, expected in checks:
        if not fits:
            raise DataError(f"{name} is {value!r}", expected=expected, fix="give another number")


def _empty_folder(folder: str | Path | None) -> Path:
    if folder is None:
        return Path(tempfile.mkdtemp(prefix="brokerage-"))
    path = Path(folder)
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise DataError(
            "the folder is not empty", where=str(path), expected="an empty or a new folder",
            fix="open it with open_brokerage, choose another, or remove it",
        )  # fmt: skip
    path.mkdir(parents=True, exist_ok=True)
    return path
