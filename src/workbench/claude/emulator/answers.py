"""What the emulator says: which requests it refuses, and the messages it answers with."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from workbench.claude.emulator.reader import READER_VERSION, read
from workbench.claude.messages import estimate_tokens

__all__ = ["WRONG_MODEL", "complaint", "content_digest", "events", "input_tokens", "message"]

_EFFORTS = {"low", "medium", "high", "xhigh", "max"}
_MESSAGE_OVERHEAD_TOKENS = 8
_CHARS_PER_TOKEN = 3
WRONG_MODEL = "claude-opus-5-5"
"""The model a ``wrong_model`` fault claims to be."""


def content_digest(body: dict[str, Any]) -> str:
    """Digest of a request body: what makes two requests the same question.

    Parameters
    ----------
    body
        JSON of a ``POST /v1/messages``.

    Returns
    -------
    str
        SHA-256 in hexadecimal, streaming or not.
    """
    asked = {name: value for name, value in body.items() if name != "stream"}
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


def input_tokens(body: dict[str, Any]) -> int:
    """Tokens of everything sent, by the rule of `estimate_tokens`."""
    texts = [_text(body.get("system"))]
    texts += [_text(message.get("content")) for message in body.get("messages", [])]
    schema = _schema(body)
    total = sum(estimate_tokens(text) for text in texts)
    if schema is not None:
        total += estimate_tokens(json.dumps(schema, separators=(",", ":"), ensure_ascii=False))
    return total + _MESSAGE_OVERHEAD_TOKENS


def complaint(body: dict[str, Any], *, needs_max_tokens: bool) -> str | None:
    """Say what the API of this version would refuse, `None` for nothing."""
    messages = body.get("messages")
    max_tokens = body.get("max_tokens")
    choice = body.get("tool_choice") or {}
    effort = (body.get("output_config") or {}).get("effort")
    sampling = [name for name in ("temperature", "top_p", "top_k") if name in body]
    checks = (
        (not isinstance(body.get("model"), str), "model: field required"),
        (not isinstance(messages, list) or not messages, "messages: at least one is required"),
        (
            needs_max_tokens and (not isinstance(max_tokens, int) or max_tokens < 1),
            "max_tokens: an integer of 1 or more is required",
        ),
        (bool(sampling), f"{', '.join(sampling)}: not supported at this API version"),
        (choice.get("type") in {"any", "tool"}, "tool_choice: forced tools are not supported"),
        (effort is not None and effort not in _EFFORTS, "output_config.effort: unknown value"),
    )
    wrong = next((text for refused, text in checks if refused), None)
    if wrong is None and messages and messages[-1].get("role") == "assistant":
        wrong = "messages: prefilling the answer is not supported"
    return wrong


def message(body: dict[str, Any], digest: str, served: int, fault: str | None) -> dict[str, Any]:
    """Answer a request, its `served`-th time, as a fault of the answer has it."""
    text, stop_reason = _answer_text(body, fault)
    limit = int(body["max_tokens"])
    if estimate_tokens(text) > limit:
        text, stop_reason = text[: limit * _CHARS_PER_TOKEN], "max_tokens"
    content = [{"type": "text", "text": text, "citations": None}] if text else []
    return {
        "id": f"msg_sim_{digest[:16]}_{served}",
        "type": "message",
        "role": "assistant",
        "model": WRONG_MODEL if fault == "wrong_model" else f"sim:{READER_VERSION}",
        "content": content,
        "stop_reason": stop_reason,
        "stop_sequence": None,
        "stop_details": {"type": "refusal", "category": "scripted"} if fault == "refusal" else None,
        "usage": {
            "input_tokens": input_tokens(body),
            "output_tokens": max(1, estimate_tokens(text)),
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "output_tokens_details": {"thinking_tokens": 0},
            "service_tier": "standard",
        },
    }


def _answer_text(body: dict[str, Any], kind: str | None) -> tuple[str, str]:
    if kind == "refusal":
        return "", "refusal"
    schema = _schema(body)
    prompt = "\n".join(_text(message.get("content")) for message in body["messages"])
    answer = read(_text(body.get("system")), prompt, schema)
    if kind == "out_of_range" and "probability" in answer:
        answer["probability"] = 1.7
    if schema is None:
        text = f"Simulated reader, not Claude: probability {answer['probability']:.2f}."
    else:
        text = json.dumps(answer, ensure_ascii=False)
    if kind == "malformed_json":
        return text[:-1] + ", }", "end_turn"
    if kind == "truncated":
        return text[: max(1, len(text) // 2)], "max_tokens"
    return text, "end_turn"


def events(message: Mapping[str, Any]) -> Iterator[str]:
    """Stream a finished message as server-sent events."""
    started = {**message, "content": [], "stop_reason": None}
    started["usage"] = {**message["usage"], "output_tokens": 1}
    yield _event("message_start", {"message": started})
    yield _event("ping", {})
    for index, block in enumerate(message["content"]):
        yield _event(
            "content_block_start", {"index": index, "content_block": {**block, "text": ""}}
        )
        for start in range(0, len(block["text"]), 24):
            delta = {"type": "text_delta", "text": block["text"][start : start + 24]}
            yield _event("content_block_delta", {"index": index, "delta": delta})
        yield _event("content_block_stop", {"index": index})
    delta = {"stop_reason": message["stop_reason"], "stop_sequence": None}
    usage = {"output_tokens": message["usage"]["output_tokens"]}
    yield _event("message_delta", {"delta": delta, "usage": usage})
    yield _event("message_stop", {})


def _event(kind: str, data: dict[str, Any]) -> str:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **data})}\n\n"


def _schema(body: dict[str, Any]) -> dict[str, Any] | None:
    form = (body.get("output_config") or {}).get("format") or {}
    schema = form.get("schema")
    return schema if isinstance(schema, dict) else None


def _text(content: object) -> str:
    if isinstance(content, list):
        return "\n".join(str(part.get("text", "")) for part in content)
    return str(content or "")
