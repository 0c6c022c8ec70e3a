import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from workbench.claude import (
    PRICES,
    Answer,
    ClaudeClient,
    ClaudeRequest,
    FaultPlan,
    FaultRule,
    Latency,
    Origin,
    Partial,
)
from workbench.claude.budget import worst_case_usd
from workbench.claude.semantic import SemanticCache
from workbench.embeddings import SentenceEncoder
from workbench.errors import ClaudeError
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


def test_an_answer_billed_before_a_refusal_is_booked(
    rig: Rig, questions: list[ClaudeRequest]
) -> None:
    rules = (FaultRule("truncated_stream", first_n=1), FaultRule("unauthorized_401", rate=1.0))
    emulator, client = rig(FaultPlan(rules))
    with pytest.raises(ClaudeError, match="AuthenticationError 401"):
        client.ask(questions[:8], stream=True)
    ledger = client.store.ledger_frame()
    assert ledger["input_tokens"].sum() == emulator.books()["input_tokens"] > 0
    assert ledger["cost_usd"].sum() == pytest.approx(client.spent_usd)


def test_a_listener_that_fails_is_heard_and_costs_nothing_more(
    rig: Rig, questions: list[ClaudeRequest]
) -> None:
    emulator, client = rig(concurrency=2)

    def listen(piece: Partial) -> None:
        raise ValueError("the listener's own")

    with pytest.raises(ValueError, match="the listener's own"):
        client.ask(questions, on_partial=listen)
    kept = client.store.get_many(client.key(question) for question in questions)
    assert 0 < len(kept) == emulator.books()["requests"] <= 4


def test_a_cancelled_coroutine_stops_asking(rig: Rig, questions: list[ClaudeRequest]) -> None:
    emulator, client = rig(FaultPlan(latency=Latency(median_s=0.3)), concurrency=2)

    async def hasty() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.aask(questions), 0.5)

    asyncio.run(hasty())
    assert emulator.books()["requests"] < 20


@pytest.mark.parametrize("name", [None, "x" * 81, "two\nlines", "\ud800"])
def test_a_task_that_cannot_be_booked_is_refused_before_it_costs(
    rig: Rig, questions: list[ClaudeRequest], name: Any
) -> None:
    emulator, client = rig()
    for given in ({"task": name}, {"arm": name}):
        with pytest.raises(ClaudeError, match="printable characters"):
            client.ask(questions[:2], **given)
    assert emulator.books()["requests"] == 0


def test_people_in_the_names_of_arms_are_not_kept(rig: Rig, questions: list[ClaudeRequest]) -> None:
    _, client = rig(gate=GATE)
    client.ask(questions[:1], task="call 212-555-0134", arm="for jane.roe@example.com")
    row = client.store.ledger_frame().iloc[0]
    assert row["task"].startswith("call [phone:")
    assert row["arm"].startswith("for [email:")


def test_everyone_who_asks_the_same_is_linked_to_the_answer(
    rig: Rig, questions: list[ClaudeRequest]
) -> None:
    _, client = rig(gate=GATE)
    a, b, c = (replace(questions[0], subject=name) for name in ("lead-A", "lead-B", "lead-C"))
    client.ask([a, b])
    client.ask([c])
    for name in ("lead-A", "lead-B", "lead-C"):
        assert len(client.store.export_subject("default", GATE.pseudonym(name))) == 1
    assert client.store.erase_subject("default", GATE.pseudonym("lead-B")) == 1


def test_one_known_name_may_be_given_as_it_is() -> None:
    alone: Any = "Zed Smith"
    request = ClaudeRequest("m", "zz hi Zed Smith is here", known_names=alone)
    assert request.known_names == ("Zed Smith",)
    assert "Zed" not in GATE.seal(request.prompt, known_names=request.known_names).text


def test_the_audit_log_is_written_when_asking_ends(
    rig: Rig, questions: list[ClaudeRequest], tmp_path: Path
) -> None:
    audit = AuditLog(tmp_path / "audit.jsonl", GATE.pseudonym)
    _, client = rig(audit=audit, gate=GATE)
    client.ask(questions[:3])
    assert (tmp_path / "audit.jsonl").read_bytes().count(b"\n") == 3  # without any close


def test_two_runs_of_one_client_wait_for_each_other_s_money(
    rig: Rig, questions: list[ClaudeRequest]
) -> None:
    # Either run alone keeps within the budget; together their worst cases do not fit at once.
    worst = worst_case_usd(questions[0], PRICES, datetime.now(UTC).date(), "5m")
    plan = FaultPlan(latency=Latency(median_s=0.05))
    _, client = rig(plan, budget_usd=20 * worst, concurrency=15)
    halves = [questions[:10], questions[10:20]]
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(client.ask, halves))
    assert [answer.error for half in both for answer in half] == [None] * 20
