import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from workbench.privacy import PrivacyGate
from workbench.privacy.audit import AuditLog
from workbench.privacy.chain import Anchor, AuditEntry, content_hash
from workbench.privacy.keys import PrivacyError

GATE = PrivacyGate(bytes(32))


def fill(path: Path, n: int, **options: Any) -> AuditLog:
    log = AuditLog(path, GATE.pseudonym, **options)
    for i in range(n):
        log.append(
            "lead_scoring", agent_id=f"agent-{i % 3}", location_id="north", request=f"prompt {i}",
            response={"probability": i / n}, processing_time_ms=1.5 * i,
            compliance_flags=("refused",) if i == 2 else (),
        )  # fmt: skip
    log.flush()
    return log


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "audit.jsonl"


def test_an_entry_has_the_fields_asked_for_and_nothing_personal(path: Path) -> None:
    log = AuditLog(path, GATE.pseudonym)
    at = datetime(2026, 11, 20, 9, tzinfo=UTC)
    log.append(
        "lead_scoring", agent_id="ann@example.com", location_id="north", request="Ann 212-555-0134",
        response="0.7", processing_time_ms=812.25, compliance_flags=["refused"], timestamp=at,
    )  # fmt: skip
    entry = next(log.entries())
    assert entry == AuditEntry(
        "2026-11-20T09:00:00.000+00:00", "lead_scoring", GATE.pseudonym("ann@example.com"),
        GATE.pseudonym("north"), content_hash("Ann 212-555-0134"), content_hash("0.7"), 812.25,
        ("refused",),
    )  # fmt: skip
    assert not [s for s in ("ann", "Ann", "north", "555") if s in path.read_text("utf-8")]


def test_a_log_as_written_verifies(path: Path) -> None:
    log = fill(path, 200)
    report = log.verify()
    assert report.ok, str(report)
    assert report.n_entries == 200
    assert report.anchor == log.anchor()
    assert log.verify(report.anchor).ok
    assert "200 entries" in str(report)


Tampering = Callable[[list[bytes]], list[bytes]]


def edited(lines: list[bytes]) -> list[bytes]:
    return [*lines[:5], lines[5].replace(b"7.5", b"0.5"), *lines[6:]]


def edited_with_its_hash(lines: list[bytes]) -> list[bytes]:
    fields = json.loads(lines[5])
    fields["processing_time_ms"] = 0.5
    fields["hash"] = "f" * 64
    return [*lines[:5], json.dumps(fields).encode() + b"\n", *lines[6:]]


def reordered(lines: list[bytes]) -> list[bytes]:
    return [*lines[:5], lines[6], lines[5], *lines[7:]]


@pytest.mark.parametrize(
    ("tamper", "entry"),
    [
        (edited, 5),
        (edited_with_its_hash, 5),
        (lambda lines: lines[:5] + lines[6:], 5),
        (lambda lines: lines[:5] + lines[9:], 5),
        (lambda lines: lines[1:], 0),
        (lambda lines: [*lines[:5], lines[2], *lines[5:]], 2),
        (lambda lines: [*lines[:5], b"{}\n", *lines[5:]], 5),
        (reordered, 5),
        (lambda lines: lines[::-1], 0),
        (lambda lines: lines[:-1], 19),
        (lambda lines: lines[:-7], 13),
        (lambda _: [], 0),
        (lambda lines: [*lines[:-1], lines[-1].replace(b"28.5", b"2.5")], 19),
        (lambda lines: [*lines[:-1], lines[-1][:40]], 19),
    ],
)
def test_any_change_is_found_and_named(path: Path, tamper: Tampering, entry: int) -> None:
    log = fill(path, 20)
    path.write_bytes(b"".join(tamper(path.read_bytes().splitlines(keepends=True))))
    report = log.verify()
    assert not report.ok
    assert entry in {finding.n for finding in report.findings}, str(report)
    assert "finding" in str(report)


def test_any_byte_that_changes_is_found(path: Path) -> None:
    log = fill(path, 3)
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert not log.verify().ok, place
    path.write_bytes(whole)
    assert log.verify().ok


def test_only_an_anchor_shows_that_everything_was_written_anew(path: Path) -> None:
    anchor = fill(path, 20).anchor()
    head = path.with_name("audit.jsonl.head")
    path.unlink()
    head.unlink()
    log = fill(path, 30, buffer_entries=1)
    assert log.verify().ok, "nothing inside tells"
    assert "rewritten" in log.verify(anchor).findings[0].what
    shorter = Anchor(40, anchor.hash)
    assert "are missing" in log.verify(shorter).findings[-1].what


def test_a_missing_head_is_told(path: Path) -> None:
    log = fill(path, 5)
    path.with_name("audit.jsonl.head").unlink()
    assert "head is missing" in log.verify().findings[0].what
    fill(path, 5)
    assert log.verify().ok, "the chain is taken up from the log itself"
    assert log.verify().n_entries == 10


def test_a_gap_stays_after_more_was_written(path: Path) -> None:
    fill(path, 20)
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-3]))
    log = fill(path, 5)
    assert [f.what for f in log.verify().findings] == ["entries 17 to 19 are missing"]


def test_a_line_cut_short_by_a_crash_is_mended_and_told(path: Path) -> None:
    fill(path, 10)
    with path.open("ab") as file:
        file.write(b'{"agent_id":"half')
    log = AuditLog(path, GATE.pseudonym)
    assert "no whole entry" in log.verify().findings[0].what
    fill(path, 1)
    assert log.verify().ok
    assert [e.interaction_type for e in log.entries()][9:] == [
        "lead_scoring", "audit_log_mended", "lead_scoring",
    ]  # fmt: skip


def test_a_crash_between_log_and_head_loses_nothing(path: Path) -> None:
    fill(path, 4)
    head = path.with_name("audit.jsonl.head")
    before = head.read_bytes()
    fill(path, 4)
    head.write_bytes(before)
    log = fill(path, 2)
    assert log.verify().ok
    assert log.verify().n_entries == 10


def test_threads_and_processes_share_a_log(path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from workbench.privacy.audit import AuditLog\n"
        "with AuditLog(Path(sys.argv[1]), str.upper, buffer_entries=3) as log:\n"
        "    for i in range(200):\n"
        "        log.append('t', agent_id='a', location_id='b', request='x', response='y',"
        " processing_time_ms=i)\n"
    )
    children = [subprocess.Popen([sys.executable, "-c", code, str(path)]) for _ in range(3)]
    log = AuditLog(path, GATE.pseudonym, buffer_entries=5)

    def write() -> None:
        for i in range(100):
            log.append(
                "t", agent_id="a", location_id="b", request="x", response="y", processing_time_ms=i
            )

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log.close()
    assert [child.wait() for child in children] == [0, 0, 0]
    report = log.verify()
    assert report.ok, str(report)
    assert report.n_entries == 1_000


def test_a_killed_process_loses_no_more_than_it_had_collected(path: Path) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path\n"
        "from workbench.privacy.audit import AuditLog\n"
        "log = AuditLog(Path(sys.argv[1]), str.upper, buffer_entries=8, flush_s=3600)\n"
        "for i in range(100):\n"
        "    log.append('t', agent_id='a', location_id='b', request='x', response='y',"
        " processing_time_ms=i)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], check=False)
    assert done.returncode == -9
    report = AuditLog(path, GATE.pseudonym).verify()
    assert report.ok
    assert report.n_entries == 96


def test_a_fork_does_not_write_what_its_parent_collected(path: Path) -> None:
    log = AuditLog(path, GATE.pseudonym, buffer_entries=100, flush_s=3600)
    log.append(
        "t", agent_id="a", location_id="b", request=None, response=None, processing_time_ms=1
    )
    child = os.fork()
    if child == 0:
        log.close()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    log.close()
    assert log.verify().n_entries == 1


def test_a_log_that_cannot_be_used_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    log = AuditLog(tmp_path / "file" / "audit.jsonl", GATE.pseudonym, buffer_entries=1)
    with pytest.raises(PrivacyError, match="cannot be used"):
        log.append(
            "t", agent_id="a", location_id="b", request="", response="", processing_time_ms=1
        )
    with pytest.raises(PrivacyError, match="cannot be read"):
        AuditLog(tmp_path / "none.jsonl", GATE.pseudonym).verify()
    with pytest.raises(PrivacyError, match="characters"):
        log.append(
            "x" * 99, agent_id="a", location_id="b", request="", response="", processing_time_ms=1
        )
