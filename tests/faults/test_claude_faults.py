import json
import math
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from workbench.claude import Answer, ClaudeClient, ClaudeRequest, EmulatorProcess, FaultPlan, Origin
from workbench.claude import FaultRule as Rule
from workbench.claude.emulator.answers import content_digest
from workbench.claude.messages import request_body
from workbench.claude.transport import GIVE_UP_AFTER
from workbench.errors import BudgetExceededError, ClaudeError

Rig = Callable[..., tuple[EmulatorProcess, ClaudeClient]]

TRANSIENT = ["rate_limit_429", "overloaded_529", "server_500", "timeout_408", "drop_connection"]


SCHEMA = {
    "type": "object",
    "properties": {
        "probability": {"type": "number"},
        "evidence": {"type": "array", "items": {"type": "string"}},
        "abstain": {"type": "boolean"},
    },
    "required": ["probability", "evidence", "abstain"],
}


@pytest.fixture
def requests() -> list[ClaudeRequest]:
    return [
        ClaudeRequest(
            "claude-haiku-5-5",
            f"<lead>\n- visits: {i}\n- source: referral\n</lead>\n"
            f"<message>We are ready to buy house {i}, perhaps this week.</message>",
            system="Strategy: zero_shot",
            schema=SCHEMA,
            max_tokens=300,
        )
        for i in range(400)
    ]


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """An emulator with faults and a client of it, both closed after the test."""
    with ExitStack() as stack:

        def start(
            plan: FaultPlan | None = None, **options: Any
        ) -> tuple[EmulatorProcess, ClaudeClient]:
            emulator = stack.enter_context(EmulatorProcess(plan))
            fields: dict[str, Any] = {
                "origin": Origin.SIMULATED,
                "store": tmp_path / "answers.sqlite",
                "base_url": emulator.url,
                **options,
            }
            client = ClaudeClient(**fields)
            return emulator, stack.enter_context(client)

        yield start


@pytest.mark.parametrize("kind", TRANSIENT)
def test_what_passes_is_tried_again(rig: Rig, requests: list[ClaudeRequest], kind: str) -> None:
    emulator, client = rig(FaultPlan((Rule(kind, first_n=1, retry_after_s=0.01),)))
    answers = client.ask(requests[:4])
    assert [(a.error, a.attempts, a.stop_reason) for a in answers] == [(None, 2, "end_turn")] * 4
    books = emulator.books()
    assert (books["requests"], books["answered"]) == (8, 4)
    assert len(client.store.ledger_frame()) == 4


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("rate_limit_429", "RateLimitError 429 after 2 attempts"),
        ("overloaded_529", "OverloadedError 529 after 2 attempts"),
        ("server_500", "InternalServerError 500 after 2 attempts"),
        ("timeout_408", "RequestTimeoutError 408 after 2 attempts"),
        ("drop_connection", "APIConnectionError after 2 attempts"),
    ],
)
def test_what_does_not_pass_is_an_error_and_asked_again_next_time(
    rig: Rig, requests: list[ClaudeRequest], kind: str, error: str
) -> None:
    plan = FaultPlan((Rule(kind, first_n=2, retry_after_s=0.01),))
    _, client = rig(plan, max_retries=1)
    failed = client.ask(requests[:3])
    assert [(a.error, a.text, a.attempts, a.cost_usd) for a in failed] == [(error, None, 2, 0)] * 3
    assert len(client.store.ledger_frame()) == 0
    assert [a.error for a in client.ask(requests[:3])] == [None] * 3


def test_a_slow_answer_times_out(rig: Rig, requests: list[ClaudeRequest]) -> None:
    plan = FaultPlan((Rule("slow", first_n=1, delay_s=30.0),))
    _, client = rig(plan, timeout_s=0.3, max_retries=0)
    assert client.ask(requests[:1])[0].error == "APITimeoutError after 1 attempt"
    assert client.ask(requests[:1])[0].error is None


def test_an_unreadable_body_is_asked_for_again(rig: Rig, requests: list[ClaudeRequest]) -> None:
    _, client = rig(FaultPlan((Rule("broken_body", first_n=2),)), max_retries=1)
    assert client.ask(requests[:1])[0].error == "unreadable answer after 2 attempts"
    assert client.ask(requests[:1])[0].error is None


def _malformed(answer: Answer) -> None:
    with pytest.raises(json.JSONDecodeError):
        json.loads(answer.text or "")
    assert answer.stop_reason == "end_turn"


def _truncated(answer: Answer) -> None:
    assert answer.stop_reason == "max_tokens"
    assert answer.text


def _refusal(answer: Answer) -> None:
    assert (answer.stop_reason, answer.text) == ("refusal", None)


def _out_of_range(answer: Answer) -> None:
    assert json.loads(answer.text or "")["probability"] == 1.7


@pytest.mark.parametrize(
    ("kind", "check"),
    [
        ("malformed_json", _malformed),
        ("truncated", _truncated),
        ("refusal", _refusal),
        ("out_of_range", _out_of_range),
    ],
)
def test_a_bad_answer_is_an_outcome_that_keeps_its_cost(
    rig: Rig, requests: list[ClaudeRequest], kind: str, check: Callable[[Answer], None]
) -> None:
    emulator, client = rig(FaultPlan((Rule(kind, rate=1.0),)))
    answer = client.ask(requests[:1])[0]
    check(answer)
    assert answer.error is None
    assert answer.cost_usd > 0
    # It is an answer: paid for once, and not asked again.
    assert client.ask(requests[:1])[0].cached
    assert emulator.books()["answered"] == 1
    assert client.store.ledger_frame()["cost_usd"].tolist() == [answer.cost_usd]


def test_the_server_cannot_make_us_wait_for_an_hour(
    rig: Rig, requests: list[ClaudeRequest]
) -> None:
    plan = FaultPlan((Rule("rate_limit_429", first_n=1, retry_after_s=3600.0),))
    _, client = rig(plan, max_retry_after_s=0.01)
    assert [answer.attempts for answer in client.ask(requests[:2])] == [2, 2]


def test_books_agree_to_the_token_under_a_storm(rig: Rig, requests: list[ClaudeRequest]) -> None:
    kinds = [*TRANSIENT, "malformed_json", "truncated", "refusal", "out_of_range"]
    rules = [Rule(kind, rate=0.05, retry_after_s=0.01, seed=i) for i, kind in enumerate(kinds)]
    rules.append(Rule("slow", rate=0.05, delay_s=0.02, seed=99))
    emulator, client = rig(FaultPlan(tuple(rules)))
    answers = client.ask(requests)
    books, frame = emulator.books(), client.store.ledger_frame()
    assert set(books["faults"]) == {*kinds, "slow"}
    good = [answer for answer in answers if answer.error is None]
    assert len(good) > 380
    assert books["answered"] == len(frame) == len(good)
    assert books["requests"] == sum(answer.attempts for answer in answers)
    for column in ("input_tokens", "output_tokens"):
        assert books[column] == frame[column].sum()
        assert books[column] == sum(getattr(answer.usage, column) for answer in answers)
    assert math.fsum(frame["cost_usd"]) == pytest.approx(client.spent_usd, rel=1e-12)
    # 0.10 and 0.50 dollars per million: the sum of the parts is the price of the sum.
    tokens = books["input_tokens"] * 0.10 + books["output_tokens"] * 0.50
    assert math.fsum(frame["cost_usd"]) == pytest.approx(tokens / 1e6, rel=1e-9)
    # What failed is asked again until nothing is left, and nothing else is.
    missing = sum(answer.error is not None for answer in answers)
    again = client.ask(requests)
    assert sum(not answer.cached for answer in again) == missing


@pytest.mark.parametrize("concurrency", [1, 7, 32])
def test_the_budget_is_never_exceeded_and_well_used(
    rig: Rig, requests: list[ClaudeRequest], concurrency: int
) -> None:
    budget_usd = 0.002
    emulator, client = rig(budget_usd=budget_usd, concurrency=concurrency)
    with pytest.raises(BudgetExceededError, match=r"of \$0.002000 spent.*remaining.*raise budget"):
        client.ask(requests)
    books = emulator.books()
    billed = (books["input_tokens"] * 0.10 + books["output_tokens"] * 0.50) / 1e6
    assert billed == pytest.approx(client.spent_usd, rel=1e-9)
    # The last call was refused because its worst case, a quarter of a mill, did not fit.
    assert budget_usd - 0.00025 < billed <= budget_usd
    stored = len(client.store.ledger_frame())
    assert stored == books["answered"]
    _, richer = rig(budget_usd=10.0, base_url=emulator.url)
    assert len(richer.ask(requests)) == len(requests)
    assert emulator.books()["answered"] == len(requests)


def test_a_budget_too_small_for_one_call_asks_nothing(
    rig: Rig, requests: list[ClaudeRequest]
) -> None:
    emulator, client = rig(budget_usd=0.0)
    with pytest.raises(BudgetExceededError, match="0 answered now, 400 remaining"):
        client.ask(requests)
    assert emulator.books()["requests"] == 0


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("unauthorized_401", "AuthenticationError 401.*check the API key"),
        ("forbidden_403", "PermissionDeniedError 403"),
    ],
)
def test_what_no_retry_mends_stops_the_run_and_keeps_what_came(
    rig: Rig, requests: list[ClaudeRequest], kind: str, said: str
) -> None:
    emulator, client = rig(FaultPlan((Rule(kind, rate=0.03),)), concurrency=4)
    with pytest.raises(ClaudeError, match=said):
        client.ask(requests)
    books = emulator.books()
    assert 0 < books["answered"] == len(client.store.ledger_frame())
    # Whatever was in flight may have been refused too, nothing after that.
    assert books["faults"][kind] <= 4
    assert books["requests"] < len(requests)


def test_the_first_request_that_is_refused_stops_the_run(
    rig: Rig, requests: list[ClaudeRequest]
) -> None:
    emulator, client = rig(FaultPlan((Rule("invalid_request_400", rate=1.0),)), concurrency=4)
    with pytest.raises(ClaudeError, match=r"BadRequestError 400.*scripted.*correct the request"):
        client.ask(requests)
    assert emulator.books()["requests"] <= 4


def test_one_bad_request_among_good_ones_is_an_error_of_its_own(
    rig: Rig, requests: list[ClaudeRequest]
) -> None:
    emulator, client = rig(FaultPlan((Rule("invalid_request_400", rate=0.05, seed=3),)))
    client.ask(requests[:1])  # gets through: the key and the model are good
    answers = client.ask(requests, on_progress=None)
    refused = [answer.error for answer in answers if answer.error is not None]
    assert len(refused) == emulator.books()["faults"]["invalid_request_400"] > 5
    assert set(refused) == {"BadRequestError 400 after 1 attempt"}


def test_words_of_the_api_that_repeat_the_prompt_are_not_passed_on(rig: Rig) -> None:
    _, client = rig(FaultPlan((Rule("invalid_request_400", rate=1.0),)))
    echoed = ClaudeRequest("claude-haiku-5-5", "lead says: scripted fault invalid_request_400")
    with pytest.raises(ClaudeError, match=r"BadRequestError 400 \(invalid_request_error\)"):
        client.ask([echoed])


def test_an_endpoint_that_never_answers_is_given_up(
    rig: Rig, requests: list[ClaudeRequest]
) -> None:
    emulator, client = rig(FaultPlan((Rule("server_500", rate=1.0),)), max_retries=0)
    with pytest.raises(ClaudeError, match=f"{GIVE_UP_AFTER} requests in a row failed.*500"):
        client.ask(requests)
    assert emulator.books()["requests"] <= GIVE_UP_AFTER + client.pace.concurrency


def test_an_endpoint_that_is_not_there_is_an_error(rig: Rig, requests: list[ClaudeRequest]) -> None:
    emulator, client = rig(max_retries=0)
    emulator.close()
    assert client.ask(requests[:1])[0].error == "APIConnectionError after 1 attempt"


def test_faults_strike_the_same_questions_each_time(
    rig: Rig, requests: list[ClaudeRequest], tmp_path: Path
) -> None:
    plan = FaultPlan((Rule("refusal", rate=0.3, seed=5),))
    _, client = rig(plan)
    _, other = rig(plan, store=tmp_path / "other.sqlite", concurrency=2)
    reasons = [answer.stop_reason for answer in client.ask(requests[:60])]
    assert reasons == [answer.stop_reason for answer in other.ask(requests[:60])]
    struck = [plan.strike(content_digest(request_body(r)), 1) for r in requests[:60]]
    assert [reason == "refusal" for reason in reasons] == [rule is not None for rule in struck]
