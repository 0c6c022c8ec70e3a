"""Messages as server-sent events, whole or broken on purpose."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any

__all__ = ["STREAM_FAULTS", "stream"]

STREAM_FAULTS = ("truncated_stream", "stalled_stream", "stream_error")
_PIECE_CHARS = 24


async def stream(
    message: Mapping[str, Any],
    *,
    fault: str | None,
    stall_s: float,
    gap_s: float,
    bill: Callable[[Mapping[str, Any]], None],
) -> AsyncIterator[str]:
    """Send a finished message piece by piece.

    Parameters
    ----------
    message
        The message.
    fault
        ``truncated_stream`` ends half way, ``stalled_stream`` falls silent there for `stall_s`
        and then ends, ``stream_error`` sends an error event there; anything else changes nothing.
    stall_s
        Seconds of that silence.
    gap_s
        Seconds between pieces of text.
    bill
        Told the usage that was reported by the end, however the stream ended.

    Yields
    ------
    str
        One event.
    """
    reported = dict(message["usage"]) | {"output_tokens": 1}
    events = list(_events(message, reported))
    breaks_at = max(2, len(events) // 2) if fault in STREAM_FAULTS else None
    try:
        for number, (kind, data) in enumerate(events):
            if number == breaks_at:
                if fault == "stream_error":
                    error = {"type": "overloaded_error", "message": "scripted fault"}
                    yield _event("error", {"error": error})
                if fault == "stalled_stream":
                    await asyncio.sleep(stall_s)
                return
            if kind == "content_block_delta" and gap_s > 0:
                await asyncio.sleep(gap_s)
            if kind == "message_delta":
                reported |= data["usage"]
            yield _event(kind, data)
    finally:
        bill(reported)


def _events(
    message: Mapping[str, Any], started_usage: Mapping[str, Any]
) -> Iterator[tuple[str, dict[str, Any]]]:
    started = {**message, "content": [], "stop_reason": None, "usage": dict(started_usage)}
    yield "message_start", {"message": started}
    yield "ping", {}
    for index, block in enumerate(message["content"]):
        yield "content_block_start", {"index": index, "content_block": _empty(block)}
        for delta in _deltas(block):
            yield "content_block_delta", {"index": index, "delta": delta}
        yield "content_block_stop", {"index": index}
    delta = {"stop_reason": message["stop_reason"], "stop_sequence": None}
    yield "message_delta", {"delta": delta, "usage": message["usage"]}
    yield "message_stop", {}


def _empty(block: Mapping[str, Any]) -> dict[str, Any]:
    emptied: dict[str, Any] = {"text": "", "thinking": "", "input": {}}
    return {name: emptied.get(name, value) for name, value in block.items()}


def _deltas(block: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    if block["type"] == "thinking":
        yield {"type": "thinking_delta", "thinking": block["thinking"]}
        yield {"type": "signature_delta", "signature": block["signature"]}
    elif block["type"] == "tool_use":
        yield {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
    else:
        text = block["text"]
        for start in range(0, len(text), _PIECE_CHARS):
            yield {"type": "text_delta", "text": text[start : start + _PIECE_CHARS]}


def _event(kind: str, data: dict[str, Any]) -> str:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **data})}\n\n"
