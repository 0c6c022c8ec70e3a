"""What the emulator says: which requests it refuses, and the messages it answers with."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from workbench.claude.emulator.reader import READER_VERSION, read
from workbench.claude.messages import estimate_tokens

__all__ = ["WRONG_MODEL", "complaint", "content_digest", "input_tokens", "message"]

_EFFORTS = {"low", "medium", "high", "xhigh", "max"}
_MESSAGE_OVERHEAD_TOKENS = 8
_CHARS_PER_TOKEN = 3
_THOUGHT = "The simulated reader weighs words; it has no thoughts to show."
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
    # How a prompt is cut into blocks and marked for the cache does not change the question.
    asked["system"] = _text(body.get("system"))
    asked["messages"] = [
        {**message, "content": _plain(message.get("content"))}
        for message in body.get("messages", [])
    ]
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


def message(
    body: dict[str, Any],
    digest: str,
    served: int,
    fault: str | None,
    input_usage: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Answer a request, its `served`-th time, as a fault of the answer has it.

    Parameters
    ----------
    body
        JSON of a ``POST /v1/messages``.
    digest
        Its `content_digest`.
    served
        How often it was answered before.
    fault
        Kind of a fault of the answer; any other changes nothing.
    input_usage
        Input fields of the usage, where a prompt cache accounts for them.

    Returns
    -------
    dict
        JSON of a message.
    """
    limit = int(body["max_tokens"])
    content: list[dict[str, Any]] = []
    thinking_tokens = 0
    if (body.get("thinking") or {}).get("type") in {"enabled", "adaptive"}:
        content.append({"type": "thinking", "thinking": _THOUGHT, "signature": "simulated"})
        thinking_tokens = min(limit, estimate_tokens(_THOUGHT))
    used = thinking_tokens
    tool = _tool_to_use(body)
    if tool is not None and fault != "refusal":
        schema = tool.get("input_schema") or {"type": "object"}
        given = read(_text(body.get("system")), _prompt(body), schema)
        name = {"type": "tool_use", "id": f"toolu_sim_{digest[:16]}", "name": tool["name"]}
        content.append({**name, "input": given})
        used, stop_reason = used + estimate_tokens(json.dumps(given)), "tool_use"
    else:
        text, stop_reason = _answer_text(body, fault)
        if estimate_tokens(text) > limit - used:
            text, stop_reason = text[: (limit - used) * _CHARS_PER_TOKEN], "max_tokens"
        if text:
            content.append({"type": "text", "text": text, "citations": None})
        used += estimate_tokens(text)
    if input_usage is None:
        input_usage = {
            "input_tokens": input_tokens(body),
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
        }
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
            **input_usage,
            "output_tokens": max(1, used),
            "output_tokens_details": {"thinking_tokens": thinking_tokens},
            "service_tier": "standard",
        },
    }


def _tool_to_use(body: dict[str, Any]) -> dict[str, Any] | None:
    """First tool offered, unless tools are off or one was used already."""
    tools = body.get("tools") or []
    off = (body.get("tool_choice") or {}).get("type") == "none"
    last = body["messages"][-1].get("content")
    used = isinstance(last, list) and any(part.get("type") == "tool_result" for part in last)
    return None if off or used or not tools else tools[0]


def _answer_text(body: dict[str, Any], kind: str | None) -> tuple[str, str]:
    if kind == "refusal":
        return "", "refusal"
    schema = _schema(body)
    answer = read(_text(body.get("system")), _prompt(body), schema)
    if kind == "out_of_range":
        # Scores from 0 to 100 are whole numbers; a probability is not.
        answer |= {name: 170 for name, value in answer.items() if type(value) is int}
        answer |= {"probability": 1.7} if "probability" in answer else {}
    if schema is None:
        text = f"Simulated reader, not Claude: probability {answer['probability']:.2f}."
    else:
        text = json.dumps(answer, ensure_ascii=False)
    if kind == "malformed_json":
        return text[:-1] + ", }", "end_turn"
    if kind == "truncated":
        return text[: max(1, len(text) // 2)], "max_tokens"
    return text, "end_turn"


def _prompt(body: dict[str, Any]) -> str:
    return "\n".join(_text(message.get("content")) for message in body["messages"])


def _schema(body: dict[str, Any]) -> dict[str, Any] | None:
    form = (body.get("output_config") or {}).get("format") or {}
    schema = form.get("schema")
    return schema if isinstance(schema, dict) else None


def _text(content: object) -> str:
    # Blocks are joined as they stand: a prompt cut for the cache reads as it did.
    if isinstance(content, list):
        return "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return str(content or "")


def _plain(content: object) -> object:
    blocks = content if isinstance(content, list) else [{"type": "text"}]
    only_text = all(isinstance(b, dict) and b.get("type") == "text" for b in blocks)
    return _text(content) if only_text else content
