"""What is asked and what came back, as small values without behaviour of their own."""

import functools
import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from workbench.claude.emulator.reader import READER_VERSION
from workbench.claude.origin import Origin
from workbench.errors import ClaudeError

__all__ = [
    "API_VERSION",
    "TOKEN_CLASSES",
    "Answer",
    "ClaudeRequest",
    "Usage",
    "estimate_tokens",
    "request_body",
]

API_VERSION = "2026-10-21"
"""The `anthropic-version` the installed SDK sends; part of every key."""

TOKEN_CLASSES = (
    "input_tokens",
    "output_tokens",
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
    "thinking_tokens",
    "cache_creation_1h_input_tokens",
)
"""Fields of `Usage` that count tokens."""

_CHARS_PER_TOKEN = 3.0
_EFFORTS = ("low", "medium", "high", "xhigh", "max")
_THINKING = ("adaptive", "disabled")


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
    thinking
        ``adaptive``, ``disabled`` or `None` for the model's own.
    repeat
        Number of the repetition: the same question with another number is asked again.
    subject
        Whom the question is about, for export and erasure: best a lead's identifier. Kept as a
        keyed hash, never sent, and no part of the key.
    known_names
        Names of people the texts may speak of: the privacy gate takes them out wherever they
        stand. Neither sent nor kept.

    Raises
    ------
    ClaudeError
        When the schema is not a JSON object, max_tokens, effort or thinking is out of range, or
        a text holds half a character (a lone surrogate).

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
    thinking: str | None = None
    repeat: int = 0
    subject: str | None = None
    known_names: tuple[str, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        if self.schema is not None:
            object.__setattr__(self, "schema", _canonical_schema(self.schema))
        if not isinstance(self.prompt, str) or not isinstance(self.system or "", str):
            raise ClaudeError(
                f"prompt is a {type(self.prompt).__name__}, system a {type(self.system).__name__}",
                expected="text",
            )
        given: Any = self.known_names  # one name alone is easily passed as it is
        names = (given,) if isinstance(given, str) else given
        object.__setattr__(self, "known_names", tuple(name for name in names if name.strip()))
        try:
            for text in (self.prompt, self.system or "", str(self.schema or "")):
                text.encode()
        except UnicodeEncodeError as err:
            raise ClaudeError(
                f"the text holds half a character at {err.start}",
                expected="text that UTF-8 can carry",
                fix='clean it: text.encode("utf-8", "replace").decode("utf-8")',
            ) from None
        if self.max_tokens < 1:
            raise ClaudeError(f"max_tokens is {self.max_tokens}", expected="1 or more")
        for name, value, known in (
            ("effort", self.effort, _EFFORTS),
            ("thinking", self.thinking, _THINKING),
        ):
            if value is not None and value not in known:
                raise ClaudeError(f"{name} is {value!r}", expected=f"one of {', '.join(known)}")

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
        digest = _frame(
            recorded,
            endpoint if origin is Origin.LOCAL else None,
            self.model,
            self.system,
            self.schema,
            self.max_tokens,
            self.effort,
            self.thinking,
            self.repeat,
        ).copy()
        digest.update(self.prompt.encode("utf-8", "surrogatepass"))
        return digest.hexdigest()


@functools.lru_cache(maxsize=256)
def _frame(origin: Origin, endpoint: str | None, *deciding: object) -> "hashlib._Hash":
    """Digest of everything but the prompt, which thousands of requests share."""
    reader = READER_VERSION if origin is Origin.SIMULATED else None
    text = _canonical([API_VERSION, origin.value, endpoint, reader, *deciding])
    return hashlib.sha256(f"{text}\n".encode("utf-8", "surrogatepass"))


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
    cache_creation_1h_input_tokens
        The part of `cache_creation_input_tokens` kept for an hour.
    service_tier
        Anthropic's: ``standard``, ``priority`` or ``batch``.

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
    cache_creation_1h_input_tokens: int = 0
    service_tier: str = "standard"

    def __add__(self, other: "Usage") -> "Usage":
        """Tokens of both, as of a request that was billed for several attempts."""
        sums = {name: getattr(self, name) + getattr(other, name) for name in TOKEN_CLASSES}
        return Usage(**sums, service_tier=other.service_tier)

    @property
    def billed(self) -> bool:
        """Whether any token was billed."""
        return any(getattr(self, name) for name in TOKEN_CLASSES)

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
        Seconds to the first token of the attempt that succeeded; `None` where the answer was
        not streamed.
    attempts
        HTTP attempts, the first included.
    usage
        Billed tokens, of every attempt that reported any.
    cost_usd
        Price of those tokens in US dollars; for a simulated answer, what the requested model
        would have cost.
    price_table
        Table the price is from.
    cached
        True when nobody was asked now: it cost nothing, and `latency_s` is the recorded one.
    request_id
        The server's id of the request.
    queued_s
        Seconds from the intended start (the slot of an open-loop schedule, or the moment a
        worker took the request) to the first send: waits for rate limits, budget and workers.
    attempt_latencies_s
        Seconds of each attempt, waits between them not counted.
    inter_token_s, max_gap_s
        Mean and longest seconds between streamed pieces; `None` where not streamed.
    cache
        Which cache it came from, ``exact`` or ``semantic``; `None` when it was asked.
    fallback_from
        Model that was overloaded, when `model_requested` stands in for it.
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
    queued_s: float = 0.0
    attempt_latencies_s: tuple[float, ...] = ()
    inter_token_s: float | None = None
    max_gap_s: float | None = None
    cache: str | None = None
    fallback_from: str | None = None


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


def request_body(
    request: ClaudeRequest, *, cache_ttl: str | None = None, prefix_chars: int = 0
) -> dict[str, Any]:
    """Body of the Messages API call that asks a request.

    Parameters
    ----------
    request
        What to ask.
    cache_ttl
        ``5m`` or ``1h`` to mark what requests share for the provider's prompt cache; `None`
        for no mark.
    prefix_chars
        Characters at the start of the prompt that other requests share: they become a block
        of their own, so that the mark can stand between them and the rest.

    Returns
    -------
    dict
        Arguments of ``messages.create``, and the JSON that goes over the wire.

    Examples
    --------
    >>> sorted(request_body(ClaudeRequest("claude-haiku-5-5", "Hello", effort="low")))
    ['max_tokens', 'messages', 'model', 'output_config']
    """
    content: str | list[dict[str, Any]] = request.prompt
    if cache_ttl is not None and prefix_chars:
        content = [
            _marked(request.prompt[:prefix_chars], cache_ttl),
            {"type": "text", "text": request.prompt[prefix_chars:]},
        ]
    body: dict[str, Any] = {
        "model": request.model,
        "max_tokens": request.max_tokens,
        "messages": [{"role": "user", "content": content}],
    }
    if request.system is not None:
        marked = cache_ttl is not None and request.system
        body["system"] = [_marked(request.system, cache_ttl or "")] if marked else request.system
    output: dict[str, Any] = {}
    if request.schema is not None:
        output["format"] = {"type": "json_schema", "schema": _wire_schema(str(request.schema))}
    if request.effort is not None:
        output["effort"] = request.effort
    if output:
        body["output_config"] = output
    if request.thinking is not None:
        body["thinking"] = {"type": request.thinking}
    return body


def _marked(text: str, ttl: str) -> dict[str, Any]:
    return {"type": "text", "text": text, "cache_control": {"type": "ephemeral", "ttl": ttl}}


@functools.lru_cache(maxsize=64)
def _wire_schema(text: str) -> dict[str, Any]:
    # The API takes a subset of JSON Schema; the SDK moves the rest (bounds) into descriptions.
    from anthropic import transform_schema

    return transform_schema(json.loads(text))


def _canonical(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


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
