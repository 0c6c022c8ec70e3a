"""A log of what was asked and answered: only ever longer, chained by hashes, nothing personal.

Every line is one entry in canonical JSON. Its hash is the SHA-256 of the hash before it and the
entry, so that no entry can be changed, taken out, put in or moved without breaking the chain
from there on. Beside the log lies its head: number and hash of the last entry, which shows
entries cut off at the end. Whoever may write both files could still make up a whole new log, or
add entries of their own at its end; an `Anchor` kept elsewhere (a run's tags, a colleague's
mail) proves everything up to it.
"""

import fcntl
import json
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from workbench.privacy.chain import (
    Anchor,
    AuditEntry,
    AuditReport,
    content_hash,
    entry_line,
    parsed,
    read_head,
    read_lines,
    verified,
)
from workbench.privacy.keys import PrivacyError

__all__ = ["AuditLog"]

_HEAD_BYTES = 160
_LONGEST_NAME = 80
_MOST_NAMES = 10_000


class AuditLog:
    """Appends entries, and verifies that nothing was changed since.

    Several threads and processes may share a file. Entries are collected and written
    `buffer_entries` at a time, or once the oldest has waited `flush_s` when another arrives;
    `flush` and `close` write what is left. A process that is killed loses what it had collected,
    never more than `buffer_entries` less one, and never anything written. With `durable`, what
    is written also survives a power cut. A last line that a crash cut short is removed when the
    log is next written, and an entry ``audit_log_mended`` says so.

    Parameters
    ----------
    path
        The log, JSON lines; its head is ``<path>.head``. Both are made at first use.
    pseudonym
        Makes pseudonyms of agents and locations, such as `PrivacyGate.pseudonym`.
    buffer_entries
        Entries collected before they are written; 1 writes each at once.
    flush_s
        Seconds an entry may wait for others.
    durable
        Whether to wait until the disk has it (fsync).

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "audit.jsonl"
    ...     with AuditLog(path, str.upper) as log:
    ...         log.append("lead_scoring", agent_id="a7", location_id="north",
    ...                    request="…", response="…", processing_time_ms=812.0)
    ...     good = log.verify().ok
    ...     _ = path.write_text(path.read_text().replace("812", "12"))
    ...     print(good, log.verify().findings[0].what)
    True the entry was changed, or the one before it
    """

    _buffer: list[AuditEntry]
    _oldest: float
    _pid: int

    def __init__(
        self,
        path: Path | str,
        pseudonym: Callable[[str], str],
        *,
        buffer_entries: int = 64,
        flush_s: float = 1.0,
        durable: bool = False,
    ) -> None:
        self.path = Path(path)
        self.head_path = self.path.with_name(f"{self.path.name}.head")
        self.buffer_entries = buffer_entries
        self.flush_s = flush_s
        self.durable = durable
        self._pseudonym = pseudonym
        self._names: dict[str, str] = {}
        self._lock = threading.Lock()
        self._forget_buffer()

    def __repr__(self) -> str:
        return f"AuditLog({str(self.path)!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_lock": None, "_buffer": None, "_names": {}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._lock = threading.Lock()
        self._forget_buffer()

    def append(
        self,
        interaction_type: str,
        *,
        agent_id: str,
        location_id: str,
        request: str | bytes | Mapping[str, Any] | None,
        response: str | bytes | Mapping[str, Any] | None,
        processing_time_ms: float,
        compliance_flags: Iterable[str] = (),
        timestamp: datetime | None = None,
    ) -> None:
        """Add an entry.

        Parameters
        ----------
        interaction_type
            A short name.
        agent_id, location_id
            Real identifiers; their pseudonyms are kept.
        request, response
            What was sent and what came back; their hashes are kept. Pass the sealed text: the
            hash of a text that is little more than a telephone number can be guessed.
        processing_time_ms
            Milliseconds.
        compliance_flags
            Codes, such as `compliance_flags` returns.
        timestamp
            When it ended; now when omitted.

        Raises
        ------
        PrivacyError
            When the interaction's type is no short name, or the log cannot be written.
        """
        if not 0 < len(interaction_type) <= _LONGEST_NAME or "\n" in interaction_type:
            raise PrivacyError(
                f"an interaction's type has {len(interaction_type)} characters",
                expected=f"a name of at most {_LONGEST_NAME}",
            )
        entry = AuditEntry(
            (timestamp or datetime.now(UTC)).astimezone(UTC).isoformat(timespec="milliseconds"),
            interaction_type,
            self._named(agent_id),
            self._named(location_id),
            content_hash(request),
            content_hash(response),
            round(float(processing_time_ms), 3),
            tuple(compliance_flags),
        )
        with self._lock:
            if self._pid != os.getpid():
                self._forget_buffer()  # what a fork copied is its parent's to write
            now = time.monotonic()
            self._oldest = self._oldest if self._buffer else now
            self._buffer.append(entry)
            if len(self._buffer) >= self.buffer_entries or now - self._oldest >= self.flush_s:
                self._write()

    def flush(self) -> None:
        """Write what was collected.

        Raises
        ------
        PrivacyError
            When the log cannot be written; what was collected is kept and tried again.
        """
        with self._lock:
            if self._buffer and self._pid == os.getpid():
                self._write()

    def close(self) -> None:
        """Write what was collected; the log can still be used."""
        self.flush()

    def anchor(self) -> Anchor:
        """Number of entries and hash of the last: what to keep where this log's writers cannot.

        Raises
        ------
        PrivacyError
            When the log cannot be read.
        """
        self.flush()
        return verified(self.path, self.head_path, None).anchor

    def verify(self, anchor: Anchor | None = None) -> AuditReport:
        """Look for entries changed, taken out, put in or moved.

        Parameters
        ----------
        anchor
            State of this log at an earlier time, kept elsewhere: without it, a log that was
            rewritten as a whole together with its head cannot be told from a true one.

        Returns
        -------
        AuditReport
            What was found.

        Raises
        ------
        PrivacyError
            When there is no such log, or it cannot be read.
        """
        if self._pid == os.getpid() and self._buffer:
            self.flush()
        return verified(self.path, self.head_path, anchor)

    def entries(self) -> Iterator[AuditEntry]:
        """Read the entries, as they are.

        Raises
        ------
        PrivacyError
            When the log cannot be read.
        """
        self.flush()
        for _, fields in read_lines(self.path):
            if fields is not None:
                values = {name: fields[name] for name in AuditEntry._fields}
                yield AuditEntry(**values | {"compliance_flags": tuple(fields["compliance_flags"])})

    def _forget_buffer(self) -> None:
        self._buffer = []
        self._oldest = 0.0
        self._pid = os.getpid()

    def _named(self, name: str) -> str:
        made = self._names.get(name)
        if made is None:
            made = self._names[name] = self._pseudonym(name)
            if len(self._names) >= _MOST_NAMES:
                self._names.clear()
        return made

    def _write(self) -> None:
        with self._file() as handle:
            n, digest, size = self._head(handle)
            lines = []
            for entry in self._buffer:
                line, digest = entry_line(n, entry, digest)
                lines.append(line)
                n += 1
            written = "".join(lines).encode()
            os.pwrite(handle, written, size)
            if self.durable:
                os.fsync(handle)
            self._set_head(n, digest, size + len(written))
        self._buffer = []

    @contextmanager
    def _file(self) -> Iterator[int]:
        """The log, opened and locked against other processes."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX)
                yield handle
            finally:
                os.close(handle)
        except OSError as error:
            raise PrivacyError(
                f"the audit log cannot be used: {error.strerror or error}",
                where=str(self.path),
                expected="a file that can be read and written",
                fix="free some disk space, or name another file; nothing written is lost",
            ) from None

    def _head(self, handle: int) -> tuple[int, str, int]:
        """Number of entries, last hash and size, after mending what a crash left behind."""
        size = os.fstat(handle).st_size
        n, digest, known = read_head(self.head_path)
        if known == size:
            return n, digest, size
        if known > size:
            # Entries were cut off. The chain goes on from the head, so that the gap stays.
            return n, digest, os.pread(handle, size, 0).rfind(b"\n") + 1
        tail = os.pread(handle, size - known, known)
        whole = tail.rfind(b"\n") + 1
        for line in tail[:whole].splitlines(keepends=True):
            fields = parsed(line)
            if fields is not None:
                n, digest = int(fields["n"]) + 1, str(fields["hash"])
        size = known + whole
        if whole < len(tail):
            os.ftruncate(handle, size)
            cut = AuditEntry(
                datetime.now(UTC).isoformat(timespec="milliseconds"), "audit_log_mended", "", "",
                content_hash(tail[whole:]), "", 0.0,
            )  # fmt: skip
            said, digest = entry_line(n, cut, digest)
            os.pwrite(handle, said.encode(), size)
            n, size = n + 1, size + len(said.encode())
        self._set_head(n, digest, size)
        return n, digest, size

    def _set_head(self, n: int, digest: str, size: int) -> None:
        text = json.dumps({"n": n, "hash": digest, "size": size}).ljust(_HEAD_BYTES - 1) + "\n"
        handle = os.open(self.head_path, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            os.pwrite(handle, text.encode(), 0)
            if self.durable:
                os.fsync(handle)
        finally:
            os.close(handle)
