"""The tier that processes of one machine share: an SQLite file."""

import json
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

from workbench.claude.semantic.entries import Changes, Entry, Observation
from workbench.claude.semantic.policy import Neighbourhood
from workbench.errors import ClaudeError

__all__ = ["SqliteTier"]

_APPLICATION_ID = 0x57425343  # "WBSC"
_BUSY_TIMEOUT_MS = 30_000
_TIDY_EVERY = 256
_OBSERVATIONS_KEPT = 8192
_SCHEMA = (
    """CREATE TABLE entries (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, scope TEXT NOT NULL,
        expires_at REAL NOT NULL, entry BLOB NOT NULL)""",
    "CREATE INDEX entries_scope ON entries (scope, seq)",
    "CREATE INDEX entries_expire ON entries (expires_at)",
    """CREATE TABLE labels (label TEXT NOT NULL, entry TEXT NOT NULL,
        PRIMARY KEY (label, entry)) WITHOUT ROWID""",
    "CREATE INDEX labels_entry ON labels (entry)",
    """CREATE TABLE observations (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, pool TEXT NOT NULL, entry TEXT NOT NULL,
        evidence BLOB NOT NULL, agreed INTEGER NOT NULL)""",
    "CREATE INDEX observations_pool ON observations (pool, seq)",
    "CREATE INDEX observations_entry ON observations (entry)",
    "CREATE TABLE state (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    "INSERT INTO state VALUES ('generation', '0')",
    f"PRAGMA application_id = {_APPLICATION_ID}",
    "PRAGMA user_version = 1",
)

_DROP = (
    "DELETE FROM entries WHERE id IN (SELECT value FROM json_each(?))",
    "DELETE FROM labels WHERE entry IN (SELECT value FROM json_each(?))",
    "DELETE FROM observations WHERE entry IN (SELECT value FROM json_each(?))",
)


class SqliteTier:
    """Entries and observations in one SQLite file, shared by threads and processes.

    What is removed is overwritten in the file.

    Parameters
    ----------
    path
        The file; created, with its folder, when missing.
    max_entries
        The oldest entries above this many are dropped.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     tier = SqliteTier(f"{folder}/semantic.sqlite")
    ...     print(tier.entries_since("a scope", "").entries)
    ...     tier.close()
    []
    """

    fallbacks = 0

    def __init__(self, path: Path | str, *, max_entries: int = 100_000) -> None:
        self.path = Path(path)
        self.max_entries = max_entries
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._pid = 0
        self._added = 0

    def __repr__(self) -> str:
        return f"SqliteTier({str(self.path)!r})"

    def generation(self) -> str:
        """Number of removals so far."""
        return self.state("generation") or "0"

    def entries_since(self, scope: str, cursor: str) -> Changes:
        """Entries of a scope added after the cursor, oldest first."""
        with self._session() as connection:
            rows = connection.execute(
                "SELECT seq, entry FROM entries WHERE scope = ? AND seq > ? ORDER BY seq",
                (scope, int(cursor or 0)),
            ).fetchall()
        last = str(rows[-1][0]) if rows else cursor
        return Changes([Entry.from_bytes(data) for _, data in rows], (), last)

    def observations_since(self, pool: str, cursor: str) -> Changes:
        """Observations of a pool after the cursor, oldest first."""
        with self._session() as connection:
            rows = connection.execute(
                "SELECT seq, entry, evidence, agreed FROM observations"
                " WHERE pool = ? AND seq > ? ORDER BY seq",
                (pool, int(cursor or 0)),
            ).fetchall()
        found = [
            Observation(pool, entry, Neighbourhood(*np.frombuffer(data).tolist()), bool(agreed))
            for _, entry, data, agreed in rows
        ]
        return Changes((), found, str(rows[-1][0]) if rows else cursor)

    def add(self, entry: Entry) -> None:
        """Keep an entry, committed on return."""
        with self._transaction() as connection:
            connection.execute(
                "INSERT INTO entries (id, scope, expires_at, entry)"
                " VALUES (?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
                (entry.id, entry.scope, entry.expires_at, entry.to_bytes()),
            )
            connection.executemany(
                "INSERT INTO labels VALUES (?, ?) ON CONFLICT DO NOTHING",
                [(label, entry.id) for label in entry.labels],
            )
            if self._added % _TIDY_EVERY == 0:
                self._tidy(connection, entry.created_at)
            self._added += 1

    def observe(self, observation: Observation) -> None:
        """Keep an observation, committed on return."""
        data = np.array(observation.evidence, np.float64).tobytes()
        with self._transaction() as connection:
            connection.execute(
                "INSERT INTO observations (pool, entry, evidence, agreed) VALUES (?, ?, ?, ?)",
                (observation.pool, observation.entry, data, observation.agreed),
            )

    def remove(self, label: str) -> int:
        """Remove the entries with a label, and what was observed of them."""
        with self._transaction() as connection:
            rows = connection.execute("SELECT entry FROM labels WHERE label = ?", (label,))
            ids = [row[0] for row in rows]
            self._drop(connection, ids)
            connection.execute(
                "UPDATE state SET value = CAST(value AS INTEGER) + 1 WHERE name = 'generation'"
            )
        with self._session() as connection:
            # The write-ahead log still holds the old pages.
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        return len(ids)

    def is_empty(self) -> bool:
        """Whether it holds no entry at all."""
        with self._session() as connection:
            return connection.execute("SELECT 1 FROM entries LIMIT 1").fetchone() is None

    def state(self, name: str) -> str | None:
        """Read a value kept beside the entries."""
        with self._session() as connection:
            row = connection.execute("SELECT value FROM state WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def set_state(self, name: str, value: str) -> None:
        """Keep a value beside the entries."""
        with self._transaction() as connection:
            connection.execute(
                "INSERT INTO state VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = ?",
                (name, value, value),
            )

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._connection is not None and self._pid == os.getpid():
                self._connection.close()
            self._connection = None

    def _tidy(self, connection: sqlite3.Connection, now: float) -> None:
        expired = "SELECT id FROM entries WHERE expires_at <= ?"
        surplus = "SELECT id FROM entries ORDER BY seq DESC LIMIT -1 OFFSET ?"
        for query, value in ((expired, now), (surplus, self.max_entries)):
            self._drop(connection, [row[0] for row in connection.execute(query, (value,))])
        connection.execute(
            "DELETE FROM observations WHERE seq <= (SELECT max(seq) FROM observations) - ?",
            (_OBSERVATIONS_KEPT,),
        )

    @staticmethod
    def _drop(connection: sqlite3.Connection, ids: list[str]) -> None:
        chosen = json.dumps(ids)
        for statement in _DROP:
            connection.execute(statement, (chosen,))

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._session() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    @contextmanager
    def _session(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                yield self._open()
            except (sqlite3.Error, OSError) as err:
                raise ClaudeError(
                    f"the semantic cache cannot be used: {err}",
                    where=str(self.path),
                    expected="a writable SQLite file made by this workbench",
                    fix="free disk space, move the file away or name another",
                ) from None

    def _open(self) -> sqlite3.Connection:
        # A connection must not cross a fork.
        if self._connection is not None and self._pid == os.getpid():
            return self._connection
        self.path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
        try:
            _prepare(connection)
        except BaseException:
            connection.close()
            raise
        self._connection, self._pid = connection, os.getpid()
        return connection


def _prepare(connection: sqlite3.Connection) -> None:
    connection.execute(f"PRAGMA busy_timeout = {_BUSY_TIMEOUT_MS}")
    connection.execute("BEGIN IMMEDIATE")
    if connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] == 0:
        for statement in _SCHEMA:
            connection.execute(statement)
    connection.execute("COMMIT")
    if connection.execute("PRAGMA application_id").fetchone()[0] != _APPLICATION_ID:
        raise sqlite3.DatabaseError("it is a database of something else")
    with suppress(sqlite3.OperationalError):  # another process holds it: slower, as safe
        connection.execute("PRAGMA journal_mode = WAL").fetchall()
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA secure_delete = ON").fetchall()
