from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from workbench.claude import Answer, ClaudeClient, ClaudeRequest, Origin
from workbench.claude.semantic import SemanticCache
from workbench.embeddings import SentenceEncoder
from workbench.privacy import AuditLog, PrivacyError, PrivacyGate

Rig = Callable[..., Any]
GATE = PrivacyGate(b"a key of thirty-two bytes, made up")


def test_every_answer_is_in_the_audit_log(
    rig: Rig, questions: list[ClaudeRequest], tmp_path: Path
) -> None:
    audit = AuditLog(tmp_path / "audit.jsonl", GATE.pseudonym)
    _, client = rig(audit=audit, gate=GATE)
    client.ask(questions[:10], task="lead_conversion", arm="zero_shot")
    client.ask(questions[:10])  # stored: nothing arrives, nothing is noted
    client.close()
    report, entries = audit.verify(), list(audit.entries())
    assert (report.ok, report.n_entries) == (True, 10)
    assert {entry.interaction_type for entry in entries} == {"lead_conversion"}
    assert len({entry.request_hash for entry in entries}) == 10
    assert b"Ready to buy" not in audit.path.read_bytes()


def test_an_audit_log_that_cannot_be_written_stops_the_run_and_keeps_answers(
    rig: Rig, questions: list[ClaudeRequest], tmp_path: Path
) -> None:
    (tmp_path / "audit.jsonl").mkdir()  # a folder stands where the log should
    audit = AuditLog(tmp_path / "audit.jsonl", GATE.pseudonym, buffer_entries=1)
    emulator, client = rig(audit=audit, gate=GATE, concurrency=4)
    with pytest.raises(PrivacyError, match="the audit log cannot be used"):
        client.ask(questions)
    kept = client.store.get_many(client.key(question) for question in questions)
    assert 0 < len(kept) == emulator.books()["answered"] < len(questions)
    (tmp_path / "audit.jsonl").rmdir()
    client.close()
    assert audit.verify().n_entries > 0  # what could not be noted then is noted now


def test_the_gate_seals_what_is_sent_keyed_and_kept_and_restores_it(
    rig: Rig, questions: list[ClaudeRequest], tmp_path: Path
) -> None:
    said = "<message>Ready to buy this week, call 212-555-0134 or ann@example.com</message>"
    asked = replace(questions[0], prompt=said, subject="lead-17")
    _, client = rig(gate=GATE)
    sealed = client.sealed(asked)
    assert "212" not in sealed.prompt
    assert client.key(asked) == sealed.key(Origin.SIMULATED, None)
    client.ask([asked])
    client.close()
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("answers.sqlite*"))
    assert b"555-0134" not in kept
    assert b"lead-17" not in kept
    assert GATE.pseudonym("lead-17").encode() in kept
    echo = replace(client.ask([asked])[0], text=f'{{"said": "{sealed.prompt}"}}')
    assert "212-555-0134" in (client._engine.restored(asked, echo).text or "")


def test_known_names_go_and_are_neither_sent_nor_kept(
    rig: Rig, questions: list[ClaudeRequest], tmp_path: Path
) -> None:
    asked = replace(questions[0], prompt="<message>Zdenka wants the loft</message>",
                    known_names=("Zdenka Novak",))  # fmt: skip
    _, client = rig(gate=GATE)
    client.ask([asked])
    client.record([asked], tmp_path / "pack.yaml")
    client.close()
    assert "[name:" in client.sealed(asked).prompt
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or b"Zdenka" not in path.read_bytes()


def _any(answer: Answer) -> str:
    return "same" if answer.text else ""


def test_a_semantic_cache_serves_what_means_the_same_and_is_counted_apart(
    rig: Rig, tmp_path: Path
) -> None:
    asked = [
        "Is the flat on Oak Street still available?",
        "Can I still get the flat on Oak Street?",
    ]
    wordings = [f"{asked[i % 2]} (visitor asks{' again' * (i // 2)})" for i in range(240)]
    requests = [ClaudeRequest("claude-haiku-5-5", text) for text in wordings]
    cache = SemanticCache(
        tmp_path / "semantic.sqlite", encoder=SentenceEncoder(), max_error=0.49, audit_rate=0.0,
        confidence_level=0.6, same_answer=_any, random_state=0,
    )  # fmt: skip
    emulator, client = rig(semantic=cache, concurrency=1)
    answers = [client.ask([request])[0] for request in requests]
    served = [answer for answer in answers if answer.cache == "semantic"]
    report = client.caches
    assert report.semantic is not None
    assert len(served) == report.semantic.hits > 5
    assert emulator.books()["answered"] == len(requests) - len(served) == report.asked
    assert report.exact_hits == 0
    assert all(answer.cached for answer in served)
    frame = report.to_frame().set_index("cache")
    assert frame.loc["semantic", "hits"] == len(served)
    assert set(frame["unit"]) == {"requests", "input tokens"}
    assert [a.key for a in answers] == [client.key(request) for request in requests]


def test_a_semantic_cache_that_cannot_be_written_loses_no_answer(
    rig: Rig, questions: list[ClaudeRequest], tmp_path: Path
) -> None:
    cache = SemanticCache(tmp_path / "semantic.sqlite", encoder=SentenceEncoder())
    _, client = rig(semantic=cache)
    client.ask(questions[:2])
    cache.close()
    (tmp_path / "semantic.sqlite").chmod(0o400)
    answers = client.ask(questions[2:5])
    assert [answer.error for answer in answers] == [None] * 3
    assert isinstance(client, ClaudeClient)
