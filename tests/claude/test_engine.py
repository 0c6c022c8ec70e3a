import asyncio
import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from workbench.claude import (
    ClaudeRequest,
    FaultPlan,
    FaultRule,
    Latency,
    Progress,
    RateLimits,
)
from workbench.errors import BudgetExceededError, ClaudeError

Rig = Callable[..., Any]


def test_any_number_is_asked_in_bounded_memory(rig: Rig, questions: list[ClaudeRequest]) -> None:
    emulator, client = rig(concurrency=4)
    most_ahead, taken, answered = 0, 0, 0

    def source() -> Iterator[ClaudeRequest]:
        nonlocal taken, most_ahead
        for number in range(400):
            taken += 1
            most_ahead = max(most_ahead, taken - answered)
            yield replace(questions[0], prompt=f"<message>Lead {number} wants a house</message>")

    positions = set()
    for numbered in client.ask_each(source()):
        answered += 1
        positions.add(numbered.position)
        assert numbered.answer.error is None
    assert positions == set(range(400))
    assert most_ahead < 120  # a window of 16 and a block of 64, not 400
    assert emulator.books()["answered"] == 400
    again = list(client.ask_each(source()))
    assert all(numbered.answer.cached for numbered in again)
    assert emulator.books()["answered"] == 400


def test_leaving_early_keeps_what_came(rig: Rig, questions: list[ClaudeRequest]) -> None:
    emulator, client = rig(concurrency=2)
    each = client.ask_each(iter(questions))
    first = list(itertools.islice(each, 3))
    each.close()
    kept = client.store.get_many(client.key(question) for question in questions)
    assert {numbered.answer.key for numbered in first} <= set(kept)
    assert emulator.books()["answered"] == len(kept) < len(questions)


def test_a_coroutine_asks_without_blocking_its_loop(
    rig: Rig, questions: list[ClaudeRequest]
) -> None:
    _, client = rig(FaultPlan(latency=Latency(median_s=0.3)))

    async def both() -> tuple[list[Any], int]:
        turns = 0
        asking = asyncio.ensure_future(client.aask(questions[:2]))
        while not asking.done():
            turns += 1
            await asyncio.sleep(0.01)
        return await asking, turns

    answers, turns = asyncio.run(both())
    assert [answer.error for answer in answers] == [None, None]
    assert turns > 5


def test_latency_counts_from_the_intended_start_in_an_open_loop(
    rig: Rig, questions: list[ClaudeRequest]
) -> None:
    # Two workers, 100 ms each, forty a second: the server is behind from the third request on.
    plan = FaultPlan(latency=Latency(median_s=0.1))
    _, client = rig(plan, concurrency=2, rate_per_s=40.0)
    answers = client.ask(questions[:12])
    queued = [answer.queued_s for answer in answers]
    # Two at a time and 100 ms each, the last can start 500 ms after the first, and was meant to
    # 275 ms after it; what the server takes itself is the same for all.
    assert queued[-1] - queued[0] > 0.2
    assert all(answer.latency_s >= 0.1 for answer in answers)


def test_retries_and_their_times_are_on_the_record(
    rig: Rig, questions: list[ClaudeRequest]
) -> None:
    rule = FaultRule("overloaded_529", first_n=2, retry_after_s=0.05)
    _, client = rig(FaultPlan((rule,)))
    told: list[Progress] = []
    answer = client.ask(questions[:1], on_progress=told.append)[0]
    assert answer.attempts == len(answer.attempt_latencies_s) == 3
    assert answer.latency_s > math.fsum(answer.attempt_latencies_s) + 0.05
    assert (told[-1].done, told[-1].retries, told[-1].errors) == (1, 2, 0)
    assert told[-1].cost_usd == answer.cost_usd


def test_the_account_s_limit_is_kept_ahead_of_time(
    rig: Rig, questions: list[ClaudeRequest]
) -> None:
    # Ten at once, then six hundred a minute: forty take three seconds, and none is refused.
    emulator, client = rig(
        FaultPlan(requests_per_minute=600),
        limits=RateLimits(requests_per_minute=600),
        concurrency=20,
    )
    client.ask(questions[:20])
    assert emulator.books()["faults"] == {}


def test_limits_are_learnt_from_headers(rig: Rig, questions: list[ClaudeRequest]) -> None:
    emulator, client = rig(FaultPlan(requests_per_minute=1200), concurrency=2)
    answers = client.ask(questions)
    assert [answer.error for answer in answers] == [None] * len(questions)
    # Without learning, the bucket's 1,200 would be the only thing that holds requests back.
    assert emulator.books()["faults"].get("over_the_rate_limit", 0) <= 4


def test_another_model_stands_in_for_an_overloaded_one_and_says_so(
    rig: Rig, questions: list[ClaudeRequest]
) -> None:
    asked = [replace(question, model="claude-opus-5-5") for question in questions[:3]]
    plan = FaultPlan((FaultRule("overloaded_529", first_n=1),))
    _, client = rig(plan, max_retries=0, fallbacks={"claude-opus-5-5": "claude-haiku-5-5"})
    first = client.ask(asked)
    # Its own first attempt fails, too: nothing is hidden behind a second fallback.
    assert all(answer.error for answer in first)
    second = client.ask(asked)
    assert [answer.fallback_from for answer in second] == [None] * 3
    assert {answer.model_requested for answer in second} == {"claude-opus-5-5"}


def test_a_fallback_is_booked_as_the_model_that_answered(
    rig: Rig, questions: list[ClaudeRequest]
) -> None:
    dear = replace(questions[0], model="claude-opus-5-5")
    cheap = replace(questions[0], model="claude-haiku-5-5")
    plan = FaultPlan((FaultRule("overloaded_529", first_n=1),))
    _, client = rig(plan, max_retries=0, fallbacks={"claude-opus-5-5": "claude-haiku-5-5"})
    assert client.ask([cheap])[0].error == "OverloadedError 529 after 1 attempt"
    answer = client.ask([dear])[0]
    assert (answer.error, answer.fallback_from) == (None, "claude-opus-5-5")
    assert answer.model_requested == "claude-haiku-5-5"
    ledger = client.store.ledger_frame()
    assert ledger["model_requested"].tolist() == ["claude-haiku-5-5"]
    assert client.store.get_many([client.key(dear)]) == {}  # asked again next time
    assert client.ask([cheap])[0].cached


def test_when_nothing_gets_through_the_rest_are_errors_without_being_asked(
    rig: Rig, questions: list[ClaudeRequest]
) -> None:
    asked = [replace(q, repeat=r) for r in range(4) for q in questions]
    plan = FaultPlan((FaultRule("server_500", rate=1.0),))
    emulator, client = rig(plan, max_retries=0, on_outage="errors", concurrency=4)
    answers = client.ask(asked)
    assert len(answers) == len(asked)
    assert emulator.books()["requests"] < 60
    assert answers[-1].error == "not asked: the endpoint is down"
    assert answers[-1].attempts == 0
    again = list(client.ask_each(iter(asked)))  # fed as it goes: nobody waits for anybody
    assert len(again) == len(asked)


def test_a_shared_prefix_is_written_once_and_read_by_the_rest(
    rig: Rig, questions: list[ClaudeRequest]
) -> None:
    rules = "A rule about leads that all share.\n" * 200
    asked = [replace(q, system=rules, prompt=f"{rules}{q.prompt}") for q in questions[:12]]
    emulator, client = rig(concurrency=6)
    answers = client.ask(asked)
    written = [a.usage.cache_creation_input_tokens for a in answers]
    read = [a.usage.cache_read_input_tokens for a in answers]
    assert sum(w > 0 for w in written) == 1  # the first goes ahead alone
    assert sum(r > 4000 for r in read) == 11
    books = emulator.books()
    assert books["cache_creation_input_tokens"] == sum(written)
    assert books["cache_read_input_tokens"] == sum(read)
    _, plain = rig(store=client.store.path.with_name("plain.sqlite"), prompt_cache=None)
    uncached = plain.ask(asked)
    assert sum(a.cost_usd for a in answers) < 0.5 * sum(a.cost_usd for a in uncached)
    assert [a.text for a in answers] == [a.text for a in uncached]


def test_an_hour_s_cache_is_priced_as_one(rig: Rig, questions: list[ClaudeRequest]) -> None:
    rules = "A rule about leads that all share.\n" * 200
    asked = [replace(q, system=rules) for q in questions[:2]]
    costs: list[float] = []
    for ttl in ("5m", "1h"):
        _, client = rig(prompt_cache=ttl, concurrency=1)
        answers = client.ask([replace(q, repeat=len(costs)) for q in asked])
        written = answers[0].usage
        assert written.cache_creation_1h_input_tokens == (
            written.cache_creation_input_tokens if ttl == "1h" else 0
        )
        costs.append(answers[0].cost_usd)
    tokens = written.cache_creation_input_tokens
    assert costs[1] - costs[0] == pytest.approx(tokens * (0.20 - 0.125) / 1e6)


def test_a_budget_counts_cache_writes_at_their_price(
    rig: Rig, questions: list[ClaudeRequest]
) -> None:
    rules = "A rule about leads that all share.\n" * 200
    asked = [replace(q, system=rules) for q in questions[:20]]
    _, client = rig(budget_usd=0.002, prompt_cache="1h", concurrency=8)
    with pytest.raises(BudgetExceededError):
        client.ask([replace(q, repeat=r) for r in range(20) for q in asked])
    assert 0 < client.spent_usd <= 0.002


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"prompt_cache": "1d"}, "prompt_cache is '1d'"),
        ({"on_outage": "ignore"}, "on_outage is 'ignore'"),
        ({"rate_per_s": 0.0}, "rate_per_s is 0.0"),
        ({"max_retry_after_s": -1.0}, "max_retry_after_s is -1.0"),
    ],
)
def test_a_manner_that_is_none_is_refused(rig: Rig, options: dict[str, Any], said: str) -> None:
    with pytest.raises(ClaudeError, match=said):
        rig(**options)


def test_the_endpoint_counts_what_it_will_bill(rig: Rig, questions: list[ClaudeRequest]) -> None:
    _, client = rig()
    counted = client.count_tokens([*questions[:5], questions[0]])
    answers = client.ask(questions[:5])
    assert counted == [*(a.usage.total_input_tokens for a in answers), counted[0]]
    nowhere = rig(base_url="http://127.0.0.1:9", max_retries=0)[1]
    with pytest.raises(ClaudeError, match="tokens were not counted: APIConnectionError"):
        nowhere.count_tokens(questions[:1])
