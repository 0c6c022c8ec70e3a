"""Entries of an audit log, the chain of hashes that binds them, and what breaks it."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from workbench.privacy.keys import PrivacyError

__all__ = [
    "START", "Anchor", "AuditEntry", "AuditReport", "Finding", "content_hash", "entry_line",
    "parsed", "read_head", "read_lines", "verified",
]  # fmt: skip

START = "0" * 64
"""Hash before the first entry."""

_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


class Anchor(NamedTuple):
    """The state of a log: how many entries, and the hash of the last."""

    n_entries: int
    hash: str


class AuditEntry(NamedTuple):
    """What is kept of one interaction.

    Parameters
    ----------
    timestamp
        When it ended: ISO 8601, UTC.
    interaction_type
        Such as ``lead_scoring``.
    agent_id, location_id
        Pseudonyms of the agent and the location (tenant).
    request_hash, response_hash
        SHA-256 of what was sent and of what came back.
    processing_time_ms
        Milliseconds.
    compliance_flags
        Codes of `workbench.privacy.compliance_flags`.
    """

    timestamp: str
    interaction_type: str
    agent_id: str
    location_id: str
    request_hash: str
    response_hash: str
    processing_time_ms: float
    compliance_flags: tuple[str, ...] = ()


class Finding(NamedTuple):
    """Something wrong in a log: the entry it was noticed at, its line, and what."""

    n: int
    line: int
    what: str


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What verifying a log came to.

    Parameters
    ----------
    path
        The log.
    n_entries
        Entries read.
    anchor
        State of the log as it is.
    findings
        What is wrong, in order; nothing when the log is as it was written.
    """

    path: Path
    n_entries: int
    anchor: Anchor
    findings: tuple[Finding, ...] = field(default=())

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings

    def __str__(self) -> str:
        if self.ok:
            return f"{self.path}: {self.n_entries:,} entries, the chain holds ({self.anchor.hash})"
        lines = [f"{self.path}: {len(self.findings)} finding(s) in {self.n_entries:,} entries"]
        lines += [f"  entry {f.n}, line {f.line}: {f.what}" for f in self.findings]
        return "\n".join(lines)


def content_hash(content: str | bytes | Mapping[str, Any] | None) -> str:
    """SHA-256 of a text, bytes or a record (as canonical JSON); empty for nothing."""
    if content is None:
        return ""
    if isinstance(content, Mapping):
        content = _ENCODER.encode(content)
    if isinstance(content, str):
        content = content.encode("utf-8", "surrogatepass")
    return hashlib.sha256(content).hexdigest()


def entry_line(n: int, entry: AuditEntry, previous: str) -> tuple[str, str]:
    """An entry as a line of the log, and its hash."""
    canonical = _ENCODER.encode({"n": n, **entry._asdict()})
    digest = _chained(previous, canonical)
    return f'{canonical[:-1]},"hash":"{digest}"}}\n', digest


def _chained(previous: str, canonical: str) -> str:
    return hashlib.sha256(f"{previous}\n{canonical}".encode("utf-8", "surrogatepass")).hexdigest()


def parsed(line: bytes) -> dict[str, Any] | None:
    """The fields of a line; nothing when it is no entry as one is written."""
    try:
        fields = json.loads(line)
    except ValueError:
        return None
    whole = isinstance(fields, dict) and {"n", "hash", *AuditEntry._fields} <= set(fields)
    if not whole or not isinstance(fields["n"], int):
        return None
    # Another spelling, or a key twice, could say one thing to the chain and another to a reader.
    rest = {name: value for name, value in fields.items() if name != "hash"}
    written = f'{_ENCODER.encode(rest)[:-1]},"hash":"{fields["hash"]}"}}\n'
    return fields if written.encode("utf-8", "surrogatepass") == line else None


def read_head(path: Path) -> tuple[int, str, int]:
    """Number of entries, last hash and size of the log; nothing at all without a head."""
    try:
        head = json.loads(path.read_text("utf-8"))
        return int(head["n"]), str(head["hash"]), int(head["size"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0, START, 0  # none yet, or torn: the log itself is read instead


def read_lines(path: Path) -> Iterator[tuple[int, dict[str, Any] | None]]:
    """The lines of a log, numbered from 1, with their fields."""
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                yield number, parsed(line) if line.endswith(b"\n") else None
    except OSError as error:
        raise PrivacyError(
            f"the audit log cannot be read: {error.strerror or error}",
            where=str(path),
            expected="a log written by AuditLog",
            fix="name the log's file",
        ) from None


def verified(path: Path, head_path: Path, anchor: Anchor | None) -> AuditReport:
    """Read a log from its beginning and say what is wrong with it."""
    findings: list[Finding] = []
    n, line, previous = 0, 0, START
    known: str | None = previous  # hash of the entry before, where that can be told
    passed_anchor = anchor is None or anchor.n_entries == 0
    for line, fields in read_lines(path):
        if fields is None:
            findings.append(Finding(n, line, "the line is no whole entry"))
            n, known = n + 1, None
            continue
        stored, number = str(fields.pop("hash")), int(fields["n"])
        if number < n:
            findings.append(Finding(number, line, "the entry was put in or moved here"))
            continue
        if number > n:
            gone = f"entry {n} is" if number == n + 1 else f"entries {n} to {number - 1} are"
            findings.append(Finding(n, line, f"{gone} missing"))
        elif known is not None and _chained(known, _ENCODER.encode(fields)) != stored:
            findings.append(Finding(n, line, "the entry was changed, or the one before it"))
        n, known, previous = number + 1, stored, stored
        if anchor is not None and n == anchor.n_entries:
            passed_anchor = True
            if stored != anchor.hash:
                findings.append(Finding(number, line, "the log was rewritten: not the anchor's"))
    findings += _at_the_end(n, previous, line, read_head(head_path), exists=head_path.exists())
    if anchor is not None and not passed_anchor:
        what = f"entries up to {anchor.n_entries - 1}, which the anchor has seen, are missing"
        findings.append(Finding(n, line, what))
    return AuditReport(path, n, Anchor(n, previous), tuple(findings))


def _at_the_end(
    n: int, last: str, line: int, head: tuple[int, str, int], *, exists: bool
) -> list[Finding]:
    known, digest, _ = head
    if n and not exists:
        return [Finding(n, line, "the head is missing: entries may have been cut off here")]
    if n and known == 0:
        return [Finding(n, line, "the head cannot be read: entries may have been cut off here")]
    if known > n:
        return [Finding(n, line, f"entries {n} to {known - 1} were cut off")]
    if known == n and digest != last:
        return [Finding(max(0, n - 1), line, "the last entry is not the one the head names")]
    return []
