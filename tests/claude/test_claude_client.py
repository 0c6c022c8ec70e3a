import asyncio
import copy
import json
import logging
import pickle
import socket
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sklearn.base import clone
from sklearn.preprocessing import FunctionTransformer

from workbench.claude import (
    PRICES,
    READER_VERSION,
    AnswerStore,
    ClaudeClient,
    ClaudeRequest,
    EmulatorProcess,
    FaultPlan,
    FaultRule,
    Origin,
    Progress,
)
from workbench.claude.emulator.answers import content_digest
from workbench.claude.messages import request_body
from workbench.errors import ClaudeError, PriceError
from workbench.settings import Settings

MakeRequest = Callable[..., ClaudeRequest]
KEY = "sk-ant-api03-very-secret-indeed"


SCHEMA = {
    "type": "object",
    "properties": {
        "evidence": {"type": "array", "items": {"type": "string"}},
        "probability": {"type": "number"},
        "abstain": {"type": "boolean"},
    },
    "required": ["evidence", "probability", "abstain"],
    "additionalProperties": False,
}


@pytest.fixture(scope="module")
def emulator() -> Iterator[EmulatorProcess]:
    with EmulatorProcess() as process:
        yield process


@pytest.fixture
def make_request(tmp_path: Path) -> MakeRequest:
    """Requests no other test makes, so that the emulator's books can be read by question."""

    def make(number: int, model: str = "claude-haiku-5-5", **options: Any) -> ClaudeRequest:
        prompt = (
            f"<lead>\n- number: {number}\n- source: referral\n</lead>\n"
            f"<message>We are ready to buy, {tmp_path.name}.</message>"
        )
        fields: dict[str, Any] = {"system": "Strategy: zero_shot", "schema": SCHEMA, **options}
        return ClaudeRequest(model, prompt, **fields)

    return make


@pytest.fixture
def client(tmp_path: Path, emulator: EmulatorProcess) -> Iterator[ClaudeClient]:
    with ClaudeClient(
        origin=Origin.SIMULATED, store=tmp_path / "a.sqlite", base_url=emulator.url
    ) as one:
        yield one


def served(emulator: EmulatorProcess, requests: list[ClaudeRequest]) -> list[int]:
    counts = emulator.books()["by_key"]
    digests = [content_digest(request_body(request)) for request in requests]
    return [counts.get(digest, {}).get("answered", 0) for digest in digests]


def closed_port_url() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"http://127.0.0.1:{server.getsockname()[1]}"


def test_a_round_trip_says_everything(client: ClaudeClient, make_request: MakeRequest) -> None:
    answer = client.ask([make_request(1)], task="conversion", arm="zero_shot")[0]
    assert answer.origin is Origin.SIMULATED
    assert answer.model_requested == "claude-haiku-5-5"
    assert answer.model_answered == f"sim:{READER_VERSION}"
    assert json.loads(answer.text or "")["probability"] > 0.5
    assert (answer.stop_reason, answer.error, answer.attempts) == ("end_turn", None, 1)
    assert answer.latency_s is not None
    assert answer.latency_s > 0
    assert answer.request_id is not None
    assert answer.cost_usd == pytest.approx(
        (answer.usage.input_tokens * 0.10 + answer.usage.output_tokens * 0.50) / 1e6
    )
    row = client.store.ledger_frame().iloc[0]
    assert (row["task"], row["arm"], row["key"]) == ("conversion", "zero_shot", answer.key)
    assert row["cost_usd"] == answer.cost_usd == client.spent_usd


def test_answers_keep_the_order_and_duplicates_are_asked_once(
    client: ClaudeClient, emulator: EmulatorProcess, make_request: MakeRequest
) -> None:
    distinct = [make_request(i) for i in range(40)]
    order = [distinct[(7 * i) % 40] for i in range(120)]
    answers = client.ask(order)
    assert [answer.key for answer in answers] == [client.key(request) for request in order]
    assert served(emulator, distinct) == [1] * 40
    assert len(client.store.ledger_frame()) == 40


def test_what_is_stored_is_never_asked_again(
    client: ClaudeClient, emulator: EmulatorProcess, make_request: MakeRequest, tmp_path: Path
) -> None:
    requests = [make_request(i) for i in range(20)]
    first = client.ask(requests[:12])
    with ClaudeClient(
        origin=Origin.SIMULATED, store=tmp_path / "a.sqlite", base_url=emulator.url
    ) as other:
        again = other.ask(requests)
        assert [a.cached for a in again] == [True] * 12 + [False] * 8
        assert [a.text for a in again[:12]] == [a.text for a in first]
        assert [a.latency_s for a in again[:12]] == [a.latency_s for a in first]
        assert other.spent_usd == pytest.approx(sum(a.cost_usd for a in again[12:]))
    assert served(emulator, requests) == [1] * 20


def test_when_all_is_stored_nothing_is_started_or_opened(
    client: ClaudeClient, make_request: MakeRequest, tmp_path: Path
) -> None:
    client.ask([make_request(1)])
    alone = ClaudeClient(origin=Origin.SIMULATED, store=tmp_path / "a.sqlite")
    assert alone.ask([make_request(1)])[0].cached
    assert alone._engine.connection._emulator is None
    alone.close()
    # The same for an endpoint where nothing listens.
    url = closed_port_url()
    nowhere = ClaudeClient(origin=Origin.LOCAL, store=tmp_path / "b.sqlite", base_url=url)
    stored = client.ask([make_request(1)])[0]
    nowhere.store.put(replace(stored, key=nowhere.key(make_request(1)), cached=False))
    assert nowhere.ask([make_request(1)])[0].cached
    nowhere.close()


def test_repeats_are_asked_again(
    client: ClaudeClient, emulator: EmulatorProcess, make_request: MakeRequest
) -> None:
    repeats = [make_request(1, repeat=r) for r in range(3)]
    assert len({answer.key for answer in client.ask(repeats)}) == 3
    assert served(emulator, repeats[:1]) == [3]


def test_it_works_inside_a_running_loop(client: ClaudeClient, make_request: MakeRequest) -> None:
    async def cell() -> int:
        return len(client.ask([make_request(i) for i in range(5)]))

    assert asyncio.run(cell()) == 5


def test_the_environment_of_the_sdk_and_proxies_do_not_leak_in(
    client: ClaudeClient, make_request: MakeRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = closed_port_url()
    for name in ("ANTHROPIC_BASE_URL", "HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, nowhere)
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "other")
    monkeypatch.setenv("ANTHROPIC_PROFILE", "nobody")
    assert client.ask([make_request(1)])[0].error is None


def test_threads_may_share_a_client(
    client: ClaudeClient, emulator: EmulatorProcess, make_request: MakeRequest
) -> None:
    parts = [[make_request(10 * part + i) for i in range(10)] for part in range(4)]
    with ThreadPoolExecutor(4) as pool:
        answered = list(pool.map(client.ask, parts))
    assert [len(part) for part in answered] == [10] * 4
    costs = [answer.cost_usd for part in answered for answer in part]
    assert client.spent_usd == pytest.approx(sum(costs))
    assert served(emulator, [request for part in parts for request in part]) == [1] * 40


def test_progress_ends_complete(client: ClaudeClient, make_request: MakeRequest) -> None:
    seen: list[Progress] = []
    client.ask([make_request(1)])
    client.ask([make_request(i) for i in range(10)], on_progress=seen.append)
    last = seen[-1]
    assert (last.done, last.total, last.cached, last.errors) == (10, 10, 1, 0)
    assert last.cost_usd > 0
    assert last.eta_s == 0


def test_a_failing_progress_callback_loses_nothing(
    client: ClaudeClient, make_request: MakeRequest
) -> None:
    def fail(progress: Progress) -> None:
        raise RuntimeError(f"display is gone at {progress.done}")

    requests = [make_request(i) for i in range(30)]
    with pytest.raises(RuntimeError, match="display is gone"):
        client.ask(requests, on_progress=fail)
    kept = client.store.get_many(client.key(request) for request in requests)
    assert len(client.store.ledger_frame()) == len(kept)
    assert len(client.ask(requests)) == 30
    assert len(client.store.ledger_frame()) == 30


def test_an_empty_list_is_answered(client: ClaudeClient) -> None:
    assert client.ask([]) == []


def test_an_unknown_model_costs_nothing(client: ClaudeClient, make_request: MakeRequest) -> None:
    requests = [make_request(1), make_request(2, model="claude-haiku-5-6")]
    with pytest.raises(PriceError, match="claude-haiku-5-6"):
        client.ask(requests)
    assert len(client.store.ledger_frame()) == 0


def test_the_estimate_brackets_the_cost(client: ClaudeClient, make_request: MakeRequest) -> None:
    requests = [make_request(i, max_tokens=400) for i in range(10)]
    client.ask(requests[:3])
    before = client.spent_usd
    estimate = client.estimate([*requests, requests[5]])
    assert (estimate.n_requests, estimate.n_stored) == (10, 3)
    assert estimate.price_table == PRICES.id
    answers = client.ask(requests)
    tokens = sum(answer.usage.input_tokens for answer in answers[3:])
    assert estimate.input_tokens_estimate == pytest.approx(tokens, rel=0.2)
    assert estimate.cost_usd_low < estimate.cost_usd < estimate.cost_usd_high
    assert client.spent_usd - before < estimate.cost_usd_high < estimate.cost_usd_most * 1.5


def test_a_replay_reads_live_answers_and_asks_nobody(
    client: ClaudeClient, make_request: MakeRequest
) -> None:
    request = make_request(1)
    asked = client.ask([request])[0]
    replay = ClaudeClient(origin=Origin.REPLAY, store=client.store)
    with pytest.raises(ClaudeError, match="1 of the requests were never recorded live"):
        replay.ask([request])
    live = replace(asked, key=request.key(Origin.LIVE, None), origin=Origin.LIVE)
    client.store.put(live)
    answer = replay.ask([request])[0]
    assert answer.origin is Origin.REPLAY
    assert answer.cached
    assert replay.estimate([request]).cost_usd_high == 0


def test_what_an_emulator_answers_is_simulated_whatever_the_client_believes(
    emulator: EmulatorProcess, make_request: MakeRequest, tmp_path: Path
) -> None:
    with ClaudeClient(
        origin=Origin.LOCAL, store=tmp_path / "b.sqlite", base_url=emulator.url
    ) as local:
        assert local.ask([make_request(1)])[0].origin is Origin.SIMULATED


def test_a_model_that_is_not_the_requested_one_is_told_and_priced_dearer(
    make_request: MakeRequest, tmp_path: Path
) -> None:
    plan = FaultPlan((FaultRule("wrong_model", rate=1.0),))
    with (
        EmulatorProcess(plan) as other,
        ClaudeClient(
            origin=Origin.SIMULATED, store=tmp_path / "b.sqlite", base_url=other.url
        ) as client,
    ):
        answer = client.ask([make_request(1)])[0]
    assert (answer.model_requested, answer.model_answered) == (
        "claude-haiku-5-5",
        "claude-opus-5-5",
    )
    opus = (answer.usage.input_tokens * 4 + answer.usage.output_tokens * 20) / 1e6
    assert answer.cost_usd == pytest.approx(opus)


def test_the_emulator_starts_when_needed_and_stops_on_close(
    tmp_path: Path, make_request: MakeRequest
) -> None:
    client = ClaudeClient(origin=Origin.SIMULATED, store=tmp_path / "b.sqlite")
    client.ask([make_request(1)])
    started = client._engine.connection._emulator
    assert isinstance(started, EmulatorProcess)
    running = [started.running]
    client.close()
    running.append(started.running)
    assert running == [True, False]
    # Closed is not dead.
    assert not client.ask([make_request(2)])[0].cached
    client.close()


def test_scikit_learn_shares_the_client(client: ClaudeClient) -> None:
    holder = FunctionTransformer(kw_args={"client": client})
    assert clone(holder).kw_args["client"] is client
    assert clone(client) is client
    assert copy.deepcopy(client) is client


def test_a_pickle_works_and_holds_no_key(
    emulator: EmulatorProcess, make_request: MakeRequest, tmp_path: Path
) -> None:
    with ClaudeClient(
        origin=Origin.LOCAL,
        store=tmp_path / "b.sqlite",
        base_url=emulator.url,
        api_key=KEY,
        budget_usd=3.0,
    ) as client:
        client.ask([make_request(1)])
        data = pickle.dumps(client)
        assert KEY.encode() not in data
        with pickle.loads(data) as again:  # noqa: S301 -- our own bytes
            assert again.ask([make_request(1)])[0].cached
            assert again.spent_usd == 0
            assert again._engine.budget.limit_usd == 3.0
            assert again.ask([make_request(2)])[0].error is None


def test_the_key_is_nowhere_to_be_seen(
    make_request: MakeRequest, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    plan = FaultPlan((FaultRule("unauthorized_401", rate=0.5), FaultRule("server_500", first_n=1)))
    with (
        EmulatorProcess(plan) as emulator,
        ClaudeClient(
            origin=Origin.LOCAL,
            store=tmp_path / "b.sqlite",
            base_url=emulator.url,
            api_key=KEY,
            concurrency=1,
        ) as client,
    ):
        with pytest.raises(ClaudeError, match="AuthenticationError 401") as caught:
            client.ask([make_request(i) for i in range(20)])
        shown = [repr(client), str(client), repr(client._engine._wire())]
    shown += ["".join(traceback.format_exception(caught.value)), caplog.text]
    shown += [path.read_bytes().decode("latin-1") for path in tmp_path.iterdir()]
    assert len(caplog.text) > 100
    assert not [text for text in shown if KEY in text]


def test_neither_prompt_nor_lead_is_stored(client: ClaudeClient, tmp_path: Path) -> None:
    client.ask([ClaudeRequest("claude-haiku-5-5", "<message>Ana Perez lives here</message>")])
    client.close()
    content = (tmp_path / "a.sqlite").read_bytes()
    assert f"sim:{READER_VERSION}".encode() in content
    assert b"Ana" not in content


@pytest.mark.parametrize(
    ("key", "url", "origin"),
    [
        (None, None, Origin.SIMULATED),
        (KEY, None, Origin.LIVE),
        (KEY, "http://127.0.0.1:9", Origin.LOCAL),
        (None, "http://127.0.0.1:9", Origin.LOCAL),
    ],
)
def test_settings_choose_the_origin(
    tmp_path: Path, key: str | None, url: str | None, origin: Origin
) -> None:
    settings = Settings(root=tmp_path, data_dir=tmp_path, api_key=key, base_url=url)
    client = ClaudeClient.from_settings(settings, concurrency=3)
    assert client.origin is origin
    assert client._engine.connection.base_url == url
    assert client.pace.concurrency == 3
    assert client.store.path == tmp_path / "mlruns" / "answers.sqlite"


def test_settings_can_be_overruled(tmp_path: Path) -> None:
    settings = Settings(root=tmp_path, data_dir=tmp_path, api_key=KEY, base_url="http://x")
    client = ClaudeClient.from_settings(
        settings, origin=Origin.SIMULATED, store_path=tmp_path / "other.sqlite"
    )
    assert (
        client.origin,
        client._engine.connection.base_url,
        client._engine.connection._api_key,
    ) == (
        Origin.SIMULATED,
        None,
        None,
    )
    assert client.store.path == tmp_path / "other.sqlite"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"origin": "live"}, "live client has no API key.*ANTHROPIC_API_KEY"),
        ({"origin": "live", "api_key": KEY, "base_url": "http://x"}, "live client has a base_url"),
        ({"origin": "local"}, "local client has no base_url"),
        ({"origin": "simulated", "base_url": "https://api.anthropic.com"}, "on this machine"),
        ({"origin": "simulated", "concurrency": 0}, "concurrency is 0"),
        ({"origin": "simulated", "budget_usd": -1}, "budget_usd is -1"),
        ({"origin": "simulated", "timeout_s": float("nan")}, "timeout_s is nan"),
    ],
)
def test_options_that_do_not_fit_are_refused(
    tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ClaudeError, match=message):
        ClaudeClient(store=AnswerStore(tmp_path / "a.sqlite"), **options)
