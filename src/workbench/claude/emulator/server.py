"""A loopback server that speaks Anthropic's Messages API; the answers are a simple reader's.

Start it with ``python -m workbench.claude.emulator --port 0``: it prints its address as one
JSON line and stops when its standard input closes, so that it never outlives its parent.
Everything it says is labelled: the header ``x-workbench-origin: simulated`` and model names
that begin with ``sim:``. It keeps its own books (``GET /_books``) against which a client's can
be reconciled to the token.
"""

import argparse
import asyncio
import json
import math
import os
import socket
import sys
import threading
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from workbench.claude.emulator.answers import (
    complaint,
    content_digest,
    input_tokens,
    message,
)
from workbench.claude.emulator.batches import Batches, batch_json, results_lines
from workbench.claude.emulator.faults import FaultPlan, FaultRule
from workbench.claude.emulator.prompt_cache import PromptCache
from workbench.claude.emulator.reader import READER_VERSION
from workbench.claude.emulator.streams import STREAM_FAULTS, stream
from workbench.claude.limits import Limiter, RateLimits

__all__ = ["build_app", "main"]

_BOOKS_WAIT_S = 1.0
_BILLED = (
    "input_tokens",
    "output_tokens",
    "cache_creation_input_tokens",
    "cache_read_input_tokens",
)
_MODEL = {
    "type": "model",
    "id": f"sim:{READER_VERSION}",
    "display_name": "Simulated reader (rules and lexicons, not Claude)",
    "created_at": "2026-11-20T00:00:00Z",
}
_STATUS_FAULTS = {
    "rate_limit_429": (429, "rate_limit_error"),
    "overloaded_529": (529, "overloaded_error"),
    "server_500": (500, "api_error"),
    "timeout_408": (408, "timeout_error"),
    "unauthorized_401": (401, "authentication_error"),
    "forbidden_403": (403, "permission_error"),
    "invalid_request_400": (400, "invalid_request_error"),
}


@dataclass(slots=True)
class Books:
    """What the emulator was asked and what it billed."""

    requests: int = 0
    answered: int = 0
    tokens: Counter[str] = field(default_factory=Counter)
    batch_tokens: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    asked: Counter[str] = field(default_factory=Counter)
    served: Counter[str] = field(default_factory=Counter)

    def bill(self, usage: Mapping[str, Any], *, batch: bool = False) -> None:
        """Add what an answer, or a part of one, reported as its usage."""
        (self.batch_tokens if batch else self.tokens).update({n: usage.get(n, 0) for n in _BILLED})

    def as_json(self) -> dict[str, object]:
        """Everything, with counts by content digest."""
        return {
            "requests": self.requests,
            "answered": self.answered,
            **{name: self.tokens[name] for name in _BILLED},
            "batch": {name: self.batch_tokens[name] for name in _BILLED},
            "faults": dict(self.faults),
            "by_key": {
                key: {"requests": count, "answered": self.served[key]}
                for key, count in self.asked.items()
            },
        }


def build_app(plan: FaultPlan | None = None) -> Starlette:
    """Build the server.

    Parameters
    ----------
    plan
        Faults to play; none when omitted.

    Returns
    -------
    Starlette
        An ASGI application with books of its own.

    Examples
    --------
    >>> [route.path for route in build_app().routes]
    ['/v1/messages', '/v1/messages/count_tokens', '/v1/messages/batches', ..., '/_books']
    """
    emulator = _Emulator(plan or FaultPlan())
    batches = "/v1/messages/batches"
    return Starlette(
        routes=[
            Route("/v1/messages", emulator.messages, methods=["POST"]),
            Route("/v1/messages/count_tokens", emulator.count_tokens, methods=["POST"]),
            Route(batches, emulator.create_batch, methods=["POST"]),
            Route(batches, emulator.list_batches, methods=["GET"]),
            Route(f"{batches}/{{batch_id}}", emulator.show_batch, methods=["GET"]),
            Route(f"{batches}/{{batch_id}}/results", emulator.batch_results, methods=["GET"]),
            Route("/v1/models", emulator.models, methods=["GET"]),
            Route("/v1/models/{model_id}", emulator.model, methods=["GET"]),
            Route("/_books", emulator.show_books, methods=["GET"]),
        ]
    )


class _Emulator:
    def __init__(self, plan: FaultPlan) -> None:
        self.plan = plan
        self.books = Books()
        self.news = asyncio.Event()
        self.prompt_cache = PromptCache()
        self.batches = Batches(self._batch_result, plan.batch_polls)
        self.limiter = Limiter(RateLimits(plan.requests_per_minute))

    async def messages(self, request: Request) -> Response:
        self.books.requests += 1
        headers = self._headers()
        body, refusal = await _validated(request, headers, needs_max_tokens=True)
        refusal = refusal or self._rate_limited(headers)
        if refusal is not None:
            return refusal
        digest = content_digest(body)
        self.books.asked[digest] += 1
        attempt = self.books.asked[digest]
        fault = self.plan.strike(digest, attempt)
        streamed = bool(body.get("stream"))
        if fault is not None and (streamed or fault.kind not in STREAM_FAULTS):
            self.books.faults[fault.kind] += 1
        wait_s = self.plan.latency.wait_s(digest, attempt)
        if fault is not None and fault.kind == "slow":
            wait_s += fault.delay_s
        if wait_s > 0:
            await asyncio.sleep(wait_s)
        broken = _broken(fault, headers) if fault is not None else None
        if broken is not None:
            return broken
        kind = fault.kind if fault is not None else None
        answer = self._answer(body, digest, kind)
        if not streamed:
            self._served(digest, answer["usage"])
            return _json(answer, 200, headers)
        events = stream(
            answer,
            fault=kind,
            stall_s=fault.delay_s if fault is not None else 0.0,
            gap_s=self.plan.latency.gap_s,
            bill=lambda usage: self._served(digest, usage, whole=kind not in STREAM_FAULTS),
        )
        return StreamingResponse(events, media_type="text/event-stream", headers=headers)

    def _answer(self, body: dict[str, Any], digest: str, kind: str | None) -> dict[str, Any]:
        usage = self.prompt_cache.split(body, input_tokens(body))
        return message(body, digest, self.books.served[digest], kind, usage)

    def _served(self, digest: str, usage: Mapping[str, Any], *, whole: bool = True) -> None:
        self.books.bill(usage)
        if whole:
            self.books.answered += 1
            self.books.served[digest] += 1
            self.news.set()

    def _rate_limited(self, headers: dict[str, str]) -> Response | None:
        limit = self.plan.requests_per_minute
        if limit is None:
            return None
        wait_s = self.limiter.wait_s(0, 0)
        if wait_s <= 0:
            self.limiter.take()
        headers["anthropic-ratelimit-requests-limit"] = str(limit)
        headers["anthropic-ratelimit-requests-remaining"] = str(self.limiter.requests_left())
        if wait_s <= 0:
            return None
        headers["retry-after"] = f"{math.ceil(wait_s)}"
        self.books.faults["over_the_rate_limit"] += 1
        return _error(429, "rate_limit_error", "requests per minute exceeded", headers)

    async def create_batch(self, request: Request) -> Response:
        self.books.requests += 1
        headers = self._headers()
        try:
            requests = json.loads(await request.body())["requests"]
            wrong = next(
                (w for r in requests if (w := complaint(r["params"], needs_max_tokens=True))), None
            )
            unique = len({r["custom_id"] for r in requests}) == len(requests)
        except (ValueError, KeyError, TypeError):
            return _error(400, "invalid_request_error", "requests: malformed", headers)
        if wrong is None and not (requests and unique):
            wrong = "requests: at least one, each with a custom_id of its own"
        if wrong is not None:
            return _error(400, "invalid_request_error", wrong, headers)
        return _json(batch_json(self.batches.create(requests), _base(request)), 200, headers)

    async def list_batches(self, request: Request) -> Response:
        data = [batch_json(batch, _base(request)) for batch in self.batches.all()]
        page = {"data": data, "has_more": False, "first_id": None, "last_id": None}
        return _json(page, 200, self._headers())

    async def show_batch(self, request: Request) -> Response:
        batch = self.batches.get(request.path_params["batch_id"])
        if batch is None:
            return _error(404, "not_found_error", "no such batch", self._headers())
        return _json(batch_json(batch, _base(request)), 200, self._headers())

    async def batch_results(self, request: Request) -> Response:
        batch = self.batches.get(request.path_params["batch_id"])
        if batch is None or batch.ended_at is None:
            return _error(404, "not_found_error", "no results yet", self._headers())
        return Response(results_lines(batch), 200, self._headers(), media_type="application/binary")

    def _batch_result(self, params: dict[str, Any]) -> dict[str, Any]:
        digest = content_digest(params)
        self.books.asked[digest] += 1
        fault = self.plan.strike(digest, self.books.asked[digest])
        if fault is not None and fault.kind in _STATUS_FAULTS:
            self.books.faults[fault.kind] += 1
            error = {"type": _STATUS_FAULTS[fault.kind][1], "message": "scripted fault"}
            return {"type": "errored", "error": {"type": "error", "error": error}}
        answer = self._answer(params, digest, fault.kind if fault is not None else None)
        answer["usage"]["service_tier"] = "batch"
        self.books.bill(answer["usage"], batch=True)
        self.books.answered += 1
        self.books.served[digest] += 1
        return {"type": "succeeded", "message": answer}

    async def count_tokens(self, request: Request) -> Response:
        headers = self._headers()
        body, refusal = await _validated(request, headers, needs_max_tokens=False)
        return refusal or _json({"input_tokens": input_tokens(body)}, 200, headers)

    async def models(self, _request: Request) -> Response:
        page = {"data": [_MODEL], "has_more": False, "first_id": _MODEL["id"]}
        return _json(page | {"last_id": _MODEL["id"]}, 200, self._headers())

    async def model(self, request: Request) -> Response:
        if request.path_params["model_id"] != _MODEL["id"]:
            return _error(404, "not_found_error", "no such model", self._headers())
        return _json(_MODEL, 200, self._headers())

    async def show_books(self, request: Request) -> Response:
        # `?answered=N` waits up to a second for the N-th answer, so that nobody need poll hard.
        wanted = int(request.query_params.get("answered", 0))
        with suppress(TimeoutError):
            async with asyncio.timeout(_BOOKS_WAIT_S):
                while self.books.answered < wanted:
                    self.news.clear()
                    await self.news.wait()
        return _json(self.books.as_json(), 200, self._headers())

    def _headers(self) -> dict[str, str]:
        return {
            "request-id": f"req_sim_{self.books.requests:08d}",
            "x-workbench-origin": "simulated",
        }


async def _validated(
    request: Request, headers: dict[str, str], *, needs_max_tokens: bool
) -> tuple[dict[str, Any], Response | None]:
    if not request.headers.get("authorization", "").startswith("Bearer "):
        return {}, _error(
            401, "authentication_error", "authorization: Bearer <key> is needed", headers
        )
    try:
        body = json.loads(await request.body())
    except ValueError:
        return {}, _error(400, "invalid_request_error", "the body is not JSON", headers)
    if not isinstance(body, dict):
        return {}, _error(400, "invalid_request_error", "the body is not an object", headers)
    refused = complaint(body, needs_max_tokens=needs_max_tokens)
    if "anthropic-version" not in request.headers:
        refused = "anthropic-version: header is required"
    if refused is not None:
        return body, _error(400, "invalid_request_error", refused, headers)
    model = body.get("model")
    if not str(model).startswith(("claude-", "sim:")):
        return body, _error(404, "not_found_error", f"model: {model}", headers)
    return body, None


def _broken(fault: FaultRule, headers: dict[str, str]) -> Response | None:
    """Answer of a fault that serves nothing, `None` for one that changes the answer."""
    if fault.kind in _STATUS_FAULTS:
        status, kind = _STATUS_FAULTS[fault.kind]
        if fault.retry_after_s is not None:
            headers["retry-after"] = f"{fault.retry_after_s:g}"
        return _error(status, kind, f"scripted fault {fault.kind}", headers)
    if fault.kind == "broken_body":
        return Response('{"id": "msg_', 200, headers, media_type="application/json")
    if fault.kind == "drop_connection":
        # A body shorter than announced makes the server close the connection half way.
        return _Dropped(headers={**headers, "content-length": "4096"})
    return None


def _base(request: Request) -> str:
    return str(request.base_url).rstrip("/")


class _Dropped(Response):
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": b"{", "more_body": True})


def _json(value: object, status: int, headers: dict[str, str]) -> Response:
    return Response(json.dumps(value), status, headers, media_type="application/json")


def _error(status: int, kind: str, message: str, headers: dict[str, str]) -> Response:
    error = {"type": kind, "message": message}
    body = {"type": "error", "error": error, "request_id": headers["request-id"]}
    return _json(body, status, headers)


def _stop_with_parent(server: uvicorn.Server) -> None:
    # End of file comes when the parent closes the pipe or dies, however it dies. Read below
    # the buffered layer: its lock, held by a blocked read, would upset the interpreter's exit.
    while os.read(sys.stdin.fileno(), 4096):
        pass
    server.should_exit = True


def main(arguments: list[str] | None = None) -> None:
    """Serve on the loopback address until standard input closes.

    Parameters
    ----------
    arguments
        Command line; the process's own when omitted. ``--port 0`` takes any free port,
        ``--faults`` names a JSON fault plan.

    Raises
    ------
    ClaudeError
        When the fault plan cannot be read.
    """
    parser = argparse.ArgumentParser(prog="python -m workbench.claude.emulator")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--faults", type=Path)
    chosen = parser.parse_args(arguments)
    plan = FaultPlan.from_json(chosen.faults.read_text("utf-8")) if chosen.faults else None
    # With the protocol named, asyncio switches Nagle's delay off for every connection.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", chosen.port))
    listener.listen(512)
    config = uvicorn.Config(
        build_app(plan),
        log_config=None,
        log_level="critical",
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=1,
        # Clients reuse connections; an idle one must not be closed under a request in flight.
        timeout_keep_alive=120,
    )
    server = uvicorn.Server(config)
    sys.stdout.write(json.dumps({"url": f"http://127.0.0.1:{listener.getsockname()[1]}"}) + "\n")
    sys.stdout.flush()
    threading.Thread(target=_stop_with_parent, args=(server,), daemon=True).start()
    server.run(sockets=[listener])
