"""What an endpoint sent back, read without believing any of it."""

import itertools
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workbench.claude.messages import Usage

if TYPE_CHECKING:
    import anthropic

__all__ = ["Partial", "Reply", "read_body", "read_message", "read_stream", "read_usage"]


@dataclass(frozen=True, slots=True)
class Partial:
    """A piece of a streamed answer, as it arrives.

    Parameters
    ----------
    key
        Key of the request.
    delta
        The new piece of text.
    text
        Everything so far.
    elapsed_s
        Seconds since the attempt was sent.
    """

    key: str
    delta: str
    text: str
    elapsed_s: float


@dataclass(slots=True)
class Reply:
    """One attempt's answer; `broken` says why it is none.

    Parameters
    ----------
    headers
        Of the response.
    usage
        Tokens reported, also by a reply that broke off.
    model, text, stop_reason
        What the message says; `None` where it does not.
    broken
        What is wrong with it: nothing, or why it must be asked again.
    piece_times_s
        When each streamed piece of text came, seconds since sending.
    """

    headers: Mapping[str, str]
    usage: Usage = field(default_factory=Usage)
    model: str | None = None
    text: str | None = None
    stop_reason: str | None = None
    broken: str | None = None
    piece_times_s: list[float] = field(default_factory=list)

    @property
    def ttft_s(self) -> float | None:
        """Seconds to the first piece of text; `None` where none was streamed."""
        return self.piece_times_s[0] if self.piece_times_s else None

    @property
    def gaps_s(self) -> list[float]:
        """Seconds between pieces of text."""
        times = self.piece_times_s
        return [b - a for a, b in itertools.pairwise(times)]


async def read_message(raw: "anthropic.AsyncAPIResponse[Any]", headers: Mapping[str, str]) -> Reply:
    """Read an answer that came in one piece.

    Parameters
    ----------
    raw
        The SDK's raw response.
    headers
        Its headers.

    Returns
    -------
    Reply
        Broken when it is no message with its usage.
    """
    try:
        body = await raw.json()
    except ValueError:
        body = None
    return read_body(body, headers)


def read_body(body: object, headers: Mapping[str, str]) -> Reply:
    """Read the JSON of a message.

    Parameters
    ----------
    body
        Parsed JSON, or anything.
    headers
        Headers it came with.

    Returns
    -------
    Reply
        Broken when it is no message with its usage.

    Examples
    --------
    >>> read_body({"usage": {"input_tokens": 5}, "stop_reason": "end_turn"}, {}).usage.input_tokens
    5
    >>> read_body("gateway error", {}).broken
    'unreadable answer'
    """
    if not isinstance(body, dict) or not isinstance(body.get("usage"), dict):
        return Reply(headers, broken="unreadable answer")
    stop_reason = body.get("stop_reason")
    return Reply(
        headers,
        # What was billed is read before anything else of the answer is looked at.
        usage=read_usage(body["usage"]),
        model=_string(body.get("model")),
        text=_text(body.get("content")),
        stop_reason=_string(stop_reason),
        broken=None if isinstance(stop_reason, str) else "answer without a stop_reason",
    )


async def read_stream(
    raw: "anthropic.AsyncAPIResponse[Any]",
    headers: Mapping[str, str],
    sent_s: float,
    *,
    traced: bool,
    on_piece: Callable[[str, str, float], None] | None,
) -> Reply:
    """Read a streamed answer to its end, or to where it breaks.

    Parameters
    ----------
    raw
        The SDK's raw response.
    headers
        Its headers.
    sent_s
        Clock (`time.perf_counter`) when the attempt was sent.
    traced
        Whether the SDK reads along, for its span.
    on_piece
        Told each piece of text, all so far, and the seconds since sending.

    Returns
    -------
    Reply
        Broken, with the usage reported so far, when the stream did not end with a
        ``message_stop``.
    """
    import anthropic
    import httpx2

    reply = Reply(headers)
    reported: dict[str, Any] = {}
    pieces: list[str] = []
    ended = False
    try:
        # Raw events: the SDK's typed ones are validated one by one, which costs more than
        # everything else a stream does.
        events = (
            _typed(await raw.parse())
            if traced
            else _parsed(anthropic.AsyncStream.raw_events(raw.http_response))
        )
        async for kind, data in events:
            if kind == "content_block_delta" and data.get("delta", {}).get("type") == "text_delta":
                pieces.append(str(data["delta"].get("text", "")))
                reply.piece_times_s.append(time.perf_counter() - sent_s)
                if on_piece is not None:
                    on_piece(pieces[-1], "".join(pieces), reply.piece_times_s[-1])
            elif kind == "message_start":
                message = data.get("message", {})
                reply.model = _string(message.get("model"))
                reported |= message.get("usage") or {}
            elif kind == "message_delta":
                reply.stop_reason = _string(data.get("delta", {}).get("stop_reason"))
                reported |= {k: v for k, v in (data.get("usage") or {}).items() if v is not None}
            elif kind == "error":
                reply.broken = f"stream broke: {data.get('error', {}).get('type', 'error')}"
            ended = ended or kind == "message_stop"
    except anthropic.APIStatusError as err:  # an error event, read by the SDK
        reply.broken = f"stream broke: {err.type or 'error'}"
    except (httpx2.HTTPError, ValueError, AttributeError, TypeError) as err:
        # A torn connection, bytes that are no event, an event of another shape.
        reply.broken = f"stream broke: {type(err).__name__}"
    finally:
        await raw.http_response.aclose()
    reply.usage = read_usage(reported)
    reply.text = "".join(pieces) if pieces else None
    if reply.broken is None and not (ended and reply.stop_reason):
        reply.broken = "stream broke: it ended early"
    return reply


async def _typed(events: AsyncIterator[Any]) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    async for event in events:
        yield event.type, event.to_dict()


async def _parsed(events: AsyncIterator[Any]) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    async for event in events:
        if event.data and event.event != "ping":
            yield event.event or "", json.loads(event.data)


def read_usage(reported: Mapping[str, Any]) -> Usage:
    """Read the billed tokens; what is missing counts as none."""

    def count(source: object, name: str) -> int:
        value = source.get(name) if isinstance(source, Mapping) else None
        return value if isinstance(value, int) and value > 0 else 0

    return Usage(
        input_tokens=count(reported, "input_tokens"),
        output_tokens=count(reported, "output_tokens"),
        cache_read_input_tokens=count(reported, "cache_read_input_tokens"),
        cache_creation_input_tokens=count(reported, "cache_creation_input_tokens"),
        thinking_tokens=count(reported.get("output_tokens_details"), "thinking_tokens"),
        cache_creation_1h_input_tokens=count(
            reported.get("cache_creation"), "ephemeral_1h_input_tokens"
        ),
        service_tier=_string(reported.get("service_tier")) or "standard",
    )


def _text(content: object) -> str | None:
    """Join the text blocks; thinking and other blocks may stand before them."""
    blocks = content if isinstance(content, list) else []
    parts = [b.get("text", "") for b in blocks if isinstance(b, dict) and b.get("type") == "text"]
    return "".join(map(str, parts)) if parts else None


def _string(value: object) -> str | None:
    return value if isinstance(value, str) else None
