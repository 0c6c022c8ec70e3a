"""The record of an experiment: exposures and outcomes, only ever added to, in one DuckDB file.

Several processes may record at once: each batch is one transaction under a lock of the file, so a
process that is killed leaves whole batches or nothing.
"""

import fcntl
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from workbench.abtest.events import Exposure, Outcome, checked_exposure, checked_outcome
from workbench.abtest.sql import fill, literal
from workbench.errors import DataError

if TYPE_CHECKING:
    import duckdb

__all__ = ["EventStore", "Recorded"]

_SCHEMA_VERSION = 1

_SCHEMA = """
create table if not exists meta (schema_version integer not null);
create table if not exists exposures (
    event_id varchar primary key, experiment varchar not null, unit_id varchar not null,
    arm varchar not null, exposed_at timestamptz not null, cluster_id varchar,
    propensity double, segments map(varchar, varchar) not null,
    covariates map(varchar, double) not null, received_at timestamptz not null,
    digest varchar not null);
create table if not exists outcomes (
    event_id varchar primary key, unit_id varchar not null, name varchar not null,
    occurred_at timestamptz not null, value double not null, received_at timestamptz not null,
    digest varchar not null);
create table if not exists conflicts (
    event_id varchar not null, kind varchar not null, received_at timestamptz not null);
"""

# Whatever has an identifier first is what happened.
_STAGE = "create temp table batch as select * from {table} limit 0"
_JUDGE = """
create temp table judged as
select b.event_id, b.position, b.digest, first_value(b.digest) over w as first_digest,
    s.digest as stored_digest, row_number() over w as nth
from batch b left join {table} s using (event_id)
window w as (partition by event_id order by position)"""
_KEEP = """
insert into {table} select b.* exclude (position) from batch b join judged j using (position)
where j.stored_digest is null and j.nth = 1"""


class Recorded(NamedTuple):
    """What became of a batch of events.

    Attributes
    ----------
    n_new
        Events added.
    n_repeated
        Events that were there already, or twice in the batch: they changed nothing.
    conflicting
        Identifiers of events that were there already with other content. What came first is
        kept; the attempt is noted in the table `conflicts`.
    """

    n_new: int
    n_repeated: int
    conflicting: tuple[str, ...]


class EventStore:
    """Exposures and outcomes in a DuckDB file.

    Parameters
    ----------
    path
        The file; it is made with the first record. A lock file lies beside it.
    clock
        Gives the time of recording, UTC.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> store = EventStore(Path(folder.name) / "events.duckdb")
    >>> seen = Exposure("e1", "script", "lead-1", "old", datetime(2026, 1, 5, tzinfo=UTC))
    >>> store.record_exposures([seen]), store.record_exposures([seen])
    (Recorded(n_new=1, n_repeated=0, conflicting=()), Recorded(n_new=0, n_repeated=1, ...))
    >>> store.recorded_arm("script", "lead-1")
    'old'
    >>> folder.cleanup()
    """

    def __init__(
        self, path: Path | str, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self.path = Path(path)
        self._clock = clock

    def record_exposures(self, events: Iterable[Exposure]) -> Recorded:
        """Add exposures.

        Parameters
        ----------
        events
            Any number; all are checked before the first is written.

        Raises
        ------
        DataError
            If an event is malformed (see `events.checked_exposure`), or the file cannot be
            used. Nothing of the batch is kept then.
        """
        now = self._clock()
        rows = []
        for raw in events:
            e = checked_exposure(raw, now)
            texts = {k: v for k, v in e.attributes.items() if isinstance(v, str)}
            numbers = {k: float(v) for k, v in e.attributes.items() if not isinstance(v, str)}
            content = (
                e.experiment, e.unit_id, e.arm, e.exposed_at.isoformat(), e.cluster_id,
                e.propensity, texts, numbers,
            )  # fmt: skip
            rows.append(
                (
                    e.event_id, e.experiment, e.unit_id, e.arm, e.exposed_at, e.cluster_id,
                    e.propensity, list(texts.items()), list(numbers.items()), now,
                    _digest(content),
                )
            )  # fmt: skip
        return self._append("exposures", rows)

    def record_outcomes(self, events: Iterable[Outcome]) -> Recorded:
        """Add outcomes; those of units that were never exposed are kept and never counted.

        Parameters
        ----------
        events
            Any number; all are checked before the first is written.

        Raises
        ------
        DataError
            If an event is malformed (see `events.checked_outcome`), or the file cannot be used.
            Nothing of the batch is kept then.
        """
        now = self._clock()
        rows = []
        for raw in events:
            e = checked_outcome(raw, now)
            content = (e.unit_id, e.name, e.occurred_at.isoformat(), e.value)
            rows.append(
                (e.event_id, e.unit_id, e.name, e.occurred_at, e.value, now, _digest(content))
            )
        return self._append("outcomes", rows)

    def recorded_arm(self, experiment: str, drawn: str) -> str | None:
        """Return the first arm recorded for a unit or cluster: what `Assigner` keeps to.

        Parameters
        ----------
        experiment
            Name of the experiment.
        drawn
            The unit, or the cluster where clusters are assigned.
        """
        with self.connection() as con:
            found = con.execute(
                "select arm from exposures where experiment = ? and (unit_id = ? or cluster_id = ?)"
                " order by exposed_at, event_id limit 1",
                [experiment, drawn, drawn],
            ).fetchone()
        return None if found is None else str(found[0])

    def counts(self) -> dict[str, int]:
        """Return how many exposures, outcomes and conflicts there are."""
        with self.connection() as con:
            return {
                name: int(_one(con, fill("select count(*) from {name}", name=name)))
                for name in ("exposures", "outcomes", "conflicts")
            }

    def export(self, folder: Path | str) -> tuple[Path, Path]:
        """Write exposures and outcomes as Parquet, each file whole or not at all.

        Parameters
        ----------
        folder
            Where to; must exist.

        Returns
        -------
        tuple[Path, Path]
            `exposures.parquet` and `outcomes.parquet`.
        """
        written = []
        with self.connection() as con:
            for name in ("exposures", "outcomes"):
                target = Path(folder) / f"{name}.parquet"
                part = target.with_suffix(".part")
                con.table(name).order("received_at, event_id").write_parquet(str(part))
                part.replace(target)
                written.append(target)
        return written[0], written[1]

    @contextmanager
    def connection(self) -> Iterator["duckdb.DuckDBPyConnection"]:
        """Open the file for one piece of work, alone; its tables may be read, not changed.

        Raises
        ------
        DataError
            If the file is no store, of another version, or cannot be opened.
        """
        with self._locked():
            con = self._open()
            try:
                yield con
            finally:
                con.close()

    @contextmanager
    def attached(self, con: "duckdb.DuckDBPyConnection") -> Iterator[str]:
        """Attach the file to another connection for one piece of work, to be read.

        Parameters
        ----------
        con
            The connection.

        Yields
        ------
        str
            The schema its tables are in.

        Raises
        ------
        DataError
            As `connection`.
        """
        with self._locked():
            self._open().close()  # make the tables, or see that they are ours
            con.execute(fill("attach {path} as store (read_only)", path=literal(str(self.path))))
            try:
                yield "store"
            finally:
                con.execute("detach store")

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        lock = self.path.with_name(self.path.name + ".lock")
        # Locks are held by open files, so threads of one process exclude each other too.
        with lock.open("a") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            yield

    def _open(self) -> "duckdb.DuckDBPyConnection":
        import duckdb

        try:
            con = duckdb.connect(str(self.path))
        except duckdb.Error as reason:
            raise DataError(
                f"the event store cannot be opened: {str(reason).splitlines()[0]}",
                where=str(self.path),
                expected="a DuckDB file that this class made",
                fix="check the path and close other programs that hold the file",
            ) from None
        try:
            self._prepare(con)
        except BaseException:
            con.close()
            raise
        return con

    def _prepare(self, con: "duckdb.DuckDBPyConnection") -> None:
        con.execute("set timezone = 'UTC'")
        con.execute(_SCHEMA)
        found = con.execute("select schema_version from meta").fetchall()
        if not found:
            con.execute("insert into meta values (?)", [_SCHEMA_VERSION])
        elif found != [(_SCHEMA_VERSION,)]:
            raise DataError(
                f"the event store has schema version {found[0][0]}",
                where=str(self.path),
                expected=f"version {_SCHEMA_VERSION}",
                fix="open it with the version of the workbench that made it",
            )

    def _append(self, table: str, rows: Sequence[tuple[Any, ...]]) -> Recorded:
        if not rows:
            return Recorded(0, 0, ())
        with self.connection() as con:
            con.execute("begin")
            con.execute(fill(_STAGE, table=table))
            con.execute("alter table batch add column position bigint")
            con.register("arrived", _arrow(table, rows))
            con.execute("insert into batch select * from arrived")
            con.unregister("arrived")
            con.execute(fill(_JUDGE, table=table))
            con.execute(fill(_KEEP, table=table))
            conflicting = [
                str(row[0])
                for row in con.execute(
                    "select event_id from judged group by event_id having"
                    " bool_or(digest <> coalesce(stored_digest, first_digest))"
                    " order by min(position)"
                ).fetchall()
            ]
            n_new = int(
                _one(con, "select count(*) from judged where stored_digest is null and nth = 1")
            )
            for event_id in conflicting:
                con.execute(
                    "insert into conflicts values (?, ?, ?)", [event_id, table, self._clock()]
                )
            n_bad = int(
                _one(
                    con,
                    "select count(*) from judged"
                    " where digest <> coalesce(stored_digest, first_digest)",
                )
            )
            con.execute("commit")
        return Recorded(n_new, len(rows) - n_new - n_bad, tuple(conflicting))


def _digest(content: tuple[Any, ...]) -> str:
    return hashlib.sha256(json.dumps(content, ensure_ascii=False).encode()).hexdigest()[:32]


def _arrow(table: str, rows: Sequence[tuple[Any, ...]]) -> Any:
    """A batch as an Arrow table with the columns of the store and their position."""
    import pyarrow as pa

    moment, text, number = pa.timestamp("us", tz="UTC"), pa.string(), pa.float64()
    if table == "exposures":
        types = [
            text, text, text, text, moment, text, number, pa.map_(text, text),
            pa.map_(text, number), moment, text,
        ]  # fmt: skip
    else:
        types = [text, text, text, moment, number, moment, text]
    columns = [
        pa.array(values, type=kind)
        for values, kind in zip(zip(*rows, strict=True), types, strict=True)
    ]
    position = pa.array(range(len(rows)), type=pa.int64())
    return pa.table([*columns, position], names=[f"c{i}" for i in range(len(types) + 1)])


def _one(con: "duckdb.DuckDBPyConnection", sql: str) -> Any:
    found = con.execute(sql).fetchone()
    return 0 if found is None else found[0]
