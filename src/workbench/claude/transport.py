"""One run over the wire: a fixed number of workers, the real SDK, book first and read second."""

import asyncio
import random
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from workbench.claude.budget import Budget, worst_case_usd
from workbench.claude.exchange import (
    KEY_REFUSED,
    OVERLOADED,
    Asked,
    Exchange,
    Manner,
)
from workbench.claude.limits import Limiter
from workbench.claude.messages import Answer, ClaudeRequest, estimate_tokens
from workbench.claude.prefixes import prefix_group
from workbench.claude.wire import Wire, sdk
from workbench.errors import BudgetExceededError, ClaudeError, WorkbenchError

if TYPE_CHECKING:
    import anthropic

__all__ = ["Run"]

GIVE_UP_AFTER = 50
"""Failures in a row, with no success between, after which a run stops."""

_BACKOFF_S, _LONGEST_BACKOFF_S = 0.25, 8.0
_EXPECTED_OUTPUT_TOKENS = 150.0
_LEARNING_RATE = 0.05
_LOOK_AGAIN_S = 0.05
# A provider's cache takes no shorter prefix; marking one does no harm and no good.
_WORTH_CACHING_TOKENS = 1024


class Clients(NamedTuple):
    """The SDK's client, and one that records spans of a share of the calls."""

    plain: "anthropic.AsyncAnthropic"
    traced: "anthropic.AsyncAnthropic"
    trace_share: float

    def traces(self, key: str) -> bool:
        """Whether a request is one of the share: by its key, so that it does not hang on chance."""
        return self.trace_share > 0 and int(key[:8], 16) / 0xFFFFFFFF <= self.trace_share


@dataclass(slots=True)
class Run:
    """Ask each of some requests once.

    Parameters
    ----------
    wire
        Where.
    keep
        Books and stores answers, each with its subject; called the moment they arrive, from
        the run's own thread.
    budget
        Spending limit.
    manner
        How.
    deliver
        Given each answer once it is kept, under the key it was asked for.
    prefixes
        Characters shared at the start of prompts, by `prefix_group`; a group that is missing
        shares nothing. `None` when all may share their system text, and nothing else is known.
    """

    wire: Wire
    keep: Callable[[Sequence[tuple[Answer, str | None]]], None]
    budget: Budget
    manner: Manner = field(default_factory=Manner)
    deliver: Callable[[str, Answer], None] = lambda _key, _answer: None
    prefixes: Mapping[tuple[Any, ...], int] | None = None
    answered: int = 0
    errors: int = 0
    attempts: int = 0
    cost_usd: float = 0.0
    stopping: bool = False
    _failure: Exception | None = None
    _failures_in_a_row: int = 0
    _down: bool = False
    _in_flight: int = 0
    _unkept_usd: float = 0.0
    _output_tokens: float = _EXPECTED_OUTPUT_TOKENS
    _pending: deque[Asked] = field(default_factory=deque)
    _closed: bool = False
    _unkept: list[tuple[str, Answer, str | None]] = field(default_factory=list)
    _warming: dict[tuple[Any, ...], asyncio.Event] = field(default_factory=dict)
    _started: int = 0
    _began_s: float = 0.0
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _more: asyncio.Event = field(default_factory=asyncio.Event)
    _limiter: Limiter = field(init=False)

    def __post_init__(self) -> None:
        self._limiter = Limiter(self.wire.limits)

    def add(self, asked: Sequence[Asked], *, last: bool) -> None:
        """Give the run more to ask; from its own thread once it goes.

        Parameters
        ----------
        asked
            Requests, none of them stored.
        last
            Whether nothing more will come.
        """
        self._pending.extend(asked)
        self._closed = last
        self._more.set()

    @property
    def remaining(self) -> int:
        """Requests not begun yet."""
        return len(self._pending)

    async def go(self) -> None:
        """Ask until done, stopped or failed; what was in flight is always let finish.

        Raises
        ------
        BudgetExceededError
            When the next call could overrun the budget.
        ClaudeError
            When the endpoint refuses requests as such, nothing gets through, or an answer
            cannot be stored.
        """
        workers = self.wire.concurrency
        if self._closed:
            workers = min(workers, len(self._pending))
        async with AsyncExitStack() as stack:
            plain = await stack.enter_async_context(sdk(self.wire, self._limiter))
            clients = Clients(plain, plain, 0.0)
            if self.manner.trace_share > 0:
                traced = sdk(self.wire, self._limiter, traced=True)
                await stack.enter_async_context(traced)
                clients = Clients(plain, traced, self.manner.trace_share)
            self._began_s = time.perf_counter()
            async with asyncio.TaskGroup() as group:
                for _ in range(workers):
                    group.create_task(self._work(clients))
        self._flush()
        if self._failure is not None:
            raise self._failure

    async def _work(self, clients: Clients) -> None:
        while (taken := await self._next()) is not None:
            asked, intended_s = taken
            if self._down:
                down = Exchange(self.wire, self.manner, asked, intended_s)
                answer = down.answer(why_not="not asked: the endpoint is down")
                self._land(asked.key, answer, asked.request)
                self._flush()
                continue
            await self._warm(asked.request)
            self._in_flight += 1
            try:
                await self._answer(clients, asked, intended_s)
                # What landed in one turn of the loop is kept together, before more is sent.
                await asyncio.sleep(0)
                self._flush()
            finally:
                self._in_flight -= 1
                self._changed.set()
                self._warmed(asked.request)

    async def _next(self) -> tuple[Asked, float] | None:
        """Take the next request, and say when it was meant to start."""
        while not self.stopping:
            if self._pending:
                asked = self._pending.popleft()
                intended = time.perf_counter()
                if self.manner.rate_per_s:
                    intended = self._began_s + self._started / self.manner.rate_per_s
                    self._started += 1
                    if (early := intended - time.perf_counter()) > 0:
                        await asyncio.sleep(early)
                return asked, intended
            if self._closed:
                return None
            self._more.clear()
            await self._more.wait()
        return None

    async def _answer(self, clients: Clients, asked: Asked, intended_s: float) -> None:
        exchange = await self._exchange(clients, asked, intended_s)
        if exchange is None:
            return
        request, answer = asked.request, exchange.answer()
        instead = self.manner.fallbacks.get(request.model)
        if instead is not None and exchange.status in OVERLOADED:
            request = replace(request, model=instead)
            key = request.key(self.wire.origin, self.wire.base_url)
            second = await self._exchange(clients, Asked(key, request), intended_s)
            if second is None:
                return
            answer = replace(second.answer(), fallback_from=asked.request.model)
        self._land(asked.key, answer, request)

    async def _exchange(self, clients: Clients, asked: Asked, intended_s: float) -> Exchange | None:
        """Ask until an answer is whole; `None` when the run stops with nothing paid for it."""
        exchange = Exchange(
            self.wire,
            self.manner,
            asked,
            intended_s,
            self._shared_chars(asked.request),
            self._output_tokens,
        )
        worst_usd = worst_case_usd(
            asked.request, self.wire.prices, exchange.at.date(), self.manner.cache_ttl
        )
        traced = clients.traces(asked.key)
        client = clients.traced if traced else clients.plain
        while await self._reserved(worst_usd):
            cost = 0.0
            try:
                cost = await exchange.attempt(client, traced=traced)
            finally:
                self.budget.settle(worst_usd, cost)
                self._changed.set()
            refused = exchange.refusal
            if refused is not None and (exchange.status in KEY_REFUSED or not self.answered):
                self._stop(refused)
                return exchange if exchange.usage.billed else None
            if not exchange.broken or exchange.made.count > self.wire.max_retries:
                used = exchange.usage.output_tokens
                self._limiter.correct(exchange.made.output_tokens - used)
                self._output_tokens += _LEARNING_RATE * (used - self._output_tokens)
                if exchange.listener_error is not None:
                    self._stop(exchange.listener_error)
                return exchange
            wait = min(_LONGEST_BACKOFF_S, _BACKOFF_S * 2 ** (exchange.made.count - 1))
            await asyncio.sleep(wait * random.uniform(0.5, 1.0))
        return exchange if exchange.usage.billed else None

    async def _reserved(self, amount_usd: float) -> bool:
        """Wait until the money is there; calls in flight mostly cost less than set aside."""
        while not self.stopping:
            if self.budget.reserve(amount_usd):
                return True
            if self._in_flight <= 1:  # of this run, this one alone
                if not self.budget.anything_reserved:
                    self._stop(self._over_budget())
                    return False
                await asyncio.sleep(_LOOK_AGAIN_S)  # another run's landing may free some money
                continue
            self._in_flight -= 1
            self._changed.clear()
            await self._changed.wait()
            self._in_flight += 1
        return False

    def _land(self, key: str | None, answer: Answer, request: ClaudeRequest) -> None:
        """Have an answer kept in the next turn of the loop, with whatever else lands in this."""
        self._unkept.append((key or "", answer, request.subject))

    def _flush(self) -> None:
        landed, self._unkept = self._unkept, []
        if not landed:
            return
        try:
            self.keep([(answer, subject) for _, answer, subject in landed])
        except ClaudeError as err:
            self._unkept_usd += sum(answer.cost_usd for _, answer, _ in landed)
            err.what += f" (answers worth ${self._unkept_usd:.6f} arrived and are lost)"
            self._stop(err, replace=True)
            return
        except WorkbenchError as err:  # they are kept, but not noted
            self._stop(err, replace=True)
            return
        for key, answer, _ in landed:
            self._count(answer, final=bool(key))
            if key:
                self.deliver(key, answer)

    def _count(self, answer: Answer, *, final: bool) -> None:
        self.cost_usd += answer.cost_usd
        self.attempts += answer.attempts
        if not final:
            return
        if answer.error is None:
            self.answered += 1
            self._failures_in_a_row = 0
            return
        self.errors += 1
        self._failures_in_a_row += 1
        if self._failures_in_a_row < GIVE_UP_AFTER or self._down:
            return
        if self.manner.on_outage == "errors":
            self._down = True
            return
        self._stop(
            ClaudeError(
                f"{GIVE_UP_AFTER} requests in a row failed, the last with {answer.error}",
                where=self.wire.base_url,
                expected="an endpoint that answers",
                fix="check the endpoint and ask again: stored answers are not asked again",
            )
        )

    async def _warm(self, request: ClaudeRequest) -> None:
        """Let the first of those that share a long prefix write the provider's cache."""
        if self.manner.cache_ttl is None:
            return
        group, chars = prefix_group(request), self._shared_chars(request)
        if chars is None:
            return
        shared = (request.system or "") + request.prompt[:chars]
        if estimate_tokens(shared) < _WORTH_CACHING_TOKENS:
            return
        if group in self._warming:
            await self._warming[group].wait()
        else:
            self._warming[group] = asyncio.Event()

    def _shared_chars(self, request: ClaudeRequest) -> int | None:
        return 0 if self.prefixes is None else self.prefixes.get(prefix_group(request))

    def _warmed(self, request: ClaudeRequest) -> None:
        if self._warming and (event := self._warming.get(prefix_group(request))) is not None:
            event.set()

    def _stop(self, failure: Exception, *, replace: bool = False) -> None:
        self.stopping = True
        self._changed.set()
        self._more.set()
        if self._failure is None or replace:
            self._failure = failure

    def stop(self) -> None:
        """Begin nothing more; from the run's own thread."""
        self.stopping = True
        self._changed.set()
        self._more.set()

    def _over_budget(self) -> BudgetExceededError:
        return BudgetExceededError(
            f"the next call could overrun the budget: ${self.budget.spent_usd:.6f} of "
            f"${self.budget.limit_usd or 0.0:.6f} spent, {self.answered} answered now, "
            f"{len(self._pending) + 1} remaining",
            where=self.wire.base_url,
            expected="enough for the worst case of the next call",
            fix="raise budget_usd or lower max_tokens, and ask again: stored answers cost nothing",
        )
