"""Answers and the ledger of what they cost, in one SQLite file.

An answer and its ledger row are committed together the moment the answer arrives, before
anything validates it: what was billed is booked. Neither prompts nor anything of a lead is
stored, only the key of the question and the text of the answer.
"""

import json
import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.claude.messages import Answer, Usage
from workbench.claude.origin import Origin
from workbench.errors import ClaudeError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["AnswerStore"]

_APPLICATION_ID = 0x57424157  # "WBAW", tells our file from any other SQLite database
_SCHEMA_VERSION = 1
_BUSY_TIMEOUT_MS = 30_000
_KEYS_PER_QUERY = 500

_SCHEMA = (
    "CREATE TABLE answers (key TEXT PRIMARY KEY, answer TEXT NOT NULL) WITHOUT ROWID",
    """CREATE TABLE ledger (
        id INTEGER PRIMARY KEY, at TEXT NOT NULL, tenant TEXT NOT NULL, task TEXT NOT NULL,
        arm TEXT NOT NULL, model_requested TEXT NOT NULL, model_answered TEXT,
        origin TEXT NOT NULL, input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL,
        cache_read_input_tokens INTEGER NOT NULL, cache_creation_input_tokens INTEGER NOT NULL,
        thinking_tokens INTEGER NOT NULL, cost_usd REAL NOT NULL, price_table TEXT NOT NULL,
        stop_reason TEXT, key TEXT NOT NULL, error TEXT)""",
    f"PRAGMA application_id = {_APPLICATION_ID}",
    f"PRAGMA user_version = {_SCHEMA_VERSION}",
)
_LEDGER = (
    "at",
    "tenant",
    "task",
    "arm",
    "model_requested",
    "model_answered",
    "origin",
    "input_tokens",
    "output_tokens",
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
    "thinking_tokens",
    "cost_usd",
    "price_table",
    "stop_reason",
    "key",
    "error",
)
_BOOK = "INSERT INTO ledger VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_KEEP = "INSERT INTO answers (key, answer) VALUES (?, ?) ON CONFLICT (key) DO NOTHING"


class AnswerStore:
    """Answers by key, and a ledger row for everything billed.

    The file is opened at first use. Several threads and processes may share it. A killed
    process loses nothing that was committed. In a folder that cannot be written, stored
    answers can still be read.

    Parameters
    ----------
    path
        The SQLite file; created, with its folder, when missing.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = AnswerStore(Path(folder) / "answers.sqlite")
    ...     print(store.get_many(["no such key"]), len(store.ledger_frame()))
    ...     store.close()
    {} 0
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._pid = 0
        self._writable = True

    def __repr__(self) -> str:
        return f"AnswerStore({str(self.path)!r})"

    def __reduce__(self) -> tuple[type["AnswerStore"], tuple[Path]]:
        return (AnswerStore, (self.path,))

    def check_writable(self) -> None:
        """Make sure answers can be kept, before any is paid for.

        Raises
        ------
        ClaudeError
            When the file is not an answer store or cannot be written.
        """
        with self._session("written") as connection:
            if not self._writable:
                raise self._error("it can be read but not written", "written")
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")

    def get_many(self, keys: Iterable[str]) -> dict[str, Answer]:
        """Read stored answers.

        Parameters
        ----------
        keys
            Keys of requests.

        Returns
        -------
        dict
            The answers found, by key, each with `cached` true.

        Raises
        ------
        ClaudeError
            When the file is not an answer store or cannot be read.
        """
        wanted = list(keys)
        found: dict[str, Answer] = {}
        with self._session("read") as connection:
            for start in range(0, len(wanted), _KEYS_PER_QUERY):
                rows = connection.execute(
                    "SELECT key, answer FROM answers WHERE key IN (SELECT value FROM json_each(?))",
                    (json.dumps(wanted[start : start + _KEYS_PER_QUERY]),),
                )
                found.update((key, self._decoded(key, text)) for key, text in rows)
        return found

    def put(
        self, answer: Answer, *, tenant: str = "default", task: str = "", arm: str = ""
    ) -> None:
        """Keep an answer and book what it cost, in one transaction committed on return.

        An answer with an `error` is not kept, so that the question is asked again; tokens it
        was billed are booked all the same. When two processes asked the same question, both
        are booked and the first answer stands.

        Parameters
        ----------
        answer
            What came back.
        tenant, task, arm
            On whose account, for what.

        Raises
        ------
        ClaudeError
            When the file cannot be written (disk full, read-only); nothing of this answer is
            kept then, and everything kept before stays.
        """
        fields = asdict(answer)
        usage: dict[str, int] = fields["usage"]
        billed = answer.cost_usd > 0 or any(usage.values())
        if answer.cached or (answer.error is not None and not billed):
            return
        kept = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
        row = {**fields, **usage, "tenant": tenant, "task": task, "arm": arm}
        row["at"] = datetime.now(UTC).isoformat(timespec="milliseconds")
        row["origin"] = answer.origin.value
        with self._session("written") as connection:
            if not self._writable:
                raise self._error("it can be read but not written", "written")
            connection.execute("BEGIN IMMEDIATE")
            try:
                connection.execute(_BOOK, [row[name] for name in _LEDGER])
                if answer.error is None:
                    connection.execute(_KEEP, (answer.key, kept))
                connection.execute("COMMIT")
            except BaseException:
                # A full disk may have rolled the transaction back already.
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def ledger_frame(self) -> "pd.DataFrame":
        """Read the whole ledger.

        Returns
        -------
        pandas.DataFrame
            One row per billed answer, oldest first; `at` is UTC, `cost_usd` US dollars.

        Raises
        ------
        ClaudeError
            When the file is not an answer store or cannot be read.
        """
        import pandas as pd

        with self._session("read") as connection:
            rows = connection.execute("SELECT * FROM ledger ORDER BY id").fetchall()
        frame = pd.DataFrame(rows, columns=["id", *_LEDGER]).drop(columns="id")
        frame["at"] = pd.to_datetime(frame["at"], utc=True)
        return frame

    def spend(self, by: Sequence[str] = ("model_requested",)) -> "pd.DataFrame":
        """Add up the ledger.

        Origins are never added together: `origin` is always one of the groups.

        Parameters
        ----------
        by
            Ledger columns to group by.

        Returns
        -------
        pandas.DataFrame
            The groups, `n_answers`, the token columns and `cost_usd`.

        Raises
        ------
        ClaudeError
            When a column is not one of the ledger's, or the file cannot be read.
        """
        unknown = [name for name in by if name not in _LEDGER]
        if unknown:
            raise ClaudeError(
                f"the ledger has no column {unknown[0]!r}",
                where=str(self.path),
                expected=f"some of {', '.join(_LEDGER)}",
            )
        groups = list(dict.fromkeys(("origin", *by)))
        sums = [name for name in _LEDGER if name.endswith("_tokens") or name == "cost_usd"]
        frame = self.ledger_frame()
        grouped = frame.groupby(groups, dropna=False, sort=True)
        totals = grouped[sums].sum()
        totals.insert(0, "n_answers", grouped.size())
        return totals.reset_index()

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        with self._lock:
            if self._connection is not None and self._pid == os.getpid():
                self._connection.close()
            self._connection = None

    def _decoded(self, key: str, text: str) -> Answer:
        try:
            fields: dict[str, Any] = json.loads(text)
            fields["usage"] = Usage(**fields["usage"])
            fields["origin"] = Origin(fields["origin"])
            return replace(Answer(**fields), cached=True)
        except (ValueError, TypeError, KeyError) as err:
            raise self._error(f"the answer under key {key} cannot be read: {err}", "read") from None

    @contextmanager
    def _session(self, doing: str) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                yield self._open()
            except sqlite3.Error as err:
                raise self._error(f"{err}", doing) from None
            except OSError as err:
                raise self._error(f"{err.strerror or err}", doing) from None

    def _open(self) -> sqlite3.Connection:
        # A connection must not cross a fork.
        if self._connection is not None and self._pid == os.getpid():
            return self._connection
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            connection = _connect(f"{self.path.resolve().as_uri()}?mode=rwc")
            self._writable = self._prepare(connection)
        except (sqlite3.OperationalError, OSError) as err:
            if not self.path.is_file() or not _is_read_only(err):
                raise
            connection, self._writable = self._open_read_only(), False
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

    def _prepare(self, connection: sqlite3.Connection) -> bool:
        """Create the tables in a new file, or check an old one; true when it can be written."""
        try:
            connection.execute("BEGIN IMMEDIATE")
            empty = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] == 0
            if empty and connection.execute("PRAGMA user_version").fetchone()[0] == 0:
                for statement in _SCHEMA:
                    connection.execute(statement)
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
        return True

    def _check(self, connection: sqlite3.Connection) -> None:
        application = connection.execute("PRAGMA application_id").fetchone()[0]
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if application != _APPLICATION_ID:
            raise self._error("it is a database of something else", "used")
        if version != _SCHEMA_VERSION:
            age = "an older" if version < _SCHEMA_VERSION else "a newer"
            raise self._error(
                f"it was written by {age} workbench (schema {version}, ours is {_SCHEMA_VERSION})",
                "used",
            )

    def _error(self, why: str, doing: str) -> ClaudeError:
        full = "full" in why or "I/O error" in why or "space" in why
        return ClaudeError(
            f"the answer store cannot be {doing}: {why}",
            where=str(self.path),
            expected="a writable SQLite file made by this workbench",
            fix="free some disk space; everything stored so far is kept"
            if full
            else "move the file away or name another with store_path",
        )


def _connect(uri: str) -> sqlite3.Connection:
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
    connection.execute(f"PRAGMA busy_timeout = {_BUSY_TIMEOUT_MS}")
    return connection


def _is_read_only(err: Exception) -> bool:
    return isinstance(err, OSError) or "readonly" in str(err) or "unable to open" in str(err)
