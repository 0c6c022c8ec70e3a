import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import anthropic
import pytest
from pydantic import BaseModel

from workbench.claude import READER_VERSION, EmulatorProcess, FaultPlan, FaultRule, Latency
from workbench.errors import ClaudeError

ASKED: dict[str, Any] = {
    "model": "claude-haiku-5-5",
    "max_tokens": 200,
    "messages": [{"role": "user", "content": "<message>We are ready to buy.</message>"}],
}


@pytest.fixture(scope="module")
def emulator() -> Iterator[EmulatorProcess]:
    with EmulatorProcess() as process:
        yield process


@pytest.fixture
def client(emulator: EmulatorProcess) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(api_key="k", base_url=emulator.url, max_retries=0) as one:
        yield one


def test_the_label_survives_any_client(client: anthropic.Anthropic) -> None:
    raw = client.messages.with_raw_response.create(**ASKED)
    assert raw.headers["x-workbench-origin"] == "simulated"
    assert str(raw.request_id).startswith("req_sim_")
    message = raw.parse()
    assert message.model == f"sim:{READER_VERSION}"
    assert message.content[0].text.startswith("Simulated reader, not Claude")
    assert message.stop_reason == "end_turn"


def test_streaming_says_the_same_and_ends(client: anthropic.Anthropic) -> None:
    whole = client.messages.create(**ASKED)
    with client.messages.stream(**ASKED) as stream:
        kinds = [event.type for event in stream]
        final = stream.get_final_message()
    assert final.content[0].text == whole.content[0].text  # type: ignore[union-attr]
    assert final.usage.output_tokens == whole.usage.output_tokens
    assert kinds[0] == "message_start"
    assert kinds[-1] == "message_stop"


def test_tokens_counted_are_tokens_billed(client: anthropic.Anthropic) -> None:
    counted = client.messages.count_tokens(
        model="claude-haiku-5-5", messages=[{"role": "user", "content": "x" * 31}], system="abc"
    )
    billed = client.messages.create(
        model="claude-haiku-5-5",
        messages=[{"role": "user", "content": "x" * 31}],
        system="abc",
        max_tokens=100,
    )
    assert counted.input_tokens == billed.usage.input_tokens == 11 + 1 + 8


def test_models_are_the_reader_and_nothing_else(client: anthropic.Anthropic) -> None:
    assert [model.id for model in client.models.list()] == [f"sim:{READER_VERSION}"]


def test_structured_output_parses(client: anthropic.Anthropic) -> None:
    class Judged(BaseModel):
        probability: float
        abstain: bool

    message = client.messages.parse(output_format=Judged, **ASKED)
    assert message.parsed_output is not None
    assert message.parsed_output.probability > 0.3


def test_an_answer_longer_than_max_tokens_is_cut(client: anthropic.Anthropic) -> None:
    message = client.messages.create(**{**ASKED, "max_tokens": 3})
    assert message.stop_reason == "max_tokens"
    assert message.usage.output_tokens == 3


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"extra_body": {"temperature": 0}}, "temperature"),
        ({"extra_body": {"top_k": 1}}, "top_k"),
        ({"tool_choice": {"type": "any"}}, "forced tools"),
        ({"output_config": {"effort": "utmost"}}, "effort"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"messages": []}, "messages"),
        (
            {
                "messages": [
                    {"role": "user", "content": "a"},
                    {"role": "assistant", "content": "{"},
                ]
            },
            "prefilling",
        ),
        ({"extra_headers": {"anthropic-version": anthropic.Omit()}}, "anthropic-version"),
    ],
)
def test_what_the_api_refuses_is_refused(
    client: anthropic.Anthropic, changed: dict[str, Any], said: str
) -> None:
    with pytest.raises(anthropic.BadRequestError, match=said) as caught:
        client.messages.create(**{**ASKED, **changed})
    assert caught.value.type == "invalid_request_error"
    assert caught.value.request_id


def test_an_unknown_model_is_not_found(client: anthropic.Anthropic) -> None:
    with pytest.raises(anthropic.NotFoundError, match="gpt"):
        client.messages.create(**{**ASKED, "model": "gpt-1"})


def test_books_count_what_was_billed() -> None:
    with (
        EmulatorProcess() as emulator,
        anthropic.Anthropic(api_key="k", base_url=emulator.url) as client,
    ):
        messages = [client.messages.create(**ASKED) for _ in range(3)]
        books = emulator.books()
    assert books["requests"] == books["answered"] == 3
    assert books["input_tokens"] == sum(m.usage.input_tokens for m in messages)
    assert books["output_tokens"] == sum(m.usage.output_tokens for m in messages)
    assert list(books["by_key"].values()) == [{"requests": 3, "answered": 3}]


_PARENT = """
import sys
from workbench.claude import EmulatorProcess
emulator = EmulatorProcess()
print(emulator.url, flush=True)
sys.stdin.read()
"""


def test_a_killed_parent_leaves_no_emulator() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        host, port = parent.stdout.readline().strip().removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=30) as held:
            parent.send_signal(signal.SIGKILL)
            # The connection ends only when the emulator does, closed or reset.
            try:
                said = held.recv(1)
            except ConnectionResetError:
                said = b""
    assert said == b""


def test_closing_twice_is_fine() -> None:
    emulator = EmulatorProcess()
    assert emulator.running
    emulator.close()
    emulator.close()
    assert not emulator.running


def test_a_plan_is_the_same_every_time_and_hits_at_its_rate() -> None:
    rule = FaultRule("rate_limit_429", rate=0.2, seed=3)
    struck = [rule.strikes(f"content-{i}", 1) for i in range(4000)]
    assert struck == [rule.strikes(f"content-{i}", 1) for i in range(4000)]
    # Binomial(4000, 0.2): five standard deviations are 0.032.
    assert abs(sum(struck) / 4000 - 0.2) < 0.032


def test_answer_faults_stick_to_the_question_and_attempt_faults_do_not() -> None:
    answer, attempt = FaultRule("refusal", rate=0.5), FaultRule("server_500", rate=0.5)
    assert len({answer.strikes("x", n) for n in range(50)}) == 1
    assert len({attempt.strikes("x", n) for n in range(50)}) == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[", "cannot be read"),
        ('{"rules": [{"kind": "flood", "rate": 1}]}', "'flood' is unknown"),
        ('{"rules": [{"kind": "refusal"}]}', "exactly one"),
        ('{"rules": [{"kind": "refusal", "often": 1}]}', "often"),
        ("[]", "the fault plan is list"),
        ("7", "the fault plan is int"),
        ('{"rules": [{"kind": "slow", "rate": "x"}]}', "rate is 'x'"),
        ('{"rules": [{"kind": "slow", "rate": 1.5}]}', "rate is 1.5"),
        ('{"rules": [{"kind": "slow", "rate": NaN}]}', "rate is nan"),
        ('{"rules": [{"kind": "slow", "rate": true}]}', "rate is True"),
        ('{"rules": [{"kind": "slow", "first_n": 0}]}', "first_n is 0"),
        ('{"rules": [{"kind": "slow", "first_n": 1.5}]}', "first_n is 1.5"),
        ('{"rules": [{"kind": "slow", "rate": 1, "delay_s": -1}]}', "delay_s is -1"),
        ('{"rules": [{"kind": "slow", "rate": 1, "delay_s": Infinity}]}', "delay_s is inf"),
        ('{"rules": [{"kind": "slow", "rate": 1, "seed": "a"}]}', "seed is 'a'"),
        ('{"rules": [3]}', "cannot be read"),
        ('{"latency": {"median_s": "fast"}}', "median_s is 'fast'"),
        ('{"latency": 3}', "cannot be read"),
        ('{"latency": {"median_s": null}}', "median_s is None"),
        ('{"requests_per_minute": 0}', "requests_per_minute is 0"),
        ('{"batch_polls": "x"}', "batch_polls is 'x'"),
    ],
)
def test_a_malformed_plan_is_refused(text: str, said: str) -> None:
    with pytest.raises(ClaudeError, match=said):
        FaultPlan.from_json(text)


def test_thinking_comes_first_and_counts_as_output(client: anthropic.Anthropic) -> None:
    plain = client.messages.create(**ASKED)
    thought = client.messages.create(**ASKED, thinking={"type": "adaptive"})
    assert [block.type for block in thought.content] == ["thinking", "text"]
    assert thought.usage.output_tokens > plain.usage.output_tokens
    assert thought.usage.output_tokens_details is not None
    assert thought.usage.output_tokens_details.thinking_tokens > 0
    short = client.messages.create(**{**ASKED, "max_tokens": 22}, thinking={"type": "adaptive"})
    assert short.stop_reason == "max_tokens"  # thinking had eaten most of it


def test_thinking_streams_before_text(client: anthropic.Anthropic) -> None:
    with client.messages.stream(**ASKED, thinking={"type": "adaptive"}) as stream:
        kinds = [e.delta.type for e in stream if e.type == "content_block_delta"]
    assert kinds[:2] == ["thinking_delta", "signature_delta"]
    assert set(kinds[2:]) == {"text_delta"}


def test_a_tool_is_used_and_its_result_answered(client: anthropic.Anthropic) -> None:
    tool: Any = {
        "name": "lookup_listing",
        "description": "Find a listing.",
        "input_schema": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "bedrooms": {"type": "integer"}},
        },
    }
    called = client.messages.create(**ASKED, tools=[tool])
    assert called.stop_reason == "tool_use"
    use = next(block for block in called.content if block.type == "tool_use")
    assert (use.name, set(use.input)) == ("lookup_listing", {"city", "bedrooms"})
    result: Any = {"type": "tool_result", "tool_use_id": use.id, "content": "none found"}
    messages: Any = [
        *ASKED["messages"],
        {"role": "assistant", "content": called.content},
        {"role": "user", "content": [result]},
    ]
    answered = client.messages.create(**{**ASKED, "messages": messages}, tools=[tool])
    assert answered.stop_reason == "end_turn"
    with client.messages.stream(**ASKED, tools=[tool]) as stream:
        assert stream.get_final_message().content[0].type == "tool_use"


def test_a_model_can_be_looked_up(client: anthropic.Anthropic) -> None:
    name = f"sim:{READER_VERSION}"
    assert client.models.retrieve(name).id == name
    with pytest.raises(anthropic.NotFoundError):
        client.models.retrieve("claude-none")


def test_batches_end_after_a_while_and_in_another_order() -> None:
    plan = FaultPlan((FaultRule("server_500", rate=0.3),), batch_polls=2)
    requests: Any = [
        {"custom_id": f"lead-{i}", "params": {**ASKED, "max_tokens": 100 + i}} for i in range(12)
    ]
    with (
        EmulatorProcess(plan) as emulator,
        anthropic.Anthropic(api_key="k", base_url=emulator.url) as client,
    ):
        batch = client.messages.batches.create(requests=requests)
        assert batch.processing_status == "in_progress"
        seen = [client.messages.batches.retrieve(batch.id).processing_status for _ in range(3)]
        assert seen == ["in_progress", "in_progress", "ended"]
        results = list(client.messages.batches.results(batch.id))
        assert [one.id for one in client.messages.batches.list()] == [batch.id]
        counts = client.messages.batches.retrieve(batch.id).request_counts
        with pytest.raises(anthropic.NotFoundError):
            client.messages.batches.retrieve("msgbatch_none")
        with pytest.raises(anthropic.BadRequestError, match="a custom_id of its own"):
            client.messages.batches.create(requests=[requests[0], requests[0]])
    order = [result.custom_id for result in results]
    asked = [request["custom_id"] for request in requests]
    assert sorted(order) == sorted(asked)
    assert order != asked
    kinds = [result.result.type for result in results]
    assert (counts.succeeded, counts.errored) == (kinds.count("succeeded"), kinds.count("errored"))
    assert 0 < counts.errored < 12


def test_a_rate_limit_is_announced_and_enforced() -> None:
    with (
        EmulatorProcess(FaultPlan(requests_per_minute=2)) as emulator,
        anthropic.Anthropic(api_key="k", base_url=emulator.url, max_retries=0) as client,
    ):
        first = client.messages.with_raw_response.create(**ASKED)
        assert first.headers["anthropic-ratelimit-requests-limit"] == "2"
        assert first.headers["anthropic-ratelimit-requests-remaining"] == "1"
        client.messages.create(**ASKED)
        with pytest.raises(anthropic.RateLimitError) as refused:
            client.messages.create(**ASKED)
        assert 1 <= float(refused.value.response.headers["retry-after"]) <= 31


def test_latencies_are_drawn_as_planned() -> None:
    latency = Latency(median_s=0.2, sigma=0.5)
    waits = sorted(latency.wait_s(f"question {i}", 1) for i in range(2001))
    assert waits[1000] == pytest.approx(0.2, rel=0.05)
    assert waits[1683] / waits[1000] == pytest.approx(2.718281828**0.5, rel=0.1)  # one sigma up
    assert latency.wait_s("question 7", 1) == latency.wait_s("question 7", 1)
    plan = FaultPlan((FaultRule("slow", rate=0.1),), latency, requests_per_minute=60)
    assert FaultPlan.from_json(plan.to_json()) == plan
