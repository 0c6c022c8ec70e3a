"""The wire: the SDK as we set it up, and what each attempt of it did."""

import contextvars
import ipaddress
import time
import urllib.parse
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workbench.claude.limits import Limiter, RateLimits
from workbench.claude.origin import Origin
from workbench.claude.prices import PriceTable

if TYPE_CHECKING:
    import anthropic

__all__ = ["Attempts", "Wire", "attempts_made", "is_loopback", "sdk"]

_RATE_LIMITED = 429


@dataclass(slots=True)
class Attempts:
    """What the SDK did for one request, its own retries included.

    Parameters
    ----------
    input_tokens, output_tokens
        Expected of each attempt, for the rate limits.
    count
        Attempts begun.
    latencies_s
        Seconds of each attempt that ended, up to its headers.
    sent_s
        Clock when the first attempt was let through; `None` before.
    began_s
        Clock when the latest attempt was let through.
    headers
        Headers of the latest response, names in lower case.
    """

    input_tokens: float
    output_tokens: float
    count: int = 0
    latencies_s: list[float] = field(default_factory=list)
    sent_s: float | None = None
    began_s: float = 0.0
    headers: dict[str, str] = field(default_factory=dict)


attempts_made: contextvars.ContextVar[Attempts] = contextvars.ContextVar("attempts_made")
"""Attempts of the request this task is asking."""


@dataclass(frozen=True, slots=True)
class Wire:
    """Where and how requests are sent.

    Parameters
    ----------
    origin
        Who answers there.
    base_url
        The endpoint.
    api_key
        Key sent as bearer token; never shown.
    concurrency
        Requests in flight at once.
    max_retries
        Retries after the first attempt.
    timeout_s
        Seconds one attempt may take; of a stream, seconds it may say nothing.
    prices
        Price table.
    limits
        Rate limits known beforehand.
    max_retry_after_s
        Most seconds a server's `retry-after` makes us wait; the SDK alone would wait an hour.
    tracer_provider
        OpenTelemetry's, for spans of calls; the registered one when `None`.
    """

    origin: Origin
    base_url: str
    api_key: str = field(repr=False)
    concurrency: int
    max_retries: int
    timeout_s: float
    prices: PriceTable = field(repr=False)
    limits: RateLimits = field(default_factory=RateLimits)
    max_retry_after_s: float = 30.0
    tracer_provider: Any = field(default=None, repr=False)


def is_loopback(url: str) -> bool:
    """Tell whether a URL stays on this machine."""
    host = urllib.parse.urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def sdk(wire: Wire, limiter: Limiter, *, traced: bool = False) -> "anthropic.AsyncAnthropic":
    """Set up the SDK's client for a wire.

    Parameters
    ----------
    wire
        Where and how.
    limiter
        What its attempts go through.
    traced
        Whether it records a span of each call: metadata only, never texts.
    """
    import anthropic

    # A proxy is for the outside: what runs on this machine is spoken to directly.
    http_client = anthropic.DefaultAioHttpClient(trust_env=not is_loopback(wire.base_url))
    spans: anthropic.OpenTelemetryOptions = {
        "traces": {"enabled": True, "content_mode": "metadata_only"}
    }
    if wire.tracer_provider is not None:
        spans["tracer_provider"] = wire.tracer_provider
    return anthropic.AsyncAnthropic(
        # Both explicit, always: the SDK would otherwise look into the environment.
        api_key=wire.api_key,
        base_url=wire.base_url,
        max_retries=wire.max_retries,
        timeout=wire.timeout_s,
        http_client=http_client,
        middleware=[_each_attempt(limiter, wire.max_retry_after_s)],
        # The ledger and the records are the account of every call; spans are for looking.
        open_telemetry=spans if traced else False,
    )


def _each_attempt(limiter: Limiter, longest_s: float) -> "anthropic.AsyncMiddlewareCallable":
    """Hold each attempt to the rate limits, time it, and bound the wait for the next one."""

    async def attempt(
        request: "anthropic.APIRequest",
        call_next: Callable[["anthropic.APIRequest"], Awaitable["anthropic.AsyncAPIResponse[Any]"]],
    ) -> "anthropic.AsyncAPIResponse[Any]":
        made = attempts_made.get(None)
        if made is None:  # no message: a batch's own calls
            return await call_next(request)
        await limiter.admit(made.input_tokens, made.output_tokens)
        made.count += 1
        made.began_s = time.perf_counter()
        if made.sent_s is None:
            made.sent_s = made.began_s
        try:
            response = await call_next(request)
        finally:
            made.latencies_s.append(time.perf_counter() - made.began_s)
        # One pass over the raw headers: looking each up by name costs more than the rest here.
        headers = response.http_response.headers
        told = {name.lower(): value.decode("latin-1") for name, value in headers.raw}
        made.headers = {name.decode("latin-1"): value for name, value in told.items()}
        for name, longest in ((b"retry-after-ms", 1000 * longest_s), (b"retry-after", longest_s)):
            if name in told:
                if _exceeds(told[name], longest):
                    told[name] = headers[name.decode()] = f"{longest:g}"
                if response.http_response.status_code == _RATE_LIMITED:
                    # The limit is the account's: what else is waiting would be refused too.
                    limiter.pause(float(told[name]) * longest_s / longest)
        limiter.learn(made.headers)
        return response

    return attempt


def _exceeds(value: str, longest: float) -> bool:
    try:
        return not float(value) <= longest
    except ValueError:
        return True  # a date: the bound is as good a wait as any
