import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from workbench.claude import ClaudeRequest, FaultPlan, FaultRule, Origin, Progress
from workbench.errors import BudgetExceededError

Rig = Callable[..., Any]


def test_a_batch_answers_the_same_at_half_the_price(
    rig: Rig, questions: list[ClaudeRequest]
) -> None:
    emulator, client = rig()
    told: list[Progress] = []
    batched = client.ask_batch(questions, poll_s=0.01, task="t", on_progress=told.append)
    _, other = rig(store=client.store.path.with_name("other.sqlite"))
    asked = other.ask(questions)
    assert [a.key for a in batched] == [a.key for a in asked]
    assert [a.text for a in batched] == [a.text for a in asked]
    for one, whole in zip(batched, asked, strict=True):
        assert one.usage.service_tier == "batch"
        assert one.cost_usd == pytest.approx(whole.cost_usd / 2)
        assert (one.latency_s, one.origin) == (None, Origin.SIMULATED)
    books, ledger = emulator.books(), client.store.ledger_frame()
    assert books["requests"] == 1
    assert books["batch"]["input_tokens"] == ledger["input_tokens"].sum()
    assert books["batch"]["output_tokens"] == ledger["output_tokens"].sum()
    assert set(ledger["service_tier"]) == {"batch"}
    assert ledger["cost_usd"].sum() == pytest.approx(client.spent_usd)
    assert (told[-1].done, told[-1].errors) == (len(questions), 0)
    assert all(answer.cached for answer in client.ask_batch(questions))
    assert emulator.books()["requests"] == 1


def test_a_batch_s_errors_are_errors_of_their_requests(
    rig: Rig, questions: list[ClaudeRequest]
) -> None:
    plan = FaultPlan((FaultRule("server_500", rate=0.3, seed=1), FaultRule("refusal", rate=0.2)))
    emulator, client = rig(plan)
    answers = client.ask_batch(questions, poll_s=0.01)
    failed = [answer for answer in answers if answer.error is not None]
    assert {answer.error for answer in failed} == {"batch: api_error"}
    assert len(failed) == emulator.books()["faults"]["server_500"]
    assert "refusal" in {answer.stop_reason for answer in answers}
    assert emulator.books()["answered"] == len(client.store.ledger_frame())


def test_a_batch_under_way_is_found_again(rig: Rig, questions: list[ClaudeRequest]) -> None:
    emulator, client = rig(FaultPlan(batch_polls=10**9))
    with pytest.raises(KeyboardInterrupt):
        client.ask_batch(questions, poll_s=0.01, on_progress=_interrupt)
    made = client.store.open_batches(Origin.SIMULATED, None)
    assert [len(batch.asked) for batch in made] == [len(questions)]
    assert made[0].batch_id == "msgbatch_sim_000001"
    # Another process, and some questions more: only those are asked anew.
    more = [replace(question, repeat=1) for question in questions[:5]]
    with pytest.raises(KeyboardInterrupt):
        client.ask_batch([*questions, *more], poll_s=0.01, on_progress=_interrupt)
    assert [len(b.asked) for b in client.store.open_batches(Origin.SIMULATED, None)] == [60, 5]
    assert emulator.books()["requests"] == 2


def test_what_a_resumed_batch_brings_is_kept_whoever_asked(
    rig: Rig, questions: list[ClaudeRequest]
) -> None:
    emulator, client = rig(FaultPlan(batch_polls=40))
    with pytest.raises(KeyboardInterrupt):
        client.ask_batch(questions, poll_s=0.01, on_progress=_interrupt)
    some = client.ask_batch(questions[:3], poll_s=0.01)
    assert [answer.error for answer in some] == [None] * 3
    assert emulator.books()["requests"] == 1
    assert len(client.store.ledger_frame()) == len(questions)
    assert all(answer.cached for answer in client.ask(questions))
    assert client.store.open_batches(Origin.SIMULATED, None) == []


def test_a_batch_whose_id_was_never_noted_is_found(
    rig: Rig, questions: list[ClaudeRequest]
) -> None:
    emulator, client = rig(FaultPlan(batch_polls=40))
    with pytest.raises(KeyboardInterrupt):
        client.ask_batch(questions, poll_s=0.01, on_progress=_interrupt)
    client.store.close()
    with sqlite3.connect(client.store.path) as raw:  # as if killed between the call and the note
        raw.execute("UPDATE batches SET batch_id = NULL")
    raw.close()
    answers = client.ask_batch(questions, poll_s=0.01)
    assert [answer.error for answer in answers] == [None] * len(questions)
    assert emulator.books()["requests"] == 1


def test_a_batch_that_was_never_made_is_made(rig: Rig, questions: list[ClaudeRequest]) -> None:
    emulator, client = rig()
    asked = {client.key(q): (q.model, None) for q in questions[:4]}
    client.store.open_batch(Origin.SIMULATED, None, asked)
    assert all(a.error is None for a in client.ask_batch(questions[:4], poll_s=0.01))
    assert emulator.books()["requests"] == 1


def test_a_batch_the_budget_may_not_cover_is_not_made(
    rig: Rig, questions: list[ClaudeRequest]
) -> None:
    emulator, client = rig(budget_usd=0.001)
    with pytest.raises(BudgetExceededError, match="a batch of 60 could overrun the budget"):
        client.ask_batch(questions)
    assert emulator.books()["requests"] == 0
    assert all(a.error is None for a in client.ask_batch(questions[:4], poll_s=0.01))


def _interrupt(_: Progress) -> None:
    raise KeyboardInterrupt


def test_two_clients_of_one_store_share_a_batch_and_pay_once(
    rig: Rig, questions: list[ClaudeRequest]
) -> None:
    emulator, client = rig(FaultPlan(batch_polls=4))
    _, other = rig(base_url=emulator.url, store=client.store.path)
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda c: c.ask_batch(questions, poll_s=0.05), (client, other)))
    for answers in both:
        assert [answer.error for answer in answers] == [None] * len(questions)
    assert emulator.books()["answered"] == len(questions) == len(client.store.ledger_frame())


def test_a_batch_of_somebody_else_s_is_no_answer(rig: Rig, questions: list[ClaudeRequest]) -> None:
    emulator, client = rig()
    _, stranger = rig(base_url=emulator.url, store=client.store.path.with_name("other.sqlite"))
    stranger.ask_batch(questions[:5], poll_s=0.01)
    mine = questions[5:10]
    client.store.open_batch(Origin.SIMULATED, None, {client.key(q): (q.model, None) for q in mine})
    first = client.ask_batch(mine, poll_s=0.01)  # adopts the stranger's, of the same size
    assert {answer.error for answer in first} == {"batch: without a result"}
    assert [answer.error for answer in client.ask_batch(mine, poll_s=0.01)] == [None] * 5


def test_an_interrupted_batch_gives_its_reservation_back(
    rig: Rig, questions: list[ClaudeRequest]
) -> None:
    _, client = rig(FaultPlan(batch_polls=40), budget_usd=0.02)
    for _ in range(5):
        with pytest.raises(KeyboardInterrupt):
            client.ask_batch(questions, poll_s=0.01, on_progress=_interrupt)
    assert not client._engine.budget.anything_reserved
    assert [a.error for a in client.ask_batch(questions, poll_s=0.01)] == [None] * len(questions)


def test_of_a_batch_s_subjects_nothing_is_left(rig: Rig, questions: list[ClaudeRequest]) -> None:
    _, client = rig()
    client.ask_batch([replace(questions[0], subject="lead-BB")], poll_s=0.01)
    subject = client._engine.gate.pseudonym("lead-BB")
    assert client.store.erase_subject("default", subject) == 1
    client.close()
    assert subject.encode() not in client.store.path.read_bytes()
