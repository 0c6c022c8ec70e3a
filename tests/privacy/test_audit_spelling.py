import json
from pathlib import Path

import pytest

from workbench.privacy import AuditLog


@pytest.fixture
def log(tmp_path: Path) -> AuditLog:
    made = AuditLog(tmp_path / "audit.jsonl", str.upper)
    for number in range(6):
        made.append("scoring", agent_id=f"a{number}", location_id="north", request="q",
                    response="r", processing_time_ms=1.0)  # fmt: skip
    made.flush()
    assert made.verify().ok
    return made


@pytest.mark.parametrize("head", [b"", b"xx", b'{"n": 0}'])
def test_a_head_that_says_nothing_is_a_finding(log: AuditLog, head: bytes) -> None:
    lines = log.path.read_bytes().splitlines(keepends=True)
    log.path.write_bytes(b"".join(lines[:2]))
    log.head_path.write_bytes(head)
    assert "the head cannot be read" in str(log.verify())


def test_an_entry_spelt_another_way_is_a_finding(log: AuditLog) -> None:
    text = log.path.read_text(encoding="utf-8")
    forged = text.replace("{", '{"location_id":"FORGED",', 1)
    assert json.loads(forged.splitlines()[0])["location_id"] == "NORTH"
    for edited in (forged, text.replace(":", ": ", 1), text.replace("\n", "\r\n", 1)):
        log.path.write_text(edited, encoding="utf-8", newline="")
        assert not log.verify().ok


def test_an_anchor_writes_nothing(log: AuditLog) -> None:
    log.head_path.unlink()
    assert log.anchor().n_entries == 6
    assert not log.head_path.exists()
