import asyncio
import json
import math
import threading
from collections.abc import Callable
from typing import Any

import pytest

from workbench.claude import Answer, ClaudeRequest, FaultPlan, FaultRule, Latency, Partial

Rig = Callable[..., Any]


def test_a_streamed_answer_is_the_answer_and_has_its_times(
    rig: Rig, questions: list[ClaudeRequest]
) -> None:
    plan = FaultPlan(latency=Latency(median_s=0.05, gap_s=0.01))
    _, client = rig(plan)
    answer = client.ask(questions[:1], stream=True)[0]
    assert json.loads(answer.text or "")["abstain"] is False
    assert answer.stop_reason == "end_turn"
    assert answer.usage.output_tokens > 10
    assert 0.05 <= answer.ttft_s <= answer.latency_s
    # A busy client reads two pieces at once, so single gaps may be short; their sum is not.
    assert 0 < answer.inter_token_s <= answer.max_gap_s < answer.latency_s
    assert answer.latency_s - answer.ttft_s > 0.01
    assert client.ask(questions[:1])[0].ttft_s == answer.ttft_s  # the recorded one


def test_streamed_and_whole_answers_are_booked_alike(
    rig: Rig, questions: list[ClaudeRequest]
) -> None:
    emulator, client = rig()
    streamed = client.ask(questions[:5], stream=True)
    other_emulator, other = rig(store=client.store.path.with_name("other.sqlite"))
    whole = other.ask(questions[:5])
    assert [(a.text, a.usage, a.cost_usd) for a in streamed] == [
        (a.text, a.usage, a.cost_usd) for a in whole
    ]
    for name in ("input_tokens", "output_tokens"):
        assert emulator.books()[name] == other_emulator.books()[name]


def test_pieces_reach_a_callback_in_order(rig: Rig, questions: list[ClaudeRequest]) -> None:
    _, client = rig()
    pieces: list[Partial] = []
    answer = client.ask(questions[:1], on_partial=pieces.append)[0]
    assert "".join(piece.delta for piece in pieces) == pieces[-1].text == answer.text
    assert [p.elapsed_s for p in pieces] == sorted(p.elapsed_s for p in pieces)
    assert {piece.key for piece in pieces} == {answer.key}


def test_pieces_reach_a_running_event_loop(rig: Rig, questions: list[ClaudeRequest]) -> None:
    _, client = rig()

    async def collect() -> list[Partial | Answer]:
        assert threading.current_thread() is threading.main_thread()
        return [piece async for piece in client.astream(questions[0])]

    *pieces, answer = asyncio.run(collect())
    assert len(pieces) > 2
    assert isinstance(answer, Answer)
    assert pieces[-1].text == answer.text
    stored = asyncio.run(collect())
    assert len(stored) == 1  # a stored answer has no pieces
    assert isinstance(stored[0], Answer)
    assert stored[0].cached


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("truncated_stream", "stream broke: it ended early"),
        ("stream_error", "stream broke: overloaded_error"),
        ("stalled_stream", "stream broke: ReadTimeout"),
    ],
)
def test_a_broken_stream_is_asked_again_and_what_it_cost_is_kept(
    rig: Rig, questions: list[ClaudeRequest], kind: str, said: str
) -> None:
    rule = FaultRule(kind, first_n=1, delay_s=20.0)
    _, hasty = rig(FaultPlan((rule,)), timeout_s=0.5, max_retries=0)
    assert hasty.ask(questions[1:2], stream=True)[0].error == f"{said} after 1 attempt"
    store = hasty.store.path.with_name("patient.sqlite")
    emulator, client = rig(FaultPlan((rule,)), timeout_s=0.5, max_retries=1, store=store)
    whole = client.ask(questions[:1], stream=True)[0]
    assert (whole.error, whole.attempts) == (None, 2)
    assert len(whole.attempt_latencies_s) == 2
    books, ledger = emulator.books(2), client.store.ledger_frame()
    assert books["requests"] == 2
    for name in ("input_tokens", "output_tokens"):
        assert getattr(whole.usage, name) == books[name] == ledger[name].sum()
    assert whole.cost_usd == pytest.approx(client.spent_usd)


def test_a_stream_that_always_breaks_is_an_error_with_its_cost(
    rig: Rig, questions: list[ClaudeRequest]
) -> None:
    plan = FaultPlan((FaultRule("truncated_stream", rate=1.0),))
    emulator, client = rig(plan, max_retries=2)
    failed = client.ask(questions[:1], stream=True)[0]
    assert failed.error == "stream broke: it ended early after 3 attempts"
    assert failed.text is None
    assert failed.usage.input_tokens == emulator.books()["input_tokens"] > 0
    assert failed.cost_usd > 0
    assert client.store.ledger_frame()["error"].tolist() == [failed.error]
    assert client.store.get_many([failed.key]) == {}


def test_books_agree_to_the_token_under_a_storm_of_streams(
    rig: Rig, questions: list[ClaudeRequest]
) -> None:
    kinds = ["truncated_stream", "stream_error", "rate_limit_429", "overloaded_529", "server_500"]
    kinds += ["malformed_json", "refusal", "truncated"]
    rules = [FaultRule(kind, rate=0.1, retry_after_s=0.01, seed=i) for i, kind in enumerate(kinds)]
    emulator, client = rig(FaultPlan(tuple(rules)), max_retries=4)
    answers = client.ask(questions, stream=True)
    books, ledger = emulator.books(), client.store.ledger_frame()
    assert set(books["faults"]) == set(kinds)
    for name in ("input_tokens", "output_tokens"):
        assert books[name] == ledger[name].sum() == sum(getattr(a.usage, name) for a in answers)
    assert math.fsum(ledger["cost_usd"]) == pytest.approx(math.fsum(a.cost_usd for a in answers))
