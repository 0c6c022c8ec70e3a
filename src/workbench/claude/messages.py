"""What is asked and what came back, as small values without behaviour of their own."""

import functools
import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workbench.claude.emulator.reader import READER_VERSION
from workbench.claude.origin import Origin
from workbench.errors import ClaudeError

__all__ = ["API_VERSION", "Answer", "ClaudeRequest", "Usage", "estimate_tokens", "request_body"]

API_VERSION = "2026-10-21"
"""The `anthropic-version` the installed SDK sends; part of every key."""

_CHARS_PER_TOKEN = 3.0
_EFFORTS = ("low", "medium", "high", "xhigh", "max")


@dataclass(frozen=True, slots=True)
class ClaudeRequest:
    """One question to one model.

    Parameters
    ----------
    model
        Anthropic's model id.
    prompt
        The user turn, rendered.
    system
        The system text, rendered.
    schema
        JSON schema the answer must have: a mapping or JSON text, kept as canonical JSON text.
    max_tokens
        Most output tokens, thinking included.
    effort
        ``low``, ``medium``, ``high``, ``xhigh``, ``max`` or `None` for the model's own.
    repeat
        Number of the repetition: the same question with another number is asked again.

    Raises
    ------
    ClaudeError
        When the schema is not a JSON object, or max_tokens or effort is out of range.

    Examples
    --------
    >>> one = ClaudeRequest("claude-haiku-5-5", "Hello", schema={"type": "object"})
    >>> one.schema
    '{"type":"object"}'
    >>> one.key(Origin.LIVE, None) == one.key(Origin.SIMULATED, None)
    False
    """

    model: str
    prompt: str
    system: str | None = None
    schema: Mapping[str, object] | str | None = None
    max_tokens: int = 1024
    effort: str | None = None
    repeat: int = 0

    def __post_init__(self) -> None:
        if self.schema is not None:
            object.__setattr__(self, "schema", _canonical_schema(self.schema))
        if self.max_tokens < 1:
            raise ClaudeError(f"max_tokens is {self.max_tokens}", expected="1 or more")
        if self.effort is not None and self.effort not in _EFFORTS:
            raise ClaudeError(
                f"effort is {self.effort!r}", expected=f"one of {', '.join(_EFFORTS)}"
            )

    def key(self, origin: Origin, endpoint: str | None) -> str:
        """Digest of everything that decides the answer.

        Parameters
        ----------
        origin
            Who is asked. A replay looks up what was recorded live.
        endpoint
            URL of the user's own endpoint; counts for `Origin.LOCAL` only.

        Returns
        -------
        str
            SHA-256 in hexadecimal. It reveals nothing of the prompt.
        """
        recorded = Origin.LIVE if origin is Origin.REPLAY else origin
        deciding = {
            "api": API_VERSION,
            "origin": recorded.value,
            "endpoint": endpoint if origin is Origin.LOCAL else None,
            "reader": READER_VERSION if origin is Origin.SIMULATED else None,
            "model": self.model,
            "system": self.system,
            "prompt": self.prompt,
            "schema": self.schema,
            "max_tokens": self.max_tokens,
            "effort": self.effort,
            "repeat": self.repeat,
        }
        return hashlib.sha256(_canonical(deciding).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Usage:
    """Billed tokens, in Anthropic's classes.

    Parameters
    ----------
    input_tokens
        Input tokens outside the prompt cache.
    output_tokens
        Output tokens, thinking included.
    cache_read_input_tokens
        Input tokens read from the prompt cache.
    cache_creation_input_tokens
        Input tokens written to the prompt cache.
    thinking_tokens
        The part of `output_tokens` spent on thinking.

    Examples
    --------
    >>> Usage(100, 20, cache_read_input_tokens=900).total_input_tokens
    1000
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_input_tokens: int = 0
    cache_creation_input_tokens: int = 0
    thinking_tokens: int = 0

    @property
    def total_input_tokens(self) -> int:
        """Every input token, cached or not."""
        return self.input_tokens + self.cache_read_input_tokens + self.cache_creation_input_tokens


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for one request.

    A message that completed has `error` `None`, also when it was cut off (`stop_reason`
    ``max_tokens``) or refused (``refusal``): those are outcomes that cost money, and whoever
    reads `text` decides what they are worth. With `error` set, nothing came back.

    Parameters
    ----------
    key
        `ClaudeRequest.key` of the question.
    origin
        Where the answer came from.
    model_requested
        Model asked for.
    model_answered
        Model that says it answered; ``sim:…`` for the simulated reader.
    text
        The text blocks, joined.
    stop_reason
        Anthropic's `stop_reason`.
    error
        Kind and status of what went wrong, never a response body.
    started_at
        When the request was first sent: ISO 8601, UTC.
    latency_s
        Seconds from there to the parsed body, retries and their waits included.
    ttft_s
        Seconds to the first token; `None` where the answer was not streamed.
    attempts
        HTTP attempts, the first included.
    usage
        Billed tokens.
    cost_usd
        Price of those tokens in US dollars; for a simulated answer, what the requested model
        would have cost.
    price_table
        Table the price is from.
    cached
        True when read from the store: it cost nothing now, and `latency_s` is the recorded one.
    request_id
        The server's id of the request.
    """

    key: str
    origin: Origin
    model_requested: str
    model_answered: str | None
    text: str | None
    stop_reason: str | None
    error: str | None
    started_at: str
    latency_s: float | None
    ttft_s: float | None
    attempts: int
    usage: Usage
    cost_usd: float
    price_table: str
    cached: bool
    request_id: str | None


def estimate_tokens(text: str | None) -> int:
    """Estimate tokens as one per three characters, rounded up.

    English runs at three to four characters per token with current tokenizers, so this errs
    on the dear side. The emulator bills by the same rule.

    Parameters
    ----------
    text
        Any text, or `None` for no text.

    Returns
    -------
    int
        Estimated number of tokens.

    Examples
    --------
    >>> estimate_tokens("Is this lead serious?")
    7
    """
    return math.ceil(len(text) / _CHARS_PER_TOKEN) if text else 0


def request_body(request: ClaudeRequest) -> dict[str, Any]:
    """Body of the Messages API call that asks a request.

    Parameters
    ----------
    request
        What to ask.

    Returns
    -------
    dict
        Arguments of ``messages.create``, and the JSON that goes over the wire.

    Examples
    --------
    >>> sorted(request_body(ClaudeRequest("claude-haiku-5-5", "Hello", effort="low")))
    ['max_tokens', 'messages', 'model', 'output_config']
    """
    body: dict[str, Any] = {
        "model": request.model,
        "max_tokens": request.max_tokens,
        "messages": [{"role": "user", "content": request.prompt}],
    }
    if request.system is not None:
        body["system"] = request.system
    output: dict[str, Any] = {}
    if request.schema is not None:
        output["format"] = {"type": "json_schema", "schema": _wire_schema(str(request.schema))}
    if request.effort is not None:
        output["effort"] = request.effort
    if output:
        body["output_config"] = output
    return body


@functools.lru_cache(maxsize=64)
def _wire_schema(text: str) -> dict[str, Any]:
    # The API takes a subset of JSON Schema; the SDK moves the rest (bounds) into descriptions.
    from anthropic import transform_schema

    return transform_schema(json.loads(text))


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _canonical_schema(schema: Mapping[str, object] | str) -> str:
    try:
        parsed = json.loads(schema) if isinstance(schema, str) else schema
        # The order of properties is kept: a model writes its answer in that order.
        text = json.dumps(parsed, separators=(",", ":"), ensure_ascii=False)
    except (TypeError, ValueError) as err:
        raise ClaudeError(
            "the schema is not JSON", expected="a JSON schema", where=str(err)
        ) from None
    if not isinstance(parsed, Mapping):
        raise ClaudeError(f"the schema is a JSON {type(parsed).__name__}", expected="a JSON object")
    return text
