"""The SQLite file under the answer store: opened at first use, checked, migrated, shared."""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from workbench.errors import ClaudeError

__all__ = ["SCHEMA_VERSION", "Database"]

_APPLICATION_ID = 0x57424157  # "WBAW", tells our file from any other SQLite database
_BUSY_TIMEOUT_MS = 30_000

# One list a version, applied in order: a new file gets all, an older one what it lacks.
_MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        "CREATE TABLE answers (key TEXT PRIMARY KEY, answer TEXT NOT NULL) WITHOUT ROWID",
        """CREATE TABLE ledger (
            id INTEGER PRIMARY KEY, at TEXT NOT NULL, tenant TEXT NOT NULL, task TEXT NOT NULL,
            arm TEXT NOT NULL, model_requested TEXT NOT NULL, model_answered TEXT,
            origin TEXT NOT NULL, input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL,
            cache_read_input_tokens INTEGER NOT NULL, cache_creation_input_tokens INTEGER NOT NULL,
            thinking_tokens INTEGER NOT NULL, cost_usd REAL NOT NULL, price_table TEXT NOT NULL,
            stop_reason TEXT, key TEXT NOT NULL, error TEXT)""",
    ),
    (
        "ALTER TABLE ledger ADD COLUMN cache_creation_1h_input_tokens INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE ledger ADD COLUMN service_tier TEXT NOT NULL DEFAULT 'standard'",
        "ALTER TABLE ledger ADD COLUMN attempts INTEGER NOT NULL DEFAULT 1",
        # Who an answer is about, as keyed hashes: what an erasure has to find.
        """CREATE TABLE subjects (tenant TEXT NOT NULL, subject TEXT NOT NULL, key TEXT NOT NULL,
            PRIMARY KEY (tenant, subject, key)) WITHOUT ROWID""",
        """CREATE TABLE batches (
            id INTEGER PRIMARY KEY, batch_id TEXT, origin TEXT NOT NULL, endpoint TEXT,
            created_at TEXT NOT NULL, asked TEXT NOT NULL, ended_at TEXT)""",
    ),
)
SCHEMA_VERSION = len(_MIGRATIONS)
"""Version of the tables this workbench writes."""


class Database:
    """Connection to one file, for several threads, processes and forks.

    Parameters
    ----------
    path
        The SQLite file; created, with its folder, when missing.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.writable = True
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._pid = 0

    @contextmanager
    def session(self, doing: str) -> Iterator[sqlite3.Connection]:
        """Hold the connection.

        Parameters
        ----------
        doing
            What is done to the file, for the error: read or written.

        Raises
        ------
        ClaudeError
            When the file is not an answer store, or cannot be opened, read or written.
        """
        with self._lock:
            try:
                yield self._open()
            except sqlite3.Error as err:
                raise self.error(f"{err}", doing) from None
            except OSError as err:
                raise self.error(f"{err.strerror or err}", doing) from None

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Write all or nothing; committed on leaving.

        Raises
        ------
        ClaudeError
            When the file cannot be written; nothing of the transaction is kept then.
        """
        with self.session("written") as connection:
            if not self.writable:
                raise self.error("it can be read but not written", "written")
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                # A full disk may have rolled the transaction back already.
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def exists(self) -> bool:
        """Whether the file is there; reading one that is not must not create it."""
        return self.path.exists()

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        with self._lock:
            if self._connection is not None and self._pid == os.getpid():
                self._connection.close()
            self._connection = None

    def error(self, why: str, doing: str) -> ClaudeError:
        """Build the error that says what is wrong with the file."""
        full = "full" in why or "I/O error" in why or "space" in why
        return ClaudeError(
            f"the answer store cannot be {doing}: {why}",
            where=str(self.path),
            expected="a writable SQLite file made by this workbench",
            fix="free some disk space; everything stored so far is kept"
            if full
            else "move the file away or name another with store_path",
        )

    def _open(self) -> sqlite3.Connection:
        # A connection must not cross a fork.
        if self._connection is not None and self._pid == os.getpid():
            return self._connection
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            connection = _connect(f"{self.path.resolve().as_uri()}?mode=rwc")
            self._prepare(connection)
            self.writable = True
        except (sqlite3.OperationalError, OSError) as err:
            if not self.path.is_file() or not _is_read_only(err):
                raise
            connection, self.writable = self._open_read_only(), False
        self._connection, self._pid = connection, os.getpid()
        return connection

    def _open_read_only(self) -> sqlite3.Connection:
        # Without a write-ahead log beside it the file is complete, and nothing need be created.
        wal = self.path.with_name(f"{self.path.name}-wal")
        mode = "ro" if wal.exists() and wal.stat().st_size else "ro&immutable=1"
        connection = _connect(f"{self.path.resolve().as_uri()}?mode={mode}")
        try:
            self._check(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        """Create the tables in a new file, bring an older one up to date, check any other."""
        try:
            connection.execute("BEGIN IMMEDIATE")
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            empty = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] == 0
            ours = connection.execute("PRAGMA application_id").fetchone()[0] == _APPLICATION_ID
            if (empty and version == 0) or (ours and 0 < version < SCHEMA_VERSION):
                for statements in _MIGRATIONS[version:]:
                    for statement in statements:
                        connection.execute(statement)
                connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            connection.execute("COMMIT")
            self._check(connection)
            # Sticky in the file. NORMAL never corrupts, and loses nothing when a process is
            # killed; only a power cut can take the last few answers.
            with suppress(sqlite3.OperationalError):  # another process holds it: slower, as safe
                connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
        except BaseException:
            connection.close()
            raise

    def _check(self, connection: sqlite3.Connection) -> None:
        application = connection.execute("PRAGMA application_id").fetchone()[0]
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if application != _APPLICATION_ID:
            raise self.error("it is a database of something else", "used")
        if version != SCHEMA_VERSION:
            age = "an older" if version < SCHEMA_VERSION else "a newer"
            raise self.error(
                f"it was written by {age} workbench (schema {version}, ours is {SCHEMA_VERSION})",
                "used",
            )


def _connect(uri: str) -> sqlite3.Connection:
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
    connection.execute(f"PRAGMA busy_timeout = {_BUSY_TIMEOUT_MS}")
    return connection


def _is_read_only(err: Exception) -> bool:
    return isinstance(err, OSError) or "readonly" in str(err) or "unable to open" in str(err)
