"""One request and everything that is tried until its answer is whole."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, NamedTuple

from workbench.claude.messages import Answer, ClaudeRequest, Usage, estimate_tokens, request_body
from workbench.claude.origin import Origin
from workbench.claude.prices import PriceTable, undated
from workbench.claude.reply import Partial, Reply, read_message, read_stream
from workbench.claude.wire import Attempts, Wire, attempts_made
from workbench.errors import ClaudeError, PriceError

if TYPE_CHECKING:
    import anthropic

__all__ = ["Asked", "Exchange", "Manner", "billed_usd"]

KEY_REFUSED = frozenset({401, 402, 403})
"""Statuses with which no request will ever get through."""
REQUEST_REFUSED = frozenset({400, 404, 413, 422})
"""Statuses that say something is wrong with the request."""
OVERLOADED = frozenset({503, 529})
"""Statuses that say the model has too much to do."""

_ECHO_CHARS = 20


class Asked(NamedTuple):
    """A request to be asked, and its key."""

    key: str
    request: ClaudeRequest


@dataclass(frozen=True, slots=True)
class Manner:
    """How a run asks.

    Parameters
    ----------
    stream
        Whether answers are streamed.
    on_partial
        Told each piece of a streamed answer, in the run's thread.
    cache_ttl
        ``5m`` or ``1h``: mark what requests share for the provider's prompt cache.
    fallbacks
        Model to ask instead of an overloaded one.
    rate_per_s
        Requests a second to start, whatever comes back (open loop); `None` for as fast as
        answers come.
    trace_share
        Share of the calls the SDK records a span of.
    on_outage
        ``raise`` when nothing gets through any more, or give every further request an ``errors``
        row without asking, so that a caller can fall back to a model of its own.
    """

    stream: bool = False
    on_partial: Callable[[Partial], None] | None = None
    cache_ttl: str | None = None
    fallbacks: Mapping[str, str] = field(default_factory=dict)
    rate_per_s: float | None = None
    trace_share: float = 0.0
    on_outage: Literal["raise", "errors"] = "raise"


@dataclass(slots=True)
class Exchange:
    """One request on the wire.

    Parameters
    ----------
    wire, manner
        Where and how.
    asked
        The request.
    intended_s
        Clock (`time.perf_counter`) when it was meant to start.
    prefix_chars
        Characters of its prompt that others share; `None` when no other shares anything.
    output_tokens
        Output to expect, for the rate limits.
    """

    wire: Wire
    manner: Manner
    asked: Asked
    intended_s: float
    prefix_chars: int | None = None
    output_tokens: float = 0.0
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    usage: Usage = field(default_factory=Usage)
    cost_usd: float = 0.0
    status: int | None = None
    refusal: ClaudeError | None = None
    listener_error: Exception | None = None
    made: Attempts = field(init=False)
    _reply: Reply | None = None
    _failed: str = "nothing came back"
    _request_id: str | None = None

    def __post_init__(self) -> None:
        request = self.asked.request
        texts = (request.system, request.prompt, str(request.schema or ""))
        expected = sum(estimate_tokens(text) for text in texts)
        self.made = Attempts(expected, min(self.output_tokens, request.max_tokens))
        attempts_made.set(self.made)

    @property
    def broken(self) -> bool:
        """Whether something came back that is no whole answer, and may be asked for again."""
        return self._reply is not None and self._reply.broken is not None

    async def attempt(self, client: "anthropic.AsyncAnthropic", *, traced: bool = False) -> float:
        """Call the SDK once, with the retries it makes itself.

        Parameters
        ----------
        client
            The SDK's client.
        traced
            Whether it records a span.

        Returns
        -------
        float
            What it cost, US dollars.

        Raises
        ------
        PriceError
            When the model has no price.
        """
        import anthropic

        try:
            self._reply = await self._call(client, traced=traced)
        except anthropic.APIStatusError as err:
            self._reply, self.status = None, err.status_code
            self._failed = f"{type(err).__name__} {err.status_code}"
            self._request_id = err.request_id
            if err.status_code in KEY_REFUSED | REQUEST_REFUSED:
                self.refusal = _refused(err, self.asked.request, self.wire)
            return 0.0
        except anthropic.APIConnectionError as err:
            self._reply, self._failed = None, type(err).__name__
            return 0.0
        reply = self._reply
        cost = billed_usd(
            self.wire.prices, self.asked.request.model, reply.model, reply.usage, self.at
        )
        self.usage, self.cost_usd = self.usage + reply.usage, self.cost_usd + cost
        if reply.broken is not None:
            self._failed = reply.broken
        return cost

    async def _call(self, client: "anthropic.AsyncAnthropic", *, traced: bool) -> Reply:
        request, manner = self.asked.request, self.manner
        shared = self.prefix_chars is not None
        body = request_body(
            request,
            cache_ttl=manner.cache_ttl if shared else None,
            prefix_chars=self.prefix_chars or 0,
        )
        if not manner.stream:
            raw = await client.messages.with_raw_response.create(**body)
            return await read_message(raw, self.made.headers)
        raw = await client.messages.with_raw_response.create(**body, stream=True)
        tell = manner.on_partial

        def on_piece(delta: str, text: str, elapsed_s: float) -> None:
            if tell is None or self.listener_error is not None:
                return
            try:
                tell(Partial(self.asked.key, delta, text, elapsed_s))
            except Exception as err:  # noqa: BLE001 - the caller's own, raised again to the caller
                # The answer is paid for, whoever listens: it is read to its end.
                self.listener_error = err

        return await read_stream(
            raw,
            self.made.headers,
            self.made.began_s,
            traced=traced,
            on_piece=None if tell is None else on_piece,
        )

    def answer(self, *, why_not: str | None = None) -> Answer:
        """Say what came of it, from the last attempt and the cost of all.

        Parameters
        ----------
        why_not
            Why nothing more is tried, where the last attempt does not say it.

        Returns
        -------
        Answer
            With `error` set unless the last attempt brought a whole answer.
        """
        made, now_s = self.made, time.perf_counter()
        if made.latencies_s:
            made.latencies_s[-1] = now_s - made.began_s  # to the end of the body
        reply = self._reply if self._reply is not None and not self.broken else None
        error = why_not
        if error is None and reply is None:
            tries = f"{made.count} attempt{'' if made.count == 1 else 's'}"
            error = f"{self._failed} after {tries}"
        headers = self._reply.headers if self._reply is not None else {}
        gaps = reply.gaps_s if reply is not None else []
        sent_s = now_s if made.sent_s is None else made.sent_s
        return Answer(
            key=self.asked.key,
            origin=self.wire.origin if self._reply is None else self._origin(headers),
            model_requested=self.asked.request.model,
            model_answered=self._reply.model if self._reply is not None else None,
            text=reply.text if reply is not None else None,
            stop_reason=reply.stop_reason if reply is not None else None,
            error=error,
            started_at=self.at.isoformat(timespec="milliseconds"),
            latency_s=now_s - sent_s,
            ttft_s=reply.ttft_s if reply is not None else None,
            attempts=made.count,
            usage=self.usage,
            cost_usd=self.cost_usd,
            price_table=self.wire.prices.id,
            cached=False,
            request_id=headers.get("request-id", self._request_id),
            queued_s=max(0.0, sent_s - self.intended_s),
            attempt_latencies_s=tuple(round(s, 6) for s in made.latencies_s),
            inter_token_s=sum(gaps) / len(gaps) if gaps else None,
            max_gap_s=max(gaps) if gaps else None,
        )

    def _origin(self, headers: Mapping[str, str]) -> Origin:
        if headers.get("x-workbench-origin") == Origin.SIMULATED.value:
            return Origin.SIMULATED
        # Something else than the emulator may listen where one is expected.
        simulated = self.wire.origin is Origin.SIMULATED
        return Origin.LOCAL if simulated else self.wire.origin


def billed_usd(
    prices: PriceTable, requested: str, answered: str | None, usage: Usage, at: datetime
) -> float:
    """Price of an answer: the dearer model's when another answered than was asked.

    Parameters
    ----------
    prices
        Price table.
    requested, answered
        Model ids.
    usage
        Billed tokens.
    at
        When the request was made.

    Returns
    -------
    float
        US dollars.

    Raises
    ------
    PriceError
        When the requested model has no price that day.
    """
    cost = prices.cost_usd(requested, usage, at.date())
    if answered is None or undated(answered) == undated(requested) or not prices.knows(answered):
        return cost
    try:
        return max(cost, prices.cost_usd(answered, usage, at.date()))
    except PriceError:
        return cost


def _refused(err: "anthropic.APIStatusError", request: ClaudeRequest, wire: Wire) -> ClaudeError:
    fixes = {
        400: "correct the request",
        402: "check the account's billing",
        404: f"check the model {request.model!r} and the endpoint",
        413: "shorten the prompt",
        422: "correct the request",
    }
    return ClaudeError(
        f"the request was refused: {type(err).__name__} {err.status_code} "
        f"({_reason(err, request, wire)}), request {err.request_id}",
        where=wire.base_url,
        expected="a valid key, a known model and a valid request",
        fix=f"{fixes.get(err.status_code, 'check the API key')}; stored answers are kept",
    )


def _reason(err: "anthropic.APIStatusError", request: ClaudeRequest, wire: Wire) -> str:
    """Words of the API, unless they repeat the key or a piece of the prompt."""
    said = (err.api_message or "")[:200]
    pieces = (said[i : i + _ECHO_CHARS] for i in range(max(1, len(said) - _ECHO_CHARS + 1)))
    sent = f"{request.prompt}\n{request.system or ''}"
    if not said or wire.api_key in said or any(piece in sent for piece in pieces):
        return str(err.type or "no reason given")
    return said
