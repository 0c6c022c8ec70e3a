"""The wire: the SDK as we set it up, and what its answers say."""

import contextvars
import ipaddress
import urllib.parse
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workbench.claude.messages import Usage
from workbench.claude.origin import Origin
from workbench.claude.prices import PriceTable

if TYPE_CHECKING:
    import anthropic

__all__ = ["Wire", "attempts_made", "is_loopback", "read_text", "read_usage", "sdk"]

MAX_RETRY_AFTER_S = 30.0
"""The SDK waits as long as a `retry-after` header says; we wait no longer than this."""


attempts_made: contextvars.ContextVar[list[int]] = contextvars.ContextVar("attempts_made")
"""Number of attempts of the request this task is asking, in a list of one."""


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
        Retries after the first attempt, by the SDK.
    timeout_s
        Seconds one attempt may take.
    prices
        Price table.
    max_retry_after_s
        Most seconds a server's `retry-after` makes us wait.
    """

    origin: Origin
    base_url: str
    api_key: str = field(repr=False)
    concurrency: int
    max_retries: int
    timeout_s: float
    prices: PriceTable = field(repr=False)
    max_retry_after_s: float = MAX_RETRY_AFTER_S


def is_loopback(url: str) -> bool:
    """Tell whether a URL stays on this machine."""
    host = urllib.parse.urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def sdk(wire: Wire) -> "anthropic.AsyncAnthropic":
    """Set up the SDK's client for a wire."""
    import anthropic

    # A proxy is for the outside: what runs on this machine is spoken to directly.
    http_client = anthropic.DefaultAioHttpClient(trust_env=not is_loopback(wire.base_url))
    return anthropic.AsyncAnthropic(
        # Both explicit, always: the SDK would otherwise look into the environment.
        api_key=wire.api_key,
        base_url=wire.base_url,
        max_retries=wire.max_retries,
        timeout=wire.timeout_s,
        http_client=http_client,
        middleware=[_each_attempt(wire.max_retry_after_s)],
        open_telemetry=False,  # the ledger and the records are the account of every call
    )


def _each_attempt(longest_s: float) -> "anthropic.AsyncMiddlewareCallable":
    """Count the attempt, and bound how long the server can make us wait for the next one."""

    async def attempt(
        request: "anthropic.APIRequest",
        call_next: Callable[["anthropic.APIRequest"], Awaitable["anthropic.AsyncAPIResponse[Any]"]],
    ) -> "anthropic.AsyncAPIResponse[Any]":
        attempts_made.get()[0] += 1
        response = await call_next(request)
        headers = response.http_response.headers
        for name, longest in (("retry-after-ms", 1000 * longest_s), ("retry-after", longest_s)):
            if name in headers and _exceeds(headers[name], longest):
                headers[name] = f"{longest:g}"
        return response

    return attempt


def _exceeds(value: str, longest: float) -> bool:
    try:
        return not float(value) <= longest
    except ValueError:
        return True  # a date: the bound is as good a wait as any


def read_usage(reported: dict[str, Any]) -> Usage:
    """Read the billed tokens; what is missing counts as none."""

    def count(source: object, name: str) -> int:
        value = source.get(name) if isinstance(source, dict) else None
        return value if isinstance(value, int) else 0

    return Usage(
        input_tokens=count(reported, "input_tokens"),
        output_tokens=count(reported, "output_tokens"),
        cache_read_input_tokens=count(reported, "cache_read_input_tokens"),
        cache_creation_input_tokens=count(reported, "cache_creation_input_tokens"),
        thinking_tokens=count(reported.get("output_tokens_details"), "thinking_tokens"),
    )


def read_text(content: object) -> str | None:
    """Join the text blocks; thinking and other blocks may stand before them."""
    blocks = content if isinstance(content, list) else []
    parts = [b.get("text", "") for b in blocks if isinstance(b, dict) and b.get("type") == "text"]
    return "".join(map(str, parts)) if parts else None
